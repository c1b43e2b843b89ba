/* SPDX-License-Identifier: MIT */
/* Guest memory: the regions that the front end shares, and the way from its addresses to ours. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/vhost/vhost_internal.h"

#define TABLE_HEADER_BYTES 8u
#define TABLE_REGION_BYTES 32u

static int region_map(struct vhost_region *region, uint64_t offset, int fd)
{
    struct stat st;
    uint64_t end;

    if (__builtin_add_overflow(region->bytes, offset, &end) || !region->bytes || end > SIZE_MAX / 2)
        return -EINVAL;
    if (region->guest + region->bytes < region->guest || region->user + region->bytes < region->user)
        return -EINVAL;
    /* Memory beyond the file's end would end us with SIGBUS when touched. */
    if (fstat(fd, &st))
        return -errno;
    if (st.st_size < 0 || (uint64_t)st.st_size < end)
        return -EINVAL;
    /* Nor may it shrink later, where that can be had. */
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
    region->map = mmap(NULL, (size_t)end, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (region->map == MAP_FAILED)
        return -errno;
    region->map_bytes = (size_t)end;
    region->at = (uint8_t *)region->map + offset;
    return 0;
}

void vhost_memory_clear(struct vhost_memory *memory)
{
    for (unsigned i = 0; i < memory->count; i++)
        munmap(memory->regions[i].map, memory->regions[i].map_bytes);
    memory->count = 0;
}

int vhost_memory_set(struct vhost_memory *memory, const uint8_t *payload, size_t size, int *fds,
                     unsigned fd_count)
{
    uint32_t count = size >= TABLE_HEADER_BYTES ? mmc_le32_get(payload) : 0;
    int r = 0;

    vhost_memory_clear(memory);
    if (!count || count > VHOST_REGIONS_MAX || count != fd_count ||
        size < TABLE_HEADER_BYTES + count * TABLE_REGION_BYTES)
        r = -EINVAL;
    for (uint32_t i = 0; !r && i < count; i++) {
        const uint8_t *p = payload + TABLE_HEADER_BYTES + i * TABLE_REGION_BYTES;
        struct vhost_region *region = &memory->regions[i];

        region->guest = mmc_le64_get(p);
        region->bytes = mmc_le64_get(p + 8);
        region->user = mmc_le64_get(p + 16);
        r = region_map(region, mmc_le64_get(p + 24), fds[i]);
        if (!r)
            memory->count++;
    }
    for (unsigned i = 0; i < fd_count; i++)
        close(fds[i]);
    if (r)
        vhost_memory_clear(memory);
    return r;
}

uint8_t *vhost_memory_guest(const struct vhost_memory *memory, uint64_t guest, uint64_t bytes)
{
    for (unsigned i = 0; i < memory->count; i++) {
        const struct vhost_region *region = &memory->regions[i];

        if (guest >= region->guest && bytes <= region->bytes &&
            guest - region->guest <= region->bytes - bytes)
            return region->at + (guest - region->guest);
    }
    return NULL;
}

uint8_t *vhost_memory_user(const struct vhost_memory *memory, uint64_t user, uint64_t bytes)
{
    for (unsigned i = 0; i < memory->count; i++) {
        const struct vhost_region *region = &memory->regions[i];

        if (user >= region->user && bytes <= region->bytes && user - region->user <= region->bytes - bytes)
            return region->at + (user - region->user);
    }
    return NULL;
}
