/* SPDX-License-Identifier: MIT */
/*
 * The drive library as programs see it: open a drive, look at the disc, bring it into packet form, use it as
 * a block device. The commands themselves are in command.h.
 */
#ifndef MMC_MMC_H
#define MMC_MMC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/block.h"
#include "mmc/sense.h"
#include "mmc/transport.h"
#include "mmc/units.h"
#include "mmc/vdrive/vdrive.h"

/* A drive with its transport. Functions on it may be called from many threads. */
struct mmc_drive;

/* What went wrong last on a drive in this thread of work, whole, for the message that the program prints. */
struct mmc_error {
    int error;           /* -errno */
    uint8_t opcode;      /* of the command that failed; 0 with an empty sense when none was sent */
    const char *command; /* its name in the standard's words, for example "WRITE (10)" */
    bool lba_set;
    mmc_lba_t lba; /* the block it was about */
    struct mmc_sense sense;
    char text[256]; /* one sentence: command, block, sense in words, hint */
};

struct mmc_open_options {
    bool read_only; /* only look */
    struct vdrive_options vdrive;
};

/*
 * Opens DISC: the device node of a drive, or the folder of a virtual disc, and waits until the drive says
 * whether it is ready. -ENOTBLK when path is neither (a file, a directory that is no disc): see
 * block_file_open for those. -EBUSY: error->text names the process that holds the drive. error may be NULL.
 * Returns 0 and *drive, for mmc_close.
 */
int mmc_open(const char *path, const struct mmc_open_options *options, struct mmc_drive **drive,
             struct mmc_error *error);

/* Drives in whatever transport the caller made; takes it over. For tests and servers. */
int mmc_open_transport(struct mmc_transport *transport, struct mmc_drive **drive, struct mmc_error *error);

/* Closes drive and transport. NULL is fine. */
void mmc_close(struct mmc_drive *drive);

/* A copy of what failed last. */
void mmc_error_last(struct mmc_drive *drive, struct mmc_error *error);

/* Whether nothing can be written through this handle: it was opened to look only, or the files of the virtual
 * disc cannot be written. What the disc itself allows is in mmc_disc_info_get. */
bool mmc_drive_read_only(const struct mmc_drive *drive);

/* The virtual drive's counters; -ENOTSUP with a real drive. */
int mmc_drive_stats(struct mmc_drive *drive, struct vdrive_stats *stats);

enum mmc_medium {
    MMC_MEDIUM_NONE,
    MMC_MEDIUM_CD_ROM, /* pressed */
    MMC_MEDIUM_CD_R,
    MMC_MEDIUM_CD_RW,
    MMC_MEDIUM_OTHER, /* a profile that is no CD */
};

enum mmc_disc_status {
    MMC_DISC_BLANK = 0,
    MMC_DISC_APPENDABLE = 1,
    MMC_DISC_COMPLETE = 2,
    MMC_DISC_OTHER = 3,
};

enum mmc_session_status {
    MMC_SESSION_EMPTY = 0,
    MMC_SESSION_INCOMPLETE = 1,
    MMC_SESSION_DAMAGED = 2,
    MMC_SESSION_COMPLETE = 3,
};

/* READ TRACK INFORMATION (MMC-5 6.27), decoded. Block counts in blocks. */
struct mmc_track {
    unsigned number, session;
    unsigned track_mode; /* Q control nibble: 4 data, 5 data incremental, 0 audio ... */
    unsigned data_mode;  /* 1, 2, 15 unknown */
    bool damaged, copy, reserved, blank, packet, fixed_packet;
    bool nwa_valid, last_recorded_valid;
    mmc_lba_t start, nwa, last_recorded;
    uint32_t free_blocks, packet_blocks, size;
};

#define MMC_TRACKS_MAX 100 /* 99 and the invisible one */

struct mmc_inquiry {
    char vendor[9], product[17], revision[5]; /* without trailing blanks */
};

/* All that the drive says of itself and of the disc in it. */
struct mmc_disc_info {
    struct mmc_inquiry inquiry;
    uint16_t profile; /* current profile of GET CONFIGURATION; 0 when the drive has none */
    enum mmc_medium medium;
    bool tray_open; /* with MMC_MEDIUM_NONE */

    enum mmc_disc_status disc_status;
    enum mmc_session_status session_status; /* of the last session */
    bool erasable;
    unsigned disc_type; /* 00h CD-DA/CD-ROM, 10h CD-i, 20h XA, FFh undefined */
    unsigned sessions, first_track, last_track;

    bool atip_valid;
    mmc_lba_t atip_leadin, atip_leadout; /* start of lead-in; last possible start of lead-out */
    unsigned atip_subtype;               /* CD-RW: 0 standard, 1 high speed, 2 ultra speed ... */

    bool formatted;           /* one fixed-packet track that can be written at any packet */
    uint32_t packet_blocks;   /* of that track; 32 */
    uint32_t capacity;        /* blocks that can be read (formatted: of the packet track) */
    uint32_t format_capacity; /* blocks after FORMAT UNIT type 10h; 0 when the drive offers none */

    unsigned write_speeds_kbs[16], write_speed_count; /* 1x = 176 kB/s */
    unsigned track_count;
    struct mmc_track tracks[MMC_TRACKS_MAX]; /* in order; the invisible track last, if any */
};

/* Asks the drive. With no medium, returns 0 and medium MMC_MEDIUM_NONE. */
int mmc_disc_info_get(struct mmc_drive *drive, struct mmc_disc_info *info);

/* Called now and then during a long operation. fraction 0..1; estimated: from a time model, not
 * from the drive. Return non-zero to stop waiting (the drive goes on by itself where it must):
 * the operation returns -EINTR. */
typedef int mmc_progress_fn(void *ctx, const char *phase, double fraction, bool estimated);

/* BLANK (MMC-5 6.2). full: all of the disc; otherwise minimal. Waits for the end. */
int mmc_blank(struct mmc_drive *drive, bool full, mmc_progress_fn *progress, void *ctx);

/*
 * Brings a CD-RW of any state into fixed-packet form over its whole capacity: BLANK where needed, mode page
 * 05h, FORMAT UNIT type 10h, a small closed session first for a drive that does not format a blank disc.
 * Waits for the end. -EMEDIUMTYPE for anything but a CD-RW.
 */
int mmc_format_packets(struct mmc_drive *drive, mmc_progress_fn *progress, void *ctx);

/* How the packet device worked. */
struct mmc_packet_stats {
    uint64_t packets_written, packets_read, packets_completed; /* completed: missing blocks read first */
    size_t bytes_held, bytes_held_most;
};

/*
 * The packet device: the formatted disc in drive as a block device of packets, with a cache of cache_bytes
 * (0: 64 MiB). The drive stays the caller's and must outlive the device. read_only: nothing is written, not
 * even mode pages; any disc with a data track serves. -EMEDIUMTYPE when the disc is not in packet form and
 * read_only is false.
 */
int mmc_packet_open(struct mmc_drive *drive, size_t cache_bytes, bool read_only, struct block_device **dev);

void mmc_packet_stats_get(struct block_device *packet_device, struct mmc_packet_stats *stats);

#endif
