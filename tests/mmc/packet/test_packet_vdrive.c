/* SPDX-License-Identifier: MIT */
/*
 * The packet device on the virtual drive: what costs the drive's time. A long file must go out at the speed
 * of the medium, rewrites must gather in packets, reads must stream, and every WRITE is one whole aligned
 * packet.
 */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/mmc.h"

#define L      MMC_PACKET_BLOCKS
#define MIB    (1u << 20)
#define PIECE  64u /* blocks of 128 KiB */
#define STREAM (300u * MIB / MMC_BLOCK_BYTES)

struct rig {
    char folder[64];
    struct mmc_drive *drive;
    struct block_device *dev;
};

static int rig_setup(void **state)
{
    struct vdrive_disc_spec spec = {VDRIVE_CD_RW, 80, 10};
    struct rig *rig = calloc(1, sizeof *rig);
    struct mmc_error error = {0};

    snprintf(rig->folder, sizeof rig->folder, "/tmp/test_packet_vdrive_XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    assert_int_equal(vdrive_disc_create(rig->folder, &spec), 0);
    if (mmc_open(rig->folder, NULL, &rig->drive, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(mmc_packet_open(rig->drive, 0, false, &rig->dev), -EMEDIUMTYPE);
    if (mmc_format_packets(rig->drive, NULL, NULL) != 0) {
        mmc_error_last(rig->drive, &error);
        fail_msg("%s", error.text);
    }
    assert_int_equal(mmc_packet_open(rig->drive, 0, false, &rig->dev), 0);
    *state = rig;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int rig_teardown(void **state)
{
    struct rig *rig = *state;

    block_close(rig->dev);
    mmc_close(rig->drive);
    nftw(rig->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(rig);
    return 0;
}

static struct vdrive_stats stats(struct rig *rig)
{
    struct vdrive_stats s;

    assert_int_equal(mmc_drive_stats(rig->drive, &s), 0);
    return s;
}

static double seconds(const struct vdrive_stats *from, const struct vdrive_stats *to)
{
    return (double)(to->microseconds - from->microseconds) / 1e6;
}

static void fill(uint8_t *buf, uint32_t first, uint32_t count, uint32_t salt)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t value = (first + i) * 2654435761u + salt;

        for (size_t at = 0; at < MMC_BLOCK_BYTES; at += sizeof value)
            memcpy(buf + (size_t)i * MMC_BLOCK_BYTES + at, &value, sizeof value);
    }
}

static void assert_whole_packets(struct rig *rig)
{
    struct vdrive_stats s = stats(rig);

    assert_int_equal(s.writes, s.writes_whole_packet);
    assert_int_equal(s.bytes_out, s.writes * L * MMC_BLOCK_BYTES);
}

static void test_stream(void **state)
{
    struct rig *rig = *state;
    uint8_t *buf = malloc(PIECE * MMC_BLOCK_BYTES), *back = malloc(PIECE * MMC_BLOCK_BYTES);
    struct vdrive_stats before = stats(rig), after;
    double pure = STREAM * 39.0 / 32 / 750, took;

    for (uint32_t at = 0; at < STREAM; at += PIECE) {
        fill(buf, at, PIECE, 0);
        assert_int_equal(block_write(rig->dev, mmc_lba(at), PIECE, buf, 0), 0);
    }
    assert_int_equal(block_sync(rig->dev), 0);
    after = stats(rig);
    took = seconds(&before, &after);
    print_message("300 MiB written in %.1f s of the drive, %.3f times pure streaming\n", took, took / pure);
    assert_int_equal(after.writes - before.writes, STREAM / L);
    assert_int_equal(after.bytes_in, before.bytes_in);
    assert_whole_packets(rig);
    assert_true(took <= 1.03 * pure);

    before = after;
    for (uint32_t at = 0; at < STREAM; at += PIECE) {
        assert_int_equal(block_read(rig->dev, mmc_lba(at), PIECE, back), 0);
        fill(buf, at, PIECE, 0);
        assert_memory_equal(buf, back, PIECE * MMC_BLOCK_BYTES);
    }
    after = stats(rig);
    print_message("300 MiB read in %.1f s, %llu commands\n", seconds(&before, &after),
                  (unsigned long long)(after.commands - before.commands));
    free(buf);
    free(back);
}

static void test_rewrites_gather(void **state)
{
    struct rig *rig = *state;
    struct vdrive_stats before, after;
    uint8_t block[MMC_BLOCK_BYTES];
    uint32_t r = 1;

    for (uint32_t at = 0; at < 64 * L; at++) {
        fill(block, at, 1, 0);
        assert_int_equal(block_write(rig->dev, mmc_lba(at), 1, block, 0), 0);
    }
    assert_int_equal(block_sync(rig->dev), 0);
    before = stats(rig);
    for (uint32_t i = 0; i < 5000; i++) {
        r = r * 1664525 + 1013904223;
        fill(block, (r >> 8) % (64 * L), 1, i);
        assert_int_equal(block_write(rig->dev, mmc_lba((r >> 8) % (64 * L)), 1, block, 0), 0);
    }
    assert_int_equal(block_sync(rig->dev), 0);
    after = stats(rig);
    print_message("5000 rewrites in 64 packets: %llu packets, %.1f s\n",
                  (unsigned long long)(after.writes - before.writes), seconds(&before, &after));
    assert_true(after.writes - before.writes <= 64 * 2);
    assert_whole_packets(rig);
}

static void test_survives_reopening(void **state)
{
    struct rig *rig = *state;
    uint8_t block[MMC_BLOCK_BYTES], back[MMC_BLOCK_BYTES];
    uint32_t last = rig->dev->geometry.blocks - 1;

    for (uint32_t at = 1; at < last; at += last / 7) {
        fill(block, at, 1, 5);
        assert_int_equal(block_write(rig->dev, mmc_lba(at), 1, block, 0), 0);
    }
    assert_int_equal(block_close(rig->dev), 0);
    mmc_close(rig->drive);
    assert_int_equal(mmc_open(rig->folder, NULL, &rig->drive, NULL), 0);
    assert_int_equal(mmc_packet_open(rig->drive, 0, true, &rig->dev), 0);
    assert_true(rig->dev->geometry.read_only);
    assert_int_equal(rig->dev->geometry.packet_blocks, L);
    for (uint32_t at = 1; at < last; at += last / 7) {
        fill(block, at, 1, 5);
        assert_int_equal(block_read(rig->dev, mmc_lba(at), 1, back), 0);
        assert_memory_equal(block, back, sizeof block);
    }
    assert_int_equal(block_write(rig->dev, mmc_lba(0), 1, block, 0), -EROFS);
}

/* In a process of its own: writes, syncs, goes on writing, and dies with the drive's buffer full. */
static void write_and_die(struct rig *rig)
{
    uint8_t *buf = malloc(PIECE * MMC_BLOCK_BYTES);

    if (mmc_open(rig->folder, NULL, &rig->drive, NULL) != 0 ||
        mmc_packet_open(rig->drive, 0, false, &rig->dev) != 0)
        _exit(2);
    for (uint32_t at = 0; at < 200 * L; at += PIECE) {
        fill(buf, at, PIECE, 1);
        if (block_write(rig->dev, mmc_lba(at), PIECE, buf, 0) != 0 ||
            (at == 100 * L && block_sync(rig->dev) != 0))
            _exit(3);
    }
    usleep(100000);
    _exit(0);
}

static void test_synced_survives_death(void **state)
{
    struct rig *rig = *state;
    uint8_t block[MMC_BLOCK_BYTES], back[MMC_BLOCK_BYTES];
    int status;
    pid_t child;

    assert_int_equal(block_close(rig->dev), 0);
    mmc_close(rig->drive);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        write_and_die(rig);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(mmc_open(rig->folder, NULL, &rig->drive, NULL), 0);
    assert_int_equal(mmc_packet_open(rig->drive, 0, false, &rig->dev), 0);
    for (uint32_t at = 0; at < 100 * L + PIECE; at++) {
        fill(block, at, 1, 1);
        assert_int_equal(block_read(rig->dev, mmc_lba(at), 1, back), 0);
        assert_memory_equal(block, back, sizeof block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stream, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_rewrites_gather, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_survives_reopening, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_synced_survives_death, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
