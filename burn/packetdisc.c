/* SPDX-License-Identifier: MIT */
/* packetdisc: looks at discs, makes virtual ones, and serves them. Finds the verb and hands over to it. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "burn/verb.h"
#include "cli/cli.h"

static const struct {
    const char *name;
    verb_fn *run;
    const char *summary;
} verbs[] = {
    {"create", verb_create, "makes a virtual disc"},
    {"info", verb_info, "shows what a drive and its disc are, and what may be done next"},
    {"serve", verb_serve, "serves a virtual disc to another kernel as a SCSI drive"},
};

static void help_print(void)
{
    printf("Usage: packetdisc VERB [OPTION...] DISC\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        printf("  %-8s %s\n", verbs[i].name, verbs[i].summary);
    printf("\n\"packetdisc VERB --help\" tells more of a verb. \"packetdisc --version\" shows the version.\n"
           "\n"
           "Exit status: 0 done, 1 it failed (a message says why), 2 the command was wrong and nothing was "
           "done.\n");
}

int verb_option(int option, const char *program, const char *help)
{
    if (option == 'h') {
        fputs(help, stdout);
        return STATUS_OK;
    }
    if (option == 'V') {
        cli_version_print();
        return STATUS_OK;
    }
    cli_error("try \"%s --help\"", program);
    return STATUS_USAGE;
}

int verb_disc(int argc, char **argv, const char **disc)
{
    if (argc - optind == 1) {
        *disc = argv[optind];
        return STATUS_OK;
    }
    cli_error(argc == optind ? "DISC is missing" : "there must be one DISC only");
    return verb_option('?', argv[0], NULL);
}

static int usage_wrong(void)
{
    cli_error("try \"packetdisc --help\"");
    return STATUS_USAGE;
}

int main(int argc, char **argv)
{
    char name[32]; /* what getopt calls the program */

    cli_streams_open();
    cli_program_set("packetdisc");
    if (argc < 2) {
        cli_error("a verb is missing");
        return usage_wrong();
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_print();
        return STATUS_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        cli_version_print();
        return STATUS_OK;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        snprintf(name, sizeof name, "packetdisc %s", verbs[i].name);
        argv[1] = name;
        return verbs[i].run(argc - 1, argv + 1);
    }
    cli_error("there is no verb \"%s\"", argv[1]);
    return usage_wrong();
}
