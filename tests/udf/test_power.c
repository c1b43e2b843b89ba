/* SPDX-License-Identifier: MIT */
/* A random workload of the store with many commits and checkpoints, and a power cut at every write of it. */
#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/store_cut.h"

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

/* A stretch of the workload, then all the cuts in it. */
static void segment_run(struct client *client, uint32_t changes)
{
    struct segment segment;
    segment_begin(&segment, client);
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
    segment_cuts(&segment, client);
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
