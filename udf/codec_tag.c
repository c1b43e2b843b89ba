/* SPDX-License-Identifier: MIT */
/* What every descriptor has in front and what many have inside: the tag with its checksum and CRC, entity
 * identifiers, and the extents by which descriptors refer to each other. */
#include <errno.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/codec.h"
#include "udf/codec_part.h"

static const uint16_t crc_table[256] = {
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7, 0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C,
    0xD1AD, 0xE1CE, 0xF1EF, 0x1231, 0x0210, 0x3273, 0x2252, 0x52B5, 0x4294, 0x72F7, 0x62D6, 0x9339, 0x8318,
    0xB37B, 0xA35A, 0xD3BD, 0xC39C, 0xF3FF, 0xE3DE, 0x2462, 0x3443, 0x0420, 0x1401, 0x64E6, 0x74C7, 0x44A4,
    0x5485, 0xA56A, 0xB54B, 0x8528, 0x9509, 0xE5EE, 0xF5CF, 0xC5AC, 0xD58D, 0x3653, 0x2672, 0x1611, 0x0630,
    0x76D7, 0x66F6, 0x5695, 0x46B4, 0xB75B, 0xA77A, 0x9719, 0x8738, 0xF7DF, 0xE7FE, 0xD79D, 0xC7BC, 0x48C4,
    0x58E5, 0x6886, 0x78A7, 0x0840, 0x1861, 0x2802, 0x3823, 0xC9CC, 0xD9ED, 0xE98E, 0xF9AF, 0x8948, 0x9969,
    0xA90A, 0xB92B, 0x5AF5, 0x4AD4, 0x7AB7, 0x6A96, 0x1A71, 0x0A50, 0x3A33, 0x2A12, 0xDBFD, 0xCBDC, 0xFBBF,
    0xEB9E, 0x9B79, 0x8B58, 0xBB3B, 0xAB1A, 0x6CA6, 0x7C87, 0x4CE4, 0x5CC5, 0x2C22, 0x3C03, 0x0C60, 0x1C41,
    0xEDAE, 0xFD8F, 0xCDEC, 0xDDCD, 0xAD2A, 0xBD0B, 0x8D68, 0x9D49, 0x7E97, 0x6EB6, 0x5ED5, 0x4EF4, 0x3E13,
    0x2E32, 0x1E51, 0x0E70, 0xFF9F, 0xEFBE, 0xDFDD, 0xCFFC, 0xBF1B, 0xAF3A, 0x9F59, 0x8F78, 0x9188, 0x81A9,
    0xB1CA, 0xA1EB, 0xD10C, 0xC12D, 0xF14E, 0xE16F, 0x1080, 0x00A1, 0x30C2, 0x20E3, 0x5004, 0x4025, 0x7046,
    0x6067, 0x83B9, 0x9398, 0xA3FB, 0xB3DA, 0xC33D, 0xD31C, 0xE37F, 0xF35E, 0x02B1, 0x1290, 0x22F3, 0x32D2,
    0x4235, 0x5214, 0x6277, 0x7256, 0xB5EA, 0xA5CB, 0x95A8, 0x8589, 0xF56E, 0xE54F, 0xD52C, 0xC50D, 0x34E2,
    0x24C3, 0x14A0, 0x0481, 0x7466, 0x6447, 0x5424, 0x4405, 0xA7DB, 0xB7FA, 0x8799, 0x97B8, 0xE75F, 0xF77E,
    0xC71D, 0xD73C, 0x26D3, 0x36F2, 0x0691, 0x16B0, 0x6657, 0x7676, 0x4615, 0x5634, 0xD94C, 0xC96D, 0xF90E,
    0xE92F, 0x99C8, 0x89E9, 0xB98A, 0xA9AB, 0x5844, 0x4865, 0x7806, 0x6827, 0x18C0, 0x08E1, 0x3882, 0x28A3,
    0xCB7D, 0xDB5C, 0xEB3F, 0xFB1E, 0x8BF9, 0x9BD8, 0xABBB, 0xBB9A, 0x4A75, 0x5A54, 0x6A37, 0x7A16, 0x0AF1,
    0x1AD0, 0x2AB3, 0x3A92, 0xFD2E, 0xED0F, 0xDD6C, 0xCD4D, 0xBDAA, 0xAD8B, 0x9DE8, 0x8DC9, 0x7C26, 0x6C07,
    0x5C64, 0x4C45, 0x3CA2, 0x2C83, 0x1CE0, 0x0CC1, 0xEF1F, 0xFF3E, 0xCF5D, 0xDF7C, 0xAF9B, 0xBFBA, 0x8FD9,
    0x9FF8, 0x6E17, 0x7E36, 0x4E55, 0x5E74, 0x2E93, 0x3EB2, 0x0ED1, 0x1EF0,
};

uint16_t udf_crc(const uint8_t *bytes, size_t len)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < len; i++)
        crc = (uint16_t)(crc << 8 ^ crc_table[crc >> 8 ^ bytes[i]]);
    return crc;
}

/* ECMA-167 3/7.2.3: the sum of the tag's bytes but that of the checksum itself. */
static uint8_t tag_checksum(const uint8_t *bytes)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < UDF_TAG_BYTES; i++)
        sum += i == 4 ? 0 : bytes[i];
    return (uint8_t)sum;
}

int udf_tag_decode_head(const uint8_t *bytes, size_t size, struct udf_tag *tag)
{
    if (size < UDF_TAG_BYTES || tag_checksum(bytes) != bytes[4])
        return -EUCLEAN;
    *tag = (struct udf_tag){.id = mmc_le16_get(bytes),
                            .version = mmc_le16_get(bytes + 2),
                            .serial = mmc_le16_get(bytes + 6),
                            .crc_len = mmc_le16_get(bytes + 10),
                            .location = mmc_le32_get(bytes + 12)};
    /* A block of zeros has a matching checksum, so the version (3/7.2.2) is what tells it from a tag. */
    return tag->version == 2 || tag->version == 3 ? 0 : -EUCLEAN;
}

int udf_tag_decode(const uint8_t *bytes, size_t size, struct udf_tag *tag)
{
    int err = udf_tag_decode_head(bytes, size, tag);
    if (err)
        return err;
    if (tag->crc_len > size - UDF_TAG_BYTES)
        return -EUCLEAN;
    return udf_crc(bytes + UDF_TAG_BYTES, tag->crc_len) == mmc_le16_get(bytes + 8) ? 0 : -EUCLEAN;
}

int udf_tag_expect(const uint8_t *bytes, size_t size, uint16_t id, uint32_t location, struct udf_tag *tag)
{
    int err = udf_tag_decode(bytes, size, tag);
    if (err)
        return err;
    return tag->id == id && tag->location == location ? 0 : -EUCLEAN;
}

void udf_tag_encode(uint8_t *bytes, const struct udf_tag *tag)
{
    mmc_le16_put(bytes, tag->id);
    mmc_le16_put(bytes + 2, tag->version);
    bytes[5] = 0;
    mmc_le16_put(bytes + 6, tag->serial);
    mmc_le16_put(bytes + 8, udf_crc(bytes + UDF_TAG_BYTES, tag->crc_len));
    mmc_le16_put(bytes + 10, tag->crc_len);
    mmc_le32_put(bytes + 12, tag->location);
    bytes[4] = tag_checksum(bytes);
}

void udf_tag_encode_as(uint8_t *bytes, const struct udf_tag *tag, uint16_t id, size_t descriptor_bytes)
{
    struct udf_tag whole = *tag;
    whole.id = id;
    whole.crc_len = (uint16_t)(descriptor_bytes - UDF_TAG_BYTES);
    udf_tag_encode(bytes, &whole);
}

/* ECMA-167 1/7.4: flags, 23 bytes of identifier, 8 of suffix. */
void udf_regid_decode(const uint8_t bytes[UDF_REGID_BYTES], struct udf_regid *regid)
{
    regid->flags = bytes[0];
    memcpy(regid->id, bytes + 1, 23);
    regid->id[23] = 0;
    memcpy(regid->suffix, bytes + 24, 8);
}

void udf_regid_encode(uint8_t bytes[UDF_REGID_BYTES], const struct udf_regid *regid)
{
    bytes[0] = regid->flags;
    memcpy(bytes + 1, regid->id, 23);
    memcpy(bytes + 24, regid->suffix, 8);
}

void udf_regid_own(struct udf_regid *regid)
{
    *regid = (struct udf_regid){.id = "*packetfs", .suffix = {4 /* Unix */, 5 /* Linux */}};
}

struct udf_volume_extent udf_volume_extent_decode(const uint8_t *bytes)
{
    /* Blocks beyond what mmc_lba_t holds become negative, and no device has those. */
    return (struct udf_volume_extent){.bytes = mmc_le32_get(bytes),
                                      .first = mmc_lba(mmc_le32_get(bytes + 4))};
}

void udf_volume_extent_encode(uint8_t *bytes, const struct udf_volume_extent *extent)
{
    mmc_le32_put(bytes, extent->bytes);
    mmc_le32_put(bytes + 4, (uint32_t)extent->first.n);
}

/* ECMA-167 4/14.14.2; the implementation use as UDF 2.3.4.3 and 2.3.10.1 lay it out. */
struct udf_long_ad udf_long_ad_decode(const uint8_t *bytes)
{
    uint32_t length = mmc_le32_get(bytes);
    return (struct udf_long_ad){.bytes = length & UDF_EXTENT_BYTES_MAX,
                                .type = (uint8_t)(length >> 30),
                                .at = {.block = mmc_le32_get(bytes + 4), .part = mmc_le16_get(bytes + 8)},
                                .flags = mmc_le16_get(bytes + 10),
                                .unique_id = mmc_le32_get(bytes + 12)};
}

void udf_long_ad_encode(uint8_t *bytes, const struct udf_long_ad *ad)
{
    mmc_le32_put(bytes, (ad->bytes & UDF_EXTENT_BYTES_MAX) | (uint32_t)ad->type << 30);
    mmc_le32_put(bytes + 4, ad->at.block);
    mmc_le16_put(bytes + 8, ad->at.part);
    mmc_le16_put(bytes + 10, ad->flags);
    mmc_le32_put(bytes + 12, ad->unique_id);
}
