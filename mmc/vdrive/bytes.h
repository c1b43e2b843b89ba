/* SPDX-License-Identifier: MIT */
/* Numbers in byte strings: big-endian as commands and replies have them, little-endian as the disc folder's
 * files do. */
#ifndef MMC_VDRIVE_BYTES_H
#define MMC_VDRIVE_BYTES_H

#include <stdint.h>

static inline uint16_t vdrive_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t vdrive_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t vdrive_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | vdrive_be24(p + 1);
}

static inline void vdrive_be16_put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void vdrive_be24_put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 16);
    vdrive_be16_put(p + 1, v);
}

static inline void vdrive_be32_put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    vdrive_be24_put(p + 1, v);
}

static inline uint32_t vdrive_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline void vdrive_le32_put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

#endif
