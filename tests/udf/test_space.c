/* SPDX-License-Identifier: MIT */
/* Allocation: where things come to lie, what is kept back, what is not free yet, and bitmaps that are not
 * what they should be. */
#include <errno.h>
#include <stdio.h>

#include "mmc/bytes.h"
#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/store_client.h"
#include "udf/space_part.h"

static const struct test_volume_spec spec = {.options = "-m cdrw -r 2.01",
                                             .blocks = 16384,
                                             .packet_blocks = 32,
                                             .spares = 8,
                                             .log_packets = 32,
                                             .images_packets = 32};

struct volume {
    struct fault_medium *medium;
    struct block_device *dev;
    struct udf_volume *vol;
};

static void volume_start(struct volume *v, const struct test_volume_spec *what)
{
    assert_int_equal(test_volume_make(what, &v->medium), 0);
    assert_int_equal(client_volume_open(v->medium, false, &v->dev, &v->vol), 0);
}

static int start(void **state)
{
    static struct volume volume;
    volume_start(&volume, &spec);
    assert_int_equal(udf_tx_begin(volume.vol, 16), 0);
    *state = &volume;
    return 0;
}

static int end(void **state)
{
    struct volume *v = *state;
    udf_tx_end(v->vol);
    client_volume_close(v->dev, v->vol);
    fault_medium_free(v->medium);
    return 0;
}

/* The transaction of a test ends, a commit comes, and the next begins. */
static void commit(struct udf_volume *vol)
{
    udf_tx_end(vol);
    assert_int_equal(udf_tx_commit(vol), 0);
    assert_int_equal(udf_tx_begin(vol, 16), 0);
}

static void checkpoint(struct udf_volume *vol)
{
    udf_tx_end(vol);
    assert_int_equal(udf_tx_checkpoint(vol), 0);
    assert_int_equal(udf_tx_begin(vol, 16), 0);
}

static uint32_t take(struct udf_volume *vol, enum udf_alloc_class class, udf_block_t goal, uint32_t want,
                     uint32_t *got)
{
    udf_block_t first;
    uint32_t count;
    assert_int_equal(udf_space_alloc(vol, class, goal, want, &first, &count), 0);
    assert_in_range(count, 1, want);
    if (got)
        *got = count;
    return first.n;
}

static uint32_t take_one(struct udf_volume *vol, enum udf_alloc_class class)
{
    return take(vol, class, UDF_NO_GOAL, 1, NULL);
}

static void test_small_things_gather(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    uint32_t icb = take_one(vol, UDF_ALLOC_ICB), meta = take_one(vol, UDF_ALLOC_META);
    uint32_t data = take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 5, NULL);
    assert_int_not_equal(icb / 32, meta / 32);
    assert_int_not_equal(icb / 32, data / 32);
    assert_int_not_equal(meta / 32, data / 32);
    assert_int_equal(icb % 32, 0);
    for (uint32_t i = 1; i < 100; i++) {
        assert_int_equal(take_one(vol, UDF_ALLOC_ICB), icb + i);
        assert_int_equal(take_one(vol, UDF_ALLOC_META), meta + i);
        assert_int_equal(take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 5, NULL), data + 5 * i);
    }
}

/* Once a packet is live and its blocks are not all in the log, small things go elsewhere. */
static void test_live_packets_are_left(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    uint32_t icb = take_one(vol, UDF_ALLOC_ICB);
    checkpoint(vol);
    uint32_t next = take_one(vol, UDF_ALLOC_ICB);
    assert_int_not_equal(next / 32, icb / 32);
    assert_int_equal(next % 32, 0);
}

/* A packet that is whole in the log needs no image, and is filled up through the log. */
static void test_logged_packets_are_filled(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    uint8_t block[UDF_BLOCK_BYTES] = {1};
    uint32_t icb = take_one(vol, UDF_ALLOC_ICB);
    mmc_lba_t lba;
    assert_int_equal(udf_volume_map(vol, (struct udf_address){icb, vol->part}, 1, &lba, NULL), 0);
    assert_int_equal(udf_store_write(vol, lba, 1, block, UDF_WRITE_META), 0);
    commit(vol);
    assert_int_equal(take_one(vol, UDF_ALLOC_ICB), icb + 1);
}

static void test_goal(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    uint32_t first = take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 5, NULL);
    checkpoint(vol);
    assert_int_equal(take(vol, UDF_ALLOC_DATA, (udf_block_t){first + 5}, 40, NULL), first + 5);
    assert_int_not_equal(take(vol, UDF_ALLOC_DATA, (udf_block_t){first + 5}, 40, NULL), first + 5);
}

/* Two files that grow side by side, a packet or two at a time, come in few pieces. */
static void test_streams_keep_apart(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    udf_block_t goal[2] = {UDF_NO_GOAL, UDF_NO_GOAL};
    unsigned pieces[2] = {0, 0};
    /* The first write of a file that is copied is as long as the kernel's longest. */
    for (unsigned i = 0; i < 40; i++) {
        uint32_t got, want = i < 2 ? 1024 : 64, first = take(vol, UDF_ALLOC_DATA, goal[i % 2], want, &got);
        pieces[i % 2] += first != goal[i % 2].n;
        goal[i % 2].n = first + got;
    }
    assert_in_range(pieces[0], 1, 3);
    assert_in_range(pieces[1], 1, 3);
}

static void test_big_data_begins_with_a_packet(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 3, NULL);
    uint32_t got, first = take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 1024, &got);
    assert_int_equal(first % 32, 0);
    assert_int_equal(got, 1024);
}

/* Takes all that data can have. */
static void fill(struct udf_volume *vol)
{
    udf_block_t first;
    uint32_t got;
    int err;
    while (!(err = udf_space_alloc(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 700, &first, &got)))
        continue;
    assert_int_equal(err, -ENOSPC);
}

static void test_reserve(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    udf_block_t first;
    uint32_t got, blocks = vol->partitions[vol->part].pd.blocks;
    fill(vol);
    uint32_t left = udf_space_count(vol);
    assert_in_range(left, 64, 2048);
    assert_in_range(left, blocks / 100, blocks / 100 + 1);
    assert_int_equal(udf_space_available(vol), 0);
    for (uint32_t i = 0; i < left; i++)
        take_one(vol, i % 2 ? UDF_ALLOC_ICB : UDF_ALLOC_META);
    assert_int_equal(udf_space_count(vol), 0);
    assert_int_equal(udf_space_alloc(vol, UDF_ALLOC_ICB, UDF_NO_GOAL, 1, &first, &got), -ENOSPC);
}

/* What was freed since the last commit is not given out before the next, and
 * -EAGAIN says that it will be then. */
static void test_freed_waits_for_the_commit(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    uint32_t got, first = take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 128, &got);
    udf_block_t again;
    assert_int_equal(got, 128);
    fill(vol);
    while (udf_space_count(vol))
        take_one(vol, UDF_ALLOC_ICB);
    commit(vol);
    assert_int_equal(udf_space_free(vol, (udf_block_t){first}, 128), 0);
    assert_int_equal(udf_space_count(vol), 128);
    assert_int_equal(udf_space_alloc(vol, UDF_ALLOC_ICB, (udf_block_t){first}, 1, &again, &got), -EAGAIN);
    /* Of 128 blocks the reserve leaves nothing to data, now or later. */
    assert_int_equal(udf_space_alloc(vol, UDF_ALLOC_DATA, (udf_block_t){first}, 1, &again, &got), -ENOSPC);
    commit(vol);
    assert_int_equal(take(vol, UDF_ALLOC_META, (udf_block_t){first}, 1, NULL), first);
    /* Allocated and freed within a transaction: nobody needs it. */
    assert_int_equal(udf_space_free(vol, (udf_block_t){first}, 1), 0);
    assert_int_equal(take(vol, UDF_ALLOC_META, (udf_block_t){first}, 1, NULL), first);
}

static void test_freed_data_waits(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    udf_block_t again;
    uint32_t got, first = take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 640, &got);
    fill(vol);
    commit(vol);
    assert_int_equal(udf_space_free(vol, (udf_block_t){first}, got), 0);
    assert_int_equal(udf_space_alloc(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 32, &again, &got), -EAGAIN);
    assert_int_equal(udf_space_free(vol, (udf_block_t){first}, 1), -EUCLEAN);
    commit(vol);
    take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 32, NULL);
}

static void test_wrong_frees(void **state)
{
    struct udf_volume *vol = ((struct volume *)*state)->vol;
    const struct udf_pd *pd = &vol->partitions[vol->part].pd;
    uint32_t first = take(vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 4, NULL), free_before = udf_space_count(vol);
    assert_int_equal(udf_space_free(vol, (udf_block_t){first + 2}, 4), -EUCLEAN);
    assert_int_equal(udf_space_free(vol, (udf_block_t){pd->blocks - 1}, 2), -EUCLEAN);
    assert_int_equal(udf_space_free(vol, (udf_block_t){pd->blocks}, 1), -EUCLEAN);
    assert_int_equal(udf_space_free(vol, (udf_block_t){UINT32_MAX}, 2), -EUCLEAN);
    assert_int_equal(udf_space_free(vol, pd->space_bitmap.first, 1), -EUCLEAN);
    assert_int_equal(udf_space_count(vol), free_before);
    assert_int_equal(udf_space_free(vol, (udf_block_t){first}, 4), 0);
    assert_int_equal(udf_space_free(vol, (udf_block_t){first}, 1), -EUCLEAN);
}

/* Counts that are kept agree with counts made anew. */
static void counts_check(const struct udf_space *space)
{
    uint32_t free = 0, waiting = 0, fresh = 0;
    for (uint32_t block = 0; block < space->blocks; block++) {
        free += !space_used(space, block);
        waiting += !space_used(space, block) && space_live(space, block);
    }
    assert_int_equal(free, space->free);
    assert_int_equal(waiting, space->waiting);
    for (uint32_t group = 0; group < space->groups; group++) {
        uint32_t busy = 0, from = space_group_first(space, group), to = space_group_first(space, group + 1);
        for (uint32_t block = from; block < to; block++)
            busy += !space_allocatable(space, block);
        busy += space->group_blocks - (to - from);
        assert_int_equal(busy, space->busy[group]);
        fresh += busy == 0;
    }
    assert_int_equal(fresh, space->fresh_groups);
    for (uint32_t super = 0; super * SPACE_SUPER < space->groups; super++) {
        uint32_t none = 0, full = 0;
        for (uint32_t group = super * SPACE_SUPER; group < space->groups && group < (super + 1) * SPACE_SUPER;
             group++) {
            none += space->busy[group] == 0;
            full += space->busy[group] == space->group_blocks;
        }
        assert_int_equal(none, space->super_fresh[super]);
        assert_int_equal(full, space->super_full[super]);
    }
}

/* Much at random; nothing is given out twice, the counts hold, and the bitmap on the
 * disc says the same afterwards. */
static void test_at_random(void **state)
{
    struct volume *v = *state;
    enum {
        RUNS = 300
    };
    struct {
        uint32_t first, count;
    } runs[RUNS] = {{0, 0}};
    uint64_t random = 99;
    uint8_t *mine = calloc(1, v->vol->space->blocks);
    assert_non_null(mine);
    for (unsigned i = 0; i < 6000; i++) {
        uint64_t dice = random_next(&random) >> 10;
        unsigned r = dice % RUNS;
        if (runs[r].count) {
            assert_int_equal(udf_space_free(v->vol, (udf_block_t){runs[r].first}, runs[r].count), 0);
            memset(mine + runs[r].first, 0, runs[r].count);
            runs[r].count = 0;
        } else {
            udf_block_t first,
                goal = dice & 1024 ? UDF_NO_GOAL : (udf_block_t){(uint32_t)(dice >> 20) % 12000};
            uint32_t got = 0, want = 1 + (uint32_t)(dice >> 12) % (dice & 2048 ? 8 : 200);
            int err = udf_space_alloc(v->vol, (enum udf_alloc_class)(i % 3), goal, want, &first, &got);
            assert_true(!err || err == -EAGAIN || err == -ENOSPC);
            for (uint32_t j = 0; j < got; j++) {
                assert_int_equal(mine[first.n + j], 0);
                mine[first.n + j] = 1;
            }
            runs[r].first = err ? 0 : first.n;
            runs[r].count = got;
            if (err == -EAGAIN)
                commit(v->vol);
        }
        if (i % 500 == 499) {
            counts_check(v->vol->space);
            commit(v->vol);
            counts_check(v->vol->space);
        }
    }
    uint32_t count = udf_space_count(v->vol);
    udf_tx_end(v->vol);
    client_volume_close(v->dev, v->vol);
    assert_int_equal(client_volume_open(v->medium, false, &v->dev, &v->vol), 0);
    assert_int_equal(udf_tx_begin(v->vol, 1), 0);
    assert_int_equal(udf_space_count(v->vol), count);
    assert_int_equal(v->vol->lvid.free_blocks[v->vol->part], count);
    for (uint32_t block = 0; block < v->vol->space->blocks; block++)
        assert_true(!mine[block] || space_used(v->vol->space, block));
    counts_check(v->vol->space);
    free(mine);
}

/* Opens the volume with 4 bytes of its bitmap descriptor changed (the tag made to fit again). */
static void bitmap_edit(struct volume *v, unsigned offset, uint32_t value)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_tag tag;
    volume_start(v, &spec);
    const struct udf_pd *pd = &v->vol->partitions[v->vol->part].pd;
    mmc_lba_t at = mmc_lba_add(pd->start, pd->space_bitmap.first.n);
    client_volume_close(v->dev, v->vol);
    assert_int_equal(fault_medium_peek(v->medium, at, 1, block), 0);
    assert_int_equal(udf_tag_decode(block, sizeof block, &tag), 0);
    mmc_le32_put(block + offset, value);
    udf_tag_encode(block, &tag);
    assert_int_equal(fault_medium_poke(v->medium, at, 1, block), 0);
    assert_int_equal(client_volume_open(v->medium, false, &v->dev, &v->vol), 0);
}

static void volume_end(struct volume *v)
{
    client_volume_close(v->dev, v->vol);
    fault_medium_free(v->medium);
}

static void test_bitmap_descriptors(void **state)
{
    struct volume v;
    (void)state;
    static const uint32_t wrong_bits[] = {0, 100000000, UINT32_MAX};
    for (unsigned i = 0; i < 3; i++) {
        bitmap_edit(&v, 16, wrong_bits[i]);
        assert_true(v.vol->read_only);
        assert_null(v.vol->space);
        volume_end(&v);
    }
    bitmap_edit(&v, 20, UINT32_MAX);
    assert_true(v.vol->read_only);
    volume_end(&v);
    /* Too few bits: the rest of the partition is left alone. */
    bitmap_edit(&v, 16, 1000);
    assert_false(v.vol->read_only);
    assert_in_range(udf_space_count(v.vol), 900, 1000);
    assert_int_equal(udf_tx_begin(v.vol, 10), 0);
    fill(v.vol);
    udf_tx_end(v.vol);
    counts_check(v.vol->space);
    volume_end(&v);
    /* A bitmap that has itself as free. */
    bitmap_edit(&v, 24, UINT32_MAX);
    assert_false(v.vol->read_only);
    for (uint32_t i = 0; i < v.vol->space->bitmap_blocks; i++)
        assert_true(space_used(v.vol->space, v.vol->space->bitmap_at.n + i));
    volume_end(&v);
}

static void test_no_bitmap(void **state)
{
    static const struct test_volume_spec table = {
        .options = "-m hd -b 2048 -r 2.01 --space=unalloctable", .blocks = 2048, .packet_blocks = 1};
    struct volume v;
    (void)state;
    volume_start(&v, &table);
    assert_true(v.vol->read_only);
    assert_string_equal(v.vol->read_only_reason, "its free space is in a table, which is not supported");
    assert_int_equal(udf_tx_begin(v.vol, 1), -EROFS);
    volume_end(&v);
}

/* A partition that does not begin with a packet: blocks before it are no one's. */
static void test_partition_within_packets(void **state)
{
    static const struct test_volume_spec shifted = {
        .options = "-m dvdram -b 2048 -r 2.01", .blocks = 4096, .packet_blocks = 16};
    struct volume v;
    (void)state;
    volume_start(&v, &shifted);
    assert_false(v.vol->read_only);
    assert_int_equal(v.vol->partitions[v.vol->part].pd.start.n % 16, 1);
    counts_check(v.vol->space);
    assert_int_equal(udf_tx_begin(v.vol, 10), 0);
    uint32_t got, first = take(v.vol, UDF_ALLOC_DATA, UDF_NO_GOAL, 600, &got);
    assert_int_equal((first + 1) % 16, 0);
    fill(v.vol);
    udf_tx_end(v.vol);
    counts_check(v.vol->space);
    volume_end(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_small_things_gather, start, end),
        cmocka_unit_test_setup_teardown(test_live_packets_are_left, start, end),
        cmocka_unit_test_setup_teardown(test_logged_packets_are_filled, start, end),
        cmocka_unit_test_setup_teardown(test_goal, start, end),
        cmocka_unit_test_setup_teardown(test_streams_keep_apart, start, end),
        cmocka_unit_test_setup_teardown(test_big_data_begins_with_a_packet, start, end),
        cmocka_unit_test_setup_teardown(test_reserve, start, end),
        cmocka_unit_test_setup_teardown(test_freed_waits_for_the_commit, start, end),
        cmocka_unit_test_setup_teardown(test_freed_data_waits, start, end),
        cmocka_unit_test_setup_teardown(test_wrong_frees, start, end),
        cmocka_unit_test_setup_teardown(test_at_random, start, end),
        cmocka_unit_test(test_bitmap_descriptors),
        cmocka_unit_test(test_no_bitmap),
        cmocka_unit_test(test_partition_within_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
