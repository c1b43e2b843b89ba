/* SPDX-License-Identifier: MIT */
/* The bytes of every command, and what its reply is taken for when it is true, short, absurd or cut. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "mmc/command.h"
#include "mmc/writeparams.h"

static struct fake fake;
static struct mmc_drive *drive;

static void up(const struct fake_step *steps)
{
    fake_script(&fake, steps);
    drive = fake_drive(&fake);
}

static void down(void)
{
    fake_done(&fake);
    mmc_close(drive);
}

/* A drive that answers any one command that reads with these bytes, and no more of them. */
static void up_reply(const char *in)
{
    static struct fake_step steps[2];

    steps[0] = (struct fake_step){.cdb = "", .in = in};
    up(steps);
}

static void test_plain_bytes(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "1b 00 00 00 02 00"},
        {.cdb = "1b 00 00 00 03 00"},
        {.cdb = "1e 00 00 00 01 00"},
        {.cdb = "1e 00 00 00 00 00"},
        {.cdb = "2a 00 ffffff6a 00 0002 00"},
        {.cdb = "35 00 00000000 00 0000 00"},
        {.cdb = "bb 00 ffff 06e4 00 00 00 00 00 00"},
        {.cdb = "54 01 00 00 00 00 00 00 00 00"},
        {.cdb = "a1 11 00000000 00 00 00 00 00 00"},
        {.cdb = "a1 00 00000000 00 00 00 00 00 00"},
        {.cdb = "a1 14 00012345 00 00 00 00 00 00"},
        {.cdb = "5b 01 01 00 0007 00 00 00 00"},
        {.cdb = "5b 00 02 00 0000 00 00 00 00"},
        {.cdb = "53 00 00 00 00 00000bb8 00"},
        {0},
    };
    uint8_t blocks[2 * MMC_BLOCK_BYTES] = {0};

    (void)state;
    up(steps);
    assert_int_equal(mmc_start_stop(drive, MMC_START_EJECT), 0);
    assert_int_equal(mmc_start_stop(drive, MMC_START_LOAD), 0);
    assert_int_equal(mmc_prevent_removal(drive, true), 0);
    assert_int_equal(mmc_prevent_removal(drive, false), 0);
    assert_int_equal(mmc_write10(drive, mmc_lba(-150), 2, blocks), 0);
    assert_int_equal(mmc_synchronize_cache(drive), 0);
    assert_int_equal(mmc_speed_set(drive, 100000, 1764), 0);
    assert_int_equal(mmc_opc_send(drive), 0);
    assert_int_equal(mmc_blank_send(drive, MMC_BLANK_MINIMAL, 0, true), 0);
    assert_int_equal(mmc_blank_send(drive, MMC_BLANK_FULL, 0, false), 0);
    assert_int_equal(mmc_blank_send(drive, MMC_BLANK_TAIL, 0x12345, true), 0);
    assert_int_equal(mmc_close_send(drive, MMC_CLOSE_TRACK, 7, true), 0);
    assert_int_equal(mmc_close_send(drive, MMC_CLOSE_SESSION, 0, false), 0);
    assert_int_equal(mmc_track_reserve(drive, 3000), 0);
    down();
}

static void test_format_bytes(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "04 11 00 00 00 00", .out = "00 82 0008 00048160 40 000020"},
        {.cdb = "04 11 00 00 00 00", .out = "00 02 0008 00048160 40 000020"},
        {.cdb = "04 11 00 00 00 00", .out = "00 80 0008 00048160 00 000800"},
        {.cdb = "04 17 00 00 00 00", .out = "00 02 0008 00000000 00000000 00048160"},
        {0},
    };
    struct mmc_format_request f = {
        .type = MMC_FORMAT_PACKETS, .blocks = 0x48160, .parameter = 32, .immed = true, .options_valid = true};

    (void)state;
    up(steps);
    assert_int_equal(mmc_format_send(drive, &f), 0);
    f.options_valid = false;
    assert_int_equal(mmc_format_send(drive, &f), 0);
    f = (struct mmc_format_request){.type = 0, .blocks = 0x48160, .parameter = 2048, .options_valid = true};
    assert_int_equal(mmc_format_send(drive, &f), 0);
    f = (struct mmc_format_request){.blocks = 0x48160, .immed = true, .legacy = true};
    assert_int_equal(mmc_format_send(drive, &f), 0);
    down();
}

static void test_mode_page_bytes(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "55 10 00 00 00 00 00 003c 00",
         .out = "0000000000000000 05 32 41 c4 08 00 00 00 00 00 00000000 0096 00000000"},
        {.cdb = "55", .out = "0000000000000000 05 32 41 04 08", .sense = 0x052600},
        {.cdb = "55", .out = "0000000000000000 05 32 01 04 08"},
        {0},
    };
    struct mmc_write_params p;
    uint8_t page[MMC_WRITE_PARAMS_LEN];

    (void)state;
    up(steps);
    assert_int_equal(mmc_write_params_set_tao(drive, MMC_MULTI_NEXT), 0);
    assert_int_equal(mmc_write_params_set_tao(drive, MMC_MULTI_NONE), 0);
    down();
    assert_true(mmc_write_params_packet_form(0, true, &p));
    mmc_write_params_encode(&p, page);
    assert_int_equal(page[2], 0x20);
    assert_int_equal(page[3], 0x25);
    assert_int_equal(page[4], MMC_DATA_XA_FORM1);
    assert_int_equal(page[5], 7);
    assert_int_equal(page[8], 0x20);
    assert_int_equal(page[13], 32);
    assert_int_equal(page[50], 0x08);
    p.link_size_set = false;
    p.test_write = true;
    mmc_write_params_encode(&p, page);
    assert_int_equal(page[2], 0x10);
    assert_int_equal(page[5], 0);
}

/* No two forms are alike, none has the link size without its flag, and all are fixed packets of 32. */
static void test_packet_forms(void **state)
{
    uint8_t pages[20][MMC_WRITE_PARAMS_LEN];
    struct mmc_write_params p;
    unsigned n = 0;

    (void)state;
    for (; mmc_write_params_packet_form(n, false, &p); n++) {
        assert_true(n < 20);
        mmc_write_params_encode(&p, pages[n]);
        assert_int_equal(pages[n][3] & 0x20, 0x20);
        assert_int_equal(pages[n][13], 32);
        assert_int_equal(pages[n][5], pages[n][2] & 0x20 ? 7 : 0);
        for (unsigned i = 0; i < n; i++)
            assert_memory_not_equal(pages[i], pages[n], MMC_WRITE_PARAMS_LEN);
    }
    assert_true(n >= 4);
}

static void test_opc(void **state)
{
    static const struct {
        uint32_t sense;
        int error;
    } cases[] = {{0x052000, 0}, {0x052400, 0},    {0x017301, 0},
                 {0x037301, 0}, {0x037303, -EIO}, {0x072700, -EROFS}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fake_step steps[] = {{.cdb = "54 01", .sense = cases[i].sense}, {0}};

        up(steps);
        assert_int_equal(mmc_opc_send(drive), cases[i].error);
        down();
    }
}

static void test_inquiry(void **state)
{
    struct mmc_inquiry inquiry;
    unsigned type;

    (void)state;
    up_reply("05 80 05 32 1f 000000 504c4558544f5220 43442d522020205058202020 20202020 312e3035");
    assert_int_equal(mmc_inquiry_read(drive, &inquiry, &type), 0);
    assert_int_equal(type, 5);
    assert_string_equal(inquiry.vendor, "PLEXTOR");
    assert_string_equal(inquiry.product, "CD-R   PX");
    assert_string_equal(inquiry.revision, "1.05");
    down();
    up_reply("00 80 05 32 ff 000000 41001b5b");
    assert_int_equal(mmc_inquiry_read(drive, &inquiry, &type), 0);
    assert_string_equal(inquiry.vendor, "A ?[");
    assert_string_equal(inquiry.product, "");
    down();
    up_reply("05 80 05 32");
    assert_int_equal(mmc_inquiry_read(drive, &inquiry, &type), -EPROTO);
    down();
}

static void test_event(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "4a 01 00 00 10 00 00 0008 00", .in = "0006 04 10 02 03 00 00"},
        {.cdb = "4a", .in = "0002 84 00"},
        {.cdb = "4a", .in = "0006 01 10 02 03 00 00"},
        {.cdb = "4a", .in = "ffff 04 10"},
        {.cdb = "4a", .sense = 0x052000},
        {0},
    };
    struct mmc_media_event e;

    (void)state;
    up(steps);
    assert_int_equal(mmc_media_event_get(drive, &e), 0);
    assert_int_equal(e.event, 2);
    assert_true(e.tray_open && e.present);
    assert_int_equal(mmc_media_event_get(drive, &e), -EPROTO);
    assert_int_equal(mmc_media_event_get(drive, &e), -EPROTO);
    assert_int_equal(mmc_media_event_get(drive, &e), -EPROTO);
    assert_int_equal(mmc_media_event_get(drive, &e), -EOPNOTSUPP);
    down();
}

static void test_mode_sense(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "5a 08 2a", .in = "000c 21 00 00 00 0000 2a 04 07 07 f1 7f ff ff"},
        {.cdb = "5a 08 05", .in = "0014 21 00 00 00 0008 0000000000000800 05 02 41 c4 ff ff"},
        {.cdb = "5a", .in = "000c 21 00 00 00 fff0 05 04 00 00 00 00"}, /* descriptors beyond the end */
        {.cdb = "5a", .in = "ffff 21 00 00 00 0000 05 ff 01 02"},       /* a page longer than what came */
        {.cdb = "5a", .in = "000c 21 00 00 00 0000 0d 04 00 00 00 00"}, /* another page */
        {.cdb = "5a", .in = "0006 21 00 00 00 0000"},
        {.cdb = "5a", .in = "00"},
        {0},
    };
    uint8_t page[8];
    size_t len;

    (void)state;
    up(steps);
    assert_int_equal(mmc_mode_sense(drive, 0x2A, page, sizeof(page), &len), 0);
    assert_int_equal(len, 6);
    assert_int_equal(page[4], 0xF1);
    assert_int_equal(mmc_mode_sense(drive, 5, page, sizeof(page), &len), 0);
    assert_int_equal(len, 4);
    assert_int_equal(page[3], 0xC4);
    assert_int_equal(mmc_mode_sense(drive, 5, page, sizeof(page), &len), -EPROTO);
    assert_int_equal(mmc_mode_sense(drive, 5, page, sizeof(page), &len), 0);
    assert_int_equal(len, 4);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mmc_mode_sense(drive, 5, page, sizeof(page), &len), -EPROTO);
        assert_int_equal(len, 0);
    }
    down();
}

static void test_configuration(void **state)
{
    struct mmc_configuration c;

    (void)state;
    up_reply("0000001b 0000 000a  0000 03 04 000a0100  0001 02 00  0026 01 03 000000  0037 01 00");
    assert_int_equal(mmc_configuration_get(drive, &c), 0);
    assert_int_equal(c.profile, 0x0A);
    /* A length that is no multiple of 4, as some drives have it, and a feature that is not current. */
    assert_int_equal(c.feature_count, 3);
    assert_int_equal(c.features[1], 0x26);
    assert_int_equal(c.features[2], 0x37);
    down();
    up_reply("ffffffff 0000 0009 0000 01 ff");
    assert_int_equal(mmc_configuration_get(drive, &c), 0);
    assert_int_equal(c.profile, 9);
    assert_int_equal(c.feature_count, 1);
    down();
    up_reply("00000002 0000 0009");
    assert_int_equal(mmc_configuration_get(drive, &c), -EPROTO);
    down();
}

static void test_disc_information(void **state)
{
    struct mmc_disc_information d;

    (void)state;
    up_reply("0020 15 01 02 03 04 20 20 01 00 00 00000000 00611a41 004f3b4a 0000000000000000 00 00");
    assert_int_equal(mmc_disc_information_read(drive, false, &d, NULL), 0);
    assert_int_equal(d.disc_status, MMC_DISC_APPENDABLE);
    assert_int_equal(d.session_status, MMC_SESSION_INCOMPLETE);
    assert_true(d.erasable);
    assert_int_equal(d.sessions, 0x102);
    assert_int_equal(d.last_track_last_session, 4);
    assert_int_equal(d.disc_type, 0x20);
    assert_true(d.leadin_set && d.leadout_set);
    assert_int_equal(d.leadin.n, -11635);
    assert_int_equal(d.leadout.n, 359849);
    down();
    /* The drive's own length says that the times are not there. */
    up_reply("000a 0e 01 01 01 01 00 00 00 00 00 00000000 00611a41 004f3b4a");
    assert_int_equal(mmc_disc_information_read(drive, false, &d, NULL), 0);
    assert_false(d.leadin_set || d.leadout_set);
    assert_int_equal(d.disc_status, MMC_DISC_COMPLETE);
    down();
    up_reply("0020 0e 01 01 01 01 00 00 00 00 00 00000000 00ffffff 00ffffff 00");
    assert_int_equal(mmc_disc_information_read(drive, false, &d, NULL), 0);
    assert_false(d.leadin_set || d.leadout_set);
    down();
    up_reply("0020 0e 01 01 01 01 00 00 00 00");
    assert_int_equal(mmc_disc_information_read(drive, false, &d, NULL), -EPROTO);
    down();
    up_reply("0000 0e 01 01 01 01 00 00 00 00 00 00 00 00");
    assert_int_equal(mmc_disc_information_read(drive, false, &d, NULL), -EPROTO);
    down();
}

static void test_track_information(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "52 01 00000001 00 0024 00",
         .in = "0022 01 01 00 07 b2 00 00000000 00000000 00000000 00000020 00048160 00000000 00 00 0000"},
        {.cdb = "52 01 000000ff",
         .in = "001a 02 03 00 35 40 03 ffffff6a 00001234 00056789 00000000 00056789 00000100"},
        {.cdb = "52", .in = "0022 01 01 00 07 b2 00"},
        {0},
    };
    struct mmc_track t;

    (void)state;
    up(steps);
    assert_int_equal(mmc_track_information_read(drive, 1, &t), 0);
    assert_true(t.reserved && t.packet && t.fixed_packet && !t.blank && !t.nwa_valid &&
                !t.last_recorded_valid);
    assert_int_equal(t.track_mode, 7);
    assert_int_equal(t.data_mode, 2);
    assert_int_equal(t.packet_blocks, 32);
    assert_int_equal(t.size, 0x48160);
    assert_int_equal(mmc_track_information_read(drive, MMC_TRACK_NEXT, &t), 0);
    assert_true(t.blank && !t.packet && t.nwa_valid && t.damaged && t.copy);
    assert_false(t.last_recorded_valid); /* the drive says that it sent 28 bytes */
    assert_int_equal(t.start.n, -150);
    assert_int_equal(t.nwa.n, 0x1234);
    assert_int_equal(t.free_blocks, 0x56789);
    assert_int_equal(t.session, 3);
    assert_int_equal(mmc_track_information_read(drive, 1, &t), -EPROTO);
    assert_int_equal(t.size, 0);
    down();
}

static void test_toc(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "43 00 00 00 00 00 01 0324 00",
         .in = "001a 01 02 00 14 01 00 00000000 00 10 02 00 000003e8 00 14 aa 00 000007d0"},
        {.cdb = "43", .in = "ffff 01 63 00 14 01 00 00000000 00 14 64 00 00000001 00 14 00"},
        {.cdb = "43", .in = "0000 01 02 00 14 01 00 00000000"},
        {.cdb = "43", .in = "00"},
        {.cdb = "43 02 03 00 00 00 00 0200 00", .in = "0002 01 01"},
        {0},
    };
    uint8_t raw[512];
    struct mmc_toc toc;
    size_t len;

    (void)state;
    up(steps);
    assert_int_equal(mmc_toc_read(drive, &toc), 0);
    assert_int_equal(toc.count, 2);
    assert_int_equal(toc.tracks[1].start.n, 1000);
    assert_int_equal(toc.tracks[0].control, 4);
    assert_int_equal(toc.tracks[1].control, 0);
    assert_true(toc.leadout_set);
    assert_int_equal(toc.leadout.n, 2000);
    assert_int_equal(mmc_toc_read(drive, &toc), 0);
    assert_int_equal(toc.count, 1); /* track 100 and a cut entry do not exist */
    assert_false(toc.leadout_set);
    assert_int_equal(mmc_toc_read(drive, &toc), -EPROTO);
    assert_int_equal(mmc_toc_read(drive, &toc), -EPROTO);
    assert_int_equal(mmc_toc_read_raw(drive, 3, 0, raw, sizeof(raw), &len), 0);
    assert_int_equal(len, 4);
    assert_int_equal(mmc_toc_read_raw(drive, 3, 0, raw, 3, &len), -EINVAL);
    down();
}

static void test_atip(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "43 02 04 00 00 00 00 0020 00",
         .in = "001a 0000 d0 00 c9 00 61 1a 41 00 4f 3b 4a 00 00 00 00 00"},
        {.cdb = "43", .in = "001a 0000 d0 00 80 00 00 00 00 00 4f 3b 4a 00"},
        {.cdb = "43", .in = "001a 0000 ff ff ff ff ff ff ff ff ff ff ff ff"}, /* noise */
        {.cdb = "43", .in = "001a 0000 d0 00 c9 00 61 1a 41 00 00 00 00 00"},
        {.cdb = "43", .in = "001a 0000 d0 00 c9 00 61 1a 41"},
        {.cdb = "43", .sense = 0x052400},
        {0},
    };
    struct mmc_atip a;

    (void)state;
    up(steps);
    assert_int_equal(mmc_atip_read(drive, &a), 0);
    assert_true(a.rewritable);
    assert_int_equal(a.subtype, 1);
    assert_int_equal(a.leadin.n, -11635);
    assert_int_equal(a.leadout.n, 359849);
    assert_int_equal(mmc_atip_read(drive, &a), 0);
    assert_false(a.rewritable);
    assert_int_equal(a.leadin.n, -11400); /* 97:30:00, where discs have it when drives say nothing */
    for (int i = 0; i < 3; i++)
        assert_int_equal(mmc_atip_read(drive, &a), -EPROTO);
    assert_int_equal(mmc_atip_read(drive, &a), -EINVAL);
    down();
}

static void test_capacities(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "25 00 00000000 00 0000 00", .in = "0004815f 00000800"},
        {.cdb = "25", .in = "00000000 00000800"},
        {.cdb = "25", .in = "ffffffff 00000800"},
        {.cdb = "25", .in = "0004815f 0000"},
        {.cdb = "23 00 00000000 00 0104 00",
         .in = "000000 18 00057daa 01 000800 00057daa 00 000800 00048160 40 000020"},
        {.cdb = "23", .in = "000000 ff 00048160 02 000800 00048160 41 000020 0004"},
        {.cdb = "23", .in = "000000 18 0005"},
        {0},
    };
    struct mmc_format_capacities c;
    uint32_t blocks;

    (void)state;
    up(steps);
    assert_int_equal(mmc_capacity_read(drive, &blocks), 0);
    assert_int_equal(blocks, 0x48160);
    assert_int_equal(mmc_capacity_read(drive, &blocks), 0);
    assert_int_equal(blocks, 0);
    assert_int_equal(mmc_capacity_read(drive, &blocks), 0);
    assert_int_equal(blocks, 0);
    assert_int_equal(mmc_capacity_read(drive, &blocks), -EPROTO);
    assert_int_equal(mmc_format_capacities_read(drive, &c), 0);
    assert_int_equal(c.state, 1);
    assert_int_equal(c.blocks, 0x57DAA);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.formats[1].type, 0x10);
    assert_int_equal(c.formats[1].parameter, 32);
    assert_int_equal(mmc_format_capacity_packets(&c), 0x48160);
    assert_int_equal(mmc_format_capacities_read(drive, &c), 0);
    assert_int_equal(c.count, 1); /* subtype bits do not matter, and a list cut in an entry ends before it */
    assert_int_equal(mmc_format_capacity_packets(&c), 0x48160);
    assert_int_equal(mmc_format_capacities_read(drive, &c), -EPROTO);
    down();
}

static void test_absurd_format_capacity(void **state)
{
    struct mmc_format_capacities c;

    (void)state;
    up_reply("000000 20 00048160 02 000800 ffffffff 40 000020 00000000 40 000020 00048160 40 000010");
    assert_int_equal(mmc_format_capacities_read(drive, &c), 0);
    assert_int_equal(c.count, 3);
    assert_int_equal(mmc_format_capacity_packets(&c), 0);
    down();
}

static void test_speeds(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "ac 00 00000000 00 00 0020 03 00",
         .in = "00000024 00000000  00000000 00057daa 000010a8 000006e4  00000000 00057daa 000010a8 000002c1"},
        {.cdb = "ac", .in = "ffffffff 00000000  00000000 00057daa 000010a8 000006e4  00000000 0005"},
        {.cdb = "ac", .in = "00000001"},
        {0},
    };
    unsigned speeds[2], count;

    (void)state;
    up(steps);
    assert_int_equal(mmc_write_speeds_get(drive, speeds, 2, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(speeds[0], 1764);
    assert_int_equal(speeds[1], 705);
    assert_int_equal(mmc_write_speeds_get(drive, speeds, 2, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(mmc_write_speeds_get(drive, speeds, 2, &count), -EPROTO);
    down();
}

static void test_buffer(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "5c 00 00000000 00 000c 00", .in = "000a 00 00 00200000 00012345"},
        {.cdb = "5c", .in = "000a 00 00 00200000"},
        {0},
    };
    uint32_t total, available;

    (void)state;
    up(steps);
    assert_int_equal(mmc_buffer_capacity_read(drive, &total, &available), 0);
    assert_int_equal(total, 0x200000);
    assert_int_equal(available, 0x12345);
    assert_int_equal(mmc_buffer_capacity_read(drive, &total, &available), -EPROTO);
    assert_int_equal(total, 0);
    down();
}

static void test_request_sense(void **state)
{
    const struct fake_step steps[] = {
        {.cdb = "03 00 00 00 12 00", .in = "70 00 00 00000000 0a 00000000 04 04 00 80 40 00"},
        {.cdb = "03", .in = "70 00"},
        {0},
    };
    struct mmc_sense s;

    (void)state;
    up(steps);
    assert_int_equal(mmc_request_sense(drive, &s), 0);
    assert_true(s.progress_set);
    assert_int_equal(s.progress, 0x4000);
    assert_int_equal(mmc_request_sense(drive, &s), 0);
    assert_int_equal(s.key, 0);
    assert_false(s.progress_set);
    down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_bytes),
        cmocka_unit_test(test_format_bytes),
        cmocka_unit_test(test_mode_page_bytes),
        cmocka_unit_test(test_packet_forms),
        cmocka_unit_test(test_opc),
        cmocka_unit_test(test_inquiry),
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_mode_sense),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_disc_information),
        cmocka_unit_test(test_track_information),
        cmocka_unit_test(test_toc),
        cmocka_unit_test(test_atip),
        cmocka_unit_test(test_capacities),
        cmocka_unit_test(test_absurd_format_capacity),
        cmocka_unit_test(test_speeds),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_request_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
