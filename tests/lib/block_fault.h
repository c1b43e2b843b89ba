/* SPDX-License-Identifier: MIT */
/*
 * The fault device: a block device in memory for tests of what survives a power cut, a bad packet or an
 * unreadable block. It is in two parts, as in life. The medium keeps what the laser left and outlives the
 * drive; the device in front of it (block_fault_open) holds unsynced writes in memory that a power cut takes
 * away.
 *
 * It keeps to the contract of mmc/block.h as strictly as the contract allows:
 *   - the medium changes only in whole packets; a packet that lacks blocks is completed from the medium,
 *     and when that cannot be read, it is a failure of that packet (block_sync: -EIO, named by
 *     block_failure_next);
 *   - BLOCK_WRITE_FRESH makes all other blocks of the packet zeros at once, those written a moment ago
 *     included;
 *   - a write that the medium refuses destroys the packet: unreadable until it is written whole again;
 *   - nothing is durable before block_sync, and at a power cut each packet written since shows,
 *     independently of the others, its state after none, some or all of these writes.
 *
 * Power cuts. Writes are numbered from 1: each packet that a block_write touches is one, counted over the
 * life of the medium. "Cut at write n" is the state of the medium when the power fails after write n was
 * given to the device and before anything later (a sync included) happened. What was synced when
 * fault_stats.writes was k is thus safe in all cuts at n > k. There are two ways to have a cut:
 *   - fault_medium_cut_at: the device dies at write n, all its calls fail with -EIO; open the medium
 *     again to go on;
 *   - fault_medium_record, one undisturbed run, then fault_medium_cut_copy for as many n and seeds as
 *     wanted.
 *
 * The seed chooses what happens to the writes not synced:
 *   0  all lost, the packet of write n torn        1  all kept, the packet of write n torn
 *   2  all kept, nothing torn                      3  all lost, nothing torn
 *   4 and more: random for each packet, and at most one of them torn
 * Torn: all of the packet's blocks are unreadable, old contents included, until the packet is written whole
 * again.
 *
 * All functions may be called from many threads. Sizes are in blocks of MMC_BLOCK_BYTES.
 */
#ifndef TESTS_LIB_BLOCK_FAULT_H
#define TESTS_LIB_BLOCK_FAULT_H

#include "mmc/block.h"

struct fault_medium;

/* What happened since the medium was made (a copy begins with the numbers of its original). */
struct fault_stats {
    uint64_t writes;         /* packets touched by block_write: the numbers of the cuts */
    uint64_t blocks_written; /* blocks given to block_write */
    uint64_t blocks_read;    /* blocks asked for by block_read */
    uint64_t syncs;
    uint64_t packets_written;      /* packets that went to the medium */
    uint64_t packets_completed;    /* of them, those whose missing blocks had to be read first */
    uint32_t most_worn;            /* times the most-written packet was written ... */
    mmc_packet_t most_worn_packet; /* ... and which that is */
};

/* One write of the record. */
struct fault_write {
    mmc_lba_t first;
    uint32_t count; /* blocks, all in one packet */
    unsigned flags;
    uint64_t sync; /* syncs that were done before it since the recording began */
};

/* A medium of zeros; blocks is rounded down to whole packets of packet_blocks
 * (1 to 64) blocks. 0 or -errno. */
int fault_medium_create(uint32_t blocks, uint32_t packet_blocks, struct fault_medium **medium);

/* Frees it; no device may be open on it. NULL is fine. */
void fault_medium_free(struct fault_medium *medium);

/* A medium with the same contents, damage, wear and numbers, without the record and the plan of a cut. Cheap:
 * packets are shared until written. 0 or -errno. */
int fault_medium_copy(struct fault_medium *medium, struct fault_medium **copy);

/* Fills the medium from an image file (cut or padded with zeros to its size), or makes a sparse one of it;
 * torn packets become zeros there. Not counted as writing. 0 or -errno. */
int fault_medium_load(struct fault_medium *medium, const char *path);
int fault_medium_save(struct fault_medium *medium, const char *path);

/* What the laser left, past any device: 0, -EINVAL, or -EIO when it is unreadable. */
int fault_medium_peek(struct fault_medium *medium, mmc_lba_t first, uint32_t count, void *buf);
/* Changes it, torn or not, without counting: what a fault of the disc or another program might have left. */
int fault_medium_poke(struct fault_medium *medium, mmc_lba_t first, uint32_t count, const void *buf);

/*
 * Faults at places. Each stays until it is taken away with on = false.
 *   tear        the packet is unreadable until written whole
 *   read_error  the block is unreadable until its packet is written
 *   write_error writing the packet fails, from now on, and destroys it
 *   wear_limit  each packet fails like that once it was written so many times (0: never)
 */
void fault_medium_tear(struct fault_medium *medium, mmc_packet_t packet);
void fault_medium_read_error(struct fault_medium *medium, mmc_lba_t block, bool on);
void fault_medium_write_error(struct fault_medium *medium, mmc_packet_t packet, bool on);
void fault_medium_wear_limit(struct fault_medium *medium, uint32_t writes);

void fault_medium_stats(struct fault_medium *medium, struct fault_stats *stats);
uint32_t fault_medium_wear(struct fault_medium *medium, mmc_packet_t packet);
bool fault_medium_torn(struct fault_medium *medium, mmc_packet_t packet);

/* The power fails at this write (see above); 0: it does not. Gone with the cut. */
void fault_medium_cut_at(struct fault_medium *medium, uint64_t write, uint64_t seed);
/* The power fails now. The packet of the last write is the one that seeds 0 and 1 tear. */
void fault_medium_cut_now(struct fault_medium *medium, uint64_t seed);
/* Whether the device that is open, or was open last, died of a cut. */
bool fault_medium_was_cut(struct fault_medium *medium);

/*
 * Begins a record (an old one is dropped; a cut ends it). -EBUSY while something unsynced is in a device.
 * Holds every write in memory. fault_medium_recorded returns the number of writes in it, and
 * fault_medium_record_get the index-th (from 0); the number of that write is the writes count at the
 * beginning of the record + index + 1. -ENOENT beyond the end.
 */
int fault_medium_record(struct fault_medium *medium);
size_t fault_medium_recorded(struct fault_medium *medium);
int fault_medium_record_get(struct fault_medium *medium, size_t index, struct fault_write *write);

/*
 * Makes the medium as a cut at write n would have left it; n from the beginning of the record to one past its
 * end (then all that was synced is there). Faults set by hand during the recording are not part of the
 * record: what was there at its beginning counts, and the moves of block_failure_move count as writes. 0,
 * -EINVAL, -ENOMEM.
 */
int fault_medium_cut_copy(struct fault_medium *medium, uint64_t write, uint64_t seed,
                          struct fault_medium **copy);

/*
 * Switches a drive on with the medium in it; one at a time (-EBUSY). Everything that block.h promises holds.
 * block_close leaves the medium as it is then. 0 or -errno.
 */
int block_fault_open(struct fault_medium *medium, bool read_only, struct block_device **dev);

#endif
