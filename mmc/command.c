/* SPDX-License-Identifier: MIT */
/* The commands about the state of the drive: ready, sense, inquiry, tray, events, mode pages. */
#include "mmc/command.h"

#include <errno.h>

#include "mmc/command_bytes.h"

#define MODE_HEADER_LEN 8
#define MODE_PAGE_MOST  258 /* its length is one byte, behind two */

int mmc_reply_bad(struct mmc_drive *drive, const struct mmc_call *call)
{
    if (call->flags & (MMC_CALL_POLL | MMC_CALL_TRY))
        return -EPROTO;
    return mmc_error_keep(drive, -EPROTO, call->request.cdb[0], NULL, NULL);
}

int mmc_test_unit_ready(struct mmc_drive *drive, bool poll, struct mmc_sense *sense)
{
    struct mmc_call call = mmc_call_none(0x00, poll ? MMC_CALL_POLL : 0);
    int error = mmc_execute(drive, &call);

    if (sense)
        *sense = call.sense;
    return error;
}

int mmc_request_sense(struct mmc_drive *drive, struct mmc_sense *sense)
{
    uint8_t reply[18];
    struct mmc_call call = mmc_call_in(0x03, MMC_CALL_POLL, reply, sizeof(reply));
    int error;

    call.request.cdb[4] = sizeof(reply);
    error = mmc_execute(drive, &call);
    mmc_sense_decode(reply, error ? 0 : call.request.transferred, sense);
    return error;
}

/* Copies a text field of the reply and cuts its trailing blanks; what is not
 * printable becomes a question mark. */
static void text_copy(char *out, const uint8_t *field, size_t len)
{
    size_t end = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = field[i] ? field[i] : ' ';

        out[i] = c >= 0x20 && c < 0x7F ? (char)c : '?';
        if (out[i] != ' ')
            end = i + 1;
    }
    out[end] = '\0';
}

int mmc_inquiry_read(struct mmc_drive *drive, struct mmc_inquiry *inquiry, unsigned *type)
{
    uint8_t reply[36];
    struct mmc_call call = mmc_call_in(0x12, 0, reply, sizeof(reply));
    int error;

    *inquiry = (struct mmc_inquiry){0};
    *type = 0x1F;
    call.request.cdb[4] = sizeof(reply);
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    if (call.request.transferred < 5)
        return mmc_reply_bad(drive, &call);
    memset(reply + call.request.transferred, 0, sizeof(reply) - call.request.transferred);
    *type = reply[0] & 0x1F;
    text_copy(inquiry->vendor, reply + 8, 8);
    text_copy(inquiry->product, reply + 16, 16);
    text_copy(inquiry->revision, reply + 32, 4);
    return 0;
}

int mmc_start_stop(struct mmc_drive *drive, enum mmc_start what)
{
    struct mmc_call call = mmc_call_none(0x1B, 0);

    call.request.cdb[4] = (uint8_t)what;
    call.request.timeout_s = MMC_TIMEOUT_MEDIUM_S;
    return mmc_execute(drive, &call);
}

int mmc_prevent_removal(struct mmc_drive *drive, bool prevent)
{
    struct mmc_call call = mmc_call_none(0x1E, 0);

    call.request.cdb[4] = prevent;
    return mmc_execute(drive, &call);
}

int mmc_media_event_get(struct mmc_drive *drive, struct mmc_media_event *event)
{
    uint8_t reply[8];
    struct mmc_call call = mmc_call_in(0x4A, MMC_CALL_TRY, reply, sizeof(reply));
    int error;

    *event = (struct mmc_media_event){0};
    call.request.cdb[1] = 0x01; /* polled */
    call.request.cdb[4] = 0x10; /* media class */
    mmc_be16_put(call.request.cdb + 7, sizeof(reply));
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    /* The top bit of byte 2 says that there is no event of the class that was asked for. */
    if (mmc_reply_len(&call, 2u + mmc_be16_get(reply)) < 6 || (reply[2] & 0x87) != 0x04)
        return mmc_reply_bad(drive, &call);
    event->event = reply[4] & 0x0F;
    event->tray_open = reply[5] & 0x01;
    event->present = reply[5] & 0x02;
    return 0;
}

int mmc_mode_sense(struct mmc_drive *drive, unsigned page_code, uint8_t *page, size_t size, size_t *len)
{
    /* Room for a block descriptor that comes although none is asked for. */
    uint8_t reply[MODE_HEADER_LEN + 8 + MODE_PAGE_MOST];
    struct mmc_call call = mmc_call_in(0x5A, MMC_CALL_TRY, reply, sizeof(reply));
    size_t got, at;
    int error;

    *len = 0;
    call.request.cdb[1] = 0x08; /* no block descriptors */
    call.request.cdb[2] = page_code & 0x3F;
    mmc_be16_put(call.request.cdb + 7, sizeof(reply));
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    got = mmc_reply_len(&call, 2u + mmc_be16_get(reply));
    at = (size_t)MODE_HEADER_LEN + mmc_be16_get(reply + 6);
    if (got < MODE_HEADER_LEN || at + 2 > got || (reply[at] & 0x3F) != (page_code & 0x3F))
        return mmc_reply_bad(drive, &call);
    if (got > at + 2 + reply[at + 1])
        got = at + 2 + reply[at + 1];
    *len = got - at < size ? got - at : size;
    memcpy(page, reply + at, *len);
    return 0;
}

int mmc_mode_select(struct mmc_drive *drive, const uint8_t *page, size_t len, unsigned flags)
{
    uint8_t list[MODE_HEADER_LEN + MODE_PAGE_MOST] = {0};
    struct mmc_call call = mmc_call_out(0x55, flags | MMC_CALL_WRITES, list, MODE_HEADER_LEN + len);

    if (len > MODE_PAGE_MOST)
        return -EINVAL;
    memcpy(list + MODE_HEADER_LEN, page, len);
    call.request.cdb[1] = 0x10; /* page format */
    mmc_be16_put(call.request.cdb + 7, (unsigned)(MODE_HEADER_LEN + len));
    return mmc_execute(drive, &call);
}
