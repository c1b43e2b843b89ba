/* SPDX-License-Identifier: MIT */
/* Who has a file open: a look through /proc for the process that a busy image or device is waiting for. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/private.h"

static void process_name(const char *pid, char *buf, size_t size)
{
    char path[64];
    FILE *f;

    buf[0] = '\0';
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    f = fopen(path, "re");
    if (f && fgets(buf, (int)size, f))
        buf[strcspn(buf, "\n")] = '\0';
    if (f)
        fclose(f);
}

static bool same_object(const struct stat *a, const struct stat *b)
{
    if (S_ISBLK(a->st_mode))
        return S_ISBLK(b->st_mode) && a->st_rdev == b->st_rdev;
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool process_holds(const char *pid, const struct stat *wanted)
{
    char dir[64], path[512];
    struct dirent *entry;
    struct stat st;
    bool held = false;
    DIR *d;

    snprintf(dir, sizeof dir, "/proc/%.20s/fd", pid);
    d = opendir(dir);
    if (!d)
        return false;
    while (!held && (entry = readdir(d))) {
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        held = isdigit((unsigned char)entry->d_name[0]) && stat(path, &st) == 0 && same_object(wanted, &st);
    }
    closedir(d);
    return held;
}

bool cli_holder_find(const char *path, char *buf, size_t size)
{
    char name[64];
    struct dirent *entry;
    struct stat wanted;
    bool found = false;
    DIR *d;

    if (stat(path, &wanted) < 0)
        return false;
    d = opendir("/proc");
    if (!d)
        return false;
    while (!found && (entry = readdir(d))) {
        if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == getpid())
            continue;
        found = process_holds(entry->d_name, &wanted);
        if (found) {
            process_name(entry->d_name, name, sizeof name);
            snprintf(buf, size, "process %.20s%s%s%s", entry->d_name, name[0] ? " (" : "", name,
                     name[0] ? ")" : "");
        }
    }
    closedir(d);
    return found;
}
