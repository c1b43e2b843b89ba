/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what the drive library makes of a drive's replies: every reply, sense and status comes from the
 * input, and the drive is opened, looked at, and told to format its disc and to write.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/command.h"
#include "mmc/writeparams.h"

#define COMMANDS_MOST 400

/* A transport that reads its answers off the input. */
struct replies {
    struct mmc_transport transport;
    const uint8_t *data;
    size_t left;
    uint64_t clock;
    unsigned commands;
};

static uint8_t byte_next(struct replies *f)
{
    if (f->left == 0)
        return 0;
    f->left--;
    return *f->data++;
}

static size_t bytes_next(struct replies *f, void *out, size_t most)
{
    size_t n = most < f->left ? most : f->left;

    memcpy(out, f->data, n);
    f->data += n;
    f->left -= n;
    return n;
}

/* The first byte of an answer says of what kind it is; the next ones, how long. */
static int replies_execute(struct mmc_transport *t, struct mmc_request *r)
{
    struct replies *f = (struct replies *)t;
    uint8_t kind = byte_next(f);

    f->clock += 10000;
    if (++f->commands > COMMANDS_MOST || f->left == 0)
        return -ENODEV;
    if (kind < 0x20) {
        r->status = MMC_STATUS_CHECK_CONDITION;
        r->sense_len = (uint8_t)bytes_next(f, r->sense, byte_next(f) % (MMC_SENSE_MAX + 1));
    } else if (kind < 0x28) {
        r->status = kind;
    } else if (kind == 0x28) {
        return -ETIMEDOUT;
    } else if (r->direction == MMC_DIR_IN) {
        size_t len = byte_next(f);

        r->transferred = bytes_next(f, r->data, len < r->data_len ? len : r->data_len);
        if (kind & 1) /* the drive claims to have sent it all, or more */
            r->transferred = r->data_len + (kind & 2);
    } else {
        r->transferred = r->data_len;
    }
    return 0;
}

static void replies_wait(struct mmc_transport *t, uint64_t microseconds)
{
    ((struct replies *)t)->clock += microseconds;
}

static uint64_t replies_now(struct mmc_transport *t)
{
    return ((struct replies *)t)->clock;
}

static void replies_close(struct mmc_transport *t)
{
    (void)t;
}

static const struct mmc_transport_ops replies_ops = {
    .execute = replies_execute, .wait = replies_wait, .now = replies_now, .close = replies_close};

static void info_check(const struct mmc_disc_info *info)
{
    assert(info->track_count <= MMC_TRACKS_MAX);
    assert(info->write_speed_count <= 16);
    assert(info->medium == MMC_MEDIUM_OTHER || info->capacity <= 449850);
    assert(info->format_capacity <= 449850);
    assert(!info->formatted || info->packet_blocks > 0);
}

static void drive_use(struct mmc_drive *drive, uint8_t what)
{
    uint8_t page[64], raw[300], *blocks = calloc(MMC_PACKET_BLOCKS, MMC_BLOCK_BYTES);
    struct mmc_media_event event;
    uint32_t total, available;
    size_t len;

    assert(blocks);
    mmc_media_event_get(drive, &event);
    mmc_mode_sense(drive, 5, page, sizeof(page), &len);
    assert(len <= sizeof(page));
    mmc_toc_read_raw(drive, what & 15, 1, raw, sizeof(raw), &len);
    assert(len <= sizeof(raw));
    mmc_buffer_capacity_read(drive, &total, &available);
    if (what & 0x10)
        mmc_format_packets(drive, NULL, NULL);
    if (what & 0x20)
        mmc_blank(drive, what & 0x40, NULL, NULL);
    mmc_write_params_set_packet(drive, NULL);
    mmc_write10(drive, mmc_lba(0), MMC_PACKET_BLOCKS, blocks);
    mmc_synchronize_cache(drive);
    mmc_read10(drive, mmc_lba(0), MMC_PACKET_BLOCKS, blocks);
    mmc_deferred_take(drive, NULL);
    free(blocks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct replies f = {.transport = {&replies_ops, 128 << 10}, .data = data, .left = size};
    struct mmc_disc_info info;
    struct mmc_drive *drive;
    struct mmc_error error;
    uint8_t what;

    if (size == 0)
        return 0;
    what = byte_next(&f);
    if (mmc_open_transport(&f.transport, &drive, &error) != 0)
        return 0;
    if (mmc_disc_info_get(drive, &info) == 0)
        info_check(&info);
    drive_use(drive, what);
    mmc_error_last(drive, &error);
    assert(strlen(error.text) < sizeof(error.text));
    mmc_close(drive);
    return 0;
}
