/* SPDX-License-Identifier: MIT */
/* What a drive says of a command that it did not carry out: key, additional
 * code and qualifier, kept whole. */
#ifndef MMC_SENSE_H
#define MMC_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mmc_sense_key {
    MMC_KEY_NO_SENSE = 0,
    MMC_KEY_RECOVERED = 1,
    MMC_KEY_NOT_READY = 2,
    MMC_KEY_MEDIUM_ERROR = 3,
    MMC_KEY_HARDWARE_ERROR = 4,
    MMC_KEY_ILLEGAL_REQUEST = 5,
    MMC_KEY_UNIT_ATTENTION = 6,
    MMC_KEY_DATA_PROTECT = 7,
    MMC_KEY_BLANK_CHECK = 8,
    MMC_KEY_ABORTED = 11,
};

struct mmc_sense {
    uint8_t key, asc, ascq;
    bool deferred;     /* 71h: the error belongs to an earlier command */
    bool progress_set; /* SKSV with a progress indication ... */
    uint16_t progress; /* ... in 1/65536 */
    bool lba_set;      /* the INFORMATION field is valid ... */
    int32_t lba;       /* ... and names this block */
};

/* Takes fixed (70h, 71h) and descriptor (72h, 73h) sense apart (SPC-4 4.5). Sense that is empty or makes no
 * sense becomes 0/00/00. */
void mmc_sense_decode(const uint8_t *bytes, size_t len, struct mmc_sense *sense);

/* The -errno nearest in meaning: -ENOMEDIUM, -EIO, -EBUSY, -EROFS, -EINVAL, -ENOSPC, ... Never 0. */
int mmc_sense_errno(const struct mmc_sense *sense);

/* Key and code in words, for example "medium error: write error (3/0C/00)", into
 * buf, cut at size. Returns buf. */
char *mmc_sense_text(const struct mmc_sense *sense, char *buf, size_t size);

/* What the user can do about it, one sentence, or NULL when there is nothing to say. */
const char *mmc_sense_hint(const struct mmc_sense *sense);

#endif
