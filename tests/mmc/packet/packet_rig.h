/* SPDX-License-Identifier: MIT */
/* What the tests of the packet device stand on: a drive that shows each command, with a packet device on it.
 */
#ifndef TESTS_PACKET_RIG_H
#define TESTS_PACKET_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/mmc/packet/fake_drive.h"

#define L       MMC_PACKET_BLOCKS
#define PACKETS 256u
#define READ    0x28
#define WRITE   0x2A
#define SYNC    0x35
#define MODE    0x55
#define SPEED   0xBB

struct rig {
    struct fake_drive *fake;
    struct mmc_drive *drive;
    struct block_device *dev;
};

/* Opens the packet device with so many bytes of memory (0: as many as it likes), and forgets the commands. */
void rig_open(struct rig *rig, size_t cache);

/* With memory enough, with little of it, and on a disc that can only be read. */
int rig_setup(void **state);
int rig_setup_small(void **state);
int rig_setup_pressed(void **state);
int rig_teardown(void **state);

#define RIG_TEST(f)       cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define RIG_TEST_SMALL(f) cmocka_unit_test_setup_teardown(f, rig_setup_small, rig_teardown)

/* Writes count blocks full of the value. What block_write says. */
int rig_put(struct rig *rig, uint32_t lba, uint32_t count, int value, unsigned flags);
/* The value that fills the block, or -errno, or -1000 when it is mixed. */
int rig_get(struct rig *rig, uint32_t lba);
/* The same of the medium itself, whatever the packet device holds. */
int rig_on_medium(struct rig *rig, uint32_t lba);

void rig_pause(long ms);
struct mmc_packet_stats rig_stats(struct rig *rig);

/* The next failure is about this packet; there is none. */
void rig_assert_named(struct rig *rig, uint32_t packet);
void rig_assert_none_named(struct rig *rig);

#endif
