/* SPDX-License-Identifier: MIT */
/*
 * Inside the UDF library: a directory in memory. Its contents are kept whole as bytes, cut into slots of one
 * file identifier descriptor (FID) each; names are found by hash, deleted slots by size, and slots by
 * position, each in constant time. What changes is written at once by dir_change.c, under the directory's
 * lock and in a transaction.
 *
 * Places that make no sense are no slots: they are passed over, and the directory is then not changed any
 * more.
 */
#ifndef UDF_DIR_INDEX_H
#define UDF_DIR_INDEX_H

#include "udf/inode.h"

#define UDF_SLOT_NONE UINT32_MAX
/* A directory of more bytes is not read: -EFBIG. */
#define UDF_DIR_BYTES_MAX (64u << 20)
/* The smallest FID: a name of two bytes. And the largest that we write. */
#define UDF_SLOT_BYTES_MIN 40u
#define UDF_SLOT_BYTES_MAX 292u
/* A name as programs see it: with room for what stands in for characters that Unix cannot have. */
#define UDF_DIR_NAME_MAX (UDF_NAME_UTF8_MAX + 8u)

enum udf_slot_kind {
    UDF_SLOT_UNUSED, /* no part of the directory: the array's own spare room */
    UDF_SLOT_PARENT,
    UDF_SLOT_NAME,
    UDF_SLOT_HIDDEN, /* a name that programs do not see, and that cannot be made anew */
    UDF_SLOT_FREE,   /* a deleted FID */
};

/* Links are indices of slots, or UDF_SLOT_NONE. */
struct udf_dir_slot {
    uint32_t offset, size;           /* bytes */
    uint32_t hash;                   /* of the name */
    uint32_t prev, next;             /* in order of the offsets */
    uint32_t chain_prev, chain_next; /* names of one bucket, free slots of one size, unused ones */
    uint8_t kind;
};

struct udf_dir_index {
    uint8_t *bytes;     /* zeros from len to room */
    uint32_t len, room; /* room: a multiple of the block size */
    struct udf_dir_slot *slots;
    uint32_t slot_count, slot_room; /* indices in use or unused below count */
    uint32_t unused, last;
    uint32_t *block_first; /* for each block of the directory: the first slot that begins in it */
    uint32_t *buckets, bucket_count;
    uint32_t free_first[UDF_BLOCK_BYTES / 4 + 1]; /* by size / 4 */
    uint32_t names;                               /* PARENT not counted, HIDDEN counted */
    struct udf_address parent;
    bool damaged;
};

/* ---- dir_index.c: memory only ---- */

struct udf_dir_index *udf_dir_index_new(void);        /* NULL without memory */
void udf_dir_index_free(struct udf_dir_index *index); /* NULL is fine */
/* Room for len bytes, two slots and one name more, so that what follows cannot fail. -ENOMEM. */
int udf_dir_index_reserve(struct udf_dir_index *index, uint32_t len);

/* A new slot behind slot `prev` (UDF_SLOT_NONE: the first). There is room. Not yet in a chain. */
uint32_t udf_dir_index_insert(struct udf_dir_index *index, uint32_t prev, uint32_t offset, uint32_t size);
/* Takes a slot that is in no chain out of the order. */
void udf_dir_index_remove(struct udf_dir_index *index, uint32_t slot);

void udf_dir_index_name_add(struct udf_dir_index *index, uint32_t slot, enum udf_slot_kind kind,
                            const char *name, size_t len);
void udf_dir_index_name_drop(struct udf_dir_index *index, uint32_t slot);
void udf_dir_index_free_add(struct udf_dir_index *index, uint32_t slot);
void udf_dir_index_free_drop(struct udf_dir_index *index, uint32_t slot);
/* A free slot of exactly this size, or of so much more that the rest makes a slot too. */
uint32_t udf_dir_index_free_find(const struct udf_dir_index *index, uint32_t size);

/* The slot with this name, HIDDEN ones too. */
uint32_t udf_dir_index_find(const struct udf_dir_index *index, const char *name, size_t len);
/* The first slot at or behind this offset. */
uint32_t udf_dir_index_at(const struct udf_dir_index *index, uint64_t offset);
/* The FID of a slot, its pointers into index->bytes. */
void udf_dir_index_fid(const struct udf_dir_index *index, uint32_t slot, struct udf_fid *fid);
/*
 * The name of a FID as programs see it, without a 0: its own, with '_' for slashes and a CRC behind it where
 * the plain name would mean something else (UDF 4.2.2.1). Returns the length or -EUCLEAN.
 */
int udf_dir_name(const struct udf_fid *fid, char name[UDF_DIR_NAME_MAX]);

/* ---- dir_load.c ---- */

/* Lock the directory with its index there. -ENOTDIR; -EUCLEAN, -EFBIG and -EIO from reading it; then it is
 * not locked. */
int udf_dir_lock_read(struct udf_inode *dir);
int udf_dir_lock_write(struct udf_inode *dir);
/* Locked for writing: 0, or why it may not be changed: -EROFS, -EUCLEAN, -ENOENT (it is deleted). */
int udf_dir_changeable(const struct udf_inode *dir);

/* ---- dir_change.c: locked for writing, in a transaction; the directory's own ICB is
 * the caller's to make dirty ---- */

/* What a name leads to. */
struct udf_dir_target {
    struct udf_address icb;
    uint64_t unique_id; /* of the name */
    bool directory;
};

/* Begins a new directory with the entry of its parent. */
int udf_dir_init(struct udf_inode *dir, const struct udf_inode *parent);
/* -EEXIST, -ENAMETOOLONG, -EILSEQ, -EINVAL (no name that Unix can have), -ENOSPC, -EAGAIN. Fails without
 * having changed anything. */
int udf_dir_add(struct udf_inode *dir, const char *name, size_t len, const struct udf_dir_target *target);
int udf_dir_drop(struct udf_inode *dir, uint32_t slot);
/* Makes a name lead elsewhere. */
int udf_dir_point(struct udf_inode *dir, uint32_t slot, const struct udf_dir_target *target);
/* Makes the directory's ".." lead elsewhere. */
int udf_dir_point_parent(struct udf_inode *dir, const struct udf_inode *parent);

#endif
