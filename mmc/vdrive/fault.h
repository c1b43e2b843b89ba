/* SPDX-License-Identifier: MIT */
/* Faults on request, from the file "faults" in the disc folder. docs/drive.md says what each line means. */
#ifndef MMC_VDRIVE_FAULT_H
#define MMC_VDRIVE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/units.h"
#include "mmc/vdrive/command.h"

enum vdrive_quirk {
    VDRIVE_QUIRK_NO_PROGRESS = 1 << 0,
    VDRIVE_QUIRK_TUR_GOOD_WHILE_BUSY = 1 << 1,
    VDRIVE_QUIRK_EARLY_READY = 1 << 2,
    VDRIVE_QUIRK_STUCK_BUSY = 1 << 3,
    VDRIVE_QUIRK_TOC_FAILS_FORMATTED = 1 << 4,
    VDRIVE_QUIRK_ERASABLE_LOST = 1 << 5,
    VDRIVE_QUIRK_NO_FORMAT_BLANK = 1 << 6,
    VDRIVE_QUIRK_FORMAT_LEAVES_OPEN = 1 << 7,
    VDRIVE_QUIRK_FORMAT_NEEDS_PAGE = 1 << 8,
    VDRIVE_QUIRK_UA_AFTER_BLANK = 1 << 9,
    VDRIVE_QUIRK_BAD_LINK_DEFAULT = 1 << 10,
    VDRIVE_QUIRK_BUFFER_FULL_BUSY = 1 << 11,
    VDRIVE_QUIRK_SAO_NWA_ZERO = 1 << 12,
    VDRIVE_QUIRK_CLOSE_TRACK_FAILS = 1 << 13,
    VDRIVE_QUIRK_ZERO_ATIP = 1 << 14,
};

enum vdrive_fault_kind {
    VDRIVE_FAULT_READ,           /* first, count */
    VDRIVE_FAULT_WRITE,          /* first, count: the WRITE itself fails */
    VDRIVE_FAULT_WRITE_DEFERRED, /* first, count: a later command says so */
    VDRIVE_FAULT_COMMAND,        /* the first-th command ends with code */
    VDRIVE_FAULT_POWER,          /* the power goes at the first-th command */
};

struct vdrive_fault {
    enum vdrive_fault_kind kind;
    uint64_t first, count;
    vdrive_sense_code_t code;
    bool once, done; /* once: only the first time that it strikes */
};

struct vdrive_faults {
    unsigned quirks; /* enum vdrive_quirk */
    uint32_t wear;   /* writes that a packet stands; 0: any number */
    struct vdrive_fault *list;
    unsigned count;
};

/* Reads the file; a missing one means no faults. -EINVAL for a line that is not understood. */
int vdrive_faults_load(struct vdrive_faults *faults, int dir);
void vdrive_faults_free(struct vdrive_faults *faults);

/* The first block of the range that a fault of this kind strikes. False when none does. */
bool vdrive_fault_blocks(struct vdrive_faults *faults, enum vdrive_fault_kind kind, mmc_lba_t first,
                         uint32_t count, mmc_lba_t *struck);

/* The fault of this kind that strikes the n-th command, or NULL. */
const struct vdrive_fault *vdrive_fault_command(struct vdrive_faults *faults, enum vdrive_fault_kind kind,
                                                uint64_t n);

static inline bool vdrive_quirk(const struct vdrive_faults *faults, enum vdrive_quirk quirk)
{
    return (faults->quirks & (unsigned)quirk) != 0;
}

#endif
