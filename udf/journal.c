/* SPDX-License-Identifier: MIT */
/*
 * The journal's log: a ring of packets to which a commit appends one record. Two rules keep the newest whole
 * epoch readable at every moment: a record never overwrites its own epoch, and the first record of an epoch
 * does not overwrite the epoch before it. When a big first record leaves no choice, an empty one goes first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/crc32c.h"
#include "udf/journal.h"

#define LOG_PACKETS_MIN    4u
#define AREA_PACKETS_MAX   4096u
#define IMAGES_PACKETS_MIN 2u

static uint64_t volume_key(const struct udf_volume *vol)
{
    uint8_t serial[2];
    const char *id = vol->pvd.volume_set_id;
    mmc_le16_put(serial, vol->tag_serial);
    uint32_t low = udf_crc32c(0, id, strlen(id));
    uint32_t high = udf_crc32c(udf_crc32c(0, serial, sizeof serial), id, strlen(id));
    return (uint64_t)high << 32 | low;
}

static bool areas_valid(const struct udf_store *store, const struct udf_journal_place *place)
{
    int64_t blocks = store->vol->dev->geometry.blocks, packet = store->packet_blocks;
    int64_t log_end = place->log.n + place->log_packets * packet;
    int64_t images_end = place->images.n + place->images_packets * packet;
    return packet > 1 && place->log_packets >= LOG_PACKETS_MIN && place->log_packets <= AREA_PACKETS_MAX &&
           place->images_packets >= IMAGES_PACKETS_MIN && place->images_packets <= AREA_PACKETS_MAX &&
           place->log.n > 0 && place->images.n > 0 && place->log.n % packet == 0 &&
           place->images.n % packet == 0 && log_end <= blocks && images_end <= blocks &&
           (log_end <= place->images.n || images_end <= place->log.n);
}

int journal_open(struct udf_store *store, struct udf_journal **out)
{
    const struct udf_journal_place *place = &store->vol->journal;
    if (!areas_valid(store, place))
        return -EUCLEAN;
    struct udf_journal *journal = calloc(1, sizeof *journal);
    if (!journal)
        return -ENOMEM;
    journal->log = place->log;
    journal->images = place->images;
    journal->log_packets = place->log_packets;
    journal->images_packets = place->images_packets;
    journal->packet_blocks = store->packet_blocks;
    journal->volume_key = volume_key(store->vol);
    journal->epoch = 1;
    journal->image_sequence = 1;
    journal->slots = calloc(journal->log_packets, sizeof *journal->slots);
    journal->bad_slots = calloc(1, journal->log_packets / 8 + 1);
    journal->bad_images = calloc(1, journal->images_packets / 8 + 1);
    if (!journal->slots || !journal->bad_slots || !journal->bad_images) {
        journal_close(journal);
        return -ENOMEM;
    }
    *out = journal;
    return 0;
}

void journal_close(struct udf_journal *journal)
{
    if (!journal)
        return;
    free(journal->slots);
    free(journal->bad_slots);
    free(journal->bad_images);
    free(journal);
}

mmc_lba_t journal_slot_place(const struct udf_journal *journal, uint32_t slot)
{
    return mmc_lba_add(journal->log, (int64_t)slot * journal->packet_blocks);
}

bool journal_holds(const struct udf_journal *journal, mmc_lba_t lba)
{
    int64_t in_log = (int64_t)lba.n - journal->log.n, in_images = (int64_t)lba.n - journal->images.n;
    return (in_log >= 0 && in_log < (int64_t)journal->log_packets * journal->packet_blocks) ||
           (in_images >= 0 && in_images < (int64_t)journal->images_packets * journal->packet_blocks);
}

static bool slot_usable(const struct udf_journal *journal, uint32_t slot)
{
    uint64_t holds = journal->slots[slot];
    if (store_bit(journal->bad_slots, slot) || holds == journal->epoch)
        return false;
    return journal->record > 0 || !holds || holds != journal->epoch_before;
}

static uint32_t slots_usable(const struct udf_journal *journal)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < journal->log_packets; slot++)
        count += slot_usable(journal, slot);
    return count;
}

static uint32_t slots_good(const struct udf_journal *journal)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < journal->log_packets; slot++)
        count += !store_bit(journal->bad_slots, slot);
    return count;
}

/* Packets that the next record may have. One is kept for the empty record that may have to begin the next
 * epoch, and in an epoch with nothing in it yet another one, for that which may have to begin this one. */
static uint32_t parts_most(const struct udf_journal *journal)
{
    uint32_t slots = journal->record ? slots_usable(journal) : slots_good(journal);
    uint32_t kept = journal->record ? 1 : 2;
    return slots > kept ? slots - kept : 0;
}

uint32_t journal_room(const struct udf_journal *journal)
{
    return parts_most(journal) * (journal->packet_blocks - 1);
}

uint32_t journal_room_most(const struct udf_journal *journal)
{
    uint32_t slots = slots_good(journal);
    return slots > 2 ? (slots - 2) * (journal->packet_blocks - 1) : 0;
}

int journal_slot_take(struct udf_journal *journal, uint32_t *slot)
{
    for (uint32_t i = 0; i < journal->log_packets; i++) {
        uint32_t at = (journal->next_slot + i) % journal->log_packets;
        if (slot_usable(journal, at)) {
            journal->slots[at] = journal->epoch;
            journal->next_slot = (at + 1) % journal->log_packets;
            *slot = at;
            return 0;
        }
    }
    return -ENOSPC;
}

/* One packet of a record: header, contents, zeros. */
static void part_build(const struct udf_store *store, uint16_t part, uint16_t parts,
                       const struct store_item *items, uint32_t count, uint8_t *packet)
{
    const struct udf_journal *journal = store->journal;
    struct journal_header header = {.volume_key = journal->volume_key,
                                    .epoch = journal->epoch,
                                    .record = journal->record,
                                    .part = part,
                                    .parts = parts,
                                    .count = count,
                                    .lvid_home_crc = journal->lvid_home_crc,
                                    .lvid_at = journal_address(store, store->vol->lvid_at)};
    memset(packet, 0, (size_t)journal->packet_blocks * UDF_BLOCK_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        header.addresses[i] = journal_address(store, items[i].lba);
        memcpy(packet + (size_t)(i + 1) * UDF_BLOCK_BYTES, items[i].bytes, UDF_BLOCK_BYTES);
    }
    header.contents_crc = udf_crc32c(0, packet + UDF_BLOCK_BYTES, (size_t)count * UDF_BLOCK_BYTES);
    journal_header_encode(packet, &header);
}

static int record_write(struct udf_store *store, const struct store_item *items, uint32_t count,
                        uint16_t parts)
{
    struct udf_journal *journal = store->journal;
    uint8_t *packet = malloc((size_t)journal->packet_blocks * UDF_BLOCK_BYTES);
    int err = packet ? 0 : -ENOMEM;
    for (uint16_t part = 0; part < parts && !err; part++) {
        uint32_t slot, most = journal->packet_blocks - 1, piece = count < most ? count : most;
        err = journal_slot_take(journal, &slot);
        if (err)
            break;
        part_build(store, part, parts, items, piece, packet);
        err = store_device_write(store, journal_slot_place(journal, slot), journal->packet_blocks, packet,
                                 BLOCK_WRITE_FRESH);
        count -= piece;
        if (count)
            items += piece;
    }
    free(packet);
    if (!err)
        err = store_sync(store);
    if (!err)
        journal->record++;
    return err;
}

int journal_append(struct udf_store *store, const struct store_item *items, uint32_t count)
{
    struct udf_journal *journal = store->journal;
    uint32_t parts = (count + journal->packet_blocks - 2) / (journal->packet_blocks - 1);
    int err = 0;
    if (!parts)
        parts = 1;
    if (parts > parts_most(journal))
        return -ENOSPC;
    if (!journal->record && slots_usable(journal) < parts)
        err = record_write(store, NULL, 0, 1);
    return err ? err : record_write(store, items, count, (uint16_t)parts);
}

void journal_epoch_end(struct udf_journal *journal, uint32_t lvid_home_crc)
{
    journal->lvid_home_crc = lvid_home_crc;
    if (!journal->record)
        return;
    journal->epoch_before = journal->epoch++;
    journal->record = 0;
}
