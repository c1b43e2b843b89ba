/* SPDX-License-Identifier: MIT */
/* The packet device on a drive that errs: at once, late, for good, about one packet or about all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/mmc/packet/packet_rig.h"

/* Late errors, told with or without the place, with or without the rest of the buffer lost. */
static void late_errors(struct rig *rig, bool names, bool loses, unsigned times)
{
    fake_late_manner(rig->fake, names, loses);
    fake_log_clear(rig->fake);
    fake_write_fails(rig->fake, 15, times, true);
    fake_write_fails(rig->fake, 40, times, true);
    for (uint32_t p = 10; p < 60; p++)
        assert_int_equal(rig_put(rig, p * L, L, (int)p + 1, 0), 0);
    if (times < 3) {
        assert_int_equal(block_sync(rig->dev), 0);
        rig_assert_none_named(rig);
    } else {
        assert_int_equal(block_sync(rig->dev), -EIO);
        rig_assert_named(rig, 15);
        assert_int_equal(rig_get(rig, 15 * L), 16);
        assert_int_equal(block_failure_move(rig->dev, (mmc_packet_t){15}, (mmc_packet_t){100}), 0);
        rig_assert_named(rig, 40);
        assert_int_equal(block_failure_move(rig->dev, (mmc_packet_t){40}, (mmc_packet_t){101}), 0);
        rig_assert_none_named(rig);
        assert_int_equal(rig_get(rig, 100 * L), 16);
        assert_int_equal(block_sync(rig->dev), 0);
        assert_int_equal(rig_on_medium(rig, 100 * L), 16);
        assert_int_equal(rig_on_medium(rig, 101 * L), 41);
    }
    fake_power_cut(rig->fake);
    for (uint32_t p = 10; p < 60; p++)
        if (times < 3 || (p != 15 && p != 40))
            assert_int_equal(rig_on_medium(rig, p * L), (int)p + 1);
    fake_write_fails(rig->fake, 15, 0, true);
    fake_write_fails(rig->fake, 40, 0, true);
    assert_int_equal(fake_violations(rig->fake), 0);
    assert_in_range(fake_log_count(rig->fake, WRITE), 50, 400);
}

static void test_late_errors_once(void **state)
{
    for (int manner = 0; manner < 4; manner++)
        late_errors(*state, manner & 1, manner & 2, 1);
}

static void test_late_errors_for_good(void **state)
{
    for (int manner = 0; manner < 4; manner++)
        late_errors(*state, manner & 1, manner & 2, 1000);
}

static void test_write_errors_at_once(void **state)
{
    struct rig *rig = *state;

    fake_write_fails(rig->fake, 3, 1, false);
    fake_write_fails(rig->fake, 6, 1000, false);
    assert_int_equal(rig_put(rig, 0, 10 * L, 4, 0), 0);
    assert_int_equal(block_sync(rig->dev), -EIO);
    rig_assert_named(rig, 6);
    fake_power_cut(rig->fake);
    for (uint32_t p = 0; p < 10; p++)
        assert_int_equal(rig_on_medium(rig, p * L), p == 6 ? 0 : 4);
    assert_int_equal(block_failure_move(rig->dev, (mmc_packet_t){5}, (mmc_packet_t){9}), -ENOENT);
    assert_int_equal(block_failure_move(rig->dev, (mmc_packet_t){6}, (mmc_packet_t){PACKETS}), -EINVAL);
    /* A packet that is in memory already, dirty, can take over, too. */
    assert_int_equal(rig_put(rig, 30 * L + 1, 1, 9, 0), 0);
    assert_int_equal(block_failure_move(rig->dev, (mmc_packet_t){6}, (mmc_packet_t){30}), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(rig_on_medium(rig, 30 * L + 1), 4);
    /* The old place is the medium's again. */
    assert_int_equal(rig_get(rig, 6 * L), 0);
}

static void test_failed_packet_is_tried_again_when_written_to(void **state)
{
    struct rig *rig = *state;

    fake_write_fails(rig->fake, 6, 1000, false);
    assert_int_equal(rig_put(rig, 6 * L, L, 4, 0), 0);
    assert_int_equal(block_sync(rig->dev), -EIO);
    fake_write_fails(rig->fake, 6, 0, false);
    assert_int_equal(block_sync(rig->dev), -EIO);
    assert_int_equal(rig_put(rig, 6 * L, 1, 5, 0), 0);
    rig_assert_none_named(rig);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(rig_on_medium(rig, 6 * L), 5);
    assert_int_equal(rig_on_medium(rig, 6 * L + 1), 4);
}

static void test_nothing_is_invented(void **state)
{
    struct rig *rig = *state;

    for (uint32_t b = 0; b < L; b++)
        fake_block_set(rig->fake, 8 * L + b, 7);
    fake_read_fails(rig->fake, 8 * L + 20, true);
    assert_int_equal(rig_put(rig, 8 * L, 2, 1, 0), 0);
    assert_int_equal(rig_put(rig, 9 * L, 2, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), -EIO);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 1);
    assert_int_equal(rig_on_medium(rig, 9 * L), 1);
    rig_assert_named(rig, 8);
    assert_int_equal(rig_on_medium(rig, 8 * L), 7);
    assert_int_equal(rig_get(rig, 8 * L), 1);
    assert_int_equal(rig_get(rig, 8 * L + 2), 7);
    assert_int_equal(rig_get(rig, 8 * L + 20), -EIO);
    assert_int_equal(block_failure_move(rig->dev, (mmc_packet_t){8}, (mmc_packet_t){50}), -EIO);
    assert_int_equal(rig_put(rig, 8 * L + 20, 1, 3, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    rig_assert_none_named(rig);
    assert_int_equal(rig_on_medium(rig, 8 * L), 1);
    assert_int_equal(rig_on_medium(rig, 8 * L + 2), 7);
    assert_int_equal(rig_on_medium(rig, 8 * L + 20), 3);
}

static void test_unreadable_block_that_is_overwritten(void **state)
{
    struct rig *rig = *state;

    fake_block_set(rig->fake, 8 * L + 31, 7);
    fake_read_fails(rig->fake, 8 * L + 20, true);
    assert_int_equal(rig_put(rig, 8 * L + 20, 1, 3, 0), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    assert_int_equal(rig_on_medium(rig, 8 * L + 20), 3);
    assert_int_equal(rig_on_medium(rig, 8 * L + 31), 7);
}

static void test_reset_loses_the_buffer(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_put(rig, 0, 20 * L, 4, 0), 0);
    for (int i = 0; i < 100 && fake_log_count(rig->fake, WRITE) < 20; i++)
        rig_pause(50);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 20);
    fake_log_clear(rig->fake);
    fake_attention(rig->fake, 0x29);
    assert_int_equal(rig_get(rig, 100 * L), 0);
    assert_int_equal(block_sync(rig->dev), 0);
    fake_power_cut(rig->fake);
    for (uint32_t p = 0; p < 20; p++)
        assert_int_equal(rig_on_medium(rig, p * L), 4);
    assert_int_equal(fake_log_count(rig->fake, MODE), 1);
    assert_int_equal(fake_log_count(rig->fake, SPEED), 1);
    assert_int_equal(fake_log_count(rig->fake, WRITE), 20);
}

static void test_drive_that_writes_nothing_any_more(void **state)
{
    struct rig *rig = *state;
    int error = 0;

    for (uint32_t p = 0; p < PACKETS; p++)
        fake_write_fails(rig->fake, p, UINT32_MAX, p % 2);
    for (uint32_t p = 0; p < 100 && !error; p++)
        error = rig_put(rig, p * L, L, 1, 0);
    assert_int_equal(error, -EIO);
    assert_int_equal(block_sync(rig->dev), -EIO);
}

static void test_drive_that_never_answers(void **state)
{
    struct rig *rig = *state;

    fake_transport_fails(rig->fake, -ETIMEDOUT);
    assert_int_equal(rig_put(rig, 0, 3 * L, 1, 0), 0);
    assert_int_equal(block_sync(rig->dev), -EIO);
    assert_int_equal(rig_put(rig, 0, 1, 1, 0), -EIO);
}

static void test_medium_changed(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_put(rig, 0, 40, 1, 0), 0);
    fake_attention(rig->fake, 0x28);
    fake_log_clear(rig->fake);
    assert_int_equal(block_sync(rig->dev), -EIO);
    /* The one command that was told of the change was not carried out. */
    assert_in_range(fake_log_count(rig->fake, WRITE) + fake_log_count(rig->fake, READ), 0, 1);
    fake_log_clear(rig->fake);
    assert_int_equal(rig_put(rig, 0, 1, 1, 0), -EIO);
    assert_int_equal(rig_get(rig, 9 * L), -EIO);
    assert_int_equal(block_sync(rig->dev), -EIO);
    assert_int_equal(fake_log_count(rig->fake, FAKE_ANY), 0);
    fake_power_cut(rig->fake);
    for (uint32_t lba = 0; lba < 64; lba++)
        assert_int_equal(rig_on_medium(rig, lba), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_drive_that_never_answers), RIG_TEST(test_medium_changed),
        RIG_TEST(test_late_errors_once),         RIG_TEST(test_late_errors_for_good),
        RIG_TEST_SMALL(test_late_errors_once),   RIG_TEST_SMALL(test_late_errors_for_good),
        RIG_TEST(test_write_errors_at_once),     RIG_TEST(test_failed_packet_is_tried_again_when_written_to),
        RIG_TEST(test_nothing_is_invented),      RIG_TEST(test_unreadable_block_that_is_overwritten),
        RIG_TEST(test_reset_loses_the_buffer),   RIG_TEST_SMALL(test_drive_that_writes_nothing_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
