/* SPDX-License-Identifier: MIT */
/* Builds and sends mode page 05h. */
#include "mmc/writeparams.h"

#include <errno.h>

#include "mmc/command_bytes.h"

#define LINK_SIZE_CD 7
#define PAUSE_USUAL  150 /* blocks of pause before an audio track; some drives refuse 0 even for data */

#define TRACK_DATA             4 /* Q control nibble: data, recorded at once */
#define TRACK_DATA_INCREMENTAL 5
#define TRACK_DATA_COPY        7 /* likewise incremental, and copying allowed */

#define SESSION_CDROM 0x00
#define SESSION_XA    0x20

static bool data_block_has_subheader(enum mmc_data_block block)
{
    return block == MMC_DATA_XA_FORM1;
}

void mmc_write_params_encode(const struct mmc_write_params *params, uint8_t page[MMC_WRITE_PARAMS_LEN])
{
    memset(page, 0, MMC_WRITE_PARAMS_LEN);
    page[0] = 0x05;
    page[1] = MMC_WRITE_PARAMS_LEN - 2;
    page[2] = (uint8_t)((params->underrun_free ? 0x40 : 0) | (params->link_size_set ? 0x20 : 0) |
                        (params->test_write ? 0x10 : 0) | (params->type & 0x0F));
    page[3] = (uint8_t)((params->multi_session & 3) << 6 | (params->packet_blocks ? 0x20 : 0) |
                        (params->track_mode & 0x0F));
    page[4] = params->data_block & 0x0F;
    page[5] = params->link_size_set ? LINK_SIZE_CD : 0;
    page[8] = params->session_format;
    mmc_be32_put(page + 10, params->packet_blocks);
    mmc_be16_put(page + 14, PAUSE_USUAL);
    if (data_block_has_subheader(params->data_block))
        page[50] = 0x08; /* sub-mode of the sub-header: data */
}

int mmc_write_params_set(struct mmc_drive *drive, const struct mmc_write_params *params)
{
    uint8_t page[MMC_WRITE_PARAMS_LEN];
    int error;

    mmc_write_params_encode(params, page);
    error = mmc_mode_select(drive, page, sizeof(page), 0);
    if (error)
        return error;
    pthread_mutex_lock(&drive->lock);
    memcpy(drive->params, page, sizeof(page));
    drive->params_valid = true;
    drive->params_lost = false;
    pthread_mutex_unlock(&drive->lock);
    return 0;
}

/* What differs between the forms that drives want of packet parameters; the likeliest first. */
static const struct packet_form {
    bool link_size_set, xa;
    unsigned track_mode;
} packet_forms[] = {
    {true, false, TRACK_DATA_INCREMENTAL}, {false, false, TRACK_DATA_INCREMENTAL},
    {true, false, TRACK_DATA_COPY},        {true, true, TRACK_DATA_INCREMENTAL},
    {false, true, TRACK_DATA_INCREMENTAL}, {true, true, TRACK_DATA_COPY},
    {false, false, TRACK_DATA_COPY},       {false, true, TRACK_DATA_COPY},
};
#define PACKET_FORMS (sizeof(packet_forms) / sizeof(packet_forms[0]))

bool mmc_write_params_packet_form(unsigned n, bool mode2, struct mmc_write_params *params)
{
    const struct packet_form *form;
    bool xa;

    if (n >= PACKET_FORMS)
        return false;
    form = &packet_forms[n];
    xa = form->xa != mode2;
    *params = (struct mmc_write_params){
        .type = MMC_WRITE_PACKET,
        .multi_session = MMC_MULTI_NONE,
        .data_block = xa ? MMC_DATA_XA_FORM1 : MMC_DATA_MODE1,
        .link_size_set = form->link_size_set,
        .track_mode = form->track_mode,
        .session_format = xa ? SESSION_XA : SESSION_CDROM,
        .packet_blocks = MMC_PACKET_BLOCKS,
    };
    return true;
}

/* Whether another form may succeed where this one was refused. */
static bool form_refused(int error)
{
    return error == -EINVAL || error == -EMEDIUMTYPE;
}

int mmc_write_params_set_packet(struct mmc_drive *drive, const struct mmc_track *track)
{
    bool mode2 = track && track->data_mode == 2;
    struct mmc_write_params params;
    int error = -EINVAL;

    for (unsigned n = 0; mmc_write_params_packet_form(n, mode2, &params); n++) {
        error = mmc_write_params_set(drive, &params);
        if (!error || !form_refused(error))
            return error;
    }
    return error;
}

int mmc_write_params_set_tao(struct mmc_drive *drive, enum mmc_multi_session multi_session)
{
    const struct mmc_write_params params = {
        .type = MMC_WRITE_TAO,
        .multi_session = multi_session,
        .data_block = MMC_DATA_MODE1,
        .underrun_free = true,
        .track_mode = TRACK_DATA,
        .session_format = SESSION_CDROM,
    };
    struct mmc_write_params plain = params;
    int error = mmc_write_params_set(drive, &params);

    if (!form_refused(error))
        return error;
    plain.underrun_free = false;
    return mmc_write_params_set(drive, &plain);
}
