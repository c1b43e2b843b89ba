/* SPDX-License-Identifier: MIT */
/*
 * Power cuts on a volume without a journal, with writes of single blocks: no transaction is whole then, but
 * what a surviving root leads to is, nothing that is in use counts as free, and the volume opens for writing
 * unless its one integrity descriptor was torn.
 */
#include <stdio.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "tests/udf/store_cut.h"

static const struct test_volume_spec spec = {
    .options = "-m hd -b 2048 -r 2.01", .blocks = 2048, .packet_blocks = 1};

static void cut_check(const struct client *client, uint64_t n, uint64_t seed, uint64_t oldest)
{
    struct fault_medium *copy;
    struct block_device *dev;
    struct udf_volume *vol;
    char where[64];
    snprintf(where, sizeof where, "cut at write %llu, seed %llu", (unsigned long long)n,
             (unsigned long long)seed);
    assert_int_equal(fault_medium_cut_copy(client->medium, n, seed, &copy), 0);
    int err = client_volume_open(copy, false, &dev, &vol);
    if (err)
        fail_msg("%s: the volume does not open: %d", where, err);
    const struct udf_pd *pd = &vol->partitions[vol->part].pd;
    mmc_lba_t bitmap = mmc_lba_add(pd->start, pd->space_bitmap.first.n);
    if (vol->read_only && !fault_medium_torn(copy, mmc_packet_of(vol->lvid_at, 1)) &&
        !fault_medium_torn(copy, mmc_packet_of(bitmap, 1)))
        fail_msg("%s: the volume is read-only: %s", where, vol->read_only_reason);
    client_verify_weak(client, copy, vol, oldest, where);
    client_volume_close(dev, vol);
    fault_medium_free(copy);
}

static void change(struct client *client)
{
    uint32_t cell = (uint32_t)(random_next(&client->random) >> 8) % 40 * 3;
    uint32_t want = 1 + (uint32_t)(random_next(&client->random) >> 8) % 6;
    if (client->now.cells[cell].count && random_next(&client->random) >> 8 & 1)
        client_delete(client, cell);
    else
        client_create(client, cell, want, UDF_NO_GOAL,
                      random_next(&client->random) >> 8 & 1 ? UDF_WRITE_DATA : UDF_WRITE_META);
}

static void test_single_blocks(void **state)
{
    struct client client;
    struct segment segment;
    (void)state;
    client_start(&client, &spec, 21);
    assert_false(client.vol->journal.log_packets);
    for (uint32_t i = 0; i < 30; i++)
        change(&client);
    segment_begin(&segment, &client);
    for (uint32_t i = 0; i < 24; i++) {
        change(&client);
        if (i % 3)
            continue;
        if (i % 12 == 9)
            client_reopen(&client);
        assert_int_equal(udf_tx_commit(client.vol), 0);
        segment_note(&segment, &client);
    }
    uint64_t to = segment.from + fault_medium_recorded(client.medium);
    assert_true(to > segment.from + 50);
    for (uint64_t n = segment.from + 1; n <= to + 1; n++)
        for (uint64_t seed = 2; seed < 10; seed++)
            cut_check(&client, n, seed < 4 ? seed : n * 16 + seed, segment_durable(&segment, n));
    client_end(&client);
}

/* Packets, but no journal, as on a disc that another system formatted: everything
 * works, and is there after closing. */
static void test_packets(void **state)
{
    static const struct test_volume_spec packets = {
        .options = "-m cdrw -r 1.50", .blocks = 4096, .packet_blocks = 32};
    struct client client;
    (void)state;
    client_start(&client, &packets, 22);
    assert_false(client.vol->journal.log_packets);
    for (uint32_t i = 0; i < 60; i++) {
        client_change(&client);
        if (i % 7 == 0)
            assert_int_equal(udf_tx_commit(client.vol), 0);
        if (i % 20 == 19)
            client_reopen(&client);
        client_verify(&client, client.vol, client.transaction, "without a journal");
    }
    client_crash(&client, 2, 0);
    client_end(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_blocks),
        cmocka_unit_test(test_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
