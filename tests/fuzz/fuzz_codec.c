/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes every decoder of the UDF codec. The first byte of the input chooses one, the second whether the tag
 * in the input is made valid first, so that what is behind the CRC is reached. What was decoded is encoded
 * and decoded again where there is an encoder, and must be the same.
 */
#include <stdlib.h>
#include <string.h>

#include "udf/codec.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            __builtin_trap();                                                                                \
    } while (0)

/* Gives the input the tag that the decoder looks for. */
static void tag_mend(uint8_t *bytes, size_t size, uint16_t id, uint32_t location)
{
    if (size < UDF_TAG_BYTES)
        return;
    uint16_t wanted = (uint16_t)(bytes[10] | bytes[11] << 8);
    size_t most = size - UDF_TAG_BYTES;
    struct udf_tag tag = {.id = id,
                          .version = (uint16_t)(2 + (bytes[2] & 1)),
                          .crc_len = wanted <= most ? wanted : (uint16_t)most,
                          .location = location};
    udf_tag_encode(bytes, &tag);
}

static void fuzz_lvid(const uint8_t *block)
{
    struct udf_lvid lvid, again;
    uint8_t made[UDF_BLOCK_BYTES];
    if (udf_lvid_decode(block, &lvid))
        return;
    udf_lvid_encode(made, &lvid);
    REQUIRE(!udf_lvid_decode(made, &again));
    REQUIRE(again.files == lvid.files && again.partitions == lvid.partitions &&
            again.next.bytes == lvid.next.bytes);
}

static void fuzz_iuvd(const uint8_t *block)
{
    struct udf_iuvd iuvd, again;
    struct udf_tag tag = {.version = 2};
    uint8_t made[UDF_BLOCK_BYTES];
    if (udf_iuvd_decode(block, &iuvd))
        return;
    udf_iuvd_encode(made, &tag, &iuvd);
    REQUIRE(!udf_iuvd_decode(made, &again) && !memcmp(again.use, iuvd.use, sizeof iuvd.use));
}

static void fuzz_sparing(const uint8_t *bytes, size_t size)
{
    struct udf_sparing_table table, again;
    struct udf_tag tag = {.version = 3, .location = 5};
    if (udf_sparing_decode(bytes, size, mmc_lba(5), &table))
        return;
    uint8_t *made = malloc(size);
    REQUIRE(made);
    int len = udf_sparing_encode(made, size, &tag, &table);
    if (len >= 0) {
        REQUIRE(!udf_sparing_decode(made, (size_t)len, mmc_lba(5), &again));
        REQUIRE(again.count == table.count);
        free(again.spares);
    }
    free(made);
    free(table.spares);
}

static void fuzz_file_entry(const uint8_t *block)
{
    struct udf_file_entry fe, again;
    struct udf_long_ad ad;
    uint32_t major, minor;
    uint8_t made[UDF_BLOCK_BYTES];
    char path[4096];
    if (udf_file_entry_decode(block, 5, &fe))
        return;
    size_t at = 0;
    for (int took;
         (took = udf_ad_decode(fe.icb_flags & UDF_ICB_AD_MASK, 0, fe.ads + at, fe.ads_len - at, &ad)) > 0;)
        at += (size_t)took;
    udf_ea_device_find(fe.ea, fe.ea_len, &major, &minor);
    udf_path_decode(fe.ads, fe.ads_len, path, sizeof path);
    udf_permissions_to_mode(fe.permissions, fe.file_type, fe.icb_flags);
    REQUIRE(!udf_file_entry_encode(made, &fe));
    REQUIRE(!udf_file_entry_decode(made, 5, &again));
    REQUIRE(again.ads_len == fe.ads_len && !memcmp(again.ads, fe.ads, fe.ads_len));
    REQUIRE(again.mtime.sec == fe.mtime.sec && again.info_length == fe.info_length);
}

static void fuzz_cs0(const uint8_t *bytes, size_t size)
{
    char utf8[4 * UDF_NAME_UTF8_MAX], more[4 * UDF_NAME_UTF8_MAX];
    uint8_t cs0[1024];
    int len = udf_cs0_decode(bytes, size < 512 ? size : 512, utf8, sizeof utf8);
    if (len > 0) {
        int encoded = udf_cs0_encode(utf8, (size_t)len, cs0, sizeof cs0);
        REQUIRE(encoded > 0);
        REQUIRE(udf_cs0_decode(cs0, (size_t)encoded, more, sizeof more) == len &&
                !memcmp(more, utf8, (size_t)len));
    }
    /* As a name in UTF-8: what is taken comes back as it was. */
    int encoded = udf_cs0_encode((const char *)bytes, size, cs0, UDF_NAME_CS0_MAX);
    if (encoded > 0) {
        REQUIRE(encoded <= (int)UDF_NAME_CS0_MAX);
        len = udf_cs0_decode(cs0, (size_t)encoded, utf8, UDF_NAME_UTF8_MAX);
        REQUIRE(len == (int)size && !memcmp(utf8, bytes, size));
    }
    if (size && size <= 256) {
        udf_dstring_decode(bytes, size, utf8, 512);
        REQUIRE(strlen(utf8) < 512);
    }
}

static void fuzz_path(const uint8_t *bytes, size_t size)
{
    char path[1024], again[1024];
    uint8_t components[8192];
    int len = udf_path_decode(bytes, size, path, sizeof path - 1);
    if (len <= 0)
        return;
    path[len] = 0;
    int encoded = udf_path_encode(path, components, sizeof components);
    if (encoded > 0) /* not when a name is longer than the disc would hold, which a component can be */
        REQUIRE(udf_path_decode(components, (size_t)encoded, again, sizeof again) > 0);
}

static void fuzz_time(const uint8_t *bytes, size_t size)
{
    struct udf_time time, again;
    uint8_t made[UDF_TIME_BYTES];
    if (size < UDF_TIME_BYTES)
        return;
    udf_time_decode(bytes, &time);
    udf_time_encode(made, &time);
    udf_time_decode(made, &again);
    REQUIRE(again.zone_minutes == time.zone_minutes && again.nsec == time.nsec);
    REQUIRE(again.sec == time.sec || time.sec > 253402214400 /* a leap second at the very end */);
    if (size >= UDF_TIME_BYTES + 8) {
        memcpy(&time.sec, bytes + UDF_TIME_BYTES, 8);
        udf_time_encode(made, &time);
        udf_time_decode(made, &again);
    }
}

static void fuzz_fid(const uint8_t *bytes, size_t size)
{
    struct udf_fid fid, again;
    uint8_t made[UDF_BLOCK_BYTES];
    int len = udf_fid_decode(bytes, size, &fid);
    if (len < 0)
        return;
    REQUIRE((size_t)len <= size && (size_t)len <= sizeof made);
    udf_fid_encode(made, &fid);
    REQUIRE(udf_fid_decode(made, (size_t)len, &again) == len);
    REQUIRE(again.name_len == fid.name_len && !memcmp(again.name, fid.name, fid.name_len));
}

static const uint16_t tag_ids[] = {
    UDF_TAG_AVDP, UDF_TAG_PVD, UDF_TAG_PD,  UDF_TAG_LVD, UDF_TAG_IUVD, UDF_TAG_LVID, UDF_TAG_SPARING_TABLE,
    UDF_TAG_FSD,  UDF_TAG_FE,  UDF_TAG_EFE, UDF_TAG_AED, UDF_TAG_FID,  UDF_TAG_SBD,  UDF_TAG_EAHD,
};
#define TAG_IDS (sizeof tag_ids / sizeof tag_ids[0])

/* Structures of a whole block; bytes has that many. */
static void fuzz_block(uint16_t id, const uint8_t *bytes)
{
    union {
        struct udf_avdp avdp;
        struct udf_pvd pvd;
        struct udf_pd pd;
        struct udf_fsd fsd;
    } out;
    const uint8_t *ads;
    uint32_t a, b;
    if (id == UDF_TAG_AVDP)
        udf_avdp_decode(bytes, mmc_lba(5), &out.avdp);
    else if (id == UDF_TAG_PVD)
        udf_pvd_decode(bytes, &out.pvd);
    else if (id == UDF_TAG_PD)
        udf_pd_decode(bytes, &out.pd);
    else if (id == UDF_TAG_IUVD)
        fuzz_iuvd(bytes);
    else if (id == UDF_TAG_LVID)
        fuzz_lvid(bytes);
    else if (id == UDF_TAG_FSD)
        udf_fsd_decode(bytes, 5, &out.fsd);
    else if (id == UDF_TAG_AED && !udf_aed_decode(bytes, 5, &ads, &a))
        REQUIRE(ads >= bytes && ads + a <= bytes + UDF_BLOCK_BYTES);
    else if (id == UDF_TAG_SBD)
        udf_sbd_decode(bytes, 5, &a, &b);
    else if (id == UDF_TAG_FE || id == UDF_TAG_EFE)
        fuzz_file_entry(bytes);
}

/* Structures of any size. */
static void fuzz_bytes(unsigned which, const uint8_t *bytes, size_t size)
{
    struct udf_lvd lvd;
    uint32_t major, minor;
    if (which < TAG_IDS && tag_ids[which] == UDF_TAG_LVD)
        udf_lvd_decode(bytes, size, &lvd);
    else if (which < TAG_IDS && tag_ids[which] == UDF_TAG_SPARING_TABLE)
        fuzz_sparing(bytes, size);
    else if (which < TAG_IDS && tag_ids[which] == UDF_TAG_FID)
        fuzz_fid(bytes, size);
    else if (which < TAG_IDS && tag_ids[which] == UDF_TAG_EAHD)
        udf_ea_device_find(bytes, size, &major, &minor);
    else if (which == TAG_IDS)
        fuzz_cs0(bytes, size);
    else if (which == TAG_IDS + 1)
        fuzz_path(bytes, size);
    else if (which == TAG_IDS + 2)
        fuzz_time(bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    unsigned which = data[0] % (TAG_IDS + 3);
    bool mend = data[1] & 1, tagged = which < TAG_IDS;
    data += 2;
    size -= 2;
    /* Copies of just the size there is, so that a step beyond it is seen. */
    uint8_t *bytes = malloc(size ? size : 1), *block = calloc(1, UDF_BLOCK_BYTES);
    REQUIRE(bytes && block);
    memcpy(bytes, data, size);
    memcpy(block, data, size < UDF_BLOCK_BYTES ? size : UDF_BLOCK_BYTES);
    if (tagged && mend) {
        tag_mend(bytes, size, tag_ids[which], 5);
        tag_mend(block, UDF_BLOCK_BYTES, tag_ids[which], 5);
    }
    if (tagged)
        fuzz_block(tag_ids[which], block);
    fuzz_bytes(which, bytes, size);
    free(bytes);
    free(block);
    return 0;
}
