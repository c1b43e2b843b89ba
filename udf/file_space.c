/* SPDX-License-Identifier: MIT */
/* The space of a file without its data: preallocation, holes made and found. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "udf/content.h"

/* Blocks allocated in one transaction: they cost descriptors only. */
#define SPACE_BLOCKS_MAX 16384u

struct space {
    struct udf_inode *inode;
    int mode;
    uint64_t offset, end; /* bytes */
    uint32_t next;        /* block from which on there is something left to allocate */
};

/* Zeros in the parts of blocks at both ends; *first and *last get the whole
 * blocks between, within the file. */
static int space_edges(struct udf_inode *inode, uint64_t offset, uint64_t end, uint32_t *first,
                       uint32_t *last)
{
    uint64_t size = inode->fe.info_length, stop = end < size ? end : size;
    *first = udf_blocks_of(offset);
    *last = end >= size ? udf_blocks_of(end) : (uint32_t)(end / UDF_BLOCK_BYTES);
    int err = 0;
    if (offset % UDF_BLOCK_BYTES && offset < stop) {
        uint64_t edge = (uint64_t)*first * UDF_BLOCK_BYTES;
        err = udf_content_zero(inode, offset, (uint32_t)((edge < stop ? edge : stop) - offset));
    }
    if (!err && *last >= *first && end < size && end % UDF_BLOCK_BYTES)
        err = udf_content_zero(inode, (uint64_t)*last * UDF_BLOCK_BYTES, (uint32_t)(end % UDF_BLOCK_BYTES));
    return err;
}

static int space_punch(struct space *space)
{
    struct udf_inode *inode = space->inode;
    uint32_t first, last;
    uint64_t size = inode->fe.info_length;
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED) {
        if (space->offset >= size)
            return 0;
        return udf_content_zero(inode, space->offset,
                                (uint32_t)((space->end < size ? space->end : size) - space->offset));
    }
    int err = udf_extents_room(inode, 4);
    if (!err)
        err = space_edges(inode, space->offset, space->end, &first, &last);
    return !err && last > first ? udf_extents_punch(inode, first, last - first) : err;
}

/* Whole blocks that hold something become allocated only. */
static int space_unrecord(struct udf_inode *inode, uint32_t first, uint32_t last)
{
    while (first < last) {
        size_t index = udf_extents_index(inode, first);
        if (index == inode->extent_count)
            return 0;
        const struct udf_extent *extent = &inode->extents[index];
        uint32_t end = extent->first + extent->count, count = (end < last ? end : last) - first;
        struct udf_address at = {.block = extent->at.block + (first - extent->first),
                                 .part = extent->at.part};
        if (extent->type == UDF_EXTENT_RECORDED) {
            int err = udf_extents_room(inode, 4);
            if (!err)
                err = udf_extents_set(inode, first, count, UDF_EXTENT_ALLOCATED, at);
            if (err)
                return err;
        }
        first += count;
    }
    return 0;
}

static int space_zero(struct space *space)
{
    struct udf_inode *inode = space->inode;
    uint32_t first, last;
    uint64_t size = inode->fe.info_length;
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED) {
        uint64_t stop = space->end < size ? space->end : size;
        return space->offset < stop ? udf_content_zero(inode, space->offset, (uint32_t)(stop - space->offset))
                                    : 0;
    }
    int err = space_edges(inode, space->offset, space->end, &first, &last);
    return err ? err : space_unrecord(inode, first, last);
}

/* The first steps, in one transaction: zeros, and contents that outgrow the ICB. */
static int space_begin(struct space *space)
{
    struct udf_inode *inode = space->inode;
    int err = inode->foreign ? -EROFS : 0;
    if (!err && space->mode & FALLOC_FL_PUNCH_HOLE)
        err = space_punch(space);
    if (!err && space->mode & FALLOC_FL_ZERO_RANGE)
        err = space_zero(space);
    if (!err && !(space->mode & FALLOC_FL_PUNCH_HOLE) && udf_content_kind(inode) == UDF_AD_EMBEDDED &&
        space->end > udf_content_area(inode))
        err = udf_content_unembed(inode, UDF_ALLOC_DATA, UDF_WRITE_DATA, 1);
    if (!err && space->mode)
        udf_inode_touch(inode, true);
    udf_inode_dirty(inode);
    return err;
}

/* A piece of the range gets its blocks; the size follows with what lies before it. */
static int space_allocate(struct space *space)
{
    struct udf_inode *inode = space->inode;
    uint32_t last = udf_blocks_of(space->end), before = udf_extents_end(inode);
    bool embedded = udf_content_kind(inode) == UDF_AD_EMBEDDED;
    uint32_t count = last - space->next < SPACE_BLOCKS_MAX ? last - space->next : SPACE_BLOCKS_MAX;
    uint64_t reached = (uint64_t)(space->next + count) * UDF_BLOCK_BYTES;
    int err = 0;
    if (reached > space->end)
        reached = space->end;
    if (embedded)
        reached = space->end;
    bool grow = !(space->mode & FALLOC_FL_KEEP_SIZE) && reached > inode->fe.info_length;
    /* A gap between the end of the file and what is kept behind it is filled: only
     * allocated blocks may lie there. */
    uint32_t first = space->next > before && !grow ? before : space->next;
    if (!embedded)
        err = udf_content_allocate(inode, UDF_ALLOC_DATA, first, space->next + count - first);
    if (!err && grow)
        err = udf_content_resize(inode, reached);
    if (err)
        udf_extents_cut(inode, before);
    else
        space->next = embedded ? last : space->next + count;
    udf_inode_touch(inode, grow);
    udf_inode_dirty(inode);
    return err;
}

static int space_begin_change(void *ctx)
{
    struct space *space = ctx;
    pthread_rwlock_wrlock(&space->inode->lock);
    int err = space_begin(space);
    pthread_rwlock_unlock(&space->inode->lock);
    return err;
}

static int space_allocate_change(void *ctx)
{
    struct space *space = ctx;
    pthread_rwlock_wrlock(&space->inode->lock);
    int err = space_allocate(space);
    pthread_rwlock_unlock(&space->inode->lock);
    return err;
}

/* After a failure: nothing stays behind the end of the file that this call put there. */
static int space_undo_change(void *ctx)
{
    struct space *space = ctx;
    struct udf_inode *inode = space->inode;
    pthread_rwlock_wrlock(&inode->lock);
    udf_extents_cut(inode, udf_blocks_of(inode->fe.info_length));
    udf_inode_dirty(inode);
    pthread_rwlock_unlock(&inode->lock);
    return 0;
}

int udf_file_allocate(struct udf_inode *inode, int mode, uint64_t offset, uint64_t len)
{
    if (udf_inode_is_dir(inode))
        return -EISDIR;
    if (!udf_inode_is_file(inode))
        return -ENODEV;
    if (mode & FALLOC_FL_PUNCH_HOLE ? mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
                                    : mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE))
        return -EOPNOTSUPP;
    if (!len)
        return -EINVAL;
    if (offset > UDF_FILE_BYTES_MAX || len > UDF_FILE_BYTES_MAX - offset)
        return -EFBIG;
    struct space space = {.inode = inode,
                          .mode = mode,
                          .offset = offset,
                          .end = offset + len,
                          .next = (uint32_t)(offset / UDF_BLOCK_BYTES)};
    int err = udf_change(inode->vol, udf_inode_change_blocks(inode), space_begin_change, &space);
    while (!err && !(mode & FALLOC_FL_PUNCH_HOLE) && space.next < udf_blocks_of(space.end))
        err = udf_change(inode->vol, udf_inode_change_blocks(inode), space_allocate_change, &space);
    if (err && !(mode & FALLOC_FL_PUNCH_HOLE))
        udf_change(inode->vol, udf_inode_change_blocks(inode), space_undo_change, &space);
    return err;
}

/* The first place from offset on that is data, or is not; the end of the file ends the last of either. */
static off_t seek_locked(struct udf_inode *inode, uint64_t offset, bool data)
{
    uint64_t size = inode->fe.info_length;
    if (offset >= size)
        return -ENXIO;
    if (udf_content_kind(inode) == UDF_AD_EMBEDDED)
        return (off_t)(data ? offset : size);
    for (size_t i = udf_extents_index(inode, (uint32_t)(offset / UDF_BLOCK_BYTES)); i < inode->extent_count;
         i++) {
        const struct udf_extent *extent = &inode->extents[i];
        uint64_t start = (uint64_t)extent->first * UDF_BLOCK_BYTES;
        if (start >= size)
            break;
        if ((extent->type == UDF_EXTENT_RECORDED) == data)
            return (off_t)(start > offset ? start : offset);
    }
    return data ? -ENXIO : (off_t)size;
}

off_t udf_file_seek(struct udf_inode *inode, off_t offset, int whence)
{
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return -EINVAL;
    if (offset < 0)
        return -ENXIO;
    pthread_rwlock_rdlock(&inode->lock);
    off_t found = seek_locked(inode, (uint64_t)offset, whence == SEEK_DATA);
    pthread_rwlock_unlock(&inode->lock);
    return found;
}
