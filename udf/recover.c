/* SPDX-License-Identifier: MIT */
/*
 * What happens to the journal when a volume is opened: decides whether its newest epoch must be laid over the
 * device, and mends packets that a power cut tore while a checkpoint wrote them to their places.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/crc32c.h"
#include "udf/journal.h"
#include "udf/recognise.h"

static int lvid_look(struct udf_store *store, struct replay_lvid *lvid)
{
    struct udf_volume *vol = store->vol;
    uint8_t block[UDF_BLOCK_BYTES];
    *lvid = (struct replay_lvid){.readable = vol->lvid_readable, .at = vol->lvid_at};
    if (!lvid->readable)
        return 0;
    int err = store_device_read(store, lvid->at, 1, block);
    lvid->open = vol->lvid.integrity != 1;
    lvid->crc = udf_crc32c(0, block, sizeof block);
    return err;
}

/* The descriptor as the log has it. */
static int lvid_adopt(struct udf_store *store, mmc_lba_t at)
{
    struct udf_volume *vol = store->vol;
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_lvid lvid;
    int err = udf_store_read(vol, at, 1, block);
    if (!err)
        err = udf_lvid_decode(block, &lvid);
    if (!err && (lvid.partitions != vol->lvd.map_count || lvid.tag.location != (uint32_t)at.n))
        err = -EUCLEAN;
    if (err)
        return err;
    vol->lvid = lvid;
    vol->lvid.tag = udf_volume_tag(vol, (uint32_t)at.n);
    vol->lvid_at = at;
    vol->lvid_readable = true;
    return 0;
}

/* The log's blocks are newer than an image, or the same. */
static void image_patch(struct udf_store *store, const struct image *image)
{
    pthread_mutex_lock(&store->lock);
    uint32_t number = mmc_packet_of(image->first, store->packet_blocks).n;
    const struct store_packet *packet = store_packet_find(store, number);
    for (uint32_t i = 0; packet && i < store->packet_blocks; i++)
        if (packet->blocks[i].logged)
            memcpy(image->bytes + (size_t)i * UDF_BLOCK_BYTES, packet->blocks[i].logged, UDF_BLOCK_BYTES);
    pthread_mutex_unlock(&store->lock);
}

/* Writes the images to their places. They and the log stay on the medium meanwhile, so this can be cut and
 * done again; only after it may the images area be used for others. */
static int images_home(struct udf_store *store, const struct image *images, uint32_t count)
{
    int err = 0;
    for (uint32_t i = 0; i < count && !err; i++) {
        image_patch(store, &images[i]);
        err = store_device_write(store, images[i].first, store->packet_blocks, images[i].bytes,
                                 BLOCK_WRITE_FRESH);
    }
    return err || !count ? err : store_sync(store);
}

/* In memory only: the images below the log's blocks. */
static int images_overlay(struct udf_store *store, const struct image *images, uint32_t count)
{
    int err = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < store->packet_blocks && !err; j++)
            err = store_logged_put(store, mmc_lba_add(images[i].first, j),
                                   images[i].bytes + (size_t)j * UDF_BLOCK_BYTES, false);
    return err;
}

static int images_use(struct udf_store *store, uint64_t epoch)
{
    struct udf_volume *vol = store->vol;
    struct image images[JOURNAL_IMAGES_MAX];
    uint32_t count = 0;
    int err = images_read(store, epoch, images, &count);
    if (!err && !vol->read_only) {
        err = images_home(store, images, count);
        if (err)
            udf_recognise_read_only(vol, "the packets of an interrupted write could not be mended");
    }
    if (vol->read_only)
        err = images_overlay(store, images, count);
    images_free(images, count);
    return err;
}

static void lvid_lost(struct udf_store *store)
{
    udf_recognise_read_only(
        store->vol,
        "its integrity descriptor cannot be read: copy off what you need, then make a new volume");
}

static int replay(struct udf_store *store, struct replay_lvid *lvid, bool *recovered)
{
    struct udf_volume *vol = store->vol;
    bool damaged = !lvid->readable;
    uint64_t epoch = 0;
    int err = journal_replay(store, lvid, recovered, &epoch);
    if (err || !*recovered) {
        if (!err && damaged)
            lvid_lost(store);
        return err;
    }
    udf_message(vol, UDF_LEVEL_INFO, "the volume was not closed; its journal is replayed");
    err = images_use(store, epoch);
    if (err)
        return err;
    err = lvid_adopt(store, lvid->at);
    if (err == -EUCLEAN || err == -EIO) {
        lvid_lost(store);
        return 0;
    }
    return err;
}

int store_recover(struct udf_store *store, bool *recovered)
{
    struct replay_lvid lvid;
    *recovered = false;
    int err = lvid_look(store, &lvid);
    if (err)
        return err;
    if (!store->journal) {
        if (!lvid.readable)
            lvid_lost(store);
        else if (lvid.open)
            udf_message(store->vol, UDF_LEVEL_WARNING,
                        "the volume was not closed when it was last written to");
        return 0;
    }
    /* A closed volume has no use for the log before it is written to, and reading
     * the log takes a drive a second. */
    if (lvid.readable && !lvid.open)
        return 0;
    store->journal_known = true;
    return replay(store, &lvid, recovered);
}

int store_journal_prepare(struct udf_store *store)
{
    struct replay_lvid lvid;
    uint64_t epoch;
    bool replayed;
    if (!store->journal || store->journal_known)
        return 0;
    int err = lvid_look(store, &lvid);
    if (!err)
        err = journal_replay(store, &lvid, &replayed, &epoch);
    store->journal_known = !err;
    return err;
}
