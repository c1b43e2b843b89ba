/* SPDX-License-Identifier: MIT */
/*
 * Volumes for tests, as mkudffs lays them out, on a fault medium; with a journal when asked for, in the way
 * of mkfs.packetfs: the sparing tables keep their first entries, and log and images lie directly behind those
 * spares.
 */
#ifndef TESTS_LIB_TEST_VOLUME_H
#define TESTS_LIB_TEST_VOLUME_H

#include "tests/lib/block_fault.h"

struct test_volume_spec {
    const char *options;    /* of mkudffs, media type and revision, for example "-m cdrw -r 2.01" */
    uint32_t blocks;        /* of the medium */
    uint32_t packet_blocks; /* of the medium */
    uint32_t spares, log_packets,
        images_packets; /* with log_packets 0: no journal, and the spares are mkudffs's */
};

/* Makes the image file; 0 or -errno. The program is that of the environment's MKUDFFS, or mkudffs. */
int test_volume_image(const struct test_volume_spec *spec, const char *path);

/* The same on a new medium, to be freed with fault_medium_free. */
int test_volume_make(const struct test_volume_spec *spec, struct fault_medium **medium);

#endif
