/* SPDX-License-Identifier: MIT */
/* Signals that ask a program to stop, remembered, so that it stops at a point where
 * the disc is in a known state. */
#include <signal.h>
#include <stddef.h>

#include "cli/cli.h"

static volatile sig_atomic_t interrupted;

static void interrupt_note(int signal)
{
    interrupted = signal;
}

void cli_interrupt_catch(void)
{
    /* No SA_RESTART: a wait for input or a child ends too. */
    struct sigaction action = {.sa_handler = interrupt_note};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool cli_interrupted(void)
{
    return interrupted != 0;
}
