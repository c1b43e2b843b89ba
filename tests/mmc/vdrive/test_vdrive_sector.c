/* SPDX-License-Identifier: MIT */
/* Tracks of every block type, and what READ CD, READ HEADER and READ SUB-CHANNEL tell of their sectors. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/sector.h"
#include "mmc/subchannel.h"

#define CLOSE_SESSION "5b 00 02 00 00 00 00 00 00 00"
#define CLOSE_TRACK   "5b 00 01 00 00 ff 00 00 00 00"
#define NEXT_TRACK    "52 01 00 00 00 ff 00 00 24 00"
#define MODE_SELECT   "55 10 00 00 00 00 00 00 3c 00"

/* Page 05h with more of its fields. */
struct page {
    uint8_t type, track_mode, block_type;
    const char *mcn, *isrc;
};

static uint32_t page_set(struct rig *rig, const struct page *p)
{
    uint8_t list[60] = {0}, *page = list + 8;

    page[0] = 0x05;
    page[1] = 0x32;
    page[2] = p->type;
    page[3] = (uint8_t)(0xc0 | p->track_mode);
    page[4] = p->block_type;
    page[15] = 150;
    if (p->mcn) {
        page[16] = 0x80;
        memcpy(page + 17, p->mcn, 13);
    }
    if (p->isrc) {
        page[32] = 0x80;
        memcpy(page + 33, p->isrc, 12);
    }
    memcpy(page + 48, "\1\2\x08\3", 4);
    return rig_send(rig, MODE_SELECT, list, sizeof(list));
}

static uint32_t next_address(struct rig *rig)
{
    assert_sense(rig_send(rig, NEXT_TRACK, NULL, 0), 0);
    assert_true(rig->in[7] & 1);
    return mmc_be32_get(rig->in + 12);
}

static uint8_t pattern(uint32_t seed, size_t at)
{
    return (uint8_t)(seed * 7 + at * 13 + (at >> 8));
}

static uint32_t blocks_write(struct rig *rig, uint32_t at, uint32_t blocks, size_t bytes, uint32_t seed)
{
    uint8_t *data = malloc(blocks * bytes);
    char cdb[64];
    uint32_t sense;

    for (size_t i = 0; i < blocks * bytes; i++)
        data[i] = pattern(seed, i);
    snprintf(cdb, sizeof(cdb), "2a 00 %02x %02x %02x %02x 00 %02x %02x 00", at >> 24, at >> 16 & 255,
             at >> 8 & 255, at & 255, blocks >> 8, blocks & 255);
    sense = rig_send(rig, cdb, data, blocks * bytes);
    free(data);
    return sense;
}

static uint32_t read_cd(struct rig *rig, int32_t lba, unsigned expected, unsigned fields, unsigned sub)
{
    uint32_t at = (uint32_t)lba;
    char cdb[64];

    snprintf(cdb, sizeof(cdb), "be %02x %02x %02x %02x %02x 00 00 01 %02x %02x 00", expected << 2, at >> 24,
             at >> 16 & 255, at >> 8 & 255, at & 255, fields, sub);
    return rig_send(rig, cdb, NULL, 0);
}

/* Each block type: the sector that it makes, and what of it can be asked for. */
static void test_block_types(void **state)
{
    static const struct {
        uint8_t block_type, track_mode, expected, mode;
        uint16_t bytes, user_at, user, from; /* from: where the user data begins in the block */
        enum mmc_sector_form form;
    } types[] = {
        {8, 4, 2, 1, 2048, 16, 2048, 0, MMC_SECTOR_MODE1},
        {9, 4, 3, 2, 2336, 16, 2336, 0, MMC_SECTOR_MODE2},
        {10, 4, 4, 2, 2048, 24, 2048, 0, MMC_SECTOR_FORM1},
        {11, 4, 4, 2, 2056, 24, 2048, 8, MMC_SECTOR_FORM1},
        {12, 4, 5, 2, 2324, 24, 2324, 0, MMC_SECTOR_FORM2},
        {0, 0, 1, 0, 2352, 0, 2352, 0, MMC_SECTOR_AUDIO},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const struct page page = {0x41, types[i].track_mode, types[i].block_type, NULL, NULL};
        uint32_t at = next_address(rig);
        enum mmc_sector_form form;

        assert_sense(page_set(rig, &page), 0);
        assert_sense(blocks_write(rig, at, 300, types[i].bytes, (uint32_t)i), 0);
        assert_sense(rig_sync(rig), 0);
        assert_int_equal(next_address(rig), at + 300 + 152);
        assert_sense(read_cd(rig, (int32_t)at + 5, 0, 0xf8, 0), 0);
        assert_int_equal(rig->reply.in_len, 2352);
        for (size_t b = 0; b < types[i].user; b++)
            assert_int_equal(rig->in[types[i].user_at + b],
                             pattern((uint32_t)i, 5u * types[i].bytes + types[i].from + b));
        if (types[i].mode) {
            assert_true(mmc_sector_check(rig->in, mmc_lba((int32_t)at + 5), &form));
            assert_int_equal(form, types[i].form);
        }
        if (types[i].block_type == 10)
            assert_memory_equal(rig->in + 16, "\1\2\x08\3\1\2\x08\3", 8);
        assert_sense(read_cd(rig, (int32_t)at, types[i].expected, 0x10, 0), 0);
        assert_int_equal(rig->reply.in_len, types[i].form == MMC_SECTOR_FORM2 ? 2328 : types[i].user);
        assert_sense(read_cd(rig, (int32_t)at, types[i].expected == 1 ? 2 : 1, 0x10, 0), 0x56400);
        assert_sense(rig_read(rig, (int32_t)at, 1, rig->in), types[i].user == 2048 ? 0 : 0x56400);
        assert_sense(rig_send(rig, "44 00 00 00 00 00 00 00 08 00", NULL, 0), 0);
        assert_int_equal(rig->in[0], 1);
    }
}

static void test_fields(void **state)
{
    const struct page page = {0x41, 4, 8, NULL, NULL};
    struct rig *rig = *state;
    uint8_t whole[2352];

    assert_sense(page_set(rig, &page), 0);
    assert_sense(blocks_write(rig, 0, 300, 2048, 1), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(read_cd(rig, 7, 0, 0xf8, 0), 0);
    memcpy(whole, rig->in, sizeof(whole));
    assert_sense(read_cd(rig, 7, 0, 0x20, 0), 0);
    assert_int_equal(rig->reply.in_len, 4);
    assert_memory_equal(rig->in, "\x00\x02\x07\x01", 4);
    assert_sense(read_cd(rig, 7, 0, 0xa0, 0), 0);
    assert_int_equal(rig->reply.in_len, 16);
    assert_sense(read_cd(rig, 7, 0, 0x18, 0), 0);
    assert_int_equal(rig->reply.in_len, 2336);
    assert_memory_equal(rig->in, whole + 16, 2336);
    assert_sense(read_cd(rig, 7, 0, 0x12, 0), 0); /* with C2 flags, none of them set */
    assert_int_equal(rig->reply.in_len, 2048 + 294);
    assert_sense(read_cd(rig, 7, 0, 0x14, 2), 0);
    assert_int_equal(rig->reply.in_len, 2048 + 296 + 16);
    assert_memory_equal(rig->in + 2048 + 296, "\x41\x01\x01\x00\x00\x07\x00\x00\x02\x07", 10);
    assert_sense(read_cd(rig, 7, 0, 0, 1), 0); /* the sub-channel alone */
    assert_int_equal(rig->reply.in_len, 96);
    mmc_subchannel_get(rig->in, 6, whole);
    assert_true(mmc_q_sound(whole));
    assert_sense(read_cd(rig, 7, 0, 0x90, 0), 0x52400);
    assert_sense(read_cd(rig, 7, 0, 0x16, 0), 0x52400);
    assert_sense(read_cd(rig, 7, 0, 0x10, 3), 0x52400);
    assert_sense(read_cd(rig, 7, 6, 0x10, 0), 0x52400);
    assert_sense(read_cd(rig, 300, 0, 0x10, 0), 0x56400); /* run-out */
    assert_sense(read_cd(rig, -10, 0, 0x10, 0), 0x56400); /* a data pregap */
    assert_sense(read_cd(rig, 1000, 0, 0x10, 0), 0x80000);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 1000);
    assert_sense(read_cd(rig, 360000, 0, 0x10, 0), 0x52100);
    /* By time, the end not read. */
    assert_sense(rig_send(rig, "b9 00 00 00 02 00 00 02 03 10 00 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 3 * 2048);
    assert_sense(rig_send(rig, "44 02 00 00 00 07 00 00 08 00", NULL, 0), 0);
    assert_memory_equal(rig->in, "\1\0\0\0\0\0\2\7", 8);
}

/* An audio disc: silence in the pregap, times that count down to the track and up in it, and the numbers. */
static void test_audio(void **state)
{
    struct page page = {0x41, 0, 0, "4006381333931", "DEA120600001"};
    struct rig *rig = *state;

    assert_sense(page_set(rig, &page), 0);
    assert_sense(blocks_write(rig, 0, 320, 2352, 1), 0);
    assert_sense(rig_sync(rig), 0);
    page.isrc = NULL;
    page.track_mode = 1;
    assert_sense(page_set(rig, &page), 0);
    assert_sense(blocks_write(rig, 472, 300, 2352, 2), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->in[5], 0x10);
    assert_int_equal(rig->in[13], 0x11); /* pre-emphasis */
    assert_sense(read_cd(rig, -1, 1, 0xf8, 2), 0);
    assert_int_equal(rig->reply.in_len, 2352 + 16);
    assert_int_equal(rig->in[100], 0);
    assert_memory_equal(rig->in + 2352, "\x01\x01\x00\x00\x00\x00\x00\x00\x01\x74", 10);
    assert_int_equal(rig->in[2352 + 15], 0x80); /* P, in a pause */
    assert_sense(read_cd(rig, -150, 1, 0x10, 2), 0);
    assert_memory_equal(rig->in + 2352, "\x01\x01\x00\x00\x01\x74\x00\x00\x00\x00", 10);
    assert_sense(read_cd(rig, 475, 1, 0x10, 2), 0);
    assert_memory_equal(rig->in + 2352, "\x11\x02\x01\x00\x00\x03\x00\x00\x08\x25", 10);
    assert_int_equal(rig->in[2352 + 15], 0);
    assert_sense(rig_send(rig, "42 02 40 01 00 00 00 00 10 00", NULL, 0), 0);
    assert_memory_equal(rig->in, "\x00\x15\x00\x0c\x01\x11\x02\x01\x00\x00\x08\x19\x00\x00\x00\x03", 16);
    assert_sense(rig_send(rig, "42 00 40 01 00 00 00 00 10 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 8), 475);
    assert_int_equal(mmc_be32_get(rig->in + 12), 3);
    assert_sense(rig_send(rig, "42 00 40 02 00 00 00 00 18 00", NULL, 0), 0);
    assert_int_equal(rig->in[8], 0x80);
    assert_memory_equal(rig->in + 9, "4006381333931", 13);
    assert_sense(rig_send(rig, "42 00 40 03 00 00 01 00 18 00", NULL, 0), 0);
    assert_int_equal(rig->in[8], 0x80);
    assert_memory_equal(rig->in + 9, "DEA120600001", 12);
    assert_sense(rig_send(rig, "42 00 40 03 00 00 02 00 18 00", NULL, 0), 0);
    assert_int_equal(rig->in[8], 0);
    assert_sense(rig_send(rig, "42 00 40 03 00 00 03 00 18 00", NULL, 0), 0x52400);
    assert_sense(rig_send(rig, "42 00 00 00 00 00 00 00 18 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 4);
}

/* Packets of any length: seven addresses between them, and the track stays open until it is closed. */
static void test_variable_packets(void **state)
{
    const struct page page = {0x40, 5, 8, NULL, NULL};
    struct rig *rig = *state;

    assert_sense(page_set(rig, &page), 0);
    assert_sense(blocks_write(rig, 0, 100, 2048, 1), 0);
    assert_sense(blocks_write(rig, 100, 31, 2048, 2), 0); /* the stream goes on: the same packet */
    assert_int_equal(next_address(rig), 131);
    assert_sense(rig_sync(rig), 0);
    assert_int_equal(next_address(rig), 138);
    assert_int_equal(rig->in[6] & 0x30, 0x20); /* variable packets */
    assert_sense(blocks_write(rig, 131, 10, 2048, 3), 0x52102);
    assert_sense(blocks_write(rig, 138, 10, 2048, 3), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0x57203);
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_read(rig, 138, 10, rig->in), 0);
    assert_int_equal(rig->in[0], pattern(3, 0));
    for (int32_t gap = 131; gap < 138; gap++)
        assert_sense(rig_read(rig, gap, 1, rig->in), 0x56400);
    /* The power goes between two packets: nothing is lost, and the track goes on. */
    rig_power_cut(rig);
    assert_int_equal(next_address(rig), 155);
    assert_sense(page_set(rig, &page), 0);
    assert_sense(blocks_write(rig, 155, 10, 2048, 4), 0);
    assert_sense(rig_send(rig, CLOSE_TRACK, NULL, 0), 0);
    assert_int_equal(next_address(rig), 167 + 150);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 16), 167);
    assert_sense(rig_send(rig, "52 01 00 00 00 01 00 00 24 00", NULL, 0), 0);
    assert_int_equal(rig->in[6], 0x21);
}

/* Without protection the laser cannot stop: a packet ends where the buffer ran dry, a track is spoilt there.
 */
static void test_underrun(void **state)
{
    const struct page packets = {0x00, 5, 8, NULL, NULL}, track = {0x01, 4, 8, NULL, NULL},
                      protected = {0x41, 4, 8, NULL, NULL};
    struct rig *rig = *state;

    assert_sense(page_set(rig, &packets), 0);
    assert_sense(blocks_write(rig, 0, 100, 2048, 1), 0);
    vdrive_wait(rig->drive, 60000000);
    assert_sense(blocks_write(rig, 100, 10, 2048, 1), 0x52102);
    assert_sense(blocks_write(rig, 107, 10, 2048, 1), 0);
    assert_sense(rig_send(rig, CLOSE_TRACK, NULL, 0), 0);
    assert_sense(page_set(rig, &protected), 0);
    assert_sense(blocks_write(rig, 269, 100, 2048, 1), 0);
    vdrive_wait(rig->drive, 60000000);
    assert_sense(blocks_write(rig, 369, 300, 2048, 1), 0);
    assert_sense(rig_sync(rig), 0);
    assert_sense(page_set(rig, &track), 0);
    assert_sense(blocks_write(rig, 821, 100, 2048, 1), 0);
    vdrive_wait(rig->drive, 60000000);
    assert_sense(blocks_write(rig, 921, 100, 2048, 1), 0);
    assert_sense(rig_sync(rig), 0x30c09);
    assert_sense(blocks_write(rig, 1021, 10, 2048, 1), 0x57203);
}

/* A test write goes through everything and leaves nothing. */
static void test_test_write(void **state)
{
    const struct page page = {0x51, 4, 8, NULL, NULL};
    struct rig *rig = *state;

    assert_sense(page_set(rig, &page), 0);
    assert_sense(blocks_write(rig, 0, 400, 2048, 1), 0);
    assert_int_equal(next_address(rig), 400);
    assert_sense(blocks_write(rig, 399, 1, 2048, 1), 0x52102);
    assert_sense(blocks_write(rig, 400, 100, 2048, 1), 0);
    assert_sense(rig_sync(rig), 0);
    assert_int_equal(next_address(rig), 0);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    assert_sense(rig_send(rig, "51 00 00 00 00 00 00 00 22 00", NULL, 0), 0);
    assert_int_equal(rig->in[2] & 0x0f, 0);
    assert_sense(rig_read(rig, 0, 1, rig->in), 0x80000);
}

/* What each multi-session value leaves in the lead-in: nothing, that no session follows, or where one does.
 */
static void test_multi_session_values(void **state)
{
    static const struct {
        unsigned value, frames, state;
    } values[] = {{0, 4, 0x0e}, {1, 6, 0x0e}, {3, 6, 0x01}};
    struct rig *rig = *state;

    for (size_t i = 0; i < 3; i++) {
        assert_sense(rig_page5(rig, 1, values[i].value, 8), 0);
        assert_sense(blocks_write(rig, 0, 300, 2048, 1), 0);
        assert_sense(rig_sync(rig), 0);
        assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
        assert_sense(rig_send(rig, "43 02 02 00 00 00 00 01 00 00", NULL, 0), 0);
        assert_int_equal(rig->reply.in_len, 4 + 11 * values[i].frames);
        if (values[i].value == 1)
            assert_memory_equal(rig->in + 4 + 44, "\x01\x54\x00\xb0\xff\xff\xff", 7);
        assert_sense(rig_send(rig, "51 00 00 00 00 00 00 00 22 00", NULL, 0), 0);
        assert_int_equal(rig->in[2] & 0x0f, values[i].state);
        assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    }
}

static void test_99_tracks(void **state)
{
    struct rig *rig = *state;

    assert_sense(rig_page5(rig, 1, 0, 8), 0);
    for (unsigned t = 0; t < 99; t++) {
        assert_sense(blocks_write(rig, next_address(rig), 1, 2048, t), 0);
        assert_sense(rig_sync(rig), 0);
    }
    assert_sense(rig_send(rig, NEXT_TRACK, NULL, 0), 0x52400);
    assert_sense(blocks_write(rig, 99 * 452, 1, 2048, 0), 0x56400);
    assert_sense(rig_send(rig, CLOSE_SESSION, NULL, 0), 0);
    assert_sense(rig_send(rig, "43 00 00 00 00 00 00 03 24 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 804);
    assert_int_equal(mmc_be32_get(rig->in + 8 + 8 * 98), 98 * 452);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_block_types, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_fields, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_audio, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_variable_packets, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_underrun, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_test_write, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_multi_session_values, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_99_tracks, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
