/* SPDX-License-Identifier: MIT */
/* Q frames, their CRC and the texts in them; channels in and out of raw bytes; CD-Text packs. */
#include "mmc/subchannel.h"

#include <string.h>

#define CRC_BYTES 2

/* ISRC: characters of six bits, then digits of four (ECMA-130 22.3.3.3). */
#define ISRC_LETTERS 5u

uint16_t mmc_subchannel_crc(const uint8_t *data, size_t len)
{
    uint16_t crc = 0;

    for (size_t i = 0; i < len; i++) {
        crc ^= (uint16_t)(data[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return (uint16_t)~crc;
}

void mmc_q_seal(uint8_t q[MMC_Q_BYTES])
{
    uint16_t crc = mmc_subchannel_crc(q, MMC_Q_BYTES - CRC_BYTES);

    q[10] = (uint8_t)(crc >> 8);
    q[11] = (uint8_t)crc;
}

static bool crc_right(const uint8_t *bytes, size_t len)
{
    uint16_t crc = mmc_subchannel_crc(bytes, len - CRC_BYTES);

    return bytes[len - 2] == crc >> 8 && bytes[len - 1] == (crc & 0xff);
}

bool mmc_q_sound(const uint8_t q[MMC_Q_BYTES])
{
    return crc_right(q, MMC_Q_BYTES);
}

bool mmc_pack_sound(const uint8_t pack[MMC_PACK_BYTES])
{
    return crc_right(pack, MMC_PACK_BYTES);
}

/* A number of so many bits at a place counted in bits. */
static void bits_put(uint8_t *bytes, unsigned at, unsigned count, unsigned value)
{
    for (unsigned i = 0; i < count; i++) {
        if (value >> (count - 1 - i) & 1)
            bytes[(at + i) / 8] |= (uint8_t)(0x80 >> (at + i) % 8);
    }
}

static unsigned bits_get(const uint8_t *bytes, unsigned at, unsigned count)
{
    unsigned value = 0;

    for (unsigned i = 0; i < count; i++)
        value = value << 1 | (unsigned)(bytes[(at + i) / 8] >> (7 - (at + i) % 8) & 1);
    return value;
}

static bool digits_put(uint8_t *bytes, unsigned at, const char *digits, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        bits_put(bytes, at + 4 * i, 4, (unsigned)(digits[i] - '0'));
    }
    return true;
}

static void digits_get(const uint8_t *bytes, unsigned at, char *digits, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned digit = bits_get(bytes, at + 4 * i, 4);

        digits[i] = digit > 9 ? '?' : (char)('0' + digit);
    }
    digits[count] = '\0';
}

static void frame_finish(uint8_t *q, const uint8_t *made, uint8_t control, enum mmc_q_adr adr, unsigned frame)
{
    memcpy(q, made, MMC_Q_BYTES);
    q[0] = (uint8_t)(control << 4 | (unsigned)adr);
    q[9] = (uint8_t)(frame / 10 << 4 | frame % 10);
    mmc_q_seal(q);
}

bool mmc_q_mcn_put(uint8_t q[MMC_Q_BYTES], uint8_t control, const char *mcn, unsigned frame)
{
    uint8_t made[MMC_Q_BYTES] = {0};

    if (!digits_put(made, 8, mcn, MMC_MCN_CHARS))
        return false;
    frame_finish(q, made, control, MMC_Q_MCN, frame);
    return true;
}

/* Digits are themselves, letters begin at 17: what they are in ASCII less 48. */
bool mmc_q_isrc_put(uint8_t q[MMC_Q_BYTES], uint8_t control, const char *isrc, unsigned frame)
{
    uint8_t made[MMC_Q_BYTES] = {0};

    for (unsigned i = 0; i < ISRC_LETTERS; i++) {
        char c = isrc[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z'))
            return false;
        bits_put(made, 8 + 6 * i, 6, (unsigned)(c - '0'));
    }
    if (!digits_put(made, 40, isrc + ISRC_LETTERS, MMC_ISRC_CHARS - ISRC_LETTERS))
        return false;
    frame_finish(q, made, control, MMC_Q_ISRC, frame);
    return true;
}

void mmc_q_mcn_get(const uint8_t q[MMC_Q_BYTES], char mcn[MMC_MCN_CHARS + 1])
{
    digits_get(q, 8, mcn, MMC_MCN_CHARS);
}

void mmc_q_isrc_get(const uint8_t q[MMC_Q_BYTES], char isrc[MMC_ISRC_CHARS + 1])
{
    for (unsigned i = 0; i < ISRC_LETTERS; i++)
        isrc[i] = (char)(bits_get(q, 8 + 6 * i, 6) + '0');
    digits_get(q, 40, isrc + ISRC_LETTERS, MMC_ISRC_CHARS - ISRC_LETTERS);
}

void mmc_subchannel_put(uint8_t raw[MMC_SUBCHANNEL_BYTES], unsigned channel, const uint8_t bits[12])
{
    for (unsigned i = 0; i < MMC_SUBCHANNEL_BYTES; i++)
        raw[i] = (uint8_t)((raw[i] & ~(1u << channel)) | (bits[i / 8] >> (7 - i % 8) & 1u) << channel);
}

void mmc_subchannel_get(const uint8_t raw[MMC_SUBCHANNEL_BYTES], unsigned channel, uint8_t bits[12])
{
    memset(bits, 0, 12);
    for (unsigned i = 0; i < MMC_SUBCHANNEL_BYTES; i++)
        bits[i / 8] |= (uint8_t)((raw[i] >> channel & 1) << (7 - i % 8));
}

void mmc_packs_spread(uint8_t symbols[MMC_SUBCHANNEL_BYTES],
                      const uint8_t packs[MMC_PACKS_A_SECTOR * MMC_PACK_BYTES])
{
    for (unsigned i = 0; i < MMC_SUBCHANNEL_BYTES; i++)
        symbols[i] = (uint8_t)bits_get(packs, 6 * i, 6);
}

void mmc_packs_gather(const uint8_t symbols[MMC_SUBCHANNEL_BYTES],
                      uint8_t packs[MMC_PACKS_A_SECTOR * MMC_PACK_BYTES])
{
    memset(packs, 0, MMC_PACKS_A_SECTOR * MMC_PACK_BYTES);
    for (unsigned i = 0; i < MMC_SUBCHANNEL_BYTES; i++)
        bits_put(packs, 6 * i, 6, symbols[i] & 0x3fu);
}
