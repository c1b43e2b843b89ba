/* SPDX-License-Identifier: MIT */
/* Block devices over files, and what the front of all block devices refuses. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mmc/block.h"

#define BLOCKS 100

static char folder[] = "/tmp/test_block_file_XXXXXX";
static char path[sizeof folder + 16];

static int setup(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof path, "%s/image", folder);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, BLOCKS * (off_t)MMC_BLOCK_BYTES + 100), 0);
    close(fd);
    return 0;
}

static void test_what_is_written_is_read(void **state)
{
    uint8_t out[3 * MMC_BLOCK_BYTES], in[3 * MMC_BLOCK_BYTES];
    struct block_device *dev;
    FILE *file;

    (void)state;
    assert_int_equal(block_file_open(path, true, 0, &dev), 0);
    assert_int_equal(dev->geometry.blocks, BLOCKS);
    assert_int_equal(dev->geometry.packet_blocks, 1);
    assert_false(dev->geometry.read_only);
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(block_write(dev, mmc_lba(97), 3, out, 0), 0);
    assert_int_equal(block_read(dev, mmc_lba(97), 3, in), 0);
    assert_memory_equal(in, out, sizeof out);
    block_readahead(dev, mmc_lba(0), BLOCKS);
    assert_int_equal(block_sync(dev), 0);
    assert_int_equal(block_failure_next(dev, &(struct block_failure){{0}, 0}), 0);
    assert_int_equal(block_failure_move(dev, (mmc_packet_t){0}, (mmc_packet_t){1}), -ENOTSUP);
    assert_int_equal(block_close(dev), 0);
    file = fopen(path, "rb");
    assert_int_equal(fseek(file, 97 * (long)MMC_BLOCK_BYTES, SEEK_SET), 0);
    assert_int_equal(fread(in, sizeof in, 1, file), 1);
    fclose(file);
    assert_memory_equal(in, out, sizeof out);
}

static void test_ranges(void **state)
{
    uint8_t buf[2 * MMC_BLOCK_BYTES] = {0};
    struct block_device *dev;

    (void)state;
    assert_int_equal(block_file_open(path, true, 32, &dev), 0);
    assert_int_equal(dev->geometry.packet_blocks, 32);
    assert_int_equal(block_read(dev, mmc_lba(BLOCKS - 1), 2, buf), -EINVAL);
    assert_int_equal(block_read(dev, mmc_lba(BLOCKS), 1, buf), -EINVAL);
    assert_int_equal(block_read(dev, mmc_lba(-1), 1, buf), -EINVAL);
    assert_int_equal(block_read(dev, mmc_lba(INT32_MAX), UINT32_MAX, buf), -EINVAL);
    assert_int_equal(block_read(dev, mmc_lba(1), UINT32_MAX, buf), -EINVAL);
    assert_int_equal(block_read(dev, mmc_lba(BLOCKS), 0, buf), 0);
    assert_int_equal(block_write(dev, mmc_lba(BLOCKS - 1), 2, buf, 0), -EINVAL);
    assert_int_equal(block_write(dev, mmc_lba(0), 1, buf, 0x80), -EINVAL);
    assert_int_equal(block_write(dev, mmc_lba(BLOCKS - 1), 1, buf, BLOCK_WRITE_FRESH), 0);
    block_close(dev);
    assert_int_equal(block_close(NULL), 0);
}

static void test_one_writer(void **state)
{
    struct block_device *dev, *other;

    (void)state;
    assert_int_equal(block_file_open(path, true, 0, &dev), 0);
    assert_int_equal(block_file_open(path, true, 0, &other), -EBUSY);
    assert_int_equal(block_file_open(path, false, 0, &other), 0);
    assert_int_equal(block_close(other), 0);
    assert_int_equal(block_close(dev), 0);
    assert_int_equal(block_file_open(path, true, 0, &dev), 0);
    assert_int_equal(block_close(dev), 0);
}

static void test_read_only(void **state)
{
    uint8_t buf[MMC_BLOCK_BYTES] = {0};
    struct block_device *dev;

    (void)state;
    assert_int_equal(block_file_open(path, false, 0, &dev), 0);
    assert_true(dev->geometry.read_only);
    assert_int_equal(block_write(dev, mmc_lba(0), 1, buf, 0), -EROFS);
    assert_int_equal(block_failure_move(dev, (mmc_packet_t){0}, (mmc_packet_t){1}), -ENOTSUP);
    assert_int_equal(block_sync(dev), 0);
    assert_int_equal(block_close(dev), 0);
}

static void test_no_right_to_write(void **state)
{
    struct block_device *dev;

    (void)state;
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    assert_int_equal(block_file_open(path, true, 0, &dev), -EACCES);
    assert_int_equal(block_file_open(path, false, 0, &dev), 0);
    assert_int_equal(block_close(dev), 0);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void test_what_is_no_block_device(void **state)
{
    struct block_device *dev;

    (void)state;
    assert_int_equal(block_file_open("/dev/null", false, 0, &dev), -ENOTBLK);
    assert_int_equal(block_file_open(folder, false, 0, &dev), -EISDIR);
    assert_int_equal(block_file_open("/nonexistent/x", false, 0, &dev), -ENOENT);
}

static void test_file_cut_short(void **state)
{
    uint8_t buf[MMC_BLOCK_BYTES];
    struct block_device *dev;

    (void)state;
    assert_int_equal(block_file_open(path, false, 0, &dev), 0);
    assert_int_equal(truncate(path, 10 * (off_t)MMC_BLOCK_BYTES), 0);
    assert_int_equal(block_read(dev, mmc_lba(9), 1, buf), 0);
    assert_int_equal(block_read(dev, mmc_lba(10), 1, buf), -EIO);
    assert_int_equal(block_close(dev), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_is_written_is_read, setup),
        cmocka_unit_test_setup(test_ranges, setup),
        cmocka_unit_test_setup(test_one_writer, setup),
        cmocka_unit_test_setup(test_read_only, setup),
        cmocka_unit_test_setup(test_no_right_to_write, setup),
        cmocka_unit_test_setup(test_what_is_no_block_device, setup),
        cmocka_unit_test_setup(test_file_cut_short, setup),
    };
    int failed;

    if (!mkdtemp(folder) || chmod(folder, 0755) < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
