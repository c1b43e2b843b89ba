/* SPDX-License-Identifier: MIT */
/*
 * The power fails at every write of a workload with many commits and checkpoints, and what was not durable is
 * lost, kept or torn. Each time the volume must open for writing, by itself, as one of the transactions left
 * it that are not older than the last commit that had returned; and so it must when the power fails again
 * while it is being opened.
 */
#include <stdio.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/store_client.h"
#include "udf/volume.h"

/* Small areas, so that epochs are short, the ring goes round and a checkpoint takes several batches. */
static const struct test_volume_spec spec_small = {.options = "-m cdrw -r 2.01",
                                                   .blocks = 4096,
                                                   .packet_blocks = 32,
                                                   .spares = 4,
                                                   .log_packets = 12,
                                                   .images_packets = 4};
/* So little room besides the journal that blocks are used again as soon as they are free. */
static const struct test_volume_spec spec_full = {.options = "-m cdrw -r 2.01",
                                                  .blocks = 2560,
                                                  .packet_blocks = 32,
                                                  .spares = 4,
                                                  .log_packets = 12,
                                                  .images_packets = 4};
static const struct test_volume_spec spec_usual = {.options = "-m cdrw -r 1.50",
                                                   .blocks = 8192,
                                                   .packet_blocks = 32,
                                                   .spares = 32,
                                                   .log_packets = 32,
                                                   .images_packets = 32};

#define SEGMENT_COMMITS_MAX 64u

/* How much is tried: more of it when PACKETFS_TEST_LONG is set. */
struct effort {
    uint64_t workloads, segments, seeds;
    uint64_t twice_every; /* cuts, of which one is followed by cuts in the recovery */
};
static const struct effort effort_usual = {2, 2, 8, 151}, effort_long = {6, 8, 12, 17};

static const struct effort *effort_get(void)
{
    return getenv("PACKETFS_TEST_LONG") ? &effort_long : &effort_usual;
}

/* Commits of a segment: by which write each had returned, and the transaction that it made durable. */
struct segment {
    uint64_t from; /* writes when the record began */
    uint32_t commits;
    uint64_t writes[SEGMENT_COMMITS_MAX], transactions[SEGMENT_COMMITS_MAX];
};

static uint64_t writes_now(struct fault_medium *medium)
{
    struct fault_stats stats;
    fault_medium_stats(medium, &stats);
    return stats.writes;
}

static void segment_note(struct segment *segment, struct client *client)
{
    assert_true(segment->commits < SEGMENT_COMMITS_MAX);
    segment->writes[segment->commits] = writes_now(client->medium);
    segment->transactions[segment->commits++] = client->transaction;
}

/* The newest transaction that had to be durable when write n was given to the device. */
static uint64_t segment_durable(const struct segment *segment, uint64_t n)
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

/* A stretch of the workload, then all the cuts in it. */
static void segment_run(struct client *client, uint32_t changes)
{
    struct segment segment = {.from = writes_now(client->medium)};
    assert_int_equal(udf_tx_commit(client->vol), 0);
    segment.from = writes_now(client->medium);
    assert_int_equal(fault_medium_record(client->medium), 0);
    segment_note(&segment, client);
    for (uint32_t i = 0; i < changes; i++) {
        uint64_t dice = random_next(&client->random) >> 8;
        client_change(client);
        if (dice % 4 == 0)
            continue;
        if (dice % 13 == 1) {
            client_reopen(client);
            segment_note(&segment, client);
            continue;
        }
        assert_int_equal(dice % 11 == 1 ? udf_tx_checkpoint(client->vol) : udf_tx_commit(client->vol), 0);
        segment_note(&segment, client);
    }
    uint64_t to = segment.from + fault_medium_recorded(client->medium);
    for (uint64_t n = segment.from + 1; n <= to + 1; n++)
        for (uint64_t seed = 0; seed < effort_get()->seeds; seed++)
            segment_cut(client, &segment, n, seed < 4 ? seed : n * 16 + seed);
}

static void workload(const struct test_volume_spec *spec, uint64_t seed, bool big)
{
    struct client client;
    client_start(&client, spec, seed);
    client.big = big;
    for (uint32_t i = 0; big && i < 60; i++)
        client_change(&client);
    for (uint64_t i = 0; i < effort_get()->segments; i++)
        segment_run(&client, 8);
    client_end(&client);
}

static void test_small_journal(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= effort_get()->workloads; seed++)
        workload(&spec_small, seed, false);
}

static void test_full_volume(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= effort_get()->workloads; seed++)
        workload(&spec_full, seed, true);
}

static void test_usual_journal(void **state)
{
    (void)state;
    workload(&spec_usual, 11, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_journal),
        cmocka_unit_test(test_full_volume),
        cmocka_unit_test(test_usual_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
