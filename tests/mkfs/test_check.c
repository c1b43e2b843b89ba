/* SPDX-License-Identifier: MIT */
/* What mkfs.packetfs says of media that a virtual disc cannot be: an empty drive, an
 * open tray, a pressed disc, a DVD. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mkfs/mkfs.h"

/* Runs the check with standard error in a file, and puts what it printed into text. */
static int check(const struct mmc_disc_info *info, char *text, size_t size)
{
    FILE *f = tmpfile();
    int saved = dup(STDERR_FILENO), result;
    size_t n;

    assert_non_null(f);
    assert_true(saved >= 0 && dup2(fileno(f), STDERR_FILENO) >= 0);
    result = mkfs_medium_check(info);
    fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(f);
    n = fread(text, 1, size - 1, f);
    text[n] = '\0';
    fclose(f);
    return result;
}

static void media(void **state)
{
    static const struct {
        struct mmc_disc_info info;
        int result;
        const char *says;
    } cases[] = {
        {{.medium = MMC_MEDIUM_NONE}, -ENOMEDIUM, "no disc in the drive"},
        {{.medium = MMC_MEDIUM_NONE, .tray_open = true}, -ENOMEDIUM, "the tray is open"},
        {{.medium = MMC_MEDIUM_CD_ROM}, -EMEDIUMTYPE, "a pressed disc"},
        {{.medium = MMC_MEDIUM_CD_R}, -EMEDIUMTYPE, "a CD-R"},
        {{.medium = MMC_MEDIUM_OTHER}, -EMEDIUMTYPE, "not a CD-RW"},
        {{.medium = MMC_MEDIUM_CD_RW}, 0, ""},
    };
    char text[512];

    (void)state;
    cli_program_set("mkfs.packetfs");
    cli_disc_set("/dev/sr7");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(check(&cases[i].info, text, sizeof text), cases[i].result);
        assert_non_null(strstr(text, cases[i].says));
        if (cases[i].result)
            assert_non_null(strstr(text, "mkfs.packetfs: /dev/sr7: "));
        else
            assert_string_equal(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(media)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
