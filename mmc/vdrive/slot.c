/* SPDX-License-Identifier: MIT */
/* Sectors on their way to the disc: contents by data block type, and Q. */
#include "mmc/vdrive/slot.h"

#include <string.h>

#define FRAMES_A_SECOND 75
#define SUBMODE_FORM2   0x20
#define SUBHEADER       8 /* bytes, as blocks bring them: twice four */

/* One frame in a hundred tells each of the numbers (ECMA-130 22.3.3.2: at least one does). */
#define MCN_EVERY  100
#define MCN_PHASE  60
#define ISRC_PHASE 80

static enum mmc_sector_form form_of(uint8_t form)
{
    switch (form) {
    case VDRIVE_SECTOR_MODE1:
        return MMC_SECTOR_MODE1;
    case VDRIVE_SECTOR_MODE2:
        return MMC_SECTOR_MODE2;
    case VDRIVE_SECTOR_FORM1:
        return MMC_SECTOR_FORM1;
    case VDRIVE_SECTOR_FORM2:
        return MMC_SECTOR_FORM2;
    default:
        return MMC_SECTOR_AUDIO;
    }
}

static void position_put(struct vdrive_slot *slot, const struct vdrive_place *place, mmc_lba_t lba)
{
    struct vdrive_q q = {
        .control = place->control, .adr = MMC_Q_POSITION, .track = place->track, .point = place->index};
    int64_t away = (int64_t)lba.n - place->origin.n, frames = away < 0 ? -1 - away : away;

    /* A pregap's times go down to zero, in its last sector. */
    q.msf[0] = (uint8_t)(frames / (60 * FRAMES_A_SECOND) % 100);
    q.msf[1] = (uint8_t)(frames / FRAMES_A_SECOND % 60);
    q.msf[2] = (uint8_t)(frames % FRAMES_A_SECOND);
    vdrive_msf_of(lba, q.pmsf);
    vdrive_q_encode(&q, slot->sector.q);
}

void vdrive_slot_place(struct vdrive_slot *slot, const struct vdrive_place *place, mmc_lba_t lba)
{
    unsigned phase = (unsigned)(lba.n + VDRIVE_PREGAP) % MCN_EVERY,
             frame = (unsigned)(lba.n + VDRIVE_PREGAP) % FRAMES_A_SECOND;

    if (place->mcn && phase == MCN_PHASE && mmc_q_mcn_put(slot->sector.q, place->control, place->mcn, frame))
        return;
    if (place->isrc && place->index > 0 && phase == ISRC_PHASE &&
        mmc_q_isrc_put(slot->sector.q, place->control, place->isrc, frame))
        return;
    position_put(slot, place, lba);
}

void vdrive_slot_fill(struct vdrive_slot *slot, uint8_t form, mmc_lba_t lba, const uint8_t *subheader,
                      const uint8_t *data)
{
    static const uint8_t data_submode[4] = {0, 0, 0x08, 0};

    memset(&slot->sector, 0, sizeof(slot->sector));
    slot->sector.form = form;
    if (form == VDRIVE_SECTOR_FORM1 || form == VDRIVE_SECTOR_FORM2)
        memcpy(slot->sector.subheader, subheader ? subheader : data_submode, 4);
    if (form != VDRIVE_SECTOR_MODE1 && form != VDRIVE_SECTOR_FORM1)
        mmc_sector_compose(slot->main, form_of(form), lba, slot->sector.subheader, data);
    else if (data)
        memcpy(slot->main, data, MMC_BLOCK_BYTES);
    else
        memset(slot->main, 0, MMC_BLOCK_BYTES);
}

struct vdrive_block_type vdrive_block_type_of(uint8_t block_type)
{
    static const struct vdrive_block_type types[16] = {
        [0] = {2352, VDRIVE_SECTOR_AUDIO, 0},  [8] = {2048, VDRIVE_SECTOR_MODE1, 1},
        [9] = {2336, VDRIVE_SECTOR_MODE2, 2},  [10] = {2048, VDRIVE_SECTOR_FORM1, 2},
        [11] = {2056, VDRIVE_SECTOR_FORM1, 2}, [12] = {2324, VDRIVE_SECTOR_FORM2, 2},
        [13] = {2332, VDRIVE_SECTOR_FORM2, 2},
    };

    return types[block_type & 15];
}

void vdrive_slot_block(struct vdrive_slot *slot, uint8_t block_type, mmc_lba_t lba, const uint8_t *subheader,
                       const uint8_t *block)
{
    uint8_t form = vdrive_block_type_of(block_type).form;

    if (block_type == 13 && !(block[2] & SUBMODE_FORM2))
        form = VDRIVE_SECTOR_FORM1;
    if (block_type == 11 || block_type == 13)
        vdrive_slot_fill(slot, form, lba, block, block + SUBHEADER);
    else
        vdrive_slot_fill(slot, form, lba, subheader, block);
}
