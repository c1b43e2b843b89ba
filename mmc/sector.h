/* SPDX-License-Identifier: MIT */
/*
 * CD sectors of 2352 bytes (ECMA-130 clause 14 and 20, annexes A and B; Yellow Book XA forms): sync, header,
 * error detection and correction codes, and the scrambler that everything but audio goes through before the
 * laser sees it. Pure functions.
 */
#ifndef MMC_SECTOR_H
#define MMC_SECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/units.h"

#define MMC_SECTOR_BYTES 2352u

enum mmc_sector_form {
    MMC_SECTOR_AUDIO, /* 2352 bytes of samples: nothing is added */
    MMC_SECTOR_MODE0, /* zeros */
    MMC_SECTOR_MODE1, /* 2048, EDC and ECC */
    MMC_SECTOR_MODE2, /* 2336, no code */
    MMC_SECTOR_FORM1, /* mode 2 with subheader: 2048, EDC and ECC */
    MMC_SECTOR_FORM2, /* mode 2 with subheader: 2324, EDC */
};

/* Where the parts of a sector lie. */
enum mmc_sector_place {
    MMC_SECTOR_HEADER_AT = 12,
    MMC_SECTOR_USER_AT = 16, /* mode 1, mode 2; the subheader of the XA forms */
    MMC_SECTOR_XA_USER_AT = 24,
};

/* Bytes of user data of a form. */
size_t mmc_sector_user_bytes(enum mmc_sector_form form);

/* Where they begin in the sector. */
size_t mmc_sector_user_at(enum mmc_sector_form form);

/*
 * Makes a whole sector, not scrambled. data: mmc_sector_user_bytes of the form, or NULL for zeros. subheader:
 * the four bytes that the XA forms record twice (file, channel, submode, coding), ignored by the others; bit
 * 5 of the submode is set to what the form says.
 */
void mmc_sector_compose(uint8_t sector[MMC_SECTOR_BYTES], enum mmc_sector_form form, mmc_lba_t lba,
                        const uint8_t subheader[4], const uint8_t *data);

/*
 * Whether a descrambled data sector is one that can be read at this address without any correction: sync,
 * header, EDC and ECC as they must be. *form is set then. An EDC of zeros is good in form 2, where it is
 * optional.
 */
bool mmc_sector_check(const uint8_t sector[MMC_SECTOR_BYTES], mmc_lba_t lba, enum mmc_sector_form *form);

/* Annex B. Scrambling twice gives the sector back. The sync stays as it is. */
void mmc_sector_scramble(uint8_t sector[MMC_SECTOR_BYTES]);

/* The error detection code over len bytes: a number that is stored low byte first (clause 14.3). */
uint32_t mmc_sector_edc(const uint8_t *data, size_t len);

/* Computes P and Q parity (annex A) over the header, the data and the EDC that are in the sector. */
void mmc_sector_parity(uint8_t sector[MMC_SECTOR_BYTES]);

#endif
