/* SPDX-License-Identifier: MIT */
/* Inside the vhost-user server: guest memory, rings and SCSI requests.
 * Little-endian throughout, as virtio 1 is. */
#ifndef MMC_VHOST_INTERNAL_H
#define MMC_VHOST_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/vdrive.h"

#define VHOST_REGIONS_MAX 8u
#define VHOST_QUEUES      3u /* control, event, one request queue */
#define VHOST_QUEUE_MAX   1024u

/* A piece of guest memory, mapped here. */
struct vhost_region {
    uint64_t guest, user, bytes; /* guest physical and front end's addresses of its start */
    uint8_t *at;                 /* our address of its start */
    void *map;
    size_t map_bytes;
};

struct vhost_memory {
    unsigned count;
    struct vhost_region regions[VHOST_REGIONS_MAX];
};

/* memory.c. Takes over the fds in any case. -EINVAL for a table that makes no sense. */
int vhost_memory_set(struct vhost_memory *memory, const uint8_t *payload, size_t size, int *fds,
                     unsigned fd_count);
void vhost_memory_clear(struct vhost_memory *memory);
/* Our address of bytes of guest memory; NULL when they do not lie in one region. */
uint8_t *vhost_memory_guest(const struct vhost_memory *memory, uint64_t guest, uint64_t bytes);
uint8_t *vhost_memory_user(const struct vhost_memory *memory, uint64_t user, uint64_t bytes);

/* One buffer of a request, in guest memory. */
struct vhost_buffer {
    uint8_t *at;
    uint32_t bytes;
};

/* A request taken off a ring: what the guest wrote for us, and where we may answer. */
struct vhost_chain {
    uint16_t head;
    unsigned out_count, in_count;
    struct vhost_buffer out[VHOST_QUEUE_MAX], in[VHOST_QUEUE_MAX];
};

struct vhost_queue {
    unsigned size;
    uint64_t desc_user, avail_user, used_user;
    uint16_t last_avail;
    int kick, call; /* event fds, -1: none */
};

/* ring.c */

/* Takes the next request off the ring. 1: taken, 0: none there, -EINVAL: the ring is broken. */
int vhost_queue_take(const struct vhost_memory *memory, struct vhost_queue *queue, struct vhost_chain *chain);
/* Gives the request back with so many bytes of answer. */
int vhost_queue_give(const struct vhost_memory *memory, struct vhost_queue *queue, uint16_t head,
                     uint32_t bytes);
size_t vhost_chain_out_bytes(const struct vhost_chain *chain);
size_t vhost_chain_in_bytes(const struct vhost_chain *chain);
/* Copies from the request at offset; returns the bytes copied. */
size_t vhost_chain_read(const struct vhost_chain *chain, size_t offset, void *to, size_t bytes);
size_t vhost_chain_write(const struct vhost_chain *chain, size_t offset, const void *from, size_t bytes);

/* scsi.c: both return the bytes of answer, or -EINVAL for a request too mangled to be answered. */
int vhost_scsi_request(struct vdrive *drive, const struct vhost_chain *chain);
int vhost_scsi_control(const struct vhost_chain *chain);
/* The controller's configuration space (virtio 1.1, 5.6.4). */
#define VHOST_SCSI_CONFIG_BYTES 36u
void vhost_scsi_config(uint8_t config[VHOST_SCSI_CONFIG_BYTES]);

#endif
