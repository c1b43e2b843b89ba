/* SPDX-License-Identifier: MIT */
/* The transport to a real drive: SG_IO by way of libsgutils2, which only this file knows. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <scsi/sg_pt.h>

#include "mmc/holder.h"
#include "mmc/transport.h"

/* udev opens a drive for a moment whenever its disc changes, so a busy drive is tried again this often. */
#define OPEN_TRIES    20
#define OPEN_PAUSE_US 100000

/* Above this, requests meet limits on scattered pages that the kernel does not tell. */
#define TRANSFER_MOST (128u << 10)
#define TRANSFER_SAFE (64u << 10)

/* Values of the host status, which says how the adapter fared (Linux include/scsi/scsi_status.h). */
enum host_status {
    HOST_NO_CONNECT = 1,
    HOST_TIME_OUT = 3,
    HOST_BAD_TARGET = 4,
};

struct sg_transport {
    struct mmc_transport transport;
    int fd;
};

static int host_errno(int status)
{
    switch (status) {
    case HOST_NO_CONNECT:
    case HOST_BAD_TARGET:
        return -ENODEV;
    case HOST_TIME_OUT:
        return -ETIMEDOUT;
    default:
        return -EIO;
    }
}

static int os_errno(int error)
{
    switch (error) {
    case ENXIO:
    case ENODEV:
        return -ENODEV;
    case EPERM:
    case EACCES:
        return -EPERM;
    case ENOTTY: /* the device takes no SCSI commands */
        return -ENOTBLK;
    case ETIMEDOUT:
    case ENOMEM:
        return -error;
    default:
        return -EIO;
    }
}

static int result_take(struct sg_pt_base *pt, int rc, struct mmc_request *r)
{
    int left = get_scsi_pt_resid(pt), sense_len = get_scsi_pt_sense_len(pt);
    bool answered;

    if (rc < 0)
        return os_errno(-rc);
    if (rc == SCSI_PT_DO_TIMEOUT)
        return -ETIMEDOUT;
    if (rc > 0)
        return -EIO;
    r->status = (uint8_t)get_scsi_pt_status_response(pt);
    r->transferred = left > 0 ? (size_t)left < r->data_len ? r->data_len - (size_t)left : 0 : r->data_len;
    if (sense_len > 0 && r->status == MMC_STATUS_CHECK_CONDITION)
        r->sense_len = (uint8_t)(sense_len < MMC_SENSE_MAX ? sense_len : MMC_SENSE_MAX);
    answered = r->status == MMC_STATUS_CHECK_CONDITION && r->sense_len > 0;
    switch (get_scsi_pt_result_category(pt)) {
    case SCSI_PT_RESULT_OS_ERR:
        return os_errno(get_scsi_pt_os_err(pt));
    case SCSI_PT_RESULT_TRANSPORT_ERR: /* adapters also set this beside good sense data */
        return answered ? 0 : host_errno(get_scsi_pt_transport_err(pt));
    default:
        return 0;
    }
}

static int sg_execute(struct mmc_transport *t, struct mmc_request *r)
{
    struct sg_transport *sg = (struct sg_transport *)t;
    struct sg_pt_base *pt;
    int rc, error;

    if (r->data_len > t->max_transfer || r->cdb_len > MMC_CDB_MAX)
        return -EINVAL;
    pt = construct_scsi_pt_obj();
    if (!pt)
        return -ENOMEM;
    set_scsi_pt_cdb(pt, r->cdb, r->cdb_len);
    set_scsi_pt_sense(pt, r->sense, sizeof(r->sense));
    if (r->direction == MMC_DIR_IN)
        set_scsi_pt_data_in(pt, r->data, (int)r->data_len);
    else if (r->direction == MMC_DIR_OUT)
        set_scsi_pt_data_out(pt, r->data, (int)r->data_len);
    rc = do_scsi_pt(pt, sg->fd, (int)r->timeout_s, 0);
    error = result_take(pt, rc, r);
    destruct_scsi_pt_obj(pt);
    return error;
}

static void sg_wait(struct mmc_transport *t, uint64_t microseconds)
{
    struct timespec left = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};

    (void)t;
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

static uint64_t sg_now(struct mmc_transport *t)
{
    struct timespec now;

    (void)t;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void sg_close(struct mmc_transport *t)
{
    struct sg_transport *sg = (struct sg_transport *)t;

    scsi_pt_close_device(sg->fd);
    free(sg);
}

static const struct mmc_transport_ops sg_ops = {
    .execute = sg_execute,
    .wait = sg_wait,
    .now = sg_now,
    .close = sg_close,
};

/* Block devices tell their limit in sectors of 512 bytes and as a short, sg
 * devices in bytes and as an int. */
static size_t transfer_limit(int fd, bool block)
{
    unsigned short sectors = 0;
    int bytes = 0;
    size_t most = TRANSFER_SAFE;

    if (block && ioctl(fd, BLKSECTGET, &sectors) == 0 && sectors > 0)
        most = (size_t)sectors * 512;
    else if (!block && ioctl(fd, BLKSECTGET, &bytes) == 0 && bytes > 0)
        most = (size_t)bytes;
    return most < TRANSFER_MOST ? most : TRANSFER_MOST;
}

static int open_once(const char *path, int read_only)
{
    int fd = scsi_pt_open_flags(path, O_RDWR | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0);

    if (read_only && (fd == -EACCES || fd == -EROFS || fd == -EPERM))
        fd = scsi_pt_open_flags(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0);
    return fd;
}

static int open_patiently(const char *path, int read_only)
{
    int fd = open_once(path, read_only);

    for (int i = 1; fd == -EBUSY && i < OPEN_TRIES; i++) {
        usleep(OPEN_PAUSE_US);
        fd = open_once(path, read_only);
    }
    return fd;
}

int mmc_sg_open(const char *path, int read_only, char *holder, size_t holder_size, struct mmc_transport **t)
{
    struct sg_transport *sg;
    struct stat st;
    int fd;

    if (holder_size > 0)
        holder[0] = '\0';
    if (stat(path, &st) != 0)
        return -errno;
    if (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode))
        return -ENOTBLK;
    fd = open_patiently(path, read_only);
    if (fd < 0) {
        if (fd == -EBUSY)
            mmc_holder_find(path, holder, holder_size);
        return fd;
    }
    sg = calloc(1, sizeof(*sg));
    if (!sg) {
        scsi_pt_close_device(fd);
        return -ENOMEM;
    }
    sg->transport.ops = &sg_ops;
    sg->transport.max_transfer = transfer_limit(fd, S_ISBLK(st.st_mode));
    sg->fd = fd;
    *t = &sg->transport;
    return 0;
}
