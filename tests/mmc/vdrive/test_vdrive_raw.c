/* SPDX-License-Identifier: MIT */
/* Raw writing with each kind of sub-channel: the disc is what its Q frames say, as long as they can be read.
 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/sector.h"
#include "mmc/subchannel.h"

#define TOC       "43 00 00 00 00 00 00 03 24 00"
#define DISC_INFO "51 00 00 00 00 00 00 00 22 00"
#define LEADIN    150
#define PROGRAM   600
#define LEADOUT   200

static uint8_t bcd(unsigned n)
{
    return (uint8_t)(n / 10 << 4 | n % 10);
}

static void msf_put(uint8_t *to, int32_t lba)
{
    unsigned frames = (unsigned)(lba + 150);

    to[0] = bcd(frames / 4500);
    to[1] = bcd(frames / 75 % 60);
    to[2] = bcd(frames % 75);
}

/* Track 1 data, track 2 audio from LBA 300 on, and the lead-out at 600. */
static void q_make(int32_t lba, uint8_t q[12])
{
    static const uint8_t points[] = {0xa0, 0xa1, 0xa2, 1, 2};
    static const uint8_t controls[] = {4, 0, 0, 4, 0};

    memset(q, 0, 12);
    if (lba < -150) {
        unsigned i = (unsigned)(lba + 150 + LEADIN) / 3 % 5;

        q[0] = (uint8_t)(controls[i] << 4 | 1);
        q[2] = points[i];
        msf_put(q + 3, lba + 150 + LEADIN);
        if (i < 2)
            q[7] = (uint8_t)(i + 1);
        else
            msf_put(q + 7, i == 2 ? PROGRAM : i == 3 ? 0 : 300);
    } else {
        q[0] = lba < 300 ? 0x41 : 0x01;
        q[1] = lba >= PROGRAM ? 0xaa : lba < 300 ? 1 : 2;
        q[2] = lba < 0 ? 0 : 1;
        msf_put(q + 3, (lba < 0 ? -1 - lba : lba < 300 ? lba : lba - 300) - 150);
        msf_put(q + 7, lba);
    }
    mmc_q_seal(q);
}

static void main_make(int32_t lba, uint8_t *block)
{
    uint8_t data[2352];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(lba * 3 + (int)i * 11);
    if (lba >= 300) {
        memcpy(block, data, 2352);
        return;
    }
    mmc_sector_compose(block, MMC_SECTOR_MODE1, mmc_lba(lba), NULL, data);
    mmc_sector_scramble(block);
}

static uint32_t page_set(struct rig *rig, uint8_t type, uint8_t block_type)
{
    uint8_t list[60] = {0};

    list[8] = 0x05;
    list[9] = 0x32;
    list[10] = (uint8_t)(0x40 | type);
    list[12] = block_type;
    list[23] = 150;
    return rig_send(rig, "55 10 00 00 00 00 00 00 3c 00", list, sizeof(list));
}

/* What the test spoils on the way. */
struct damage {
    bool toc;       /* every Q frame of the lead-in */
    int32_t sector; /* a byte of this data sector; 0: none */
    int32_t until;  /* the host goes away here; 0: at the end */
};

static void burn(struct rig *rig, uint8_t block_type, struct damage damage)
{
    size_t sub = block_type == 1 ? 16 : 96, bytes = 2352 + sub;
    int32_t end = damage.until ? damage.until : PROGRAM + LEADOUT;
    uint8_t *block = malloc(bytes * 25), q[12];
    char cdb[64];

    for (int32_t lba = -150 - LEADIN; lba < end; lba += 25) {
        uint32_t at = (uint32_t)lba;

        memset(block, 0, bytes * 25);
        for (int32_t i = 0; i < 25; i++) {
            uint8_t *to = block + (size_t)i * bytes;

            q_make(lba + i, q);
            if (damage.toc && lba + i < -150)
                q[11] ^= 1;
            if (lba + i >= -150)
                main_make(lba + i, to);
            if (damage.sector && lba + i == damage.sector)
                to[500] ^= 1;
            if (sub == 16)
                memcpy(to + 2352, q, 12);
            else
                mmc_subchannel_put(to + 2352, 6, q);
            if (sub == 96 && lba + i >= -150)
                to[2352 + 50] |= 0x15; /* something in R to W */
        }
        snprintf(cdb, sizeof(cdb), "2a 00 %02x %02x %02x %02x 00 00 19 00", at >> 24, at >> 16 & 255,
                 at >> 8 & 255, at & 255);
        assert_sense(rig_send(rig, cdb, block, bytes * 25), 0);
    }
    free(block);
}

static uint32_t read_cd(struct rig *rig, int32_t lba, unsigned fields, unsigned sub)
{
    uint32_t at = (uint32_t)lba;
    char cdb[64];

    snprintf(cdb, sizeof(cdb), "be 00 %02x %02x %02x %02x 00 00 01 %02x %02x 00", at >> 24, at >> 16 & 255,
             at >> 8 & 255, at & 255, fields, sub);
    return rig_send(rig, cdb, NULL, 0);
}

static void test_kinds(void **state)
{
    struct rig *rig = *state;
    uint8_t block[2352], q[12];

    for (uint8_t kind = 1; kind <= 3; kind++) {
        assert_sense(page_set(rig, 3, kind), 0);
        assert_sense(rig_send(rig, "52 01 00 00 00 ff 00 00 24 00", NULL, 0), 0);
        assert_int_equal((int32_t)mmc_be32_get(rig->in + 12), -11635);
        burn(rig, kind, (struct damage){0});
        assert_sense(rig_sync(rig), 0);
        rig_close(rig);
        rig_open(rig);
        assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
        assert_int_equal(rig->in[2] & 15, 0x0e);
        assert_sense(rig_send(rig, TOC, NULL, 0), 0);
        assert_int_equal(rig->in[3], 2);
        assert_int_equal(rig->in[5], 0x14);
        assert_int_equal(mmc_be32_get(rig->in + 8), 0);
        assert_int_equal(rig->in[13], 0x10);
        assert_int_equal(mmc_be32_get(rig->in + 16), 300);
        assert_int_equal(mmc_be32_get(rig->in + 24), PROGRAM);
        assert_sense(rig_read(rig, 17, 1, rig->in), 0); /* descrambled */
        for (size_t i = 0; i < 2048; i++)
            assert_int_equal(rig->in[i], (uint8_t)(17 * 3 + (int)i * 11));
        assert_sense(rig_read(rig, 300, 1, rig->in), 0x56400);
        main_make(17, block);
        mmc_sector_scramble(block);
        assert_sense(read_cd(rig, 17, 0xf8, 2), 0);
        assert_memory_equal(rig->in, block, 2352);
        q_make(17, q);
        assert_memory_equal(rig->in + 2352, q, 12);
        main_make(444, block);
        assert_sense(read_cd(rig, 444, 0xf8, 1), 0);
        assert_memory_equal(rig->in, block, 2352);
        q_make(444, block);
        mmc_subchannel_get(rig->in + 2352, 6, q);
        assert_memory_equal(q, block, 12);
        assert_int_equal(rig->in[2352 + 50] & 0x3f, kind == 1 ? 0 : 0x15);
        assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    }
}

/* One wrong bit: such a sector cannot be read as data, but whole it can. */
static void test_bad_sector(void **state)
{
    struct rig *rig = *state;
    uint8_t block[2352];

    assert_sense(page_set(rig, 3, 3), 0);
    burn(rig, 3, (struct damage){.sector = 40});
    assert_sense(rig_sync(rig), 0);
    assert_sense(rig_read(rig, 38, 4, rig->in), 0x31105);
    assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 40);
    assert_int_equal(rig->reply.in_len, 2 * 2048);
    assert_sense(read_cd(rig, 40, 0x10, 0), 0x31105);
    assert_sense(read_cd(rig, 40, 0xf8, 0), 0);
    main_make(40, block);
    block[500] ^= 1;
    mmc_sector_scramble(block);
    assert_memory_equal(rig->in, block, 2352);
}

/* No frame of the lead-in can be read, or the lead-out is missing: there is no table of contents. */
static void test_no_toc(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < 2; i++) {
        assert_sense(page_set(rig, 3, 3), 0);
        burn(rig, 3, i ? (struct damage){.until = 400} : (struct damage){.toc = true});
        assert_sense(rig_sync(rig), 0);
        assert_sense(rig_send(rig, TOC, NULL, 0), 0x52400);
        assert_sense(rig_send(rig, DISC_INFO, NULL, 0), 0);
        assert_int_equal(rig->in[2] & 15, 0x05);
        rig_close(rig);
        rig_open(rig);
        assert_sense(rig_send(rig, TOC, NULL, 0), 0x52400);
        assert_sense(rig_send(rig, "a1 01 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    }
}

static void test_refusals(void **state)
{
    struct rig *rig = *state;
    uint8_t block[2448] = {0};

    assert_sense(page_set(rig, 0x13, 3), 0x52600); /* no test write */
    assert_sense(page_set(rig, 3, 0), 0x52600);
    assert_sense(page_set(rig, 3, 3), 0);
    assert_sense(rig_send(rig, "2a 00 ff ff ff 6a 00 00 01 00", block, 2448), 0x52102); /* no lead-in */
    assert_sense(rig_send(rig, "2a 00 ff ff d2 8d 00 00 01 00", block, 2447), 0x51a00);
    assert_sense(rig_send(rig, "2a 00 ff ff d2 8d 00 00 01 00", block, 2448), 0);
    assert_sense(rig_send(rig, "2a 00 ff ff d2 8d 00 00 01 00", block, 2448), 0x52102);
    assert_sense(rig_page5(rig, 1, 0, 8), 0x52c00);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kinds, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_bad_sector, rig_setup_cd_r, rig_teardown),
        cmocka_unit_test_setup_teardown(test_no_toc, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_refusals, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
