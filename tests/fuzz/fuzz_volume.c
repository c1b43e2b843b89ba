/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the recognition of a volume. The input is a list of blocks of a device that is otherwise zeros:
 * number (2 bytes), flags (1), length (2), bytes. Flags: 1 makes the tag valid, 2 makes the block unreadable.
 * fuzz_volume_seed.py makes such lists from volumes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "udf/volume.h"

#define DEVICE_BLOCKS   4096u
#define RECORDS_MAX     128u
#define RECORD_HEAD     5u
#define FLAG_TAG        1u
#define FLAG_UNREADABLE 2u

struct record {
    uint32_t block;
    uint8_t flags;
    uint16_t len;
    const uint8_t *bytes;
};

struct memory_device {
    struct block_device dev;
    struct record records[RECORDS_MAX];
    unsigned count;
};

static int record_read(const struct record *record, uint8_t *block)
{
    if (record->flags & FLAG_UNREADABLE)
        return -EIO;
    memset(block, 0, UDF_BLOCK_BYTES);
    memcpy(block, record->bytes, record->len);
    if (!(record->flags & FLAG_TAG))
        return 0;
    uint16_t crc_len = (uint16_t)(block[10] | block[11] << 8);
    struct udf_tag tag = {.id = (uint16_t)(block[0] | block[1] << 8),
                          .version = (uint16_t)(2 + (block[2] & 1)),
                          .serial = (uint16_t)(block[6] | block[7] << 8),
                          .crc_len = crc_len <= UDF_BLOCK_BYTES - 16 ? crc_len : UDF_BLOCK_BYTES - 16,
                          .location = record->block};
    udf_tag_encode(block, &tag);
    return 0;
}

static int memory_read(struct block_device *dev, mmc_lba_t first, uint32_t count, void *buf)
{
    const struct memory_device *device = (const struct memory_device *)dev;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *block = (uint8_t *)buf + (size_t)i * UDF_BLOCK_BYTES;
        memset(block, 0, UDF_BLOCK_BYTES);
        for (unsigned k = 0; k < device->count; k++)
            if (device->records[k].block == (uint32_t)first.n + i && record_read(&device->records[k], block))
                return -EIO;
    }
    return 0;
}

static const struct block_ops memory_ops = {.read = memory_read};

/* The fuzzer has no program that wants to hear. */
void udf_message(const struct udf_volume *vol, enum udf_level level, const char *format, ...)
{
    char text[256];
    va_list args;
    (void)vol;
    (void)level;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
}

static void records_read(struct memory_device *device, const uint8_t *data, size_t size)
{
    while (size >= RECORD_HEAD && device->count < RECORDS_MAX) {
        uint16_t len = (uint16_t)(data[3] | data[4] << 8);
        size_t most = size - RECORD_HEAD < UDF_BLOCK_BYTES ? size - RECORD_HEAD : UDF_BLOCK_BYTES;
        struct record *record = &device->records[device->count++];
        *record = (struct record){.block = (uint32_t)(data[0] | data[1] << 8) % DEVICE_BLOCKS,
                                  .flags = data[2],
                                  .len = len < most ? len : (uint16_t)most,
                                  .bytes = data + RECORD_HEAD};
        data += RECORD_HEAD + record->len;
        size -= RECORD_HEAD + record->len;
    }
}

/* Where the volume says that blocks are, they must come back from. */
static void map_check(const struct udf_volume *vol)
{
    const struct udf_partition *partition = &vol->partitions[vol->part];
    for (uint32_t block = 0; block < partition->pd.blocks && block < 100000; block += 1 + block / 8) {
        uint32_t run, count = partition->pd.blocks - block;
        mmc_lba_t lba;
        udf_block_t back;
        if (udf_volume_map(vol, (struct udf_address){block, vol->part}, count, &lba, &run) || !run ||
            run > count)
            __builtin_trap();
        udf_volume_unmap(vol, lba, &back);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_device *device = calloc(1, sizeof *device);
    struct udf_volume *vol = calloc(1, sizeof *vol);
    device->dev = (struct block_device){.ops = &memory_ops, .geometry = {DEVICE_BLOCKS, 32, false}};
    records_read(device, data, size);
    vol->dev = &device->dev;
    int err = udf_volume_recognise(vol);
    if (err != 0 && err != -EUCLEAN && err != -EIO && err != -EMEDIUMTYPE && err != -EOPNOTSUPP)
        __builtin_trap();
    if (!err) {
        map_check(vol);
        udf_volume_recognise_free(vol);
    }
    free(vol);
    free(device);
    return 0;
}
