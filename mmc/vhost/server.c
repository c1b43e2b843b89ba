/* SPDX-License-Identifier: MIT */
/* The vhost-user server: the socket, the messages of the protocol, and the loop
 * that waits for the guest's kicks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mmc/vhost/vhost.h"
#include "mmc/vhost/vhost_internal.h"

enum request {
    GET_FEATURES = 1,
    SET_MEM_TABLE = 5,
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    GET_VRING_BASE = 11,
    SET_VRING_KICK = 12,
    SET_VRING_CALL = 13,
    SET_VRING_ERR = 14,
    SET_BACKEND_REQ_FD = 21,
    GET_PROTOCOL_FEATURES = 15,
    GET_QUEUE_NUM = 17,
    GET_CONFIG = 24,
};

#define HEADER_BYTES  12u
#define PAYLOAD_MAX   1024u
#define FDS_MAX       VHOST_REGIONS_MAX
#define FLAG_VERSION  1u
#define FLAG_REPLY    4u
#define FLAG_NEED_ACK 8u

/* VIRTIO_F_VERSION_1, VHOST_USER_F_PROTOCOL_FEATURES, VIRTIO_F_INDIRECT_DESC */
#define FEATURES (1ull << 32 | 1ull << 30 | 1ull << 28)
/* REPLY_ACK, BACKEND_REQ (User-Mode Linux gets no interrupt without it), CONFIG */
#define PROTOCOL_FEATURES (1ull << 3 | 1ull << 5 | 1ull << 9)

/* How often a drive that nobody asks anything is moved on, and how long a
 * pause of the host is a short one. */
#define IDLE_TICK_MS  10
#define IDLE_SHORT_US 50000u

/* A time without messages and requests: its start, and how far the drive's clock has been moved on for it. */
struct idle {
    uint64_t since, counted;
};

struct message {
    uint32_t request, flags, size;
    uint8_t payload[PAYLOAD_MAX];
    int fds[FDS_MAX];
    unsigned fd_count;
};

struct vhost_server {
    struct vdrive *drive;
    int listener, connection;
    int backend; /* kept open for the other side, which wants to talk to it; nothing is ever said */
    struct sockaddr_un address;
    struct vhost_memory memory;
    struct vhost_queue queues[VHOST_QUEUES];
    struct vhost_chain chain;
    struct message message;
};

static void fd_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void message_fds_drop(struct message *m)
{
    while (m->fd_count)
        close(m->fds[--m->fd_count]);
}

static int read_whole(int fd, uint8_t *to, size_t bytes)
{
    while (bytes) {
        ssize_t n = recv(fd, to, bytes, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -ECONNRESET;
        to += n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* Takes the file descriptors that came along with a message; more than a message can have are closed. */
static void message_fds_take(struct message *m, struct msghdr *h)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
            if (m->fd_count < FDS_MAX)
                m->fds[m->fd_count++] = fd;
            else
                close(fd);
        }
    }
}

static int message_receive(int fd, struct message *m)
{
    uint8_t header[HEADER_BYTES];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct iovec iov = {header, sizeof(header)};
    struct msghdr h = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t n;
    int r;

    m->fd_count = 0;
    do
        n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n ? -errno : -ECONNRESET;
    message_fds_take(m, &h);
    r = read_whole(fd, header + n, sizeof(header) - (size_t)n);
    if (r)
        return r;
    m->request = mmc_le32_get(header);
    m->flags = mmc_le32_get(header + 4);
    m->size = mmc_le32_get(header + 8);
    if (m->size > PAYLOAD_MAX)
        return -EMSGSIZE;
    memset(m->payload, 0, sizeof(m->payload));
    return read_whole(fd, m->payload, m->size);
}

static int reply(struct vhost_server *s, const uint8_t *payload, uint32_t size)
{
    uint8_t out[HEADER_BYTES + PAYLOAD_MAX];
    ssize_t n;

    mmc_le32_put(out, s->message.request);
    mmc_le32_put(out + 4, FLAG_VERSION | FLAG_REPLY);
    mmc_le32_put(out + 8, size);
    memcpy(out + HEADER_BYTES, payload, size);
    n = send(s->connection, out, HEADER_BYTES + size, MSG_NOSIGNAL);
    return n == (ssize_t)(HEADER_BYTES + size) ? 0 : -ECONNRESET;
}

static int reply_u64(struct vhost_server *s, uint64_t value)
{
    uint8_t payload[8];

    mmc_le64_put(payload, value);
    return reply(s, payload, sizeof(payload));
}

/* Answers everything that waits in a queue, then tells the guest. */
static int queue_run(struct vhost_server *s, unsigned index)
{
    struct vhost_queue *q = &s->queues[index];
    bool answered = false;
    int r = 0;

    /* The event queue is the guest's offer of buffers for news; there are none to report. */
    if (index == 1 || q->kick < 0 || !s->memory.count)
        return 0;
    while ((r = vhost_queue_take(&s->memory, q, &s->chain)) > 0) {
        int bytes = index == 0 ? vhost_scsi_control(&s->chain) : vhost_scsi_request(s->drive, &s->chain);

        if (bytes < 0)
            return bytes;
        r = vhost_queue_give(&s->memory, q, s->chain.head, (uint32_t)bytes);
        if (r)
            return r;
        answered = true;
    }
    if (answered && q->call >= 0)
        eventfd_write(q->call, 1);
    return r;
}

static int vring_fd_set(struct vhost_server *s, struct vhost_queue *q, unsigned index)
{
    struct message *m = &s->message;
    int *fd = m->request == SET_VRING_KICK ? &q->kick : &q->call;

    if (m->request == SET_VRING_ERR)
        return 0;
    fd_drop(fd);
    if (m->fd_count) {
        *fd = m->fds[--m->fd_count];
        /* What the other side made of its descriptor must not hold the server up. */
        fcntl(*fd, F_SETFL, O_NONBLOCK);
    }
    /* Answers given while there was no one to tell would hang the guest; a
     * needless interrupt does no harm. */
    if (m->request == SET_VRING_CALL && q->call >= 0)
        eventfd_write(q->call, 1);
    return m->request == SET_VRING_KICK ? queue_run(s, index) : 0;
}

/* The messages that name a queue in their first 32 (fds: 8) bits. */
static int vring_message(struct vhost_server *s)
{
    struct message *m = &s->message;
    bool about_fd = m->request >= SET_VRING_KICK && m->request <= SET_VRING_ERR;
    unsigned index = about_fd ? m->payload[0] : mmc_le32_get(m->payload);
    struct vhost_queue *q = &s->queues[index < VHOST_QUEUES ? index : 0];
    uint32_t value = mmc_le32_get(m->payload + 4);
    uint8_t answer[8];

    if (index >= VHOST_QUEUES)
        return -EINVAL;
    switch (m->request) {
    case SET_VRING_NUM:
        if (!value || value > VHOST_QUEUE_MAX || (value & (value - 1)))
            return -EINVAL;
        q->size = value;
        return 0;
    case SET_VRING_ADDR:
        q->desc_user = mmc_le64_get(m->payload + 8);
        q->used_user = mmc_le64_get(m->payload + 16);
        q->avail_user = mmc_le64_get(m->payload + 24);
        return 0;
    case SET_VRING_BASE:
        q->last_avail = (uint16_t)value;
        return 0;
    case GET_VRING_BASE:
        fd_drop(&q->kick);
        mmc_le32_put(answer, index);
        mmc_le32_put(answer + 4, q->last_avail);
        return reply(s, answer, sizeof(answer));
    default:
        return vring_fd_set(s, q, index);
    }
}

static int config_get(struct vhost_server *s)
{
    uint8_t config[VHOST_SCSI_CONFIG_BYTES], answer[PAYLOAD_MAX];
    uint32_t offset = mmc_le32_get(s->message.payload), size = mmc_le32_get(s->message.payload + 4);

    if (size > sizeof(answer) - 12 || offset > sizeof(config) || size > sizeof(config) - offset)
        return -EINVAL;
    vhost_scsi_config(config);
    memcpy(answer, s->message.payload, 12);
    memcpy(answer + 12, config + offset, size);
    return reply(s, answer, 12 + size);
}

static int message_serve(struct vhost_server *s)
{
    struct message *m = &s->message;
    int r = 0;

    switch (m->request) {
    case GET_FEATURES:
        return reply_u64(s, FEATURES);
    case GET_PROTOCOL_FEATURES:
        return reply_u64(s, PROTOCOL_FEATURES);
    case GET_QUEUE_NUM:
        return reply_u64(s, 1);
    case GET_CONFIG:
        return config_get(s);
    case GET_VRING_BASE:
        return vring_message(s);
    case SET_MEM_TABLE:
        r = vhost_memory_set(&s->memory, m->payload, m->size, m->fds, m->fd_count);
        m->fd_count = 0;
        break;
    case SET_VRING_NUM:
    case SET_VRING_ADDR:
    case SET_VRING_BASE:
    case SET_VRING_KICK:
    case SET_VRING_CALL:
    case SET_VRING_ERR:
        r = vring_message(s);
        break;
    case SET_BACKEND_REQ_FD:
        fd_drop(&s->backend);
        if (m->fd_count)
            s->backend = m->fds[--m->fd_count];
        break;
    default: /* owner, features agreed on, enabling, logging: nothing to do about them here */
        break;
    }
    if (!r && m->flags & FLAG_NEED_ACK)
        r = reply_u64(s, 0);
    return r;
}

static void connection_drop(struct vhost_server *s)
{
    fd_drop(&s->connection);
    fd_drop(&s->backend);
    vhost_memory_clear(&s->memory);
    for (unsigned i = 0; i < VHOST_QUEUES; i++) {
        fd_drop(&s->queues[i].kick);
        fd_drop(&s->queues[i].call);
        s->queues[i] = (struct vhost_queue){.kick = -1, .call = -1};
    }
}

static int connection_serve(struct vhost_server *s, short socket_events, const struct pollfd *kicks)
{
    int r = 0;

    if (socket_events) {
        r = message_receive(s->connection, &s->message);
        if (!r)
            r = message_serve(s);
        message_fds_drop(&s->message);
    }
    for (unsigned i = 0; !r && i < VHOST_QUEUES; i++) {
        eventfd_t count;

        /* The message may have dropped or exchanged the descriptor that was polled. */
        if (!(kicks[i].revents & POLLIN) || s->queues[i].kick != kicks[i].fd)
            continue;
        if (read(kicks[i].fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        r = queue_run(s, i);
    }
    return r;
}

static uint64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Nothing came for a while: the drive works on meanwhile. */
static void idle_pass(struct vhost_server *s, unsigned pace, struct idle *idle)
{
    uint64_t now = clock_now(), passed = now - idle->counted;

    vdrive_wait(s->drive, now - idle->since < IDLE_SHORT_US && pace > 1 ? passed : passed * pace);
    idle->counted = now;
}

int vhost_server_run(struct vhost_server *s, int stop_fd, unsigned pace)
{
    struct idle idle = {clock_now(), clock_now()};

    for (;;) {
        int n;
        struct pollfd fds[2 + VHOST_QUEUES] = {{.fd = stop_fd, .events = POLLIN}};

        fds[1] = (struct pollfd){.fd = s->connection >= 0 ? s->connection : s->listener, .events = POLLIN};
        for (unsigned i = 0; i < VHOST_QUEUES; i++)
            fds[2 + i] = (struct pollfd){.fd = s->queues[i].kick, .events = POLLIN};
        n = poll(fds, 2 + VHOST_QUEUES, IDLE_TICK_MS);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (fds[0].revents)
            return 0;
        if (n == 0) {
            idle_pass(s, pace, &idle);
            continue;
        }
        idle.since = idle.counted = clock_now();
        if (s->connection < 0) {
            s->connection = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
            if (s->connection < 0 && errno != EINTR && errno != ECONNABORTED && errno != EAGAIN)
                return -errno;
        } else if (connection_serve(s, fds[1].revents, fds + 2)) {
            connection_drop(s);
        }
    }
}

/* A socket of an earlier server is in the way; anything else stays. */
static int old_socket_remove(const char *path)
{
    struct stat st;

    if (lstat(path, &st))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    return unlink(path) ? -errno : 0;
}

int vhost_server_open(const char *path, struct vdrive *drive, struct vhost_server **server)
{
    struct vhost_server *s;
    int r;

    if (strlen(path) >= sizeof(s->address.sun_path))
        return -ENAMETOOLONG;
    r = old_socket_remove(path);
    if (r)
        return r;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->drive = drive;
    s->listener = s->connection = s->backend = -1;
    for (unsigned i = 0; i < VHOST_QUEUES; i++)
        s->queues[i].kick = s->queues[i].call = -1;
    connection_drop(s);
    s->address.sun_family = AF_UNIX;
    memcpy(s->address.sun_path, path, strlen(path));
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&s->address, sizeof(s->address)) ||
        listen(s->listener, 4)) {
        r = -errno;
        fd_drop(&s->listener);
        free(s);
        return r;
    }
    *server = s;
    return 0;
}

void vhost_server_close(struct vhost_server *s)
{
    if (!s)
        return;
    connection_drop(s);
    fd_drop(&s->listener);
    unlink(s->address.sun_path);
    free(s);
}
