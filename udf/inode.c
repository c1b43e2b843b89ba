/* SPDX-License-Identifier: MIT */
/* An inode as programs see it: read from its ICB, its attributes shown and set, made durable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "udf/content.h"
#include "udf/inode_table.h"

/* Blocks 0 and 1 of partition 0 would have the inode numbers 0 and 1, which are nobody's. */
#define INO_ALIAS_PART 0xFFFFu

udf_ino_t udf_ino_of(struct udf_address icb)
{
    uint16_t part = !icb.part && icb.block <= 1 ? INO_ALIAS_PART : icb.part;
    return (udf_ino_t)part << 32 | icb.block;
}

struct udf_address udf_ino_address(udf_ino_t ino)
{
    uint32_t part = (uint32_t)(ino >> 32);
    bool alias = part == INO_ALIAS_PART && (uint32_t)ino <= 1;
    return (struct udf_address){.block = (uint32_t)ino,
                                .part = alias                 ? 0
                                        : part < UDF_MAPS_MAX ? (uint16_t)part
                                                              : INO_ALIAS_PART};
}

static bool load_type_known(uint8_t type)
{
    switch (type) {
    case UDF_FILE_UNSAID:
    case UDF_FILE_DIRECTORY:
    case UDF_FILE_REGULAR:
    case UDF_FILE_BLOCK_DEVICE:
    case UDF_FILE_CHAR_DEVICE:
    case UDF_FILE_FIFO:
    case UDF_FILE_SOCKET:
    case UDF_FILE_SYMLINK:
    case UDF_FILE_REAL_TIME:
        return true;
    default:
        return false;
    }
}

static int load_contents(struct udf_inode *inode, const struct udf_file_entry *fe)
{
    if (udf_content_kind(inode) != UDF_AD_EMBEDDED)
        return udf_extents_load(inode, fe);
    if (fe->info_length > fe->ads_len)
        return -EUCLEAN;
    return udf_content_embed(inode, fe->ads, (uint32_t)fe->info_length);
}

int udf_inode_load(struct udf_inode *inode)
{
    struct udf_volume *vol = inode->vol;
    uint8_t block[UDF_BLOCK_BYTES];
    int err = udf_blocks_read(vol, inode->icb, 1, block);
    if (!err)
        err = udf_file_entry_decode(block, inode->icb.block, &inode->fe);
    if (err)
        return err;
    struct udf_file_entry fe = inode->fe;
    inode->fe.ea = inode->fe.ads = NULL;
    if (!load_type_known(fe.file_type))
        return -EUCLEAN;
    if (fe.strategy != 4)
        return -EOPNOTSUPP;
    if (!fe.links)
        return -ESTALE;
    inode->foreign = inode->icb.part != vol->part;
    inode->stream_bytes =
        fe.extended && fe.object_size > fe.info_length ? fe.object_size - fe.info_length : 0;
    if (fe.ea_len) {
        inode->ea = malloc(fe.ea_len);
        if (!inode->ea)
            return -ENOMEM;
        memcpy(inode->ea, fe.ea, fe.ea_len);
    }
    return load_contents(inode, &fe);
}

static dev_t inode_device(struct udf_inode *inode)
{
    uint32_t major, minor;
    bool device = inode->fe.file_type == UDF_FILE_BLOCK_DEVICE || inode->fe.file_type == UDF_FILE_CHAR_DEVICE;
    if (!device || udf_ea_device_find(inode->ea, inode->fe.ea_len, &major, &minor))
        return 0;
    return makedev(major, minor);
}

void udf_inode_stat(struct udf_inode *inode, struct udf_stat *st)
{
    pthread_rwlock_rdlock(&inode->lock);
    const struct udf_file_entry *fe = &inode->fe;
    *st = (struct udf_stat){
        .ino = inode->ino,
        .mode = udf_permissions_to_mode(fe->permissions, fe->file_type, fe->icb_flags),
        .links = fe->links,
        .uid = fe->uid,
        .gid = fe->gid,
        .rdev = inode_device(inode),
        .size = fe->info_length,
        .blocks = ((uint64_t)inode->blocks_recorded + inode->blocks_allocated) * (UDF_BLOCK_BYTES / 512),
        .atime = udf_time_to(&fe->atime),
        .mtime = udf_time_to(&fe->mtime),
        .ctime = udf_time_to(&fe->ctime),
        .btime = udf_time_to(&fe->btime),
    };
    /* The disc counts the parent's name and the ".." of each directory inside; Unix counts "." as well. */
    if (udf_inode_is_dir(inode) && !inode->deleted)
        st->links++;
    int64_t atime = atomic_load(&inode->atime_us);
    if (atime != INT64_MIN)
        st->atime = (struct timespec){.tv_sec = atime / 1000000, .tv_nsec = atime % 1000000 * 1000};
    pthread_rwlock_unlock(&inode->lock);
}

struct set_change {
    struct udf_inode *inode;
    const struct udf_stat *st;
    unsigned mask;
};

void udf_inode_mode_set(struct udf_inode *inode, mode_t mode)
{
    struct udf_file_entry *fe = &inode->fe;
    fe->permissions = udf_permissions_from_mode(mode);
    fe->icb_flags &= (uint16_t) ~(UDF_ICB_SETUID | UDF_ICB_SETGID | UDF_ICB_STICKY);
    fe->icb_flags |=
        (uint16_t)((mode & S_ISUID ? UDF_ICB_SETUID : 0) | (mode & S_ISGID ? UDF_ICB_SETGID : 0) |
                   (mode & S_ISVTX ? UDF_ICB_STICKY : 0));
}

static int set_locked(struct set_change *change)
{
    struct udf_inode *inode = change->inode;
    const struct udf_stat *st = change->st;
    unsigned mask = change->mask;
    struct udf_file_entry *fe = &inode->fe;
    int err = inode->foreign ? -EROFS : 0;
    if (!err && mask & UDF_SET_SIZE)
        err = udf_content_resize(inode, st->size);
    if (err)
        return err;
    udf_inode_touch(inode, mask & UDF_SET_SIZE);
    if (mask & UDF_SET_MODE)
        udf_inode_mode_set(inode, st->mode);
    if (mask & UDF_SET_UID)
        fe->uid = st->uid;
    if (mask & UDF_SET_GID)
        fe->gid = st->gid;
    if (mask & UDF_SET_ATIME) {
        fe->atime = udf_time_from(st->atime);
        atomic_store(&inode->atime_us, INT64_MIN);
    }
    if (mask & UDF_SET_MTIME)
        fe->mtime = udf_time_from(st->mtime);
    if (mask & UDF_SET_CTIME)
        fe->ctime = udf_time_from(st->ctime);
    udf_inode_dirty(inode);
    return 0;
}

static int set_change(void *ctx)
{
    struct set_change *change = ctx;
    pthread_rwlock_wrlock(&change->inode->lock);
    int err = set_locked(change);
    pthread_rwlock_unlock(&change->inode->lock);
    return err;
}

int udf_inode_set(struct udf_inode *inode, const struct udf_stat *st, unsigned mask)
{
    if (mask & UDF_SET_SIZE) {
        if (udf_inode_is_dir(inode))
            return -EISDIR;
        if (!udf_inode_is_file(inode))
            return -EINVAL;
        if (st->size > UDF_FILE_BYTES_MAX)
            return -EFBIG;
    }
    struct set_change change = {.inode = inode, .st = st, .mask = mask};
    return udf_change(inode->vol, udf_inode_change_blocks(inode), set_change, &change);
}

uint32_t udf_inode_change_blocks(struct udf_inode *inode)
{
    pthread_rwlock_rdlock(&inode->lock);
    size_t blocks = UDF_CHANGE_BLOCKS + inode->aed_count;
    pthread_rwlock_unlock(&inode->lock);
    return blocks < UDF_TX_BLOCKS_MAX ? (uint32_t)blocks : UDF_TX_BLOCKS_MAX;
}

int udf_inode_sync(struct udf_inode *inode)
{
    /* Names that lead here are as good as lost without their directories, so that nothing less than a commit
     * of all will do; when nothing waits for one, this inode has all it needs. */
    if (inode->vol->read_only || (!udf_inode_is_dirty(inode) && !udf_tx_dirty(inode->vol)))
        return 0;
    return udf_tx_commit(inode->vol);
}
