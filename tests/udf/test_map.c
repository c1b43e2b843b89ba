/* SPDX-License-Identifier: MIT */
/* From partition blocks to disc blocks and back, with spares; and the record of the journal's place. */
#include <errno.h>

#include "tests/udf/cmocka_all.h"
#include "udf/volume.h"

/* 100 blocks from 1000 on, packets of 8; the packets at 8, 16 and 40 are moved, the
 * last into the partition itself. */
static struct udf_spare spares[] = {{8, {504}}, {16, {512}}, {40, {1080}}};

static void volume_make(struct udf_volume *vol)
{
    memset(vol, 0, sizeof *vol);
    vol->lvd.map_count = 1;
    vol->partitions[0] = (struct udf_partition){
        .map = {.kind = UDF_MAP_SPARABLE, .packet_blocks = 8},
        .pd = {.start = {1000}, .blocks = 100},
        .spares = spares,
        .spare_count = 3,
    };
}

static void test_map(void **state)
{
    static const struct {
        uint32_t block, count;
        int32_t lba;
        uint32_t run;
    } cases[] = {
        {0, 100, 1000, 8}, {0, 4, 1000, 4},  {7, 2, 1007, 1},    {8, 100 - 8, 504, 8}, {9, 1, 505, 1},
        {15, 9, 511, 1},   {16, 9, 512, 8},  {23, 9, 519, 1},    {24, 70, 1024, 16},   {39, 2, 1039, 1},
        {40, 60, 1080, 8}, {47, 2, 1087, 1}, {48, 52, 1048, 52}, {99, 1, 1099, 1},     {99, 0, 1099, 0},
    };
    struct udf_volume vol;
    (void)state;
    volume_make(&vol);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct udf_address at = {.block = cases[i].block};
        mmc_lba_t lba;
        uint32_t run;
        assert_int_equal(udf_volume_map(&vol, at, cases[i].count, &lba, &run), 0);
        assert_int_equal(lba.n, cases[i].lba);
        assert_int_equal(run, cases[i].run);
        assert_int_equal(udf_volume_map(&vol, at, cases[i].count, &lba, NULL), 0);
    }
}

static void test_map_outside(void **state)
{
    static const struct udf_address outside[] = {{100, 0}, {0xFFFFFFFF, 0}, {0, 1}, {0, 0xFFFF}};
    struct udf_volume vol;
    mmc_lba_t lba;
    uint32_t run;
    (void)state;
    volume_make(&vol);
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        assert_int_equal(udf_volume_map(&vol, outside[i], 1, &lba, &run), -EUCLEAN);
    assert_int_equal(udf_volume_map(&vol, (struct udf_address){99, 0}, 2, &lba, &run), -EUCLEAN);
    assert_int_equal(udf_volume_map(&vol, (struct udf_address){1, 0}, 0xFFFFFFFF, &lba, &run), -EUCLEAN);
}

/* Each block is where map says, and nowhere else. */
static void test_unmap(void **state)
{
    struct udf_volume vol;
    bool taken[2000] = {false};
    udf_block_t block;
    (void)state;
    volume_make(&vol);
    vol.partitions[0].pd.blocks = 80; /* so that the spare at 1080 is not a place of two blocks */
    for (uint32_t b = 0; b < 80; b++) {
        mmc_lba_t lba;
        assert_int_equal(udf_volume_map(&vol, (struct udf_address){b, 0}, 1, &lba, NULL), 0);
        assert_true(udf_volume_unmap(&vol, lba, &block));
        assert_int_equal(block.n, b);
        taken[lba.n] = true;
    }
    for (int32_t lba = 0; lba < 2000; lba++)
        assert_int_equal(udf_volume_unmap(&vol, mmc_lba(lba), &block), taken[lba]);
    assert_false(udf_volume_unmap(&vol, mmc_lba(-1), &block));
}

static void test_journal_place(void **state)
{
    struct udf_journal_place place = {.log = {512},
                                      .images = {4096},
                                      .log_packets = 10,
                                      .images_packets = 20},
                             back;
    struct udf_iuvd iuvd;
    (void)state;
    memset(&iuvd, 0xFF, sizeof iuvd);
    udf_journal_place_encode(&iuvd, 32, &place);
    assert_string_equal(iuvd.implementation.id, "*packetfs journal");
    assert_memory_equal(iuvd.use, "\1\0\0\0\x20\0\0\0\0\2\0\0\12\0\0\0\0\x10\0\0\24\0\0\0\0\0\0\0", 28);
    assert_int_equal(iuvd.use[459], 0);
    assert_int_equal(udf_journal_place_decode(&iuvd, 32, &back), 0);
    assert_memory_equal(&back, &place, sizeof back);
    assert_int_equal(udf_journal_place_decode(&iuvd, 16, &back), -EUCLEAN);
    iuvd.use[0] = 2;
    assert_int_equal(udf_journal_place_decode(&iuvd, 32, &back), -EUCLEAN);
    iuvd.use[0] = 1;
    iuvd.implementation.id[3] = 'x';
    assert_int_equal(udf_journal_place_decode(&iuvd, 32, &back), -EUCLEAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_outside),
        cmocka_unit_test(test_unmap),
        cmocka_unit_test(test_journal_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
