/* SPDX-License-Identifier: MIT */
/* The disc folder: made, found, locked, opened, checked and closed. What lies in its files is read in
 * media_store.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/media.h"
#include "mmc/vdrive/media_store.h"

#define MAGIC     "packetfs virtual disc 1\n"
#define LOCK_NAME "lock"

/* Start of the lead-in and last start of the lead-out, as an ATIP has them. */
static const uint8_t atip_leadin_msf[3] = {97, 26, 65};

static mmc_lba_t media_leadout(unsigned minutes)
{
    const uint8_t msf[3] = {(uint8_t)(minutes - 1), 59, 74};

    return vdrive_msf_lba(msf);
}

/* A link, four run-in, 32 user and two run-out blocks a packet, and a pregap and two blocks that are none of
 * it. */
static uint32_t media_packets_fit(mmc_lba_t leadout)
{
    return (uint32_t)(leadout.n + VDRIVE_PREGAP - 152 + 7) / (MMC_PACKET_BLOCKS + VDRIVE_LINK_BLOCKS);
}

static bool spec_valid(const struct vdrive_disc_spec *spec)
{
    return (spec->medium == VDRIVE_CD_RW || spec->medium == VDRIVE_CD_R || spec->medium == VDRIVE_CD_ROM) &&
           (spec->minutes == 74 || spec->minutes == 80) &&
           (spec->speed == 4 || spec->speed == 10 || spec->speed == 24);
}

static int folder_is_empty(int dir)
{
    int copy = dup(dir), count = 0;
    struct dirent *entry;
    DIR *d;

    if (copy < 0)
        return -errno;
    d = fdopendir(copy);
    if (!d) {
        close(copy);
        return -ENOTDIR;
    }
    while (count < 3 && (entry = readdir(d)))
        count++;
    closedir(d);
    return count <= 2;
}

static int spec_write(int dir, const struct vdrive_disc_spec *spec)
{
    static const char *const names[] = {
        [VDRIVE_CD_RW] = "cd-rw", [VDRIVE_CD_R] = "cd-r", [VDRIVE_CD_ROM] = "cd-rom"};
    char text[128];
    int len = snprintf(text, sizeof(text), MAGIC "medium %s\nminutes %u\nspeed %u\n", names[spec->medium],
                       spec->minutes, spec->speed);
    int fd = openat(dir, VDRIVE_DISC_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), err = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, (size_t)len) != len)
        err = -EIO;
    if (close(fd) != 0 && !err)
        err = -errno;
    return err;
}

int vdrive_disc_create(const char *folder, const struct vdrive_disc_spec *spec)
{
    int dir, fd, err;

    if (!spec_valid(spec) || spec->medium == VDRIVE_CD_ROM)
        return -EINVAL;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return -errno;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOTDIR ? -EEXIST : -errno;
    err = folder_is_empty(dir);
    err = err < 0 ? err : err ? 0 : -EEXIST;
    if (!err) {
        fd = openat(dir, VDRIVE_DATA_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        err = fd < 0 ? -errno : 0;
        if (fd >= 0)
            close(fd);
    }
    if (!err)
        err = spec_write(dir, spec);
    close(dir);
    return err;
}

/* Reads the disc file: what the manufacturer pressed into the groove. */
static int spec_read(int dir, struct vdrive_disc_spec *spec)
{
    char text[256] = "", medium[8], rest;
    int fd = openat(dir, VDRIVE_DISC_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t len;

    if (fd < 0)
        return errno == ENOENT ? -EMEDIUMTYPE : -errno;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len < (ssize_t)strlen(MAGIC) || strncmp(text, MAGIC, strlen(MAGIC)) != 0)
        return -EMEDIUMTYPE;
    if (sscanf(text + strlen(MAGIC), "medium %7s minutes %3u speed %3u %c", medium, &spec->minutes,
               &spec->speed, &rest) != 3)
        return -EMEDIUMTYPE;
    if (strcmp(medium, "cd-rw") == 0)
        spec->medium = VDRIVE_CD_RW;
    else if (strcmp(medium, "cd-r") == 0)
        spec->medium = VDRIVE_CD_R;
    else if (strcmp(medium, "cd-rom") == 0)
        spec->medium = VDRIVE_CD_ROM;
    else
        return -EMEDIUMTYPE;
    return spec_valid(spec) ? 0 : -EMEDIUMTYPE;
}

bool vdrive_disc_is(const char *path)
{
    struct vdrive_disc_spec spec;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is;

    if (dir < 0)
        return false;
    is = spec_read(dir, &spec) == 0;
    close(dir);
    return is;
}

static int lock_holder(int fd)
{
    char text[16] = "";

    return pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
}

/* One opener at a time. A folder that cannot be written may lack the lock file: then nobody can write the
 * disc. */
static int media_lock(struct vdrive_media *media, int *holder)
{
    media->lock = openat(media->dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (media->lock < 0 && (errno == EACCES || errno == EROFS || errno == EPERM))
        media->lock = openat(media->dir, LOCK_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (media->lock < 0)
        return media->writable ? -errno : 0;
    if (flock(media->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return -errno;
        if (holder)
            *holder = lock_holder(media->lock);
        return -EBUSY;
    }
    vdrive_media_claim(media);
    return 0;
}

void vdrive_media_claim(struct vdrive_media *media)
{
    int pid = (int)getpid(), len;
    char text[16];

    if (media->owner == pid || media->lock < 0)
        return;
    media->owner = pid;
    len = snprintf(text, sizeof(text), "%d\n", pid);
    /* The id is a courtesy to others: the lock holds without it, so that a failure to write it changes
     * nothing. */
    if (ftruncate(media->lock, 0) != 0 || pwrite(media->lock, text, (size_t)len, 0) != len)
        return;
}

/* A data file for both directions; a missing one is empty, and made when the disc can be written. */
static int media_file(struct vdrive_media *media, const char *name, int *fd)
{
    struct stat st;

    *fd = -1;
    if (media->writable) {
        *fd = openat(media->dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
        if (*fd < 0 && errno != EACCES && errno != EROFS && errno != EPERM)
            return errno == EISDIR || errno == ENXIO ? -EMEDIUMTYPE : -errno;
        media->writable = *fd >= 0;
    }
    if (*fd < 0)
        *fd = openat(media->dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(*fd, &st) != 0)
        return -errno;
    return S_ISREG(st.st_mode) ? 0 : -EMEDIUMTYPE;
}

static int media_files(struct vdrive_media *media)
{
    const struct {
        const char *name;
        int *fd;
    } files[] = {
        {VDRIVE_DATA_NAME, &media->data},
        {"main.img", &media->main},
        {"sub.img", &media->sub},
        {"sectors", &media->sectors},
        {"packets", &media->packet_file},
        {"pma", &media->pma},
        {"tdb", &media->tdb},
        {"leadin", &media->leadin},
        {"cdtext", &media->text},
    };
    int err = 0;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++)
        err = media_file(media, files[i].name, files[i].fd);
    return err;
}

int vdrive_media_open(struct vdrive_media *media, const char *folder, bool read_only, int *holder)
{
    int err;

    *media = (struct vdrive_media){.lock = -1,
                                   .data = -1,
                                   .main = -1,
                                   .sub = -1,
                                   .sectors = -1,
                                   .packet_file = -1,
                                   .pma = -1,
                                   .tdb = -1,
                                   .leadin = -1,
                                   .text = -1,
                                   .writable = !read_only};
    media->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (media->dir < 0)
        return errno == ENOTDIR ? -EMEDIUMTYPE : -errno;
    err = spec_read(media->dir, &media->spec);
    if (!err && media->writable && faccessat(media->dir, ".", W_OK, AT_EACCESS) != 0)
        media->writable = false;
    if (!err)
        err = media_lock(media, holder);
    if (!err)
        err = media_files(media);
    if (!err) {
        media->atip_leadin = vdrive_msf_lba(atip_leadin_msf);
        media->atip_leadout = media_leadout(media->spec.minutes);
        media->packet_count = media_packets_fit(media->atip_leadout);
        err = vdrive_media_load(media);
    }
    if (err)
        vdrive_media_close(media);
    return err;
}

int vdrive_media_press(struct vdrive_media *media)
{
    struct vdrive_disc_spec spec = media->spec;
    int err = vdrive_media_erase_pma(media);

    spec.medium = VDRIVE_CD_ROM;
    if (!err && unlinkat(media->dir, VDRIVE_DISC_NAME, 0) != 0)
        err = -errno;
    return err ? err : spec_write(media->dir, &spec);
}

void vdrive_media_close(struct vdrive_media *media)
{
    const int fds[] = {media->data,        media->main, media->sub, media->sectors,
                       media->packet_file, media->pma,  media->tdb, media->leadin,
                       media->text,        media->lock, media->dir};

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    free(media->packets);
    media->packets = NULL;
}
