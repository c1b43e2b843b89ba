/* SPDX-License-Identifier: MIT */
/*
 * Power cuts in a recorded stretch of a client's work: at each write, with several fates of what was not
 * durable, the volume must open for writing, by itself, as one of the transactions left it that are not older
 * than the last commit that had returned; and so it must when the power fails again while it is being opened.
 */
#ifndef TESTS_UDF_STORE_CUT_H
#define TESTS_UDF_STORE_CUT_H

#include "tests/udf/store_client.h"

#define SEGMENT_COMMITS_MAX 64u

/* Commits of a stretch: by which write each had returned, and the transaction that it made durable. */
struct segment {
    uint64_t from; /* writes when the record began */
    uint32_t commits;
    uint64_t writes[SEGMENT_COMMITS_MAX], transactions[SEGMENT_COMMITS_MAX];
};

/* How much is tried: more of it when PACKETFS_TEST_LONG is set. */
struct effort {
    uint64_t workloads, segments, seeds;
    uint64_t twice_every; /* cuts, of which one is followed by cuts in the recovery */
};
const struct effort *effort_get(void);

/* Commits what there is, and begins a record. */
void segment_begin(struct segment *segment, struct client *client);
/* A commit has returned. */
void segment_note(struct segment *segment, struct client *client);
/* The newest transaction that had to be durable when write n was given to the device. */
uint64_t segment_durable(const struct segment *segment, uint64_t n);
/* Makes all the cuts. */
void segment_cuts(const struct segment *segment, const struct client *client);

#endif
