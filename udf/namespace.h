/* SPDX-License-Identifier: MIT */
/* Inside the UDF library: what making, removing and renaming of names share. */
#ifndef UDF_NAMESPACE_H
#define UDF_NAMESPACE_H

#include "udf/dir_index.h"

/* Link counts on the disc have 16 bits, and a directory shows one more than it has there. */
#define UDF_LINKS_MAX 65534u

/*
 * Inodes to be put back once the transaction has ended: the last reference to a deleted one begins a
 * transaction of its own.
 */
#define UDF_NAME_REFS_MAX 16u
struct udf_name_refs {
    struct udf_inode *inodes[UDF_NAME_REFS_MAX];
    unsigned count;
};
/* Hands a reference over; one more to the same inode is given back at once. There must be room. */
void udf_name_refs_add(struct udf_name_refs *refs, struct udf_inode *inode);
void udf_name_refs_put(struct udf_name_refs *refs);

/* Finds a name in a locked directory, gets its inode and keeps it in refs. -ENOENT, -EUCLEAN, -EIO. */
int udf_name_find(struct udf_inode *dir, const char *name, size_t len, uint32_t *slot,
                  struct udf_inode **inode, struct udf_name_refs *refs);
/* What a FID says of the inode that it leads to. */
struct udf_dir_target udf_name_target(const struct udf_inode *dir, uint32_t slot,
                                      const struct udf_inode *inode);

/* One name less for an inode that is locked for writing; without any, it is deleted. Counts it. */
void udf_name_unlinked(struct udf_inode *inode);
/* Whether a directory, locked for writing with its index there, may be
 * removed: 0, -ENOTEMPTY, -EUCLEAN, ... */
int udf_name_removable(struct udf_inode *dir);

#endif
