/* SPDX-License-Identifier: MIT */
/* The layout of a new volume, looked at through the codec: what mkudffs made, and
 * what mkfs.packetfs made of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mkfs/mkfs.h"
#include "mmc/bytes.h"
#include "udf/volume.h"

#define DISC_BLOCKS 295264u
#define DISC_LAST   (DISC_BLOCKS - 1)

static void image_new(uint32_t blocks, unsigned revision, struct mkfs_plan *plan, int *fd)
{
    const struct mkfs_options options = {.label = "test", .revision = revision, .uid = 7, .gid = 8};

    assert_int_equal(mkfs_plan_make(blocks, plan), 0);
    assert_int_equal(mkfs_image_create(plan->packets, fd), 0);
    assert_int_equal(mkfs_mkudffs_run(*fd, &options, plan), 0);
}

static void block_get(int fd, int32_t at, uint8_t block[UDF_BLOCK_BYTES])
{
    assert_int_equal(pread(fd, block, UDF_BLOCK_BYTES, (off_t)at * UDF_BLOCK_BYTES), UDF_BLOCK_BYTES);
}

/* What a sequence holds of what mkfs.packetfs changes. */
struct sequence {
    struct udf_lvd lvd;
    struct udf_pd pd;
    struct udf_journal_place journal;
    uint32_t journal_sequence, highest_sequence;
    uint8_t usd[UDF_BLOCK_BYTES];
};

static void sequence_get(int fd, struct udf_volume_extent extent, struct sequence *sequence)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_iuvd iuvd;
    struct udf_tag tag;
    unsigned journals = 0;

    memset(sequence, 0, sizeof *sequence);
    for (int32_t at = extent.first.n;; at++) {
        assert_true(at < extent.first.n + (int32_t)(extent.bytes / UDF_BLOCK_BYTES));
        block_get(fd, at, block);
        assert_int_equal(udf_tag_decode(block, sizeof block, &tag), 0);
        assert_int_equal(tag.location, at);
        if (tag.id == UDF_TAG_TD)
            break;
        uint32_t number = mmc_le32_get(block + 16);
        assert_true(number > sequence->highest_sequence);
        sequence->highest_sequence = number;
        if (tag.id == UDF_TAG_LVD)
            assert_int_equal(udf_lvd_decode(block, sizeof block, &sequence->lvd), 0);
        if (tag.id == UDF_TAG_PD)
            assert_int_equal(udf_pd_decode(block, &sequence->pd), 0);
        if (tag.id == UDF_TAG_USD)
            memcpy(sequence->usd, block, sizeof block);
        if (tag.id != UDF_TAG_IUVD)
            continue;
        assert_int_equal(udf_iuvd_decode(block, &iuvd), 0);
        if (strcmp(iuvd.implementation.id, UDF_JOURNAL_REGID) == 0) {
            assert_int_equal(udf_journal_place_decode(&iuvd, MMC_PACKET_BLOCKS, &sequence->journal), 0);
            sequence->journal_sequence = iuvd.sequence;
            journals++;
        }
    }
    assert_int_equal(journals, 1);
}

static void table_get(int fd, mmc_lba_t at, uint32_t bytes, struct udf_sparing_table *table)
{
    uint8_t block[UDF_BLOCK_BYTES];

    block_get(fd, at.n, block);
    assert_int_equal(udf_sparing_decode(block, bytes, at, table), 0);
}

/* Neither the tables nor the anchors nor the sequences nor the LVID share a packet with one another. */
static void packets_apart(const struct sequence *sequence, const struct udf_avdp *avdp, uint32_t last)
{
    const struct udf_map *map = &sequence->lvd.maps[0];
    const int32_t places[] = {
        16,
        256,
        (int32_t)last,
        map->tables[0].n,
        map->tables[1].n,
        avdp->main.first.n,
        avdp->reserve.first.n,
        sequence->lvd.integrity.first.n,
        sequence->journal.log.n,
        sequence->journal.images.n,
        sequence->pd.start.n,
    };
    const size_t count = sizeof places / sizeof places[0];

    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            assert_int_not_equal(places[i] / (int32_t)MMC_PACKET_BLOCKS,
                                 places[k] / (int32_t)MMC_PACKET_BLOCKS);
}

static void volume_check(uint32_t blocks, unsigned revision)
{
    struct udf_sparing_table tables[2];
    struct sequence sequences[2];
    struct mkfs_plan plan;
    struct udf_lvid lvid;
    struct udf_avdp avdp;
    uint8_t block[UDF_BLOCK_BYTES];
    int fd;

    image_new(blocks, revision, &plan, &fd);
    assert_int_equal(mkfs_layout_apply(fd, &plan), 0);
    block_get(fd, 256, block);
    assert_int_equal(udf_avdp_decode(block, mmc_lba(256), &avdp), 0);
    sequence_get(fd, avdp.main, &sequences[0]);
    sequence_get(fd, avdp.reserve, &sequences[1]);
    for (int i = 0; i < 2; i++) {
        const struct udf_map *map = &sequences[i].lvd.maps[0];
        const struct udf_journal_place *journal = &sequences[i].journal;
        assert_int_equal(sequences[i].lvd.domain_revision, revision);
        assert_int_equal(map->kind, UDF_MAP_SPARABLE);
        assert_int_equal(map->table_count, 2);
        assert_int_equal(map->table_bytes, 56 + 8 * plan.spares);
        assert_int_equal(sequences[i].journal_sequence, sequences[i].highest_sequence);
        assert_int_equal(journal->log_packets, plan.log);
        assert_int_equal(journal->images_packets, plan.images);
        assert_int_equal(journal->images.n, journal->log.n + (int32_t)(plan.log * MMC_PACKET_BLOCKS));
        assert_int_equal(journal->log.n, plan.journal.n * MMC_PACKET_BLOCKS);
        assert_int_equal(sequences[i].pd.start.n,
                         journal->images.n + (int32_t)(plan.images * MMC_PACKET_BLOCKS));
        assert_int_equal((uint32_t)sequences[i].pd.start.n % MMC_PACKET_BLOCKS, 0);
        assert_int_equal(sequences[i].pd.blocks % MMC_PACKET_BLOCKS, 0);
        packets_apart(&sequences[i], &avdp, blocks - 1);
        assert_true(map->tables[1].n >= sequences[i].pd.start.n + (int32_t)sequences[i].pd.blocks);
        table_get(fd, map->tables[i], map->table_bytes, &tables[i]);
    }
    assert_int_equal(tables[0].count, plan.spares);
    assert_int_equal(tables[1].count, plan.spares);
    for (unsigned i = 0; i < plan.spares; i++) {
        assert_int_equal(tables[0].spares[i].original, UDF_SPARE_FREE);
        assert_int_equal(tables[0].spares[i].mapped.n, tables[0].spares[0].mapped.n + (int32_t)(i * 32));
        assert_int_equal(tables[1].spares[i].mapped.n, tables[0].spares[i].mapped.n);
    }
    assert_int_equal(tables[0].spares[plan.spares - 1].mapped.n + 32, sequences[0].journal.log.n);
    block_get(fd, sequences[0].lvd.integrity.first.n, block);
    assert_int_equal(udf_lvid_decode(block, &lvid), 0);
    assert_string_equal(lvid.implementation.id, "*packetfs");
    assert_int_equal(lvid.integrity, 1);
    assert_int_equal(lvid.free_blocks[0], plan.free_blocks);
    free(tables[0].spares);
    free(tables[1].spares);
    close(fd);
}

static void disc_201(void **state)
{
    (void)state;
    volume_check(DISC_BLOCKS, 0x0201);
}

static void disc_150(void **state)
{
    (void)state;
    volume_check(DISC_BLOCKS, 0x0150);
}

static void sizes(void **state)
{
    (void)state;
    volume_check(MKFS_PACKETS_MIN * 32, 0x0201);
    volume_check(MKFS_PACKETS_MIN * 32, 0x0150);
    for (uint32_t packets = MKFS_PACKETS_MIN + 1; packets < 4000; packets = packets * 3 / 2 + 1)
        volume_check(packets * 32, 0x0201);
    volume_check(278752, 0x0201); /* 74 minutes */
}

/* The old place of the second table is free again, the new one is not, and no extent is lost. */
static void unallocated_space(void **state)
{
    struct sequence sequence;
    struct mkfs_plan plan;
    struct udf_avdp avdp;
    uint8_t block[UDF_BLOCK_BYTES];
    int32_t old_table = (int32_t)(DISC_BLOCKS - 32);
    bool old_free = false;
    int fd;

    (void)state;
    image_new(DISC_BLOCKS, 0x0201, &plan, &fd);
    block_get(fd, old_table, block);
    assert_int_equal(mmc_le16_get(block), UDF_TAG_SPARING_TABLE);
    assert_memory_equal(block + 17, "*UDF Sparing Table", 18);
    assert_int_equal(mkfs_layout_apply(fd, &plan), 0);
    block_get(fd, 256, block);
    assert_int_equal(udf_avdp_decode(block, mmc_lba(256), &avdp), 0);
    sequence_get(fd, avdp.reserve, &sequence);
    for (uint32_t i = 0; i < mmc_le32_get(sequence.usd + 20); i++) {
        int32_t first = (int32_t)mmc_le32_get(sequence.usd + 28 + 8 * i);
        int32_t end = first + (int32_t)(mmc_le32_get(sequence.usd + 24 + 8 * i) / UDF_BLOCK_BYTES);
        old_free = old_free || (first <= old_table && old_table < end);
        for (int k = 0; k < 2; k++)
            assert_false(first <= sequence.lvd.maps[0].tables[k].n && sequence.lvd.maps[0].tables[k].n < end);
        assert_false(first <= (int32_t)DISC_LAST && (int32_t)DISC_LAST < end);
    }
    assert_true(old_free);
    block_get(fd, old_table, block);
    for (unsigned i = 0; i < UDF_BLOCK_BYTES; i++)
        assert_int_equal(block[i], 0);
    close(fd);
}

/* Anything but the layout that was asked for is refused, not bent. */
static void other_layouts(void **state)
{
    struct mkfs_plan plan, other;
    uint8_t block[UDF_BLOCK_BYTES];
    int fd;

    (void)state;
    image_new(DISC_BLOCKS, 0x0201, &plan, &fd);
    other = plan;
    other.log++;
    assert_int_equal(mkfs_layout_apply(fd, &other), -EUCLEAN);
    /* A packet before the second table that is not free. */
    memset(block, 0xA5, sizeof block);
    assert_int_equal(pwrite(fd, block, sizeof block, (off_t)(DISC_BLOCKS - 64 + 5) * UDF_BLOCK_BYTES),
                     sizeof block);
    assert_int_equal(mkfs_layout_apply(fd, &plan), -EUCLEAN);
    close(fd);
    assert_int_equal(mkfs_image_create(plan.packets, &fd), 0);
    assert_int_equal(mkfs_layout_apply(fd, &plan), -EUCLEAN);
    close(fd);
}

static void too_small(void **state)
{
    struct mkfs_plan plan;

    (void)state;
    assert_int_equal(mkfs_plan_make(MKFS_PACKETS_MIN * 32 - 1, &plan), -ENOSPC);
    assert_int_equal(mkfs_plan_make(MKFS_PACKETS_MIN * 32 + 31, &plan), 0);
    assert_int_equal(plan.packets, MKFS_PACKETS_MIN);
    assert_int_equal(mkfs_plan_make(DISC_BLOCKS, &plan), 0);
    assert_int_equal(plan.spares, 32);
    assert_int_equal(plan.log, 32);
    assert_int_equal(plan.images, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disc_201),          cmocka_unit_test(disc_150),      cmocka_unit_test(sizes),
        cmocka_unit_test(unallocated_space), cmocka_unit_test(other_layouts), cmocka_unit_test(too_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
