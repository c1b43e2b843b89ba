/* SPDX-License-Identifier: MIT */
/*
 * READ TOC/PMA/ATIP (MMC-5 6.26), decoded from the Q frames of the lead-ins and of the PMA, never from what
 * the drive remembers.
 */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define TOC_MAX       (4 + 2048 * MMC_PACK_BYTES) /* packs; frames are fewer */
#define TRACK_LEADOUT 0xaa

struct toc {
    uint8_t list[TOC_MAX];
    size_t len;
    bool msf;
};

static void toc_address(const struct toc *toc, uint8_t *to, mmc_lba_t lba)
{
    if (toc->msf) {
        to[0] = 0;
        vdrive_msf_of(lba, to + 1);
    } else {
        mmc_be32_put(to, (uint32_t)lba.n);
    }
}

static void toc_add(struct toc *toc, uint8_t control, uint8_t number, mmc_lba_t lba)
{
    uint8_t *to = toc->list + toc->len;

    if (toc->len + 8 > sizeof(toc->list))
        return;
    to[1] = (uint8_t)(0x10 | control);
    to[2] = number;
    toc_address(toc, to + 4, lba);
    toc->len += 8;
}

static unsigned closed_sessions(const struct vdrive_disc *disc)
{
    unsigned count = disc->session_count;

    return count > 0 && !disc->sessions[count - 1].closed ? count - 1 : count;
}

/* Format 0000b: the tracks of all closed sessions from one on, and the last lead-out. */
static bool toc_tracks(const struct vdrive *d, struct toc *toc, unsigned from)
{
    const struct vdrive_disc *disc = &d->disc;
    unsigned sessions = closed_sessions(disc);
    const struct vdrive_session *last;

    if (sessions == 0)
        return false;
    last = &disc->sessions[sessions - 1];
    if (from > last->last && from != TRACK_LEADOUT)
        return false;
    toc->list[2] = 1;
    toc->list[3] = (uint8_t)last->last;
    for (unsigned t = from > 0 ? from : 1; t <= last->last; t++)
        toc_add(toc, disc->tracks[t - 1].control, (uint8_t)t, disc->tracks[t - 1].start);
    toc_add(toc, disc->tracks[last->last - 1].control, TRACK_LEADOUT, last->leadout);
    return true;
}

/* Format 0001b: where the last session begins. */
static bool toc_sessions(const struct vdrive *d, struct toc *toc)
{
    const struct vdrive_disc *disc = &d->disc;
    unsigned sessions = closed_sessions(disc);
    const struct vdrive_track *track;

    if (sessions == 0)
        return false;
    track = &disc->tracks[disc->sessions[sessions - 1].first - 1];
    toc->list[2] = 1;
    toc->list[3] = (uint8_t)sessions;
    toc_add(toc, track->control, (uint8_t)track->number, track->start);
    return true;
}

static void toc_add_frame(struct toc *toc, unsigned session, const struct vdrive_q *q)
{
    uint8_t *to = toc->list + toc->len;

    if (toc->len + 11 > sizeof(toc->list))
        return;
    to[0] = (uint8_t)session;
    to[1] = (uint8_t)(q->adr << 4 | q->control);
    to[3] = q->point;
    memcpy(to + 4, q->msf, 3);
    to[7] = q->zero;
    memcpy(to + 8, q->pmsf, 3);
    toc->len += 11;
}

/* Format 0010b: every point of every lead-in from a session on. */
static bool toc_full(const struct vdrive *d, struct toc *toc, unsigned from)
{
    unsigned sessions = closed_sessions(&d->disc);
    struct vdrive_leadin leadin;

    if (sessions == 0 || from > sessions)
        return false;
    toc->list[2] = 1;
    toc->list[3] = (uint8_t)sessions;
    for (unsigned s = from > 0 ? from : 1; s <= sessions; s++) {
        if (vdrive_media_leadin_read(&d->media, s, &leadin) != 1)
            return false;
        for (unsigned i = 0; i < leadin.count; i++)
            toc_add_frame(toc, s, &leadin.frames[i]);
    }
    return true;
}

/* Format 0011b. */
static bool toc_pma(const struct vdrive *d, struct toc *toc)
{
    struct vdrive_q frames[VDRIVE_PMA_MAX];
    int count = vdrive_media_pma_read(&d->media, frames);

    if (d->media.spec.medium == VDRIVE_CD_ROM)
        return false;
    for (int i = 0; i < count; i++)
        toc_add_frame(toc, 0, &frames[i]);
    return count >= 0;
}

/* Format 0100b: what is pressed into the groove. */
static bool toc_atip(const struct vdrive *d, struct toc *toc)
{
    const struct vdrive_disc_spec *spec = &d->media.spec;
    unsigned subtype = spec->speed == 4 ? 0 : spec->speed == 10 ? 1 : 2;
    uint8_t *to = toc->list + 4;

    if (spec->medium == VDRIVE_CD_ROM)
        return false;
    to[0] = 0xc0; /* power 4, reference speed 2x */
    to[1] = 0x40; /* unrestricted use */
    to[2] = (uint8_t)(0x80 | (spec->medium == VDRIVE_CD_RW ? 0x44 : 0) | subtype << 3);
    if (!vdrive_quirk(&d->faults, VDRIVE_QUIRK_ZERO_ATIP))
        vdrive_msf_of(d->media.atip_leadin, to + 4);
    vdrive_msf_of(d->media.atip_leadout, to + 8);
    if (spec->medium == VDRIVE_CD_RW)
        to[12] = (uint8_t)(spec->speed == 4 ? 0x12 : 0x24); /* A1: lowest and highest speed, coded */
    toc->len = 28;
    return true;
}

/* Format 0101b: the CD-Text packs of the first lead-in, until they repeat. */
static bool toc_text(const struct vdrive *d, struct toc *toc)
{
    uint8_t symbols[MMC_SUBCHANNEL_BYTES], packs[MMC_PACKS_A_SECTOR * MMC_PACK_BYTES];

    if (closed_sessions(&d->disc) == 0)
        return false;
    for (uint32_t sector = 0; sector < VDRIVE_TEXT_SECTORS; sector++) {
        if (vdrive_media_text_read(&d->media, 1, sector, symbols) != 0)
            return false;
        mmc_packs_gather(symbols, packs);
        for (unsigned i = 0; i < MMC_PACKS_A_SECTOR; i++) {
            const uint8_t *pack = packs + i * MMC_PACK_BYTES;

            if (pack[0] < 0x80 || !mmc_pack_sound(pack) || toc->len + MMC_PACK_BYTES > sizeof(toc->list))
                continue;
            if (toc->len > 4 && memcmp(pack, toc->list + 4, MMC_PACK_BYTES) == 0)
                return true;
            memcpy(toc->list + toc->len, pack, MMC_PACK_BYTES);
            toc->len += MMC_PACK_BYTES;
        }
    }
    return toc->len > 4;
}

void vdrive_read_toc(struct vdrive *d, struct vdrive_command *c)
{
    /* Old callers give the format in the control byte (SFF-8020). */
    unsigned format = c->cdb[2] & 15 ? c->cdb[2] & 15u : c->cdb[9] >> 6;
    struct toc toc = {.len = 4, .msf = c->cdb[1] & 2};
    bool formatted_fails = d->disc.formatted && vdrive_quirk(&d->faults, VDRIVE_QUIRK_TOC_FAILS_FORMATTED);
    bool found = false;

    if (format == 0)
        found = !formatted_fails && toc_tracks(d, &toc, c->cdb[6]);
    else if (format == 1)
        found = !formatted_fails && toc_sessions(d, &toc);
    else if (format == 2)
        found = !formatted_fails && toc_full(d, &toc, c->cdb[6]);
    else if (format == 3)
        found = toc_pma(d, &toc);
    else if (format == 4)
        found = toc_atip(d, &toc);
    else if (format == 5)
        found = toc_text(d, &toc);
    if (!found) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    mmc_be16_put(toc.list, (uint32_t)toc.len - 2);
    vdrive_command_answer(c, toc.list, toc.len, mmc_be16_get(c->cdb + 7));
}
