/* SPDX-License-Identifier: MIT */
/* Volumes for tests: mkudffs's images onto the fault medium, and the journal behind their spares. */
#include "tests/lib/test_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "udf/volume.h"

#define SEQUENCE_BLOCKS 16

static int block_get(int fd, uint32_t at, uint8_t *block)
{
    return pread(fd, block, UDF_BLOCK_BYTES, (off_t)at * UDF_BLOCK_BYTES) == UDF_BLOCK_BYTES ? 0 : -EIO;
}

static int block_put(int fd, uint32_t at, const uint8_t *block)
{
    return pwrite(fd, block, UDF_BLOCK_BYTES, (off_t)at * UDF_BLOCK_BYTES) == UDF_BLOCK_BYTES ? 0 : -EIO;
}

static int image_make(const struct test_volume_spec *spec, const char *path)
{
    const char *program = getenv("MKUDFFS");
    char command[512], space[48] = "";
    uint32_t packets = spec->spares + spec->log_packets + spec->images_packets;
    if (spec->log_packets)
        snprintf(space, sizeof space, "--sparspace=%u", packets * spec->packet_blocks);
    snprintf(command, sizeof command, "'%s' --utf8 %s %s --new-file '%s' %u >/dev/null 2>&1",
             program ? program : "/usr/sbin/mkudffs", spec->options, space, path, spec->blocks);
    (void)unlink(path);
    return system(command) ? -EINVAL : 0;
}

/* Shortens a sparing table, and says where its first spare packet is. */
static int table_shorten(int fd, mmc_lba_t at, uint32_t spares, mmc_lba_t *first)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_sparing_table table;
    struct udf_tag tag;
    int err = block_get(fd, (uint32_t)at.n, block);
    if (!err)
        err = udf_tag_decode(block, sizeof block, &tag);
    if (!err)
        err = udf_sparing_decode(block, sizeof block, at, &table);
    if (err)
        return err;
    *first = table.spares[0].mapped;
    table.count = spares;
    memset(block, 0, sizeof block);
    if (udf_sparing_encode(block, sizeof block, &tag, &table) < 0)
        err = -EINVAL;
    free(table.spares);
    return err ? err : block_put(fd, (uint32_t)at.n, block);
}

static int tables_shorten(int fd, uint32_t sequence_at, uint32_t spares, mmc_lba_t *first)
{
    for (uint32_t i = 0; i < SEQUENCE_BLOCKS; i++) {
        uint8_t block[UDF_BLOCK_BYTES];
        struct udf_tag tag;
        struct udf_lvd lvd;
        int err = block_get(fd, sequence_at + i, block);
        if (err || udf_tag_decode(block, sizeof block, &tag))
            return err ? err : -EINVAL;
        if (tag.id != UDF_TAG_LVD)
            continue;
        err = udf_lvd_decode(block, sizeof block, &lvd);
        for (unsigned j = 0; !err && j < lvd.maps[0].table_count; j++)
            err = table_shorten(fd, lvd.maps[0].tables[j], spares, first);
        return err;
    }
    return -EINVAL;
}

/* Puts a descriptor before the one that ends the sequence. */
static int sequence_append(int fd, uint32_t sequence_at, const struct udf_iuvd *iuvd)
{
    for (uint32_t at = sequence_at; at < sequence_at + SEQUENCE_BLOCKS - 1; at++) {
        uint8_t end[UDF_BLOCK_BYTES], block[UDF_BLOCK_BYTES] = {0};
        struct udf_tag tag;
        int err = block_get(fd, at, end);
        if (err || udf_tag_decode(end, sizeof end, &tag))
            return err ? err : -EINVAL;
        if (tag.id != UDF_TAG_TD)
            continue;
        tag.location = at;
        udf_iuvd_encode(block, &tag, iuvd);
        err = block_put(fd, at, block);
        tag.id = UDF_TAG_TD;
        tag.location = at + 1;
        tag.crc_len = 496;
        udf_tag_encode(end, &tag);
        return err ? err : block_put(fd, at + 1, end);
    }
    return -EINVAL;
}

static int journal_add(int fd, const struct test_volume_spec *spec)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_avdp avdp;
    struct udf_iuvd iuvd = {.sequence = 100};
    mmc_lba_t spares = {0};
    int err = block_get(fd, 256, block);
    if (!err)
        err = udf_avdp_decode(block, mmc_lba(256), &avdp);
    if (!err)
        err = tables_shorten(fd, (uint32_t)avdp.main.first.n, spec->spares, &spares);
    if (err)
        return err;
    struct udf_journal_place place = {
        .log = mmc_lba_add(spares, (int64_t)spec->spares * spec->packet_blocks),
        .log_packets = spec->log_packets,
        .images_packets = spec->images_packets,
    };
    place.images = mmc_lba_add(place.log, (int64_t)spec->log_packets * spec->packet_blocks);
    udf_journal_place_encode(&iuvd, spec->packet_blocks, &place);
    err = sequence_append(fd, (uint32_t)avdp.main.first.n, &iuvd);
    return err ? err : sequence_append(fd, (uint32_t)avdp.reserve.first.n, &iuvd);
}

int test_volume_image(const struct test_volume_spec *spec, const char *path)
{
    int err = image_make(spec, path);
    if (err || !spec->log_packets)
        return err;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    err = journal_add(fd, spec);
    close(fd);
    return err;
}

int test_volume_make(const struct test_volume_spec *spec, struct fault_medium **medium)
{
    char path[] = "/tmp/packetfs-test-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return -errno;
    close(fd);
    int err = test_volume_image(spec, path);
    if (!err)
        err = fault_medium_create(spec->blocks, spec->packet_blocks, medium);
    if (!err) {
        err = fault_medium_load(*medium, path);
        if (err)
            fault_medium_free(*medium);
    }
    (void)unlink(path);
    return err;
}
