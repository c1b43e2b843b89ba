/* SPDX-License-Identifier: MIT */
/*
 * The files of a disc folder, by offset: user data, sector map, packet records, program memory area, track
 * descriptors and lead-ins. All of it may have been damaged or made up; every length is checked against what
 * the disc can hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/media_store.h"

#define PACKET_RECORD 8
#define SECTOR_RECORD VDRIVE_SECTOR_RECORD
#define TDB_RECORD    16
#define LEADIN_SLOT   2048
#define LEADIN_HEADER 16
#define LEADIN_MAGIC  0x314e494cu /* "LIN1" */
#define CHUNK         512         /* records that are moved at once */
#define COPY_BLOCKS   32          /* blocks that are looked at for zeros at once */

int vdrive_store_size(int fd, off_t *size)
{
    struct stat st;

    *size = 0;
    if (fd < 0)
        return 0;
    if (fstat(fd, &st) != 0)
        return -errno;
    *size = st.st_size;
    return 0;
}

/* All of len bytes; what lies beyond the end of the file is zeros. */
int vdrive_store_read(int fd, void *buf, size_t len, off_t at)
{
    uint8_t *to = buf;

    while (len > 0) {
        ssize_t n = fd < 0 ? 0 : pread(fd, to, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        to += n;
        at += n;
        len -= (size_t)n;
    }
    memset(to, 0, len);
    return 0;
}

static int store_failed(struct vdrive_media *media, int err)
{
    if (err && !media->error)
        media->error = err;
    return err;
}

int vdrive_store_write(struct vdrive_media *media, int fd, const void *buf, size_t len, off_t at)
{
    const uint8_t *from = buf;

    if (!media->writable)
        return -EROFS;
    while (len > 0) {
        ssize_t n = pwrite(fd, from, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return store_failed(media, n < 0 ? -errno : -EIO);
        from += n;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int vdrive_store_truncate(struct vdrive_media *media, int fd, off_t size)
{
    if (!media->writable)
        return -EROFS;
    return store_failed(media, ftruncate(fd, size) != 0 ? -errno : 0);
}

static int load_packets(struct vdrive_media *media)
{
    uint8_t raw[CHUNK * PACKET_RECORD];
    int err;

    media->packets = calloc(media->packet_count, sizeof(*media->packets));
    if (!media->packets)
        return -ENOMEM;
    for (uint32_t i = 0; i < media->packet_count; i += CHUNK) {
        uint32_t n = media->packet_count - i < CHUNK ? media->packet_count - i : CHUNK;

        err = vdrive_store_read(media->packet_file, raw, n * PACKET_RECORD, (off_t)i * PACKET_RECORD);
        if (err)
            return err;
        for (uint32_t j = 0; j < n; j++) {
            struct vdrive_packet *packet = &media->packets[i + j];

            packet->rewrites = mmc_le32_get(raw + j * PACKET_RECORD);
            packet->flags = mmc_le32_get(raw + j * PACKET_RECORD + 4);
            if (packet->flags & ~(uint32_t)(VDRIVE_PACKET_FORMATTED | VDRIVE_PACKET_TORN))
                return -EMEDIUMTYPE;
        }
    }
    return 0;
}

int vdrive_media_load(struct vdrive_media *media)
{
    const off_t sectors = media->atip_leadout.n;
    const struct {
        int fd;
        off_t record, most;
    } files[] = {
        {media->data, MMC_BLOCK_BYTES, sectors},
        {media->main, MMC_SECTOR_BYTES, sectors + VDRIVE_PREGAP},
        {media->sub, MMC_SUBCHANNEL_BYTES, sectors + VDRIVE_PREGAP},
        {media->sectors, SECTOR_RECORD, sectors + VDRIVE_PREGAP},
        {media->packet_file, PACKET_RECORD, media->packet_count},
        {media->pma, VDRIVE_Q_BYTES, VDRIVE_PMA_MAX},
        {media->tdb, TDB_RECORD, VDRIVE_TRACKS_MAX},
        {media->leadin, LEADIN_SLOT, VDRIVE_SESSIONS_MAX},
        {media->text, MMC_SUBCHANNEL_BYTES, VDRIVE_SESSIONS_MAX * VDRIVE_TEXT_SECTORS},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        off_t size;
        int err = vdrive_store_size(files[i].fd, &size);

        if (err)
            return err;
        if (size % files[i].record != 0 || size / files[i].record > files[i].most)
            return -EMEDIUMTYPE;
    }
    return load_packets(media);
}

int vdrive_media_read(const struct vdrive_media *media, mmc_lba_t first, uint32_t count, void *buf)
{
    return vdrive_store_read(media->data, buf, (size_t)count * MMC_BLOCK_BYTES,
                             (off_t)first.n * MMC_BLOCK_BYTES);
}

static bool all_zero(const uint8_t *p, size_t len)
{
    return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Zeros over what may be a hole stay one. The file is as long as it would have been. */
static int data_write_zeros(struct vdrive_media *media, off_t at, size_t len)
{
    off_t size;

    if (vdrive_store_size(media->data, &size) == 0 && at + (off_t)len <= size &&
        fallocate(media->data, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, (off_t)len) == 0)
        return 0;
    if (at == size)
        return vdrive_store_truncate(media, media->data, at + (off_t)len);
    return -EOPNOTSUPP;
}

int vdrive_media_write(struct vdrive_media *media, mmc_lba_t first, uint32_t count, const void *buf)
{
    const uint8_t *from = buf;
    int err = 0;

    if (!media->writable)
        return -EROFS;
    for (uint32_t i = 0; i < count && !err; i += COPY_BLOCKS) {
        uint32_t n = count - i < COPY_BLOCKS ? count - i : COPY_BLOCKS;
        size_t len = (size_t)n * MMC_BLOCK_BYTES;
        const uint8_t *part = from + (size_t)i * MMC_BLOCK_BYTES;
        off_t at = ((off_t)first.n + i) * MMC_BLOCK_BYTES;

        if (!all_zero(part, len) || data_write_zeros(media, at, len) != 0)
            err = vdrive_store_write(media, media->data, part, len, at);
    }
    return err;
}

int vdrive_media_data_reset(struct vdrive_media *media, uint32_t blocks)
{
    int err = vdrive_store_truncate(media, media->data, 0);

    return err ? err : vdrive_store_truncate(media, media->data, (off_t)blocks * MMC_BLOCK_BYTES);
}

int vdrive_media_packets_store(struct vdrive_media *media, uint32_t first, uint32_t count)
{
    uint8_t raw[CHUNK * PACKET_RECORD];
    int err = 0;

    for (uint32_t i = 0; i < count && !err; i += CHUNK) {
        uint32_t n = count - i < CHUNK ? count - i : CHUNK;

        for (uint32_t j = 0; j < n; j++) {
            mmc_le32_put(raw + j * PACKET_RECORD, media->packets[first + i + j].rewrites);
            mmc_le32_put(raw + j * PACKET_RECORD + 4, media->packets[first + i + j].flags);
        }
        err = vdrive_store_write(media, media->packet_file, raw, n * PACKET_RECORD,
                                 (off_t)(first + i) * PACKET_RECORD);
    }
    return err;
}

int vdrive_media_pma_read(const struct vdrive_media *media, struct vdrive_q frames[VDRIVE_PMA_MAX])
{
    uint8_t raw[VDRIVE_PMA_MAX * VDRIVE_Q_BYTES];
    int count = 0;
    off_t size;
    int err = vdrive_store_size(media->pma, &size);

    if (!err)
        err = vdrive_store_read(media->pma, raw, sizeof(raw), 0);
    if (err)
        return err;
    for (int i = 0; i < VDRIVE_PMA_MAX && i < size / VDRIVE_Q_BYTES; i++)
        count += vdrive_q_decode(raw + i * VDRIVE_Q_BYTES, &frames[count]);
    return count;
}

int vdrive_media_pma_append(struct vdrive_media *media, const struct vdrive_q *q)
{
    uint8_t raw[VDRIVE_Q_BYTES];
    off_t size;
    int err = vdrive_store_size(media->pma, &size);

    if (err)
        return err;
    vdrive_q_encode(q, raw);
    return vdrive_store_write(media, media->pma, raw, sizeof(raw), size);
}

int vdrive_media_tdb_read(const struct vdrive_media *media, unsigned track, struct vdrive_tdb *tdb)
{
    uint8_t raw[TDB_RECORD];
    int err = vdrive_store_read(media->tdb, raw, sizeof(raw), (off_t)(track - 1) * TDB_RECORD);

    if (!err)
        *tdb = (struct vdrive_tdb){raw[0], raw[1], mmc_le32_get(raw + 4)};
    return err;
}

int vdrive_media_tdb_write(struct vdrive_media *media, unsigned track, const struct vdrive_tdb *tdb)
{
    uint8_t raw[TDB_RECORD] = {tdb->method, tdb->data_mode};

    mmc_le32_put(raw + 4, tdb->packet_blocks);
    return vdrive_store_write(media, media->tdb, raw, sizeof(raw), (off_t)(track - 1) * TDB_RECORD);
}

int vdrive_media_leadin_read(const struct vdrive_media *media, unsigned session, struct vdrive_leadin *leadin)
{
    uint8_t raw[LEADIN_SLOT];
    uint32_t count;
    int err = vdrive_store_read(media->leadin, raw, sizeof(raw), (off_t)(session - 1) * LEADIN_SLOT);

    if (err)
        return err;
    if (mmc_le32_get(raw) != LEADIN_MAGIC)
        return 0;
    count = mmc_le32_get(raw + 8);
    if (count > VDRIVE_LEADIN_MAX)
        return -EMEDIUMTYPE;
    leadin->start = mmc_lba((int32_t)mmc_le32_get(raw + 4));
    leadin->leadout_sectors = mmc_le32_get(raw + 12);
    leadin->count = 0;
    for (uint32_t i = 0; i < count; i++)
        leadin->count +=
            vdrive_q_decode(raw + LEADIN_HEADER + i * VDRIVE_Q_BYTES, &leadin->frames[leadin->count]);
    return 1;
}

int vdrive_media_leadin_write(struct vdrive_media *media, unsigned session,
                              const struct vdrive_leadin *leadin)
{
    uint8_t raw[LEADIN_SLOT] = {0};

    mmc_le32_put(raw, LEADIN_MAGIC);
    mmc_le32_put(raw + 4, (uint32_t)leadin->start.n);
    mmc_le32_put(raw + 8, leadin->count);
    mmc_le32_put(raw + 12, leadin->leadout_sectors);
    for (unsigned i = 0; i < leadin->count; i++)
        vdrive_q_encode(&leadin->frames[i], raw + LEADIN_HEADER + i * VDRIVE_Q_BYTES);
    return vdrive_store_write(media, media->leadin, raw, sizeof(raw), (off_t)(session - 1) * LEADIN_SLOT);
}

static off_t text_offset(unsigned session, uint32_t sector)
{
    return ((off_t)(session - 1) * VDRIVE_TEXT_SECTORS + sector) * MMC_SUBCHANNEL_BYTES;
}

int vdrive_media_text_write(struct vdrive_media *media, unsigned session, uint32_t sector,
                            const uint8_t symbols[MMC_SUBCHANNEL_BYTES])
{
    if (sector >= VDRIVE_TEXT_SECTORS)
        return 0;
    return vdrive_store_write(media, media->text, symbols, MMC_SUBCHANNEL_BYTES,
                              text_offset(session, sector));
}

int vdrive_media_text_read(const struct vdrive_media *media, unsigned session, uint32_t sector,
                           uint8_t symbols[MMC_SUBCHANNEL_BYTES])
{
    return vdrive_store_read(media->text, symbols, MMC_SUBCHANNEL_BYTES, text_offset(session, sector));
}

int vdrive_media_erase(struct vdrive_media *media)
{
    int err = vdrive_store_truncate(media, media->leadin, 0);

    if (!err)
        err = vdrive_media_data_reset(media, 0);
    for (int i = 0; i < 4 && !err; i++)
        err = vdrive_store_truncate(
            media, (const int[]){media->sectors, media->main, media->sub, media->text}[i], 0);
    for (uint32_t i = 0; i < media->packet_count; i++)
        media->packets[i].flags = 0;
    return err ? err : vdrive_media_packets_store(media, 0, media->packet_count);
}

int vdrive_media_erase_pma(struct vdrive_media *media)
{
    int err = vdrive_store_truncate(media, media->pma, 0);

    return err ? err : vdrive_store_truncate(media, media->tdb, 0);
}
