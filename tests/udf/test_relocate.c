/* SPDX-License-Identifier: MIT */
/* Packets that cannot be written: files keep their contents, both sparing tables say where, and what has no
 * spare is said and ends all changes. */
#include <errno.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/store_client.h"
#include "udf/journal.h"

static const struct test_volume_spec spec = {.options = "-m cdrw -r 2.01",
                                             .blocks = 8192,
                                             .packet_blocks = 32,
                                             .spares = 3,
                                             .log_packets = 16,
                                             .images_packets = 8};

static int start(void **state)
{
    static struct client client;
    client_start(&client, &spec, 5);
    *state = &client;
    return 0;
}

static int end(void **state)
{
    client_end(*state);
    return 0;
}

static mmc_packet_t cell_packet(const struct client *client, uint32_t cell)
{
    struct udf_address at = {client->now.cells[cell].first, client->vol->part};
    mmc_lba_t lba;
    assert_int_equal(udf_volume_map(client->vol, at, 1, &lba, NULL), 0);
    return mmc_packet_of(lba, 32);
}

static void table_get(const struct client *client, unsigned copy, struct udf_sparing_table *table)
{
    const struct udf_map *map = &client->vol->partitions[client->vol->part].map;
    uint8_t block[UDF_BLOCK_BYTES];
    assert_in_range(copy, 0, map->table_count - 1);
    assert_int_equal(fault_medium_peek(client->medium, map->tables[copy], 1, block), 0);
    assert_int_equal(udf_sparing_decode(block, sizeof block, map->tables[copy], table), 0);
}

/* Both tables are the same and in order; returns how many entries are in use, and how many bad. */
static unsigned tables_check(const struct client *client, unsigned *bad, uint32_t *sequence)
{
    struct udf_sparing_table first, second;
    unsigned used = 0;
    *bad = 0;
    table_get(client, 0, &first);
    table_get(client, 1, &second);
    assert_int_equal(first.sequence, second.sequence);
    assert_int_equal(first.count, spec.spares);
    assert_int_equal(second.count, spec.spares);
    for (unsigned i = 0; i < first.count; i++) {
        assert_int_equal(first.spares[i].original, second.spares[i].original);
        assert_int_equal(first.spares[i].mapped.n, second.spares[i].mapped.n);
        assert_int_equal(first.spares[i].mapped.n % 32, 0);
        if (i)
            assert_true(first.spares[i].original >= first.spares[i - 1].original);
        used += first.spares[i].original < UDF_SPARE_BAD;
        *bad += first.spares[i].original == UDF_SPARE_BAD;
    }
    *sequence = first.sequence;
    free(first.spares);
    free(second.spares);
    return used;
}

static void test_new_data(void **state)
{
    struct client *client = *state;
    unsigned bad;
    uint32_t before, after;
    assert_int_equal(tables_check(client, &bad, &before), 0);
    /* Where a stream of data will come to lie is known once one is there: its end. */
    client_create(client, 1, 64, UDF_NO_GOAL, UDF_WRITE_DATA);
    mmc_packet_t packet = cell_packet(client, 1);
    fault_medium_write_error(client->medium, packet, true);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    assert_int_equal(tables_check(client, &bad, &after), 1);
    assert_int_equal(bad, 0);
    assert_true(after > before);
    assert_true(fault_medium_torn(client->medium, packet));
    client_verify(client, client->vol, client->transaction, "before closing");
    client_rewrite(client, 1, UDF_WRITE_META);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    client_reopen(client);
    client_verify(client, client->vol, client->transaction, "opened again");
    struct udf_partition *partition = &client->vol->partitions[client->vol->part];
    assert_int_equal(partition->spare_count, 1);
    assert_int_equal(partition->spares[0].original, client->now.cells[1].first / 32 * 32);
    client_rewrite(client, 1, UDF_WRITE_META);
    client_reopen(client);
    client_verify(client, client->vol, client->transaction, "and again");
}

/* A packet of metadata fails when the checkpoint brings it home. */
static void test_live_packet(void **state)
{
    struct client *client = *state;
    unsigned bad;
    uint32_t sequence;
    for (uint32_t i = 0; i < 10; i++)
        client_create(client, i, 2, UDF_NO_GOAL, UDF_WRITE_META);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    fault_medium_write_error(client->medium, cell_packet(client, 4), true);
    client_rewrite(client, 4, UDF_WRITE_META);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    assert_int_equal(tables_check(client, &bad, &sequence), 1);
    client_verify(client, client->vol, client->transaction, "moved");
    client_rewrite(client, 5, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    /* The log names the old place, the table the new one. */
    client_crash(client, 0, client->transaction);
    client_verify(client, client->vol, client->transaction, "replayed");
    client_reopen(client);
    client_verify(client, client->vol, client->transaction, "opened again");
}

/* The spare itself fails, later or at once, and is never used again. */
static void test_bad_spare(void **state)
{
    struct client *client = *state;
    struct udf_sparing_table table;
    unsigned bad;
    uint32_t sequence;
    table_get(client, 0, &table);
    mmc_packet_t first = mmc_packet_of(table.spares[0].mapped, 32),
                 second = mmc_packet_of(table.spares[1].mapped, 32);
    free(table.spares);
    fault_medium_write_error(client->medium, first, true);
    client_create(client, 1, 40, UDF_NO_GOAL, UDF_WRITE_DATA);
    fault_medium_write_error(client->medium, cell_packet(client, 1), true);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    assert_int_equal(tables_check(client, &bad, &sequence), 1);
    assert_int_equal(bad, 1);
    client_verify(client, client->vol, client->transaction, "in the second spare");
    client_reopen(client);
    client_verify(client, client->vol, client->transaction, "opened again");

    fault_medium_write_error(client->medium, second, true);
    client_rewrite(client, 1, UDF_WRITE_META);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    assert_int_equal(tables_check(client, &bad, &sequence), 1);
    assert_int_equal(bad, 2);
    client_verify(client, client->vol, client->transaction, "in the third spare");
    client_reopen(client);
    client_verify(client, client->vol, client->transaction, "opened again");
}

/* A power cut tore one table: the first change mends it. */
static void test_torn_table(void **state)
{
    struct client *client = *state;
    const struct udf_map map = client->vol->partitions[client->vol->part].map;
    unsigned bad;
    uint32_t sequence;
    client_create(client, 1, 40, UDF_NO_GOAL, UDF_WRITE_DATA);
    fault_medium_write_error(client->medium, cell_packet(client, 1), true);
    for (unsigned copy = 0; copy < 2; copy++) {
        client_reopen(client);
        fault_medium_tear(client->medium, mmc_packet_of(map.tables[copy], 32));
        client_rewrite(client, 1, UDF_WRITE_META);
        assert_int_equal(udf_tx_commit(client->vol), 0);
        assert_int_equal(tables_check(client, &bad, &sequence), 1);
        client_verify(client, client->vol, client->transaction, "mended");
    }
}

static void test_no_spare_left(void **state)
{
    struct client *client = *state;
    uint32_t cell = 0;
    for (; cell < spec.spares; cell++) {
        client_create(client, cell, 32, UDF_NO_GOAL, UDF_WRITE_DATA);
        fault_medium_write_error(client->medium, cell_packet(client, cell), true);
        assert_int_equal(udf_tx_commit(client->vol), 0);
    }
    client_rewrite(client, 0, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    uint64_t durable = client->transaction;
    client_create(client, cell, 32, UDF_NO_GOAL, UDF_WRITE_DATA);
    fault_medium_write_error(client->medium, cell_packet(client, cell), true);
    assert_int_equal(udf_tx_commit(client->vol), -EIO);
    assert_true(client->vol->failed);
    assert_int_equal(udf_tx_begin(client->vol, 1), -EROFS);
    assert_int_equal(udf_volume_close(client->vol), -EIO);
    (void)block_close(client->dev);
    client_recover(client, durable);
    assert_int_equal(client->transaction, durable);
}

/* Packets of the journal fail: others there take over. */
static void test_journal_packets(void **state)
{
    struct client *client = *state;
    const struct udf_journal *journal = client->vol->store->journal;
    for (uint32_t i = 0; i < 4; i++) {
        mmc_lba_t slot = journal_slot_place(journal, (journal->next_slot + i % 2) % journal->log_packets);
        fault_medium_write_error(client->medium, mmc_packet_of(slot, 32), true);
        client_create(client, i, 3, UDF_NO_GOAL, UDF_WRITE_META);
        assert_int_equal(udf_tx_commit(client->vol), 0);
        mmc_lba_t image = mmc_lba_add(journal->images, (int64_t)(1 + i) * 32);
        fault_medium_write_error(client->medium, mmc_packet_of(image, 32), true);
        if (i % 2)
            assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    }
    client_rewrite(client, 2, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    client_crash(client, 0, client->transaction);
    client_verify(client, client->vol, client->transaction, "replayed");
}

/* The only header of the images area fails: no checkpoint is possible, and the
 * log keeps what was committed. */
static void test_images_header(void **state)
{
    struct client *client = *state;
    client_create(client, 1, 3, UDF_NO_GOAL, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    uint64_t durable = client->transaction;
    mmc_packet_t header = mmc_packet_of(client->vol->store->journal->images, 32);
    fault_medium_write_error(client->medium, header, true);
    assert_int_equal(udf_tx_checkpoint(client->vol), -EIO);
    assert_true(client->vol->failed);
    (void)udf_volume_close(client->vol);
    (void)block_close(client->dev);
    fault_medium_write_error(client->medium, header, false);
    client_recover(client, durable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_data, start, end),
        cmocka_unit_test_setup_teardown(test_live_packet, start, end),
        cmocka_unit_test_setup_teardown(test_bad_spare, start, end),
        cmocka_unit_test_setup_teardown(test_torn_table, start, end),
        cmocka_unit_test_setup_teardown(test_no_spare_left, start, end),
        cmocka_unit_test_setup_teardown(test_journal_packets, start, end),
        cmocka_unit_test_setup_teardown(test_images_header, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
