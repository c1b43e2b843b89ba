/* SPDX-License-Identifier: MIT */
/*
 * Reads the log after a power cut. The newest epoch whose first record is whole counts, and of it all records
 * up to the first that is not. Packets that cannot be read count as not there: a record that was on its way
 * when the power failed looks like that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "udf/crc32c.h"
#include "udf/journal.h"
#include "udf/recognise.h"

/* A block of the log that is to be laid over the device. */
struct replay_block {
    mmc_lba_t address;
    uint8_t *bytes;
};

struct replay {
    struct udf_store *store;
    struct udf_journal *journal;
    struct journal_header *headers; /* of each packet of the log; epoch 0: none there */
    uint8_t *packet;                /* room for one */
    struct replay_block *blocks;
    uint32_t block_count;
    uint64_t epoch; /* the newest one that is whole at its beginning; 0: none */
    bool damaged;   /* a record is missing that later ones followed */
    bool lvid_ours; /* the descriptor in place is one that this epoch wrote, or found there */
    mmc_lba_t lvid_at;
};

/* A packet of the log that fails to be read is torn; any other failure is the device's. */
static int headers_read(struct replay *replay)
{
    for (uint32_t slot = 0; slot < replay->journal->log_packets; slot++) {
        int err =
            store_device_read(replay->store, journal_slot_place(replay->journal, slot), 1, replay->packet);
        if (err && err != -EIO)
            return err;
        if (err || !journal_header_decode(replay->packet, replay->journal, &replay->headers[slot]))
            replay->headers[slot].epoch = 0;
    }
    return 0;
}

/* Whether the log has a sign of a record of the epoch after this one. */
static bool record_follows(const struct replay *replay, uint64_t epoch, uint32_t record)
{
    for (uint32_t slot = 0; slot < replay->journal->log_packets; slot++)
        if (replay->headers[slot].epoch == epoch && replay->headers[slot].record > record)
            return true;
    return false;
}

/* Reads the contents of a part of a record. 1 when it is there and whole, 0 when not. */
static int part_read(struct replay *replay, uint64_t epoch, uint32_t record, uint16_t part, uint32_t *slot)
{
    const struct udf_journal *journal = replay->journal;
    for (uint32_t i = 0; i < journal->log_packets; i++) {
        const struct journal_header *header = &replay->headers[i];
        if (header->epoch != epoch || header->record != record || header->part != part)
            continue;
        mmc_lba_t contents = mmc_lba_add(journal_slot_place(journal, i), 1);
        int err =
            header->count ? store_device_read(replay->store, contents, header->count, replay->packet) : 0;
        if (err && err != -EIO)
            return err;
        *slot = i;
        if (!err &&
            udf_crc32c(0, replay->packet, (size_t)header->count * UDF_BLOCK_BYTES) == header->contents_crc)
            return 1;
    }
    return 0;
}

static int part_keep(struct replay *replay, const struct journal_header *header,
                     const struct replay_lvid *lvid)
{
    replay->lvid_at = header->lvid_at;
    if (lvid->readable && header->lvid_home_crc == lvid->crc)
        replay->lvid_ours = true;
    for (uint32_t i = 0; i < header->count; i++) {
        const uint8_t *from = replay->packet + (size_t)i * UDF_BLOCK_BYTES;
        struct replay_block *block = &replay->blocks[replay->block_count];
        block->address = header->addresses[i];
        block->bytes = malloc(UDF_BLOCK_BYTES);
        if (!block->bytes)
            return -ENOMEM;
        memcpy(block->bytes, from, UDF_BLOCK_BYTES);
        replay->block_count++;
        if (lvid->readable && block->address.n == header->lvid_at.n &&
            udf_crc32c(0, from, UDF_BLOCK_BYTES) == lvid->crc)
            replay->lvid_ours = true;
    }
    return 0;
}

static void blocks_drop(struct replay *replay, uint32_t from)
{
    while (replay->block_count > from)
        free(replay->blocks[--replay->block_count].bytes);
}

/* Adds a record's blocks. 1 when it is whole, 0 when not. */
static int record_read(struct replay *replay, uint64_t epoch, uint32_t record, const struct replay_lvid *lvid)
{
    uint32_t before = replay->block_count, slot = 0;
    uint16_t parts = 1;
    for (uint16_t part = 0; part < parts; part++) {
        int whole = part_read(replay, epoch, record, part, &slot);
        if (whole == 1 && (part == 0 || replay->headers[slot].parts == parts)) {
            parts = replay->headers[slot].parts;
            int err = parts <= replay->journal->log_packets ? part_keep(replay, &replay->headers[slot], lvid)
                                                            : -EUCLEAN;
            whole = err == -EUCLEAN ? 0 : err ? err : 1;
        } else if (whole == 1) {
            whole = 0;
        }
        if (whole != 1) {
            blocks_drop(replay, before);
            return whole;
        }
    }
    /* The ring goes on behind the last packet that counts. */
    replay->journal->next_slot = (slot + 1) % replay->journal->log_packets;
    return 1;
}

/* Reads all of an epoch that is whole. 1 when its first record is. */
static int epoch_read(struct replay *replay, uint64_t epoch, const struct replay_lvid *lvid)
{
    uint32_t record = 0;
    int whole;
    replay->lvid_ours = false;
    while ((whole = record_read(replay, epoch, record, lvid)) == 1)
        record++;
    if (whole < 0)
        return whole;
    if (record_follows(replay, epoch, record))
        replay->damaged = true;
    return record > 0;
}

static uint64_t epoch_newest_below(const struct replay *replay, uint64_t limit)
{
    uint64_t newest = 0;
    for (uint32_t slot = 0; slot < replay->journal->log_packets; slot++)
        if (replay->headers[slot].epoch > newest && replay->headers[slot].epoch < limit)
            newest = replay->headers[slot].epoch;
    return newest;
}

static int epochs_read(struct replay *replay, const struct replay_lvid *lvid)
{
    uint64_t epoch = UINT64_MAX;
    while (!replay->epoch && !replay->damaged && (epoch = epoch_newest_below(replay, epoch)) > 0) {
        int whole = epoch_read(replay, epoch, lvid);
        if (whole < 0)
            return whole;
        if (whole)
            replay->epoch = epoch;
    }
    return 0;
}

/* The number leaves one out, because a packet that cannot be read today could hold
 * that epoch, and be read tomorrow. */
static void journal_continue(struct replay *replay, const struct replay_lvid *lvid)
{
    struct udf_journal *journal = replay->journal;
    for (uint32_t slot = 0; slot < journal->log_packets; slot++)
        journal->slots[slot] = replay->headers[slot].epoch;
    journal->epoch = epoch_newest_below(replay, UINT64_MAX) + 2;
    journal->epoch_before = replay->epoch;
    journal->record = 0;
    journal->lvid_home_crc = lvid->readable ? lvid->crc : 0;
}

static int blocks_apply(const struct replay *replay)
{
    struct udf_store *store = replay->store;
    for (uint32_t i = 0; i < replay->block_count; i++) {
        mmc_lba_t lba = journal_address_now(store, replay->blocks[i].address);
        if (lba.n < 0 || (uint32_t)lba.n >= store->vol->dev->geometry.blocks ||
            journal_holds(replay->journal, lba))
            continue;
        int err = store_logged_put(store, lba, replay->blocks[i].bytes, true);
        if (err)
            return err;
    }
    return 0;
}

/* Says what was found, and whether it is to be laid over the device. */
static bool replay_judge(struct replay *replay, const struct replay_lvid *lvid)
{
    struct udf_volume *vol = replay->store->vol;
    if (lvid->readable && !lvid->open)
        return false;
    if (replay->epoch && lvid->readable && !replay->lvid_ours) {
        udf_message(
            vol, UDF_LEVEL_WARNING,
            "another system wrote to the volume after this one; what was left in the journal is out of date "
            "and ignored");
        return false;
    }
    if (replay->damaged) {
        udf_message(vol, UDF_LEVEL_ERROR, "a part of the journal that was written can no longer be read");
        udf_recognise_read_only(vol,
                                "its journal is damaged: copy off what you need, then make a new volume");
    }
    return replay->epoch > 0;
}

static void replay_free(struct replay *replay)
{
    blocks_drop(replay, 0);
    free(replay->headers);
    free(replay->packet);
    free(replay->blocks);
}

int journal_replay(struct udf_store *store, struct replay_lvid *lvid, bool *replayed, uint64_t *epoch)
{
    struct udf_journal *journal = store->journal;
    struct replay replay = {.store = store, .journal = journal};
    replay.headers = calloc(journal->log_packets, sizeof *replay.headers);
    replay.packet = malloc((size_t)journal->packet_blocks * UDF_BLOCK_BYTES);
    replay.blocks = calloc((size_t)journal->log_packets * journal->packet_blocks, sizeof *replay.blocks);
    int err = replay.headers && replay.packet && replay.blocks ? headers_read(&replay) : -ENOMEM;
    if (!err)
        err = epochs_read(&replay, lvid);
    if (!err) {
        journal_continue(&replay, lvid);
        *replayed = replay_judge(&replay, lvid);
        if (*replayed) {
            *epoch = replay.epoch;
            lvid->at = journal_address_now(store, replay.lvid_at);
            err = blocks_apply(&replay);
        }
    }
    replay_free(&replay);
    return err;
}
