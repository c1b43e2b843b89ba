/* SPDX-License-Identifier: MIT */
/* What the files that build commands share: the common forms of a call. */
#ifndef MMC_COMMAND_BYTES_H
#define MMC_COMMAND_BYTES_H

#include <string.h>

#include "mmc/bytes.h"
#include "mmc/command.h"

/* The length of a CDB follows from the group code in its first byte (SPC-4 4.2.5). */
static inline uint8_t mmc_cdb_len(uint8_t opcode)
{
    return opcode < 0x20 ? 6 : opcode < 0x80 ? 10 : 12;
}

/* A call with nothing but its operation code, no data and the usual timeout. */
static inline struct mmc_call mmc_call_none(uint8_t opcode, unsigned flags)
{
    struct mmc_call call = {.flags = flags};

    call.request.cdb[0] = opcode;
    call.request.cdb_len = mmc_cdb_len(opcode);
    call.request.timeout_s = MMC_TIMEOUT_S;
    return call;
}

/* One that gets size bytes; buf is zeroed first, so that what the drive does not send reads as 0. */
static inline struct mmc_call mmc_call_in(uint8_t opcode, unsigned flags, void *buf, size_t size)
{
    struct mmc_call call = mmc_call_none(opcode, flags);

    memset(buf, 0, size);
    call.request.direction = MMC_DIR_IN;
    call.request.data = buf;
    call.request.data_len = size;
    return call;
}

/* One that sends size bytes, which are not changed. */
static inline struct mmc_call mmc_call_out(uint8_t opcode, unsigned flags, const void *buf, size_t size)
{
    struct mmc_call call = mmc_call_none(opcode, flags);

    call.request.direction = MMC_DIR_OUT;
    call.request.data = (void *)(uintptr_t)buf;
    call.request.data_len = size;
    return call;
}

/* Bytes of the reply that are both there and claimed: claimed is what the reply's
 * own length field makes of it. */
static inline size_t mmc_reply_len(const struct mmc_call *call, size_t claimed)
{
    return claimed < call->request.transferred ? claimed : call->request.transferred;
}

/* Remembers that the reply makes no sense. Returns -EPROTO. */
int mmc_reply_bad(struct mmc_drive *drive, const struct mmc_call *call);

#endif
