/* SPDX-License-Identifier: MIT */
/* Blanking and formatting, on drives with each of the quirks that are known. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive_model.h"

#define SECOND UINT64_C(1000000)

static struct fake fake;
static struct mmc_drive *drive;
static struct mmc_error last;

static int run_format(struct model *m, mmc_progress_fn *progress, void *ctx)
{
    int error;

    fake_handler(&fake, model_handle, m);
    drive = fake_drive(&fake);
    fake.clock = 0;
    error = mmc_format_packets(drive, progress, ctx);
    mmc_error_last(drive, &last);
    mmc_close(drive);
    return error;
}

static int run_blank(struct model *m, bool full)
{
    int error;

    fake_handler(&fake, model_handle, m);
    drive = fake_drive(&fake);
    fake.clock = 0;
    error = mmc_blank(drive, full, NULL, NULL);
    mmc_error_last(drive, &last);
    mmc_close(drive);
    return error;
}

static void test_plain(void **state)
{
    struct model m = {.disc = MODEL_BLANK, .profile = 0x0A};

    (void)state;
    assert_int_equal(run_format(&m, NULL, NULL), 0);
    assert_int_equal(m.disc, MODEL_FORMATTED);
    assert_int_equal(m.blanks, 0);
    assert_int_equal(m.formats, 1);
    assert_int_equal(m.refusals,
                     1); /* GET EVENT STATUS apart, only the missing next track of the formatted disc */
    assert_in_range(fake.clock, 480 * SECOND, 490 * SECOND);
    /* The page is built from zero: nothing in it but what packets need. */
    assert_int_equal(m.page[8 + 2], 0x20);
    assert_int_equal(m.page[8 + 3], 0x25);
    assert_int_equal(m.page[8 + 4], 8);
    assert_int_equal(m.page[8 + 5], 7);
    assert_int_equal(m.page[8 + 8], 0);
}

static void test_states(void **state)
{
    struct model session = {.disc = MODEL_SESSION, .profile = 0x0A};
    struct model open = {.disc = MODEL_OPEN, .profile = 0x0A};
    struct model formatted = {.disc = MODEL_FORMATTED, .profile = 0x0A};
    struct model again = {.disc = MODEL_FORMATTED, .profile = 0x0A, .refuses_formatted = true};

    (void)state;
    assert_int_equal(run_format(&session, NULL, NULL), 0);
    assert_int_equal(session.disc, MODEL_FORMATTED);
    assert_int_equal(session.blanks, 1);
    assert_int_equal(run_format(&open, NULL, NULL), 0);
    assert_int_equal(open.disc, MODEL_FORMATTED);
    assert_int_equal(open.blanks, 1);
    assert_int_equal(run_format(&formatted, NULL, NULL), 0);
    assert_int_equal(formatted.formats, 1);
    assert_int_equal(formatted.blanks, 0);
    assert_int_equal(run_format(&again, NULL, NULL), 0);
    assert_int_equal(again.formats, 1);
    assert_int_equal(again.blanks, 1);
}

/* Each quirk by itself: the disc ends up formatted, by one FORMAT UNIT. */
static void test_quirks(void **state)
{
    const struct model quirks[] = {
        {.tur_good_while_busy = true},
        {.no_progress = true},
        {.tur_good_while_busy = true, .no_progress = true},
        {.early_ready = true},
        {.attention_after = true},
        {.refuses_immed = true},
        {.refuses_options_valid = true},
        {.legacy_only = true},
        {.refuses_link_size = true},
        {.wants_link_size = true},
        {.wants_mode2 = true},
        {.wants_track_mode_7 = true},
        {.wants_mode2 = true, .wants_track_mode_7 = true, .refuses_link_size = true},
        {.erasable_lost = true},
        {.toc_fails = true},
        {.no_atip = true},
        {.garbage_atip = true},
        {.no_performance = true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
        for (enum model_disc disc = MODEL_BLANK; disc <= MODEL_FORMATTED; disc++) {
            struct model m = quirks[i];

            m.disc = disc;
            m.profile = 0x0A;
            if (run_format(&m, NULL, NULL) != 0)
                fail_msg("quirk %zu, disc %d: %s", i, disc, last.text);
            assert_int_equal(m.disc, MODEL_FORMATTED);
            assert_int_equal(m.formats, 1);
            assert_int_equal(m.sessions, 0);
            assert_true(fake.clock >= (m.early_ready ? 470 : 480) * SECOND);
        }
    }
}

/* A drive that formats no blank disc is given a small closed session, after which it does. */
static void test_session_first(void **state)
{
    const struct model quirks[] = {
        {.refuses_blank = true},
        {.lists_nothing_blank = true},
        {.refuses_blank = true, .refuses_close_track = true},
        {.refuses_blank = true, .tur_good_while_busy = true, .no_progress = true},
        {.refuses_blank = true, .wants_mode2 = true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
        struct model m = quirks[i];

        m.disc = MODEL_BLANK;
        m.profile = 0x0A;
        if (run_format(&m, NULL, NULL) != 0)
            fail_msg("quirk %zu: %s", i, last.text);
        assert_int_equal(m.disc, MODEL_FORMATTED);
        assert_int_equal(m.sessions, 1);
        assert_int_equal(m.formats, 1);
    }
}

static void test_wrong_media(void **state)
{
    static const struct {
        enum model_disc disc;
        uint16_t profile;
        int error;
        const char *says;
    } cases[] = {
        {MODEL_BLANK, 0x09, -EMEDIUMTYPE, "This disc is a CD-R, which cannot be formatted. Use a CD-RW."},
        {MODEL_SESSION, 0x08, -EMEDIUMTYPE, "This disc is pressed"},
        {MODEL_SESSION, 0x1A, -EMEDIUMTYPE, "This disc is no CD (profile 001Ah)"},
        {MODEL_NONE, 0x0A, -ENOMEDIUM, "There is no disc in the drive"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct model m = {.disc = cases[i].disc, .profile = cases[i].profile};

        assert_int_equal(run_format(&m, NULL, NULL), cases[i].error);
        assert_ptr_equal(strstr(last.text, cases[i].says), last.text);
        assert_int_equal(run_blank(&m, true), cases[i].error);
        assert_int_equal(m.blanks + m.formats, 0);
    }
}

static void test_failures(void **state)
{
    struct model lies = {.disc = MODEL_BLANK, .profile = 0x0A, .format_lies = true};
    struct model fails = {.disc = MODEL_BLANK, .profile = 0x0A, .format_fails = 0x033101};
    struct model never = {.disc = MODEL_SESSION,
                          .profile = 0x0A,
                          .legacy_only = true,
                          .refuses_options_valid = true,
                          .wants_track_mode_7 = true,
                          .wants_link_size = true,
                          .refuses_link_size = true};

    (void)state;
    assert_int_equal(run_format(&lies, NULL, NULL), -EIO);
    assert_non_null(strstr(last.text, "not in packet form"));
    assert_true(fake.clock < 1000 * SECOND);
    assert_int_equal(run_format(&fails, NULL, NULL), -EIO);
    assert_int_equal(last.sense.asc, 0x31);
    assert_int_equal(run_format(&never, NULL, NULL), -EINVAL);
    assert_int_equal(last.opcode, 0x55);
    assert_int_equal(last.sense.asc, 0x26);
}

struct seen {
    unsigned calls, blanking, formatting, estimated, stop_after;
};

static int see(void *ctx, const char *phase, double fraction, bool estimated)
{
    struct seen *s = ctx;

    assert_true(fraction >= 0 && fraction <= 1);
    s->blanking += strcmp(phase, "blanking") == 0;
    s->formatting += strcmp(phase, "formatting") == 0;
    s->estimated += estimated;
    return ++s->calls == s->stop_after;
}

static void test_progress(void **state)
{
    struct model m = {.disc = MODEL_SESSION, .profile = 0x0A};
    struct model silent = {.disc = MODEL_SESSION, .profile = 0x0A, .no_progress = true};
    struct model stopped = {.disc = MODEL_BLANK, .profile = 0x0A};
    struct seen s = {0};

    (void)state;
    assert_int_equal(run_format(&m, see, &s), 0);
    assert_true(s.blanking > 20 && s.formatting > 400);
    assert_int_equal(s.blanking + s.formatting, s.calls);
    assert_int_equal(s.estimated, 0);
    s = (struct seen){0};
    assert_int_equal(run_format(&silent, see, &s), 0);
    assert_int_equal(s.estimated, s.calls);
    s = (struct seen){.stop_after = 5};
    assert_int_equal(run_format(&stopped, see, &s), -EINTR);
    assert_int_equal(s.calls, 5);
}

static void test_blank(void **state)
{
    const struct model quirks[] = {{0},
                                   {.tur_good_while_busy = true},
                                   {.no_progress = true},
                                   {.early_ready = true},
                                   {.refuses_immed = true},
                                   {.attention_after = true},
                                   {.no_atip = true}};

    (void)state;
    for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
        for (enum model_disc disc = MODEL_BLANK; disc <= MODEL_FORMATTED; disc++) {
            struct model m = quirks[i];

            m.disc = disc;
            m.profile = 0x0A;
            if (run_blank(&m, disc & 1) != 0)
                fail_msg("quirk %zu, disc %d: %s", i, disc, last.text);
            assert_int_equal(m.disc, MODEL_BLANK);
            assert_int_equal(m.blanks, 1);
            assert_true(fake.clock >= (m.early_ready ? 20 : 30) * SECOND);
        }
    }
}

static void test_read_only(void **state)
{
    struct model m = {.disc = MODEL_BLANK, .profile = 0x0A};

    (void)state;
    fake_handler(&fake, model_handle, &m);
    drive = fake_drive(&fake);
    drive->read_only = true;
    assert_int_equal(mmc_format_packets(drive, NULL, NULL), -EROFS);
    assert_int_equal(mmc_blank(drive, false, NULL, NULL), -EROFS);
    mmc_close(drive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),       cmocka_unit_test(test_states),
        cmocka_unit_test(test_quirks),      cmocka_unit_test(test_session_first),
        cmocka_unit_test(test_wrong_media), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_progress),    cmocka_unit_test(test_blank),
        cmocka_unit_test(test_read_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
