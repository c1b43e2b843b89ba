/* SPDX-License-Identifier: MIT */
/* Between the files of cli/ only. */
#ifndef CLI_PRIVATE_H
#define CLI_PRIVATE_H

#include "cli/cli.h"

/* A progress bar stands on the terminal: the next message starts a line of its own first. */
void cli_bar_set(bool open);

/* Whether cli_quiet_set asked for silence. */
bool cli_quiet(void);

/* Writes the drive's counters to path as JSON. Only a virtual drive has any: a warning
 * otherwise. Prints what is wrong. */
int cli_stats_write(struct mmc_drive *drive, const char *path);

#endif
