/* SPDX-License-Identifier: MIT */
/* Sectors made out of what the host sends, or out of nothing, with the Q that belongs to their place. */
#ifndef MMC_VDRIVE_SLOT_H
#define MMC_VDRIVE_SLOT_H

#include "mmc/vdrive/media.h"

/* What Q says of a stretch of sectors. */
struct vdrive_place {
    uint8_t control, track, index;
    mmc_lba_t origin; /* where index 1 of the track begins: times count from it, in a pregap down to it */
    const char *mcn, *isrc; /* NULL: none */
};

/* The record's Q frame: the position, or now and then one of the numbers. */
void vdrive_slot_place(struct vdrive_slot *slot, const struct vdrive_place *place, mmc_lba_t lba);

/* The contents. data: the user data of the form, or NULL for zeros; subheader: of the XA forms, or NULL. */
void vdrive_slot_fill(struct vdrive_slot *slot, uint8_t form, mmc_lba_t lba, const uint8_t *subheader,
                      const uint8_t *data);

/* A data block type of page 05h: bytes of a block from the host (0: no type of a data form), the form that
 * they make, and the mode of a track of them (0: audio). The mixed forms are VDRIVE_SECTOR_FORM2. */
struct vdrive_block_type {
    uint16_t bytes;
    uint8_t form, mode;
};
struct vdrive_block_type vdrive_block_type_of(uint8_t block_type);

/* Makes a sector of one block from the host of this type. subheader: for types that bring none. */
void vdrive_slot_block(struct vdrive_slot *slot, uint8_t block_type, mmc_lba_t lba, const uint8_t *subheader,
                       const uint8_t *block);

#endif
