/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli, RFC 3720 B.4): what the journal's packets are checked with. */
#ifndef UDF_CRC32C_H
#define UDF_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of bytes that follow others with the CRC crc; 0 when nothing came before. */
uint32_t udf_crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
