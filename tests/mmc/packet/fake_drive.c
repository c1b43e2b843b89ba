/* SPDX-License-Identifier: MIT */
/* The drive for tests of the packet device; see the header. */
#include "tests/mmc/packet/fake_drive.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define L            MMC_PACKET_BLOCKS
#define PACKET_BYTES ((size_t)L * MMC_BLOCK_BYTES)

struct fake_drive {
    struct mmc_transport transport;
    pthread_mutex_t lock;
    pthread_cond_t change;
    uint32_t packets;
    bool formatted;
    uint8_t *medium;
    uint8_t **buffered; /* by packet */
    uint32_t fifo[FAKE_BUFFER_PACKETS + 1], fifo_count;
    unsigned *fails_now, *fails_late; /* by packet */
    bool *unreadable;                 /* by block */
    bool names_block, loses_buffer;
    uint32_t late[64], late_count; /* blocks of late errors to tell */
    uint8_t attentions[8];
    unsigned attention_count, violations;
    int transport_error;
    bool hold, held;
    uint64_t clock;
    struct fake_command *log;
    size_t log_count, log_room;
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(n >> (24 - 8 * i));
}

static void answer(struct mmc_request *r, unsigned code, unsigned key, unsigned asc, unsigned ascq,
                   int64_t lba)
{
    r->status = MMC_STATUS_CHECK_CONDITION;
    r->sense_len = 18;
    memset(r->sense, 0, sizeof r->sense);
    r->sense[0] = (uint8_t)(code | (lba >= 0 ? 0x80 : 0));
    r->sense[2] = (uint8_t)key;
    if (lba >= 0)
        put32(r->sense + 3, (uint32_t)lba);
    r->sense[7] = 10;
    r->sense[12] = (uint8_t)asc;
    r->sense[13] = (uint8_t)ascq;
}

static void reply(struct mmc_request *r, const uint8_t *bytes, size_t len)
{
    r->transferred = len < r->data_len ? len : r->data_len;
    memcpy(r->data, bytes, r->transferred);
}

static void buffer_drop(struct fake_drive *f)
{
    for (uint32_t i = 0; i < f->fifo_count; i++) {
        free(f->buffered[f->fifo[i]]);
        f->buffered[f->fifo[i]] = NULL;
    }
    f->fifo_count = 0;
}

/* Burns the packet that is in the buffer for longest. */
static void buffer_burn(struct fake_drive *f)
{
    uint32_t p = f->fifo[0];
    uint8_t *bytes = f->buffered[p];

    memmove(f->fifo, f->fifo + 1, --f->fifo_count * sizeof *f->fifo);
    f->buffered[p] = NULL;
    if (f->fails_late[p]) {
        f->fails_late[p]--;
        memset(f->medium + p * PACKET_BYTES, 0xBD, PACKET_BYTES);
        if (f->late_count < 64)
            f->late[f->late_count++] = p * L;
        if (f->loses_buffer)
            buffer_drop(f);
    } else {
        memcpy(f->medium + p * PACKET_BYTES, bytes, PACKET_BYTES);
        memset(f->unreadable + (size_t)p * L, 0, L);
    }
    free(bytes);
}

/* A late error, if there is one to tell, takes the place of the command. */
static bool late_told(struct fake_drive *f, struct mmc_request *r)
{
    if (f->late_count == 0)
        return false;
    answer(r, 0x71, 3, 0x0C, 0, f->names_block ? (int64_t)f->late[0] : -1);
    memmove(f->late, f->late + 1, --f->late_count * sizeof *f->late);
    return true;
}

static void cmd_read(struct fake_drive *f, struct mmc_request *r, uint32_t lba, uint32_t count)
{
    if ((uint64_t)lba + count > (uint64_t)f->packets * L) {
        answer(r, 0x70, 5, 0x21, 0, -1);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (f->buffered[(lba + i) / L])
            f->violations++;
        if (f->unreadable[lba + i]) {
            answer(r, 0x70, 3, 0x11, 0, lba + i);
            return;
        }
    }
    reply(r, f->medium + (size_t)lba * MMC_BLOCK_BYTES, (size_t)count * MMC_BLOCK_BYTES);
}

static void cmd_write(struct fake_drive *f, struct mmc_request *r, uint32_t lba, uint32_t count)
{
    uint32_t p = lba / L;

    if (lba % L || count != L || p >= f->packets || r->data_len != PACKET_BYTES) {
        f->violations++;
        answer(r, 0x70, 5, 0x64, 1, -1);
        return;
    }
    if (f->fails_now[p]) {
        f->fails_now[p]--;
        answer(r, 0x70, 3, 0x0C, 0, lba);
        return;
    }
    if (!f->buffered[p]) {
        f->buffered[p] = malloc(PACKET_BYTES);
        f->fifo[f->fifo_count++] = p;
    }
    memcpy(f->buffered[p], r->data, PACKET_BYTES);
    r->transferred = PACKET_BYTES;
    if (f->fifo_count > FAKE_BUFFER_PACKETS)
        buffer_burn(f);
}

static void cmd_disc_information(struct fake_drive *f, struct mmc_request *r)
{
    uint8_t bytes[34] = {[1] = 32, [3] = 1, [4] = 1, [5] = 1, [6] = 1};

    bytes[2] = f->formatted ? 0x1E : 0x0E; /* erasable or not; last session and disc complete */
    reply(r, bytes, sizeof bytes);
}

static void cmd_track_information(struct fake_drive *f, struct mmc_request *r)
{
    uint8_t bytes[36] = {[1] = 34, [2] = 1, [3] = 1, [5] = 4, [6] = 1};

    if (f->formatted) {
        bytes[6] = 0xB1; /* reserved, packet, fixed packet, mode 1 */
        put32(bytes + 20, L);
    }
    put32(bytes + 24, f->packets * L);
    reply(r, bytes, sizeof bytes);
}

static void command(struct fake_drive *f, struct mmc_request *r)
{
    uint32_t lba = get32(r->cdb + 2), count = (uint32_t)r->cdb[7] << 8 | r->cdb[8];
    uint8_t bytes[8] = {0};

    switch (r->cdb[0]) {
    case 0x00: /* TEST UNIT READY */
    case 0x1E: /* PREVENT ALLOW MEDIUM REMOVAL */
    case 0x55: /* MODE SELECT */
    case 0xBB: /* SET CD SPEED */
        break;
    case 0x12:
        reply(r, (const uint8_t[36]){5, 0x80, 5, 2, 31}, 36);
        break;
    case 0x25:
        put32(bytes, f->packets * L - 1);
        put32(bytes + 4, MMC_BLOCK_BYTES);
        reply(r, bytes, sizeof bytes);
        break;
    case 0x28:
        cmd_read(f, r, lba, count);
        break;
    case 0x2A:
        cmd_write(f, r, lba, count);
        break;
    case 0x35:
        while (f->fifo_count > 0)
            buffer_burn(f);
        (void)late_told(f, r);
        break;
    case 0x46:
        bytes[3] = 4;
        bytes[7] = f->formatted ? 0x0A : 0x08;
        reply(r, bytes, sizeof bytes);
        break;
    case 0x51:
        cmd_disc_information(f, r);
        break;
    case 0x52:
        cmd_track_information(f, r);
        break;
    default:
        answer(r, 0x70, 5, 0x20, 0, -1);
        break;
    }
}

static void attention_tell(struct fake_drive *f, struct mmc_request *r)
{
    uint8_t asc = f->attentions[0];

    memmove(f->attentions, f->attentions + 1, --f->attention_count);
    if (asc == 0x29)
        buffer_drop(f);
    answer(r, 0x70, 6, asc, 0, -1);
}

static void log_add(struct fake_drive *f, const struct mmc_request *r)
{
    if (f->log_count == f->log_room) {
        f->log_room = f->log_room ? 2 * f->log_room : 256;
        f->log = realloc(f->log, f->log_room * sizeof *f->log);
    }
    f->log[f->log_count++] =
        (struct fake_command){r->cdb[0], r->cdb_len >= 10 ? get32(r->cdb + 2) : 0,
                              r->cdb_len >= 10 ? (uint32_t)r->cdb[7] << 8 | r->cdb[8] : 0};
}

static int fake_execute(struct mmc_transport *t, struct mmc_request *r)
{
    struct fake_drive *f = (struct fake_drive *)t;
    int error;

    pthread_mutex_lock(&f->lock);
    f->clock += 100;
    while (f->hold && r->cdb[0] == 0x2A) {
        f->held = true;
        pthread_cond_broadcast(&f->change);
        pthread_cond_wait(&f->change, &f->lock);
    }
    f->held = false;
    error = f->transport_error;
    if (!error) {
        log_add(f, r);
        r->status = MMC_STATUS_GOOD;
        if (f->attention_count > 0)
            attention_tell(f, r);
        else if (!late_told(f, r))
            command(f, r);
    }
    pthread_mutex_unlock(&f->lock);
    return error;
}

static void fake_wait(struct mmc_transport *t, uint64_t microseconds)
{
    struct fake_drive *f = (struct fake_drive *)t;

    pthread_mutex_lock(&f->lock);
    f->clock += microseconds;
    pthread_mutex_unlock(&f->lock);
}

static uint64_t fake_now(struct mmc_transport *t)
{
    struct fake_drive *f = (struct fake_drive *)t;
    uint64_t now;

    pthread_mutex_lock(&f->lock);
    now = f->clock;
    pthread_mutex_unlock(&f->lock);
    return now;
}

static void fake_close(struct mmc_transport *t)
{
    (void)t;
}

static const struct mmc_transport_ops fake_ops = {fake_execute, fake_wait, fake_now, fake_close};

struct fake_drive *fake_drive_new(uint32_t packets, bool formatted)
{
    struct fake_drive *f = calloc(1, sizeof *f);

    f->transport.ops = &fake_ops;
    f->transport.max_transfer = 512 * 1024;
    f->packets = packets;
    f->formatted = formatted;
    f->names_block = true;
    f->medium = calloc(packets, PACKET_BYTES);
    f->buffered = calloc(packets, sizeof *f->buffered);
    f->fails_now = calloc(packets, sizeof *f->fails_now);
    f->fails_late = calloc(packets, sizeof *f->fails_late);
    f->unreadable = calloc((size_t)packets * L, sizeof *f->unreadable);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->change, NULL);
    return f;
}

void fake_drive_free(struct fake_drive *f)
{
    buffer_drop(f);
    free(f->medium);
    free(f->buffered);
    free(f->fails_now);
    free(f->fails_late);
    free(f->unreadable);
    free(f->log);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->change);
    free(f);
}

struct mmc_transport *fake_drive_transport(struct fake_drive *f)
{
    return &f->transport;
}

size_t fake_log(struct fake_drive *f, uint8_t opcode, struct fake_command *commands, size_t room)
{
    size_t n = 0;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->log_count; i++) {
        if (opcode != FAKE_ANY && f->log[i].opcode != opcode)
            continue;
        if (n < room)
            commands[n] = f->log[i];
        n++;
    }
    pthread_mutex_unlock(&f->lock);
    return n;
}

size_t fake_log_count(struct fake_drive *f, uint8_t opcode)
{
    return fake_log(f, opcode, NULL, 0);
}

void fake_log_clear(struct fake_drive *f)
{
    pthread_mutex_lock(&f->lock);
    f->log_count = 0;
    pthread_mutex_unlock(&f->lock);
}

unsigned fake_violations(struct fake_drive *f)
{
    unsigned n;

    pthread_mutex_lock(&f->lock);
    n = f->violations;
    pthread_mutex_unlock(&f->lock);
    return n;
}

const uint8_t *fake_block(struct fake_drive *f, uint32_t lba)
{
    return f->medium + (size_t)lba * MMC_BLOCK_BYTES;
}

void fake_block_set(struct fake_drive *f, uint32_t lba, int value)
{
    pthread_mutex_lock(&f->lock);
    memset(f->medium + (size_t)lba * MMC_BLOCK_BYTES, value, MMC_BLOCK_BYTES);
    pthread_mutex_unlock(&f->lock);
}

void fake_write_fails(struct fake_drive *f, uint32_t packet, unsigned times, bool late)
{
    pthread_mutex_lock(&f->lock);
    (late ? f->fails_late : f->fails_now)[packet] = times;
    pthread_mutex_unlock(&f->lock);
}

void fake_late_manner(struct fake_drive *f, bool names_block, bool loses_buffer)
{
    pthread_mutex_lock(&f->lock);
    f->names_block = names_block;
    f->loses_buffer = loses_buffer;
    pthread_mutex_unlock(&f->lock);
}

void fake_read_fails(struct fake_drive *f, uint32_t lba, bool on)
{
    pthread_mutex_lock(&f->lock);
    f->unreadable[lba] = on;
    pthread_mutex_unlock(&f->lock);
}

void fake_attention(struct fake_drive *f, uint8_t asc)
{
    pthread_mutex_lock(&f->lock);
    if (f->attention_count < sizeof f->attentions)
        f->attentions[f->attention_count++] = asc;
    pthread_mutex_unlock(&f->lock);
}

void fake_transport_fails(struct fake_drive *f, int error)
{
    pthread_mutex_lock(&f->lock);
    f->transport_error = error;
    pthread_mutex_unlock(&f->lock);
}

void fake_hold(struct fake_drive *f, bool on)
{
    pthread_mutex_lock(&f->lock);
    f->hold = on;
    pthread_cond_broadcast(&f->change);
    pthread_mutex_unlock(&f->lock);
}

void fake_held(struct fake_drive *f)
{
    pthread_mutex_lock(&f->lock);
    while (!f->held)
        pthread_cond_wait(&f->change, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

void fake_power_cut(struct fake_drive *f)
{
    pthread_mutex_lock(&f->lock);
    buffer_drop(f);
    pthread_mutex_unlock(&f->lock);
}
