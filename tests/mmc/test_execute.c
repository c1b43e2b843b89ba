/* SPDX-License-Identifier: MIT */
/* How commands are carried out: attentions, busy answers, late errors, aborts,
 * deadlines, and what is remembered. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "mmc/command.h"
#include "mmc/writeparams.h"

static uint8_t packet[MMC_PACKET_BLOCKS * MMC_BLOCK_BYTES];

#define READ_0  "28 00 00000000 00 0001 00"
#define WRITE_0 "2a 00 00000000 00 0020 00"

/* A drive on a script. */
struct rig {
    struct fake fake;
    struct mmc_drive *drive;
};

static void rig_up(struct rig *rig, const struct fake_step *steps)
{
    fake_script(&rig->fake, steps);
    rig->drive = fake_drive(&rig->fake);
}

static void rig_down(struct rig *rig)
{
    fake_done(&rig->fake);
    mmc_close(rig->drive);
    assert_int_equal(rig->fake.closed, 1);
}

/* One block of ones, as a reply. */
static const char *block_hex(void)
{
    static char hex[MMC_BLOCK_BYTES * 2 + 1];

    memset(hex, '1', sizeof(hex) - 1);
    return hex;
}

static int read_one(struct rig *rig)
{
    uint8_t block[MMC_BLOCK_BYTES] = {0};
    int error = mmc_read10(rig->drive, mmc_lba(0), 1, block);

    if (!error)
        assert_int_equal(block[2047], 0x11);
    return error;
}

static void test_attentions(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = READ_0, .sense = 0x062900},
        {.cdb = READ_0, .sense = 0x062800},
        {.cdb = READ_0, .sense = 0x062A01},
        {.cdb = READ_0, .in = block_hex()},
        {0},
    };
    struct mmc_deferred d;
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(read_one(&rig), 0);
    assert_int_equal(mmc_medium_changes(rig.drive), 1);
    assert_false(mmc_deferred_take(rig.drive, &d)); /* nothing was written before the reset */
    rig_down(&rig);
}

static void test_attentions_endless(void **state)
{
    const struct fake_step steps[] = {{.cdb = READ_0, .sense = 0x062900, .times = 17}, {0}};
    struct mmc_error e;
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(read_one(&rig), -EAGAIN);
    mmc_error_last(rig.drive, &e);
    assert_int_equal(e.sense.asc, 0x29);
    rig_down(&rig);
}

/* A reset while writes are on their way has lost them, and must not pass for a mere attention. */
static void test_reset_loses_writes(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = WRITE_0}, {.cdb = "35", .sense = 0x062900}, {.cdb = "35"}, {.cdb = WRITE_0},
        {.cdb = "35"},    {.cdb = "35", .sense = 0x062900}, {.cdb = "35"}, {0},
    };
    struct mmc_deferred d;
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), 0);
    assert_int_equal(mmc_synchronize_cache(rig.drive), 0);
    assert_true(mmc_deferred_take(rig.drive, &d));
    assert_int_equal(d.count, 1);
    assert_int_equal(d.error.sense.asc, 0x29);
    assert_int_equal(d.error.error, -EIO);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), 0);
    assert_int_equal(mmc_synchronize_cache(rig.drive), 0);
    assert_int_equal(mmc_synchronize_cache(rig.drive), 0);
    assert_false(mmc_deferred_take(rig.drive, &d)); /* all was synced before the reset */
    rig_down(&rig);
}

static void test_pinned_medium(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = READ_0, .in = block_hex()},
        {.cdb = "00", .sense = 0x062800},
        {.cdb = "00"},
        {0},
    };
    struct mmc_error e;
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    mmc_medium_pin(rig.drive);
    assert_int_equal(read_one(&rig), 0);
    assert_int_equal(mmc_test_unit_ready(rig.drive, false, NULL), 0);
    assert_int_equal(read_one(&rig), -ESTALE);
    mmc_error_last(rig.drive, &e);
    assert_int_equal(e.error, -ESTALE);
    assert_true(e.lba_set);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), -ESTALE);
    assert_int_equal(mmc_synchronize_cache(rig.drive), -ESTALE);
    rig_down(&rig);
}

/* The attention that comes to a WRITE itself: the data must not go to the new disc. */
static void test_pinned_medium_write(void **state)
{
    const struct fake_step steps[] = {{.cdb = WRITE_0, .sense = 0x062800}, {0}};
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    mmc_medium_pin(rig.drive);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), -ESTALE);
    mmc_medium_unpin(rig.drive);
    rig_down(&rig);
}

static void test_busy(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = READ_0, .sense = 0x020401, .times = 3},
        {.cdb = READ_0, .sense = 0x020404},
        {.cdb = READ_0, .sense = 0x020407},
        {.cdb = READ_0, .sense = 0x020408},
        {.cdb = READ_0, .status = MMC_STATUS_BUSY},
        {.cdb = READ_0, .status = 0x28},
        {.cdb = READ_0, .in = block_hex()},
        {0},
    };
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(read_one(&rig), 0);
    assert_int_equal(rig.fake.waits, 8);
    rig_down(&rig);
}

static int always_busy(struct fake *fake, struct mmc_request *r)
{
    (void)fake;
    fake_refuse(r, 0x020408, false, 0);
    return 0;
}

static void test_busy_deadline(void **state)
{
    struct mmc_error e;
    struct fake fake;
    struct mmc_drive *drive;

    (void)state;
    fake_handler(&fake, always_busy, NULL);
    drive = fake_drive(&fake);
    fake.clock = 5;
    assert_int_equal(mmc_write10(drive, mmc_lba(64), 32, packet), -EBUSY);
    assert_true(fake.clock >= MMC_TIMEOUT_MEDIUM_S * 1000000ull);
    assert_true(fake.clock < (MMC_TIMEOUT_MEDIUM_S + 2) * 1000000ull);
    mmc_error_last(drive, &e);
    assert_int_equal(e.error, -EBUSY);
    assert_int_equal(e.opcode, 0x2A);
    assert_int_equal(e.lba.n, 64);
    assert_string_equal(e.text, "WRITE (10) at block 64 failed: not ready: long write in progress (2/04/08). "
                                "The drive is busy; wait until it is done, then try again.");
    fake.waits = 0;
    assert_int_equal(mmc_test_unit_ready(drive, true, NULL), -EBUSY);
    assert_int_equal(fake.waits, 0);
    mmc_close(drive);
}

static void test_recovered(void **state)
{
    uint8_t bytes[MMC_BLOCK_BYTES];
    const struct fake_step steps[] = {{.cdb = "2a", .sense = 0x011700}, {0}};
    struct rig rig;

    (void)state;
    memset(bytes, 1, sizeof(bytes));
    rig_up(&rig, steps);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 1, bytes), 0);
    rig_down(&rig);
}

static void test_aborted(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = READ_0, .sense = 0x0B4700, .times = 3},
        {.cdb = READ_0, .in = block_hex()},
        {.cdb = WRITE_0, .sense = 0x0B4700},
        {.cdb = READ_0, .sense = 0x0B4700, .times = 4},
        {0},
    };
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(read_one(&rig), 0);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), -EIO);
    assert_int_equal(read_one(&rig), -EIO);
    rig_down(&rig);
}

/* Late errors are kept apart, and the command that got one is sent again, because the
 * drive has not carried it out. */
static void test_deferred(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = WRITE_0},
        {.cdb = READ_0, .sense = 0x030C00, .deferred = true},
        {.cdb = READ_0, .in = block_hex()},
        {.cdb = "35", .sense = 0x030C00, .deferred = true, .times = 2},
        {.cdb = "35", .sense = 0x011700, .deferred = true},
        {.cdb = "35"},
        {0},
    };
    struct mmc_deferred d;
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), 0);
    assert_int_equal(read_one(&rig), 0);
    assert_int_equal(mmc_synchronize_cache(rig.drive), 0);
    assert_true(mmc_deferred_take(rig.drive, &d));
    assert_int_equal(d.count, 3);
    assert_int_equal(d.error.error, -EIO);
    assert_true(d.error.sense.deferred);
    assert_string_equal(d.error.text,
                        "SYNCHRONIZE CACHE failed: medium error: write error (3/0C/00), of an earlier "
                        "command. The disc may be worn out or dirty; clean it, write slower, or use "
                        "another disc.");
    assert_false(mmc_deferred_take(rig.drive, &d));
    assert_int_equal(d.count, 0);
    rig_down(&rig);
}

static void test_deferred_endless(void **state)
{
    const struct fake_step steps[] = {{.cdb = "35", .sense = 0x030C00, .deferred = true, .times = 65}, {0}};
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(mmc_synchronize_cache(rig.drive), -EIO);
    rig_down(&rig);
}

#define PAGE_5 "00 00 00 00 00 00 00 00  05 32 20 25 08 07 00 00 00 00 00 00 00 20 00 96"

/* After a reset the drive has its default write parameters, with which it would
 * write something else, or refuse. */
static void test_params_again(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "55 10 00 00 00 00 00 003c 00", .out = PAGE_5},
        {.cdb = WRITE_0},
        {.cdb = WRITE_0, .sense = 0x062900},
        {.cdb = "55", .out = PAGE_5},
        {.cdb = WRITE_0},
        {.cdb = "00", .sense = 0x062A01},
        {.cdb = "00"},
        {.cdb = "55", .out = PAGE_5, .sense = 0x062900},
        {.cdb = "55", .out = PAGE_5},
        {.cdb = WRITE_0},
        {0},
    };
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(mmc_write_params_set_packet(rig.drive, NULL), 0);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), 0);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), 0);
    assert_int_equal(mmc_test_unit_ready(rig.drive, false, NULL), 0);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), 0);
    rig_down(&rig);
}

static void test_params_refused_again(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "55"},
        {.cdb = WRITE_0, .sense = 0x062900},
        {.cdb = "55", .sense = 0x052600},
        {.cdb = "55"},
        {.cdb = WRITE_0},
        {0},
    };
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(mmc_write_params_set_packet(rig.drive, NULL), 0);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), -EINVAL);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), 0);
    rig_down(&rig);
}

static void test_read_only(void **state)
{
    const struct fake_step steps[] = {{.cdb = READ_0, .in = block_hex()}, {0}};
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    rig.drive->read_only = true;
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), -EROFS);
    assert_int_equal(mmc_synchronize_cache(rig.drive), -EROFS);
    assert_int_equal(mmc_write_params_set_packet(rig.drive, NULL), -EROFS);
    assert_int_equal(mmc_blank_send(rig.drive, MMC_BLANK_FULL, 0, true), -EROFS);
    assert_int_equal(read_one(&rig), 0);
    rig_down(&rig);
}

static void test_transport_errors(void **state)
{
    static const int errors[] = {-ETIMEDOUT, -ENODEV, -EIO, -EPERM};
    struct mmc_error e;
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const struct fake_step steps[] = {{.cdb = READ_0, .error = errors[i]}, {0}};

        rig_up(&rig, steps);
        assert_int_equal(read_one(&rig), errors[i]);
        mmc_error_last(rig.drive, &e);
        assert_int_equal(e.error, errors[i]);
        assert_string_equal(e.command, "READ (10)");
        assert_non_null(strstr(e.text, "READ (10) at block 0 failed: "));
        rig_down(&rig);
    }
}

static void test_odd_answers(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = READ_0, .in = "00 11"},                        /* less than was asked for */
        {.cdb = READ_0, .status = 0x18},                       /* reservation conflict */
        {.cdb = READ_0, .status = 0x55},                       /* no status that exists */
        {.cdb = READ_0, .status = MMC_STATUS_CHECK_CONDITION}, /* without sense */
        {.cdb = READ_0, .sense = 0x052100},
        {0},
    };
    struct mmc_error e;
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    assert_int_equal(read_one(&rig), -EIO);
    assert_int_equal(read_one(&rig), -EBUSY);
    assert_int_equal(read_one(&rig), -EIO);
    assert_int_equal(read_one(&rig), -EIO);
    assert_int_equal(read_one(&rig), -EINVAL);
    mmc_error_last(rig.drive, &e);
    assert_string_equal(
        e.text, "READ (10) at block 0 failed: illegal request: block address out of range (5/21/00).");
    rig_down(&rig);
}

/* Long reads come in as many commands as the adapter wants; a packet that does
 * not fit is not written in parts. */
static void test_transfer_limit(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "28 00 00000064 00 0001 00", .in = block_hex()},
        {.cdb = "28 00 00000065 00 0001 00", .in = block_hex()},
        {0},
    };
    uint8_t blocks[2 * MMC_BLOCK_BYTES];
    struct rig rig;

    (void)state;
    rig_up(&rig, steps);
    rig.fake.transport.max_transfer = 4095;
    assert_int_equal(mmc_read10(rig.drive, mmc_lba(100), 2, blocks), 0);
    assert_int_equal(blocks[4095], 0x11);
    assert_int_equal(mmc_write10(rig.drive, mmc_lba(0), 32, packet), -EMSGSIZE);
    rig.fake.transport.max_transfer = 2047;
    assert_int_equal(mmc_read10(rig.drive, mmc_lba(100), 2, blocks), -EMSGSIZE);
    rig_down(&rig);
}

static void test_open(void **state)
{
    const struct fake_step loading[] = {
        {.cdb = "00", .sense = 0x062900},
        {.cdb = "00", .sense = 0x020402},
        {.cdb = "1b 00 00 00 01 00"},
        {.cdb = "00", .sense = 0x020401, .times = 5},
        {.cdb = "00"},
        {0},
    };
    const struct fake_step empty[] = {{.cdb = "00", .sense = 0x023A01}, {0}};
    const struct fake_step gone[] = {{.cdb = "00", .error = -ENODEV}, {0}};
    struct mmc_drive *drive;
    struct mmc_error e;
    struct fake fake;

    (void)state;
    fake_script(&fake, loading);
    assert_int_equal(mmc_open_transport(&fake.transport, &drive, &e), 0);
    fake_done(&fake);
    mmc_close(drive);
    fake_script(&fake, empty);
    assert_int_equal(mmc_open_transport(&fake.transport, &drive, NULL), 0);
    mmc_close(drive);
    fake_script(&fake, gone);
    assert_int_equal(mmc_open_transport(&fake.transport, &drive, &e), -ENODEV);
    assert_int_equal(fake.closed, 1);
    assert_int_equal(e.error, -ENODEV);
    mmc_close(NULL);
}

static int formatting_for_ever(struct fake *fake, struct mmc_request *r)
{
    (void)fake;
    fake_refuse(r, 0x020404, false, 0x8000);
    return 0;
}

static void test_open_busy(void **state)
{
    struct mmc_drive *drive;
    struct mmc_error e;
    struct fake fake;

    (void)state;
    fake_handler(&fake, formatting_for_ever, NULL);
    assert_int_equal(mmc_open_transport(&fake.transport, &drive, &e), -EBUSY);
    assert_string_equal(e.text, "The drive is busy: not ready: format in progress (2/04/04), 50 % done. "
                                "Wait until it is done, then try again.");
    assert_true(fake.clock < 70000000);
}

static void test_open_path(void **state)
{
    struct mmc_drive *drive;
    struct mmc_error e;

    (void)state;
    assert_int_equal(mmc_open("/nonexistent/disc", NULL, &drive, &e), -ENOENT);
    assert_string_equal(e.text, "/nonexistent/disc cannot be opened: No such file or directory.");
    assert_int_equal(mmc_open("/etc/passwd", NULL, &drive, &e), -ENOTBLK);
    assert_int_equal(mmc_open("/etc", NULL, &drive, NULL), -ENOTBLK);
    assert_int_equal(mmc_open("/dev/null", NULL, &drive, &e), -ENOTBLK);
    assert_string_equal(e.text, "/dev/null is not a CD drive.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attentions),
        cmocka_unit_test(test_attentions_endless),
        cmocka_unit_test(test_reset_loses_writes),
        cmocka_unit_test(test_pinned_medium),
        cmocka_unit_test(test_pinned_medium_write),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_busy_deadline),
        cmocka_unit_test(test_recovered),
        cmocka_unit_test(test_aborted),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_deferred_endless),
        cmocka_unit_test(test_params_again),
        cmocka_unit_test(test_params_refused_again),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_transport_errors),
        cmocka_unit_test(test_odd_answers),
        cmocka_unit_test(test_transfer_limit),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_open_busy),
        cmocka_unit_test(test_open_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
