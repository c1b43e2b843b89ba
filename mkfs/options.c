/* SPDX-License-Identifier: MIT */
/* The command line of mkfs.packetfs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkfs/mkfs.h"
#include "udf/codec.h"

/* The logical volume identifier is a dstring of 128 bytes, one of which is its length (ECMA-167 3/10.6.4). */
#define LABEL_CS0_MAX 127u

static const char help[] =
    "Usage: mkfs.packetfs [OPTION...] DISC\n"
    "Brings a CD-RW into packet form where needed and puts an empty UDF volume on it.\n"
    "\n"
    "DISC is a drive (/dev/sr0), a virtual disc (a folder that \"packetdisc create\" made), an image file or "
    "a block\n"
    "device.\n"
    "\n"
    "  -L, --label LABEL    name of the volume (default: packetfs)\n"
    "  -r, --revision REV   UDF revision, 1.50 or 2.01 (default)\n"
    "      --quick          a disc that is in packet form only gets a new volume (default)\n"
    "      --full           the whole disc is formatted again, which takes about as long as filling it\n"
    "      --force          also a disc that holds data, which is lost\n"
    "      --uid N          owner of the root folder (default: who calls)\n"
    "      --gid N          its group (default: that of who calls)\n"
    "  -q, --quiet          says only what is wrong\n"
    "  -h, --help           shows this\n"
    "  -V, --version        shows the version\n"
    "\n"
    "Exit status: 0 the disc is ready, 1 it is not (a message says why and what state it is in), 2 the "
    "command was\n"
    "wrong and nothing was done.\n";

static int revision_parse(const char *text, unsigned *revision)
{
    if (strcmp(text, "1.50") == 0)
        *revision = 0x0150;
    else if (strcmp(text, "2.01") == 0)
        *revision = 0x0201;
    else
        return -EINVAL;
    return 0;
}

static int id_parse(const char *text, unsigned *id)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(text, &end, 10);
    /* The highest number means "no owner" to Linux and UDF alike. */
    if (text[0] < '0' || text[0] > '9' || *end || errno || n >= UINT32_MAX)
        return -EINVAL;
    *id = (unsigned)n;
    return 0;
}

static int label_check(const char *label)
{
    uint8_t cs0[LABEL_CS0_MAX];
    int err = udf_cs0_encode(label, strlen(label), cs0, sizeof cs0);

    if (err == -EILSEQ)
        cli_error("the label is not valid UTF-8");
    else if (err < 0)
        cli_error(
            "the label is too long: a volume has room for 126 characters, or 63 if any is beyond U+00FF");
    return err < 0 ? err : 0;
}

enum {
    OPT_FULL = 256,
    OPT_QUICK,
    OPT_FORCE,
    OPT_UID,
    OPT_GID
};

static const struct option longs[] = {
    {"label", required_argument, NULL, 'L'},
    {"revision", required_argument, NULL, 'r'},
    {"full", no_argument, NULL, OPT_FULL},
    {"quick", no_argument, NULL, OPT_QUICK},
    {"force", no_argument, NULL, OPT_FORCE},
    {"uid", required_argument, NULL, OPT_UID},
    {"gid", required_argument, NULL, OPT_GID},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

static enum mkfs_parse usage(void)
{
    cli_error("try \"mkfs.packetfs --help\"");
    return MKFS_PARSE_USAGE;
}

static enum mkfs_parse argument_wrong(const char *what, const char *argument)
{
    cli_error("%s, not \"%s\"", what, argument);
    return usage();
}

/* One option. MKFS_PARSE_RUN: go on. */
static enum mkfs_parse option_take(int option, struct mkfs_options *options, bool *quick)
{
    switch (option) {
    case 'L':
        options->label = optarg;
        return MKFS_PARSE_RUN;
    case 'r':
        return revision_parse(optarg, &options->revision) == 0
                   ? MKFS_PARSE_RUN
                   : argument_wrong("the UDF revision is 1.50 or 2.01", optarg);
    case OPT_FULL:
        options->full = true;
        return MKFS_PARSE_RUN;
    case OPT_QUICK:
        *quick = true;
        return MKFS_PARSE_RUN;
    case OPT_FORCE:
        options->force = true;
        return MKFS_PARSE_RUN;
    case OPT_UID:
        return id_parse(optarg, &options->uid) == 0 ? MKFS_PARSE_RUN
                                                    : argument_wrong("--uid takes a number", optarg);
    case OPT_GID:
        return id_parse(optarg, &options->gid) == 0 ? MKFS_PARSE_RUN
                                                    : argument_wrong("--gid takes a number", optarg);
    case 'q':
        options->quiet = true;
        return MKFS_PARSE_RUN;
    case 'h':
        fputs(help, stdout);
        return MKFS_PARSE_DONE;
    case 'V':
        cli_version_print();
        return MKFS_PARSE_DONE;
    default: /* getopt has said what is wrong */
        return usage();
    }
}

enum mkfs_parse mkfs_options_parse(int argc, char **argv, struct mkfs_options *options)
{
    static char name[] = "mkfs.packetfs"; /* what getopt calls the program */
    bool quick = false;
    int option;

    if (argc > 0)
        argv[0] = name;
    *options =
        (struct mkfs_options){.label = "packetfs", .revision = 0x0201, .uid = getuid(), .gid = getgid()};
    while ((option = getopt_long(argc, argv, "L:r:qhV", longs, NULL)) != -1) {
        enum mkfs_parse parse = option_take(option, options, &quick);
        if (parse != MKFS_PARSE_RUN)
            return parse;
    }
    if (options->full && quick) {
        cli_error("--full and --quick exclude each other");
        return usage();
    }
    if (argc - optind != 1) {
        cli_error(argc == optind ? "DISC is missing" : "there must be one DISC only");
        return usage();
    }
    options->disc = argv[optind];
    return label_check(options->label) < 0 ? usage() : MKFS_PARSE_RUN;
}
