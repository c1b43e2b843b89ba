/* SPDX-License-Identifier: MIT */
/* The commands that read, write and prepare the medium. */
#include <errno.h>

#include "mmc/command_bytes.h"

/* Bytes in one READ: no more than the drive's cache is likely to hold, and what 16 bits of blocks can say. */
#define READ_MOST (4u << 20)

static int read_once(struct mmc_drive *drive, mmc_lba_t first, uint32_t count, uint8_t *buf)
{
    size_t bytes = (size_t)count * MMC_BLOCK_BYTES;
    struct mmc_call call = mmc_call_none(0x28, MMC_CALL_MEDIUM);
    int error;

    call.request.direction = MMC_DIR_IN;
    call.request.data = buf;
    call.request.data_len = bytes;
    call.request.timeout_s = MMC_TIMEOUT_MEDIUM_S;
    call.lba_set = true;
    call.lba = first;
    mmc_be32_put(call.request.cdb + 2, (uint32_t)first.n);
    mmc_be16_put(call.request.cdb + 7, count);
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    if (call.request.transferred == bytes)
        return 0;
    return mmc_error_keep(drive, -EIO, 0x28, &first, NULL);
}

int mmc_read10(struct mmc_drive *drive, mmc_lba_t first, uint32_t count, void *buf)
{
    size_t most = drive->transport->max_transfer < READ_MOST ? drive->transport->max_transfer : READ_MOST;
    uint32_t step = (uint32_t)(most / MMC_BLOCK_BYTES);
    uint8_t *out = buf;

    if (step == 0)
        return -EMSGSIZE;
    while (count > 0) {
        uint32_t n = count < step ? count : step;
        int error = read_once(drive, first, n, out);

        if (error)
            return error;
        first = mmc_lba_add(first, n);
        out += (size_t)n * MMC_BLOCK_BYTES;
        count -= n;
    }
    return 0;
}

int mmc_write10(struct mmc_drive *drive, mmc_lba_t first, uint32_t count, const void *buf)
{
    size_t bytes = (size_t)count * MMC_BLOCK_BYTES;
    struct mmc_call call =
        mmc_call_out(0x2A, MMC_CALL_MEDIUM | MMC_CALL_WRITES | MMC_CALL_PARAMS, buf, bytes);

    if (count == 0 || count > UINT16_MAX)
        return -EINVAL;
    if (bytes > drive->transport->max_transfer)
        return mmc_error_note(
            drive, -EMSGSIZE,
            "The host adapter carries at most %zu bytes in one command, and this needs %zu.",
            drive->transport->max_transfer, bytes);
    call.request.timeout_s = MMC_TIMEOUT_MEDIUM_S;
    call.lba_set = true;
    call.lba = first;
    mmc_be32_put(call.request.cdb + 2, (uint32_t)first.n);
    mmc_be16_put(call.request.cdb + 7, count);
    pthread_mutex_lock(&drive->lock);
    drive->writes++;
    pthread_mutex_unlock(&drive->lock);
    return mmc_execute(drive, &call);
}

int mmc_synchronize_cache(struct mmc_drive *drive)
{
    struct mmc_call call = mmc_call_none(0x35, MMC_CALL_MEDIUM | MMC_CALL_WRITES);
    uint64_t writes;
    int error;

    pthread_mutex_lock(&drive->lock);
    writes = drive->writes;
    pthread_mutex_unlock(&drive->lock);
    call.request.timeout_s = MMC_TIMEOUT_MEDIUM_S;
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    pthread_mutex_lock(&drive->lock);
    if (writes > drive->writes_synced)
        drive->writes_synced = writes;
    pthread_mutex_unlock(&drive->lock);
    return 0;
}

int mmc_buffer_capacity_read(struct mmc_drive *drive, uint32_t *total, uint32_t *available)
{
    uint8_t reply[12];
    struct mmc_call call = mmc_call_in(0x5C, MMC_CALL_TRY, reply, sizeof(reply));
    int error;

    *total = *available = 0;
    mmc_be16_put(call.request.cdb + 7, sizeof(reply));
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    if (mmc_reply_len(&call, 2u + mmc_be16_get(reply)) < 12)
        return mmc_reply_bad(drive, &call);
    *total = mmc_be32_get(reply + 4);
    *available = mmc_be32_get(reply + 8);
    return 0;
}

int mmc_speed_set(struct mmc_drive *drive, unsigned read_kbs, unsigned write_kbs)
{
    struct mmc_call call = mmc_call_none(0xBB, MMC_CALL_TRY);

    mmc_be16_put(call.request.cdb + 2, read_kbs > MMC_SPEED_MAX ? MMC_SPEED_MAX : read_kbs);
    mmc_be16_put(call.request.cdb + 4, write_kbs > MMC_SPEED_MAX ? MMC_SPEED_MAX : write_kbs);
    return mmc_execute(drive, &call);
}

/* Answers to SEND OPC that do not speak against writing. */
static bool opc_tolerable(const struct mmc_sense *sense)
{
    switch (sense->asc) {
    case 0x20:
    case 0x24:
        return sense->key == MMC_KEY_ILLEGAL_REQUEST;
    case 0x73:
        return sense->ascq == 0x01;
    default:
        return false;
    }
}

int mmc_opc_send(struct mmc_drive *drive)
{
    struct mmc_call call = mmc_call_none(0x54, MMC_CALL_TRY | MMC_CALL_MEDIUM | MMC_CALL_WRITES);
    int error;

    call.request.cdb[1] = 0x01; /* calibrate */
    call.request.timeout_s = MMC_TIMEOUT_MEDIUM_S;
    error = mmc_execute(drive, &call);
    if (!error || opc_tolerable(&call.sense))
        return 0;
    return mmc_error_keep(drive, error, 0x54, NULL, &call.sense);
}

int mmc_blank_send(struct mmc_drive *drive, enum mmc_blank_type type, uint32_t address, bool immed)
{
    struct mmc_call call = mmc_call_none(0xA1, MMC_CALL_MEDIUM | MMC_CALL_WRITES);

    call.request.cdb[1] = (uint8_t)((immed ? 0x10 : 0x00) | (type & 7));
    mmc_be32_put(call.request.cdb + 2, address);
    call.request.timeout_s = immed ? MMC_TIMEOUT_MEDIUM_S : MMC_TIMEOUT_WHOLE_S;
    return mmc_execute(drive, &call);
}

/* The list of the old format code: a header, four bytes of pattern that CD-RW drives
 * skip, a descriptor with the size. */
static size_t legacy_list_build(const struct mmc_format_request *format, uint8_t *list)
{
    list[1] = format->immed ? 0x02 : 0x00;
    list[3] = 8;
    mmc_be32_put(list + 12, format->blocks);
    return 16;
}

/* Header and one format descriptor (MMC-5 6.5.4). */
static size_t format_list_build(const struct mmc_format_request *format, uint8_t *list)
{
    list[1] = (uint8_t)((format->options_valid ? 0x80 : 0x00) | (format->immed ? 0x02 : 0x00));
    list[3] = 8;
    mmc_be32_put(list + 4, format->blocks);
    list[8] = (uint8_t)(format->type << 2);
    mmc_be24_put(list + 9, format->parameter);
    return 12;
}

int mmc_format_send(struct mmc_drive *drive, const struct mmc_format_request *format)
{
    uint8_t list[16] = {0};
    size_t len = format->legacy ? legacy_list_build(format, list) : format_list_build(format, list);
    struct mmc_call call = mmc_call_out(0x04, MMC_CALL_MEDIUM | MMC_CALL_WRITES | MMC_CALL_PARAMS, list, len);

    call.request.cdb[1] = (uint8_t)(0x10 | (format->legacy ? 7 : 1));
    call.request.timeout_s = format->immed ? MMC_TIMEOUT_MEDIUM_S : MMC_TIMEOUT_WHOLE_S;
    return mmc_execute(drive, &call);
}

int mmc_close_send(struct mmc_drive *drive, enum mmc_close what, unsigned track, bool immed)
{
    struct mmc_call call = mmc_call_none(0x5B, MMC_CALL_MEDIUM | MMC_CALL_WRITES | MMC_CALL_PARAMS);

    call.request.cdb[1] = immed;
    call.request.cdb[2] = (uint8_t)what;
    mmc_be16_put(call.request.cdb + 4, track);
    call.request.timeout_s = immed ? MMC_TIMEOUT_MEDIUM_S : MMC_TIMEOUT_CLOSE_S;
    return mmc_execute(drive, &call);
}

int mmc_track_reserve(struct mmc_drive *drive, uint32_t blocks)
{
    struct mmc_call call = mmc_call_none(0x53, MMC_CALL_MEDIUM | MMC_CALL_WRITES | MMC_CALL_PARAMS);

    mmc_be32_put(call.request.cdb + 5, blocks);
    call.request.timeout_s = MMC_TIMEOUT_MEDIUM_S;
    return mmc_execute(drive, &call);
}
