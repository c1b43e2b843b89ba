/* SPDX-License-Identifier: MIT */
/* The conversation with the kernel: what is offered to it, the table of operations, and the loop. */
#include <errno.h>
#include <string.h>

#include "fs/fs.h"

#define WRITE_MAX (1u << 20)
/* A read from the disc takes long, and must not hold up what the cache can answer. */
#define THREADS_MAX 32u

static void want(struct fuse_conn_info *conn, unsigned capability)
{
    conn->want |= conn->capable & capability;
}

/*
 * The kernel is asked to keep what it can, because nobody else changes the volume. It is not asked to leave
 * the clearing of set-user-id bits to us (HANDLE_KILLPRIV), nor to drop its cache by itself
 * (AUTO_INVAL_DATA).
 */
static void session_init(void *userdata, struct fuse_conn_info *conn)
{
    struct fs *fs = userdata;

    conn->want &= ~(unsigned)(FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ |
                              FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    want(conn, FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_PARALLEL_DIROPS |
                   FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_CACHE_SYMLINKS |
                   FUSE_CAP_IOCTL_DIR | FUSE_CAP_EXPLICIT_INVAL_DATA);
    /* With -o sync each write must reach us, and the disc, before write(2) returns. */
    if (!fs->options.sync && !fs->read_only)
        want(conn, FUSE_CAP_WRITEBACK_CACHE);
    fs->writeback_cache = conn->want & FUSE_CAP_WRITEBACK_CACHE;
    conn->max_write = WRITE_MAX;
    conn->max_background = 16;
    conn->time_gran = 1000; /* UDF timestamps count microseconds (ECMA-167 1/7.3) */
}

static void session_destroy(void *userdata)
{
    fs_volume_finish(userdata);
}

const struct fuse_lowlevel_ops fs_ops = {
    .init = session_init,
    .destroy = session_destroy,
    .lookup = fs_lookup,
    .forget = fs_forget,
    .forget_multi = fs_forget_multi,
    .getattr = fs_getattr,
    .setattr = fs_setattr,
    .readlink = fs_readlink,
    .mknod = fs_mknod,
    .mkdir = fs_mkdir,
    .unlink = fs_unlink,
    .rmdir = fs_rmdir,
    .symlink = fs_symlink,
    .rename = fs_rename,
    .link = fs_link,
    .open = fs_open,
    .read = fs_read,
    .write = fs_write,
    .fsync = fs_fsync,
    .opendir = fs_opendir,
    .readdir = fs_readdir,
    .readdirplus = fs_readdirplus,
    .fsyncdir = fs_fsyncdir,
    .statfs = fs_statfs,
    .create = fs_create,
    .ioctl = fs_ioctl,
    .fallocate = fs_fallocate,
    .lseek = fs_lseek,
};

/* fuse_session_loop_mt returns 0 when the mount is gone, the signal's way out, or -errno. */
static int session_loop(struct fs *fs)
{
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    int err;

    if (!config)
        return -ENOMEM;
    fuse_loop_cfg_set_clone_fd(config, 1);
    fuse_loop_cfg_set_max_threads(config, THREADS_MAX);
    fuse_loop_cfg_set_idle_threads(config, THREADS_MAX);
    err = fuse_session_loop_mt(fs->session, config);
    fuse_loop_cfg_destroy(config);
    return err < 0 ? err : 0;
}

int fs_session_run(struct fs *fs)
{
    int err = session_loop(fs), finish_err;

    atomic_store(&fs->stage, FS_STAGE_ENDED);
    if (err)
        cli_error("the connection to the kernel broke: %s", cli_errno_text(err));
    if (err && fs->block_mounted)
        fs_unmount_lazily(fs->dir_path);
    fuse_session_unmount(fs->session);
    fuse_session_destroy(fs->session); /* calls session_destroy, unless the kernel has done so */
    fs->session = NULL;
    finish_err = fs_volume_finish(fs);
    fs_nodes_close(fs);
    return err || finish_err ? FS_EXIT_SYSTEM : FS_EXIT_MOUNTED;
}
