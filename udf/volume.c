/* SPDX-License-Identifier: MIT */
/* A volume from opening to closing: the order in which its parts come up, and what makes it read-only. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "udf/inode.h"
#include "udf/recognise.h"
#include "udf/store_part.h"

#define MESSAGE_MAX 512u
/* Bytes of a name that fits in any case: OSTA CS0 has 254 characters of 8
 * bits behind its compression byte. */
#define NAME_MAX_BYTES 254u

void udf_message(const struct udf_volume *vol, enum udf_level level, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;
    if (!vol->options.message)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    vol->options.message(vol->options.message_ctx, level, text);
}

static int fileset_read(struct udf_volume *vol)
{
    struct udf_address at = vol->lvd.fileset.at;
    uint8_t block[UDF_BLOCK_BYTES];
    mmc_lba_t lba;
    int err = udf_volume_map(vol, at, 1, &lba, NULL);
    if (!err)
        err = udf_store_read(vol, lba, 1, block);
    if (!err)
        err = udf_fsd_decode(block, at.block, &vol->fsd);
    if (err) {
        udf_message(vol, UDF_LEVEL_ERROR,
                    "block %u of the partition: the file set descriptor cannot be used: %s", at.block,
                    strerror(-err));
        return err == -EIO ? -EUCLEAN : err;
    }
    if (vol->fsd.domain_flags & 3)
        udf_recognise_read_only(vol, "its file set is marked as write protected");
    return 0;
}

/* Waiting writers, that is commits, come before new readers, that is changes: else
 * a commit might wait for ever. */
static int lock_init(struct udf_volume *vol)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int err = pthread_rwlock_init(&vol->tx_lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    return -err;
}

/* A volume that turns out to be read-only still opens; its journal then stays in memory. */
static int space_open(struct udf_volume *vol)
{
    if (vol->read_only)
        return 0;
    int err = udf_space_open(vol);
    if (err == -EOPNOTSUPP)
        return 0;
    if (!err && !store_room_enough(vol->store))
        udf_recognise_read_only(vol, "its journal is too small");
    return err;
}

/* What a power cut left in the log goes home before anything else changes. */
static int recovery_finish(struct udf_volume *vol)
{
    if (vol->read_only || !vol->store->recovered)
        return 0;
    if (store_checkpoint(vol->store)) {
        vol->failed = false;
        udf_recognise_read_only(vol, "its journal could not be brought home");
    }
    return 0;
}

/* Everything above recognition. What it opened is closed by volume_free. */
static int volume_bring_up(struct udf_volume *vol)
{
    bool recovered;
    int err = udf_store_open(vol, &recovered);
    if (!err)
        err = space_open(vol);
    if (!err)
        err = recovery_finish(vol);
    if (!err)
        err = fileset_read(vol);
    if (!err)
        err = udf_inodes_open(vol);
    return err;
}

static void volume_free(struct udf_volume *vol)
{
    udf_store_close(vol);
    udf_space_close(vol);
    udf_volume_recognise_free(vol);
    pthread_rwlock_destroy(&vol->tx_lock);
    free(vol);
}

int udf_volume_open(struct block_device *dev, const struct udf_open_options *options, struct udf_volume **out)
{
    struct udf_volume *vol = calloc(1, sizeof *vol);
    if (!vol)
        return -ENOMEM;
    vol->dev = dev;
    vol->options = *options;
    int err = lock_init(vol);
    if (err) {
        free(vol);
        return err;
    }
    if (options->read_only)
        udf_recognise_read_only(vol, "read-only was asked for");
    err = udf_volume_recognise(vol);
    vol->closed_at_open = !err && vol->lvid_readable && vol->lvid.integrity == 1;
    if (!err)
        err = volume_bring_up(vol);
    if (err) {
        volume_free(vol);
        return err;
    }
    if (vol->read_only && !options->read_only)
        udf_message(vol, UDF_LEVEL_WARNING, "the volume is opened read-only: %s", vol->read_only_reason);
    *out = vol;
    return 0;
}

int udf_volume_close(struct udf_volume *vol)
{
    int err = vol->read_only ? 0 : store_integrity_close(vol->store);
    unsigned held = udf_inodes_close(vol);
    if (held)
        udf_message(vol, UDF_LEVEL_WARNING, "%u files were still in use when the volume was closed", held);
    volume_free(vol);
    return err;
}

int udf_volume_sync(struct udf_volume *vol)
{
    return udf_tx_commit(vol);
}

int udf_volume_tick(struct udf_volume *vol, bool idle)
{
    int err = 0;
    if (vol->read_only)
        return 0;
    if (udf_tx_dirty(vol))
        err = udf_tx_commit(vol);
    if (!err && idle && udf_tx_logged(vol))
        err = udf_tx_checkpoint(vol);
    return err;
}

void udf_volume_stat(struct udf_volume *vol, struct udf_volume_stat *st)
{
    const struct udf_partition *partition = &vol->partitions[vol->part];
    memset(st, 0, sizeof *st);
    memcpy(st->label, vol->lvd.volume_id, sizeof st->label);
    st->label[sizeof st->label - 1] = 0;
    st->revision = vol->lvd.domain_revision;
    st->sparable = partition->map.kind == UDF_MAP_SPARABLE;
    st->journaled = vol->journal.log_packets > 0;
    st->closed = vol->closed_at_open;
    st->read_only = vol->read_only || vol->failed;
    memcpy(st->read_only_reason, vol->read_only_reason, sizeof st->read_only_reason);
    if (vol->failed && !vol->read_only)
        snprintf(st->read_only_reason, sizeof st->read_only_reason, "a write failed");
    st->blocks = partition->pd.blocks;
    st->blocks_free = udf_space_count(vol);
    st->blocks_available = udf_space_available(vol);
    if (!vol->space && vol->part < vol->lvid.partitions &&
        vol->lvid.free_blocks[vol->part] <= partition->pd.blocks)
        st->blocks_free = st->blocks_available = vol->lvid.free_blocks[vol->part];
    store_counts(vol->store, &st->files, &st->directories);
    st->spares = partition->spare_total;
    st->spares_used = partition->spare_count + vol->store->move_count;
    st->name_max = NAME_MAX_BYTES;
}

udf_ino_t udf_volume_root(struct udf_volume *vol)
{
    return udf_ino_of(vol->fsd.root.at);
}
