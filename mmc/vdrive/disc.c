/* SPDX-License-Identifier: MIT */
/* Sessions and tracks, read off the disc, and the lead-in that closes a session. */
#include <errno.h>
#include <string.h>

#include "mmc/vdrive/disc.h"

/* Sectors (Orange Book; MMC-5 4.2.3): the first session's lead-out is longer than those of later ones. */
#define LEADOUT_FIRST 6750
#define LEADOUT_LATER 2250
#define LEADIN        4500

/* Of page 05h. */
enum {
    MULTI_SESSION_NONE = 0,
    MULTI_SESSION_NEXT = 3
};

static bool track_plausible(const struct vdrive_media *media, const struct vdrive_disc *disc,
                            const struct vdrive_track *track)
{
    const struct vdrive_track *before = disc->track_count ? &disc->tracks[disc->track_count - 1] : NULL;

    if (track->number != disc->track_count + 1 || track->start.n < (before ? before->end.n : 0) ||
        track->end.n <= track->start.n || track->end.n > media->atip_leadout.n)
        return false;
    if (before && before->method == VDRIVE_METHOD_FIXED)
        return false;
    if (track->method == VDRIVE_METHOD_FIXED)
        return media->spec.medium == VDRIVE_CD_RW && track->number == 1 && track->start.n == 0 &&
               track->packet_blocks == MMC_PACKET_BLOCKS && track->end.n % MMC_PACKET_BLOCKS == 0 &&
               (uint32_t)track->end.n / MMC_PACKET_BLOCKS <= media->packet_count;
    return track->method == VDRIVE_METHOD_TAO || track->method == VDRIVE_METHOD_VARIABLE ||
           track->method == VDRIVE_METHOD_SESSION;
}

/* What the PMA says of each track: an entry with ADR 1 tells where it starts and where it stops. */
struct pma {
    bool known[VDRIVE_TRACKS_MAX + 1];
    struct vdrive_q frames[VDRIVE_TRACKS_MAX + 1];
};

static int pma_read(const struct vdrive_media *media, struct pma *pma)
{
    struct vdrive_q frames[VDRIVE_PMA_MAX];
    int count = vdrive_media_pma_read(media, frames);

    memset(pma, 0, sizeof(*pma));
    for (int i = 0; i < count; i++) {
        const struct vdrive_q *q = &frames[i];

        if (q->adr != MMC_Q_POSITION)
            continue;
        if (q->point == 0 || q->point > VDRIVE_TRACKS_MAX || pma->known[q->point])
            return -EMEDIUMTYPE;
        pma->known[q->point] = true;
        pma->frames[q->point] = *q;
    }
    return count < 0 ? count : 0;
}

static int track_add(const struct vdrive_media *media, struct vdrive_disc *disc,
                     const struct vdrive_track *track)
{
    if (disc->track_count == VDRIVE_TRACKS_MAX || !track_plausible(media, disc, track))
        return -EMEDIUMTYPE;
    disc->tracks[disc->track_count++] = *track;
    disc->formatted = track->method == VDRIVE_METHOD_FIXED;
    return 0;
}

static int track_from_pma(const struct vdrive_media *media, struct vdrive_disc *disc,
                          const struct vdrive_q *q)
{
    struct vdrive_tdb tdb;
    int err = vdrive_media_tdb_read(media, q->point, &tdb);

    if (err)
        return err;
    return track_add(media, disc,
                     &(struct vdrive_track){.number = q->point,
                                            .control = q->control,
                                            .data_mode = tdb.data_mode & 15,
                                            .method = tdb.method,
                                            .packet_blocks = tdb.packet_blocks,
                                            .start = vdrive_msf_lba(q->pmsf),
                                            .end = vdrive_msf_lba(q->msf)});
}

static const struct vdrive_q *leadin_find(const struct vdrive_leadin *leadin, uint8_t point)
{
    for (unsigned i = 0; i < leadin->count; i++) {
        if (leadin->frames[i].adr == MMC_Q_POSITION && leadin->frames[i].point == point)
            return &leadin->frames[i];
    }
    return NULL;
}

/* Goes back from the start of a track to that of its pregap, which ends the track before. */
static int pregap_start(const struct vdrive_media *media, unsigned track, mmc_lba_t *at)
{
    struct vdrive_sector sector;
    struct vdrive_q q;

    for (;;) {
        int err = vdrive_media_sectors_read(media, mmc_lba_add(*at, -1), 1, &sector);

        if (err || at->n <= 0)
            return err;
        if (sector.form == VDRIVE_SECTOR_UNWRITTEN)
            return 0;
        if (vdrive_q_decode(sector.q, &q) && q.adr == MMC_Q_POSITION && (q.track != track || q.point != 0))
            return 0;
        *at = mmc_lba_add(*at, -1);
    }
}

static uint8_t form_data_mode(uint8_t form)
{
    if (form == VDRIVE_SECTOR_MODE1)
        return 1;
    return form == VDRIVE_SECTOR_FORM1 || form == VDRIVE_SECTOR_FORM2 || form == VDRIVE_SECTOR_MODE2 ? 2 : 0;
}

/* A track of a session that was written at once: only the lead-in knows it. */
static int track_from_leadin(const struct vdrive_media *media, struct vdrive_disc *disc,
                             const struct vdrive_leadin *leadin, const struct vdrive_session *session,
                             unsigned number)
{
    const struct vdrive_q *q = leadin_find(leadin, (uint8_t)number),
                          *after = leadin_find(leadin, (uint8_t)(number + 1));
    struct vdrive_track track = {.number = number, .method = VDRIVE_METHOD_SESSION, .end = session->leadout};
    struct vdrive_sector sector;
    struct vdrive_tdb tdb;
    int err = vdrive_media_tdb_read(media, number, &tdb);

    if (err)
        return err;
    if (!q || tdb.method != VDRIVE_METHOD_NONE)
        return -EMEDIUMTYPE;
    track.control = q->control;
    track.start = vdrive_msf_lba(q->pmsf);
    if (track.start.n < 0 || track.start.n >= media->atip_leadout.n)
        return -EMEDIUMTYPE;
    if (number < session->last && after) {
        track.end = vdrive_msf_lba(after->pmsf);
        if (track.end.n < 0 || track.end.n > media->atip_leadout.n)
            return -EMEDIUMTYPE;
        err = pregap_start(media, number + 1, &track.end);
    }
    if (!err)
        err = vdrive_media_sectors_read(media, track.start, 1, &sector);
    if (err)
        return err;
    track.data_mode = form_data_mode(sector.form);
    track.open = track.damaged = !session->closed && number == session->last;
    track.next = track.end;
    return track_add(media, disc, &track);
}

/* What a lead-in says. False when a point that every lead-in has is missing. */
static bool leadin_decode(const struct vdrive_leadin *leadin, struct vdrive_session *session,
                          uint8_t *disc_type, bool *next)
{
    static const uint8_t none[3] = {0xff, 0xff, 0xff};
    unsigned seen = 0;

    *next = false;
    for (unsigned i = 0; i < leadin->count; i++) {
        const struct vdrive_q *q = &leadin->frames[i];

        if (q->adr == 1 && q->point == VDRIVE_POINT_FIRST) {
            session->first = q->pmsf[0];
            *disc_type = q->pmsf[1];
            seen |= 1;
        } else if (q->adr == 1 && q->point == VDRIVE_POINT_LAST) {
            session->last = q->pmsf[0];
            seen |= 2;
        } else if (q->adr == 1 && q->point == VDRIVE_POINT_LEADOUT) {
            session->leadout = vdrive_msf_lba(q->pmsf);
            seen |= 4;
        } else if (q->adr == 5 && q->point == VDRIVE_POINT_NEXT) {
            *next = memcmp(q->msf, none, 3) != 0;
        }
    }
    session->leadin = leadin->start;
    session->closed = leadin->leadout_sectors > 0;
    return seen == 7;
}

/* The tracks of a session that has a lead-in: the PMA or the lead-in itself says where each is. */
static int session_tracks(const struct vdrive_media *media, struct vdrive_disc *disc, const struct pma *pma,
                          const struct vdrive_leadin *leadin, const struct vdrive_session *session)
{
    int err = 0;

    if (session->first != disc->track_count + 1 || session->last < session->first ||
        session->last > VDRIVE_TRACKS_MAX || session->leadout.n > media->atip_leadout.n)
        return -EMEDIUMTYPE;
    for (unsigned t = session->first; t <= session->last && !err; t++)
        err = pma->known[t] ? track_from_pma(media, disc, &pma->frames[t])
                            : track_from_leadin(media, disc, leadin, session, t);
    if (!err && session->leadout.n < disc->tracks[session->last - 1].end.n)
        err = -EMEDIUMTYPE;
    return err;
}

/* Goes from lead-in to lead-in. *next: a further session may follow the last closed one. */
static int disc_read_sessions(const struct vdrive_media *media, struct vdrive_disc *disc,
                              const struct pma *pma, bool *next)
{
    struct vdrive_leadin leadin;
    int found, err;

    *next = true;
    while (*next && disc->session_count < VDRIVE_SESSIONS_MAX &&
           (found = vdrive_media_leadin_read(media, disc->session_count + 1, &leadin)) != 0) {
        struct vdrive_session *session = &disc->sessions[disc->session_count];

        if (found < 0)
            return found;
        if (!leadin_decode(&leadin, session, &disc->disc_type, next))
            return -EMEDIUMTYPE;
        err = session_tracks(media, disc, pma, &leadin, session);
        if (err)
            return err;
        *next = *next && session->closed;
        disc->session_count++;
    }
    if (disc->session_count == VDRIVE_SESSIONS_MAX || media->spec.medium == VDRIVE_CD_ROM)
        *next = false;
    return 0;
}

/* Behind the last lead-in there is only the PMA. */
static int disc_read_rest(const struct vdrive_media *media, struct vdrive_disc *disc, const struct pma *pma)
{
    int err = 0;

    while (!err && disc->track_count < VDRIVE_TRACKS_MAX && pma->known[disc->track_count + 1])
        err = track_from_pma(media, disc, &pma->frames[disc->track_count + 1]);
    for (unsigned t = disc->track_count + 1; t <= VDRIVE_TRACKS_MAX && !err; t++)
        err = pma->known[t] ? -EMEDIUMTYPE : 0;
    return err;
}

uint32_t vdrive_disc_leadout_sectors(unsigned session)
{
    return session == 1 ? LEADOUT_FIRST : LEADOUT_LATER;
}

bool vdrive_disc_session_begun(const struct vdrive_disc *disc)
{
    const struct vdrive_session *last = &disc->sessions[disc->session_count - 1];

    return last->last >= last->first;
}

mmc_lba_t vdrive_disc_next_leadin(unsigned session, mmc_lba_t leadout)
{
    return mmc_lba_add(leadout, vdrive_disc_leadout_sectors(session));
}

/* The session behind the last lead-in: the tracks that the PMA has beyond it. */
static void disc_open_session(const struct vdrive_media *media, struct vdrive_disc *disc)
{
    const struct vdrive_session *before =
        disc->session_count ? &disc->sessions[disc->session_count - 1] : NULL;
    struct vdrive_session *session = &disc->sessions[disc->session_count++];

    session->first = before ? before->last + 1 : 1;
    session->last = disc->track_count;
    session->leadin =
        before ? vdrive_disc_next_leadin(disc->session_count - 1, before->leadout) : media->atip_leadin;
    if (disc->track_count >= session->first)
        disc->next = mmc_lba_add(disc->tracks[disc->track_count - 1].end, VDRIVE_PREGAP);
    else
        disc->next = before ? mmc_lba_add(session->leadin, LEADIN + VDRIVE_PREGAP) : mmc_lba(0);
}

/* Recorded sectors behind all that the PMA knows of are a track that was never ended. */
static int disc_find_open_track(const struct vdrive_media *media, struct vdrive_disc *disc)
{
    mmc_lba_t end = vdrive_media_sectors_end(media);
    struct vdrive_track *track = &disc->tracks[disc->track_count];
    struct vdrive_sector sector;
    struct vdrive_tdb tdb;
    int err;

    if (disc->formatted || end.n <= disc->next.n || disc->track_count == VDRIVE_TRACKS_MAX)
        return 0;
    err = vdrive_media_tdb_read(media, disc->track_count + 1, &tdb);
    if (!err)
        err = vdrive_media_sectors_read(media, disc->next, 1, &sector);
    if (err)
        return err;
    *track =
        (struct vdrive_track){.number = disc->track_count + 1,
                              .control = sector.q[0] >> 4,
                              .data_mode = tdb.data_mode & 15,
                              .method = tdb.method == VDRIVE_METHOD_VARIABLE ? tdb.method : VDRIVE_METHOD_TAO,
                              .start = disc->next,
                              .end = end,
                              .next = end,
                              .open = true,
                              .damaged = true};
    if (track->method == VDRIVE_METHOD_VARIABLE) {
        err = vdrive_media_sectors_read(media, mmc_lba_add(end, -1), 1, &sector);
        track->damaged = sector.form != VDRIVE_SECTOR_RUNOUT;
        track->next = mmc_lba_add(end, VDRIVE_RUNIN);
    }
    disc->sessions[disc->session_count - 1].last = track->number;
    disc->track_count++;
    return err;
}

static void disc_judge(struct vdrive_disc *disc)
{
    const struct vdrive_session *last = &disc->sessions[disc->session_count - 1];

    for (unsigned s = 0; s < disc->session_count; s++) {
        for (unsigned t = disc->sessions[s].first; t <= disc->sessions[s].last; t++)
            disc->tracks[t - 1].session = s + 1;
    }
    if (last->closed) {
        disc->state = VDRIVE_DISC_COMPLETE;
        disc->last_session = VDRIVE_SESSION_COMPLETE;
    } else {
        bool empty = last->last < last->first;

        disc->state = empty && disc->session_count == 1 ? VDRIVE_DISC_BLANK : VDRIVE_DISC_APPENDABLE;
        disc->last_session = empty ? VDRIVE_SESSION_EMPTY : VDRIVE_SESSION_INCOMPLETE;
    }
}

int vdrive_disc_read(const struct vdrive_media *media, struct vdrive_disc *disc)
{
    struct pma pma;
    bool next;
    int err;

    memset(disc, 0, sizeof(*disc));
    disc->disc_type = 0xff;
    err = pma_read(media, &pma);
    if (!err)
        err = disc_read_sessions(media, disc, &pma, &next);
    if (!err && media->spec.medium == VDRIVE_CD_ROM && disc->session_count == 0)
        err = -EMEDIUMTYPE;
    if (!err)
        err = disc_read_rest(media, disc, &pma);
    if (err)
        return err;
    if (next) {
        disc_open_session(media, disc);
        err = disc_find_open_track(media, disc);
        if (err)
            return err;
    } else if (disc->sessions[disc->session_count - 1].last != disc->track_count) {
        return -EMEDIUMTYPE;
    }
    disc_judge(disc);
    return 0;
}

const struct vdrive_track *vdrive_disc_track_at(const struct vdrive_disc *disc, mmc_lba_t lba)
{
    for (unsigned i = 0; i < disc->track_count; i++) {
        if (lba.n >= disc->tracks[i].start.n && lba.n < disc->tracks[i].end.n)
            return &disc->tracks[i];
    }
    return NULL;
}

struct vdrive_track *vdrive_disc_open_track(struct vdrive_disc *disc)
{
    struct vdrive_track *last = disc->track_count ? &disc->tracks[disc->track_count - 1] : NULL;

    return last && last->open ? last : NULL;
}

bool vdrive_disc_appendable(const struct vdrive_disc *disc)
{
    return !disc->formatted && disc->state != VDRIVE_DISC_COMPLETE && disc->track_count < VDRIVE_TRACKS_MAX;
}

static void leadin_add(struct vdrive_leadin *leadin, uint8_t control, uint8_t adr, uint8_t point,
                       const uint8_t msf[3], const uint8_t pmsf[3])
{
    struct vdrive_q *q = &leadin->frames[leadin->count++];

    *q = (struct vdrive_q){.control = control, .adr = adr, .point = point};
    memcpy(q->msf, msf, 3);
    memcpy(q->pmsf, pmsf, 3);
}

void vdrive_leadin_add_next(const struct vdrive_media *media, unsigned session, mmc_lba_t leadout,
                            uint8_t multi_session, uint8_t control, struct vdrive_leadin *leadin)
{
    const uint8_t none[3] = {0xff, 0xff, 0xff}, zero[3] = {0};
    bool next = multi_session == MULTI_SESSION_NEXT;
    uint8_t a[3], b[3];

    if (multi_session == MULTI_SESSION_NONE)
        return;
    vdrive_msf_of(mmc_lba_add(vdrive_disc_next_leadin(session, leadout), LEADIN), a);
    vdrive_msf_of(media->atip_leadout, b);
    leadin_add(leadin, control, MMC_Q_MULTISESSION, VDRIVE_POINT_NEXT, next ? a : none, next ? b : zero);
    if (session == 1) {
        vdrive_msf_of(media->atip_leadin, a);
        leadin_add(leadin, control, MMC_Q_MULTISESSION, VDRIVE_POINT_ATIP, zero, a);
    }
}

int vdrive_disc_close_session(struct vdrive_media *media, const struct vdrive_disc *disc, uint8_t disc_type,
                              uint8_t multi_session)
{
    const struct vdrive_session *session = &disc->sessions[disc->session_count - 1];
    const struct vdrive_track *last = &disc->tracks[session->last - 1];
    struct vdrive_leadin leadin = {.start = session->leadin,
                                   .leadout_sectors = vdrive_disc_leadout_sectors(disc->session_count)};
    uint8_t control = disc->tracks[session->first - 1].control, a[3];
    const uint8_t zero[3] = {0};

    leadin_add(&leadin, control, 1, VDRIVE_POINT_FIRST, zero,
               (uint8_t[]){(uint8_t)session->first, disc_type, 0});
    leadin_add(&leadin, control, 1, VDRIVE_POINT_LAST, zero, (uint8_t[]){(uint8_t)session->last, 0, 0});
    vdrive_msf_of(last->end, a);
    leadin_add(&leadin, control, 1, VDRIVE_POINT_LEADOUT, zero, a);
    for (unsigned t = session->first; t <= session->last; t++) {
        vdrive_msf_of(disc->tracks[t - 1].start, a);
        leadin_add(&leadin, disc->tracks[t - 1].control, 1, (uint8_t)t, zero, a);
    }
    vdrive_leadin_add_next(media, disc->session_count, last->end, multi_session, control, &leadin);
    return vdrive_media_leadin_write(media, disc->session_count, &leadin);
}
