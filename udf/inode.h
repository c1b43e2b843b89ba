/* SPDX-License-Identifier: MIT */
/*
 * Inside the UDF library: an inode in memory, its extents and its place in the table of inodes. The ICB on
 * the disc is encoded anew from this at each commit; in between nothing but the object here changes.
 *
 * Locks. The table's lock is innermost and held for a few instructions. An inode's lock guards the fields
 * below it; directories are locked before files, files by ino, and two directories at once only by a thread
 * that holds the namespace lock (udf_namespace_lock), so that these need no order. No lock of an inode is
 * held at udf_tx_begin.
 *
 * Access times live in memory and reach the disc only together with another change of the inode: a read never
 * costs a rewrite of the medium.
 */
#ifndef UDF_INODE_H
#define UDF_INODE_H

#include <stdatomic.h>

#include "udf/store.h"

struct udf_dir_index;

/* A run of a file's blocks, in file order, without gaps between runs. What lies past the end of the file is
 * of type ALLOCATED. The lengths in bytes that the disc wants follow from the information length. */
struct udf_extent {
    uint32_t first, count; /* blocks of the file */
    uint8_t type;          /* enum udf_extent_type: RECORDED, ALLOCATED or HOLE */
    struct udf_address at; /* all zero with HOLE */
};

enum udf_inode_state {
    UDF_INODE_LOADING, /* one thread reads it, others wait */
    UDF_INODE_READY,
    UDF_INODE_FAILED, /* could not be read; gone from the table */
    UDF_INODE_DYING,  /* deleted, its blocks are being freed */
};

struct udf_inode {
    struct udf_volume *vol;
    udf_ino_t ino;
    struct udf_address icb;

    /* under the table's lock */
    enum udf_inode_state state;
    int error; /* FAILED: why */
    unsigned refs;
    struct udf_inode *hash_next, *dirty_next, *dirty_prev;
    bool dirty;           /* in the list of inodes that the commit must encode */
    uint32_t dirty_live;  /* blocks of it that would go into the journal */
    udf_ino_t reached_by; /* directories: the one directory that leads here; 0: not known yet */

    _Atomic int64_t atime_us; /* since 1970, of a read that fe does not know of yet; INT64_MIN: none */

    pthread_rwlock_t lock;    /* all below */
    struct udf_file_entry fe; /* ads and ea do not point anywhere here */
    uint64_t stream_bytes;    /* part of fe.object_size that is not the main stream */
    uint8_t *ea;              /* own copy, fe.ea_len bytes */
    uint8_t *embedded;        /* contents, while they lie in the ICB: fe.info_length bytes */
    struct udf_extent *extents;
    size_t extent_count, extent_room;
    uint32_t blocks_recorded, blocks_allocated; /* sums over the extents of these types */
    size_t extents_clean; /* so many extents from the front are on the disc as they are here; SIZE_MAX: all */
    struct udf_address *aeds; /* blocks that hold the continuations of the allocation descriptors */
    size_t aed_count;
    /* With continuations: the ICB's descriptors as read, valid while no extent changes; NULL after. */
    uint8_t *ads;
    uint32_t ads_len;
    bool foreign; /* some of it lies outside the partition that is written to: cannot be changed */
    bool deleted; /* no name is left; blocks are freed with the last reference */
    struct udf_dir_index *index; /* directories, once looked into */
};

int udf_inodes_open(struct udf_volume *vol);
/* Frees the table; returns how many inodes were still held. */
unsigned udf_inodes_close(struct udf_volume *vol);

/* Puts the inode onto the list of the next commit. Inside a transaction, inode's lock held for writing. */
void udf_inode_dirty(struct udf_inode *inode);
/* For tx.c, with the transaction lock held exclusively: encodes every dirty inode into its ICB (and
 * allocation extent descriptors) through the store, and frees descriptors that are not needed any more. */
int udf_inodes_flush(struct udf_volume *vol);
/* Blocks that udf_inodes_flush would write into packets that are live: for the room in the log. */
uint32_t udf_inodes_dirty_count(struct udf_volume *vol);
/* Inodes that wait for a commit. */
uint32_t udf_inodes_waiting(struct udf_volume *vol);

/* ---- for the other files that deal with inodes ---- */

/* An ICB's inode number and the way back. Blocks 0 and 1 of partition 0 get numbers
 * that no other block can have. */
udf_ino_t udf_ino_of(struct udf_address icb);
struct udf_address udf_ino_address(udf_ino_t ino);

/* A new inode, READY, with one reference and an ICB block of its own, not yet dirty. fe.file_type and times
 * are set, contents are embedded and empty. Inside a transaction. -ENOSPC, -EAGAIN, -ENOMEM. */
int udf_inode_new(struct udf_volume *vol, uint8_t file_type, struct udf_inode **inode);
/* Undoes udf_inode_new, in the same transaction: frees all blocks and the object. */
void udf_inode_discard(struct udf_inode *inode);

/* Notes that directory `by` leads to directory inode. -EUCLEAN when another one
 * does: directories have one name. */
int udf_inode_reached(struct udf_inode *inode, udf_ino_t by);
/* The same after a rename. */
void udf_inode_moved(struct udf_inode *inode, udf_ino_t by);

/* Held by whoever locks more than one directory; inside a transaction, before any inode's lock. */
void udf_namespace_lock(struct udf_volume *vol);
void udf_namespace_unlock(struct udf_volume *vol);

/* File types that read like regular files: not said (ECMA-167 4/14.6.6), and
 * real-time files (UDF 2.3.5.2). */
#define UDF_FILE_UNSAID    0u
#define UDF_FILE_REAL_TIME 249u

static inline bool udf_inode_is_file(const struct udf_inode *inode)
{
    uint8_t type = inode->fe.file_type;
    return type == UDF_FILE_REGULAR || type == UDF_FILE_UNSAID || type == UDF_FILE_REAL_TIME;
}

static inline bool udf_inode_is_dir(const struct udf_inode *inode)
{
    return inode->fe.file_type == UDF_FILE_DIRECTORY;
}

/* Permissions, setuid, setgid and sticky of a mode. */
void udf_inode_mode_set(struct udf_inode *inode, mode_t mode);

/* Encodes the inode into its ICB and AEDs (inode_flush.c). */
int udf_inode_flush(struct udf_inode *inode);

/* Now, and any time, as the disc holds it: with the zone that applies here then. */
struct udf_time udf_time_now(void);
struct udf_time udf_time_from(struct timespec ts);
struct timespec udf_time_to(const struct udf_time *time);
/* mtime and ctime, or ctime alone, become now. */
void udf_inode_touch(struct udf_inode *inode, bool contents);

#define UDF_CHANGE_BLOCKS 24u /* enough for whatever does not write file contents or many descriptors */
/* That, and the descriptors that a change of this inode's extents may rewrite. Takes the inode's lock. */
uint32_t udf_inode_change_blocks(struct udf_inode *inode);

/*
 * Runs change(ctx) inside a transaction that writes at most this many blocks. When it says -EAGAIN
 * (udf_space_alloc does) commits and runs it once more; -ENOSPC if that does not help. change leaves things
 * consistent whatever it returns.
 */
int udf_change(struct udf_volume *vol, uint32_t blocks, int (*change)(void *ctx), void *ctx);

#endif
