/* SPDX-License-Identifier: MIT */
/*
 * Serves a virtual drive to another kernel: a vhost-user backend (the vhost-user protocol of QEMU, also
 * spoken by User-Mode Linux) for a virtio-scsi controller (virtio 1.1, 5.6) with the drive as target 0, LUN
 * 0.
 *
 * The other side is hostile: every length, address and index that it sends or leaves in its memory is
 * checked, data are copied before they are looked at, and what cannot be right ends the connection, never the
 * server.
 */
#ifndef MMC_VHOST_VHOST_H
#define MMC_VHOST_VHOST_H

#include "mmc/vdrive/vdrive.h"

struct vhost_server;

/*
 * Listens on a Unix socket at path (an old socket there is replaced; anything else gives -EEXIST). The drive
 * stays the caller's and must outlive the server. Returns 0 and *server, for vhost_server_close, or -errno.
 */
int vhost_server_open(const char *path, struct vdrive *drive, struct vhost_server **server);

/* Serves one connection after the other until stop_fd can be read. Returns 0, or -errno when the socket
 * fails. */
int vhost_server_run(struct vhost_server *server, int stop_fd);

/* Removes the socket and frees the server. NULL is fine. */
void vhost_server_close(struct vhost_server *server);

#endif
