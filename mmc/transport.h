/* SPDX-License-Identifier: MIT */
/*
 * The transport: carries a command descriptor block to a drive and the answer back. Two ends exist: sg (a
 * real drive over SG_IO) and vdrive (the virtual drive in this process).
 */
#ifndef MMC_TRANSPORT_H
#define MMC_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

enum mmc_direction {
    MMC_DIR_NONE,
    MMC_DIR_IN,  /* drive to host */
    MMC_DIR_OUT, /* host to drive */
};

#define MMC_CDB_MAX   16
#define MMC_SENSE_MAX 32

/* SCSI status bytes (SAM-5 5.3.1) that a drive sends. */
enum mmc_status {
    MMC_STATUS_GOOD = 0x00,
    MMC_STATUS_CHECK_CONDITION = 0x02,
    MMC_STATUS_BUSY = 0x08,
};

/* One command, filled by the caller down to timeout_s, by the transport below. */
struct mmc_request {
    uint8_t cdb[MMC_CDB_MAX];
    uint8_t cdb_len;
    enum mmc_direction direction;
    void *data; /* direction OUT: not changed */
    size_t data_len;
    unsigned timeout_s;

    uint8_t status;
    size_t transferred; /* bytes of data that moved */
    uint8_t sense[MMC_SENSE_MAX];
    uint8_t sense_len; /* 0 when status is GOOD */
};

struct mmc_transport;

struct mmc_transport_ops {
    /* Runs one command. Returns 0 when the drive answered (see status and sense), else -errno:
     * -ETIMEDOUT, -ENODEV (the drive went away), -EIO, -EPERM (the kernel refuses the command to this user),
     * -ENOTBLK (the device takes no SCSI commands). */
    int (*execute)(struct mmc_transport *, struct mmc_request *);
    /* Lets time pass between polls: sleeps with a real drive, moves the clock on with a virtual one. */
    void (*wait)(struct mmc_transport *, uint64_t microseconds);
    /* Microseconds on the transport's clock (monotonic), which wait() and execute()
     * move on. Deadlines count in it. */
    uint64_t (*now)(struct mmc_transport *);
    void (*close)(struct mmc_transport *);
};

/* Implementations have this as their first member. execute() may be called from many threads. */
struct mmc_transport {
    const struct mmc_transport_ops *ops;
    /* Most bytes of data that one command can carry (a limit of the host adapter). */
    size_t max_transfer;
};

/*
 * Opens a drive's device node (/dev/sr0, /dev/sg0) with O_RDWR|O_EXCL|O_NONBLOCK. With read_only, O_RDONLY
 * serves when writing is not allowed. -EBUSY when another process holds it: its id and name are then put into
 * holder (if size > 0). Returns 0 and *t, to be closed with t->ops->close, or -errno.
 */
int mmc_sg_open(const char *path, int read_only, char *holder, size_t holder_size, struct mmc_transport **t);

struct vdrive;
/* A transport over an open virtual drive, which it owns and closes. Returns 0 and *t, or -ENOMEM. */
int mmc_vdrive_transport(struct vdrive *drive, struct mmc_transport **t);

#endif
