/* SPDX-License-Identifier: MIT */
/*
 * Hostile hosts and hostile discs: the input puts bytes into a file of a disc folder, opens it, and sends
 * commands. What must hold is that nothing crashes, that answers stay within their buffers and that every
 * failure has a sense.
 *
 * Input: one byte chooses the file (0: none), one its length, then its bytes; then commands until the end:
 * one byte with the CDB's length (0 to 15) and, in its upper half, how much is sent and asked for; the CDB;
 * the first bytes to send.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/vdrive/vdrive.h"

#define ROOM     (64 * 2048)
#define COMMANDS 64

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t input_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static void folder_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

/* One folder for the life of the process, in memory where there is a place for it. */
static const char *folder_get(void)
{
    static char folder[64];

    if (!folder[0]) {
        snprintf(folder, sizeof(folder), "%s/fuzz-vdrive-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (!mkdtemp(folder))
            abort();
    }
    folder_empty(folder);
    return folder;
}

static void folder_exit(void)
{
    const char *folder = folder_get();

    rmdir(folder);
}

static void folder_damage(const char *folder, struct input *in)
{
    static const char *const names[] = {"disc",   "packets", "pma",      "tdb",
                                        "leadin", "sectors", "data.img", "faults"};
    unsigned choice = input_byte(in), len = input_byte(in);
    char path[96];
    int fd;

    if (choice == 0 || choice > sizeof(names) / sizeof(names[0]))
        return;
    if (len > in->left)
        len = (unsigned)in->left;
    snprintf(path, sizeof(path), "%s/%s", folder, names[choice - 1]);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, in->at, len) != (ssize_t)len)
        abort();
    close(fd);
    in->at += len;
    in->left -= len;
}

/* Parameter lists that are right, for the input to change bits of: without them few
 * runs would get past the checks. */
static void list_prepare(uint8_t *out, size_t len)
{
    static const uint8_t format[12] = {0, 0x82, 0, 8, 0, 0, 0x0c, 0x80, 0x40, 0, 0, 32};
    static const uint8_t packets[] = {0,    0,  0, 0, 0, 0,    0, 0, 5, 0x32, 0x40,
                                      0x25, 10, 0, 0, 0, 0x20, 0, 0, 0, 0,    32};
    static const uint8_t track[] = {0, 0, 0, 0, 0, 0, 0, 0, 5, 0x32, 0x41, 0xc4, 8};

    if (len == 12)
        memcpy(out, format, sizeof(format));
    else if (len == 60)
        memcpy(out, packets, sizeof(packets));
    else if (len == 61)
        memcpy(out, track, sizeof(track));
}

/* A CDB of full length gets an opcode that the drive knows. */
static void cdb_prepare(uint8_t *cdb, size_t len)
{
    static const uint8_t opcodes[] = {0x00, 0x03, 0x04, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x23, 0x25,
                                      0x28, 0x2a, 0x2b, 0x35, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x54,
                                      0x55, 0x5a, 0x5b, 0x5c, 0xa1, 0xa8, 0xaa, 0xac, 0xbb};

    if (len >= 6)
        cdb[0] = opcodes[cdb[0] % sizeof(opcodes)];
}

static void send_command(struct vdrive *drive, struct input *in)
{
    static const size_t amounts[16] = {0,    4,    8,         12,        16,  28, 60,  96,
                                       2048, 4096, 32 * 2048, 64 * 2048, 255, 61, 512, 31 * 2048};
    uint8_t head = input_byte(in), cdb[16], *out, *answer;
    size_t len = head & 15, room = amounts[head >> 4], sent;
    struct vdrive_reply reply;

    for (size_t i = 0; i < sizeof(cdb); i++)
        cdb[i] = i < len ? input_byte(in) : 0;
    /* Buffers of exactly the size, so that the sanitizer sees a byte too many. */
    sent = room < 64 ? room : 64;
    sent = sent < in->left ? sent : in->left;
    out = calloc(1, room ? room : 1);
    answer = malloc(room ? room : 1);
    if (!out || !answer)
        abort();
    list_prepare(out, room);
    for (size_t i = 0; i < sent; i++)
        out[i] ^= in->at[i];
    cdb_prepare(cdb, len);
    vdrive_execute(drive, cdb, len, out, room, answer, room, &reply);
    if (reply.in_len > room || (reply.status != 0 && reply.status != 2))
        abort();
    if (reply.status == 2 && (reply.sense[0] & 0x7e) != 0x70)
        abort();
    in->at += sent;
    in->left -= sent;
    if (head & 1)
        vdrive_wait(drive, (uint64_t)head * 50000);
    free(out);
    free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vdrive_disc_spec spec = {VDRIVE_CD_RW, 74, 10};
    static bool registered;
    const struct vdrive_options options = {0};
    struct input in = {data, size};
    const char *folder = folder_get();
    struct vdrive *drive;

    if (!registered)
        atexit(folder_exit);
    registered = true;
    if (vdrive_disc_create(folder, &spec) != 0)
        abort();
    folder_damage(folder, &in);
    if (vdrive_open(folder, &options, NULL, &drive) != 0)
        return 0;
    vdrive_wait(drive, 5000000);
    for (int i = 0; i < COMMANDS && in.left > 0; i++)
        send_command(drive, &in);
    vdrive_close(drive);
    return 0;
}
