/* SPDX-License-Identifier: MIT */
/* Sense bytes and answers. */
#include "mmc/vdrive/command.h"

#include <string.h>

#include "mmc/bytes.h"

#define STATUS_CHECK_CONDITION 0x02

void vdrive_sense_fill(uint8_t sense[VDRIVE_SENSE_BYTES], vdrive_sense_code_t code, bool deferred)
{
    memset(sense, 0, VDRIVE_SENSE_BYTES);
    sense[0] = deferred ? 0x71 : 0x70;
    sense[2] = (uint8_t)(code >> 16);
    sense[7] = VDRIVE_SENSE_BYTES - 8;
    sense[12] = (uint8_t)(code >> 8);
    sense[13] = (uint8_t)code;
}

void vdrive_sense_lba(uint8_t sense[VDRIVE_SENSE_BYTES], mmc_lba_t lba)
{
    sense[0] |= 0x80;
    mmc_be32_put(sense + 3, (uint32_t)lba.n);
}

void vdrive_sense_progress(uint8_t sense[VDRIVE_SENSE_BYTES], uint16_t progress)
{
    sense[15] = 0x80;
    mmc_be16_put(sense + 16, progress);
}

void vdrive_command_fail(struct vdrive_command *c, vdrive_sense_code_t code)
{
    c->reply->status = STATUS_CHECK_CONDITION;
    vdrive_sense_fill(c->reply->sense, code, false);
}

void vdrive_command_fail_at(struct vdrive_command *c, vdrive_sense_code_t code, mmc_lba_t lba)
{
    vdrive_command_fail(c, code);
    vdrive_sense_lba(c->reply->sense, lba);
}

bool vdrive_command_failed(const struct vdrive_command *c)
{
    return c->reply->status != 0;
}

void vdrive_command_answer(struct vdrive_command *c, const void *data, size_t len, size_t allocation)
{
    if (len > allocation)
        len = allocation;
    if (len > c->in_room)
        len = c->in_room;
    if (len > 0)
        memcpy(c->in, data, len);
    c->reply->in_len = len;
}
