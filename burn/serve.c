/* SPDX-License-Identifier: MIT */
/* packetdisc serve: a virtual drive for another kernel, over a vhost-user socket. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "burn/verb.h"
#include "cli/cli.h"
#include "mmc/vhost/vhost.h"

/* Formats and blanking, which take a drive minutes, take whoever polls the drive seconds. */
#define PACE 100

static const char help[] =
    "Usage: packetdisc serve [OPTION...] --vhost-user SOCKET DISC [DISC...]\n"
    "Serves a virtual drive with the virtual disc in it to another kernel, in QEMU or User-Mode Linux, as a "
    "SCSI drive\n"
    "(a vhost-user-scsi backend). It ends on SIGINT, SIGTERM and SIGHUP, once the drive has written what is "
    "in its buffer.\n"
    "On SIGUSR1 the next DISC is put in by hand, and after the last one the first again.\n"
    "\n"
    "      --vhost-user SOCKET  listens on this Unix socket\n"
    "      --log FILE           appends every command, its sense and time to FILE, as lines of JSON\n"
    "      --realtime           the drive takes as long as a real one\n"
    "  -h, --help               shows this\n"
    "  -V, --version            shows the version\n"
    "\n"
    "Exit status: 0 done, 1 it failed (a message says why), 2 the command was wrong and nothing was done.\n";

enum {
    OPT_SOCKET = 256,
    OPT_LOG,
    OPT_REALTIME
};

static const struct option longs[] = {
    {"vhost-user", required_argument, NULL, OPT_SOCKET},
    {"log", required_argument, NULL, OPT_LOG},
    {"realtime", no_argument, NULL, OPT_REALTIME},
    VERB_OPTIONS_COMMON,
};

struct service {
    const char *socket;
    char **discs;
    int disc_count, disc; /* the one in the drive */
    struct vdrive_options options;
    struct vdrive *drive;
    struct vhost_server *server;
    int signals;
};

/* Signals become readable, so that they end the waiting for the other kernel and nothing else. */
static int signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void disc_explain(const char *disc, int err, int holder)
{
    cli_disc_set(disc);
    if (err == -EBUSY)
        cli_error("in use by process %d", holder);
    else if (err == -EMEDIUMTYPE)
        cli_error("this is not a virtual disc, or a damaged one; \"packetdisc create\" makes one");
    else
        cli_error("%s", cli_errno_text(err));
}

static void disc_next(struct service *s)
{
    int next = (s->disc + 1) % s->disc_count, holder = 0, err;

    if (next == s->disc)
        return;
    err = vdrive_disc_exchange(s->drive, s->discs[next], &holder);
    if (err) {
        disc_explain(s->discs[next], err, holder);
        cli_disc_set(s->discs[s->disc]);
        return;
    }
    s->disc = next;
    cli_disc_set(s->discs[next]);
    cli_info("put in");
}

/* Returns an exit status. */
static int serve(struct service *s)
{
    struct signalfd_siginfo signal = {0};
    int err;

    printf("serving %s at %s\n", s->discs[0], s->socket);
    fflush(stdout);
    for (;;) {
        err = vhost_server_run(s->server, s->signals, s->options.realtime ? 0 : PACE);
        if (err) {
            cli_error("the socket failed: %s", cli_errno_text(err));
            return STATUS_FAILED;
        }
        if (read(s->signals, &signal, sizeof signal) != sizeof signal)
            continue;
        if (signal.ssi_signo != SIGUSR1)
            return STATUS_OK;
        disc_next(s);
    }
}

static int service_open(struct service *s)
{
    int holder = 0, err = vdrive_open(s->discs[0], &s->options, &holder, &s->drive);

    if (err) {
        disc_explain(s->discs[0], err, holder);
        return err;
    }
    err = vhost_server_open(s->socket, s->drive, &s->server);
    if (err)
        cli_error("the socket %s could not be made: %s", s->socket,
                  err == -EEXIST ? "something else has this name" : cli_errno_text(err));
    return err;
}

static int service_run(struct service *s)
{
    int status = STATUS_FAILED, err;

    cli_disc_set(s->discs[0]);
    s->signals = signals_open();
    if (s->signals < 0) {
        cli_error("signals: %s", cli_errno_text(s->signals));
        return STATUS_FAILED;
    }
    if (service_open(s) == 0)
        status = serve(s);
    vhost_server_close(s->server);
    err = vdrive_close(s->drive);
    if (err) {
        cli_error("not everything could be written: %s", cli_errno_text(err));
        status = STATUS_FAILED;
    }
    close(s->signals);
    return status;
}

int verb_serve(int argc, char **argv)
{
    struct service s = {0};
    int option;

    while ((option = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
        if (option == OPT_SOCKET)
            s.socket = optarg;
        else if (option == OPT_LOG)
            s.options.log = optarg;
        else if (option == OPT_REALTIME)
            s.options.realtime = true;
        else
            return verb_option(option, argv[0], help);
    }
    if (!s.socket || argc == optind) {
        cli_error(s.socket ? "DISC is missing" : "--vhost-user is missing");
        return verb_option('?', argv[0], NULL);
    }
    s.discs = argv + optind;
    s.disc_count = argc - optind;
    return service_run(&s);
}
