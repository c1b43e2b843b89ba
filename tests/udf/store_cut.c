/* SPDX-License-Identifier: MIT */
/* The power cut at each write of a recording, and what the volume is judged by afterwards. */
#include "tests/udf/store_cut.h"

#include <stdio.h>

#include "tests/udf/cmocka_all.h"
#include "udf/volume.h"

static const struct effort effort_usual = {1, 2, 7, 151}, effort_long = {6, 8, 12, 17};

const struct effort *effort_get(void)
{
    return getenv("PACKETFS_TEST_LONG") ? &effort_long : &effort_usual;
}

static uint64_t writes_now(struct fault_medium *medium)
{
    struct fault_stats stats;
    fault_medium_stats(medium, &stats);
    return stats.writes;
}

void segment_note(struct segment *segment, struct client *client)
{
    assert_true(segment->commits < SEGMENT_COMMITS_MAX);
    segment->writes[segment->commits] = writes_now(client->medium);
    segment->transactions[segment->commits++] = client->transaction;
}

uint64_t segment_durable(const struct segment *segment, uint64_t n)
{
    uint64_t transaction = 0;
    for (uint32_t i = 0; i < segment->commits; i++)
        if (segment->writes[i] < n)
            transaction = segment->transactions[i];
    return transaction;
}

/* Opens what the cut left, holds it against the states, changes it, closes it, and looks again. */
static void cut_verify(const struct client *client, struct fault_medium *medium, uint64_t oldest,
                       const char *where)
{
    struct block_device *dev;
    struct udf_volume *vol;
    struct client later = *client;
    int err = client_volume_open(medium, false, &dev, &vol);
    if (err)
        fail_msg("%s: the volume does not open: %d", where, err);
    if (vol->read_only)
        fail_msg("%s: the volume is read-only: %s", where, vol->read_only_reason);
    uint64_t found = client_verify(client, vol, oldest, where);
    later.states = malloc((found + 3) * sizeof *later.states);
    assert_non_null(later.states);
    memcpy(later.states, client->states, (found + 1) * sizeof *later.states);
    later.vol = vol;
    later.transaction = found;
    later.now = client->states[found];
    client_change(&later);
    client_verify(&later, vol, later.transaction, where);
    client_volume_close(dev, vol);
    assert_int_equal(client_volume_open(medium, true, &dev, &vol), 0);
    if (vol->lvid.integrity != 1)
        fail_msg("%s: the volume is not closed", where);
    client_verify(&later, vol, later.transaction, where);
    client_volume_close(dev, vol);
    free(later.states);
}

/* A read-only look at what the cut left: the same, and nothing is written. */
static void cut_look(const struct client *client, struct fault_medium *medium, uint64_t oldest,
                     const char *where)
{
    struct block_device *dev;
    struct udf_volume *vol;
    uint64_t writes = writes_now(medium);
    assert_int_equal(client_volume_open(medium, true, &dev, &vol), 0);
    client_verify(client, vol, oldest, where);
    client_volume_close(dev, vol);
    assert_int_equal(writes_now(medium), writes);
}

/* Lets the power fail at every write of the recovery too. */
static void cut_twice(const struct client *client, struct fault_medium *medium, uint64_t oldest,
                      const char *where)
{
    struct block_device *dev;
    struct udf_volume *vol;
    char text[128];
    uint64_t from = writes_now(medium);
    assert_int_equal(fault_medium_record(medium), 0);
    assert_int_equal(client_volume_open(medium, false, &dev, &vol), 0);
    uint64_t to = from + fault_medium_recorded(medium);
    for (uint64_t n = from + 1; n <= to + 1; n++) {
        for (uint64_t seed = 0; seed < effort_get()->seeds; seed++) {
            struct fault_medium *copy;
            snprintf(text, sizeof text, "%s, then at write %llu of the recovery, seed %llu", where,
                     (unsigned long long)(n - from), (unsigned long long)seed);
            assert_int_equal(fault_medium_cut_copy(medium, n, seed, &copy), 0);
            cut_verify(client, copy, oldest, text);
            fault_medium_free(copy);
        }
    }
    client_volume_close(dev, vol);
}

static void segment_cut(const struct client *client, const struct segment *segment, uint64_t n, uint64_t seed)
{
    struct fault_medium *copy, *second;
    uint64_t oldest = segment_durable(segment, n);
    char where[64];
    snprintf(where, sizeof where, "cut at write %llu, seed %llu", (unsigned long long)(n - segment->from),
             (unsigned long long)seed);
    assert_int_equal(fault_medium_cut_copy(client->medium, n, seed, &copy), 0);
    if ((n + seed) % effort_get()->twice_every == 0) {
        assert_int_equal(fault_medium_copy(copy, &second), 0);
        cut_look(client, second, oldest, where);
        cut_twice(client, second, oldest, where);
        fault_medium_free(second);
    }
    cut_verify(client, copy, oldest, where);
    fault_medium_free(copy);
}

void segment_begin(struct segment *segment, struct client *client)
{
    assert_int_equal(udf_tx_commit(client->vol), 0);
    *segment = (struct segment){.from = writes_now(client->medium)};
    assert_int_equal(fault_medium_record(client->medium), 0);
    segment_note(segment, client);
}

void segment_cuts(const struct segment *segment, const struct client *client)
{
    uint64_t to = segment->from + fault_medium_recorded(client->medium);
    for (uint64_t n = segment->from + 1; n <= to + 1; n++)
        for (uint64_t seed = 0; seed < effort_get()->seeds; seed++)
            segment_cut(client, segment, n, seed < 4 ? seed : n * 16 + seed);
}
