/* SPDX-License-Identifier: MIT */
/*
 * Inside the UDF library: the contents of an inode, file or directory, as extents of blocks or embedded in
 * the ICB. Everything here wants the inode's lock (for writing where something changes) and, for changes, a
 * transaction. Nothing here puts the inode onto the dirty list or sets times.
 */
#ifndef UDF_CONTENT_H
#define UDF_CONTENT_H

#include "udf/inode.h"
#include "udf/space.h"

/* The largest file: 2^31 blocks. */
#define UDF_FILE_BYTES_MAX ((uint64_t)1 << 42)
/* Extents on the disc end at whole blocks below 2^30 bytes. */
#define UDF_EXTENT_BLOCKS_MAX (((1u << 30) - UDF_BLOCK_BYTES) / UDF_BLOCK_BYTES)
/* As many allocation extent descriptors as one transaction may have to rewrite; a file that would need more
 * is too fragmented to grow (-EFBIG). Files of others are read up to the second limit. */
#define UDF_AEDS_WRITE_MAX 160u
#define UDF_AEDS_READ_MAX  4096u

static inline uint32_t udf_blocks_of(uint64_t bytes)
{
    return (uint32_t)((bytes + UDF_BLOCK_BYTES - 1) / UDF_BLOCK_BYTES);
}

/* ---- the list of extents (extent.c, extent_load.c) ---- */

/* Fills the list from the allocation descriptors of a file entry just decoded, chained
 * ones included. -EUCLEAN, -EIO. */
int udf_extents_load(struct udf_inode *inode, const struct udf_file_entry *fe);
/* Index of the extent that holds this block of the file; extent_count beyond the last. */
size_t udf_extents_index(const struct udf_inode *inode, uint32_t block);
/* The block behind the last extent. */
uint32_t udf_extents_end(const struct udf_inode *inode);
/* Replaces what the list says of a range of blocks; a gap before it becomes a
 * hole. Frees nothing. -ENOMEM. */
int udf_extents_set(struct udf_inode *inode, uint32_t first, uint32_t count, uint8_t type,
                    struct udf_address at);
/* Frees the blocks of a range and leaves a hole. A range that reaches past the end of the file takes all that
 * is allocated there with it. -ENOMEM. */
int udf_extents_punch(struct udf_inode *inode, uint32_t first, uint32_t count);
/* Frees everything from a block of the file on. */
void udf_extents_cut(struct udf_inode *inode, uint32_t first);
/* The encoding of the extent that holds this block (or the last one) changes,
 * since the end of the file moves. */
void udf_extents_touch(struct udf_inode *inode, uint32_t block);
/* Allocates allocation extent descriptors for so many extents more than there are: to be called before
 * anything is changed, so that the commit cannot run out of space. -ENOSPC, -EAGAIN, -EFBIG. */
int udf_extents_room(struct udf_inode *inode, uint32_t more);
/* Index of the first allocation extent descriptor that the commit must write; aed_count when none. */
size_t udf_extents_aed_dirty(const struct udf_inode *inode);

enum udf_ad_kind udf_content_kind(const struct udf_inode *inode);
/* Bytes of the ICB that embedded contents or allocation descriptors can have. */
uint32_t udf_content_area(const struct udf_inode *inode);

/* ---- contents (content.c) ---- */

/* Runs of blocks through the store, wherever sparing put them. */
int udf_blocks_read(struct udf_volume *vol, struct udf_address at, uint32_t count, void *buf);
int udf_blocks_write(struct udf_volume *vol, struct udf_address at, uint32_t count, const void *buf,
                     enum udf_write_kind kind);

/* Whether what is written to the packet of this block may go straight to its place, not by way
 * of the journal. Constant while a transaction runs. *left (may be NULL) gets the blocks from
 * there to the end of the packet. */
bool udf_block_direct(struct udf_volume *vol, mmc_lba_t lba, uint32_t *left);

/* Reads bytes that all lie before the end of the file. */
int udf_content_read(struct udf_inode *inode, uint64_t offset, void *buf, size_t len);

/* Allocates the holes in a range of blocks, as allocated and not recorded. May have
 * done part of it when it fails. */
int udf_content_allocate(struct udf_inode *inode, enum udf_alloc_class class, uint32_t first, uint32_t count);

/* Writes whole blocks to a range that is allocated, and makes it recorded. */
int udf_content_put(struct udf_inode *inode, uint32_t first, uint32_t count, const void *buf,
                    enum udf_write_kind kind);

/* Moves embedded contents out into blocks; want: blocks that the file will soon have (at least one is
 * allocated for contents that are not empty). Nothing is changed when it fails. */
int udf_content_unembed(struct udf_inode *inode, enum udf_alloc_class class, enum udf_write_kind kind,
                        uint32_t want);

/* Gives the file entry new embedded contents of up to udf_content_area bytes. -ENOMEM. */
int udf_content_embed(struct udf_inode *inode, const void *bytes, uint32_t len);

/*
 * Writes into a file, growing it, embedded or not. Stops when *logged (blocks that may still go to the
 * journal) is used up; *done says how many bytes were written. What it allocated and did not write stays
 * allocated, not recorded.
 */
int udf_content_write(struct udf_inode *inode, uint64_t offset, const uint8_t *buf, size_t len,
                      uint32_t *logged, size_t *done);

/* Makes bytes of the file read as zeros by writing zeros where something is recorded, within one block. */
int udf_content_zero(struct udf_inode *inode, uint64_t offset, uint32_t len);

/* Notes a new size of contents in blocks whose extents are right for it already. */
void udf_content_size_set(struct udf_inode *inode, uint64_t size);

/* Sets the size; what is behind is freed, what is new reads as zeros. */
int udf_content_resize(struct udf_inode *inode, uint64_t size);

#endif
