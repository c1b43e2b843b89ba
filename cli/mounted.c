/* SPDX-License-Identifier: MIT */
/*
 * Whether a disc is mounted: a look through /proc/self/mountinfo for a mount whose source is the device, a
 * loop device over the file, or, for the daemon's mounts, the disc itself by name.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli/cli.h"

struct mount {
    char *dir, *type, *source;
};

/* mountinfo writes blanks and the like as \ooo (proc(5)). */
static void octal_unescape(char *text)
{
    char *to = text;

    for (char *from = text; *from; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
            from[3] >= '0' && from[3] <= '7') {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* "36 35 98:0 /root /dir options [tag...] - type source superoptions" */
static bool mount_parse(char *line, struct mount *mount)
{
    char *word, *rest = NULL;

    word = strtok_r(line, " ", &rest);
    for (int i = 0; i < 4 && word; i++)
        word = strtok_r(NULL, " ", &rest);
    mount->dir = word;
    while (word && strcmp(word, "-") != 0)
        word = strtok_r(NULL, " ", &rest);
    mount->type = strtok_r(NULL, " ", &rest);
    mount->source = strtok_r(NULL, " \n", &rest);
    if (!mount->dir || !mount->type || !mount->source)
        return false;
    octal_unescape(mount->dir);
    octal_unescape(mount->source);
    return true;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The file that a loop device shows, if the device is one. */
static bool loop_shows(dev_t device, const struct stat *file)
{
    char name[96], path[PATH_MAX];
    struct stat st;
    FILE *f;
    bool same = false;

    snprintf(name, sizeof name, "/sys/dev/block/%u:%u/loop/backing_file", major(device), minor(device));
    f = fopen(name, "re");
    if (!f)
        return false;
    if (fgets(path, sizeof path, f)) {
        path[strcspn(path, "\n")] = '\0';
        same = stat(path, &st) == 0 && same_file(&st, file);
    }
    fclose(f);
    return same;
}

/* The block device of the drive that a SCSI generic node (/dev/sg0) also leads to; 0 when there is none. */
static dev_t generic_block_device(dev_t generic)
{
    char dir[64], name[512];
    unsigned major_number = 0, minor_number = 0;
    struct dirent *entry;
    DIR *d;
    FILE *f;

    snprintf(dir, sizeof dir, "/sys/dev/char/%u:%u/device/block", major(generic), minor(generic));
    d = opendir(dir);
    if (!d)
        return 0;
    while ((entry = readdir(d)) && major_number == 0) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s/dev", dir, entry->d_name);
        f = fopen(name, "re");
        if (f && fscanf(f, "%u:%u", &major_number, &minor_number) != 2)
            major_number = 0;
        if (f)
            fclose(f);
    }
    closedir(d);
    return major_number ? makedev(major_number, minor_number) : 0;
}

/* What a mount of the disc can look like. */
struct search {
    struct stat disc;
    dev_t device;     /* block device behind the disc; 0: none */
    struct stat flat; /* file that a loop device could show: the disc itself, or a virtual disc's flat file */
    bool flat_valid;
};

static void search_start(const char *path, struct search *search)
{
    char flat[PATH_MAX];

    search->device = 0;
    search->flat_valid = false;
    if (S_ISBLK(search->disc.st_mode)) {
        search->device = search->disc.st_rdev;
    } else if (S_ISCHR(search->disc.st_mode)) {
        search->device = generic_block_device(search->disc.st_rdev);
    } else if (S_ISREG(search->disc.st_mode)) {
        search->flat = search->disc;
        search->flat_valid = true;
    } else if (S_ISDIR(search->disc.st_mode)) {
        snprintf(flat, sizeof flat, "%s/%s", path, VDRIVE_DATA_NAME);
        search->flat_valid = stat(flat, &search->flat) == 0;
    }
}

static bool mount_matches(const struct search *search, const struct mount *mount)
{
    bool fuse = strncmp(mount->type, "fuse", 4) == 0;
    struct stat source;

    if (mount->source[0] != '/' || stat(mount->source, &source) < 0)
        return false;
    if (S_ISBLK(source.st_mode))
        return (search->device && source.st_rdev == search->device) ||
               (search->flat_valid && loop_shows(source.st_rdev, &search->flat));
    return fuse && same_file(&source, &search->disc);
}

bool cli_disc_mounted(const char *path, char *where, size_t size)
{
    struct search search;
    struct mount mount;
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    FILE *f;

    if (stat(path, &search.disc) < 0)
        return false;
    search_start(path, &search);
    f = fopen("/proc/self/mountinfo", "re");
    if (!f)
        return false;
    while (!found && getline(&line, &room, f) > 0) {
        found = mount_parse(line, &mount) && mount_matches(&search, &mount);
        if (found)
            snprintf(where, size, "%s", mount.dir);
    }
    free(line);
    fclose(f);
    return found;
}
