/* SPDX-License-Identifier: MIT */
/* What "packetdisc info" says of media and drives that a virtual disc cannot be,
 * and of drives that lie or swear. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "burn/report.h"

static struct report report_of(enum mmc_medium medium)
{
    struct report report = {.path = "/dev/sr7", .drive = true};

    report.disc.medium = medium;
    snprintf(report.disc.inquiry.vendor, sizeof report.disc.inquiry.vendor, "ACME");
    snprintf(report.disc.inquiry.product, sizeof report.disc.inquiry.product, "BURNER");
    snprintf(report.disc.inquiry.revision, sizeof report.disc.inquiry.revision, "1.0");
    return report;
}

/* What print writes to standard output; the caller frees it. */
static char *output(const struct report *report, void (*print)(const struct report *))
{
    FILE *f = tmpfile();
    int saved = dup(STDOUT_FILENO);
    char *text = calloc(1, 65536);

    assert_true(f && text && saved >= 0);
    fflush(stdout);
    assert_true(dup2(fileno(f), STDOUT_FILENO) >= 0);
    print(report);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    rewind(f);
    assert_true(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

static void json_print(const struct report *report)
{
    assert_int_equal(report_json(report), 0);
}

/* Both ways of saying it: the words are there, and the JSON is JSON, with the medium. */
static json_t *check(struct report *report, const char *medium, const char *const words[])
{
    json_error_t error;
    json_t *object;
    char *text;

    assert_int_equal(report_steps_make(report), 0);
    assert_true(report->step_count > 0);
    text = output(report, report_print);
    for (size_t i = 0; words[i]; i++)
        if (!strstr(text, words[i]))
            fail_msg("no '%s' in:\n%s", words[i], text);
    free(text);
    text = output(report, json_print);
    object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        fail_msg("%s in:\n%s", error.text, text);
    free(text);
    assert_string_equal(json_string_value(json_object_get(object, "medium")), medium);
    assert_int_equal(json_array_size(json_object_get(object, "next")), report->step_count);
    return object;
}

static void no_medium(void **state)
{
    struct report report = report_of(MMC_MEDIUM_NONE);
    const char *const empty[] = {"ACME BURNER", "no disc\n", "Put a disc in.", NULL};
    const char *const open[] = {"the tray is open", "close the tray", NULL};
    json_t *object;

    (void)state;
    object = check(&report, "none", empty);
    assert_true(json_is_null(json_object_get(object, "disc")));
    assert_true(json_is_false(json_object_get(object, "tray_open")));
    json_decref(object);
    report_free(&report);
    report.disc.tray_open = true;
    object = check(&report, "none", open);
    assert_true(json_is_true(json_object_get(object, "tray_open")));
    json_decref(object);
    report_free(&report);
}

static void pressed(void **state)
{
    struct report report = report_of(MMC_MEDIUM_CD_ROM);
    const char *const words[] = {"CD-ROM, pressed",
                                 "complete; 1 session, the last one complete",
                                 "Track 1      data; session 1, 1000 blocks from block 0 on\n",
                                 "Track 2      audio; session 1, 500 blocks from block 1000 on\n",
                                 "an ISO 9660 volume",
                                 "pressed disc: it can only be read",
                                 "\"mount -o ro /dev/sr7 FOLDER\"",
                                 NULL};
    json_t *object;

    (void)state;
    report.disc.disc_status = MMC_DISC_COMPLETE;
    report.disc.session_status = MMC_SESSION_COMPLETE;
    report.disc.sessions = 1;
    report.disc.track_count = 2;
    report.disc.tracks[0] = (struct mmc_track){.number = 1, .session = 1, .track_mode = 4, .size = 1000};
    report.disc.tracks[1] =
        (struct mmc_track){.number = 2, .session = 1, .start = mmc_lba(1000), .size = 500};
    report.content_known = true;
    report.content = CLI_CONTENT_ISO;
    object = check(&report, "cd-rom", words);
    json_decref(object);
    report_free(&report);
}

/* UDF on what cannot be written is mounted for reading, and nobody is told to format it. */
static void read_only_udf(void **state)
{
    static const enum mmc_medium media[] = {MMC_MEDIUM_CD_ROM, MMC_MEDIUM_CD_R, MMC_MEDIUM_OTHER};
    static const char *const names[] = {"cd-rom", "cd-r", "other"};
    const char *const words[] = {"packetfs -o ro /dev/sr7 FOLDER", NULL};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct report report = report_of(media[i]);
        char *text;
        report.content_known = report.volume_open = true;
        report.content = CLI_CONTENT_UDF;
        json_decref(check(&report, names[i], words));
        text = output(&report, report_print);
        assert_null(strstr(text, "mkfs"));
        free(text);
        report_free(&report);
    }
}

static void damaged_session(void **state)
{
    struct report report = report_of(MMC_MEDIUM_CD_RW);
    const char *const words[] = {"appendable; 2 sessions, the last one damaged", "; damaged\n", "Free ",
                                 "\"mkfs.packetfs --force /dev/sr7\" formats it", NULL};

    (void)state;
    report.disc.disc_status = MMC_DISC_APPENDABLE;
    report.disc.session_status = MMC_SESSION_DAMAGED;
    report.disc.sessions = 2;
    report.disc.track_count = 2;
    report.disc.tracks[0] = (struct mmc_track){.number = 1, .session = 1, .track_mode = 4, .damaged = true};
    report.disc.tracks[1] = (struct mmc_track){.number = 2, .session = 2, .blank = true, .free_blocks = 77};
    json_decref(check(&report, "cd-rw", words));
    report_free(&report);
}

/* Bytes from a drive or a disc that a terminal would obey, or that are not UTF-8, go nowhere. */
static void hostile_text(void **state)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"plain", "plain"},
        {"\x1b[31mred\x07", "?[31mred?"},
        {"Größe 💿", "Größe 💿"},
        {"c1 \xc2\x9b control", "c1 ?? control"},
        {"overlong \xc0\xaf", "overlong ??"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"too big \xf4\x90\x80\x80", "too big ????"},
        {"cut \xe2\x82", "cut ??"},
        {"latin \xe9t\xe9", "latin ?t?"},
    };
    struct report report = report_of(MMC_MEDIUM_CD_RW);
    const char *const words[] = {"?[31mACM", "???", "?]0;title?", NULL};
    char buf[64];
    json_t *object;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(report_text_clean(cases[i].text, buf, sizeof buf), cases[i].clean);
    /* Never half a character where the room ends. */
    assert_string_equal(report_text_clean("ab\xc3\xb6", buf, 4), "ab");
    assert_string_equal(report_text_clean("ab\xc3\xb6", buf, 5), "ab\xc3\xb6");
    memcpy(report.disc.inquiry.vendor, "\x1b[31mACM", 8);
    memcpy(report.disc.inquiry.product, "\xff\xfe\xfd", 4);
    snprintf(report.volume.label, sizeof report.volume.label, "\x1b]0;title\x07");
    report.volume_open = report.content_known = true;
    report.content = CLI_CONTENT_UDF;
    report.disc.formatted = true;
    object = check(&report, "cd-rw", words);
    json_decref(object);
    report_free(&report);
}

/* Counts that no disc has are shown, not believed. */
static void absurd_counts(void **state)
{
    struct report report = report_of(MMC_MEDIUM_CD_RW);
    const char *const words[] = {"ACME", NULL};

    (void)state;
    report.disc.track_count = MMC_TRACKS_MAX;
    for (unsigned i = 0; i < MMC_TRACKS_MAX; i++)
        report.disc.tracks[i] = (struct mmc_track){.number = UINT_MAX,
                                                   .session = UINT_MAX,
                                                   .packet = true,
                                                   .fixed_packet = true,
                                                   .packet_blocks = UINT32_MAX,
                                                   .start = mmc_lba(INT32_MIN),
                                                   .size = UINT32_MAX,
                                                   .free_blocks = UINT32_MAX,
                                                   .blank = i % 2};
    report.disc.write_speed_count = 16;
    memset(report.disc.write_speeds_kbs, 0xff, sizeof report.disc.write_speeds_kbs);
    report.disc.capacity = report.disc.format_capacity = UINT32_MAX;
    report.disc.atip_valid = true;
    report.disc.atip_leadout = mmc_lba(INT32_MIN);
    report.disc.atip_subtype = 200;
    json_decref(check(&report, "cd-rw", words));
    report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_medium),       cmocka_unit_test(pressed),      cmocka_unit_test(read_only_udf),
        cmocka_unit_test(damaged_session), cmocka_unit_test(hostile_text), cmocka_unit_test(absurd_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
