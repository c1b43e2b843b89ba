/* SPDX-License-Identifier: MIT */
/* New files, directories, symbolic links and devices, each with its first name, in one transaction. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "udf/content.h"
#include "udf/inode_table.h"
#include "udf/namespace.h"

struct create {
    struct udf_inode *dir, *inode;
    const char *name;
    size_t len;
    const struct udf_new *new_inode;
    uint8_t file_type;
    uint8_t *target; /* symlinks: path components */
    size_t target_len;
};

static int create_type(mode_t mode, uint8_t *type)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        *type = UDF_FILE_REGULAR;
        return 0;
    case S_IFDIR:
        *type = UDF_FILE_DIRECTORY;
        return 0;
    case S_IFLNK:
        *type = UDF_FILE_SYMLINK;
        return 0;
    case S_IFIFO:
        *type = UDF_FILE_FIFO;
        return 0;
    case S_IFSOCK:
        *type = UDF_FILE_SOCKET;
        return 0;
    case S_IFBLK:
        *type = UDF_FILE_BLOCK_DEVICE;
        return 0;
    case S_IFCHR:
        *type = UDF_FILE_CHAR_DEVICE;
        return 0;
    default:
        return -EINVAL;
    }
}

static int create_device(struct udf_inode *inode, dev_t device)
{
    uint8_t ea[UDF_BLOCK_BYTES];
    struct udf_tag tag = udf_volume_tag(inode->vol, inode->icb.block);
    int len = udf_ea_device_encode(ea, sizeof ea, &tag, inode->vol->lvd.domain_revision, major(device),
                                   minor(device));
    if (len < 0)
        return len;
    inode->ea = malloc((size_t)len);
    if (!inode->ea)
        return -ENOMEM;
    memcpy(inode->ea, ea, (size_t)len);
    inode->fe.ea_len = (uint32_t)len;
    return 0;
}

/* What is in the new inode, before it has a name. */
static int create_fill(struct create *create)
{
    struct udf_inode *inode = create->inode;
    const struct udf_new *from = create->new_inode;
    udf_inode_mode_set(inode, from->mode);
    inode->fe.uid = from->uid;
    inode->fe.gid = from->gid;
    if (create->file_type == UDF_FILE_DIRECTORY)
        return udf_dir_init(inode, create->dir);
    if (create->file_type == UDF_FILE_SYMLINK) {
        uint32_t logged = UDF_CHANGE_BLOCKS;
        size_t done;
        int err = udf_content_write(inode, 0, create->target, create->target_len, &logged, &done);
        return err ? err : done < create->target_len ? -EIO : 0;
    }
    if (S_ISBLK(from->mode) || S_ISCHR(from->mode))
        return create_device(inode, from->rdev);
    return 0;
}

static int create_locked(struct create *create)
{
    struct udf_inode *dir = create->dir;
    bool directory = create->file_type == UDF_FILE_DIRECTORY;
    int err = udf_dir_changeable(dir);
    if (!err && udf_dir_index_find(dir->index, create->name, create->len) != UDF_SLOT_NONE)
        err = -EEXIST;
    if (!err && directory && dir->fe.links >= UDF_LINKS_MAX)
        err = -EMLINK;
    if (!err)
        err = udf_inode_new(dir->vol, create->file_type, &create->inode);
    if (err)
        return err;
    err = create_fill(create);
    struct udf_dir_target target = {
        .icb = create->inode->icb, .unique_id = create->inode->fe.unique_id, .directory = directory};
    if (!err)
        err = udf_dir_add(dir, create->name, create->len, &target);
    if (err) {
        udf_inode_discard(create->inode);
        create->inode = NULL;
        return err;
    }
    if (directory) {
        udf_inode_reached(create->inode, dir->ino);
        dir->fe.links++;
    }
    udf_count_files(dir->vol, !directory, directory);
    udf_inode_touch(dir, true);
    udf_inode_dirty(dir);
    udf_inode_dirty(create->inode);
    return 0;
}

static int create_change(void *ctx)
{
    struct create *create = ctx;
    int err = udf_dir_lock_write(create->dir);
    if (err)
        return err;
    err = create_locked(create);
    pthread_rwlock_unlock(&create->dir->lock);
    return err;
}

/* A component takes at least 4 bytes and a name of one letter 6; a letter of
 * UTF-8 at most 2 bytes of a name. */
#define TARGET_BYTES_PER_CHAR 6u

static int create_target(struct create *create)
{
    const char *path = create->new_inode->target;
    if (!path || !*path)
        return -EINVAL;
    size_t max = strlen(path) * TARGET_BYTES_PER_CHAR + 2 * TARGET_BYTES_PER_CHAR;
    create->target = malloc(max);
    if (!create->target)
        return -ENOMEM;
    int len = udf_path_encode(path, create->target, max);
    create->target_len = len < 0 ? 0 : (size_t)len;
    return len < 0 ? len : 0;
}

int udf_dir_create(struct udf_inode *dir, const char *name, size_t name_len, const struct udf_new *new_inode,
                   struct udf_inode **inode)
{
    struct create create = {.dir = dir, .name = name, .len = name_len, .new_inode = new_inode};
    int err = create_type(new_inode->mode, &create.file_type);
    if (!err && create.file_type == UDF_FILE_SYMLINK)
        err = create_target(&create);
    if (!err)
        err = udf_change(dir->vol, udf_inode_change_blocks(dir), create_change, &create);
    free(create.target);
    *inode = err ? NULL : create.inode;
    return err;
}
