/* SPDX-License-Identifier: MIT */
/*
 * Makes a new virtual disc and serves it to another kernel until standard input ends: serve FOLDER SOCKET.
 * Prints a line when the socket is there.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mmc/vhost/vhost.h"

/* Who waits for the drive in another kernel waits by that kernel's clock. The drive's own clock stands still
 * meanwhile unless it is moved on, which is done here a hundred times faster than time passes, so that a
 * format takes seconds. */
struct clock {
    struct vdrive *drive;
    atomic_bool stopped;
    pthread_t thread;
};

static void *time_pass(void *arg)
{
    struct clock *clock = arg;

    while (!clock->stopped) {
        usleep(10000);
        vdrive_wait(clock->drive, 1000000);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct vdrive_disc_spec spec = {VDRIVE_CD_RW, 80, 24};
    const struct vdrive_options options = {0};
    struct vhost_server *server;
    struct vdrive *drive;
    struct clock clock = {0};
    int error, stop;

    if (argc != 3)
        return 2;
    stop = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    if (stop < 0)
        return 1;
    error = vdrive_disc_create(argv[1], &spec);
    if (!error)
        error = vdrive_open(argv[1], &options, NULL, &drive);
    if (!error)
        error = vhost_server_open(argv[2], drive, &server);
    if (error) {
        fprintf(stderr, "serve: %s\n", strerror(-error));
        return 1;
    }
    clock.drive = drive;
    if (pthread_create(&clock.thread, NULL, time_pass, &clock) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    error = vhost_server_run(server, stop);
    vhost_server_close(server);
    clock.stopped = true;
    pthread_join(clock.thread, NULL);
    return vdrive_close(drive) || error;
}
