/* SPDX-License-Identifier: MIT */
/*
 * The thread that commits: what was changed is durable 30 seconds later at the latest, and after five quiet
 * seconds the disc is brought in order as well, so that an unmount has little left to do. It sleeps while
 * nothing changes.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "fs/fs.h"

#define COMMIT_SECONDS 30
#define IDLE_SECONDS   5

struct fs_writeback {
    struct fs *fs;
    pthread_t thread;
    pthread_mutex_t lock; /* of the sleep below; changes take it only when the thread sleeps */
    pthread_cond_t wake;
    bool stop;
    atomic_bool pending;        /* changed since the disc was last in order */
    _Atomic int64_t changed_at; /* seconds of CLOCK_MONOTONIC */
};

static int64_t now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void fs_writeback_changed(struct fs *fs)
{
    struct fs_writeback *wb = fs->writeback;

    atomic_store(&wb->changed_at, now_seconds());
    if (!atomic_exchange(&wb->pending, true)) {
        pthread_mutex_lock(&wb->lock);
        pthread_cond_signal(&wb->wake);
        pthread_mutex_unlock(&wb->lock);
    }
}

static void writeback_tick(struct fs_writeback *wb, bool idle)
{
    int err = udf_volume_tick(wb->fs->vol, idle);

    if (err && !atomic_exchange(&wb->fs->failed, true))
        cli_error("changes cannot be written to the disc: %s", cli_errno_text(err));
}

/* Sleeps a second, or without end while nothing is pending. Returns false when the thread shall end. */
static bool writeback_sleep(struct fs_writeback *wb)
{
    struct timespec until;
    bool go_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&wb->lock);
    while (!wb->stop && !atomic_load(&wb->pending))
        pthread_cond_wait(&wb->wake, &wb->lock);
    while (!wb->stop && pthread_cond_timedwait(&wb->wake, &wb->lock, &until) != ETIMEDOUT)
        ;
    go_on = !wb->stop;
    pthread_mutex_unlock(&wb->lock);
    return go_on;
}

static void *writeback_run(void *arg)
{
    struct fs_writeback *wb = arg;
    int64_t committed_at = now_seconds();
    bool was_pending = false;

    while (writeback_sleep(wb)) {
        int64_t now = now_seconds();

        if (!was_pending)
            committed_at = now; /* the first change is not older than this nap */
        was_pending = true;
        if (now - atomic_load(&wb->changed_at) >= IDLE_SECONDS) {
            /* Cleared first: a change that comes meanwhile wakes us again. */
            atomic_store(&wb->pending, false);
            was_pending = false;
            writeback_tick(wb, true);
        } else if (now - committed_at >= COMMIT_SECONDS) {
            writeback_tick(wb, false);
            committed_at = now;
        }
    }
    return NULL;
}

int fs_writeback_start(struct fs *fs)
{
    struct fs_writeback *wb = calloc(1, sizeof(*wb));
    pthread_condattr_t attr;
    int err;

    if (!wb)
        return -ENOMEM;
    wb->fs = fs;
    pthread_mutex_init(&wb->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&wb->wake, &attr);
    pthread_condattr_destroy(&attr);
    err = pthread_create(&wb->thread, NULL, writeback_run, wb);
    if (err) {
        free(wb);
        return -err;
    }
    fs->writeback = wb;
    return 0;
}

void fs_writeback_stop(struct fs *fs)
{
    struct fs_writeback *wb = fs->writeback;

    if (!wb)
        return;
    pthread_mutex_lock(&wb->lock);
    wb->stop = true;
    pthread_cond_signal(&wb->wake);
    pthread_mutex_unlock(&wb->lock);
    pthread_join(wb->thread, NULL);
    pthread_cond_destroy(&wb->wake);
    pthread_mutex_destroy(&wb->lock);
    free(wb);
    fs->writeback = NULL;
}
