/* SPDX-License-Identifier: MIT */
/* Tracks written at once: addresses, run-out, sessions and their tables of contents, on CD-RW and CD-R. */
#include "rig.h"

#include <stdlib.h>

#include "mmc/bytes.h"

#define CLOSE_SESSION "5b 00 02 00 00 00 00 00 00 00"
#define CLOSE_TRACK   "5b 00 01 00 00 ff 00 00 00 00"
#define DISC_INFO     "51 00 00 00 00 00 00 00 22 00"
#define NEXT_TRACK    "52 01 00 00 00 ff 00 00 24 00"

/* Address where writing goes on, as the host is told. */
static uint32_t next_address(struct rig *rig)
{
    assert_sense(rig_send(rig, NEXT_TRACK, NULL, 0), 0);
    assert_true(rig->in[7] & 1);
    return mmc_be32_get(rig->in + 12);
}

static void write_track(struct rig *rig, uint32_t blocks, uint32_t seed)
{
    uint8_t *data = malloc((size_t)blocks * 2048);

    rig_fill(data, blocks, seed);
    assert_sense(rig_write(rig, (int32_t)next_address(rig), blocks, data), 0);
    free(data);
}

static void check_track(struct rig *rig, uint32_t at, uint32_t blocks, uint32_t seed)
{
    uint8_t *data = malloc((size_t)blocks * 2048), *back = malloc((size_t)blocks * 2048);

    rig_fill(data, blocks, seed);
    assert_sense(rig_read(rig, (int32_t)at, blocks, back), 0);
    assert_memory_equal(data, back, (size_t)blocks * 2048);
    free(data);
    free(back);
}

static void test_addresses(void **state)
{
    struct rig *rig = *state;
    uint8_t data[2048] = {0};

    assert_sense(rig_write(rig, 0, 1, data), 0x52c00); /* page 05h was never set */
    assert_sense(rig_page5(rig, 1, 0, 8), 0);
    assert_sense(rig_write(rig, 1, 1, data), 0x52102);
    assert_sense(rig_write(rig, -1, 1, data), 0x52100);
    assert_sense(rig_write(rig, 360000, 1, data), 0x52100);
    write_track(rig, 400, 1);
    assert_int_equal(next_address(rig), 400);
    assert_sense(rig_write(rig, 399, 1, data), 0x52102);
    assert_sense(rig_page5(rig, 0, 0, 10), 0x52c00); /* not while a track is open */
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0x57203);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 0x0f, 0x05); /* session incomplete, disc appendable */
    assert_sense(rig_sync(rig), 0);
    assert_int_equal(next_address(rig), 400 + 2 + 150);
    write_track(rig, 10, 2); /* filled up to four seconds */
    assert_sense(rig_send(rig, CLOSE_TRACK, NULL, 0), 0);
    assert_int_equal(next_address(rig), 552 + 300 + 2 + 150);
    check_track(rig, 0, 400, 1);
    check_track(rig, 552, 10, 2);
    assert_sense(rig_read(rig, 400, 1, data), 0x56400); /* run-out */
    assert_sense(rig_read(rig, 500, 1, data), 0x56400); /* pregap */
    assert_sense(rig_read(rig, 5000, 1, data), 0x80000);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 5000);
    assert_sense(rig_send(rig, "25 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in), 0); /* no session is closed */
}

static void check_toc(struct rig *rig, unsigned tracks, const uint32_t *starts, uint32_t leadout)
{
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 03 24 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 4 + 8 * (tracks + 1));
    assert_int_equal(rig->in[3], tracks);
    for (unsigned t = 0; t < tracks; t++)
        assert_int_equal(mmc_be32_get(rig->in + 8 + 8 * t), starts[t]);
    assert_int_equal(rig->in[6 + 8 * tracks], 0xaa);
    assert_int_equal(mmc_be32_get(rig->in + 8 + 8 * tracks), leadout);
}

static void test_sessions(void **state)
{
    struct rig *rig = *state;
    const uint32_t starts[] = {0, 652, 12554, 19956};

    assert_sense(rig_page5(rig, 1, 3, 10), 0);
    write_track(rig, 500, 1);
    assert_sense(rig_sync(rig), 0);
    write_track(rig, 500, 2);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 0x0f, 0x01); /* appendable, last session empty */
    assert_int_equal(rig->in[4], 2);
    assert_int_equal(rig->in[5], 3);
    assert_int_equal(rig->in[8], 0x20);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0); /* empty: nothing to close */
    check_toc(rig, 2, starts, 1154);
    assert_int_equal(next_address(rig), 1154 + 11400);
    write_track(rig, 500, 3);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    assert_int_equal(next_address(rig), 12554 + 502 + 6900);
    /* The rest after the power was off: the disc says where to go on. */
    rig_close(rig);
    rig_open(rig);
    assert_int_equal(next_address(rig), 19956);
    assert_sense(rig_page5(rig, 1, 0, 8), 0);
    write_track(rig, 500, 4);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    check_toc(rig, 4, starts, 20458);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 0x0f, 0x0e);
    assert_sense(rig_send(rig, NEXT_TRACK, NULL, 0), 0x52400);
    assert_sense(rig_send(rig, "25 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in), 20457);
    for (unsigned t = 0; t < 4; t++)
        check_track(rig, starts[t], 500, t + 1);
    assert_sense(rig_send(rig, "43 00 01 00 00 00 00 00 0c 00", NULL, 0), 0);
    assert_int_equal(rig->in[3], 3);
    assert_int_equal(mmc_be32_get(rig->in + 8), 19956);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 00 0c 40", NULL, 0),
                 0); /* the old place of the format */
    assert_int_equal(mmc_be32_get(rig->in + 8), 19956);
}

/* Full TOC and PMA come out of Q frames: points, times in minutes, and where the next session goes. */
static void test_frames(void **state)
{
    struct rig *rig = *state;

    assert_sense(rig_page5(rig, 1, 3, 8), 0);
    write_track(rig, 500, 1);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, "43 02 03 00 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 15);
    assert_memory_equal(rig->in + 4, "\x00\x14\x00\x01\x00\x08\x34\x00\x00\x02\x00", 11);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    assert_sense(rig_send(rig, "43 02 02 00 00 00 00 01 00 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 4 + 11 * 6);
    assert_memory_equal(rig->in + 4, "\x01\x14\x00\xa0\x00\x00\x00\x00\x01\x00\x00", 11);
    assert_memory_equal(rig->in + 15, "\x01\x14\x00\xa1\x00\x00\x00\x00\x01\x00\x00", 11);
    assert_memory_equal(rig->in + 26, "\x01\x14\x00\xa2\x00\x00\x00\x00\x00\x08\x34", 11);
    assert_memory_equal(rig->in + 37, "\x01\x14\x00\x01\x00\x00\x00\x00\x00\x02\x00", 11);
    /* Two and a half minutes behind the lead-out, 02:38:52; last lead-out 79:59:74. */
    assert_memory_equal(rig->in + 48, "\x01\x54\x00\xb0\x02\x26\x34\x00\x4f\x3b\x4a", 11);
    assert_memory_equal(rig->in + 59, "\x01\x54\x00\xc0\x00\x00\x00\x00\x61\x1a\x41", 11);
    assert_sense(rig_send(rig, "43 00 04 00 00 00 00 00 1c 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 28);
    assert_memory_equal(rig->in + 8, "\x61\x1a\x41\x00\x4f\x3b\x4a\x00", 8);
    assert_sense(rig_send(rig, "43 00 05 00 00 00 00 00 1c 00", NULL, 0), 0x52400); /* no CD-Text */
}

static void test_cd_r(void **state)
{
    struct rig *rig = *state;

    assert_sense(rig_send(rig, "46 02 00 00 00 00 00 00 08 00", NULL, 0), 0);
    assert_int_equal(mmc_be16_get(rig->in + 6), 0x0009);
    assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0x53005);
    assert_sense(rig_format(rig, RIG_FORMAT_BLOCKS, true), 0x53006);
    assert_sense(rig_send(rig, "23 00 00 00 00 00 00 00 fc 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 12); /* nothing to format to */
    assert_sense(rig_page5(rig, 1, 0, 8), 0);
    write_track(rig, 600, 5);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    check_track(rig, 0, 600, 5);
    assert_sense(rig_write(rig, 752, 1, rig->in), 0x53005); /* finished for good */
}

/* A drive that formats no blank disc does once a session has been closed on it. */
static void test_no_format_blank(void **state)
{
    struct rig *rig = *state;

    rig_faults(rig, "quirk no_format_blank\n");
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, RIG_FORMAT_BLOCKS, true), 0x52c00);
    assert_sense(rig_page5(rig, 1, 3, 8), 0);
    write_track(rig, 300, 1);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, "5b 01 02 00 00 00 00 00 00 00", NULL, 0), 0);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0x20407);
    rig_wait_ready(rig);
    rig_formatted(rig);
    assert_sense(rig_send(rig, "52 01 00 00 00 01 00 00 24 00", NULL, 0), 0);
    assert_int_equal(rig->in[6], 0xb2);
}

/* The power goes in the middle of a track: the drive finds it damaged, and can close it. */
static void test_damaged_track(void **state)
{
    struct rig *rig = *state;
    uint8_t data[2048] = {0};

    assert_sense(rig_page5(rig, 1, 3, 8), 0);
    write_track(rig, 600, 1);
    vdrive_wait(rig->drive, 60000000);
    rig_power_cut(rig);
    assert_sense(rig_send(rig, "52 01 00 00 00 01 00 00 24 00", NULL, 0), 0);
    assert_int_equal(rig->in[5], 0x24); /* damaged */
    assert_int_equal(rig->in[7], 0);    /* no next address */
    assert_sense(rig_page5(rig, 1, 3, 8), 0);
    assert_sense(rig_write(rig, 600, 1, data), 0x57203);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0x57203);
    assert_sense(rig_send(rig, CLOSE_TRACK, NULL, 0), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    check_track(rig, 0, 600, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_addresses, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_sessions, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_frames, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_cd_r, rig_setup_cd_r, rig_teardown),
        cmocka_unit_test_setup_teardown(test_no_format_blank, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_damaged_track, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
