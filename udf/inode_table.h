/* SPDX-License-Identifier: MIT */
/* Inside the UDF library: between the table of inodes and the code that reads, makes and destroys them. */
#ifndef UDF_INODE_TABLE_H
#define UDF_INODE_TABLE_H

#include "udf/inode.h"

/* An empty object with one reference, not in the table. NULL without memory. */
struct udf_inode *udf_inode_object(struct udf_volume *vol, struct udf_address icb);
void udf_inode_object_free(struct udf_inode *inode);

/* Reads the ICB into an object (inode.c). -EUCLEAN, -EIO, -ESTALE, -EOPNOTSUPP. */
int udf_inode_load(struct udf_inode *inode);

/* Puts an object into the table, READY. -EEXIST when its block already has one there. */
int udf_inode_insert(struct udf_inode *inode);
/* Takes it off the table and the dirty list. */
void udf_inode_remove(struct udf_inode *inode);

/* Frees the blocks of a deleted, DYING inode in a transaction of its own, and the object (inode_new.c). */
void udf_inode_destroy(struct udf_inode *inode);

/* Whether it waits for a commit. */
bool udf_inode_is_dirty(struct udf_inode *inode);

#endif
