/* SPDX-License-Identifier: MIT */
/*
 * The disc as a folder: what the manufacturer pressed into it and what the laser has left since
 * (docs/drive.md lists the files). Every function that changes something writes it to the folder at once;
 * nothing is kept for later.
 */
#ifndef MMC_VDRIVE_MEDIA_H
#define MMC_VDRIVE_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "mmc/sector.h"
#include "mmc/subchannel.h"
#include "mmc/units.h"
#include "mmc/vdrive/qframe.h"
#include "mmc/vdrive/vdrive.h"

#define VDRIVE_TRACKS_MAX   99
#define VDRIVE_SESSIONS_MAX 99
#define VDRIVE_LEADIN_MAX   128 /* frames of one lead-in: 99 tracks and the A, B and C points */
#define VDRIVE_PMA_MAX      256
#define VDRIVE_PREGAP       150
#define VDRIVE_TEXT_SECTORS 512 /* of a lead-in, kept: as many as all packs of a disc need */
#define VDRIVE_LINK_BLOCKS  7   /* of a packet, beside its user blocks */
#define VDRIVE_RUNIN        5   /* of them, before: a link and four run-in blocks */
#define VDRIVE_RUNOUT       2   /* and behind, as behind a track written at once */
#define VDRIVE_DISC_NAME    "disc"
#define VDRIVE_FAULTS_NAME  "faults"

enum vdrive_packet_flags {
    VDRIVE_PACKET_FORMATTED = 1, /* a format or a WRITE has made it readable */
    VDRIVE_PACKET_TORN = 2,      /* the laser began to write it and has not ended */
};

/* A packet's place on the disc. Its rewrites count for the life of the disc. */
struct vdrive_packet {
    uint32_t rewrites, flags;
};

enum vdrive_sector_form {
    VDRIVE_SECTOR_UNWRITTEN = 0,
    VDRIVE_SECTOR_MODE1 = 1,
    VDRIVE_SECTOR_FORM1 = 2, /* mode 2 form 1 */
    VDRIVE_SECTOR_AUDIO = 3,
    VDRIVE_SECTOR_MODE2 = 4, /* without a form */
    VDRIVE_SECTOR_FORM2 = 5,
    VDRIVE_SECTOR_BROKEN = 6,  /* a data sector whose codes do not fit it */
    VDRIVE_SECTOR_LINK = 13,   /* between two packets: a link or run-in block */
    VDRIVE_SECTOR_PREGAP = 14, /* written by the drive in front of a track */
    VDRIVE_SECTOR_RUNOUT = 15, /* written by the drive behind a track or a packet */
};

enum vdrive_sector_flags {
    VDRIVE_SECTOR_SUB = 1, /* P and R to W came from the host */
};

/* The record of a sector of the program area outside a fixed-packet track. */
struct vdrive_sector {
    uint8_t form, flags;
    uint8_t subheader[4]; /* of forms 1 and 2 */
    uint8_t q[VDRIVE_Q_BYTES];
};

/*
 * A sector on its way to the disc. main: 2048 bytes of user data in mode 1 and form 1, whose codes follow
 * from them; the whole sector, not scrambled, in the other forms.
 */
struct vdrive_slot {
    struct vdrive_sector sector;
    uint8_t main[MMC_SECTOR_BYTES];
    uint8_t sub[MMC_SUBCHANNEL_BYTES]; /* raw, when the record's flags say so */
};

enum vdrive_track_method {
    VDRIVE_METHOD_NONE = 0,
    VDRIVE_METHOD_TAO = 1,
    VDRIVE_METHOD_FIXED = 2,
    VDRIVE_METHOD_VARIABLE = 3, /* variable packets */
    VDRIVE_METHOD_SESSION = 4,  /* session at once, or raw: no descriptor block says so */
};

/* What a track descriptor block in a track's pregap says of it. */
struct vdrive_tdb {
    uint8_t method, data_mode;
    uint32_t packet_blocks;
};

struct vdrive_leadin {
    mmc_lba_t start;
    uint32_t leadout_sectors; /* of the session's lead-out; 0 while it is being written */
    unsigned count;
    struct vdrive_q frames[VDRIVE_LEADIN_MAX];
};

struct vdrive_media {
    int dir, lock, data, main, sub, sectors, packet_file, pma, tdb, leadin, text;
    bool writable;
    int owner; /* process id in the lock file */
    int error; /* -errno of the first write to the folder that failed */
    struct vdrive_disc_spec spec;
    mmc_lba_t atip_leadin, atip_leadout;
    uint32_t packet_count; /* packets that a format makes at most */
    struct vdrive_packet *packets;
};

/*
 * Takes the folder for this process. -EBUSY and *holder when another has it; -EMEDIUMTYPE when the files make
 * no sense. When they cannot be written, or read_only is true, media->writable is false.
 */
int vdrive_media_open(struct vdrive_media *media, const char *folder, bool read_only, int *holder);
void vdrive_media_close(struct vdrive_media *media);

/* Makes it a pressed disc: neither PMA nor track descriptors, and the medium says so. 0 or -errno. */
int vdrive_media_press(struct vdrive_media *media);

/* After a fork, the process that goes on becomes the one that the lock names. */
void vdrive_media_claim(struct vdrive_media *media);

/* User data, 2048 bytes a block. Never written blocks read as zeros. 0 or -errno. */
int vdrive_media_read(const struct vdrive_media *media, mmc_lba_t first, uint32_t count, void *buf);
int vdrive_media_write(struct vdrive_media *media, mmc_lba_t first, uint32_t count, const void *buf);
/* All data gone, and this many blocks of nothing instead. */
int vdrive_media_data_reset(struct vdrive_media *media, uint32_t blocks);

/* Stores the record of count packets from first on, from media->packets. */
int vdrive_media_packets_store(struct vdrive_media *media, uint32_t first, uint32_t count);

int vdrive_media_sectors_read(const struct vdrive_media *media, mmc_lba_t first, uint32_t count,
                              struct vdrive_sector *sectors);
/* Whole sectors, one behind the other. The record of each is written after its contents. */
int vdrive_media_sectors_write(struct vdrive_media *media, mmc_lba_t first, uint32_t count,
                               const struct vdrive_slot *slots);
/* Whole sector with this record, made out of what is stored of it. */
int vdrive_media_sector_load(const struct vdrive_media *media, mmc_lba_t lba,
                             const struct vdrive_sector *sector, uint8_t main[MMC_SECTOR_BYTES]);
/* The eight sub-channels of a sector, raw. */
int vdrive_media_sub_load(const struct vdrive_media *media, mmc_lba_t lba, const struct vdrive_sector *sector,
                          uint8_t sub[MMC_SUBCHANNEL_BYTES]);
/* One past the last sector that has a record. */
mmc_lba_t vdrive_media_sectors_end(const struct vdrive_media *media);

/* The program memory area: frames in the order of writing; those with a wrong CRC are left out. Count or
 * -errno. */
int vdrive_media_pma_read(const struct vdrive_media *media, struct vdrive_q frames[VDRIVE_PMA_MAX]);
int vdrive_media_pma_append(struct vdrive_media *media, const struct vdrive_q *q);

int vdrive_media_tdb_read(const struct vdrive_media *media, unsigned track, struct vdrive_tdb *tdb);
int vdrive_media_tdb_write(struct vdrive_media *media, unsigned track, const struct vdrive_tdb *tdb);

/* Lead-in of session 1, 2, ... Returns 1 when there is one, 0 when there is none, or -errno. */
int vdrive_media_leadin_read(const struct vdrive_media *media, unsigned session,
                             struct vdrive_leadin *leadin);
int vdrive_media_leadin_write(struct vdrive_media *media, unsigned session,
                              const struct vdrive_leadin *leadin);

/* R to W of a sector of a session's lead-in, counted from its start; what nothing needs any more is not kept.
 */
int vdrive_media_text_write(struct vdrive_media *media, unsigned session, uint32_t sector,
                            const uint8_t symbols[MMC_SUBCHANNEL_BYTES]);
int vdrive_media_text_read(const struct vdrive_media *media, unsigned session, uint32_t sector,
                           uint8_t symbols[MMC_SUBCHANNEL_BYTES]);

/* First part of erasing a disc: lead-ins and all of the program area; packets keep their rewrites. */
int vdrive_media_erase(struct vdrive_media *media);
/* Second part: PMA and track descriptors. */
int vdrive_media_erase_pma(struct vdrive_media *media);

#endif
