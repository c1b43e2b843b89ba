/* SPDX-License-Identifier: MIT */
/* What is left when the power goes or the process dies: what was in the buffer is lost, the packet under the
 * laser is torn, and everything else is as it was. And: who has the disc. */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/vdrive.h"

#define SMALL  3200u  /* blocks: a format that is short */
#define PACKET 65536u /* bytes */

static void small_disc(struct rig *rig, unsigned packets, uint32_t seed)
{
    uint8_t *data = malloc(PACKET);

    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, SMALL, false), 0);
    for (unsigned i = 0; i < packets; i++) {
        rig_fill(data, 32, seed + i);
        assert_sense(rig_write(rig, (int32_t)(32 * i), 32, data), 0);
    }
    assert_sense(rig_sync(rig), 0);
    free(data);
}

/* 'o' old contents, 'n' new contents, 't' torn, '?' anything else. */
static char packet_state(struct rig *rig, unsigned packet, uint32_t old_seed, uint32_t new_seed)
{
    uint8_t *want = malloc(PACKET), *got = malloc(PACKET);
    uint32_t sense = rig_read(rig, (int32_t)(32 * packet), 32, got);
    char state = '?';

    if (sense == 0x31105) {
        state = 't';
        for (unsigned i = 0; i < 32; i++)
            assert_sense(rig_read(rig, (int32_t)(32 * packet + i), 1, got), 0x31105);
        assert_int_equal(rig->reply.sense[0], 0xf0);
        assert_int_equal(mmc_be32_get(rig->reply.sense + 3), 32 * packet + 31);
    } else if (sense == 0) {
        rig_fill(want, 32, old_seed);
        state = memcmp(want, got, PACKET) == 0 ? 'o' : state;
        rig_fill(want, 32, new_seed);
        state = memcmp(want, got, PACKET) == 0 ? 'n' : state;
    }
    free(want);
    free(got);
    return state;
}

/* Checks that packets are new up to some point, then one torn, then old; returns how many are new. */
static unsigned check_cut(struct rig *rig, unsigned packets)
{
    unsigned fresh = 0;

    while (fresh < packets && packet_state(rig, fresh, 100 + fresh, 200 + fresh) == 'n')
        fresh++;
    assert_true(fresh < packets);
    assert_int_equal(packet_state(rig, fresh, 100 + fresh, 200 + fresh), 't');
    for (unsigned i = fresh + 1; i < packets; i++)
        assert_int_equal(packet_state(rig, i, 100 + i, 200 + i), 'o');
    return fresh;
}

/* A child writes packet after packet and is killed at once after the last WRITE answered: most is still
 * buffered. */
static void test_kill(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(PACKET);
    unsigned fresh;
    int status;
    pid_t child;

    small_disc(rig, 24, 100);
    rig_close(rig);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (vdrive_open(rig->folder, NULL, NULL, &rig->drive) != 0)
            _exit(1);
        vdrive_wait(rig->drive, 5000000);
        rig_send(rig, "00 00 00 00 00 00", NULL, 0);
        if (rig_page5(rig, 0, 0, 10) != 0)
            _exit(2);
        for (unsigned i = 0; i < 24; i++) {
            rig_fill(data, 32, 200 + i);
            if (rig_write(rig, (int32_t)(32 * i), 32, data) != 0)
                _exit(3);
        }
        vdrive_wait(rig->drive, 300000); /* a few packets' time */
        raise(SIGKILL);
        _exit(4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    rig_open(rig);
    fresh = check_cut(rig, 24);
    assert_in_range(fresh, 3, 10);
    /* Whole again once it is written whole; and only then. */
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    rig_fill(data, 32, 200 + fresh);
    assert_sense(rig_write(rig, (int32_t)(32 * fresh), 32, data), 0);
    assert_int_equal(packet_state(rig, fresh, 0, 200 + fresh), 'n');
    free(data);
}

/* The same by a fault: from that command on the drive is dead, and closing it saves nothing. */
static void test_power_cut(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(PACKET);
    uint32_t sense = 0;
    unsigned i;

    small_disc(rig, 24, 100);
    rig_faults(rig, "# the twentieth command from power on\npower-cut 20\n");
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    for (i = 0; i < 24 && sense == 0; i++) {
        rig_fill(data, 32, 200 + i);
        sense = rig_write(rig, (int32_t)(32 * i), 32, data);
    }
    assert_sense(sense, 0x43e00);
    assert_sense(rig_send(rig, "12 00 00 00 24 00", NULL, 0), 0x43e00);
    assert_sense(rig_sync(rig), 0x43e00);
    rig_close(rig);
    rig_faults(rig, NULL);
    check_cut(rig, 24);
    free(data);
}

/* Closed in peace, everything that a WRITE was answered for is on the disc. */
static void test_close_drains(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = malloc(PACKET);

    small_disc(rig, 8, 100);
    for (unsigned i = 0; i < 8; i++) {
        rig_fill(data, 32, 200 + i);
        assert_sense(rig_write(rig, (int32_t)(32 * i), 32, data), 0);
    }
    rig_close(rig);
    rig_open(rig);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(packet_state(rig, i, 100 + i, 200 + i), 'n');
    free(data);
}

/* An interrupted format leaves packets that read and packets that do not, until they are written. */
static void test_cut_format(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = calloc(1, PACKET);

    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_format(rig, RIG_FORMAT_BLOCKS, true), 0);
    vdrive_wait(rig->drive, 250000000);
    rig_power_cut(rig);
    assert_sense(rig_send(rig, "51 00 00 00 00 00 00 00 22 00", NULL, 0), 0);
    assert_int_equal(rig->in[2], 0x15); /* session incomplete: there is no lead-in */
    assert_sense(rig_read(rig, 0, 32, data), 0);
    assert_sense(rig_read(rig, (int32_t)RIG_FORMAT_BLOCKS - 32, 32, data), 0x31105);
    assert_sense(rig_page5(rig, 0, 0, 10), 0);
    assert_sense(rig_write(rig, (int32_t)RIG_FORMAT_BLOCKS - 32, 32, data), 0);
    assert_sense(rig_read(rig, (int32_t)RIG_FORMAT_BLOCKS - 32, 32, data), 0);
    rig_formatted(rig);
    assert_sense(rig_read(rig, (int32_t)RIG_FORMAT_BLOCKS - 64, 32, data), 0);
    free(data);
}

/* Packets of zeros take no disk space, and zeros over data give it back. */
static void test_sparse(void **state)
{
    struct rig *rig = *state;
    uint8_t *data = calloc(1, PACKET), *zero = calloc(1, PACKET);
    int64_t length, before;

    small_disc(rig, 0, 0);
    before = rig_disk_use(rig, VDRIVE_DATA_NAME, &length);
    assert_int_equal(length, SMALL * 2048);
    for (int i = 0; i < 20; i++)
        assert_sense(rig_write(rig, 32 * i, 32, zero), 0);
    assert_sense(rig_sync(rig), 0);
    assert_int_equal(rig_disk_use(rig, VDRIVE_DATA_NAME, &length), before);
    rig_fill(data, 32, 1);
    assert_sense(rig_write(rig, 64, 32, data), 0);
    assert_sense(rig_sync(rig), 0);
    assert_true(rig_disk_use(rig, VDRIVE_DATA_NAME, &length) >= before + (int64_t)PACKET);
    assert_sense(rig_write(rig, 64, 32, zero), 0);
    assert_sense(rig_read(rig, 64, 32, data), 0);
    assert_memory_equal(data, zero, PACKET);
    assert_int_equal(length, SMALL * 2048);
    free(data);
    free(zero);
}

static void test_one_opener(void **state)
{
    struct rig *rig = *state;
    struct vdrive *second;
    int holder = 0, status;
    pid_t child;

    assert_int_equal(vdrive_open(rig->folder, NULL, &holder, &second), -EBUSY);
    assert_int_equal(holder, (int)getpid());
    /* The process that works on after a fork is the one that is named. */
    child = fork();
    if (child == 0) {
        rig_send(rig, "00 00 00 00 00 00", NULL, 0);
        holder = 0;
        _exit(vdrive_open(rig->folder, NULL, &holder, &second) == -EBUSY && holder == (int)getpid() ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    rig_close(rig);
    assert_int_equal(vdrive_open(rig->folder, NULL, &holder, &second), 0);
    assert_int_equal(vdrive_close(second), 0);
    rig_open(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_power_cut, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_close_drains, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_cut_format, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_sparse, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_one_opener, rig_setup, rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
