/* SPDX-License-Identifier: MIT */
/* READ DISC INFORMATION and READ TRACK INFORMATION (MMC-5 6.24, 6.27). */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define TRACK_INVISIBLE 0xff
#define DATA_MODE_NONE  0x0f /* audio, or not known */

/* Track flags of byte 6. */
enum {
    FLAG_RESERVED = 0x80,
    FLAG_BLANK = 0x40,
    FLAG_PACKET = 0x20,
    FLAG_FIXED = 0x10
};

static void put_msf(uint8_t *to, mmc_lba_t lba)
{
    to[0] = 0;
    vdrive_msf_of(lba, to + 1);
}

static bool disc_erasable(const struct vdrive *d)
{
    if (d->disc.formatted && vdrive_quirk(&d->faults, VDRIVE_QUIRK_ERASABLE_LOST))
        return false;
    return d->media.spec.medium == VDRIVE_CD_RW;
}

void vdrive_read_disc_information(struct vdrive *d, struct vdrive_command *c)
{
    const struct vdrive_disc *disc = &d->disc;
    const struct vdrive_session *last = &disc->sessions[disc->session_count - 1];
    unsigned last_track = last->last >= last->first ? last->last : last->first;
    uint8_t data[34] = {0};

    if (c->cdb[1] & 7) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB); /* only the standard data type */
        return;
    }
    mmc_be16_put(data, sizeof(data) - 2);
    data[2] =
        (uint8_t)((disc_erasable(d) ? 0x10 : 0) | (unsigned)disc->last_session << 2 | (unsigned)disc->state);
    data[3] = 1;
    data[4] = (uint8_t)disc->session_count;
    data[5] = (uint8_t)last->first;
    data[6] = (uint8_t)last_track;
    data[7] = 0x20; /* unrestricted use */
    data[8] = disc->disc_type;
    if (disc->state == VDRIVE_DISC_COMPLETE) {
        memset(data + 16, 0xff, 8);
    } else {
        put_msf(data + 16, last->leadin);
        put_msf(data + 20, d->media.atip_leadout);
    }
    vdrive_command_answer(c, data, sizeof(data), mmc_be16_get(c->cdb + 7));
}

/* Blocks that a track starting or going on at next can still take, the run-out left for the drive. */
static uint32_t blocks_free(const struct vdrive *d, mmc_lba_t next)
{
    int64_t left = (int64_t)d->media.atip_leadout.n - next.n - VDRIVE_RUNOUT;

    return left > 0 ? (uint32_t)left : 0;
}

/* A track that is, open or complete. */
static void track_describe(const struct vdrive *d, const struct vdrive_track *track, uint8_t *data)
{
    bool fixed = track->method == VDRIVE_METHOD_FIXED;

    data[2] = (uint8_t)track->number;
    data[3] = (uint8_t)track->session;
    data[5] = (uint8_t)((track->damaged ? 0x20 : 0) | track->control);
    data[6] = track->data_mode ? track->data_mode : DATA_MODE_NONE;
    mmc_be32_put(data + 8, (uint32_t)track->start.n);
    mmc_be32_put(data + 24, (uint32_t)(track->end.n - track->start.n));
    if (fixed) {
        data[6] |= FLAG_RESERVED | FLAG_PACKET | FLAG_FIXED;
        mmc_be32_put(data + 20, track->packet_blocks);
    } else if (track->open && !track->damaged) {
        int32_t runout = track->method == VDRIVE_METHOD_VARIABLE && !track->in_packet ? VDRIVE_RUNOUT : 0;

        data[7] = 0x03;
        mmc_be32_put(data + 12, (uint32_t)track->next.n);
        mmc_be32_put(data + 16, blocks_free(d, track->next));
        mmc_be32_put(data + 24, (uint32_t)(d->media.atip_leadout.n - track->start.n));
        mmc_be32_put(data + 28, (uint32_t)(track->end.n - runout) - 1);
    }
    if (track->method == VDRIVE_METHOD_VARIABLE)
        data[6] |= FLAG_PACKET;
}

/* Where a WRITE would begin: sessions at once with the pregap, raw ones with the lead-in. */
static mmc_lba_t next_address(const struct vdrive *d, const struct vdrive_write_mode *mode)
{
    if (d->disc.state == VDRIVE_DISC_BLANK && mode->type == VDRIVE_WRITE_SAO && !d->plan.begun &&
        vdrive_quirk(&d->faults, VDRIVE_QUIRK_SAO_NWA_ZERO))
        return mmc_lba(0);
    if (d->plan.kind != VDRIVE_PLAN_NONE)
        return d->plan.next;
    if (mode->type == VDRIVE_WRITE_SAO)
        return mmc_lba_add(d->disc.next, -VDRIVE_PREGAP);
    if (mode->type == VDRIVE_WRITE_RAW)
        return d->disc.sessions[d->disc.session_count - 1].leadin;
    return d->disc.next;
}

/* The track that a WRITE would begin. */
static void track_describe_next(const struct vdrive *d, uint8_t *data)
{
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);

    data[2] = (uint8_t)(d->disc.track_count + 1);
    data[3] = (uint8_t)d->disc.session_count;
    data[5] = mode.control;
    data[6] = FLAG_BLANK | 0x0f;
    data[7] = 0x01;
    mmc_be32_put(data + 8, (uint32_t)d->disc.next.n);
    mmc_be32_put(data + 12, (uint32_t)next_address(d, &mode).n);
    mmc_be32_put(data + 16, blocks_free(d, d->disc.next));
    mmc_be32_put(data + 24, blocks_free(d, d->disc.next));
}

/* Whether the number that a command gave, of a track, names the one that is open or comes next. */
static bool number_is_next(const struct vdrive *d, uint32_t number)
{
    return !vdrive_disc_open_track((struct vdrive_disc *)&d->disc) && vdrive_disc_appendable(&d->disc) &&
           (number == TRACK_INVISIBLE || number == d->disc.track_count + 1);
}

/* The track that the CDB means; NULL with *next: the one to come; NULL without: there is none. */
static const struct vdrive_track *track_wanted(const struct vdrive *d, unsigned type, uint32_t number,
                                               bool *next)
{
    const struct vdrive_disc *disc = &d->disc;

    *next = false;
    if (type == 2) {
        if (number == 0 || number > disc->session_count)
            return NULL;
        number = disc->sessions[number - 1].first;
        type = 1;
    }
    if (type == 1) {
        *next = number_is_next(d, number);
        if (number == TRACK_INVISIBLE)
            return vdrive_disc_open_track((struct vdrive_disc *)disc);
        return number >= 1 && number <= disc->track_count ? &disc->tracks[number - 1] : NULL;
    }
    if (type == 0 && (int32_t)number >= disc->next.n && number_is_next(d, TRACK_INVISIBLE) &&
        (int32_t)number < d->media.atip_leadout.n)
        *next = true;
    return type == 0 && !*next ? vdrive_disc_track_at(disc, mmc_lba((int32_t)number)) : NULL;
}

void vdrive_read_track_information(struct vdrive *d, struct vdrive_command *c)
{
    const struct vdrive_track *track;
    uint8_t data[36] = {0};
    bool next;

    track = track_wanted(d, c->cdb[1] & 3, mmc_be32_get(c->cdb + 2), &next);
    if (!track && !next) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    mmc_be16_put(data, sizeof(data) - 2);
    if (next)
        track_describe_next(d, data);
    else
        track_describe(d, track, data);
    vdrive_command_answer(c, data, sizeof(data), mmc_be16_get(c->cdb + 7));
}
