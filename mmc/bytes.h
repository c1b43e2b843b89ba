/* SPDX-License-Identifier: MIT */
/*
 * Numbers in byte strings, at any alignment: little-endian (le), as ECMA-167 1/7.1 and virtio 1 have them,
 * and big-endian (be), as SCSI has them. For all rooms.
 */
#ifndef MMC_BYTES_H
#define MMC_BYTES_H

#include <stdint.h>

static inline uint16_t mmc_le16_get(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t mmc_le32_get(const uint8_t *bytes)
{
    return mmc_le16_get(bytes) | (uint32_t)mmc_le16_get(bytes + 2) << 16;
}

static inline uint64_t mmc_le64_get(const uint8_t *bytes)
{
    return mmc_le32_get(bytes) | (uint64_t)mmc_le32_get(bytes + 4) << 32;
}

static inline void mmc_le16_put(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void mmc_le32_put(uint8_t *bytes, uint32_t value)
{
    mmc_le16_put(bytes, (uint16_t)value);
    mmc_le16_put(bytes + 2, (uint16_t)(value >> 16));
}

static inline void mmc_le64_put(uint8_t *bytes, uint64_t value)
{
    mmc_le32_put(bytes, (uint32_t)value);
    mmc_le32_put(bytes + 4, (uint32_t)(value >> 32));
}

static inline uint16_t mmc_be16_get(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t mmc_be24_get(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 16 | mmc_be16_get(bytes + 1);
}

static inline uint32_t mmc_be32_get(const uint8_t *bytes)
{
    return (uint32_t)mmc_be16_get(bytes) << 16 | mmc_be16_get(bytes + 2);
}

/* The upper bits of value, those that have no room, are left out. */
static inline void mmc_be16_put(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void mmc_be24_put(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 16);
    mmc_be16_put(bytes + 1, value);
}

static inline void mmc_be32_put(uint8_t *bytes, uint32_t value)
{
    mmc_be16_put(bytes, value >> 16);
    mmc_be16_put(bytes + 2, value);
}

#endif
