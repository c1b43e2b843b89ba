/* SPDX-License-Identifier: MIT */
/* The virtual clock: what a drive would take, by arithmetic on the medium. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mmc/bytes.h"

#define MIB 1048576u

static uint64_t seconds_of(struct rig *rig, uint64_t since)
{
    return (vdrive_now(rig->drive) - since) / 1000000;
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Streams mib to the start of the disc; returns microseconds until all is on the medium. */
static uint64_t stream(struct rig *rig, unsigned mib)
{
    uint64_t start = vdrive_now(rig->drive);
    uint8_t *data = malloc(65536);

    rig_fill(data, 32, 3);
    for (unsigned i = 0; i < mib * (MIB / 65536); i++)
        assert_sense(rig_write(rig, (int32_t)(i * 32), 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    free(data);
    return vdrive_now(rig->drive) - start;
}

/* 300 MiB at 10x: 39 sectors pass for every 32 blocks. */
static void test_stream(void **state)
{
    struct rig *rig = *state;
    double want = 300.0 * MIB / 2048 * 39 / 32 / 75 / 10, got, cpu;

    rig_formatted(rig);
    cpu = cpu_seconds();
    got = (double)stream(rig, 300) / 1e6;
    cpu = cpu_seconds() - cpu;
    print_message("300 MiB: %.1f s on the clock, %.1f s by arithmetic, %.2f s of processor\n", got, want,
                  cpu);
    assert_true(got > want * 0.97 && got < want * 1.03);
}

/* The first WRITEs take the cable's time; once 2 MiB are in, they take the medium's. */
static void test_buffer(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536);
    uint64_t start, before;

    rig_formatted(rig);
    rig_fill(data, 32, 3);
    start = vdrive_now(rig->drive);
    for (int i = 0; i < 32; i++)
        assert_sense(rig_write(rig, 32 * i, 32, data), 0);
    assert_true(vdrive_now(rig->drive) - start < 200000);
    assert_sense(rig_send(rig, "5c 00 00 00 00 00 00 00 0c 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 4), 2 * MIB);
    assert_true(mmc_be32_get(rig->in + 8) <= 3 * 65536u);
    for (int i = 32; i < 96; i++)
        assert_sense(rig_write(rig, 32 * i, 32, data), 0);
    assert_in_range(vdrive_now(rig->drive) - start, 60u * 52000, 70u * 52000);
    /* While the host waits the laser goes on: SYNCHRONIZE CACHE has nothing left to wait for. */
    vdrive_wait(rig->drive, 3000000);
    assert_sense(rig_send(rig, "5c 00 00 00 00 00 00 00 0c 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 8), 2 * MIB);
    before = vdrive_now(rig->drive);
    assert_sense(rig_sync(rig), 0);
    assert_true(vdrive_now(rig->drive) - before < 150000);
    free(data);
}

/* Here and there costs a seek for each packet; one after the other costs none. */
static void test_seek(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536);
    uint64_t start, each;

    rig_formatted(rig);
    rig_fill(data, 32, 3);
    start = vdrive_now(rig->drive);
    for (int i = 0; i < 50; i++)
        assert_sense(rig_write(rig, i % 2 ? 32 * i : 200000 + 32 * i, 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    each = (vdrive_now(rig->drive) - start) / 50;
    assert_in_range(each, 130000, 200000);
    /* A packet read, changed and written back: two seeks and two turn-arounds. */
    start = vdrive_now(rig->drive);
    for (int i = 0; i < 50; i++) {
        int32_t at = (i * 7919 % 9000) * 32;

        assert_sense(rig_read(rig, at, 32, data), 0);
        assert_sense(rig_write(rig, at, 32, data), 0);
    }
    assert_sense(rig_sync(rig), 0);
    each = (vdrive_now(rig->drive) - start) / 50;
    assert_in_range(each, 180000, 350000);
    free(data);
}

/* Reading is faster outside than inside, and reading on costs no seek. */
static void test_read(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(65536);
    uint64_t took[2];

    rig_formatted(rig);
    for (int outer = 0; outer < 2; outer++) {
        int32_t from = outer ? 280000 : 0;
        uint64_t start = vdrive_now(rig->drive);

        for (int i = 0; i < 320; i++)
            assert_sense(rig_read(rig, from + 32 * i, 32, data), 0);
        took[outer] = vdrive_now(rig->drive) - start;
    }
    /* 20 MiB at 17x and at 39x, 39 sectors for 32 blocks */
    assert_in_range(took[0], 9200000, 10500000);
    assert_in_range(took[1], 4000000, 4800000);
    free(data);
}

/* SET CD SPEED, and the three speeds of media: 24x is reached in zones. */
static void test_speeds(void **state)
{
    struct rig *rig = *state;
    struct rig *fast;
    void *other = NULL;
    uint64_t us;

    rig_formatted(rig);
    assert_sense(rig_send(rig, "bb 00 ff ff 02 c4 00 00 00 00 00 00", NULL, 0), 0); /* 4x as some round it */
    us = stream(rig, 10);
    assert_in_range(us, 20800000, 21400000);
    rig_setup(&other);
    fast = other;
    rig_close(fast);
    {
        char path[96];

        snprintf(path, sizeof(path), "%s/disc", fast->folder);
        remove(path);
        snprintf(path, sizeof(path), "rm -f %s/*", fast->folder);
        assert_int_equal(system(path), 0);
    }
    fast->spec.speed = 24;
    assert_int_equal(vdrive_disc_create(fast->folder, &fast->spec), 0);
    rig_open(fast);
    rig_formatted(fast);
    us = stream(fast, 10);
    assert_in_range(us, 5200000, 5700000); /* 16x in the inner zone */
    rig_teardown(&other);
}

/* The clock stands still when nobody asks anything. */
static void test_virtual(void **state)
{
    struct rig *rig = *state;
    uint64_t now = vdrive_now(rig->drive);
    struct timespec pause = {0, 20000000};
    double cpu = cpu_seconds();

    nanosleep(&pause, NULL);
    assert_int_equal(vdrive_now(rig->drive), now);
    vdrive_wait(rig->drive, 3600000000u);
    assert_int_equal(vdrive_now(rig->drive), now + 3600000000u);
    assert_true(cpu_seconds() - cpu < 1.0);
    assert_true(seconds_of(rig, now) == 3600);
}

/* realtime: a command takes as long as the clock says. */
static void test_realtime(void **state)
{
    struct rig *rig = *state;
    struct timespec start, end;
    uint64_t before, real;

    rig_close(rig);
    rig->options.realtime = true;
    rig_open(rig);
    before = vdrive_now(rig->drive);
    clock_gettime(CLOCK_MONOTONIC, &start);
    vdrive_wait(rig->drive, 300000);
    clock_gettime(CLOCK_MONOTONIC, &end);
    real = (uint64_t)(end.tv_sec - start.tv_sec) * 1000000 + (uint64_t)(end.tv_nsec / 1000) -
           (uint64_t)(start.tv_nsec / 1000);
    assert_true(real >= 290000);
    assert_true(vdrive_now(rig->drive) >= before + 300000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stream, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_buffer, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_seek, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_read, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_speeds, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_virtual, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_realtime, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
