/* SPDX-License-Identifier: MIT */
/* Names made, moved and removed, in the cases that random operations seldom meet. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/volume_rig.h"
#include "udf/codec.h"
#include "udf/content.h"
#include "udf/dir_index.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif

static const struct test_volume_spec *spec_journal = &rig_specs[4];

static int rename_it(struct udf_inode *from, const char *old, struct udf_inode *to, const char *new,
                     unsigned flags)
{
    return udf_dir_rename(from, old, strlen(old), to, new, strlen(new), flags);
}

static uint32_t links_of(struct udf_inode *inode)
{
    struct udf_stat st;
    udf_inode_stat(inode, &st);
    return st.links;
}

static void test_rename_refused(void **state)
{
    struct rig rig;
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *root = rig.root, *a = rig_create(root, "a", S_IFDIR | 0755);
    struct udf_inode *b = rig_create(a, "b", S_IFDIR | 0755), *c = rig_create(b, "c", S_IFDIR | 0755);
    struct udf_inode *file = rig_create(a, "f", S_IFREG | 0644);
    assert_int_equal(rename_it(root, "a", c, "x", 0), -EINVAL);
    assert_int_equal(rename_it(root, "a", a, "x", 0), -EINVAL);
    assert_int_equal(rename_it(root, "a", root, "a", 0), 0);
    assert_int_equal(rename_it(b, "c", root, "a", 0), -ENOTEMPTY);
    assert_int_equal(rename_it(b, "c", root, "a", RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(rename_it(root, "a", b, "c", RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(rename_it(a, "f", root, "a", 0), -ENOTEMPTY);
    assert_int_equal(rename_it(a, "f", b, "c", 0), -EISDIR);
    assert_int_equal(rename_it(b, "c", a, "f", 0), -ENOTDIR);
    assert_int_equal(rename_it(a, "f", b, "none", RENAME_EXCHANGE), -ENOENT);
    assert_int_equal(rename_it(a, "none", b, "x", 0), -ENOENT);
    assert_int_equal(rename_it(a, "f", a, "b", RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(rename_it(a, "f", a, "x", RENAME_NOREPLACE | RENAME_EXCHANGE), -EINVAL);
    assert_int_equal(rename_it(a, "f", a, "x", 4), -EINVAL);
    assert_int_equal(rename_it(a, "f", file, "x", 0), -ENOTDIR);
    assert_int_equal(rename_it(a, "f", a, "", 0), -EINVAL);
    assert_int_equal(rename_it(a, "f", a, "\xFF", 0), -EILSEQ);
    udf_inode_put(file);
    udf_inode_put(c);
    udf_inode_put(b);
    udf_inode_put(a);
    rig_judge(&rig);
    rig_free(&rig);
}

static void test_rename_directories(void **state)
{
    struct rig rig;
    (void)state;
    for (unsigned i = 0; i < rig_spec_count; i++) {
        rig_make(&rig, &rig_specs[i]);
        struct udf_inode *root = rig.root, *a = rig_create(root, "a", S_IFDIR | 0755);
        struct udf_inode *b = rig_create(root, "b", S_IFDIR | 0755), *c = rig_create(a, "c", S_IFDIR | 0755);
        struct udf_inode *file = rig_create(b, "f", S_IFREG | 0644),
                         *empty = rig_create(b, "empty", S_IFDIR | 0755);
        assert_int_equal(links_of(root), 4);
        assert_int_equal(links_of(a), 3);
        assert_int_equal(rename_it(a, "c", b, "empty", 0), 0);
        assert_int_equal(links_of(empty), 0);
        assert_int_equal(links_of(a), 2);
        assert_int_equal(links_of(b), 3);
        struct udf_stat st;
        udf_inode_stat(b, &st);
        assert_int_equal(udf_dir_parent(c), st.ino);
        /* What is deleted and open is empty, and stays so. */
        struct udf_new new_inode = {.mode = S_IFREG};
        struct udf_inode *none;
        assert_int_equal(udf_dir_create(empty, "x", 1, &new_inode, &none), -ENOENT);
        assert_int_equal(rename_it(b, "f", empty, "x", 0), -ENOENT);
        udf_inode_put(empty);
        assert_int_equal(rename_it(b, "empty", a, "c", 0), 0);
        /* A file for a directory. */
        assert_int_equal(rename_it(a, "c", b, "f", RENAME_EXCHANGE), 0);
        assert_int_equal(links_of(a), 2);
        assert_int_equal(links_of(b), 3);
        udf_inode_stat(b, &st);
        assert_int_equal(udf_dir_parent(c), st.ino);
        udf_inode_put(file);
        file = rig_lookup(a, "c");
        udf_inode_stat(file, &st);
        assert_true(S_ISREG(st.mode));
        udf_inode_put(file);
        udf_inode_put(c);
        udf_inode_put(b);
        udf_inode_put(a);
        rig_judge(&rig);
        rig_free(&rig);
    }
}

static void test_rename_same_file(void **state)
{
    struct rig rig;
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *file = rig_create(rig.root, "a", S_IFREG | 0644);
    assert_int_equal(udf_dir_link(rig.root, "b", 1, file), 0);
    assert_int_equal(rename_it(rig.root, "a", rig.root, "b", 0), 0);
    assert_int_equal(rename_it(rig.root, "a", rig.root, "b", RENAME_EXCHANGE), 0);
    assert_int_equal(links_of(file), 2);
    udf_inode_put(rig_lookup(rig.root, "a"));
    udf_inode_put(rig_lookup(rig.root, "b"));
    udf_inode_put(file);
    rig_judge(&rig);
    rig_free(&rig);
}

static void test_links_limit(void **state)
{
    struct rig rig;
    char name[32];
    struct udf_inode *inode;
    struct udf_new new_inode = {.mode = S_IFDIR | 0755};
    (void)state;
    rig_make(&rig, &rig_specs[1]);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644),
                     *dir = rig_create(rig.root, "d", S_IFDIR | 0755);
    for (unsigned i = 1; i < 65534; i++) {
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(udf_dir_link(dir, name, strlen(name), file), 0);
    }
    assert_int_equal(links_of(file), 65534);
    assert_int_equal(udf_dir_link(dir, "more", 4, file), -EMLINK);
    file->fe.links = 3; /* the rest of this test has no use for them */
    dir->fe.links = 65534;
    assert_int_equal(udf_dir_create(dir, "more", 4, &new_inode, &inode), -EMLINK);
    udf_inode_put(rig_create(rig.root, "x", S_IFDIR | 0755));
    assert_int_equal(rename_it(rig.root, "x", dir, "x", 0), -EMLINK);
    new_inode.mode = S_IFREG;
    assert_int_equal(udf_dir_create(dir, "more", 4, &new_inode, &inode), 0);
    udf_inode_put(inode);
    udf_inode_put(file);
    udf_inode_put(dir);
    rig_free(&rig);
}

static void test_special_files(void **state)
{
    static const mode_t modes[] = {S_IFIFO, S_IFSOCK, S_IFBLK, S_IFCHR};
    struct rig rig;
    char name[8];
    struct udf_stat st;
    (void)state;
    for (unsigned kind = 0; kind < rig_spec_count; kind++) {
        rig_make(&rig, &rig_specs[kind]);
        for (unsigned i = 0; i < 4; i++) {
            struct udf_new new_inode = {
                .mode = modes[i] | 0640, .uid = 7, .gid = 8, .rdev = makedev(259, 70000)};
            struct udf_inode *inode;
            snprintf(name, sizeof name, "%u", i);
            assert_int_equal(udf_dir_create(rig.root, name, 1, &new_inode, &inode), 0);
            udf_inode_put(inode);
        }
        rig_remount(&rig);
        for (unsigned i = 0; i < 4; i++) {
            snprintf(name, sizeof name, "%u", i);
            struct udf_inode *inode = rig_lookup(rig.root, name);
            udf_inode_stat(inode, &st);
            assert_int_equal(st.mode, modes[i] | 0640);
            assert_int_equal(st.rdev, i < 2 ? 0 : makedev(259, 70000));
            assert_int_equal(udf_file_write(inode, 0, "x", 1), -EINVAL);
            udf_inode_put(inode);
        }
        rig_judge(&rig);
        rig_free(&rig);
    }
}

/* The file of bad blocks that UDF 1.50 keeps in the root of a sparable volume. */
static void test_non_allocatable(void **state)
{
    static const char name[] = "Non-Allocatable Space";
    struct udf_new new_inode = {.mode = S_IFREG | 0644};
    struct udf_inode *inode;
    struct udf_volume_stat st;
    struct rig rig;
    (void)state;
    rig_make(&rig, &rig_specs[2]);
    udf_volume_stat(rig.vol, &st);
    assert_int_equal(st.files, 1);
    assert_int_equal(udf_dir_lookup(rig.root, name, strlen(name), &inode), -ENOENT);
    assert_int_equal(udf_dir_unlink(rig.root, name, strlen(name)), -ENOENT);
    assert_int_equal(udf_dir_create(rig.root, name, strlen(name), &new_inode, &inode), -EEXIST);
    udf_inode_put(rig_create(rig.root, "f", S_IFREG));
    assert_int_equal(rename_it(rig.root, "f", rig.root, name, 0), -EEXIST);
    assert_int_equal(rename_it(rig.root, name, rig.root, "x", 0), -ENOENT);
    rig_judge(&rig);
    rig_free(&rig);
}

/* Implementation use and attributes of another writer come back as they were. */
static void test_foreign_kept(void **state)
{
    struct rig rig;
    uint8_t block[2048], out[2048], ea[100], ads[2048];
    struct udf_file_entry fe;
    mmc_lba_t at;
    (void)state;
    rig_make(&rig, &rig_specs[1]);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    rig_write(file, 0, "hello", 5);
    struct udf_address icb = file->icb;
    udf_inode_put(file);
    assert_int_equal(udf_volume_map(rig.vol, icb, 1, &at, NULL), 0);
    rig_unmount(&rig);
    assert_int_equal(fault_medium_peek(rig.medium, at, 1, block), 0);
    assert_int_equal(udf_file_entry_decode(block, icb.block, &fe), 0);
    memset(ea, 0xA5, sizeof ea);
    memcpy(ads, fe.ads, fe.ads_len);
    fe.ea = ea;
    fe.ea_len = sizeof ea;
    fe.ads = ads;
    fe.icb_flags |= 0x0410; /* system, and may not be relocated */
    fe.checkpoint = 77;
    fe.stream_dir = (struct udf_long_ad){.bytes = 2048, .at = {.block = 4000, .part = 0}};
    fe.object_size = 5 + 1000;
    assert_int_equal(udf_file_entry_encode(out, &fe), 0);
    assert_int_equal(fault_medium_poke(rig.medium, at, 1, out), 0);
    rig_mount(&rig);
    file = rig_lookup(rig.root, "f");
    rig_write(file, 5, " world", 6);
    uint8_t *long_bytes = calloc(1, 5000);
    rig_write(file, 11, long_bytes, 5000);
    free(long_bytes);
    udf_inode_put(file);
    rig_unmount(&rig);
    assert_int_equal(fault_medium_peek(rig.medium, at, 1, block), 0);
    assert_int_equal(udf_file_entry_decode(block, icb.block, &fe), 0);
    assert_int_equal(fe.ea_len, sizeof ea);
    assert_memory_equal(fe.ea, ea, sizeof ea);
    assert_int_equal(fe.icb_flags & 0x0430, 0x0430);
    assert_int_equal(fe.checkpoint, 77);
    assert_int_equal(fe.stream_dir.bytes, 2048);
    assert_int_equal(fe.stream_dir.at.block, 4000);
    assert_int_equal(fe.info_length, 5011);
    assert_int_equal(fe.object_size, 6011);
    assert_int_equal(fe.blocks_recorded, 3);
    rig_mount(&rig);
    rig_free(&rig);
}

static void test_read_only(void **state)
{
    struct rig rig;
    struct udf_new new_inode = {.mode = S_IFREG | 0644};
    struct udf_open_options options = {.read_only = true};
    struct udf_stat st = {.mode = 0600};
    struct udf_inode *inode;
    char buf[5];
    (void)state;
    rig_make(&rig, spec_journal);
    inode = rig_create(rig.root, "f", S_IFREG | 0644);
    rig_write(inode, 0, "hello", 5);
    udf_inode_put(inode);
    rig_unmount(&rig);
    assert_int_equal(block_fault_open(rig.medium, true, &rig.dev), 0);
    assert_int_equal(udf_volume_open(rig.dev, &options, &rig.vol), 0);
    assert_int_equal(udf_inode_get(rig.vol, udf_volume_root(rig.vol), &rig.root), 0);
    inode = rig_lookup(rig.root, "f");
    assert_int_equal(udf_file_read(inode, 0, buf, 5), 5);
    assert_int_equal(udf_file_write(inode, 0, "x", 1), -EROFS);
    assert_int_equal(udf_inode_set(inode, &st, UDF_SET_MODE), -EROFS);
    assert_int_equal(udf_file_allocate(inode, 0, 0, 10000), -EROFS);
    assert_int_equal(udf_dir_link(rig.root, "g", 1, inode), -EROFS);
    assert_int_equal(udf_inode_sync(inode), 0);
    udf_inode_put(inode);
    assert_int_equal(udf_dir_create(rig.root, "g", 1, &new_inode, &inode), -EROFS);
    assert_int_equal(udf_dir_unlink(rig.root, "f", 1), -EROFS);
    assert_int_equal(udf_dir_rmdir(rig.root, "f", 1), -EROFS);
    assert_int_equal(rename_it(rig.root, "f", rig.root, "g", 0), -EROFS);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rename_refused),   cmocka_unit_test(test_rename_directories),
        cmocka_unit_test(test_rename_same_file), cmocka_unit_test(test_links_limit),
        cmocka_unit_test(test_special_files),    cmocka_unit_test(test_non_allocatable),
        cmocka_unit_test(test_foreign_kept),     cmocka_unit_test(test_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
