/* SPDX-License-Identifier: MIT */
/* What the files that recognise a volume share: volume_read.c, sequence.c and sparing.c. */
#ifndef UDF_RECOGNISE_H
#define UDF_RECOGNISE_H

#include "udf/volume.h"

#define UDF_REVISION_MAX 0x0260u

/* Reads one block; -EUCLEAN when a descriptor names a place that the device does not have. */
int udf_recognise_block(const struct udf_volume *vol, mmc_lba_t at, uint8_t block[UDF_BLOCK_BYTES]);
/* Whether an error is about the device as a whole, so that trying another place is no use. */
bool udf_recognise_hopeless(int err);
bool udf_recognise_blank(const uint8_t block[UDF_BLOCK_BYTES]);
/* The volume can be read but not written; the first reason given stays. */
void udf_recognise_read_only(struct udf_volume *vol, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How well a sequence ended, worst first. */
enum udf_sequence_state {
    UDF_SEQUENCE_DAMAGED, /* a block cannot be read or makes no sense, or the primary volume descriptor is
                             missing */
    UDF_SEQUENCE_CUT,     /* at an unrecorded block */
    UDF_SEQUENCE_WHOLE,   /* at a terminating descriptor, or with its extent */
};

/* The prevailing descriptors of a volume descriptor sequence (ECMA-167 3/8.4). */
struct udf_sequence {
    enum udf_sequence_state state;
    uint16_t tag_version;
    bool pvd_found, lvd_found, journal_found;
    int lvd_error; /* why a logical volume descriptor could not be used */
    struct udf_pvd pvd;
    struct udf_lvd lvd;
    struct udf_pd pds[UDF_MAPS_MAX];
    unsigned pd_count;
    struct udf_iuvd journal;
};

/* Returns 0 when the sequence holds enough to read the volume, in whatever state; -EUCLEAN, -EOPNOTSUPP, or
 * an error of the device. */
int udf_sequence_read(const struct udf_volume *vol, struct udf_volume_extent extent,
                      struct udf_sequence *sequence);

/* Loads the spares of a sparable partition from the table with the highest sequence number among those that
 * can be read. -EUCLEAN when none can, -ENOMEM, or an error of the device. */
int udf_sparing_load(struct udf_volume *vol, unsigned part);

/* Walks the integrity sequence to its last descriptor (integrity.c). One that cannot be read is no error. */
int udf_integrity_read(struct udf_volume *vol);

#endif
