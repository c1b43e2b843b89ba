/* SPDX-License-Identifier: MIT */
/*
 * Inside the UDF library: an inode in memory, its extents and its place in the table of inodes. The ICB on the disc is
 * encoded anew from this at each commit; in between nothing but the object here changes.
 */
#ifndef UDF_INODE_H
#define UDF_INODE_H

#include "udf/store.h"

struct udf_dir_index;

/* A run of a file's blocks, in file order. The last one may end inside a block. */
struct udf_extent {
    uint64_t bytes;
    uint8_t type;          /* enum udf_extent_type: RECORDED, ALLOCATED or HOLE */
    struct udf_address at; /* not with HOLE */
};

struct udf_inode {
    struct udf_volume *vol;
    struct udf_address icb;
    unsigned refs; /* under the table's lock */
    struct udf_inode *hash_next, *dirty_next;
    bool dirty; /* in the list of inodes that the commit must encode; under the table's lock */

    pthread_rwlock_t lock; /* all below */
    struct udf_file_entry fe; /* ads and ea do not point anywhere here */
    uint8_t *ea;              /* own copy, fe.ea_len bytes */
    uint8_t *embedded;        /* contents, while they lie in the ICB: fe.info_length bytes */
    struct udf_extent *extents;
    size_t extent_count, extent_room;
    struct udf_address *aeds; /* blocks that hold the continuations of the allocation descriptors now */
    size_t aed_count;
    bool extents_dirty; /* allocation descriptors must be laid out again at the commit */
    bool deleted;       /* no name is left; blocks are freed with the last reference */
    struct udf_dir_index *index; /* directories, once looked into */
};

int udf_inodes_open(struct udf_volume *vol);
/* Frees the table; returns how many inodes were still held. */
unsigned udf_inodes_close(struct udf_volume *vol);

/* Puts the inode onto the list of the next commit. Inside a transaction, inode's lock held for writing. */
void udf_inode_dirty(struct udf_inode *inode);
/* For tx.c, with the transaction lock held exclusively: encodes every dirty inode into its ICB (and allocation extent
 * descriptors, for which it may allocate) through the store. */
int udf_inodes_flush(struct udf_volume *vol);
/* Blocks that udf_inodes_flush would write into packets that are live: for the room in the log. */
uint32_t udf_inodes_dirty_count(struct udf_volume *vol);

#endif
