/* SPDX-License-Identifier: MIT */
/*
 * Tags, volume descriptors, sparing tables and the small structures of a partition: laid out here by the
 * standard's byte positions, one number at a time, and read by the codec; then there and back with any
 * contents.
 */
#include <errno.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "udf/codec.h"

static void put(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* A tag over a body that is in place, by the standard's rules worked out bit by bit. */
static void tag_put(uint8_t *bytes, uint16_t id, uint32_t location, uint16_t crc_len)
{
    uint16_t crc = 0;
    uint8_t sum = 0;
    for (unsigned i = 0; i < crc_len; i++) {
        crc ^= (uint16_t)(bytes[16 + i] << 8);
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    put(bytes, id, 2);
    put(bytes + 2, 3, 2);
    put(bytes + 4, 0, 2);
    put(bytes + 6, 0x1234, 2);
    put(bytes + 8, crc, 2);
    put(bytes + 10, crc_len, 2);
    put(bytes + 12, location, 4);
    for (unsigned i = 0; i < 16; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[4] = sum;
}

static void test_crc(void **state)
{
    (void)state;
    assert_int_equal(udf_crc((const uint8_t *)"\x70\x6A\x77", 3),
                     0x3299); /* the example of ECMA-167 1/7.2.6 */
    assert_int_equal(udf_crc((const uint8_t *)"123456789", 9), 0x31C3);
    assert_int_equal(udf_crc((const uint8_t *)"", 0), 0);
}

static void test_tag(void **state)
{
    uint8_t bytes[64], made[64];
    uint64_t seed = 1;
    struct udf_tag tag;
    (void)state;
    random_fill(&seed, bytes, sizeof bytes);
    memcpy(made, bytes, sizeof made);
    tag_put(bytes, 261, 0xA1B2C3D4, 48);
    assert_int_equal(udf_tag_decode(bytes, sizeof bytes, &tag), 0);
    assert_int_equal(tag.id, 261);
    assert_int_equal(tag.version, 3);
    assert_int_equal(tag.serial, 0x1234);
    assert_int_equal(tag.crc_len, 48);
    assert_int_equal(tag.location, 0xA1B2C3D4);
    udf_tag_encode(made, &tag);
    assert_memory_equal(made, bytes, sizeof made);
    assert_int_equal(udf_tag_expect(bytes, sizeof bytes, 261, 0xA1B2C3D4, &tag), 0);
    assert_int_equal(udf_tag_expect(bytes, sizeof bytes, 262, 0xA1B2C3D4, &tag), -EUCLEAN);
    assert_int_equal(udf_tag_expect(bytes, sizeof bytes, 261, 0xA1B2C3D5, &tag), -EUCLEAN);
    assert_int_equal(udf_tag_decode(bytes, 63, &tag), -EUCLEAN);
    assert_int_equal(udf_tag_decode(bytes, 15, &tag), -EUCLEAN);
}

static void test_tag_damaged(void **state)
{
    uint8_t bytes[64] = {0};
    struct udf_tag tag;
    (void)state;
    assert_int_equal(udf_tag_decode(bytes, sizeof bytes, &tag), -EUCLEAN); /* zeros are no tag */
    tag_put(bytes, 261, 5, 48);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(udf_tag_decode(bytes, sizeof bytes, &tag), -EUCLEAN);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(udf_tag_decode(bytes, sizeof bytes, &tag), 0);
}

static void test_regid(void **state)
{
    uint8_t bytes[UDF_REGID_BYTES], made[UDF_REGID_BYTES];
    struct udf_regid regid;
    uint64_t seed = 2;
    (void)state;
    random_fill(&seed, bytes, sizeof bytes);
    udf_regid_decode(bytes, &regid);
    assert_int_equal(regid.id[23], 0);
    udf_regid_encode(made, &regid);
    assert_memory_equal(made, bytes, sizeof bytes);
    udf_regid_own(&regid);
    udf_regid_encode(made, &regid);
    assert_memory_equal(made, "\0*packetfs\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4\5\0\0\0\0\0\0", 32);
}

static void test_avdp(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    struct udf_avdp avdp;
    (void)state;
    put(block + 16, 32768, 4);
    put(block + 20, 96, 4);
    put(block + 24, 65536, 4);
    put(block + 28, 295000, 4);
    tag_put(block, 2, 256, 496);
    assert_int_equal(udf_avdp_decode(block, mmc_lba(256), &avdp), 0);
    assert_int_equal(avdp.main.bytes, 32768);
    assert_int_equal(avdp.main.first.n, 96);
    assert_int_equal(avdp.reserve.bytes, 65536);
    assert_int_equal(avdp.reserve.first.n, 295000);
    assert_int_equal(udf_avdp_decode(block, mmc_lba(257), &avdp), -EUCLEAN);
}

static void test_pvd(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    struct udf_pvd pvd;
    (void)state;
    put(block + 16, 9, 4);
    memcpy(block + 24, "\10Disc", 5);
    block[24 + 31] = 5;
    memcpy(block + 72, "\20\x20\xAC", 3);
    block[72 + 127] = 3;
    memcpy(block + 376, "\x00\x10\xB2\x07\1\1\0\0\7\0\0\0", 12);
    tag_put(block, 1, 96, 496);
    assert_int_equal(udf_pvd_decode(block, &pvd), 0);
    assert_int_equal(pvd.sequence, 9);
    assert_string_equal(pvd.volume_id, "Disc");
    assert_string_equal(pvd.volume_set_id, "\xE2\x82\xAC");
    assert_int_equal(pvd.recorded.sec, 7);
    tag_put(block, 4, 96, 496);
    assert_int_equal(udf_pvd_decode(block, &pvd), -EUCLEAN);
}

static void test_pd(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    struct udf_pd pd;
    (void)state;
    put(block + 16, 3, 4);
    put(block + 22, 0x4321, 2);
    memcpy(block + 25, "+NSR03", 6);
    put(block + 56, 0x40000800, 4); /* the type bits are no part of the length */
    put(block + 60, 1, 4);
    put(block + 64, 4096, 4);
    put(block + 68, 2, 4);
    put(block + 72, 0xFFFFFFFF, 4); /* integrity table: not used by UDF */
    put(block + 80, 6144, 4);
    put(block + 84, 3, 4);
    put(block + 88, 8192, 4);
    put(block + 92, 4, 4);
    put(block + 184, 4, 4);
    put(block + 188, 1312, 4);
    put(block + 192, 300000, 4);
    tag_put(block, 5, 97, 496);
    assert_int_equal(udf_pd_decode(block, &pd), 0);
    assert_int_equal(pd.sequence, 3);
    assert_int_equal(pd.number, 0x4321);
    assert_string_equal(pd.contents, "+NSR03");
    assert_int_equal(pd.space_table.bytes, 2048);
    assert_int_equal(pd.space_table.first.n, 1);
    assert_int_equal(pd.space_bitmap.bytes, 4096);
    assert_int_equal(pd.space_bitmap.first.n, 2);
    assert_int_equal(pd.freed_table.bytes, 6144);
    assert_int_equal(pd.freed_table.first.n, 3);
    assert_int_equal(pd.freed_bitmap.bytes, 8192);
    assert_int_equal(pd.freed_bitmap.first.n, 4);
    assert_int_equal(pd.access_type, 4);
    assert_int_equal(pd.start.n, 1312);
    assert_int_equal(pd.blocks, 300000);
}

/* A logical volume descriptor with one map of each kind, and how long its map table is. */
static uint32_t lvd_put(uint8_t *block)
{
    static const char *const kinds[] = {"*UDF Sparable Partition", "*UDF Virtual Partition",
                                        "*UDF Metadata Partition"};
    memset(block, 0, UDF_BLOCK_BYTES);
    put(block + 16, 5, 4);
    memcpy(block + 84, "\10Label", 6);
    block[84 + 127] = 6;
    put(block + 212, 2048, 4);
    memcpy(block + 217, "*OSTA UDF Compliant", 19);
    put(block + 240, 0x0201, 2);
    block[242] = 2;
    put(block + 248, 4096, 4);
    put(block + 252, 77, 4);
    put(block + 256, 1, 2);
    put(block + 264, 6 + 3 * 64, 4);
    put(block + 268, 4, 4);
    put(block + 432, 65536, 4);
    put(block + 436, 128, 4);
    uint8_t *map = block + 440;
    map[0] = 1;
    map[1] = 6;
    put(map + 2, 1, 2);
    put(map + 4, 10, 2);
    map += 6;
    for (unsigned i = 0; i < 3; i++, map += 64) {
        map[0] = 2;
        map[1] = 64;
        memcpy(map + 5, kinds[i], strlen(kinds[i]));
        put(map + 36, 1, 2);
        put(map + 38, 11 + i, 2);
    }
    map = block + 446;
    put(map + 40, 32, 2);
    map[42] = 2;
    put(map + 44, 312, 4);
    put(map + 48, 160, 4);
    put(map + 52, 16352, 4);
    map += 128;
    put(map + 40, 0x11, 4);
    put(map + 44, 0x22, 4);
    put(map + 48, 0x33, 4);
    put(map + 52, 0x44, 4);
    put(map + 56, 0x55, 2);
    map[58] = 1;
    return 6 + 3 * 64;
}

static void test_lvd(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_lvd lvd;
    (void)state;
    uint32_t table = lvd_put(block);
    tag_put(block, 6, 98, (uint16_t)(424 + table));
    assert_int_equal(udf_lvd_decode(block, sizeof block, &lvd), 0);
    assert_int_equal(lvd.sequence, 5);
    assert_string_equal(lvd.volume_id, "Label");
    assert_int_equal(lvd.block_bytes, 2048);
    assert_true(lvd.domain_ok);
    assert_int_equal(lvd.domain_revision, 0x0201);
    assert_int_equal(lvd.domain_flags, 2);
    assert_int_equal(lvd.fileset.bytes, 4096);
    assert_int_equal(lvd.fileset.at.block, 77);
    assert_int_equal(lvd.fileset.at.part, 1);
    assert_int_equal(lvd.integrity.bytes, 65536);
    assert_int_equal(lvd.integrity.first.n, 128);
    assert_int_equal(lvd.map_count, 4);
    static const enum udf_map_kind kinds[] = {UDF_MAP_PHYSICAL, UDF_MAP_SPARABLE, UDF_MAP_VIRTUAL,
                                              UDF_MAP_METADATA};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(lvd.maps[i].kind, kinds[i]);
        assert_int_equal(lvd.maps[i].volume_sequence, 1);
        assert_int_equal(lvd.maps[i].partition_number, 10 + i);
    }
    assert_int_equal(lvd.maps[1].packet_blocks, 32);
    assert_int_equal(lvd.maps[1].table_count, 2);
    assert_int_equal(lvd.maps[1].table_bytes, 312);
    assert_int_equal(lvd.maps[1].tables[0].n, 160);
    assert_int_equal(lvd.maps[1].tables[1].n, 16352);
    assert_int_equal(lvd.maps[3].metadata_file, 0x11);
    assert_int_equal(lvd.maps[3].metadata_mirror, 0x22);
    assert_int_equal(lvd.maps[3].metadata_bitmap, 0x33);
    assert_int_equal(lvd.maps[3].alloc_unit, 0x44);
    assert_int_equal(lvd.maps[3].align_unit, 0x55);
    assert_true(lvd.maps[3].metadata_duplicate);
}

static void test_lvd_hostile(void **state)
{
    static const struct {
        unsigned at, bytes;
        uint64_t value;
        int err;
    } changes[] = {
        {264, 4, 1609, -EUCLEAN}, {264, 4, 0xFFFFFFFF, -EUCLEAN}, {264, 4, 100, -EUCLEAN},
        {268, 4, 5, -EUCLEAN},    {268, 4, 0, -EUCLEAN},          {268, 4, 0xFFFFFFFF, -EUCLEAN},
        {441, 1, 0, -EUCLEAN},    {441, 1, 7, -EUCLEAN},          {446, 1, 3, -EUCLEAN},
        {447, 1, 255, -EUCLEAN},  {451, 1, '?', -EOPNOTSUPP},
    };
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_lvd lvd;
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        lvd_put(block);
        put(block + changes[i].at, changes[i].value, changes[i].bytes);
        tag_put(block, 6, 98, 1000);
        assert_int_equal(udf_lvd_decode(block, sizeof block, &lvd), changes[i].err);
    }
    lvd_put(block);
    block[446 + 42] = 200; /* more sparing tables than a map has room for */
    tag_put(block, 6, 98, 1000);
    assert_int_equal(udf_lvd_decode(block, sizeof block, &lvd), 0);
    assert_int_equal(lvd.maps[1].table_count, UDF_SPARING_COPIES);
    assert_int_equal(udf_lvd_decode(block, 439, &lvd), -EUCLEAN);
}

static void test_iuvd(void **state)
{
    struct udf_tag tag = {.version = 3, .serial = 0x1234, .location = 100};
    struct udf_iuvd iuvd = {.sequence = 4, .implementation = {.id = "*packetfs journal", .suffix = {4, 5}}},
                    back;
    uint8_t block[UDF_BLOCK_BYTES], made[UDF_BLOCK_BYTES] = {0};
    uint64_t seed = 9;
    (void)state;
    random_fill(&seed, iuvd.use, sizeof iuvd.use);
    udf_iuvd_encode(block, &tag, &iuvd);
    put(made + 16, 4, 4);
    memcpy(made + 21, "*packetfs journal", 17);
    made[44] = 4;
    made[45] = 5;
    memcpy(made + 52, iuvd.use, 460);
    tag_put(made, 4, 100, 496);
    assert_memory_equal(block, made, sizeof block);
    assert_int_equal(udf_iuvd_decode(block, &back), 0);
    assert_int_equal(back.sequence, iuvd.sequence);
    assert_memory_equal(&back.implementation, &iuvd.implementation, sizeof back.implementation);
    assert_memory_equal(back.use, iuvd.use, sizeof back.use);
}

static void test_lvid(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0}, made[UDF_BLOCK_BYTES];
    struct udf_lvid lvid;
    (void)state;
    memcpy(block + 16, "\x00\x10\xB2\x07\1\1\0\0\7\0\0\0", 12);
    put(block + 28, 1, 4);
    put(block + 32, 4096, 4);
    put(block + 36, 140, 4);
    put(block + 40, 0x1122334455667788, 8);
    put(block + 72, 2, 4);
    put(block + 76, 46, 4);
    for (unsigned i = 0; i < 4; i++)
        put(block + 80 + 4 * i, 1000 + i, 4);
    memcpy(block + 97, "*Linux UDFFS", 12);
    put(block + 96 + 32, 21, 4);
    put(block + 96 + 36, 22, 4);
    put(block + 96 + 40, 0x0102, 2);
    put(block + 96 + 42, 0x0150, 2);
    put(block + 96 + 44, 0x0201, 2);
    tag_put(block, 9, 128, 96 + 46 - 16);
    assert_int_equal(udf_lvid_decode(block, &lvid), 0);
    assert_int_equal(lvid.recorded.sec, 7);
    assert_int_equal(lvid.integrity, 1);
    assert_int_equal(lvid.next.bytes, 4096);
    assert_int_equal(lvid.next.first.n, 140);
    assert_true(lvid.next_unique_id == 0x1122334455667788);
    assert_int_equal(lvid.partitions, 2);
    assert_int_equal(lvid.free_blocks[0], 1000);
    assert_int_equal(lvid.free_blocks[1], 1001);
    assert_int_equal(lvid.size_blocks[0], 1002);
    assert_int_equal(lvid.size_blocks[1], 1003);
    assert_string_equal(lvid.implementation.id, "*Linux UDFFS");
    assert_int_equal(lvid.files, 21);
    assert_int_equal(lvid.directories, 22);
    assert_int_equal(lvid.min_read, 0x0102);
    assert_int_equal(lvid.min_write, 0x0150);
    assert_int_equal(lvid.max_write, 0x0201);
    udf_lvid_encode(made, &lvid);
    assert_memory_equal(made, block, sizeof made);
}

static void test_lvid_hostile(void **state)
{
    static const struct {
        unsigned at;
        uint32_t value;
    } changes[] = {{72, 5}, {72, 0xFFFFFFFF}, {76, 45}, {28, 2}};
    struct udf_lvid lvid = {.tag = {.version = 3}, .partitions = 1};
    uint8_t block[UDF_BLOCK_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct udf_lvid out;
        udf_lvid_encode(block, &lvid);
        put(block + changes[i].at, changes[i].value, 4);
        tag_put(block, 9, 0, 118);
        assert_int_equal(udf_lvid_decode(block, &out), -EUCLEAN);
    }
}

static void test_sparing(void **state)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0}, made[UDF_BLOCK_BYTES] = {0};
    struct udf_sparing_table table;
    struct udf_tag tag = {.version = 3, .serial = 0x1234, .location = 160};
    (void)state;
    memcpy(block + 17, "*UDF Sparing Table", 18);
    put(block + 40, 0x0201, 2);
    block[42] = 4;
    block[43] = 5;
    put(block + 48, 3, 2);
    put(block + 52, 17, 4);
    put(block + 56, 1024, 4);
    put(block + 60, 288, 4);
    put(block + 64, 0xFFFFFFFF, 4);
    put(block + 68, 320, 4);
    put(block + 72, 0xFFFFFFF0, 4);
    put(block + 76, 352, 4);
    tag_put(block, 0, 160, 56 + 24 - 16);
    assert_int_equal(udf_sparing_decode(block, sizeof block, mmc_lba(160), &table), 0);
    assert_int_equal(table.sequence, 17);
    assert_int_equal(table.count, 3);
    assert_int_equal(table.spares[0].original, 1024);
    assert_int_equal(table.spares[0].mapped.n, 288);
    assert_int_equal(table.spares[1].original, UDF_SPARE_FREE);
    assert_int_equal(table.spares[2].original, UDF_SPARE_BAD);
    assert_int_equal(table.spares[2].mapped.n, 352);
    assert_int_equal(udf_sparing_encode(made, sizeof made, &tag, &table), 56 + 24);
    assert_memory_equal(made, block, sizeof made);
    assert_int_equal(udf_sparing_encode(made, 79, &tag, &table), -ENOSPC);
    free(table.spares);
    assert_int_equal(udf_sparing_decode(block, sizeof block, mmc_lba(161), &table), -EUCLEAN);
    put(block + 48, 250, 2); /* 56 + 8 * 250 is more than a block */
    tag_put(block, 0, 160, 64);
    assert_int_equal(udf_sparing_decode(block, sizeof block, mmc_lba(160), &table), -EUCLEAN);
    put(block + 48, 3, 2);
    block[17] = '?';
    tag_put(block, 0, 160, 64);
    assert_int_equal(udf_sparing_decode(block, sizeof block, mmc_lba(160), &table), -EUCLEAN);
}

static void test_sparing_full(void **state)
{
    static struct udf_spare spares[UINT16_MAX];
    uint8_t *bytes = malloc(56 + sizeof spares);
    struct udf_tag tag = {.version = 2, .location = 160};
    struct udf_sparing_table table = {.sequence = 1, .count = 8187, .spares = spares}, back;
    (void)state;
    /* 56 + 8 * 8187 - 16 is beyond what the CRC length can say. */
    assert_int_equal(udf_sparing_encode(bytes, 56 + sizeof spares, &tag, &table), -ENOSPC);
    table.count = 8186;
    for (unsigned i = 0; i < table.count; i++)
        spares[i] = (struct udf_spare){32 * i, mmc_lba(1000000 + 32 * (int64_t)i)};
    int len = udf_sparing_encode(bytes, 56 + sizeof spares, &tag, &table);
    assert_int_equal(len, 56 + 8 * 8186);
    assert_int_equal(udf_sparing_decode(bytes, (size_t)len, mmc_lba(160), &back), 0);
    assert_int_equal(back.count, 8186);
    assert_memory_equal(back.spares, spares, 8186 * sizeof *spares);
    free(back.spares);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),         cmocka_unit_test(test_tag),
        cmocka_unit_test(test_tag_damaged), cmocka_unit_test(test_regid),
        cmocka_unit_test(test_avdp),        cmocka_unit_test(test_pvd),
        cmocka_unit_test(test_pd),          cmocka_unit_test(test_lvd),
        cmocka_unit_test(test_lvd_hostile), cmocka_unit_test(test_iuvd),
        cmocka_unit_test(test_lvid),        cmocka_unit_test(test_lvid_hostile),
        cmocka_unit_test(test_sparing),     cmocka_unit_test(test_sparing_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
