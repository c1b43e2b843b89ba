/* SPDX-License-Identifier: MIT */
/*
 * The MMC commands, one function each. Command descriptor blocks and parameter lists are built, and replies
 * are taken apart, in command*.c alone. Every function returns 0 or -errno as mmc_execute does, and -EPROTO
 * for a reply too short to hold what it must. Replies are believed only as far as the drive's own length and
 * the bytes that came go.
 */
#ifndef MMC_COMMAND_H
#define MMC_COMMAND_H

#include "mmc/drive.h"

/* Seconds that the host waits for one command, by kind. */
#define MMC_TIMEOUT_S        30
#define MMC_TIMEOUT_MEDIUM_S 200  /* reads and writes the medium, or moves it */
#define MMC_TIMEOUT_CLOSE_S  900  /* closing a session without Immed */
#define MMC_TIMEOUT_WHOLE_S  9000 /* blanking or formatting the whole disc without Immed, at 1x */

/* state of the drive (command.c) */

/* TEST UNIT READY (SPC-4 6.37). With poll, busy answers are not waited out. sense may be NULL. */
int mmc_test_unit_ready(struct mmc_drive *drive, bool poll, struct mmc_sense *sense);

/* REQUEST SENSE (SPC-4 6.29): also tells the progress of an operation that runs. */
int mmc_request_sense(struct mmc_drive *drive, struct mmc_sense *sense);

/* INQUIRY (SPC-4 6.6). *type is the peripheral device type: 5 for a CD drive. */
int mmc_inquiry_read(struct mmc_drive *drive, struct mmc_inquiry *inquiry, unsigned *type);

/* START STOP UNIT (MMC-5 6.42): what to do with disc and tray. */
enum mmc_start {
    MMC_START_STOP = 0,
    MMC_START_SPIN_UP = 1,
    MMC_START_EJECT = 2,
    MMC_START_LOAD = 3,
};
int mmc_start_stop(struct mmc_drive *drive, enum mmc_start what);

/* PREVENT ALLOW MEDIUM REMOVAL (MMC-5 6.18). */
int mmc_prevent_removal(struct mmc_drive *drive, bool prevent);

/* GET EVENT STATUS NOTIFICATION, polled, media class (MMC-5 6.7). */
struct mmc_media_event {
    unsigned event; /* 0 none, 1 eject request, 2 new medium, 3 removal, 4 medium changed */
    bool tray_open, present;
};
int mmc_media_event_get(struct mmc_drive *drive, struct mmc_media_event *event);

/* MODE SENSE (10) (SPC-4 6.12), current values: the page, from its code byte on,
 * goes to page; *len is what came. */
int mmc_mode_sense(struct mmc_drive *drive, unsigned page_code, uint8_t *page, size_t size, size_t *len);

/* MODE SELECT (10) (SPC-4 6.10) of one page, with flags as enum mmc_call_flags. */
int mmc_mode_select(struct mmc_drive *drive, const uint8_t *page, size_t len, unsigned flags);

/* what the disc is (command_disc.c) */

/* GET CONFIGURATION (MMC-5 6.6): the current profile, and the features that are current with this medium. */
struct mmc_configuration {
    uint16_t profile;
    unsigned feature_count;
    uint16_t features[64]; /* codes of the current ones, in the drive's order */
};
int mmc_configuration_get(struct mmc_drive *drive, struct mmc_configuration *configuration);

/* READ DISC INFORMATION (MMC-5 6.22). With poll, busy answers are not waited out and
 * sense, if not NULL, has them. */
struct mmc_disc_information {
    enum mmc_disc_status disc_status;
    enum mmc_session_status session_status;
    bool erasable;
    unsigned disc_type;
    unsigned first_track, sessions, first_track_last_session, last_track_last_session;
    bool leadin_set, leadout_set;
    mmc_lba_t leadin;  /* of the last session, or of the next one on an appendable disc */
    mmc_lba_t leadout; /* last possible start */
};
int mmc_disc_information_read(struct mmc_drive *drive, bool poll, struct mmc_disc_information *information,
                              struct mmc_sense *sense);

/* READ TRACK INFORMATION (MMC-5 6.27) of a track by number; MMC_TRACK_NEXT is
 * the invisible or incomplete one. */
#define MMC_TRACK_NEXT 0xFFu
int mmc_track_information_read(struct mmc_drive *drive, unsigned number, struct mmc_track *track);

/* READ TOC/PMA/ATIP, formatted TOC (MMC-5 6.26, format 0). */
struct mmc_toc {
    unsigned first, last, count;
    bool leadout_set;
    mmc_lba_t leadout;
    struct {
        unsigned number, control; /* control: the Q nibble */
        mmc_lba_t start;
    } tracks[99];
};
int mmc_toc_read(struct mmc_drive *drive, struct mmc_toc *toc);

/* READ TOC/PMA/ATIP in any format, as it is: the whole reply, header included, at most
 * size bytes; *len is what came. */
int mmc_toc_read_raw(struct mmc_drive *drive, unsigned format, unsigned number, uint8_t *buf, size_t size,
                     size_t *len);

/* READ TOC/PMA/ATIP, ATIP (MMC-5 6.26, format 4). */
struct mmc_atip {
    bool rewritable;
    unsigned subtype;
    mmc_lba_t leadin, leadout;
};
int mmc_atip_read(struct mmc_drive *drive, struct mmc_atip *atip);

/* READ CAPACITY (MMC-5 6.19): blocks, 0 when nothing can be read. */
int mmc_capacity_read(struct mmc_drive *drive, uint32_t *blocks);

/* READ FORMAT CAPACITIES (MMC-5 6.24). */
struct mmc_format_capacity {
    unsigned type; /* format type of FORMAT UNIT */
    uint32_t blocks, parameter;
};
struct mmc_format_capacities {
    unsigned state; /* of the current one: 1 unformatted, 2 formatted, 3 no medium */
    uint32_t blocks;
    unsigned count;
    struct mmc_format_capacity formats[32];
};
#define MMC_FORMAT_PACKETS 0x10u /* full format with packets of a fixed size */
int mmc_format_capacities_read(struct mmc_drive *drive, struct mmc_format_capacities *capacities);

/* What they offer for packets of 32 blocks over the whole disc (in info.c):
 * blocks, 0 when nothing that can be. */
uint32_t mmc_format_capacity_packets(const struct mmc_format_capacities *capacities);

/* GET PERFORMANCE, write speeds (MMC-5 6.8): kB/s each, at most size of them. */
int mmc_write_speeds_get(struct mmc_drive *drive, unsigned *speeds_kbs, unsigned size, unsigned *count);

/* reading, writing and what goes with it (command_write.c) */

/* READ (10) (MMC-5 6.19), in as many commands as the transport's limit asks for. */
int mmc_read10(struct mmc_drive *drive, mmc_lba_t first, uint32_t count, void *buf);

/* WRITE (10) (MMC-5 6.44) as one command. -EMSGSIZE when the transport cannot carry it. Waits while the
 * drive's buffer is full. Success means that the drive has the data, not that it is on the medium. */
int mmc_write10(struct mmc_drive *drive, mmc_lba_t first, uint32_t count, const void *buf);

/* SYNCHRONIZE CACHE (MMC-5 6.43), not Immed: returns when the drive's buffer is on the medium. Failures of
 * earlier writes come by mmc_deferred_take, which the caller asks in any case. */
int mmc_synchronize_cache(struct mmc_drive *drive);

/* READ BUFFER CAPACITY (MMC-5 6.21), in bytes. */
int mmc_buffer_capacity_read(struct mmc_drive *drive, uint32_t *total, uint32_t *available);

/* SET CD SPEED (MMC-5 6.37), kB/s with 1x = 176; MMC_SPEED_MAX is the highest. */
#define MMC_SPEED_MAX 0xFFFFu
int mmc_speed_set(struct mmc_drive *drive, unsigned read_kbs, unsigned write_kbs);

/* SEND OPC INFORMATION (MMC-5 6.34): calibrates the laser. Drives that do not know it, and a power
 * calibration area that is almost full, are no errors. */
int mmc_opc_send(struct mmc_drive *drive);

/* BLANK (MMC-5 6.2), type as there. Immed: returns at once, wait with mmc_drive_wait. */
enum mmc_blank_type {
    MMC_BLANK_FULL = 0,
    MMC_BLANK_MINIMAL = 1,
    MMC_BLANK_TRACK = 2,
    MMC_BLANK_UNRESERVE = 3,
    MMC_BLANK_TAIL = 4,
    MMC_BLANK_UNCLOSE = 5,
    MMC_BLANK_SESSION = 6,
};
int mmc_blank_send(struct mmc_drive *drive, enum mmc_blank_type type, uint32_t address, bool immed);

/* FORMAT UNIT (MMC-5 6.5) with a format descriptor. options_valid: the FOV bit. */
struct mmc_format_request {
    unsigned type;
    uint32_t blocks, parameter;
    bool immed, options_valid;
    bool legacy; /* format code 7, which early CD-RW drives know instead: type and parameter are not sent */
};
int mmc_format_send(struct mmc_drive *drive, const struct mmc_format_request *format);

/* CLOSE TRACK SESSION (MMC-5 6.3). */
enum mmc_close {
    MMC_CLOSE_TRACK = 1,
    MMC_CLOSE_SESSION = 2,
};
int mmc_close_send(struct mmc_drive *drive, enum mmc_close what, unsigned track, bool immed);

/* RESERVE TRACK (MMC-5 6.33). */
int mmc_track_reserve(struct mmc_drive *drive, uint32_t blocks);

#endif
