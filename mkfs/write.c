/* SPDX-License-Identifier: MIT */
/*
 * The image onto the disc. Only packets that hold something are written, and those where a reader would look
 * for a volume or a journal, so that nothing of an older volume with another layout can be found. An
 * interrupted run leaves a disc without a volume, never a mixture of two.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mkfs/mkfs.h"

/* Readers look for volume recognition, superblocks and anchors in the first 544 blocks (an
 * anchor at 512, with blocks of 4096 bytes too), and for anchors within 512 blocks of the end,
 * which they count in several ways. */
#define EDGE_PACKETS 17u

struct writer {
    struct cli_disc *disc;
    int image;
    const struct mkfs_plan *plan;
    uint32_t *packets; /* that have to be right in the end, in order */
    uint32_t count, done;
    bool written; /* a reader finds the new volume */
    struct cli_progress *progress;
    uint8_t *wanted, *present, *zeros; /* a packet each */
};

/* Packets that must be right even where the new volume has nothing in them. */
static bool packet_matters(const struct mkfs_plan *plan, uint32_t packet)
{
    uint32_t journal = plan->journal.n, end = journal + plan->log + plan->images;

    return packet < EDGE_PACKETS || packet + EDGE_PACKETS >= plan->packets ||
           (packet >= journal && packet < end);
}

/* Packets by which a volume is recognised: the recognition sequence, and the places of anchors. */
static bool packet_recognises(const struct writer *writer, uint32_t packet)
{
    return packet == 0 || packet == 256 / MMC_PACKET_BLOCKS || packet == 512 / MMC_PACKET_BLOCKS ||
           packet + EDGE_PACKETS >= writer->plan->packets;
}

static int packets_choose(struct writer *writer, bool whole)
{
    bool blank;

    writer->packets = calloc(writer->plan->packets, sizeof *writer->packets);
    if (!writer->packets)
        return -ENOMEM;
    for (uint32_t packet = 0; packet < writer->plan->packets; packet++) {
        int err = mkfs_image_packet(writer->image, packet, writer->wanted, &blank);
        if (err)
            return err;
        if (!blank || whole || packet_matters(writer->plan, packet))
            writer->packets[writer->count++] = packet;
    }
    return 0;
}

/* Whether the device has these contents there. Then it need not be written: a packet
 * stands only so many rewrites. */
static bool packet_is(const struct writer *writer, uint32_t packet, const uint8_t *bytes)
{
    mmc_lba_t first = mmc_packet_first((mmc_packet_t){packet}, MMC_PACKET_BLOCKS);

    return block_read(writer->disc->dev, first, MMC_PACKET_BLOCKS, writer->present) == 0 &&
           memcmp(writer->present, bytes, MKFS_PACKET_BYTES) == 0;
}

static int packet_write(struct writer *writer, uint32_t packet, const uint8_t *bytes)
{
    mmc_lba_t first = mmc_packet_first((mmc_packet_t){packet}, MMC_PACKET_BLOCKS);

    if (packet_is(writer, packet, bytes))
        return 0;
    return block_write(writer->disc->dev, first, MMC_PACKET_BLOCKS, bytes, 0);
}

static int packet_fill(struct writer *writer, uint32_t packet)
{
    bool blank;
    int err = mkfs_image_packet(writer->image, packet, writer->wanted, &blank);

    return err ? err : packet_write(writer, packet, writer->wanted);
}

static int packet_wipe(struct writer *writer, uint32_t packet)
{
    return packet_write(writer, packet, writer->zeros);
}

/* Each packet is one step of two: written, then read back. */
static int step_done(struct writer *writer)
{
    writer->done++;
    if (cli_progress(writer->progress, "writing the volume", (double)writer->done / 2 / writer->count, false))
        return -EINTR;
    return 0;
}

/* fn for each packet that recognises (or does not), then everything durable. */
static int pass_run(struct writer *writer, bool recognises, int (*fn)(struct writer *, uint32_t packet))
{
    int err = 0;

    for (uint32_t i = 0; i < writer->count && !err; i++) {
        if (packet_recognises(writer, writer->packets[i]) != recognises)
            continue;
        err = fn(writer, writer->packets[i]);
        if (!err && fn == packet_fill)
            err = step_done(writer);
    }
    return err ? err : block_sync(writer->disc->dev);
}

/* Blocks behind the last whole packet belong to no packet, but an anchor of an older volume can be there. */
static int tail_wipe(struct writer *writer)
{
    uint32_t end = writer->plan->packets * MMC_PACKET_BLOCKS, blocks = writer->disc->dev->geometry.blocks;

    return end < blocks ? block_write(writer->disc->dev, mmc_lba(end), blocks - end, writer->zeros, 0) : 0;
}

/* What the drive itself said of the last command that failed. */
static void drive_explain(struct mmc_drive *drive)
{
    struct mmc_error error = {0};

    if (drive)
        mmc_error_last(drive, &error);
    if (error.error)
        cli_error("the drive says: %s", error.text);
}

static void failure_print(const struct writer *writer, int err)
{
    struct block_failure failure;
    uint32_t first;

    drive_explain(writer->disc->drive);
    if (block_failure_next(writer->disc->dev, &failure)) {
        first = failure.packet.n * MMC_PACKET_BLOCKS;
        cli_error("blocks %u to %u could not be written: %s", first, first + MMC_PACKET_BLOCKS - 1,
                  cli_errno_text(failure.error));
        cli_error("try again with --full; if that fails as well, the disc is worn out");
    } else {
        cli_error("the volume could not be written: %s", cli_errno_text(err));
    }
}

static int writing_run(struct writer *writer)
{
    int err = pass_run(writer, true, packet_wipe);

    if (!err)
        err = tail_wipe(writer);
    if (!err)
        err = pass_run(writer, false, packet_fill);
    if (!err)
        err = pass_run(writer, true, packet_fill);
    writer->written = !err;
    if (err && err != -EINTR)
        failure_print(writer, err);
    return err;
}

static int packet_verify(struct writer *writer, uint32_t packet)
{
    mmc_lba_t first = mmc_packet_first((mmc_packet_t){packet}, MMC_PACKET_BLOCKS);
    int last = first.n + (int)MMC_PACKET_BLOCKS - 1;
    bool blank;
    int err = mkfs_image_packet(writer->image, packet, writer->wanted, &blank);

    if (err)
        return err;
    err = block_read(writer->disc->dev, first, MMC_PACKET_BLOCKS, writer->present);
    if (err)
        drive_explain(writer->disc->drive);
    if (err)
        cli_error("blocks %d to %d cannot be read back: %s", first.n, last, cli_errno_text(err));
    else if (memcmp(writer->present, writer->wanted, MKFS_PACKET_BYTES) == 0)
        return 0;
    else
        cli_error("blocks %d to %d read back differently from what was written", first.n, last);
    cli_error("try again with --full; if that fails as well, the disc is worn out");
    return -EIO;
}

/* Through a device that has just been opened, so that its memory cannot answer for the disc. */
static int verify_run(struct writer *writer)
{
    int err = block_close(writer->disc->dev);

    writer->disc->dev = NULL;
    if (err)
        cli_error("the volume could not be written: %s", cli_errno_text(err));
    else
        err = cli_disc_blocks(writer->disc, 0, true);
    for (uint32_t i = 0; i < writer->count && !err; i++) {
        err = packet_verify(writer, writer->packets[i]);
        if (!err)
            err = step_done(writer);
    }
    return err;
}

static void state_print(const struct writer *writer, int err)
{
    const char *why = err == -EINTR ? "interrupted: " : "";

    if (writer->written)
        cli_error("%sthe volume is on the disc, but could not be read back and compared", why);
    else
        cli_error("%sthere is no whole volume on the disc%s", why,
                  writer->disc->drive ? ", though it is in packet form" : "");
    cli_error("\"mkfs.packetfs --force %s\" begins anew", writer->disc->path);
}

int mkfs_write(struct cli_disc *disc, int fd, const struct mkfs_plan *plan, bool whole,
               struct cli_progress *progress)
{
    struct writer writer = {
        .disc = disc,
        .image = fd,
        .plan = plan,
        .progress = progress,
        .wanted = malloc(MKFS_PACKET_BYTES),
        .present = malloc(MKFS_PACKET_BYTES),
        .zeros = calloc(1, MKFS_PACKET_BYTES),
    };
    int err = writer.wanted && writer.present && writer.zeros ? packets_choose(&writer, whole) : -ENOMEM;

    if (err)
        cli_error("the volume could not be prepared: %s", cli_errno_text(err));
    else
        err = writing_run(&writer);
    if (!err)
        err = verify_run(&writer);
    cli_progress_end(progress);
    if (err) {
        state_print(&writer, err);
        block_close(disc->dev); /* what it could not write has been said */
        disc->dev = NULL;
    }
    free(writer.packets);
    free(writer.wanted);
    free(writer.present);
    free(writer.zeros);
    return err;
}
