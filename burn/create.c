/* SPDX-License-Identifier: MIT */
/* packetdisc create: a new blank virtual disc. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "burn/verb.h"
#include "cli/cli.h"

static const char help[] =
    "Usage: packetdisc create [OPTION...] DISC\n"
    "Makes a new blank virtual disc: the folder DISC, which must not exist or must be empty. Every program "
    "of packetfs\n"
    "takes it where it takes a drive.\n"
    "\n"
    "      --medium KIND    cd-rw (default) or cd-r\n"
    "      --minutes N      74 or 80 (default)\n"
    "      --speed N        highest write speed: 4, 10 (default) or 24\n"
    "  -h, --help           shows this\n"
    "  -V, --version        shows the version\n"
    "\n"
    "Exit status: 0 done, 1 it failed (a message says why), 2 the command was wrong and nothing was done.\n";

enum {
    OPT_MEDIUM = 256,
    OPT_MINUTES,
    OPT_SPEED
};

static const struct option longs[] = {
    {"medium", required_argument, NULL, OPT_MEDIUM},
    {"minutes", required_argument, NULL, OPT_MINUTES},
    {"speed", required_argument, NULL, OPT_SPEED},
    VERB_OPTIONS_COMMON,
};

/* Takes text if it is one of the count numbers. */
static int number_choose(const char *text, const unsigned *choices, size_t count, unsigned *number)
{
    char word[16];

    for (size_t i = 0; i < count; i++) {
        snprintf(word, sizeof word, "%u", choices[i]);
        if (strcmp(text, word) == 0) {
            *number = choices[i];
            return 0;
        }
    }
    return -EINVAL;
}

static int medium_choose(const char *text, enum vdrive_medium *medium)
{
    if (strcmp(text, "cd-rw") == 0)
        *medium = VDRIVE_CD_RW;
    else if (strcmp(text, "cd-r") == 0)
        *medium = VDRIVE_CD_R;
    else
        return -EINVAL;
    return 0;
}

/* Returns -EINVAL when the option's argument is not one of those it takes. */
static int option_take(int option, struct vdrive_disc_spec *spec)
{
    static const unsigned minutes[] = {74, 80}, speeds[] = {4, 10, 24};
    int err;

    switch (option) {
    case OPT_MEDIUM:
        err = medium_choose(optarg, &spec->medium);
        if (err)
            cli_error("--medium is cd-rw or cd-r, not \"%s\"", optarg);
        return err;
    case OPT_MINUTES:
        err = number_choose(optarg, minutes, 2, &spec->minutes);
        if (err)
            cli_error("--minutes is 74 or 80, not \"%s\"", optarg);
        return err;
    default:
        err = number_choose(optarg, speeds, 3, &spec->speed);
        if (err)
            cli_error("--speed is 4, 10 or 24, not \"%s\"", optarg);
        return err;
    }
}

static int disc_create(const char *disc, const struct vdrive_disc_spec *spec)
{
    int err = vdrive_disc_create(disc, spec);

    cli_disc_set(disc);
    switch (err) {
    case 0:
        return STATUS_OK;
    case -EEXIST:
        cli_error("it exists already; a new disc needs a new or empty folder");
        break;
    case -ENOENT:
        cli_error("the folder above it does not exist");
        break;
    default:
        cli_error("the disc could not be made: %s", cli_errno_text(err));
    }
    return STATUS_FAILED;
}

int verb_create(int argc, char **argv)
{
    struct vdrive_disc_spec spec = {.medium = VDRIVE_CD_RW, .minutes = 80, .speed = 10};
    const char *disc;
    int option, status;

    while ((option = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
        if (option < OPT_MEDIUM)
            return verb_option(option, argv[0], help);
        if (option_take(option, &spec) < 0)
            return verb_option('?', argv[0], help);
    }
    status = verb_disc(argc, argv, &disc);
    return status == STATUS_OK ? disc_create(disc, &spec) : status;
}
