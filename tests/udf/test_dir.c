/* SPDX-License-Identifier: MIT */
/* Directories: growth out of the ICB, deleted slots used again, positions of
 * a listing, many names, damage. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/volume_rig.h"
#include "udf/content.h"
#include "udf/dir_index.h"

static const struct test_volume_spec *spec_journal = &rig_specs[4];

static void file_make(struct udf_inode *dir, const char *name)
{
    udf_inode_put(rig_create(dir, name, S_IFREG | 0644));
}

static void file_remove(struct udf_inode *dir, const char *name)
{
    assert_int_equal(udf_dir_unlink(dir, name, strlen(name)), 0);
}

struct names {
    char seen[64][32];
    unsigned count, limit;
    uint64_t next;
};

static int names_add(void *ctx, const struct udf_entry *entry)
{
    struct names *names = ctx;
    assert_in_range(names->count, 0, 63);
    for (unsigned i = 0; i < names->count; i++)
        assert_string_not_equal(names->seen[i], entry->name);
    assert_true(entry->next > names->next);
    snprintf(names->seen[names->count++], 32, "%s", entry->name);
    names->next = entry->next;
    return names->count == names->limit;
}

static bool names_have(const struct names *names, const char *name)
{
    for (unsigned i = 0; i < names->count; i++)
        if (!strcmp(names->seen[i], name))
            return true;
    return false;
}

/* The sizes of free slots, to see what became of them. */
static unsigned free_slots(const struct udf_inode *dir, uint32_t size)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < dir->index->slot_count; i++)
        count += dir->index->slots[i].kind == UDF_SLOT_FREE && (!size || dir->index->slots[i].size == size);
    return count;
}

static void test_slots(void **state)
{
    struct rig rig;
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *dir = rig_create(rig.root, "d", S_IFDIR | 0755);
    static const char long_name[] = "a name of some length that leaves room for others when it goes";
    file_make(dir, "first");
    file_make(dir, long_name);
    file_make(dir, "last");
    uint64_t size = rig_size(dir);
    file_remove(dir, long_name);
    assert_int_equal(free_slots(dir, 0), 1);
    assert_int_equal(rig_size(dir), size);
    /* A shorter name takes part of the slot, and the rest is a slot of its own. */
    file_make(dir, "x");
    assert_int_equal(free_slots(dir, udf_fid_size(sizeof long_name, 0) - udf_fid_size(2, 0)), 1);
    assert_int_equal(rig_size(dir), size);
    /* Neighbours become one again. */
    file_remove(dir, "x");
    assert_int_equal(free_slots(dir, 0), 1);
    assert_int_equal(free_slots(dir, udf_fid_size(sizeof long_name, 0)), 1);
    /* The very same size. */
    file_make(dir, long_name);
    assert_int_equal(free_slots(dir, 0), 0);
    assert_int_equal(rig_size(dir), size);
    /* What is deleted at the end is cut off, with all before it. */
    file_remove(dir, long_name);
    file_remove(dir, "last");
    assert_int_equal(free_slots(dir, 0), 0);
    assert_int_equal(rig_size(dir), 40 + udf_fid_size(6, 0));
    udf_inode_put(dir);
    rig_judge(&rig);
    dir = rig_lookup(rig.root, "d");
    udf_inode_put(rig_lookup(dir, "first"));
    file_remove(dir, "first");
    assert_int_equal(rig_size(dir), 40);
    udf_inode_put(dir);
    rig_judge(&rig);
    rig_free(&rig);
}

static void test_positions(void **state)
{
    struct rig rig;
    char name[32];
    struct names names = {.limit = 10};
    (void)state;
    rig_make(&rig, spec_journal);
    struct udf_inode *dir = rig_create(rig.root, "d", S_IFDIR | 0755);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "entry number %u", i);
        file_make(dir, name);
    }
    assert_int_equal(udf_dir_read(dir, 0, names_add, &names), 0);
    assert_int_equal(names.count, 10);
    /* Between two parts of a listing: the entry it stopped at goes, its neighbours go, others come. */
    for (unsigned i = 5; i < 13; i++) {
        snprintf(name, sizeof name, "entry number %u", i);
        file_remove(dir, name);
    }
    for (unsigned i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "new %u", i);
        file_make(dir, name);
    }
    names.limit = 0;
    assert_int_equal(udf_dir_read(dir, names.next, names_add, &names), 0);
    /* All that was there all the time was seen, once (names_add). */
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "entry number %u", i);
        assert_true(names_have(&names, name) || (i >= 10 && i < 13));
    }
    struct names none = {0};
    assert_int_equal(udf_dir_read(dir, names.next, names_add, &none), 0);
    assert_int_equal(udf_dir_read(dir, UINT64_MAX, names_add, &none), 0);
    assert_int_equal(none.count, 0);
    udf_inode_put(dir);
    rig_free(&rig);
}

struct many {
    uint8_t *seen;
    unsigned count, total;
};

static int many_seen(void *ctx, const struct udf_entry *entry)
{
    struct many *many = ctx;
    unsigned number;
    assert_int_equal(sscanf(entry->name, "file-%u", &number), 1);
    assert_in_range(number, 0, many->total - 1);
    assert_false(many->seen[number]);
    many->seen[number] = 1;
    many->count++;
    return 0;
}

/* A directory of many blocks, filled, thinned out, filled again; on every kind of volume. */
static void test_many(void **state)
{
    enum {
        TOTAL = 3000
    };
    struct rig rig;
    char name[64];
    (void)state;
    for (unsigned kind = 0; kind < rig_spec_count; kind++) {
        rig_make(&rig, &rig_specs[kind]);
        struct udf_inode *dir = rig_create(rig.root, "d", S_IFDIR | 0755);
        for (unsigned i = 0; i < TOTAL; i++) {
            snprintf(name, sizeof name, "file-%u%.*s", i, (int)(i % 23),
                     "......................................");
            file_make(dir, name);
        }
        uint64_t size = rig_size(dir);
        for (unsigned i = 0; i < TOTAL; i += i % 3 ? 1 : 2) {
            snprintf(name, sizeof name, "file-%u%.*s", i, (int)(i % 23),
                     "......................................");
            file_remove(dir, name);
        }
        udf_inode_put(dir);
        rig_judge(&rig);
        dir = rig_lookup(rig.root, "d");
        struct many many = {.seen = calloc(TOTAL, 1), .total = TOTAL};
        assert_int_equal(udf_dir_read(dir, 0, many_seen, &many), 0);
        for (unsigned i = 0; i < TOTAL; i++) {
            snprintf(name, sizeof name, "file-%u%.*s", i, (int)(i % 23),
                     "......................................");
            if (!many.seen[i])
                file_make(dir, name);
        }
        assert_true(rig_size(dir) <= size + size / 4); /* free slots do not always fit */
        memset(many.seen, 0, TOTAL);
        many.count = 0;
        assert_int_equal(udf_dir_read(dir, 0, many_seen, &many), 0);
        assert_int_equal(many.count, TOTAL);
        free(many.seen);
        udf_inode_put(dir);
        rig_judge(&rig);
        rig_free(&rig);
    }
}

/* Where a directory's contents begin on the medium. */
static mmc_lba_t dir_place(struct rig *rig, const struct udf_inode *dir)
{
    mmc_lba_t at;
    bool embedded = udf_content_kind(dir) == UDF_AD_EMBEDDED;
    assert_int_equal(udf_volume_map(rig->vol, embedded ? dir->icb : dir->extents[0].at, 1, &at, NULL), 0);
    return at;
}

/* A directory in blocks whose bytes are then damaged by change(block, seed). What is in it shows as far as it
 * can, and nothing in it is changed; nothing crashes. */
static void damage(void (*change)(uint8_t *block, uint64_t *random), uint64_t seed, unsigned least)
{
    struct rig rig;
    uint8_t block[2048];
    char name[32];
    rig_make(&rig, &rig_specs[1]);
    struct udf_inode *dir = rig_create(rig.root, "d", S_IFDIR | 0755), *file;
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "entry number %u", i);
        file_make(dir, name);
    }
    assert_int_equal(udf_volume_sync(rig.vol), 0);
    mmc_lba_t at = dir_place(&rig, dir);
    udf_inode_put(dir);
    rig_unmount(&rig);
    assert_int_equal(fault_medium_peek(rig.medium, at, 1, block), 0);
    change(block, &seed);
    assert_int_equal(fault_medium_poke(rig.medium, at, 1, block), 0);
    rig_mount(&rig);
    dir = rig_lookup(rig.root, "d");
    struct names names = {0};
    assert_int_equal(udf_dir_read(dir, 0, names_add, &names), 0);
    assert_in_range(names.count, least, 60);
    for (unsigned i = 0; i < names.count; i++) {
        int err = udf_dir_lookup(dir, names.seen[i], strlen(names.seen[i]), &file);
        assert_true(!err || err == -EUCLEAN);
        udf_inode_put(file);
    }
    if (names.count < 60) {
        struct udf_new new_inode = {.mode = S_IFREG | 0644};
        assert_int_equal(udf_dir_create(dir, "new", 3, &new_inode, &file), -EUCLEAN);
        assert_int_equal(udf_dir_unlink(dir, names.seen[0], strlen(names.seen[0])), -EUCLEAN);
        assert_int_equal(udf_dir_rename(dir, names.seen[0], strlen(names.seen[0]), rig.root, "x", 1, 0),
                         -EUCLEAN);
        assert_true(rig.warnings > 0);
    }
    udf_inode_put(dir);
    rig_free(&rig);
}

static void damage_tag(uint8_t *block, uint64_t *random)
{
    (void)random;
    block[40] ^= 1; /* of the entry behind the parent's */
}

static void damage_zeros(uint8_t *block, uint64_t *random)
{
    (void)random;
    memset(block + 500, 0, 700);
}

static void damage_bits(uint8_t *block, uint64_t *random)
{
    for (unsigned i = 0; i < 20; i++)
        block[random_next(random) % 2048] ^= (uint8_t)(1u << random_next(random) % 8);
}

static void damage_all(uint8_t *block, uint64_t *random)
{
    random_fill(random, block, 2048);
}

/* Changes one FID of an entry and makes its tag fit again. */
static void fid_change(uint8_t *block, void (*change)(struct udf_fid *))
{
    struct udf_fid fid;
    uint8_t name[256];
    uint32_t offset = udf_fid_size(0, 0);
    assert_true(udf_fid_decode(block + offset, 2048 - offset, &fid) > 0);
    memcpy(name, fid.name, fid.name_len);
    fid.name = name;
    change(&fid);
    udf_fid_encode(block + offset, &fid);
}

static void fid_name_bad(struct udf_fid *fid)
{
    ((uint8_t *)fid->name)[0] = 77;
}

static void fid_icb_none(struct udf_fid *fid)
{
    fid->icb.bytes = 0;
}

static void fid_parent_again(struct udf_fid *fid)
{
    fid->characteristics |= UDF_FID_PARENT;
}

static void damage_name(uint8_t *block, uint64_t *random)
{
    (void)random;
    fid_change(block, fid_name_bad);
}

static void damage_icb(uint8_t *block, uint64_t *random)
{
    (void)random;
    fid_change(block, fid_icb_none);
}

static void damage_parent(uint8_t *block, uint64_t *random)
{
    (void)random;
    fid_change(block, fid_parent_again);
}

static void test_damage(void **state)
{
    (void)state;
    damage(damage_tag, 0, 59);
    damage(damage_name, 0, 59);
    damage(damage_icb, 0, 59);
    damage(damage_parent, 0, 59);
    damage(damage_zeros, 0, 40);
    damage(damage_all, 1, 20);
    for (uint64_t seed = 1; seed <= 8; seed++)
        damage(damage_bits, seed, 20);
}

/* Names that Unix cannot have are shown as others, and found by what is shown. */
static void fid_name_slash(struct udf_fid *fid)
{
    ((uint8_t *)fid->name)[3] = '/';
}

static void test_translated_names(void **state)
{
    struct rig rig;
    uint8_t block[2048];
    (void)state;
    rig_make(&rig, &rig_specs[1]);
    struct udf_inode *dir = rig_create(rig.root, "d", S_IFDIR | 0755);
    char name[32];
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "entry number %u", i);
        file_make(dir, name);
    }
    assert_int_equal(udf_volume_sync(rig.vol), 0);
    mmc_lba_t at = dir_place(&rig, dir);
    udf_inode_put(dir);
    rig_unmount(&rig);
    assert_int_equal(fault_medium_peek(rig.medium, at, 1, block), 0);
    fid_change(block, fid_name_slash);
    assert_int_equal(fault_medium_poke(rig.medium, at, 1, block), 0);
    rig_mount(&rig);
    dir = rig_lookup(rig.root, "d");
    struct names names = {0};
    assert_int_equal(udf_dir_read(dir, 0, names_add, &names), 0);
    assert_int_equal(names.count, 60);
    assert_memory_equal(names.seen[0], "en_ry number 0#", 15);
    assert_int_equal(strlen(names.seen[0]), 19);
    udf_inode_put(rig_lookup(dir, names.seen[0]));
    file_remove(dir, names.seen[0]);
    assert_int_equal(rig.warnings, 0);
    udf_inode_put(dir);
    rig_remount(&rig);
    dir = rig_lookup(rig.root, "d");
    names = (struct names){0};
    assert_int_equal(udf_dir_read(dir, 0, names_add, &names), 0);
    assert_int_equal(names.count, 59);
    udf_inode_put(dir);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),  cmocka_unit_test(test_positions),        cmocka_unit_test(test_many),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_translated_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
