/* SPDX-License-Identifier: MIT */
/*
 * OSTA compressed Unicode (UDF 2.1.1) to UTF-8 and back. The disc holds one byte a character up to U+00FF
 * (compression id 8), or UTF-16 with the high byte first (16). 254 and 255 are the same in names of deleted
 * files.
 */
#include <errno.h>
#include <string.h>

#include "udf/codec.h"

#define CS0_BYTE         8u
#define CS0_WORD         16u
#define CS0_BYTE_DELETED 254u
#define CS0_WORD_DELETED 255u
#define CHAR_UNKNOWN     0xFFFDu

static bool char_is_surrogate(uint32_t c)
{
    return c >= 0xD800 && c <= 0xDFFF;
}

/* Takes one character off UTF-8 as strict as RFC 3629. Returns its bytes, or -EILSEQ. */
static int utf8_take(const uint8_t *bytes, size_t left, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (bytes[0] < 0x80) {
        *c = bytes[0];
        return bytes[0] ? 1 : -EILSEQ;
    }
    unsigned len = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : 2;
    if (bytes[0] < 0xC0 || bytes[0] >= 0xF8 || len > left)
        return -EILSEQ;
    *c = bytes[0] & (0x7Fu >> len);
    for (unsigned i = 1; i < len; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return -EILSEQ;
        *c = *c << 6 | (bytes[i] & 0x3F);
    }
    return *c < least[len] || *c > 0x10FFFF || char_is_surrogate(*c) ? -EILSEQ : (int)len;
}

/* Writes one character. Returns its bytes, or -ENAMETOOLONG. */
static int utf8_put(char *utf8, size_t room, uint32_t c)
{
    unsigned len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (len > room)
        return -ENAMETOOLONG;
    for (unsigned i = len - 1; i > 0; i--) {
        utf8[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    utf8[0] = (char)(first[len] | c);
    return (int)len;
}

/* Validates all of a name and finds what it needs: its UTF-16 units, and whether each fits into a byte. */
static int name_measure(const uint8_t *utf8, size_t len, size_t *units, bool *wide)
{
    *units = 0;
    *wide = false;
    while (len) {
        uint32_t c;
        int took = utf8_take(utf8, len, &c);
        if (took < 0)
            return took;
        *units += c > 0xFFFF ? 2 : 1;
        *wide |= c > 0xFF;
        utf8 += took;
        len -= (size_t)took;
    }
    return 0;
}

static uint8_t *unit_put(uint8_t *cs0, uint32_t unit)
{
    cs0[0] = (uint8_t)(unit >> 8);
    cs0[1] = (uint8_t)unit;
    return cs0 + 2;
}

int udf_cs0_encode(const char *utf8, size_t len, uint8_t *cs0, size_t max)
{
    const uint8_t *next = (const uint8_t *)utf8;
    size_t units;
    bool wide;
    int err = name_measure(next, len, &units, &wide);
    if (err || !units)
        return err;
    size_t used = 1 + units * (wide ? 2 : 1);
    if (used > max)
        return -ENAMETOOLONG;
    *cs0++ = wide ? CS0_WORD : CS0_BYTE;
    while (len) {
        uint32_t c;
        int took = utf8_take(next, len, &c);
        if (took < 0)
            return took;
        if (!wide) {
            *cs0++ = (uint8_t)c;
        } else if (c > 0xFFFF) {
            cs0 = unit_put(cs0, 0xD800 | (c - 0x10000) >> 10);
            cs0 = unit_put(cs0, 0xDC00 | (c & 0x3FF));
        } else {
            cs0 = unit_put(cs0, c);
        }
        next += took;
        len -= (size_t)took;
    }
    return (int)used;
}

/* The character at units, of which left are there, and in *took how many it is made of. */
static uint32_t char_of_units(const uint8_t *units, size_t left, size_t *took)
{
    uint32_t c = (uint32_t)units[0] << 8 | units[1];
    *took = 1;
    if (!char_is_surrogate(c))
        return c;
    uint32_t low = left > 1 ? (uint32_t)units[2] << 8 | units[3] : 0;
    if (c >= 0xDC00 || low < 0xDC00 || low > 0xDFFF)
        return CHAR_UNKNOWN;
    *took = 2;
    return 0x10000 + ((c & 0x3FF) << 10 | (low & 0x3FF));
}

int udf_cs0_decode(const uint8_t *cs0, size_t len, char *utf8, size_t max)
{
    if (!len)
        return 0;
    bool wide = cs0[0] == CS0_WORD || cs0[0] == CS0_WORD_DELETED;
    if (!wide && cs0[0] != CS0_BYTE && cs0[0] != CS0_BYTE_DELETED)
        return -EUCLEAN;
    if (wide && len % 2 == 0)
        return -EUCLEAN;
    size_t used = 0;
    for (size_t at = 1; at < len;) {
        size_t units = 1;
        uint32_t c = wide ? char_of_units(cs0 + at, (len - at) / 2, &units) : cs0[at];
        at += wide ? 2 * units : 1;
        int put = utf8_put(utf8 + used, max - used, c ? c : CHAR_UNKNOWN);
        if (put < 0)
            return put;
        used += (size_t)put;
    }
    return (int)used;
}

void udf_dstring_decode(const uint8_t *field, size_t field_size, char *utf8, size_t max)
{
    size_t len = field[field_size - 1];
    int took = len < field_size ? udf_cs0_decode(field, len, utf8, max - 1) : 0;
    utf8[took > 0 ? took : 0] = 0;
}
