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

/*
 * Serves one connection after the other until stop_fd can be read. The drive's clock moves on with each
 * command, and while the other side asks for nothing: by the time that passes, and in pauses of more than 50
 * ms pace times as fast. For a drive in real time pace is 0, since it keeps the time itself. Returns 0, or
 * -errno when the socket fails.
 */
int vhost_server_run(struct vhost_server *server, int stop_fd, unsigned pace);

/* Removes the socket and frees the server. NULL is fine. */
void vhost_server_close(struct vhost_server *server);

#endif
