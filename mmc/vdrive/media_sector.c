/* SPDX-License-Identifier: MIT */
/*
 * Sectors of the program area: a record of form and Q for each, user data of 2048 bytes in one file, whole
 * sectors of the other forms in a second, and the sub-channels that the host wrote itself in a third.
 */
#include <string.h>

#include "mmc/vdrive/media_store.h"

#define SECTOR_RECORD VDRIVE_SECTOR_RECORD
#define CHUNK         128u

/* All but the user data begin with the pregap of the first track. */
static off_t sector_offset(mmc_lba_t lba, size_t bytes)
{
    return ((off_t)lba.n + VDRIVE_PREGAP) * (off_t)bytes;
}

/* Whether the user data is all that has to be kept of a sector's main channel. */
static bool form_is_plain(uint8_t form)
{
    return form == VDRIVE_SECTOR_MODE1 || form == VDRIVE_SECTOR_FORM1;
}

static bool form_is_whole(uint8_t form)
{
    return form == VDRIVE_SECTOR_AUDIO || form == VDRIVE_SECTOR_MODE2 || form == VDRIVE_SECTOR_FORM2 ||
           form == VDRIVE_SECTOR_BROKEN;
}

static void record_decode(const uint8_t *p, struct vdrive_sector *sector)
{
    sector->form = p[0];
    sector->flags = p[1];
    memcpy(sector->subheader, p + 4, sizeof(sector->subheader));
    memcpy(sector->q, p + 8, sizeof(sector->q));
}

static void record_encode(uint8_t *p, const struct vdrive_sector *sector)
{
    p[0] = sector->form;
    p[1] = sector->flags;
    p[2] = p[3] = 0;
    memcpy(p + 4, sector->subheader, sizeof(sector->subheader));
    memcpy(p + 8, sector->q, sizeof(sector->q));
}

int vdrive_media_sectors_read(const struct vdrive_media *media, mmc_lba_t first, uint32_t count,
                              struct vdrive_sector *sectors)
{
    uint8_t raw[CHUNK * SECTOR_RECORD];

    for (uint32_t i = 0; i < count; i += CHUNK) {
        uint32_t n = count - i < CHUNK ? count - i : CHUNK;
        int err = vdrive_store_read(media->sectors, raw, n * SECTOR_RECORD,
                                    sector_offset(mmc_lba_add(first, i), SECTOR_RECORD));

        if (err)
            return err;
        for (uint32_t j = 0; j < n; j++)
            record_decode(raw + j * SECTOR_RECORD, &sectors[i + j]);
    }
    return 0;
}

/* Contents of one sector. Blocks of user data are gathered, see data_write. */
static int contents_write(struct vdrive_media *media, mmc_lba_t lba, const struct vdrive_slot *slot)
{
    int err = 0;

    if (form_is_whole(slot->sector.form))
        err = vdrive_store_write(media, media->main, slot->main, MMC_SECTOR_BYTES,
                                 sector_offset(lba, MMC_SECTOR_BYTES));
    if (!err && slot->sector.flags & VDRIVE_SECTOR_SUB)
        err = vdrive_store_write(media, media->sub, slot->sub, MMC_SUBCHANNEL_BYTES,
                                 sector_offset(lba, MMC_SUBCHANNEL_BYTES));
    return err;
}

/* User data of the plain sectors at the front of the range; *done: how many those are. */
static int data_write(struct vdrive_media *media, mmc_lba_t first, uint32_t count,
                      const struct vdrive_slot *slots, uint32_t *done)
{
    uint8_t data[32 * MMC_BLOCK_BYTES];

    *done = 0;
    while (*done < count && *done < 32 && form_is_plain(slots[*done].sector.form) && first.n >= 0) {
        memcpy(data + (size_t)*done * MMC_BLOCK_BYTES, slots[*done].main, MMC_BLOCK_BYTES);
        (*done)++;
    }
    return *done ? vdrive_media_write(media, first, *done, data) : 0;
}

/* Before LBA 0 there is no user data to keep: the host writes zeros there, and whatever it writes is a
 * pregap. */
static int chunk_write(struct vdrive_media *media, mmc_lba_t first, uint32_t count,
                       const struct vdrive_slot *slots)
{
    uint8_t raw[CHUNK * SECTOR_RECORD];
    int err = 0;

    for (uint32_t i = 0; i < count && !err;) {
        uint32_t plain;

        err = data_write(media, mmc_lba_add(first, i), count - i, slots + i, &plain);
        if (!plain)
            plain = 1;
        for (uint32_t end = i + plain; i < end && !err; i++)
            err = contents_write(media, mmc_lba_add(first, i), &slots[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        record_encode(raw + i * SECTOR_RECORD, &slots[i].sector);
    if (!err)
        err = vdrive_store_write(media, media->sectors, raw, count * SECTOR_RECORD,
                                 sector_offset(first, SECTOR_RECORD));
    return err;
}

int vdrive_media_sectors_write(struct vdrive_media *media, mmc_lba_t first, uint32_t count,
                               const struct vdrive_slot *slots)
{
    int err = 0;

    for (uint32_t i = 0; i < count && !err; i += CHUNK) {
        uint32_t n = count - i < CHUNK ? count - i : CHUNK;

        err = chunk_write(media, mmc_lba_add(first, i), n, slots + i);
    }
    return err;
}

mmc_lba_t vdrive_media_sectors_end(const struct vdrive_media *media)
{
    off_t size;

    if (vdrive_store_size(media->sectors, &size) != 0)
        size = 0;
    return mmc_lba(size / SECTOR_RECORD - VDRIVE_PREGAP);
}

int vdrive_media_sector_load(const struct vdrive_media *media, mmc_lba_t lba,
                             const struct vdrive_sector *sector, uint8_t main[MMC_SECTOR_BYTES])
{
    enum mmc_sector_form form = sector->form == VDRIVE_SECTOR_MODE1 ? MMC_SECTOR_MODE1 : MMC_SECTOR_FORM1;
    uint8_t data[MMC_BLOCK_BYTES] = {0};
    int err = 0;

    if (form_is_whole(sector->form))
        return vdrive_store_read(media->main, main, MMC_SECTOR_BYTES, sector_offset(lba, MMC_SECTOR_BYTES));
    if (!form_is_plain(sector->form)) {
        memset(main, 0, MMC_SECTOR_BYTES);
        return 0;
    }
    if (lba.n >= 0)
        err = vdrive_media_read(media, lba, 1, data);
    mmc_sector_compose(main, form, lba, sector->subheader, data);
    return err;
}

int vdrive_media_sub_load(const struct vdrive_media *media, mmc_lba_t lba, const struct vdrive_sector *sector,
                          uint8_t sub[MMC_SUBCHANNEL_BYTES])
{
    static const uint8_t pause[12] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    if (sector->flags & VDRIVE_SECTOR_SUB)
        return vdrive_store_read(media->sub, sub, MMC_SUBCHANNEL_BYTES,
                                 sector_offset(lba, MMC_SUBCHANNEL_BYTES));
    memset(sub, 0, MMC_SUBCHANNEL_BYTES);
    mmc_subchannel_put(sub, 6, sector->q);
    if ((sector->q[0] & 15) == MMC_Q_POSITION && sector->q[2] == 0)
        mmc_subchannel_put(sub, 7, pause);
    return 0;
}
