/* SPDX-License-Identifier: MIT */
/* The drive that shows each command, with a packet device on it: see the header. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/mmc/packet/packet_rig.h"

void rig_open(struct rig *rig, size_t cache)
{
    assert_int_equal(mmc_packet_open(rig->drive, cache, false, &rig->dev), 0);
    fake_log_clear(rig->fake);
}

static struct rig *rig_new(bool formatted)
{
    struct rig *rig = calloc(1, sizeof *rig);

    rig->fake = fake_drive_new(PACKETS, formatted);
    assert_int_equal(mmc_open_transport(fake_drive_transport(rig->fake), &rig->drive, NULL), 0);
    return rig;
}

int rig_setup(void **state)
{
    *state = rig_new(true);
    rig_open(*state, 0);
    return 0;
}

int rig_setup_small(void **state)
{
    *state = rig_new(true);
    rig_open(*state, 1 << 20);
    return 0;
}

int rig_setup_pressed(void **state)
{
    *state = rig_new(false);
    assert_int_equal(mmc_packet_open(((struct rig *)*state)->drive, 0, true, &((struct rig *)*state)->dev),
                     0);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;

    block_close(rig->dev);
    mmc_close(rig->drive);
    fake_drive_free(rig->fake);
    free(rig);
    return 0;
}

int rig_put(struct rig *rig, uint32_t lba, uint32_t count, int value, unsigned flags)
{
    uint8_t *buf = malloc((size_t)count * MMC_BLOCK_BYTES);
    int error;

    memset(buf, value, (size_t)count * MMC_BLOCK_BYTES);
    error = block_write(rig->dev, mmc_lba(lba), count, buf, flags);
    free(buf);
    return error;
}

int rig_get(struct rig *rig, uint32_t lba)
{
    uint8_t buf[MMC_BLOCK_BYTES];
    int error = block_read(rig->dev, mmc_lba(lba), 1, buf);

    if (error)
        return error;
    return memcmp(buf, buf + 1, sizeof buf - 1) == 0 ? buf[0] : -1000;
}

int rig_on_medium(struct rig *rig, uint32_t lba)
{
    const uint8_t *block = fake_block(rig->fake, lba);

    return memcmp(block, block + 1, MMC_BLOCK_BYTES - 1) == 0 ? block[0] : -1000;
}

void rig_pause(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

struct mmc_packet_stats rig_stats(struct rig *rig)
{
    struct mmc_packet_stats s;

    mmc_packet_stats_get(rig->dev, &s);
    return s;
}

void rig_assert_named(struct rig *rig, uint32_t packet)
{
    struct block_failure failure;

    assert_int_equal(block_failure_next(rig->dev, &failure), 1);
    assert_int_equal(failure.packet.n, packet);
    assert_true(failure.error < 0);
}

void rig_assert_none_named(struct rig *rig)
{
    struct block_failure failure;

    assert_int_equal(block_failure_next(rig->dev, &failure), 0);
}
