/* SPDX-License-Identifier: MIT */
/*
 * Runs mkudffs of the package udftools on the image. It gets the file as an inherited descriptor, since it
 * has no name, and its options as a vector, so that no shell sees the label.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mkfs/mkfs.h"

#define ARGUMENTS_MAX 24
#define EXEC_MISSING  127 /* exit statuses of the child, as a shell has them */
#define EXEC_FAILED   126

struct arguments {
    char *list[ARGUMENTS_MAX];
    unsigned count;
    bool failed;
};

static void argument_add(struct arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void argument_add(struct arguments *arguments, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    if (arguments->failed || arguments->count + 1 >= ARGUMENTS_MAX || vasprintf(&text, format, args) < 0)
        arguments->failed = true;
    else
        arguments->list[arguments->count++] = text;
    va_end(args);
}

static void arguments_free(struct arguments *arguments)
{
    while (arguments->count > 0)
        free(arguments->list[--arguments->count]);
}

/* mkudffs wants the encoding first and the media type before the revision. What it calls the entries of the
 * spare area, it takes as blocks. */
static void arguments_make(struct arguments *arguments, int fd, const struct mkfs_options *options,
                           const struct mkfs_plan *plan)
{
    argument_add(arguments, "mkudffs");
    argument_add(arguments, "--utf8");
    argument_add(arguments, "--media-type=cdrw");
    argument_add(arguments, "--udfrev=%x.%02x", options->revision >> 8, options->revision & 0xff);
    argument_add(arguments, "--blocksize=%u", MMC_BLOCK_BYTES);
    argument_add(arguments, "--packetlen=%u", MMC_PACKET_BLOCKS);
    argument_add(arguments, "--sparspace=%u", mkfs_plan_reserve(plan) * MMC_PACKET_BLOCKS);
    argument_add(arguments, "--uid=%u", (unsigned)options->uid);
    argument_add(arguments, "--gid=%u", (unsigned)options->gid);
    argument_add(arguments, "--mode=0755");
    argument_add(arguments, "--label=%s", options->label);
    argument_add(arguments, "/proc/self/fd/%d", fd);
    argument_add(arguments, "%u", plan->packets * MMC_PACKET_BLOCKS);
}

/* In the child. The folders of system programs are not in every user's search path. */
static void child_run(struct arguments *arguments, int image, int out)
{
    const char *path = getenv("PATH");
    char *longer = NULL;
    int null = open("/dev/null", O_RDWR);

    if (asprintf(&longer, "%s%s/usr/sbin:/sbin", path ? path : "", path && path[0] ? ":" : "") > 0)
        setenv("PATH", longer, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0 || fcntl(image, F_SETFD, 0) < 0)
        _exit(EXEC_FAILED);
    execvp(arguments->list[0], arguments->list);
    _exit(errno == ENOENT ? EXEC_MISSING : EXEC_FAILED);
}

/* Reads to the end, keeps what fits. */
static void text_collect(int fd, char *text, size_t size)
{
    char chunk[512];
    size_t used = 0;
    ssize_t n;

    while ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
        for (ssize_t i = 0; i < n && used + 1 < size; i++)
            text[used++] = chunk[i];
    text[used] = '\0';
}

/* Each line of what mkudffs said becomes a message. */
static void text_print(char *text)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        cli_error("%s", line);
}

static int child_judge(int status, char *text)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXEC_MISSING) {
        cli_error("the program mkudffs, which lays out the volume, is missing: install the package udftools");
        return -ENOENT;
    }
    text_print(text);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXEC_FAILED)
        cli_error("mkudffs could not be started");
    else if (WIFSIGNALED(status))
        cli_error("mkudffs was ended by signal %d", WTERMSIG(status));
    else
        cli_error("mkudffs could not lay out the volume (exit status %d)", WEXITSTATUS(status));
    return cli_interrupted() ? -EINTR : -EIO;
}

static int child_wait(struct arguments *arguments, int image)
{
    char text[4096];
    int ends[2], status;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid == 0)
        child_run(arguments, image, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -EAGAIN;
    }
    text_collect(ends[0], text, sizeof text);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return child_judge(status, text);
}

int mkfs_mkudffs_run(int fd, const struct mkfs_options *options, const struct mkfs_plan *plan)
{
    struct arguments arguments = {0};
    int err;

    arguments_make(&arguments, fd, options, plan);
    err = arguments.failed ? -ENOMEM : child_wait(&arguments, fd);
    if (err == -ENOMEM || err == -EAGAIN || err == -EMFILE)
        cli_error("mkudffs could not be started: %s", cli_errno_text(err));
    arguments_free(&arguments);
    return err;
}
