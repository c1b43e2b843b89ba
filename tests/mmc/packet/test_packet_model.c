/* SPDX-License-Identifier: MIT */
/*
 * The packet device against a plain array: several threads write, read and sync at random over shared packets
 * while the drive errs late, errs at once and is reset. Every read must see the array, and after the last
 * sync so must the medium, with the power cut. The seed is printed; give it as argument to run it again
 * (threads interleave anew each time).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/mmc/packet/fake_drive.h"

#define L       MMC_PACKET_BLOCKS
#define PACKETS 96u
#define BLOCKS  (PACKETS * L)
#define THREADS 4u
#define STEPS   3000u
/* The last packets belong to one thread each, as whole packets, for writes with BLOCK_WRITE_FRESH. */
#define SHARED_BLOCKS ((PACKETS - 8 * THREADS) * L)

struct model {
    struct block_device *dev;
    struct fake_drive *fake;
    uint32_t value[BLOCKS]; /* number that the block holds in its first four bytes, and all over */
    _Atomic unsigned wrong;
};

struct worker {
    struct model *model;
    unsigned index;
    uint64_t random;
};

static uint32_t draw(struct worker *w, uint32_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->random >> 33) % below;
}

static void complain(struct model *m, const char *what, uint32_t lba, long got)
{
    if (atomic_fetch_add(&m->wrong, 1) < 10)
        fprintf(stderr, "%s at block %u: %ld\n", what, lba, got);
}

static void block_make(uint32_t value, uint8_t *block)
{
    for (size_t i = 0; i < MMC_BLOCK_BYTES; i += sizeof value)
        memcpy(block + i, &value, sizeof value);
}

static void block_check(struct model *m, const char *what, uint32_t lba, const uint8_t *block)
{
    uint8_t expected[MMC_BLOCK_BYTES];

    block_make(m->value[lba], expected);
    if (memcmp(block, expected, sizeof expected) != 0)
        complain(m, what, lba, (long)block[0] | (long)block[1] << 8);
}

/* In the shared part, each thread has every block whose number says so. */
static void step_write(struct worker *w)
{
    uint32_t lba = draw(w, SHARED_BLOCKS / THREADS) * THREADS + w->index, value = draw(w, UINT32_MAX);
    uint8_t block[MMC_BLOCK_BYTES];
    int error;

    block_make(value, block);
    error = block_write(w->model->dev, mmc_lba(lba), 1, block, 0);
    if (error)
        complain(w->model, "write", lba, error);
    w->model->value[lba] = value;
}

static uint32_t own_packet(struct worker *w)
{
    return SHARED_BLOCKS / L + 8 * w->index + draw(w, 8);
}

static void step_write_long(struct worker *w)
{
    uint32_t first = own_packet(w) * L + draw(w, L), end = SHARED_BLOCKS + 8 * L * (w->index + 1);
    uint32_t count = 1 + draw(w, 2 * L), value = draw(w, UINT32_MAX);
    uint8_t *buf = malloc(2 * L * MMC_BLOCK_BYTES);
    int error;

    if (count > end - first)
        count = end - first;
    for (uint32_t i = 0; i < count; i++) {
        block_make(value + i, buf + (size_t)i * MMC_BLOCK_BYTES);
        w->model->value[first + i] = value + i;
    }
    error = block_write(w->model->dev, mmc_lba(first), count, buf, 0);
    if (error)
        complain(w->model, "long write", first, error);
    free(buf);
}

/* Nothing of the packet matters but the blocks written now. */
static void step_write_fresh(struct worker *w)
{
    uint32_t packet = own_packet(w);
    uint8_t buf[L * MMC_BLOCK_BYTES];

    for (uint32_t i = 0; i < L; i++) {
        w->model->value[packet * L + i] = draw(w, UINT32_MAX);
        block_make(w->model->value[packet * L + i], buf + (size_t)i * MMC_BLOCK_BYTES);
    }
    if (block_write(w->model->dev, mmc_lba(packet * L), 5, buf, BLOCK_WRITE_FRESH) != 0 ||
        block_write(w->model->dev, mmc_lba(packet * L + 5), L - 5, buf + 5 * MMC_BLOCK_BYTES, 0) != 0)
        complain(w->model, "fresh write", packet * L, 0);
}

static void step_read(struct worker *w)
{
    uint32_t lba = draw(w, SHARED_BLOCKS / THREADS) * THREADS + w->index;
    uint8_t block[MMC_BLOCK_BYTES];
    int error = block_read(w->model->dev, mmc_lba(lba), 1, block);

    if (error)
        complain(w->model, "read", lba, error);
    else
        block_check(w->model, "read", lba, block);
}

static void step_read_long(struct worker *w)
{
    uint32_t first = SHARED_BLOCKS + 8 * L * w->index, count = 8 * L;
    uint8_t *buf = malloc((size_t)count * MMC_BLOCK_BYTES);
    int error = block_read(w->model->dev, mmc_lba(first), count, buf);

    if (error)
        complain(w->model, "long read", first, error);
    for (uint32_t i = 0; i < count && !error; i++)
        block_check(w->model, "long read", first + i, buf + (size_t)i * MMC_BLOCK_BYTES);
    free(buf);
}

static void step_trouble(struct worker *w)
{
    switch (draw(w, 8)) {
    case 0:
        fake_attention(w->model->fake, 0x29);
        break;
    case 1:
        fake_late_manner(w->model->fake, draw(w, 2), draw(w, 2));
        break;
    case 2:
    case 3:
        fake_write_fails(w->model->fake, draw(w, PACKETS), 1, true);
        break;
    case 4:
        fake_write_fails(w->model->fake, draw(w, PACKETS), 1, false);
        break;
    default:
        block_readahead(w->model->dev, mmc_lba(draw(w, BLOCKS)), 1 + draw(w, 200));
        break;
    }
}

/* Troubles can come together until a packet counts as failed. Moving it to where it is has it tried again. */
static void step_sync(struct model *m)
{
    int error = block_sync(m->dev);

    for (unsigned i = 0; error && i < 100; i++) {
        struct block_failure f;

        while (block_failure_next(m->dev, &f))
            (void)block_failure_move(m->dev, f.packet, f.packet);
        error = block_sync(m->dev);
    }
    if (error)
        complain(m, "sync", 0, error);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t r = draw(w, 1000);

        if (r < 500)
            step_write(w);
        else if (r < 560)
            step_write_long(w);
        else if (r < 580)
            step_write_fresh(w);
        else if (r < 950)
            step_read(w);
        else if (r < 970)
            step_read_long(w);
        else if (r < 990)
            step_trouble(w);
        else
            step_sync(w->model);
    }
    return NULL;
}

static void threads_run(struct model *m, uint64_t seed)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){m, i, seed * THREADS + i};
        if (pthread_create(&threads[i], NULL, worker_main, &workers[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static unsigned model_run(uint64_t seed, size_t cache)
{
    struct model *m = calloc(1, sizeof *m);
    struct mmc_packet_stats stats;
    struct mmc_drive *drive;
    unsigned wrong;

    m->fake = fake_drive_new(PACKETS, true);
    if (mmc_open_transport(fake_drive_transport(m->fake), &drive, NULL) != 0 ||
        mmc_packet_open(drive, cache, false, &m->dev) != 0)
        abort();
    threads_run(m, seed);
    step_sync(m);
    fake_power_cut(m->fake);
    for (uint32_t lba = 0; lba < BLOCKS; lba++)
        block_check(m, "medium", lba, fake_block(m->fake, lba));
    mmc_packet_stats_get(m->dev, &stats);
    if (fake_violations(m->fake) || stats.bytes_held_most > cache)
        complain(m, "rules broken", fake_violations(m->fake), (long)stats.bytes_held_most);
    printf("seed %llu cache %zu: %llu packets written, %llu completed, %llu read, %zu syncs\n",
           (unsigned long long)seed, cache, (unsigned long long)stats.packets_written,
           (unsigned long long)stats.packets_completed, (unsigned long long)stats.packets_read,
           fake_log_count(m->fake, 0x35));
    wrong = m->wrong;
    block_close(m->dev);
    mmc_close(drive);
    fake_drive_free(m->fake);
    free(m);
    return wrong;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
    unsigned wrong = 0;

    for (unsigned i = 0; i < 4; i++)
        wrong += model_run(seed + i, i % 2 ? 1u << 20 : 4u << 20);
    return wrong != 0;
}
