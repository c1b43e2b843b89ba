/* SPDX-License-Identifier: MIT */
/*
 * Bytes to structures and back, one decode and one encode function for each descriptor of ECMA-167 (third
 * edition) as UDF (OSTA, 1.02 to 2.60) uses it. Everything goes by byte offset; every decode checks bounds,
 * since what comes off a disc is hostile: pointers in decoded structures stay inside the buffer that was
 * decoded.
 *
 * Decode functions return 0, or -EUCLEAN when the bytes are not what they should be. Encode functions put a
 * valid tag in front by udf_tag_encode.
 */
#ifndef UDF_CODEC_H
#define UDF_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "udf/units.h"

/* ECMA-167 3/7.2.1 and 4/7.2.1 */
enum udf_tag_id {
    UDF_TAG_SPARING_TABLE = 0, /* UDF 2.2.11 */
    UDF_TAG_PVD = 1,
    UDF_TAG_AVDP = 2,
    UDF_TAG_VDP = 3,
    UDF_TAG_IUVD = 4,
    UDF_TAG_PD = 5,
    UDF_TAG_LVD = 6,
    UDF_TAG_USD = 7,
    UDF_TAG_TD = 8,
    UDF_TAG_LVID = 9,
    UDF_TAG_FSD = 256,
    UDF_TAG_FID = 257,
    UDF_TAG_AED = 258,
    UDF_TAG_TE = 260,
    UDF_TAG_FE = 261,
    UDF_TAG_EAHD = 262,
    UDF_TAG_USE = 263,
    UDF_TAG_SBD = 264,
    UDF_TAG_EFE = 266,
};

#define UDF_TAG_BYTES 16u

struct udf_tag {
    uint16_t id;
    uint16_t version; /* descriptor version: 2 up to UDF 1.50, 3 from 2.00 */
    uint16_t serial;
    uint16_t crc_len;
    uint32_t location;
};

/* CRC-16 of ECMA-167 1/7.2.6 (polynomial 1021h, start 0). */
uint16_t udf_crc(const uint8_t *bytes, size_t len);

/* Decodes and verifies version (2 or 3), checksum and CRC (crc_len must fit into size).
 * Does not judge id or location. */
int udf_tag_decode(const uint8_t *bytes, size_t size, struct udf_tag *tag);
/* As above, and the id and location must be these. */
int udf_tag_expect(const uint8_t *bytes, size_t size, uint16_t id, uint32_t location, struct udf_tag *tag);
/* Writes the tag in front of a descriptor whose body of tag->crc_len bytes is already in place behind it. */
void udf_tag_encode(uint8_t *bytes, const struct udf_tag *tag);

/* Time of day (ECMA-167 1/7.3), UTC seconds since 1970 with the zone kept aside. */
#define UDF_ZONE_NONE (-2047)
struct udf_time {
    int64_t sec;
    uint32_t nsec;        /* the disc holds microseconds */
    int16_t zone_minutes; /* east of UTC, -1440..1440, or UDF_ZONE_NONE */
};
#define UDF_TIME_BYTES 12u
void udf_time_decode(const uint8_t bytes[UDF_TIME_BYTES], struct udf_time *time); /* nonsense becomes 1970 */
/* Clamped to years 1 to 9999. */
void udf_time_encode(uint8_t bytes[UDF_TIME_BYTES], const struct udf_time *time);

/* Entity identifier (ECMA-167 1/7.4). */
#define UDF_REGID_BYTES 32u
struct udf_regid {
    uint8_t flags;
    char id[24]; /* 23 bytes, and a 0 behind them */
    uint8_t suffix[8];
};
void udf_regid_decode(const uint8_t bytes[UDF_REGID_BYTES], struct udf_regid *regid);
void udf_regid_encode(uint8_t bytes[UDF_REGID_BYTES], const struct udf_regid *regid);
/* "*packetfs" with the OS class and identifier of Unix/Linux (UDF 2.1.5.3, 6.3): who wrote a descriptor. */
void udf_regid_own(struct udf_regid *regid);

/* Extent of the volume space (ECMA-167 3/7.1): length in bytes, absolute block. */
struct udf_volume_extent {
    uint32_t bytes;
    mmc_lba_t first;
};

/* ---- names and strings: OSTA CS0 (UDF 2.1.1) ---- */

#define UDF_NAME_CS0_MAX  255u /* bytes with the compression byte */
#define UDF_NAME_UTF8_MAX 762u /* the longest name in UTF-8, without a 0 */

/* UTF-8 to CS0 with compression id 8 or 16. Returns the bytes written to cs0 (at most max),
 * -ENAMETOOLONG, or -EILSEQ when the name is not UTF-8 (overlong forms, surrogates and values beyond
 * U+10FFFF are not). An empty name gives 0. */
int udf_cs0_encode(const char *utf8, size_t len, uint8_t *cs0, size_t max);
/* CS0 to UTF-8. Takes ids 8, 16, 254, 255; a surrogate that stands alone becomes U+FFFD. Returns the bytes
 * written, without a 0; -ENAMETOOLONG when max is too small; -EUCLEAN. U+0000 becomes U+FFFD, so that what
 * comes out is good as a C string; a slash stays. */
int udf_cs0_decode(const uint8_t *cs0, size_t len, char *utf8, size_t max);
/* A dstring (ECMA-167 1/7.2.12) of field_size bytes to UTF-8 with a 0 behind it. Damaged ones become "". */
void udf_dstring_decode(const uint8_t *field, size_t field_size, char *utf8, size_t max);

/* ---- volume structures (ECMA-167 part 3) ---- */

struct udf_avdp {
    struct udf_tag tag;
    struct udf_volume_extent main, reserve;
};
int udf_avdp_decode(const uint8_t block[UDF_BLOCK_BYTES], mmc_lba_t at, struct udf_avdp *avdp);

struct udf_pvd {
    uint32_t sequence;
    char volume_id[128], volume_set_id[512];
    struct udf_time recorded;
};
int udf_pvd_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_pvd *pvd);

struct udf_pd {
    uint32_t sequence;
    uint16_t number;
    uint32_t access_type; /* 1 read only, 2 write once, 3 rewritable, 4 overwritable */
    mmc_lba_t start;
    uint32_t blocks;
    char contents[24]; /* "+NSR02", "+NSR03" */
    /* short_ad of the partition header descriptor (4/14.3), lengths in bytes,
     * partition-relative; 0 length: none */
    struct {
        uint32_t bytes;
        udf_block_t first;
    } space_table, space_bitmap, freed_table, freed_bitmap;
};
int udf_pd_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_pd *pd);

enum udf_map_kind {
    UDF_MAP_PHYSICAL,
    UDF_MAP_SPARABLE, /* UDF 2.2.9 */
    UDF_MAP_VIRTUAL,  /* UDF 2.2.8 */
    UDF_MAP_METADATA, /* UDF 2.2.10 in 2.50 */
};

#define UDF_MAPS_MAX       4u
#define UDF_SPARING_COPIES 4u

struct udf_map {
    enum udf_map_kind kind;
    uint16_t volume_sequence, partition_number;
    /* sparable */
    uint16_t packet_blocks;
    uint8_t table_count;
    uint32_t table_bytes;
    mmc_lba_t tables[UDF_SPARING_COPIES];
    /* metadata */
    uint32_t metadata_file, metadata_mirror, metadata_bitmap, alloc_unit;
    uint16_t align_unit;
    bool metadata_duplicate;
};

/* long_ad (ECMA-167 4/14.14.2) */
struct udf_long_ad {
    uint32_t bytes; /* 30 bits */
    uint8_t type;   /* enum udf_extent_type */
    struct udf_address at;
    uint32_t unique_id; /* of the implementation use, in a FID (UDF 2.3.10.1) */
    uint16_t flags;
};

struct udf_lvd {
    uint32_t sequence;
    char volume_id[256];
    uint32_t block_bytes;
    uint16_t domain_revision; /* 0150h, 0201h, ... */
    uint8_t domain_flags;     /* 1 hard, 2 soft write protect */
    bool domain_ok;           /* *OSTA UDF Compliant */
    struct udf_long_ad fileset;
    struct udf_volume_extent integrity;
    unsigned map_count;
    struct udf_map maps[UDF_MAPS_MAX];
};
/* -EOPNOTSUPP for a partition map of a kind that is not known. */
int udf_lvd_decode(const uint8_t *bytes, size_t size, struct udf_lvd *lvd);

/* Implementation use volume descriptor: the id alone and its 460 bytes of use (3/10.4). */
struct udf_iuvd {
    uint32_t sequence;
    struct udf_regid implementation;
    uint8_t use[460];
};
int udf_iuvd_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_iuvd *iuvd);
void udf_iuvd_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_tag *tag, const struct udf_iuvd *iuvd);

/* Logical volume integrity descriptor (3/10.10, UDF 2.2.6). */
struct udf_lvid {
    struct udf_tag tag;
    struct udf_time recorded;
    uint32_t integrity; /* 0 open, 1 close */
    struct udf_volume_extent next;
    uint64_t next_unique_id;
    unsigned partitions;
    uint32_t free_blocks[UDF_MAPS_MAX], size_blocks[UDF_MAPS_MAX];
    struct udf_regid implementation;
    uint32_t files, directories;
    uint16_t min_read, min_write, max_write;
};
int udf_lvid_decode(const uint8_t block[UDF_BLOCK_BYTES], struct udf_lvid *lvid);
void udf_lvid_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_lvid *lvid);

/* Sparing table (UDF 2.2.11). Entries as on the disc; original is partition-relative, mapped absolute. */
#define UDF_SPARE_FREE 0xFFFFFFFFu
#define UDF_SPARE_BAD  0xFFFFFFF0u
struct udf_spare {
    uint32_t original; /* first block of the packet in the partition, or UDF_SPARE_FREE, UDF_SPARE_BAD */
    mmc_lba_t mapped;
};
struct udf_sparing_table {
    uint32_t sequence;
    unsigned count;
    struct udf_spare *spares; /* count of them; the caller frees */
};
int udf_sparing_decode(const uint8_t *bytes, size_t size, mmc_lba_t at, struct udf_sparing_table *table);
/* Returns the bytes used, or -ENOSPC when size is too small. tag gives version, serial and location. */
int udf_sparing_encode(uint8_t *bytes, size_t size, const struct udf_tag *tag,
                       const struct udf_sparing_table *table);

/* ---- file structures (ECMA-167 part 4) ---- */

struct udf_fsd {
    struct udf_time recorded;
    struct udf_long_ad root, stream_dir, next;
    char fileset_id[64], volume_id[256];
    uint16_t domain_revision;
    uint8_t domain_flags;
};
int udf_fsd_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, struct udf_fsd *fsd);

/* ECMA-167 4/14.6.6 and UDF 2.3.5.2 */
enum udf_file_type {
    UDF_FILE_DIRECTORY = 4,
    UDF_FILE_REGULAR = 5,
    UDF_FILE_BLOCK_DEVICE = 6,
    UDF_FILE_CHAR_DEVICE = 7,
    UDF_FILE_FIFO = 9,
    UDF_FILE_SOCKET = 10,
    UDF_FILE_SYMLINK = 12,
    UDF_FILE_STREAM_DIRECTORY = 13,
    UDF_FILE_VAT = 248,
    UDF_FILE_METADATA = 250,
};

/* ICB flags (4/14.6.8) */
#define UDF_ICB_AD_MASK 0x0007u
#define UDF_ICB_SETUID  0x0040u
#define UDF_ICB_SETGID  0x0080u
#define UDF_ICB_STICKY  0x0100u
enum udf_ad_kind {
    UDF_AD_SHORT = 0,
    UDF_AD_LONG = 1,
    UDF_AD_EMBEDDED = 3,
};

/* Extent types, the top two bits of a length (4/14.14.1.1) */
enum udf_extent_type {
    UDF_EXTENT_RECORDED = 0,
    UDF_EXTENT_ALLOCATED = 1, /* allocated, not recorded: reads as zeros */
    UDF_EXTENT_HOLE = 2,      /* not allocated, not recorded */
    UDF_EXTENT_CONTINUE = 3,  /* the next extent of allocation descriptors */
};
#define UDF_EXTENT_BYTES_MAX 0x3FFFFFFFu

/* File entry and extended file entry (4/14.9, 4/14.17) in one. */
struct udf_file_entry {
    struct udf_tag tag;
    bool extended;
    uint16_t strategy;
    uint8_t file_type;
    struct udf_address parent_icb;
    uint16_t icb_flags;
    uint32_t uid, gid; /* FFFFFFFFh: not set */
    uint32_t permissions;
    uint16_t links;
    uint64_t info_length, object_size, blocks_recorded;
    struct udf_time atime, mtime, ctime, btime; /* ctime: attribute time; btime: creation (extended only) */
    uint32_t checkpoint;
    struct udf_long_ad ea_icb, stream_dir;
    uint64_t unique_id;
    const uint8_t *ea; /* extended attributes space, ea_len bytes */
    uint32_t ea_len;
    const uint8_t *ads; /* allocation descriptors, or the embedded data, ads_len bytes */
    uint32_t ads_len;
};
/* Bytes before the extended attributes: 176 and 216. */
#define UDF_FE_BYTES  176u
#define UDF_EFE_BYTES 216u
int udf_file_entry_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, struct udf_file_entry *fe);
/* tag.version, serial and location must be set; id and CRC length follow from the rest. ea and ads may not
 * lie in block. -ENOSPC when it does not fit. */
int udf_file_entry_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_file_entry *fe);

/* One allocation descriptor of either kind. part: the partition of short ones. Returns the bytes it took (8
 * or 16), or -EUCLEAN when fewer are left. */
int udf_ad_decode(enum udf_ad_kind kind, uint16_t part, const uint8_t *bytes, size_t left,
                  struct udf_long_ad *ad);
void udf_ad_encode(enum udf_ad_kind kind, uint8_t *bytes, const struct udf_long_ad *ad);
#define UDF_SHORT_AD_BYTES 8u
#define UDF_LONG_AD_BYTES  16u

/* Allocation extent descriptor (4/14.5): ads points into block. */
#define UDF_AED_BYTES 24u
int udf_aed_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, const uint8_t **ads,
                   uint32_t *ads_len);
/* The ads_len bytes of descriptors are already in place at block + UDF_AED_BYTES. */
void udf_aed_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_tag *tag, uint32_t ads_len);

/* File identifier descriptor (4/14.4) */
#define UDF_FID_HIDDEN    0x01u
#define UDF_FID_DIRECTORY 0x02u
#define UDF_FID_DELETED   0x04u
#define UDF_FID_PARENT    0x08u
#define UDF_FID_METADATA  0x10u
#define UDF_FID_BYTES     38u
struct udf_fid {
    struct udf_tag tag;
    uint16_t file_version;
    uint8_t characteristics;
    struct udf_long_ad icb;
    const uint8_t *impl_use;
    uint16_t impl_use_len;
    const uint8_t *name; /* CS0, name_len bytes */
    uint8_t name_len;
};
/* Bytes of a FID with this name and implementation use, padded to 4. */
static inline uint32_t udf_fid_size(uint32_t name_len, uint32_t impl_use_len)
{
    return (UDF_FID_BYTES + name_len + impl_use_len + 3u) & ~3u;
}
/* Decodes the FID at bytes (left are there). Location is not judged here. Returns
 * its size in bytes, or -EUCLEAN. */
int udf_fid_decode(const uint8_t *bytes, size_t left, struct udf_fid *fid);
/* Writes udf_fid_size() bytes. tag.version, serial and location must be set. */
void udf_fid_encode(uint8_t *bytes, const struct udf_fid *fid);

/* Space bitmap descriptor (4/14.12): bits counts them; the bitmap is at block + 24 and goes on in the next
 * blocks. Encode leaves the bitmap alone, and no CRC covers it afterwards: encode anew whenever bits of a
 * foreign bitmap change. */
#define UDF_SBD_BYTES 24u
int udf_sbd_decode(const uint8_t block[UDF_BLOCK_BYTES], uint32_t location, uint32_t *bits, uint32_t *bytes);
void udf_sbd_encode(uint8_t block[UDF_BLOCK_BYTES], const struct udf_tag *tag, uint32_t bits, uint32_t bytes);

/* ---- extended attributes and links ---- */

/* Finds the device specification attribute (4/14.10.7) in an attribute space. -ENODATA when there is none. */
int udf_ea_device_find(const uint8_t *ea, size_t len, uint32_t *major, uint32_t *minor);
/* Writes an attribute space that holds just that; returns its length.
 * location: tag location of its header. */
int udf_ea_device_encode(uint8_t *ea, size_t max, const struct udf_tag *tag, uint16_t revision,
                         uint32_t major, uint32_t minor);

/* Path components (4/14.16.1) to a Unix path (no 0 behind it) and back. Return the length, or -EUCLEAN,
 * -ENAMETOOLONG, -EILSEQ. Slashes in a row become one; one at the end is kept. */
int udf_path_decode(const uint8_t *components, size_t len, char *path, size_t max);
int udf_path_encode(const char *path, uint8_t *components, size_t max);

/* Permissions (4/14.9.5) from the rwx bits of a mode, with DELETE and CHATTR where W is, as Windows
 * wants it; and back to a whole mode, with file type, setuid, setgid and sticky. File types that
 * Unix lacks become regular files. */
uint32_t udf_permissions_from_mode(uint32_t mode);
uint32_t udf_permissions_to_mode(uint32_t permissions, uint8_t file_type, uint16_t icb_flags);

#endif
