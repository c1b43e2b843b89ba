/* SPDX-License-Identifier: MIT */
/* The descriptors of the volume (ECMA-167 part 3), each 512 bytes but the logical volume descriptor with its
 * partition maps, and the integrity descriptor. */
#include <errno.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/codec.h"
#include "udf/codec_part.h"

/* These descriptors are found by walking a sequence, so the walker judges the location. */
static int tag_of(const uint8_t *bytes, size_t size, uint16_t id, struct udf_tag *tag)
{
    int err = udf_tag_decode(bytes, size, tag);
    if (err)
        return err;
    return tag->id == id ? 0 : -EUCLEAN;
}

/* ECMA-167 3/10.2 */
int udf_avdp_decode(const uint8_t block[UDF_BLOCK_BYTES], mmc_lba_t at, struct udf_avdp *avdp)
{
    int err = udf_tag_expect(block, UDF_BLOCK_BYTES, UDF_TAG_AVDP, (uint32_t)at.n, &avdp->tag);
    if (err)
        return err;
    avdp->main = udf_volume_extent_decode(block + 16);
    avdp->reserve = udf_volume_extent_decode(block + 24);
    return 0;
}

struct udf_volume_extent udf_vdp_next(const uint8_t block[UDF_BLOCK_BYTES])
{
    return udf_volume_extent_decode(block + 20);
}

/* ECMA-167 3/10.1 */
int udf_pvd_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_pvd *pvd)
{
    struct udf_tag tag;
    int err = tag_of(block, UDF_BLOCK_BYTES, UDF_TAG_PVD, &tag);
    if (err)
        return err;
    pvd->sequence = mmc_le32_get(block + 16);
    udf_dstring_decode(block + 24, 32, pvd->volume_id, sizeof pvd->volume_id);
    udf_dstring_decode(block + 72, 128, pvd->volume_set_id, sizeof pvd->volume_set_id);
    udf_time_decode(block + 376, &pvd->recorded);
    return 0;
}

/* ECMA-167 3/10.5, with the partition header descriptor of 4/14.3 in its contents use */
int udf_pd_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_pd *pd)
{
    struct udf_tag tag;
    int err = tag_of(block, UDF_BLOCK_BYTES, UDF_TAG_PD, &tag);
    if (err)
        return err;
    struct udf_regid contents;
    udf_regid_decode(block + 24, &contents);
    const uint8_t *header = block + 56;
    *pd = (struct udf_pd){
        .sequence = mmc_le32_get(block + 16),
        .number = mmc_le16_get(block + 22),
        .access_type = mmc_le32_get(block + 184),
        .start = mmc_lba(mmc_le32_get(block + 188)),
        .blocks = mmc_le32_get(block + 192),
        .space_table = {mmc_le32_get(header) & UDF_EXTENT_BYTES_MAX, {mmc_le32_get(header + 4)}},
        .space_bitmap = {mmc_le32_get(header + 8) & UDF_EXTENT_BYTES_MAX, {mmc_le32_get(header + 12)}},
        .freed_table = {mmc_le32_get(header + 24) & UDF_EXTENT_BYTES_MAX, {mmc_le32_get(header + 28)}},
        .freed_bitmap = {mmc_le32_get(header + 32) & UDF_EXTENT_BYTES_MAX, {mmc_le32_get(header + 36)}},
    };
    memcpy(pd->contents, contents.id, sizeof pd->contents);
    return 0;
}

static void map_decode_sparable(const uint8_t *bytes, struct udf_map *map)
{
    map->kind = UDF_MAP_SPARABLE;
    map->packet_blocks = mmc_le16_get(bytes + 40);
    map->table_count = bytes[42] <= UDF_SPARING_COPIES ? bytes[42] : UDF_SPARING_COPIES;
    map->table_bytes = mmc_le32_get(bytes + 44);
    for (unsigned i = 0; i < map->table_count; i++)
        map->tables[i] = mmc_lba(mmc_le32_get(bytes + 48 + 4 * i));
}

static void map_decode_metadata(const uint8_t *bytes, struct udf_map *map)
{
    map->kind = UDF_MAP_METADATA;
    map->metadata_file = mmc_le32_get(bytes + 40);
    map->metadata_mirror = mmc_le32_get(bytes + 44);
    map->metadata_bitmap = mmc_le32_get(bytes + 48);
    map->alloc_unit = mmc_le32_get(bytes + 52);
    map->align_unit = mmc_le16_get(bytes + 56);
    map->metadata_duplicate = bytes[58] & 1;
}

/* ECMA-167 3/10.7.2 and 3/10.7.3. Returns the bytes that the map took. */
static int map_decode(const uint8_t *bytes, size_t left, struct udf_map *map)
{
    *map = (struct udf_map){0};
    if (left < 2 || bytes[1] > left)
        return -EUCLEAN;
    if (bytes[0] == 1 && bytes[1] == 6) {
        map->kind = UDF_MAP_PHYSICAL;
        map->volume_sequence = mmc_le16_get(bytes + 2);
        map->partition_number = mmc_le16_get(bytes + 4);
        return 6;
    }
    if (bytes[0] != 2 || bytes[1] != 64)
        return -EUCLEAN;
    struct udf_regid type;
    udf_regid_decode(bytes + 4, &type);
    map->volume_sequence = mmc_le16_get(bytes + 36);
    map->partition_number = mmc_le16_get(bytes + 38);
    if (!strcmp(type.id, "*UDF Sparable Partition"))
        map_decode_sparable(bytes, map);
    else if (!strcmp(type.id, "*UDF Virtual Partition"))
        map->kind = UDF_MAP_VIRTUAL;
    else if (!strcmp(type.id, "*UDF Metadata Partition"))
        map_decode_metadata(bytes, map);
    else
        return -EOPNOTSUPP;
    return 64;
}

static int maps_decode(const uint8_t *bytes, size_t table_bytes, struct udf_lvd *lvd)
{
    for (unsigned i = 0; i < lvd->map_count; i++) {
        int taken = map_decode(bytes, table_bytes, &lvd->maps[i]);
        if (taken < 0)
            return taken;
        bytes += taken;
        table_bytes -= (size_t)taken;
    }
    return 0;
}

/* ECMA-167 3/10.6 */
int udf_lvd_decode(const uint8_t *bytes, size_t size, struct udf_lvd *lvd)
{
    struct udf_tag tag;
    if (size < 440)
        return -EUCLEAN;
    int err = tag_of(bytes, size, UDF_TAG_LVD, &tag);
    if (err)
        return err;
    struct udf_regid domain;
    udf_regid_decode(bytes + 216, &domain);
    *lvd = (struct udf_lvd){
        .sequence = mmc_le32_get(bytes + 16),
        .block_bytes = mmc_le32_get(bytes + 212),
        .domain_revision = mmc_le16_get(domain.suffix),
        .domain_flags = domain.suffix[2],
        .domain_ok = !strcmp(domain.id, "*OSTA UDF Compliant"),
        .fileset = udf_long_ad_decode(bytes + 248),
        .integrity = udf_volume_extent_decode(bytes + 432),
        .map_count = mmc_le32_get(bytes + 268),
    };
    udf_dstring_decode(bytes + 84, 128, lvd->volume_id, sizeof lvd->volume_id);
    uint32_t table_bytes = mmc_le32_get(bytes + 264);
    if (table_bytes > size - 440 || lvd->map_count < 1 || lvd->map_count > UDF_MAPS_MAX)
        return -EUCLEAN;
    return maps_decode(bytes + 440, table_bytes, lvd);
}

/* ECMA-167 3/10.4 */
int udf_iuvd_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_iuvd *iuvd)
{
    struct udf_tag tag;
    int err = tag_of(block, UDF_BLOCK_BYTES, UDF_TAG_IUVD, &tag);
    if (err)
        return err;
    iuvd->sequence = mmc_le32_get(block + 16);
    udf_regid_decode(block + 20, &iuvd->implementation);
    memcpy(iuvd->use, block + 52, sizeof iuvd->use);
    return 0;
}

void udf_iuvd_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_tag *tag, const struct udf_iuvd *iuvd)
{
    memset(block, 0, UDF_BLOCK_BYTES);
    mmc_le32_put(block + 16, iuvd->sequence);
    udf_regid_encode(block + 20, &iuvd->implementation);
    memcpy(block + 52, iuvd->use, sizeof iuvd->use);
    udf_tag_encode_as(block, tag, UDF_TAG_IUVD, 512);
}

#define LVID_BYTES     80u /* before the two tables */
#define LVID_USE_BYTES 46u /* implementation use that UDF 2.2.6.4 prescribes */

/* ECMA-167 3/10.10, UDF 2.2.6 */
int udf_lvid_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_lvid *lvid)
{
    memset(lvid, 0, sizeof *lvid);
    int err = tag_of(block, UDF_BLOCK_BYTES, UDF_TAG_LVID, &lvid->tag);
    if (err)
        return err;
    udf_time_decode(block + 16, &lvid->recorded);
    lvid->integrity = mmc_le32_get(block + 28);
    lvid->next = udf_volume_extent_decode(block + 32);
    lvid->next_unique_id = mmc_le64_get(block + 40);
    lvid->partitions = mmc_le32_get(block + 72);
    uint32_t use_bytes = mmc_le32_get(block + 76);
    if (lvid->partitions > UDF_MAPS_MAX || lvid->integrity > 1)
        return -EUCLEAN;
    for (unsigned i = 0; i < lvid->partitions; i++) {
        lvid->free_blocks[i] = mmc_le32_get(block + LVID_BYTES + 4 * i);
        lvid->size_blocks[i] = mmc_le32_get(block + LVID_BYTES + 4 * (lvid->partitions + i));
    }
    if (use_bytes < LVID_USE_BYTES)
        return -EUCLEAN;
    const uint8_t *use = block + LVID_BYTES + 8 * lvid->partitions;
    udf_regid_decode(use, &lvid->implementation);
    lvid->files = mmc_le32_get(use + 32);
    lvid->directories = mmc_le32_get(use + 36);
    lvid->min_read = mmc_le16_get(use + 40);
    lvid->min_write = mmc_le16_get(use + 42);
    lvid->max_write = mmc_le16_get(use + 44);
    return 0;
}

void udf_lvid_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_lvid *lvid)
{
    memset(block, 0, UDF_BLOCK_BYTES);
    udf_time_encode(block + 16, &lvid->recorded);
    mmc_le32_put(block + 28, lvid->integrity);
    udf_volume_extent_encode(block + 32, &lvid->next);
    mmc_le64_put(block + 40, lvid->next_unique_id);
    mmc_le32_put(block + 72, lvid->partitions);
    mmc_le32_put(block + 76, LVID_USE_BYTES);
    for (unsigned i = 0; i < lvid->partitions; i++) {
        mmc_le32_put(block + LVID_BYTES + 4 * i, lvid->free_blocks[i]);
        mmc_le32_put(block + LVID_BYTES + 4 * (lvid->partitions + i), lvid->size_blocks[i]);
    }
    uint8_t *use = block + LVID_BYTES + 8 * lvid->partitions;
    udf_regid_encode(use, &lvid->implementation);
    mmc_le32_put(use + 32, lvid->files);
    mmc_le32_put(use + 36, lvid->directories);
    mmc_le16_put(use + 40, lvid->min_read);
    mmc_le16_put(use + 42, lvid->min_write);
    mmc_le16_put(use + 44, lvid->max_write);
    udf_tag_encode_as(block, &lvid->tag, UDF_TAG_LVID, LVID_BYTES + 8 * lvid->partitions + LVID_USE_BYTES);
}
