/* SPDX-License-Identifier: MIT */
/* The codes of a data sector: EDC (ECMA-130 clause 14.3), the product code of annex A, the scrambler of annex
 * B. */
#include "mmc/sector.h"

#define EDC_POLYNOMIAL 0xd8018001u /* (x^16 + x^15 + x^2 + 1)(x^16 + x^2 + x + 1), lowest bit first */
#define FIELD_OVERFLOW 0x1d        /* x^8 + x^4 + x^3 + x^2 + 1 */
#define FIELD_THIRD    0xf4        /* 1 / (alpha + 1) */

/* Annex A counts in words of two bytes from the header on; the two bytes of the words are two codes. */
#define P_COLUMNS  43u
#define P_ROWS     24u /* words of data in a column */
#define Q_VECTORS  26u
#define Q_WORDS    43u
#define Q_AREA     (Q_VECTORS * Q_WORDS) /* data and P parity */
#define Q_STEP     44u
#define WORD(n, b) (MMC_SECTOR_HEADER_AT + 2 * (n) + (b))

uint32_t mmc_sector_edc(const uint8_t *data, size_t len)
{
    uint32_t edc = 0;

    for (size_t i = 0; i < len; i++) {
        edc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            edc = edc & 1 ? edc >> 1 ^ EDC_POLYNOMIAL : edc >> 1;
    }
    return edc;
}

static uint8_t field_double(uint8_t a)
{
    return (uint8_t)(a << 1 ^ (a & 0x80 ? FIELD_OVERFLOW : 0));
}

static uint8_t field_multiply(uint8_t a, uint8_t b)
{
    uint8_t product = 0;

    for (; b; b >>= 1) {
        if (b & 1)
            product ^= a;
        a = field_double(a);
    }
    return product;
}

/* The two symbols of parity behind a vector: the sum of all is then zero, and so is the sum weighted with
 * falling powers of alpha, the last symbol having weight 1. */
struct parity {
    uint8_t sum, weighted;
};

static void parity_take(struct parity *p, uint8_t symbol)
{
    p->sum ^= symbol;
    p->weighted = field_double(p->weighted) ^ symbol;
}

static void parity_put(const struct parity *p, uint8_t *first, uint8_t *second)
{
    uint8_t weighted = field_double(field_double(p->weighted));

    *first = field_multiply(p->sum ^ weighted, FIELD_THIRD);
    *second = p->sum ^ *first;
}

void mmc_sector_parity(uint8_t sector[MMC_SECTOR_BYTES])
{
    for (unsigned b = 0; b < 2; b++) {
        for (unsigned n = 0; n < P_COLUMNS; n++) {
            struct parity p = {0};

            for (unsigned m = 0; m < P_ROWS; m++)
                parity_take(&p, sector[WORD(P_COLUMNS * m + n, b)]);
            parity_put(&p, &sector[WORD(P_COLUMNS * P_ROWS + n, b)],
                       &sector[WORD(P_COLUMNS * (P_ROWS + 1) + n, b)]);
        }
        for (unsigned n = 0; n < Q_VECTORS; n++) {
            struct parity p = {0};

            for (unsigned m = 0; m < Q_WORDS; m++)
                parity_take(&p, sector[WORD((Q_STEP * m + Q_WORDS * n) % Q_AREA, b)]);
            parity_put(&p, &sector[WORD(Q_AREA + n, b)], &sector[WORD(Q_AREA + Q_VECTORS + n, b)]);
        }
    }
}

void mmc_sector_scramble(uint8_t sector[MMC_SECTOR_BYTES])
{
    unsigned state = 1; /* of fifteen bits, the lowest out first */

    for (size_t i = MMC_SECTOR_HEADER_AT; i < MMC_SECTOR_BYTES; i++) {
        for (int bit = 0; bit < 8; bit++) {
            sector[i] ^= (uint8_t)((state & 1) << bit);
            state = state >> 1 | ((state ^ state >> 1) & 1) << 14;
        }
    }
}
