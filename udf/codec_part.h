/* SPDX-License-Identifier: MIT */
/* Pieces that the codec's own files share: parts of descriptors that no other file takes apart. */
#ifndef UDF_CODEC_PART_H
#define UDF_CODEC_PART_H

#include "udf/codec.h"

/* Verifies the checksum and the version, and leaves the CRC aside, which may reach beyond what is at hand. */
int udf_tag_decode_head(const uint8_t *bytes, size_t size, struct udf_tag *tag);
/* Tag with this id, over a descriptor of so many bytes in all, tag included. */
void udf_tag_encode_as(uint8_t *bytes, const struct udf_tag *tag, uint16_t id, size_t descriptor_bytes);

struct udf_volume_extent udf_volume_extent_decode(const uint8_t *bytes);
void udf_volume_extent_encode(uint8_t *bytes, const struct udf_volume_extent *extent);

/* Where a volume descriptor pointer, whose tag is known to be good, says that
 * the sequence goes on (3/10.3). */
struct udf_volume_extent udf_vdp_next(const uint8_t block[UDF_BLOCK_BYTES]);

struct udf_long_ad udf_long_ad_decode(const uint8_t *bytes);
void udf_long_ad_encode(uint8_t *bytes, const struct udf_long_ad *ad);

#endif
