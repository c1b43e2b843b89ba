/* SPDX-License-Identifier: MIT */
/* Inside the fault device: what its two parts, the medium and the drive in
 * front of it, know of each other. */
#ifndef TESTS_LIB_FAULT_MEDIUM_H
#define TESTS_LIB_FAULT_MEDIUM_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/lib/block_fault.h"

/* Contents of a packet; never changed once on a medium, so that copies of the medium share it. */
struct fault_packet {
    _Atomic unsigned refs;
    uint8_t bytes[];
};

/* A packet's place on the medium. */
struct fault_cell {
    struct fault_packet *data; /* NULL: zeros */
    uint64_t bad_blocks;       /* unreadable blocks, a bit each */
    uint32_t wear;
    bool torn, write_error;
};

/* A write in the log: one piece of a block_write, within one packet. */
struct fault_entry {
    uint32_t packet, first, count; /* first counts from the packet's beginning */
    unsigned flags;
    uint64_t sync; /* fault_stats.syncs when it came */
    bool done;     /* on the medium for good */
    uint8_t *data;
};

struct block_fault;

struct fault_medium {
    pthread_mutex_t lock;
    uint32_t packets, packet_blocks, wear_limit;
    struct fault_cell *cells;
    struct fault_stats stats;

    /* Writes that are not durable yet and, while recording, all others too. */
    struct fault_entry *log;
    size_t log_count, log_room, log_undone; /* all before log_undone are done */
    struct fault_medium *base;              /* the medium as the record found it; NULL: no record */

    struct block_fault *device;
    uint64_t cut_write, cut_seed;
    bool was_cut;
};

/* All below are called with the lock held. */

/* Blocks of the packet that can be read, as bits. */
uint64_t fault_cell_readable(const struct fault_medium *m, const struct fault_cell *cell);
/* Copies one block of it. */
void fault_cell_block(const struct fault_cell *cell, uint32_t block, uint8_t *to);
/* Burns a whole packet; -EIO when that fails and destroys it. */
int fault_cell_burn(struct fault_medium *m, uint32_t packet, const uint8_t *bytes);

int fault_log_add(struct fault_medium *m, const struct fault_entry *entry, const void *data);
/* The packet's writes are durable; fault_log_trim then drops them all unless a record is kept. */
void fault_log_done(struct fault_medium *m, uint32_t packet);
void fault_log_trim(struct fault_medium *m);
void fault_log_drop(struct fault_medium *m);

/*
 * Lets the medium become what a cut leaves of these writes. replay: entries of earlier syncs are taken to
 * have been synced (syncs: how many there were), otherwise all of them are unsynced. last: the write that
 * seeds 0 and 1 tear, or NULL.
 */
int fault_cut_apply(struct fault_medium *m, struct fault_entry *entries, size_t count, bool replay,
                    uint64_t syncs, const struct fault_entry *last, uint64_t seed);
/* The drive is dead from here on. */
void fault_device_die(struct block_fault *device);

#endif
