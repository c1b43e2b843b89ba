/* SPDX-License-Identifier: MIT */
/*
 * Inside the packet device. Callers' blocks gather in packets held in memory (packet_cache.c); a thread of
 * its own writes them out whole (packet_writer.c); reads are answered from memory or by reading packets from
 * the drive (packet_read.c); packet.c is the face. One lock guards everything; it is never held while the
 * drive carries out a command, and the drive is asked by one thread at a time (packet_drive_enter).
 *
 * A packet is in memory for one of these reasons, which can overlap:
 *   clean     as on the medium: may be forgotten at any time
 *   dirty     has blocks that the drive was not given
 *   unsynced  was given to the drive, but no SYNCHRONIZE CACHE has succeeded since, so the drive may still
 * report that it failed. It is whole in memory, hence it is never read back from the drive's buffer failed
 * could not be written; kept until it is moved or written to
 */
#ifndef MMC_PACKET_H
#define MMC_PACKET_H

#include <pthread.h>

#include "mmc/drive.h"

#define PACKET_BLOCKS_MAX 32u /* a mask has a bit for each block */

struct packet {
    struct packet *hash_next;
    struct packet *newer, *older; /* by last use */
    uint32_t number;
    uint32_t valid;    /* blocks whose contents are here */
    uint32_t dirty;    /* of them, those that the drive was not given */
    uint64_t dirty_at; /* when it became dirty, milliseconds */
    bool unsynced;
    bool due;       /* a sync waits for it */
    bool reading;   /* somebody reads the missing blocks: stay, and do not read them too */
    bool suspect;   /* was or may have been refused: to be written alone, so that the answer is about it */
    unsigned tries; /* times it was refused when written alone */
    int error;      /* -errno: failed */
    uint8_t data[];
};

/* How many packets are in memory and why. */
struct packet_counts {
    uint32_t total;
    uint32_t held;  /* dirty, unsynced or failed */
    uint32_t dirty; /* not failed */
    uint32_t whole; /* of the dirty ones, those with every block dirty: nothing is gained by waiting */
    uint32_t unsynced;
    uint32_t failed;
    uint32_t due;
};

#define PACKET_STREAMS    4u
#define PACKET_AHEADS     8u
#define PACKET_READ_BYTES (512u * 1024) /* most that one miss reads */

/* A reader who goes on where it was. */
struct packet_stream {
    uint32_t next;   /* packet after the last one read for it */
    uint32_t window; /* packets to read at once */
    uint64_t used;   /* for finding the one out of use longest */
};

struct packet_range {
    uint32_t first, end; /* packets */
};

/* Who may have the drive. Whoever leaves it says who comes next, and only if somebody of that kind waits. */
enum packet_door {
    PACKET_DOOR_OPEN,
    PACKET_DOOR_TAKEN,
    PACKET_DOOR_READER,
    PACKET_DOOR_WRITER,
};

struct packet_device {
    struct block_device dev;
    struct mmc_drive *drive;
    uint32_t length;       /* blocks of a packet */
    uint32_t packets_most; /* bound of memory */
    uint32_t sync_each;    /* unsynced packets at which a full memory makes the writer sync */
    uint32_t read_most;    /* packets that one command reads */

    pthread_mutex_t lock;
    pthread_cond_t work;   /* for the writer: there may be something to do */
    pthread_cond_t change; /* for all others: memory, the drive or a packet may be free, a sync done */
    pthread_t writer;
    bool stop;
    int dead; /* -errno that everything fails with, once the drive or the medium is gone */

    struct packet **hash;
    uint32_t hash_mask;
    struct packet *newest, *oldest;
    struct packet_counts counts;
    struct mmc_packet_stats stats;

    /* The drive's door. */
    enum packet_door door;
    unsigned readers_at_door, writers_at_door, writer_turns;

    /* The writer's. */
    uint32_t position;   /* packet after the one written last */
    bool burst;          /* whole packets are being written out */
    uint32_t gap;        /* the position that was waited for last ... */
    uint64_t gap_until;  /* ... and until when */
    uint64_t dirtied_at; /* when a caller last wrote, milliseconds */
    unsigned room_waiters, lost_rounds, failures_in_row, timeouts_in_row;
    bool speed_lost;
    uint64_t sync_asked, sync_done;
    uint8_t *buffer; /* read_most packets */

    struct packet_stream streams[PACKET_STREAMS];
    uint64_t stream_clock;
    struct packet_range aheads[PACKET_AHEADS];
    unsigned ahead_first, ahead_count;
};

/* packet_cache.c; all with the lock held */

int packet_cache_init(struct packet_device *dev);
void packet_cache_free(struct packet_device *dev);
struct packet *packet_find(struct packet_device *dev, uint32_t number);
/* The packet, made empty if it was not in memory; NULL when there is no room for
 * it now. Counts as a use of it. */
struct packet *packet_get(struct packet_device *dev, uint32_t number);
/* Whether packet_get would find room once nobody reads any more. */
bool packet_room_possible(const struct packet_device *dev);
void packet_forget(struct packet_device *dev, struct packet *p);
/* Gives the packet another number, one that is not in memory. */
void packet_renumber(struct packet_device *dev, struct packet *p, uint32_t number);
/* Every change of what the counts are about stands between these two. */
void packet_change_begin(struct packet_device *dev, const struct packet *p);
void packet_change_end(struct packet_device *dev, const struct packet *p);
/* All blocks of the packet, as a mask: the last one of a disc may be short. */
uint32_t packet_all(const struct packet_device *dev, uint32_t number);
/* The mask of count blocks from first on. */
uint32_t packet_mask(uint32_t first, uint32_t count);
/* Copies the masked blocks from a buffer that holds the whole packet, or the caller's blocks from buf on. */
void packet_fill(struct packet *p, uint32_t mask, const uint8_t *whole);
void packet_copy_in(struct packet_device *dev, struct packet *p, uint32_t first, uint32_t count,
                    const uint8_t *buf, unsigned flags);

uint64_t packet_now_ms(void);

/* packet_drive.c; all with the lock held */

/* The drive belongs to the caller from enter to leave; both are called with the lock held, and the caller
 * gives the lock up in between. Waiting readers come before a writer for whom nobody waits. */
void packet_drive_enter(struct packet_device *dev, bool reader);
void packet_drive_leave(struct packet_device *dev);
/* Takes note of what a command came to, and of writes that it said were lost, before the drive is
 * left. Returns true when there were any. error is the command's: one that means that drive or
 * medium are gone ends the device. */
bool packet_drive_answered(struct packet_device *dev, int error);
/* A write or sync was refused: no packet that was not synced before it can be trusted to be on its way any
 * more. The drive's last error says, with luck, which of them was the cause. */
void packet_writes_doubt(struct packet_device *dev);

/* packet_writer.c */

void *packet_writer_main(void *dev);
/* Whether somebody waits for packets to be written. Lock held. */
bool packet_writer_urgent(const struct packet_device *dev);

/* packet_read.c */

int packet_read(struct block_device *block, mmc_lba_t first, uint32_t count, void *buf);
void packet_readahead(struct block_device *block, mmc_lba_t first, uint32_t count);
/* For the writer: carries out one step of the hints given by block_readahead.
 * Returns false when there was none. */
bool packet_ahead_step(struct packet_device *dev);
/* Reads the wanted blocks that are missing from the packet, which must not go away meanwhile. buffer holds a
 * packet. Lock held. 0 or -errno. */
int packet_read_missing(struct packet_device *dev, struct packet *p, uint32_t wanted, uint8_t *buffer,
                        bool reader);

#endif
