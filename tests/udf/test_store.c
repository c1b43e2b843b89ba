/* SPDX-License-Identifier: MIT */
/* What the store writes and what not, and what it believes of a journal that it finds. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "mmc/bytes.h"
#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/store_client.h"
#include "udf/crc32c.h"
#include "udf/journal.h"

static const struct test_volume_spec spec = {.options = "-m cdrw -r 2.01",
                                             .blocks = 8192,
                                             .packet_blocks = 32,
                                             .spares = 8,
                                             .log_packets = 32,
                                             .images_packets = 32};

static int start(void **state)
{
    static struct client client;
    client_start(&client, &spec, 1);
    *state = &client;
    return 0;
}

static int end(void **state)
{
    client_end(*state);
    return 0;
}

static struct fault_stats stats_of(const struct client *client)
{
    struct fault_stats stats;
    fault_medium_stats(client->medium, &stats);
    return stats;
}

static void test_small_sync_is_one_packet(void **state)
{
    struct client *client = *state;
    for (uint32_t i = 0; i < 5; i++) {
        struct fault_stats before = stats_of(client), after;
        client_create(client, i, 3, UDF_NO_GOAL, UDF_WRITE_DATA);
        assert_int_equal(udf_tx_commit(client->vol), 0);
        after = stats_of(client);
        assert_int_equal(after.packets_written - before.packets_written, 1);
        assert_int_equal(after.syncs - before.syncs, 1);
    }
    client_verify(client, client->vol, client->transaction, "in memory");
}

static void test_no_change_no_write(void **state)
{
    struct client *client = *state;
    struct fault_stats before = stats_of(client), after;
    assert_false(udf_tx_dirty(client->vol));
    assert_int_equal(udf_tx_commit(client->vol), 0);
    assert_int_equal(udf_volume_tick(client->vol, true), 0);
    assert_int_equal(udf_tx_begin(client->vol, 10), 0);
    udf_tx_end(client->vol);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    after = stats_of(client);
    assert_int_equal(after.writes, before.writes);
    assert_int_equal(after.syncs, before.syncs);
}

/* A volume that is only looked at is not written to, open and close included. */
static void test_look_writes_nothing(void **state)
{
    struct client *client = *state;
    client_reopen(client);
    struct fault_stats before = stats_of(client), after;
    client_reopen(client);
    after = stats_of(client);
    assert_int_equal(after.writes, before.writes);
}

static void test_bulk_is_written_once(void **state)
{
    struct client *client = *state;
    struct fault_stats before = stats_of(client), after;
    client_create(client, 1, 64, UDF_NO_GOAL, UDF_WRITE_DATA);
    assert_int_equal(client->now.cells[1].count, 64);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    after = stats_of(client);
    assert_in_range(after.packets_written - before.packets_written, 3, 4);
    assert_int_equal(after.packets_completed, before.packets_completed);
    assert_in_range(after.syncs - before.syncs, 2, 3);
}

static void test_changes_coalesce(void **state)
{
    struct client *client = *state;
    client_create(client, 1, 20, UDF_NO_GOAL, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    struct fault_stats before = stats_of(client), after;
    for (unsigned i = 0; i < 200; i++)
        client_rewrite(client, 1, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    after = stats_of(client);
    assert_int_equal(after.packets_written - before.packets_written, 1);
}

/* A live block that cannot be read keeps its packet from being rewritten; the log
 * keeps what would have gone there. */
static void test_unreadable_neighbour(void **state)
{
    struct client *client = *state;
    client_create(client, 1, 32, UDF_NO_GOAL, UDF_WRITE_DATA);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    client_delete(client, 1);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    client_create(client, 2, 2, (udf_block_t){client->states[client->transaction - 1].cells[1].first},
                  UDF_WRITE_META);
    client_create(client, 3, 2, (udf_block_t){client->now.cells[2].first + 6}, UDF_WRITE_META);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    mmc_lba_t at;
    struct udf_address bad = {client->now.cells[3].first + 1, client->vol->part};
    assert_int_equal(udf_volume_map(client->vol, bad, 1, &at, NULL), 0);
    mmc_packet_t packet = mmc_packet_of(at, 32);
    uint32_t wear = fault_medium_wear(client->medium, packet);
    fault_medium_read_error(client->medium, at, true);

    client_rewrite(client, 2, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    assert_int_equal(udf_tx_checkpoint(client->vol), -EIO);
    assert_true(client->vol->failed);
    assert_int_equal(udf_tx_begin(client->vol, 1), -EROFS);
    assert_int_equal(fault_medium_wear(client->medium, packet), wear);

    assert_int_equal(udf_volume_close(client->vol), -EIO);
    assert_int_equal(block_close(client->dev), 0);
    assert_int_equal(client_volume_open(client->medium, false, &client->dev, &client->vol), 0);
    assert_true(client->vol->read_only);
    assert_int_equal(fault_medium_wear(client->medium, packet), wear);
    fault_medium_read_error(client->medium, at, false);
    client_verify(client, client->vol, client->transaction, "from the log");
    client_volume_close(client->dev, client->vol);
    client_recover(client, client->transaction);
    assert_false(client->vol->read_only);
}

/* Another system changed the volume after the power cut: what it wrote counts, and the log is out of date. */
static void test_other_system_wrote(void **state)
{
    struct client *client = *state;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_lvid lvid;
    struct fault_medium *home;
    client_create(client, 1, 4, UDF_NO_GOAL, UDF_WRITE_META);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    uint64_t before = client->transaction;
    client_rewrite(client, 1, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    assert_int_equal(fault_medium_copy(client->medium, &home), 0);
    mmc_lba_t at = client->vol->lvid_at;
    (void)udf_volume_close(client->vol);
    (void)block_close(client->dev);
    fault_medium_free(client->medium);
    client->medium = home;

    assert_int_equal(fault_medium_peek(home, at, 1, block), 0);
    assert_int_equal(udf_lvid_decode(block, &lvid), 0);
    assert_int_equal(lvid.integrity, 0);
    lvid.recorded.sec += 1;
    udf_lvid_encode(block, &lvid);
    assert_int_equal(fault_medium_poke(home, at, 1, block), 0);

    uint64_t newest = client->transaction;
    client->transaction = before;
    client_recover(client, before);
    assert_false(client->vol->read_only);
    assert_int_equal(client->transaction, before);
    assert_true(newest > before);
    client_change(client);
    client_crash(client, 1, before);
}

/* The same when the other system closed the volume. */
static void test_other_system_closed(void **state)
{
    struct client *client = *state;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_lvid lvid;
    client_create(client, 1, 4, UDF_NO_GOAL, UDF_WRITE_META);
    assert_int_equal(udf_tx_checkpoint(client->vol), 0);
    uint64_t before = client->transaction;
    client_rewrite(client, 1, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    mmc_lba_t at = client->vol->lvid_at;
    fault_medium_cut_now(client->medium, 1);
    (void)udf_volume_close(client->vol);
    (void)block_close(client->dev);
    assert_int_equal(fault_medium_peek(client->medium, at, 1, block), 0);
    assert_int_equal(udf_lvid_decode(block, &lvid), 0);
    lvid.integrity = 1;
    udf_lvid_encode(block, &lvid);
    assert_int_equal(fault_medium_poke(client->medium, at, 1, block), 0);
    client->transaction = before;
    client_recover(client, before);
    assert_int_equal(client->transaction, before);
}

/* A file's contents may look like a packet of the log; the replay must not take them for one. */
static void test_contents_like_a_log(void **state)
{
    struct client *client = *state;
    const struct udf_journal *journal = client->vol->store->journal;
    uint8_t block[UDF_BLOCK_BYTES];
    udf_block_t first;
    uint32_t got;
    mmc_lba_t lba;
    struct journal_header header = {.volume_key = journal->volume_key,
                                    .epoch = journal->epoch + 100,
                                    .parts = 1,
                                    .lvid_home_crc = journal->lvid_home_crc,
                                    .lvid_at = client->vol->lvid_at};
    journal_header_encode(block, &header);
    struct journal_header check;
    assert_true(journal_header_decode(block, journal, &check));
    assert_int_equal(udf_tx_begin(client->vol, 200), 0);
    assert_int_equal(udf_space_alloc(client->vol, UDF_ALLOC_META, UDF_NO_GOAL, 1, &first, &got), 0);
    assert_int_equal(
        udf_volume_map(client->vol, (struct udf_address){first.n, client->vol->part}, 1, &lba, NULL), 0);
    assert_int_equal(udf_store_write(client->vol, lba, 1, block, UDF_WRITE_META), 0);
    client->base_used++;
    udf_tx_end(client->vol);
    client_create(client, 1, 20, UDF_NO_GOAL, UDF_WRITE_META);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    uint64_t durable = client->transaction;
    client_crash(client, 1, durable);
    assert_int_equal(udf_store_read(client->vol, lba, 1, block), 0);
    assert_int_equal(memcmp(block, "PKTFSLOG", 8), 0);
}

/* A disc copied to a file: packets of one block below, those of the volume in the journal. */
static void test_replay_on_single_blocks(void **state)
{
    struct client *client = *state;
    char path[] = "/tmp/packetfs-test-XXXXXX";
    struct block_device *dev;
    struct udf_volume *vol;
    const struct udf_open_options options = {.read_only = false};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    client_change(client);
    client_change(client);
    assert_int_equal(udf_tx_commit(client->vol), 0);
    assert_int_equal(fault_medium_save(client->medium, path), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(block_file_open(path, true, 1, &dev), 0);
        assert_int_equal(dev->geometry.packet_blocks, 1);
        assert_int_equal(udf_volume_open(dev, &options, &vol), 0);
        assert_false(vol->read_only);
        assert_int_equal(vol->store->recovered, i == 0);
        client_verify(client, vol, client->transaction, "in a file");
        client_volume_close(dev, vol);
    }
    unlink(path);
}

/* What was committed and is found no more is said, and nothing is built on the rest. */
static void test_lost_record(void **state)
{
    struct client *client = *state;
    const struct udf_journal *journal = client->vol->store->journal;
    uint32_t slots[3];
    for (unsigned i = 0; i < 3; i++) {
        slots[i] = journal->next_slot;
        client_create(client, i, 2, UDF_NO_GOAL, UDF_WRITE_META);
        assert_int_equal(udf_tx_commit(client->vol), 0);
    }
    mmc_lba_t lost = journal_slot_place(journal, slots[1]);
    fault_medium_cut_now(client->medium, 1);
    (void)udf_volume_close(client->vol);
    (void)block_close(client->dev);
    fault_medium_tear(client->medium, mmc_packet_of(lost, 32));
    assert_int_equal(client_volume_open(client->medium, false, &client->dev, &client->vol), 0);
    assert_true(client->vol->read_only);
    assert_string_equal(client->vol->read_only_reason,
                        "its journal is damaged: copy off what you need, then make a new volume");
    assert_int_equal(udf_tx_begin(client->vol, 1), -EROFS);
}

/* Whatever is in the journal's areas, opening ends, without a crash. */
static void test_garbage_in_the_journal(void **state)
{
    struct client *client = *state;
    uint64_t random = 7;
    const struct udf_journal *journal = client->vol->store->journal;
    mmc_lba_t log = journal->log;
    uint32_t blocks = (journal->log_packets + journal->images_packets) * 32;
    for (unsigned i = 0; i < 6; i++) {
        client_change(client);
        assert_int_equal(i == 3 ? udf_tx_checkpoint(client->vol) : udf_tx_commit(client->vol), 0);
    }
    for (unsigned round = 0; round < 60; round++) {
        struct fault_medium *copy;
        struct block_device *dev;
        struct udf_volume *vol;
        assert_int_equal(fault_medium_copy(client->medium, &copy), 0);
        for (unsigned i = 0; i < 40; i++) {
            uint8_t block[UDF_BLOCK_BYTES];
            uint32_t packet = (uint32_t)(random_next(&random) >> 9) % (blocks / 32);
            mmc_lba_t at = mmc_lba_add(log, (int64_t)packet * 32 + (i % 8 ? 0 : i));
            assert_int_equal(fault_medium_peek(copy, at, 1, block), 0);
            block[(random_next(&random) >> 9) % 200] ^= (uint8_t)(1u << i % 8);
            /* Half of them pass the check sum, to reach what is behind it. */
            if (i % 2) {
                memset(block + 12, 0, 4);
                uint32_t crc = udf_crc32c(0, block, sizeof block);
                mmc_le32_put(block + 12, crc);
            }
            assert_int_equal(fault_medium_poke(copy, at, 1, block), 0);
        }
        int err = client_volume_open(copy, false, &dev, &vol);
        if (!err) {
            (void)udf_volume_close(vol);
            (void)block_close(dev);
        }
        fault_medium_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_small_sync_is_one_packet, start, end),
        cmocka_unit_test_setup_teardown(test_no_change_no_write, start, end),
        cmocka_unit_test_setup_teardown(test_look_writes_nothing, start, end),
        cmocka_unit_test_setup_teardown(test_bulk_is_written_once, start, end),
        cmocka_unit_test_setup_teardown(test_changes_coalesce, start, end),
        cmocka_unit_test_setup_teardown(test_unreadable_neighbour, start, end),
        cmocka_unit_test_setup_teardown(test_other_system_wrote, start, end),
        cmocka_unit_test_setup_teardown(test_other_system_closed, start, end),
        cmocka_unit_test_setup_teardown(test_contents_like_a_log, start, end),
        cmocka_unit_test_setup_teardown(test_replay_on_single_blocks, start, end),
        cmocka_unit_test_setup_teardown(test_lost_record, start, end),
        cmocka_unit_test_setup_teardown(test_garbage_in_the_journal, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
