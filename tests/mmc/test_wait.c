/* SPDX-License-Identifier: MIT */
/* Waiting for a drive at work: both polls, progress told and modelled, deadlines, failures at the end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"

#define SECOND UINT64_C(1000000)

static struct fake fake;
static struct mmc_drive *drive;

/* A drive at work until a time, that tells it as its quirks let it. */
struct worker {
    uint64_t until, length;
    bool tur_silent, info_silent;        /* which of the polls says nothing of it */
    bool no_progress, progress_by_sense; /* whether it says how far it is, and how */
    uint32_t failure;                    /* sense of TEST UNIT READY once it is done */
    bool failure_deferred, failed;
};

static struct worker worker;

static int worker_progress(uint64_t now)
{
    uint64_t left = worker.until - now;
    int n = (int)(65536 * (worker.length - left) / worker.length);

    return worker.no_progress ? 0 : n ? n : 1;
}

static int worker_answer(struct fake *f, struct mmc_request *r)
{
    static const uint8_t info[34] = {0, 32, 0x10};
    bool busy = f->clock < worker.until;

    switch (r->cdb[0]) {
    case 0x00:
        if (busy && !worker.tur_silent)
            fake_refuse(r, 0x020404, false, worker.progress_by_sense ? 0 : worker_progress(f->clock));
        else if (!busy && worker.failure && !worker.failed)
            fake_refuse(r, worker.failure, worker.failed = worker.failure_deferred, 0);
        return 0;
    case 0x51:
        if (busy && !worker.info_silent)
            fake_refuse(r, 0x020407, false, worker.progress_by_sense ? 0 : worker_progress(f->clock));
        else
            fake_reply(r, info, sizeof(info));
        return 0;
    case 0x03: {
        uint8_t sense[18] = {0x70, 0, 2, [7] = 10, [12] = 4, [13] = 4};
        int n = busy ? worker_progress(f->clock) : 0;

        if (worker.progress_by_sense) {
            sense[15] = 0x80;
            sense[16] = (uint8_t)(n >> 8);
            sense[17] = (uint8_t)n;
        }
        fake_reply(r, sense, sizeof(sense));
        return 0;
    }
    default:
        fail_msg("unexpected command %02x", r->cdb[0]);
        return 0;
    }
}

struct shown {
    unsigned calls, estimated;
    double last;
    unsigned stop_after;
};

static int show(void *ctx, const char *phase, double fraction, bool estimated)
{
    struct shown *s = ctx;

    assert_string_equal(phase, "formatting");
    assert_true(fraction >= s->last && fraction <= 1);
    s->last = fraction;
    s->calls++;
    s->estimated += estimated;
    return s->stop_after && s->calls >= s->stop_after;
}

static struct shown shown;
static const struct mmc_wait wait_usual = {"formatting", 100, 1000, show, &shown};

static void up(struct worker w, uint64_t seconds)
{
    worker = w;
    worker.until = worker.length = seconds * SECOND;
    shown = (struct shown){0};
    fake_handler(&fake, worker_answer, NULL);
    drive = fake_drive(&fake);
    fake.clock = 0;
}

static void test_both_tell(void **state)
{
    (void)state;
    up((struct worker){0}, 100);
    assert_int_equal(mmc_drive_wait(drive, &wait_usual), 0);
    assert_in_range(fake.clock, 100 * SECOND, 102 * SECOND);
    assert_in_range(shown.calls, 90, 130);
    assert_int_equal(shown.estimated, 0);
    assert_true(shown.last > 0.9);
    mmc_close(drive);
}

static void test_one_tells(void **state)
{
    (void)state;
    up((struct worker){.tur_silent = true}, 100);
    assert_int_equal(mmc_drive_wait(drive, &wait_usual), 0);
    assert_in_range(fake.clock, 100 * SECOND, 102 * SECOND);
    mmc_close(drive);
    up((struct worker){.info_silent = true}, 100);
    assert_int_equal(mmc_drive_wait(drive, &wait_usual), 0);
    assert_in_range(fake.clock, 100 * SECOND, 102 * SECOND);
    mmc_close(drive);
}

static void test_progress_by_model(void **state)
{
    (void)state;
    up((struct worker){.no_progress = true}, 150);
    assert_int_equal(mmc_drive_wait(drive, &wait_usual), 0);
    assert_int_equal(shown.calls, shown.estimated);
    assert_true(shown.last == 0.99); /* the model says 100 s */
    mmc_close(drive);
}

static void test_progress_by_request_sense(void **state)
{
    (void)state;
    up((struct worker){.progress_by_sense = true}, 100);
    assert_int_equal(mmc_drive_wait(drive, &wait_usual), 0);
    assert_int_equal(shown.estimated, 0);
    assert_true(shown.last > 0.9);
    mmc_close(drive);
}

static void test_deadline(void **state)
{
    struct mmc_error e;

    (void)state;
    up((struct worker){0}, 5000);
    assert_int_equal(mmc_drive_wait(drive, &wait_usual), -ETIMEDOUT);
    assert_in_range(fake.clock, 1000 * SECOND, 1002 * SECOND);
    mmc_error_last(drive, &e);
    assert_int_equal(e.error, -ETIMEDOUT);
    assert_non_null(strstr(e.text, "still formatting after 1000 s"));
    mmc_close(drive);
}

static void test_interrupted(void **state)
{
    (void)state;
    up((struct worker){0}, 100);
    shown.stop_after = 3;
    assert_int_equal(mmc_drive_wait(drive, &wait_usual), -EINTR);
    assert_int_equal(shown.calls, 3);
    mmc_close(drive);
}

static void test_failures(void **state)
{
    static const struct {
        uint32_t sense;
        bool deferred;
        int error;
    } cases[] = {
        {0x035100, false, -EIO},
        {0x033101, false, -EIO},
        {0x035100, true, -EIO},
        {0x040900, false, -EIO},
        {0x023A02, false, -ENOMEDIUM},
        {0x023000, false, 0}}; /* a blank disc: the question is refused, the operation has not failed */
    struct mmc_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        up((struct worker){.failure = cases[i].sense, .failure_deferred = cases[i].deferred}, 10);
        assert_int_equal(mmc_drive_wait(drive, &wait_usual), cases[i].error);
        mmc_error_last(drive, &e);
        assert_int_equal(e.error, cases[i].error);
        assert_int_equal(e.sense.asc, cases[i].error ? cases[i].sense >> 8 & 0xFF : 0);
        assert_int_equal(e.sense.deferred, cases[i].deferred);
        mmc_close(drive);
    }
}

static void test_drive_goes(void **state)
{
    const struct fake_step steps[] = {{.cdb = "00", .sense = 0x020404}, {.cdb = "00", .error = -ENODEV}, {0}};
    const struct mmc_wait plain = {.phase = "blanking", .limit_s = 10};

    (void)state;
    fake_script(&fake, steps);
    drive = fake_drive(&fake);
    assert_int_equal(mmc_drive_wait(drive, &plain), -ENODEV);
    fake_done(&fake);
    mmc_close(drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_tell),         cmocka_unit_test(test_one_tells),
        cmocka_unit_test(test_progress_by_model), cmocka_unit_test(test_progress_by_request_sense),
        cmocka_unit_test(test_deadline),          cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_failures),          cmocka_unit_test(test_drive_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
