/* SPDX-License-Identifier: MIT */
/* The disc and the volume on it: opened before the mount stands, finished when it is gone. */
#include <errno.h>
#include <unistd.h>

#include "fs/fs.h"

static void volume_message(void *ctx, enum udf_level level, const char *text)
{
    (void)ctx;
    switch (level) {
    case UDF_LEVEL_ERROR:
        cli_error("%s", text);
        break;
    case UDF_LEVEL_WARNING:
        cli_warning("%s", text);
        break;
    case UDF_LEVEL_INFO:
        cli_info("%s", text);
        break;
    case UDF_LEVEL_DEBUG:
        cli_debug("%s", text);
        break;
    }
}

static int exit_of(int err)
{
    switch (err) {
    case -EACCES:
    case -EPERM:
        return FS_EXIT_USAGE;
    case -ENOMEM:
        return FS_EXIT_SYSTEM;
    default:
        return FS_EXIT_FAILED;
    }
}

static void open_explain(int err)
{
    switch (err) {
    case -EMEDIUMTYPE:
        cli_error("there is no UDF volume on it; \"mkfs.packetfs\" makes one");
        break;
    case -EUCLEAN:
        cli_error("the UDF volume on it is damaged and cannot be mounted");
        break;
    case -EOPNOTSUPP:
        cli_error("the UDF volume on it is of a kind that packetfs does not support");
        break;
    default:
        cli_error("%s", cli_errno_text(err));
    }
}

static int disc_open(struct fs *fs)
{
    struct cli_disc_options options = {.read_only = fs->read_only, .realtime = fs->options.realtime};
    int err = cli_disc_open(fs->disc_path, &options, &fs->disc);

    if (!err && !fs->read_only && fs->disc.drive && mmc_drive_read_only(fs->disc.drive)) {
        cli_warning("the files of the virtual disc cannot be written: mounting read-only");
        fs->read_only = true;
    }
    return err ? err : cli_disc_blocks(&fs->disc, fs->options.cache_bytes, fs->read_only);
}

static int volume_open(struct fs *fs)
{
    struct udf_open_options options = {
        .read_only = fs->read_only,
        .noatime = fs->options.noatime,
        .message = volume_message,
        .message_ctx = fs,
    };
    struct udf_volume_stat st;
    int err = udf_volume_open(fs->disc.dev, &options, &fs->vol);

    if (err) {
        open_explain(err);
        return err;
    }
    udf_volume_stat(fs->vol, &st);
    fs->read_only = st.read_only; /* the library has said why, if that was not asked for */
    err = udf_inode_get(fs->vol, udf_volume_root(fs->vol), &fs->root);
    if (err)
        cli_error("the root directory cannot be read: %s", cli_errno_text(err));
    return err;
}

int fs_volume_open(struct fs *fs)
{
    char where[PATH_MAX];
    int err;

    if (cli_disc_mounted(fs->disc_path, where, sizeof(where))) {
        cli_error("it is mounted on %s already", where);
        return FS_EXIT_FAILED;
    }
    fs->read_only = fs->options.read_only;
    err = disc_open(fs);
    if (!err)
        err = volume_open(fs);
    if (!err)
        err = fs_nodes_open(fs);
    if (!err && !fs->read_only)
        err = fs_writeback_start(fs);
    if (!err)
        return 0;
    fs_volume_finish(fs);
    return exit_of(err);
}

int fs_volume_finish(struct fs *fs)
{
    int err = 0, close_err;

    if (fs->finished)
        return fs->finish_error;
    fs->finished = true;
    fs_writeback_stop(fs);
    if (fs->nodes)
        fs_nodes_release(fs);
    udf_inode_put(fs->root);
    fs->root = NULL;
    if (fs->vol) {
        err = udf_volume_close(fs->vol);
        if (err)
            cli_error("the disc could not be completed: %s", cli_errno_text(err));
    }
    fs->vol = NULL;
    close_err = cli_disc_close(&fs->disc);
    fs->finish_error = err ? err : close_err;
    return fs->finish_error;
}
