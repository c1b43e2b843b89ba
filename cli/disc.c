/* SPDX-License-Identifier: MIT */
/*
 * DISC as the programs take it: a drive, the folder of a virtual disc, an image file or a block device. What
 * cannot be opened is explained here, once, for all programs.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/private.h"
#include "mmc/holder.h"

#define FINISHING_PAUSE_MS 100u
#define FINISHING_LIMIT_MS 180000u /* a full cache and a slow drive take a minute or two */

static bool path_is_device(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode));
}

/* Without the right to a device it is nearly always the group that lacks. */
static void permission_explain(const char *path)
{
    struct stat st;
    struct group *group = NULL;

    if (stat(path, &st) == 0)
        group = getgrgid(st.st_gid);
    if (path_is_device(path) && group && (st.st_mode & 060) == 060)
        cli_error(
            "permission denied: only members of group %s may use it (\"adduser NAME %s\", then log in again)",
            group->gr_name, group->gr_name);
    else
        cli_error("permission denied");
}

/* The library's sentences begin with the path, which stands in front of every message here. */
static const char *path_strip(const char *path, const char *text)
{
    size_t len = strlen(path);

    if (text && strncmp(text, path, len) == 0 && text[len] == ' ')
        text += len + 1;
    if (text && strncmp(text, "is in use", strlen("is in use")) == 0)
        text += strlen("is ");
    return text;
}

static void busy_explain(const char *path, const char *text)
{
    char holder[128];

    if (text && text[0])
        cli_error("%s", text);
    else if (mmc_holder_find(path, holder, sizeof holder) == 0)
        cli_error("in use by %s", holder);
    else
        cli_error("another program is using it");
}

static void open_explain(const char *path, int err, const char *text)
{
    text = path_strip(path, text);
    switch (err) {
    case -ENOENT:
        cli_error("there is no such drive, disc folder or file");
        break;
    case -EACCES:
    case -EPERM:
        permission_explain(path);
        break;
    case -EBUSY:
        busy_explain(path, text);
        break;
    default:
        cli_error("%s", text && text[0] ? text : cli_errno_text(err));
    }
}

/* A packetfs that holds the disc while nothing is mounted brings it in order after an unmount: fusermount3
 * does not wait for that, so whoever wants the disc next does. */
static bool finishing_wait(const char *path, const char *holder, unsigned *waited_ms)
{
    const struct timespec pause = {.tv_nsec = FINISHING_PAUSE_MS * 1000000L};
    char where[PATH_MAX];

    if (!strstr(holder, "(packetfs)") && !strstr(holder, "(mount.packetfs)"))
        return false;
    if (*waited_ms >= FINISHING_LIMIT_MS || cli_interrupted() || cli_disc_mounted(path, where, sizeof where))
        return false;
    if (*waited_ms == 0)
        cli_info("waiting until the disc is complete after its unmount");
    nanosleep(&pause, NULL);
    *waited_ms += FINISHING_PAUSE_MS;
    return true;
}

/* The daemon changes its directory later, so the name is made absolute now. */
static char *stats_path_get(void)
{
    const char *name = getenv("PACKETFS_DRIVE_STATS");
    char *cwd, *path = NULL;

    if (!name || !name[0])
        return NULL;
    if (name[0] == '/')
        return strdup(name);
    cwd = getcwd(NULL, 0);
    if (cwd && asprintf(&path, "%s/%s", cwd, name) < 0)
        path = NULL;
    free(cwd);
    return path;
}

static int drive_open(const char *path, const struct cli_disc_options *options, struct cli_disc *disc)
{
    struct mmc_open_options open_options = {
        .read_only = options->read_only,
        .vdrive = {.realtime = options->realtime, .read_only = options->read_only, .log = options->log},
    };
    struct mmc_error error = {0};
    unsigned waited_ms = 0;
    int err;

    do
        err = mmc_open(path, &open_options, &disc->drive, &error);
    while (err == -EBUSY && finishing_wait(path, error.text, &waited_ms));
    if (err && err != -ENOTBLK)
        open_explain(path, err, error.text);
    return err;
}

int cli_disc_open(const char *path, const struct cli_disc_options *options, struct cli_disc *disc)
{
    static const struct cli_disc_options defaults;
    struct stat st;
    int err = 0;

    memset(disc, 0, sizeof *disc);
    cli_disc_set(path);
    if (stat(path, &st) < 0) {
        err = -errno;
        open_explain(path, err, NULL);
        return err;
    }
    disc->virtual_disc = S_ISDIR(st.st_mode) && vdrive_disc_is(path);
    if (S_ISDIR(st.st_mode) && !disc->virtual_disc) {
        cli_error("this folder is not a virtual disc; \"packetdisc create\" makes one");
        return -ENOTBLK;
    }
    if (!S_ISREG(st.st_mode))
        err = drive_open(path, options ? options : &defaults, disc);
    if (err == -ENOTBLK && S_ISBLK(st.st_mode))
        err = 0; /* a disk, not a drive for discs */
    else if (err == -ENOTBLK)
        cli_error("this is neither a drive, nor a disc folder, nor an image file");
    if (err)
        return err;
    disc->path = strdup(path);
    disc->stats_path = stats_path_get();
    if (!disc->path) {
        cli_disc_close(disc);
        cli_error("%s", cli_errno_text(-ENOMEM));
        return -ENOMEM;
    }
    return 0;
}

static void unformatted_explain(struct cli_disc *disc)
{
    struct mmc_disc_info info;

    if (mmc_disc_info_get(disc->drive, &info) == 0 && info.medium != MMC_MEDIUM_CD_RW)
        cli_error("this is not a CD-RW, and there is no volume on it that packetfs can mount");
    else
        cli_error("the disc is not formatted for packet writing; \"mkfs.packetfs %s\" does that", disc->path);
}

/* Says why the packet device was refused: the drive's own words if it failed,
 * ours if the disc does not fit. */
static void packet_open_explain(struct cli_disc *disc, int err)
{
    struct mmc_error error = {0};

    mmc_error_last(disc->drive, &error);
    if (err == -EMEDIUMTYPE)
        unformatted_explain(disc);
    else if (err == -ENOMEDIUM)
        cli_error("there is no disc in the drive");
    else
        cli_error("%s", error.error == err && error.text[0] ? error.text : cli_errno_text(err));
}

int cli_disc_blocks(struct cli_disc *disc, size_t cache_bytes, bool read_only)
{
    unsigned waited_ms = 0;
    char holder[128];
    int err;

    if (disc->drive) {
        err = mmc_packet_open(disc->drive, cache_bytes, read_only, &disc->dev);
        if (err)
            packet_open_explain(disc, err);
        return err;
    }
    do
        err = block_file_open(disc->path, !read_only, MMC_PACKET_BLOCKS, &disc->dev);
    while (err == -EBUSY && mmc_holder_find(disc->path, holder, sizeof holder) == 0 &&
           finishing_wait(disc->path, holder, &waited_ms));
    if (err == -EROFS)
        cli_error("it cannot be written: the device or its file system is read-only");
    else if (err)
        open_explain(disc->path, err, NULL);
    return err;
}

int cli_disc_close(struct cli_disc *disc)
{
    int err, stats_err = 0;

    err = block_close(disc->dev);
    if (err)
        cli_error("not everything could be written: %s", cli_errno_text(err));
    if (disc->stats_path)
        stats_err = cli_stats_write(disc->drive, disc->stats_path);
    mmc_close(disc->drive);
    free(disc->path);
    free(disc->stats_path);
    memset(disc, 0, sizeof *disc);
    return err ? err : stats_err;
}
