/* SPDX-License-Identifier: MIT */
/* The model of a drive for tests; see drive_model.h. */
#include "drive_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLANK_US  (30 * UINT64_C(1000000))
#define FORMAT_US (480 * UINT64_C(1000000))
#define CLOSE_US  (25 * UINT64_C(1000000))

static int refuse(struct model *m, struct mmc_request *r, uint32_t sense)
{
    m->refusals++;
    fake_refuse(r, sense, false, 0);
    return 0;
}

static int reply_hex(struct mmc_request *r, const char *hex)
{
    uint8_t bytes[256];

    fake_reply(r, bytes, fake_hex(hex, bytes, sizeof(bytes)));
    return 0;
}

static void busy_begin(struct fake *f, struct model *m, uint32_t sense, uint64_t us, enum model_disc then)
{
    m->busy_until = f->clock + us;
    m->busy_sense = sense;
    m->busy_then = then;
}

static void busy_end(struct model *m)
{
    bool format = m->busy_sense == 0x020404;

    if (!(format && m->format_lies))
        m->disc = m->busy_then;
    m->busy_sense = 0;
}

/* Whether the command meets a drive at work. Some drives say that they are ready before the disc looks so. */
static bool busy_answer(struct fake *f, struct model *m, struct mmc_request *r)
{
    bool poll = r->cdb[0] == 0x00 || r->cdb[0] == 0x03;

    if (!m->busy_sense)
        return false;
    if (f->clock >= m->busy_until) {
        busy_end(m);
        return false;
    }
    if (m->early_ready && m->busy_until - f->clock < 10 * UINT64_C(1000000))
        return false;
    if (r->cdb[0] == 0x03 || r->cdb[0] == 0x12 || (poll && m->tur_good_while_busy))
        return false;
    fake_refuse(r, m->busy_sense, false, m->no_progress ? 0 : 0x4000);
    return true;
}

static int test_unit_ready(struct model *m, struct mmc_request *r)
{
    if (m->disc == MODEL_NONE) {
        fake_refuse(r, m->tray_open ? 0x023A02 : 0x023A01, false, 0);
    } else if (m->format_fails && m->formats) {
        fake_refuse(r, m->format_fails, false, 0);
    } else if (m->attention_after && m->blanks + m->formats > 0) {
        m->attention_after = false;
        fake_refuse(r, 0x062800, false, 0);
    }
    return 0;
}

static int configuration(struct model *m, struct mmc_request *r)
{
    uint8_t bytes[8] = {0, 0, 0, 4, 0, 0, (uint8_t)(m->profile >> 8), (uint8_t)m->profile};

    if (!m->profile)
        return refuse(m, r, 0x052000);
    fake_reply(r, bytes, sizeof(bytes));
    return 0;
}

static int disc_information(struct model *m, struct mmc_request *r)
{
    if (m->no_disc_information)
        return refuse(m, r, 0x052000);
    switch (m->disc) {
    case MODEL_BLANK:
        return reply_hex(r,
                         "0020 10 01 01 01 01 20 ff 000000 00000000 00611a41 004f3b4a 0000000000000000 0000");
    case MODEL_OPEN:
        return reply_hex(r,
                         "0020 15 01 01 01 02 20 00 000000 00000000 00611a41 004f3b4a 0000000000000000 0000");
    case MODEL_FORMATTED:
        if (m->erasable_lost)
            return reply_hex(
                r, "0020 0e 01 01 01 01 20 20 000000 00000000 00ffffff 00ffffff 0000000000000000 0000");
        return reply_hex(r,
                         "0020 15 01 01 01 01 20 20 000000 00000000 00611a41 004f3b4a 0000000000000000 0000");
    default:
        return reply_hex(r,
                         "0020 1e 01 01 01 01 20 00 000000 00000000 00ffffff 00ffffff 0000000000000000 0000");
    }
}

static int track_information(struct model *m, struct mmc_request *r)
{
    bool next = r->cdb[5] == 0xFF;

    switch (m->disc) {
    case MODEL_BLANK:
        return reply_hex(
            r, "0022 01 01 00 04 40 01 00000000 00000000 00057daa 00000000 00057daa 00000000 0000 0000");
    case MODEL_OPEN:
        if (r->cdb[5] == 1)
            return reply_hex(
                r, "0022 01 01 00 04 81 00 00000000 00000000 00000000 00000000 000003e8 00000000 0000");
        return reply_hex(
            r, "0022 02 01 00 04 40 01 0000047e 0000047e 00057000 00000000 00057000 00000000 0000 0000");
    case MODEL_FORMATTED:
        if (next)
            return refuse(m, r, 0x052400);
        return reply_hex(
            r, "0022 01 01 00 07 b2 00 00000000 00000000 00000000 00000020 00048160 00000000 0000 0000");
    default:
        if (next)
            return refuse(m, r, 0x052400);
        return reply_hex(
            r, "0022 01 01 00 04 01 02 00000000 00000000 00000000 00000000 00008581 00008580 0000 0000");
    }
}

static int toc(struct model *m, struct mmc_request *r)
{
    if (r->cdb[2] == 4) {
        if (m->no_atip)
            return refuse(m, r, 0x052400);
        if (m->garbage_atip)
            return reply_hex(r, "001a 0000 ffffffff ffffffff ffffffff ffffffff");
        return reply_hex(r, "001a 0000 d000c900 611a4100 4f3b4a00 000000 00 000000 00");
    }
    if (m->toc_fails || m->disc == MODEL_BLANK)
        return refuse(m, r, 0x052400);
    return reply_hex(r, "0012 01 01 00140100 00000000 0014aa00 00008581");
}

static int format_capacities(struct model *m, struct mmc_request *r)
{
    if (m->lists_nothing_blank && m->disc == MODEL_BLANK)
        return reply_hex(r, "00000008 00057daa 01 000800");
    return reply_hex(r, "00000018 00057daa 01 000800 00057daa 00 000800 00048160 40 000020");
}

static int mode_select(struct model *m, struct mmc_request *r)
{
    const uint8_t *page = (const uint8_t *)r->data + 8;
    bool link_size = page[2] & 0x20;

    assert_in_range(r->data_len, 8 + 52, sizeof(m->page));
    r->transferred = r->data_len;
    if (page[0] != 5 || page[1] != 0x32 || page[5] != (link_size ? 7 : 0))
        return refuse(m, r, 0x052600);
    if ((link_size && m->refuses_link_size) || (!link_size && m->wants_link_size && (page[2] & 0x0F) == 0))
        return refuse(m, r, 0x052600);
    memcpy(m->page, r->data, r->data_len);
    m->page_len = r->data_len;
    return 0;
}

static int blank(struct fake *f, struct model *m, struct mmc_request *r)
{
    if (m->profile != 0x0A)
        return refuse(m, r, 0x053005);
    if (m->refuses_immed && (r->cdb[1] & 0x10))
        return refuse(m, r, 0x052400);
    m->blanks++;
    busy_begin(f, m, 0x020407, BLANK_US, MODEL_BLANK);
    if (!(r->cdb[1] & 0x10)) {
        f->clock += BLANK_US;
        busy_end(m);
    }
    return 0;
}

/* The list, as a drive checks it against its quirks. Returns 0 or the sense to refuse it with. */
static uint32_t format_check(const struct model *m, const struct mmc_request *r)
{
    const uint8_t *list = r->data, *page = m->page + 8;
    bool legacy = r->cdb[1] == 0x17;

    if (legacy != m->legacy_only)
        return 0x052400;
    if ((m->refuses_blank && m->disc == MODEL_BLANK) || (m->refuses_formatted && m->disc == MODEL_FORMATTED))
        return 0x053006;
    if (m->disc == MODEL_OPEN || m->disc == MODEL_NONE)
        return 0x052C00;
    if (!m->page_len || (page[2] & 0x1F) || !(page[3] & 0x20) || page[13] != 32 || !(page[3] & 0x04))
        return 0x052C00;
    if (m->wants_mode2 && (page[4] != 10 || page[8] != 0x20))
        return 0x052600;
    if (m->wants_track_mode_7 && (page[3] & 0x0F) != 7)
        return 0x052600;
    if (legacy)
        return memcmp(list + 12, "\x00\x04\x81\x60", 4) == 0 && r->data_len == 16 ? 0 : 0x052600;
    if ((m->refuses_options_valid && (list[1] & 0x80)) || (m->refuses_immed && (list[1] & 0x02)))
        return 0x052600;
    return r->data_len == 12 && memcmp(list + 2, "\x00\x08\x00\x04\x81\x60\x40\x00\x00\x20", 10) == 0
               ? 0
               : 0x052600;
}

static int format(struct fake *f, struct model *m, struct mmc_request *r)
{
    const uint8_t *list = r->data;
    uint32_t sense = format_check(m, r);

    r->transferred = r->data_len;
    if (sense)
        return refuse(m, r, sense);
    m->formats++;
    busy_begin(f, m, 0x020404, FORMAT_US, MODEL_FORMATTED);
    if (!(list[1] & 0x02)) {
        f->clock += FORMAT_US;
        busy_end(m);
    }
    return 0;
}

static int write(struct model *m, struct mmc_request *r)
{
    const uint8_t *page = m->page + 8;
    uint32_t lba = (uint32_t)(r->cdb[4] << 8 | r->cdb[5]);

    r->transferred = r->data_len;
    if (!m->page_len || (page[2] & 0x0F) != 1 || lba != m->writes * 32 ||
        (m->disc != MODEL_BLANK && !m->writes))
        return refuse(m, r, 0x052102);
    m->writes++;
    m->disc = MODEL_OPEN;
    return 0;
}

static int close_track(struct fake *f, struct model *m, struct mmc_request *r)
{
    if (r->cdb[2] == 1)
        return m->refuses_close_track ? refuse(m, r, 0x052400) : 0;
    if (m->disc != MODEL_OPEN || m->writes < 10)
        return refuse(m, r, 0x057203);
    m->sessions++;
    m->writes = 0;
    busy_begin(f, m, 0x020407, CLOSE_US, MODEL_SESSION);
    return 0;
}

int model_handle(struct fake *f, struct mmc_request *r)
{
    struct model *m = f->ctx;

    if (busy_answer(f, m, r))
        return 0;
    switch (r->cdb[0]) {
    case 0x00:
        return test_unit_ready(m, r);
    case 0x03:
        return reply_hex(r, "70000000000000 0a 00000000 0000 00 000000");
    case 0x04:
        return format(f, m, r);
    case 0x12:
        return reply_hex(r, "0580 0532 1f000000 4d414b4552202020 5752495445522020 2020202020202020 312e3030");
    case 0x23:
        return format_capacities(m, r);
    case 0x25:
        return reply_hex(r, m->disc == MODEL_SESSION ? "00008580 00000800" : "00000000 00000800");
    case 0x2A:
        return write(m, r);
    case 0x35:
    case 0x54:
    case 0xBB:
        return 0;
    case 0x43:
        return toc(m, r);
    case 0x46:
        return configuration(m, r);
    case 0x4A:
        return refuse(m, r, 0x052000);
    case 0x51:
        return disc_information(m, r);
    case 0x52:
        return track_information(m, r);
    case 0x55:
        return mode_select(m, r);
    case 0x5A:
        return reply_hex(
            r, "0020 00 000000 0000 2a18 0707 f17f 2920 1b80 0100 0800 1b80 0000 06e4 06e4 0001 0000");
    case 0x5B:
        return close_track(f, m, r);
    case 0xA1:
        return blank(f, m, r);
    case 0xAC:
        if (m->no_performance)
            return refuse(m, r, 0x052000);
        return reply_hex(
            r, "00000024 00000000 00000000 00057daa 000010a8 000006e4 00000000 00057daa 000010a8 000002c1");
    default:
        fail_msg("a command that the model does not know: %02x", r->cdb[0]);
        return 0;
    }
}
