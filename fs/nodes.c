/* SPDX-License-Identifier: MIT */
/*
 * The inodes that the kernel holds. The kernel names an inode by the id that it got at lookup, and gives it
 * back with forget, except at unmount, where it just stops: so each node is kept in a table, from which all
 * can be released.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/fs.h"

#define SHARDS  64u /* each with its own lock, so that lookups in many threads do not wait for each other */
#define BUCKETS 256u

struct node {
    struct udf_inode *inode; /* one reference; NULL once released at the end */
    uint64_t lookups;
    struct node *next;
};

struct shard {
    pthread_mutex_t lock;
    struct node *buckets[BUCKETS];
};

struct fs_nodes {
    struct shard shards[SHARDS];
};

/* Objects of the library are unique for their inode, so their address serves as the key. */
static uint64_t node_hash(const struct udf_inode *inode)
{
    return (uint64_t)((uintptr_t)inode >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32;
}

static struct shard *node_shard(struct fs_nodes *nodes, const struct udf_inode *inode)
{
    return &nodes->shards[node_hash(inode) % SHARDS];
}

static struct node **node_bucket(struct shard *shard, const struct udf_inode *inode)
{
    return &shard->buckets[node_hash(inode) / SHARDS % BUCKETS];
}

int fs_nodes_open(struct fs *fs)
{
    fs->nodes = calloc(1, sizeof(*fs->nodes));
    if (!fs->nodes)
        return -ENOMEM;
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&fs->nodes->shards[i].lock, NULL);
    return 0;
}

void fs_nodes_release(struct fs *fs)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &fs->nodes->shards[i];

        pthread_mutex_lock(&shard->lock);
        for (unsigned b = 0; b < BUCKETS; b++) {
            for (struct node *node = shard->buckets[b]; node; node = node->next) {
                udf_inode_put(node->inode);
                node->inode = NULL;
            }
        }
        pthread_mutex_unlock(&shard->lock);
    }
}

void fs_nodes_close(struct fs *fs)
{
    if (!fs->nodes)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        for (unsigned b = 0; b < BUCKETS; b++) {
            while (fs->nodes->shards[i].buckets[b]) {
                struct node *node = fs->nodes->shards[i].buckets[b];

                fs->nodes->shards[i].buckets[b] = node->next;
                free(node);
            }
        }
        pthread_mutex_destroy(&fs->nodes->shards[i].lock);
    }
    free(fs->nodes);
    fs->nodes = NULL;
}

fuse_ino_t fs_nodes_enter(struct fs *fs, struct udf_inode *inode)
{
    struct shard *shard = node_shard(fs->nodes, inode);
    struct node **bucket = node_bucket(shard, inode);
    struct node *node;
    bool known = true;

    if (inode == fs->root) {
        udf_inode_put(inode);
        return FUSE_ROOT_ID;
    }
    pthread_mutex_lock(&shard->lock);
    for (node = *bucket; node && node->inode != inode;)
        node = node->next;
    if (!node) {
        known = false;
        node = calloc(1, sizeof(*node));
        if (node) {
            *node = (struct node){.inode = inode, .next = *bucket};
            *bucket = node;
        }
    }
    if (node)
        node->lookups++;
    pthread_mutex_unlock(&shard->lock);
    if (known || !node)
        udf_inode_put(inode);
    return (fuse_ino_t)(uintptr_t)node;
}

void fs_nodes_forget(struct fs *fs, fuse_ino_t id, uint64_t lookups)
{
    struct node *node = (struct node *)(uintptr_t)id;
    struct udf_inode *inode;
    struct shard *shard;

    if (id == FUSE_ROOT_ID)
        return;
    inode = __atomic_load_n(&node->inode, __ATOMIC_ACQUIRE);
    if (!inode)
        return; /* released at the end; fs_nodes_close frees the node */
    shard = node_shard(fs->nodes, inode);
    pthread_mutex_lock(&shard->lock);
    if (!node->inode || node->lookups > lookups) {
        node->lookups -= node->inode ? lookups : 0;
        pthread_mutex_unlock(&shard->lock);
        return;
    }
    for (struct node **at = node_bucket(shard, inode); *at; at = &(*at)->next) {
        if (*at == node) {
            *at = node->next;
            break;
        }
    }
    pthread_mutex_unlock(&shard->lock);
    free(node);
    udf_inode_put(inode);
}

struct udf_inode *fs_nodes_inode(struct fs *fs, fuse_ino_t id)
{
    return id == FUSE_ROOT_ID ? fs->root : ((struct node *)(uintptr_t)id)->inode;
}
