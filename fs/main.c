/* SPDX-License-Identifier: MIT */
/* packetfs: mounts a packet-formatted CD-RW, or any other writable UDF volume, from user space. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs.h"

static int paths_resolve(struct fs *fs)
{
    struct stat st;

    if (!realpath(fs->options.disc, fs->disc_path)) {
        cli_error("%s: %s", fs->options.disc,
                  errno == ENOENT ? "there is no such drive, disc folder or file" : strerror(errno));
        return FS_EXIT_FAILED;
    }
    if (!realpath(fs->options.dir, fs->dir_path) || stat(fs->dir_path, &st) < 0) {
        cli_error("cannot be mounted on %s: %s", fs->options.dir, strerror(errno));
        return FS_EXIT_FAILED;
    }
    if (!S_ISDIR(st.st_mode)) {
        cli_error("cannot be mounted on %s: not a directory", fs->options.dir);
        return FS_EXIT_FAILED;
    }
    return 0;
}

static int process_start(struct fs *fs, int *ready_fd)
{
    int err = fs->options.foreground ? 0 : fs_daemon_fork(ready_fd);

    if (!err)
        err = fs_signals_start(fs);
    if (!err)
        return 0;
    cli_error("no process can be started: %s", strerror(-err));
    return FS_EXIT_SYSTEM;
}

static int run(struct fs *fs)
{
    int ready_fd = -1;
    int status = paths_resolve(fs);

    if (!status)
        cli_disc_set(fs->disc_path);
    if (!status)
        status = process_start(fs, &ready_fd);
    if (!status)
        status = fs_volume_open(fs);
    if (status)
        return status;
    status = fs_mount(fs);
    if (status) {
        fs_volume_finish(fs);
        fs_nodes_close(fs);
        return status;
    }
    atomic_store(&fs->stage, FS_STAGE_MOUNTED);
    if (ready_fd >= 0)
        fs_daemon_ready(ready_fd);
    return fs_session_run(fs);
}

int main(int argc, char **argv)
{
    static struct fs fs; /* its threads may outlive main by a moment */
    int status;

    cli_streams_open();
    status = fs_options_parse(argc, argv, &fs.options);
    if (status != -1)
        return status;
    if (fs.options.fake && !fs.options.unmount)
        return FS_EXIT_MOUNTED;
    cli_debug_set(fs.options.debug);
    if (fs.options.unmount)
        return fs_unmount(&fs.options);
    fs.uid = getuid();
    fs.gid = getgid();
    return run(&fs);
}
