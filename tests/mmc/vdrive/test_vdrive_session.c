/* SPDX-License-Identifier: MIT */
/* Session at once: cue sheets good and bad, gaps, indexes, numbers, CD-Text, sessions behind each other, and
 * cut ones. */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/sector.h"
#include "mmc/subchannel.h"

#define TOC       "43 00 00 00 00 00 00 03 24 00"
#define DISC_INFO "51 00 00 00 00 00 00 00 22 00"
#define FF_TRACK  "52 01 00 00 00 ff 00 00 24 00"

static uint32_t page_set(struct rig *rig, unsigned type, unsigned multi, uint8_t block_type)
{
    uint8_t list[60] = {0};

    list[8] = 0x05;
    list[9] = 0x32;
    list[10] = (uint8_t)(0x40 | type);
    list[11] = (uint8_t)(multi << 6);
    list[12] = block_type;
    list[23] = 150;
    return rig_send(rig, "55 10 00 00 00 00 00 00 3c 00", list, sizeof(list));
}

static uint32_t cue(struct rig *rig, const void *entries, size_t count)
{
    char cdb[64];

    snprintf(cdb, sizeof(cdb), "5d 00 00 00 00 00 %02x %02x %02x 00", 0, (unsigned)(count * 8 >> 8),
             (unsigned)(count * 8 & 255));
    return rig_send(rig, cdb, entries, count * 8);
}

static uint8_t pattern(int32_t lba, size_t at)
{
    return (uint8_t)(lba * 5 + (int)at * 3 + (int)(at >> 8));
}

/* Blocks of a size, each filled after its address. */
static uint32_t blocks(struct rig *rig, int32_t lba, uint32_t count, size_t bytes)
{
    uint8_t *data = malloc(count * bytes);
    uint32_t at = (uint32_t)lba, sense;
    char cdb[64];

    for (uint32_t i = 0; i < count; i++) {
        for (size_t b = 0; b < bytes; b++)
            data[i * bytes + b] = pattern(lba + (int32_t)i, b);
    }
    snprintf(cdb, sizeof(cdb), "2a 00 %02x %02x %02x %02x 00 %02x %02x 00", at >> 24, at >> 16 & 255,
             at >> 8 & 255, at & 255, count >> 8, count & 255);
    sense = rig_send(rig, cdb, data, count * bytes);
    free(data);
    return sense;
}

static uint32_t read_cd(struct rig *rig, int32_t lba, unsigned fields, unsigned sub)
{
    uint32_t at = (uint32_t)lba;
    char cdb[64];

    snprintf(cdb, sizeof(cdb), "be 00 %02x %02x %02x %02x 00 00 01 %02x %02x 00", at >> 24, at >> 16 & 255,
             at >> 8 & 255, at & 255, fields, sub);
    return rig_send(rig, cdb, NULL, 0);
}

static void check_audio(struct rig *rig, int32_t lba)
{
    assert_sense(read_cd(rig, lba, 0x10, 0), 0);
    assert_int_equal(rig->reply.in_len, 2352);
    for (size_t b = 0; b < 2352; b++)
        assert_int_equal(rig->in[b], pattern(lba, b));
}

static int32_t next_address(struct rig *rig)
{
    assert_sense(rig_send(rig, FF_TRACK, NULL, 0), 0);
    return (int32_t)mmc_be32_get(rig->in + 12);
}

/* Two audio tracks with numbers, a gap before the second and an index in it. */
static const uint8_t audio[][8] = {
    {0x02, '4', '0', '0', '6', '3', '8', '1'},
    {0x02, '3', '3', '3', '9', '3', '1', 0},
    {0x01, 0, 0, 0x01, 0, 0, 0, 0},
    {0x03, 1, 'D', 'E', 'A', '1', '2', '0'},
    {0x03, 1, '6', '0', '0', '0', '0', '1'},
    {0x01, 1, 0, 0, 0, 0, 0, 0},
    {0x01, 1, 1, 0, 0, 0, 2, 0},
    {0x21, 2, 0, 0, 0, 0, 10, 0},
    {0x21, 2, 1, 0, 0, 0, 12, 0},
    {0x21, 2, 2, 0, 0, 0, 18, 0},
    {0x01, 0xaa, 1, 1, 0, 0, 22, 0},
};

static void test_audio(void **state)
{
    struct rig *rig = *state;

    assert_sense(cue(rig, audio, 11), 0x52c00); /* page 05h first */
    assert_sense(page_set(rig, 2, 0, 0), 0);
    assert_int_equal(next_address(rig), -150);
    assert_sense(blocks(rig, -150, 10, 2352), 0x52c00); /* no cue sheet */
    assert_sense(cue(rig, audio, 11), 0);
    assert_sense(blocks(rig, 0, 10, 2352), 0x52102);
    assert_sense(blocks(rig, -150, 500, 2352), 0);
    assert_int_equal(next_address(rig), 350);
    assert_sense(cue(rig, audio, 11), 0x52c00);
    assert_sense(page_set(rig, 1, 0, 0), 0x52c00);
    assert_sense(blocks(rig, 349, 1, 2352), 0x52102);
    assert_sense(blocks(rig, 350, 1151, 2352), 0x56300);
    assert_sense(blocks(rig, 350, 1150, 2352), 0);
    assert_sense(rig_send(rig, "35 02 00 00 00 00 00 00 00 00", NULL, 0), 0);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0x20407);
    rig_wait_ready(rig);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 15, 0x0e);
    assert_sense(rig_send(rig, TOC, NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 4 + 3 * 8);
    assert_int_equal(mmc_be32_get(rig->in + 8), 0);
    assert_int_equal(rig->in[13], 0x12);
    assert_int_equal(mmc_be32_get(rig->in + 16), 750);
    assert_int_equal(mmc_be32_get(rig->in + 24), 1500);
    check_audio(rig, -150);
    check_audio(rig, 0);
    check_audio(rig, 1499);
    assert_sense(read_cd(rig, 1500, 0x10, 0), 0x80000);
    assert_sense(read_cd(rig, 700, 0, 2), 0); /* in the gap: counts down to 00:00:00 */
    assert_memory_equal(rig->in, "\x21\x02\x00\x00\x00\x49\x00\x00\x11\x25", 10);
    assert_sense(read_cd(rig, 1201, 0, 2), 0);
    assert_memory_equal(rig->in, "\x21\x02\x02\x00\x06\x01\x00\x00\x18\x01", 10);
    assert_sense(rig_send(rig, "42 00 40 02 00 00 00 00 18 00", NULL, 0), 0);
    assert_memory_equal(rig->in + 9, "4006381333931", 13);
    assert_sense(rig_send(rig, "42 00 40 03 00 00 01 00 18 00", NULL, 0), 0);
    assert_memory_equal(rig->in + 9, "DEA120600001", 12);
    assert_sense(rig_send(rig, "52 01 00 00 00 01 00 00 24 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 24), 600); /* up to the gap of the next */
    assert_int_equal(rig->in[6], 0x0f);
    /* All of it is on the disc. */
    rig_close(rig);
    rig_open(rig);
    assert_sense(rig_send(rig, TOC, NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 16), 750);
}

/* Data in every form of a cue sheet, one track each; what the host sends nothing for is zeros. */
static void test_forms(void **state)
{
    static const struct {
        uint8_t form;
        uint16_t bytes, user_in, user_at, user;
    } forms[] = {{0x10, 2048, 0, 16, 2048},  {0x11, 2352, 16, 16, 2048}, {0x20, 2336, 8, 24, 2048},
                 {0x21, 2352, 24, 24, 2048}, {0x30, 2336, 0, 16, 2336},  {0x31, 2352, 16, 16, 2336}};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const uint8_t sheet[][8] = {
            {0x41, 0, 0, 0x14, 0, 0, 0, 0},
            {0x41, 1, 0, (uint8_t)((forms[i].form & 0xf0) | 4), 0, 0, 0, 0},
            {0x41, 1, 1, forms[i].form, 0, 0, 2, 0},
            {0x41, 0xaa, 1, 0x14, 0, 0, 6, 0},
        };
        enum mmc_sector_form form;

        assert_sense(page_set(rig, 2, 0, 0), 0);
        assert_sense(cue(rig, sheet, 4), 0);
        assert_int_equal(next_address(rig), 0); /* the drive writes the pregap */
        assert_sense(blocks(rig, 0, 300, forms[i].bytes), 0);
        assert_sense(rig_sync(rig), 0);
        assert_sense(rig_send(rig, TOC, NULL, 0), 0);
        assert_int_equal(mmc_be32_get(rig->in + 16), 300);
        assert_sense(read_cd(rig, -3, 0xf8, 0), 0);
        assert_true(mmc_sector_check(rig->in, mmc_lba(-3), &form));
        /* The pattern's submode at this address says form 1 or form 2. */
        for (int32_t lba = 0; lba < 300; lba += 7) {
            assert_sense(read_cd(rig, lba, 0xf8, 0), 0);
            assert_int_equal(rig->reply.in_len, 2352);
            for (size_t b = 0; b < forms[i].user; b++)
                assert_int_equal(rig->in[forms[i].user_at + b], pattern(lba, forms[i].user_in + b));
            if (forms[i].form < 0x30)
                assert_true(mmc_sector_check(rig->in, mmc_lba(lba), &form));
        }
        if ((forms[i].form & 0x30) != 0x20)
            assert_sense(rig_read(rig, 3, 1, rig->in), (forms[i].form & 0x30) == 0x10 ? 0 : 0x56400);
        assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    }
}

/* CD-Text goes into the lead-in before the session, and READ TOC gathers it from there. */
static void test_text(void **state)
{
    struct rig *rig = *state;
    uint8_t sheet[11][8], packs[72] = {0}, *lead = malloc((size_t)341 * 96);

    for (unsigned i = 0; i < 4; i++) {
        uint8_t *pack = packs + 18 * i;
        uint16_t crc;

        pack[0] = (uint8_t)(i == 3 ? 0x8f : 0x80);
        pack[2] = (uint8_t)i;
        memcpy(pack + 4, "Titles here!", 12);
        crc = mmc_subchannel_crc(pack, 16);
        pack[16] = (uint8_t)(crc >> 8);
        pack[17] = (uint8_t)crc;
    }
    for (unsigned i = 0; i < 341; i++)
        mmc_packs_spread(lead + (size_t)96 * i, packs);
    memcpy(sheet, audio, sizeof(sheet));
    memcpy(sheet[2], "\x01\0\0\x41\0\x61\x1a\x41", 8);
    assert_sense(page_set(rig, 2, 0, 3), 0);
    for (unsigned msf = 0; msf < 2; msf++) { /* the lead-in with its time, or without */
        assert_sense(cue(rig, sheet, 11), 0);
        assert_int_equal(next_address(rig), -11635);
        memset(sheet[2] + 5, 0, 3);
    }
    for (int32_t lba = -11635; lba < -150;) {
        uint32_t at = (uint32_t)lba, count = -150 - lba < 341 ? (uint32_t)(-150 - lba) : 341;
        char cdb[64];

        snprintf(cdb, sizeof(cdb), "2a 00 %02x %02x %02x %02x 00 %02x %02x 00", at >> 24, at >> 16 & 255,
                 at >> 8 & 255, at & 255, count >> 8, count & 255);
        assert_sense(rig_send(rig, cdb, lead, (size_t)count * 96), 0);
        lba += (int32_t)count;
    }
    assert_sense(blocks(rig, -150, 1650, 2352), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, "43 00 05 00 00 00 00 04 00 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 4 + 72);
    assert_memory_equal(rig->in + 4, packs, 72);
    check_audio(rig, 100);
    free(lead);
}

/* A session whose lead-in says where the next goes; that one behind it, at once as well. */
static void test_sessions(void **state)
{
    struct rig *rig = *state;
    uint8_t sheet[4][8] = {{0x41, 0, 0, 0x14, 0, 0, 0, 0},
                           {0x41, 1, 0, 0x10, 0, 0, 0, 0},
                           {0x41, 1, 1, 0x10, 0, 0, 2, 0},
                           {0x41, 0xaa, 1, 0x14, 0, 0, 6, 0}};

    assert_sense(page_set(rig, 2, 3, 0), 0);
    assert_sense(cue(rig, sheet, 4), 0);
    assert_sense(blocks(rig, -150, 450, 2048), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 15, 0x01);
    assert_int_equal(next_address(rig), 300 + 11400 - 150);
    assert_sense(cue(rig, sheet, 4), 0x52600); /* not at the end of the first, nor track 2 */
    for (unsigned i = 1; i < 4; i++) {
        mmc_lba_t at = mmc_lba(11550 + (int)(i == 2 ? 150 : i == 3 ? 450 : 0));
        unsigned frames = (unsigned)at.n + 150;

        sheet[i][5] = (uint8_t)(frames / 4500);
        sheet[i][6] = (uint8_t)(frames / 75 % 60);
        sheet[i][7] = (uint8_t)(frames % 75);
        if (i < 3)
            sheet[i][1] = 2;
    }
    assert_sense(page_set(rig, 2, 0, 0), 0);
    assert_sense(cue(rig, sheet, 4), 0);
    assert_sense(blocks(rig, 11550, 450, 2048), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, TOC, NULL, 0), 0);
    assert_int_equal(rig->in[3], 2);
    assert_int_equal(mmc_be32_get(rig->in + 16), 11700);
    assert_int_equal(mmc_be32_get(rig->in + 24), 12000);
    assert_sense(rig_read(rig, 11700, 1, rig->in), 0);
    assert_int_equal(rig->in[9], pattern(11700, 9));
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 15, 0x0e);
    assert_int_equal(rig->in[4], 2);
}

/* Every entry wrong once. */
static void test_bad_sheets(void **state)
{
    static const struct {
        uint8_t entry, at, value;
    } wrong[] = {{0, 1, 'x'}, {2, 1, 1}, {2, 0, 0x05}, {3, 1, 0},    {4, 3, 'x'}, {5, 1, 2},
                 {5, 2, 1},   {5, 6, 1}, {6, 3, 0x10}, {6, 3, 0x80}, {6, 6, 0},   {6, 6, 9},
                 {7, 1, 3},   {8, 2, 2}, {8, 6, 9},    {10, 5, 80},  {10, 1, 3}};
    struct rig *rig = *state;
    uint8_t sheet[12][8];

    assert_sense(page_set(rig, 2, 0, 0), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memcpy(sheet, audio, sizeof(audio));
        sheet[wrong[i].entry][wrong[i].at] = wrong[i].value;
        assert_sense(cue(rig, sheet, 11), 0x52600);
        assert_sense(blocks(rig, -150, 1, 2352), 0x52c00);
    }
    assert_sense(cue(rig, audio, 10), 0x52600); /* no lead-out */
    memcpy(sheet[11], audio[10], 8);
    memcpy(sheet, audio, sizeof(audio));
    assert_sense(cue(rig, sheet, 12), 0x52600); /* two */
    assert_sense(rig_send(rig, "5d 00 00 00 00 00 00 00 58 00", sheet, 80), 0x51a00);
    assert_sense(rig_send(rig, "5d 00 00 00 00 00 00 00 57 00", sheet, 88), 0x52600);
}

/* A session that ends too early has no lead-out: there is no table of contents, and nothing can follow. */
static void test_cut(void **state)
{
    struct rig *rig = *state;

    for (unsigned power = 0; power < 2; power++) {
        assert_sense(page_set(rig, 2, 0, 0), 0);
        assert_sense(cue(rig, audio, 11), 0);
        assert_sense(blocks(rig, -150, 800, 2352), 0);
        if (power)
            rig_power_cut(rig);
        else
            assert_sense(rig_sync(rig), 0);
        assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
        assert_int_equal(rig->in[2] & 15, 0x05);
        assert_sense(rig_send(rig, TOC, NULL, 0), 0x52400);
        assert_sense(rig_send(rig, "52 01 00 00 00 02 00 00 24 00", NULL, 0), 0);
        assert_int_equal(rig->in[5] & 0x20, 0x20);
        assert_sense(page_set(rig, 2, 0, 0), 0);
        assert_sense(cue(rig, audio, 11), 0x52c00);
        assert_sense(rig_page5(rig, 1, 0, 8), 0);
        assert_sense(blocks(rig, 650, 1, 2048), 0x57203);
        assert_sense(rig_send(rig, "5b 00 01 00 00 ff 00 00 00 00", NULL, 0), 0x57203);
        assert_sense(rig_send(rig, "5b 00 02 00 00 00 00 00 00 00", NULL, 0), 0x57203);
        assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    }
}

/* A gap that the drive makes itself: the host goes on behind it, and cannot write across it. */
static void test_gap(void **state)
{
    struct rig *rig = *state;
    uint8_t sheet[11][8];

    memcpy(sheet, audio, sizeof(sheet));
    sheet[7][3] = 0x01;
    assert_sense(page_set(rig, 2, 0, 0), 0);
    assert_sense(cue(rig, sheet, 11), 0);
    assert_sense(blocks(rig, -150, 1650, 2352), 0x52102);
    assert_sense(blocks(rig, -150, 750, 2352), 0);
    assert_int_equal(next_address(rig), 750);
    assert_sense(blocks(rig, 750, 750, 2352), 0);
    assert_sense(rig_sync(rig), 0);
    check_audio(rig, 599);
    check_audio(rig, 750);
    assert_sense(read_cd(rig, 700, 0x10, 0), 0);
    assert_int_equal(rig->in[1000], 0);
}

/* The factory makes a pressed disc of it: the same to hear, and nothing can be written. */
static void test_pressed(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(vdrive_disc_press(rig->folder), -EBUSY);
    rig_close(rig);
    assert_int_equal(vdrive_disc_press(rig->folder), -EINVAL); /* blank */
    rig_open(rig);
    assert_sense(page_set(rig, 2, 3, 0), 0);
    assert_sense(cue(rig, audio, 11), 0);
    assert_sense(blocks(rig, -150, 1650, 2352), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_page5(rig, 1, 0, 8), 0);
    assert_sense(blocks(rig, 1500 + 11400, 300, 2048), 0); /* an enhanced CD */
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, "5b 00 02 00 00 00 00 00 00 00", NULL, 0), 0);
    rig_close(rig);
    assert_int_equal(vdrive_disc_press(rig->folder), 0);
    rig_open(rig);
    assert_sense(rig_send(rig, "46 02 00 00 00 00 00 00 08 00", NULL, 0), 0);
    assert_int_equal(mmc_be16_get(rig->in + 6), 0x0008);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2], 0x0e);
    assert_int_equal(rig->in[4], 2);
    assert_sense(rig_send(rig, TOC, NULL, 0), 0);
    assert_int_equal(rig->in[3], 3);
    assert_int_equal(mmc_be32_get(rig->in + 24), 12900);
    check_audio(rig, 777);
    assert_sense(rig_read(rig, 12900, 1, rig->in), 0);
    assert_int_equal(rig->in[9], pattern(12900, 9));
    assert_sense(rig_send(rig, "43 00 04 00 00 00 00 00 1c 00", NULL, 0), 0x52400);
    assert_sense(rig_send(rig, "43 00 03 00 00 00 00 00 1c 00", NULL, 0), 0x52400);
    assert_sense(blocks(rig, 0, 1, 2048), 0x53005);
    assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0x53005);
    assert_sense(rig_send(rig, "bd 00 00 00 00 00 00 00 00 08 00 00", NULL, 0), 0);
    assert_int_equal(rig->in[1] & 0x10, 0);
    assert_sense(rig_send(rig, "1b 00 00 00 02 00", NULL, 0), 0);
    assert_sense(rig_send(rig, "bd 00 00 00 00 00 00 00 00 08 00 00", NULL, 0), 0);
    assert_int_equal(rig->in[1] & 0x10, 0x10);
}

static void test_quirks(void **state)
{
    struct rig *rig = *state;

    rig_faults(rig, "quirk sao_nwa_zero\nquirk close_track_fails\nquirk zero_atip\n");
    assert_sense(page_set(rig, 2, 0, 0), 0);
    assert_int_equal(next_address(rig), 0);
    assert_sense(cue(rig, audio, 11), 0);
    assert_sense(blocks(rig, -150, 1650, 2352), 0);
    assert_sense(rig_sync(rig), 0);
    check_audio(rig, 0);
    assert_sense(rig_send(rig, "5b 00 01 00 00 01 00 00 00 00", NULL, 0), 0x52400);
    assert_sense(rig_send(rig, "43 00 04 00 00 00 00 00 1c 00", NULL, 0), 0);
    assert_memory_equal(rig->in + 8, "\0\0\0\0\x4f\x3b\x4a", 7);
}

/* A test of a session checks all and leaves nothing. */
static void test_dummy(void **state)
{
    struct rig *rig = *state;

    assert_sense(page_set(rig, 2 | 0x10, 0, 0), 0);
    assert_sense(cue(rig, audio, 11), 0);
    assert_sense(blocks(rig, -150, 1650, 2352), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
    assert_int_equal(rig->in[2] & 15, 0);
    assert_sense(read_cd(rig, 0, 0x10, 0), 0x80000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_audio, rig_setup_cd_r, rig_teardown),
        cmocka_unit_test_setup_teardown(test_forms, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_text, rig_setup_cd_r, rig_teardown),
        cmocka_unit_test_setup_teardown(test_sessions, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_bad_sheets, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_cut, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_gap, rig_setup_cd_r, rig_teardown),
        cmocka_unit_test_setup_teardown(test_pressed, rig_setup_cd_r, rig_teardown),
        cmocka_unit_test_setup_teardown(test_quirks, rig_setup_cd_r, rig_teardown),
        cmocka_unit_test_setup_teardown(test_dummy, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
