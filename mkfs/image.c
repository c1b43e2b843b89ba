/* SPDX-License-Identifier: MIT */
/* The image that a volume is laid out in: a sparse temporary file that no exit of
 * the program can leave behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkfs/mkfs.h"

/* A file that never has a name or, where the file system cannot do that, loses it at once. */
static int nameless_open(const char *dir)
{
    char *name = NULL;
    int err, fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd < 0 ? -errno : fd;
    if (asprintf(&name, "%s/mkfs.packetfs.XXXXXX", dir) < 0)
        return -ENOMEM;
    fd = mkostemp(name, O_CLOEXEC);
    err = fd < 0 ? -errno : 0;
    if (fd >= 0)
        unlink(name);
    free(name);
    return err ? err : fd;
}

int mkfs_image_create(uint32_t packets, int *fd)
{
    const char *dir = getenv("TMPDIR");
    int err;

    *fd = nameless_open(dir && dir[0] ? dir : "/tmp");
    if (*fd < 0)
        return *fd;
    if (ftruncate(*fd, (off_t)packets * MKFS_PACKET_BYTES) == 0)
        return 0;
    err = -errno;
    close(*fd);
    return err;
}

/* Whether the file has nothing from here on for the length of a packet, which
 * is quicker to ask than to read. */
static bool hole(int fd, off_t offset)
{
    off_t data = lseek(fd, offset, SEEK_DATA);

    return data < 0 ? errno == ENXIO : data >= offset + (off_t)MKFS_PACKET_BYTES;
}

int mkfs_image_packet(int fd, uint32_t packet, uint8_t bytes[MKFS_PACKET_BYTES], bool *blank)
{
    off_t offset = (off_t)packet * MKFS_PACKET_BYTES;
    ssize_t n;

    *blank = hole(fd, offset);
    if (*blank) {
        memset(bytes, 0, MKFS_PACKET_BYTES);
        return 0;
    }
    n = pread(fd, bytes, MKFS_PACKET_BYTES, offset);
    if (n != (ssize_t)MKFS_PACKET_BYTES)
        return n < 0 ? -errno : -EIO;
    *blank = bytes[0] == 0 && memcmp(bytes, bytes + 1, MKFS_PACKET_BYTES - 1) == 0;
    return 0;
}
