/* SPDX-License-Identifier: MIT */
/* Faults on request, and the quirks of real drives. */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bytes.h"

#define SMALL     3200u
#define DISC_INFO "51 00 00 00 00 00 00 00 22 00"
#define READY     "00 00 00 00 00 00"

static void small_disc(struct rig *rig)
{
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, SMALL, false), 0);
}

/* The disc again, with these faults in force and page 05h set. */
static void with_faults(struct rig *rig, const char *lines)
{
    rig_faults(rig, lines);
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
}

static void test_read_error(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536);
    uint64_t start;

    small_disc(rig);
    with_faults(rig, "read-error 100\nread-error 200 3 once\n");
    start = vdrive_now(rig->drive);
    assert_sense(rig_read(rig, 96, 32, data), 0x31105);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 100);
    assert_int_equal(rig->reply.in_len, 4 * 2048);
    assert_true(vdrive_now(rig->drive) - start > 1000000); /* it tried */
    assert_sense(rig_read(rig, 100, 1, data), 0x31105);
    assert_sense(rig_read(rig, 101, 27, data), 0);
    assert_sense(rig_read(rig, 201, 1, data), 0x31105);
    assert_sense(rig_read(rig, 201, 1, data), 0);
    free(data);
}

static void test_write_error(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536 * 2);

    small_disc(rig);
    with_faults(rig, "write-error 70\n");
    rig_fill(data, 64, 1);
    assert_sense(rig_write(rig, 64, 32, data), 0x30c00);
    assert_int_equal(rig->reply.sense[0], 0xf0);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 70);
    assert_sense(rig_read(rig, 64, 1, data), 0x31105);
    assert_sense(rig_write(rig, 96, 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_write(rig, 64, 32, data), 0x30c00); /* the place stays bad */
    free(data);
}

/* The WRITE is answered GOOD; a later command, whichever, is told, once for every packet. */
static void test_deferred(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536);

    small_disc(rig);
    with_faults(rig, "write-error-deferred 70\nwrite-error-deferred 320 32\n");
    rig_fill(data, 32, 1);
    assert_sense(rig_write(rig, 64, 32, data), 0);
    assert_sense(rig_write(rig, 96, 32, data), 0);
    vdrive_wait(rig->drive, 2000000);
    assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0); /* INQUIRY never tells */
    assert_sense(rig_send(rig, READY, NULL, 0), 0x30c00);
    assert_int_equal(rig->reply.sense[0], 0xf1);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 70);
    assert_sense(rig_send(rig, READY, NULL, 0), 0);
    assert_sense(rig_read(rig, 64, 32, data), 0x31105);
    assert_sense(rig_read(rig, 96, 32, data), 0); /* what came after it was written */
    /* Found while SYNCHRONIZE CACHE waits: that command tells. */
    assert_sense(rig_write(rig, 320, 32, data), 0);
    assert_sense(rig_write(rig, 64, 32, data), 0);
    assert_sense(rig_sync(rig), 0x30c00);
    assert_int_equal(rig->reply.sense[0], 0xf1);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 320);
    assert_sense(rig_sync(rig), 0x30c00);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 70);
    assert_sense(rig_sync(rig), 0);
    free(data);
}

static void test_wear(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = calloc(1, 65536);
    unsigned written = 0;

    small_disc(rig);
    with_faults(rig, "wear 5\n");
    for (;;) {
        assert_sense(rig_write(rig, 640, 32, data), 0);
        if (rig_sync(rig) != 0)
            break;
        assert_true(++written < 10);
    }
    assert_int_equal(written, 4); /* and one by the format */
    assert_sense(rig_write(rig, 672, 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    free(data);
}

static void test_fail_command(void **state)
{
    struct rig *rig = *state;
    struct vdrive_stats stats;

    rig_faults(rig, "fail 12 6/28/00\nfail 13 4/08/01\n");
    do {
        assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0);
        vdrive_stats_get(rig->drive, &stats);
    } while (stats.commands < 11);
    assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0x62800);
    assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0x40801);
    assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0);
}

/* A line that is not understood is no fault to guess at. */
static void test_bad_lines(void **state)
{
    static const char *const lines[] = {"read-error\n",       "read-error x\n",
                                        "read-error 1 2 3\n", "quirk\n",
                                        "quirk nothing\n",    "wear 0\n",
                                        "fail 3 9\n",         "fail 3 5/24\n",
                                        "power-cut\n",        "power-cut 3 later\n",
                                        "something 3\n",      "wear -1\n",
                                        "read-error -1\n",    "fail 1 5/24/00 now\n"};
    struct rig *rig = *state;
    struct vdrive *drive;
    char path[96];

    rig_close(rig);
    snprintf(path, sizeof(path), "%s/faults", rig->folder);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        FILE *file = fopen(path, "w");

        fputs(lines[i], file);
        fclose(file);
        assert_int_equal(vdrive_open(rig->folder, NULL, NULL, &drive), -EINVAL);
    }
    rig_faults(rig, "  # nothing\n\nread-error 1 2 once # twice\n");
}

static void start_format(struct rig *rig)
{
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, RIG_FORMAT_BLOCKS, true), 0);
    vdrive_wait(rig->drive, 1000000);
}

static void test_quirks_busy(void **state)
{
    struct rig *rig = *state;

    rig_faults(rig, "quirk no_progress\n");
    start_format(rig);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x20404);
    assert_int_equal(rig->reply.sense[15], 0);
    rig_faults(rig, "quirk tur_good_while_busy\n");
    start_format(rig);
    assert_sense(rig_send(rig, READY, NULL, 0), 0);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0x20404);
    rig_faults(rig, "quirk early_ready\n");
    start_format(rig);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x20404);
    vdrive_wait(rig->drive, 460000000);
    assert_sense(rig_send(rig, READY, NULL, 0), 0);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_sense(rig_read(rig, 0, 1, rig->in), 0x20404);
    rig_faults(rig, "quirk stuck_busy\n");
    start_format(rig);
    vdrive_wait(rig->drive, 7200000000u);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x20404);
    assert_in_range(mmc_be16_get(rig->reply.sense + 16), 0x7f00, 0x8000);
    rig_faults(rig, "quirk stuck_busy\n");
    assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0x43e02);
}

static void test_quirks_state(void **state)
{
    struct rig *rig = *state;

    rig_faults(rig, "quirk toc_fails_formatted\nquirk erasable_lost\nquirk ua_after_blank\n");
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, SMALL, false), 0);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x62800);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 00 0c 00", NULL, 0), 0x52400);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 0x10, 0);
    rig_faults(rig, "quirk format_leaves_open\nquirk format_needs_page\n");
    assert_sense(rig_format(rig, SMALL, false), 0x52c00);
    small_disc(rig);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2], 0x15);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 00 0c 00", NULL, 0), 0x52400);
    assert_sense(rig_write(rig, 0, 32, rig->in), 0);
}

static void test_quirks_page(void **state)
{
    struct rig *rig = *state;
    uint8_t list[60];

    rig_faults(rig, "quirk bad_link_default\n");
    assert_sense(rig_send(rig, "5a 08 05 00 00 00 00 00 3c 00", NULL, 0), 0);
    assert_int_equal(rig->in[10] & 0x20, 0x20);
    assert_int_equal(rig->in[13], 0x10);
    memcpy(list, rig->in, sizeof(list));
    assert_sense(rig_send(rig, "55 10 00 00 00 00 00 00 3c 00", list, sizeof(list)),
                 0x52600); /* as it was read */
    list[13] = 7;
    assert_sense(rig_send(rig, "55 10 00 00 00 00 00 00 3c 00", list, sizeof(list)), 0);
}

static void test_quirk_buffer(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = calloc(1, 65536);
    unsigned good = 0;

    small_disc(rig);
    with_faults(rig, "quirk buffer_full_busy\n");
    while (rig_write(rig, (int32_t)(32 * good), 32, data) == 0)
        assert_true(++good < 60);
    assert_in_range(good, 32, 36);
    assert_int_equal(rig->reply.sense[13], 0x08);
    vdrive_wait(rig->drive, 100000);
    assert_sense(rig_write(rig, (int32_t)(32 * good), 32, data), 0);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_error, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_write_error, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_deferred, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_wear, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_fail_command, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_bad_lines, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_quirks_busy, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_quirks_state, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_quirks_page, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_quirk_buffer, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
