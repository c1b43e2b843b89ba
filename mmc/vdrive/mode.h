/* SPDX-License-Identifier: MIT */
/* Mode pages: what the drive is told to be like, page 05h (write parameters, MMC-5 7.5) before all. */
#ifndef MMC_VDRIVE_MODE_H
#define MMC_VDRIVE_MODE_H

#include <stdbool.h>
#include <stdint.h>

#define VDRIVE_MODE_PAGES    8
#define VDRIVE_MODE_PAGE_MAX 64

enum vdrive_write_type {
    VDRIVE_WRITE_PACKET = 0,
    VDRIVE_WRITE_TAO = 1,
    VDRIVE_WRITE_SAO = 2,
    VDRIVE_WRITE_RAW = 3,
};

struct vdrive_modes {
    uint8_t current[VDRIVE_MODE_PAGES][VDRIVE_MODE_PAGE_MAX];
};

/* Page 05h, taken apart. */
struct vdrive_write_mode {
    enum vdrive_write_type type;
    uint8_t multi_session, control, block_type, session_format;
    bool fixed, test, underrun_free;
    uint32_t packet_blocks;
    uint8_t subheader[4];
    char mcn[14], isrc[13]; /* empty: not set */
};

struct vdrive;
/* Power-on values. */
void vdrive_modes_reset(struct vdrive *d);
struct vdrive_write_mode vdrive_write_mode_get(const struct vdrive *d);

#endif
