/* SPDX-License-Identifier: MIT */
/*
 * The table of inodes in memory: one object an inode however many hold it, read by one thread while others
 * wait, kept while it is held or waits for a commit, and the list of those that wait.
 */
#include <errno.h>
#include <stdlib.h>

#include "udf/content.h"
#include "udf/dir_index.h"
#include "udf/inode_table.h"

#define TABLE_BUCKETS_MIN 256u

struct udf_inode_table {
    pthread_mutex_t lock; /* all below, and the fields of inodes that say so */
    pthread_cond_t loaded;
    struct udf_inode **buckets;
    size_t bucket_count, count;
    struct udf_inode *dirty_first, *dirty_last;
    uint32_t dirty_live, dirty_count;
    pthread_mutex_t namespace_lock;
};

int udf_inodes_open(struct udf_volume *vol)
{
    struct udf_inode_table *table = calloc(1, sizeof *table);
    if (!table)
        return -ENOMEM;
    table->bucket_count = TABLE_BUCKETS_MIN;
    table->buckets = calloc(table->bucket_count, sizeof *table->buckets);
    if (!table->buckets) {
        free(table);
        return -ENOMEM;
    }
    pthread_mutex_init(&table->lock, NULL);
    pthread_mutex_init(&table->namespace_lock, NULL);
    pthread_cond_init(&table->loaded, NULL);
    vol->inodes = table;
    return 0;
}

struct udf_inode *udf_inode_object(struct udf_volume *vol, struct udf_address icb)
{
    struct udf_inode *inode = calloc(1, sizeof *inode);
    if (!inode)
        return NULL;
    inode->vol = vol;
    inode->icb = icb;
    inode->ino = udf_ino_of(icb);
    inode->refs = 1;
    inode->extents_clean = SIZE_MAX;
    atomic_init(&inode->atime_us, INT64_MIN);
    pthread_rwlock_init(&inode->lock, NULL);
    return inode;
}

void udf_inode_object_free(struct udf_inode *inode)
{
    udf_dir_index_free(inode->index);
    free(inode->ea);
    free(inode->ads);
    free(inode->embedded);
    free(inode->extents);
    free(inode->aeds);
    pthread_rwlock_destroy(&inode->lock);
    free(inode);
}

unsigned udf_inodes_close(struct udf_volume *vol)
{
    struct udf_inode_table *table = vol->inodes;
    unsigned held = 0;
    if (!table)
        return 0;
    for (size_t i = 0; i < table->bucket_count; i++) {
        for (struct udf_inode *inode = table->buckets[i], *next; inode; inode = next) {
            next = inode->hash_next;
            held += inode->refs > 0;
            udf_inode_object_free(inode);
        }
    }
    pthread_mutex_destroy(&table->lock);
    pthread_mutex_destroy(&table->namespace_lock);
    pthread_cond_destroy(&table->loaded);
    free(table->buckets);
    free(table);
    vol->inodes = NULL;
    return held;
}

static struct udf_inode **table_bucket(struct udf_inode_table *table, udf_ino_t ino)
{
    uint64_t mixed = ino * 0x9E3779B97F4A7C15u;
    return &table->buckets[(mixed >> 32) & (table->bucket_count - 1)];
}

static struct udf_inode *table_find(struct udf_inode_table *table, udf_ino_t ino)
{
    struct udf_inode *inode = *table_bucket(table, ino);
    while (inode && inode->ino != ino)
        inode = inode->hash_next;
    return inode;
}

static void table_insert(struct udf_inode_table *table, struct udf_inode *inode)
{
    struct udf_inode **bucket = table_bucket(table, inode->ino);
    inode->hash_next = *bucket;
    *bucket = inode;
    table->count++;
}

static void table_remove(struct udf_inode_table *table, struct udf_inode *inode)
{
    struct udf_inode **at = table_bucket(table, inode->ino);
    while (*at != inode)
        at = &(*at)->hash_next;
    *at = inode->hash_next;
    table->count--;
}

/* Doubles the buckets when there are more inodes than buckets; without the memory it goes on as it is. */
static void table_grow(struct udf_inode_table *table)
{
    if (table->count < table->bucket_count)
        return;
    struct udf_inode **old = table->buckets;
    size_t old_count = table->bucket_count;
    struct udf_inode **buckets = calloc(old_count * 2, sizeof *buckets);
    if (!buckets)
        return;
    table->buckets = buckets;
    table->bucket_count = old_count * 2;
    table->count = 0;
    for (size_t i = 0; i < old_count; i++) {
        for (struct udf_inode *inode = old[i], *next; inode; inode = next) {
            next = inode->hash_next;
            table_insert(table, inode);
        }
    }
    free(old);
}

static void dirty_remove(struct udf_inode_table *table, struct udf_inode *inode)
{
    if (!inode->dirty)
        return;
    *(inode->dirty_prev ? &inode->dirty_prev->dirty_next : &table->dirty_first) = inode->dirty_next;
    *(inode->dirty_next ? &inode->dirty_next->dirty_prev : &table->dirty_last) = inode->dirty_prev;
    inode->dirty_next = inode->dirty_prev = NULL;
    inode->dirty = false;
    table->dirty_live -= inode->dirty_live;
    table->dirty_count--;
    inode->dirty_live = 0;
}

int udf_inode_insert(struct udf_inode *inode)
{
    struct udf_inode_table *table = inode->vol->inodes;
    pthread_mutex_lock(&table->lock);
    int err = table_find(table, inode->ino) ? -EEXIST : 0;
    if (!err) {
        table_grow(table);
        inode->state = UDF_INODE_READY;
        table_insert(table, inode);
    }
    pthread_mutex_unlock(&table->lock);
    return err;
}

void udf_inode_remove(struct udf_inode *inode)
{
    struct udf_inode_table *table = inode->vol->inodes;
    pthread_mutex_lock(&table->lock);
    dirty_remove(table, inode);
    table_remove(table, inode);
    pthread_mutex_unlock(&table->lock);
}

/* One reference less to an inode that is not in the table, or not deleted. With
 * the table's lock; true: free it. */
static bool inode_unref(struct udf_inode_table *table, struct udf_inode *inode)
{
    if (--inode->refs)
        return false;
    if (inode->state == UDF_INODE_FAILED)
        return true;
    if (inode->dirty)
        return false;
    table_remove(table, inode);
    return true;
}

/* The object is there: waits until it can be used. With the table's lock, which it lets go of. */
static int inode_await(struct udf_inode_table *table, struct udf_inode *inode, struct udf_inode **got)
{
    inode->refs++;
    while (inode->state == UDF_INODE_LOADING)
        pthread_cond_wait(&table->loaded, &table->lock);
    int err = inode->state == UDF_INODE_FAILED ? inode->error : 0;
    bool last = err && inode_unref(table, inode);
    pthread_mutex_unlock(&table->lock);
    if (last)
        udf_inode_object_free(inode);
    if (!err)
        *got = inode;
    return err;
}

int udf_inode_get(struct udf_volume *vol, udf_ino_t ino, struct udf_inode **got)
{
    struct udf_inode_table *table = vol->inodes;
    struct udf_address icb = udf_ino_address(ino);
    mmc_lba_t lba;
    if (udf_volume_map(vol, icb, 1, &lba, NULL))
        return -ESTALE;
    pthread_mutex_lock(&table->lock);
    struct udf_inode *inode = table_find(table, ino);
    if (inode && inode->state == UDF_INODE_DYING) {
        pthread_mutex_unlock(&table->lock);
        return -ESTALE;
    }
    if (inode)
        return inode_await(table, inode, got);
    inode = udf_inode_object(vol, icb);
    if (!inode) {
        pthread_mutex_unlock(&table->lock);
        return -ENOMEM;
    }
    inode->state = UDF_INODE_LOADING;
    table_grow(table);
    table_insert(table, inode);
    pthread_mutex_unlock(&table->lock);

    int err = udf_inode_load(inode);

    pthread_mutex_lock(&table->lock);
    inode->state = err ? UDF_INODE_FAILED : UDF_INODE_READY;
    inode->error = err;
    if (err)
        table_remove(table, inode);
    bool last = err && inode_unref(table, inode);
    pthread_cond_broadcast(&table->loaded);
    pthread_mutex_unlock(&table->lock);
    if (last)
        udf_inode_object_free(inode);
    if (!err)
        *got = inode;
    return err;
}

struct udf_inode *udf_inode_hold(struct udf_inode *inode)
{
    struct udf_inode_table *table = inode->vol->inodes;
    pthread_mutex_lock(&table->lock);
    inode->refs++;
    pthread_mutex_unlock(&table->lock);
    return inode;
}

void udf_inode_put(struct udf_inode *inode)
{
    if (!inode)
        return;
    struct udf_inode_table *table = inode->vol->inodes;
    pthread_mutex_lock(&table->lock);
    bool dying = inode->refs == 1 && inode->deleted;
    bool last = false;
    if (dying)
        inode->state = UDF_INODE_DYING;
    else
        last = inode_unref(table, inode);
    pthread_mutex_unlock(&table->lock);
    if (dying)
        udf_inode_destroy(inode);
    else if (last)
        udf_inode_object_free(inode);
}

int udf_inode_reached(struct udf_inode *inode, udf_ino_t by)
{
    struct udf_inode_table *table = inode->vol->inodes;
    if (inode->ino == udf_volume_root(inode->vol))
        return -EUCLEAN;
    pthread_mutex_lock(&table->lock);
    if (!inode->reached_by)
        inode->reached_by = by;
    int err = inode->reached_by == by ? 0 : -EUCLEAN;
    pthread_mutex_unlock(&table->lock);
    return err;
}

void udf_inode_moved(struct udf_inode *inode, udf_ino_t by)
{
    struct udf_inode_table *table = inode->vol->inodes;
    pthread_mutex_lock(&table->lock);
    inode->reached_by = by;
    pthread_mutex_unlock(&table->lock);
}

void udf_namespace_lock(struct udf_volume *vol)
{
    pthread_mutex_lock(&vol->inodes->namespace_lock);
}

void udf_namespace_unlock(struct udf_volume *vol)
{
    pthread_mutex_unlock(&vol->inodes->namespace_lock);
}

static uint32_t block_live(struct udf_volume *vol, struct udf_address at)
{
    mmc_lba_t lba;
    if (udf_volume_map(vol, at, 1, &lba, NULL))
        return 1;
    return !udf_block_direct(vol, lba, NULL);
}

void udf_inode_dirty(struct udf_inode *inode)
{
    struct udf_volume *vol = inode->vol;
    struct udf_inode_table *table = vol->inodes;
    uint32_t live = block_live(vol, inode->icb);
    for (size_t i = udf_extents_aed_dirty(inode); i < inode->aed_count; i++)
        live += block_live(vol, inode->aeds[i]);
    pthread_mutex_lock(&table->lock);
    table->dirty_live += live - inode->dirty_live;
    inode->dirty_live = live;
    if (!inode->dirty) {
        inode->dirty = true;
        table->dirty_count++;
        inode->dirty_prev = table->dirty_last;
        *(table->dirty_last ? &table->dirty_last->dirty_next : &table->dirty_first) = inode;
        table->dirty_last = inode;
    }
    pthread_mutex_unlock(&table->lock);
}

uint32_t udf_inodes_dirty_count(struct udf_volume *vol)
{
    struct udf_inode_table *table = vol->inodes;
    pthread_mutex_lock(&table->lock);
    uint32_t count = table->dirty_live;
    pthread_mutex_unlock(&table->lock);
    return count;
}

uint32_t udf_inodes_waiting(struct udf_volume *vol)
{
    struct udf_inode_table *table = vol->inodes;
    pthread_mutex_lock(&table->lock);
    uint32_t count = table->dirty_count;
    pthread_mutex_unlock(&table->lock);
    return count;
}

bool udf_inode_is_dirty(struct udf_inode *inode)
{
    struct udf_inode_table *table = inode->vol->inodes;
    pthread_mutex_lock(&table->lock);
    bool dirty = inode->dirty;
    pthread_mutex_unlock(&table->lock);
    return dirty;
}

int udf_inodes_flush(struct udf_volume *vol)
{
    struct udf_inode_table *table = vol->inodes;
    for (;;) {
        pthread_mutex_lock(&table->lock);
        struct udf_inode *inode = table->dirty_first;
        pthread_mutex_unlock(&table->lock);
        if (!inode)
            return 0;
        /* What is on the list stays in memory, and only a transaction could take it off the list: none runs
         * now. For writing, since the surplus of allocation extent descriptors goes. */
        pthread_rwlock_wrlock(&inode->lock);
        int err = udf_inode_flush(inode);
        pthread_rwlock_unlock(&inode->lock);
        if (err)
            return err;

        pthread_mutex_lock(&table->lock);
        dirty_remove(table, inode);
        bool last = !inode->refs;
        if (last)
            table_remove(table, inode);
        pthread_mutex_unlock(&table->lock);
        if (last)
            udf_inode_object_free(inode);
    }
}
