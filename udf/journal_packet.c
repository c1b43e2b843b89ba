/* SPDX-License-Identifier: MIT */
/*
 * The journal's packets as bytes. Every packet of the log begins with a header of ours, so that nothing that
 * a user wrote into a file can ever stand where the replay looks for one; the header names its volume, since
 * formatting leaves the old volume's log behind. Numbers are little-endian.
 *
 *   log packet, first block                      images packet, first block
 *     0  "PKTFSLOG"                                0  "PKTFSIMG"
 *     8  u32 version 1                             8  u32 version 1
 *    12  u32 CRC-32C of the block, this as 0      12  u32 CRC-32C of the block, this as 0
 *    16  u64 volume key                           16  u64 volume key
 *    24  u64 epoch                                24  u64 epoch
 *    32  u32 record                               32  u64 sequence
 *    36  u16 part                                 40  u32 images
 *    38  u16 parts                                64  for each image: u32 address, u32 slot, u32 CRC-32C
 *    40  u32 blocks of contents
 *    44  u32 CRC-32C of the contents
 *    48  u32 address of the integrity descriptor
 *    52  u32 CRC-32C of the one in place
 *    64  u32 address of each block
 */
#include <string.h>

#include "mmc/bytes.h"
#include "udf/crc32c.h"
#include "udf/journal.h"

#define LOG_MAGIC    "PKTFSLOG"
#define IMAGES_MAGIC "PKTFSIMG"
#define MAGIC_BYTES  8u
#define VERSION      1u
#define CRC_AT       12u
#define LIST_AT      64u
#define IMAGE_BYTES  12u
/* Far from where counting would overflow; an epoch beyond it was not counted to. */
#define EPOCH_MAX (UINT64_C(1) << 60)

static void block_begin(uint8_t block[UDF_BLOCK_BYTES], const char *magic, uint64_t volume_key,
                        uint64_t epoch)
{
    memset(block, 0, UDF_BLOCK_BYTES);
    memcpy(block, magic, MAGIC_BYTES);
    mmc_le32_put(block + 8, VERSION);
    mmc_le64_put(block + 16, volume_key);
    mmc_le64_put(block + 24, epoch);
}

static void block_seal(uint8_t block[UDF_BLOCK_BYTES])
{
    mmc_le32_put(block + CRC_AT, udf_crc32c(0, block, UDF_BLOCK_BYTES));
}

static bool block_valid(const uint8_t block[UDF_BLOCK_BYTES], const char *magic,
                        const struct udf_journal *journal)
{
    uint8_t copy[UDF_BLOCK_BYTES];
    memcpy(copy, block, sizeof copy);
    mmc_le32_put(copy + CRC_AT, 0);
    return !memcmp(block, magic, MAGIC_BYTES) && mmc_le32_get(block + 8) == VERSION &&
           mmc_le32_get(block + CRC_AT) == udf_crc32c(0, copy, sizeof copy) &&
           mmc_le64_get(block + 16) == journal->volume_key && mmc_le64_get(block + 24) &&
           mmc_le64_get(block + 24) < EPOCH_MAX;
}

void journal_header_encode(uint8_t block[UDF_BLOCK_BYTES], const struct journal_header *header)
{
    block_begin(block, LOG_MAGIC, header->volume_key, header->epoch);
    mmc_le32_put(block + 32, header->record);
    mmc_le16_put(block + 36, header->part);
    mmc_le16_put(block + 38, header->parts);
    mmc_le32_put(block + 40, header->count);
    mmc_le32_put(block + 44, header->contents_crc);
    mmc_le32_put(block + 48, (uint32_t)header->lvid_at.n);
    mmc_le32_put(block + 52, header->lvid_home_crc);
    for (uint32_t i = 0; i < header->count; i++)
        mmc_le32_put(block + LIST_AT + 4 * i, (uint32_t)header->addresses[i].n);
    block_seal(block);
}

bool journal_header_decode(const uint8_t block[UDF_BLOCK_BYTES], const struct udf_journal *journal,
                           struct journal_header *header)
{
    if (!block_valid(block, LOG_MAGIC, journal))
        return false;
    header->volume_key = mmc_le64_get(block + 16);
    header->epoch = mmc_le64_get(block + 24);
    header->record = mmc_le32_get(block + 32);
    header->part = mmc_le16_get(block + 36);
    header->parts = mmc_le16_get(block + 38);
    header->count = mmc_le32_get(block + 40);
    header->contents_crc = mmc_le32_get(block + 44);
    header->lvid_at = mmc_lba((int32_t)mmc_le32_get(block + 48));
    header->lvid_home_crc = mmc_le32_get(block + 52);
    if (header->part >= header->parts || header->count >= journal->packet_blocks)
        return false;
    for (uint32_t i = 0; i < header->count; i++)
        header->addresses[i] = mmc_lba((int32_t)mmc_le32_get(block + LIST_AT + 4 * i));
    return true;
}

void images_header_encode(uint8_t block[UDF_BLOCK_BYTES], const struct images_header *header)
{
    block_begin(block, IMAGES_MAGIC, header->volume_key, header->epoch);
    mmc_le64_put(block + 32, header->sequence);
    mmc_le32_put(block + 40, header->count);
    for (uint32_t i = 0; i < header->count; i++) {
        uint8_t *at = block + LIST_AT + IMAGE_BYTES * i;
        mmc_le32_put(at, (uint32_t)header->images[i].address.n);
        mmc_le32_put(at + 4, header->images[i].slot);
        mmc_le32_put(at + 8, header->images[i].crc);
    }
    block_seal(block);
}

bool images_header_decode(const uint8_t block[UDF_BLOCK_BYTES], const struct udf_journal *journal,
                          struct images_header *header)
{
    if (!block_valid(block, IMAGES_MAGIC, journal))
        return false;
    header->volume_key = mmc_le64_get(block + 16);
    header->epoch = mmc_le64_get(block + 24);
    header->sequence = mmc_le64_get(block + 32);
    header->count = mmc_le32_get(block + 40);
    if (header->count > JOURNAL_IMAGES_MAX)
        return false;
    for (uint32_t i = 0; i < header->count; i++) {
        const uint8_t *at = block + LIST_AT + IMAGE_BYTES * i;
        header->images[i].address = mmc_lba((int32_t)mmc_le32_get(at));
        header->images[i].slot = mmc_le32_get(at + 4);
        header->images[i].crc = mmc_le32_get(at + 8);
        if (header->images[i].slot >= journal->images_packets)
            return false;
    }
    return true;
}

mmc_lba_t journal_address(const struct udf_store *store, mmc_lba_t lba)
{
    const struct udf_volume *vol = store->vol;
    udf_block_t block;
    if (!udf_volume_unmap(vol, lba, &block))
        return lba;
    return mmc_lba_add(vol->partitions[vol->part].pd.start, block.n);
}

mmc_lba_t journal_address_now(const struct udf_store *store, mmc_lba_t address)
{
    const struct udf_volume *vol = store->vol;
    const struct udf_pd *pd = &vol->partitions[vol->part].pd;
    int64_t block = (int64_t)address.n - pd->start.n;
    mmc_lba_t lba;
    if (block < 0 || block >= pd->blocks ||
        udf_volume_map(vol, (struct udf_address){(uint32_t)block, vol->part}, 1, &lba, NULL))
        return address;
    return lba;
}
