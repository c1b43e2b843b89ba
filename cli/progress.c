/* SPDX-License-Identifier: MIT */
/* The progress line of long operations: a bar on a terminal, a line every tenth elsewhere. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/private.h"

#define BAR_CELLS 30

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* "3:20 left" from how long the done part took, once that says something. */
static void time_left_text(const struct cli_progress *progress, double fraction, char *buf, size_t size)
{
    double passed = (double)(now_ms() - progress->started_ms) / 1000;
    unsigned left;

    buf[0] = '\0';
    if (passed < 3 || fraction < 0.01 || fraction >= 1)
        return;
    left = (unsigned)(passed / fraction - passed + 0.5);
    snprintf(buf, size, "  %u:%02u left", left / 60, left % 60);
}

static void bar_draw(struct cli_progress *progress, double fraction, bool estimated)
{
    char cells[BAR_CELLS + 1], left[32];
    int full = (int)(fraction * BAR_CELLS);

    memset(cells, '#', (size_t)full);
    memset(cells + full, '.', (size_t)(BAR_CELLS - full));
    cells[BAR_CELLS] = '\0';
    time_left_text(progress, fraction, left, sizeof left);
    fprintf(stderr, "\r%s [%s] %s%3.0f %%%s\033[K", progress->phase, cells, estimated ? "about " : "",
            fraction * 100, left);
    fflush(stderr);
    progress->open = true;
    cli_bar_set(true);
}

static void progress_begin(struct cli_progress *progress, const char *phase)
{
    cli_progress_end(progress);
    snprintf(progress->phase, sizeof progress->phase, "%s", phase);
    progress->last_tenth = -1;
    progress->started_ms = now_ms();
}

int cli_progress(void *ctx, const char *phase, double fraction, bool estimated)
{
    struct cli_progress *progress = ctx;
    int tenth;

    fraction = fraction >= 0 ? fraction : 0; /* also for a fraction that is not a number */
    fraction = fraction > 1 ? 1 : fraction;
    tenth = (int)(fraction * 10 + 1e-9);
    if (strncmp(progress->phase, phase, sizeof progress->phase - 1) != 0 || progress->started_ms == 0)
        progress_begin(progress, phase);
    if (cli_quiet())
        return cli_interrupted();
    if (isatty(STDERR_FILENO))
        bar_draw(progress, fraction, estimated);
    else if (tenth > progress->last_tenth)
        cli_info("%s: %s%d %%", phase, estimated ? "about " : "", tenth * 10);
    progress->last_tenth = tenth > progress->last_tenth ? tenth : progress->last_tenth;
    return cli_interrupted();
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->open) {
        fputc('\n', stderr);
        cli_bar_set(false);
    }
    memset(progress, 0, sizeof *progress);
}
