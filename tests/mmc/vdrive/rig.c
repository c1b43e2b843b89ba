/* SPDX-License-Identifier: MIT */
/* Discs for tests, and commands to them. */
#include "rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/vdrive/drive.h"

static struct rig *rig_new(enum vdrive_medium medium)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    strcpy(rig->folder, "/tmp/vdrive-test-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    rig->spec = (struct vdrive_disc_spec){medium, 80, 10};
    assert_int_equal(vdrive_disc_create(rig->folder, &rig->spec), 0);
    rig_open(rig);
    return rig;
}

int rig_setup(void **state)
{
    *state = rig_new(VDRIVE_CD_RW);
    return 0;
}

int rig_setup_cd_r(void **state)
{
    *state = rig_new(VDRIVE_CD_R);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    struct dirent *entry;
    DIR *dir;

    if (rig->drive)
        vdrive_close(rig->drive);
    dir = opendir(rig->folder);
    while (dir && (entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(rig->folder);
    free(rig);
    return 0;
}

void rig_open(struct rig *rig)
{
    assert_int_equal(vdrive_open(rig->folder, &rig->options, NULL, &rig->drive), 0);
    assert_sense(rig_send(rig, "00 00 00 00 00 00", NULL, 0), 0x62900);
    rig_wait_ready(rig);
}

void rig_close(struct rig *rig)
{
    assert_int_equal(vdrive_close(rig->drive), 0);
    rig->drive = NULL;
}

void rig_faults(struct rig *rig, const char *lines)
{
    char path[96];
    FILE *file;

    if (rig->drive)
        rig_close(rig);
    snprintf(path, sizeof(path), "%s/faults", rig->folder);
    if (lines) {
        file = fopen(path, "w");
        assert_non_null(file);
        fputs(lines, file);
        fclose(file);
    } else {
        unlink(path);
    }
    rig_open(rig);
}

void rig_power_cut(struct rig *rig)
{
    vdrive_laser_power_off(rig->drive);
    rig->drive->power_lost = true;
    rig_close(rig);
    rig_open(rig);
}

static uint32_t rig_execute(struct rig *rig, const uint8_t *cdb, size_t len, const void *out, size_t out_len,
                            void *in, size_t room)
{
    vdrive_execute(rig->drive, cdb, len, out, out_len, in, room, &rig->reply);
    if (rig->reply.status == 0)
        return 0;
    assert_int_equal(rig->reply.status, 2);
    return (uint32_t)(rig->reply.sense[2] & 15) << 16 | (uint32_t)rig->reply.sense[12] << 8 |
           rig->reply.sense[13];
}

uint32_t rig_send(struct rig *rig, const char *hex, const void *out, size_t out_len)
{
    uint8_t cdb[16];
    size_t len = 0;
    unsigned byte;
    int used;

    while (len < sizeof(cdb) && sscanf(hex, "%2x%n", &byte, &used) == 1) {
        cdb[len++] = (uint8_t)byte;
        hex += used;
    }
    return rig_execute(rig, cdb, len, out, out_len, rig->in, sizeof(rig->in));
}

static void put32(uint8_t *to, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(n >> (24 - 8 * i));
}

uint32_t rig_write(struct rig *rig, int32_t lba, uint32_t blocks, const void *data)
{
    uint8_t cdb[12] = {0xaa};

    put32(cdb + 2, (uint32_t)lba);
    put32(cdb + 6, blocks);
    return rig_execute(rig, cdb, sizeof(cdb), data, (size_t)blocks * 2048, NULL, 0);
}

uint32_t rig_read(struct rig *rig, int32_t lba, uint32_t blocks, void *data)
{
    uint8_t cdb[12] = {0xa8};

    put32(cdb + 2, (uint32_t)lba);
    put32(cdb + 6, blocks);
    return rig_execute(rig, cdb, sizeof(cdb), NULL, 0, data, (size_t)blocks * 2048);
}

uint32_t rig_sync(struct rig *rig)
{
    return rig_send(rig, "35 00 00 00 00 00 00 00 00 00", NULL, 0);
}

uint32_t rig_page5(struct rig *rig, unsigned type, unsigned multi, unsigned block_type)
{
    uint8_t list[60] = {0};
    uint8_t *page = list + 8;

    page[0] = 0x05;
    page[1] = 0x32;
    page[2] = (uint8_t)(0x40 | type);
    page[3] = (uint8_t)(multi << 6 | (type == 0 ? 0x25 : 0x04));
    page[4] = (uint8_t)block_type;
    page[8] = block_type == 10 ? 0x20 : 0x00;
    page[13] = type == 0 ? 32 : 0;
    page[15] = 150;
    return rig_send(rig, "55 10 00 00 00 00 00 00 3c 00", list, sizeof(list));
}

uint32_t rig_format(struct rig *rig, uint32_t blocks, bool immed)
{
    uint8_t list[12] = {0, (uint8_t)(0x80 | (immed ? 2 : 0)), 0, 8, 0, 0, 0, 0, 0x40, 0, 0, 32};

    put32(list + 4, blocks);
    return rig_send(rig, "04 11 00 00 00 00", list, sizeof(list));
}

void rig_wait_ready(struct rig *rig)
{
    uint64_t start = vdrive_now(rig->drive);

    while (rig_send(rig, "00 00 00 00 00 00", NULL, 0) != 0) {
        assert_true(vdrive_now(rig->drive) - start < 3600000000u);
        vdrive_wait(rig->drive, 1000000);
    }
}

void rig_formatted(struct rig *rig)
{
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, RIG_FORMAT_BLOCKS, true), 0);
    rig_wait_ready(rig);
}

void rig_fill(uint8_t *data, uint32_t blocks, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < (size_t)blocks * 2048; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint8_t)(x >> 24);
    }
}

int64_t rig_disk_use(const struct rig *rig, const char *name, int64_t *length)
{
    char path[96];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
    if (stat(path, &st) != 0)
        return -1;
    if (length)
        *length = st.st_size;
    return (int64_t)st.st_blocks * 512;
}
