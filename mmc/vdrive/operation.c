/* SPDX-License-Identifier: MIT */
/* What takes minutes and goes on while the drive answers: BLANK, FORMAT UNIT, CLOSE SESSION. */
#include "mmc/vdrive/drive.h"

/* Where a drive that hangs stops. */
static uint64_t operation_middle(const struct vdrive_operation *op)
{
    return op->start + (op->end - op->start) / 2;
}

/* Formatted packets appear on the disc as the laser gets to them. */
static void operation_format(struct vdrive *d, uint64_t until)
{
    struct vdrive_operation *op = &d->op;
    uint64_t done = (until - op->start) * op->packets / (op->end - op->start);

    if (done <= op->packets_done)
        return;
    for (uint32_t i = op->packets_done; i < done; i++) {
        d->media.packets[i].flags = VDRIVE_PACKET_FORMATTED;
        d->media.packets[i].rewrites += d->media.packets[i].rewrites < UINT32_MAX;
        if (d->media.packets[i].rewrites > d->stats.most_rewrites) {
            d->stats.most_rewrites = d->media.packets[i].rewrites;
            d->stats.most_rewritten_packet = i;
        }
    }
    if (vdrive_media_packets_store(&d->media, op->packets_done, (uint32_t)done - op->packets_done) != 0)
        vdrive_deferred_add(d, VDRIVE_WRITE_ERROR, mmc_lba((int64_t)op->packets_done * MMC_PACKET_BLOCKS));
    op->packets_done = (uint32_t)done;
}

static void operation_end(struct vdrive *d)
{
    const struct vdrive_operation op = d->op;
    int err = 0;

    d->op.kind = VDRIVE_OP_NONE;
    if (op.kind == VDRIVE_OP_BLANK)
        err = vdrive_media_erase_pma(&d->media);
    else if (op.kind == VDRIVE_OP_LEADOUT)
        err = vdrive_session_finish(d);
    else if (op.kind == VDRIVE_OP_CLOSE || !vdrive_quirk(&d->faults, VDRIVE_QUIRK_FORMAT_LEAVES_OPEN))
        err = vdrive_disc_close_session(&d->media, &d->disc, op.disc_type, op.multi_session);
    if (err)
        vdrive_deferred_add(d, VDRIVE_WRITE_ERROR, mmc_lba(0));
    vdrive_disc_refresh(d);
    d->laser.activity = VDRIVE_IDLE;
    d->laser.free_at = op.end;
    if ((op.kind == VDRIVE_OP_BLANK || op.kind == VDRIVE_OP_FORMAT) &&
        vdrive_quirk(&d->faults, VDRIVE_QUIRK_UA_AFTER_BLANK))
        d->attention = VDRIVE_CHANGED;
}

void vdrive_operation_run(struct vdrive *d, uint64_t until)
{
    struct vdrive_operation *op = &d->op;
    bool stuck = vdrive_quirk(&d->faults, VDRIVE_QUIRK_STUCK_BUSY);

    if (op->kind == VDRIVE_OP_NONE || d->power_lost)
        return;
    if (stuck && until > operation_middle(op))
        until = operation_middle(op);
    if (until > op->end)
        until = op->end;
    if (op->kind == VDRIVE_OP_FORMAT)
        operation_format(d, until);
    if (until == op->end)
        operation_end(d);
}

void vdrive_operation_start(struct vdrive *d, struct vdrive_command *c, struct vdrive_operation op,
                            uint64_t duration, bool immed)
{
    d->op = op;
    d->op.start = d->now;
    d->op.end = d->now + duration;
    if (immed)
        return;
    if (vdrive_quirk(&d->faults, VDRIVE_QUIRK_STUCK_BUSY)) {
        vdrive_clock_advance(d, VDRIVE_US_STUCK);
        vdrive_command_fail(c, VDRIVE_HARDWARE_TIMEOUT);
        return;
    }
    vdrive_clock_advance_to(d, d->op.end);
}

vdrive_sense_code_t vdrive_operation_busy(const struct vdrive *d, uint8_t opcode)
{
    const struct vdrive_operation *op = &d->op;
    bool poll = opcode == 0x00 || opcode == 0x51; /* TEST UNIT READY, READ DISC INFORMATION */

    if (op->kind == VDRIVE_OP_NONE)
        return 0;
    if (opcode == 0x00 && vdrive_quirk(&d->faults, VDRIVE_QUIRK_TUR_GOOD_WHILE_BUSY))
        return 0;
    if (poll && vdrive_quirk(&d->faults, VDRIVE_QUIRK_EARLY_READY) &&
        d->now - op->start >= (op->end - op->start) / 10 * 9)
        return 0;
    return op->kind == VDRIVE_OP_FORMAT ? VDRIVE_FORMATTING : VDRIVE_OPERATION;
}

uint16_t vdrive_operation_progress(const struct vdrive *d)
{
    const struct vdrive_operation *op = &d->op;
    uint64_t at = d->now;

    if (vdrive_quirk(&d->faults, VDRIVE_QUIRK_STUCK_BUSY) && at > operation_middle(op))
        at = operation_middle(op);
    return (uint16_t)((at - op->start) * 0xffff / (op->end - op->start));
}
