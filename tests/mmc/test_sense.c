/* SPDX-License-Identifier: MIT */
/* Sense data in all its forms, true and false. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "mmc/sense.h"

/* Decodes from memory of just the right size, so that the sanitizer sees a byte read too far. */
static struct mmc_sense decode(const char *hex)
{
    uint8_t bytes[300];
    size_t len = fake_hex(hex, bytes, sizeof(bytes));
    uint8_t *exact = malloc(len ? len : 1);
    struct mmc_sense sense;

    memcpy(exact, bytes, len);
    memset(&sense, 0xA5, sizeof(sense));
    mmc_sense_decode(exact, len, &sense);
    free(exact);
    return sense;
}

static void check_code(const struct mmc_sense *s, unsigned key, unsigned asc, unsigned ascq)
{
    assert_int_equal(s->key, key);
    assert_int_equal(s->asc, asc);
    assert_int_equal(s->ascq, ascq);
}

static void test_fixed(void **state)
{
    struct mmc_sense s = decode("70 00 02 00000000 0a 00000000 04 04 00 80 7f ff");

    (void)state;
    check_code(&s, 2, 0x04, 0x04);
    assert_false(s.deferred);
    assert_true(s.progress_set);
    assert_int_equal(s.progress, 0x7FFF);
    assert_false(s.lba_set);
    s = decode("f0 00 03 00001234 0a 00000000 11 05 00 00 00 00");
    check_code(&s, 3, 0x11, 0x05);
    assert_true(s.lba_set);
    assert_int_equal(s.lba, 0x1234);
    assert_false(s.progress_set);
    s = decode("f0 00 05 ffffff6a 0a 00000000 21 02 00 c0 00 02");
    assert_int_equal(s.lba, -150);
    assert_false(s.progress_set); /* a field pointer, not progress */
    s = decode("71 00 03 00000000 0a 00000000 0c 00 00 00 00 00");
    check_code(&s, 3, 0x0C, 0x00);
    assert_true(s.deferred);
}

static void test_descriptor(void **state)
{
    struct mmc_sense s =
        decode("72 03 11 05 00 00 00 14  00 0a 80 00 00 00 00 00 00 00 12 34  02 06 00 00 80 40 00 00");

    (void)state;
    check_code(&s, 3, 0x11, 0x05);
    assert_true(s.lba_set);
    assert_int_equal(s.lba, 0x1234);
    assert_false(s.progress_set); /* not with a medium error */
    s = decode("72 02 04 07 00 00 00 08  02 06 00 00 80 40 00 00");
    assert_true(s.progress_set);
    assert_int_equal(s.progress, 0x4000);
    s = decode("73 03 0c 00 00 00 00 00");
    check_code(&s, 3, 0x0C, 0x00);
    assert_true(s.deferred);
    s = decode("72 03 11 05 00 00 00 0c  00 0a 80 00 00 00 00 01 00 00 00 00");
    assert_false(s.lba_set); /* a block beyond 32 bits */
    s = decode("72 05 21 00 00 00 00 0c  00 0a 80 00 ff ff ff ff ff ff ff 6a");
    assert_true(s.lba_set);
    assert_int_equal(s.lba, -150);
}

/* A descriptor that claims to be longer than the data, one of length 0, and an
 * additional length beyond the end. */
static void test_descriptor_hostile(void **state)
{
    struct mmc_sense s = decode("72 02 04 07 00 00 00 ff  00 ff 80");

    (void)state;
    check_code(&s, 2, 0x04, 0x07);
    assert_false(s.lba_set);
    s = decode("72 02 04 07 00 00 00 f0  00 00 00 00 00 00 00 00 02 06 00 00 80 12 34 00");
    assert_true(s.progress_set);
    assert_int_equal(s.progress, 0x1234);
    s = decode("72 02 04 07 00 00 00 04  02 06 00 00 80 12 34 00");
    assert_false(s.progress_set);
    s = decode("72 02 04 07 00 00 00 08  02");
    assert_false(s.progress_set);
}

static void test_short(void **state)
{
    uint8_t bytes[18];
    struct mmc_sense s;

    (void)state;
    fake_hex("f0 00 02 12345678 0a 00000000 04 05 00 80 ff ff", bytes, sizeof(bytes));
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        uint8_t *exact = malloc(len ? len : 1);

        memcpy(exact, bytes, len);
        mmc_sense_decode(exact, len, &s);
        free(exact);
        assert_int_equal(s.key, len >= 3 ? 2 : 0);
        assert_int_equal(s.lba_set, len >= 7);
        assert_int_equal(s.asc, len >= 13 ? 0x04 : 0);
        assert_int_equal(s.ascq, len >= 14 ? 0x05 : 0);
        assert_int_equal(s.progress_set, len >= 18);
    }
}

static void test_nonsense(void **state)
{
    struct mmc_sense s = decode("");

    (void)state;
    check_code(&s, 0, 0, 0);
    s = decode("00 00 03 00 00 00 00 0a 00 00 00 00 11 05");
    check_code(&s, 0, 0, 0);
    s = decode("7f 00 03 00 00 00 00 0a 00 00 00 00 11 05");
    check_code(&s, 0, 0, 0);
    assert_false(s.deferred);
}

/* Every code there can be has an errno and words, none of which is 0, empty or too long for its buffer. */
static void test_every_code(void **state)
{
    char text[100];

    (void)state;
    for (unsigned n = 0; n < 1u << 20; n++) {
        struct mmc_sense s = {.key = (uint8_t)(n >> 16), .asc = (uint8_t)(n >> 8), .ascq = (uint8_t)n};

        assert_true(mmc_sense_errno(&s) < 0);
        assert_ptr_equal(mmc_sense_text(&s, text, sizeof(text)), text);
        assert_true(strlen(text) > 9 && strlen(text) < sizeof(text) - 1);
        (void)mmc_sense_hint(&s);
    }
}

static void test_words(void **state)
{
    static const struct {
        uint32_t code;
        int error;
        const char *text;
    } cases[] = {
        {0x030C00, -EIO, "medium error: write error (3/0C/00)"},
        {0x031105, -EIO, "medium error: unrecovered read error, L-EC uncorrectable (3/11/05)"},
        {0x020404, -EBUSY, "not ready: format in progress (2/04/04)"},
        {0x020407, -EBUSY, "not ready: operation in progress (2/04/07)"},
        {0x020408, -EBUSY, "not ready: long write in progress (2/04/08)"},
        {0x023A02, -ENOMEDIUM, "not ready: no medium, tray open (2/3A/02)"},
        {0x023000, -EMEDIUMTYPE, "not ready: incompatible medium (2/30/00)"},
        {0x062800, -ESTALE, "unit attention: the medium may have changed (6/28/00)"},
        {0x062900, -EAGAIN, "unit attention: power on or reset (6/29/00)"},
        {0x052000, -EOPNOTSUPP, "illegal request: command not known to the drive (5/20/00)"},
        {0x052102, -EINVAL, "illegal request: invalid address for write (5/21/02)"},
        {0x052600, -EINVAL, "illegal request: invalid field in the parameter list (5/26/00)"},
        {0x053005, -EMEDIUMTYPE, "illegal request: cannot write the medium, incompatible format (5/30/05)"},
        {0x055302, -EBUSY, "illegal request: removal of the medium is prevented (5/53/02)"},
        {0x056300, -ENOSPC, "illegal request: end of the user area on this track (5/63/00)"},
        {0x056401, -EINVAL, "illegal request: invalid packet size (5/64/01)"},
        {0x057203, -EINVAL,
         "illegal request: session fixation error, incomplete track in the session (5/72/03)"},
        {0x037305, -ENOSPC, "medium error: program memory area is full (3/73/05)"},
        {0x072700, -EROFS, "data protected: write protected (7/27/00)"},
        {0x040900, -EIO, "hardware error: tracking or focus servo failure (4/09/00)"},
        {0x05B0B1, -EINVAL, "illegal request (5/B0/B1)"},
    };
    char text[100];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t c = cases[i].code;
        struct mmc_sense s = {.key = (uint8_t)(c >> 16), .asc = (uint8_t)(c >> 8), .ascq = (uint8_t)c};

        assert_string_equal(mmc_sense_text(&s, text, sizeof(text)), cases[i].text);
        assert_int_equal(mmc_sense_errno(&s), cases[i].error);
    }
}

static void test_cut_and_hint(void **state)
{
    struct mmc_sense s = {.key = 2, .asc = 0x3A, .ascq = 2};
    char text[10];

    (void)state;
    assert_string_equal(mmc_sense_text(&s, text, sizeof(text)), "not ready");
    assert_string_equal(mmc_sense_hint(&s), "Put a disc in and close the tray.");
    s.key = 0;
    assert_null(mmc_sense_hint(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_descriptor_hostile),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_cut_and_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
