/* SPDX-License-Identifier: MIT */
/* The timestamp, against bytes worked out by hand from ECMA-167 1/7.3 and
 * against the C library's calendar. */
#include <time.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/random.h"
#include "udf/codec.h"

struct example {
    uint8_t bytes[UDF_TIME_BYTES];
    struct udf_time time;
};

static const struct example examples[] = {
    /* 2 February 2024, 03:04:05.123456 at UTC+1 (zone 60 = 03Ch) */
    {{0x3C, 0x10, 0xE8, 0x07, 2, 2, 3, 4, 5, 12, 34, 56}, {1706839445, 123456000, 60}},
    /* 31 December 1969, 19:59:59 at UTC-4 (zone -240 = F10h): one second before 1970 in UTC */
    {{0x10, 0x1F, 0xB1, 0x07, 12, 31, 19, 59, 59, 0, 0, 0}, {-1, 0, -240}},
    /* 29 February 2000, zone not given (-2047 = 801h) */
    {{0x01, 0x18, 0xD0, 0x07, 2, 29, 0, 0, 0, 0, 0, 0}, {951782400, 0, UDF_ZONE_NONE}},
    /* the first and the last second there are */
    {{0x00, 0x10, 0x01, 0x00, 1, 1, 0, 0, 0, 0, 0, 0}, {-62135596800, 0, 0}},
    {{0x00, 0x10, 0x0F, 0x27, 12, 31, 23, 59, 59, 99, 99, 99}, {253402300799, 999999000, 0}},
    /* the farthest zones: local days differ from those in UTC */
    {{0xA0, 0x15, 0x70, 0x07, 3, 1, 12, 0, 0, 0, 0, 1}, {-2077704000, 1000, 1440}},
    {{0x60, 0x1A, 0x70, 0x07, 2, 29, 12, 0, 0, 0, 1, 0}, {-2077617600, 100000, -1440}},
};

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct udf_time time;
        uint8_t bytes[UDF_TIME_BYTES];
        udf_time_decode(examples[i].bytes, &time);
        assert_int_equal(time.sec, examples[i].time.sec);
        assert_int_equal(time.nsec, examples[i].time.nsec);
        assert_int_equal(time.zone_minutes, examples[i].time.zone_minutes);
        udf_time_encode(bytes, &time);
        assert_memory_equal(bytes, examples[i].bytes, sizeof bytes);
    }
}

static void test_type_utc(void **state)
{
    /* Type 0 is UTC whatever the zone field says. */
    const uint8_t bytes[UDF_TIME_BYTES] = {0x3C, 0x00, 0xB2, 0x07, 1, 1, 0, 0, 9};
    struct udf_time time;
    (void)state;
    udf_time_decode(bytes, &time);
    assert_int_equal(time.sec, 9);
    assert_int_equal(time.zone_minutes, 0);
}

static void test_nonsense(void **state)
{
    static const uint8_t wrong[][2] = {
        {4, 0}, {4, 13}, {5, 0}, {5, 32}, {6, 24}, {7, 60}, {8, 61}, {3, 0x80} /* year -30,700 or so */,
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bytes[UDF_TIME_BYTES];
        struct udf_time time;
        memcpy(bytes, examples[0].bytes, sizeof bytes);
        bytes[wrong[i][0]] = wrong[i][1];
        udf_time_decode(bytes, &time);
        assert_int_equal(time.sec, 0);
        assert_int_equal(time.nsec, 0);
    }
    const uint8_t february[UDF_TIME_BYTES] = {0, 0x10, 0x6C, 0x07, 2, 30};
    struct udf_time time = {.sec = 1};
    udf_time_decode(february, &time);
    assert_int_equal(time.sec, 0);
}

static void test_nonsense_parts(void **state)
{
    uint8_t bytes[UDF_TIME_BYTES];
    struct udf_time time;
    (void)state;
    memcpy(bytes, examples[0].bytes, sizeof bytes);
    bytes[10] = 100; /* a fraction that cannot be does not cost the whole time */
    udf_time_decode(bytes, &time);
    assert_int_equal(time.sec, examples[0].time.sec);
    assert_int_equal(time.nsec, 0);
    memcpy(bytes, examples[0].bytes, sizeof bytes);
    bytes[0] = 0xA1; /* 1441 minutes */
    bytes[1] = 0x15;
    udf_time_decode(bytes, &time);
    assert_int_equal(time.zone_minutes, UDF_ZONE_NONE);
    assert_int_equal(time.sec, examples[0].time.sec + 3600);
}

static void test_clamped(void **state)
{
    static const struct udf_time far[] = {{INT64_MIN, 0, 0},
                                          {INT64_MIN, 0, -1440},
                                          {INT64_MAX, 0, 1440},
                                          {INT64_MAX, UINT32_MAX, -1440},
                                          {0, UINT32_MAX, INT16_MAX}};
    static const int years[] = {1, 1, 9999, 9999, 1970};
    (void)state;
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        uint8_t bytes[UDF_TIME_BYTES];
        struct udf_time time;
        udf_time_encode(bytes, &far[i]);
        assert_int_equal(bytes[2] | bytes[3] << 8, years[i]);
        udf_time_decode(bytes, &time);
        assert_int_not_equal(time.sec, i < 4 ? 0 : -1);
    }
}

/* Every zone and times over all years, with gmtime as the judge. */
static void test_calendar(void **state)
{
    uint64_t seed = 7;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct udf_time time = {.sec = (int64_t)(random_next(&seed) % 315537897600u) - 62135596800,
                                .nsec = (uint32_t)(random_next(&seed) % 1000000) * 1000,
                                .zone_minutes = (int16_t)(random_next(&seed) % 2881) - 1440};
        time_t local = time.sec + time.zone_minutes * 60;
        if (local < -62135596800 || local > 253402300799)
            continue;
        struct tm tm;
        uint8_t bytes[UDF_TIME_BYTES];
        struct udf_time back;
        assert_non_null(gmtime_r(&local, &tm));
        udf_time_encode(bytes, &time);
        assert_int_equal(bytes[2] | bytes[3] << 8, tm.tm_year + 1900);
        assert_int_equal(bytes[4], tm.tm_mon + 1);
        assert_int_equal(bytes[5], tm.tm_mday);
        assert_int_equal(bytes[6], tm.tm_hour);
        assert_int_equal(bytes[7], tm.tm_min);
        assert_int_equal(bytes[8], tm.tm_sec);
        udf_time_decode(bytes, &back);
        assert_int_equal(back.sec, time.sec);
        assert_int_equal(back.nsec, time.nsec);
        assert_int_equal(back.zone_minutes, time.zone_minutes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_type_utc),
        cmocka_unit_test(test_nonsense), cmocka_unit_test(test_nonsense_parts),
        cmocka_unit_test(test_clamped),  cmocka_unit_test(test_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
