/* SPDX-License-Identifier: MIT */
/*
 * The images area: second copies of the packets that a checkpoint is about to write to their places. The
 * first packets of the area take turns to hold the header of a batch, the others hold images, also in turn. A
 * batch counts when all of its images fit the CRCs in its header.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/crc32c.h"
#include "udf/journal.h"

static uint32_t header_slots(const struct udf_journal *journal)
{
    return journal->images_packets < 16 ? 1 : 2;
}

static mmc_lba_t slot_place(const struct udf_journal *journal, uint32_t slot)
{
    return mmc_lba_add(journal->images, (int64_t)slot * journal->packet_blocks);
}

static size_t packet_bytes(const struct udf_journal *journal)
{
    return (size_t)journal->packet_blocks * UDF_BLOCK_BYTES;
}

uint32_t images_room(const struct udf_journal *journal)
{
    uint32_t good = 0;
    for (uint32_t slot = header_slots(journal); slot < journal->images_packets; slot++)
        good += !store_bit(journal->bad_images, slot);
    return good < JOURNAL_IMAGES_MAX ? good : JOURNAL_IMAGES_MAX;
}

/* The next good packet for an image; there is one as long as no batch has more than images_room. */
static uint32_t image_slot_take(struct udf_journal *journal)
{
    uint32_t first = header_slots(journal), slots = journal->images_packets - first;
    uint32_t at = journal->image_next % slots;
    while (store_bit(journal->bad_images, first + at))
        at = (at + 1) % slots;
    journal->image_next = (at + 1) % slots;
    return first + at;
}

static int header_slot_choose(const struct udf_journal *journal, uint32_t *slot)
{
    uint32_t slots = header_slots(journal);
    for (uint32_t i = 0; i < slots; i++) {
        *slot = (uint32_t)((journal->image_sequence + i) % slots);
        if (!store_bit(journal->bad_images, *slot))
            return 0;
    }
    return -EIO;
}

static uint32_t bad_count(const struct udf_journal *journal)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < journal->images_packets; slot++)
        count += store_bit(journal->bad_images, slot);
    return count;
}

static int batch_write(struct udf_store *store, const struct image *images, uint32_t count, uint8_t *packet)
{
    struct udf_journal *journal = store->journal;
    /* While a packet is torn, the epoch that it belongs to is the one whose records are in the log. */
    uint64_t epoch = journal->record ? journal->epoch : journal->epoch_before;
    struct images_header header = {.volume_key = journal->volume_key,
                                   .epoch = epoch,
                                   .sequence = journal->image_sequence,
                                   .count = count};
    uint32_t header_slot;
    int err = header_slot_choose(journal, &header_slot);
    for (uint32_t i = 0; i < count && !err; i++) {
        uint32_t slot = image_slot_take(journal);
        header.images[i].address = journal_address(store, images[i].first);
        header.images[i].slot = slot;
        header.images[i].crc = udf_crc32c(0, images[i].bytes, packet_bytes(journal));
        err = store_device_write(store, slot_place(journal, slot), journal->packet_blocks, images[i].bytes,
                                 BLOCK_WRITE_FRESH);
    }
    if (err)
        return err;
    memset(packet, 0, packet_bytes(journal));
    images_header_encode(packet, &header);
    journal->image_sequence++;
    err = store_device_write(store, slot_place(journal, header_slot), journal->packet_blocks, packet,
                             BLOCK_WRITE_FRESH);
    return err ? err : store_sync(store);
}

/* A packet of the area that could not be written is used no longer, and the
 * batch is written again without it. */
int images_write(struct udf_store *store, const struct image *images, uint32_t count)
{
    uint8_t *packet = malloc(packet_bytes(store->journal));
    uint32_t bad = 0;
    int err = packet ? 0 : -ENOMEM;
    do {
        bad = bad_count(store->journal);
        if (!err && count > images_room(store->journal))
            err = -EIO;
        if (!err)
            err = batch_write(store, images, count, packet);
    } while (!err && bad != bad_count(store->journal));
    free(packet);
    return err;
}

/* Reads all images of a batch. 1 when each is whole, 0 when not. */
static int batch_read(struct udf_store *store, const struct images_header *header, struct image *images)
{
    const struct udf_journal *journal = store->journal;
    for (uint32_t i = 0; i < header->count; i++) {
        mmc_lba_t first = journal_address_now(store, header->images[i].address);
        uint8_t *bytes = malloc(packet_bytes(journal));
        if (!bytes)
            return -ENOMEM;
        images[i] = (struct image){first, bytes};
        int err = store_device_read(store, slot_place(journal, header->images[i].slot),
                                    journal->packet_blocks, bytes);
        if (err && err != -EIO)
            return err;
        if (err || udf_crc32c(0, bytes, packet_bytes(journal)) != header->images[i].crc ||
            (uint32_t)first.n % journal->packet_blocks || first.n < 0 ||
            (uint32_t)first.n + journal->packet_blocks > store->vol->dev->geometry.blocks ||
            journal_holds(journal, first))
            return 0;
    }
    return 1;
}

static int header_read(struct udf_store *store, uint32_t slot, struct images_header *header)
{
    uint8_t block[UDF_BLOCK_BYTES];
    int err = store_device_read(store, slot_place(store->journal, slot), 1, block);
    if (err && err != -EIO)
        return err;
    return !err && images_header_decode(block, store->journal, header);
}

int images_read(struct udf_store *store, uint64_t epoch, struct image *images, uint32_t *count)
{
    struct udf_journal *journal = store->journal;
    struct images_header header, newest = {.sequence = 0};
    uint64_t below = UINT64_MAX;
    *count = 0;
    do {
        newest.sequence = 0;
        for (uint32_t slot = 0; slot < header_slots(journal); slot++) {
            int found = header_read(store, slot, &header);
            if (found < 0)
                return found;
            if (found && header.epoch == epoch && header.sequence > newest.sequence &&
                header.sequence < below)
                newest = header;
        }
        if (!newest.sequence)
            return 0;
        if (newest.sequence >= journal->image_sequence)
            journal->image_sequence = newest.sequence + 1;
        below = newest.sequence;
        memset(images, 0, JOURNAL_IMAGES_MAX * sizeof *images);
        int whole = batch_read(store, &newest, images);
        if (whole == 1) {
            *count = newest.count;
            return 0;
        }
        images_free(images, newest.count);
        if (whole < 0)
            return whole;
    } while (true);
}

void images_free(struct image *images, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free(images[i].bytes);
        images[i].bytes = NULL;
    }
}
