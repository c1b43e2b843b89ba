/* SPDX-License-Identifier: MIT */
/* What the tests of the virtual drive share: a disc in a folder of its own, and commands in a line each. */
#ifndef TESTS_MMC_VDRIVE_RIG_H
#define TESTS_MMC_VDRIVE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mmc/vdrive/vdrive.h"

#define RIG_FORMAT_BLOCKS 295264u /* of an 80 minute disc */

struct rig {
    char folder[64];
    struct vdrive_disc_spec spec;
    struct vdrive_options options;
    struct vdrive *drive;
    struct vdrive_reply reply; /* of the last command */
    uint8_t in[65536];
};

/* Setup and teardown of a test: state is a struct rig with a blank 80 minute, 10x CD-RW in it, powered on and
 * ready. */
int rig_setup(void **state);
int rig_setup_cd_r(void **state);
int rig_teardown(void **state);

/* Opens the disc, takes the unit attention and waits until it is ready; and closes it. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);
/* Closes, puts lines into the faults file (NULL: none), opens again. */
void rig_faults(struct rig *rig, const char *lines);

/* The drive loses power now, and comes back. */
void rig_power_cut(struct rig *rig);

/* Sends a CDB given as hex ("2a 00 ..."); out may be NULL. Answers go into rig->in. Returns 0 or K/ASC/ASCQ.
 */
uint32_t rig_send(struct rig *rig, const char *cdb, const void *out, size_t out_len);
/* Moves data; 0 or the sense. */
uint32_t rig_write(struct rig *rig, int32_t lba, uint32_t blocks, const void *data);
uint32_t rig_read(struct rig *rig, int32_t lba, uint32_t blocks, void *data);
uint32_t rig_sync(struct rig *rig);
/* Page 05h. type 0 is a fixed packet of 32; multi: the multi-session bits. */
uint32_t rig_page5(struct rig *rig, unsigned type, unsigned multi, unsigned block_type);
/* FORMAT UNIT type 10h, whole disc or less. */
uint32_t rig_format(struct rig *rig, uint32_t blocks, bool immed);
/* Polls TEST UNIT READY every virtual second until the drive is ready. Fails the test after a virtual hour.
 */
void rig_wait_ready(struct rig *rig);
/* A formatted disc with page 05h set for packets. */
void rig_formatted(struct rig *rig);

/* A block's worth of contents that no other number gives. */
void rig_fill(uint8_t *data, uint32_t blocks, uint32_t seed);

/* Bytes of disk that a file of the disc folder takes; its length in *length if not NULL. -1: no such file. */
int64_t rig_disk_use(const struct rig *rig, const char *name, int64_t *length);

#define assert_sense(got, want) assert_int_equal((got), (want))

#endif
