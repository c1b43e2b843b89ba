/* SPDX-License-Identifier: MIT */
/* packetdisc info: what a drive and the disc in it are. Only looks. */
#include <getopt.h>
#include <stdio.h>

#include "burn/report.h"
#include "burn/verb.h"

static const char help[] = "Usage: packetdisc info [OPTION...] DISC\n"
                           "Shows the drive, the medium, the state of disc and sessions, the tracks, the "
                           "capacities, the volume on the disc, and\n"
                           "what may be done next. Changes nothing. DISC is a drive (/dev/sr0), a virtual "
                           "disc, an image file or a block device.\n"
                           "\n"
                           "      --json           the same as JSON, described in packetdisc(1)\n"
                           "  -h, --help           shows this\n"
                           "  -V, --version        shows the version\n"
                           "\n"
                           "Exit status: 0 done (also when there is no disc in the drive), 1 it failed (a "
                           "message says why; if another program\n"
                           "uses the disc, which one), 2 the command was wrong and nothing was done.\n";

enum {
    OPT_JSON = 256
};

static const struct option longs[] = {
    {"json", no_argument, NULL, OPT_JSON},
    VERB_OPTIONS_COMMON,
};

static int show(const char *path, bool json)
{
    static const struct cli_disc_options options = {.read_only = true};
    char where[512];
    struct cli_disc disc;
    struct report report = {0};
    int err = cli_disc_open(path, &options, &disc);

    if (err) {
        if (cli_disc_mounted(path, where, sizeof where))
            cli_error("it is mounted at %s", where);
        return STATUS_FAILED;
    }
    err = report_make(&disc, &report);
    if (!err && json)
        err = report_json(&report);
    else if (!err)
        report_print(&report);
    if (!err && fflush(stdout) != 0)
        err = -1;
    report_free(&report);
    if (cli_disc_close(&disc) < 0 || err)
        return STATUS_FAILED;
    return STATUS_OK;
}

int verb_info(int argc, char **argv)
{
    const char *disc;
    bool json = false;
    int option, status;

    while ((option = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
        if (option != OPT_JSON)
            return verb_option(option, argv[0], help);
        json = true;
    }
    status = verb_disc(argc, argv, &disc);
    return status == STATUS_OK ? show(disc, json) : status;
}
