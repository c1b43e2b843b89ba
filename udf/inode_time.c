/* SPDX-License-Identifier: MIT */
/* Times of inodes, with the zone that holds at that time here, and the small
 * frame that every change runs in. */
#include <errno.h>
#include <time.h>

#include "udf/inode.h"

#define ZONE_STEP_MINUTES 15

/* Inodes that wait for a commit stay in memory: with more than these, one is due. */
#define WAITING_MAX 4096u

struct udf_time udf_time_from(struct timespec ts)
{
    struct udf_time time = {.sec = ts.tv_sec, .nsec = (uint32_t)ts.tv_nsec};
    struct tm local;
    if (localtime_r(&ts.tv_sec, &local)) {
        /* Some zones of before 1970 are not whole quarters of an hour, which is all that others expect. */
        long minutes = local.tm_gmtoff / 60;
        time.zone_minutes = (int16_t)(minutes - minutes % ZONE_STEP_MINUTES);
    }
    return time;
}

struct udf_time udf_time_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return udf_time_from(now);
}

struct timespec udf_time_to(const struct udf_time *time)
{
    return (struct timespec){.tv_sec = time->sec, .tv_nsec = time->nsec};
}

void udf_inode_touch(struct udf_inode *inode, bool contents)
{
    struct udf_time now = udf_time_now();
    inode->fe.ctime = now;
    if (contents)
        inode->fe.mtime = now;
}

int udf_change(struct udf_volume *vol, uint32_t blocks, int (*change)(void *ctx), void *ctx)
{
    for (int attempt = 0;; attempt++) {
        int err = udf_inodes_waiting(vol) > WAITING_MAX ? udf_tx_commit(vol) : 0;
        if (!err)
            err = udf_tx_begin(vol, blocks);
        if (err)
            return err;
        err = change(ctx);
        udf_tx_end(vol);
        if (err != -EAGAIN)
            return err;
        if (attempt)
            return -ENOSPC;
        err = udf_tx_commit(vol);
        if (err)
            return err;
    }
}
