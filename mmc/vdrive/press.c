/* SPDX-License-Identifier: MIT */
/* Pressed discs: what a recorded disc becomes in a factory. */
#include <errno.h>

#include "mmc/vdrive/disc.h"

int vdrive_disc_press(const char *folder)
{
    struct vdrive_media media;
    struct vdrive_disc disc;
    int err = vdrive_media_open(&media, folder, false, NULL);

    if (err)
        return err;
    err = vdrive_disc_read(&media, &disc);
    if (!err && (disc.formatted || !disc.sessions[0].closed))
        err = -EINVAL;
    if (!err && !media.writable)
        err = -EROFS;
    if (!err)
        err = vdrive_media_press(&media);
    vdrive_media_close(&media);
    return err;
}
