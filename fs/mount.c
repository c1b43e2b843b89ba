/* SPDX-License-Identifier: MIT */
/* The mount itself: as root one that umount(2) waits for, where that can be had; otherwise as libfuse makes
 * it, which for other users is done by fusermount3. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/fs.h"

/* The words for libfuse. The disc is what df and mount(8) show as the source;
 * commas in its name are kept apart. */
static int arguments_make(const struct fs *fs, struct fuse_args *args)
{
    char *source = NULL, *rest = NULL, *words = NULL;
    int err = -ENOMEM;

    if (asprintf(&source, "fsname=%s", fs->disc_path) < 0 ||
        asprintf(&rest, "subtype=packetfs,default_permissions%s%s%s",
                 fs->options.allow_other ? ",allow_other" : "", fs->read_only ? ",ro" : "",
                 fs->options.kernel) < 0)
        goto out;
    if (fuse_opt_add_opt_escaped(&words, source) || fuse_opt_add_opt(&words, rest))
        goto out;
    if (fuse_opt_add_arg(args, "packetfs") || fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, words))
        goto out;
    if (fs->options.debug && fuse_opt_add_arg(args, "-d"))
        goto out;
    err = 0;
out:
    free(source);
    free(rest);
    free(words);
    return err;
}

int fs_mount(struct fs *fs)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    int err = arguments_make(fs, &args);

    if (!err)
        fs->session = fuse_session_new(&args, &fs_ops, sizeof(fs_ops), fs);
    fuse_opt_free_args(&args);
    if (!fs->session) {
        cli_error("the session with the kernel cannot be made: %s", cli_errno_text(-ENOMEM));
        return FS_EXIT_SYSTEM;
    }
    err = fs_mount_block(fs);
    fs->block_mounted = !err;
    if (!err)
        return 0;
    cli_debug("an ordinary FUSE mount is made (%s): umount(2) will not wait for the disc", strerror(-err));
    if (!fuse_session_mount(fs->session, fs->dir_path))
        return 0;
    cli_error("cannot be mounted on %s (see the message before this)", fs->dir_path);
    fuse_session_destroy(fs->session);
    fs->session = NULL;
    return FS_EXIT_FAILED;
}

int fs_unmount_lazily(const char *dir)
{
    pid_t pid;
    int status;

    if (geteuid() == 0)
        return umount2(dir, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        execlp("fusermount3", "fusermount3", "-u", "-z", "-q", "--", dir, (char *)NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}
