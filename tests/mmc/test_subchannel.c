/* SPDX-License-Identifier: MIT */
/* Q frames, their numbers and CRC against frames worked out by hand; channels and packs there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mmc/subchannel.h"

/* Divides frame and inverted CRC by the generator; nothing is left of a sound one. */
static bool division_ends(const uint8_t *bytes, size_t len)
{
    uint32_t rest = 0;

    for (size_t i = 0; i < 8 * len; i++) {
        unsigned bit = bytes[i / 8] >> (7 - i % 8) & 1;

        if (i >= 8 * len - 16)
            bit ^= 1;
        rest = rest << 1 | bit;
        if (rest & 0x10000)
            rest ^= 0x11021;
    }
    return rest == 0;
}

static void test_crc(void **unused)
{
    uint8_t q[12] = {0x41, 0x01, 0x01, 0x00, 0x00, 0x10, 0x00, 0x00, 0x02, 0x10};

    (void)unused;
    mmc_q_seal(q);
    assert_true(division_ends(q, 12));
    assert_true(mmc_q_sound(q));
    for (unsigned bit = 0; bit < 96; bit++) {
        q[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(mmc_q_sound(q));
        q[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_numbers(void **unused)
{
    char text[16];
    uint8_t q[12];

    (void)unused;
    assert_true(mmc_q_mcn_put(q, 0, "4006381333931", 74));
    assert_memory_equal(q, "\x02\x40\x06\x38\x13\x33\x93\x10\x00\x74", 10);
    assert_true(division_ends(q, 12));
    mmc_q_mcn_get(q, text);
    assert_string_equal(text, "4006381333931");
    assert_false(mmc_q_mcn_put(q, 0, "400638133393X", 0));
    assert_true(mmc_q_isrc_put(q, 4, "DEA120600001", 5));
    /* D 14h, E 15h, A 11h, 1, 2 in six bits each and two zeros; 0600001 in digits. */
    assert_memory_equal(q, "\x43\x51\x54\x41\x08\x06\x00\x00\x10\x05", 10);
    assert_true(division_ends(q, 12));
    mmc_q_isrc_get(q, text);
    assert_string_equal(text, "DEA120600001");
    assert_false(mmc_q_isrc_put(q, 0, "deA120600001", 0));
    assert_false(mmc_q_isrc_put(q, 0, "DEA12060000A", 0));
}

static void test_channels(void **unused)
{
    uint8_t raw[96] = {0}, bits[12] = {0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x81}, back[12];

    (void)unused;
    mmc_subchannel_put(raw, 6, bits);
    assert_int_equal(raw[0], 0x40);
    assert_int_equal(raw[15], 0x40);
    assert_int_equal(raw[95], 0x40);
    mmc_subchannel_put(raw, 7, (const uint8_t[12]){0xff});
    assert_int_equal(raw[0], 0xc0);
    mmc_subchannel_get(raw, 6, back);
    assert_memory_equal(bits, back, 12);
}

static void test_packs(void **unused)
{
    uint8_t packs[72], symbols[96], back[72];
    uint16_t crc;

    (void)unused;
    for (unsigned i = 0; i < 72; i++)
        packs[i] = (uint8_t)(i * 37 + 5);
    mmc_packs_spread(symbols, packs);
    assert_int_equal(symbols[0], packs[0] >> 2);
    assert_int_equal(symbols[1], (packs[0] & 3) << 4 | packs[1] >> 4);
    for (unsigned i = 0; i < 96; i++)
        assert_true(symbols[i] < 64);
    mmc_packs_gather(symbols, back);
    assert_memory_equal(packs, back, 72);
    assert_false(mmc_pack_sound(packs));
    crc = mmc_subchannel_crc(packs, 16);
    packs[16] = (uint8_t)(crc >> 8);
    packs[17] = (uint8_t)crc;
    assert_true(mmc_pack_sound(packs));
    assert_true(division_ends(packs, 18));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_packs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
