/* SPDX-License-Identifier: MIT */
/* The drive around the disc: start-up, mode pages, tray and lock, read-only discs, damaged folders, log. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "mmc/bytes.h"

#define READY       "00 00 00 00 00 00"
#define MODE_SELECT "55 10 00 00 00 00 00 00 3c 00"
#define MODE_SENSE5 "5a 08 05 00 00 00 00 00 3c 00"

static void test_start(void **state)
{
    struct rig *rig = *state;

    rig_close(rig);
    assert_int_equal(vdrive_open(rig->folder, NULL, NULL, &rig->drive), 0);
    assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0),
                 0); /* runs, and leaves the attention for others */
    assert_sense(rig_send(rig, READY, NULL, 0), 0x62900);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x20401);
    vdrive_wait(rig->drive, 3000000);
    assert_sense(rig_send(rig, READY, NULL, 0), 0);
    assert_sense(rig_send(rig, "01 00 00 00 00 00", NULL, 0), 0x52000);
    assert_sense(rig_send(rig, "28 00 00 00", NULL, 0), 0x52400); /* half a CDB */
    assert_sense(rig_send(rig, "12 01 80 00 24 00", NULL, 0), 0x52400);
}

/* What a disc of each kind of state makes current. */
static void test_features(void **state)
{
    struct rig *rig = *state;

    assert_sense(rig_send(rig, "46 02 00 2d 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->in[10] & 1, 1);
    assert_sense(rig_send(rig, "46 02 00 26 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->in[10] & 1, 0);
    rig_formatted(rig);
    assert_sense(rig_send(rig, "46 02 00 2d 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->in[10] & 1, 0);
    assert_sense(rig_send(rig, "46 02 00 26 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->in[10] & 1, 1);
    assert_sense(rig_send(rig, "46 02 00 20 00 00 00 00 40 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 8); /* random writable is never offered for a CD-RW */
    assert_sense(rig_send(rig, "46 01 00 00 00 00 00 00 04 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 4); /* as short as asked */
    assert_sense(rig_send(rig, "ac 00 00 00 00 00 00 00 00 04 03 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 20), 1764);
    assert_sense(rig_send(rig, "4a 01 00 00 10 00 00 00 08 00", NULL, 0), 0);
    assert_int_equal(rig->in[5], 0x02);
}

static void test_mode_pages(void **state)
{
    static const uint8_t codes[] = {0x01, 0x05, 0x08, 0x0d, 0x0e, 0x1a, 0x1d, 0x2a};
    struct rig *rig = *state;
    char cdb[64];

    for (size_t i = 0; i < sizeof(codes); i++) {
        for (unsigned control = 0; control < 4; control++) {
            snprintf(cdb, sizeof(cdb), "5a 08 %02x 00 00 00 00 00 ff 00", control << 6 | codes[i]);
            assert_sense(rig_send(rig, cdb, NULL, 0), control == 3 ? 0x53900 : 0);
            if (control == 3)
                continue;
            assert_int_equal(mmc_be16_get(rig->in) + 2, rig->reply.in_len);
            assert_int_equal(rig->in[8] & 0x3f, codes[i]);
            assert_int_equal(rig->in[9] + 10u, rig->reply.in_len);
        }
    }
    assert_sense(rig_send(rig, "5a 08 30 00 00 00 00 00 ff 00", NULL, 0), 0x52400);
    assert_sense(rig_send(rig, "5a 08 3f 00 00 00 00 01 ff 00", NULL, 0), 0);
    assert_int_equal(rig->reply.in_len, 8 + 12 + 52 + 12 + 8 + 16 + 12 + 12 + 48);
    assert_sense(rig_send(rig, "1a 08 2a 00 ff 00", NULL, 0), 0);
    assert_int_equal(mmc_be16_get(rig->in + 4 + 12), 2048); /* buffer, KiB */
    assert_int_equal(mmc_be16_get(rig->in + 4 + 20), 1764);
}

/* Each field of page 05h that can be wrong, wrong once: 5/26/00, and the page as it was. */
static void test_page5(void **state)
{
    static const struct {
        uint8_t at, value;
    } wrong[] = {
        {8 + 2, 0x42}, /* session at once */
        {8 + 2, 0x43}, /* raw */
        {8 + 2, 0x60}, /* a link size, and none given */
        {8 + 3, 0xa5}, /* reserved multi-session value */
        {8 + 3, 0x20}, /* packets of audio */
        {8 + 4, 0x00}, /* raw blocks */
        {8 + 4, 0x0d}, /* mixed forms */
        {8 + 8, 0x30}, /* no such session format */
        {8 + 13, 16},  /* packets of 16 */
        {8 + 10, 1},   /* packets of many */
        {9, 0x36},     /* page length */
        {8, 0x06},     /* no such page */
    };
    struct rig *rig = *state;
    uint8_t list[60], before[60];

    assert_sense(rig_page5(rig, 0, 3, 10), 0);
    assert_sense(rig_send(rig, MODE_SENSE5, NULL, 0), 0);
    memcpy(before, rig->in, sizeof(before));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memcpy(list, before, sizeof(list));
        list[wrong[i].at] = wrong[i].value;
        assert_sense(rig_send(rig, MODE_SELECT, list, sizeof(list)), wrong[i].at == 9 ? 0x51a00 : 0x52600);
        assert_sense(rig_send(rig, MODE_SENSE5, NULL, 0), 0);
        assert_memory_equal(rig->in, before, sizeof(before));
    }
    memcpy(list, before, sizeof(list));
    assert_sense(rig_send(rig, MODE_SELECT, list, 59), 0x51a00);
    assert_sense(rig_send(rig, "55 11 00 00 00 00 00 00 3c 00", list, sizeof(list)),
                 0x52400); /* cannot be saved */
    /* What programs send beside it: only a block descriptor, or a copied medium type. */
    memset(list, 0, sizeof(list));
    list[7] = 8;
    list[14] = 8;
    assert_sense(rig_send(rig, "55 10 00 00 00 00 00 00 10 00", list, 16), 0);
    memcpy(list, before, sizeof(list));
    list[2] = 0x21;
    assert_sense(rig_send(rig, MODE_SELECT, list, sizeof(list)), 0);
}

static void test_format_lists(void **state)
{
    static const struct {
        uint8_t list[16];
        size_t len;
        uint32_t sense;
    } lists[] = {
        {{0, 0x82, 0, 8, 0, 0, 0x0c, 0x80, 0x40, 0, 0}, 11, 0x51a00},
        {{0, 0x82, 0, 8, 0, 4, 0x81, 0x80, 0x40, 0, 0, 32}, 12, 0x52600}, /* a packet too many */
        {{0, 0x82, 0, 8, 0, 0, 0x0c, 0x81, 0x40, 0, 0, 32}, 12, 0x52600}, /* part of a packet */
        {{0, 0x82, 0, 8, 0, 0, 0, 0, 0x40, 0, 0, 32}, 12, 0x52600},
        {{0, 0x82, 0, 8, 0, 0, 0x0c, 0x80, 0x40, 0, 0, 16}, 12, 0x52600},
        {{0, 0x82, 0, 8, 0, 0, 0x0c, 0x80, 0x48, 0, 0, 32}, 12, 0x52600}, /* add a session */
        {{0, 0x82, 0, 8, 0, 0, 0x0c, 0x80, 0x98, 0, 0, 32}, 12, 0x52600}, /* DVD+RW */
        {{0, 0x8a, 0, 8, 0, 0, 0x0c, 0x80, 0x40, 0, 0, 32}, 12, 0x52600}, /* with a pattern */
        {{0, 0x82, 0, 16, 0, 0, 0x0c, 0x80, 0x40, 0, 0, 32}, 12, 0x52600},
        {{0, 0x80, 0, 8, 0, 0, 0x0c, 0x80, 0x00, 0, 8, 0}, 12, 0},     /* type 00h */
        {{0, 0x80, 0, 8, 0, 0, 0x0c, 0x80, 0x41, 0, 0, 32}, 12, 0},    /* with a subtype */
        {{0, 0x00, 0, 8, 0, 0, 0x0c, 0x80, 0x40, 0, 0, 32, 0}, 16, 0}, /* a longer list, FOV 0 */
    };
    struct rig *rig = *state;

    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        assert_sense(rig_send(rig, "04 11 00 00 00 00", lists[i].list, lists[i].len), lists[i].sense);
    assert_sense(rig_send(rig, "04 01 00 00 00 00", lists[9].list, 12), 0x52400);
    assert_sense(rig_send(rig, "52 01 00 00 00 01 00 00 24 00", NULL, 0), 0);
    assert_int_equal(mmc_be32_get(rig->in + 24), 3200);
    assert_sense(rig_read(rig, 3200, 1, rig->in), 0x52100);
}

static void test_tray(void **state)
{
    struct rig *rig = *state;
    uint64_t start;

    assert_sense(rig_send(rig, "1e 00 00 00 01 00", NULL, 0), 0);
    assert_sense(rig_send(rig, "1b 00 00 00 02 00", NULL, 0), 0x55302);
    assert_sense(rig_send(rig, "1e 00 00 00 00 00", NULL, 0), 0);
    assert_sense(rig_send(rig, "1b 00 00 00 02 00", NULL, 0), 0);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x23a02);
    assert_sense(rig_read(rig, 0, 1, rig->in), 0x23a02);
    assert_sense(rig_send(rig, "46 00 00 00 00 00 00 00 08 00", NULL, 0), 0);
    assert_int_equal(mmc_be16_get(rig->in + 6), 0);
    assert_sense(rig_send(rig, "4a 01 00 00 10 00 00 00 08 00", NULL, 0), 0);
    assert_int_equal(rig->in[4], 3);
    assert_int_equal(rig->in[5], 1);
    assert_sense(rig_send(rig, "1b 00 00 00 03 00", NULL, 0), 0);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x62800);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x20401);
    assert_sense(rig_send(rig, "4a 01 00 00 10 00 00 00 08 00", NULL, 0), 0);
    assert_int_equal(rig->in[4], 0);
    rig_wait_ready(rig);
    assert_sense(rig_send(rig, "4a 01 00 00 10 00 00 00 08 00", NULL, 0), 0);
    assert_int_equal(rig->in[4], 2);
    assert_sense(rig_send(rig, "1b 00 00 00 00 00", NULL, 0), 0);
    assert_sense(rig_send(rig, READY, NULL, 0), 0);
    start = vdrive_now(rig->drive);
    assert_sense(rig_send(rig, "2b 00 00 00 00 00 00 00 00 00", NULL, 0), 0);
    assert_true(vdrive_now(rig->drive) - start > 2500000);
    assert_sense(rig_send(rig, "1b 00 00 00 00 00", NULL, 0), 0);
    assert_sense(rig_send(rig, "1b 01 00 00 03 00", NULL, 0), 0);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x20401);
    rig_wait_ready(rig);
}

/* What was in the buffer for the old disc never comes to the new one, and a folder that is none changes
 * nothing. */
static void test_exchange(void **state)
{
    struct rig *rig = *state, *other;
    uint8_t *data = calloc(1, 65536), *got = calloc(1, 65536);
    void *made;

    rig_setup(&made);
    other = made;
    rig_formatted(rig);
    rig_fill(data, 32, 1);
    assert_sense(rig_write(rig, 320, 32, data), 0);
    assert_int_equal(vdrive_disc_exchange(rig->drive, "/nowhere", NULL), -ENOENT);
    assert_int_equal(vdrive_disc_exchange(rig->drive, other->folder, NULL), -EBUSY);
    rig_close(other);
    assert_int_equal(vdrive_disc_exchange(rig->drive, other->folder, NULL), 0);
    assert_sense(rig_send(rig, READY, NULL, 0), 0x62800);
    rig_wait_ready(rig);
    assert_sense(rig_read(rig, 320, 32, got), 0x80000);
    assert_sense(rig_write(rig, 320, 32, data), 0x52c00);
    assert_sense(rig_send(rig, "51 00 00 00 00 00 00 00 22 00", NULL, 0), 0);
    assert_int_equal(rig->in[2] & 3, 0);
    rig_close(rig);
    rig_open(rig);
    assert_sense(rig_read(rig, 320, 32, got), 0x31105);
    rig_open(other);
    rig_teardown(&made);
    free(data);
    free(got);
}

static void test_read_only(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = calloc(1, 65536);

    rig_formatted(rig);
    assert_sense(rig_write(rig, 0, 32, data), 0);
    rig_close(rig);
    rig->options.read_only = true;
    rig_open(rig);
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_write(rig, 0, 32, data), 0x72700);
    assert_sense(rig_format(rig, RIG_FORMAT_BLOCKS, true), 0x72700);
    assert_sense(rig_send(rig, "a1 11 00 00 00 00 00 00 00 00 00 00", NULL, 0), 0x72700);
    assert_sense(rig_send(rig, "5b 00 02 00 00 00 00 00 00 00", NULL, 0), 0x72700);
    assert_sense(rig_read(rig, 0, 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    free(data);
}

static void test_create(void **state)
{
    struct rig *rig = *state;
    struct vdrive_disc_spec spec = rig->spec;
    char path[96];

    assert_true(vdrive_disc_is(rig->folder));
    assert_false(vdrive_disc_is("/tmp"));
    assert_false(vdrive_disc_is("/etc/passwd"));
    assert_int_equal(vdrive_disc_create(rig->folder, &spec), -EEXIST);
    assert_int_equal(vdrive_disc_create("/etc/passwd", &spec), -EEXIST);
    assert_int_equal(vdrive_disc_create("/nowhere/at/all", &spec), -ENOENT);
    snprintf(path, sizeof(path), "%s-none", rig->folder);
    spec.minutes = 63;
    assert_int_equal(vdrive_disc_create(path, &spec), -EINVAL);
    spec.minutes = 74;
    spec.speed = 12;
    assert_int_equal(vdrive_disc_create(path, &spec), -EINVAL);
    assert_int_equal(access(path, F_OK), -1);
}

static void put_file(const struct rig *rig, const char *name, const void *data, size_t len)
{
    char path[96];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
}

/* Files that contradict each other, or are no records: the disc is refused, nothing is guessed. */
static void test_damaged_folder(void **state)
{
    static const struct {
        const char *name, *text;
        size_t len;
    } damage[] = {
        {"disc", "", 0},
        {"disc", "packetfs virtual disc 2\n", 24},
        {"disc", "packetfs virtual disc 1\nmedium dvd\nminutes 80\nspeed 10\n", 55},
        {"disc", "packetfs virtual disc 1\nmedium cd-rw\nminutes 81\nspeed 10\n", 57},
        {"packets", "\0\0\0\0\xff\0\0\0", 8},
        {"packets", "\0\0\0", 3},
        {"pma", "short", 5},
        {"tdb", "short", 5},
        {"tdb", "\x09\x02\0\0\x20\0\0\0\0\0\0\0\0\0\0\0", 16},
        {"leadin", "short", 5},
        {"sectors", "\1\1\1", 3},
        {"data.img", "short", 5},
    };
    struct rig *rig = *state;
    struct vdrive *drive;
    char save[256];

    rig_formatted(rig);
    rig_close(rig);
    snprintf(save, sizeof(save), "rm -rf %s.keep && cp -r --sparse=always %s %s.keep", rig->folder,
             rig->folder, rig->folder);
    assert_int_equal(system(save), 0);
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        put_file(rig, damage[i].name, damage[i].text, damage[i].len);
        assert_int_equal(vdrive_open(rig->folder, NULL, NULL, &drive), -EMEDIUMTYPE);
        snprintf(save, sizeof(save), "cp --sparse=always %s.keep/* %s/", rig->folder, rig->folder);
        assert_int_equal(system(save), 0);
    }
    snprintf(save, sizeof(save), "rm -rf %s.keep", rig->folder);
    assert_int_equal(system(save), 0);
    rig_open(rig);
    assert_sense(rig_read(rig, 0, 1, rig->in), 0);
}

/* A bit lost in the PMA is a frame that cannot be read, as on a disc: the CRC says so. */
static void test_pma_crc(void **state)
{
    struct rig *rig = *state;
    struct vdrive *drive;
    char path[96];
    uint8_t byte;
    int fd;

    rig_formatted(rig);
    rig_close(rig);
    snprintf(path, sizeof(path), "%s/pma", rig->folder);
    fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, 5), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, 5), 1);
    close(fd);
    /* The lead-in speaks of a track that the PMA does not have. */
    assert_int_equal(vdrive_open(rig->folder, NULL, NULL, &drive), -EMEDIUMTYPE);
}

static void test_log(void **state)
{
    struct rig *rig = *state;
    char path[96], line[512];
    bool write = false, refused = false;
    unsigned lines = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/log", rig->folder);
    rig_close(rig);
    rig->options.log = path;
    rig_open(rig);
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, 3200, false), 0);
    assert_sense(rig_write(rig, 32, 32, rig->in), 0);
    assert_sense(rig_write(rig, 33, 32, rig->in), 0x52102);
    rig_close(rig);
    rig->options.log = NULL;
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        json_t *o = json_loads(line, 0, NULL);

        assert_non_null(o);
        assert_int_equal(json_integer_value(json_object_get(o, "n")), ++lines);
        if (strcmp(json_string_value(json_object_get(o, "name")), "WRITE (12)") == 0) {
            write |= json_integer_value(json_object_get(o, "status")) == 0 &&
                     json_integer_value(json_object_get(o, "out")) == 65536;
            refused |= json_object_get(o, "sense") &&
                       strcmp(json_string_value(json_object_get(o, "sense")), "5/21/02") == 0;
        }
        json_decref(o);
    }
    fclose(file);
    assert_true(lines > 5 && write && refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_features, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_mode_pages, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_page5, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_format_lists, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_tray, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_exchange, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_read_only, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_create, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_damaged_folder, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_pma_crc, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_log, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
