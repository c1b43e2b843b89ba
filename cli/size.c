/* SPDX-License-Identifier: MIT */
/* Sizes as people read them. */
#include <stdio.h>

#include "cli/cli.h"

char *cli_size_text(uint64_t bytes, char *buf, size_t size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    double value = (double)bytes;

    /* A disc is spoken of in MiB up to the size of a CD: GiB begin at ten. */
    while (unit + 1 < sizeof units / sizeof units[0] && value >= (unit == 2 ? 10240 : 1024)) {
        value /= 1024;
        unit++;
    }
    snprintf(buf, size, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return buf;
}
