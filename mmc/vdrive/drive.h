/* SPDX-License-Identifier: MIT */
/* The drive's insides, shared by the files of this folder: its state beside the disc, its laser, and its
 * commands. */
#ifndef MMC_VDRIVE_DRIVE_H
#define MMC_VDRIVE_DRIVE_H

#include <pthread.h>
#include <stdio.h>

#include "mmc/vdrive/command.h"
#include "mmc/vdrive/disc.h"
#include "mmc/vdrive/fault.h"
#include "mmc/vdrive/media.h"
#include "mmc/vdrive/mode.h"
#include "mmc/vdrive/plan.h"
#include "mmc/vdrive/slot.h"
#include "mmc/vdrive/timing.h"
#include "mmc/vdrive/vdrive.h"

#define VDRIVE_BUFFER_BLOCKS 1024u /* 2 MiB */
#define VDRIVE_DEFERRED_MAX  64

/* What one pass of the laser writes, out of consecutive slots of the buffer. */
struct vdrive_job {
    mmc_lba_t first;
    uint32_t count; /* blocks; a fixed packet has MMC_PACKET_BLOCKS */
    bool sectors;   /* the slots hold sectors; otherwise it is a fixed packet, its data in one piece */
    bool opens_track, opens_packet; /* its pregap, or its link and run-in blocks, are written first */
    bool underrun_free;             /* the laser may stop before it and go on */
    bool test;                      /* with the power of reading: nothing is left on the disc */
    uint64_t arrived;               /* when it was in the buffer */
};

enum vdrive_activity {
    VDRIVE_IDLE,
    VDRIVE_READING,
    VDRIVE_WRITING,
};

/* The pickup and the buffer in front of it. Slots are a ring; a packet never wraps. */
struct vdrive_laser {
    struct vdrive_slot *buffer;
    struct vdrive_job jobs[VDRIVE_BUFFER_BLOCKS];
    unsigned job_first, job_count;
    uint32_t slot_first, slots_used;
    bool in_flight;      /* the first job is under the laser */
    uint64_t flight_end; /* until then */
    uint64_t free_at;    /* when it ended what it did last */
    enum vdrive_activity activity;
    uint32_t position;                 /* physical sector that comes next under it */
    bool unsynced;                     /* something was written since the last SYNCHRONIZE CACHE */
    mmc_lba_t ahead_first, ahead_next; /* while reading: the blocks that the drive holds, at ahead_since */
    mmc_lba_t ahead_taken;             /* how far the host has read them */
    uint64_t ahead_since;              /* the drive has gone on reading from then on */
};

enum vdrive_operation_kind {
    VDRIVE_OP_NONE,
    VDRIVE_OP_BLANK,
    VDRIVE_OP_FORMAT,
    VDRIVE_OP_CLOSE,
    VDRIVE_OP_LEADOUT, /* of a session written at once */
};

/* What goes on after a command with Immed has answered. */
struct vdrive_operation {
    enum vdrive_operation_kind kind;
    uint64_t start, end;
    uint32_t packets, packets_done; /* FORMAT: of the new track */
    uint8_t disc_type;              /* FORMAT, CLOSE: for the lead-in */
    uint8_t multi_session;          /* CLOSE: of page 05h */
};

struct vdrive_deferred {
    vdrive_sense_code_t code;
    mmc_lba_t lba;
};

struct vdrive {
    pthread_mutex_t mutex;
    bool realtime, read_only;
    FILE *log;
    uint64_t origin; /* CLOCK_MONOTONIC at open, microseconds */
    uint64_t now;
    struct vdrive_media media;
    struct vdrive_disc disc;
    struct vdrive_faults faults;
    struct vdrive_laser laser;
    struct vdrive_operation op;
    struct vdrive_modes modes;
    struct vdrive_plan plan;
    struct vdrive_stats stats;
    unsigned write_speed, read_speed;
    vdrive_sense_code_t attention; /* unit attention to be told, or 0 */
    struct vdrive_deferred deferred[VDRIVE_DEFERRED_MAX];
    unsigned deferred_count;
    uint64_t ready_at;
    bool page5_set; /* the host has chosen how to write */
    bool locked, tray_open, stopped, power_lost;
    uint8_t media_event; /* GET EVENT STATUS NOTIFICATION, media class: told once */
};

/* Lets the clock run; what the laser and an operation do meanwhile is done. */
void vdrive_clock_advance(struct vdrive *d, uint64_t microseconds);
void vdrive_clock_advance_to(struct vdrive *d, uint64_t when);

/* A disc that was stopped turns again before it is used. */
void vdrive_spin_up(struct vdrive *d);

/* Reads the disc again after a change. */
void vdrive_disc_refresh(struct vdrive *d);

/* Puts an error on the list of those that later commands report. */
void vdrive_deferred_add(struct vdrive *d, vdrive_sense_code_t code, mmc_lba_t lba);

/* Everything that the laser has to do up to a time. */
void vdrive_laser_run(struct vdrive *d, uint64_t until);
/* Puts blocks of one job into the buffer; waits for room. data: count slots, or the blocks of a packet. */
void vdrive_laser_queue(struct vdrive *d, const struct vdrive_job *job, const void *data);
bool vdrive_laser_has_room(const struct vdrive *d, uint32_t blocks);
/* Waits until the buffer is empty. */
void vdrive_laser_drain(struct vdrive *d);
/* What is in the buffer is lost; the packet under the laser stays torn. */
void vdrive_laser_power_off(struct vdrive *d);
/* Moves the clock by what reading these blocks takes. */
void vdrive_laser_read(struct vdrive *d, mmc_lba_t first, uint32_t count);
/* The laser is at something else for so long, and then behind a block. What was read ahead is forgotten. */
void vdrive_laser_occupy(struct vdrive *d, uint64_t microseconds, mmc_lba_t behind);

/* The drive's own sectors, without contents: pregap, link, run-out. 0 or -errno. */
int vdrive_mark_sectors(struct vdrive *d, mmc_lba_t first, uint32_t count, uint8_t form,
                        const struct vdrive_place *place);

/* A whole sector and its record, or the sense that a command reading it gets. */
vdrive_sense_code_t vdrive_sector_read(struct vdrive *d, mmc_lba_t lba, struct vdrive_sector *sector,
                                       uint8_t main[MMC_SECTOR_BYTES]);

/* Begins an operation; op->end is filled from the duration. Without immed, waits for its end. */
void vdrive_operation_start(struct vdrive *d, struct vdrive_command *c, struct vdrive_operation op,
                            uint64_t duration, bool immed);
void vdrive_operation_run(struct vdrive *d, uint64_t until);
/* The sense that a command gets while an operation goes on; 0: none. */
vdrive_sense_code_t vdrive_operation_busy(const struct vdrive *d, uint8_t opcode);
uint16_t vdrive_operation_progress(const struct vdrive *d);

/* The medium that is in reach: not when the tray is out. */
static inline bool vdrive_has_medium(const struct vdrive *d)
{
    return !d->tray_open;
}

typedef void vdrive_handler(struct vdrive *d, struct vdrive_command *c);

vdrive_handler vdrive_test_unit_ready, vdrive_request_sense, vdrive_inquiry, vdrive_start_stop,
    vdrive_mechanism_status, vdrive_prevent_allow;
vdrive_handler vdrive_get_configuration, vdrive_get_event_status, vdrive_get_performance, vdrive_set_cd_speed;
vdrive_handler vdrive_mode_sense, vdrive_mode_select;
vdrive_handler vdrive_read_disc_information, vdrive_read_track_information, vdrive_read_toc;
vdrive_handler vdrive_read_capacity, vdrive_read_format_capacities, vdrive_read_buffer_capacity;
vdrive_handler vdrive_blank, vdrive_format_unit, vdrive_send_opc;
vdrive_handler vdrive_read_cd, vdrive_read_cd_msf, vdrive_read_header, vdrive_read_sub_channel;
vdrive_handler vdrive_read, vdrive_seek, vdrive_write, vdrive_synchronize_cache, vdrive_close_track_session,
    vdrive_send_cue_sheet;

/* Ends a TAO track that is open: padding, run-out, PMA. 0 or -errno of the folder. */
int vdrive_track_close(struct vdrive *d);

/* WRITE in session at once, and in raw mode. */
void vdrive_write_session(struct vdrive *d, struct vdrive_command *c, mmc_lba_t first, uint32_t count);
void vdrive_write_raw(struct vdrive *d, struct vdrive_command *c, mmc_lba_t first, uint32_t count);
/* Goes over what the host sends nothing for. */
void vdrive_session_skip(struct vdrive *d);
/* Ends a session that is being written: lead-out, or what there is of it. */
void vdrive_session_end(struct vdrive *d, struct vdrive_command *c);
/* The lead-out is written. 0 or -errno. */
int vdrive_session_finish(struct vdrive *d);

/* Ends a variable packet that is being written: run-out. 0 or -errno of the folder. */
int vdrive_packet_end(struct vdrive *d);

/* Finds the command in the table, refuses it when the drive's state says so, or runs it. Returns its name. */
const char *vdrive_dispatch(struct vdrive *d, struct vdrive_command *c, size_t cdb_len);

/* One line of JSON about a command that has been answered. */
void vdrive_log_command(struct vdrive *d, const struct vdrive_command *c, size_t cdb_len, const char *name);

#endif
