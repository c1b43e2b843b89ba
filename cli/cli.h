/* SPDX-License-Identifier: MIT */
/*
 * What the programs share: one message layer, progress, and the opening of DISC. Only programs include this;
 * no library below prints anything.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/mmc.h"

/* First of all in main: a standard stream that the caller has closed becomes /dev/null. Otherwise a file that
 * is opened later gets its number, and a message ends up on the disc. */
void cli_streams_open(void);

/* Messages go to standard error as "PROGRAM: DISC: text"; warnings say "warning:" first. After
 * cli_log_to_syslog (the mounted daemon) they go to syslog instead. printf formats; no newline at the end. */
void cli_program_set(const char *program);
void cli_disc_set(const char *disc); /* named in every later message; NULL: none */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_info(const char *format, ...)
    __attribute__((format(printf, 1, 2))); /* silent after cli_quiet_set(true) */
void cli_debug(const char *format, ...)
    __attribute__((format(printf, 1, 2))); /* only after cli_debug_set(true) */
void cli_quiet_set(bool quiet);
void cli_debug_set(bool debug);
void cli_log_to_syslog(void);
void cli_version_print(void); /* "PROGRAM (packetfs) 0.1.0" to standard output */

/* An errno in words that a user of discs understands (ENOMEDIUM: "no disc in the
 * drive"). Takes -errno or errno. */
const char *cli_errno_text(int error);

/* A progress line on standard error: a bar on a terminal, a line every tenth elsewhere. Usable as
 * mmc_progress_fn with ctx a struct cli_progress that starts as all zeros; returns non-zero after SIGINT when
 * cli_interrupt_catch ran. */
struct cli_progress {
    char phase[48];
    int last_tenth;
    uint64_t started_ms;
    bool open; /* a bar stands on the terminal without its newline */
};
int cli_progress(void *ctx, const char *phase, double fraction, bool estimated);
void cli_progress_end(struct cli_progress *progress);

void cli_interrupt_catch(void); /* SIGINT, SIGTERM and SIGHUP set a flag instead of ending the process */
bool cli_interrupted(void);

/* DISC as the programs take it. Exactly one of drive (a real or virtual drive) and a bare
 * file or device stands behind. */
struct cli_disc {
    char *path;
    struct mmc_drive *drive;  /* NULL for a file or block device */
    struct block_device *dev; /* NULL until cli_disc_blocks */
    bool virtual_disc;
    char *stats_path; /* where cli_disc_close writes the drive's counters; NULL: nowhere */
};

struct cli_disc_options {
    bool read_only;
    bool realtime;   /* virtual drive */
    const char *log; /* virtual drive's command log */
};

/* Opens DISC, says what is wrong if it cannot (message printed), returns 0 or -errno. */
int cli_disc_open(const char *path, const struct cli_disc_options *options, struct cli_disc *disc);

/* Makes disc->dev: the packet device or the file. Prints what is wrong. cache_bytes 0: default. */
int cli_disc_blocks(struct cli_disc *disc, size_t cache_bytes, bool read_only);

/* Closes all, and writes the drive's counters as JSON to the file that PACKETFS_DRIVE_STATS names, if it is
 * set. Returns the first error of closing, -errno; prints it. */
int cli_disc_close(struct cli_disc *disc);

/* What can be recognised on a device. */
enum cli_content {
    CLI_CONTENT_BLANK, /* each block one byte over and over: nothing, or what a format leaves */
    CLI_CONTENT_UDF,
    CLI_CONTENT_ISO,     /* ISO 9660 */
    CLI_CONTENT_UDF_ISO, /* both, over the same files */
    CLI_CONTENT_OTHER,
};
/* Looks at the places where volumes are recognised, then at the first and last 4 MiB, or at
 * everything if whole is set. Blocks that cannot be read hold nothing. -ENOMEM, -ENODEV, -ENOMEDIUM,
 * -EINTR (see cli_interrupted). */
int cli_content_find(struct block_device *dev, bool whole, enum cli_content *content);

/* Whether a file system on the device, file or virtual disc is mounted (from /proc/self/mountinfo), by
 * anyone. Then where holds the mount point. */
bool cli_disc_mounted(const char *path, char *where, size_t size);

/* "577 MiB", "12.3 GiB" into buf; returns buf. */
char *cli_size_text(uint64_t bytes, char *buf, size_t size);

#endif
