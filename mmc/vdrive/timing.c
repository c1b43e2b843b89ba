/* SPDX-License-Identifier: MIT */
/* The spiral of an 80 minute disc and the arithmetic of speeds on it. */
#include "mmc/vdrive/timing.h"

#define SECTORS_A_SECOND 75
#define RADIUS_INNER_UM  25000 /* start of the program area */
#define RADIUS_OUTER_UM  58000
#define RADIUS_SPAN_UM   (RADIUS_OUTER_UM - RADIUS_INNER_UM)
/* Area under one sector of track over pi: 1.2 m/s / 75 * 1.5 um / pi, in square micrometres. */
#define SECTOR_AREA_UM2 7639
#define BUS_BYTES_A_MS  33000 /* Ultra DMA 33 */

/* Sectors from the start of the program area at which the 24x zones begin: minutes 4 and 13. */
#define ZONE_MIDDLE (4u * 60 * SECTORS_A_SECOND)
#define ZONE_OUTER  (13u * 60 * SECTORS_A_SECOND)

static uint64_t time_isqrt(uint64_t n)
{
    uint64_t x = n, y = (x + 1) / 2;

    while (y < x) {
        x = y;
        y = (x + n / x) / 2;
    }
    return x;
}

/* The spiral has constant density, so that the area inside grows evenly with the sectors. */
static uint64_t time_radius(uint32_t at)
{
    return time_isqrt((uint64_t)RADIUS_INNER_UM * RADIUS_INNER_UM + (uint64_t)at * SECTOR_AREA_UM2);
}

uint64_t vdrive_time_transfer(uint64_t len)
{
    return len * 1000 / BUS_BYTES_A_MS;
}

uint64_t vdrive_time_seek(uint32_t from, uint32_t to)
{
    uint64_t a = time_radius(from), b = time_radius(to), way = a < b ? b - a : a - b;

    if (from == to)
        return 0;
    return 20000 + 95000 * time_isqrt(way * 1000000 / RADIUS_SPAN_UM) / 1000;
}

uint64_t vdrive_time_half_turn(uint32_t at, unsigned speed)
{
    /* The circumference passes at speed * 1.2 um in a microsecond; pi r / (1.2 speed). */
    return time_radius(at) * 31416 / 12000 / speed;
}

unsigned vdrive_speed_write(uint32_t at, unsigned speed)
{
    if (speed < 24)
        return speed;
    return at < ZONE_MIDDLE ? 16 : at < ZONE_OUTER ? 20 : 24;
}

unsigned vdrive_speed_read(uint32_t at, unsigned limit)
{
    unsigned here = (unsigned)(VDRIVE_READ_SPEED_MAX * time_radius(at) / RADIUS_OUTER_UM);

    return here < limit ? here : limit;
}

uint64_t vdrive_time_sectors(uint64_t sectors, unsigned speed)
{
    return sectors * 1000000 / SECTORS_A_SECOND / speed;
}
