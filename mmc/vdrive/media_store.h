/* SPDX-License-Identifier: MIT */
/* Files of a disc folder: what media.c, media_store.c and media_sector.c share. */
#ifndef MMC_VDRIVE_MEDIA_STORE_H
#define MMC_VDRIVE_MEDIA_STORE_H

#include <sys/types.h>

#include "mmc/vdrive/media.h"

#define VDRIVE_SECTOR_RECORD 20 /* bytes of the record of a sector */

/* Loads the packet records and checks the sizes of all files. 0, -EMEDIUMTYPE, -ENOMEM, -errno. */
int vdrive_media_load(struct vdrive_media *media);

/* Length of a file; 0 when there is none. */
int vdrive_store_size(int fd, off_t *size);
/* All of len bytes; what lies beyond the end of the file is zeros. */
int vdrive_store_read(int fd, void *buf, size_t len, off_t at);
/* The first of these that fails is kept in media->error. */
int vdrive_store_write(struct vdrive_media *media, int fd, const void *buf, size_t len, off_t at);
int vdrive_store_truncate(struct vdrive_media *media, int fd, off_t size);

#endif
