/* SPDX-License-Identifier: MIT */
/*
 * Brings home what is in the log: each packet with logged blocks is put together whole and written to its
 * place. Should the power fail while it is written, its live blocks are in the log, or an image of it is in
 * the images area.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/crc32c.h"
#include "udf/journal.h"

/* What is known of the blocks of a packet that is to be rewritten. */
struct packet_plan {
    bool any_live;                        /* otherwise there is nothing to bring home */
    bool needed[STORE_PACKET_BLOCKS_MAX]; /* live, and on the device alone */
    uint32_t needed_count;
};

static void packet_plan(struct udf_store *store, uint32_t number, struct packet_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    pthread_mutex_lock(&store->lock);
    const struct store_packet *packet = store_packet_find(store, number);
    for (uint32_t i = 0; i < store->packet_blocks; i++) {
        bool live = udf_space_block_live(store->vol, mmc_lba_add(store_packet_place(store, number), i));
        plan->any_live |= live;
        plan->needed[i] = live && !packet->blocks[i].logged;
        plan->needed_count += plan->needed[i];
    }
    pthread_mutex_unlock(&store->lock);
}

/* A live block that cannot be read is an end to it: the packet is never written
 * with anything else in its place. */
static int packet_read(struct udf_store *store, uint32_t number, const struct packet_plan *plan,
                       uint8_t *bytes)
{
    mmc_lba_t first = store_packet_place(store, number);
    for (uint32_t i = 0, run; i < store->packet_blocks; i += run) {
        for (run = 1; i + run < store->packet_blocks && plan->needed[i + run] == plan->needed[i];)
            run++;
        if (!plan->needed[i])
            continue;
        int err = store_device_read(store, mmc_lba_add(first, i), run, bytes + (size_t)i * UDF_BLOCK_BYTES);
        if (err) {
            udf_message(store->vol, UDF_LEVEL_ERROR,
                        "blocks %d to %d: cannot be read, so their packet is not rewritten", first.n + (int)i,
                        first.n + (int)(i + run) - 1);
            return err;
        }
    }
    return 0;
}

static void packet_overlay(struct udf_store *store, uint32_t number, uint8_t *bytes)
{
    pthread_mutex_lock(&store->lock);
    const struct store_packet *packet = store_packet_find(store, number);
    for (uint32_t i = 0; i < store->packet_blocks; i++)
        if (packet->blocks[i].logged)
            memcpy(bytes + (size_t)i * UDF_BLOCK_BYTES, packet->blocks[i].logged, UDF_BLOCK_BYTES);
    pthread_mutex_unlock(&store->lock);
}

/* The packet as it shall be: logged blocks, live blocks, zeros. The caller frees *bytes. */
static int packet_compose(struct udf_store *store, uint32_t number, const struct packet_plan *plan,
                          uint8_t **bytes)
{
    *bytes = calloc(store->packet_blocks, UDF_BLOCK_BYTES);
    if (!*bytes)
        return -ENOMEM;
    int err = packet_read(store, number, plan, *bytes);
    if (err) {
        free(*bytes);
        return err;
    }
    packet_overlay(store, number, *bytes);
    return 0;
}

struct batch {
    struct image images[JOURNAL_IMAGES_MAX];
    uint32_t count;
};

static int image_home(struct udf_store *store, const struct image *image)
{
    return store_device_write(store, image->first, store->packet_blocks, image->bytes, BLOCK_WRITE_FRESH);
}

/* Images first, then the places; both durable before the next batch takes the images area. */
static int batch_home(struct udf_store *store, struct batch *batch)
{
    int err = batch->count ? images_write(store, batch->images, batch->count) : 0;
    for (uint32_t i = 0; i < batch->count && !err; i++)
        err = image_home(store, &batch->images[i]);
    if (!err && store_unsynced(store))
        err = store_sync(store);
    images_free(batch->images, batch->count);
    batch->count = 0;
    return err;
}

static int packet_home(struct udf_store *store, uint32_t number, struct batch *batch)
{
    struct packet_plan plan;
    struct image image = {.first = store_packet_place(store, number)};
    packet_plan(store, number, &plan);
    if (!plan.any_live)
        return 0;
    int err = packet_compose(store, number, &plan, &image.bytes);
    if (err)
        return err;
    if (!plan.needed_count) {
        err = image_home(store, &image);
        free(image.bytes);
        return err;
    }
    batch->images[batch->count++] = image;
    return batch->count == images_room(store->journal) ? batch_home(store, batch) : 0;
}

/* The integrity descriptor that the checkpoint brings home; what is in place
 * already, when the log has none. */
static uint32_t lvid_crc(struct udf_store *store)
{
    mmc_lba_t at = store->vol->lvid_at;
    uint32_t crc = store->journal->lvid_home_crc;
    pthread_mutex_lock(&store->lock);
    const struct store_packet *packet = store_packet_find(store, mmc_packet_of(at, store->packet_blocks).n);
    const uint8_t *logged = packet ? packet->blocks[(uint32_t)at.n % store->packet_blocks].logged : NULL;
    if (logged)
        crc = udf_crc32c(0, logged, UDF_BLOCK_BYTES);
    pthread_mutex_unlock(&store->lock);
    return crc;
}

/* A packet that cannot be put together does not keep the others from coming home;
 * but the log stays as it is then. */
static int packets_home(struct udf_store *store, const uint32_t *packets, uint32_t count)
{
    struct batch batch = {.count = 0};
    int unreadable = 0, err = 0;
    for (uint32_t i = 0; i < count && !err; i++) {
        err = packet_home(store, packets[i], &batch);
        if (err == -EIO && !store->vol->failed) {
            unreadable = err;
            err = 0;
        }
    }
    if (!err)
        err = batch_home(store, &batch);
    images_free(batch.images, batch.count);
    return err ? err : unreadable;
}

int store_checkpoint(struct udf_store *store)
{
    uint32_t *packets, count;
    if (!store->journal || !store->in_log_count)
        return 0;
    int err = store_logged_list(store, &packets, &count);
    if (err)
        return store_fail(store, err, "the journal could not be brought home");
    err = packets_home(store, packets, count);
    free(packets);
    if (err)
        return store_fail(store, err, "the journal could not be brought home");
    uint32_t crc = lvid_crc(store);
    store_logged_drop(store);
    journal_epoch_end(store->journal, crc);
    return 0;
}
