/* SPDX-License-Identifier: MIT */
/* Recognition of volumes as mkudffs makes them, what cannot be had, and what can only be read. */
#include <errno.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/volume_image.h"

#define BLOCKS 16384u

static void test_kinds(void **state)
{
    static const struct {
        const char *options;
        uint16_t revision;
        enum udf_map_kind kind;
        const char *read_only;
    } kinds[] = {
        {"-m hd -b 2048 -r 1.02", 0x0102, UDF_MAP_PHYSICAL, ""},
        {"-m hd -b 2048 -r 1.50", 0x0150, UDF_MAP_PHYSICAL, ""},
        {"-m hd -b 2048 -r 2.00", 0x0200, UDF_MAP_PHYSICAL, ""},
        {"-m hd -b 2048 -r 2.01", 0x0201, UDF_MAP_PHYSICAL, ""},
        {"-m dvdram -b 2048 -r 2.01", 0x0201, UDF_MAP_PHYSICAL, ""},
        {"-m cdrw -r 1.50", 0x0150, UDF_MAP_SPARABLE, ""},
        {"-m cdrw -r 2.00", 0x0200, UDF_MAP_SPARABLE, ""},
        {"-m cdrw -r 2.01", 0x0201, UDF_MAP_SPARABLE, ""},
        {"-m dvdrw -r 2.01", 0x0201, UDF_MAP_SPARABLE, ""},
        {"-m cd -b 2048 -r 1.02", 0x0102, UDF_MAP_PHYSICAL, "its partition is marked as read-only"},
        {"-m cdrw -r 2.01 --read-only", 0x0201, UDF_MAP_SPARABLE, "it is marked as write protected"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct fault_medium *medium = image_make(kinds[i].options, BLOCKS);
        struct image_volume *image = image_recognise(medium);
        struct udf_volume *vol = &image->vol;
        assert_string_equal(image->messages, "");
        assert_int_equal(image->result, 0);
        assert_int_equal(vol->lvd.domain_revision, kinds[i].revision);
        assert_int_equal(vol->tag_version, kinds[i].revision < 0x0200 ? 2 : 3);
        assert_int_equal(vol->tag_serial, 1);
        assert_int_equal(vol->lvd.map_count, 1);
        assert_int_equal(vol->partitions[0].map.kind, kinds[i].kind);
        assert_string_equal(vol->read_only_reason, kinds[i].read_only);
        assert_int_equal(vol->read_only, kinds[i].read_only[0] != 0);
        assert_true(vol->lvid_readable);
        assert_int_equal(vol->lvid.integrity, 1);
        assert_int_equal(vol->lvid.directories, 1);
        assert_int_equal(vol->journal.log_packets, 0);
        image_forget(image);
        fault_medium_free(medium);
    }
}

/* Every field that recognition fills, of one volume. */
static void test_fields(void **state)
{
    struct fault_medium *medium = image_make("-m cdrw -r 2.01 -l Name\xE2\x82\xAC", BLOCKS);
    struct image_volume *image = image_recognise(medium);
    struct udf_volume *vol = &image->vol;
    (void)state;
    assert_int_equal(image->result, 0);
    assert_string_equal(vol->pvd.volume_id, "Name\xE2\x82\xAC");
    assert_string_equal(vol->lvd.volume_id, "Name\xE2\x82\xAC");
    assert_int_equal(vol->lvd.integrity.first.n, 128);
    assert_int_equal(vol->lvd.integrity.bytes, 32 * 2048);
    assert_int_equal(vol->lvid_at.n, 128);
    assert_int_equal(vol->lvid.tag.location, 128);
    assert_int_equal(vol->lvid.free_blocks[0], 14779);
    assert_int_equal(vol->lvid.size_blocks[0], 14784);
    assert_int_equal(vol->lvid.min_read, 0x0201);
    assert_int_equal(vol->part, 0);
    assert_int_equal(vol->lvd.fileset.at.block, 32);
    const struct udf_partition *partition = &vol->partitions[0];
    assert_int_equal(partition->pd.start.n, 1312);
    assert_int_equal(partition->pd.blocks, 14784);
    assert_int_equal(partition->pd.space_bitmap.first.n, 0);
    assert_int_equal(partition->pd.space_bitmap.bytes, 2048);
    assert_int_equal(partition->map.packet_blocks, 32);
    assert_int_equal(partition->map.table_count, 2);
    assert_int_equal(partition->map.tables[0].n, 160);
    assert_int_equal(partition->map.tables[1].n, 16352);
    assert_int_equal(partition->spare_total, 32);
    assert_int_equal(partition->spare_count, 0);
    image_forget(image);
    fault_medium_free(medium);
}

static void check_refused(const char *options, uint32_t blocks, int result, const char *message)
{
    struct fault_medium *medium = image_make(options, blocks);
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, result);
    assert_non_null(strstr(image->messages, message));
    image_forget(image);
    fault_medium_free(medium);
}

static void test_refused(void **state)
{
    (void)state;
    check_refused("-m cdr -r 1.50", 2048, -EOPNOTSUPP, "virtual");
    check_refused("-m cdr -r 2.01", 2048, -EOPNOTSUPP, "virtual");
    check_refused("-m hd -b 512", 16384, -EOPNOTSUPP, "blocks of 512 bytes");
    check_refused("-m hd -b 1024", 16384, -EOPNOTSUPP, "blocks of 1024 bytes");
    check_refused("-m hd -b 4096", 16384, -EOPNOTSUPP, "blocks of 4096 bytes");
}

static void test_unknown_map(void **state)
{
    struct fault_medium *medium = image_make("-m cdrw -r 2.01", BLOCKS);
    (void)state;
    for (uint32_t at = 97; at < BLOCKS; at += 16225 - 97)
        image_edit(medium, at, 440 + 5, '?', 1);
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, -EOPNOTSUPP);
    assert_non_null(strstr(image->messages, "a kind of partition that is not known"));
    image_forget(image);
    fault_medium_free(medium);
}

/* A map of a metadata partition beside a physical one, which mkudffs does not make. */
static void test_metadata_map(void **state)
{
    struct fault_medium *medium = image_make("-m hd -b 2048 -r 2.01", BLOCKS);
    uint8_t block[UDF_BLOCK_BYTES];
    (void)state;
    for (uint32_t at = 96; at < 112; at++) {
        struct udf_tag tag;
        image_get(medium, at, block);
        if (udf_tag_decode(block, sizeof block, &tag) || tag.id != UDF_TAG_LVD)
            continue;
        image_edit(medium, at, 264, 6 + 64, 4);
        image_edit(medium, at, 268, 2, 4);
        image_edit(medium, at, 446, 2 | 64 << 8, 2);
        for (unsigned i = 0; i < 23; i++)
            image_edit(medium, at, 451 + i, (uint8_t) "*UDF Metadata Partition"[i], 1);
    }
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, -EOPNOTSUPP);
    assert_non_null(strstr(image->messages, "metadata"));
    image_forget(image);
    fault_medium_free(medium);
}

static void test_no_volume(void **state)
{
    struct fault_medium *medium;
    uint8_t block[UDF_BLOCK_BYTES] = {1};
    (void)state;
    assert_int_equal(fault_medium_create(BLOCKS, 32, &medium), 0);
    struct image_volume *image = image_recognise(medium); /* blank */
    assert_int_equal(image->result, -EMEDIUMTYPE);
    image_forget(image);
    memcpy(block + 1, "CD001", 5); /* ISO 9660 */
    image_put(medium, 16, block);
    image = image_recognise(medium);
    assert_int_equal(image->result, -EMEDIUMTYPE);
    image_forget(image);
    for (uint32_t packet = 0; packet < BLOCKS / 32; packet++)
        fault_medium_tear(medium, (mmc_packet_t){packet});
    image = image_recognise(medium);
    assert_int_equal(image->result, -EIO);
    image_forget(image);
    fault_medium_free(medium);
}

static void test_tiny(void **state)
{
    (void)state;
    for (uint32_t blocks = 1; blocks < 40; blocks += 6) {
        struct fault_medium *medium;
        assert_int_equal(fault_medium_create(blocks, 1, &medium), 0);
        struct image_volume *image = image_recognise(medium);
        assert_int_equal(image->result, -EMEDIUMTYPE);
        image_forget(image);
        fault_medium_free(medium);
    }
}

/* ISO 9660 and UDF on one disc, and a volume of which another file system has overwritten the beginning. */
static void test_bridge(void **state)
{
    struct fault_medium *medium = image_make("-m cdrw -r 2.01", BLOCKS);
    uint8_t block[UDF_BLOCK_BYTES], iso[UDF_BLOCK_BYTES] = {1};
    struct image_volume *image;
    (void)state;
    memcpy(iso + 1, "CD001", 5);
    for (uint32_t at = 18;; at--) {
        image_get(medium, at, block);
        image_put(medium, at + 1, block);
        if (at == 16)
            break;
    }
    image_put(medium, 16, iso);
    image = image_recognise(medium);
    assert_int_equal(image->result, 0);
    assert_string_equal(image->messages, "");
    image_forget(image);
    memset(block, 0, sizeof block);
    for (uint32_t at = 17; at < 20; at++)
        image_put(medium, at, block);
    image = image_recognise(medium);
    assert_int_equal(image->result, -EMEDIUMTYPE);
    image_forget(image);
    fault_medium_free(medium);
}

/* What one change to the descriptors of both sequences makes of a volume that could be written. */
static void test_read_only(void **state)
{
    static const struct {
        uint32_t descriptor; /* in the main sequence: 97 logical volume, 98 partition */
        unsigned offset, bytes;
        uint64_t value;
        const char *reason;
    } changes[] = {
        {97, 216 + 24 + 2, 1, 1, "write protected"},
        {97, 216 + 24 + 2, 1, 2, "write protected"},
        {97, 216 + 24, 2, 0x0270, "UDF revision 2.70"},
        {97, 217, 1, '?', "UDF compliant"},
        {97, 432, 4, 0, "no place for an integrity descriptor"},
        {97, 436, 4, 16380, "no place for an integrity descriptor"},
        {98, 184, 4, 0, "access type"},
        {98, 184, 4, 1, "read-only"},
        {98, 184, 4, 2, "write-once"},
        {98, 192, 4, 15073, "beyond the end of the medium"},
        {98, 188, 4, 1313, "does not begin with a packet"},
    };
    (void)state;
    struct fault_medium *original = image_make("-m cdrw -r 2.01", BLOCKS);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct fault_medium *medium;
        assert_int_equal(fault_medium_copy(original, &medium), 0);
        image_edit(medium, changes[i].descriptor, changes[i].offset, changes[i].value, changes[i].bytes);
        image_edit(medium, changes[i].descriptor + 16128, changes[i].offset, changes[i].value,
                   changes[i].bytes);
        struct image_volume *image = image_recognise(medium);
        assert_int_equal(image->result, 0);
        assert_true(image->vol.read_only);
        assert_non_null(strstr(image->vol.read_only_reason, changes[i].reason));
        image_forget(image);
        fault_medium_free(medium);
    }
    struct image_volume *image = image_recognise_read_only(original);
    assert_int_equal(image->result, 0);
    assert_true(image->vol.read_only);
    assert_string_equal(image->vol.read_only_reason, "the medium cannot be written");
    image_forget(image);
    fault_medium_free(original);
}

/* Changes after which nothing is left to read. */
static void test_senseless(void **state)
{
    static const struct {
        uint32_t descriptor;
        unsigned offset, bytes;
        uint64_t value;
        int result;
    } changes[] = {
        {97, 212, 4, 512, -EOPNOTSUPP},     /* block size */
        {97, 256, 2, 1, -EUCLEAN},          /* partition of the file set */
        {97, 440 + 38, 2, 5, -EUCLEAN},     /* partition number that no descriptor has */
        {97, 440 + 40, 2, 0, -EUCLEAN},     /* packet length */
        {97, 440 + 42, 1, 0, -EUCLEAN},     /* no sparing tables */
        {97, 440 + 44, 4, 0, -EUCLEAN},     /* of no bytes */
        {97, 440 + 44, 4, 0xFFFFFFFF, 0},   /* of more bytes than there can be */
        {98, 192, 4, 0, -EUCLEAN},          /* partition of no blocks */
        {98, 192, 4, 0xFFFFFFFF, -EUCLEAN}, /* of too many */
        {98, 188, 4, 0xFFFFFFFF, -EUCLEAN}, /* from a place that is none */
    };
    (void)state;
    struct fault_medium *original = image_make("-m cdrw -r 2.01", BLOCKS);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct fault_medium *medium;
        assert_int_equal(fault_medium_copy(original, &medium), 0);
        image_edit(medium, changes[i].descriptor, changes[i].offset, changes[i].value, changes[i].bytes);
        image_edit(medium, changes[i].descriptor + 16128, changes[i].offset, changes[i].value,
                   changes[i].bytes);
        struct image_volume *image = image_recognise(medium);
        assert_int_equal(image->result, changes[i].result);
        assert_true(!image->result || image->messages[0]);
        image_forget(image);
        fault_medium_free(medium);
    }
    fault_medium_free(original);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_unknown_map),
        cmocka_unit_test(test_metadata_map), cmocka_unit_test(test_no_volume),
        cmocka_unit_test(test_tiny),         cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_read_only),    cmocka_unit_test(test_senseless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
