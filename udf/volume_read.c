/* SPDX-License-Identifier: MIT */
/*
 * Recognises a UDF volume (ECMA-167 2/8, 3/8, UDF 2.2): volume recognition sequence, anchors, the better of
 * the two descriptor sequences, partitions with their spares, and where the journal lies. A torn packet costs
 * one copy of something here, and there are two of everything but the integrity descriptor.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "udf/recognise.h"

int udf_recognise_block(const struct udf_volume *vol, mmc_lba_t at, uint8_t block[UDF_BLOCK_BYTES])
{
    if (at.n < 0 || (uint32_t)at.n >= vol->dev->geometry.blocks)
        return -EUCLEAN;
    return block_read(vol->dev, at, 1, block);
}

bool udf_recognise_hopeless(int err)
{
    return err && err != -EIO && err != -EINVAL && err != -EUCLEAN;
}

bool udf_recognise_blank(const uint8_t block[UDF_BLOCK_BYTES])
{
    for (unsigned i = 0; i < UDF_BLOCK_BYTES; i++)
        if (block[i])
            return false;
    return true;
}

void udf_recognise_read_only(struct udf_volume *vol, const char *format, ...)
{
    va_list args;
    vol->read_only = true;
    if (vol->read_only_reason[0])
        return;
    va_start(args, format);
    vsnprintf(vol->read_only_reason, sizeof vol->read_only_reason, format, args);
    va_end(args);
}

/* What the volume recognition sequence says. */
enum vrs {
    VRS_LOST,  /* nothing: blank or unreadable, which a torn packet can do */
    VRS_OTHER, /* something that is not UDF */
    VRS_UDF,
};

#define VRS_FIRST 16 /* 32,768 bytes from the start; one structure in each 2,048 bytes */
#define VRS_MAX   64

/* ECMA-167 2/8 and 3/9.1: between BEA01 and TEA01 there must be an NSR descriptor. */
static int vrs_read(const struct udf_volume *vol, enum vrs *vrs)
{
    uint8_t block[UDF_BLOCK_BYTES];
    bool extended = false, other = false;
    *vrs = VRS_LOST;
    for (int i = 0; i < VRS_MAX; i++) {
        int err = udf_recognise_block(vol, mmc_lba(VRS_FIRST + i), block);
        if (udf_recognise_hopeless(err))
            return err;
        if (err || udf_recognise_blank(block))
            break;
        const char *id = (const char *)block + 1;
        if (!memcmp(id, "NSR02", 5) || !memcmp(id, "NSR03", 5)) {
            *vrs = VRS_UDF;
            return 0;
        }
        bool known = !memcmp(id, "BEA01", 5) || !memcmp(id, "BOOT2", 5) || !memcmp(id, "CD001", 5) ||
                     !memcmp(id, "CDW02", 5);
        extended |= !memcmp(id, "BEA01", 5);
        other = true;
        if (!known)
            break;
    }
    if (other && !extended)
        *vrs = VRS_OTHER;
    return 0;
}

/* The search for a descriptor sequence that can be used. */
struct search {
    bool anchor;     /* there is one */
    bool unreadable; /* there may be one where the medium cannot be read */
    struct udf_avdp tried;
    int result; /* 0 when best holds something, else why there is nothing */
    struct udf_sequence best;
};

static bool search_done(const struct search *search)
{
    return !search->result && search->best.state == UDF_SEQUENCE_WHOLE;
}

/* Reads a further pair of sequences, and keeps the better of them and what was found before. */
static int sequences_try(const struct udf_volume *vol, const struct udf_avdp *avdp, struct search *search)
{
    const struct udf_volume_extent extents[] = {avdp->main, avdp->reserve};
    for (unsigned i = 0; i < 2 && !search_done(search); i++) {
        struct udf_sequence sequence;
        int err = udf_sequence_read(vol, extents[i], &sequence);
        if (udf_recognise_hopeless(err) && err != -EOPNOTSUPP)
            return err;
        if (!err && (search->result || sequence.state > search->best.state))
            search->best = sequence;
        if (!err || search->result == -EUCLEAN)
            search->result = err;
    }
    return 0;
}

#define ANCHOR_PLACES_MAX 12

/* ECMA-167 3/8.4.2.1 places an anchor at two of 256, N - 256 and N. Writers counted N in many ways (run-out
 * blocks, a pregap), and an open session on a write-once disc has it at 512. */
static unsigned anchor_places(const struct udf_volume *vol, int64_t *places)
{
    static const int short_by[] = {0, 1, 2, 150, 152};
    int64_t last = (int64_t)vol->dev->geometry.blocks - 1;
    unsigned count = 0;
    places[count++] = 256;
    places[count++] = last - 256;
    places[count++] = last;
    places[count++] = 512;
    for (unsigned i = 1; i < sizeof short_by / sizeof short_by[0]; i++) {
        places[count++] = last - short_by[i];
        places[count++] = last - 256 - short_by[i];
    }
    return count;
}
static bool extent_equal(struct udf_volume_extent a, struct udf_volume_extent b)
{
    return a.bytes == b.bytes && a.first.n == b.first.n;
}

/* Looks for an anchor at one place, and when it names sequences not seen yet, reads those. */
static int anchor_try(struct udf_volume *vol, mmc_lba_t at, struct search *search)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_avdp avdp;
    int err = udf_recognise_block(vol, at, block);
    if (udf_recognise_hopeless(err))
        return err;
    if (err == -EIO) {
        search->unreadable = true;
        udf_message(vol, UDF_LEVEL_WARNING, "block %d: the anchor cannot be read", at.n);
    }
    if (err || udf_avdp_decode(block, at, &avdp))
        return 0;
    if (search->anchor && extent_equal(avdp.main, search->tried.main) &&
        extent_equal(avdp.reserve, search->tried.reserve))
        return 0;
    if (!search->anchor)
        vol->tag_serial = avdp.tag.serial;
    search->anchor = true;
    search->tried = avdp;
    return sequences_try(vol, &avdp, search);
}

static int anchors_read(struct udf_volume *vol, struct search *search)
{
    int64_t places[ANCHOR_PLACES_MAX];
    unsigned count = anchor_places(vol, places);
    for (unsigned i = 0; i < count && !search_done(search); i++) {
        int err = places[i] >= 0 && places[i] <= INT32_MAX ? anchor_try(vol, mmc_lba(places[i]), search) : 0;
        if (err)
            return err;
    }
    return 0;
}

/* UDF has the logical block as big as the sector (2.2.4.2), which can be anything. Whether an anchor lies
 * where another block size puts it. */
static uint32_t other_block_size(const struct udf_volume *vol)
{
    static const uint32_t sizes[] = {512, 1024, 4096};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t block[UDF_BLOCK_BYTES];
        struct udf_tag tag;
        mmc_lba_t at = mmc_lba(256 * (int64_t)sizes[i] / UDF_BLOCK_BYTES);
        if (!udf_recognise_block(vol, at, block) && !udf_tag_expect(block, 512, UDF_TAG_AVDP, 256, &tag))
            return sizes[i];
    }
    return 0;
}

/* No descriptor sequence can be used: says why. */
static int nothing_found(const struct udf_volume *vol, enum vrs vrs, const struct search *search)
{
    uint32_t size = search->anchor ? 0 : other_block_size(vol);
    if (size) {
        udf_message(vol, UDF_LEVEL_ERROR, "the volume has blocks of %u bytes; only 2048 are supported", size);
        return -EOPNOTSUPP;
    }
    if (!search->anchor && vrs != VRS_UDF)
        return search->unreadable ? -EIO : -EMEDIUMTYPE;
    if (!search->anchor)
        udf_message(vol, UDF_LEVEL_ERROR,
                    "a UDF volume, but no anchor at block 256 or at the end can be read");
    else if (search->result == -EOPNOTSUPP)
        udf_message(vol, UDF_LEVEL_ERROR, "the volume has a kind of partition that is not known");
    else
        udf_message(vol, UDF_LEVEL_ERROR, "neither volume descriptor sequence can be used");
    return search->result;
}

static int partition_adopt(struct udf_volume *vol, const struct udf_sequence *sequence, unsigned part)
{
    struct udf_partition *partition = &vol->partitions[part];
    const struct udf_map *map = &vol->lvd.maps[part];
    *partition = (struct udf_partition){.map = *map};
    for (unsigned i = 0; i < sequence->pd_count; i++)
        if (sequence->pds[i].number == map->partition_number)
            partition->pd = sequence->pds[i];
    if (map->kind == UDF_MAP_VIRTUAL || map->kind == UDF_MAP_METADATA) {
        const char *kind =
            map->kind == UDF_MAP_VIRTUAL ? "virtual (a write-once disc)" : "metadata (UDF 2.50)";
        udf_message(vol, UDF_LEVEL_ERROR, "partition %u is of the %s kind, which is not supported", part,
                    kind);
        udf_recognise_read_only(vol, "it has a partition of the %s kind", kind);
        return -EOPNOTSUPP;
    }
    const struct udf_pd *pd = &partition->pd;
    if (!pd->blocks || pd->start.n < 0 || (uint64_t)pd->start.n + pd->blocks > INT32_MAX) {
        udf_message(vol, UDF_LEVEL_ERROR, "partition %u: %u blocks from block %d on make no sense", part,
                    pd->blocks, pd->start.n);
        return -EUCLEAN;
    }
    if ((uint64_t)pd->start.n + pd->blocks > vol->dev->geometry.blocks)
        udf_recognise_read_only(vol, "its partition ends at block %u, beyond the end of the medium",
                                (uint32_t)pd->start.n + pd->blocks);
    if (map->kind != UDF_MAP_SPARABLE)
        return 0;
    if (map->packet_blocks && (uint32_t)pd->start.n % map->packet_blocks)
        udf_recognise_read_only(vol, "its partition does not begin with a packet");
    return udf_sparing_load(vol, part);
}

static int partitions_adopt(struct udf_volume *vol, const struct udf_sequence *sequence)
{
    vol->part = vol->lvd.fileset.at.part;
    if (vol->part >= vol->lvd.map_count) {
        udf_message(vol, UDF_LEVEL_ERROR, "the file set is in partition %u of %u", vol->part,
                    vol->lvd.map_count);
        return -EUCLEAN;
    }
    for (unsigned i = 0; i < vol->lvd.map_count; i++) {
        int err = partition_adopt(vol, sequence, i);
        if (err)
            return err;
    }
    return 0;
}

/* Whether packets from first on lie on the device and outside every partition. */
static bool area_valid(const struct udf_volume *vol, mmc_lba_t first, uint32_t packets,
                       uint32_t packet_blocks)
{
    int64_t start = first.n, end = start + (int64_t)packets * packet_blocks;
    if (!packets || start < 0 || start % packet_blocks || end > vol->dev->geometry.blocks)
        return false;
    for (unsigned i = 0; i < vol->lvd.map_count; i++) {
        const struct udf_pd *pd = &vol->partitions[i].pd;
        if (start < (int64_t)pd->start.n + pd->blocks && pd->start.n < end)
            return false;
    }
    return true;
}

static void journal_adopt(struct udf_volume *vol, const struct udf_iuvd *iuvd)
{
    const struct udf_map *map = &vol->partitions[vol->part].map;
    uint32_t packet_blocks =
        map->kind == UDF_MAP_SPARABLE ? map->packet_blocks : vol->dev->geometry.packet_blocks;
    struct udf_journal_place place;
    if (!udf_journal_place_decode(iuvd, packet_blocks, &place)) {
        int64_t log_end = place.log.n + (int64_t)place.log_packets * packet_blocks;
        int64_t images_end = place.images.n + (int64_t)place.images_packets * packet_blocks;
        if (area_valid(vol, place.log, place.log_packets, packet_blocks) &&
            area_valid(vol, place.images, place.images_packets, packet_blocks) &&
            (log_end <= place.images.n || images_end <= place.log.n)) {
            vol->journal = place;
            return;
        }
    }
    udf_message(vol, UDF_LEVEL_WARNING, "the place of the volume's journal makes no sense");
    udf_recognise_read_only(vol, "its journal cannot be used, and the newest changes may be in it");
}

static void write_judge(struct udf_volume *vol)
{
    if (vol->lvd.domain_flags & 3)
        udf_recognise_read_only(vol, "it is marked as write protected");
    if (!vol->lvd.domain_ok)
        udf_recognise_read_only(vol, "it does not say that it is UDF compliant");
    if (vol->lvd.domain_revision > UDF_REVISION_MAX)
        udf_recognise_read_only(vol, "its UDF revision %x.%02x is not known", vol->lvd.domain_revision >> 8,
                                vol->lvd.domain_revision & 0xFF);
    for (unsigned i = 0; i < vol->lvd.map_count; i++) {
        uint32_t access = vol->partitions[i].pd.access_type;
        if (access != 3 && access != 4)
            udf_recognise_read_only(vol, access == 1 ? "its partition is marked as read-only"
                                         : access == 2
                                             ? "its partition is marked as write-once"
                                             : "its partition has an access type that cannot be written");
    }
    if (vol->dev->geometry.read_only)
        udf_recognise_read_only(vol, "the medium cannot be written");
}

/* Fills the volume from the sequence that was chosen. */
static int sequence_adopt(struct udf_volume *vol, const struct udf_sequence *sequence)
{
    vol->pvd = sequence->pvd;
    vol->lvd = sequence->lvd;
    vol->tag_version = sequence->tag_version;
    if (vol->lvd.block_bytes != UDF_BLOCK_BYTES) {
        udf_message(vol, UDF_LEVEL_ERROR, "the volume has blocks of %u bytes; only 2048 are supported",
                    vol->lvd.block_bytes);
        return -EOPNOTSUPP;
    }
    if (sequence->state == UDF_SEQUENCE_DAMAGED)
        udf_recognise_read_only(vol, "both of its volume descriptor sequences are damaged");
    int err = partitions_adopt(vol, sequence);
    if (err)
        return err;
    if (sequence->journal_found)
        journal_adopt(vol, &sequence->journal);
    write_judge(vol);
    return udf_integrity_read(vol);
}

int udf_volume_recognise(struct udf_volume *vol)
{
    enum vrs vrs;
    struct search search = {.result = -EUCLEAN};
    int err = vrs_read(vol, &vrs);
    if (err)
        return err;
    if (vrs == VRS_OTHER)
        return -EMEDIUMTYPE;
    err = anchors_read(vol, &search);
    if (err)
        return err;
    if (search.result)
        return nothing_found(vol, vrs, &search);
    if (vrs == VRS_LOST)
        udf_message(vol, UDF_LEVEL_WARNING, "block %d: the volume recognition sequence is missing",
                    VRS_FIRST);
    err = sequence_adopt(vol, &search.best);
    if (err)
        udf_volume_recognise_free(vol);
    return err;
}

void udf_volume_recognise_free(struct udf_volume *vol)
{
    for (unsigned i = 0; i < UDF_MAPS_MAX; i++) {
        free(vol->partitions[i].spares);
        vol->partitions[i].spares = NULL;
        vol->partitions[i].spare_count = vol->partitions[i].spare_total = 0;
    }
}
