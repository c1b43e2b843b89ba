/* SPDX-License-Identifier: MIT */
/* Volumes that mkudffs makes for a test, on a medium that can be damaged, and
 * what recognition says of them. */
#ifndef TESTS_UDF_VOLUME_IMAGE_H
#define TESTS_UDF_VOLUME_IMAGE_H

#include "tests/lib/block_fault.h"
#include "udf/volume.h"

/* mkudffs (from the environment's MKUDFFS) with these options, on a medium of blocks in packets of 32. */
struct fault_medium *image_make(const char *options, uint32_t blocks);

void image_get(struct fault_medium *medium, uint32_t at, uint8_t block[UDF_BLOCK_BYTES]);
void image_put(struct fault_medium *medium, uint32_t at, const uint8_t block[UDF_BLOCK_BYTES]);
/* Changes bytes of a descriptor and makes its tag fit. */
void image_edit(struct fault_medium *medium, uint32_t at, unsigned offset, uint64_t value, unsigned bytes);
/* Changes a byte and nothing else. */
void image_flip(struct fault_medium *medium, uint32_t at, unsigned offset);
/* Copies a descriptor, changed to be at its new place. */
void image_copy(struct fault_medium *medium, uint32_t from, uint32_t to);

/* A volume on the medium as recognition leaves it; all messages in one text, a line each. */
struct image_volume {
    struct udf_volume vol;
    char messages[8192];
    int result;
};
struct image_volume *image_recognise(struct fault_medium *medium);
struct image_volume *image_recognise_read_only(struct fault_medium *medium);
void image_forget(struct image_volume *image);

#endif
