/* SPDX-License-Identifier: MIT */
/* Contents of files: in the ICB, in blocks, with holes, in many pieces, at the
 * limits, and when the volume is full. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/volume_rig.h"
#include "udf/content.h"

static const struct test_volume_spec *spec_journal = &rig_specs[4];

static uint8_t *bytes_make(size_t len, uint64_t seed)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    random_fill(&seed, bytes, len);
    return bytes;
}

static uint64_t blocks_of(struct udf_inode *inode)
{
    struct udf_stat st;
    udf_inode_stat(inode, &st);
    return st.blocks / 4;
}

static struct udf_inode *file_again(struct rig *rig, struct udf_inode *inode, const char *name)
{
    udf_inode_put(inode);
    rig_remount(rig);
    return rig_lookup(rig->root, name);
}

static void test_embedded_and_back(void **state)
{
    struct rig rig;
    uint8_t *bytes = bytes_make(5000, 1);
    (void)state;
    for (unsigned i = 0; i < rig_spec_count; i++) {
        rig_make(&rig, &rig_specs[i]);
        struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
        uint32_t area = udf_content_area(file);
        rig_write(file, 0, bytes, area);
        assert_int_equal(blocks_of(file), 0);
        file = file_again(&rig, file, "f");
        rig_expect(file, 0, bytes, area);
        rig_write(file, area, bytes + area, 1);
        assert_int_equal(blocks_of(file), area < 2048 ? 1 : 2);
        rig_write(file, 4999, bytes + 4999, 1);
        memset(bytes + area + 1, 0, 4999 - area - 1);
        file = file_again(&rig, file, "f");
        rig_expect(file, 0, bytes, 5000);
        struct udf_stat st = {.size = 0};
        assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
        assert_int_equal(blocks_of(file), 0);
        file = file_again(&rig, file, "f");
        assert_int_equal(rig_size(file), 0);
        udf_inode_put(file);
        rig_judge(&rig);
        rig_free(&rig);
    }
    free(bytes);
}

/* Old contents of the medium and of a file's own tail must not come back when it grows over them. */
static void test_nothing_old_shows(void **state)
{
    struct rig rig;
    uint8_t *bytes = bytes_make(20000, 2), zeros[20000] = {0};
    struct udf_stat st = {.size = 2100};
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    rig_write(file, 0, bytes, 20000);
    assert_int_equal(udf_volume_sync(rig.vol), 0);
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
    st.size = 20000;
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
    rig_expect(file, 2100, zeros, 20000 - 2100);
    st.size = 2100;
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
    rig_write(file, 3000, bytes, 1);
    rig_expect(file, 2100, zeros, 900);
    rig_write(file, 10000, bytes, 1); /* another block, past a hole */
    file = file_again(&rig, file, "f");
    rig_expect(file, 2100, zeros, 900);
    rig_expect(file, 3001, zeros, 10000 - 3001);
    /* Blocks that were in use by another file, allocated now and not written. */
    assert_int_equal(udf_file_allocate(file, 0, 0, 40000), 0);
    rig_expect(file, 10001, zeros, 9999);
    udf_inode_put(file);
    rig_judge(&rig);
    rig_free(&rig);
    free(bytes);
}

/* Every other block written: so many extents that descriptors chain over several blocks. */
static void fragments(struct rig *rig, enum udf_ad_kind kind)
{
    enum {
        PIECES = 1100
    };
    uint8_t block[2048], zeros[2048] = {0};
    struct udf_inode *file = rig_create(rig->root, "f", S_IFREG | 0644);
    rig_write(file, 4095, "x", 1);
    if (kind == UDF_AD_LONG) {
        assert_int_equal(udf_content_kind(file), UDF_AD_SHORT);
        file->fe.icb_flags |= UDF_AD_LONG;
    }
    for (unsigned i = 0; i < PIECES; i++) {
        memset(block, (int)i, sizeof block);
        rig_write(file, (uint64_t)i * 4096, block, sizeof block);
        if (i % 300 == 0)
            assert_int_equal(udf_volume_sync(rig->vol), 0);
    }
    assert_true(file->aed_count >= 4);
    file = file_again(rig, file, "f");
    assert_int_equal(udf_content_kind(file), kind);
    for (unsigned i = 0; i < PIECES; i++) {
        memset(block, (int)i, sizeof block);
        rig_expect(file, (uint64_t)i * 4096, block, sizeof block);
        if (i + 1 < PIECES && i)
            rig_expect(file, (uint64_t)i * 4096 + 2048, zeros, sizeof zeros);
    }
    udf_inode_put(file);
    rig_judge(rig);
}

static void fragments_change(struct rig *rig)
{
    uint8_t block[2048], zeros[4096] = {0};
    struct udf_inode *file = rig_lookup(rig->root, "f");
    /* One extent fewer near the front, by way of a hole that is filled; all descriptors behind it move. */
    memset(block, 7, sizeof block);
    rig_write(file, 100 * 4096 + 2048, block, sizeof block);
    file = file_again(rig, file, "f");
    rig_expect(file, 100 * 4096 + 2048, block, sizeof block);
    memset(block, (int)(uint8_t)1099, sizeof block);
    rig_expect(file, 1099 * 4096, block, sizeof block);
    assert_int_equal(udf_file_allocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 500 * 4096, 4096),
                     0);
    rig_expect(file, 500 * 4096, zeros, sizeof zeros);
    udf_inode_put(file);
    rig_judge(rig);
    file = rig_lookup(rig->root, "f");
    struct udf_stat st = {.size = 300 * 4096};
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
    file = file_again(rig, file, "f");
    memset(block, (int)(uint8_t)299, sizeof block);
    rig_expect(file, 299 * 4096, block, sizeof block);
    udf_inode_put(file);
    rig_judge(rig);
    file = rig_lookup(rig->root, "f");
    st.size = 10 * 4096;
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
    file = file_again(rig, file, "f");
    assert_int_equal(file->aed_count, 0);
    udf_inode_put(file);
    rig_judge(rig);
    assert_int_equal(udf_dir_unlink(rig->root, "f", 1), 0);
}

static void test_fragments(void **state)
{
    static const enum udf_ad_kind kinds[] = {UDF_AD_SHORT, UDF_AD_LONG};
    struct udf_volume_stat before, after;
    struct rig rig;
    (void)state;
    for (unsigned i = 1; i < rig_spec_count; i += 3) {
        rig_make(&rig, &rig_specs[i]);
        udf_volume_stat(rig.vol, &before);
        for (unsigned kind = 0; kind < 2; kind++) {
            fragments(&rig, kinds[kind]);
            fragments_change(&rig);
        }
        rig_remount(&rig);
        udf_volume_stat(rig.vol, &after);
        assert_int_equal(after.blocks_free, before.blocks_free);
        rig_free(&rig);
    }
}

/* Rewrites the ICB so that it keeps 100 descriptors, and a block of the partition's end takes the rest of its
 * and leads on: fewer in each block than we would put there. */
static void layout_change(struct rig *rig, struct udf_address icb)
{
    uint8_t block[2048], out[2048], ads[101 * UDF_SHORT_AD_BYTES], aed[2048] = {0};
    struct udf_address extra = {.block = rig->vol->partitions[0].pd.blocks - 1};
    struct udf_tag tag = udf_volume_tag(rig->vol, extra.block);
    struct udf_long_ad link = {.bytes = 2048, .type = UDF_EXTENT_CONTINUE, .at = extra};
    struct udf_file_entry fe;
    mmc_lba_t icb_at, extra_at;
    assert_int_equal(udf_volume_map(rig->vol, icb, 1, &icb_at, NULL), 0);
    assert_int_equal(udf_volume_map(rig->vol, extra, 1, &extra_at, NULL), 0);
    rig_unmount(rig);
    assert_int_equal(fault_medium_peek(rig->medium, icb_at, 1, block), 0);
    assert_int_equal(udf_file_entry_decode(block, icb.block, &fe), 0);
    assert_int_equal(fe.ea_len, 0);
    memcpy(ads, fe.ads, 100 * UDF_SHORT_AD_BYTES);
    udf_ad_encode(UDF_AD_SHORT, ads + 100 * UDF_SHORT_AD_BYTES, &link);
    memcpy(aed + UDF_AED_BYTES, fe.ads + 100 * UDF_SHORT_AD_BYTES, fe.ads_len - 100 * UDF_SHORT_AD_BYTES);
    udf_aed_encode(aed, &tag, fe.ads_len - 100 * UDF_SHORT_AD_BYTES);
    fe.ads = ads;
    fe.ads_len = sizeof ads;
    assert_int_equal(udf_file_entry_encode(out, &fe), 0);
    assert_int_equal(fault_medium_poke(rig->medium, icb_at, 1, out), 0);
    assert_int_equal(fault_medium_poke(rig->medium, extra_at, 1, aed), 0);
    rig_mount(rig);
}

/* A file whose descriptors another writer laid out otherwise. */
static void test_foreign_layout(void **state)
{
    struct rig rig;
    uint8_t block[2048], zeros[2048] = {0};
    struct udf_stat st = {.mode = 0600};
    (void)state;
    rig_make(&rig, &rig_specs[1]);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    for (unsigned i = 0; i < 400; i++) {
        memset(block, (int)i, sizeof block);
        rig_write(file, (uint64_t)i * 4096, block, sizeof block);
    }
    struct udf_address icb = file->icb;
    file = file_again(&rig, file, "f");
    assert_int_equal(file->aed_count, 3);
    udf_inode_put(file);
    layout_change(&rig, icb);
    /* What only touches the ICB leaves the descriptors as they are. */
    file = rig_lookup(rig.root, "f");
    assert_int_equal(file->aed_count, 4);
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_MODE), 0);
    file = file_again(&rig, file, "f");
    assert_int_equal(file->aed_count, 4);
    memset(block, 399 & 255, sizeof block);
    rig_expect(file, 399 * 4096, block, sizeof block);
    /* A change of the contents lays them out anew. */
    memset(block, 1, sizeof block);
    rig_write(file, 350 * 4096 + 2048, block, sizeof block);
    file = file_again(&rig, file, "f");
    assert_true(file->aed_count < 4);
    rig_expect(file, 350 * 4096 + 2048, block, sizeof block);
    rig_expect(file, 349 * 4096 + 2048, zeros, sizeof zeros);
    memset(block, 399 & 255, sizeof block);
    rig_expect(file, 399 * 4096, block, sizeof block);
    udf_inode_put(file);
    rig_free(&rig);
}

static void test_too_fragmented(void **state)
{
    static const struct test_volume_spec big = {
        .options = "-m hd -b 2048 -r 2.01", .blocks = 65536, .packet_blocks = 1};
    struct rig rig;
    (void)state;
    rig_make(&rig, &big);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    uint64_t offset = 0;
    ssize_t got = 1;
    for (; got == 1 && offset < (uint64_t)30000 * 4096; offset += 4096)
        got = udf_file_write(file, offset + 5000, "x", 1);
    assert_int_equal(got, -EFBIG);
    assert_true(file->aed_count <= UDF_AEDS_WRITE_MAX);
    file = file_again(&rig, file, "f");
    rig_expect(file, offset - 8192 + 5000, "x", 1);
    rig_expect(file, 5000, "x", 1);
    udf_inode_put(file);
    rig_judge(&rig);
    rig_free(&rig);
}

static void test_big_holes(void **state)
{
    struct rig rig;
    struct udf_stat st = {.size = UDF_FILE_BYTES_MAX};
    char buf[4];
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    assert_int_equal(udf_file_write(file, UDF_FILE_BYTES_MAX, "x", 1), -EFBIG);
    st.size++;
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), -EFBIG);
    st.size--;
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
    rig_write(file, ((uint64_t)1 << 40) + 77, "middle", 6);
    rig_write(file, UDF_FILE_BYTES_MAX - 3, "end", 3);
    file = file_again(&rig, file, "f");
    assert_int_equal(rig_size(file), UDF_FILE_BYTES_MAX);
    rig_expect(file, ((uint64_t)1 << 40) + 77, "middle", 6);
    rig_expect(file, UDF_FILE_BYTES_MAX - 3, "end", 3);
    assert_int_equal(udf_file_read(file, UDF_FILE_BYTES_MAX, buf, 4), 0);
    assert_int_equal(udf_file_seek(file, 0, SEEK_DATA), (1ll << 40));
    assert_int_equal(udf_file_seek(file, 1ll << 40, SEEK_HOLE), (1ll << 40) + 2048);
    assert_int_equal(blocks_of(file), 2);
    udf_inode_put(file);
    rig_judge(&rig);
    file = rig_lookup(rig.root, "f");
    st.size = 0;
    assert_int_equal(udf_inode_set(file, &st, UDF_SET_SIZE), 0);
    udf_inode_put(file);
    rig_judge(&rig);
    rig_free(&rig);
}

static void test_seek(void **state)
{
    struct rig rig;
    uint8_t *bytes = bytes_make(3 * 2048, 3);
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    assert_int_equal(udf_file_seek(file, 0, SEEK_DATA), -ENXIO);
    rig_write(file, 0, bytes, 100);
    assert_int_equal(udf_file_seek(file, 50, SEEK_DATA), 50);
    assert_int_equal(udf_file_seek(file, 50, SEEK_HOLE), 100);
    rig_write(file, 10 * 2048, bytes, 3 * 2048);
    assert_int_equal(udf_file_seek(file, 50, SEEK_HOLE), 2048);
    assert_int_equal(udf_file_seek(file, 2048, SEEK_DATA), 10 * 2048);
    assert_int_equal(udf_file_seek(file, 10 * 2048, SEEK_HOLE), 13 * 2048);
    assert_int_equal(udf_file_allocate(file, 0, 4 * 2048, 2048), 0); /* allocated, and still a hole */
    assert_int_equal(udf_file_seek(file, 2048, SEEK_DATA), 10 * 2048);
    assert_int_equal(udf_file_seek(file, 13 * 2048, SEEK_DATA), -ENXIO);
    assert_int_equal(udf_file_seek(file, -1, SEEK_DATA), -ENXIO);
    assert_int_equal(udf_file_seek(file, 0, SEEK_SET), -EINVAL);
    udf_inode_put(file);
    rig_free(&rig);
    free(bytes);
}

static void test_allocate(void **state)
{
    struct rig rig;
    uint8_t *bytes = bytes_make(40000, 4), zeros[40000] = {0};
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    assert_int_equal(udf_file_allocate(file, FALLOC_FL_KEEP_SIZE, 0, 100000), 0);
    assert_int_equal(rig_size(file), 0);
    assert_int_equal(blocks_of(file), 49);
    rig_write(file, 0, bytes, 40000);
    assert_int_equal(blocks_of(file), 49);
    assert_int_equal(file->blocks_recorded, 20);
    file = file_again(&rig, file, "f");
    assert_int_equal(blocks_of(file), 49);
    rig_expect(file, 0, bytes, 40000);
    assert_int_equal(udf_file_allocate(file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 1000, 5000), 0);
    memset(bytes + 1000, 0, 5000);
    rig_expect(file, 0, bytes, 40000);
    assert_int_equal(blocks_of(file), 49);
    assert_int_equal(udf_file_allocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10000, 10000), 0);
    memset(bytes + 10000, 0, 10000);
    rig_expect(file, 0, bytes, 40000);
    assert_int_equal(blocks_of(file), 49 - 4);
    file = file_again(&rig, file, "f");
    rig_expect(file, 0, bytes, 40000);
    assert_int_equal(udf_file_allocate(file, 0, 0, 60001), 0);
    assert_int_equal(rig_size(file), 60001);
    rig_expect(file, 0, bytes, 40000);
    rig_expect(file, 40000, zeros, 20001);
    assert_int_equal(blocks_of(file), 49);
    assert_int_equal(udf_file_allocate(file, FALLOC_FL_COLLAPSE_RANGE, 0, 2048), -EOPNOTSUPP);
    assert_int_equal(udf_file_allocate(file, FALLOC_FL_PUNCH_HOLE, 0, 2048), -EOPNOTSUPP);
    assert_int_equal(udf_file_allocate(file, 0, 0, 0), -EINVAL);
    udf_inode_put(file);
    rig_judge(&rig);
    rig_free(&rig);
    free(bytes);
}

/* A full volume: a write fails whole, what was there stays, and removing a file makes room again. */
static void test_no_space(void **state)
{
    enum {
        PIECE = 300 * 2048
    };
    struct rig rig;
    uint8_t *bytes = bytes_make(4 * PIECE, 5);
    char name[16];
    (void)state;
    for (unsigned i = 0; i < rig_spec_count; i++) {
        unsigned files = 0;
        ssize_t got = PIECE;
        rig_make(&rig, &rig_specs[i]);
        while (got == PIECE) {
            snprintf(name, sizeof name, "f%u", files++);
            struct udf_inode *file = rig_create(rig.root, name, S_IFREG | 0644);
            got = udf_file_write(file, 0, bytes, PIECE);
            udf_inode_put(file);
        }
        assert_int_equal(got, -ENOSPC);
        struct udf_inode *file = rig_lookup(rig.root, name);
        assert_int_equal(rig_size(file), 0);
        assert_int_equal(blocks_of(file), 0);
        assert_int_equal(udf_file_allocate(file, 0, 0, 100 * PIECE), -ENOSPC);
        assert_int_equal(blocks_of(file), 0);
        udf_inode_put(file);
        file = rig_lookup(rig.root, "f0");
        assert_int_equal(udf_file_write(file, PIECE - 100, bytes, 4 * PIECE), -ENOSPC);
        assert_int_equal(rig_size(file), PIECE);
        assert_int_equal(blocks_of(file), 300);
        rig_expect(file, 0, bytes, PIECE - 100);
        udf_inode_put(file);
        rig_judge(&rig);
        assert_int_equal(udf_dir_unlink(rig.root, "f0", 2), 0);
        file = rig_create(rig.root, "again", S_IFREG | 0644);
        rig_write(file, 0, bytes, PIECE); /* what was freed a moment ago, by way of a commit */
        udf_inode_put(file);
        rig_judge(&rig);
        rig_free(&rig);
    }
    free(bytes);
}

/* Small files until nothing goes any more: names and ICBs have room kept
 * back, and everything still checks. */
static void test_no_space_small(void **state)
{
    static const struct test_volume_spec small = {
        .options = "-m hd -b 2048 -r 2.01", .blocks = 3072, .packet_blocks = 1};
    struct rig rig;
    char name[16];
    int err = 0;
    unsigned files = 0;
    (void)state;
    rig_make(&rig, &small);
    while (!err) {
        struct udf_new new_inode = {.mode = S_IFREG | 0644};
        struct udf_inode *file;
        snprintf(name, sizeof name, "%u", files);
        err = udf_dir_create(rig.root, name, strlen(name), &new_inode, &file);
        if (!err)
            udf_inode_put(file);
        files += !err;
    }
    assert_int_equal(err, -ENOSPC);
    assert_true(files > 300);
    rig_judge(&rig);
    for (unsigned i = 0; i < files; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(udf_dir_unlink(rig.root, name, strlen(name)), 0);
    }
    rig_judge(&rig);
    rig_free(&rig);
}

static void test_deleted_and_open(void **state)
{
    struct rig rig;
    struct udf_volume_stat before, after;
    struct udf_stat st;
    uint8_t *bytes = bytes_make(100000, 6);
    (void)state;
    rig_make(&rig, spec_journal);
    udf_volume_stat(rig.vol, &before);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    rig_write(file, 0, bytes, 100000);
    assert_int_equal(udf_dir_unlink(rig.root, "f", 1), 0);
    udf_inode_stat(file, &st);
    assert_int_equal(st.links, 0);
    assert_int_equal(udf_volume_sync(rig.vol), 0);
    rig_expect(file, 0, bytes, 100000);
    rig_write(file, 100000, bytes, 50000);
    rig_expect(file, 100000, bytes, 50000);
    assert_int_equal(udf_dir_link(rig.root, "g", 1, file), -ENOENT);
    udf_inode_put(file);
    assert_int_equal(udf_volume_sync(rig.vol), 0);
    udf_volume_stat(rig.vol, &after);
    assert_int_equal(after.blocks_free, before.blocks_free);
    rig_judge(&rig);
    rig_free(&rig);
    free(bytes);
}

/* Long writes become long runs. */
static void test_runs(void **state)
{
    enum {
        MIB = 1 << 20
    };
    struct rig rig;
    uint8_t *bytes = bytes_make(MIB, 7);
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    for (unsigned i = 0; i < 8; i++)
        rig_write(file, (uint64_t)i * MIB, bytes, MIB);
    assert_true(file->extent_count <= 3);
    for (unsigned i = 0; i < 8; i++)
        rig_expect(file, (uint64_t)i * MIB, bytes, MIB);
    /* Overwritten in place. */
    struct udf_address at = file->extents[0].at;
    assert_int_equal(udf_volume_sync(rig.vol), 0);
    rig_write(file, 0, bytes + 1, MIB - 1);
    assert_true(udf_address_equal(file->extents[0].at, at));
    file = file_again(&rig, file, "f");
    rig_expect(file, 0, bytes + 1, MIB - 1);
    udf_inode_put(file);
    rig_judge(&rig);
    rig_free(&rig);
    free(bytes);
}

static void test_attributes(void **state)
{
    struct rig rig;
    struct udf_stat st = {.mode = 06751,
                          .uid = 4000000000u,
                          .gid = (gid_t)-1,
                          .atime = {.tv_sec = -1000000000, .tv_nsec = 999999000},
                          .mtime = {.tv_sec = 4102444800, .tv_nsec = 1000},
                          .ctime = {.tv_sec = 1, .tv_nsec = 0}};
    struct udf_stat got;
    char buf[1];
    (void)state;
    for (unsigned i = 0; i < rig_spec_count; i++) {
        rig_make(&rig, &rig_specs[i]);
        struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
        rig_write(file, 0, "x", 1);
        assert_int_equal(udf_inode_set(file, &st,
                                       UDF_SET_MODE | UDF_SET_UID | UDF_SET_GID | UDF_SET_ATIME |
                                           UDF_SET_MTIME | UDF_SET_CTIME),
                         0);
        file = file_again(&rig, file, "f");
        udf_inode_stat(file, &got);
        assert_int_equal(got.mode, S_IFREG | 06751);
        assert_int_equal(got.uid, st.uid);
        assert_int_equal(got.gid, st.gid);
        assert_memory_equal(&got.atime, &st.atime, sizeof st.atime);
        assert_memory_equal(&got.mtime, &st.mtime, sizeof st.mtime);
        assert_memory_equal(&got.ctime, &st.ctime, sizeof st.ctime);
        /* A read moves the access time, in memory, and reaches the disc with the next change. */
        assert_int_equal(udf_file_read(file, 0, buf, 1), 1);
        assert_false(file->dirty);
        udf_inode_stat(file, &got);
        assert_true(got.atime.tv_sec > 1600000000);
        st.mode = 0600;
        assert_int_equal(udf_inode_set(file, &st, UDF_SET_MODE), 0);
        file = file_again(&rig, file, "f");
        udf_inode_stat(file, &got);
        assert_true(got.atime.tv_sec > 1600000000);
        assert_true(got.ctime.tv_sec > 1600000000);
        st.mode = 06751;
        assert_int_equal(udf_file_write(rig.root, 0, "x", 1), -EISDIR);
        assert_int_equal(udf_inode_set(rig.root, &st, UDF_SET_SIZE), -EISDIR);
        udf_inode_put(file);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded_and_back),
        cmocka_unit_test(test_nothing_old_shows),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_foreign_layout),
        cmocka_unit_test(test_too_fragmented),
        cmocka_unit_test(test_big_holes),
        cmocka_unit_test(test_seek),
        cmocka_unit_test(test_allocate),
        cmocka_unit_test(test_no_space),
        cmocka_unit_test(test_no_space_small),
        cmocka_unit_test(test_deleted_and_open),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
