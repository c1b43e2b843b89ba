/* SPDX-License-Identifier: MIT */
/* Power cuts in situations that a random workload seldom gets into. */
#include "tests/udf/cmocka_all.h"
#include "tests/udf/store_cut.h"
#include "udf/journal.h"

static const struct test_volume_spec spec_small = {.options = "-m cdrw -r 2.01",
                                                   .blocks = 4096,
                                                   .packet_blocks = 32,
                                                   .spares = 4,
                                                   .log_packets = 12,
                                                   .images_packets = 4};

static void commit(struct segment *segment, struct client *client)
{
    assert_int_equal(udf_tx_commit(client->vol), 0);
    segment_note(segment, client);
}

static void checkpoint(struct segment *segment, struct client *client)
{
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    segment_note(segment, client);
}

/* Cells in packets of their own, each with a neighbour that keeps the packet from being whole in the log. */
static void cells_spread(struct client *client, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        client_create(client, i, 32, UDF_NO_GOAL, UDF_WRITE_DATA);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t first = client->now.cells[i].first;
        client_delete(client, i);
        assert_int_equal(udf_tx_commit(client->vol), 0);
        client_create(client, i, 1, (udf_block_t){first + 5}, UDF_WRITE_META);
        client_create(client, 60 + i, 1, (udf_block_t){first + 9}, UDF_WRITE_META);
    }
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
}

/* More packets with images than the images area holds at once. */
static void test_many_batches(void **state)
{
    struct client client;
    struct segment segment;
    (void)state;
    client_start(&client, &spec_small, 1);
    cells_spread(&client, 12);
    segment_begin(&segment, &client);
    for (uint32_t i = 0; i < 12; i++)
        client_rewrite(&client, i, UDF_WRITE_META);
    commit(&segment, &client);
    checkpoint(&segment, &client);
    segment_cuts(&segment, &client);
    client_end(&client);
}

/* An epoch that takes most of the ring, and then a record so big that it would overwrite it. */
static void test_big_record_after_long_epoch(void **state)
{
    struct client client;
    struct segment segment;
    (void)state;
    client_start(&client, &spec_small, 2);
    client_create(&client, 0, 96, UDF_NO_GOAL, UDF_WRITE_DATA);
    client_create(&client, 1, 96, UDF_NO_GOAL, UDF_WRITE_DATA);
    cells_spread(&client, 2);
    client_create(&client, 3, 96, UDF_NO_GOAL, UDF_WRITE_DATA);
    client_create(&client, 4, 96, UDF_NO_GOAL, UDF_WRITE_DATA);
    assert_int_equal(udf_tx_checkpoint(client.vol), 0);
    segment_begin(&segment, &client);
    for (uint32_t i = 0; i < 6; i++) {
        client_rewrite(&client, i % 2, UDF_WRITE_META);
        commit(&segment, &client);
    }
    const struct udf_journal *journal = client.vol->store->journal;
    assert_int_equal(journal->record, 6);
    checkpoint(&segment, &client);
    uint64_t epoch = journal->epoch;
    client_rewrite(&client, 3, UDF_WRITE_META);
    client_rewrite(&client, 4, UDF_WRITE_META);
    commit(&segment, &client);
    /* The empty record that keeps the epoch before from being overwritten, and the big one. */
    assert_int_equal(journal->epoch, epoch);
    assert_int_equal(journal->record, 2);
    segment_cuts(&segment, &client);
    client_end(&client);
}

/* A packet that the log holds blocks of is emptied and used anew before the log comes home: the replay must
 * not put the old blocks over the new ones. */
static void test_reuse_of_logged_packet(void **state)
{
    struct client client;
    struct segment segment;
    (void)state;
    client_start(&client, &spec_small, 3);
    segment_begin(&segment, &client);
    client_create(&client, 0, 4, UDF_NO_GOAL, UDF_WRITE_META);
    commit(&segment, &client);
    uint32_t first = client.now.cells[0].first;
    client_delete(&client, 0);
    commit(&segment, &client);
    client_create(&client, 1, 30, (udf_block_t){first}, UDF_WRITE_DATA);
    assert_int_equal(client.now.cells[1].first, first);
    commit(&segment, &client);
    client_rewrite(&client, 1, UDF_WRITE_DATA);
    commit(&segment, &client);
    segment_cuts(&segment, &client);
    client_end(&client);
}

/* The first changes after opening, up to the end of closing. */
static void test_open_and_close(void **state)
{
    struct client client;
    struct segment segment;
    (void)state;
    client_start(&client, &spec_small, 4);
    client_create(&client, 0, 3, UDF_NO_GOAL, UDF_WRITE_DATA);
    segment_begin(&segment, &client);
    client_reopen(&client);
    segment_note(&segment, &client);
    client_rewrite(&client, 0, UDF_WRITE_META);
    client_create(&client, 1, 40, UDF_NO_GOAL, UDF_WRITE_DATA);
    commit(&segment, &client);
    client_delete(&client, 0);
    client_reopen(&client);
    segment_note(&segment, &client);
    segment_cuts(&segment, &client);
    client_end(&client);
}

/* A packet that cannot be written moves to a spare, and another one at the checkpoint. */
static void test_move_to_spare(void **state)
{
    struct client client;
    struct segment segment;
    mmc_lba_t lba;
    (void)state;
    client_start(&client, &spec_small, 6);
    client_create(&client, 0, 32, UDF_NO_GOAL, UDF_WRITE_DATA);
    cells_spread(&client, 3);
    struct udf_address live = {client.now.cells[1].first, client.vol->part};
    struct udf_address fresh = {client.now.cells[2].first / 32 * 32 + 32, client.vol->part};
    assert_int_equal(udf_volume_map(client.vol, live, 1, &lba, NULL), 0);
    fault_medium_write_error(client.medium, mmc_packet_of(lba, 32), true);
    assert_int_equal(udf_volume_map(client.vol, fresh, 1, &lba, NULL), 0);
    fault_medium_write_error(client.medium, mmc_packet_of(lba, 32), true);
    segment_begin(&segment, &client);
    client_rewrite(&client, 1, UDF_WRITE_META);
    client_create(&client, 5, 40, (udf_block_t){fresh.block}, UDF_WRITE_DATA);
    assert_int_equal(client.now.cells[5].first, fresh.block);
    commit(&segment, &client);
    checkpoint(&segment, &client);
    assert_int_equal(client.vol->store->move_count, 2);
    segment_cuts(&segment, &client);
    client_end(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_batches),           cmocka_unit_test(test_big_record_after_long_epoch),
        cmocka_unit_test(test_reuse_of_logged_packet), cmocka_unit_test(test_open_and_close),
        cmocka_unit_test(test_move_to_spare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
