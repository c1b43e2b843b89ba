/* SPDX-License-Identifier: MIT */
/*
 * Burns a file as one track-at-once data track and closes the session: test discs that hold something without
 * being in packet form. burn_track DISC FILE
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/command.h"
#include "mmc/mmc.h"
#include "mmc/writeparams.h"

#define TRACK_LEAST 320u /* a track has 300 blocks at least */

static int file_burn(struct mmc_drive *drive, FILE *f)
{
    uint8_t bytes[MMC_PACKET_BLOCKS * MMC_BLOCK_BYTES];
    int32_t at = 0;
    int err = 0;

    while (!err && (!feof(f) || at < (int32_t)TRACK_LEAST)) {
        memset(bytes, 0, sizeof bytes);
        if (fread(bytes, 1, sizeof bytes, f) == 0 && ferror(f))
            return -EIO;
        err = mmc_write10(drive, mmc_lba(at), MMC_PACKET_BLOCKS, bytes);
        at += (int32_t)MMC_PACKET_BLOCKS;
    }
    return err ? err : mmc_synchronize_cache(drive);
}

static int track_burn(struct mmc_drive *drive, FILE *f)
{
    int err = mmc_write_params_set_tao(drive, MMC_MULTI_NONE);

    if (!err)
        err = file_burn(drive, f);
    /* The drive may have closed the track by itself. */
    if (!err)
        mmc_close_send(drive, MMC_CLOSE_TRACK, 1, false);
    return err ? err : mmc_close_send(drive, MMC_CLOSE_SESSION, 0, false);
}

int main(int argc, char **argv)
{
    struct mmc_error error = {0};
    struct mmc_drive *drive;
    FILE *f = argc == 3 ? fopen(argv[2], "re") : NULL;
    int err;

    if (!f) {
        fprintf(stderr, "usage: burn_track DISC FILE\n");
        return 2;
    }
    err = mmc_open(argv[1], NULL, &drive, &error);
    if (!err) {
        err = track_burn(drive, f);
        mmc_error_last(drive, &error);
        mmc_close(drive);
    }
    fclose(f);
    if (err)
        fprintf(stderr, "burn_track: %s\n", error.text);
    return err ? 1 : 0;
}
