/* SPDX-License-Identifier: MIT */
/*
 * What the disc says: its sessions and tracks, read off the PMA, the lead-ins, the track descriptors and the
 * sectors. The drive keeps no other truth: after every change the disc is read again.
 */
#ifndef MMC_VDRIVE_DISC_H
#define MMC_VDRIVE_DISC_H

#include "mmc/vdrive/media.h"

struct vdrive_track {
    unsigned number, session;
    uint8_t control, data_mode, method;
    uint32_t packet_blocks; /* of a fixed-packet track */
    mmc_lba_t start,
        end; /* end: one past its last block, run-out included; of an open track, where writing goes on */
    mmc_lba_t next; /* of an open track: where the host goes on */
    bool open;      /* being written, or left when the power went */
    bool damaged;   /* open, and can only be closed */
    bool in_packet; /* open, variable packets: the last one has no run-out yet */
    bool test;      /* open, and nothing of it is on the disc */
};

struct vdrive_session {
    unsigned first, last;      /* tracks; last is first - 1 in an empty session */
    bool closed;               /* has a lead-in */
    mmc_lba_t leadin, leadout; /* leadout: start, when closed */
};

/* Values of READ DISC INFORMATION. */
enum vdrive_disc_state {
    VDRIVE_DISC_BLANK = 0,
    VDRIVE_DISC_APPENDABLE = 1,
    VDRIVE_DISC_COMPLETE = 2
};
enum vdrive_session_state {
    VDRIVE_SESSION_EMPTY = 0,
    VDRIVE_SESSION_INCOMPLETE = 1,
    VDRIVE_SESSION_COMPLETE = 3
};

struct vdrive_disc {
    enum vdrive_disc_state state;
    enum vdrive_session_state last_session;
    bool formatted;    /* one fixed-packet track; tracks[0] */
    uint8_t disc_type; /* 00h, 10h, 20h, FFh undefined */
    mmc_lba_t
        next; /* first user block of the track that comes next, unless the disc is complete or formatted */
    unsigned track_count, session_count; /* session_count: the open or empty one included */
    struct vdrive_track tracks[VDRIVE_TRACKS_MAX];
    struct vdrive_session sessions[VDRIVE_SESSIONS_MAX];
};

/* 0, -EMEDIUMTYPE when what is recorded contradicts itself, -errno. */
int vdrive_disc_read(const struct vdrive_media *media, struct vdrive_disc *disc);

/* The track that the block lies in, or NULL. */
const struct vdrive_track *vdrive_disc_track_at(const struct vdrive_disc *disc, mmc_lba_t lba);

/* The track that is open, or NULL. */
struct vdrive_track *vdrive_disc_open_track(struct vdrive_disc *disc);

/* Whether a track may begin at disc->next. */
bool vdrive_disc_appendable(const struct vdrive_disc *disc);

/* Start of the lead-in of the session after the one whose lead-out begins at leadout. */
mmc_lba_t vdrive_disc_next_leadin(unsigned session, mmc_lba_t leadout);

/* Sectors of the lead-out of a session. */
uint32_t vdrive_disc_leadout_sectors(unsigned session);

/* Whether the open session has a track already. */
bool vdrive_disc_session_begun(const struct vdrive_disc *disc);

/* Adds what a lead-in says of the session behind it: B0h, and in the first C0h. */
void vdrive_leadin_add_next(const struct vdrive_media *media, unsigned session, mmc_lba_t leadout,
                            uint8_t multi_session, uint8_t control, struct vdrive_leadin *leadin);

/* Writes lead-in and lead-out of the last, still open session. multi_session: 0, another session cannot
 * follow, and nothing is said of it (no B0h); 1, it is said that none can; 3, one can. 0 or -errno. */
int vdrive_disc_close_session(struct vdrive_media *media, const struct vdrive_disc *disc, uint8_t disc_type,
                              uint8_t multi_session);

#endif
