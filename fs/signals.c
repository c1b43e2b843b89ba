/* SPDX-License-Identifier: MIT */
/*
 * SIGINT, SIGTERM and SIGHUP are taken by a thread of their own and blocked in all others. Once the mount
 * stands they mean: unmount and complete the disc. Repeating them changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/fs.h"

#define GRACE_SECONDS 2 /* for programs to close their files after the mount has gone */

/* Programs may have files open with changes that the kernel still keeps to itself. */
static void kernel_cache_flush(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    syncfs(fd);
    close(fd);
}

static void wait_for_end(struct fs *fs, unsigned tenths)
{
    const struct timespec tenth = {.tv_nsec = 100000000};

    while (tenths-- > 0 && atomic_load(&fs->stage) != FS_STAGE_ENDED)
        nanosleep(&tenth, NULL);
}

/* The session's loop notices an unmount by itself, unless files are open still. Then it must be told,
 * and woken from a semaphore that only a signal interrupts; the signal may come a moment before it
 * sleeps, hence the repetition. */
static void session_end(struct fs *fs)
{
    int err;

    kernel_cache_flush(fs->dir_path);
    err = fs_unmount_lazily(fs->dir_path);
    if (err && err != -EINVAL)
        cli_warning("cannot be unmounted from %s: %s", fs->dir_path, cli_errno_text(err));
    wait_for_end(fs, GRACE_SECONDS * 10);
    while (atomic_load(&fs->stage) != FS_STAGE_ENDED) {
        fuse_session_exit(fs->session);
        pthread_kill(fs->main_thread, SIGUSR1);
        wait_for_end(fs, 1);
    }
}

static void *signals_run(void *arg)
{
    struct fs *fs = arg;
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    for (;;) {
        if (sigwait(&set, &number))
            continue;
        switch (atomic_load(&fs->stage)) {
        case FS_STAGE_OPENING:
            _exit(
                FS_EXIT_INTERRUPTED); /* nothing was promised yet, and the volume bears it like a power cut */
        case FS_STAGE_MOUNTED:
            cli_info("%s: unmounting", strsignal(number));
            session_end(fs);
            break;
        default:
            cli_info("%s: the disc is being completed", strsignal(number));
        }
    }
    return NULL;
}

static void wake_up(int number)
{
    (void)number;
}

int fs_signals_start(struct fs *fs)
{
    struct sigaction wake = {.sa_handler = wake_up}, ignore = {.sa_handler = SIG_IGN};
    pthread_t thread;
    sigset_t set;
    int err;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    fs->main_thread = pthread_self();
    sigaction(SIGUSR1, &wake, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    err = pthread_create(&thread, NULL, signals_run, fs);
    if (!err)
        pthread_detach(thread);
    return -err;
}
