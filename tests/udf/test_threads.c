/* SPDX-License-Identifier: MIT */
/*
 * Many threads on one volume: files and directories that all of them want at once, while others list, read
 * and sync. In the end everything checks, and each thread's own file holds what it wrote.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/volume_rig.h"

#define WORKERS 6
#define ROUNDS  1200
#define DIRS    4
#define NAMES   12
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

struct shared {
    struct rig *rig;
    struct udf_inode *dirs[DIRS]; /* the first two are /a and /b; the others lie in them and move about */
};

struct worker {
    struct shared *shared;
    pthread_t thread;
    uint64_t random;
    unsigned number, bad;
    int last_error;
};

static void expect(struct worker *worker, int err, bool good)
{
    if (good)
        return;
    worker->bad++;
    worker->last_error = err;
}

static unsigned pick(struct worker *worker, unsigned below)
{
    return (unsigned)((random_next(&worker->random) >> 33) % below);
}

static int entry_count(void *ctx, const struct udf_entry *entry)
{
    unsigned *count = ctx;
    *count += entry->name_len > 0;
    return 0;
}

static void work_create(struct worker *worker, struct udf_inode *dir, const char *name)
{
    struct udf_new new_inode = {.mode = (pick(worker, 4) ? S_IFREG : S_IFDIR) | 0755};
    struct udf_inode *inode;
    uint8_t bytes[9000];
    int err = udf_dir_create(dir, name, strlen(name), &new_inode, &inode);
    expect(worker, err, !err || err == -EEXIST);
    if (err)
        return;
    if (S_ISREG(new_inode.mode)) {
        size_t len = pick(worker, sizeof bytes) + 1;
        memset(bytes, name[0], len);
        ssize_t got = udf_file_write(inode, 0, bytes, len);
        expect(worker, (int)got, got == (ssize_t)len);
    }
    udf_inode_put(inode);
}

/* What is in a shared file is the letter of its name, whoever wrote it. */
static void work_read(struct worker *worker, struct udf_inode *dir, const char *name)
{
    struct udf_inode *inode;
    struct udf_stat st;
    uint8_t bytes[9000];
    int err = udf_dir_lookup(dir, name, strlen(name), &inode);
    expect(worker, err, !err || err == -ENOENT);
    if (err)
        return;
    udf_inode_stat(inode, &st);
    if (S_ISREG(st.mode)) {
        ssize_t got = udf_file_read(inode, 0, bytes, sizeof bytes);
        expect(worker, (int)got, got >= 0);
        for (ssize_t i = 1; i < got; i++)
            expect(worker, 1, bytes[i] == bytes[0]);
    }
    udf_inode_put(inode);
}

static void work_remove(struct worker *worker, struct udf_inode *dir, const char *name)
{
    int err =
        pick(worker, 3) ? udf_dir_unlink(dir, name, strlen(name)) : udf_dir_rmdir(dir, name, strlen(name));
    expect(worker, err, !err || err == -ENOENT || err == -EISDIR || err == -ENOTDIR || err == -ENOTEMPTY);
}

static void work_rename(struct worker *worker, struct udf_inode *from, const char *name)
{
    struct udf_inode *to = worker->shared->dirs[pick(worker, DIRS)];
    char other[16];
    snprintf(other, sizeof other, "%c%u", name[0], pick(worker, NAMES));
    int err = udf_dir_rename(from, name, strlen(name), to, other, strlen(other),
                             pick(worker, 3) ? 0 : RENAME_EXCHANGE);
    expect(worker, err,
           !err || err == -ENOENT || err == -EISDIR || err == -ENOTDIR || err == -ENOTEMPTY ||
               err == -EINVAL);
}

/* The two inner directories change places with each other and between the outer ones. */
static void work_move(struct worker *worker)
{
    struct shared *shared = worker->shared;
    unsigned from = pick(worker, DIRS), to = pick(worker, DIRS);
    const char *name = pick(worker, 2) ? "inner2" : "inner3";
    int err = udf_dir_rename(shared->dirs[from], name, 6, shared->dirs[to], name, 6, 0);
    expect(worker, err, !err || err == -ENOENT || err == -EINVAL || err == -ENOTEMPTY);
}

static void work_link(struct worker *worker, struct udf_inode *dir, const char *name)
{
    struct udf_inode *inode;
    char other[16];
    if (udf_dir_lookup(dir, name, strlen(name), &inode))
        return;
    snprintf(other, sizeof other, "%c%u", name[0], pick(worker, NAMES));
    int err = udf_dir_link(worker->shared->dirs[pick(worker, DIRS)], other, strlen(other), inode);
    expect(worker, err, !err || err == -EEXIST || err == -EPERM || err == -ENOENT);
    udf_inode_put(inode);
}

static void work_own(struct worker *worker, struct udf_inode *own, unsigned round)
{
    uint8_t bytes[5000];
    memset(bytes, (int)(round + worker->number), sizeof bytes);
    ssize_t got = udf_file_write(own, (uint64_t)(round % 100) * sizeof bytes, bytes, sizeof bytes);
    expect(worker, (int)got, got == sizeof bytes);
}

static void *work(void *ctx)
{
    struct worker *worker = ctx;
    struct shared *shared = worker->shared;
    char name[16];
    snprintf(name, sizeof name, "own%u", worker->number);
    struct udf_inode *own = rig_create(shared->rig->root, name, S_IFREG | 0644);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct udf_inode *dir = shared->dirs[pick(worker, DIRS)];
        unsigned count = 0;
        snprintf(name, sizeof name, "%c%u", 'p' + (int)pick(worker, 3), pick(worker, NAMES));
        switch (pick(worker, 10)) {
        case 0:
        case 1:
        case 2:
            work_create(worker, dir, name);
            break;
        case 3:
            work_read(worker, dir, name);
            break;
        case 4:
            work_remove(worker, dir, name);
            break;
        case 5:
            work_rename(worker, dir, name);
            break;
        case 6:
            work_link(worker, dir, name);
            break;
        case 7:
            expect(worker, 0, !udf_dir_read(dir, 0, entry_count, &count));
            break;
        case 8:
            work_move(worker);
            break;
        default:
            work_own(worker, own, round);
        }
        if (round % 200 == worker->number)
            expect(worker, 0, !udf_inode_sync(own));
    }
    for (unsigned round = 0; round < 100; round++)
        work_own(worker, own, round);
    udf_inode_put(own);
    return NULL;
}

static void own_check(struct rig *rig, unsigned number)
{
    uint8_t bytes[5000];
    char name[16];
    snprintf(name, sizeof name, "own%u", number);
    struct udf_inode *own = rig_lookup(rig->root, name);
    assert_int_equal(rig_size(own), 100 * sizeof bytes);
    for (unsigned round = 0; round < 100; round++) {
        memset(bytes, (int)(round + number), sizeof bytes);
        rig_expect(own, (uint64_t)round * sizeof bytes, bytes, sizeof bytes);
    }
    udf_inode_put(own);
}

static void threads_test(void **state)
{
    struct rig rig;
    struct shared shared = {.rig = &rig};
    struct worker workers[WORKERS] = {0};
    rig_make(&rig, *state);
    shared.dirs[0] = rig_create(rig.root, "a", S_IFDIR | 0755);
    shared.dirs[1] = rig_create(rig.root, "b", S_IFDIR | 0755);
    shared.dirs[2] = rig_create(shared.dirs[0], "inner2", S_IFDIR | 0755);
    shared.dirs[3] = rig_create(shared.dirs[1], "inner3", S_IFDIR | 0755);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.shared = &shared, .number = i, .random = 1234567 + i * 7919};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].bad)
            print_message("worker %u: %u times not as expected, last %d\n", i, workers[i].bad,
                          workers[i].last_error);
        assert_int_equal(workers[i].bad, 0);
    }
    for (unsigned i = 0; i < DIRS; i++)
        udf_inode_put(shared.dirs[i]);
    rig_judge(&rig);
    for (unsigned i = 0; i < WORKERS; i++)
        own_check(&rig, i);
    assert_int_equal(rig.warnings, 0);
    rig_free(&rig);
}

/* One inode, got by all at once, is one object, and is read once. */
static udf_ino_t wanted;
static struct udf_inode *got[WORKERS];

static void *get_one(void *ctx)
{
    struct worker *worker = ctx;
    expect(worker, 0, !udf_inode_get(worker->shared->rig->vol, wanted, &got[worker->number]));
    return NULL;
}

static void get_test(void **state)
{
    struct rig rig;
    struct shared shared = {.rig = &rig};
    struct udf_stat st;
    rig_make(&rig, *state);
    struct udf_inode *file = rig_create(rig.root, "f", S_IFREG | 0644);
    udf_inode_stat(file, &st);
    wanted = st.ino;
    udf_inode_put(file);
    for (unsigned round = 0; round < 50; round++) {
        struct worker workers[WORKERS] = {0};
        rig_remount(&rig);
        for (unsigned i = 0; i < WORKERS; i++) {
            workers[i] = (struct worker){.shared = &shared, .number = i};
            assert_int_equal(pthread_create(&workers[i].thread, NULL, get_one, &workers[i]), 0);
        }
        for (unsigned i = 0; i < WORKERS; i++) {
            pthread_join(workers[i].thread, NULL);
            assert_int_equal(workers[i].bad, 0);
            assert_ptr_equal(got[i], got[0]);
        }
        for (unsigned i = 0; i < WORKERS; i++)
            udf_inode_put(got[i]);
    }
    rig_free(&rig);
}

int main(void)
{
    struct CMUnitTest tests[8] = {0};
    for (unsigned i = 0; i < rig_spec_count; i++)
        tests[i] = (struct CMUnitTest){rig_specs[i].options, threads_test, NULL, NULL, (void *)&rig_specs[i]};
    tests[rig_spec_count] = (struct CMUnitTest){"get", get_test, NULL, NULL, (void *)&rig_specs[1]};
    return _cmocka_run_group_tests("threads", tests, rig_spec_count + 1, NULL, NULL);
}
