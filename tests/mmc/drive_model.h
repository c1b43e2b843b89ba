/* SPDX-License-Identifier: MIT */
/*
 * A small model of a CD-RW drive for tests of what the library makes of drives: it answers the commands that
 * looking, blanking and formatting send, and has the quirks of real drives as switches. It stores no data.
 */
#ifndef TESTS_MMC_DRIVE_MODEL_H
#define TESTS_MMC_DRIVE_MODEL_H

#include "fake.h"

enum model_disc {
    MODEL_NONE,
    MODEL_BLANK,
    MODEL_SESSION, /* one closed session with a data track */
    MODEL_OPEN,    /* a track written, its session not closed */
    MODEL_FORMATTED,
};

struct model {
    enum model_disc disc;
    uint16_t profile; /* 0: the drive does not know GET CONFIGURATION */
    uint64_t busy_until;
    uint32_t busy_sense;
    enum model_disc busy_then;
    uint8_t page[60]; /* the last mode parameter list */
    size_t page_len;
    unsigned writes, blanks, formats, sessions, refusals;

    /* Quirks. */
    bool tur_good_while_busy, no_progress, early_ready;
    bool attention_after;       /* 6/28/00 when blanking or formatting is done */
    bool refuses_blank;         /* formats no blank disc */
    bool refuses_formatted;     /* formats no formatted disc */
    bool lists_nothing_blank;   /* READ FORMAT CAPACITIES has no packet format for a blank disc */
    bool refuses_immed;         /* on BLANK and FORMAT UNIT */
    bool refuses_options_valid; /* a format list with FOV */
    bool legacy_only;           /* knows only format code 7 */
    bool refuses_link_size;     /* mode page 05h with LS_V */
    bool wants_link_size;       /* mode page 05h without LS_V */
    bool wants_mode2;           /* formats only as XA */
    bool wants_track_mode_7;
    bool refuses_close_track;
    bool erasable_lost; /* does not say erasable after formatting */
    bool toc_fails, no_atip, garbage_atip, no_disc_information, no_performance;
    bool format_lies; /* says that it formats, and does nothing */
    bool tray_open;
    uint32_t format_fails; /* sense of TEST UNIT READY at the end of FORMAT UNIT */
};

int model_handle(struct fake *fake, struct mmc_request *r);

#endif
