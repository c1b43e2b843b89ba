/* SPDX-License-Identifier: MIT */
/* The fault device's power cuts: what a medium looks like when the power fails in
 * the middle of a log of writes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/fault_medium.h"

/* The writes of one packet, entries[order[from]] up to entries[order[to - 1]],
 * that no sync has made durable. */
struct cut_group {
    uint32_t packet;
    size_t from, to;
};

struct cut {
    struct fault_medium *m;
    struct fault_entry *entries;
    size_t *order; /* indexes of the entries, those of a packet together and in time's order */
    struct cut_group *groups;
    size_t group_count;
    bool replay;    /* go through the syncs again, whether a write is done by now or not */
    uint8_t *bytes; /* room for a packet */
};

static uint64_t cut_random(uint64_t seed, uint64_t salt)
{
    uint64_t z = seed * UINT64_C(0x9E3779B97F4A7C15) + salt * UINT64_C(0xD1B54A32D192ED03);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Puts the packet together from the medium and the writes; -EIO when blocks are missing. */
static int cut_fold(struct cut *cut, const struct cut_group *group, size_t to)
{
    struct fault_medium *m = cut->m;
    struct fault_cell *cell = &m->cells[group->packet], whole = {0};
    uint64_t all = fault_cell_readable(m, &whole), valid = fault_cell_readable(m, cell);

    for (uint32_t i = 0; i < m->packet_blocks; i++)
        fault_cell_block(cell, i, cut->bytes + (size_t)i * MMC_BLOCK_BYTES);
    for (size_t i = group->from; i < to; i++) {
        const struct fault_entry *e = &cut->entries[cut->order[i]];

        if (e->flags & BLOCK_WRITE_FRESH) {
            memset(cut->bytes, 0, (size_t)m->packet_blocks * MMC_BLOCK_BYTES);
            valid = all;
        }
        memcpy(cut->bytes + (size_t)e->first * MMC_BLOCK_BYTES, e->data, (size_t)e->count * MMC_BLOCK_BYTES);
        for (uint32_t b = e->first; b < e->first + e->count; b++)
            valid |= UINT64_C(1) << b;
    }
    return valid == all ? 0 : -EIO;
}

static int cut_write(struct cut *cut, const struct cut_group *group, size_t to)
{
    int err = to == group->from ? -EIO : cut_fold(cut, group, to);

    return err ? err : fault_cell_burn(cut->m, group->packet, cut->bytes);
}

/* Carries out the syncs that came between the packet's writes, as they went when the record was made. */
static void cut_replay_syncs(struct cut *cut, struct cut_group *group, uint64_t syncs)
{
    for (size_t i = group->from; i < group->to; i++) {
        uint64_t next = i + 1 < group->to ? cut->entries[cut->order[i + 1]].sync : syncs;

        if (cut->entries[cut->order[i]].sync < next && cut_write(cut, group, i + 1) == 0)
            group->from = i + 1;
    }
}

/* Groups the entries by packet, each group in time's order, with a bucket sort over the packets. */
static int cut_group_entries(struct cut *cut, size_t count)
{
    size_t *starts = calloc((size_t)cut->m->packets + 1, sizeof *starts);

    cut->order = calloc(count + 1, sizeof *cut->order);
    cut->groups = calloc(count + 1, sizeof *cut->groups);
    cut->bytes = malloc((size_t)cut->m->packet_blocks * MMC_BLOCK_BYTES);
    if (!starts || !cut->order || !cut->groups || !cut->bytes) {
        free(starts);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        if (cut->replay || !cut->entries[i].done)
            starts[cut->entries[i].packet + 1]++;
    for (uint32_t p = 0; p < cut->m->packets; p++) {
        if (starts[p + 1])
            cut->groups[cut->group_count++] = (struct cut_group){p, starts[p], starts[p] + starts[p + 1]};
        starts[p + 1] += starts[p];
    }
    for (size_t i = 0; i < count; i++)
        if (cut->replay || !cut->entries[i].done)
            cut->order[starts[cut->entries[i].packet]++] = i;
    free(starts);
    return 0;
}

/* How many of the group's writes show after the cut. */
static size_t cut_kept(const struct cut_group *group, uint64_t seed)
{
    size_t writes = group->to - group->from;

    if (seed == 0 || seed == 3)
        return 0;
    if (seed == 1 || seed == 2)
        return writes;
    switch (cut_random(seed, group->packet) % 3) {
    case 0:
        return 0;
    case 1:
        return writes;
    default:
        return cut_random(~seed, group->packet) % (writes + 1);
    }
}

/* The group whose packet is under the laser; group_count when none is. */
static size_t cut_torn(const struct cut *cut, const struct fault_entry *last, uint64_t seed)
{
    size_t i = 0;

    if (seed == 2 || seed == 3 || cut->group_count == 0)
        return cut->group_count;
    if (seed >= 4)
        return cut_random(seed, UINT64_MAX) % 8 == 0 ? cut->group_count
                                                     : cut_random(seed, UINT64_MAX - 1) % cut->group_count;
    while (i < cut->group_count && !(last && cut->groups[i].packet == last->packet))
        i++;
    return i;
}

int fault_cut_apply(struct fault_medium *m, struct fault_entry *entries, size_t count, bool replay,
                    uint64_t syncs, const struct fault_entry *last, uint64_t seed)
{
    struct cut cut = {.m = m, .entries = entries, .replay = replay};
    size_t torn, pending = 0;
    int err = cut_group_entries(&cut, count);

    for (size_t i = 0; i < cut.group_count && !err; i++) {
        struct cut_group group = cut.groups[i];

        if (replay)
            cut_replay_syncs(&cut, &group, syncs);
        if (group.from < group.to)
            cut.groups[pending++] = group;
    }
    cut.group_count = pending;
    torn = cut_torn(&cut, last, seed);
    for (size_t i = 0; i < cut.group_count && !err; i++) {
        struct cut_group *group = &cut.groups[i];

        /* What cannot be made whole cannot be under the laser either. */
        if (i != torn)
            (void)cut_write(&cut, group, group->from + cut_kept(group, seed));
        else if (cut_fold(&cut, group, group->to) == 0)
            m->cells[group->packet].torn = true;
    }
    free(cut.order);
    free(cut.groups);
    free(cut.bytes);
    return err;
}

int fault_medium_cut_copy(struct fault_medium *m, uint64_t write, uint64_t seed, struct fault_medium **copy)
{
    const struct fault_entry *last = NULL;
    uint64_t syncs, base, n;
    int err = -EINVAL;

    pthread_mutex_lock(&m->lock);
    base = m->base ? m->base->stats.writes : 0;
    if (!m->base || write <= base || write > base + m->log_count + 1)
        goto out;
    n = write - base;
    syncs = m->stats.syncs;
    if (n <= m->log_count) {
        last = &m->log[n - 1];
        syncs = last->sync;
    } else {
        n = m->log_count;
    }
    err = fault_medium_copy(m->base, copy);
    if (err)
        goto out;
    (*copy)->stats.writes = base + n;
    err = fault_cut_apply(*copy, m->log, n, true, syncs, last, seed);
    if (err) {
        fault_medium_free(*copy);
        *copy = NULL;
    }
out:
    pthread_mutex_unlock(&m->lock);
    return err;
}

void fault_medium_cut_at(struct fault_medium *m, uint64_t write, uint64_t seed)
{
    pthread_mutex_lock(&m->lock);
    m->cut_write = write;
    m->cut_seed = seed;
    pthread_mutex_unlock(&m->lock);
}

void fault_medium_cut_now(struct fault_medium *m, uint64_t seed)
{
    const struct fault_entry *last;

    pthread_mutex_lock(&m->lock);
    last = m->log_undone < m->log_count ? &m->log[m->log_count - 1] : NULL;
    (void)fault_cut_apply(m, m->log, m->log_count, false, 0, last, seed);
    fault_log_drop(m);
    m->cut_write = 0;
    m->was_cut = true;
    if (m->device)
        fault_device_die(m->device);
    pthread_mutex_unlock(&m->lock);
}

bool fault_medium_was_cut(struct fault_medium *m)
{
    bool was;

    pthread_mutex_lock(&m->lock);
    was = m->was_cut;
    pthread_mutex_unlock(&m->lock);
    return was;
}
