/* SPDX-License-Identifier: MIT */
/*
 * Inside the store: the journal of a volume that has one. docs/crash-model.md says why it is safe, and what
 * its packets look like.
 *
 * The log is a ring of packets. Each holds one part of a record: a header block and up to packet_blocks - 1
 * blocks of contents. A record is a transaction; the records since the last checkpoint are an epoch.
 *
 * The images area holds the packets that a checkpoint is writing to their places.
 */
#ifndef UDF_JOURNAL_H
#define UDF_JOURNAL_H

#include "udf/store_part.h"

#define JOURNAL_IMAGES_MAX 30u /* packets in a batch of images */

struct udf_journal {
    mmc_lba_t log, images;
    uint32_t log_packets, images_packets, packet_blocks;
    uint64_t volume_key; /* tells this volume's packets from what an earlier one left */

    uint64_t epoch;         /* that the next record belongs to */
    uint32_t record;        /* the next record's number in it */
    uint64_t epoch_before;  /* the newest epoch before that; kept on the medium until record 0 of epoch is
                               durable */
    uint64_t *slots;        /* the epoch that each log packet holds; 0: none, or one long gone */
    uint32_t next_slot;     /* where the ring goes on */
    uint32_t lvid_home_crc; /* CRC-32C of the integrity descriptor in place since the last checkpoint */
    uint8_t *bad_slots;     /* log packets that could not be written, a bit each */
    uint8_t *bad_images;    /* packets of the images area likewise */

    uint64_t image_sequence; /* of the next batch */
    uint32_t image_next;     /* where the images area goes on */
};

/* ---- journal_packet.c: what the packets of the journal look like ---- */

/* In front of each packet of the log. Addresses are of the blocks behind it,
 * in order (see journal_address). */
struct journal_header {
    uint64_t volume_key, epoch;
    uint32_t record; /* of the epoch, from 0 */
    uint16_t part, parts;
    uint32_t count;        /* blocks of contents in this packet */
    uint32_t contents_crc; /* CRC-32C of them */
    uint32_t lvid_home_crc;
    mmc_lba_t lvid_at;
    mmc_lba_t addresses[STORE_PACKET_BLOCKS_MAX];
};
void journal_header_encode(uint8_t block[UDF_BLOCK_BYTES], const struct journal_header *header);
/* False when the block is none of this journal's. */
bool journal_header_decode(const uint8_t block[UDF_BLOCK_BYTES], const struct udf_journal *journal,
                           struct journal_header *header);

/* In front of a batch of images. */
struct images_header {
    uint64_t volume_key, epoch, sequence;
    uint32_t count;
    struct {
        mmc_lba_t address; /* of the packet's first block */
        uint32_t slot;     /* packet of the images area */
        uint32_t crc;      /* CRC-32C of the packet */
    } images[JOURNAL_IMAGES_MAX];
};
void images_header_encode(uint8_t block[UDF_BLOCK_BYTES], const struct images_header *header);
bool images_header_decode(const uint8_t block[UDF_BLOCK_BYTES], const struct udf_journal *journal,
                          struct images_header *header);

/* Where a block is in the journal: its place before sparing, which stays the same when
 * its packet is moved; and back. */
mmc_lba_t journal_address(const struct udf_store *store, mmc_lba_t lba);
mmc_lba_t journal_address_now(const struct udf_store *store, mmc_lba_t address);

/* ---- journal.c ---- */

/* Takes vol->journal. -EUCLEAN when the areas make no sense on this device. */
int journal_open(struct udf_store *store, struct udf_journal **journal);
void journal_close(struct udf_journal *journal);
mmc_lba_t journal_slot_place(const struct udf_journal *journal, uint32_t slot);
/* Whether the block is in the log or the images area. */
bool journal_holds(const struct udf_journal *journal, mmc_lba_t lba);

/* Blocks that a record may have now, and in a new epoch. */
uint32_t journal_room(const struct udf_journal *journal);
uint32_t journal_room_most(const struct udf_journal *journal);

/* Appends one record and makes it durable: the commit. -ENOSPC when it has no room in this epoch. */
int journal_append(struct udf_store *store, const struct store_item *items, uint32_t count);
/* All that the epoch holds is home. */
void journal_epoch_end(struct udf_journal *journal, uint32_t lvid_home_crc);
/* The next packet of the log that may be written; it is the current epoch's from then on. -ENOSPC. */
int journal_slot_take(struct udf_journal *journal, uint32_t *slot);

/* ---- replay.c ---- */

/* The integrity descriptor in place. */
struct replay_lvid {
    bool readable, open;
    uint32_t crc; /* CRC-32C of its block */
    mmc_lba_t at;
};
/*
 * Reads the log and sets the journal up for the next epoch. When the descriptor in place says that the newest
 * epoch is not known to be home, puts that epoch into the store as logged blocks: *replayed says so, *epoch
 * which, and lvid->at where the descriptor is. A log that lost a committed record makes the volume read-only.
 */
int journal_replay(struct udf_store *store, struct replay_lvid *lvid, bool *replayed, uint64_t *epoch);

/* ---- images.c ---- */

struct image {
    mmc_lba_t first; /* of the packet, on the device as the store sees it */
    uint8_t *bytes;
};
/* Images that one batch holds. */
uint32_t images_room(const struct udf_journal *journal);
/* Writes a batch of images and makes it durable. */
int images_write(struct udf_store *store, const struct image *images, uint32_t count);
/* Finds the newest whole batch of the epoch: up to JOURNAL_IMAGES_MAX images, for
 * images_free. None is no error. */
int images_read(struct udf_store *store, uint64_t epoch, struct image *images, uint32_t *count);
void images_free(struct image *images, uint32_t count);

#endif
