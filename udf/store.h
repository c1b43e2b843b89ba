/* SPDX-License-Identifier: MIT */
/*
 * Inside the UDF library: where blocks live between the code that changes them and the medium.
 *
 * The danger is a packet torn by a power cut: all of its blocks are gone, the old ones too. So a packet that
 * holds anything that the last commit made durable ("live") is rewritten only when a second copy of its live
 * blocks is on the medium:
 *   - blocks bound for a packet with nothing live in it go straight to their place, before the commit
 *     ("direct");
 *   - all other changed blocks of a transaction go into the journal's log as one record, whose arrival is
 *     the commit;
 *   - later, the checkpoint writes each packet with logged blocks to the images area first, then to its
 *     place.
 *
 * A transaction is thus all or nothing, whatever the power does. See docs/crash-model.md.
 *
 * Without a journal (volumes that others made) the same calls write in place in a careful order.
 */
#ifndef UDF_STORE_H
#define UDF_STORE_H

#include "udf/volume.h"

/*
 * Opens the store on vol->dev after udf_volume_recognise. With a journal whose newest epoch was not brought
 * home, its blocks are laid over the device at once (*recovered is set), so that every later read sees the
 * committed state.
 */
int udf_store_open(struct udf_volume *vol, bool *recovered);
void udf_store_close(struct udf_volume *vol); /* frees only: commit and checkpoint come first */

/* Reads blocks as the newest write left them. -EIO names no block: the caller knows the range. */
int udf_store_read(struct udf_volume *vol, mmc_lba_t first, uint32_t count, void *buf);

enum udf_write_kind {
    UDF_WRITE_META, /* held until the commit, coalescing */
    UDF_WRITE_DATA, /* given to the device at once where that is safe, otherwise as META */
};
/* Writes blocks, inside a transaction (udf_tx_begin). May wait for the device. */
int udf_store_write(struct udf_volume *vol, mmc_lba_t first, uint32_t count, const void *buf,
                    enum udf_write_kind kind);

/* The blocks were freed: what is held of them need not be written. */
void udf_store_forget(struct udf_volume *vol, mmc_lba_t first, uint32_t count);

/* ---- transactions (tx.c) ---- */

/*
 * Every change runs between these two, and holds them off from a commit. blocks: an upper estimate of the
 * metadata blocks (and undirect data blocks) that it will write, at most UDF_TX_BLOCKS_MAX; begin commits
 * first when the log has no room for so many. Opens the integrity descriptor before the first change. -EROFS,
 * -EIO.
 *
 * Lock order: transaction, then inodes (directories before files, smaller ino first), then space, then store.
 * Never nested, never begun with an inode's lock held.
 */
#define UDF_TX_BLOCKS_MAX 256u
int udf_tx_begin(struct udf_volume *vol, uint32_t blocks);
void udf_tx_end(struct udf_volume *vol);

/* Commits everything: dirty inodes (inode.h), space bitmap, LVID counters, all written; durable on return. */
int udf_tx_commit(struct udf_volume *vol);
/* udf_tx_commit, then everything home, log empty. */
int udf_tx_checkpoint(struct udf_volume *vol);
/* Whether anything is uncommitted, or committed and not home. */
bool udf_tx_dirty(struct udf_volume *vol);
bool udf_tx_logged(struct udf_volume *vol);

/* ---- counters of the LVID, part of the running transaction ---- */
void udf_count_files(struct udf_volume *vol, int files, int directories);
/* The next unique id (UDF 3.2.1.1: 32 bits, not below 16). */
uint64_t udf_count_unique(struct udf_volume *vol);

#endif
