/* SPDX-License-Identifier: MIT */
/*
 * Volumes that were made to do harm: file entries, descriptors and directories that lie, one lie a time with
 * the error that it must give, and then many at random with valid checksums, on which everything is tried.
 * Nothing may crash, hang, or take memory without bound. Arguments: SEED COUNT, for longer runs by hand.
 */
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
#include "udf/dir_index.h"

static uint64_t first_seed = 1;
static unsigned seeds = 150;

/* A file entry taken apart, to be changed and put back. */
struct patient {
    struct udf_file_entry fe;
    uint8_t ea[2048], ads[2048];
    struct udf_address icb;
    mmc_lba_t at;
    const struct udf_volume *vol;
};

static void patient_get(struct rig *rig, const char *name, struct patient *patient)
{
    uint8_t block[2048];
    struct udf_inode *inode = rig_lookup(rig->root, name);
    patient->icb = inode->icb;
    udf_inode_put(inode);
    assert_int_equal(udf_volume_map(rig->vol, patient->icb, 1, &patient->at, NULL), 0);
    rig_unmount(rig);
    assert_int_equal(fault_medium_peek(rig->medium, patient->at, 1, block), 0);
    assert_int_equal(udf_file_entry_decode(block, patient->icb.block, &patient->fe), 0);
    memcpy(patient->ea, patient->fe.ea, patient->fe.ea_len);
    memcpy(patient->ads, patient->fe.ads, patient->fe.ads_len);
    patient->fe.ea = patient->ea;
    patient->fe.ads = patient->ads;
}

static void patient_put(struct rig *rig, struct patient *patient)
{
    uint8_t block[2048];
    assert_int_equal(udf_file_entry_encode(block, &patient->fe), 0);
    assert_int_equal(fault_medium_poke(rig->medium, patient->at, 1, block), 0);
    rig_mount(rig);
}

static void ad_set(struct patient *patient, unsigned index, uint32_t bytes, uint8_t type, uint32_t block)
{
    struct udf_long_ad ad = {.bytes = bytes, .type = type, .at = {.block = block}};
    udf_ad_encode(UDF_AD_SHORT, patient->ads + (size_t)index * 8, &ad);
    if (patient->fe.ads_len < (index + 1) * 8)
        patient->fe.ads_len = (index + 1) * 8;
}

static void lie_type(struct patient *patient)
{
    patient->fe.file_type = UDF_FILE_METADATA;
}

static void lie_strategy(struct patient *patient)
{
    patient->fe.strategy = 4096;
}

static void lie_links(struct patient *patient)
{
    patient->fe.links = 0;
}

static void lie_descriptor_kind(struct patient *patient)
{
    patient->fe.icb_flags = (uint16_t)((patient->fe.icb_flags & ~7u) | 2);
}

static void lie_embedded(struct patient *patient)
{
    patient->fe.icb_flags |= 3;
}

static void lie_size(struct patient *patient)
{
    patient->fe.info_length = UINT64_MAX;
}

static void lie_short(struct patient *patient)
{
    patient->fe.info_length += 2048 * 100;
}

static void lie_outside(struct patient *patient)
{
    ad_set(patient, 0, 20000, UDF_EXTENT_RECORDED, UINT32_MAX - 3);
}

static void lie_over_the_end(struct patient *patient)
{
    ad_set(patient, 0, 20480, UDF_EXTENT_RECORDED, 7670);
}

static void lie_inner_odd(struct patient *patient)
{
    ad_set(patient, 0, 1000, UDF_EXTENT_RECORDED, 100);
    ad_set(patient, 1, 40000, UDF_EXTENT_RECORDED, 200);
}

static void lie_chain_to_itself(struct patient *patient)
{
    ad_set(patient, 0, 2048, UDF_EXTENT_CONTINUE, patient->icb.block);
}

static void lie_more_than_there_is(struct patient *patient)
{
    patient->fe.info_length = 0;
    for (unsigned i = 0; i < 200; i++) {
        ad_set(patient, i, 7000 * 2048, UDF_EXTENT_RECORDED, 100);
        patient->fe.info_length += 7000 * 2048;
    }
}

static void lie_partition(struct patient *patient)
{
    struct udf_long_ad ad = {.bytes = 20000, .at = {.block = 100, .part = 9}};
    patient->fe.icb_flags = (uint16_t)((patient->fe.icb_flags & ~7u) | UDF_AD_LONG);
    udf_ad_encode(UDF_AD_LONG, patient->ads, &ad);
    patient->fe.ads_len = 16;
}

static void test_lies(void **state)
{
    static const struct {
        void (*lie)(struct patient *);
        int err;
    } lies[] = {
        {lie_type, -EUCLEAN},
        {lie_strategy, -EOPNOTSUPP},
        {lie_links, -EUCLEAN},
        {lie_descriptor_kind, -EUCLEAN},
        {lie_embedded, -EUCLEAN},
        {lie_size, -EUCLEAN},
        {lie_short, -EUCLEAN},
        {lie_outside, -EUCLEAN},
        {lie_over_the_end, -EUCLEAN},
        {lie_inner_odd, -EUCLEAN},
        {lie_chain_to_itself, -EUCLEAN},
        {lie_more_than_there_is, -EUCLEAN},
        {lie_partition, -EUCLEAN},
    };
    static struct patient patient;
    (void)state;
    for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct rig rig;
        struct udf_inode *file;
        uint8_t *bytes = calloc(1, 20000);
        rig_make(&rig, &rig_specs[1]);
        file = rig_create(rig.root, "f", S_IFREG | 0644);
        rig_write(file, 0, bytes, 20000);
        free(bytes);
        udf_inode_put(file);
        patient_get(&rig, "f", &patient);
        lies[i].lie(&patient);
        patient_put(&rig, &patient);
        assert_int_equal(udf_dir_lookup(rig.root, "f", 1, &file), lies[i].err);
        assert_null(file);
        assert_int_equal(udf_dir_unlink(rig.root, "f", 1), lies[i].err);
        rig_free(&rig);
    }
}

/* Two blocks of descriptors that lead to each other. */
static void test_chain_loop(void **state)
{
    static struct patient patient;
    struct udf_long_ad link = {.bytes = 2048, .type = UDF_EXTENT_CONTINUE};
    struct udf_inode *file;
    struct rig rig;
    (void)state;
    rig_make(&rig, &rig_specs[1]);
    udf_inode_put(rig_create(rig.root, "f", S_IFREG | 0644));
    patient_get(&rig, "f", &patient);
    for (uint32_t block = 7000; block < 7002; block++) {
        uint8_t aed[2048] = {0};
        struct udf_tag tag = {.version = 3, .serial = patient.fe.tag.serial, .location = block};
        link.at.block = block == 7000 ? 7001 : 7000;
        udf_ad_encode(UDF_AD_SHORT, aed + UDF_AED_BYTES, &link);
        udf_aed_encode(aed, &tag, 8);
        mmc_lba_t at = mmc_lba_add(patient.at, (int64_t)block - patient.icb.block);
        assert_int_equal(fault_medium_poke(rig.medium, at, 1, aed), 0);
    }
    patient.fe.icb_flags &= (uint16_t)~7u;
    ad_set(&patient, 0, 2048, UDF_EXTENT_CONTINUE, 7000);
    patient_put(&rig, &patient);
    assert_int_equal(udf_dir_lookup(rig.root, "f", 1, &file), -EUCLEAN);
    rig_free(&rig);
}

static void lie_dir_huge(struct patient *patient)
{
    patient->fe.icb_flags &= (uint16_t)~7u;
    patient->fe.info_length = 0;
    for (unsigned i = 0; i < 200; i++) {
        ad_set(patient, i, 0x3FFFF800, UDF_EXTENT_HOLE, 0);
        patient->fe.info_length += 0x3FFFF800;
    }
}

static void lie_dir_hole(struct patient *patient)
{
    patient->fe.icb_flags &= (uint16_t)~7u;
    ad_set(patient, 0, 4096, UDF_EXTENT_HOLE, 0);
    patient->fe.ads_len = 8;
    patient->fe.info_length = 4096;
}

static void test_directory_lies(void **state)
{
    static const struct {
        void (*lie)(struct patient *);
        int err;
    } lies[] = {{lie_dir_huge, -EFBIG}, {lie_dir_hole, -EUCLEAN}};
    static struct patient patient;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct rig rig;
        struct udf_inode *dir, *file;
        rig_make(&rig, &rig_specs[1]);
        udf_inode_put(rig_create(rig.root, "d", S_IFDIR | 0755));
        patient_get(&rig, "d", &patient);
        lies[i].lie(&patient);
        patient_put(&rig, &patient);
        dir = rig_lookup(rig.root, "d");
        assert_int_equal(udf_dir_lookup(dir, "f", 1, &file), lies[i].err);
        assert_int_equal(udf_dir_rmdir(rig.root, "d", 1), lies[i].err);
        udf_inode_put(dir);
        rig_free(&rig);
    }
}

/* A directory that contains itself, one that has two names, and one that leads back to the root. */
static void test_directory_graph(void **state)
{
    struct rig rig;
    struct udf_inode *found;
    (void)state;
    rig_make(&rig, &rig_specs[1]);
    struct udf_inode *a = rig_create(rig.root, "a", S_IFDIR | 0755), *b = rig_create(a, "b", S_IFDIR | 0755);
    struct udf_inode *c = rig_create(rig.root, "c", S_IFDIR | 0755);
    struct udf_dir_target to_a = {.icb = a->icb, .directory = true},
                          to_b = {.icb = b->icb, .directory = true},
                          to_root = {.icb = rig.root->icb, .directory = true};
    assert_int_equal(udf_tx_begin(rig.vol, 16), 0);
    pthread_rwlock_wrlock(&b->lock);
    assert_int_equal(udf_dir_lock_write(c), 0);
    assert_int_equal(udf_dir_add(b, "loop", 4, &to_a), 0);
    assert_int_equal(udf_dir_add(b, "top", 3, &to_root), 0);
    assert_int_equal(udf_dir_add(c, "twin", 4, &to_b), 0);
    udf_inode_dirty(b);
    udf_inode_dirty(c);
    pthread_rwlock_unlock(&c->lock);
    pthread_rwlock_unlock(&b->lock);
    udf_tx_end(rig.vol);
    udf_inode_put(a);
    udf_inode_put(b);
    udf_inode_put(c);
    rig_remount(&rig);
    a = rig_lookup(rig.root, "a");
    b = rig_lookup(a, "b");
    c = rig_lookup(rig.root, "c");
    assert_int_equal(udf_dir_lookup(b, "loop", 4, &found), -EUCLEAN);
    assert_int_equal(udf_dir_lookup(b, "top", 3, &found), -EUCLEAN);
    assert_int_equal(udf_dir_lookup(c, "twin", 4, &found), -EUCLEAN);
    assert_int_equal(udf_dir_rename(b, "loop", 4, rig.root, "x", 1, 0), -EUCLEAN);
    assert_int_equal(udf_dir_rmdir(c, "twin", 4), -EUCLEAN);
    udf_inode_put(a);
    udf_inode_put(b);
    udf_inode_put(c);
    rig_free(&rig);
}

/* What a fresh volume for random damage holds. */
static void damage_fill(struct rig *rig)
{
    char name[32];
    uint8_t *bytes = malloc(50000);
    memset(bytes, 0x5A, 50000);
    struct udf_inode *dir = rig_create(rig->root, "d", S_IFDIR | 0755),
                     *big = rig_create(rig->root, "big", S_IFREG);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "name number %u", i);
        struct udf_inode *file = rig_create(dir, name, (i % 5 ? S_IFREG : S_IFDIR) | 0755);
        if (i % 5)
            rig_write(file, 0, bytes, i * 1000);
        udf_inode_put(file);
    }
    for (unsigned i = 0; i < 300; i++)
        rig_write(big, (uint64_t)i * 4096, bytes, 2048);
    struct udf_new link = {.mode = S_IFLNK | 0777, .target = "/a/../b"};
    struct udf_inode *inode;
    assert_int_equal(udf_dir_create(rig->root, "l", 1, &link, &inode), 0);
    udf_inode_put(inode);
    udf_inode_put(big);
    udf_inode_put(dir);
    free(bytes);
}

/* Where the descriptors of the partition are. */
static unsigned damage_places(struct fault_medium *medium, uint32_t blocks, mmc_lba_t *places, unsigned most)
{
    unsigned count = 0;
    uint8_t block[2048];
    struct udf_tag tag;
    for (uint32_t at = 257; at < blocks && count < most; at++)
        if (!fault_medium_peek(medium, mmc_lba(at), 1, block) && !udf_tag_decode(block, sizeof block, &tag) &&
            tag.id >= UDF_TAG_FID && tag.id <= UDF_TAG_EFE)
            places[count++] = mmc_lba(at);
    return count;
}

/* Changes some bytes, mostly where lengths and numbers are, and makes the tags fit:
 * of the block and of FIDs in it. */
static void damage_block(uint8_t *block, uint64_t *random)
{
    static const uint8_t values[] = {0, 1, 0x7F, 0x80, 0xFF, 3, 4, 8};
    struct udf_tag tag;
    unsigned changes = 1 + random_next(random) % 4;
    assert_int_equal(udf_tag_decode(block, 2048, &tag), 0);
    for (unsigned i = 0; i < changes; i++) {
        unsigned limit = random_next(random) % 3 ? 400 : 2048;
        block[16 + random_next(random) % (limit - 16)] = random_next(random) % 2
                                                             ? values[random_next(random) % sizeof values]
                                                             : (uint8_t)random_next(random);
    }
    udf_tag_encode(block, &tag);
    for (unsigned at = 176; at + 38 < 2048; at += 4) {
        struct udf_tag inner = {.id = (uint16_t)(block[at] | block[at + 1] << 8),
                                .version = (uint16_t)(block[at + 2] | block[at + 3] << 8),
                                .crc_len = (uint16_t)(block[at + 10] | block[at + 11] << 8)};
        if (inner.id != UDF_TAG_FID || inner.crc_len + at + 16 > 2048)
            continue;
        memcpy(&inner.serial, block + at + 6, 2);
        memcpy(&inner.location, block + at + 12, 4);
        udf_tag_encode(block + at, &inner);
    }
    udf_tag_encode(block, &tag);
}

struct walk {
    struct rig *rig;
    uint64_t random;
    unsigned left; /* entries that may still be looked at */
    char names[24][800];
    unsigned count;
};

static int walk_name(void *ctx, const struct udf_entry *entry)
{
    struct walk *walk = ctx;
    snprintf(walk->names[walk->count++], sizeof walk->names[0], "%s", entry->name);
    return walk->count == 24;
}

/* Everything that can be done to a file, with any result. */
static void walk_file(struct walk *walk, struct udf_inode *inode)
{
    static uint8_t bytes[70000];
    char target[5000];
    struct udf_stat st;
    udf_inode_stat(inode, &st);
    uint64_t offset = st.size ? random_next(&walk->random) % st.size : 0;
    udf_file_read(inode, 0, bytes, sizeof bytes);
    udf_file_read(inode, offset, bytes, sizeof bytes);
    udf_link_read(inode, target, sizeof target);
    udf_file_seek(inode, (off_t)(offset & INT64_MAX), SEEK_HOLE);
    udf_file_seek(inode, 0, SEEK_DATA);
    udf_file_write(inode, offset, bytes, sizeof bytes);
    udf_file_allocate(inode, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, 5000);
    udf_file_allocate(inode, FALLOC_FL_KEEP_SIZE, offset, 50000);
    st.size = offset;
    st.mode = 0644;
    udf_inode_set(inode, &st, random_next(&walk->random) % 2 ? UDF_SET_SIZE | UDF_SET_MODE : UDF_SET_MODE);
}

static void walk_dir(struct walk *walk, struct udf_inode *dir, unsigned depth)
{
    struct walk *names = calloc(1, sizeof *names);
    struct udf_new new_inode = {.mode = S_IFREG | 0644};
    struct udf_inode *inode;
    udf_dir_read(dir, 0, walk_name, names);
    udf_dir_parent(dir);
    for (unsigned i = 0; i < names->count && walk->left; i++) {
        const char *name = names->names[i];
        walk->left--;
        if (udf_dir_lookup(dir, name, strlen(name), &inode))
            continue;
        if (udf_inode_is_dir(inode) && depth)
            walk_dir(walk, inode, depth - 1);
        else
            walk_file(walk, inode);
        switch (random_next(&walk->random) % 5) {
        case 0:
            udf_dir_unlink(dir, name, strlen(name));
            break;
        case 1:
            udf_dir_rmdir(dir, name, strlen(name));
            break;
        case 2:
            udf_dir_rename(dir, name, strlen(name), walk->rig->root, "moved", 5, 0);
            break;
        case 3:
            udf_dir_link(dir, "linked", 6, inode);
            break;
        }
        udf_inode_put(inode);
    }
    if (!udf_dir_create(dir, "created", 7, &new_inode, &inode))
        udf_inode_put(inode);
    free(names);
}

static void message_none(void *ctx, enum udf_level level, const char *text)
{
    (void)ctx;
    (void)level;
    (void)text;
}

static void damage_try(struct fault_medium *whole, const mmc_lba_t *places, unsigned count, uint64_t seed)
{
    struct udf_open_options options = {.message = message_none};
    struct rig rig = {0};
    struct walk walk = {.rig = &rig, .random = seed * 0x9E3779B97F4A7C15u + 1, .left = 150};
    uint8_t block[2048];
    assert_int_equal(fault_medium_copy(whole, &rig.medium), 0);
    for (unsigned i = 0; i < 6; i++) {
        mmc_lba_t at = places[random_next(&walk.random) % count];
        assert_int_equal(fault_medium_peek(rig.medium, at, 1, block), 0);
        damage_block(block, &walk.random);
        assert_int_equal(fault_medium_poke(rig.medium, at, 1, block), 0);
    }
    assert_int_equal(block_fault_open(rig.medium, false, &rig.dev), 0);
    if (!udf_volume_open(rig.dev, &options, &rig.vol)) {
        if (!udf_inode_get(rig.vol, udf_volume_root(rig.vol), &rig.root)) {
            walk_dir(&walk, rig.root, 3);
            udf_volume_sync(rig.vol);
            walk.left = 50;
            walk_dir(&walk, rig.root, 3);
            udf_inode_put(rig.root);
        }
        udf_volume_close(rig.vol);
    }
    block_close(rig.dev);
    fault_medium_free(rig.medium);
}

static void test_random_damage(void **state)
{
    static mmc_lba_t places[600];
    for (unsigned kind = 1; kind < rig_spec_count; kind += 3) {
        struct rig rig;
        rig_make(&rig, &rig_specs[kind]);
        damage_fill(&rig);
        rig_unmount(&rig);
        unsigned count = damage_places(rig.medium, rig_specs[kind].blocks, places, 600);
        assert_true(count > 40);
        for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
            damage_try(rig.medium, places, count, seed);
        fault_medium_free(rig.medium);
    }
    (void)state;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lies),           cmocka_unit_test(test_chain_loop),
        cmocka_unit_test(test_directory_lies), cmocka_unit_test(test_directory_graph),
        cmocka_unit_test(test_random_damage),
    };
    if (argc > 1)
        first_seed = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        seeds = (unsigned)strtoul(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
