/* SPDX-License-Identifier: MIT */
/* The verbs of packetdisc: one file each, and one line each in the table of packetdisc.c. */
#ifndef BURN_VERB_H
#define BURN_VERB_H

/* Exit statuses of packetdisc. */
enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* a message has said what failed */
    STATUS_USAGE = 2,  /* the command was wrong; nothing was done */
};

/* argv[0] is "packetdisc VERB". Returns an exit status. Each verb takes --help and
 * --version through verb_option. */
typedef int verb_fn(int argc, char **argv);

verb_fn verb_create;
verb_fn verb_info;
verb_fn verb_serve;

/*
 * What getopt_long gave for an option that the verb does not know itself: answers --help ('h', with the
 * verb's text) and
 * --version ('V'), and points to the help otherwise. Returns the exit status.
 */
int verb_option(int option, const char *program, const char *help);

/* Takes the one argument DISC that is left behind the options into *disc; otherwise says what is wrong and
 * returns STATUS_USAGE. */
int verb_disc(int argc, char **argv, const char **disc);

/* The common options, for the end of a verb's table for getopt_long. */
#define VERB_OPTIONS_COMMON                                                                                  \
    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},                                   \
    {                                                                                                        \
        0                                                                                                    \
    }

#endif
