/* SPDX-License-Identifier: MIT */
/* MODE SENSE and MODE SELECT: the pages, what of them may be changed, and what page 05h may say. */
#include "mmc/vdrive/mode.h"

#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"
#include "mmc/vdrive/slot.h"

#define PAGE_WRITE     0x05
#define PAGE_CAPABLE   0x2a
#define PAGE_ALL       0x3f
#define LIST_MAX       512
#define LINK_SIZE      7 /* what Orange Book says, the only one that a CD has */
#define BLOCK_MODE1    8
#define BLOCK_XA_FORM1 10

/* Page control of MODE SENSE. */
enum {
    PC_CURRENT,
    PC_CHANGEABLE,
    PC_DEFAULT,
    PC_SAVED
};

struct mode_page {
    uint8_t code, len; /* len: of the whole page, with its two first bytes */
    uint8_t initial[VDRIVE_MODE_PAGE_MAX], changeable[VDRIVE_MODE_PAGE_MAX];
};

static const struct mode_page pages[VDRIVE_MODE_PAGES] = {
    /* Read/write error recovery: retry, transfer nothing bad. */
    {0x01, 12, {0x01, 0x0a, 0x00, 0x20, 0, 0, 0, 0, 0x01}, {0, 0, 0x3f, 0xff, 0, 0, 0, 0, 0xff}},
    /* Write parameters: TAO, data track, mode 1, one session. Everything that is not reserved may change. */
    {PAGE_WRITE,
     52,
     {0x05, 0x32, 0x41, 0x04, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 150},
     {0,    0,    0x7f, 0xff, 0x0f, 0xff, 0,    0x3f, 0xff, 0,    0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    /* Caching: the write cache is on. */
    {0x08, 12, {0x08, 0x0a, 0x04}, {0}},
    /* CD device parameters: 60 seconds a minute, 75 frames a second. */
    {0x0d, 8, {0x0d, 0x06, 0, 0x02, 0, 60, 0, 75}, {0, 0, 0, 0x0f}},
    /* CD audio control. */
    {0x0e,
     16,
     {0x0e, 0x0e, 0x04, 0, 0, 0, 0, 75, 0x01, 0xff, 0x02, 0xff},
     {0, 0, 0x02, 0, 0, 0, 0, 0, 0x0f, 0xff, 0x0f, 0xff}},
    /* Power condition: no timers. */
    {0x1a, 12, {0x1a, 0x0a}, {0}},
    /* Timeout and protect. */
    {0x1d, 12, {0x1d, 0x0a, 0, 0, 0, 0, 0, 0, 0x00, 0x3c}, {0}},
    /* Capabilities and mechanical status: see capabilities_fill. */
    {PAGE_CAPABLE, 48, {0x2a, 0x2e}, {0}},
};

#define WRITE_PAGE_INDEX 1

static void page_default(const struct vdrive *d, unsigned i, uint8_t *to)
{
    memcpy(to, pages[i].initial, VDRIVE_MODE_PAGE_MAX);
    if (pages[i].code == PAGE_WRITE && vdrive_quirk(&d->faults, VDRIVE_QUIRK_BAD_LINK_DEFAULT)) {
        to[2] |= 0x20;
        to[5] = 0x10;
    }
}

void vdrive_modes_reset(struct vdrive *d)
{
    for (unsigned i = 0; i < VDRIVE_MODE_PAGES; i++)
        page_default(d, i, d->modes.current[i]);
    d->page5_set = false;
}

static struct vdrive_write_mode write_mode_of(const uint8_t *page)
{
    struct vdrive_write_mode mode = {.type = (enum vdrive_write_type)(page[2] & 15),
                                     .test = page[2] & 0x10,
                                     .underrun_free = page[2] & 0x40,
                                     .multi_session = page[3] >> 6,
                                     .fixed = page[3] & 0x20,
                                     .control = page[3] & 15,
                                     .block_type = page[4] & 15,
                                     .session_format = page[8],
                                     .packet_blocks = mmc_be32_get(page + 10)};

    memcpy(mode.subheader, page + 48, sizeof(mode.subheader));
    if (page[16] & 0x80)
        memcpy(mode.mcn, page + 17, sizeof(mode.mcn) - 1);
    if (page[32] & 0x80)
        memcpy(mode.isrc, page + 33, sizeof(mode.isrc) - 1);
    return mode;
}

struct vdrive_write_mode vdrive_write_mode_get(const struct vdrive *d)
{
    return write_mode_of(d->modes.current[WRITE_PAGE_INDEX]);
}

static void capabilities_fill(const struct vdrive *d, uint8_t *page)
{
    static const unsigned speeds[] = {24, 10, 4};
    unsigned count = 0;

    page[2] = 0x07; /* reads CD-R, CD-RW, method 2 */
    page[3] = 0x07; /* writes CD-R, CD-RW; test write */
    page[4] = 0xf0; /* buffer underrun protection, multi-session, mode 2 forms 1 and 2 */
    page[5] = 0x77; /* audio as data, streaming goes on in place, R-W, C2 flags, ISRC, catalogue number */
    page[6] = (uint8_t)(0x29 | (d->locked ? 0x02 : 0)); /* tray, eject, lock */
    mmc_be16_put(page + 8, VDRIVE_READ_SPEED_MAX * 1764 / 10);
    mmc_be16_put(page + 12, VDRIVE_BUFFER_BLOCKS * MMC_BLOCK_BYTES / 1024);
    mmc_be16_put(page + 14, d->read_speed * 1764 / 10);
    mmc_be16_put(page + 18, d->media.spec.speed * 1764 / 10);
    mmc_be16_put(page + 20, d->write_speed * 1764 / 10);
    page[23] = 0x01; /* copy management revision */
    page[27] = 0x01; /* rotation: constant linear velocity */
    mmc_be16_put(page + 28, d->write_speed * 1764 / 10);
    for (unsigned i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        if (speeds[i] <= d->media.spec.speed)
            mmc_be16_put(page + 32 + 4 * count++ + 2, speeds[i] * 1764 / 10);
    }
    mmc_be16_put(page + 30, count);
}

static void page_sense(const struct vdrive *d, unsigned i, unsigned control, uint8_t *to)
{
    if (control == PC_CURRENT)
        memcpy(to, d->modes.current[i], pages[i].len);
    else if (control == PC_CHANGEABLE)
        memcpy(to, pages[i].changeable, pages[i].len);
    else {
        uint8_t page[VDRIVE_MODE_PAGE_MAX];

        page_default(d, i, page);
        memcpy(to, page, pages[i].len);
    }
    to[0] = pages[i].code;
    to[1] = (uint8_t)(pages[i].len - 2);
    if (pages[i].code == PAGE_CAPABLE && control != PC_CHANGEABLE)
        capabilities_fill(d, to);
}

/* The obsolete medium type byte that clients still copy back: 20h-family codes for CD-RW, 10h for CD-R; 70h
 * no disc. */
static uint8_t mode_medium_type(const struct vdrive *d)
{
    if (!vdrive_has_medium(d))
        return 0x70;
    if (d->media.spec.medium == VDRIVE_CD_ROM)
        return 0x01;
    return d->media.spec.medium == VDRIVE_CD_RW ? 0x21 : 0x11;
}

void vdrive_mode_sense(struct vdrive *d, struct vdrive_command *c)
{
    bool ten = c->cdb[0] == 0x5a;
    size_t header = ten ? 8 : 4, len = header;
    unsigned control = c->cdb[2] >> 6, wanted = c->cdb[2] & 0x3f;
    uint8_t list[LIST_MAX] = {0};

    if (control == PC_SAVED) {
        vdrive_command_fail(c, VDRIVE_NO_SAVING);
        return;
    }
    for (unsigned i = 0; i < VDRIVE_MODE_PAGES; i++) {
        if (wanted == PAGE_ALL || wanted == pages[i].code) {
            page_sense(d, i, control, list + len);
            len += pages[i].len;
        }
    }
    if (len == header || (c->cdb[3] != 0 && c->cdb[3] != 0xff)) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    if (ten) {
        mmc_be16_put(list, (uint32_t)len - 2);
        list[2] = mode_medium_type(d);
    } else {
        list[0] = (uint8_t)(len - 1);
        list[1] = mode_medium_type(d);
    }
    vdrive_command_answer(c, list, len, ten ? mmc_be16_get(c->cdb + 7) : c->cdb[4]);
}

/* Data block types that go with a write type (MMC-5 7.5.4.14), and the kind of track that they make. */
static bool block_type_valid(const struct vdrive_write_mode *mode)
{
    struct vdrive_block_type type = vdrive_block_type_of(mode->block_type);
    bool data = mode->control & 4;

    switch (mode->type) {
    case VDRIVE_WRITE_PACKET:
        if (mode->fixed && mode->block_type != BLOCK_MODE1 && mode->block_type != BLOCK_XA_FORM1)
            return false;
        return data && type.mode != 0;
    case VDRIVE_WRITE_TAO:
        return type.bytes != 0 && data == (type.mode != 0) && (!data || !(mode->control & 1));
    case VDRIVE_WRITE_SAO:
        return mode->block_type <= 3; /* the cue sheet says the rest */
    case VDRIVE_WRITE_RAW:
        return mode->block_type >= 1 && mode->block_type <= 3 && !mode->test;
    }
    return false;
}

/* MMC-5 7.5.4. */
static bool write_page_valid(const uint8_t *page)
{
    struct vdrive_write_mode mode = write_mode_of(page);
    bool link_valid = page[2] & 0x20;

    if ((link_valid && page[5] != LINK_SIZE) || mode.multi_session == 2)
        return false;
    if (mode.session_format != 0x00 && mode.session_format != 0x10 && mode.session_format != 0x20)
        return false;
    if (mode.control & 8 || (mode.fixed && mode.type != VDRIVE_WRITE_PACKET))
        return false;
    if (mode.fixed && mode.packet_blocks != MMC_PACKET_BLOCKS)
        return false;
    return block_type_valid(&mode);
}

static bool page_valid(const struct vdrive *d, unsigned i, const uint8_t *page)
{
    for (unsigned b = 2; b < pages[i].len; b++) {
        if ((page[b] ^ d->modes.current[i][b]) & ~pages[i].changeable[b])
            return pages[i].code == PAGE_CAPABLE; /* status, not settings: ignored */
    }
    return pages[i].code != PAGE_WRITE || write_page_valid(page);
}

/* A track that is open is written on in the way that it was begun. */
static bool track_permits(const struct vdrive_track *open, enum vdrive_write_type type)
{
    return !open || open->method == VDRIVE_METHOD_SESSION ||
           type == (open->method == VDRIVE_METHOD_VARIABLE ? VDRIVE_WRITE_PACKET : VDRIVE_WRITE_TAO);
}

/* One page out of a parameter list; 0 or the sense. */
static vdrive_sense_code_t page_select(struct vdrive *d, const uint8_t *page, size_t len)
{
    for (unsigned i = 0; i < VDRIVE_MODE_PAGES; i++) {
        if ((page[0] & 0x3f) != pages[i].code)
            continue;
        if (len != pages[i].len || !page_valid(d, i, page))
            return VDRIVE_BAD_LIST;
        if (pages[i].code == PAGE_CAPABLE)
            return 0;
        if (pages[i].code == PAGE_WRITE) {
            if (!track_permits(vdrive_disc_open_track(&d->disc), write_mode_of(page).type) || d->plan.begun)
                return VDRIVE_BAD_SEQUENCE;
            if (write_mode_of(page).type != d->plan.mode.type)
                d->plan.kind = VDRIVE_PLAN_NONE;
            d->page5_set = true;
        }
        memcpy(d->modes.current[i] + 2, page + 2, len - 2);
        return 0;
    }
    return VDRIVE_BAD_LIST;
}

void vdrive_mode_select(struct vdrive *d, struct vdrive_command *c)
{
    bool ten = c->cdb[0] == 0x55;
    size_t len = ten ? mmc_be16_get(c->cdb + 7) : c->cdb[4], at = ten ? 8 : 4;
    vdrive_sense_code_t code = 0;

    if (!(c->cdb[1] & 0x10) || c->cdb[1] & 0x01) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB); /* not in page format; nothing can be saved */
        return;
    }
    if (len == 0)
        return;
    if (len > c->out_len || len < at) {
        vdrive_command_fail(c, VDRIVE_LIST_LENGTH);
        return;
    }
    /* A block descriptor may only say 2048, which is what blocks are anyway. */
    at += ten ? mmc_be16_get(c->out + 6) : c->out[3];
    while (at < len && !code) {
        if (at + 2 > len || at + 2 + c->out[at + 1] > len)
            code = VDRIVE_LIST_LENGTH;
        else
            code = page_select(d, c->out + at, (size_t)2 + c->out[at + 1]);
        if (!code)
            at += (size_t)2 + c->out[at + 1];
    }
    if (!code && at > len)
        code = VDRIVE_LIST_LENGTH;
    if (code)
        vdrive_command_fail(c, code);
}
