/* SPDX-License-Identifier: MIT */
/*
 * Q sub-channel frames as the lead-in and the PMA hold them (ECMA-130 22.3, MMC-5 6.26.3): 12 bytes with BCD
 * times and a CRC. Tables of contents are kept on the disc in this form and decoded from it, never stored as
 * such.
 */
#ifndef MMC_VDRIVE_QFRAME_H
#define MMC_VDRIVE_QFRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/units.h"

#define VDRIVE_Q_BYTES 12

enum vdrive_q_point {
    VDRIVE_POINT_FIRST = 0xa0,   /* first track and disc type */
    VDRIVE_POINT_LAST = 0xa1,    /* last track */
    VDRIVE_POINT_LEADOUT = 0xa2, /* start of the lead-out */
    VDRIVE_POINT_NEXT = 0xb0,    /* where a next session may begin */
    VDRIVE_POINT_ATIP = 0xc0,    /* start of the first lead-in, copied from the ATIP */
};

/* One frame, numbers in binary. Bytes that are no BCD (FFh, a disc type) are kept as they are. */
struct vdrive_q {
    uint8_t control, adr; /* nibbles */
    uint8_t track, point;
    uint8_t msf[3], zero, pmsf[3];
};

/* Fills all 12 bytes, CRC included. */
void vdrive_q_encode(const struct vdrive_q *q, uint8_t bytes[VDRIVE_Q_BYTES]);

/* False when the CRC is wrong: such a frame cannot be read. */
bool vdrive_q_decode(const uint8_t bytes[VDRIVE_Q_BYTES], struct vdrive_q *q);

/* Minutes, seconds, frames of an address; 00:02:00 is LBA 0, and lead-in times from 90:00:00 on are negative
 * LBAs. */
void vdrive_msf_of(mmc_lba_t lba, uint8_t msf[3]);
mmc_lba_t vdrive_msf_lba(const uint8_t msf[3]);

#endif
