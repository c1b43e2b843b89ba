/* SPDX-License-Identifier: MIT */
/*
 * The way into the background. The fork comes first of all, because threads (the disc's writer, ours) do not
 * survive one; the parent stays until the mount stands, so that messages reach the terminal and the exit
 * status is true.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/fs.h"

static int child_status(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return FS_EXIT_INTERNAL;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    cli_error("ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return FS_EXIT_INTERNAL;
}

/* A byte says that the mount stands; the end of the pipe without one, that the child has given up. */
static int parent_wait(int fd, pid_t pid)
{
    char byte;
    ssize_t n;

    signal(SIGINT, SIG_IGN); /* the child gets it too, and ends in its own way */
    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? FS_EXIT_MOUNTED : child_status(pid);
}

int fs_daemon_fork(int *ready_fd)
{
    int pipe_fds[2];
    pid_t pid;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid < 0) {
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        return -errno;
    }
    if (pid > 0) {
        close(pipe_fds[1]);
        _exit(parent_wait(pipe_fds[0], pid));
    }
    close(pipe_fds[0]);
    *ready_fd = pipe_fds[1];
    return 0;
}

void fs_daemon_ready(int ready_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    setsid();
    cli_log_to_syslog();
    if (chdir("/") < 0)
        cli_warning("cannot leave the current folder: %s", strerror(errno));
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
    if (write(ready_fd, "", 1) != 1)
        cli_warning("nobody waits for the mount");
    close(ready_fd);
}
