/* SPDX-License-Identifier: MIT */
/*
 * The virtual drive: an MMC CD-R/CD-RW writer as a state machine. It takes command descriptor blocks and
 * knows nothing of who sends them. Its disc is a folder that holds what the laser left (see docs/drive.md for
 * the files in it).
 *
 * A virtual clock, moved on by the commands and by vdrive_wait alone, models speed, seek, rotation,
 * turn-around and the drive's buffer. Nothing sleeps unless realtime is asked for. What the laser has not yet
 * written when the process ends without vdrive_close is lost, and the packet under the laser is torn, as in a
 * power cut.
 */
#ifndef MMC_VDRIVE_VDRIVE_H
#define MMC_VDRIVE_VDRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The flat file of user data in the disc folder, 2048 bytes a block from LBA 0. */
#define VDRIVE_DATA_NAME "data.img"

struct vdrive;

enum vdrive_medium {
    VDRIVE_CD_RW,
    VDRIVE_CD_R,
    VDRIVE_CD_ROM, /* pressed: cannot be created, only made out of a written disc */
};

struct vdrive_disc_spec {
    enum vdrive_medium medium;
    unsigned minutes; /* 74 or 80 */
    unsigned speed;   /* highest write speed: 4, 10 or 24 */
};

struct vdrive_options {
    bool realtime;   /* sleep as long as the clock says */
    bool read_only;  /* the disc folder cannot or shall not be written: write commands get 7/27/00 */
    const char *log; /* file to which every command goes as a JSON line, or NULL */
};

/* What the drive did since it was opened. */
struct vdrive_stats {
    uint64_t commands;
    uint64_t bytes_in, bytes_out;   /* user data read by, and written from, the host */
    uint64_t writes;                /* WRITE commands */
    uint64_t writes_whole_packet;   /* of them, exactly one whole aligned packet (or a multiple) */
    uint64_t packets_written;       /* packets that the laser wrote */
    uint64_t most_rewritten_packet; /* the packet with the most rewrites in its life ... */
    uint64_t most_rewrites;         /* ... and how many that is */
    uint64_t microseconds;          /* on the virtual clock */
};

struct vdrive_reply {
    uint8_t status;
    uint8_t sense[18]; /* fixed format, valid when status is CHECK CONDITION */
    size_t in_len;     /* bytes put into the caller's buffer */
};

/* Makes the folder of a new blank disc. Returns 0, -EEXIST (path exists and is not an empty folder), -EINVAL,
 * -errno. */
int vdrive_disc_create(const char *folder, const struct vdrive_disc_spec *spec);

/*
 * Makes a pressed disc out of a recorded one, as a factory does: the same sessions, and nothing that only a
 * recordable disc has. The disc must be in no drive. Returns 0, -EBUSY, -EMEDIUMTYPE, -EINVAL (it has no
 * closed session, or is formatted for packets), -errno.
 */
int vdrive_disc_press(const char *folder);

/* Whether the path is a disc folder. */
bool vdrive_disc_is(const char *path);

/*
 * Puts the disc into a virtual drive and powers it on. One process at a time may have it: -EBUSY otherwise,
 * and the holder's process id in *holder (if not NULL). -EMEDIUMTYPE when the folder's files do not make
 * sense. Returns 0 and *drive, to be freed with vdrive_close.
 */
int vdrive_open(const char *folder, const struct vdrive_options *options, int *holder, struct vdrive **drive);

/*
 * Takes the disc out by hand and puts another one in: what the drive had in its buffer for the old one is
 * lost, and the host is told by a unit attention (6/28/00) after the fact. Returns 0, or what vdrive_open
 * returns for such a folder; then the old disc stays in.
 */
int vdrive_disc_exchange(struct vdrive *drive, const char *folder, int *holder);

/* Lets the drive finish what is in its buffer, powers it off and frees it. Returns 0 or -errno of the
 * folder's files. */
int vdrive_close(struct vdrive *drive);

/*
 * Executes one command: cdb of cdb_len bytes, out_len bytes from the host, room for in_room bytes to the
 * host. Thread-safe; commands run one at a time.
 */
void vdrive_execute(struct vdrive *drive, const uint8_t *cdb, size_t cdb_len, const void *out, size_t out_len,
                    void *in, size_t in_room, struct vdrive_reply *reply);

/* Moves the clock on; what the drive does in the background goes on meanwhile. */
void vdrive_wait(struct vdrive *drive, uint64_t microseconds);

/* The virtual clock, microseconds since vdrive_open. */
uint64_t vdrive_now(struct vdrive *drive);

/* Whether the disc's files cannot be written, or shall not (options.read_only). */
bool vdrive_read_only(struct vdrive *drive);

void vdrive_stats_get(struct vdrive *drive, struct vdrive_stats *stats);

#endif
