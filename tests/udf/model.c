/* SPDX-License-Identifier: MIT */
/* The operations of the random test, one after another on the volume and on its model in memory. */
#include "tests/udf/model.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"

#define FILE_MAX  200000u
#define BYTES_MAX (6u << 20)
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif

unsigned model_random(struct model *model, unsigned below)
{
    return (unsigned)((random_next(&model->random) >> 33) % below);
}

void model_begin(struct model *model, struct rig *rig, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    model->rig = rig;
    model->random = seed * 0x9E3779B97F4A7C15u + 1;
    for (int i = 0; i < MODEL_ENTRIES; i++)
        model->entries[i].dir = -1;
    model->nodes[0] = (struct model_node){.mode = S_IFDIR, .ino = udf_volume_root(rig->vol), .links = 2};
}

void model_end(struct model *model)
{
    for (int i = 0; i < MODEL_NODES; i++)
        free(model->nodes[i].bytes);
}

static struct udf_inode *node_get(struct model *model, int node)
{
    struct udf_inode *inode;
    assert_int_equal(udf_inode_get(model->rig->vol, model->nodes[node].ino, &inode), 0);
    return inode;
}

static int entry_find(const struct model *model, int dir, const char *name)
{
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (model->entries[i].dir == dir && !strcmp(model->entries[i].name, name))
            return i;
    return -1;
}

static bool dir_empty(const struct model *model, int dir)
{
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (model->entries[i].dir == dir)
            return false;
    return true;
}

static int entry_of_dir(const struct model *model, int node)
{
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (model->entries[i].dir >= 0 && model->entries[i].node == node)
            return i;
    return -1;
}

static bool is_dir(const struct model *model, int node)
{
    return S_ISDIR(model->nodes[node].mode);
}

/* Whether directory above is node or lies above it. */
static bool dir_above(const struct model *model, int above, int node)
{
    while (node != above && node)
        node = model->entries[entry_of_dir(model, node)].dir;
    return node == above;
}

/* A node of this type (0: any), or -1. */
static int node_pick(struct model *model, mode_t type)
{
    int count = 0, picked = -1;
    for (int i = 0; i < MODEL_NODES; i++) {
        mode_t mode = model->nodes[i].mode;
        if (mode && (!type || (mode & S_IFMT) == type) && !model_random(model, (unsigned)++count))
            picked = i;
    }
    return picked;
}

static int entry_pick(struct model *model)
{
    int count = 0, picked = -1;
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (model->entries[i].dir >= 0 && !model_random(model, (unsigned)++count))
            picked = i;
    return picked;
}

static int entry_unused(const struct model *model)
{
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (model->entries[i].dir < 0)
            return i;
    return -1;
}

static int node_unused(const struct model *model)
{
    for (int i = 0; i < MODEL_NODES; i++)
        if (!model->nodes[i].mode)
            return i;
    return -1;
}

/* Names that meet again now and then, of all widths, short and long. */
static void name_make(struct model *model, char *name)
{
    static const char *const stems[] = {"file", "ä", "Ж", "日本", "\U0001F4BF", "a name with blanks", "x"};
    unsigned stem = model_random(model, 7), number = model_random(model, 40);
    unsigned pad = model_random(model, 3) ? 0 : model_random(model, 50);
    snprintf(name, 96, "%s%u%.*s", stems[stem], number, (int)pad,
             "..................................................");
}

static void entry_add(struct model *model, int dir, const char *name, int node)
{
    int entry = entry_unused(model);
    model->entries[entry] = (struct model_entry){.dir = dir, .node = node};
    snprintf(model->entries[entry].name, sizeof model->entries[entry].name, "%s", name);
}

static void node_unlink(struct model *model, int node)
{
    struct model_node *at = &model->nodes[node];
    at->links = S_ISDIR(at->mode) ? 0 : at->links - 1;
    if (at->links)
        return;
    free(at->bytes);
    memset(at, 0, sizeof *at);
}

static void entry_remove(struct model *model, int entry)
{
    struct model_entry at = model->entries[entry];
    model->entries[entry].dir = -1;
    model->entries[entry].name[0] = 0;
    if (is_dir(model, at.node))
        model->nodes[at.dir].links--;
    node_unlink(model, at.node);
}

static void step_create(struct model *model)
{
    static const mode_t types[] = {S_IFREG, S_IFREG, S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFCHR, S_IFSOCK};
    int dir = node_pick(model, S_IFDIR), node = node_unused(model);
    char name[96], target[64];
    name_make(model, name);
    if (node < 0 || entry_unused(model) < 0)
        return;
    struct model_node *at = &model->nodes[node];
    struct udf_new new_inode = {.mode = types[model_random(model, 8)] | (mode_t)model_random(model, 010000),
                                .uid = model_random(model, 3000),
                                .gid = model_random(model, 3000),
                                .rdev = 0x0503};
    snprintf(target, sizeof target, "%s/../ö/%u", model_random(model, 2) ? "/a/b" : "..",
             model_random(model, 1000));
    new_inode.target = target;
    struct udf_inode *parent = node_get(model, dir), *inode;
    int err = udf_dir_create(parent, name, strlen(name), &new_inode, &inode);
    udf_inode_put(parent);
    if (entry_find(model, dir, name) >= 0) {
        assert_int_equal(err, -EEXIST);
        return;
    }
    assert_int_equal(err, 0);
    struct udf_stat st;
    udf_inode_stat(inode, &st);
    *at = (struct model_node){.mode = new_inode.mode,
                              .ino = st.ino,
                              .links = S_ISDIR(new_inode.mode) ? 2 : 1,
                              .uid = new_inode.uid,
                              .gid = new_inode.gid,
                              .mtime = st.mtime.tv_sec};
    snprintf(at->target, sizeof at->target, "%s", target);
    udf_inode_put(inode);
    entry_add(model, dir, name, node);
    if (is_dir(model, node))
        model->nodes[dir].links++;
}

static size_t model_bytes(const struct model *model)
{
    size_t sum = 0;
    for (int i = 0; i < MODEL_NODES; i++)
        sum += model->nodes[i].size;
    return sum;
}

static void node_resize(struct model_node *node, size_t size)
{
    node->bytes = realloc(node->bytes, size + 1);
    if (size > node->size)
        memset(node->bytes + node->size, 0, size - node->size);
    node->size = size;
}

/* A place in a file: mostly near what is there, often at the edges of blocks. */
static size_t place_pick(struct model *model, size_t size)
{
    size_t place = model_random(model, (unsigned)(size + size / 4 + 4000));
    if (!model_random(model, 3))
        place = place / 2048 * 2048;
    if (!model_random(model, 4))
        place = size;
    return place < FILE_MAX ? place : FILE_MAX;
}

static size_t length_pick(struct model *model)
{
    static const unsigned limits[] = {10, 3000, 3000, 20000, 150000};
    size_t len = model_random(model, limits[model_random(model, 5)]) + 1u;
    return model_random(model, 3) ? len : (len + 2047) / 2048 * 2048;
}

static void step_write(struct model *model)
{
    int node = node_pick(model, S_IFREG);
    if (node < 0)
        return;
    struct model_node *at = &model->nodes[node];
    size_t offset = place_pick(model, at->size), len = length_pick(model);
    if (model_bytes(model) + offset + len > BYTES_MAX)
        return;
    uint8_t *bytes = malloc(len);
    random_fill(&model->random, bytes, len);
    struct udf_inode *inode = node_get(model, node);
    assert_int_equal(udf_file_write(inode, offset, bytes, len), len);
    udf_inode_put(inode);
    if (offset + len > at->size)
        node_resize(at, offset + len);
    memcpy(at->bytes + offset, bytes, len);
    free(bytes);
}

static void step_truncate(struct model *model)
{
    int node = node_pick(model, S_IFREG);
    if (node < 0)
        return;
    struct udf_stat st = {.size = model_random(model, 4) ? place_pick(model, model->nodes[node].size) : 0};
    struct udf_inode *inode = node_get(model, node);
    assert_int_equal(udf_inode_set(inode, &st, UDF_SET_SIZE), 0);
    udf_inode_put(inode);
    node_resize(&model->nodes[node], st.size);
}

static void step_allocate(struct model *model)
{
    static const int modes[] = {0,
                                FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_ZERO_RANGE,
                                FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE};
    int node = node_pick(model, S_IFREG), mode = modes[model_random(model, 6)];
    if (node < 0)
        return;
    struct model_node *at = &model->nodes[node];
    size_t offset = place_pick(model, at->size), len = length_pick(model);
    if (model_bytes(model) + offset + len > BYTES_MAX)
        return;
    struct udf_inode *inode = node_get(model, node);
    assert_int_equal(udf_file_allocate(inode, mode, offset, len), 0);
    udf_inode_put(inode);
    if (!(mode & FALLOC_FL_KEEP_SIZE) && offset + len > at->size)
        node_resize(at, offset + len);
    if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && offset < at->size)
        memset(at->bytes + offset, 0, offset + len < at->size ? len : at->size - offset);
}

static void step_link(struct model *model)
{
    int dir = node_pick(model, S_IFDIR), node = node_pick(model, 0);
    char name[96];
    name_make(model, name);
    if (entry_unused(model) < 0)
        return;
    struct udf_inode *parent = node_get(model, dir), *inode = node_get(model, node);
    int err = udf_dir_link(parent, name, strlen(name), inode);
    udf_inode_put(inode);
    udf_inode_put(parent);
    int expected = is_dir(model, node) ? -EPERM : entry_find(model, dir, name) >= 0 ? -EEXIST : 0;
    assert_int_equal(err, expected);
    if (err)
        return;
    model->nodes[node].links++;
    entry_add(model, dir, name, node);
}

static void step_unlink(struct model *model)
{
    int entry = entry_pick(model);
    if (entry < 0)
        return;
    struct model_entry *at = &model->entries[entry];
    bool rmdir = model_random(model, 8) ? is_dir(model, at->node) : !is_dir(model, at->node);
    struct udf_inode *parent = node_get(model, at->dir);
    int err = rmdir ? udf_dir_rmdir(parent, at->name, strlen(at->name))
                    : udf_dir_unlink(parent, at->name, strlen(at->name));
    udf_inode_put(parent);
    int expected = 0;
    if (rmdir && !is_dir(model, at->node))
        expected = -ENOTDIR;
    else if (!rmdir && is_dir(model, at->node))
        expected = -EISDIR;
    else if (rmdir && !dir_empty(model, at->node))
        expected = -ENOTEMPTY;
    assert_int_equal(err, expected);
    if (!err)
        entry_remove(model, entry);
}

/* What rename must say. */
static int rename_expected(const struct model *model, int source, int dir, int target, unsigned flags)
{
    int moved = model->entries[source].node, from = model->entries[source].dir;
    bool exchange = flags & RENAME_EXCHANGE;
    if (is_dir(model, moved) && dir_above(model, moved, dir))
        return -EINVAL;
    if (target < 0)
        return exchange ? -ENOENT : 0;
    int there = model->entries[target].node;
    if (exchange)
        return is_dir(model, there) && there != moved && dir_above(model, there, from) ? -EINVAL : 0;
    if (flags & RENAME_NOREPLACE)
        return -EEXIST;
    if (there == moved)
        return 0;
    if (is_dir(model, there) && dir_above(model, there, from))
        return -ENOTEMPTY;
    if (is_dir(model, moved) != is_dir(model, there))
        return is_dir(model, moved) ? -ENOTDIR : -EISDIR;
    return is_dir(model, there) && !dir_empty(model, there) ? -ENOTEMPTY : 0;
}

static void entry_move(struct model *model, int entry, int dir)
{
    struct model_entry *at = &model->entries[entry];
    if (is_dir(model, at->node)) {
        model->nodes[at->dir].links--;
        model->nodes[dir].links++;
    }
    at->dir = dir;
}

static void rename_apply(struct model *model, int source, int dir, int target, const char *name,
                         unsigned flags)
{
    struct model_entry *from = &model->entries[source];
    if (target >= 0 && model->entries[target].node == from->node)
        return;
    if (flags & RENAME_EXCHANGE) {
        struct model_entry *to = &model->entries[target];
        int old_dir = from->dir;
        char old_name[96];
        memcpy(old_name, from->name, sizeof old_name);
        entry_move(model, source, to->dir);
        entry_move(model, target, old_dir);
        memcpy(from->name, to->name, sizeof from->name);
        memcpy(to->name, old_name, sizeof to->name);
        return;
    }
    if (target >= 0)
        entry_remove(model, target);
    entry_move(model, source, dir);
    snprintf(from->name, sizeof from->name, "%s", name);
}

static void step_rename(struct model *model)
{
    static const unsigned choices[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
    int source = entry_pick(model), dir = node_pick(model, S_IFDIR), other = entry_pick(model);
    char name[96];
    if (source < 0)
        return;
    name_make(model, name);
    if (model_random(model, 2)) {
        dir = model->entries[other].dir;
        snprintf(name, sizeof name, "%s", model->entries[other].name);
    }
    struct model_entry *from = &model->entries[source];
    unsigned flags = choices[model_random(model, 5)];
    int target = entry_find(model, dir, name);
    int expected = rename_expected(model, source, dir, target, flags);
    struct udf_inode *old_dir = node_get(model, from->dir), *new_dir = node_get(model, dir);
    int err = udf_dir_rename(old_dir, from->name, strlen(from->name), new_dir, name, strlen(name), flags);
    udf_inode_put(old_dir);
    udf_inode_put(new_dir);
    assert_int_equal(err, expected);
    if (!err)
        rename_apply(model, source, dir, target, name, flags);
}

static void step_set(struct model *model)
{
    int node = node_pick(model, 0);
    if (!node)
        return;
    struct model_node *at = &model->nodes[node];
    struct udf_stat st = {.mode = model_random(model, 010000),
                          .uid = model_random(model, 70000),
                          .gid = model_random(model, 70000),
                          .mtime = {.tv_sec = model_random(model, 2000000000), .tv_nsec = 123456000}};
    struct udf_inode *inode = node_get(model, node);
    assert_int_equal(udf_inode_set(inode, &st, UDF_SET_MODE | UDF_SET_UID | UDF_SET_GID | UDF_SET_MTIME), 0);
    udf_inode_put(inode);
    at->mode = (at->mode & S_IFMT) | st.mode;
    at->uid = st.uid;
    at->gid = st.gid;
}

void model_step(struct model *model)
{
    static void (*const steps[])(struct model *) = {
        step_create, step_create,   step_create, step_create,   step_write,    step_write,    step_write,
        step_write,  step_write,    step_write,  step_truncate, step_truncate, step_link,     step_unlink,
        step_unlink, step_allocate, step_rename, step_rename,   step_rename,   step_allocate, step_set};
    steps[model_random(model, sizeof steps / sizeof *steps)](model);
}

struct listing {
    const struct model *model;
    int dir;
    unsigned count;
};

static int compare_entry(void *ctx, const struct udf_entry *entry)
{
    struct listing *listing = ctx;
    int found = entry_find(listing->model, listing->dir, entry->name);
    assert_true(found >= 0);
    int node = listing->model->entries[found].node;
    assert_int_equal(entry->ino, listing->model->nodes[node].ino);
    assert_int_equal(entry->directory, is_dir(listing->model, node));
    assert_int_equal(entry->name_len, strlen(entry->name));
    listing->count++;
    return 0;
}

static void compare_dir(struct model *model, int dir, struct udf_inode *inode)
{
    struct listing listing = {.model = model, .dir = dir};
    unsigned count = 0;
    for (int i = 0; i < MODEL_ENTRIES; i++)
        count += model->entries[i].dir == dir;
    assert_int_equal(udf_dir_read(inode, 0, compare_entry, &listing), 0);
    assert_int_equal(listing.count, count);
    int entry = entry_of_dir(model, dir);
    assert_int_equal(udf_dir_parent(inode), model->nodes[entry < 0 ? 0 : model->entries[entry].dir].ino);
}

static void compare_contents(const struct model_node *node, struct udf_inode *inode)
{
    uint8_t *bytes = malloc(node->size + 10);
    assert_int_equal(udf_file_read(inode, 0, bytes, node->size + 10), node->size);
    if (node->size)
        assert_memory_equal(bytes, node->bytes, node->size);
    free(bytes);
}

static void compare_node(struct model *model, int node, struct udf_inode *inode)
{
    const struct model_node *at = &model->nodes[node];
    struct udf_stat st;
    char target[64];
    udf_inode_stat(inode, &st);
    assert_int_equal(st.ino, at->ino);
    assert_int_equal(st.mode & S_IFMT, at->mode & S_IFMT);
    assert_int_equal(st.links, at->links);
    if (!node)
        return;
    assert_int_equal(st.mode, at->mode);
    assert_int_equal(st.uid, at->uid);
    assert_int_equal(st.gid, at->gid);
    if (S_ISREG(at->mode))
        assert_int_equal(st.size, at->size);
    if (S_ISREG(at->mode))
        compare_contents(at, inode);
    if (S_ISCHR(at->mode))
        assert_int_equal(st.rdev, 0x0503);
    if (S_ISLNK(at->mode)) {
        assert_int_equal(udf_link_read(inode, target, sizeof target), strlen(at->target));
        assert_string_equal(target, at->target);
    }
}

void model_compare(struct model *model)
{
    for (int i = 0; i < MODEL_ENTRIES; i++) {
        const struct model_entry *at = &model->entries[i];
        if (at->dir < 0)
            continue;
        struct udf_inode *dir = node_get(model, at->dir), *inode = rig_lookup(dir, at->name);
        compare_node(model, at->node, inode);
        udf_inode_put(inode);
        udf_inode_put(dir);
    }
    for (int i = 0; i < MODEL_NODES; i++) {
        if (!model->nodes[i].mode || !is_dir(model, i))
            continue;
        struct udf_inode *dir = node_get(model, i);
        compare_node(model, i, dir);
        compare_dir(model, i, dir);
        udf_inode_put(dir);
    }
}

static void list_path(const struct model *model, int entry, FILE *out)
{
    if (model->entries[entry].dir) {
        list_path(model, entry_of_dir(model, model->entries[entry].dir), out);
        fputc('/', out);
    }
    fputs(model->entries[entry].name, out);
}

/* As zlib's */
static uint32_t crc32(const struct model_node *node)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < node->size; i++) {
        crc ^= node->bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

void model_list(const struct model *model, const char *file)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    for (int i = 0; i < MODEL_ENTRIES; i++) {
        if (model->entries[i].dir < 0)
            continue;
        const struct model_node *node = &model->nodes[model->entries[i].node];
        list_path(model, i, out);
        fprintf(out, "\t%o\t%zu\t%u\n", (unsigned)node->mode & S_IFMT, node->size, crc32(node));
    }
    fclose(out);
}

void model_clear(struct model *model)
{
    for (bool removed = true; removed;) {
        removed = false;
        for (int i = 0; i < MODEL_ENTRIES; i++) {
            struct model_entry *at = &model->entries[i];
            if (at->dir < 0 || (is_dir(model, at->node) && !dir_empty(model, at->node)))
                continue;
            struct udf_inode *dir = node_get(model, at->dir);
            assert_int_equal(is_dir(model, at->node) ? udf_dir_rmdir(dir, at->name, strlen(at->name))
                                                     : udf_dir_unlink(dir, at->name, strlen(at->name)),
                             0);
            udf_inode_put(dir);
            entry_remove(model, i);
            removed = true;
        }
    }
}
