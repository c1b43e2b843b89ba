/* SPDX-License-Identifier: MIT */
/* Finds the process that has a device or file open by looking through /proc, and
 * mounts of it in the mount table. */
#include "mmc/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

void mmc_holder_name(pid_t pid, char *buf, size_t size)
{
    char path[64], name[64] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    f = fopen(path, "re");
    if (f) {
        if (fgets(name, sizeof(name), f))
            name[strcspn(name, "\n")] = '\0';
        fclose(f);
    }
    /* A process may call itself what it likes; only plain characters go into a message. */
    for (char *p = name; *p; p++)
        if (!isprint((unsigned char)*p))
            *p = '?';
    if (name[0])
        snprintf(buf, size, "process %ld (%s)", (long)pid, name);
    else
        snprintf(buf, size, "process %ld", (long)pid);
}

static bool is_device(const struct stat *st)
{
    return S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode);
}

/* Two nodes of one device are one object, as are two names of one file. */
static bool same_object(const struct stat *a, const struct stat *b)
{
    if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
        return false;
    return is_device(a) ? a->st_rdev == b->st_rdev : a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool process_has(pid_t pid, const struct stat *object)
{
    char path[64];
    bool found = false;
    struct dirent *e;
    struct stat st;
    DIR *fds;

    snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
    fds = opendir(path);
    if (!fds)
        return false;
    while (!found && (e = readdir(fds)))
        found = fstatat(dirfd(fds), e->d_name, &st, 0) == 0 && same_object(&st, object);
    closedir(fds);
    return found;
}

static int process_find(const struct stat *object, char *buf, size_t size)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    int result = -ENOENT;

    if (!proc)
        return -ENOENT;
    while (result && (e = readdir(proc))) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

        if (pid <= 0 || pid == getpid() || !process_has(pid, object))
            continue;
        mmc_holder_name(pid, buf, size);
        result = 0;
    }
    closedir(proc);
    return result;
}

/* The third field of a line is the device's number, the fifth the folder (proc(5)). */
static int mount_find(dev_t rdev, char *buf, size_t size)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    unsigned major_n, minor_n;
    char *line = NULL, place[256];
    size_t room = 0;
    int result = -ENOENT;

    if (!f)
        return -ENOENT;
    while (result && getline(&line, &room, f) > 0) {
        if (sscanf(line, "%*u %*u %u:%u %*s %255s", &major_n, &minor_n, place) != 3)
            continue;
        if (makedev(major_n, minor_n) != rdev)
            continue;
        snprintf(buf, size, "the mount at %s", place);
        result = 0;
    }
    free(line);
    fclose(f);
    return result;
}

int mmc_holder_find(const char *path, char *buf, size_t size)
{
    struct stat object;

    if (size == 0)
        return -ENOENT;
    buf[0] = '\0';
    if (stat(path, &object))
        return -errno;
    if (process_find(&object, buf, size) == 0)
        return 0;
    return S_ISBLK(object.st_mode) ? mount_find(object.st_rdev, buf, size) : -ENOENT;
}
