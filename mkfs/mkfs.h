/* SPDX-License-Identifier: MIT */
/*
 * Between the files of mkfs.packetfs. The way of a format: options, checks of the disc, a sparse image with
 * the volume in it (mkudffs, then our changes to its layout), the drive's own format where needed, the image
 * onto the disc.
 */
#ifndef MKFS_MKFS_H
#define MKFS_MKFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/cli.h"

#define MKFS_PACKET_BYTES (MMC_PACKET_BLOCKS * MMC_BLOCK_BYTES)

/* ---- options.c ---- */

struct mkfs_options {
    const char *disc, *label;
    unsigned revision; /* 0150h or 0201h */
    bool full, force, quiet;
    uid_t uid;
    gid_t gid;
};

enum mkfs_parse {
    MKFS_PARSE_RUN,
    MKFS_PARSE_DONE, /* --help or --version was answered */
    MKFS_PARSE_USAGE,
};
enum mkfs_parse mkfs_options_parse(int argc, char **argv, struct mkfs_options *options);

/* ---- plan.c ---- */

/* How the packets of a volume are shared out. All areas are counted in packets; they follow one another. */
struct mkfs_plan {
    uint32_t packets;     /* of the volume: whole packets of the device */
    uint32_t spares;      /* for packets that fail */
    uint32_t log, images; /* the journal's areas */
    /* Known once the image is made (mkfs_layout_apply): */
    mmc_packet_t journal; /* its first */
    uint32_t free_blocks;
};
#define MKFS_PACKETS_MIN 128u
/* -ENOSPC: fewer than MKFS_PACKETS_MIN packets. */
int mkfs_plan_make(uint32_t blocks, struct mkfs_plan *plan);
static inline uint32_t mkfs_plan_reserve(const struct mkfs_plan *plan)
{
    return plan->spares + plan->log + plan->images;
}

/* ---- image.c ---- */

/* The volume before it is on the disc: a sparse file without a name, gone with its last descriptor. */
int mkfs_image_create(uint32_t packets, int *fd);
/* Reads a packet; *blank says whether it is all zeros. */
int mkfs_image_packet(int fd, uint32_t packet, uint8_t bytes[MKFS_PACKET_BYTES], bool *blank);

/* ---- mkudffs.c ---- */

/* Has mkudffs lay out a volume in the image. Prints what is wrong. */
int mkfs_mkudffs_run(int fd, const struct mkfs_options *options, const struct mkfs_plan *plan);

/* ---- layout.c ---- */

/*
 * Turns mkudffs's layout into ours, in the image: of the spare packets the first plan->spares stay spares,
 * the rest becomes the journal, named by a descriptor in both sequences; the second sparing table leaves the
 * packet of the last anchor. Fills in the rest of plan. -EUCLEAN when the image does not have the layout that
 * the plan asked for, -errno of the image.
 */
int mkfs_layout_apply(int fd, struct mkfs_plan *plan);

/* ---- check.c ---- */

struct mkfs_state {
    bool format;     /* the drive has to format the disc */
    uint32_t blocks; /* of the device, after the format if format is set; 0: not known yet */
};
/* Looks whether DISC can and may get a volume. Prints what forbids it, and returns -errno. */
int mkfs_check(struct cli_disc *disc, const struct mkfs_options *options, struct mkfs_state *state);

/* Whether the medium can be formatted for packets at all. */
int mkfs_medium_check(const struct mmc_disc_info *info);

/* ---- write.c ---- */

/*
 * Writes the image to disc->dev: first what makes an older volume recognisable is wiped, then all packets
 * that hold something (or every packet, with whole), last what makes the new one recognisable. Packets that
 * are right already are left alone. Then reads all of them back through a newly opened device. Prints what is
 * wrong.
 */
int mkfs_write(struct cli_disc *disc, int fd, const struct mkfs_plan *plan, bool whole,
               struct cli_progress *progress);

#endif
