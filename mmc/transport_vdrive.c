/* SPDX-License-Identifier: MIT */
/* The transport to the virtual drive in this process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/transport.h"
#include "mmc/vdrive/vdrive.h"

/* As the usual host adapters have it, so that transfers are cut as they would be with a real drive. */
#define VDRIVE_TRANSFER_MOST (128u << 10)

struct vdrive_transport {
    struct mmc_transport transport;
    struct vdrive *drive;
};

static struct vdrive *drive_of(struct mmc_transport *t)
{
    return ((struct vdrive_transport *)t)->drive;
}

static int transport_execute(struct mmc_transport *t, struct mmc_request *r)
{
    bool out = r->direction == MMC_DIR_OUT, in = r->direction == MMC_DIR_IN;
    struct vdrive_reply reply = {0};

    if (r->data_len > t->max_transfer || r->cdb_len > MMC_CDB_MAX)
        return -EINVAL;
    vdrive_execute(drive_of(t), r->cdb, r->cdb_len, out ? r->data : NULL, out ? r->data_len : 0,
                   in ? r->data : NULL, in ? r->data_len : 0, &reply);
    r->status = reply.status;
    r->transferred = in ? reply.in_len : out ? r->data_len : 0;
    r->sense_len = 0;
    if (reply.status == MMC_STATUS_CHECK_CONDITION) {
        memcpy(r->sense, reply.sense, sizeof(reply.sense));
        r->sense_len = sizeof(reply.sense);
    }
    return 0;
}

static void transport_wait(struct mmc_transport *t, uint64_t microseconds)
{
    vdrive_wait(drive_of(t), microseconds);
}

static uint64_t transport_now(struct mmc_transport *t)
{
    return vdrive_now(drive_of(t));
}

static void transport_close(struct mmc_transport *t)
{
    vdrive_close(drive_of(t));
    free(t);
}

static const struct mmc_transport_ops vdrive_ops = {
    .execute = transport_execute,
    .wait = transport_wait,
    .now = transport_now,
    .close = transport_close,
};

int mmc_vdrive_transport(struct vdrive *drive, struct mmc_transport **t)
{
    struct vdrive_transport *v = calloc(1, sizeof(*v));

    if (!v)
        return -ENOMEM;
    v->transport.ops = &vdrive_ops;
    v->transport.max_transfer = VDRIVE_TRANSFER_MOST;
    v->drive = drive;
    *t = &v->transport;
    return 0;
}
