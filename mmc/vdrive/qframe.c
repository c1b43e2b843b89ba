/* SPDX-License-Identifier: MIT */
/* Q sub-channel frames of lead-in and PMA: BCD, MSF and the CRC-16 that a player checks. */
#include "mmc/vdrive/qframe.h"

#include "mmc/subchannel.h"

#define FRAMES_A_SECOND 75
#define FRAMES_A_MINUTE (60 * FRAMES_A_SECOND)
#define PREGAP          150
/* 100 minutes wrap to 0, so that a lead-in from 90:00:00 on lies before LBA 0. */
#define FRAMES_WRAP     (100 * FRAMES_A_MINUTE)
#define FRAMES_NEGATIVE (90 * FRAMES_A_MINUTE)

static uint8_t q_bcd(uint8_t n)
{
    return n > 99 ? n : (uint8_t)((n / 10) << 4 | n % 10);
}

static uint8_t q_binary(uint8_t bcd)
{
    if (bcd >> 4 > 9 || (bcd & 15) > 9)
        return bcd;
    return (uint8_t)((bcd >> 4) * 10 + (bcd & 15));
}

/* The disc type of point A0h (00h, 10h, 20h) is a code that only looks like BCD. */
static bool q_is_code(const struct vdrive_q *q, int i)
{
    return q->point == VDRIVE_POINT_FIRST && i == 1;
}

void vdrive_q_encode(const struct vdrive_q *q, uint8_t bytes[VDRIVE_Q_BYTES])
{
    bytes[0] = (uint8_t)(q->control << 4 | (q->adr & 15));
    bytes[1] = q_bcd(q->track);
    bytes[2] = q_bcd(q->point);
    bytes[6] = q->zero;
    for (int i = 0; i < 3; i++) {
        bytes[3 + i] = q_bcd(q->msf[i]);
        bytes[7 + i] = q_is_code(q, i) ? q->pmsf[i] : q_bcd(q->pmsf[i]);
    }
    mmc_q_seal(bytes);
}

bool vdrive_q_decode(const uint8_t bytes[VDRIVE_Q_BYTES], struct vdrive_q *q)
{
    if (!mmc_q_sound(bytes))
        return false;
    q->control = bytes[0] >> 4;
    q->adr = bytes[0] & 15;
    q->track = q_binary(bytes[1]);
    q->point = q_binary(bytes[2]);
    q->zero = bytes[6];
    for (int i = 0; i < 3; i++) {
        q->msf[i] = q_binary(bytes[3 + i]);
        q->pmsf[i] = q_is_code(q, i) ? bytes[7 + i] : q_binary(bytes[7 + i]);
    }
    return true;
}

void vdrive_msf_of(mmc_lba_t lba, uint8_t msf[3])
{
    int64_t frames = (int64_t)lba.n + PREGAP;

    if (frames < 0)
        frames += FRAMES_WRAP;
    msf[0] = (uint8_t)(frames / FRAMES_A_MINUTE);
    msf[1] = (uint8_t)(frames / FRAMES_A_SECOND % 60);
    msf[2] = (uint8_t)(frames % FRAMES_A_SECOND);
}

mmc_lba_t vdrive_msf_lba(const uint8_t msf[3])
{
    int64_t frames = msf[0] * FRAMES_A_MINUTE + msf[1] * FRAMES_A_SECOND + msf[2];

    if (frames >= FRAMES_NEGATIVE)
        frames -= FRAMES_WRAP;
    return mmc_lba(frames - PREGAP);
}
