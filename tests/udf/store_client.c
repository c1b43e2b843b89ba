/* SPDX-License-Identifier: MIT */
/* The client of the store: transactions over cells, and what the medium then says of them. */
#include "tests/udf/store_client.h"

#include <errno.h>
#include <stdio.h>

#include "mmc/bytes.h"
#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "udf/space_part.h"

#define STATES_MAX      4096u
#define CELLS_PER_ROOT  (CLIENT_CELLS / CLIENT_ROOTS)
#define CELL_BLOCKS_MAX 70u
#define ROOT_MAGIC      UINT64_C(0x746F6F7220657268)

static void message(void *ctx, enum udf_level level, const char *text)
{
    (void)ctx;
    (void)level;
    if (getenv("PACKETFS_TEST_TALK"))
        fprintf(stderr, "volume: %s\n", text);
}

int client_volume_open(struct fault_medium *medium, bool read_only, struct block_device **dev,
                       struct udf_volume **vol)
{
    const struct udf_open_options options = {.read_only = read_only, .message = message};
    int err = block_fault_open(medium, false, dev);
    if (err)
        return err;
    err = udf_volume_open(*dev, &options, vol);
    if (err)
        block_close(*dev);
    return err;
}

void client_volume_close(struct block_device *dev, struct udf_volume *vol)
{
    assert_int_equal(udf_volume_close(vol), 0);
    assert_int_equal(block_close(dev), 0);
}

void client_fill(uint32_t cell, uint32_t version, uint32_t index, uint8_t block[UDF_BLOCK_BYTES])
{
    uint64_t word =
        ((uint64_t)cell << 40 ^ (uint64_t)version << 8 ^ index) * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (uint32_t i = 0; i < UDF_BLOCK_BYTES; i += 8, word += UINT64_C(0x0101010101010107))
        mmc_le64_put(block + i, word);
}

static mmc_lba_t place(struct udf_volume *vol, uint32_t block)
{
    mmc_lba_t lba;
    assert_int_equal(udf_volume_map(vol, (struct udf_address){block, vol->part}, 1, &lba, NULL), 0);
    return lba;
}

static void root_write(struct client *client, uint32_t root)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    mmc_le64_put(block, ROOT_MAGIC);
    mmc_le64_put(block + 8, client->now.root_transaction[root]);
    for (uint32_t i = 0; i < CELLS_PER_ROOT; i++) {
        const struct client_cell *cell = &client->now.cells[root * CELLS_PER_ROOT + i];
        mmc_le32_put(block + 16 + 12 * i, cell->first);
        mmc_le32_put(block + 20 + 12 * i, cell->count);
        mmc_le32_put(block + 24 + 12 * i, cell->version);
    }
    mmc_lba_t lba = place(client->vol, client->roots[root].n);
    assert_int_equal(udf_store_write(client->vol, lba, 1, block, UDF_WRITE_META), 0);
}

/* The first root is always written, since it says which transaction was the last. */
static void roots_write(struct client *client, uint32_t changed)
{
    client->transaction++;
    assert_true(client->transaction < STATES_MAX);
    for (uint32_t root = 0; root < CLIENT_ROOTS; root++) {
        if (root && !(changed >> root & 1))
            continue;
        client->now.root_transaction[root] = client->transaction;
        root_write(client, root);
    }
    client->states[client->transaction] = client->now;
}

void client_start(struct client *client, const struct test_volume_spec *spec, uint64_t seed)
{
    uint32_t got;
    memset(client, 0, sizeof *client);
    client->random = seed * 2 + 1;
    client->states = calloc(STATES_MAX, sizeof *client->states);
    assert_non_null(client->states);
    assert_int_equal(test_volume_make(spec, &client->medium), 0);
    assert_int_equal(client_volume_open(client->medium, false, &client->dev, &client->vol), 0);
    assert_false(client->vol->read_only);
    assert_int_equal(udf_tx_begin(client->vol, 16), 0);
    for (uint32_t root = 0; root < CLIENT_ROOTS; root++) {
        /* Far apart, each in a packet with other things. */
        udf_block_t goal = {200 + root * 320};
        assert_int_equal(udf_space_alloc(client->vol, UDF_ALLOC_DATA, goal, 1, &client->roots[root], &got),
                         0);
    }
    roots_write(client, ~0u);
    udf_tx_end(client->vol);
    client->base_used = client->vol->partitions[client->vol->part].pd.blocks - udf_space_count(client->vol);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
}

void client_end(struct client *client)
{
    client_volume_close(client->dev, client->vol);
    fault_medium_free(client->medium);
    free(client->states);
}

void client_reopen(struct client *client)
{
    client_volume_close(client->dev, client->vol);
    assert_int_equal(client_volume_open(client->medium, false, &client->dev, &client->vol), 0);
}

static void cell_write(struct client *client, uint32_t number, enum udf_write_kind kind)
{
    const struct client_cell *cell = &client->now.cells[number];
    uint8_t *bytes = malloc((size_t)cell->count * UDF_BLOCK_BYTES);
    assert_non_null(bytes);
    for (uint32_t i = 0; i < cell->count; i++)
        client_fill(number, cell->version, i, bytes + (size_t)i * UDF_BLOCK_BYTES);
    for (uint32_t done = 0, run; done < cell->count; done += run) {
        struct udf_address at = {cell->first + done, client->vol->part};
        mmc_lba_t lba;
        assert_int_equal(udf_volume_map(client->vol, at, cell->count - done, &lba, &run), 0);
        int err = udf_store_write(client->vol, lba, run, bytes + (size_t)done * UDF_BLOCK_BYTES, kind);
        assert_int_equal(err, 0);
    }
    free(bytes);
}

static void cell_free(struct client *client, uint32_t number)
{
    struct client_cell *cell = &client->now.cells[number];
    if (cell->count)
        assert_int_equal(udf_space_free(client->vol, (udf_block_t){cell->first}, cell->count), 0);
    cell->count = 0;
}

/* Some blocks, of a class that fits them. False when there is no room just now. */
static bool cell_allocate(struct client *client, uint32_t number, uint32_t want)
{
    struct client_cell *cell = &client->now.cells[number];
    enum udf_alloc_class class =
        want > 1 ? UDF_ALLOC_DATA : (enum udf_alloc_class)(random_next(&client->random) % 3);
    udf_block_t first;
    uint32_t got;
    int err = udf_space_alloc(client->vol, class, UDF_NO_GOAL, want, &first, &got);
    if (err) {
        assert_true(err == -ENOSPC || err == -EAGAIN);
        return false;
    }
    *cell = (struct client_cell){first.n, got, cell->version + 1};
    return true;
}

/* One or more blocks behind the cell's, if they are free. */
static void cell_grow(struct client *client, uint32_t number)
{
    struct client_cell *cell = &client->now.cells[number];
    udf_block_t goal = {cell->first + cell->count}, first;
    uint32_t got, want = 1 + (uint32_t)(random_next(&client->random) % 6);
    if (udf_space_alloc(client->vol, UDF_ALLOC_DATA, goal, want, &first, &got))
        return;
    if (first.n == goal.n)
        cell->count += got;
    else
        assert_int_equal(udf_space_free(client->vol, first, got), 0);
}

static void cell_change(struct client *client, uint32_t number)
{
    struct client_cell *cell = &client->now.cells[number];
    uint64_t dice = random_next(&client->random) >> 8;
    enum udf_write_kind kind = dice & 1 ? UDF_WRITE_DATA : UDF_WRITE_META;
    uint32_t want =
        dice >> 1 & 3 ? 1 + (uint32_t)(dice >> 8) % 4 : 1 + (uint32_t)(dice >> 8) % CELL_BLOCKS_MAX;
    switch (cell->count ? (dice >> 4) % 4 : 0) {
    case 0: /* new, or somewhere else */
        cell_free(client, number);
        if (!cell_allocate(client, number, want))
            return;
        break;
    case 1:
        cell_free(client, number);
        return;
    case 2:
        if (cell->count < CELL_BLOCKS_MAX - 8)
            cell_grow(client, number);
        cell->version++;
        break;
    default:
        cell->version++;
        break;
    }
    cell_write(client, number, kind);
}

void client_change(struct client *client)
{
    uint32_t changed = 0, changes = 1 + (uint32_t)(random_next(&client->random) % 3);
    assert_int_equal(udf_tx_begin(client->vol, changes * CELL_BLOCKS_MAX + CLIENT_ROOTS), 0);
    for (uint32_t i = 0; i < changes; i++) {
        uint32_t number = (uint32_t)(random_next(&client->random) >> 8) % CLIENT_CELLS;
        cell_change(client, number);
        changed |= 1u << number / CELLS_PER_ROOT;
    }
    udf_count_files(client->vol, 1, 0);
    roots_write(client, changed);
    udf_tx_end(client->vol);
}

void client_create(struct client *client, uint32_t number, uint32_t want, udf_block_t goal,
                   enum udf_write_kind kind)
{
    struct client_cell *cell = &client->now.cells[number];
    udf_block_t first;
    uint32_t got;
    assert_int_equal(udf_tx_begin(client->vol, want + CLIENT_ROOTS), 0);
    cell_free(client, number);
    assert_int_equal(udf_space_alloc(client->vol, UDF_ALLOC_DATA, goal, want, &first, &got), 0);
    *cell = (struct client_cell){first.n, got, cell->version + 1};
    cell_write(client, number, kind);
    roots_write(client, 1u << number / CELLS_PER_ROOT);
    udf_tx_end(client->vol);
}

void client_rewrite(struct client *client, uint32_t number, enum udf_write_kind kind)
{
    assert_int_equal(udf_tx_begin(client->vol, client->now.cells[number].count + CLIENT_ROOTS), 0);
    client->now.cells[number].version++;
    cell_write(client, number, kind);
    roots_write(client, 1u << number / CELLS_PER_ROOT);
    udf_tx_end(client->vol);
}

void client_delete(struct client *client, uint32_t number)
{
    assert_int_equal(udf_tx_begin(client->vol, CLIENT_ROOTS), 0);
    cell_free(client, number);
    roots_write(client, 1u << number / CELLS_PER_ROOT);
    udf_tx_end(client->vol);
}

static void root_read(const struct client *client, struct udf_volume *vol, uint32_t root,
                      struct client_state *state, const char *where)
{
    uint8_t block[UDF_BLOCK_BYTES];
    if (udf_store_read(vol, place(vol, client->roots[root].n), 1, block))
        fail_msg("%s: root %u cannot be read", where, root);
    if (mmc_le64_get(block) != ROOT_MAGIC)
        fail_msg("%s: root %u is no root", where, root);
    state->root_transaction[root] = mmc_le64_get(block + 8);
    for (uint32_t i = 0; i < CELLS_PER_ROOT; i++) {
        state->cells[root * CELLS_PER_ROOT + i] =
            (struct client_cell){mmc_le32_get(block + 16 + 12 * i), mmc_le32_get(block + 20 + 12 * i),
                                 mmc_le32_get(block + 24 + 12 * i)};
    }
}

static void cell_verify(struct udf_volume *vol, uint32_t number, const struct client_cell *cell,
                        const char *where)
{
    for (uint32_t i = 0; i < cell->count; i++) {
        uint8_t expected[UDF_BLOCK_BYTES], block[UDF_BLOCK_BYTES];
        mmc_lba_t lba = place(vol, cell->first + i);
        client_fill(number, cell->version, i, expected);
        if (udf_store_read(vol, lba, 1, block))
            fail_msg("%s: cell %u version %u: block %u at %d cannot be read", where, number, cell->version, i,
                     lba.n);
        if (memcmp(block, expected, sizeof block))
            fail_msg("%s: cell %u version %u: block %u at %d is wrong", where, number, cell->version, i,
                     lba.n);
        if (vol->space && !space_used(vol->space, cell->first + i))
            fail_msg("%s: cell %u: block %u at %d is free", where, number, i, lba.n);
    }
}

uint64_t client_verify(const struct client *client, struct udf_volume *vol, uint64_t oldest,
                       const char *where)
{
    struct client_state state;
    uint32_t used = client->base_used;
    memset(&state, 0, sizeof state);
    for (uint32_t root = 0; root < CLIENT_ROOTS; root++)
        root_read(client, vol, root, &state, where);
    uint64_t transaction = state.root_transaction[0];
    if (transaction < oldest || transaction > client->transaction)
        fail_msg("%s: transaction %llu, not %llu to %llu", where, (unsigned long long)transaction,
                 (unsigned long long)oldest, (unsigned long long)client->transaction);
    if (memcmp(&state, &client->states[transaction], sizeof state))
        fail_msg("%s: the roots are not those of transaction %llu", where, (unsigned long long)transaction);
    for (uint32_t i = 0; i < CLIENT_CELLS; i++) {
        cell_verify(vol, i, &state.cells[i], where);
        used += state.cells[i].count;
    }
    if (vol->space && udf_space_count(vol) != vol->partitions[vol->part].pd.blocks - used)
        fail_msg("%s: %u blocks free, not %u", where, udf_space_count(vol),
                 vol->partitions[vol->part].pd.blocks - used);
    return transaction;
}

void client_verify_weak(const struct client *client, struct fault_medium *medium, struct udf_volume *vol,
                        uint64_t oldest, const char *where)
{
    struct client_state state;
    memset(&state, 0, sizeof state);
    for (uint32_t root = 0; root < CLIENT_ROOTS; root++) {
        mmc_lba_t lba = place(vol, client->roots[root].n);
        if (fault_medium_torn(medium, mmc_packet_of(lba, vol->dev->geometry.packet_blocks)))
            continue;
        root_read(client, vol, root, &state, where);
        uint64_t newest = state.root_transaction[root], last = newest;
        if (newest > client->transaction || client->states[newest].root_transaction[root] != newest)
            fail_msg("%s: root %u is of no transaction", where, root);
        while (last < client->transaction && client->states[last + 1].root_transaction[root] == newest)
            last++;
        if (last < oldest)
            fail_msg("%s: root %u is older than transaction %llu", where, root, (unsigned long long)oldest);
        for (uint32_t i = root * CELLS_PER_ROOT; i < (root + 1) * CELLS_PER_ROOT; i++) {
            if (memcmp(&state.cells[i], &client->states[newest].cells[i], sizeof state.cells[i]))
                fail_msg("%s: root %u is not that of its transaction", where, root);
            cell_verify(vol, i, &state.cells[i], where);
        }
    }
}

void client_recover(struct client *client, uint64_t oldest)
{
    assert_int_equal(client_volume_open(client->medium, false, &client->dev, &client->vol), 0);
    client->transaction = client_verify(client, client->vol, oldest, "after the cut");
    client->now = client->states[client->transaction];
}

void client_crash(struct client *client, uint64_t cut_seed, uint64_t oldest)
{
    fault_medium_cut_now(client->medium, cut_seed);
    (void)udf_volume_close(client->vol);
    (void)block_close(client->dev);
    client_recover(client, oldest);
}
