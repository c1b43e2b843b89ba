/* SPDX-License-Identifier: MIT */
/*
 * A transport for tests. It answers either from a script, whose steps must come in order and which fails the
 * test on any other command, or from a function. Its clock moves by wait() and by what the steps say they
 * take.
 */
#ifndef TESTS_MMC_FAKE_H
#define TESTS_MMC_FAKE_H

#include "mmc/drive.h"

/* Key, code and qualifier in one number, as in 0x020407. */
#define FAKE_SENSE(key, asc, ascq) ((uint32_t)(key) << 16 | (uint32_t)(asc) << 8 | (uint32_t)(ascq))

struct fake_step {
    const char *cdb;   /* in hex, with ".." for any byte; only the bytes given are compared */
    const char *out;   /* likewise, the data that the host must send; NULL: none, or not looked at */
    const char *in;    /* the reply in hex; NULL: none */
    uint32_t sense;    /* as FAKE_SENSE; 0: GOOD */
    bool deferred;     /* the sense is 71h */
    int progress;      /* of 1 to 65535 with the sense; 0: none */
    uint8_t status;    /* instead, a status without sense */
    int error;         /* instead, the transport fails with this -errno */
    unsigned times;    /* how often the step comes; 0 is once */
    uint64_t takes_us; /* what the clock moves on */
};

struct fake {
    struct mmc_transport transport;
    const struct fake_step *steps; /* ends with a step without a cdb */
    size_t at;
    unsigned done; /* times that steps[at] has come */
    int (*handle)(struct fake *, struct mmc_request *);
    void *ctx;
    uint64_t clock;
    unsigned commands, waits, closed;
};

/* A fake by a script, or by a function. */
void fake_script(struct fake *fake, const struct fake_step *steps);
void fake_handler(struct fake *fake, int (*handle)(struct fake *, struct mmc_request *), void *ctx);

/* A drive on it, without the commands that opening sends. To be freed with mmc_close. */
struct mmc_drive *fake_drive(struct fake *fake);

/* Fails the test unless every step has come. */
void fake_done(const struct fake *fake);

/* Makes the answer of a request: check condition with this sense, or a reply cut
 * at what the host has room for. */
void fake_refuse(struct mmc_request *r, uint32_t sense, bool deferred, int progress);
void fake_reply(struct mmc_request *r, const void *bytes, size_t len);

/* Bytes from hex digits, blanks between bytes allowed; returns how many. */
size_t fake_hex(const char *hex, uint8_t *bytes, size_t room);

#endif
