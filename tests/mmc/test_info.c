/* SPDX-License-Identifier: MIT */
/* What the library makes of discs and drives of every kind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive_model.h"

static int look(struct model *m, struct mmc_disc_info *info)
{
    struct mmc_drive *drive;
    struct fake fake;
    int error;

    fake_handler(&fake, model_handle, m);
    drive = fake_drive(&fake);
    memset(info, 0xA5, sizeof(*info));
    error = mmc_disc_info_get(drive, info);
    mmc_close(drive);
    return error;
}

static void test_none(void **state)
{
    struct model m = {.disc = MODEL_NONE, .profile = 0x0A};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0);
    assert_int_equal(i.medium, MMC_MEDIUM_NONE);
    assert_false(i.tray_open);
    assert_string_equal(i.inquiry.vendor, "MAKER");
    assert_int_equal(i.track_count, 0);
    m.tray_open = true;
    assert_int_equal(look(&m, &i), 0);
    assert_true(i.tray_open);
}

static void test_blank(void **state)
{
    struct model m = {.disc = MODEL_BLANK, .profile = 0x0A};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0);
    assert_int_equal(i.medium, MMC_MEDIUM_CD_RW);
    assert_int_equal(i.disc_status, MMC_DISC_BLANK);
    assert_int_equal(i.session_status, MMC_SESSION_EMPTY);
    assert_true(i.erasable && !i.formatted && i.atip_valid);
    assert_int_equal(i.atip_leadout.n, 359849);
    assert_int_equal(i.atip_subtype, 1);
    assert_int_equal(i.capacity, 0);
    assert_int_equal(i.format_capacity, 0x48160);
    assert_int_equal(i.track_count, 1);
    assert_true(i.tracks[0].blank && i.tracks[0].nwa_valid);
    assert_int_equal(i.write_speed_count, 2);
    assert_int_equal(i.write_speeds_kbs[0], 1764);
}

static void test_session(void **state)
{
    struct model m = {.disc = MODEL_SESSION, .profile = 0x0A};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0);
    assert_int_equal(i.disc_status, MMC_DISC_COMPLETE);
    assert_int_equal(i.track_count, 1);
    assert_int_equal(i.tracks[0].size, 0x8581);
    assert_int_equal(i.capacity, 0x8581);
    assert_false(i.formatted);
}

static void test_open_session(void **state)
{
    struct model m = {.disc = MODEL_OPEN, .profile = 0x09};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0);
    assert_int_equal(i.medium, MMC_MEDIUM_CD_R);
    assert_int_equal(i.disc_status, MMC_DISC_APPENDABLE);
    assert_int_equal(i.track_count, 2);
    assert_int_equal(i.tracks[0].number, 1);
    assert_int_equal(i.tracks[1].number, 2);
    assert_true(i.tracks[1].blank);
    assert_int_equal(i.tracks[1].nwa.n, 0x47E);
    assert_int_equal(i.format_capacity, 0); /* no CD-RW */
}

static void test_formatted(void **state)
{
    struct model m = {.disc = MODEL_FORMATTED, .profile = 0x0A};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0);
    assert_true(i.formatted);
    assert_int_equal(i.packet_blocks, 32);
    assert_int_equal(i.capacity, 0x48160);
    assert_int_equal(i.track_count, 1);
    /* Whether the disc can be erased, and its TOC, say nothing about its packets. */
    m.erasable_lost = m.toc_fails = true;
    assert_int_equal(look(&m, &i), 0);
    assert_true(i.formatted && !i.erasable);
    m.profile = 0x09;
    assert_int_equal(look(&m, &i), 0);
    assert_false(i.formatted);
}

static void test_drives_that_leave_out(void **state)
{
    struct model m = {.disc = MODEL_FORMATTED, .no_performance = true};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0); /* no profile: by its ATIP, a CD-RW */
    assert_int_equal(i.medium, MMC_MEDIUM_CD_RW);
    assert_int_equal(i.profile, 0);
    assert_true(i.formatted);
    assert_int_equal(i.write_speed_count, 1); /* from the capabilities page */
    assert_int_equal(i.write_speeds_kbs[0], 1764);
    m.no_atip = true;
    assert_int_equal(look(&m, &i), 0); /* and by being erasable */
    assert_int_equal(i.medium, MMC_MEDIUM_CD_RW);
    assert_false(i.atip_valid);
    m.disc = MODEL_SESSION;
    m.profile = 0x08;
    m.no_atip = false;
    m.garbage_atip = m.no_disc_information = true;
    assert_int_equal(look(&m, &i), 0);
    assert_int_equal(i.medium, MMC_MEDIUM_CD_ROM);
    assert_false(i.atip_valid);
    assert_int_equal(i.disc_status, MMC_DISC_COMPLETE);
    assert_int_equal(i.track_count, 1);
    assert_int_equal(i.tracks[0].size, 0x8581);
    m.toc_fails = true;
    assert_int_equal(look(&m, &i), -EOPNOTSUPP);
}

static void test_other_medium(void **state)
{
    struct model m = {.disc = MODEL_SESSION, .profile = 0x1A};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0);
    assert_int_equal(i.medium, MMC_MEDIUM_OTHER);
}

static void test_busy_then_known(void **state)
{
    struct model m = {.disc = MODEL_SESSION,
                      .profile = 0x0A,
                      .busy_until = 20000000,
                      .busy_sense = 0x020407,
                      .busy_then = MODEL_BLANK};
    struct mmc_disc_info i;

    (void)state;
    assert_int_equal(look(&m, &i), 0);
    assert_int_equal(i.disc_status, MMC_DISC_BLANK);
}

/* A drive whose every reply is one byte, without end. */
static uint8_t noise_byte;

static int noise(struct fake *fake, struct mmc_request *r)
{
    (void)fake;
    if (r->direction == MMC_DIR_IN) {
        memset(r->data, noise_byte, r->data_len);
        r->transferred = r->data_len;
    }
    return 0;
}

static void test_noise(void **state)
{
    struct mmc_disc_info i;
    struct fake fake;

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        struct mmc_drive *drive;

        noise_byte = (uint8_t)byte;
        fake_handler(&fake, noise, NULL);
        drive = fake_drive(&fake);
        mmc_disc_info_get(drive, &i);
        assert_true(i.track_count <= MMC_TRACKS_MAX);
        assert_true(i.write_speed_count <= 16);
        assert_true(i.format_capacity <= 449850);
        assert_true(i.medium == MMC_MEDIUM_OTHER || i.capacity <= 449850);
        assert_true(fake.commands < 300);
        mmc_close(drive);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),         cmocka_unit_test(test_blank),
        cmocka_unit_test(test_session),      cmocka_unit_test(test_open_session),
        cmocka_unit_test(test_formatted),    cmocka_unit_test(test_drives_that_leave_out),
        cmocka_unit_test(test_other_medium), cmocka_unit_test(test_busy_then_known),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
