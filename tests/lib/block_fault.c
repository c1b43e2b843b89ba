/* SPDX-License-Identifier: MIT */
/* The drive of the fault device: holds writes in memory, burns whole packets at a sync,
 * and dies when the power does. */
#include "tests/lib/block_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/fault_medium.h"

/* A packet with unsynced writes. */
struct fault_held {
    uint64_t valid; /* blocks in bytes, a bit each */
    int error;      /* why it could not be written at the last sync */
    uint8_t bytes[];
};

struct block_fault {
    struct block_device dev;
    struct fault_medium *medium;
    struct fault_held **held; /* by packet */
    bool dead;
};

static size_t fault_packet_bytes(const struct block_fault *f)
{
    return (size_t)f->medium->packet_blocks * MMC_BLOCK_BYTES;
}

static uint64_t fault_all_blocks(const struct block_fault *f)
{
    uint32_t n = f->medium->packet_blocks;

    return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static void fault_forget(struct block_fault *f)
{
    for (uint32_t p = 0; p < f->medium->packets; p++) {
        free(f->held[p]);
        f->held[p] = NULL;
    }
}

void fault_device_die(struct block_fault *f)
{
    fault_forget(f);
    f->dead = true;
}

static int fault_read_block(struct block_fault *f, uint32_t lba, uint8_t *to)
{
    uint32_t packet = lba / f->medium->packet_blocks, block = lba % f->medium->packet_blocks;
    const struct fault_cell *cell = &f->medium->cells[packet];
    const struct fault_held *held = f->held[packet];

    if (held && held->valid >> block & 1)
        memcpy(to, held->bytes + (size_t)block * MMC_BLOCK_BYTES, MMC_BLOCK_BYTES);
    else if (fault_cell_readable(f->medium, cell) >> block & 1)
        fault_cell_block(cell, block, to);
    else
        return -EIO;
    return 0;
}

static int fault_read(struct block_device *dev, mmc_lba_t first, uint32_t count, void *buf)
{
    struct block_fault *f = (struct block_fault *)dev;
    int err;

    pthread_mutex_lock(&f->medium->lock);
    err = f->dead ? -EIO : 0;
    f->medium->stats.blocks_read += count;
    for (uint32_t i = 0; i < count && !err; i++)
        err = fault_read_block(f, (uint32_t)first.n + i, (uint8_t *)buf + (size_t)i * MMC_BLOCK_BYTES);
    pthread_mutex_unlock(&f->medium->lock);
    return err;
}

static int fault_hold(struct block_fault *f, const struct fault_entry *e, const uint8_t *from)
{
    struct fault_held *held = f->held[e->packet];

    if (!held) {
        held = calloc(1, sizeof *held + fault_packet_bytes(f));
        if (!held)
            return -ENOMEM;
        f->held[e->packet] = held;
    }
    if (e->flags & BLOCK_WRITE_FRESH) {
        memset(held->bytes, 0, fault_packet_bytes(f));
        held->valid = fault_all_blocks(f);
    }
    memcpy(held->bytes + (size_t)e->first * MMC_BLOCK_BYTES, from, (size_t)e->count * MMC_BLOCK_BYTES);
    for (uint32_t b = e->first; b < e->first + e->count; b++)
        held->valid |= UINT64_C(1) << b;
    return 0;
}

/* The power fails while the newest write of the log is on its way. */
static int fault_cut(struct block_fault *f)
{
    struct fault_medium *m = f->medium;
    int err = fault_cut_apply(m, m->log, m->log_count, false, 0, &m->log[m->log_count - 1], m->cut_seed);

    fault_log_drop(m);
    m->cut_write = 0;
    m->was_cut = true;
    fault_device_die(f);
    return err ? err : -EIO;
}

/* One numbered write. */
static int fault_write_piece(struct block_fault *f, const struct fault_entry *e, const uint8_t *from)
{
    struct fault_medium *m = f->medium;
    int err = fault_log_add(m, e, from);

    if (err)
        return err;
    m->stats.writes++;
    m->stats.blocks_written += e->count;
    if (m->cut_write && m->stats.writes >= m->cut_write)
        return fault_cut(f);
    return fault_hold(f, e, from);
}

static int fault_write(struct block_device *dev, mmc_lba_t first, uint32_t count, const void *buf,
                       unsigned flags)
{
    struct block_fault *f = (struct block_fault *)dev;
    const uint8_t *from = buf;
    uint32_t at = (uint32_t)first.n, length = f->medium->packet_blocks;
    int err;

    pthread_mutex_lock(&f->medium->lock);
    err = f->dead ? -EIO : 0;
    while (count > 0 && !err) {
        uint32_t in_packet = at % length, left = length - in_packet;
        struct fault_entry e = {
            .packet = at / length,
            .first = in_packet,
            .count = count < left ? count : left,
            .flags = flags,
            .sync = f->medium->stats.syncs,
        };

        err = fault_write_piece(f, &e, from);
        at += e.count;
        count -= e.count;
        from += (size_t)e.count * MMC_BLOCK_BYTES;
    }
    pthread_mutex_unlock(&f->medium->lock);
    return err;
}

/* Reads what the packet lacks from the medium. */
static int fault_complete(struct block_fault *f, uint32_t packet, struct fault_held *held)
{
    const struct fault_cell *cell = &f->medium->cells[packet];
    uint64_t missing = fault_all_blocks(f) & ~held->valid;

    if (!missing)
        return 0;
    if (missing & ~fault_cell_readable(f->medium, cell))
        return -EIO;
    for (uint32_t b = 0; b < f->medium->packet_blocks; b++)
        if (missing >> b & 1)
            fault_cell_block(cell, b, held->bytes + (size_t)b * MMC_BLOCK_BYTES);
    held->valid = fault_all_blocks(f);
    f->medium->stats.packets_completed++;
    return 0;
}

static int fault_sync(struct block_device *dev)
{
    struct block_fault *f = (struct block_fault *)dev;
    struct fault_medium *m = f->medium;
    int err;

    pthread_mutex_lock(&m->lock);
    err = f->dead ? -EIO : 0;
    for (uint32_t p = 0; p < m->packets && !f->dead; p++) {
        struct fault_held *held = f->held[p];

        if (!held)
            continue;
        held->error = fault_complete(f, p, held);
        if (!held->error)
            held->error = fault_cell_burn(m, p, held->bytes);
        if (held->error) {
            err = -EIO;
            continue;
        }
        free(held);
        f->held[p] = NULL;
        fault_log_done(m, p);
    }
    if (!f->dead) {
        m->stats.syncs++;
        fault_log_trim(m);
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

static int fault_failure_next(struct block_device *dev, struct block_failure *failure)
{
    struct block_fault *f = (struct block_fault *)dev;
    int found = 0;

    pthread_mutex_lock(&f->medium->lock);
    for (uint32_t p = 0; p < f->medium->packets && !found; p++) {
        if (f->held[p] && f->held[p]->error) {
            failure->packet = (mmc_packet_t){p};
            failure->error = f->held[p]->error;
            found = 1;
        }
    }
    pthread_mutex_unlock(&f->medium->lock);
    return found;
}

static int fault_failure_move(struct block_device *dev, mmc_packet_t from, mmc_packet_t to)
{
    struct block_fault *f = (struct block_fault *)dev;
    struct fault_medium *m = f->medium;
    struct fault_held *held;
    int err = -ENOENT;

    pthread_mutex_lock(&m->lock);
    held = from.n < m->packets ? f->held[from.n] : NULL;
    if (held && held->error)
        err = held->valid == fault_all_blocks(f) ? 0 : -EIO;
    if (!err) {
        struct fault_entry e = {
            .packet = to.n,
            .count = m->packet_blocks,
            .sync = m->stats.syncs,
        };

        f->held[from.n] = NULL;
        fault_log_done(m, from.n);
        err = fault_write_piece(f, &e, held->bytes);
        free(held);
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

static int fault_close(struct block_device *dev)
{
    struct block_fault *f = (struct block_fault *)dev;

    pthread_mutex_lock(&f->medium->lock);
    fault_forget(f);
    f->medium->device = NULL;
    /* What could not be written is lost with the drive's memory. */
    for (size_t i = f->medium->log_undone; i < f->medium->log_count; i++)
        f->medium->log[i].done = true;
    fault_log_trim(f->medium);
    pthread_mutex_unlock(&f->medium->lock);
    free(f->held);
    free(f);
    return 0;
}

static const struct block_ops fault_ops = {
    .read = fault_read,
    .write = fault_write,
    .sync = fault_sync,
    .failure_next = fault_failure_next,
    .failure_move = fault_failure_move,
    .close = fault_close,
};

int block_fault_open(struct fault_medium *m, bool read_only, struct block_device **dev)
{
    struct block_fault *f = calloc(1, sizeof *f);
    int err = 0;

    if (f)
        f->held = calloc(m->packets, sizeof(struct fault_held *));
    if (!f || !f->held) {
        free(f);
        return -ENOMEM;
    }
    f->medium = m;
    f->dev.ops = &fault_ops;
    f->dev.geometry.blocks = m->packets * m->packet_blocks;
    f->dev.geometry.packet_blocks = m->packet_blocks;
    f->dev.geometry.read_only = read_only;
    pthread_mutex_lock(&m->lock);
    if (m->device) {
        err = -EBUSY;
    } else {
        m->device = f;
        m->was_cut = false;
    }
    pthread_mutex_unlock(&m->lock);
    if (err) {
        free(f->held);
        free(f);
        return err;
    }
    *dev = &f->dev;
    return 0;
}
