/* SPDX-License-Identifier: MIT */
/*
 * Inside the store: what store.c, tx.c, commit.c, checkpoint.c, recover.c, inplace.c, relocate.c and the
 * journal (journal.h) share.
 *
 * Packets here are of store.packet_blocks blocks: the device's packet or, on a sparable volume that was
 * copied to a medium of smaller ones, the volume's.
 */
#ifndef UDF_STORE_PART_H
#define UDF_STORE_PART_H

#include <pthread.h>
#include <stdatomic.h>

#include "udf/space.h"
#include "udf/store.h"

#define STORE_PACKET_BLOCKS_MAX 32u
#define STORE_TABLE_SIZE        4096u

/* What is in memory of one block. A read sees held, or else logged, or else the device. */
struct store_block {
    uint8_t *held;   /* changed since the last commit; NULL: not */
    uint8_t *logged; /* as the newest record of the log has it, and not home yet; NULL: not in the log */
};

/* A packet of which something is in memory. */
struct store_packet {
    struct store_packet *next; /* in its row of the table */
    uint32_t number;
    uint32_t held_count, logged_count;
    bool direct; /* with held_count: nothing in it is live or in the log, so it may be written in place */
    struct store_block blocks[];
};

/* A packet that failed and was moved, for as long as the volume is open: the map still says from. */
struct store_move {
    uint32_t from, to; /* packets */
};

struct udf_journal;

struct udf_store {
    struct udf_volume *vol;
    uint32_t packet_blocks, packets;
    struct udf_journal *journal; /* NULL: the volume has none, and inplace.c commits */

    pthread_mutex_t lock; /* the table, and the counts down to small_data */
    struct store_packet *table[STORE_TABLE_SIZE];
    uint32_t held_direct, held_journal; /* held blocks, by where they will go */
    uint32_t small_data;                /* blocks of small DATA writes held back since the last commit */

    /* Packets in the log's current epoch, a bit each. Changed only by commit and checkpoint. */
    uint8_t *in_log;
    uint32_t in_log_count;

    pthread_mutex_t fresh_lock; /* started; held across the first write to a fresh packet */
    uint8_t *started;           /* direct packets that were written to since the last commit, a bit each */
    atomic_uint_fast64_t written, synced; /* writes that the device took, and how many of them are durable */

    /* transactions */
    pthread_key_t reserved_key; /* a thread's own part of reserved */
    uint32_t reserved;          /* blocks that the running transactions may still write; under lock */
    bool journal_known;         /* the log was read, so that it can be written to */
    bool recovered;             /* the journal was replayed when the volume was opened */
    bool integrity_open; /* the LVID on the medium says so; set with the transaction lock held exclusively */
    pthread_mutex_t count_lock; /* vol->lvid's counters */
    bool counters_changed;

    pthread_rwlock_t move_lock;
    struct store_move *moves;
    unsigned move_count;
};

static inline bool store_unsynced(const struct udf_store *store)
{
    return atomic_load(&store->written) != atomic_load(&store->synced);
}

static inline bool store_bit(const uint8_t *bits, uint32_t n)
{
    return bits[n / 8] >> n % 8 & 1;
}

static inline void store_bit_set(uint8_t *bits, uint32_t n)
{
    bits[n / 8] |= (uint8_t)(1u << n % 8);
}

/* ---- store.c ---- */

/* The packet's first block. */
static inline mmc_lba_t store_packet_place(const struct udf_store *store, uint32_t packet)
{
    return mmc_lba((int64_t)packet * store->packet_blocks);
}

/* May the packet be written in place before the commit? Constant while a transaction runs. */
bool store_packet_direct(const struct udf_store *store, uint32_t packet);
/* Are all live blocks of the packet in the log, so that more of its blocks there cost no image? */
bool store_packet_whole(struct udf_store *store, uint32_t packet);

struct store_packet *store_packet_find(struct udf_store *store, uint32_t packet); /* lock held */
/* Puts a block into memory as logged; for the replay. */
int store_logged_put(struct udf_store *store, mmc_lba_t lba, const uint8_t *bytes, bool replace);

/* Blocks to be written, in the order of their places. The bytes stay the store's. */
struct store_item {
    mmc_lba_t lba;
    const uint8_t *bytes;
};
enum store_held {
    STORE_HELD_DIRECT = 1,
    STORE_HELD_JOURNAL = 2,
    STORE_HELD_ALL = 3,
};
/* All held blocks of a kind. The caller frees *items. */
int store_held_list(struct udf_store *store, enum store_held kind, struct store_item **items,
                    uint32_t *count);
/* After these were written in place: they are in memory no longer. */
void store_held_drop(struct udf_store *store, const struct store_item *items, uint32_t count);
/* After these became part of the log: held turns into logged. */
void store_held_logged(struct udf_store *store, const struct store_item *items, uint32_t count);
/* Packets with logged blocks, ascending. The caller frees *packets. */
int store_logged_list(struct udf_store *store, uint32_t **packets, uint32_t *count);
/* The epoch is home: nothing is logged any longer. */
void store_logged_drop(struct udf_store *store);
/* Ends the transaction as far as the store knows of it: no packet was written to since the commit. */
void store_transaction_end(struct udf_store *store);
/* Writes the items in place, whole runs at a time. */
int store_items_write(struct udf_store *store, const struct store_item *items, uint32_t count);

/* ---- device.c ---- */

/* The device with moved packets where they are now. flags as block_write. */
int store_device_read(struct udf_store *store, mmc_lba_t first, uint32_t count, void *buf);
int store_device_write(struct udf_store *store, mmc_lba_t first, uint32_t count, const void *buf,
                       unsigned flags);

/* block_sync, and what was written before it counts as durable when it succeeds. */
int store_device_sync(struct udf_store *store);

/* ---- recover.c ---- */

/* Replays the journal (udf_store_open). */
int store_recover(struct udf_store *store, bool *recovered);
/* Finds out where the log of a volume that was closed goes on. */
int store_journal_prepare(struct udf_store *store);

/* ---- relocate.c ---- */

/* block_sync, while changes go on. What could not be written is left to store_sync. */
void store_drain(struct udf_store *store);
/* block_sync; packets that could not be written are moved to spares. The transaction lock is held
 * exclusively, or nothing else runs yet. */
int store_sync(struct udf_store *store);
/* Makes the copies of the sparing table the same again, where a power cut came between them. */
void store_tables_mend(struct udf_store *store);

/* ---- tx.c ---- */

/* Whether the log has room for the biggest transaction. */
bool store_room_enough(struct udf_store *store);
/* Commits, brings everything home, and only then says in the integrity descriptor that the volume is closed,
 * if this one opened it. */
int store_integrity_close(struct udf_store *store);
void store_counts(struct udf_store *store, uint32_t *files, uint32_t *directories);

/* ---- commit.c, checkpoint.c, inplace.c: with the transaction lock held exclusively ---- */

int store_commit(struct udf_store *store);
/* Brings home all that is logged, and ends the epoch. */
int store_checkpoint(struct udf_store *store);
int store_commit_in_place(struct udf_store *store);
/* The integrity descriptor as it stands, into the store. */
int store_lvid_put(struct udf_store *store);
/* The volume takes no more changes; says why. Returns err. */
int store_fail(struct udf_store *store, int err, const char *what);

#endif
