/* SPDX-License-Identifier: MIT */
/*
 * The commands that tell what the disc is. Every reply is taken apart here, by byte offset, and believed only
 * as far as both its own length field and the bytes that came reach.
 */
#include <errno.h>

#include "mmc/command_bytes.h"

/* Takes minute, second, frame to a block address; lead-in times, 90 minutes
 * up, lie before the program area. */
static bool msf_decode(const uint8_t *msf, mmc_lba_t *lba)
{
    int32_t frames;

    if (msf[0] > 99 || msf[1] > 59 || msf[2] > 74)
        return false;
    frames = (msf[0] * 60 + msf[1]) * 75 + msf[2];
    *lba = mmc_lba(frames - (msf[0] >= 90 ? 450150 : 150));
    return true;
}

static void features_decode(const uint8_t *reply, size_t len, struct mmc_configuration *configuration)
{
    const size_t room = sizeof(configuration->features) / sizeof(configuration->features[0]);

    for (size_t at = 8; at + 4 <= len; at += 4u + reply[at + 3])
        if ((reply[at + 2] & 0x01) && configuration->feature_count < room)
            configuration->features[configuration->feature_count++] = (uint16_t)mmc_be16_get(reply + at);
}

int mmc_configuration_get(struct mmc_drive *drive, struct mmc_configuration *configuration)
{
    uint8_t reply[4096];
    struct mmc_call call = mmc_call_in(0x46, MMC_CALL_TRY, reply, sizeof(reply));
    size_t len;
    int error;

    *configuration = (struct mmc_configuration){0};
    call.request.cdb[1] = 0x01; /* only what is current */
    mmc_be16_put(call.request.cdb + 7, sizeof(reply));
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    len = mmc_reply_len(&call, 4 + (size_t)mmc_be32_get(reply));
    if (len < 8)
        return mmc_reply_bad(drive, &call);
    configuration->profile = (uint16_t)mmc_be16_get(reply + 6);
    features_decode(reply, len, configuration);
    return 0;
}

static bool all_ones(const uint8_t *p)
{
    return p[0] == 0xFF && p[1] == 0xFF && p[2] == 0xFF;
}

/* Byte offsets as in MMC-5 6.22.3.1; the numbers of sessions and tracks have their high bytes at 9 to 11. */
static void disc_information_decode(const uint8_t *reply, size_t len, struct mmc_disc_information *d)
{
    d->disc_status = (enum mmc_disc_status)(reply[2] & 3);
    d->session_status = (enum mmc_session_status)(reply[2] >> 2 & 3);
    d->erasable = reply[2] & 0x10;
    d->first_track = reply[3];
    d->sessions = (unsigned)reply[9] << 8 | reply[4];
    d->first_track_last_session = (unsigned)reply[10] << 8 | reply[5];
    d->last_track_last_session = (unsigned)reply[11] << 8 | reply[6];
    d->disc_type = reply[8];
    if (len >= 20 && !all_ones(reply + 17))
        d->leadin_set = msf_decode(reply + 17, &d->leadin);
    if (len >= 24 && !all_ones(reply + 21))
        d->leadout_set = msf_decode(reply + 21, &d->leadout);
}

int mmc_disc_information_read(struct mmc_drive *drive, bool poll, struct mmc_disc_information *information,
                              struct mmc_sense *sense)
{
    uint8_t reply[34];
    struct mmc_call call = mmc_call_in(0x51, poll ? MMC_CALL_POLL : 0, reply, sizeof(reply));
    size_t len;
    int error;

    *information = (struct mmc_disc_information){0};
    mmc_be16_put(call.request.cdb + 7, sizeof(reply));
    error = mmc_execute(drive, &call);
    if (sense)
        *sense = call.sense;
    if (error)
        return error;
    len = mmc_reply_len(&call, 2u + mmc_be16_get(reply));
    if (len < 12)
        return mmc_reply_bad(drive, &call);
    disc_information_decode(reply, len, information);
    return 0;
}

/* Byte offsets as in MMC-5 6.27.3.1; the high bytes of track and session come at 32 and 33. */
static void track_decode(const uint8_t *reply, size_t len, struct mmc_track *t)
{
    t->number = reply[2];
    t->session = reply[3];
    if (len >= 34) {
        t->number |= (unsigned)reply[32] << 8;
        t->session |= (unsigned)reply[33] << 8;
    }
    t->damaged = reply[5] & 0x20;
    t->copy = reply[5] & 0x10;
    t->track_mode = reply[5] & 0x0F;
    t->reserved = reply[6] & 0x80;
    t->blank = reply[6] & 0x40;
    t->packet = reply[6] & 0x20;
    t->fixed_packet = reply[6] & 0x10;
    t->data_mode = reply[6] & 0x0F;
    t->nwa_valid = reply[7] & 0x01;
    t->start = mmc_lba((int32_t)mmc_be32_get(reply + 8));
    t->nwa = mmc_lba((int32_t)mmc_be32_get(reply + 12));
    t->free_blocks = mmc_be32_get(reply + 16);
    t->packet_blocks = mmc_be32_get(reply + 20);
    t->size = mmc_be32_get(reply + 24);
    if (len >= 32 && (reply[7] & 0x02)) {
        t->last_recorded_valid = true;
        t->last_recorded = mmc_lba((int32_t)mmc_be32_get(reply + 28));
    }
}

int mmc_track_information_read(struct mmc_drive *drive, unsigned number, struct mmc_track *track)
{
    uint8_t reply[36];
    struct mmc_call call = mmc_call_in(0x52, MMC_CALL_TRY, reply, sizeof(reply));
    size_t len;
    int error;

    *track = (struct mmc_track){0};
    call.request.cdb[1] = 0x01; /* the address is a track number */
    mmc_be32_put(call.request.cdb + 2, number);
    mmc_be16_put(call.request.cdb + 7, sizeof(reply));
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    len = mmc_reply_len(&call, 2u + mmc_be16_get(reply));
    if (len < 28)
        return mmc_reply_bad(drive, &call);
    track_decode(reply, len, track);
    return 0;
}

int mmc_toc_read_raw(struct mmc_drive *drive, unsigned format, unsigned number, uint8_t *buf, size_t size,
                     size_t *len)
{
    struct mmc_call call = mmc_call_in(0x43, MMC_CALL_TRY, buf, size);
    int error;

    *len = 0;
    if (size < 4 || size > UINT16_MAX)
        return -EINVAL;
    call.request.cdb[1] = format == 0 ? 0x00 : 0x02; /* format 0 in block addresses, the others in times */
    call.request.cdb[2] = format & 0x0F;
    call.request.cdb[6] = (uint8_t)number;
    mmc_be16_put(call.request.cdb + 7, (unsigned)size);
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    *len = mmc_reply_len(&call, 2u + mmc_be16_get(buf));
    return *len < 4 ? mmc_reply_bad(drive, &call) : 0;
}

int mmc_toc_read(struct mmc_drive *drive, struct mmc_toc *toc)
{
    uint8_t reply[4 + 100 * 8];
    size_t len;
    int error;

    *toc = (struct mmc_toc){0};
    error = mmc_toc_read_raw(drive, 0, 1, reply, sizeof(reply), &len);
    if (error)
        return error;
    toc->first = reply[2];
    toc->last = reply[3];
    for (size_t at = 4; at + 8 <= len; at += 8) {
        const uint8_t *entry = reply + at;
        mmc_lba_t start = mmc_lba((int32_t)mmc_be32_get(entry + 4));

        if (entry[2] == 0xAA) {
            toc->leadout_set = true;
            toc->leadout = start;
        } else if (entry[2] >= 1 && entry[2] <= 99 && toc->count < 99) {
            toc->tracks[toc->count].number = entry[2];
            toc->tracks[toc->count].control = entry[1] & 0x0F;
            toc->tracks[toc->count++].start = start;
        }
    }
    return 0;
}

/* Some drives give 00:00:00 for the start of the lead-in; 97:30:00 is where discs of their time have it. */
static bool atip_leadin_decode(const uint8_t *msf, mmc_lba_t *lba)
{
    static const uint8_t usual[3] = {97, 30, 0};
    bool none = msf[0] == 0 && msf[1] == 0 && msf[2] == 0;

    return msf_decode(none ? usual : msf, lba) && lba->n < 0;
}

int mmc_atip_read(struct mmc_drive *drive, struct mmc_atip *atip)
{
    uint8_t reply[32];
    size_t len;
    int error;

    *atip = (struct mmc_atip){0};
    error = mmc_toc_read_raw(drive, 4, 0, reply, sizeof(reply), &len);
    if (error)
        return error;
    if (len < 15 || !atip_leadin_decode(reply + 8, &atip->leadin) ||
        !msf_decode(reply + 12, &atip->leadout) || atip->leadout.n <= 0)
        return -EPROTO;
    atip->rewritable = reply[6] & 0x40;
    atip->subtype = reply[6] >> 3 & 7;
    return 0;
}

int mmc_capacity_read(struct mmc_drive *drive, uint32_t *blocks)
{
    uint8_t reply[8];
    struct mmc_call call = mmc_call_in(0x25, MMC_CALL_TRY, reply, sizeof(reply));
    uint32_t last;
    int error;

    *blocks = 0;
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    if (call.request.transferred < 8)
        return mmc_reply_bad(drive, &call);
    last = mmc_be32_get(reply);
    /* A disc without a complete session has 0 as its last block. */
    *blocks = last == UINT32_MAX || last == 0 ? 0 : last + 1;
    return 0;
}

int mmc_format_capacities_read(struct mmc_drive *drive, struct mmc_format_capacities *capacities)
{
    const size_t room = sizeof(capacities->formats) / sizeof(capacities->formats[0]);
    uint8_t reply[4 + 255 + 1];
    struct mmc_call call = mmc_call_in(0x23, MMC_CALL_TRY, reply, sizeof(reply));
    size_t len;
    int error;

    *capacities = (struct mmc_format_capacities){0};
    mmc_be16_put(call.request.cdb + 7, sizeof(reply));
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    len = mmc_reply_len(&call, 4u + reply[3]);
    if (len < 12)
        return mmc_reply_bad(drive, &call);
    capacities->blocks = mmc_be32_get(reply + 4);
    capacities->state = reply[8] & 3;
    for (size_t at = 12; at + 8 <= len && capacities->count < room; at += 8) {
        struct mmc_format_capacity *f = &capacities->formats[capacities->count++];

        f->blocks = mmc_be32_get(reply + at);
        f->type = reply[at + 4] >> 2;
        f->parameter = mmc_be24_get(reply + at + 5);
    }
    return 0;
}

int mmc_write_speeds_get(struct mmc_drive *drive, unsigned *speeds_kbs, unsigned size, unsigned *count)
{
    uint8_t reply[8 + 32 * 16];
    struct mmc_call call = mmc_call_in(0xAC, MMC_CALL_TRY, reply, sizeof(reply));
    size_t len;
    int error;

    *count = 0;
    mmc_be16_put(call.request.cdb + 8, 32); /* most descriptors */
    call.request.cdb[10] = 0x03;            /* write speed */
    error = mmc_execute(drive, &call);
    if (error)
        return error;
    len = mmc_reply_len(&call, 4 + (size_t)mmc_be32_get(reply));
    if (len < 8)
        return mmc_reply_bad(drive, &call);
    for (size_t at = 8; at + 16 <= len && *count < size; at += 16)
        speeds_kbs[(*count)++] = mmc_be32_get(reply + at + 12);
    return 0;
}
