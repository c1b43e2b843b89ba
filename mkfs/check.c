/* SPDX-License-Identifier: MIT */
/* Whether DISC can get a volume, and whether it may: what cannot be written, is in
 * use or holds data is refused. */
#include <errno.h>
#include <sys/stat.h>

#include "mkfs/mkfs.h"

int mkfs_medium_check(const struct mmc_disc_info *info)
{
    switch (info->medium) {
    case MMC_MEDIUM_CD_RW:
        return 0;
    case MMC_MEDIUM_NONE:
        cli_error(info->tray_open ? "the tray is open: put a CD-RW in and close it"
                                  : "there is no disc in the drive: put a CD-RW in");
        return -ENOMEDIUM;
    case MMC_MEDIUM_CD_R:
        cli_error("this is a CD-R, which can be written only once: packet writing needs a CD-RW");
        return -EMEDIUMTYPE;
    case MMC_MEDIUM_CD_ROM:
        cli_error("this is a pressed disc, which cannot be written: packet writing needs a CD-RW");
        return -EMEDIUMTYPE;
    case MMC_MEDIUM_OTHER:
        break;
    }
    cli_error("this is not a CD-RW, and packet writing needs one");
    return -EMEDIUMTYPE;
}

static int data_refuse(const char *what)
{
    cli_error("%s; it would be lost: --force does it all the same", what);
    return -EEXIST;
}

static int content_judge(enum cli_content content)
{
    switch (content) {
    case CLI_CONTENT_BLANK:
        return 0;
    case CLI_CONTENT_UDF:
        return data_refuse("a UDF volume is on it");
    case CLI_CONTENT_ISO:
        return data_refuse("an ISO 9660 volume is on it");
    case CLI_CONTENT_UDF_ISO:
        return data_refuse("a volume (UDF and ISO 9660) is on it");
    case CLI_CONTENT_OTHER:
        break;
    }
    return data_refuse("there is data on it");
}

/* A look at what can be read as blocks, through a device of its own that cannot write. */
static int content_check(struct cli_disc *disc, bool whole, const struct mkfs_options *options,
                         uint32_t *blocks)
{
    enum cli_content content = CLI_CONTENT_BLANK;
    int err = cli_disc_blocks(disc, 0, true);

    if (err)
        return err;
    *blocks = disc->dev->geometry.blocks;
    if (!options->force)
        err = cli_content_find(disc->dev, whole, &content);
    block_close(disc->dev);
    disc->dev = NULL;
    if (err)
        cli_error("the disc could not be examined: %s", cli_errno_text(err));
    return err ? err : content_judge(content);
}

static int drive_check(struct cli_disc *disc, const struct mkfs_options *options, struct mkfs_state *state)
{
    struct mmc_disc_info info;
    struct mmc_error error;
    int err = mmc_disc_info_get(disc->drive, &info);

    if (err) {
        mmc_error_last(disc->drive, &error);
        cli_error("%s", error.text[0] ? error.text : cli_errno_text(err));
        return err;
    }
    err = mkfs_medium_check(&info);
    if (err)
        return err;
    if (mmc_drive_read_only(disc->drive)) {
        cli_error("the files of the virtual disc cannot be written");
        return -EROFS;
    }
    state->format = options->full || !info.formatted;
    state->blocks = state->format ? info.format_capacity : info.capacity;
    if (info.formatted)
        return content_check(disc, false, options, &(uint32_t){0});
    if (info.disc_status != MMC_DISC_BLANK && !options->force)
        return data_refuse(info.track_count > 1 ? "tracks are on it" : "a track is on it");
    return 0;
}

static int file_check(struct cli_disc *disc, const struct mkfs_options *options, struct mkfs_state *state)
{
    struct stat st;
    bool file = stat(disc->path, &st) == 0 && S_ISREG(st.st_mode);

    if (file && st.st_size < MMC_BLOCK_BYTES) {
        cli_error("the file has no size yet: give it one with \"truncate -s 577M %s\"", disc->path);
        return -ENOSPC;
    }
    state->format = false;
    return content_check(disc, file, options, &state->blocks);
}

int mkfs_check(struct cli_disc *disc, const struct mkfs_options *options, struct mkfs_state *state)
{
    return disc->drive ? drive_check(disc, options, state) : file_check(disc, options, state);
}
