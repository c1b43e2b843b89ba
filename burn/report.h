/* SPDX-License-Identifier: MIT */
/* What "packetdisc info" finds out about a disc, in one place for the two ways
 * of saying it: words and JSON. */
#ifndef BURN_REPORT_H
#define BURN_REPORT_H

#include "cli/cli.h"
#include "udf/udf.h"

#define REPORT_STEPS_MAX 6

struct report {
    const char *path;
    bool drive; /* a drive, real or virtual; otherwise an image file or a block device */
    bool virtual_disc;
    char mounted_at[512]; /* "" when it is not mounted */

    struct mmc_disc_info disc; /* drive */
    uint32_t blocks;           /* that can be read; 0: none */

    bool content_known; /* the blocks were looked at */
    enum cli_content content;
    bool volume_open; /* volume is filled */
    struct udf_volume_stat volume;
    char volume_problem[256]; /* why not, or what is wrong with it */

    bool stats_known; /* virtual disc */
    struct vdrive_stats stats;

    char *steps[REPORT_STEPS_MAX]; /* what may be done next, a sentence each */
    unsigned step_count;
};

/* ---- report.c ---- */

/* Finds out everything. Prints what prevents it; what is merely missing stays unset. Free it
 * with report_free in any case. */
int report_make(struct cli_disc *disc, struct report *report);
void report_free(struct report *report);

/* ---- report_next.c ---- */

/* Fills steps from the rest. -ENOMEM. */
int report_steps_make(struct report *report);

/* ---- report_words.c: the names of things, for words and JSON alike ---- */

const char *report_medium(const struct report *report);
/* ATIP: the speed class of a CD-RW, or NULL. */
const char *report_medium_class(const struct mmc_disc_info *disc);
const char *report_disc_status(enum mmc_disc_status status);
const char *report_session_status(enum mmc_session_status status);
const char *report_track_kind(const struct mmc_track *track); /* "data", "audio", "free" */
const char *report_content(enum cli_content content);
/* Copies text and puts '?' for what a terminal would obey or JSON could not hold. */
char *report_text_clean(const char *text, char *buf, size_t size);

/* ---- report_print.c, report_json.c ---- */

void report_print(const struct report *report);
int report_json(const struct report *report);

#endif
