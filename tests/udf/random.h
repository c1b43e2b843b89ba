/* SPDX-License-Identifier: MIT */
/* Numbers for tests that are the same in every run. */
#ifndef TESTS_UDF_RANDOM_H
#define TESTS_UDF_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* xorshift64* */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}

static inline void random_fill(uint64_t *state, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(random_next(state) >> 32);
}

#endif
