/* SPDX-License-Identifier: MIT */
/*
 * A drive for tests of the packet device: a transport that answers as a CD-RW writer with a formatted disc
 * does, keeps a log of the commands, and errs, loses its buffer, stands still or goes away when told to.
 * Written packets stay in its buffer until SYNCHRONIZE CACHE or until newer ones push them out.
 */
#ifndef TESTS_MMC_PACKET_FAKE_DRIVE_H
#define TESTS_MMC_PACKET_FAKE_DRIVE_H

#include "mmc/mmc.h"

#define FAKE_BUFFER_PACKETS 32u

struct fake_drive;

struct fake_command {
    uint8_t opcode;
    uint32_t lba, count;
};

/* A disc of zeros of so many packets; formatted, or else a closed data disc of packets * 32 blocks. The
 * transport's close does not free it: fake_drive_free does. */
struct fake_drive *fake_drive_new(uint32_t packets, bool formatted);
void fake_drive_free(struct fake_drive *f);
struct mmc_transport *fake_drive_transport(struct fake_drive *f);

/* Commands since the last fake_log_clear with this opcode, or all with opcode
 * FAKE_ANY; at most room of them. */
#define FAKE_ANY 0xFFu
size_t fake_log(struct fake_drive *f, uint8_t opcode, struct fake_command *commands, size_t room);
size_t fake_log_count(struct fake_drive *f, uint8_t opcode);
void fake_log_clear(struct fake_drive *f);

/* What a host must never do: writes that are no whole aligned packet, reads of a
 * packet that is in the buffer. */
unsigned fake_violations(struct fake_drive *f);

/* The block on the medium, the buffer not counted. */
const uint8_t *fake_block(struct fake_drive *f, uint32_t lba);
void fake_block_set(struct fake_drive *f, uint32_t lba, int value);

/* WRITE of the packet fails so many times: with the command itself, or late, when the buffer is burned. */
void fake_write_fails(struct fake_drive *f, uint32_t packet, unsigned times, bool late);
/* Whether late errors say which block they are about, and whether the rest of
 * the buffer is lost with them. */
void fake_late_manner(struct fake_drive *f, bool names_block, bool loses_buffer);
void fake_read_fails(struct fake_drive *f, uint32_t lba, bool on);
/* The next command gets this unit attention; 29h empties the buffer. */
void fake_attention(struct fake_drive *f, uint8_t asc);
/* From now on execute returns this -errno; 0: no more. */
void fake_transport_fails(struct fake_drive *f, int error);
/* Lets WRITE commands wait; fake_held waits until one does. */
void fake_hold(struct fake_drive *f, bool on);
void fake_held(struct fake_drive *f);
/* The power fails: what is in the buffer is lost. */
void fake_power_cut(struct fake_drive *f);

#endif
