/* SPDX-License-Identifier: MIT */
/*
 * The packet device's door to the drive, which does one command at a time: who comes first, and what the
 * drive said of itself meanwhile. A late report that writes were lost (deferred sense, or a reset) can come
 * with the answer to any command, a reader's included, so it is looked for here after each.
 */
#include <errno.h>

#include "mmc/packet.h"

/* Packets that the writer may write before a waiting reader gets his turn, when
 * somebody waits for the writer too. */
#define WRITER_TURNS 8u

/* Timeouts in a row after which the drive counts as gone. */
#define TIMEOUTS_MOST 2u

/* Rounds of lost writes without a good sync in between, after which each packet is
 * written and synced by itself. */
#define LOST_ROUNDS_MOST 2u

void packet_drive_enter(struct packet_device *dev, bool reader)
{
    unsigned *waiting = reader ? &dev->readers_at_door : &dev->writers_at_door;
    enum packet_door mine = reader ? PACKET_DOOR_READER : PACKET_DOOR_WRITER;

    if (dev->door != PACKET_DOOR_OPEN) {
        ++*waiting;
        while (dev->door != mine)
            pthread_cond_wait(&dev->change, &dev->lock);
        --*waiting;
    }
    dev->door = PACKET_DOOR_TAKEN;
}

void packet_drive_leave(struct packet_device *dev)
{
    bool writer_first = packet_writer_urgent(dev) && dev->writer_turns > 0;

    if (dev->writers_at_door > 0 && (writer_first || dev->readers_at_door == 0)) {
        if (dev->readers_at_door > 0)
            dev->writer_turns--;
        dev->door = PACKET_DOOR_WRITER;
    } else {
        dev->writer_turns = WRITER_TURNS;
        dev->door = dev->readers_at_door > 0 ? PACKET_DOOR_READER : PACKET_DOOR_OPEN;
    }
    pthread_cond_broadcast(&dev->change);
}

/* Puts all packets that the drive has lost, or may have lost, among those to be written. */
static void writes_lost(struct packet_device *dev, const struct mmc_error *error)
{
    uint32_t blamed = error->lba_set && error->lba.n >= 0 ? (uint32_t)error->lba.n / dev->length : UINT32_MAX;
    struct packet *guilty = packet_find(dev, blamed);
    bool all_suspect;

    if (!guilty || !guilty->unsynced)
        guilty = NULL;
    if (!guilty)
        dev->lost_rounds++;
    all_suspect = dev->lost_rounds >= LOST_ROUNDS_MOST;
    for (struct packet *p = dev->newest; p; p = p->older) {
        if (!p->unsynced)
            continue;
        packet_change_begin(dev, p);
        p->unsynced = false;
        p->due = true;
        if (!p->dirty)
            p->dirty_at = packet_now_ms();
        p->dirty = packet_all(dev, p->number);
        p->suspect = p->suspect || all_suspect || p == guilty;
        packet_change_end(dev, p);
    }
    dev->speed_lost = true;
    pthread_cond_signal(&dev->work);
}

static void device_die(struct packet_device *dev, int error)
{
    dev->dead = error == -ENODEV ? -ENODEV : -EIO;
    pthread_cond_signal(&dev->work);
    pthread_cond_broadcast(&dev->change);
}

bool packet_drive_answered(struct packet_device *dev, int error)
{
    struct mmc_deferred deferred;
    bool lost = mmc_deferred_take(dev->drive, &deferred);

    if (lost)
        writes_lost(dev, &deferred.error);
    switch (error) {
    case -ENODEV:
    case -ESTALE:
    case -ENOMEDIUM:
    case -EROFS:
    case -EPERM:
        device_die(dev, error);
        break;
    case -ETIMEDOUT:
    case -EBUSY: /* for longer than any command may take */
        if (++dev->timeouts_in_row >= TIMEOUTS_MOST)
            device_die(dev, error);
        break;
    default:
        dev->timeouts_in_row = 0;
        break;
    }
    return lost;
}

void packet_writes_doubt(struct packet_device *dev)
{
    struct mmc_error error;

    mmc_error_last(dev->drive, &error);
    if (error.sense.lba_set) {
        error.lba_set = true;
        error.lba = mmc_lba(error.sense.lba);
    }
    writes_lost(dev, &error);
}
