/* SPDX-License-Identifier: MIT */
/* READ CD, READ CD MSF and READ HEADER (MMC-5 6.16 to 6.18): any part of any sector that was written. */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define C2_BYTES 294u
#define Q_FIELD  16u

/* Byte 9 of the CDB. */
enum {
    FIELD_SYNC = 0x80,
    FIELD_SUBHEADER = 0x40,
    FIELD_HEADER = 0x20,
    FIELD_USER = 0x10,
    FIELD_CODES = 0x08
};
enum {
    C2_NONE,
    C2_FLAGS,
    C2_FLAGS_BLOCK
};
enum {
    SUB_NONE = 0,
    SUB_RAW = 1,
    SUB_Q = 2,
    SUB_RW = 4
};
enum {
    EXPECT_ANY,
    EXPECT_AUDIO,
    EXPECT_MODE1,
    EXPECT_MODE2,
    EXPECT_FORM1,
    EXPECT_FORM2
};

struct request {
    unsigned expected, fields, c2, sub;
};

/* How the parts of a sector of each kind follow each other. */
struct layout {
    uint16_t subheader, user, codes; /* bytes; sync and header have 12 and 4 */
};

static const struct layout layouts[] = {
    [EXPECT_MODE1] = {0, 2048, 288},
    [EXPECT_MODE2] = {0, 2336, 0},
    [EXPECT_FORM1] = {8, 2048, 280},
    [EXPECT_FORM2] = {8, 2328, 0},
};

static unsigned kind_of(const struct vdrive_sector *sector, const uint8_t *main)
{
    switch (sector->form) {
    case VDRIVE_SECTOR_MODE1:
        return EXPECT_MODE1;
    case VDRIVE_SECTOR_MODE2:
        return EXPECT_MODE2;
    case VDRIVE_SECTOR_FORM1:
        return EXPECT_FORM1;
    case VDRIVE_SECTOR_FORM2:
        return EXPECT_FORM2;
    case VDRIVE_SECTOR_BROKEN:
        return main[15] == 1 ? EXPECT_MODE1 : EXPECT_MODE2;
    default:
        return EXPECT_AUDIO;
    }
}

static size_t put(uint8_t *to, size_t at, const uint8_t *from, size_t len)
{
    memcpy(to + at, from, len);
    return at + len;
}

/* The parts of the main channel that were asked for. Audio is all user data. */
static size_t main_put(const struct request *r, unsigned kind, const uint8_t *main, uint8_t *to)
{
    const struct layout *layout = &layouts[kind];
    size_t len = 0, user = 16u + layout->subheader;

    if (kind == EXPECT_AUDIO)
        return r->fields ? put(to, 0, main, MMC_SECTOR_BYTES) : 0;
    if (r->fields & FIELD_SYNC)
        len = put(to, len, main, 12);
    if (r->fields & FIELD_HEADER)
        len = put(to, len, main + 12, 4);
    if (r->fields & FIELD_SUBHEADER)
        len = put(to, len, main + 16, layout->subheader);
    if (r->fields & FIELD_USER)
        len = put(to, len, main + user, layout->user);
    if (r->fields & FIELD_CODES)
        len = put(to, len, main + user + layout->user, layout->codes);
    return len;
}

static size_t sub_put(const struct request *r, const uint8_t *sub, uint8_t *to)
{
    if (r->sub == SUB_RAW)
        return put(to, 0, sub, MMC_SUBCHANNEL_BYTES);
    if (r->sub == SUB_RW) {
        for (unsigned i = 0; i < MMC_SUBCHANNEL_BYTES; i++)
            to[i] = sub[i] & 0x3f;
        return MMC_SUBCHANNEL_BYTES;
    }
    if (r->sub == SUB_Q) {
        memset(to, 0, Q_FIELD);
        mmc_subchannel_get(sub, 6, to);
        to[Q_FIELD - 1] = sub[0] & 0x80;
        return Q_FIELD;
    }
    return 0;
}

/* No error of the pickup is left in what was read: all C2 flags are clear. */
static size_t c2_put(const struct request *r, uint8_t *to)
{
    size_t len = r->c2 == C2_FLAGS ? C2_BYTES : r->c2 == C2_FLAGS_BLOCK ? C2_BYTES + 2 : 0;

    memset(to, 0, len);
    return len;
}

/* The record that a sector of a packet track would have. */
static struct vdrive_sector packet_sector(const struct vdrive *d, mmc_lba_t lba)
{
    const struct vdrive_track *track = &d->disc.tracks[0];
    struct vdrive_place place = {.control = track->control, .track = 1, .index = 1, .origin = track->start};
    struct vdrive_slot slot;

    vdrive_slot_fill(&slot, track->data_mode == 1 ? VDRIVE_SECTOR_MODE1 : VDRIVE_SECTOR_FORM1, lba, NULL,
                     NULL);
    vdrive_slot_place(&slot, &place, lba);
    return slot.sector;
}

static bool is_audio_pregap(const struct vdrive_sector *sector)
{
    return sector->form == VDRIVE_SECTOR_PREGAP && !(sector->q[0] & 0x40);
}

vdrive_sense_code_t vdrive_sector_read(struct vdrive *d, mmc_lba_t lba, struct vdrive_sector *sector,
                                       uint8_t main[MMC_SECTOR_BYTES])
{
    mmc_lba_t struck;
    int err = 0;

    if (d->disc.formatted) {
        *sector = packet_sector(d, lba);
        if (lba.n < 0 || lba.n >= d->disc.tracks[0].end.n)
            return VDRIVE_LBA_RANGE;
        if (d->media.packets[mmc_packet_of(lba, MMC_PACKET_BLOCKS).n].flags != VDRIVE_PACKET_FORMATTED)
            return VDRIVE_READ_ERROR;
    } else {
        err = vdrive_media_sectors_read(&d->media, lba, 1, sector);
    }
    if (!err && sector->form == VDRIVE_SECTOR_UNWRITTEN)
        return VDRIVE_BLANK_CHECK;
    if (!err && sector->form >= VDRIVE_SECTOR_LINK && !is_audio_pregap(sector))
        return VDRIVE_WRONG_MODE;
    if (err || vdrive_fault_blocks(&d->faults, VDRIVE_FAULT_READ, lba, 1, &struck))
        return VDRIVE_READ_ERROR;
    err = vdrive_media_sector_load(&d->media, lba, sector, main);
    return err ? VDRIVE_READ_ERROR : 0;
}

/* One sector into the host's buffer, at c->reply->in_len. */
static vdrive_sense_code_t sector_transfer(struct vdrive *d, struct vdrive_command *c,
                                           const struct request *r, mmc_lba_t lba)
{
    uint8_t main[MMC_SECTOR_BYTES], sub[MMC_SUBCHANNEL_BYTES],
        out[MMC_SECTOR_BYTES + C2_BYTES + 2 + MMC_SUBCHANNEL_BYTES];
    struct vdrive_sector sector;
    vdrive_sense_code_t code = vdrive_sector_read(d, lba, &sector, main);
    unsigned kind;
    size_t len;

    if (code)
        return code;
    kind = kind_of(&sector, main);
    if (r->expected != EXPECT_ANY && r->expected != kind)
        return VDRIVE_WRONG_MODE;
    /* A sector whose codes do not fit can be had whole, for whoever wants to make something of it, but not in
     * parts. */
    if (sector.form == VDRIVE_SECTOR_BROKEN && !(r->fields & FIELD_CODES))
        return VDRIVE_READ_ERROR;
    if (vdrive_media_sub_load(&d->media, lba, &sector, sub) != 0)
        return VDRIVE_READ_ERROR;
    len = main_put(r, kind, main, out);
    len += c2_put(r, out + len);
    len += sub_put(r, sub, out + len);
    if (c->reply->in_len + len > c->in_room)
        return VDRIVE_BAD_CDB; /* the host's buffer is too small for what it asks */
    memcpy(c->in + c->reply->in_len, out, len);
    c->reply->in_len += len;
    return 0;
}

static bool request_decode(const struct vdrive_command *c, struct request *r)
{
    r->expected = c->cdb[1] >> 2 & 7;
    r->fields = c->cdb[9] & 0xf8u;
    r->c2 = c->cdb[9] >> 1 & 3;
    r->sub = c->cdb[10] & 7;
    if (r->expected > EXPECT_FORM2 || r->c2 > C2_FLAGS_BLOCK)
        return false;
    if (r->sub != SUB_NONE && r->sub != SUB_RAW && r->sub != SUB_Q && r->sub != SUB_RW)
        return false;
    /* What is asked for lies in one piece: sync and user data with the header between them, and so on. */
    if (r->fields & FIELD_SYNC && !(r->fields & FIELD_HEADER) && r->fields & (FIELD_USER | FIELD_CODES))
        return false;
    return !(r->fields & FIELD_CODES) || r->fields & FIELD_USER || r->fields == FIELD_CODES;
}

static void read_cd(struct vdrive *d, struct vdrive_command *c, mmc_lba_t first, int64_t count)
{
    mmc_lba_t end = d->disc.formatted ? d->disc.tracks[0].end : d->media.atip_leadout;
    vdrive_sense_code_t code = 0;
    struct request r;
    int64_t done;

    if (!request_decode(c, &r)) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    if (first.n < -VDRIVE_PREGAP || count < 0 || first.n + count > end.n) {
        vdrive_command_fail(c, VDRIVE_LBA_RANGE);
        return;
    }
    vdrive_laser_drain(d);
    for (done = 0; done < count && !code && !d->power_lost; done++) {
        mmc_lba_t lba = mmc_lba_add(first, done);

        vdrive_laser_read(d, lba, 1);
        code = sector_transfer(d, c, &r, lba);
        if (code == VDRIVE_READ_ERROR)
            vdrive_clock_advance(d, VDRIVE_US_READ_RETRY);
    }
    d->stats.bytes_in += c->reply->in_len;
    vdrive_clock_advance(d, vdrive_time_transfer(c->reply->in_len));
    if (code == VDRIVE_BAD_CDB)
        vdrive_command_fail(c, code);
    else if (code)
        vdrive_command_fail_at(c, code, mmc_lba_add(first, done - 1));
}

void vdrive_read_cd(struct vdrive *d, struct vdrive_command *c)
{
    read_cd(d, c, mmc_lba((int32_t)mmc_be32_get(c->cdb + 2)), mmc_be24_get(c->cdb + 6));
}

/* The last address is one past what is read. */
void vdrive_read_cd_msf(struct vdrive *d, struct vdrive_command *c)
{
    mmc_lba_t first = vdrive_msf_lba(c->cdb + 3), end = vdrive_msf_lba(c->cdb + 6);

    read_cd(d, c, first, (int64_t)end.n - first.n);
}

/* The header of the sector at an address: mode and where it says that it is. */
void vdrive_read_header(struct vdrive *d, struct vdrive_command *c)
{
    mmc_lba_t lba = mmc_lba((int32_t)mmc_be32_get(c->cdb + 2));
    uint8_t main[MMC_SECTOR_BYTES], data[8] = {0};
    struct vdrive_sector sector;
    vdrive_sense_code_t code;

    if (lba.n < 0 || lba.n >= d->media.atip_leadout.n) {
        vdrive_command_fail(c, VDRIVE_LBA_RANGE);
        return;
    }
    vdrive_laser_drain(d);
    vdrive_laser_read(d, lba, 1);
    code = vdrive_sector_read(d, lba, &sector, main);
    if (!code && kind_of(&sector, main) == EXPECT_AUDIO)
        code = VDRIVE_WRONG_MODE;
    if (code) {
        vdrive_command_fail_at(c, code, lba);
        return;
    }
    data[0] = main[15];
    if (c->cdb[1] & 2)
        vdrive_msf_of(lba, data + 5);
    else
        mmc_be32_put(data + 4, (uint32_t)lba.n);
    vdrive_command_answer(c, data, sizeof(data), mmc_be16_get(c->cdb + 7));
}
