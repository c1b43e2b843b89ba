/* SPDX-License-Identifier: MIT */
/* The one step of opening a disc folder that media.c leaves to media_store.c. */
#ifndef MMC_VDRIVE_MEDIA_STORE_H
#define MMC_VDRIVE_MEDIA_STORE_H

#include "mmc/vdrive/media.h"

/* Loads the packet records and checks the sizes of all files. 0, -EMEDIUMTYPE, -ENOMEM, -errno. */
int vdrive_media_load(struct vdrive_media *media);

#endif
