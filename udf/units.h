/* SPDX-License-Identifier: MIT */
/* Places on a UDF volume, each its own C type. Absolute disc blocks are mmc_lba_t (mmc/units.h). */
#ifndef UDF_UNITS_H
#define UDF_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/units.h"

#define UDF_BLOCK_BYTES MMC_BLOCK_BYTES

/* A block counted from the start of its partition, before sparing (ECMA-167 3/8.10 as UDF uses it). */
typedef struct {
    uint32_t n;
} udf_block_t;

/* A block of a virtual partition: an index into the virtual allocation table (UDF 2.2.10). */
typedef struct {
    uint32_t n;
} udf_vblock_t;

/* lb_addr (ECMA-167 4/7.1): a block together with the partition reference that
 * says what kind of block it is. */
struct udf_address {
    uint32_t block;
    uint16_t part; /* index of the partition map in the logical volume descriptor */
};

static inline bool udf_address_equal(struct udf_address a, struct udf_address b)
{
    return a.block == b.block && a.part == b.part;
}

#endif
