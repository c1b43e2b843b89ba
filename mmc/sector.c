/* SPDX-License-Identifier: MIT */
/* Whole sectors: composed out of user data, and judged. */
#include "mmc/sector.h"

#include <string.h>

#define FRAMES_A_SECOND 75
#define LEADIN_WRAP     450000 /* 100 minutes: what lies before LBA -150 has times below 100:00:00 */
#define SUBMODE_FORM2   0x20
#define EDC_BYTES       4

enum {
    MODE1_EDC_AT = 2064,
    FORM1_EDC_AT = 2072,
    FORM2_EDC_AT = 2348,
    SUBMODE_AT = 18
};

static const uint8_t sync_pattern[12] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};

size_t mmc_sector_user_bytes(enum mmc_sector_form form)
{
    switch (form) {
    case MMC_SECTOR_AUDIO:
        return 2352;
    case MMC_SECTOR_MODE0:
    case MMC_SECTOR_MODE2:
        return 2336;
    case MMC_SECTOR_FORM2:
        return 2324;
    case MMC_SECTOR_MODE1:
    case MMC_SECTOR_FORM1:
        break;
    }
    return 2048;
}

size_t mmc_sector_user_at(enum mmc_sector_form form)
{
    if (form == MMC_SECTOR_AUDIO)
        return 0;
    return form == MMC_SECTOR_FORM1 || form == MMC_SECTOR_FORM2 ? MMC_SECTOR_XA_USER_AT : MMC_SECTOR_USER_AT;
}

static uint8_t bcd(int32_t n)
{
    return (uint8_t)(n / 10 << 4 | n % 10);
}

static void header_put(uint8_t *to, enum mmc_sector_form form, mmc_lba_t lba)
{
    int32_t frames = lba.n + 2 * FRAMES_A_SECOND;

    if (frames < 0)
        frames += LEADIN_WRAP;
    to[0] = bcd(frames / (60 * FRAMES_A_SECOND) % 100);
    to[1] = bcd(frames / FRAMES_A_SECOND % 60);
    to[2] = bcd(frames % FRAMES_A_SECOND);
    to[3] = form == MMC_SECTOR_MODE0 ? 0 : form == MMC_SECTOR_MODE1 ? 1 : 2;
}

static void edc_put(uint8_t *sector, size_t from, size_t at)
{
    uint32_t edc = mmc_sector_edc(sector + from, at - from);

    for (int i = 0; i < EDC_BYTES; i++)
        sector[at + (size_t)i] = (uint8_t)(edc >> 8 * i);
}

static void subheader_put(uint8_t *sector, enum mmc_sector_form form, const uint8_t subheader[4])
{
    uint8_t *to = sector + MMC_SECTOR_USER_AT;

    if (subheader)
        memcpy(to, subheader, 4);
    to[2] = (uint8_t)((to[2] & ~SUBMODE_FORM2) | (form == MMC_SECTOR_FORM2 ? SUBMODE_FORM2 : 0));
    memcpy(to + 4, to, 4);
}

/* In form 1 the codes take the header for zeros, so that a sector can be copied to another address. */
static void form1_parity(uint8_t *sector)
{
    uint8_t header[4];

    memcpy(header, sector + MMC_SECTOR_HEADER_AT, 4);
    memset(sector + MMC_SECTOR_HEADER_AT, 0, 4);
    mmc_sector_parity(sector);
    memcpy(sector + MMC_SECTOR_HEADER_AT, header, 4);
}

void mmc_sector_compose(uint8_t sector[MMC_SECTOR_BYTES], enum mmc_sector_form form, mmc_lba_t lba,
                        const uint8_t subheader[4], const uint8_t *data)
{
    memset(sector, 0, MMC_SECTOR_BYTES);
    if (form != MMC_SECTOR_AUDIO) {
        memcpy(sector, sync_pattern, sizeof(sync_pattern));
        header_put(sector + MMC_SECTOR_HEADER_AT, form, lba);
    }
    if (form == MMC_SECTOR_FORM1 || form == MMC_SECTOR_FORM2)
        subheader_put(sector, form, subheader);
    if (data && form != MMC_SECTOR_MODE0)
        memcpy(sector + mmc_sector_user_at(form), data, mmc_sector_user_bytes(form));
    if (form == MMC_SECTOR_MODE1) {
        edc_put(sector, 0, MODE1_EDC_AT);
        mmc_sector_parity(sector);
    } else if (form == MMC_SECTOR_FORM1) {
        edc_put(sector, MMC_SECTOR_USER_AT, FORM1_EDC_AT);
        form1_parity(sector);
    } else if (form == MMC_SECTOR_FORM2) {
        edc_put(sector, MMC_SECTOR_USER_AT, FORM2_EDC_AT);
    }
}

/* What a mode 2 sector is: the forms have their subheader twice. */
static enum mmc_sector_form mode2_form(const uint8_t *sector)
{
    const uint8_t *subheader = sector + MMC_SECTOR_USER_AT;

    if (memcmp(subheader, subheader + 4, 4) != 0)
        return MMC_SECTOR_MODE2;
    return subheader[2] & SUBMODE_FORM2 ? MMC_SECTOR_FORM2 : MMC_SECTOR_FORM1;
}

bool mmc_sector_check(const uint8_t sector[MMC_SECTOR_BYTES], mmc_lba_t lba, enum mmc_sector_form *form)
{
    static const uint8_t no_edc[EDC_BYTES] = {0};
    uint8_t mode = sector[15], good[MMC_SECTOR_BYTES];
    size_t codes = MMC_SECTOR_BYTES;

    if (mode > 2)
        return false;
    *form = mode == 0 ? MMC_SECTOR_MODE0 : mode == 1 ? MMC_SECTOR_MODE1 : mode2_form(sector);
    mmc_sector_compose(good, *form, lba, sector + MMC_SECTOR_USER_AT, sector + mmc_sector_user_at(*form));
    if (*form == MMC_SECTOR_FORM2 && memcmp(sector + FORM2_EDC_AT, no_edc, EDC_BYTES) == 0)
        codes = FORM2_EDC_AT;
    return memcmp(good, sector, codes) == 0;
}
