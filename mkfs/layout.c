/* SPDX-License-Identifier: MIT */
/*
 * From the volume that mkudffs lays out to the one that packetfs wants. Four things are changed:
 *   - mkudffs has one long spare area. Its first packets stay spares; the rest becomes the journal,
 *     outside of every structure of the standard but named by a descriptor of our own.
 *   - it puts the second sparing table into the packet of the last anchor. The table is rewritten when a
 *     packet fails, and must not take an anchor with it: it moves one packet to the front, which mkudffs
 *     leaves unused.
 *   - the integrity descriptor names us as its writer;
 *   - who may write to the root folder may also delete it and change its attributes, or Windows takes it for
 * read-only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkfs/mkfs.h"
#include "mmc/bytes.h"
#include "udf/volume.h"

#define ANCHOR_FIRST 256

/* Partition maps in a logical volume descriptor (ECMA-167 3/10.6), and in a sparable one (UDF 2.2.9) the size
 * and the places of its tables. */
#define LVD_MAPS       440u
#define LVD_MAP_COUNT  268u
#define MAP_TYPE2      2u
#define MAP_SPARABLE   64u
#define MAP_TABLE_SIZE 44u
#define MAP_TABLES     48u

/* Unallocated space descriptor (ECMA-167 3/10.8): a count, then extents of bytes and first block. */
#define USD_COUNT   20u
#define USD_EXTENTS 24u

struct layout {
    int fd;
    struct mkfs_plan *plan;
    struct udf_avdp anchor;
    mmc_lba_t table, table_from, table_to; /* first table; old and new place of the second */
    uint32_t table_bytes;
    struct udf_journal_place journal;
    mmc_lba_t integrity;
    mmc_lba_t partition;        /* its first block ... */
    struct udf_address fileset; /* ... and in it the file set descriptor */
    mmc_lba_t sequence;         /* start of the one that is being walked */
};

static int block_get(const struct layout *layout, mmc_lba_t at, uint8_t block[UDF_BLOCK_BYTES])
{
    ssize_t n = at.n < 0 ? 0 : pread(layout->fd, block, UDF_BLOCK_BYTES, (off_t)at.n * UDF_BLOCK_BYTES);

    if (n == (ssize_t)UDF_BLOCK_BYTES)
        return 0;
    return n < 0 ? -errno : -EUCLEAN;
}

static int block_put(const struct layout *layout, mmc_lba_t at, const uint8_t block[UDF_BLOCK_BYTES])
{
    ssize_t n = pwrite(layout->fd, block, UDF_BLOCK_BYTES, (off_t)at.n * UDF_BLOCK_BYTES);

    if (n == (ssize_t)UDF_BLOCK_BYTES)
        return 0;
    return n < 0 ? -errno : -EIO;
}

static uint32_t packet_of(mmc_lba_t at)
{
    return mmc_packet_of(at, MMC_PACKET_BLOCKS).n;
}

/* ECMA-167 3/8.4.2: fn for each descriptor of a sequence up to and with the terminating one. */
static int sequence_each(struct layout *layout, struct udf_volume_extent extent,
                         int (*fn)(struct layout *, mmc_lba_t at, uint8_t *block, const struct udf_tag *tag))
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_tag tag;

    layout->sequence = extent.first;
    for (uint32_t i = 0; i + 1 < extent.bytes / UDF_BLOCK_BYTES; i++) {
        mmc_lba_t at = mmc_lba_add(extent.first, i);
        int err = block_get(layout, at, block);
        if (!err)
            err = udf_tag_decode(block, sizeof block, &tag);
        if (!err)
            err = fn(layout, at, block, &tag);
        if (err || tag.id == UDF_TAG_TD)
            return err;
    }
    return -EUCLEAN;
}

/* Where things are, by the partition and logical volume descriptors. */
static int places_look(struct layout *layout, mmc_lba_t at, uint8_t *block, const struct udf_tag *tag)
{
    struct udf_lvd lvd;
    struct udf_pd pd;
    const struct udf_map *map = &lvd.maps[0];

    (void)at;
    if (tag->id == UDF_TAG_PD) {
        if (udf_pd_decode(block, &pd) < 0)
            return -EUCLEAN;
        layout->partition = pd.start;
    }
    if (tag->id != UDF_TAG_LVD)
        return 0;
    if (udf_lvd_decode(block, UDF_BLOCK_BYTES, &lvd) < 0 || lvd.map_count != 1 ||
        map->kind != UDF_MAP_SPARABLE || map->table_count != 2 || map->packet_blocks != MMC_PACKET_BLOCKS)
        return -EUCLEAN;
    layout->table = map->tables[0];
    layout->table_from = map->tables[1];
    layout->table_to = mmc_lba_add(map->tables[1], -(int64_t)MMC_PACKET_BLOCKS);
    layout->integrity = lvd.integrity.first;
    layout->fileset = lvd.fileset.at;
    return 0;
}

/* The packet before the second table must be nobody's. */
static int table_place_check(const struct layout *layout)
{
    uint8_t bytes[MKFS_PACKET_BYTES];
    bool blank;
    int err;

    if (layout->table_to.n <= 0 || packet_of(layout->table) == packet_of(layout->table_to))
        return -EUCLEAN;
    err = mkfs_image_packet(layout->fd, packet_of(layout->table_to), bytes, &blank);
    return err ? err : blank ? 0 : -EUCLEAN;
}

/* The spare packets must lie one behind the other, as many as were asked for. */
static int reserve_check(struct layout *layout, const struct udf_sparing_table *table)
{
    struct mkfs_plan *plan = layout->plan;

    if (table->count != mkfs_plan_reserve(plan))
        return -EUCLEAN;
    for (unsigned i = 0; i < table->count; i++)
        if (table->spares[i].original != UDF_SPARE_FREE ||
            table->spares[i].mapped.n != table->spares[0].mapped.n + (int32_t)(i * MMC_PACKET_BLOCKS))
            return -EUCLEAN;
    layout->journal = (struct udf_journal_place){
        .log = table->spares[plan->spares].mapped,
        .log_packets = plan->log,
        .images = table->spares[plan->spares + plan->log].mapped,
        .images_packets = plan->images,
    };
    plan->journal = mmc_packet_of(layout->journal.log, MMC_PACKET_BLOCKS);
    return layout->journal.log.n % (int32_t)MMC_PACKET_BLOCKS ? -EUCLEAN : 0;
}

/* Both tables get the first spares only; the second one moves. */
static int tables_write(struct layout *layout, const struct udf_tag *tag, struct udf_sparing_table *table)
{
    const mmc_lba_t places[] = {layout->table, layout->table_to};
    uint8_t block[UDF_BLOCK_BYTES];
    int err = 0;

    table->count = layout->plan->spares;
    for (size_t i = 0; i < 2 && !err; i++) {
        struct udf_tag own = *tag;
        own.location = (uint32_t)places[i].n;
        memset(block, 0, sizeof block);
        int used = udf_sparing_encode(block, sizeof block, &own, table);
        err = used < 0 ? used : block_put(layout, places[i], block);
        layout->table_bytes = used < 0 ? 0 : (uint32_t)used;
    }
    memset(block, 0, sizeof block);
    return err ? err : block_put(layout, layout->table_from, block);
}

static int tables_patch(struct layout *layout)
{
    struct udf_sparing_table table = {0};
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_tag tag;
    int err = block_get(layout, layout->table, block);

    if (!err)
        err = udf_tag_decode(block, sizeof block, &tag);
    if (!err)
        err = udf_sparing_decode(block, sizeof block, layout->table, &table);
    if (err)
        return err;
    err = reserve_check(layout, &table);
    if (!err)
        err = tables_write(layout, &tag, &table);
    free(table.spares);
    return err;
}

/* The sparable map's size and places of tables. lvd_look has made sure that it is the only map. */
static int lvd_patch(struct layout *layout, mmc_lba_t at, uint8_t *block, const struct udf_tag *tag)
{
    uint8_t *map = block + LVD_MAPS;

    if (mmc_le32_get(block + LVD_MAP_COUNT) != 1 || map[0] != MAP_TYPE2 || map[1] != MAP_SPARABLE)
        return -EUCLEAN;
    mmc_le32_put(map + MAP_TABLE_SIZE, layout->table_bytes);
    mmc_le32_put(map + MAP_TABLES + 4, (uint32_t)layout->table_to.n);
    udf_tag_encode(block, tag);
    return block_put(layout, at, block);
}

/* The unallocated extent before the second table gives up a packet at its end, the one
 * behind it gains one in front. */
static int usd_patch(struct layout *layout, mmc_lba_t at, uint8_t *block, const struct udf_tag *tag)
{
    uint32_t from = (uint32_t)layout->table_from.n, count = mmc_le32_get(block + USD_COUNT);
    unsigned patched = 0;

    if (count > (UDF_BLOCK_BYTES - USD_EXTENTS) / 8)
        return -EUCLEAN;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *extent = block + USD_EXTENTS + (size_t)8 * i;
        uint32_t bytes = mmc_le32_get(extent), first = mmc_le32_get(extent + 4);
        if (first + bytes / UDF_BLOCK_BYTES == from && bytes > MKFS_PACKET_BYTES) {
            mmc_le32_put(extent, bytes - MKFS_PACKET_BYTES);
            patched++;
        } else if (first == from + 1) {
            mmc_le32_put(extent, bytes + MKFS_PACKET_BYTES);
            mmc_le32_put(extent + 4, first - MMC_PACKET_BLOCKS);
            patched++;
        }
    }
    if (patched != 2)
        return -EUCLEAN;
    udf_tag_encode(block, tag);
    return block_put(layout, at, block);
}

/* The journal's descriptor takes the place of the terminating one, which moves on by a block. */
static int journal_add(struct layout *layout, mmc_lba_t at, uint8_t *block, const struct udf_tag *tag)
{
    uint8_t own[UDF_BLOCK_BYTES];
    struct udf_tag moved = *tag;
    struct udf_iuvd iuvd = {.sequence = (uint32_t)(at.n - layout->sequence.n) + 1};
    int err;

    udf_journal_place_encode(&iuvd, MMC_PACKET_BLOCKS, &layout->journal);
    memset(own, 0, sizeof own);
    udf_iuvd_encode(own, tag, &iuvd);
    err = block_put(layout, at, own);
    if (err)
        return err;
    moved.location++;
    udf_tag_encode(block, &moved);
    return block_put(layout, mmc_lba_add(at, 1), block);
}

static int descriptor_patch(struct layout *layout, mmc_lba_t at, uint8_t *block, const struct udf_tag *tag)
{
    switch (tag->id) {
    case UDF_TAG_LVD:
        return lvd_patch(layout, at, block, tag);
    case UDF_TAG_USD:
        return usd_patch(layout, at, block, tag);
    case UDF_TAG_TD:
        return journal_add(layout, at, block, tag);
    default:
        return 0;
    }
}

static int integrity_patch(struct layout *layout)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_lvid lvid;
    int err = block_get(layout, layout->integrity, block);

    if (!err)
        err = udf_lvid_decode(block, &lvid);
    if (err)
        return err;
    layout->plan->free_blocks = lvid.free_blocks[0];
    udf_regid_own(&lvid.implementation);
    memset(block, 0, sizeof block);
    udf_lvid_encode(block, &lvid);
    return block_put(layout, layout->integrity, block);
}

static int root_patch(struct layout *layout)
{
    uint8_t block[UDF_BLOCK_BYTES], out[UDF_BLOCK_BYTES] = {0};
    mmc_lba_t at = mmc_lba_add(layout->partition, layout->fileset.block);
    struct udf_file_entry fe;
    struct udf_fsd fsd;
    int err = block_get(layout, at, block);

    if (!err)
        err = udf_fsd_decode(block, layout->fileset.block, &fsd);
    if (err)
        return err;
    at = mmc_lba_add(layout->partition, fsd.root.at.block);
    err = block_get(layout, at, block);
    if (!err)
        err = udf_file_entry_decode(block, fsd.root.at.block, &fe);
    if (err)
        return err;
    fe.permissions =
        udf_permissions_from_mode(udf_permissions_to_mode(fe.permissions, fe.file_type, fe.icb_flags));
    err = udf_file_entry_encode(out, &fe);
    return err ? err : block_put(layout, at, out);
}

int mkfs_layout_apply(int fd, struct mkfs_plan *plan)
{
    struct layout layout = {.fd = fd, .plan = plan};
    uint8_t block[UDF_BLOCK_BYTES];
    int err = block_get(&layout, mmc_lba(ANCHOR_FIRST), block);

    if (!err)
        err = udf_avdp_decode(block, mmc_lba(ANCHOR_FIRST), &layout.anchor);
    if (!err)
        err = sequence_each(&layout, layout.anchor.main, places_look);
    if (!err)
        err = table_place_check(&layout);
    if (!err)
        err = tables_patch(&layout);
    if (!err)
        err = sequence_each(&layout, layout.anchor.main, descriptor_patch);
    if (!err)
        err = sequence_each(&layout, layout.anchor.reserve, descriptor_patch);
    if (!err)
        err = integrity_patch(&layout);
    return err ? err : root_patch(&layout);
}
