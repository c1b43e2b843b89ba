/* SPDX-License-Identifier: MIT */
/* What the host has announced of a session before it writes it: the cue sheet of session at once, taken
 * apart; and where a session that is being written stands. */
#ifndef MMC_VDRIVE_PLAN_H
#define MMC_VDRIVE_PLAN_H

#include "mmc/vdrive/command.h"
#include "mmc/vdrive/disc.h"
#include "mmc/vdrive/mode.h"
#include "mmc/vdrive/slot.h"

#define VDRIVE_AREAS_MAX 512

/* Sectors from one entry of the cue sheet to the next. */
struct vdrive_area {
    mmc_lba_t start, end;
    uint8_t control, track, index;
    uint8_t form; /* of the cue sheet, both parts */
};

enum vdrive_plan_kind {
    VDRIVE_PLAN_NONE,
    VDRIVE_PLAN_SAO,
    VDRIVE_PLAN_RAW
};

struct vdrive_plan {
    enum vdrive_plan_kind kind;
    bool begun;  /* the host has written something */
    bool text;   /* the host writes the lead-in's R to W first */
    bool stored; /* the lead-in is on the disc */
    struct vdrive_write_mode mode;
    mmc_lba_t next;             /* where the host goes on */
    mmc_lba_t program, leadout; /* first sector of the program with its pregap; and one past the last */
    unsigned area_count;
    struct vdrive_area areas[VDRIVE_AREAS_MAX];
    char mcn[MMC_MCN_CHARS + 1];
    char isrc[VDRIVE_TRACKS_MAX + 1][MMC_ISRC_CHARS + 1];
    struct vdrive_leadin leadin; /* what will be, or is being, written there */
    uint8_t control;             /* RAW: of the last Q frame that could be read */
};

/* Bytes from the host for a sector of this form; 0: the drive makes it of zeros. False: there is no such
 * form. */
bool vdrive_cue_form_bytes(uint8_t form, size_t *bytes);

/* Takes a cue sheet apart for a session that begins where the disc says. 0 or the sense. */
vdrive_sense_code_t vdrive_cue_parse(const struct vdrive_media *media, const struct vdrive_disc *disc,
                                     const uint8_t *sheet, size_t len, struct vdrive_plan *plan);

#endif
