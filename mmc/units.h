/* SPDX-License-Identifier: MIT */
/* Numbers of places on a disc, each its own C type, so that mixing them does not compile. */
#ifndef MMC_UNITS_H
#define MMC_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of user data in a block (mode 1, or mode 2 form 1). */
#define MMC_BLOCK_BYTES 2048u
/* User blocks of a fixed packet on a CD-RW (7 link blocks more are on the medium, outside the addresses). */
#define MMC_PACKET_BLOCKS 32u

/* An absolute disc block. LBA 0 is 00:02:00 in minutes, seconds, frames; the first
 * pregap and lead-in are negative. */
typedef struct {
    int32_t n;
} mmc_lba_t;

/* A packet counted from LBA 0: packet p holds the blocks p * L to p * L + L - 1,
 * L the device's packet length. */
typedef struct {
    uint32_t n;
} mmc_packet_t;

static inline mmc_lba_t mmc_lba(int64_t n)
{
    return (mmc_lba_t){(int32_t)n};
}

static inline mmc_lba_t mmc_lba_add(mmc_lba_t a, int64_t blocks)
{
    return (mmc_lba_t){(int32_t)(a.n + blocks)};
}

static inline mmc_packet_t mmc_packet_of(mmc_lba_t a, uint32_t packet_blocks)
{
    return (mmc_packet_t){(uint32_t)a.n / packet_blocks};
}

static inline mmc_lba_t mmc_packet_first(mmc_packet_t p, uint32_t packet_blocks)
{
    return (mmc_lba_t){(int32_t)(p.n * packet_blocks)};
}

#endif
