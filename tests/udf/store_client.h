/* SPDX-License-Identifier: MIT */
/*
 * A client of the store that is no file system: cells of one extent each, with contents that follow from cell
 * and version, and root blocks that list them. After each transaction it remembers what the roots must say,
 * so that what a power cut left can be held against every transaction there was.
 */
#ifndef TESTS_UDF_STORE_CLIENT_H
#define TESTS_UDF_STORE_CLIENT_H

#include "tests/lib/block_fault.h"
#include "tests/lib/test_volume.h"
#include "udf/space.h"
#include "udf/store.h"

#define CLIENT_CELLS 120u
#define CLIENT_ROOTS 4u

struct client_cell {
    uint32_t first, count, version; /* count 0: no cell */
};

/* What the roots say after a transaction. */
struct client_state {
    uint64_t root_transaction[CLIENT_ROOTS]; /* in which each root was written last */
    struct client_cell cells[CLIENT_CELLS];
};

struct client {
    struct fault_medium *medium;
    struct block_device *dev;
    struct udf_volume *vol;
    uint64_t random;
    udf_block_t roots[CLIENT_ROOTS];
    uint32_t base_used; /* blocks used by others than the cells */
    struct client_state now;
    uint64_t transaction;
    struct client_state *states; /* by transaction */
    bool big;                    /* cells are big, so that the volume is full much of the time */
};

/* Opens a volume on the medium. Its messages are dropped; PACKETFS_TEST_TALK lets them through. */
int client_volume_open(struct fault_medium *medium, bool read_only, struct block_device **dev,
                       struct udf_volume **vol);
void client_volume_close(struct block_device *dev, struct udf_volume *vol);

/* Makes the volume, and the roots on it, committed. */
void client_start(struct client *client, const struct test_volume_spec *spec, uint64_t seed);
/* Closes the volume and frees everything, the medium too. */
void client_end(struct client *client);
/* Closes the volume and opens it again. */
void client_reopen(struct client *client);
/* The power fails now (seeds as of block_fault.h), and the volume is opened again. What is not
 * durable is forgotten: the client goes on from what the volume holds, which must be
 * transaction oldest or a newer one. */
void client_crash(struct client *client, uint64_t cut_seed, uint64_t oldest);
/* Opens the volume again after its device died or was closed, as client_crash does. */
void client_recover(struct client *client, uint64_t oldest);
/* One transaction of a few random changes. */
void client_change(struct client *client);
/* One transaction with one change: a new cell in the place of an old one (at goal, if that is free; as many
 * blocks as could be had), new contents in place, or the end of a cell. */
void client_create(struct client *client, uint32_t cell, uint32_t want, udf_block_t goal,
                   enum udf_write_kind kind);
void client_rewrite(struct client *client, uint32_t cell, enum udf_write_kind kind);
void client_delete(struct client *client, uint32_t cell);
/* The contents of a cell's block. */
void client_fill(uint32_t cell, uint32_t version, uint32_t index, uint8_t block[UDF_BLOCK_BYTES]);

/*
 * Holds an open volume against the states of transactions oldest to client->transaction: the roots must be as
 * after one of these, each cell's contents right, and as many blocks used as it takes. Returns the
 * transaction; a failure fails the test, with where in the message.
 */
uint64_t client_verify(const struct client *client, struct udf_volume *vol, uint64_t oldest,
                       const char *where);

/*
 * The weaker promise of volumes without a journal: each root for itself must be as after one of the
 * transactions, and what it lists must be whole and in use. A root whose packet the cut tore (and nothing
 * else) may be gone.
 */
void client_verify_weak(const struct client *client, struct fault_medium *medium, struct udf_volume *vol,
                        uint64_t oldest, const char *where);

#endif
