/* SPDX-License-Identifier: MIT */
/* The packet device on a drive that shows each command: what is written and read when. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mmc/packet/packet_rig.h"

static void test_geometry(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig->dev->geometry.blocks, PACKETS * L);
    assert_int_equal(rig->dev->geometry.packet_blocks, L);
    assert_false(rig->dev->geometry.read_only);
    assert_int_equal(rig_put(rig, PACKETS * L - 1, 2, 1, 0), -EINVAL);
    assert_int_equal(rig_get(rig, PACKETS * L), -EINVAL);
}

static void test_rewrites_gather_and_go_in_order(void **state)
{
    struct rig *rig = *state;
    struct fake_command writes[64], reads[64];
    uint32_t packets[] = {90, 7, 200, 41, 8, 120};

    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(rig_put(rig, packets[i] * L + (uint32_t)round % 10, 1, 1 + round, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log(rig->fake, WRITE, writes, 64), 6);
    assert_int_equal(fake_log(rig->fake, READ, reads, 64), 6);
    assert_int_equal(fake_log_count(rig->fake, SYNC), 1);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(writes[i].count, L);
        assert_int_equal(writes[i].lba % L, 0);
        assert_true(i == 0 || writes[i].lba > writes[i - 1].lba);
        assert_int_equal(rig_on_medium(rig, packets[i] * L + 9), 20);
        assert_int_equal(rig_on_medium(rig, packets[i] * L + 10), 0);
    }
    assert_int_equal(rig_stats(rig).packets_written, 6);
    assert_int_equal(rig_stats(rig).packets_completed, 6);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log_count(rig->fake, SYNC), 1);
    assert_int_equal(fake_violations(rig->fake), 0);
}

static void test_elevator_goes_on_from_where_it_was(void **state)
{
    struct rig *rig = *state;
    struct fake_command writes[8];

    assert_int_equal(rig_put(rig, 100 * L, L, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    fake_log_clear(rig->fake);
    assert_int_equal(rig_put(rig, 20 * L, L, 1, 0), 0);
    assert_int_equal(rig_put(rig, 150 * L, L, 1, 0), 0);
    assert_int_equal(rig_put(rig, 110 * L, L, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log(rig->fake, WRITE, writes, 8), 3);
    assert_int_equal(writes[0].lba, 110 * L);
    assert_int_equal(writes[1].lba, 150 * L);
    assert_int_equal(writes[2].lba, 20 * L);
}

static void test_stream_needs_no_reads(void **state)
{
    struct rig *rig = *state;

    for (uint32_t at = 0; at < 128 * L; at += 24)
        assert_int_equal(rig_put(rig, at, at + 24 > 128 * L ? 128 * L - at : 24, (int)(at % 251), 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log_count(rig->fake, READ), 0);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 128);
    for (uint32_t lba = 0; lba < 128 * L; lba++)
        assert_int_equal(rig_on_medium(rig, lba), lba / 24 * 24 % 251);
}

static void test_missing_blocks_are_read_only_if_still_missing(void **state)
{
    struct rig *rig = *state;
    struct fake_command reads[4];

    for (uint32_t b = 0; b < L; b++)
        fake_block_set(rig->fake, 3 * L + b, 7);
    assert_int_equal(rig_put(rig, 3 * L + 4, 2, 9, 0), 0);
    assert_int_equal(rig_put(rig, 3 * L, 4, 9, 0), 0);
    assert_int_equal(rig_put(rig, 3 * L + 30, 2, 9, 0), 0);
    assert_int_equal(fake_log_count(rig->fake, READ), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log(rig->fake, READ, reads, 4), 1);
    assert_int_equal(reads[0].lba, 3 * L + 6);
    assert_int_equal(reads[0].count, 24);
    assert_int_equal(rig_on_medium(rig, 3 * L + 5), 9);
    assert_int_equal(rig_on_medium(rig, 3 * L + 6), 7);
    assert_int_equal(rig_on_medium(rig, 3 * L + 31), 9);
    /* Whole in memory now, so writing it again needs no further read. */
    assert_int_equal(rig_put(rig, 3 * L + 8, 1, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log_count(rig->fake, READ), 1);
    assert_int_equal(rig_on_medium(rig, 3 * L + 7), 7);
}

static void test_fresh_packets_are_not_read(void **state)
{
    struct rig *rig = *state;

    fake_block_set(rig->fake, 5 * L + 9, 7);
    assert_int_equal(rig_put(rig, 5 * L + 1, 1, 3, BLOCK_WRITE_FRESH), 0);
    assert_int_equal(rig_put(rig, 5 * L + 2, 1, 4, BLOCK_WRITE_FRESH), 0);
    assert_int_equal(rig_get(rig, 5 * L + 9), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log_count(rig->fake, READ), 0);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 1);
    assert_int_equal(rig_on_medium(rig, 5 * L + 1), 3);
    assert_int_equal(rig_on_medium(rig, 5 * L + 2), 4);
    assert_int_equal(rig_on_medium(rig, 5 * L + 9), 0);
}

static void test_waiting_costs_nothing_so_it_waits(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_put(rig, 0, 1, 1, 0), 0);
    assert_int_equal(rig_put(rig, L, L, 1, 0), 0);
    rig_pause(500);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 0);
    for (int i = 0; i < 100 && fake_log_count(rig->fake, WRITE) < 2; i++)
        rig_pause(50);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 2);
    assert_int_equal(fake_log_count(rig->fake, SYNC), 0);
}

static void test_whole_packets_are_written_behind(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_put(rig, 0, 1, 1, 0), 0);
    assert_int_equal(rig_put(rig, L, 140 * L, 1, 0), 0);
    for (int i = 0; i < 30 && fake_log_count(rig->fake, WRITE) < 140; i++)
        rig_pause(50);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 140);
    assert_int_equal(fake_log_count(rig->fake, SYNC), 0);
}

static void *stream_thread(void *arg)
{
    struct rig *rig = arg;
    int error = 0;

    for (uint32_t p = 0; p < 100 && !error; p++)
        error = rig_put(rig, p * L, L, (int)p + 1, 0);
    return (void *)(intptr_t)error;
}

static void test_writers_wait_for_memory(void **state)
{
    struct rig *rig = *state;
    pthread_t thread;
    void *result;

    fake_hold(rig->fake, true);
    assert_int_equal(pthread_create(&thread, NULL, stream_thread, rig), 0);
    fake_held(rig->fake);
    rig_pause(200);
    assert_int_equal(rig_stats(rig).bytes_held, 1 << 20);
    fake_hold(rig->fake, false);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((intptr_t)result, 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(rig_stats(rig).bytes_held_most, 1 << 20);
    for (uint32_t p = 0; p < 100; p++)
        assert_int_equal(rig_on_medium(rig, p * L), (int)p + 1);
    assert_int_equal(fake_violations(rig->fake), 0);
}

static void test_drive_gone_wakes_waiting_writers(void **state)
{
    struct rig *rig = *state;
    pthread_t thread;
    void *result;

    fake_hold(rig->fake, true);
    assert_int_equal(pthread_create(&thread, NULL, stream_thread, rig), 0);
    fake_held(rig->fake);
    rig_pause(100);
    fake_transport_fails(rig->fake, -ENODEV);
    fake_hold(rig->fake, false);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((intptr_t)result, -ENODEV);
    assert_int_equal(block_sync(rig->dev), -ENODEV);
    assert_int_equal(rig_get(rig, 200 * L), -ENODEV);
    assert_int_equal(rig_put(rig, 0, 1, 1, 0), -ENODEV);
}

static void test_reads_come_from_memory_or_medium(void **state)
{
    struct rig *rig = *state;

    fake_block_set(rig->fake, 2 * L + 1, 5);
    assert_int_equal(rig_put(rig, 2 * L, 1, 6, 0), 0);
    assert_int_equal(rig_get(rig, 2 * L), 6);
    assert_int_equal(fake_log_count(rig->fake, READ), 0);
    assert_int_equal(rig_get(rig, 2 * L + 1), 5);
    assert_int_equal(fake_log_count(rig->fake, READ), 1);
    assert_int_equal(rig_get(rig, 2 * L), 6);
    /* More than the memory holds goes through the drive's buffer; no read may meet it there. */
    for (uint32_t p = 0; p < 60; p++) {
        assert_int_equal(rig_put(rig, p * L, L, (int)p, 0), 0);
        assert_int_equal(rig_get(rig, (p / 2) * L + 3), (int)p / 2);
    }
    for (uint32_t p = 0; p < 60; p++)
        assert_int_equal(rig_get(rig, p * L), (int)p);
    assert_int_equal(fake_violations(rig->fake), 0);
}

static void test_sequential_reads_read_ahead(void **state)
{
    struct rig *rig = *state;
    struct fake_command reads[128];
    uint8_t buf[8 * MMC_BLOCK_BYTES];
    size_t n;

    for (uint32_t lba = 0; lba < 128 * L; lba++)
        fake_block_set(rig->fake, lba, (int)(lba % 253));
    for (uint32_t lba = 0; lba < 128 * L; lba += 8) {
        assert_int_equal(block_read(rig->dev, mmc_lba(lba), 8, buf), 0);
        for (uint32_t i = 0; i < 8; i++)
            assert_int_equal(buf[i * MMC_BLOCK_BYTES], (lba + i) % 253);
    }
    n = fake_log(rig->fake, READ, reads, 128);
    assert_in_range(n, 16, 22);
    for (size_t i = 1; i < n; i++)
        assert_int_equal(reads[i].lba, reads[i - 1].lba + reads[i - 1].count);
}

static void test_readahead_hint(void **state)
{
    struct rig *rig = *state;
    struct fake_command reads[8];

    fake_block_set(rig->fake, 50 * L, 9);
    block_readahead(rig->dev, mmc_lba(50 * L), 8 * L);
    for (int i = 0; i < 40 && rig_stats(rig).packets_read < 8; i++)
        rig_pause(25);
    assert_int_equal(fake_log(rig->fake, READ, reads, 8), 1);
    assert_int_equal(reads[0].count, 8 * L);
    assert_int_equal(rig_get(rig, 50 * L), 9);
    assert_int_equal(rig_get(rig, 57 * L), 0);
    assert_int_equal(fake_log_count(rig->fake, READ), 1);
    block_readahead(rig->dev, mmc_lba(-5), 8);
    block_readahead(rig->dev, mmc_lba(PACKETS * L - 1), 800);
    block_readahead(rig->dev, mmc_lba(PACKETS * L), 1);
    assert_int_equal(rig_get(rig, PACKETS * L - 1), 0);
}

struct reader {
    struct rig *rig;
    int value;
};

static void *reader_thread(void *arg)
{
    struct reader *r = arg;

    r->value = rig_get(r->rig, 200 * L);
    return NULL;
}

static void test_readers_come_before_background_writes(void **state)
{
    struct rig *rig = *state;
    struct reader reader = {rig, -1};
    struct fake_command all[64];
    pthread_t thread;

    fake_hold(rig->fake, true);
    assert_int_equal(rig_put(rig, 0, 30 * L, 1, 0), 0);
    fake_held(rig->fake);
    assert_int_equal(pthread_create(&thread, NULL, reader_thread, &reader), 0);
    rig_pause(200);
    fake_hold(rig->fake, false);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(reader.value, 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log(rig->fake, FAKE_ANY, all, 64), 32);
    assert_int_equal(all[0].opcode, WRITE);
    assert_int_equal(all[1].opcode, READ);
}

struct hammer {
    struct rig *rig;
    _Atomic bool stop;
    _Atomic unsigned reads;
};

static void *hammer_thread(void *arg)
{
    struct hammer *h = arg;
    uint32_t r = 1;

    while (!h->stop) {
        r = r * 1664525 + 1013904223;
        (void)rig_get(h->rig, 110 * L + (r >> 8) % (100 * L));
        h->reads++;
    }
    return NULL;
}

static void test_writers_are_not_starved_by_readers(void **state)
{
    struct rig *rig = *state;
    struct hammer hammer = {.rig = rig};
    pthread_t readers[3], writer;
    void *result;

    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, hammer_thread, &hammer), 0);
    assert_int_equal(pthread_create(&writer, NULL, stream_thread, rig), 0);
    assert_int_equal(pthread_join(writer, &result), 0);
    assert_int_equal((intptr_t)result, 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_true(hammer.reads > 0);
    hammer.stop = true;
    for (int i = 0; i < 3; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(fake_violations(rig->fake), 0);
}

static void test_close_syncs(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_put(rig, 0, 3, 8, 0), 0);
    assert_int_equal(block_close(rig->dev), 0);
    fake_power_cut(rig->fake);
    assert_int_equal(rig_on_medium(rig, 2), 8);
    rig_open(rig, 0);
    assert_int_equal(rig_get(rig, 2), 8);
}

static void test_pressed_disc_is_only_read(void **state)
{
    struct rig *rig = *state;
    struct block_device *dev;

    assert_true(rig->dev->geometry.read_only);
    assert_int_equal(rig->dev->geometry.packet_blocks, 1);
    assert_int_equal(rig_put(rig, 0, 1, 1, 0), -EROFS);
    fake_read_fails(rig->fake, PACKETS * L - 1, true);
    fake_read_fails(rig->fake, PACKETS * L - 2, true);
    fake_block_set(rig->fake, PACKETS * L - 3, 6);
    assert_int_equal(rig_get(rig, PACKETS * L - 3), 6);
    assert_int_equal(rig_get(rig, PACKETS * L - 2), -EIO);
    assert_int_equal(rig_get(rig, PACKETS * L - 40), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 0);
    assert_int_equal(fake_log_count(rig->fake, SYNC), 0);
    assert_int_equal(fake_log_count(rig->fake, MODE), 0);
    assert_int_equal(mmc_packet_open(rig->drive, 0, false, &dev), -EMEDIUMTYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_geometry),
        RIG_TEST(test_rewrites_gather_and_go_in_order),
        RIG_TEST(test_elevator_goes_on_from_where_it_was),
        RIG_TEST(test_stream_needs_no_reads),
        RIG_TEST(test_missing_blocks_are_read_only_if_still_missing),
        RIG_TEST(test_fresh_packets_are_not_read),
        RIG_TEST(test_waiting_costs_nothing_so_it_waits),
        RIG_TEST(test_whole_packets_are_written_behind),
        RIG_TEST_SMALL(test_writers_wait_for_memory),
        RIG_TEST_SMALL(test_drive_gone_wakes_waiting_writers),
        RIG_TEST_SMALL(test_reads_come_from_memory_or_medium),
        RIG_TEST(test_sequential_reads_read_ahead),
        RIG_TEST(test_readahead_hint),
        RIG_TEST(test_readers_come_before_background_writes),
        RIG_TEST_SMALL(test_writers_are_not_starved_by_readers),
        RIG_TEST(test_close_syncs),
        cmocka_unit_test_setup_teardown(test_pressed_disc_is_only_read, rig_setup_pressed, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
