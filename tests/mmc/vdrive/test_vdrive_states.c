/* SPDX-License-Identifier: MIT */
/* The table of docs/drive.md: every state of a disc against the commands whose answer depends on it. */
#include "rig.h"

#include <stdlib.h>

#define SMALL 3200u

enum state {
    BLANK,
    OPEN_TRACK,
    APPENDABLE,
    COMPLETE,
    FORMATTED,
    BLANKING,
    FORMATTING,
    TRAY_OUT,
    READ_ONLY,
    R_BLANK,
    R_COMPLETE,
    STATES
};

static const char *const state_names[STATES] = {
    "blank",           "open track", "appendable", "complete",    "formatted",      "being blanked",
    "being formatted", "tray out",   "read-only",  "CD-R, blank", "CD-R, complete",
};

static void write_track(struct rig *rig, unsigned multi, bool end)
{
    uint8_t *data = calloc(300, 2048);

    assert_sense(rig_page5(rig, 1, multi, 8), 0);
    assert_sense(rig_write(rig, 0, 300, data), 0);
    if (end) {
        assert_sense(rig_sync(rig), 0);
        assert_sense(rig_send(rig, "5b 00 02 00 00 00 00 00 00 00", NULL, 0), 0);
    }
    free(data);
}

static void format_small(struct rig *rig, bool immed)
{
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, SMALL, immed), 0);
}

static struct rig *rig_in(enum state state)
{
    void *made = NULL;
    struct rig *rig;

    if (state == R_BLANK || state == R_COMPLETE)
        rig_setup_cd_r(&made);
    else
        rig_setup(&made);
    rig = made;
    if (state == OPEN_TRACK)
        write_track(rig, 3, false);
    if (state == APPENDABLE)
        write_track(rig, 3, true);
    if (state == COMPLETE || state == R_COMPLETE)
        write_track(rig, 0, true);
    if (state == FORMATTED || state == FORMATTING || state == READ_ONLY)
        format_small(rig, state == FORMATTING);
    if (state == BLANKING)
        assert_sense(rig_send(rig, "a1 11 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    if (state == TRAY_OUT)
        assert_sense(rig_send(rig, "1b 00 00 00 02 00", NULL, 0), 0);
    if (state == READ_ONLY) {
        rig_close(rig);
        rig->options.read_only = true;
        rig_open(rig);
    }
    return rig;
}

static uint32_t do_packet(struct rig *rig)
{
    uint8_t *data = calloc(32, 2048);
    uint32_t sense;

    rig_page5(rig, 0, 0, 10);
    sense = rig_write(rig, 0, 32, data);
    free(data);
    return sense;
}

/* One block to where the drive says that writing goes on, or to 0 when it does not say. */
static uint32_t do_track(struct rig *rig)
{
    uint8_t data[2048] = {0};
    int32_t at = 0;

    rig_page5(rig, 1, 0, 8);
    if (rig_send(rig, "52 01 00 00 00 ff 00 00 24 00", NULL, 0) == 0 && rig->in[7] & 1)
        at = (int32_t)((uint32_t)rig->in[13] << 16 | (uint32_t)rig->in[14] << 8 | rig->in[15]);
    return rig_write(rig, at, 1, data);
}

static uint32_t do_read(struct rig *rig)
{
    return rig_read(rig, 0, 1, rig->in);
}

static uint32_t do_format(struct rig *rig)
{
    rig_page5(rig, 0, 0, 10);
    return rig_format(rig, SMALL, true);
}

struct row {
    const char *name, *cdb;
    uint32_t (*run)(struct rig *rig);
    uint32_t want[STATES];
};

/* One column a state, in the order of the enum. */
static const struct row rows[] = {
    {"TEST UNIT READY", "00 00 00 00 00 00", NULL, {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02, 0, 0, 0}},
    {"INQUIRY", "12 00 00 00 24 00", NULL, {0}},
    {"MODE SENSE", "5a 08 05 00 00 00 00 00 3c 00", NULL, {0}},
    {"GET CONFIGURATION", "46 00 00 00 00 00 00 01 00 00", NULL, {0}},
    {"READ DISC INFORMATION",
     "51 00 00 00 00 00 00 00 22 00",
     NULL,
     {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02}},
    {"READ TRACK INFORMATION 1",
     "52 01 00 00 00 01 00 00 24 00",
     NULL,
     {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02}},
    {"READ TRACK INFORMATION FFh",
     "52 01 00 00 00 ff 00 00 24 00",
     NULL,
     {0, 0, 0, 0x52400, 0x52400, 0x20407, 0x20404, 0x23a02, 0x52400, 0, 0x52400}},
    {"READ TOC",
     "43 00 00 00 00 00 00 00 0c 00",
     NULL,
     {0x52400, 0x52400, 0, 0, 0, 0x20407, 0x20404, 0x23a02, 0, 0x52400, 0}},
    {"READ CAPACITY", "25 00 00 00 00 00 00 00 00 00", NULL, {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02}},
    {"READ FORMAT CAPACITIES", "23 00 00 00 00 00 00 00 fc 00", NULL, {0, 0, 0, 0, 0, 0x20407, 0x20404, 0}},
    {"READ BUFFER CAPACITY",
     "5c 00 00 00 00 00 00 00 0c 00",
     NULL,
     {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02}},
    {"READ", NULL, do_read, {0x80000, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02, 0, 0x80000, 0}},
    {"WRITE, packets",
     NULL,
     do_packet,
     {0x56400, 0x52102, 0x56400, 0x56400, 0, 0x20407, 0x20404, 0x23a02, 0x72700, 0x56400, 0x53005}},
    {"WRITE, track at once",
     NULL,
     do_track,
     {0, 0, 0, 0x56400, 0x56400, 0x20407, 0x20404, 0x23a02, 0x72700, 0, 0x53005}},
    {"SYNCHRONIZE CACHE", "35 00 00 00 00 00 00 00 00 00", NULL, {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02}},
    {"CLOSE TRACK",
     "5b 00 01 00 00 ff 00 00 00 00",
     NULL,
     {0, 0, 0, 0, 0x56400, 0x20407, 0x20404, 0x23a02, 0x72700, 0, 0}},
    {"CLOSE SESSION",
     "5b 00 02 00 00 00 00 00 00 00",
     NULL,
     {0, 0x57203, 0, 0, 0, 0x20407, 0x20404, 0x23a02, 0x72700, 0, 0}},
    {"SEND OPC INFORMATION",
     "54 01 00 00 00 00 00 00 00 00",
     NULL,
     {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02, 0x72700, 0, 0}},
    {"BLANK",
     "a1 11 00 00 00 00 00 00 00 00 00 00",
     NULL,
     {0, 0, 0, 0, 0, 0x20407, 0x20404, 0x23a02, 0x72700, 0x53005, 0x53005}},
    {"FORMAT UNIT",
     NULL,
     do_format,
     {0, 0x52c00, 0, 0, 0, 0x20407, 0x20404, 0x23a02, 0x72700, 0x53006, 0x53006}},
};

static void test_states(void **unused)
{
    unsigned wrong = 0;

    (void)unused;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        for (int s = 0; s < STATES; s++) {
            struct rig *rig = rig_in((enum state)s);
            void *made = rig;
            uint32_t got = rows[r].run ? rows[r].run(rig) : rig_send(rig, rows[r].cdb, NULL, 0);

            if (got != rows[r].want[s]) {
                print_error("%s, disc %s: %05x, should be %05x\n", rows[r].name, state_names[s], got,
                            rows[r].want[s]);
                wrong++;
            }
            rig_teardown(&made);
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
