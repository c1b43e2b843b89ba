/* SPDX-License-Identifier: MIT */
/* BLANK, FORMAT UNIT and SEND OPC: what makes a disc new. */
#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"
#include "mmc/vdrive/slot.h"

#define LEADIN_SECTORS  4500
#define LEADOUT_SECTORS 6750

enum {
    BLANK_FULL = 0,
    BLANK_MINIMAL = 1
};
enum {
    FORMAT_FULL = 0x00,
    FORMAT_PACKET = 0x10
};

/* Q control of the log of a real drive's formatted track when the write parameters say nothing of packets. */
#define CONTROL_PACKET 7

static uint64_t format_duration(const struct vdrive *d, uint64_t sectors)
{
    return VDRIVE_US_SETTLE + vdrive_time_sectors(sectors, d->write_speed);
}

/* BLANK (MMC-5 6.2). Minimal takes PMA, first lead-in and pregap; all data is out of reach after either. */
void vdrive_blank(struct vdrive *d, struct vdrive_command *c)
{
    unsigned type = c->cdb[1] & 7;
    uint64_t sectors = LEADIN_SECTORS + VDRIVE_PREGAP;

    if (d->media.spec.medium != VDRIVE_CD_RW) {
        vdrive_command_fail(c, VDRIVE_CANNOT_WRITE);
        return;
    }
    if (type != BLANK_FULL && type != BLANK_MINIMAL) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    if (type == BLANK_FULL)
        sectors += (uint64_t)d->media.atip_leadout.n + LEADOUT_SECTORS;
    vdrive_laser_drain(d);
    if (vdrive_media_erase(&d->media) != 0) {
        vdrive_command_fail(c, VDRIVE_ERASE_FAILED);
        return;
    }
    vdrive_disc_refresh(d);
    vdrive_operation_start(d, c, (struct vdrive_operation){.kind = VDRIVE_OP_BLANK},
                           format_duration(d, sectors), c->cdb[1] & 0x10);
}

/* One descriptor of a parameter list, and whether the list can be meant for a CD-RW. */
static vdrive_sense_code_t format_list(const struct vdrive *d, const struct vdrive_command *c,
                                       uint32_t *blocks)
{
    uint32_t most = d->media.packet_count * MMC_PACKET_BLOCKS, parameter;
    unsigned type;

    if (c->out_len < 12)
        return VDRIVE_LIST_LENGTH;
    if (mmc_be16_get(c->out + 2) != 8 || c->out[1] & 0x08)
        return VDRIVE_BAD_LIST; /* not one descriptor, or an initialisation pattern */
    *blocks = mmc_be32_get(c->out + 4);
    type = c->out[8] >> 2;
    parameter = mmc_be24_get(c->out + 9);
    if (type == FORMAT_FULL ? parameter != MMC_BLOCK_BYTES : parameter != MMC_PACKET_BLOCKS)
        return VDRIVE_BAD_LIST;
    if (type != FORMAT_FULL && type != FORMAT_PACKET)
        return VDRIVE_BAD_LIST;
    return *blocks == 0 || *blocks > most || *blocks % MMC_PACKET_BLOCKS ? VDRIVE_BAD_LIST : 0;
}

static vdrive_sense_code_t format_refusal(struct vdrive *d, const struct vdrive_command *c)
{
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);

    if (d->media.spec.medium != VDRIVE_CD_RW)
        return VDRIVE_CANNOT_FORMAT;
    if (!(c->cdb[1] & 0x10) || (c->cdb[1] & 7) != 1)
        return VDRIVE_BAD_CDB;
    if (vdrive_disc_open_track(&d->disc))
        return VDRIVE_BAD_SEQUENCE;
    if (vdrive_quirk(&d->faults, VDRIVE_QUIRK_NO_FORMAT_BLANK) && d->disc.state == VDRIVE_DISC_BLANK)
        return VDRIVE_BAD_SEQUENCE;
    if (vdrive_quirk(&d->faults, VDRIVE_QUIRK_FORMAT_NEEDS_PAGE) && mode.type != VDRIVE_WRITE_PACKET)
        return VDRIVE_BAD_SEQUENCE;
    return 0;
}

/* The first thing on the disc is the entry of the new track: from then on it is a packet disc, readable or
 * not. */
static int format_begin(struct vdrive *d, uint32_t blocks)
{
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);
    bool told = mode.type == VDRIVE_WRITE_PACKET && mode.fixed;
    struct vdrive_tdb tdb = {.method = VDRIVE_METHOD_FIXED,
                             .data_mode = told ? vdrive_block_type_of(mode.block_type).mode : 2,
                             .packet_blocks = MMC_PACKET_BLOCKS};
    struct vdrive_q q = {.control = told ? mode.control : CONTROL_PACKET, .adr = 1, .point = 1};
    int err = vdrive_media_erase(&d->media);

    vdrive_msf_of(mmc_lba(0), q.pmsf);
    vdrive_msf_of(mmc_lba(blocks), q.msf);
    if (!err)
        err = vdrive_media_erase_pma(&d->media);
    if (!err)
        err = vdrive_media_data_reset(&d->media, blocks);
    if (!err)
        err = vdrive_media_tdb_write(&d->media, 1, &tdb);
    if (!err)
        err = vdrive_media_pma_append(&d->media, &q);
    return err;
}

/* FORMAT UNIT (MMC-5 6.5), types 00h and 10h. IMMED is honoured whether FOV says that it counts or not. */
void vdrive_format_unit(struct vdrive *d, struct vdrive_command *c)
{
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);
    vdrive_sense_code_t code;
    uint32_t blocks = 0;
    uint64_t sectors;

    vdrive_laser_drain(d);
    code = format_refusal(d, c);
    if (!code)
        code = format_list(d, c, &blocks);
    if (code) {
        vdrive_command_fail(c, code);
        return;
    }
    if (format_begin(d, blocks) != 0) {
        vdrive_command_fail(c, VDRIVE_FORMAT_FAILED);
        return;
    }
    vdrive_disc_refresh(d);
    sectors = (uint64_t)blocks / MMC_PACKET_BLOCKS * (MMC_PACKET_BLOCKS + VDRIVE_LINK_BLOCKS) +
              LEADIN_SECTORS + LEADOUT_SECTORS;
    vdrive_operation_start(d, c,
                           (struct vdrive_operation){.kind = VDRIVE_OP_FORMAT,
                                                     .packets = blocks / MMC_PACKET_BLOCKS,
                                                     .disc_type = mode.session_format},
                           format_duration(d, sectors), c->out[1] & 0x02);
}

/* SEND OPC INFORMATION (MMC-5 6.40): only the calibration itself. */
void vdrive_send_opc(struct vdrive *d, struct vdrive_command *c)
{
    if (mmc_be16_get(c->cdb + 7) != 0) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    if (!(c->cdb[1] & 1))
        return;
    vdrive_laser_drain(d);
    vdrive_laser_occupy(d, VDRIVE_US_OPC, mmc_lba(0));
}
