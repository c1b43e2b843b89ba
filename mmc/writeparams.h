/* SPDX-License-Identifier: MIT */
/*
 * Write parameters, mode page 05h (MMC-5 7.5.4): what the drive is told of how to write before it writes. The
 * page is always built from zero, because the defaults of several drives are refused by the same drives when
 * sent back.
 */
#ifndef MMC_WRITEPARAMS_H
#define MMC_WRITEPARAMS_H

#include "mmc/drive.h"

enum mmc_write_type {
    MMC_WRITE_PACKET = 0,
    MMC_WRITE_TAO = 1,
    MMC_WRITE_SAO = 2,
    MMC_WRITE_RAW = 3,
};

/* The session field: whether another session may follow. */
enum mmc_multi_session {
    MMC_MULTI_NONE = 0,
    MMC_MULTI_NEXT = 3,
};

/* Data block types: what a block from the host looks like. */
enum mmc_data_block {
    MMC_DATA_RAW = 0,
    MMC_DATA_RAW_PQ = 1,
    MMC_DATA_RAW_PW_PACKED = 2,
    MMC_DATA_RAW_PW = 3,
    MMC_DATA_MODE1 = 8,
    MMC_DATA_MODE2 = 9,
    MMC_DATA_XA_FORM1 = 10,
    MMC_DATA_XA_FORM1_SUBHEADER = 11,
    MMC_DATA_XA_FORM2 = 12,
    MMC_DATA_XA_MIXED = 13,
};

struct mmc_write_params {
    enum mmc_write_type type;
    enum mmc_multi_session multi_session;
    enum mmc_data_block data_block;
    bool underrun_free; /* BUFE */
    bool test_write;
    bool link_size_set;     /* LS_V, with the link size of a CD, 7 */
    unsigned track_mode;    /* Q control nibble */
    uint8_t session_format; /* 00h CD-DA and CD-ROM, 10h CD-i, 20h XA */
    uint32_t packet_blocks; /* 0: not fixed packets */
};

/* The page's bytes. */
void mmc_write_params_encode(const struct mmc_write_params *params, uint8_t page[MMC_WRITE_PARAMS_LEN]);

/* Sends the page; it is then sent again by itself after a reset of the drive.
 * Returns 0 or -errno as mmc_execute. */
int mmc_write_params_set(struct mmc_drive *drive, const struct mmc_write_params *params);

/*
 * Sets the parameters for writing fixed packets of 32 blocks, going through the forms that drives are known
 * to want until one is accepted: mode 1 first, or mode 2 form 1 first when track (may be NULL) is a mode 2
 * track.
 */
int mmc_write_params_set_packet(struct mmc_drive *drive, const struct mmc_track *track);

/* The n-th of those forms, n from 0 on. Returns false past the last one. */
bool mmc_write_params_packet_form(unsigned n, bool mode2, struct mmc_write_params *params);

/* Sets the parameters for writing one mode 1 track at once, closed or open to further sessions. */
int mmc_write_params_set_tao(struct mmc_drive *drive, enum mmc_multi_session multi_session);

#endif
