/* SPDX-License-Identifier: MIT */
/*
 * The sparing tables of a sparable partition (UDF 2.2.9, 2.2.11). There are several copies; a power cut
 * between two writes leaves them different, and the highest sequence number is the newest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/recognise.h"

/* 65,535 entries of 8 bytes behind 56 bytes: what the table's count can say. */
#define TABLE_BYTES_MAX (56u + 8u * UINT16_MAX)

/* Reads and decodes one copy. */
static int table_read(const struct udf_volume *vol, const struct udf_map *map, mmc_lba_t at,
                      struct udf_sparing_table *table)
{
    uint32_t bytes = map->table_bytes < TABLE_BYTES_MAX ? map->table_bytes : TABLE_BYTES_MAX;
    uint32_t blocks = (bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;
    if (!blocks || at.n < 0 || (uint64_t)at.n + blocks > vol->dev->geometry.blocks)
        return -EUCLEAN;
    uint8_t *buf = malloc((size_t)blocks * UDF_BLOCK_BYTES);
    if (!buf)
        return -ENOMEM;
    int err = block_read(vol->dev, at, blocks, buf);
    if (!err)
        err = udf_sparing_decode(buf, (size_t)blocks * UDF_BLOCK_BYTES, at, table);
    free(buf);
    return err;
}

static int tables_read(const struct udf_volume *vol, const struct udf_map *map,
                       struct udf_sparing_table *best)
{
    bool found = false;
    for (unsigned i = 0; i < map->table_count; i++) {
        struct udf_sparing_table table = {0};
        int err = table_read(vol, map, map->tables[i], &table);
        if (udf_recognise_hopeless(err)) {
            free(best->spares);
            return err;
        }
        if (err) {
            udf_message(vol, UDF_LEVEL_WARNING, "block %d: sparing table cannot be used: %s",
                        map->tables[i].n, strerror(-err));
        } else if (found && table.sequence <= best->sequence) {
            free(table.spares);
        } else {
            free(best->spares);
            *best = table;
            found = true;
        }
    }
    return found ? 0 : -EUCLEAN;
}

/* Whether an entry in use can be true: a packet of the partition, and a place on the disc. */
static bool spare_valid(const struct udf_volume *vol, const struct udf_partition *partition,
                        const struct udf_spare *spare)
{
    return spare->original % partition->map.packet_blocks == 0 && spare->original < partition->pd.blocks &&
           spare->mapped.n >= 0 &&
           (uint64_t)spare->mapped.n + partition->map.packet_blocks <= vol->dev->geometry.blocks;
}

static int spare_compare(const void *a, const void *b)
{
    const struct udf_spare *left = a, *right = b;
    return left->original < right->original ? -1 : left->original > right->original;
}

/* Keeps in spares what is in use and makes sense. Returns how many do not make sense. */
static unsigned spares_sift(const struct udf_volume *vol, struct udf_partition *partition)
{
    unsigned kept = 0, wrong = 0;
    for (unsigned i = 0; i < partition->spare_total; i++) {
        struct udf_spare spare = partition->spares[i];
        if (spare.original >= UDF_SPARE_BAD)
            continue;
        if (spare_valid(vol, partition, &spare))
            partition->spares[kept++] = spare;
        else
            wrong++;
    }
    if (kept)
        qsort(partition->spares, kept, sizeof *partition->spares, spare_compare);
    for (unsigned i = 1; i < kept; i++)
        wrong += partition->spares[i].original == partition->spares[i - 1].original;
    partition->spare_count = kept;
    return wrong;
}

int udf_sparing_load(struct udf_volume *vol, unsigned part)
{
    struct udf_partition *partition = &vol->partitions[part];
    struct udf_sparing_table table = {0};
    if (!partition->map.packet_blocks) {
        udf_message(vol, UDF_LEVEL_ERROR, "the sparable partition has packets of no blocks");
        return -EUCLEAN;
    }
    int err = tables_read(vol, &partition->map, &table);
    if (err) {
        udf_message(vol, UDF_LEVEL_ERROR,
                    "no sparing table can be read, so moved packets cannot be told from others");
        return err;
    }
    partition->spares = table.spares;
    partition->spare_total = table.count;
    unsigned wrong = spares_sift(vol, partition);
    if (wrong) {
        udf_message(vol, UDF_LEVEL_WARNING, "%u entries of the sparing table make no sense", wrong);
        udf_recognise_read_only(vol, "its sparing table is damaged");
    }
    return 0;
}
