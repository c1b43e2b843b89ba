/* SPDX-License-Identifier: MIT */
/*
 * The real transport on a real kernel: run where /dev/sr0 and /dev/sg0 are a drive that the kernel itself
 * drives. sg_kernel SR SG VOLUME   as root: opens, looks, formats, writes, reads, is refused and mounts
 *   sg_kernel --user SR      as a member of group cdrom: looks and writes
 * VOLUME is an image of a UDF volume that is written to the disc for the kernel to mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mmc/command.h"
#include "mmc/writeparams.h"

#define PACKET_BYTES (MMC_PACKET_BLOCKS * MMC_BLOCK_BYTES)
#define BIG_PACKETS  16u

#define CHECK(what)                                                                                          \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            fprintf(stderr, "line %d: not so: %s (%s)\n", __LINE__, #what, error.text);                      \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static struct mmc_error error;

static struct mmc_drive *drive_open(const char *path)
{
    struct mmc_drive *drive = NULL;

    error = (struct mmc_error){0};
    CHECK(mmc_open(path, NULL, &drive, &error) == 0);
    return drive;
}

/* Keeps what failed last for the message of CHECK. */
static int kept(struct mmc_drive *drive, int result)
{
    mmc_error_last(drive, &error);
    return result;
}

static void look(const char *path)
{
    struct mmc_drive *drive = drive_open(path);
    struct mmc_disc_info info;

    CHECK(kept(drive, mmc_disc_info_get(drive, &info)) == 0);
    CHECK(info.medium == MMC_MEDIUM_CD_RW);
    CHECK(info.profile == 0x0A);
    CHECK(info.inquiry.vendor[0] != '\0');
    CHECK(info.track_count >= 1);
    CHECK(mmc_drive_stats(drive, &(struct vdrive_stats){0}) == -ENOTSUP);
    mmc_close(drive);
}

/* While this process holds the drive, another one is refused and told who holds it. */
static void refuse_second(const char *path)
{
    struct mmc_drive *drive = drive_open(path), *second;
    char expected[64];
    int status;
    pid_t child;

    snprintf(expected, sizeof(expected), "in use by process %d (sg_kernel", (int)getpid());
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(mmc_open(path, NULL, &second, &error) == -EBUSY);
        CHECK(strstr(error.text, expected));
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    mmc_close(drive);
}

/* A holder that lets go within two seconds, as udev does, is only waited for. */
static void outwait_holder(const char *path)
{
    int ready[2], status;
    struct mmc_drive *drive;
    pid_t child;
    char byte;

    CHECK(pipe(ready) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        drive = drive_open(path);
        CHECK(write(ready[1], "x", 1) == 1);
        usleep(700000);
        mmc_close(drive);
        exit(0);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    mmc_close(drive_open(path));
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    close(ready[0]);
    close(ready[1]);
}

static void bring_into_form(const char *path)
{
    struct mmc_drive *drive = drive_open(path);
    struct mmc_disc_info info;

    CHECK(kept(drive, mmc_disc_info_get(drive, &info)) == 0);
    if (!info.formatted)
        CHECK(kept(drive, mmc_format_packets(drive, NULL, NULL)) == 0);
    CHECK(kept(drive, mmc_disc_info_get(drive, &info)) == 0);
    CHECK(info.formatted);
    CHECK(info.packet_blocks == MMC_PACKET_BLOCKS);
    mmc_close(drive);
}

static void pattern_fill(uint8_t *bytes, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (uint8_t)(seed >> 16);
    }
}

/* Writes packets, and reads them back in one call, which the transport has to cut. */
static void write_and_read(struct mmc_drive *drive, int64_t first)
{
    size_t len = (size_t)BIG_PACKETS * PACKET_BYTES;
    uint8_t *written = malloc(len), *read_back = calloc(1, len);

    CHECK(written && read_back);
    pattern_fill(written, len, (unsigned)first);
    CHECK(kept(drive, mmc_write_params_set_packet(drive, NULL)) == 0);
    for (unsigned p = 0; p < BIG_PACKETS; p++)
        CHECK(kept(drive, mmc_write10(drive, mmc_lba(first + p * MMC_PACKET_BLOCKS), MMC_PACKET_BLOCKS,
                                      written + (size_t)p * PACKET_BYTES)) == 0);
    CHECK(kept(drive, mmc_synchronize_cache(drive)) == 0);
    CHECK(!mmc_deferred_take(drive, NULL));
    CHECK(kept(drive, mmc_read10(drive, mmc_lba(first), BIG_PACKETS * MMC_PACKET_BLOCKS, read_back)) == 0);
    CHECK(memcmp(written, read_back, len) == 0);
    free(written);
    free(read_back);
}

static void sense_comes_through(struct mmc_drive *drive)
{
    uint8_t block[MMC_BLOCK_BYTES];

    CHECK(kept(drive, mmc_read10(drive, mmc_lba(400000), 1, block)) == -EINVAL);
    CHECK(error.sense.key == MMC_KEY_ILLEGAL_REQUEST);
    CHECK(error.sense.asc == 0x21);
    CHECK(error.lba_set && error.lba.n == 400000);
    CHECK(strncmp(error.text, "READ (10) at block 400000 failed: illegal request", 49) == 0);
}

static void use(const char *path, int64_t first)
{
    struct mmc_drive *drive = drive_open(path);

    write_and_read(drive, first);
    sense_comes_through(drive);
    mmc_close(drive);
}

static void volume_write(const char *path, const char *volume)
{
    struct mmc_drive *drive = drive_open(path);
    uint8_t *packet = malloc(PACKET_BYTES);
    FILE *f = fopen(volume, "rb");
    int64_t lba = 0;

    CHECK(packet && f);
    CHECK(kept(drive, mmc_write_params_set_packet(drive, NULL)) == 0);
    for (; fread(packet, PACKET_BYTES, 1, f) == 1; lba += MMC_PACKET_BLOCKS)
        CHECK(kept(drive, mmc_write10(drive, mmc_lba(lba), MMC_PACKET_BLOCKS, packet)) == 0);
    CHECK(lba > 0);
    CHECK(kept(drive, mmc_synchronize_cache(drive)) == 0);
    CHECK(!mmc_deferred_take(drive, NULL));
    fclose(f);
    free(packet);
    mmc_close(drive);
}

/* The kernel asks for the size of a disc when it is put in, and knows nothing
 * of what was done to it since. */
static void disc_reload(const char *path)
{
    struct mmc_drive *drive = drive_open(path);

    CHECK(kept(drive, mmc_start_stop(drive, MMC_START_EJECT)) == 0);
    CHECK(mmc_test_unit_ready(drive, false, NULL) == -ENOMEDIUM);
    CHECK(kept(drive, mmc_start_stop(drive, MMC_START_LOAD)) == 0);
    CHECK(kept(drive, mmc_test_unit_ready(drive, false, NULL)) == 0);
    CHECK(mmc_medium_changes(drive) == 1);
    mmc_close(drive);
}

/* The kernel holds a mounted disc, which no process has open: the message names the mount. */
static void refuse_mounted(const char *path)
{
    struct mmc_drive *drive;

    error = (struct mmc_error){0};
    CHECK(mkdir("/mnt/disc", 0755) == 0);
    if (mount(path, "/mnt/disc", "udf", MS_RDONLY, NULL) != 0) {
        perror("mount");
        exit(1);
    }
    CHECK(mmc_open(path, NULL, &drive, &error) == -EBUSY);
    CHECK(strstr(error.text, "in use by the mount at /mnt/disc"));
    CHECK(umount("/mnt/disc") == 0);
    mmc_close(drive_open(path));
}

/* Without the right to write, a drive can still be looked at, but no more. */
static void look_only(const char *path)
{
    const struct mmc_open_options options = {.read_only = true};
    struct mmc_disc_info info;
    struct mmc_drive *drive;
    int status;
    pid_t child;

    CHECK(chmod(path, 0444) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
        CHECK(mmc_open(path, NULL, &drive, &error) == -EACCES);
        CHECK(strstr(error.text, "group cdrom"));
        CHECK(mmc_open(path, &options, &drive, &error) == 0);
        CHECK(kept(drive, mmc_disc_info_get(drive, &info)) == 0);
        CHECK(kept(drive, mmc_synchronize_cache(drive)) == -EROFS);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(chmod(path, 0660) == 0);
}

int main(int argc, char **argv)
{
    alarm(100);
    if (argc == 3 && strcmp(argv[1], "--user") == 0) {
        look(argv[2]);
        use(argv[2], 8192);
        return 0;
    }
    if (argc != 4)
        return 2;
    look(argv[1]);
    look(argv[2]);
    refuse_second(argv[1]);
    refuse_second(argv[2]);
    outwait_holder(argv[1]);
    bring_into_form(argv[1]);
    use(argv[1], 4096);
    use(argv[2], 6144);
    volume_write(argv[1], argv[3]);
    disc_reload(argv[1]);
    refuse_mounted(argv[1]);
    look_only(argv[1]);
    return 0;
}
