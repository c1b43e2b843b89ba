/* SPDX-License-Identifier: MIT */
/* The medium of the fault device: packets with their damage and wear, images in
 * and out, and the log of writes. */
#include "tests/lib/fault_medium.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t medium_packet_bytes(const struct fault_medium *m)
{
    return (size_t)m->packet_blocks * MMC_BLOCK_BYTES;
}

static void packet_release(struct fault_packet *data)
{
    if (data && atomic_fetch_sub(&data->refs, 1) == 1)
        free(data);
}

int fault_medium_create(uint32_t blocks, uint32_t packet_blocks, struct fault_medium **medium)
{
    struct fault_medium *m;

    if (packet_blocks < 1 || packet_blocks > 64 || blocks < packet_blocks)
        return -EINVAL;
    m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    m->packet_blocks = packet_blocks;
    m->packets = blocks / packet_blocks;
    m->cells = calloc(m->packets, sizeof *m->cells);
    if (!m->cells) {
        free(m);
        return -ENOMEM;
    }
    pthread_mutex_init(&m->lock, NULL);
    *medium = m;
    return 0;
}

void fault_medium_free(struct fault_medium *m)
{
    if (!m)
        return;
    fault_log_drop(m);
    free(m->log);
    for (uint32_t p = 0; p < m->packets; p++)
        packet_release(m->cells[p].data);
    free(m->cells);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static int medium_copy_locked(struct fault_medium *m, struct fault_medium **copy)
{
    int err = fault_medium_create(m->packets * m->packet_blocks, m->packet_blocks, copy);

    if (err)
        return err;
    (*copy)->stats = m->stats;
    (*copy)->wear_limit = m->wear_limit;
    memcpy((*copy)->cells, m->cells, m->packets * sizeof *m->cells);
    for (uint32_t p = 0; p < m->packets; p++)
        if (m->cells[p].data)
            atomic_fetch_add(&m->cells[p].data->refs, 1);
    return 0;
}

int fault_medium_copy(struct fault_medium *m, struct fault_medium **copy)
{
    int err;

    pthread_mutex_lock(&m->lock);
    err = medium_copy_locked(m, copy);
    pthread_mutex_unlock(&m->lock);
    return err;
}

uint64_t fault_cell_readable(const struct fault_medium *m, const struct fault_cell *cell)
{
    uint64_t all = m->packet_blocks == 64 ? UINT64_MAX : (UINT64_C(1) << m->packet_blocks) - 1;

    return cell->torn ? 0 : all & ~cell->bad_blocks;
}

void fault_cell_block(const struct fault_cell *cell, uint32_t block, uint8_t *to)
{
    if (cell->data)
        memcpy(to, cell->data->bytes + (size_t)block * MMC_BLOCK_BYTES, MMC_BLOCK_BYTES);
    else
        memset(to, 0, MMC_BLOCK_BYTES);
}

static int cell_set(const struct fault_medium *m, struct fault_cell *cell, const uint8_t *bytes)
{
    struct fault_packet *data = malloc(sizeof *data + medium_packet_bytes(m));

    if (!data)
        return -ENOMEM;
    atomic_init(&data->refs, 1);
    memcpy(data->bytes, bytes, medium_packet_bytes(m));
    packet_release(cell->data);
    cell->data = data;
    cell->torn = false;
    cell->bad_blocks = 0;
    return 0;
}

int fault_cell_burn(struct fault_medium *m, uint32_t packet, const uint8_t *bytes)
{
    struct fault_cell *cell = &m->cells[packet];
    bool worn_out = m->wear_limit && cell->wear >= m->wear_limit;

    m->stats.packets_written++;
    if (++cell->wear > m->stats.most_worn) {
        m->stats.most_worn = cell->wear;
        m->stats.most_worn_packet = (mmc_packet_t){packet};
    }
    if (cell->write_error || worn_out) {
        cell->torn = true;
        return -EIO;
    }
    return cell_set(m, cell, bytes);
}

static bool medium_range_ok(const struct fault_medium *m, mmc_lba_t first, uint32_t count)
{
    return first.n >= 0 && (uint64_t)first.n + count <= (uint64_t)m->packets * m->packet_blocks;
}

int fault_medium_peek(struct fault_medium *m, mmc_lba_t first, uint32_t count, void *buf)
{
    int err = 0;

    if (!medium_range_ok(m, first, count))
        return -EINVAL;
    pthread_mutex_lock(&m->lock);
    for (uint32_t i = 0; i < count && !err; i++) {
        uint32_t lba = (uint32_t)first.n + i, block = lba % m->packet_blocks;
        const struct fault_cell *cell = &m->cells[lba / m->packet_blocks];

        if (fault_cell_readable(m, cell) >> block & 1)
            fault_cell_block(cell, block, (uint8_t *)buf + (size_t)i * MMC_BLOCK_BYTES);
        else
            err = -EIO;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

/* Unreadable blocks of the packet that are not poked become zeros, since the packet cannot stay half torn. */
static int medium_poke_block(struct fault_medium *m, uint32_t lba, const uint8_t *from)
{
    struct fault_cell *cell = &m->cells[lba / m->packet_blocks];
    uint64_t bad = cell->bad_blocks & ~(UINT64_C(1) << lba % m->packet_blocks);
    uint8_t *bytes = calloc(1, medium_packet_bytes(m));
    int err;

    if (!bytes)
        return -ENOMEM;
    if (cell->data && !cell->torn)
        memcpy(bytes, cell->data->bytes, medium_packet_bytes(m));
    memcpy(bytes + (size_t)(lba % m->packet_blocks) * MMC_BLOCK_BYTES, from, MMC_BLOCK_BYTES);
    err = cell_set(m, cell, bytes);
    if (!err)
        cell->bad_blocks = bad;
    free(bytes);
    return err;
}

int fault_medium_poke(struct fault_medium *m, mmc_lba_t first, uint32_t count, const void *buf)
{
    int err = 0;

    if (!medium_range_ok(m, first, count))
        return -EINVAL;
    pthread_mutex_lock(&m->lock);
    for (uint32_t i = 0; i < count && !err; i++)
        err = medium_poke_block(m, (uint32_t)first.n + i, (const uint8_t *)buf + (size_t)i * MMC_BLOCK_BYTES);
    pthread_mutex_unlock(&m->lock);
    return err;
}

static ssize_t read_full(int fd, uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = read(fd, buf + done, len - done);
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int fault_medium_load(struct fault_medium *m, const char *path)
{
    size_t len = medium_packet_bytes(m);
    uint8_t *bytes = calloc(2, len); /* the second half stays zeros, to compare with */
    int err = 0, fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || !bytes) {
        err = fd < 0 ? -errno : -ENOMEM;
        goto out;
    }
    pthread_mutex_lock(&m->lock);
    for (uint32_t p = 0; p < m->packets && !err; p++) {
        struct fault_cell *cell = &m->cells[p];
        ssize_t n = read_full(fd, bytes, len);

        memset(bytes + (n > 0 ? n : 0), 0, len - (size_t)(n > 0 ? n : 0));
        if (n < 0)
            err = (int)n;
        else if (memcmp(bytes, bytes + len, len) != 0)
            err = cell_set(m, cell, bytes);
        else {
            packet_release(cell->data);
            cell->data = NULL;
            cell->torn = false;
            cell->bad_blocks = 0;
        }
    }
    pthread_mutex_unlock(&m->lock);
out:
    if (fd >= 0)
        close(fd);
    free(bytes);
    return err;
}

int fault_medium_save(struct fault_medium *m, const char *path)
{
    size_t len = medium_packet_bytes(m);
    int err = 0, fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return -errno;
    pthread_mutex_lock(&m->lock);
    if (ftruncate(fd, (off_t)(m->packets * len)) < 0)
        err = -errno;
    for (uint32_t p = 0; p < m->packets && !err; p++) {
        struct fault_cell *cell = &m->cells[p];

        if (cell->data && !cell->torn && pwrite(fd, cell->data->bytes, len, (off_t)(p * len)) != (ssize_t)len)
            err = -EIO;
    }
    pthread_mutex_unlock(&m->lock);
    if (close(fd) < 0 && !err)
        err = -errno;
    return err;
}

void fault_medium_tear(struct fault_medium *m, mmc_packet_t packet)
{
    pthread_mutex_lock(&m->lock);
    m->cells[packet.n].torn = true;
    pthread_mutex_unlock(&m->lock);
}

void fault_medium_read_error(struct fault_medium *m, mmc_lba_t block, bool on)
{
    struct fault_cell *cell = &m->cells[(uint32_t)block.n / m->packet_blocks];
    uint64_t bit = UINT64_C(1) << (uint32_t)block.n % m->packet_blocks;

    pthread_mutex_lock(&m->lock);
    cell->bad_blocks = on ? cell->bad_blocks | bit : cell->bad_blocks & ~bit;
    pthread_mutex_unlock(&m->lock);
}

void fault_medium_write_error(struct fault_medium *m, mmc_packet_t packet, bool on)
{
    pthread_mutex_lock(&m->lock);
    m->cells[packet.n].write_error = on;
    pthread_mutex_unlock(&m->lock);
}

void fault_medium_wear_limit(struct fault_medium *m, uint32_t writes)
{
    pthread_mutex_lock(&m->lock);
    m->wear_limit = writes;
    pthread_mutex_unlock(&m->lock);
}

void fault_medium_stats(struct fault_medium *m, struct fault_stats *stats)
{
    pthread_mutex_lock(&m->lock);
    *stats = m->stats;
    pthread_mutex_unlock(&m->lock);
}

uint32_t fault_medium_wear(struct fault_medium *m, mmc_packet_t packet)
{
    uint32_t wear;

    pthread_mutex_lock(&m->lock);
    wear = m->cells[packet.n].wear;
    pthread_mutex_unlock(&m->lock);
    return wear;
}

bool fault_medium_torn(struct fault_medium *m, mmc_packet_t packet)
{
    bool torn;

    pthread_mutex_lock(&m->lock);
    torn = m->cells[packet.n].torn;
    pthread_mutex_unlock(&m->lock);
    return torn;
}

int fault_log_add(struct fault_medium *m, const struct fault_entry *entry, const void *data)
{
    size_t len = (size_t)entry->count * MMC_BLOCK_BYTES;
    struct fault_entry *slot;

    if (m->log_count == m->log_room) {
        size_t room = m->log_room ? 2 * m->log_room : 64;
        struct fault_entry *log = realloc(m->log, room * sizeof *log);
        if (!log)
            return -ENOMEM;
        m->log = log;
        m->log_room = room;
    }
    slot = &m->log[m->log_count];
    *slot = *entry;
    slot->data = malloc(len);
    if (!slot->data)
        return -ENOMEM;
    memcpy(slot->data, data, len);
    m->log_count++;
    return 0;
}

void fault_log_done(struct fault_medium *m, uint32_t packet)
{
    for (size_t i = m->log_undone; i < m->log_count; i++)
        if (m->log[i].packet == packet)
            m->log[i].done = true;
}

void fault_log_trim(struct fault_medium *m)
{
    size_t kept = 0;

    while (m->log_undone < m->log_count && m->log[m->log_undone].done)
        m->log_undone++;
    if (m->base)
        return;
    for (size_t i = 0; i < m->log_count; i++) {
        if (m->log[i].done)
            free(m->log[i].data);
        else
            m->log[kept++] = m->log[i];
    }
    m->log_count = kept;
    m->log_undone = 0;
}

void fault_log_drop(struct fault_medium *m)
{
    for (size_t i = 0; i < m->log_count; i++)
        free(m->log[i].data);
    m->log_count = m->log_undone = 0;
    fault_medium_free(m->base);
    m->base = NULL;
}

int fault_medium_record(struct fault_medium *m)
{
    int err;

    pthread_mutex_lock(&m->lock);
    if (m->log_undone < m->log_count) {
        err = -EBUSY;
    } else {
        fault_log_drop(m);
        err = medium_copy_locked(m, &m->base);
        if (err)
            m->base = NULL;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}

size_t fault_medium_recorded(struct fault_medium *m)
{
    size_t n;

    pthread_mutex_lock(&m->lock);
    n = m->base ? m->log_count : 0;
    pthread_mutex_unlock(&m->lock);
    return n;
}

int fault_medium_record_get(struct fault_medium *m, size_t index, struct fault_write *write)
{
    int err = -ENOENT;

    pthread_mutex_lock(&m->lock);
    if (m->base && index < m->log_count) {
        const struct fault_entry *e = &m->log[index];
        write->first = mmc_lba((int64_t)e->packet * m->packet_blocks + e->first);
        write->count = e->count;
        write->flags = e->flags;
        write->sync = e->sync - m->base->stats.syncs;
        err = 0;
    }
    pthread_mutex_unlock(&m->lock);
    return err;
}
