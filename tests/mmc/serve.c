/* SPDX-License-Identifier: MIT */
/*
 * Makes a new virtual disc and serves it to another kernel until standard input ends: serve FOLDER SOCKET.
 * Prints a line when the socket is there.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mmc/vhost/vhost.h"

int main(int argc, char **argv)
{
    const struct vdrive_disc_spec spec = {VDRIVE_CD_RW, 80, 24};
    const struct vdrive_options options = {0};
    struct vhost_server *server;
    struct vdrive *drive;
    int error;

    if (argc != 3)
        return 2;
    error = vdrive_disc_create(argv[1], &spec);
    if (!error)
        error = vdrive_open(argv[1], &options, NULL, &drive);
    if (!error)
        error = vhost_server_open(argv[2], drive, &server);
    if (error) {
        fprintf(stderr, "serve: %s\n", strerror(-error));
        return 1;
    }
    puts("ready");
    fflush(stdout);
    error = vhost_server_run(server, STDIN_FILENO);
    vhost_server_close(server);
    return vdrive_close(drive) || error;
}
