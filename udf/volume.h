/* SPDX-License-Identifier: MIT */
/*
 * Inside the UDF library: the volume with its descriptors, and the way from a partition block to a disc
 * block. Nothing outside udf/ and its tests includes this.
 */
#ifndef UDF_VOLUME_H
#define UDF_VOLUME_H

#include <pthread.h>

#include "mmc/block.h"
#include "udf/codec.h"
#include "udf/udf.h"

struct udf_store;
struct udf_space;
struct udf_inode_table;

/* Where packetfs keeps its journal on a volume that mkfs.packetfs made: two areas of whole
 * packets outside every partition, named by an implementation use volume descriptor "*packetfs
 * journal" in both descriptor sequences. */
struct udf_journal_place {
    mmc_lba_t log, images;
    uint32_t log_packets, images_packets; /* 0: no journal */
};
#define UDF_JOURNAL_REGID "*packetfs journal"
/* The 460 bytes of implementation use: version 1 (u32), packet_blocks, log, log_packets, images,
 * images_packets (u32, little-endian each), the rest 0. */
int udf_journal_place_decode(const struct udf_iuvd *iuvd, uint32_t packet_blocks,
                             struct udf_journal_place *place);
void udf_journal_place_encode(struct udf_iuvd *iuvd, uint32_t packet_blocks,
                              const struct udf_journal_place *place);

struct udf_partition {
    struct udf_map map;
    struct udf_pd pd;
    struct udf_spare *spares; /* sparable: those in use, sorted by original */
    unsigned spare_count;
    unsigned spare_total; /* sparable: entries of the table, the free and the bad ones too */
};

struct udf_volume {
    struct block_device *dev; /* the caller's */
    struct udf_open_options options;
    struct udf_pvd pvd;
    struct udf_lvd lvd;
    struct udf_fsd fsd;
    struct udf_lvid lvid; /* as it stands, counters kept current by udf_count_* under space's lock */
    mmc_lba_t lvid_at;    /* where lvid was read, and is written */
    bool lvid_readable;   /* it could be read at open */
    bool closed_at_open;  /* and said that the volume was closed */
    uint16_t tag_version, tag_serial;
    struct udf_partition partitions[UDF_MAPS_MAX];
    uint16_t part; /* the partition reference that new things are allocated in */
    struct udf_journal_place journal;

    struct udf_store *store; /* store.h: metadata blocks, transactions, journal */
    struct udf_space *space; /* space.h: free blocks; NULL when read-only */
    struct udf_inode_table *inodes;

    bool read_only;
    char read_only_reason[160];
    pthread_rwlock_t tx_lock; /* tx.h: shared by every change, exclusive to a commit */
    bool failed;              /* a commit failed: no more changes */
};

/* volume_read.c: finds VRS, anchors, sequences, LVID and sparing tables on dev; fills the
 * volume up to `journal`. Reads the device only; nothing here is ever rewritten at run time but
 * the LVID and the sparing tables. */
int udf_volume_recognise(struct udf_volume *vol);
/* Frees what recognition allocated: the spares. Recognition that fails has done so itself. */
void udf_volume_recognise_free(struct udf_volume *vol);

/* map.c: the disc block of a partition block, sparing applied. *run (may be NULL) gets how many of count
 * blocks from there on are contiguous on the disc. -EUCLEAN when outside the partition. */
int udf_volume_map(const struct udf_volume *vol, struct udf_address at, uint32_t count, mmc_lba_t *lba,
                   uint32_t *run);
/* The way back: the partition block that is stored at this disc block, in partition
 * vol->part. False when none is. */
bool udf_volume_unmap(const struct udf_volume *vol, mmc_lba_t lba, udf_block_t *block);

/* Tag with the volume's version and serial. */
static inline struct udf_tag udf_volume_tag(const struct udf_volume *vol, uint32_t location)
{
    return (struct udf_tag){.version = vol->tag_version, .serial = vol->tag_serial, .location = location};
}

/* A message for the program, through options.message. level as enum udf_level. */
void udf_message(const struct udf_volume *vol, enum udf_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
