/* SPDX-License-Identifier: MIT */
/* The cue sheet (MMC-5 6.39): entries of eight bytes, checked one after the other. */
#include <string.h>

#include "mmc/vdrive/plan.h"

#define ENTRY         8
#define TRACK_LEADOUT 0xaa
#define TRACK_LEAST   300
#define TEXT_HALF     6 /* characters of an ISRC in an entry; seven of the catalogue number */

/* Control and ADR, track, index, data form, SCMS, absolute time. */
struct entry {
    uint8_t control, adr, track, index, form;
    mmc_lba_t at;
};

bool vdrive_cue_form_bytes(uint8_t form, size_t *bytes)
{
    static const struct {
        uint8_t form;
        uint16_t bytes;
    } forms[] = {{0x00, 2352}, {0x01, 0},    {0x10, 2048}, {0x11, 2352}, {0x12, 2048}, {0x13, 2352},
                 {0x14, 0},    {0x20, 2336}, {0x21, 2352}, {0x22, 2336}, {0x23, 2352}, {0x24, 0},
                 {0x30, 2336}, {0x31, 2352}, {0x32, 2336}, {0x33, 2352}, {0x34, 0}};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].form == (form & 0x3f)) {
            *bytes = forms[i].bytes;
            return (form & 0xc0) != 0x80;
        }
    }
    return false;
}

static struct entry entry_of(const uint8_t *p)
{
    return (struct entry){.control = p[0] >> 4,
                          .adr = p[0] & 15,
                          .track = p[1],
                          .index = p[2],
                          .form = p[3],
                          .at = vdrive_msf_lba(p + 5)};
}

/* Two entries hold a catalogue number (13 characters) or an ISRC (12). */
static bool text_take(const uint8_t *p, size_t left, struct vdrive_plan *plan)
{
    bool mcn = (p[0] & 15) == MMC_Q_MCN;
    unsigned first = mcn ? 1 : 2, chars = ENTRY - first;
    uint8_t q[MMC_Q_BYTES];
    char *to;

    if (left < (size_t)2 * ENTRY || p[ENTRY] != p[0])
        return false;
    if (!mcn && (p[1] == 0 || p[1] > VDRIVE_TRACKS_MAX || p[ENTRY + 1] != p[1]))
        return false;
    to = mcn ? plan->mcn : plan->isrc[p[1]];
    memcpy(to, p + first, chars);
    memcpy(to + chars, p + ENTRY + first, mcn ? MMC_MCN_CHARS - chars : TEXT_HALF);
    return mcn ? mmc_q_mcn_put(q, 0, to, 0) : mmc_q_isrc_put(q, 0, to, 0);
}

/* An entry of the program must go on where the one before it left off. */
static bool area_follows(const struct vdrive_plan *plan, const struct vdrive_disc *disc,
                         const struct entry *e)
{
    const struct vdrive_area *last = plan->area_count ? &plan->areas[plan->area_count - 1] : NULL;

    if (!last)
        return e->track == disc->track_count + 1 && e->index == 0 && e->at.n == plan->program.n;
    if (e->at.n <= last->start.n)
        return false;
    if (e->track == last->track)
        return e->index == last->index + 1;
    return e->track == last->track + 1 && last->index > 0 && e->index <= 1;
}

static bool area_take(struct vdrive_plan *plan, const struct vdrive_disc *disc, const struct entry *e)
{
    size_t bytes;

    if (e->adr != MMC_Q_POSITION || e->track > VDRIVE_TRACKS_MAX || e->index > 99 ||
        plan->area_count == VDRIVE_AREAS_MAX || !area_follows(plan, disc, e) ||
        !vdrive_cue_form_bytes(e->form, &bytes))
        return false;
    /* Audio forms are for audio tracks, the others are not. */
    if (((e->control & 4) == 0) != ((e->form & 0x30) == 0))
        return false;
    if (plan->area_count)
        plan->areas[plan->area_count - 1].end = e->at;
    plan->areas[plan->area_count++] = (struct vdrive_area){
        .start = e->at, .control = e->control, .track = e->track, .index = e->index, .form = e->form};
    return true;
}

static void frame_add(struct vdrive_leadin *leadin, uint8_t control, uint8_t point, const uint8_t pmsf[3])
{
    struct vdrive_q *q = &leadin->frames[leadin->count++];

    *q = (struct vdrive_q){.control = control, .adr = MMC_Q_POSITION, .point = point};
    memcpy(q->pmsf, pmsf, 3);
}

/* Frames of the tracks, each where its index 1 is; false when one is too short. */
static bool tracks_list(struct vdrive_plan *plan)
{
    uint8_t msf[3];

    for (unsigned i = 0; i < plan->area_count; i++) {
        const struct vdrive_area *area = &plan->areas[i];
        unsigned last = i;

        if (area->index != 1)
            continue;
        while (last + 1 < plan->area_count && plan->areas[last + 1].index > 1)
            last++;
        if (plan->areas[last].end.n - area->start.n < TRACK_LEAST)
            return false;
        vdrive_msf_of(area->start, msf);
        frame_add(&plan->leadin, area->control, area->track, msf);
    }
    return true;
}

static bool leadin_plan(const struct vdrive_media *media, const struct vdrive_disc *disc,
                        struct vdrive_plan *plan)
{
    const struct vdrive_area *first = &plan->areas[0], *last = &plan->areas[plan->area_count - 1];
    uint8_t msf[3];

    frame_add(&plan->leadin, first->control, VDRIVE_POINT_FIRST,
              (uint8_t[]){first->track, plan->mode.session_format, 0});
    frame_add(&plan->leadin, first->control, VDRIVE_POINT_LAST, (uint8_t[]){last->track, 0, 0});
    vdrive_msf_of(plan->leadout, msf);
    frame_add(&plan->leadin, first->control, VDRIVE_POINT_LEADOUT, msf);
    if (!tracks_list(plan))
        return false;
    vdrive_leadin_add_next(media, disc->session_count, plan->leadout, plan->mode.multi_session,
                           first->control, &plan->leadin);
    return true;
}

static bool leadin_entry(const struct entry *e, struct vdrive_plan *plan)
{
    size_t bytes;

    if (e->adr != MMC_Q_POSITION || e->track != 0 || e->index != 0 || !vdrive_cue_form_bytes(e->form, &bytes))
        return false;
    plan->text = (e->form & 0xc0) == 0x40;
    return true;
}

static bool leadout_entry(const struct vdrive_media *media, const struct entry *e, struct vdrive_plan *plan)
{
    struct vdrive_area *last = plan->area_count ? &plan->areas[plan->area_count - 1] : NULL;

    if (!last || last->index == 0 || e->index != 1 || e->at.n <= last->start.n ||
        e->at.n > media->atip_leadout.n)
        return false;
    plan->leadout = last->end = e->at;
    return true;
}

vdrive_sense_code_t vdrive_cue_parse(const struct vdrive_media *media, const struct vdrive_disc *disc,
                                     const uint8_t *sheet, size_t len, struct vdrive_plan *plan)
{
    bool leadin = false, ended = false;

    plan->program = mmc_lba_add(disc->next, -VDRIVE_PREGAP);
    plan->leadin.start = disc->sessions[disc->session_count - 1].leadin;
    if (len % ENTRY != 0)
        return VDRIVE_BAD_LIST;
    for (size_t at = 0; at < len; at += ENTRY) {
        struct entry e = entry_of(sheet + at);
        bool good;

        if (ended)
            return VDRIVE_BAD_LIST;
        if (e.adr == MMC_Q_MCN || e.adr == MMC_Q_ISRC) {
            good = text_take(sheet + at, len - at, plan);
            at += ENTRY;
        } else if (!leadin) {
            good = leadin = leadin_entry(&e, plan);
        } else if (e.track == TRACK_LEADOUT) {
            good = ended = leadout_entry(media, &e, plan);
        } else {
            good = area_take(plan, disc, &e);
        }
        if (!good)
            return VDRIVE_BAD_LIST;
    }
    return ended && leadin_plan(media, disc, plan) ? 0 : VDRIVE_BAD_LIST;
}
