/* SPDX-License-Identifier: MIT */
/* The drive library on the virtual drive: every state of a disc, every quirk it has,
 * and a failure at every command. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/command.h"
#include "mmc/writeparams.h"

static char folder[64];
static struct mmc_drive *drive;
static struct mmc_error error;
static uint8_t packet[MMC_PACKET_BLOCKS * MMC_BLOCK_BYTES];

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *format, ...)
{
    char command[256];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    return system(command);
}

static void drive_on(void)
{
    if (mmc_open(folder, NULL, &drive, &error) != 0)
        fail_msg("%s", error.text);
}

static void disc_new(enum vdrive_medium medium)
{
    const struct vdrive_disc_spec spec = {medium, 74, 24};

    strcpy(folder, "/tmp/test-on-vdrive-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(vdrive_disc_create(folder, &spec), 0);
}

static void faults_set(const char *lines)
{
    char path[100];
    FILE *f;

    snprintf(path, sizeof(path), "%s/faults", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(lines, f);
    assert_int_equal(fclose(f), 0);
}

static void disc_gone(void)
{
    mmc_close(drive);
    drive = NULL;
    assert_int_equal(run("rm -rf %s", folder), 0);
}

static void ok(int result)
{
    if (result == 0)
        return;
    mmc_error_last(drive, &error);
    fail_msg("%d: %s", result, error.text);
}

static struct mmc_disc_info look(void)
{
    struct mmc_disc_info info;

    ok(mmc_disc_info_get(drive, &info));
    return info;
}

static void check_blank(void)
{
    struct mmc_disc_info i = look();

    assert_int_equal(i.disc_status, MMC_DISC_BLANK);
    assert_int_equal(i.session_status, MMC_SESSION_EMPTY);
    assert_int_equal(i.track_count, 1);
    assert_true(i.tracks[0].blank && i.tracks[0].nwa_valid && i.tracks[0].nwa.n == 0);
    assert_false(i.formatted);
    assert_int_equal(i.capacity, 0);
}

static void check_formatted(void)
{
    struct mmc_disc_info i = look();

    assert_true(i.formatted);
    assert_int_equal(i.packet_blocks, 32);
    assert_true(i.capacity > 250000);
    assert_int_equal(i.capacity, i.format_capacity);
    assert_int_equal(i.capacity % 32, 0);
    assert_int_equal(i.track_count, 1);
}

/* Writes packets at both ends of the formatted disc and reads them back. */
static void check_packets(void)
{
    uint32_t capacity = look().capacity;
    uint8_t read_back[sizeof(packet)];

    memset(packet, 0x5A, sizeof(packet));
    ok(mmc_write_params_set_packet(drive, NULL));
    ok(mmc_write10(drive, mmc_lba(0), 32, packet));
    ok(mmc_write10(drive, mmc_lba(capacity - 32), 32, packet));
    ok(mmc_synchronize_cache(drive));
    assert_false(mmc_deferred_take(drive, NULL));
    memset(read_back, 0, sizeof(read_back));
    ok(mmc_read10(drive, mmc_lba(capacity - 32), 32, read_back));
    assert_memory_equal(read_back, packet, sizeof(packet));
    assert_int_equal(mmc_write10(drive, mmc_lba(capacity), 32, packet), -EINVAL);
}

static void test_life(void **state)
{
    struct mmc_wait wait = {.phase = "closing", .limit_s = 600};
    struct mmc_disc_info i;

    (void)state;
    disc_new(VDRIVE_CD_RW);
    drive_on();
    check_blank();
    i = look();
    assert_int_equal(i.medium, MMC_MEDIUM_CD_RW);
    assert_true(i.atip_valid && i.atip_leadin.n < -4500 && i.atip_leadout.n > 300000);
    assert_true(i.write_speed_count > 0);
    ok(mmc_format_packets(drive, NULL, NULL));
    check_formatted();
    check_packets();
    ok(mmc_format_packets(drive, NULL, NULL)); /* again, with data on it */
    check_formatted();
    ok(mmc_blank(drive, false, NULL, NULL));
    check_blank();
    ok(mmc_write_params_set_tao(drive, MMC_MULTI_NEXT));
    ok(mmc_opc_send(drive));
    for (int n = 0; n < 10; n++)
        ok(mmc_write10(drive, mmc_lba(n * 32), 32, packet));
    ok(mmc_synchronize_cache(drive));
    i = look();
    assert_int_equal(i.disc_status, MMC_DISC_APPENDABLE);
    assert_int_equal(i.session_status, MMC_SESSION_INCOMPLETE);
    assert_int_equal(i.track_count, 2);
    assert_true(i.tracks[1].blank && i.tracks[1].nwa.n >= 320 + 150);
    ok(mmc_close_send(drive, MMC_CLOSE_SESSION, 0, true));
    ok(mmc_drive_wait(drive, &wait));
    i = look();
    assert_int_equal(i.disc_status, MMC_DISC_APPENDABLE);
    assert_int_equal(i.sessions, 2);
    assert_true(i.capacity >= 320);
    ok(mmc_format_packets(drive, NULL, NULL)); /* blanks it first */
    check_formatted();
    check_packets();
    ok(mmc_blank(drive, true, NULL, NULL));
    check_blank();
    disc_gone();
}

static void test_kept_over_power_off(void **state)
{
    (void)state;
    disc_new(VDRIVE_CD_RW);
    drive_on();
    ok(mmc_format_packets(drive, NULL, NULL));
    mmc_close(drive);
    drive_on();
    check_formatted();
    check_packets();
    disc_gone();
}

static void test_quirks(void **state)
{
    static const char *const quirks[] = {
        "no_progress",
        "tur_good_while_busy",
        "tur_good_while_busy\nquirk no_progress",
        "early_ready",
        "toc_fails_formatted",
        "erasable_lost",
        "no_format_blank",
        "format_leaves_open",
        "format_needs_page",
        "ua_after_blank",
        "bad_link_default",
        "buffer_full_busy",
        "no_format_blank\nquirk tur_good_while_busy",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
        char line[100];

        snprintf(line, sizeof(line), "quirk %s\n", quirks[i]);
        disc_new(VDRIVE_CD_RW);
        faults_set(line);
        drive_on();
        if (mmc_format_packets(drive, NULL, NULL) != 0) {
            mmc_error_last(drive, &error);
            fail_msg("%s: %s", quirks[i], error.text);
        }
        check_formatted();
        check_packets();
        ok(mmc_format_packets(drive, NULL, NULL));
        check_formatted();
        ok(mmc_blank(drive, false, NULL, NULL));
        check_blank();
        disc_gone();
    }
}

static void test_stuck(void **state)
{
    uint64_t start;

    (void)state;
    disc_new(VDRIVE_CD_RW);
    faults_set("quirk stuck_busy\n");
    drive_on();
    start = mmc_drive_now(drive);
    assert_int_equal(mmc_format_packets(drive, NULL, NULL), -ETIMEDOUT);
    mmc_error_last(drive, &error);
    assert_non_null(strstr(error.text, "still formatting"));
    assert_true(mmc_drive_now(drive) - start < 3 * 3600 * UINT64_C(1000000));
    disc_gone();
}

static void test_cd_r(void **state)
{
    (void)state;
    disc_new(VDRIVE_CD_R);
    drive_on();
    assert_int_equal(look().medium, MMC_MEDIUM_CD_R);
    assert_int_equal(mmc_format_packets(drive, NULL, NULL), -EMEDIUMTYPE);
    mmc_error_last(drive, &error);
    assert_string_equal(error.text, "This disc is a CD-R, which cannot be formatted. Use a CD-RW.");
    assert_int_equal(mmc_blank(drive, true, NULL, NULL), -EMEDIUMTYPE);
    disc_gone();
}

static void test_deferred_error(void **state)
{
    struct mmc_deferred d;

    (void)state;
    disc_new(VDRIVE_CD_RW);
    faults_set("write-error-deferred 64\n");
    drive_on();
    ok(mmc_format_packets(drive, NULL, NULL));
    ok(mmc_write_params_set_packet(drive, NULL));
    ok(mmc_write10(drive, mmc_lba(64), 32, packet));
    ok(mmc_synchronize_cache(drive));
    assert_true(mmc_deferred_take(drive, &d));
    assert_int_equal(d.count, 1);
    assert_int_equal(d.error.sense.key, MMC_KEY_MEDIUM_ERROR);
    assert_int_equal(d.error.sense.asc, 0x0C);
    assert_true(d.error.lba_set && d.error.lba.n == 64);
    ok(mmc_synchronize_cache(drive));
    assert_false(mmc_deferred_take(drive, NULL));
    disc_gone();
}

static void test_held(void **state)
{
    char expected[128];
    int status;
    pid_t child;

    (void)state;
    disc_new(VDRIVE_CD_RW);
    drive_on();
    snprintf(expected, sizeof(expected), "%s is in use by process %d (", folder, (int)getpid());
    child = fork();
    if (child == 0) {
        struct mmc_drive *second;

        _exit(mmc_open(folder, NULL, &second, &error) == -EBUSY &&
                      strncmp(error.text, expected, strlen(expected)) == 0
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    disc_gone();
}

static void test_look_only(void **state)
{
    const struct mmc_open_options options = {.read_only = true};

    (void)state;
    disc_new(VDRIVE_CD_RW);
    assert_int_equal(mmc_open(folder, &options, &drive, &error), 0);
    check_blank();
    assert_int_equal(mmc_format_packets(drive, NULL, NULL), -EROFS);
    assert_int_equal(mmc_blank(drive, false, NULL, NULL), -EROFS);
    disc_gone();
}

static void test_stats(void **state)
{
    struct vdrive_stats stats;

    (void)state;
    disc_new(VDRIVE_CD_RW);
    drive_on();
    assert_int_equal(mmc_drive_stats(drive, &stats), 0);
    assert_true(stats.commands >= 1);
    disc_gone();
}

/* A drive whose format was given up may still be at it, and must be let finish. */
static void format_later(void)
{
    int result = -EBUSY;

    for (int i = 0; i < 100; i++) {
        result = mmc_format_packets(drive, NULL, NULL);
        if (result != -EBUSY)
            break;
        mmc_drive_pause(drive, 10000000);
    }
    ok(result);
}

/*
 * Every command of a format fails once, in each of several ways. Whatever comes of it, success means a
 * formatted disc, failure comes with a sentence, and the disc can be formatted after that.
 */
static void test_every_command_fails(void **state)
{
    static const char *const senses[] = {"5/24/00", "3/0C/00", "2/04/08", "6/29/00", "6/28/00", "B/47/00"};

    (void)state;
    for (size_t s = 0; s < sizeof(senses) / sizeof(senses[0]); s++) {
        for (unsigned n = 1; n <= 40; n++) {
            char line[64];
            int result;

            snprintf(line, sizeof(line), "fail %u %s\n", n, senses[s]);
            disc_new(VDRIVE_CD_RW);
            faults_set(line);
            drive_on();
            result = mmc_format_packets(drive, NULL, NULL);
            mmc_error_last(drive, &error);
            if (result == 0) {
                check_formatted();
            } else {
                assert_int_equal(result, error.error);
                assert_true(strlen(error.text) > 20);
                format_later();
                check_formatted();
            }
            disc_gone();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),   cmocka_unit_test(test_kept_over_power_off),
        cmocka_unit_test(test_quirks), cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_cd_r),   cmocka_unit_test(test_deferred_error),
        cmocka_unit_test(test_held),   cmocka_unit_test(test_look_only),
        cmocka_unit_test(test_stats),  cmocka_unit_test(test_every_command_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
