/* SPDX-License-Identifier: MIT */
/* The descriptors inside a partition (ECMA-167 part 4): file set, file entries, allocation descriptors and
 * their extents, file identifiers, and the head of the space bitmap. */
#include <errno.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/codec.h"
#include "udf/codec_part.h"

/* ECMA-167 4/14.1 */
int udf_fsd_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, struct udf_fsd *fsd)
{
    struct udf_tag tag;
    struct udf_regid domain;
    int err = udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_FSD, location, &tag);
    if (err)
        return err;
    udf_time_decode(block + 16, &fsd->recorded);
    udf_dstring_decode(block + 112, 128, fsd->volume_id, sizeof fsd->volume_id);
    udf_dstring_decode(block + 304, 32, fsd->fileset_id, sizeof fsd->fileset_id);
    udf_regid_decode(block + 416, &domain);
    fsd->root = udf_long_ad_decode(block + 400);
    fsd->next = udf_long_ad_decode(block + 448);
    fsd->stream_dir = udf_long_ad_decode(block + 464);
    fsd->domain_revision = mmc_le16_get(domain.suffix);
    fsd->domain_flags = domain.suffix[2];
    return 0;
}

/* ICB tag (ECMA-167 4/14.6), which begins at byte 16 of every ICB */
static void icb_tag_decode(const uint8_t *block, struct udf_file_entry *fe)
{
    fe->strategy = mmc_le16_get(block + 20);
    fe->file_type = block[27];
    fe->parent_icb =
        (struct udf_address){.block = mmc_le32_get(block + 28), .part = mmc_le16_get(block + 32)};
    fe->icb_flags = mmc_le16_get(block + 34);
}

static void icb_tag_encode(uint8_t *block, const struct udf_file_entry *fe)
{
    mmc_le16_put(block + 20, fe->strategy);
    mmc_le16_put(block + 24, 1); /* entries in the ICB: one, with strategy 4 */
    block[27] = fe->file_type;
    mmc_le32_put(block + 28, fe->parent_icb.block);
    mmc_le16_put(block + 32, fe->parent_icb.part);
    mmc_le16_put(block + 34, fe->icb_flags);
}

/* Bytes 36 to 63 are the same in both kinds of file entry. */
static void entry_common_decode(const uint8_t *block, struct udf_file_entry *fe)
{
    fe->uid = mmc_le32_get(block + 36);
    fe->gid = mmc_le32_get(block + 40);
    fe->permissions = mmc_le32_get(block + 44);
    fe->links = mmc_le16_get(block + 48);
    fe->info_length = mmc_le64_get(block + 56);
}

static void entry_common_encode(uint8_t *block, const struct udf_file_entry *fe)
{
    mmc_le32_put(block + 36, fe->uid);
    mmc_le32_put(block + 40, fe->gid);
    mmc_le32_put(block + 44, fe->permissions);
    mmc_le16_put(block + 48, fe->links);
    mmc_le64_put(block + 56, fe->info_length);
}

/* ECMA-167 4/14.9 */
static void entry_plain_decode(const uint8_t *block, struct udf_file_entry *fe)
{
    fe->object_size = fe->info_length;
    fe->blocks_recorded = mmc_le64_get(block + 64);
    udf_time_decode(block + 72, &fe->atime);
    udf_time_decode(block + 84, &fe->mtime);
    udf_time_decode(block + 96, &fe->ctime);
    fe->checkpoint = mmc_le32_get(block + 108);
    fe->ea_icb = udf_long_ad_decode(block + 112);
    fe->unique_id = mmc_le64_get(block + 160);
    fe->ea_len = mmc_le32_get(block + 168);
    fe->ads_len = mmc_le32_get(block + 172);
}

static void entry_plain_encode(uint8_t *block, const struct udf_file_entry *fe, const struct udf_regid *own)
{
    mmc_le64_put(block + 64, fe->blocks_recorded);
    udf_time_encode(block + 72, &fe->atime);
    udf_time_encode(block + 84, &fe->mtime);
    udf_time_encode(block + 96, &fe->ctime);
    mmc_le32_put(block + 108, fe->checkpoint);
    udf_long_ad_encode(block + 112, &fe->ea_icb);
    udf_regid_encode(block + 128, own);
    mmc_le64_put(block + 160, fe->unique_id);
    mmc_le32_put(block + 168, fe->ea_len);
    mmc_le32_put(block + 172, fe->ads_len);
}

/* ECMA-167 4/14.17 */
static void entry_extended_decode(const uint8_t *block, struct udf_file_entry *fe)
{
    fe->object_size = mmc_le64_get(block + 64);
    fe->blocks_recorded = mmc_le64_get(block + 72);
    udf_time_decode(block + 80, &fe->atime);
    udf_time_decode(block + 92, &fe->mtime);
    udf_time_decode(block + 104, &fe->btime);
    udf_time_decode(block + 116, &fe->ctime);
    fe->checkpoint = mmc_le32_get(block + 128);
    fe->ea_icb = udf_long_ad_decode(block + 136);
    fe->stream_dir = udf_long_ad_decode(block + 152);
    fe->unique_id = mmc_le64_get(block + 200);
    fe->ea_len = mmc_le32_get(block + 208);
    fe->ads_len = mmc_le32_get(block + 212);
}

static void entry_extended_encode(uint8_t *block, const struct udf_file_entry *fe,
                                  const struct udf_regid *own)
{
    mmc_le64_put(block + 64, fe->object_size);
    mmc_le64_put(block + 72, fe->blocks_recorded);
    udf_time_encode(block + 80, &fe->atime);
    udf_time_encode(block + 92, &fe->mtime);
    udf_time_encode(block + 104, &fe->btime);
    udf_time_encode(block + 116, &fe->ctime);
    mmc_le32_put(block + 128, fe->checkpoint);
    udf_long_ad_encode(block + 136, &fe->ea_icb);
    udf_long_ad_encode(block + 152, &fe->stream_dir);
    udf_regid_encode(block + 168, own);
    mmc_le64_put(block + 200, fe->unique_id);
    mmc_le32_put(block + 208, fe->ea_len);
    mmc_le32_put(block + 212, fe->ads_len);
}

int udf_file_entry_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, struct udf_file_entry *fe)
{
    memset(fe, 0, sizeof *fe);
    int err = udf_tag_decode(block, UDF_BLOCK_BYTES, &fe->tag);
    if (err)
        return err;
    if ((fe->tag.id != UDF_TAG_FE && fe->tag.id != UDF_TAG_EFE) || fe->tag.location != location)
        return -EUCLEAN;
    fe->extended = fe->tag.id == UDF_TAG_EFE;
    uint32_t head = fe->extended ? UDF_EFE_BYTES : UDF_FE_BYTES;
    icb_tag_decode(block, fe);
    entry_common_decode(block, fe);
    if (fe->extended)
        entry_extended_decode(block, fe);
    else
        entry_plain_decode(block, fe);
    if ((uint64_t)fe->ea_len + fe->ads_len > UDF_BLOCK_BYTES - head)
        return -EUCLEAN;
    fe->ea = block + head;
    fe->ads = block + head + fe->ea_len;
    return 0;
}

int udf_file_entry_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_file_entry *fe)
{
    uint32_t head = fe->extended ? UDF_EFE_BYTES : UDF_FE_BYTES;
    if ((uint64_t)fe->ea_len + fe->ads_len > UDF_BLOCK_BYTES - head)
        return -ENOSPC;
    struct udf_regid own;
    udf_regid_own(&own);
    memset(block, 0, UDF_BLOCK_BYTES);
    icb_tag_encode(block, fe);
    entry_common_encode(block, fe);
    if (fe->extended)
        entry_extended_encode(block, fe, &own);
    else
        entry_plain_encode(block, fe, &own);
    if (fe->ea_len)
        memcpy(block + head, fe->ea, fe->ea_len);
    if (fe->ads_len)
        memcpy(block + head + fe->ea_len, fe->ads, fe->ads_len);
    udf_tag_encode_as(block, &fe->tag, fe->extended ? UDF_TAG_EFE : UDF_TAG_FE,
                      head + fe->ea_len + fe->ads_len);
    return 0;
}

/* ECMA-167 4/14.14.1 and 4/14.14.2 */
int udf_ad_decode(enum udf_ad_kind kind, uint16_t part, const uint8_t *bytes, size_t left,
                  struct udf_long_ad *ad)
{
    if (kind == UDF_AD_LONG && left >= UDF_LONG_AD_BYTES) {
        *ad = udf_long_ad_decode(bytes);
        return UDF_LONG_AD_BYTES;
    }
    if (kind == UDF_AD_SHORT && left >= UDF_SHORT_AD_BYTES) {
        uint32_t length = mmc_le32_get(bytes);
        *ad = (struct udf_long_ad){.bytes = length & UDF_EXTENT_BYTES_MAX,
                                   .type = (uint8_t)(length >> 30),
                                   .at = {.block = mmc_le32_get(bytes + 4), .part = part}};
        return UDF_SHORT_AD_BYTES;
    }
    return -EUCLEAN;
}

void udf_ad_encode(enum udf_ad_kind kind, uint8_t *bytes, const struct udf_long_ad *ad)
{
    if (kind == UDF_AD_LONG) {
        udf_long_ad_encode(bytes, ad);
        return;
    }
    mmc_le32_put(bytes, (ad->bytes & UDF_EXTENT_BYTES_MAX) | (uint32_t)ad->type << 30);
    mmc_le32_put(bytes + 4, ad->at.block);
}

/* ECMA-167 4/14.5 */
int udf_aed_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, const uint8_t **ads,
                   uint32_t *ads_len)
{
    struct udf_tag tag;
    int err = udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_AED, location, &tag);
    if (err)
        return err;
    uint32_t len = mmc_le32_get(block + 20);
    if (len > UDF_BLOCK_BYTES - UDF_AED_BYTES)
        return -EUCLEAN;
    *ads = block + UDF_AED_BYTES;
    *ads_len = len;
    return 0;
}

void udf_aed_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_tag *tag, uint32_t ads_len)
{
    mmc_le32_put(block + 16, 0); /* the way back is not recorded (UDF 2.3.11) */
    mmc_le32_put(block + 20, ads_len);
    memset(block + UDF_AED_BYTES + ads_len, 0, UDF_BLOCK_BYTES - UDF_AED_BYTES - ads_len);
    /* UDF 2.01 2.3.11.1 wants the descriptors under the CRC; before it
     * covered the eight bytes of the head. */
    udf_tag_encode_as(block, tag, UDF_TAG_AED, UDF_AED_BYTES + (tag->version >= 3 ? ads_len : 0));
}

/* ECMA-167 4/14.4 */
int udf_fid_decode(const uint8_t *bytes, size_t left, struct udf_fid *fid)
{
    if (left < UDF_FID_BYTES || udf_tag_decode(bytes, left, &fid->tag) || fid->tag.id != UDF_TAG_FID)
        return -EUCLEAN;
    fid->file_version = mmc_le16_get(bytes + 16);
    fid->characteristics = bytes[18];
    fid->name_len = bytes[19];
    fid->icb = udf_long_ad_decode(bytes + 20);
    fid->impl_use_len = mmc_le16_get(bytes + 36);
    uint32_t size = udf_fid_size(fid->name_len, fid->impl_use_len);
    if (size > left || size > UDF_BLOCK_BYTES)
        return -EUCLEAN;
    fid->impl_use = bytes + UDF_FID_BYTES;
    fid->name = bytes + UDF_FID_BYTES + fid->impl_use_len;
    return (int)size;
}

void udf_fid_encode(uint8_t *bytes, const struct udf_fid *fid)
{
    uint32_t size = udf_fid_size(fid->name_len, fid->impl_use_len);
    memset(bytes, 0, size);
    mmc_le16_put(bytes + 16, fid->file_version);
    bytes[18] = fid->characteristics;
    bytes[19] = fid->name_len;
    udf_long_ad_encode(bytes + 20, &fid->icb);
    mmc_le16_put(bytes + 36, fid->impl_use_len);
    if (fid->impl_use_len)
        memcpy(bytes + UDF_FID_BYTES, fid->impl_use, fid->impl_use_len);
    if (fid->name_len)
        memcpy(bytes + UDF_FID_BYTES + fid->impl_use_len, fid->name, fid->name_len);
    udf_tag_encode_as(bytes, &fid->tag, UDF_TAG_FID, size);
}

/* ECMA-167 4/14.12 */
int udf_sbd_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, uint32_t *bits, uint32_t *bytes)
{
    struct udf_tag tag;
    int err = udf_tag_decode_head(block, UDF_BLOCK_BYTES, &tag);
    if (err)
        return err;
    /* The CRC may cover a bitmap longer than this block (UDF 2.3.8.1 only recommends 0
     * or 8); then it is left aside. */
    if (tag.crc_len <= UDF_BLOCK_BYTES - UDF_TAG_BYTES && udf_tag_decode(block, UDF_BLOCK_BYTES, &tag))
        return -EUCLEAN;
    if (tag.id != UDF_TAG_SBD || tag.location != location)
        return -EUCLEAN;
    *bits = mmc_le32_get(block + 16);
    *bytes = mmc_le32_get(block + 20);
    return (uint64_t)*bytes * 8 >= *bits ? 0 : -EUCLEAN;
}

void udf_sbd_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_tag *tag, uint32_t bits, uint32_t bytes)
{
    mmc_le32_put(block + 16, bits);
    mmc_le32_put(block + 20, bytes);
    udf_tag_encode_as(block, tag, UDF_TAG_SBD, UDF_SBD_BYTES);
}
