/* SPDX-License-Identifier: MIT */
/* What all programs share: messages, sizes, progress, and what is recognised on a device. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"

/* Standard error into a file until stderr_end, which returns what was written (the caller frees it). */
static FILE *caught;
static int saved;

static void stderr_begin(void)
{
    caught = tmpfile();
    saved = dup(STDERR_FILENO);
    assert_true(caught && saved >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
}

static char *stderr_end(void)
{
    char *text = calloc(1, 8192);

    fflush(stderr);
    assert_true(text && dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(caught);
    text[fread(text, 1, 8191, caught)] = '\0';
    fclose(caught);
    return text;
}

static void said(const char *want)
{
    char *text = stderr_end();

    assert_string_equal(text, want);
    free(text);
}

static void messages(void **state)
{
    (void)state;
    cli_program_set("program");
    cli_disc_set(NULL);
    stderr_begin();
    cli_error("one %d", 1);
    cli_disc_set("/dev/sr0");
    cli_error("two");
    cli_warning("three");
    cli_info("four");
    cli_debug("not shown");
    cli_debug_set(true);
    cli_debug("five");
    cli_debug_set(false);
    cli_quiet_set(true);
    cli_info("not shown");
    cli_error("six");
    cli_quiet_set(false);
    cli_error("escape \x1b[31m and\nnewline");
    said(
        "program: one 1\nprogram: /dev/sr0: two\nprogram: /dev/sr0: warning: three\nprogram: /dev/sr0: four\n"
        "program: /dev/sr0: five\nprogram: /dev/sr0: six\nprogram: /dev/sr0: escape ?[31m and?newline\n");
}

static void progress_lines(void **state)
{
    struct cli_progress progress = {0};

    (void)state;
    cli_program_set("program");
    cli_disc_set(NULL);
    stderr_begin();
    for (int i = 0; i <= 100; i++)
        assert_int_equal(cli_progress(&progress, "working", i / 250.0, false), 0);
    assert_int_equal(cli_progress(&progress, "working", 7.0, false), 0); /* more than all */
    assert_int_equal(cli_progress(&progress, "guessing", 0.55, true), 0);
    assert_int_equal(cli_progress(&progress, "guessing", 0.0 / 0.0, true), 0);
    cli_progress_end(&progress);
    said("program: working: 0 %\nprogram: working: 10 %\nprogram: working: 20 %\nprogram: working: 30 %\n"
         "program: working: 40 %\nprogram: working: 100 %\nprogram: guessing: about 50 %\n");
    stderr_begin();
    cli_quiet_set(true);
    cli_progress(&progress, "working", 0.5, false);
    cli_quiet_set(false);
    said("");
}

static void sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 bytes"},
        {1023, "1023 bytes"},
        {2048, "2.0 KiB"},
        {8u << 20, "8.0 MiB"},
        {604700672, "577 MiB"},
        {UINT64_C(4) << 30, "4096 MiB"},
        {UINT64_C(13207024435), "12.3 GiB"},
    };
    char buf[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(cli_size_text(cases[i].bytes, buf, sizeof buf), cases[i].text);
}

static void errors(void **state)
{
    (void)state;
    assert_string_equal(cli_errno_text(-ENOMEDIUM), "no disc in the drive");
    assert_string_equal(cli_errno_text(ENOMEDIUM), "no disc in the drive");
    assert_string_equal(cli_errno_text(-ELOOP), strerror(ELOOP));
}

/* A file of 4096 blocks; places of bytes to put in. */
static enum cli_content content_of(const char *text, size_t len, off_t at, int fill, bool whole)
{
    char path[] = "/tmp/packetfs-test-cli.XXXXXX";
    int fd = mkstemp(path);
    enum cli_content content;
    struct block_device *dev;
    char block[2048];

    assert_true(fd >= 0);
    memset(block, fill, sizeof block);
    for (int i = 0; i < 8192; i++)
        assert_int_equal(write(fd, block, sizeof block), sizeof block);
    assert_int_equal(pwrite(fd, text, len, at), len);
    close(fd);
    assert_int_equal(block_file_open(path, false, 32, &dev), 0);
    assert_int_equal(cli_content_find(dev, whole, &content), 0);
    block_close(dev);
    unlink(path);
    return content;
}

static void contents(void **state)
{
    (void)state;
    assert_int_equal(content_of("", 0, 0, 0, true), CLI_CONTENT_BLANK);
    assert_int_equal(content_of("", 0, 0, 0xff, true), CLI_CONTENT_BLANK);
    assert_int_equal(content_of("\1NSR02\1", 7, 17 * 2048 - 1 + 0, 0, true), CLI_CONTENT_OTHER);
    assert_int_equal(content_of("\0NSR02\1", 7, 17 * 2048, 0, true), CLI_CONTENT_UDF);
    assert_int_equal(content_of("\0NSR03\1", 7, 18 * 2048, 0, true), CLI_CONTENT_UDF);
    assert_int_equal(content_of("\1CD001\1", 7, 16 * 2048, 0, true), CLI_CONTENT_ISO);
    assert_int_equal(content_of("x", 1, 5 * 2048 + 9, 0, false), CLI_CONTENT_OTHER);
    assert_int_equal(content_of("x", 1, 8191 * 2048 + 9, 0, false), CLI_CONTENT_OTHER);
    /* In the middle it is found by a look at everything only. */
    assert_int_equal(content_of("x", 1, 4096 * 2048 + 9, 0, true), CLI_CONTENT_OTHER);
    assert_int_equal(content_of("x", 1, 4096 * 2048 + 9, 0, false), CLI_CONTENT_BLANK);
}

static void opening(void **state)
{
    struct cli_disc disc;

    (void)state;
    cli_program_set("program");
    stderr_begin();
    assert_int_equal(cli_disc_open("/nonexistent/disc", NULL, &disc), -ENOENT);
    assert_int_equal(cli_disc_open("/", NULL, &disc), -ENOTBLK);
    assert_int_equal(cli_disc_open("/dev/null", NULL, &disc), -ENOTBLK);
    said("program: /nonexistent/disc: there is no such drive, disc folder or file\n"
         "program: /: this folder is not a virtual disc; \"packetdisc create\" makes one\n"
         "program: /dev/null: this is neither a drive, nor a disc folder, nor an image file\n");
}

static void mounted(void **state)
{
    char where[64];

    (void)state;
    assert_false(cli_disc_mounted("/nonexistent", where, sizeof where));
    assert_false(cli_disc_mounted("/dev/null", where, sizeof where));
    assert_false(cli_disc_mounted("/", where, sizeof where));
}

/* Last: the flag stays. */
static void interrupts(void **state)
{
    struct cli_progress progress = {0};

    (void)state;
    cli_interrupt_catch();
    assert_false(cli_interrupted());
    raise(SIGTERM);
    assert_true(cli_interrupted());
    cli_quiet_set(true);
    assert_int_not_equal(cli_progress(&progress, "working", 0.5, false), 0);
    cli_quiet_set(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages), cmocka_unit_test(progress_lines), cmocka_unit_test(sizes),
        cmocka_unit_test(errors),   cmocka_unit_test(contents),       cmocka_unit_test(opening),
        cmocka_unit_test(mounted),  cmocka_unit_test(interrupts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
