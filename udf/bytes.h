/* SPDX-License-Identifier: MIT */
/* Little-endian numbers at a byte offset, as ECMA-167 1/7.1 records them. Inside the UDF library only. */
#ifndef UDF_BYTES_H
#define UDF_BYTES_H

#include <stdint.h>

static inline uint16_t udf_get16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t udf_get32(const uint8_t *bytes)
{
    return udf_get16(bytes) | (uint32_t)udf_get16(bytes + 2) << 16;
}

static inline uint64_t udf_get64(const uint8_t *bytes)
{
    return udf_get32(bytes) | (uint64_t)udf_get32(bytes + 4) << 32;
}

static inline void udf_put16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void udf_put32(uint8_t *bytes, uint32_t value)
{
    udf_put16(bytes, (uint16_t)value);
    udf_put16(bytes + 2, (uint16_t)(value >> 16));
}

static inline void udf_put64(uint8_t *bytes, uint64_t value)
{
    udf_put32(bytes, (uint32_t)value);
    udf_put32(bytes + 4, (uint32_t)(value >> 32));
}

#endif
