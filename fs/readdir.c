/* SPDX-License-Identifier: MIT */
/*
 * Listing directories. A batch of names is gathered first and answered then, because the library may not be
 * called back while it walks a directory. Nothing can come in between: the kernel lets no one change a
 * directory while it reads it.
 *
 * Offsets of the kernel: 0 is the start, 1 is behind ".", 2 is behind ".."; then positions of the library, 2
 * added.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fs.h"

#define ABOVE 2 /* entries that are not the library's */

struct item {
    udf_ino_t ino;
    mode_t type;
    off_t next;
    size_t name; /* offset into names, which may move */
};

struct batch {
    struct item *items;
    size_t count, room;
    char *names;
    size_t names_len, names_room;
    size_t left; /* bytes of the answer not yet spoken for */
    size_t head; /* bytes of an answered entry beside its name */
    int err;
};

static int batch_grow(void **array, size_t *room, size_t need, size_t unit)
{
    size_t want = *room ? *room : 64;
    void *grown;

    if (need <= *room)
        return 0;
    while (want < need)
        want *= 2;
    grown = realloc(*array, want * unit);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *room = want;
    return 0;
}

/* Returns non-zero when the answer is full, or on an error (batch->err). */
static int batch_add(struct batch *batch, const char *name, size_t len, udf_ino_t ino, mode_t type,
                     off_t next)
{
    size_t bytes = (batch->head + len + 7) & ~(size_t)7;

    if (bytes > batch->left)
        return 1;
    batch->err = batch_grow((void **)&batch->items, &batch->room, batch->count + 1, sizeof(*batch->items));
    if (!batch->err)
        batch->err = batch_grow((void **)&batch->names, &batch->names_room, batch->names_len + len + 1, 1);
    if (batch->err)
        return 1;
    batch->items[batch->count++] =
        (struct item){.ino = ino, .type = type, .next = next, .name = batch->names_len};
    memcpy(batch->names + batch->names_len, name, len);
    batch->names[batch->names_len + len] = 0;
    batch->names_len += len + 1;
    batch->left -= bytes;
    return 0;
}

static int batch_entry(void *ctx, const struct udf_entry *entry)
{
    return batch_add(ctx, entry->name, entry->name_len, entry->ino, entry->directory ? S_IFDIR : 0,
                     (off_t)entry->next + ABOVE);
}

static int batch_gather(struct batch *batch, struct udf_inode *dir, off_t offset)
{
    struct udf_stat st;
    int err;

    udf_inode_stat(dir, &st);
    if (offset < 1 && batch_add(batch, ".", 1, st.ino, S_IFDIR, 1))
        return batch->err;
    if (offset < 2 && batch_add(batch, "..", 2, udf_dir_parent(dir), S_IFDIR, ABOVE))
        return batch->err;
    err = udf_dir_read(dir, offset > ABOVE ? (uint64_t)(offset - ABOVE) : 0, batch_entry, batch);
    return err < 0 ? err : batch->err;
}

static bool item_above(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* One entry with its attributes. Like a lookup, it makes the kernel hold a node, except for "." and
 * "..". Returns the bytes added, 0 when an inode cannot be read: the name is then listed without
 * attributes, and a lookup says why. */
static size_t plus_add(fuse_req_t req, char *to, size_t room, const struct item *item, const char *name)
{
    struct fs *fs = fs_of(req);
    struct fuse_entry_param entry = {.attr = {.st_ino = item->ino, .st_mode = item->type}};
    struct udf_inode *inode;
    size_t bytes;

    if (!item_above(name) && !udf_inode_get(fs->vol, item->ino, &inode) && fs_entry_fill(fs, inode, &entry))
        entry = (struct fuse_entry_param){.attr = {.st_ino = item->ino, .st_mode = item->type}};
    bytes = fuse_add_direntry_plus(req, to, room, name, &entry, item->next);
    if (bytes <= room)
        return bytes;
    if (entry.ino)
        fs_nodes_forget(fs, entry.ino, 1);
    return 0;
}

static size_t plain_add(fuse_req_t req, char *to, size_t room, const struct item *item, const char *name)
{
    const struct stat st = {.st_ino = item->ino, .st_mode = item->type};
    size_t bytes = fuse_add_direntry(req, to, room, name, &st, item->next);

    return bytes <= room ? bytes : 0;
}

static void list(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, bool plus)
{
    struct batch batch = {.left = size};
    char *buf = malloc(size ? size : 1);
    size_t used = 0;
    int err = buf ? 0 : -ENOMEM;

    batch.head = plus ? fuse_add_direntry_plus(req, NULL, 0, "", NULL, 0)
                      : fuse_add_direntry(req, NULL, 0, "", NULL, 0);
    if (!err)
        err = batch_gather(&batch, fs_inode_of(req, node), offset);
    for (size_t i = 0; !err && i < batch.count; i++) {
        const struct item *item = &batch.items[i];
        const char *name = batch.names + item->name;
        size_t bytes = plus ? plus_add(req, buf + used, size - used, item, name)
                            : plain_add(req, buf + used, size - used, item, name);

        if (!bytes)
            break;
        used += bytes;
    }
    if (err && !used)
        fuse_reply_err(req, -err);
    else
        fuse_reply_buf(req, buf, used);
    free(batch.items);
    free(batch.names);
    free(buf);
}

/*
 * The kernel may keep the listing: it drops it by itself when it changes the directory.
 *
 * Valid replies:
 *   fuse_reply_open
 *   fuse_reply_err
 */
void fs_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
    (void)node;
    fi->keep_cache = 1;
    fi->cache_readdir = 1;
    fuse_reply_open(req, fi);
}

/*
 * Valid replies:
 *   fuse_reply_buf
 *   fuse_reply_err
 */
void fs_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *fi)
{
    (void)fi;
    list(req, node, size, offset, false);
}

/*
 * Valid replies:
 *   fuse_reply_buf
 *   fuse_reply_err
 */
void fs_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *fi)
{
    (void)fi;
    list(req, node, size, offset, true);
}
