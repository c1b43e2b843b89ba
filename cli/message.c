/* SPDX-License-Identifier: MIT */
/*
 * Messages of the programs: one line each, with program and disc in front, to standard error or to syslog. A
 * program speaks with one voice, so what is set here is set for the whole process.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/private.h"

static struct {
    pthread_mutex_t lock;
    char program[64];
    char disc[1024];
    bool quiet, debug, syslog, bar;
} voice = {.lock = PTHREAD_MUTEX_INITIALIZER, .program = "packetfs"};

void cli_program_set(const char *program)
{
    snprintf(voice.program, sizeof voice.program, "%s", program);
}

void cli_disc_set(const char *disc)
{
    snprintf(voice.disc, sizeof voice.disc, "%s", disc ? disc : "");
}

void cli_quiet_set(bool quiet)
{
    voice.quiet = quiet;
}

void cli_debug_set(bool debug)
{
    voice.debug = debug;
}

bool cli_quiet(void)
{
    return voice.quiet;
}

void cli_bar_set(bool open)
{
    voice.bar = open;
}

void cli_log_to_syslog(void)
{
    openlog(voice.program, LOG_PID, LOG_DAEMON);
    voice.syslog = true;
}

void cli_version_print(void)
{
    printf("%s (packetfs) %s\n", voice.program, PACKETFS_VERSION);
}

/* The text comes from drives and discs as well: what a terminal would obey becomes '?'. */
static void control_characters_mask(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void message_write(int priority, const char *kind, const char *format, va_list args)
{
    char text[2048];

    vsnprintf(text, sizeof text, format, args);
    control_characters_mask(text);
    pthread_mutex_lock(&voice.lock);
    if (voice.syslog) {
        syslog(priority, "%s%s%s%s", voice.disc, voice.disc[0] ? ": " : "", kind, text);
    } else {
        fprintf(stderr, "%s%s: %s%s%s%s\n", voice.bar ? "\n" : "", voice.program, voice.disc,
                voice.disc[0] ? ": " : "", kind, text);
        voice.bar = false;
    }
    pthread_mutex_unlock(&voice.lock);
}

void cli_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_write(LOG_ERR, "", format, args);
    va_end(args);
}

void cli_warning(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    message_write(LOG_WARNING, "warning: ", format, args);
    va_end(args);
}

void cli_info(const char *format, ...)
{
    va_list args;

    if (voice.quiet)
        return;
    va_start(args, format);
    message_write(LOG_INFO, "", format, args);
    va_end(args);
}

void cli_debug(const char *format, ...)
{
    va_list args;

    if (!voice.debug)
        return;
    va_start(args, format);
    message_write(LOG_DEBUG, "", format, args);
    va_end(args);
}
