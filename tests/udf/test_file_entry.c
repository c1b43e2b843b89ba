/* SPDX-License-Identifier: MIT */
/* The descriptors inside a partition: file set, file entries, allocation descriptors,
 * file identifiers, bitmap head. */
#include <errno.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "udf/codec.h"

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* The tag's own codec is tested apart, so that here it may serve. */
static void tag_put(uint8_t *bytes, uint16_t id, uint32_t location, uint16_t crc_len)
{
    struct udf_tag tag = {.id = id, .version = 3, .serial = 7, .crc_len = crc_len, .location = location};
    udf_tag_encode(bytes, &tag);
}

static const uint8_t times[4][12] = {
    {0x00, 0x10, 0xB2, 0x07, 1, 1, 0, 0, 1},
    {0x00, 0x10, 0xB2, 0x07, 1, 1, 0, 0, 2},
    {0x00, 0x10, 0xB2, 0x07, 1, 1, 0, 0, 3},
    {0x00, 0x10, 0xB2, 0x07, 1, 1, 0, 0, 4},
};

static void test_fsd(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    struct udf_fsd fsd;
    (void)state;
    memcpy(block + 16, times[0], 12);
    memcpy(block + 112, "\10Volume", 7);
    block[112 + 127] = 7;
    memcpy(block + 304, "\10Set", 4);
    block[304 + 31] = 4;
    put(block + 400, 2048, 4);
    put(block + 404, 3, 4);
    put(block + 408, 1, 2);
    put(block + 440, 0x0250, 2);
    block[442] = 1;
    put(block + 448, 4096, 4);
    put(block + 452, 9, 4);
    put(block + 464, 2048, 4);
    put(block + 468, 5, 4);
    put(block + 472, 1, 2);
    tag_put(block, 256, 2, 496);
    assert_int_equal(udf_fsd_decode(block, 2, &fsd), 0);
    assert_int_equal(fsd.recorded.sec, 1);
    assert_string_equal(fsd.volume_id, "Volume");
    assert_string_equal(fsd.fileset_id, "Set");
    assert_int_equal(fsd.root.bytes, 2048);
    assert_int_equal(fsd.root.at.block, 3);
    assert_int_equal(fsd.root.at.part, 1);
    assert_int_equal(fsd.next.bytes, 4096);
    assert_int_equal(fsd.next.at.block, 9);
    assert_int_equal(fsd.stream_dir.at.block, 5);
    assert_int_equal(fsd.stream_dir.at.part, 1);
    assert_int_equal(fsd.domain_revision, 0x0250);
    assert_int_equal(fsd.domain_flags, 1);
    assert_int_equal(udf_fsd_decode(block, 3, &fsd), -EUCLEAN);
}

/* Bytes that both kinds of file entry begin with. */
static void entry_head_put(uint8_t *block)
{
    memset(block, 0, UDF_BLOCK_BYTES);
    put(block + 20, 4, 2);
    put(block + 24, 1, 2);
    block[27] = 5;
    put(block + 28, 0x10203, 4);
    put(block + 32, 1, 2);
    put(block + 34, 0x0223, 2);
    put(block + 36, 1000, 4);
    put(block + 40, 100, 4);
    put(block + 44, 0x7A84, 4);
    put(block + 48, 3, 2);
    put(block + 56, 0x123456789, 8);
}

static void entry_head_check(const struct udf_file_entry *fe)
{
    assert_int_equal(fe->strategy, 4);
    assert_int_equal(fe->file_type, UDF_FILE_REGULAR);
    assert_int_equal(fe->parent_icb.block, 0x10203);
    assert_int_equal(fe->parent_icb.part, 1);
    assert_int_equal(fe->icb_flags, 0x0223);
    assert_int_equal(fe->uid, 1000);
    assert_int_equal(fe->gid, 100);
    assert_int_equal(fe->permissions, 0x7A84);
    assert_int_equal(fe->links, 3);
    assert_true(fe->info_length == 0x123456789);
}

static void test_file_entry(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES], made[UDF_BLOCK_BYTES];
    struct udf_file_entry fe;
    (void)state;
    entry_head_put(block);
    put(block + 64, 0x22, 8);
    for (unsigned i = 0; i < 3; i++)
        memcpy(block + 72 + 12 * i, times[i], 12);
    put(block + 108, 1, 4);
    put(block + 112, 2048, 4);
    put(block + 116, 66, 4);
    memcpy(block + 129, "*packetfs", 9);
    block[152] = 4;
    block[153] = 5;
    put(block + 160, 0x1122334455, 8);
    put(block + 168, 4, 4);
    put(block + 172, 8, 4);
    memcpy(block + 176, "EAEA", 4);
    memcpy(block + 180, "DESCRIPT", 8);
    tag_put(block, 261, 40, 176 + 12 - 16);
    assert_int_equal(udf_file_entry_decode(block, 40, &fe), 0);
    assert_false(fe.extended);
    entry_head_check(&fe);
    assert_true(fe.object_size == fe.info_length);
    assert_int_equal(fe.blocks_recorded, 0x22);
    assert_int_equal(fe.atime.sec, 1);
    assert_int_equal(fe.mtime.sec, 2);
    assert_int_equal(fe.ctime.sec, 3);
    assert_int_equal(fe.checkpoint, 1);
    assert_int_equal(fe.ea_icb.bytes, 2048);
    assert_int_equal(fe.ea_icb.at.block, 66);
    assert_true(fe.unique_id == 0x1122334455);
    assert_ptr_equal(fe.ea, block + 176);
    assert_int_equal(fe.ea_len, 4);
    assert_ptr_equal(fe.ads, block + 180);
    assert_int_equal(fe.ads_len, 8);
    assert_int_equal(udf_file_entry_encode(made, &fe), 0);
    assert_memory_equal(made, block, sizeof made);
    assert_int_equal(udf_file_entry_decode(block, 41, &fe), -EUCLEAN);
}

static void test_file_entry_extended(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES], made[UDF_BLOCK_BYTES];
    struct udf_file_entry fe;
    (void)state;
    entry_head_put(block);
    put(block + 64, 0x223456789, 8);
    put(block + 72, 0x22, 8);
    for (unsigned i = 0; i < 4; i++)
        memcpy(block + 80 + 12 * i, times[i], 12);
    put(block + 128, 1, 4);
    put(block + 136, 2048, 4);
    put(block + 140, 66, 4);
    put(block + 152, 2048, 4);
    put(block + 156, 67, 4);
    memcpy(block + 169, "*packetfs", 9);
    block[192] = 4;
    block[193] = 5;
    put(block + 200, 0x1122334455, 8);
    put(block + 208, 4, 4);
    put(block + 212, 8, 4);
    memcpy(block + 216, "EAEADESCRIPT", 12);
    tag_put(block, 266, 40, 216 + 12 - 16);
    assert_int_equal(udf_file_entry_decode(block, 40, &fe), 0);
    assert_true(fe.extended);
    entry_head_check(&fe);
    assert_true(fe.object_size == 0x223456789);
    assert_int_equal(fe.blocks_recorded, 0x22);
    assert_int_equal(fe.atime.sec, 1);
    assert_int_equal(fe.mtime.sec, 2);
    assert_int_equal(fe.btime.sec, 3);
    assert_int_equal(fe.ctime.sec, 4);
    assert_int_equal(fe.checkpoint, 1);
    assert_int_equal(fe.ea_icb.at.block, 66);
    assert_int_equal(fe.stream_dir.at.block, 67);
    assert_true(fe.unique_id == 0x1122334455);
    assert_ptr_equal(fe.ea, block + 216);
    assert_ptr_equal(fe.ads, block + 220);
    assert_int_equal(udf_file_entry_encode(made, &fe), 0);
    assert_memory_equal(made, block, sizeof made);
}

static void test_file_entry_bounds(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES], contents[UDF_BLOCK_BYTES] = {1};
    (void)state;
    for (int extended = 0; extended < 2; extended++) {
        uint32_t room = UDF_BLOCK_BYTES - (extended ? UDF_EFE_BYTES : UDF_FE_BYTES);
        struct udf_file_entry fe = {.tag = {.version = 3},
                                    .extended = extended,
                                    .ads = contents,
                                    .ads_len = room},
                              back;
        assert_int_equal(udf_file_entry_encode(block, &fe), 0);
        assert_int_equal(udf_file_entry_decode(block, 0, &back), 0);
        assert_int_equal(back.ads_len, room);
        fe.ads_len++;
        assert_int_equal(udf_file_entry_encode(block, &fe), -ENOSPC);
        fe.ads_len = UINT32_MAX;
        fe.ea_len = 1;
        assert_int_equal(udf_file_entry_encode(block, &fe), -ENOSPC);
        static const uint32_t lengths[][2] = {{1, 0}, {0, 1}, {0xFFFFFFFF, 1}, {0x80000000, 0x80000000}};
        for (size_t i = 0; i < 4; i++) {
            unsigned at = extended ? 208 : 168;
            put(block + at, lengths[i][0] + (i < 2 ? room - (i == 0) : 0), 4);
            put(block + at + 4, lengths[i][1] + (i == 0), 4);
            tag_put(block, extended ? 266 : 261, 0, 2032);
            assert_int_equal(udf_file_entry_decode(block, 0, &back), -EUCLEAN);
        }
    }
}

static void test_allocation_descriptors(void **state)
{
    const uint8_t bytes[16] = {0x00, 0x08, 0x00, 0x40, 0x44, 0x33, 0x22, 0x11,
                               0x02, 0x00, 0x01, 0x00, 0xDD, 0xCC, 0xBB, 0xAA};
    uint8_t made[16];
    struct udf_long_ad ad;
    (void)state;
    assert_int_equal(udf_ad_decode(UDF_AD_LONG, 9, bytes, 16, &ad), 16);
    assert_int_equal(ad.bytes, 2048);
    assert_int_equal(ad.type, UDF_EXTENT_ALLOCATED);
    assert_int_equal(ad.at.block, 0x11223344);
    assert_int_equal(ad.at.part, 2);
    assert_int_equal(ad.flags, 1);
    assert_int_equal(ad.unique_id, 0xAABBCCDD);
    udf_ad_encode(UDF_AD_LONG, made, &ad);
    assert_memory_equal(made, bytes, 16);
    assert_int_equal(udf_ad_decode(UDF_AD_SHORT, 9, bytes, 8, &ad), 8);
    assert_int_equal(ad.type, UDF_EXTENT_ALLOCATED);
    assert_int_equal(ad.at.block, 0x11223344);
    assert_int_equal(ad.at.part, 9);
    assert_int_equal(ad.unique_id, 0);
    udf_ad_encode(UDF_AD_SHORT, made, &ad);
    assert_memory_equal(made, bytes, 8);
    assert_int_equal(udf_ad_decode(UDF_AD_LONG, 0, bytes, 15, &ad), -EUCLEAN);
    assert_int_equal(udf_ad_decode(UDF_AD_SHORT, 0, bytes, 7, &ad), -EUCLEAN);
    assert_int_equal(udf_ad_decode(UDF_AD_EMBEDDED, 0, bytes, 16, &ad), -EUCLEAN);
    assert_int_equal(udf_ad_decode((enum udf_ad_kind)2, 0, bytes, 16, &ad), -EUCLEAN);
}

static void test_aed(void **state)
{
    (void)state;
    for (uint16_t version = 2; version <= 3; version++) {
        uint8_t block[UDF_BLOCK_BYTES];
        struct udf_tag tag = {.version = version, .location = 50};
        const uint8_t *ads;
        uint32_t len;
        memset(block, 0xAA, sizeof block);
        udf_aed_encode(block, &tag, 48);
        assert_int_equal(udf_aed_decode(block, 50, &ads, &len), 0);
        assert_ptr_equal(ads, block + 24);
        assert_int_equal(len, 48);
        assert_int_equal(block[10], version == 2 ? 8 : 56); /* CRC length */
        assert_int_equal(block[16], 0);
        assert_int_equal(block[24 + 47], 0xAA);
        assert_int_equal(block[24 + 48], 0);
        assert_int_equal(block[2047], 0);
        assert_int_equal(udf_aed_decode(block, 51, &ads, &len), -EUCLEAN);
        put(block + 20, 2025, 4);
        tag_put(block, 258, 50, 8);
        assert_int_equal(udf_aed_decode(block, 50, &ads, &len), -EUCLEAN);
    }
}

static void test_fid(void **state)
{
    uint8_t bytes[128] = {0}, made[128] = {0};
    struct udf_fid fid;
    (void)state;
    put(bytes + 16, 1, 2);
    bytes[18] = UDF_FID_DIRECTORY;
    bytes[19] = 4;
    put(bytes + 20, 2048, 4);
    put(bytes + 24, 33, 4);
    put(bytes + 28, 1, 2);
    put(bytes + 32, 0x99, 4);
    put(bytes + 36, 32, 2);
    memset(bytes + 38, 'i', 32);
    memcpy(bytes + 70, "\10abc", 4); /* 74 bytes, so two of padding */
    tag_put(bytes, 257, 12, 76 - 16);
    assert_int_equal(udf_fid_decode(bytes, sizeof bytes, &fid), 76);
    assert_int_equal(fid.tag.location, 12);
    assert_int_equal(fid.file_version, 1);
    assert_int_equal(fid.characteristics, UDF_FID_DIRECTORY);
    assert_int_equal(fid.icb.bytes, 2048);
    assert_int_equal(fid.icb.at.block, 33);
    assert_int_equal(fid.icb.at.part, 1);
    assert_int_equal(fid.icb.unique_id, 0x99);
    assert_ptr_equal(fid.impl_use, bytes + 38);
    assert_int_equal(fid.impl_use_len, 32);
    assert_ptr_equal(fid.name, bytes + 70);
    assert_int_equal(fid.name_len, 4);
    udf_fid_encode(made, &fid);
    assert_memory_equal(made, bytes, sizeof made);
    assert_int_equal(udf_fid_decode(bytes, 76, &fid), 76);
    for (size_t left = 0; left < 76; left++)
        assert_int_equal(udf_fid_decode(bytes, left, &fid), -EUCLEAN);
    put(bytes + 36, 0xFFFF, 2);
    tag_put(bytes, 257, 12, 60);
    assert_int_equal(udf_fid_decode(bytes, sizeof bytes, &fid), -EUCLEAN);
}

static void test_sbd(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES], bitmap[UDF_BLOCK_BYTES - 24];
    struct udf_tag tag = {.version = 3, .location = 0};
    uint32_t bits, bytes;
    (void)state;
    memset(bitmap, 0x5A, sizeof bitmap);
    memcpy(block + 24, bitmap, sizeof bitmap);
    udf_sbd_encode(block, &tag, 300001, 37501);
    assert_int_equal(udf_sbd_decode(block, 0, &bits, &bytes), 0);
    assert_int_equal(bits, 300001);
    assert_int_equal(bytes, 37501);
    assert_memory_equal(block + 24, bitmap, sizeof bitmap);
    block[24] ^= 1; /* bits change without the head */
    assert_int_equal(udf_sbd_decode(block, 0, &bits, &bytes), 0);
    assert_int_equal(udf_sbd_decode(block, 1, &bits, &bytes), -EUCLEAN);
    udf_sbd_encode(block, &tag, 300001, 37500); /* too few bytes for the bits */
    assert_int_equal(udf_sbd_decode(block, 0, &bits, &bytes), -EUCLEAN);
    udf_sbd_encode(block, &tag, 0xFFFFFFFF, 0x20000000);
    assert_int_equal(udf_sbd_decode(block, 0, &bits, &bytes), 0);
}

/* A CRC over a bitmap that goes on in further blocks cannot be checked here, and
 * one over this block alone can. */
static void test_sbd_long_crc(void **state)
{
    static uint8_t bitmap[16384];
    struct udf_tag tag = {.id = 264, .version = 2, .crc_len = 16000};
    uint32_t bits, bytes;
    (void)state;
    put(bitmap + 16, 100000, 4);
    put(bitmap + 20, 12500, 4);
    udf_tag_encode(bitmap, &tag);
    assert_int_equal(udf_sbd_decode(bitmap, 0, &bits, &bytes), 0);
    assert_int_equal(bits, 100000);
    tag.crc_len = 2032;
    udf_tag_encode(bitmap, &tag);
    bitmap[100] ^= 1;
    assert_int_equal(udf_sbd_decode(bitmap, 0, &bits, &bytes), -EUCLEAN);
}

/* Any contents there and back. */
static void test_random(void **state)
{
    uint64_t seed = 11;
    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        uint8_t block[UDF_BLOCK_BYTES], made[UDF_BLOCK_BYTES];
        struct udf_file_entry fe;
        bool extended = i & 1;
        uint32_t head = extended ? UDF_EFE_BYTES : UDF_FE_BYTES, room = UDF_BLOCK_BYTES - head;
        uint32_t ea_len = (uint32_t)(random_next(&seed) % room),
                 ads_len = (uint32_t)(random_next(&seed) % (room - ea_len));
        random_fill(&seed, block, sizeof block);
        memset(block + 16, 0, 4); /* what the encoder writes by itself */
        memcpy(block + 22, "\0\0\1\0\0", 5);
        memset(block + 50, 0, 6);
        unsigned count = extended ? 4 : 3;
        for (unsigned t = 0; t < count; t++)
            memcpy(block + (extended ? 80 : 72) + 12 * t, times[t], 12);
        memset(block + (extended ? 132 : 108), 0, 4);
        memset(block + (extended ? 168 : 128), 0, 32);
        memcpy(block + (extended ? 169 : 129), "*packetfs", 9);
        memcpy(block + (extended ? 192 : 152), "\4\5", 2);
        put(block + (extended ? 208 : 168), ea_len, 4);
        put(block + (extended ? 212 : 172), ads_len, 4);
        memset(block + head + ea_len + ads_len, 0, room - ea_len - ads_len);
        tag_put(block, extended ? 266 : 261, i, (uint16_t)(head + ea_len + ads_len - 16));
        assert_int_equal(udf_file_entry_decode(block, i, &fe), 0);
        assert_int_equal(udf_file_entry_encode(made, &fe), 0);
        assert_memory_equal(made, block, sizeof made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fsd),
        cmocka_unit_test(test_file_entry),
        cmocka_unit_test(test_file_entry_extended),
        cmocka_unit_test(test_file_entry_bounds),
        cmocka_unit_test(test_allocation_descriptors),
        cmocka_unit_test(test_aed),
        cmocka_unit_test(test_fid),
        cmocka_unit_test(test_sbd),
        cmocka_unit_test(test_sbd_long_crc),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
