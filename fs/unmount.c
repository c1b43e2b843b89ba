/* SPDX-License-Identifier: MIT */
/*
 * Unmounting that ends when the disc is complete. The kernel lets umount(2) return while a FUSE daemon still
 * works, so this asks the daemon for its process id, unmounts, and waits for that process to end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/fs.h"

/*
 * Valid replies:
 *   fuse_reply_ioctl
 *   fuse_reply_err
 */
void fs_ioctl(fuse_req_t req, fuse_ino_t node, unsigned command, void *arg, struct fuse_file_info *fi,
              unsigned flags, const void *in, size_t in_len, size_t out_room)
{
    int32_t pid = (int32_t)getpid();

    (void)node;
    (void)arg;
    (void)fi;
    (void)flags;
    (void)in;
    (void)in_len;
    if (command == FS_IOC_DAEMON && out_room >= sizeof(pid))
        fuse_reply_ioctl(req, 0, &pid, sizeof(pid));
    else
        fuse_reply_err(req, ENOTTY);
}

#define DAEMON_UNKNOWN 0
#define DAEMON_ENDED   (-1)

static int32_t daemon_none(void)
{
    return errno == ENOTCONN || errno == ECONNABORTED ? DAEMON_ENDED : DAEMON_UNKNOWN;
}

/* The process id of the daemon, or one of the above. */
static int32_t daemon_ask(const char *dir)
{
    int32_t pid;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return daemon_none();
    if (ioctl(fd, FS_IOC_DAEMON, &pid) < 0)
        pid = daemon_none();
    close(fd);
    return pid;
}

/* The user whose mount it is: even root is kept out of it, unless it is mounted with allow_other. */
static bool mount_owner(const char *dir, uid_t *uid, gid_t *gid)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char *line = NULL, *at, where[PATH_MAX];
    size_t room = 0;
    bool found = false;

    while (mounts && getline(&line, &room, mounts) > 0) {
        if (sscanf(line, "%*s %*s %*s %*s %4095s", where) != 1 || strcmp(where, dir) ||
            !strstr(line, " - fuse"))
            continue;
        found = false;
        at = strstr(line, "user_id=");
        if (at && sscanf(at, "user_id=%u,group_id=%u", uid, gid) == 2)
            found = true;
    }
    free(line);
    if (mounts)
        fclose(mounts);
    return found;
}

/* Asks in the name of the mount's user. */
static int32_t daemon_ask_as(const char *dir, uid_t uid, gid_t gid)
{
    int32_t answer = 0;
    int pipe_fds[2];
    pid_t child;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return 0;
    child = fork();
    if (child == 0) {
        if (setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0)
            answer = daemon_ask(dir);
        _exit(write(pipe_fds[1], &answer, sizeof(answer)) != sizeof(answer));
    }
    close(pipe_fds[1]);
    if (child > 0 && read(pipe_fds[0], &answer, sizeof(answer)) != sizeof(answer))
        answer = 0;
    close(pipe_fds[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return answer;
}

static int32_t daemon_find(const char *dir)
{
    int32_t pid = daemon_ask(dir);
    uid_t uid;
    gid_t gid;

    if (pid == DAEMON_UNKNOWN && geteuid() == 0 && mount_owner(dir, &uid, &gid))
        pid = daemon_ask_as(dir, uid, gid);
    return pid;
}

/* A descriptor that becomes readable when the process ends, or -1. A daemon in another process namespace has
 * an id that means some other process here, hence the look at its name. */
static int daemon_watch(int32_t pid)
{
    char path[32], name[32] = "";
    int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    FILE *f;

    if (fd < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    f = fopen(path, "re");
    if (f && !fgets(name, sizeof(name), f))
        name[0] = 0;
    if (f)
        fclose(f);
    if (strstr(name, "packetfs"))
        return fd;
    close(fd);
    return -1;
}

/* Returns 0 or an exit status, message printed. */
static int unmount(const struct fs_options *options, const char *dir)
{
    int flags = UMOUNT_NOFOLLOW | (options->lazy ? MNT_DETACH : 0) | (options->force ? MNT_FORCE : 0);
    pid_t pid;
    int status = 0;

    if (geteuid() == 0) {
        if (umount2(dir, flags) == 0)
            return 0;
        cli_error("%s: cannot be unmounted: %s", dir,
                  errno == EBUSY    ? "it is in use"
                  : errno == EINVAL ? "nothing is mounted there"
                                    : strerror(errno));
        return FS_EXIT_FAILED;
    }
    pid = fork();
    if (pid == 0) {
        execlp("fusermount3", "fusermount3", options->lazy ? "-uz" : "-u", "--", dir, (char *)NULL);
        cli_error("fusermount3 cannot be run: %s", strerror(errno));
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return FS_EXIT_SYSTEM;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : FS_EXIT_FAILED;
}

int fs_unmount(const struct fs_options *options)
{
    char dir[PATH_MAX];
    struct pollfd daemon = {.events = POLLIN};
    int32_t pid;
    int status;

    if (!realpath(options->dir, dir)) {
        cli_error("%s: %s", options->dir, strerror(errno));
        return FS_EXIT_FAILED;
    }
    pid = daemon_find(dir);
    daemon.fd = daemon_watch(pid);
    status = unmount(options, dir);
    if (status == 0 && !options->lazy) {
        if (pid == DAEMON_ENDED)
            cli_warning("%s: its daemon had ended before; the next mount brings the volume in order", dir);
        else if (daemon.fd < 0)
            cli_warning("%s: unmounted; the disc is complete a little later", dir);
        while (daemon.fd >= 0 && poll(&daemon, 1, -1) < 0 && errno == EINTR)
            ;
    }
    if (daemon.fd >= 0)
        close(daemon.fd);
    return status;
}
