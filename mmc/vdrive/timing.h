/* SPDX-License-Identifier: MIT */
/*
 * How long things take in a CD writer: the spiral, the seek, the turn of the disc, and the speeds at which
 * each part of the disc is written and read. Pure functions; positions are physical sectors from the start of
 * the program area (link blocks count), times are microseconds, speeds are multiples of 75 sectors a second.
 * Numbers: docs/drive.md.
 */
#ifndef MMC_VDRIVE_TIMING_H
#define MMC_VDRIVE_TIMING_H

#include <stdint.h>

#define VDRIVE_READ_SPEED_MAX 40 /* at the outer edge, constant angular velocity */

/* The fixed costs. */
enum vdrive_cost {
    VDRIVE_US_COMMAND = 150,        /* decode a command and answer */
    VDRIVE_US_TURN = 30000,         /* laser power and PLL between reading and writing */
    VDRIVE_US_JUMP = 15000,         /* back a few turns to link behind what was written last */
    VDRIVE_US_SYNC = 100000,        /* tail of the last packet, after the buffer is empty */
    VDRIVE_US_PMA = 1000000,        /* to the PMA, an entry, and back */
    VDRIVE_US_OPC = 3000000,        /* power calibration */
    VDRIVE_US_SPIN_UP = 2500000,    /* power on, or start after stop */
    VDRIVE_US_LOAD = 8000000,       /* tray in, disc recognised */
    VDRIVE_US_TRAY = 1500000,       /* tray out */
    VDRIVE_US_SETTLE = 10000000,    /* what BLANK, FORMAT UNIT and CLOSE SESSION cost beyond their sectors */
    VDRIVE_US_READ_RETRY = 1500000, /* until the drive gives a sector up */
    VDRIVE_US_STUCK = 1800000000,   /* a command that waits for a drive that never comes back */
};

/* Moving len bytes over the cable. */
uint64_t vdrive_time_transfer(uint64_t len);

/* From one sector to another, without the turn of the disc. 0 when they are the same. */
uint64_t vdrive_time_seek(uint32_t from, uint32_t to);

/* Half a turn of the disc at this place and speed: the mean wait until a sector comes by. */
uint64_t vdrive_time_half_turn(uint32_t at, unsigned speed);

/* The speed at which the drive writes here when told to write at speed: constant, or in zones at 24x. */
unsigned vdrive_speed_write(uint32_t at, unsigned speed);

/* Speed of reading here, constant angular velocity; limit is what SET CD SPEED asked for at most. */
unsigned vdrive_speed_read(uint32_t at, unsigned limit);

/* Time for sectors to pass under the laser. */
uint64_t vdrive_time_sectors(uint64_t sectors, unsigned speed);

#endif
