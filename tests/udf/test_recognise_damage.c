/* SPDX-License-Identifier: MIT */
/* Recognition of damaged volumes: each copy of each structure torn or wrong, and chains that lead astray. */
#include <errno.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/volume_image.h"

/* Where mkudffs puts things on a cdrw volume of this size. */
#define BLOCKS      16384u
#define MAIN        96u
#define RESERVE     16224u
#define LVID        128u
#define LVID_BLOCKS 32u
#define TABLE_1     160u
#define TABLE_2     16352u
#define ANCHOR_1    256u
#define ANCHOR_2    16127u
#define ANCHOR_3    16383u
#define PARTITION   1312u
#define LVD         1u /* in a sequence */
#define PD          2u
#define AFTER       6u /* the first unused block behind the terminator */

struct setup {
    struct fault_medium *original, *medium;
};

static int group_setup(void **state)
{
    struct setup *setup = calloc(1, sizeof *setup);
    setup->original = image_make("-m cdrw -r 2.01", BLOCKS);
    *state = setup;
    return 0;
}

static int group_teardown(void **state)
{
    struct setup *setup = *state;
    fault_medium_free(setup->original);
    free(setup);
    return 0;
}

static int medium_setup(void **state)
{
    struct setup *setup = *state;
    return fault_medium_copy(setup->original, &setup->medium);
}

static int medium_teardown(void **state)
{
    struct setup *setup = *state;
    fault_medium_free(setup->medium);
    return 0;
}

static struct fault_medium *medium_of(void **state)
{
    return ((struct setup *)*state)->medium;
}

static void tear(struct fault_medium *medium, uint32_t block)
{
    fault_medium_tear(medium, (mmc_packet_t){block / 32});
}

/* The volume is recognised; message (if not NULL) was given, and it is read-only for
 * the reason (NULL: it is not). */
static void check_survives(struct fault_medium *medium, const char *message, const char *reason)
{
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, 0);
    assert_int_equal(image->vol.partitions[0].pd.start.n, PARTITION);
    if (message)
        assert_non_null(strstr(image->messages, message));
    else
        assert_string_equal(image->messages, "");
    assert_int_equal(image->vol.read_only, reason != NULL);
    if (reason)
        assert_non_null(strstr(image->vol.read_only_reason, reason));
    image_forget(image);
}

static void check_lost(struct fault_medium *medium, int result, const char *message)
{
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, result);
    assert_non_null(strstr(image->messages, message));
    image_forget(image);
}

static void test_anchors(void **state)
{
    struct fault_medium *medium = medium_of(state);
    tear(medium, ANCHOR_1);
    check_survives(medium, "block 256: the anchor cannot be read", NULL);
    image_flip(medium, ANCHOR_2, 20);
    check_survives(medium, "block 256", NULL);
    tear(medium, ANCHOR_3); /* and a sparing table with it */
    check_lost(medium, -EUCLEAN, "no anchor");
}

static void test_anchor_odd_place(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_copy(medium, ANCHOR_1, BLOCKS - 1 - 152);
    tear(medium, ANCHOR_1);
    image_flip(medium, ANCHOR_2, 20);
    image_flip(medium, ANCHOR_3, 20);
    check_survives(medium, "block 256", NULL);
}

/* The first anchor is good but leads nowhere: another one knows better. */
static void test_anchor_wrong(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_edit(medium, ANCHOR_1, 20, 5000, 4);
    image_edit(medium, ANCHOR_1, 28, 0xFFFFFFF0, 4);
    check_survives(medium, "cannot be read", NULL);
    image_edit(medium, ANCHOR_1, 16, 0, 4);
    image_edit(medium, ANCHOR_1, 24, 0xFFFFFFFF, 4);
    check_survives(medium, "cannot be read", NULL);
}

static void test_vrs(void **state)
{
    struct fault_medium *medium = medium_of(state);
    tear(medium, 16);
    check_survives(medium, "block 16: the volume recognition sequence is missing", NULL);
}

static void test_sequences_torn(void **state)
{
    struct fault_medium *medium = medium_of(state);
    tear(medium, MAIN);
    check_survives(medium, "block 96: volume descriptor cannot be read", NULL);
    tear(medium, RESERVE);
    check_lost(medium, -EUCLEAN, "neither volume descriptor sequence");
}

static void test_sequence_reserve_torn(void **state)
{
    struct fault_medium *medium = medium_of(state);
    tear(medium, RESERVE);
    check_survives(medium, NULL, NULL);
}

/* Any block of the main sequence wrong, in any way: the reserve one is taken. */
static void test_sequence_block(void **state)
{
    struct setup *setup = *state;
    for (uint32_t block = 0; block < AFTER; block++) {
        for (unsigned way = 0; way < 4; way++) {
            struct fault_medium *medium;
            uint8_t zeros[UDF_BLOCK_BYTES] = {0};
            assert_int_equal(fault_medium_copy(setup->original, &medium), 0);
            if (way == 0)
                image_flip(medium, MAIN + block, 20);
            else if (way == 1)
                image_flip(medium, MAIN + block, 12); /* location */
            else if (way == 2)
                image_put(medium, MAIN + block, zeros);
            else
                fault_medium_read_error(medium, mmc_lba(MAIN + block), true);
            /* So that it shows which of them was taken. */
            image_edit(medium, RESERVE + LVD, 216 + 24, 0x0200, 2);
            struct image_volume *image = image_recognise(medium);
            assert_int_equal(image->result, 0);
            assert_int_equal(image->vol.lvd.domain_revision, 0x0200);
            assert_false(image->vol.read_only);
            image_forget(image);
            fault_medium_free(medium);
        }
    }
}

/* Both are damaged, and one still has all that reading needs. */
static void test_sequences_both(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_flip(medium, MAIN + LVD, 100);
    image_flip(medium, RESERVE + AFTER - 2, 100);
    check_survives(medium, "no valid volume descriptor",
                   "both of its volume descriptor sequences are damaged");
    image_flip(medium, RESERVE + LVD, 100);
    check_lost(medium, -EUCLEAN, "neither volume descriptor sequence");
}

/* A sequence may end at a block never written. */
static void test_sequences_unterminated(void **state)
{
    struct fault_medium *medium = medium_of(state);
    uint8_t zeros[UDF_BLOCK_BYTES] = {0};
    image_put(medium, MAIN + AFTER - 1, zeros);
    image_put(medium, RESERVE + AFTER - 1, zeros);
    check_survives(medium, NULL, NULL);
}

/* Descriptors with a higher number prevail, wherever they stand. */
static void test_prevailing(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_copy(medium, MAIN + AFTER - 1, MAIN + AFTER + 1); /* terminator */
    image_copy(medium, MAIN + LVD, MAIN + AFTER - 1);
    image_edit(medium, MAIN + AFTER - 1, 216 + 24, 0x0200, 2);
    image_copy(medium, MAIN + PD, MAIN + AFTER);
    image_edit(medium, MAIN + AFTER, 184, 1, 4); /* access type */
    image_edit(medium, MAIN + LVD, 16, 10, 4);   /* the earlier one has the higher number */
    image_edit(medium, MAIN + AFTER - 1, 16, 9, 4);
    image_edit(medium, MAIN + AFTER, 16, 11, 4); /* the later one has */
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, 0);
    assert_int_equal(image->vol.lvd.domain_revision, 0x0201);
    assert_int_equal(image->vol.partitions[0].pd.access_type, 1);
    image_forget(image);
}

static void pointer_put(struct fault_medium *medium, uint32_t at, uint32_t bytes, uint32_t to)
{
    uint8_t block[UDF_BLOCK_BYTES] = {0};
    struct udf_tag tag = {.id = UDF_TAG_VDP, .version = 3, .serial = 1, .crc_len = 496, .location = at};
    udf_tag_encode(block, &tag);
    image_put(medium, at, block);
    image_edit(medium, at, 20, bytes, 4);
    image_edit(medium, at, 24, to, 4);
}

static void test_pointer(void **state)
{
    struct fault_medium *medium = medium_of(state);
    for (uint32_t i = PD; i < AFTER; i++)
        image_copy(medium, MAIN + i, 200 + i);
    pointer_put(medium, MAIN + PD, 16 * 2048, 200 + PD);
    tear(medium, RESERVE);
    check_survives(medium, NULL, NULL);
}

static void test_pointer_loop(void **state)
{
    struct fault_medium *medium = medium_of(state);
    pointer_put(medium, MAIN + AFTER - 1, 16 * 2048, MAIN);
    check_survives(medium, NULL, NULL); /* the reserve sequence is whole */
    tear(medium, RESERVE);
    check_survives(medium, "block 16224: volume descriptor cannot be read", "damaged");
    pointer_put(medium, MAIN + AFTER - 1, 16 * 2048, 0xFFFFFFF0);
    check_survives(medium, "cannot be read", "damaged");
}

/* The integrity descriptor is read from here, or (if not readable) to be written here. */
static void check_integrity(struct fault_medium *medium, bool readable, uint32_t at, uint32_t files)
{
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, 0);
    assert_int_equal(image->vol.lvid_readable, readable);
    assert_int_equal(image->vol.lvid_at.n, at);
    assert_int_equal(image->vol.lvid.tag.location, at);
    assert_int_equal(image->vol.lvid.files, files);
    assert_int_equal(image->vol.lvid.partitions, 1);
    assert_int_equal(image->vol.lvid.size_blocks[0], 14784);
    if (!readable) {
        assert_int_equal(image->vol.lvid.integrity, 0);
        assert_int_equal(image->vol.lvid.next.bytes, 0);
        assert_true(image->vol.lvid.next_unique_id >= 16);
        assert_non_null(strstr(image->messages, "the integrity descriptor cannot be read"));
    }
    image_forget(image);
}

/* An integrity descriptor at this place that counts so many files. */
static void integrity_put(struct fault_medium *medium, uint32_t at, uint32_t files)
{
    image_copy(medium, LVID, at);
    image_edit(medium, at, 80 + 8 + 32, files, 4);
}

static void test_integrity_last(void **state)
{
    struct fault_medium *medium = medium_of(state);
    check_integrity(medium, true, LVID, 0);
    for (uint32_t i = 1; i < LVID_BLOCKS; i++) {
        uint8_t zeros[UDF_BLOCK_BYTES] = {0};
        integrity_put(medium, LVID + i, i);
        if (i + 1 < LVID_BLOCKS)
            image_put(medium, LVID + i + 1, zeros);
        check_integrity(medium, true, LVID + i, i);
    }
}

/* What an older volume left behind the last descriptor is not part of the sequence. */
static void test_integrity_remains(void **state)
{
    struct fault_medium *medium = medium_of(state);
    uint8_t remains[UDF_BLOCK_BYTES];
    memset(remains, 'x', sizeof remains);
    image_put(medium, LVID + 1, remains);
    check_integrity(medium, true, LVID, 0);
}

static void test_integrity_lost(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_flip(medium, LVID, 100);
    check_integrity(medium, false, LVID, 0);
    image_flip(medium, LVID, 100);
    check_integrity(medium, true, LVID, 0);
}

static void test_integrity_torn(void **state)
{
    struct fault_medium *medium = medium_of(state);
    tear(medium, LVID);
    check_integrity(medium, false, LVID, 0);
}

/* A later one is damaged: what the earlier one says is old, and only a start. */
static void test_integrity_later_lost(void **state)
{
    struct fault_medium *medium = medium_of(state);
    integrity_put(medium, LVID + 1, 5);
    integrity_put(medium, LVID + 2, 6);
    image_flip(medium, LVID + 2, 100);
    check_integrity(medium, false, LVID + 2, 5);
    fault_medium_read_error(medium, mmc_lba(LVID + 2), true);
    check_integrity(medium, false, LVID + 2, 5);
}

static void test_integrity_partitions(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_edit(medium, LVID, 72, 2, 4);
    check_integrity(medium, false, LVID, 0);
}

static void next_put(struct fault_medium *medium, uint32_t at, uint32_t bytes, uint32_t to)
{
    image_edit(medium, at, 32, bytes, 4);
    image_edit(medium, at, 36, to, 4);
}

static void test_integrity_chain(void **state)
{
    struct fault_medium *medium = medium_of(state);
    next_put(medium, LVID, 8 * 2048, 200);
    check_integrity(medium, false, 200, 0); /* nothing there */
    integrity_put(medium, 200, 7);
    next_put(medium, 200, 0, 0);
    check_integrity(medium, true, 200, 7);
    next_put(medium, 200, 2048, 0xFFFFFFF0); /* nowhere: 200 is where a new one mends it */
    check_integrity(medium, false, 200, 7);
    next_put(medium, 200, 2048, LVID); /* round in a circle */
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, 0);
    assert_false(image->vol.lvid_readable);
    image_forget(image);
}

static void test_integrity_revision(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_edit(medium, LVID, 80 + 8 + 42, 0x0270, 2);
    check_survives(medium, NULL, "UDF revision 2.70 to be written");
    image_edit(medium, LVID, 80 + 8 + 40, 0x0270, 2);
    check_lost(medium, -EOPNOTSUPP, "UDF revision 2.70 to be read");
}

/* Entry of a copy of the sparing table. */
static void spare_put(struct fault_medium *medium, uint32_t table, unsigned index, uint32_t original,
                      uint32_t mapped)
{
    image_edit(medium, table, 56 + 8 * index, original, 4);
    image_edit(medium, table, 60 + 8 * index, mapped, 4);
}

static void check_spares(struct fault_medium *medium, unsigned count, uint32_t original, int32_t mapped)
{
    struct image_volume *image = image_recognise(medium);
    const struct udf_partition *partition = &image->vol.partitions[0];
    assert_int_equal(image->result, 0);
    assert_int_equal(partition->spare_total, 32);
    assert_int_equal(partition->spare_count, count);
    assert_int_equal(partition->spares[0].original, original);
    assert_int_equal(partition->spares[0].mapped.n, mapped);
    for (unsigned i = 1; i < count; i++)
        assert_true(partition->spares[i - 1].original < partition->spares[i].original);
    image_forget(image);
}

static void test_sparing_newest(void **state)
{
    struct fault_medium *medium = medium_of(state);
    spare_put(medium, TABLE_1, 0, 1024, 288);
    spare_put(medium, TABLE_2, 0, 2048, 320);
    image_edit(medium, TABLE_2, 52, 1, 4); /* sequence */
    check_spares(medium, 1, 2048, 320);
    image_edit(medium, TABLE_1, 52, 2, 4);
    check_spares(medium, 1, 1024, 288);
    tear(medium, TABLE_1);
    check_spares(medium, 1, 2048, 320);
    check_survives(medium, "block 160: sparing table cannot be used", NULL);
    image_flip(medium, TABLE_2, 60);
    check_lost(medium, -EUCLEAN, "no sparing table can be read");
}

static void test_sparing_second_torn(void **state)
{
    struct fault_medium *medium = medium_of(state);
    spare_put(medium, TABLE_1, 0, 1024, 288);
    tear(medium, TABLE_2);
    check_spares(medium, 1, 1024, 288);
}

static void test_sparing_sorted(void **state)
{
    struct fault_medium *medium = medium_of(state);
    image_edit(medium, TABLE_1, 52, 1, 4);
    spare_put(medium, TABLE_1, 0, 4096, 288);
    spare_put(medium, TABLE_1, 1, UDF_SPARE_BAD, 320);
    spare_put(medium, TABLE_1, 2, 32, 352);
    spare_put(medium, TABLE_1, 5, 64, 384);
    check_spares(medium, 3, 32, 352);
    check_survives(medium, NULL, NULL);
}

/* Entries that cannot be true are not followed, and nothing is written over what they may mean. */
static void test_sparing_senseless(void **state)
{
    static const uint32_t wrong[][2] = {
        {33, 288},         {14784, 288},      {32, 0xFFFFFFE0},
        {32, BLOCKS - 31}, {0xFFFFFFE0, 288}, {1024, 288} /* a second one for the same packet */};
    struct setup *setup = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fault_medium *medium;
        assert_int_equal(fault_medium_copy(setup->original, &medium), 0);
        image_edit(medium, TABLE_1, 52, 1, 4);
        spare_put(medium, TABLE_1, 0, 1024, 320);
        spare_put(medium, TABLE_1, 1, wrong[i][0], wrong[i][1]);
        check_survives(medium, "make no sense", "sparing table is damaged");
        fault_medium_free(medium);
    }
}

/* A journal's descriptor in place of the last of both sequences, which moves on. */
static void journal_put(struct fault_medium *medium, uint32_t log, uint32_t log_packets, uint32_t images,
                        uint32_t images_packets)
{
    struct udf_journal_place place = {mmc_lba(log), mmc_lba(images), log_packets, images_packets};
    static const uint32_t starts[] = {MAIN, RESERVE};
    for (unsigned i = 0; i < 2; i++) {
        uint8_t block[UDF_BLOCK_BYTES];
        struct udf_iuvd iuvd = {.sequence = 6};
        struct udf_tag tag = {.version = 3, .serial = 1, .location = starts[i] + AFTER - 1};
        image_copy(medium, starts[i] + AFTER - 1, starts[i] + AFTER);
        udf_journal_place_encode(&iuvd, 32, &place);
        udf_iuvd_encode(block, &tag, &iuvd);
        image_put(medium, starts[i] + AFTER - 1, block);
    }
}

static void test_journal(void **state)
{
    struct fault_medium *medium = medium_of(state);
    journal_put(medium, 192, 2, 16128, 3);
    struct image_volume *image = image_recognise(medium);
    assert_int_equal(image->result, 0);
    assert_string_equal(image->messages, "");
    assert_false(image->vol.read_only);
    assert_int_equal(image->vol.journal.log.n, 192);
    assert_int_equal(image->vol.journal.log_packets, 2);
    assert_int_equal(image->vol.journal.images.n, 16128);
    assert_int_equal(image->vol.journal.images_packets, 3);
    image_forget(image);
}

static void test_journal_senseless(void **state)
{
    static const uint32_t wrong[][4] = {
        {193, 2, 16128, 3},         {192, 0, 16128, 3},          {192, 2, 16128, 0}, {192, 2, 1280, 2},
        {192, 2, 0xFFFFFFE0, 1},    {192, 2, 16128, 256},        {192, 2, 224, 2},   {2048, 2, 16128, 3},
        {192, 0x8000000, 16128, 3}, {192, 2, 16128, 0x08000000},
    };
    struct setup *setup = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fault_medium *medium;
        assert_int_equal(fault_medium_copy(setup->original, &medium), 0);
        journal_put(medium, wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]);
        check_survives(medium, "journal makes no sense", "its journal cannot be used");
        fault_medium_free(medium);
    }
}

/* Every descriptor with any byte changed under a valid CRC: no crash, no
 * endless walk, an answer that can be. */
static void test_hostile(void **state)
{
    static const uint32_t places[] = {MAIN,     MAIN + LVD, MAIN + PD, LVID,         TABLE_1,
                                      ANCHOR_1, RESERVE,    TABLE_2,   RESERVE + LVD};
    struct setup *setup = *state;
    uint64_t seed = 5;
    for (unsigned i = 0; i < 1500; i++) {
        struct fault_medium *medium;
        assert_int_equal(fault_medium_copy(setup->original, &medium), 0);
        tear(medium, i & 1 ? RESERVE : 320);
        for (unsigned k = 0; k < 3; k++) {
            uint32_t at = places[random_next(&seed) % (sizeof places / sizeof places[0])];
            uint32_t offset = 16 + (uint32_t)(random_next(&seed) % 496);
            if (at < RESERVE || !(i & 1))
                image_edit(medium, at, offset, random_next(&seed) >> 40,
                           1 + (unsigned)(random_next(&seed) % 3));
        }
        struct image_volume *image = image_recognise(medium);
        assert_true(image->result == 0 || image->result == -EUCLEAN || image->result == -EOPNOTSUPP);
        image_forget(image);
        fault_medium_free(medium);
    }
}

#define damage_test(f) cmocka_unit_test_setup_teardown(f, medium_setup, medium_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        damage_test(test_anchors),
        damage_test(test_anchor_odd_place),
        damage_test(test_anchor_wrong),
        damage_test(test_vrs),
        damage_test(test_sequences_torn),
        damage_test(test_sequence_reserve_torn),
        damage_test(test_sequence_block),
        damage_test(test_sequences_both),
        damage_test(test_sequences_unterminated),
        damage_test(test_prevailing),
        damage_test(test_pointer),
        damage_test(test_pointer_loop),
        damage_test(test_integrity_last),
        damage_test(test_integrity_remains),
        damage_test(test_integrity_lost),
        damage_test(test_integrity_torn),
        damage_test(test_integrity_later_lost),
        damage_test(test_integrity_partitions),
        damage_test(test_integrity_chain),
        damage_test(test_integrity_revision),
        damage_test(test_sparing_newest),
        damage_test(test_sparing_second_torn),
        damage_test(test_sparing_sorted),
        damage_test(test_sparing_senseless),
        damage_test(test_journal),
        damage_test(test_journal_senseless),
        damage_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
