/* SPDX-License-Identifier: MIT */
/*
 * The codes of sectors, judged by rules: parity by the syndromes of annex A computed with powers of alpha,
 * the EDC by polynomial division, the scrambler by the bytes that annex B prints. Nothing of the encoder is
 * used to judge it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/sector.h"

static uint8_t powers[255];

static void powers_make(void)
{
    unsigned a = 1;

    for (int i = 0; i < 255; i++) {
        powers[i] = (uint8_t)a;
        a *= 2;
        if (a > 255)
            a -= 256, a ^= 0x1d;
    }
}

static uint8_t times_power(uint8_t a, unsigned exponent)
{
    for (unsigned i = 0; a && i < 255; i++) {
        if (powers[i] == a)
            return powers[(i + exponent) % 255];
    }
    return 0;
}

static uint8_t word_byte(const uint8_t *sector, unsigned word, unsigned b)
{
    return sector[12 + 2 * word + b];
}

/* Both check equations of one vector of count words. */
static bool vector_holds(const uint8_t *sector, const unsigned *words, unsigned count, unsigned b)
{
    uint8_t s0 = 0, s1 = 0;

    for (unsigned i = 0; i < count; i++) {
        uint8_t symbol = word_byte(sector, words[i], b);

        s0 ^= symbol;
        s1 ^= times_power(symbol, count - 1 - i);
    }
    return s0 == 0 && s1 == 0;
}

static bool parity_holds(const uint8_t *sector)
{
    unsigned words[45];

    for (unsigned b = 0; b < 2; b++) {
        for (unsigned n = 0; n < 43; n++) {
            for (unsigned m = 0; m < 26; m++)
                words[m] = 43 * m + n;
            if (!vector_holds(sector, words, 26, b))
                return false;
        }
        for (unsigned n = 0; n < 26; n++) {
            for (unsigned m = 0; m < 43; m++)
                words[m] = (44 * m + 43 * n) % 1118;
            words[43] = 43 * 26 + n;
            words[44] = 44 * 26 + n;
            if (!vector_holds(sector, words, 45, b))
                return false;
        }
    }
    return true;
}

/* The codeword, lowest bit of each byte first, is divisible by the generator x^32 + 8001801Bh. */
static bool edc_holds(const uint8_t *bytes, size_t len)
{
    uint32_t rest = 0;

    for (size_t i = 0; i < 8 * len; i++) {
        uint32_t out = rest >> 31;

        rest = rest << 1 | (uint32_t)(bytes[i / 8] >> i % 8 & 1);
        if (out)
            rest ^= 0x8001801bu;
    }
    return rest == 0;
}

static void fill(uint8_t *to, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        to[i] = (uint8_t)(seed >> 24);
    }
}

static void test_mode1(void **unused)
{
    uint8_t data[2352], sector[2352];
    enum mmc_sector_form form;

    (void)unused;
    fill(data, sizeof(data), 1);
    mmc_sector_compose(sector, MMC_SECTOR_MODE1, mmc_lba(16), NULL, data);
    assert_memory_equal(sector, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\x00\x02\x16\x01", 16);
    assert_memory_equal(sector + 16, data, 2048);
    assert_true(edc_holds(sector, 2068));
    assert_memory_equal(sector + 2068, "\0\0\0\0\0\0\0\0", 8);
    assert_true(parity_holds(sector));
    assert_true(mmc_sector_check(sector, mmc_lba(16), &form));
    assert_int_equal(form, MMC_SECTOR_MODE1);
    assert_false(mmc_sector_check(sector, mmc_lba(17), &form)); /* not its address */
    for (size_t at = 0; at < 2352; at += 7) {
        sector[at] ^= 0x10;
        assert_false(mmc_sector_check(sector, mmc_lba(16), &form));
        if (at >= 12)
            assert_false(parity_holds(sector));
        sector[at] ^= 0x10;
    }
}

static void test_forms(void **unused)
{
    const uint8_t subheader[4] = {1, 2, 0x08, 4};
    uint8_t data[2352], sector[2352], header[4];
    enum mmc_sector_form form;

    (void)unused;
    fill(data, sizeof(data), 2);
    mmc_sector_compose(sector, MMC_SECTOR_FORM1, mmc_lba(-150), subheader, data);
    assert_memory_equal(sector + 12, "\0\0\0\2\1\2\x08\4\1\2\x08\4", 12);
    assert_memory_equal(sector + 24, data, 2048);
    assert_true(edc_holds(sector + 16, 2060));
    assert_true(mmc_sector_check(sector, mmc_lba(-150), &form));
    assert_int_equal(form, MMC_SECTOR_FORM1);
    memcpy(header, sector + 12, 4);
    memset(sector + 12, 0, 4);
    assert_true(parity_holds(sector));

    mmc_sector_compose(sector, MMC_SECTOR_FORM2, mmc_lba(4500), subheader, data);
    assert_memory_equal(sector + 12, "\1\2\0\2\1\2\x28\4\1\2\x28\4", 12);
    assert_memory_equal(sector + 24, data, 2324);
    assert_true(edc_holds(sector + 16, 2336));
    memset(sector + 2348, 0, 4);
    assert_true(mmc_sector_check(sector, mmc_lba(4500), &form)); /* the EDC of form 2 is optional */
    assert_int_equal(form, MMC_SECTOR_FORM2);
    sector[2351] = 1;
    assert_false(mmc_sector_check(sector, mmc_lba(4500), &form));

    mmc_sector_compose(sector, MMC_SECTOR_MODE2, mmc_lba(0), NULL, data);
    assert_memory_equal(sector + 16, data, 2336);
    assert_true(mmc_sector_check(sector, mmc_lba(0), &form));
    assert_int_equal(form, MMC_SECTOR_MODE2);
    mmc_sector_compose(sector, MMC_SECTOR_AUDIO, mmc_lba(0), NULL, data);
    assert_memory_equal(sector, data, 2352);
    mmc_sector_compose(sector, MMC_SECTOR_MODE0, mmc_lba(-151), NULL, NULL);
    assert_memory_equal(sector + 12, "\x99\x59\x74\0", 4);
}

static void test_scramble(void **unused)
{
    static const uint8_t annex_b[] = {0x01, 0x80, 0x00, 0x60, 0x00, 0x28, 0x00, 0x1e,
                                      0x80, 0x08, 0x60, 0x06, 0xa8, 0x02, 0xfe, 0x81};
    uint8_t sector[2352] = {0}, zero[2352] = {0};

    (void)unused;
    mmc_sector_scramble(sector);
    assert_memory_equal(sector, zero, 12);
    assert_memory_equal(sector + 12, annex_b, sizeof(annex_b));
    mmc_sector_scramble(sector);
    assert_memory_equal(sector, zero, sizeof(zero));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode1),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_scramble),
    };

    powers_make();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
