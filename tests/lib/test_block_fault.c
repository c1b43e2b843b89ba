/* SPDX-License-Identifier: MIT */
/* The fault device does what its header says: a test that leans on it is only as good as this. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/block_fault.h"

#define L      4u
#define BLOCKS 40u

struct rig {
    struct fault_medium *medium;
    struct block_device *dev;
};

static int rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_int_equal(fault_medium_create(BLOCKS, L, &rig->medium), 0);
    assert_int_equal(block_fault_open(rig->medium, false, &rig->dev), 0);
    *state = rig;
    return 0;
}

static int rig_teardown(void **state)
{
    struct rig *rig = *state;

    block_close(rig->dev);
    fault_medium_free(rig->medium);
    free(rig);
    return 0;
}

static int put(struct block_device *dev, int64_t lba, uint32_t count, int value, unsigned flags)
{
    uint8_t buf[8 * MMC_BLOCK_BYTES];

    memset(buf, value, sizeof buf);
    return block_write(dev, mmc_lba(lba), count, buf, flags);
}

/* The value that fills the block, or -errno; -1000 when it is not of one value. */
static int get(struct block_device *dev, int64_t lba)
{
    uint8_t buf[MMC_BLOCK_BYTES];
    int err = block_read(dev, mmc_lba(lba), 1, buf);

    if (err)
        return err;
    return memcmp(buf, buf + 1, sizeof buf - 1) == 0 ? buf[0] : -1000;
}

static int peek(struct fault_medium *m, int64_t lba)
{
    uint8_t buf[MMC_BLOCK_BYTES];
    int err = fault_medium_peek(m, mmc_lba(lba), 1, buf);

    return err ? err : buf[0];
}

static void rig_reopen(struct rig *rig)
{
    block_close(rig->dev);
    assert_int_equal(block_fault_open(rig->medium, false, &rig->dev), 0);
}

static void test_whole_packets(void **state)
{
    struct rig *rig = *state;
    struct fault_stats stats;

    assert_int_equal(put(rig->dev, 3, 2, 7, 0), 0);
    assert_int_equal(get(rig->dev, 3), 7);
    assert_int_equal(peek(rig->medium, 3), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(peek(rig->medium, 3), 7);
    assert_int_equal(peek(rig->medium, 4), 7);
    assert_int_equal(peek(rig->medium, 5), 0);
    fault_medium_stats(rig->medium, &stats);
    assert_int_equal(stats.writes, 2);
    assert_int_equal(stats.packets_written, 2);
    assert_int_equal(stats.packets_completed, 2);
    assert_int_equal(fault_medium_wear(rig->medium, (mmc_packet_t){0}), 1);
    assert_int_equal(fault_medium_wear(rig->medium, (mmc_packet_t){2}), 0);
    assert_int_equal(block_read(rig->dev, mmc_lba(BLOCKS), 1, NULL), -EINVAL);
    assert_int_equal(block_read(rig->dev, mmc_lba(-1), 1, NULL), -EINVAL);
    assert_int_equal(put(rig->dev, BLOCKS - 1, 2, 0, 0), -EINVAL);
}

static void test_fresh_zeroes_the_rest(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(put(rig->dev, 0, 4, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    fault_medium_tear(rig->medium, (mmc_packet_t){0});
    assert_int_equal(get(rig->dev, 0), -EIO);
    assert_int_equal(put(rig->dev, 2, 1, 5, BLOCK_WRITE_FRESH), 0);
    assert_int_equal(get(rig->dev, 0), 0);
    assert_int_equal(put(rig->dev, 1, 1, 6, BLOCK_WRITE_FRESH), 0);
    assert_int_equal(get(rig->dev, 2), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(peek(rig->medium, 1), 6);
    assert_int_equal(peek(rig->medium, 2), 0);
}

static void test_torn_packet_is_not_completed(void **state)
{
    struct rig *rig = *state;
    struct block_failure failure;

    fault_medium_tear(rig->medium, (mmc_packet_t){1});
    assert_int_equal(put(rig->dev, 5, 1, 9, 0), 0);
    assert_int_equal(put(rig->dev, 8, 1, 3, 0), 0);
    assert_int_equal(block_sync(rig->dev), -EIO);
    assert_int_equal(peek(rig->medium, 8), 3);
    assert_int_equal(block_failure_next(rig->dev, &failure), 1);
    assert_int_equal(failure.packet.n, 1);
    assert_int_equal(failure.error, -EIO);
    assert_int_equal(get(rig->dev, 5), 9);
    assert_int_equal(get(rig->dev, 4), -EIO);
    assert_int_equal(block_failure_move(rig->dev, failure.packet, (mmc_packet_t){3}), -EIO);
    assert_int_equal(put(rig->dev, 4, 1, 8, 0), 0);
    assert_int_equal(put(rig->dev, 6, 2, 8, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(block_failure_next(rig->dev, &failure), 0);
    assert_int_equal(peek(rig->medium, 5), 9);
}

static void test_failure_moves(void **state)
{
    struct rig *rig = *state;
    struct block_failure failure;

    fault_medium_write_error(rig->medium, (mmc_packet_t){2}, true);
    assert_int_equal(put(rig->dev, 8, 4, 4, 0), 0);
    assert_int_equal(block_failure_move(rig->dev, (mmc_packet_t){2}, (mmc_packet_t){9}), -ENOENT);
    assert_int_equal(block_sync(rig->dev), -EIO);
    assert_int_equal(block_failure_next(rig->dev, &failure), 1);
    assert_int_equal(get(rig->dev, 9), 4);
    assert_int_equal(block_failure_move(rig->dev, failure.packet, (mmc_packet_t){9}), 0);
    assert_int_equal(get(rig->dev, 9), -EIO);
    assert_int_equal(get(rig->dev, 37), 4);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(peek(rig->medium, 36), 4);
    assert_int_equal(block_failure_next(rig->dev, &failure), 0);
}

static void test_errors_at_places(void **state)
{
    struct rig *rig = *state;

    fault_medium_read_error(rig->medium, mmc_lba(1), true);
    assert_int_equal(get(rig->dev, 0), 0);
    assert_int_equal(get(rig->dev, 1), -EIO);
    assert_int_equal(put(rig->dev, 1, 1, 2, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    rig_reopen(rig);
    assert_int_equal(get(rig->dev, 1), 2);

    fault_medium_wear_limit(rig->medium, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put(rig->dev, 20, 4, i, 0), 0);
        assert_int_equal(block_sync(rig->dev), 0);
    }
    assert_int_equal(put(rig->dev, 20, 4, 3, 0), 0);
    assert_int_equal(block_sync(rig->dev), -EIO);
    assert_true(fault_medium_torn(rig->medium, (mmc_packet_t){5}));
}

static void test_cut_extremes(void **state)
{
    struct rig *rig = *state;

    for (uint64_t seed = 0; seed < 4; seed++) {
        struct fault_stats stats;
        int lost = (int)(10 + seed), kept = (int)(100 + seed);

        assert_int_equal(put(rig->dev, 0, 8, lost, 0), 0);
        assert_int_equal(block_sync(rig->dev), 0);
        fault_medium_stats(rig->medium, &stats);
        fault_medium_cut_at(rig->medium, stats.writes + 2, seed);
        assert_int_equal(put(rig->dev, 0, 4, kept, 0), 0);
        assert_int_equal(put(rig->dev, 4, 1, kept, 0), -EIO);
        assert_true(fault_medium_was_cut(rig->medium));
        assert_int_equal(get(rig->dev, 0), -EIO);
        assert_int_equal(put(rig->dev, 0, 1, 0, 0), -EIO);
        assert_int_equal(block_sync(rig->dev), -EIO);
        rig_reopen(rig);
        assert_false(fault_medium_was_cut(rig->medium));
        assert_int_equal(get(rig->dev, 0), seed == 1 || seed == 2 ? kept : lost);
        assert_int_equal(get(rig->dev, 4), seed == 2 ? kept : seed == 3 ? lost : -EIO);
        assert_int_equal(get(rig->dev, 7), seed == 2 || seed == 3 ? lost : -EIO);
    }
}

/* Random seeds: each packet shows one of the states that it went through or is torn, at most one is, and over
 * many seeds everything that may happen does. */
static void test_cut_random(void **state)
{
    struct rig *rig = *state;
    unsigned seen[4][4] = {{0}}, torn_none = 0;

    assert_int_equal(put(rig->dev, 0, 8, 0, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fault_medium_record(rig->medium), 0);
    for (int i = 1; i <= 2; i++)
        for (int p = 0; p < 4; p++)
            assert_int_equal(put(rig->dev, 4 * p, 4, i, 0), 0);
    for (uint64_t seed = 4; seed < 400; seed++) {
        struct fault_medium *cut;
        unsigned torn = 0;
        struct fault_stats stats;

        fault_medium_stats(rig->medium, &stats);
        assert_int_equal(fault_medium_cut_copy(rig->medium, stats.writes, seed, &cut), 0);
        for (int p = 0; p < 4; p++) {
            int value = peek(cut, 4 * p);
            assert_in_range(value == -EIO ? 3 : value, 0, 3);
            seen[p][value == -EIO ? 3 : value]++;
            torn += value == -EIO;
            assert_int_equal(peek(cut, 4 * p + 3), value);
        }
        assert_in_range(torn, 0, 1);
        torn_none += torn == 0;
        fault_medium_free(cut);
    }
    for (int p = 0; p < 4; p++)
        for (int v = 0; v < 4; v++)
            assert_true(seen[p][v] > 10);
    assert_true(torn_none > 10);
}

/* A cut from the record is the cut that would have been, seed by seed. */
static void run_script(struct block_device *dev, int steps)
{
    uint32_t r = 12345;

    for (int i = 0; i < steps; i++) {
        r = r * 1664525 + 1013904223;
        if ((r >> 28) < 3)
            (void)block_sync(dev);
        else
            (void)put(dev, (r >> 8) % (BLOCKS - 6), 1 + (r >> 24) % 6, i + 1, 0);
    }
}

static void test_record_equals_cut(void **state)
{
    struct rig *rig = *state;
    struct fault_stats stats;
    struct fault_write write;
    size_t recorded;

    assert_int_equal(put(rig->dev, 0, 1, 3, 0), 0);
    assert_int_equal(fault_medium_record(rig->medium), -EBUSY);
    assert_int_equal(block_sync(rig->dev), 0);
    fault_medium_write_error(rig->medium, (mmc_packet_t){6}, true);
    fault_medium_stats(rig->medium, &stats);
    assert_int_equal(fault_medium_record(rig->medium), 0);
    run_script(rig->dev, 60);
    recorded = fault_medium_recorded(rig->medium);
    assert_true(recorded > 50);
    assert_int_equal(fault_medium_record_get(rig->medium, recorded, &write), -ENOENT);
    assert_int_equal(fault_medium_record_get(rig->medium, recorded - 1, &write), 0);
    assert_true(write.sync > 2);

    for (uint64_t n = 1; n <= recorded; n++) {
        struct fault_medium *live, *copy;
        struct block_device *dev;
        uint64_t seed = n % 9;

        assert_int_equal(fault_medium_create(BLOCKS, L, &live), 0);
        assert_int_equal(block_fault_open(live, false, &dev), 0);
        assert_int_equal(put(dev, 0, 1, 3, 0), 0);
        assert_int_equal(block_sync(dev), 0);
        fault_medium_write_error(live, (mmc_packet_t){6}, true);
        fault_medium_cut_at(live, stats.writes + n, seed);
        run_script(dev, 60);
        assert_int_equal(block_close(dev), -EIO);
        assert_int_equal(fault_medium_cut_copy(rig->medium, stats.writes + n, seed, &copy), 0);
        for (int64_t lba = 0; lba < BLOCKS; lba++)
            assert_int_equal(peek(copy, lba), peek(live, lba));
        fault_medium_free(copy);
        fault_medium_free(live);
    }
}

static void test_record_end_is_the_end(void **state)
{
    struct rig *rig = *state;
    struct fault_medium *copy;

    assert_int_equal(fault_medium_record(rig->medium), 0);
    assert_int_equal(put(rig->dev, 0, 1, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fault_medium_cut_copy(rig->medium, 1, 0, &copy), 0);
    assert_int_equal(peek(copy, 0), -EIO);
    fault_medium_free(copy);
    assert_int_equal(fault_medium_cut_copy(rig->medium, 2, 0, &copy), 0);
    assert_int_equal(peek(copy, 0), 1);
    fault_medium_free(copy);
    assert_int_equal(fault_medium_cut_copy(rig->medium, 0, 0, &copy), -EINVAL);
    assert_int_equal(fault_medium_cut_copy(rig->medium, 3, 0, &copy), -EINVAL);
}

static void test_copies_and_images(void **state)
{
    struct rig *rig = *state;
    struct fault_medium *copy;
    struct block_device *dev;
    uint8_t block[MMC_BLOCK_BYTES];
    char path[] = "/tmp/block_fault_XXXXXX";
    int fd = mkstemp(path);

    close(fd);
    assert_int_equal(block_fault_open(rig->medium, false, &dev), -EBUSY);
    assert_int_equal(put(rig->dev, 10, 1, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(fault_medium_copy(rig->medium, &copy), 0);
    assert_int_equal(put(rig->dev, 10, 1, 2, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(peek(copy, 10), 1);
    assert_int_equal(fault_medium_save(rig->medium, path), 0);
    fault_medium_tear(copy, (mmc_packet_t){2});
    assert_int_equal(fault_medium_load(copy, path), 0);
    assert_int_equal(peek(copy, 10), 2);
    memset(block, 9, sizeof block);
    assert_int_equal(fault_medium_poke(copy, mmc_lba(11), 1, block), 0);
    assert_int_equal(peek(copy, 11), 9);
    assert_int_equal(peek(copy, 10), 2);
    assert_int_equal(peek(rig->medium, 11), 0);
    fault_medium_free(copy);
    unlink(path);
}

static void test_cut_now_loses_what_is_not_synced(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(put(rig->dev, 0, 8, 1, 0), 0);
    fault_medium_cut_now(rig->medium, 3);
    assert_int_equal(get(rig->dev, 0), -EIO);
    assert_int_equal(block_close(rig->dev), -EIO);
    assert_int_equal(block_fault_open(rig->medium, true, &rig->dev), 0);
    assert_int_equal(get(rig->dev, 0), 0);
    assert_int_equal(put(rig->dev, 0, 1, 1, 0), -EROFS);
    assert_int_equal(block_sync(rig->dev), 0);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_whole_packets),
        RIG_TEST(test_fresh_zeroes_the_rest),
        RIG_TEST(test_torn_packet_is_not_completed),
        RIG_TEST(test_failure_moves),
        RIG_TEST(test_errors_at_places),
        RIG_TEST(test_cut_extremes),
        RIG_TEST(test_cut_random),
        RIG_TEST(test_record_equals_cut),
        RIG_TEST(test_record_end_is_the_end),
        RIG_TEST(test_copies_and_images),
        RIG_TEST(test_cut_now_loses_what_is_not_synced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
