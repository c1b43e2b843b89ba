/* SPDX-License-Identifier: MIT */
/* The transport for tests; see fake.h. */
#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT_COMMANDS 100000 /* a test that sends more than this hangs */

static void hex_show(const uint8_t *bytes, size_t len, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < len && at + 4 < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%02x ", bytes[i]);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t fake_hex(const char *hex, uint8_t *bytes, size_t room)
{
    size_t n = 0;

    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_true(digit(hex[0]) >= 0 && digit(hex[1]) >= 0 && n < room);
        bytes[n++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
        hex += 2;
    }
    return n;
}

/* Compares as many bytes as the pattern gives. */
static void pattern_check(const char *what, const char *pattern, const uint8_t *bytes, size_t len)
{
    char shown[200];
    size_t n = 0;

    hex_show(bytes, len, shown, sizeof(shown));
    for (const char *p = pattern; *p; p += 2, n++) {
        while (*p == ' ')
            p++;
        if (n >= len)
            fail_msg("%s: expected %s, got only %s", what, pattern, shown);
        if (p[0] == '.')
            continue;
        if (bytes[n] != (digit(p[0]) << 4 | digit(p[1])))
            fail_msg("%s: expected %s, got %s", what, pattern, shown);
    }
}

void fake_refuse(struct mmc_request *r, uint32_t sense, bool deferred, int progress)
{
    uint8_t bytes[18] = {deferred ? 0x71 : 0x70, 0, (uint8_t)(sense >> 16), 0, 0, 0, 0, 10};

    bytes[12] = (uint8_t)(sense >> 8);
    bytes[13] = (uint8_t)sense;
    if (progress) {
        bytes[15] = 0x80;
        bytes[16] = (uint8_t)(progress >> 8);
        bytes[17] = (uint8_t)progress;
    }
    r->status = MMC_STATUS_CHECK_CONDITION;
    memcpy(r->sense, bytes, sizeof(bytes));
    r->sense_len = sizeof(bytes);
}

void fake_reply(struct mmc_request *r, const void *bytes, size_t len)
{
    assert_int_equal(r->direction, MMC_DIR_IN);
    r->transferred = len < r->data_len ? len : r->data_len;
    memcpy(r->data, bytes, r->transferred);
}

static int step_run(struct fake *fake, struct mmc_request *r)
{
    const struct fake_step *step = &fake->steps[fake->at];
    uint8_t reply[70000];
    char shown[64];

    hex_show(r->cdb, r->cdb_len, shown, sizeof(shown));
    if (!step->cdb)
        fail_msg("a command after the end of the script: %s", shown);
    pattern_check("CDB", step->cdb, r->cdb, r->cdb_len);
    if (step->out)
        pattern_check("data", step->out, r->data, r->data_len);
    if (++fake->done >= (step->times ? step->times : 1)) {
        fake->at++;
        fake->done = 0;
    }
    fake->clock += step->takes_us;
    r->status = step->status;
    if (step->sense)
        fake_refuse(r, step->sense, step->deferred, step->progress);
    else if (step->in)
        fake_reply(r, reply, fake_hex(step->in, reply, sizeof(reply)));
    else if (r->direction == MMC_DIR_OUT)
        r->transferred = r->data_len;
    return step->error;
}

static int fake_execute(struct mmc_transport *t, struct mmc_request *r)
{
    struct fake *fake = (struct fake *)t;

    if (++fake->commands > LIMIT_COMMANDS)
        fail_msg("more than %d commands", LIMIT_COMMANDS);
    return fake->handle ? fake->handle(fake, r) : step_run(fake, r);
}

static void fake_wait(struct mmc_transport *t, uint64_t microseconds)
{
    struct fake *fake = (struct fake *)t;

    fake->waits++;
    fake->clock += microseconds;
}

static uint64_t fake_now(struct mmc_transport *t)
{
    return ((struct fake *)t)->clock;
}

static void fake_close(struct mmc_transport *t)
{
    ((struct fake *)t)->closed++;
}

static const struct mmc_transport_ops fake_ops = {
    .execute = fake_execute,
    .wait = fake_wait,
    .now = fake_now,
    .close = fake_close,
};

void fake_script(struct fake *fake, const struct fake_step *steps)
{
    *fake = (struct fake){.transport = {&fake_ops, 128 << 10}, .steps = steps};
}

void fake_handler(struct fake *fake, int (*handle)(struct fake *, struct mmc_request *), void *ctx)
{
    *fake = (struct fake){.transport = {&fake_ops, 128 << 10}, .handle = handle, .ctx = ctx};
}

struct mmc_drive *fake_drive(struct fake *fake)
{
    const struct fake_step *steps = fake->steps;
    int (*handle)(struct fake *, struct mmc_request *) = fake->handle;
    static const struct fake_step ready[] = {{.cdb = "00"}, {0}};
    struct mmc_drive *drive;

    fake->steps = ready;
    fake->handle = NULL;
    assert_int_equal(mmc_open_transport(&fake->transport, &drive, NULL), 0);
    fake->steps = steps;
    fake->handle = handle;
    fake->at = fake->done = fake->commands = 0;
    return drive;
}

void fake_done(const struct fake *fake)
{
    if (fake->steps[fake->at].cdb)
        fail_msg("step %zu of the script never came: %s", fake->at, fake->steps[fake->at].cdb);
}
