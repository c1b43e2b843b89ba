/* SPDX-License-Identifier: MIT */
/*
 * Session at once: SEND CUE SHEET, then every sector from the pregap of the first track to the lead-out in
 * one go. The lead-in is written first, out of the cue sheet; the lead-out last. A session that is cut lacks
 * it.
 */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define CHUNK_BLOCKS   32u
#define LEADIN_SECTORS 4500
#define SUBMODE_FORM2  0x20

/* SEND CUE SHEET (MMC-5 6.39). */
void vdrive_send_cue_sheet(struct vdrive *d, struct vdrive_command *c)
{
    size_t len = mmc_be24_get(c->cdb + 6);
    struct vdrive_plan *plan = &d->plan;
    vdrive_sense_code_t code = 0;

    vdrive_laser_drain(d);
    if (vdrive_disc_open_track(&d->disc) || plan->begun || !d->page5_set ||
        vdrive_write_mode_get(d).type != VDRIVE_WRITE_SAO)
        code = VDRIVE_BAD_SEQUENCE;
    else if (!vdrive_disc_appendable(&d->disc))
        code = d->media.spec.medium == VDRIVE_CD_RW ? VDRIVE_WRONG_MODE : VDRIVE_CANNOT_WRITE;
    else if (vdrive_disc_session_begun(&d->disc))
        code = VDRIVE_TRACK_INCOMPLETE; /* the session has tracks of another kind */
    else if (len == 0 || len > c->out_len)
        code = VDRIVE_LIST_LENGTH;
    if (!code) {
        memset(plan, 0, sizeof(*plan));
        plan->mode = vdrive_write_mode_get(d);
        code = vdrive_cue_parse(&d->media, &d->disc, c->out, len, plan);
    }
    if (code) {
        if (!plan->begun)
            plan->kind = VDRIVE_PLAN_NONE;
        vdrive_command_fail(c, code);
        return;
    }
    plan->kind = VDRIVE_PLAN_SAO;
    plan->next = plan->text ? plan->leadin.start : plan->program;
    vdrive_session_skip(d);
}

static const struct vdrive_area *area_at(const struct vdrive_plan *plan, mmc_lba_t lba)
{
    for (unsigned i = 0; i < plan->area_count; i++) {
        if (lba.n >= plan->areas[i].start.n && lba.n < plan->areas[i].end.n)
            return &plan->areas[i];
    }
    return NULL;
}

static size_t area_bytes(const struct vdrive_area *area)
{
    size_t bytes = 0;

    vdrive_cue_form_bytes(area->form, &bytes);
    return bytes;
}

static struct vdrive_place area_place(const struct vdrive_plan *plan, const struct vdrive_area *area)
{
    struct vdrive_place place = {.control = area->control,
                                 .track = area->track,
                                 .index = area->index,
                                 .origin = area->index ? area->start : area->end,
                                 .mcn = plan->mcn[0] ? plan->mcn : NULL,
                                 .isrc = plan->isrc[area->track][0] ? plan->isrc[area->track] : NULL};

    for (; area->index > 1; area--)
        place.origin = area[-1].start;
    return place;
}

/* The user data and the form of a block, by the data form of its area. Forms that end in 1 bring whole
 * sectors, of which only the user data counts; those that end in 2 or 3 bring what does not count at all. */
static void block_fill(struct vdrive_slot *slot, uint8_t form, mmc_lba_t lba, const uint8_t *block)
{
    const uint8_t *data = (form & 0x0f) > 1 || (form & 0x3f) == 0x01 ? NULL : block;

    if (data && form & 0x30 && form & 1)
        data += MMC_SECTOR_USER_AT;
    switch (form & 0x30) {
    case 0x00:
        vdrive_slot_fill(slot, VDRIVE_SECTOR_AUDIO, lba, NULL, data);
        break;
    case 0x10:
        vdrive_slot_fill(slot, VDRIVE_SECTOR_MODE1, lba, NULL, data);
        break;
    case 0x20:
        if (data && data[2] & SUBMODE_FORM2)
            vdrive_slot_fill(slot, VDRIVE_SECTOR_FORM2, lba, data, data + 8);
        else
            vdrive_slot_fill(slot, VDRIVE_SECTOR_FORM1, lba, data, data ? data + 8 : NULL);
        break;
    default:
        vdrive_slot_fill(slot, VDRIVE_SECTOR_MODE2, lba, NULL, data);
    }
}

/* One sector; R to W behind the main channel when the area says so. */
static void block_make(const struct vdrive_plan *plan, const struct vdrive_area *area, mmc_lba_t lba,
                       const uint8_t *block, struct vdrive_slot *slot)
{
    static const uint8_t pause[12] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                         play[12] = {0};
    struct vdrive_place place = area_place(plan, area);

    block_fill(slot, area->form, lba, block);
    vdrive_slot_place(slot, &place, lba);
    if (!block || !(area->form & 0xc0))
        return;
    memcpy(slot->sub, block + area_bytes(area), MMC_SUBCHANNEL_BYTES);
    mmc_subchannel_put(slot->sub, 6, slot->sector.q);
    mmc_subchannel_put(slot->sub, 7, area->index ? play : pause);
    slot->sector.flags |= VDRIVE_SECTOR_SUB;
}

static size_t host_bytes(const struct vdrive_plan *plan, mmc_lba_t lba)
{
    const struct vdrive_area *area;

    if (lba.n < plan->program.n)
        return MMC_SUBCHANNEL_BYTES;
    area = area_at(plan, lba);
    return area ? area_bytes(area) + (area->form & 0xc0 ? MMC_SUBCHANNEL_BYTES : 0) : 0;
}

static struct vdrive_job session_job(const struct vdrive_plan *plan)
{
    return (struct vdrive_job){
        .sectors = true, .underrun_free = plan->mode.underrun_free, .test = plan->mode.test};
}

/* Areas that the host sends nothing for, the drive writes as it comes to them. */
void vdrive_session_skip(struct vdrive *d)
{
    struct vdrive_plan *plan = &d->plan;
    struct vdrive_job job = session_job(plan);
    const struct vdrive_area *area;

    job.count = 1;
    job.underrun_free = true;
    while (!d->power_lost && plan->next.n >= plan->program.n && (area = area_at(plan, plan->next)) &&
           area_bytes(area) == 0) {
        struct vdrive_slot slot;

        if (!plan->begun) {
            /* Not before the host has begun: it may still send another cue sheet. */
            plan->next = area->end;
            continue;
        }
        block_make(plan, area, plan->next, NULL, &slot);
        job.first = plan->next;
        vdrive_laser_queue(d, &job, &slot);
        plan->next = mmc_lba_add(plan->next, 1);
    }
}

/* The lead-in goes onto the disc; after it, what the drive writes itself in front of the host's first block.
 */
static vdrive_sense_code_t session_begin(struct vdrive *d)
{
    struct vdrive_plan *plan = &d->plan;
    mmc_lba_t first = plan->next;

    vdrive_laser_occupy(d, vdrive_time_sectors(LEADIN_SECTORS, d->write_speed), plan->program);
    d->laser.activity = VDRIVE_IDLE;
    if (!plan->mode.test && vdrive_media_leadin_write(&d->media, d->disc.session_count, &plan->leadin) != 0)
        return VDRIVE_WRITE_ERROR;
    plan->begun = true;
    if (first.n > plan->program.n) {
        plan->next = plan->program;
        vdrive_session_skip(d);
    }
    return 0;
}

static vdrive_sense_code_t session_refusal(const struct vdrive *d, const struct vdrive_command *c,
                                           mmc_lba_t first, uint32_t count)
{
    const struct vdrive_plan *plan = &d->plan;
    size_t bytes = 0;

    if (plan->kind != VDRIVE_PLAN_SAO)
        return VDRIVE_BAD_SEQUENCE; /* there is no cue sheet */
    if (first.n != plan->next.n)
        return VDRIVE_BAD_ADDRESS;
    if ((int64_t)first.n + count > plan->leadout.n)
        return VDRIVE_END_OF_AREA;
    for (uint32_t i = 0; i < count; i++) {
        size_t one = host_bytes(plan, mmc_lba_add(first, i));

        if (one == 0)
            return VDRIVE_BAD_ADDRESS; /* the drive writes there itself */
        bytes += one;
    }
    return bytes > c->out_len ? VDRIVE_LIST_LENGTH : 0;
}

/* Sectors of the lead-in: only their R to W comes from the host. */
static int text_write(struct vdrive *d, uint32_t index, const uint8_t *block)
{
    if (d->plan.mode.test)
        return 0;
    return vdrive_media_text_write(&d->media, d->disc.session_count, index, block);
}

void vdrive_write_session(struct vdrive *d, struct vdrive_command *c, mmc_lba_t first, uint32_t count)
{
    vdrive_sense_code_t code = session_refusal(d, c, first, count);
    struct vdrive_plan *plan = &d->plan;
    struct vdrive_job job = session_job(plan);
    const uint8_t *block = c->out;
    uint32_t done = 0;

    if (!code && count && !plan->begun)
        code = session_begin(d);
    if (code) {
        vdrive_command_fail(c, code);
        return;
    }
    for (; done < count && plan->next.n < plan->program.n; done++, block += MMC_SUBCHANNEL_BYTES) {
        if (text_write(d, (uint32_t)(plan->next.n - plan->leadin.start.n), block) != 0) {
            vdrive_command_fail_at(c, VDRIVE_WRITE_ERROR, plan->next);
            return;
        }
        plan->next = mmc_lba_add(plan->next, 1);
    }
    while (done < count && !d->power_lost) {
        struct vdrive_slot slots[CHUNK_BLOCKS];
        const uint8_t *from = block;

        job.first = plan->next;
        job.count = 0;
        while (job.count < CHUNK_BLOCKS && done < count) {
            const struct vdrive_area *area = area_at(plan, plan->next);

            if (area_bytes(area) == 0)
                break;
            block_make(plan, area, plan->next, block, &slots[job.count++]);
            block += host_bytes(plan, plan->next);
            plan->next = mmc_lba_add(plan->next, 1);
            done++;
        }
        vdrive_clock_advance(d, vdrive_time_transfer((uint64_t)(block - from)));
        if (job.count)
            vdrive_laser_queue(d, &job, slots);
        vdrive_session_skip(d);
    }
    d->stats.bytes_out += (uint64_t)(block - c->out);
}

/* SYNCHRONIZE CACHE in a session: when all of it is there, the lead-out follows, and the disc is what the cue
 * sheet said. */
void vdrive_session_end(struct vdrive *d, struct vdrive_command *c)
{
    struct vdrive_plan *plan = &d->plan;
    bool whole = plan->next.n >= plan->leadout.n && plan->leadin.leadout_sectors == 0;

    if (plan->kind == VDRIVE_PLAN_RAW)
        whole = plan->stored && plan->leadin.leadout_sectors > 0;
    else if (whole)
        plan->leadin.leadout_sectors = vdrive_disc_leadout_sectors(d->disc.session_count);
    if (!whole || plan->mode.test) {
        plan->kind = VDRIVE_PLAN_NONE;
        plan->begun = false;
        vdrive_disc_refresh(d);
        return;
    }
    vdrive_operation_start(d, c, (struct vdrive_operation){.kind = VDRIVE_OP_LEADOUT},
                           VDRIVE_US_SETTLE +
                               vdrive_time_sectors(plan->leadin.leadout_sectors, d->write_speed),
                           c->cdb[0] == 0x35 && c->cdb[1] & 2);
}

int vdrive_session_finish(struct vdrive *d)
{
    int err = vdrive_media_leadin_write(&d->media, d->disc.session_count, &d->plan.leadin);

    d->plan.kind = VDRIVE_PLAN_NONE;
    d->plan.begun = false;
    return err;
}
