/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the vhost-user server from both of its hostile sides: the input is a guest memory full of rings, and
 * then a stream of protocol messages that set them up and kick them. The server's file is included, to reach
 * its inside.
 */
#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/mman.h>

#include "mmc/vhost/server.c"

#define GUEST_BYTES 16384u
#define USER_BASE   0x10000u

static char folder[] = "/tmp/fuzz-vhost-XXXXXX", disc[64];
static struct vdrive *the_drive;

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void drive_end(void)
{
    vdrive_close(the_drive);
    nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* One drive for all inputs: what a fuzzed command leaves in it is part of what the next meets. */
static struct vdrive *drive_make(void)
{
    const struct vdrive_disc_spec spec = {VDRIVE_CD_RW, 74, 10};
    const struct vdrive_options options = {.read_only = true};

    if (!the_drive) {
        assert(mkdtemp(folder));
        snprintf(disc, sizeof(disc), "%s/disc", folder);
        assert(!vdrive_disc_create(disc, &spec));
        assert(!vdrive_open(disc, &options, NULL, &the_drive));
        atexit(drive_end);
    }
    return the_drive;
}

/* Sends a message, with the guest's memory where the protocol has a descriptor ride along. */
static void message_send(int socket, const uint8_t *bytes, size_t size, int guest)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {(void *)bytes, size};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

    if (mmc_le32_get(bytes) == SET_MEM_TABLE) {
        h.msg_control = control;
        h.msg_controllen = sizeof(control);
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &guest, sizeof(guest));
    }
    sendmsg(socket, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void message_build(uint8_t *out, uint32_t request, uint32_t flags, const uint8_t *payload,
                          uint32_t size)
{
    mmc_le32_put(out, request);
    mmc_le32_put(out + 4, flags);
    mmc_le32_put(out + 8, size);
    memcpy(out + HEADER_BYTES, payload, size);
}

static int serve_one(struct vhost_server *s)
{
    const struct pollfd none[VHOST_QUEUES] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};

    return connection_serve(s, POLLIN, none);
}

/* A sane set-up of memory and queue 2, so that what follows reaches the rings. */
static void queue_prepare(struct vhost_server *s, int socket, int guest)
{
    uint8_t payload[40] = {0}, out[HEADER_BYTES + sizeof(payload)];

    mmc_le32_put(payload, 1);
    mmc_le64_put(payload + 16, GUEST_BYTES);
    mmc_le64_put(payload + 24, USER_BASE);
    message_build(out, SET_MEM_TABLE, FLAG_VERSION, payload, 40);
    message_send(socket, out, HEADER_BYTES + 40, guest);
    serve_one(s);
    s->queues[2].size = 16;
    s->queues[2].desc_user = USER_BASE;
    s->queues[2].avail_user = USER_BASE + 256;
    s->queues[2].used_user = USER_BASE + 512;
    s->queues[2].kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vhost_server *s = calloc(1, sizeof(*s));
    size_t ring = size < 1024 ? size : 1024;
    int pair[2], guest = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert(s && guest >= 0 && !ftruncate(guest, GUEST_BYTES));
    assert(pwrite(guest, data, ring, 0) == (ssize_t)ring);
    assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    s->drive = drive_make();
    s->listener = s->connection = s->backend = -1;
    for (unsigned i = 0; i < VHOST_QUEUES; i++)
        s->queues[i].kick = s->queues[i].call = -1;
    s->connection = pair[1];
    queue_prepare(s, pair[0], guest);
    if (s->memory.count)
        queue_run(s, 2);

    /* The rest of the input: messages, each a byte of request, a byte of length, and that much payload. */
    data += ring;
    size -= ring;
    while (size >= 2 && s->connection >= 0) {
        uint8_t out[HEADER_BYTES + 256];
        uint32_t n = data[1] < size - 2 ? data[1] : (uint32_t)(size - 2);

        message_build(out, data[0] % 32, FLAG_VERSION | (data[0] & FLAG_NEED_ACK), data + 2, n);
        message_send(pair[0], out, HEADER_BYTES + n, guest);
        if (serve_one(s))
            break;
        while (recv(pair[0], out, sizeof(out), MSG_DONTWAIT) > 0)
            ;
        data += 2 + n;
        size -= 2 + n;
    }
    connection_drop(s);
    close(pair[0]);
    close(guest);
    free(s);
    return 0;
}
