/* SPDX-License-Identifier: MIT */
/*
 * The UDF library as programs see it: a volume on a block device, its inodes, directories and files. No FUSE,
 * no SCSI, no threads of its own, no printing. All functions may be called from many threads at once unless
 * said otherwise. They return 0 (or a count) or -errno.
 */
#ifndef UDF_UDF_H
#define UDF_UDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "mmc/block.h"

struct udf_volume;
struct udf_inode;

enum udf_level {
    UDF_LEVEL_ERROR,
    UDF_LEVEL_WARNING,
    UDF_LEVEL_INFO,
    UDF_LEVEL_DEBUG,
};

struct udf_open_options {
    bool read_only;
    bool noatime;
    /* What happened that a person should know (recovered after a power cut,
     * mounted read-only because ...). */
    void (*message)(void *ctx, enum udf_level level, const char *text);
    void *message_ctx;
};

/*
 * Opens the volume on dev. After a power cut its journal is replayed (in memory only, with read_only). A
 * volume that cannot be written (its format, the medium, its flags) is opened read-only, with the reason in
 * udf_volume_stat. -EMEDIUMTYPE: no UDF on the device; -EUCLEAN: UDF, but damaged beyond use (a message says
 * where); -EOPNOTSUPP: a kind of volume that is not supported. dev stays the caller's, and must outlive the
 * volume.
 */
int udf_volume_open(struct block_device *dev, const struct udf_open_options *options,
                    struct udf_volume **vol);

/* Commits, writes everything to its place, closes the integrity descriptor and frees the
 * volume. All inodes must have been put (others are counted and reported). Returns the first
 * error; the volume is gone in any case. */
int udf_volume_close(struct udf_volume *vol);

/* Makes every change so far durable: fsync of everything. */
int udf_volume_sync(struct udf_volume *vol);

/* Like udf_volume_sync when there is something uncommitted; then brings the journal's contents home if idle
 * is set. For a periodic caller. */
int udf_volume_tick(struct udf_volume *vol, bool idle);

struct udf_volume_stat {
    char label[256];
    uint16_t revision; /* 0150h, 0201h, ... */
    bool sparable, journaled, read_only;
    bool closed; /* its integrity descriptor said so when the volume was opened */
    char read_only_reason[160];
    uint64_t blocks, blocks_free, blocks_available; /* of UDF_BLOCK_BYTES; available: to file data */
    uint32_t files, directories;
    unsigned spares, spares_used;
    unsigned name_max; /* most bytes that a name can have in UTF-8 */
};
void udf_volume_stat(struct udf_volume *vol, struct udf_volume_stat *st);

/* ---- inodes ---- */

/* Names an inode on its volume: its ICB's partition reference << 32 | block. Never 0 or 1. */
typedef uint64_t udf_ino_t;
udf_ino_t udf_volume_root(struct udf_volume *vol);

/* A reference to the inode; one object an inode, however often it is got. -ENOENT, -ESTALE, -EUCLEAN, -EIO,
 * -EOPNOTSUPP (an ICB of another strategy than 4). */
int udf_inode_get(struct udf_volume *vol, udf_ino_t ino, struct udf_inode **inode);
/* One more reference to an inode already held. */
struct udf_inode *udf_inode_hold(struct udf_inode *inode);
/* Gives a reference back. The last one to an inode without links frees its blocks. NULL is fine. */
void udf_inode_put(struct udf_inode *inode);

struct udf_stat {
    udf_ino_t ino;
    mode_t mode; /* type and permissions, as stat(2) */
    uint32_t links;
    uid_t uid; /* (uid_t)-1 when the disc does not say */
    gid_t gid;
    dev_t rdev;
    uint64_t size;
    uint64_t blocks; /* of 512 bytes */
    struct timespec atime, mtime, ctime, btime;
};
void udf_inode_stat(struct udf_inode *inode, struct udf_stat *st);

enum udf_set {
    UDF_SET_MODE = 1,
    UDF_SET_UID = 2,
    UDF_SET_GID = 4,
    UDF_SET_SIZE = 8,
    UDF_SET_ATIME = 16,
    UDF_SET_MTIME = 32,
    UDF_SET_CTIME = 64,
};
/* Sets what mask names; mtime and ctime follow by themselves where mask does not name them. */
int udf_inode_set(struct udf_inode *inode, const struct udf_stat *st, unsigned mask);

/* Makes the inode, its data and the names that lead to it durable. */
int udf_inode_sync(struct udf_inode *inode);

/* ---- directories ----
 * Names are UTF-8 of name_len bytes. -ENAMETOOLONG and -EILSEQ as udf_cs0_encode. -ENOTDIR throughout. */

int udf_dir_lookup(struct udf_inode *dir, const char *name, size_t name_len, struct udf_inode **inode);

struct udf_entry {
    const char *name; /* UTF-8, name_len bytes and a 0 */
    size_t name_len;
    udf_ino_t ino;
    bool directory;
    uint64_t next; /* position behind this entry */
};
/* Calls fn for each entry from position on (0: from the start; "." and ".." are the caller's)
 * until it returns non-zero. Positions stay valid while entries are added and removed. fn must not
 * call back into this directory. */
int udf_dir_read(struct udf_inode *dir, uint64_t position, int (*fn)(void *ctx, const struct udf_entry *),
                 void *ctx);
/* The inode number of the directory above; of the root itself for the root. */
udf_ino_t udf_dir_parent(struct udf_inode *dir);

struct udf_new {
    mode_t mode; /* with type: regular, directory, symlink, fifo, socket, device */
    uid_t uid;
    gid_t gid;
    dev_t rdev;         /* devices */
    const char *target; /* symlinks */
};
int udf_dir_create(struct udf_inode *dir, const char *name, size_t name_len, const struct udf_new *new_inode,
                   struct udf_inode **inode);
int udf_dir_link(struct udf_inode *dir, const char *name, size_t name_len, struct udf_inode *inode);
int udf_dir_unlink(struct udf_inode *dir, const char *name, size_t name_len); /* -EISDIR */
int udf_dir_rmdir(struct udf_inode *dir, const char *name, size_t name_len);  /* -ENOTEMPTY */
/* flags as renameat2(2): RENAME_NOREPLACE, RENAME_EXCHANGE. */
int udf_dir_rename(struct udf_inode *from, const char *from_name, size_t from_len, struct udf_inode *to,
                   const char *to_name, size_t to_len, unsigned flags);

/* ---- files ---- */

/* Bytes read, fewer than len only at the end of the file. */
ssize_t udf_file_read(struct udf_inode *inode, uint64_t offset, void *buf, size_t len);
/* All len bytes or -errno. -ENOSPC, -EFBIG. Sets mtime. */
ssize_t udf_file_write(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len);
/* The same for a cache above that writes back late: mtime and ctime stay, since
 * the cache tells them by itself. */
ssize_t udf_file_write_back(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len);
/* mode as fallocate(2): 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
 * FALLOC_FL_ZERO_RANGE (with or without KEEP_SIZE); others -EOPNOTSUPP. */
int udf_file_allocate(struct udf_inode *inode, int mode, uint64_t offset, uint64_t len);
/* SEEK_DATA and SEEK_HOLE. */
off_t udf_file_seek(struct udf_inode *inode, off_t offset, int whence);
/* A symlink's target with a 0 behind it; its length. */
int udf_link_read(struct udf_inode *inode, char *target, size_t max);

#endif
