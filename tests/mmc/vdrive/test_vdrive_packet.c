/* SPDX-License-Identifier: MIT */
/* The life of a packet disc: formatted, written, read, refused, kept over power off, blanked. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

#include "mmc/bytes.h"

/* What a drive says of itself and of a disc that is new. */
static void test_blank(void **state)
{
    struct rig *rig = *state;

    assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 36);
    assert_int_equal(rig->in[0], 5);
    assert_sense(rig_send(rig, "46 00 00 00 00 00 00 01 00 00", NULL, 0), 0);
    assert_int_equal(mmc_be16_get(rig->in + 6), 0x000a);
    assert_int_equal(rig->reply.in_len, mmc_be32_get(rig->in) + 4);
    assert_sense(rig_send(rig, "51 00 00 00 00 00 00 00 22 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 34);
    assert_int_equal(rig->in[2], 0x10);
    assert_memory_equal(rig->in + 16, "\x00\x61\x1a\x41\x00\x4f\x3b\x4a", 8);
    assert_sense(rig_send(rig, "52 01 00 00 00 ff 00 00 24 00", NULL, 0), 0);
    assert_int_equal(rig->in[6], 0x4f);
    assert_int_equal(rig->in[7], 0x01);
    assert_int_equal(mmc_be32_get(rig->in + 12), 0);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 00 0c 00", NULL, 0), 0x52400);
    assert_sense(rig_send(rig, "25 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in), 0);
    assert_sense(rig_read(rig, 0, 1, rig->in), 0x80000);
    assert_sense(rig_read(rig, 400000, 1, rig->in), 0x52100);
}

/* READ FORMAT CAPACITIES names what FORMAT UNIT then makes. */
static void test_format_capacities(void **state)
{
    struct rig *rig = *state;

    assert_sense(rig_send(rig, "23 00 00 00 00 00 00 00 fc 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 28);
    assert_int_equal(rig->in[8], 0x01);
    assert_memory_equal(rig->in + 12, "\x00\x04\x81\x60\x00\x00\x08\x00", 8);
    assert_memory_equal(rig->in + 20, "\x00\x04\x81\x60\x40\x00\x00\x20", 8);
    rig_formatted(rig);
    assert_sense(rig_send(rig, "23 00 00 00 00 00 00 00 fc 00", NULL, 0), 0);
    assert_memory_equal(rig->in + 4, "\x00\x04\x81\x60\x02\x00\x08\x00", 8);
    assert_sense(rig_send(rig, "25 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in), RIG_FORMAT_BLOCKS - 1);
    assert_int_equal(mmc_be32_get(rig->in + 4), 2048);
}

/* While it formats: 2/04/04 with a progress that only grows, then the state that a real drive shows. */
static void test_format(void **state)
{
    struct rig *rig = *state;
    uint64_t start = vdrive_now(rig->drive), seconds;
    unsigned progress = 0, polls = 0;
    uint32_t sense;
    int64_t length;

    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, RIG_FORMAT_BLOCKS, true), 0);
    assert_true(vdrive_now(rig->drive) - start < 1000000);
    while ((sense = rig_send(rig, "51 00 00 00 00 00 00 00 22 00", NULL, 0)) != 0) {
        assert_sense(sense, 0x20404);
        assert_int_equal(rig->reply.sense[15], 0x80);
        assert_true(mmc_be16_get(rig->reply.sense + 16) >= progress);
        progress = mmc_be16_get(rig->reply.sense + 16);
        assert_sense(rig_write(rig, 0, 0, NULL), 0x20404);
        assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0);
        vdrive_wait(rig->drive, 5000000);
        polls++;
    }
    seconds = (vdrive_now(rig->drive) - start) / 1000000;
    assert_in_range(seconds, 480, 540);
    assert_true(polls > 90 && progress > 60000);
    assert_int_equal(rig->in[2], 0x1e); /* erasable, last session complete, disc complete */
    assert_sense(rig_send(rig, "52 01 00 00 00 01 00 00 24 00", NULL, 0), 0);
    assert_memory_equal(rig->in, "\x00\x22\x01\x01\x00\x05\xb2\x00", 8);
    assert_int_equal(mmc_be32_get(rig->in + 8), 0);
    assert_int_equal(mmc_be32_get(rig->in + 20), 32);
    assert_int_equal(mmc_be32_get(rig->in + 24), RIG_FORMAT_BLOCKS);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->in[14], 0xaa);
    assert_true(rig_disk_use(rig, "data.img", &length) < 65536);
    assert_int_equal(length, RIG_FORMAT_BLOCKS * 2048ll);
}

static void test_write_read(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536 * 2), *back = malloc(65536 * 2);
    struct vdrive_stats stats;

    rig_formatted(rig);
    rig_fill(data, 64, 7);
    assert_sense(rig_write(rig, 3200, 64, data), 0);
    assert_sense(rig_read(rig, 3200, 64, back), 0);
    assert_memory_equal(data, back, 65536 * 2);
    assert_sense(rig_read(rig, 3263, 1, back), 0);
    assert_memory_equal(data + 63 * 2048, back, 2048);
    assert_sense(rig_read(rig, (int32_t)RIG_FORMAT_BLOCKS - 1, 1, back), 0); /* formatted: reads as zeros */
    assert_int_equal(back[0], 0);
    rig_fill(data, 32, 8);
    assert_sense(rig_write(rig, 3200, 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    vdrive_stats_get(rig->drive, &stats);
    assert_int_equal(stats.writes, 2);
    assert_int_equal(stats.writes_whole_packet, 2);
    assert_int_equal(stats.packets_written, 3);
    assert_int_equal(stats.bytes_out, 96 * 2048);
    assert_int_equal(stats.most_rewritten_packet, 100);
    assert_int_equal(stats.most_rewrites, 3); /* the format was the first */
    rig_close(rig);
    rig_open(rig);
    assert_sense(rig_read(rig, 3200, 32, back), 0);
    assert_memory_equal(data, back, 65536);
    vdrive_stats_get(rig->drive, &stats);
    assert_int_equal(stats.most_rewrites, 3);
    free(data);
    free(back);
}

static void test_write_refusals(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = calloc(64, 2048);

    /* A blank disc: nothing said, packets where there are none. */
    assert_sense(rig_write(rig, 0, 32, data), 0x52c00);
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_write(rig, 0, 32, data), 0x56400);
    rig_formatted(rig);
    assert_sense(rig_write(rig, 0, 31, data), 0x56401);
    assert_sense(rig_write(rig, 0, 33, data), 0x56401);
    assert_sense(rig_write(rig, 1, 32, data), 0x52102);
    assert_sense(rig_write(rig, 16, 32, data), 0x52102);
    assert_sense(rig_write(rig, (int32_t)RIG_FORMAT_BLOCKS, 32, data), 0x52100);
    assert_sense(rig_write(rig, (int32_t)RIG_FORMAT_BLOCKS - 32, 64, data), 0x52100);
    assert_sense(rig_write(rig, -32, 32, data), 0x52100);
    assert_sense(rig_read(rig, (int32_t)RIG_FORMAT_BLOCKS, 1, rig->in), 0x52100);
    assert_sense(rig_page5(rig, 1, 0, 8), 0);
    assert_sense(rig_write(rig, 0, 32, data), 0x56400); /* track at once on a formatted disc */
    assert_sense(rig_page5(rig, 0, 0, 8), 0);
    assert_sense(rig_write(rig, 0, 32, data), 0x56400); /* mode 1 into a mode 2 track */
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_write(rig, 0, 32, data), 0);
    free(data);
}

static void test_blank_again(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536);
    struct vdrive_stats stats;
    int64_t length;
    uint32_t sense;

    rig_formatted(rig);
    rig_fill(data, 32, 1);
    assert_sense(rig_write(rig, 0, 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, "a1 11 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    sense = rig_send(rig, "00 00 00 00 00 00", NULL, 0);
    assert_sense(sense, 0x20407);
    assert_int_equal(rig->reply.sense[15], 0x80);
    rig_wait_ready(rig);
    assert_sense(rig_send(rig, "51 00 00 00 00 00 00 00 22 00", NULL, 0), 0);
    assert_int_equal(rig->in[2], 0x10);
    assert_sense(rig_read(rig, 0, 1, rig->in), 0x80000);
    rig_disk_use(rig, "data.img", &length);
    assert_int_equal(length, 0);
    /* Wear is of the disc, not of what is on it. */
    vdrive_stats_get(rig->drive, &stats);
    assert_int_equal(stats.most_rewrites, 2);
    /* Full, waited for: as long as the whole disc takes. */
    {
        uint64_t start = vdrive_now(rig->drive);

        assert_sense(rig_send(rig, "a1 00 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
        assert_in_range((vdrive_now(rig->drive) - start) / 1000000, 480, 540);
    }
    assert_sense(rig_send(rig, "a1 15 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0x52400);
    rig_formatted(rig);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blank, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_format_capacities, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_format, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_write_read, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_write_refusals, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_blank_again, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
