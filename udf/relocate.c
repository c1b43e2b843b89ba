/* SPDX-License-Identifier: MIT */
/*
 * Packets that cannot be written. One of the log or the images area is replaced by another one there; one of
 * a sparable partition (UDF 2.2.9, 2.2.11) moves to a spare packet, and both sparing tables are told. Until
 * the volume is closed its map goes on saying the old place, and device.c knows the new one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/journal.h"

#define TABLE_BYTES_MAX (56u + 8u * UINT16_MAX)

static struct udf_partition *partition_of(const struct udf_store *store)
{
    return &store->vol->partitions[store->vol->part];
}

static uint32_t table_blocks(const struct udf_map *map)
{
    uint32_t bytes = map->table_bytes < TABLE_BYTES_MAX ? map->table_bytes : TABLE_BYTES_MAX;
    return (bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES;
}

static int table_read(struct udf_store *store, mmc_lba_t at, struct udf_sparing_table *table)
{
    uint32_t blocks = table_blocks(&partition_of(store)->map);
    uint8_t *bytes = malloc((size_t)blocks * UDF_BLOCK_BYTES + 1);
    if (!bytes)
        return -ENOMEM;
    int err = block_read(store->vol->dev, at, blocks, bytes);
    if (!err)
        err = udf_sparing_decode(bytes, (size_t)blocks * UDF_BLOCK_BYTES, at, table);
    free(bytes);
    return err;
}

/* The newest of the tables, with all its entries. */
static int tables_load(struct udf_store *store, struct udf_sparing_table *newest)
{
    const struct udf_map *map = &partition_of(store)->map;
    int found = -EIO;
    for (unsigned i = 0; i < map->table_count; i++) {
        struct udf_sparing_table table = {0};
        if (table_read(store, map->tables[i], &table))
            continue;
        if (found == 0 && table.sequence <= newest->sequence) {
            free(table.spares);
            continue;
        }
        free(newest->spares);
        *newest = table;
        found = 0;
    }
    return found;
}

/* Puts what else is in the packets of a table around it. Blocks that cannot be read are unused where
 * mkfs.packetfs laid the volume out: it gives each table packets of its own. */
static int table_surround(struct udf_store *store, mmc_lba_t first, uint32_t count, uint8_t *bytes)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *block = bytes + (size_t)i * UDF_BLOCK_BYTES;
        int err = block_read(store->vol->dev, mmc_lba_add(first, i), 1, block);
        if (err && (err != -EIO || !store->journal))
            return err;
        if (err)
            memset(block, 0, UDF_BLOCK_BYTES);
    }
    return 0;
}

/* Writes one copy, whole packets at a time, and makes it durable before the next is touched. */
static int table_write(struct udf_store *store, mmc_lba_t at, const struct udf_sparing_table *table)
{
    uint32_t blocks = table_blocks(&partition_of(store)->map), length = store->packet_blocks;
    uint32_t before = (uint32_t)at.n % length;
    uint32_t count = (before + blocks + length - 1) / length * length;
    uint8_t *bytes = malloc((size_t)count * UDF_BLOCK_BYTES);
    if (!bytes)
        return -ENOMEM;
    mmc_lba_t first = mmc_lba_add(at, -(int64_t)before);
    struct udf_tag tag = udf_volume_tag(store->vol, (uint32_t)at.n);
    uint8_t *place = bytes + (size_t)before * UDF_BLOCK_BYTES;
    int err = table_surround(store, first, count, bytes);
    if (!err)
        memset(place, 0, (size_t)blocks * UDF_BLOCK_BYTES);
    if (!err && udf_sparing_encode(place, (size_t)blocks * UDF_BLOCK_BYTES, &tag, table) < 0)
        err = -EUCLEAN;
    if (!err)
        err = block_write(store->vol->dev, first, count, bytes, BLOCK_WRITE_FRESH);
    free(bytes);
    return err ? err : store_device_sync(store);
}

static int spare_compare(const void *a, const void *b)
{
    const struct udf_spare *left = a, *right = b;
    if (left->original != right->original)
        return left->original < right->original ? -1 : 1;
    return left->mapped.n < right->mapped.n ? -1 : left->mapped.n > right->mapped.n;
}

/* Entries in use come first, in order; bad and free ones have the highest numbers and so are last. */
static int tables_write(struct udf_store *store, struct udf_sparing_table *table)
{
    const struct udf_map *map = &partition_of(store)->map;
    int err = 0;
    qsort(table->spares, table->count, sizeof *table->spares, spare_compare);
    table->sequence++;
    for (unsigned i = 0; i < map->table_count && !err; i++)
        err = table_write(store, map->tables[i], table);
    return err;
}

/* Whether this copy says what the newest says. */
static bool table_current(struct udf_store *store, mmc_lba_t at, const struct udf_sparing_table *newest)
{
    struct udf_sparing_table table = {0};
    if (table_read(store, at, &table))
        return false;
    bool current = table.sequence == newest->sequence && table.count == newest->count;
    free(table.spares);
    return current;
}

void store_tables_mend(struct udf_store *store)
{
    const struct udf_map *map = &partition_of(store)->map;
    struct udf_sparing_table newest = {0};
    if (map->kind != UDF_MAP_SPARABLE || tables_load(store, &newest))
        return;
    for (unsigned i = 0; i < map->table_count; i++) {
        if (table_current(store, map->tables[i], &newest))
            continue;
        int err = table_write(store, map->tables[i], &newest);
        udf_message(store->vol, UDF_LEVEL_WARNING, "block %d: a sparing table out of date %s",
                    map->tables[i].n, err ? "could not be mended" : "is mended");
    }
    free(newest.spares);
}

static bool spare_usable(const struct udf_store *store, const struct udf_spare *spare)
{
    uint32_t length = store->packet_blocks;
    return spare->original == UDF_SPARE_FREE && spare->mapped.n > 0 &&
           (uint32_t)spare->mapped.n % length == 0 &&
           (uint64_t)spare->mapped.n + length <= store->vol->dev->geometry.blocks &&
           !(store->journal && journal_holds(store->journal, spare->mapped));
}

static struct udf_spare *spare_mapped(struct udf_sparing_table *table, mmc_lba_t at)
{
    for (unsigned i = 0; i < table->count; i++)
        if (table->spares[i].original < UDF_SPARE_BAD && table->spares[i].mapped.n == at.n)
            return &table->spares[i];
    return NULL;
}

static struct udf_spare *spare_free(const struct udf_store *store, struct udf_sparing_table *table)
{
    for (unsigned i = 0; i < table->count; i++)
        if (spare_usable(store, &table->spares[i]))
            return &table->spares[i];
    return NULL;
}

/* The place of the packet is known from now on under from; a move of a moved packet takes over its name. */
static int move_note(struct udf_store *store, uint32_t from, uint32_t to)
{
    for (unsigned i = 0; i < store->move_count; i++) {
        if (store->moves[i].to == from) {
            store->moves[i].to = to;
            return 0;
        }
    }
    struct store_move *moves = reallocarray(store->moves, store->move_count + 1, sizeof *moves);
    if (!moves)
        return -ENOMEM;
    store->moves = moves;
    store->moves[store->move_count++] = (struct store_move){from, to};
    return 0;
}

static int packet_move(struct udf_store *store, uint32_t from, uint32_t to)
{
    pthread_rwlock_wrlock(&store->move_lock);
    int err = block_failure_move(store->vol->dev, (mmc_packet_t){from}, (mmc_packet_t){to});
    if (!err)
        err = move_note(store, from, to);
    pthread_rwlock_unlock(&store->move_lock);
    atomic_fetch_add(&store->written, 1);
    return err;
}

/* The packet moves to a spare; the table in memory says so. */
static int packet_spare(struct udf_store *store, struct udf_sparing_table *table, uint32_t packet)
{
    struct udf_volume *vol = store->vol;
    mmc_lba_t at = store_packet_place(store, packet);
    udf_block_t block;
    struct udf_spare *old = spare_mapped(table, at), *spare = spare_free(store, table);
    if (old)
        block.n = old->original;
    else if (!udf_volume_unmap(vol, at, &block))
        return -EIO;
    if (!spare) {
        udf_message(vol, UDF_LEVEL_ERROR,
                    "block %d: its packet cannot be written, and no spare packet is left", at.n);
        return -EIO;
    }
    int err = packet_move(store, packet, mmc_packet_of(spare->mapped, store->packet_blocks).n);
    if (err)
        return err;
    if (old)
        old->original = UDF_SPARE_BAD;
    spare->original = block.n;
    udf_message(vol, UDF_LEVEL_WARNING,
                "block %d: its packet cannot be written; it is moved to the spare packet at %d", at.n,
                spare->mapped.n);
    return 0;
}

static bool in_area(const struct udf_store *store, uint32_t packet, mmc_lba_t area, uint32_t packets,
                    uint32_t *slot)
{
    *slot = packet - mmc_packet_of(area, store->packet_blocks).n;
    return *slot < packets;
}

static int log_packet_move(struct udf_store *store, uint32_t packet, uint32_t slot)
{
    struct udf_journal *journal = store->journal;
    uint32_t other;
    store_bit_set(journal->bad_slots, slot);
    int err = journal_slot_take(journal, &other);
    if (err)
        return -EIO;
    mmc_packet_t to = mmc_packet_of(journal_slot_place(journal, other), store->packet_blocks);
    return block_failure_move(store->vol->dev, (mmc_packet_t){packet}, to);
}

/* The batch is written again without the bad packet, so what it held can go anywhere in the area. */
static int images_packet_move(struct udf_store *store, uint32_t packet, uint32_t slot)
{
    struct udf_journal *journal = store->journal;
    uint32_t first = packet - slot;
    store_bit_set(journal->bad_images, slot);
    for (uint32_t other = 0; other < journal->images_packets; other++)
        if (!store_bit(journal->bad_images, other))
            return block_failure_move(store->vol->dev, (mmc_packet_t){packet}, (mmc_packet_t){first + other});
    return -EIO;
}

static int failure_handle(struct udf_store *store, struct udf_sparing_table *table, uint32_t packet)
{
    const struct udf_journal *journal = store->journal;
    const struct udf_map *map = &partition_of(store)->map;
    uint32_t slot;
    int err = -EIO;
    if (store->packet_blocks != store->vol->dev->geometry.packet_blocks)
        return -EIO;
    if (journal && in_area(store, packet, journal->log, journal->log_packets, &slot))
        return log_packet_move(store, packet, slot);
    if (journal && in_area(store, packet, journal->images, journal->images_packets, &slot))
        return images_packet_move(store, packet, slot);
    if (map->kind == UDF_MAP_SPARABLE && map->packet_blocks == store->packet_blocks) {
        err = table->spares ? 0 : tables_load(store, table);
        if (!err)
            err = packet_spare(store, table, packet);
    }
    if (err)
        udf_message(store->vol, UDF_LEVEL_ERROR,
                    "blocks %d to %d cannot be written; what they shall hold is lost",
                    store_packet_place(store, packet).n,
                    store_packet_place(store, packet).n + (int)store->packet_blocks - 1);
    return err;
}

/* Moves every packet that failed. */
static int failures_handle(struct udf_store *store, struct udf_sparing_table *table)
{
    struct block_failure failure;
    int count = 0, err = 0;
    while (!err && block_failure_next(store->vol->dev, &failure)) {
        err = failure_handle(store, table, failure.packet.n);
        count++;
    }
    return err || count ? err : -EIO;
}

/* The tables say where a packet is only when it is there. */
int store_sync(struct udf_store *store)
{
    struct udf_sparing_table table = {0};
    int err;
    while ((err = store_device_sync(store)) == -EIO) {
        err = failures_handle(store, &table);
        if (err)
            break;
    }
    if (!err && table.spares)
        err = tables_write(store, &table);
    free(table.spares);
    return err;
}
