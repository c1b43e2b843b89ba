/* SPDX-License-Identifier: MIT */
/* The timestamp of ECMA-167 1/7.3 to seconds since 1970 and back, over all its years, 1 to 9999. */
#include "mmc/bytes.h"
#include "udf/codec.h"

#define DAY_SECONDS 86400
#define EPOCH_DAYS  719162 /* from 1 January 1 to 1 January 1970 */
#define YEAR_MAX    9999
#define ZONE_MAX    1440
#define TYPE_UTC    0u
#define TYPE_LOCAL  1u
#define SEC_MIN     (-(int64_t)EPOCH_DAYS * DAY_SECONDS)
#define SEC_MAX     ((3652059 - (int64_t)EPOCH_DAYS) * DAY_SECONDS - 1) /* the last second of 9999 */

static bool year_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && year_is_leap(year));
}

/* Days from 1 January 1 to 1 January of the year. */
static int64_t year_days(int year)
{
    int64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

struct clock {
    int year, month, day, hour, minute, second;
};

static bool clock_valid(const struct clock *clock)
{
    return clock->year >= 1 && clock->year <= YEAR_MAX && clock->month >= 1 && clock->month <= 12 &&
           clock->day >= 1 && clock->day <= month_days(clock->year, clock->month) && clock->hour <= 23 &&
           clock->minute <= 59 && clock->second <= 60;
}

static int64_t clock_seconds(const struct clock *clock)
{
    int64_t days = year_days(clock->year) + clock->day - 1;
    for (int month = 1; month < clock->month; month++)
        days += month_days(clock->year, month);
    return (days - EPOCH_DAYS) * DAY_SECONDS + clock->hour * 3600 + clock->minute * 60 + clock->second;
}

/* sec lies in SEC_MIN..SEC_MAX. */
static struct clock clock_of(int64_t sec)
{
    int64_t since = sec - SEC_MIN, days = since / DAY_SECONDS;
    int rest = (int)(since % DAY_SECONDS);
    struct clock clock = {.month = 1, .hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60};
    clock.year = (int)(days / 366) + 1;
    while (year_days(clock.year + 1) <= days)
        clock.year++;
    int day = (int)(days - year_days(clock.year));
    for (; day >= month_days(clock.year, clock.month); clock.month++)
        day -= month_days(clock.year, clock.month);
    clock.day = day + 1;
    return clock;
}

/* The zone has 12 bits with a sign. */
static int zone_decode(uint16_t type_and_zone)
{
    int zone = type_and_zone & 0x7FF;
    if (type_and_zone & 0x800)
        zone -= 0x800;
    return zone >= -ZONE_MAX && zone <= ZONE_MAX ? zone : UDF_ZONE_NONE;
}

void udf_time_decode(const uint8_t bytes[UDF_TIME_BYTES], struct udf_time *time)
{
    *time = (struct udf_time){0};
    uint16_t type_and_zone = mmc_le16_get(bytes);
    struct clock clock = {(int16_t)mmc_le16_get(bytes + 2), bytes[4], bytes[5], bytes[6], bytes[7], bytes[8]};
    if (!clock_valid(&clock))
        return;
    int zone = type_and_zone >> 12 == TYPE_UTC ? 0 : zone_decode(type_and_zone);
    time->zone_minutes = (int16_t)zone;
    time->sec = clock_seconds(&clock) - (zone == UDF_ZONE_NONE ? 0 : zone * 60);
    if (bytes[9] <= 99 && bytes[10] <= 99 && bytes[11] <= 99)
        time->nsec = (bytes[9] * 10000u + bytes[10] * 100u + bytes[11]) * 1000u;
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

void udf_time_encode(uint8_t bytes[UDF_TIME_BYTES], const struct udf_time *time)
{
    int zone = time->zone_minutes;
    if (zone < -ZONE_MAX || zone > ZONE_MAX)
        zone = UDF_ZONE_NONE;
    /* The years are limited in local time, so UTC may lie a day beyond them. */
    int64_t utc = clamp(time->sec, SEC_MIN - DAY_SECONDS, SEC_MAX + DAY_SECONDS);
    struct clock clock = clock_of(clamp(utc + (zone == UDF_ZONE_NONE ? 0 : zone * 60), SEC_MIN, SEC_MAX));
    uint32_t micro = time->nsec < 1000000000u ? time->nsec / 1000 : 999999;
    mmc_le16_put(bytes, (uint16_t)(TYPE_LOCAL << 12 | ((unsigned)zone & 0xFFF)));
    mmc_le16_put(bytes + 2, (uint16_t)clock.year);
    bytes[4] = (uint8_t)clock.month;
    bytes[5] = (uint8_t)clock.day;
    bytes[6] = (uint8_t)clock.hour;
    bytes[7] = (uint8_t)clock.minute;
    bytes[8] = (uint8_t)clock.second;
    bytes[9] = (uint8_t)(micro / 10000);
    bytes[10] = (uint8_t)(micro / 100 % 100);
    bytes[11] = (uint8_t)(micro % 100);
}
