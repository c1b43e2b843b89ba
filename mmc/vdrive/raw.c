/* SPDX-License-Identifier: MIT */
/*
 * Raw writing: the host makes everything itself, lead-in, program and lead-out, with the sub-channels. The
 * drive looks at the Q frames as they come by: those of the lead-in with a right CRC are the table of
 * contents, those of the program say what a sector is. Data arrives scrambled, as the laser writes it.
 */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define CHUNK_BLOCKS 32u
#define RAW16_SUB    16u
#define BLOCK_RAW16  1
#define CONTROL_DATA 4

/* The lead-in may be shorter than there is room for, but there must be one. */
static bool raw_start_good(const struct vdrive_plan *plan, mmc_lba_t first)
{
    return first.n >= plan->leadin.start.n && first.n < plan->program.n;
}

static void raw_begin(struct vdrive *d, const struct vdrive_write_mode *mode)
{
    struct vdrive_plan *plan = &d->plan;

    memset(plan, 0, sizeof(*plan));
    plan->kind = VDRIVE_PLAN_RAW;
    plan->mode = *mode;
    plan->leadin.start = d->disc.sessions[d->disc.session_count - 1].leadin;
    plan->program = mmc_lba_add(d->disc.next, -VDRIVE_PREGAP);
    plan->leadout = d->media.atip_leadout;
    plan->next = plan->leadin.start;
}

static size_t raw_sub_bytes(const struct vdrive_plan *plan)
{
    return plan->mode.block_type == BLOCK_RAW16 ? RAW16_SUB : MMC_SUBCHANNEL_BYTES;
}

static void raw_q(const struct vdrive_plan *plan, const uint8_t *sub, uint8_t q[VDRIVE_Q_BYTES])
{
    if (plan->mode.block_type == BLOCK_RAW16)
        memcpy(q, sub, VDRIVE_Q_BYTES);
    else
        mmc_subchannel_get(sub, 6, q);
}

/* A frame of the lead-in: each point is kept once. */
static void leadin_take(struct vdrive_plan *plan, const uint8_t bytes[VDRIVE_Q_BYTES])
{
    struct vdrive_leadin *leadin = &plan->leadin;
    struct vdrive_q q;

    if (!vdrive_q_decode(bytes, &q) || q.track != 0 ||
        (q.adr != MMC_Q_POSITION && q.adr != MMC_Q_MULTISESSION))
        return;
    if (q.adr == MMC_Q_POSITION)
        memset(q.msf, 0, sizeof(q.msf)); /* the running time of the lead-in */
    for (unsigned i = 0; i < leadin->count; i++) {
        if (leadin->frames[i].adr == q.adr && leadin->frames[i].point == q.point)
            return;
    }
    if (leadin->count < VDRIVE_LEADIN_MAX)
        leadin->frames[leadin->count++] = q;
}

static const struct vdrive_q *leadin_point(const struct vdrive_leadin *leadin, uint8_t point)
{
    for (unsigned i = 0; i < leadin->count; i++) {
        if (leadin->frames[i].adr == MMC_Q_POSITION && leadin->frames[i].point == point)
            return &leadin->frames[i];
    }
    return NULL;
}

/* Whether a player would make sense of the lead-in: its tracks follow each other in this session, up to the
 * lead-out. */
static bool leadin_sound(const struct vdrive *d, mmc_lba_t *leadout)
{
    const struct vdrive_plan *plan = &d->plan;
    const struct vdrive_q *first = leadin_point(&plan->leadin, VDRIVE_POINT_FIRST),
                          *last = leadin_point(&plan->leadin, VDRIVE_POINT_LAST),
                          *end = leadin_point(&plan->leadin, VDRIVE_POINT_LEADOUT);
    mmc_lba_t before = plan->program;

    if (!first || !last || !end || first->pmsf[0] != d->disc.track_count + 1 ||
        last->pmsf[0] < first->pmsf[0] || last->pmsf[0] > VDRIVE_TRACKS_MAX)
        return false;
    *leadout = vdrive_msf_lba(end->pmsf);
    for (unsigned t = first->pmsf[0]; t <= last->pmsf[0]; t++) {
        const struct vdrive_q *q = leadin_point(&plan->leadin, (uint8_t)t);
        mmc_lba_t at = q ? vdrive_msf_lba(q->pmsf) : before;

        if (!q || at.n <= before.n)
            return false;
        before = at;
    }
    return leadout->n > before.n && leadout->n <= d->media.atip_leadout.n;
}

/* What a sector of the program is, by its Q, and by its codes. */
static void raw_fill(struct vdrive_plan *plan, struct vdrive_slot *slot, mmc_lba_t lba, const uint8_t *block)
{
    enum mmc_sector_form form;

    memset(&slot->sector, 0, sizeof(slot->sector));
    raw_q(plan, block + MMC_SECTOR_BYTES, slot->sector.q);
    if (mmc_q_sound(slot->sector.q))
        plan->control = slot->sector.q[0] >> 4;
    memcpy(slot->main, block, MMC_SECTOR_BYTES);
    slot->sector.form = VDRIVE_SECTOR_AUDIO;
    if (plan->control & CONTROL_DATA) {
        mmc_sector_scramble(slot->main);
        if (!mmc_sector_check(slot->main, lba, &form))
            slot->sector.form = VDRIVE_SECTOR_BROKEN;
        else if (form == MMC_SECTOR_MODE2 || form == MMC_SECTOR_FORM2)
            slot->sector.form = form == MMC_SECTOR_MODE2 ? VDRIVE_SECTOR_MODE2 : VDRIVE_SECTOR_FORM2;
        else if (form == MMC_SECTOR_MODE0)
            slot->sector.form = VDRIVE_SECTOR_BROKEN;
        else
            slot->sector.form = form == MMC_SECTOR_MODE1 ? VDRIVE_SECTOR_MODE1 : VDRIVE_SECTOR_FORM1;
        memcpy(slot->sector.subheader, slot->main + MMC_SECTOR_USER_AT, sizeof(slot->sector.subheader));
    }
    if (slot->sector.form == VDRIVE_SECTOR_MODE1 || slot->sector.form == VDRIVE_SECTOR_FORM1)
        memmove(slot->main, slot->main + mmc_sector_user_at(form), MMC_BLOCK_BYTES);
    if (raw_sub_bytes(plan) == MMC_SUBCHANNEL_BYTES) {
        slot->sector.flags |= VDRIVE_SECTOR_SUB;
        memcpy(slot->sub, block + MMC_SECTOR_BYTES, MMC_SUBCHANNEL_BYTES);
    }
}

static vdrive_sense_code_t raw_refusal(const struct vdrive *d, const struct vdrive_command *c,
                                       mmc_lba_t first, uint32_t count)
{
    const struct vdrive_plan *plan = &d->plan;
    size_t bytes = MMC_SECTOR_BYTES + raw_sub_bytes(plan);

    if (plan->begun ? first.n != plan->next.n : !raw_start_good(plan, first))
        return VDRIVE_BAD_ADDRESS;
    return c->out_len / bytes < count ? VDRIVE_LIST_LENGTH : 0;
}

/* A sector of the lead-in: what Q and R to W say is kept, the main channel is nothing. */
static int raw_leadin(struct vdrive *d, mmc_lba_t lba, const uint8_t *sub)
{
    struct vdrive_plan *plan = &d->plan;
    uint8_t q[VDRIVE_Q_BYTES], symbols[MMC_SUBCHANNEL_BYTES];

    raw_q(plan, sub, q);
    leadin_take(plan, q);
    if (raw_sub_bytes(plan) != MMC_SUBCHANNEL_BYTES)
        return 0;
    for (unsigned i = 0; i < MMC_SUBCHANNEL_BYTES; i++)
        symbols[i] = sub[i] & 0x3f;
    return vdrive_media_text_write(&d->media, d->disc.session_count, (uint32_t)(lba.n - plan->leadin.start.n),
                                   symbols);
}

/* The lead-in is behind the laser: it is on the disc now, if anyone can read it. */
static int raw_program(struct vdrive *d)
{
    struct vdrive_plan *plan = &d->plan;

    if (plan->stored || plan->next.n != plan->program.n || !leadin_sound(d, &plan->leadout))
        return 0;
    plan->stored = true;
    return vdrive_media_leadin_write(&d->media, d->disc.session_count, &plan->leadin);
}

/* Sectors of the program, as many in a row as the buffer takes at once. Returns how many. */
static uint32_t raw_sectors(struct vdrive *d, const uint8_t *blocks, size_t bytes, uint32_t most)
{
    struct vdrive_plan *plan = &d->plan;
    struct vdrive_job job = {.sectors = true, .underrun_free = plan->mode.underrun_free};
    struct vdrive_slot slots[CHUNK_BLOCKS];

    job.first = plan->next;
    while (job.count < CHUNK_BLOCKS && job.count < most && plan->next.n < plan->leadout.n) {
        raw_fill(plan, &slots[job.count], plan->next, blocks + job.count * bytes);
        plan->next = mmc_lba_add(plan->next, 1);
        job.count++;
    }
    vdrive_clock_advance(d, vdrive_time_transfer((uint64_t)job.count * bytes));
    vdrive_laser_queue(d, &job, slots);
    return job.count;
}

void vdrive_write_raw(struct vdrive *d, struct vdrive_command *c, mmc_lba_t first, uint32_t count)
{
    struct vdrive_write_mode mode = vdrive_write_mode_get(d);
    struct vdrive_plan *plan = &d->plan;
    vdrive_sense_code_t code;
    size_t bytes;
    int err = 0;

    if (plan->kind != VDRIVE_PLAN_RAW || !plan->begun)
        raw_begin(d, &mode);
    bytes = MMC_SECTOR_BYTES + raw_sub_bytes(plan);
    code = raw_refusal(d, c, first, count);
    if (code || count == 0) {
        if (code)
            vdrive_command_fail(c, code);
        return;
    }
    plan->begun = true;
    plan->next = first;
    for (uint32_t done = 0; done < count && !err && !d->power_lost;) {
        const uint8_t *block = c->out + done * bytes;

        err = raw_program(d);
        if (plan->next.n >= plan->program.n && plan->next.n < plan->leadout.n) {
            done += raw_sectors(d, block, bytes, count - done);
            continue;
        }
        if (plan->next.n < plan->program.n)
            err = raw_leadin(d, plan->next, block + MMC_SECTOR_BYTES);
        else
            plan->leadin.leadout_sectors++;
        vdrive_laser_occupy(d, vdrive_time_sectors(1, d->write_speed), plan->next);
        d->laser.activity = VDRIVE_IDLE;
        plan->next = mmc_lba_add(plan->next, 1);
        done++;
    }
    d->stats.bytes_out += (uint64_t)count * bytes;
    if (err)
        vdrive_command_fail_at(c, VDRIVE_WRITE_ERROR, plan->next);
}
