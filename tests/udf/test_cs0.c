/* SPDX-License-Identifier: MIT */
/* OSTA compressed Unicode: names as other systems record them, both ways, and what must be refused. */
#include <errno.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "udf/codec.h"

struct example {
    const char *utf8;
    uint8_t cs0[16];
    int cs0_len;
};

static const struct example examples[] = {
    {"", {0}, 0},
    {"a", {8, 'a'}, 2},
    {"\xC3\xBC\xC3\xBF", {8, 0xFC, 0xFF}, 3},                          /* U+00FC U+00FF: still bytes */
    {"\xC4\x80", {16, 0x01, 0x00}, 3},                                 /* U+0100 */
    {"a\xE2\x82\xAC", {16, 0x00, 'a', 0x20, 0xAC}, 5},                 /* one wide character makes all wide */
    {"\xEF\xBF\xBF", {16, 0xFF, 0xFF}, 3},                             /* U+FFFF */
    {"\xF0\x9F\x92\xBF", {16, 0xD8, 0x3D, 0xDC, 0xBF}, 5},             /* U+1F4BF, a disc */
    {"\xF0\x90\x80\x80x", {16, 0xD8, 0x00, 0xDC, 0x00, 0x00, 'x'}, 7}, /* U+10000 */
    {"\xF4\x8F\xBF\xBF", {16, 0xDB, 0xFF, 0xDF, 0xFF}, 5},             /* U+10FFFF */
};

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *e = &examples[i];
        uint8_t cs0[UDF_NAME_CS0_MAX];
        char utf8[UDF_NAME_UTF8_MAX];
        assert_int_equal(udf_cs0_encode(e->utf8, strlen(e->utf8), cs0, sizeof cs0), e->cs0_len);
        assert_memory_equal(cs0, e->cs0, (size_t)e->cs0_len);
        assert_int_equal(udf_cs0_decode(e->cs0, (size_t)e->cs0_len, utf8, sizeof utf8), strlen(e->utf8));
        assert_memory_equal(utf8, e->utf8, strlen(e->utf8));
    }
}

static void test_not_utf8(void **state)
{
    static const char *const wrong[] = {
        "\x80",
        "\xBF",
        "a\xC3",
        "\xC3(",
        "\xE2\x82",
        "\xE2(\xAC",
        "\xF0\x9F\x92", /* broken off, stray */
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF", /* longer than need be */
        "\xED\xA0\x80",
        "\xED\xBF\xBF", /* surrogates */
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF",
    };
    uint8_t cs0[UDF_NAME_CS0_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(udf_cs0_encode(wrong[i], strlen(wrong[i]), cs0, sizeof cs0), -EILSEQ);
    assert_int_equal(udf_cs0_encode("a\0b", 3, cs0, sizeof cs0), -EILSEQ);
}

/* Writes count copies of text. */
static size_t repeat(char *to, const char *text, size_t count)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * len, text, len);
    return count * len;
}

static void test_longest(void **state)
{
    static const struct {
        const char *text;
        size_t fits;
    } longest[] = {{"a", 254}, {"\xC3\xA4", 254}, {"\xE2\x82\xAC", 127}, {"\xF0\x9F\x92\xBF", 63}};
    (void)state;
    for (size_t i = 0; i < sizeof longest / sizeof longest[0]; i++) {
        char name[1024], back[UDF_NAME_UTF8_MAX];
        uint8_t cs0[UDF_NAME_CS0_MAX];
        size_t len = repeat(name, longest[i].text, longest[i].fits);
        int took = udf_cs0_encode(name, len, cs0, sizeof cs0);
        assert_in_range(took, 253, 255);
        assert_int_equal(udf_cs0_decode(cs0, (size_t)took, back, sizeof back), len);
        assert_memory_equal(back, name, len);
        assert_int_equal(udf_cs0_decode(cs0, (size_t)took, back, len - 1), -ENAMETOOLONG);
        len = repeat(name, longest[i].text, longest[i].fits + 1);
        assert_int_equal(udf_cs0_encode(name, len, cs0, sizeof cs0), -ENAMETOOLONG);
    }
}

static void test_decode_odd(void **state)
{
    static const struct {
        uint8_t cs0[8];
        size_t len;
        const char *utf8; /* NULL: -EUCLEAN */
    } odd[] = {
        {{254, 'd', 0xE9}, 3, "d\xC3\xA9"},                /* deleted, bytes */
        {{255, 0x20, 0xAC}, 3, "\xE2\x82\xAC"},            /* deleted, words */
        {{16, 0xD8, 0x3D, 0x00, 'x'}, 5, "\xEF\xBF\xBDx"}, /* high surrogate alone */
        {{16, 0xDC, 0xBF, 0x00, 'x'}, 5, "\xEF\xBF\xBDx"}, /* low surrogate alone */
        {{16, 0x00, 'x', 0xD8, 0x3D}, 5, "x\xEF\xBF\xBD"}, /* high one at the end */
        {{16, 0xD8, 0x3D, 0xD8, 0x3D, 0xDC, 0xBF}, 7, "\xEF\xBF\xBD\xF0\x9F\x92\xBF"},
        {{8, 'a', 0, 'b'},
         4,
         "a\xEF\xBF\xBD"
         "b"}, /* no 0 comes out */
        {{8}, 1, ""},
        {{16}, 1, ""},
        {{16, 0x00}, 2, NULL}, /* half a character */
        {{16, 0x00, 'a', 'b'}, 4, NULL},
        {{9, 'a'}, 2, NULL},
        {{0, 'a'}, 2, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char utf8[64];
        int took = udf_cs0_decode(odd[i].cs0, odd[i].len, utf8, sizeof utf8);
        if (!odd[i].utf8) {
            assert_int_equal(took, -EUCLEAN);
            continue;
        }
        assert_int_equal(took, strlen(odd[i].utf8));
        assert_memory_equal(utf8, odd[i].utf8, strlen(odd[i].utf8));
    }
}

static void test_dstring(void **state)
{
    const uint8_t field[12] = {8, 'L', 'a', 'b', 'e', 'l', 0, 0, 0, 0, 0, 6};
    const uint8_t blank[12] = {0};
    char text[32];
    (void)state;
    udf_dstring_decode(field, sizeof field, text, sizeof text);
    assert_string_equal(text, "Label");
    udf_dstring_decode(blank, sizeof blank, text, sizeof text);
    assert_string_equal(text, "");
}

static void test_dstring_damaged(void **state)
{
    uint8_t field[12] = {8, 'L', 'a', 'b', 'e', 'l', 0, 0, 0, 0, 0, 6};
    char text[32];
    (void)state;
    field[11] = 12; /* longer than the field has room for */
    udf_dstring_decode(field, sizeof field, text, sizeof text);
    assert_string_equal(text, "");
    field[11] = 6;
    field[0] = 7;
    udf_dstring_decode(field, sizeof field, text, sizeof text);
    assert_string_equal(text, "");
    field[0] = 8;
    udf_dstring_decode(field, sizeof field, text, 4); /* no room: not a part of it either */
    assert_string_equal(text, "");
}

/* Any characters, both ways. */
static void test_random(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t cs0[UDF_NAME_CS0_MAX], again[UDF_NAME_CS0_MAX];
        char utf8[UDF_NAME_UTF8_MAX];
        size_t units = random_next(&seed) % 127 + 1;
        random_fill(&seed, cs0, sizeof cs0);
        cs0[0] = 16;
        cs0[1] |= 1;                       /* wide for sure */
        for (size_t u = 0; u < units; u++) /* no surrogates, no zeros */
            cs0[1 + 2 * u] = (uint8_t)(cs0[1 + 2 * u] % 0xD8 | 1);
        int len = udf_cs0_decode(cs0, 1 + 2 * units, utf8, sizeof utf8);
        assert_true(len > 0);
        assert_int_equal(udf_cs0_encode(utf8, (size_t)len, again, sizeof again), 1 + 2 * units);
        assert_memory_equal(again, cs0, 1 + 2 * units);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_not_utf8),
        cmocka_unit_test(test_longest),  cmocka_unit_test(test_decode_odd),
        cmocka_unit_test(test_dstring),  cmocka_unit_test(test_dstring_damaged),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
