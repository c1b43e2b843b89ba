/* SPDX-License-Identifier: MIT */
/*
 * A mount whose umount(2) waits until the disc is complete. The kernel waits for a daemon's answer to DESTROY
 * only when the mount is of type fuseblk, which root alone may make and which wants a block device. Which one
 * does not matter: it is a loop device over a page of memory, released with the mount.
 *
 * Such a mount shows the path of that device as its source, and looks the path up as it is given. To have it
 * show the disc, the lookup happens in a thread whose root is a file system of its own, in which the disc's
 * path leads to the loop device. Nobody else sees that file system, and it is gone with the thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/fs.h"

#define LOOP_ATTEMPTS 8 /* another process may take the free device first */

static int loop_configure(int loop, int memory)
{
    struct loop_config config = {
        .fd = (uint32_t)memory,
        .info = {.lo_flags = LO_FLAGS_AUTOCLEAR},
    };

    return ioctl(loop, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
}

/* Returns a descriptor of a new loop device; it vanishes when the last user of it is gone. */
static int loop_open_free(int control, int memory)
{
    int err = -EBUSY;

    for (int i = 0; i < LOOP_ATTEMPTS && err == -EBUSY; i++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE), loop;
        char path[32];

        if (number < 0)
            return -errno;
        snprintf(path, sizeof(path), "/dev/loop%d", number);
        loop = open(path, O_RDWR | O_CLOEXEC);
        if (loop < 0)
            return -errno;
        err = loop_configure(loop, memory);
        if (!err)
            return loop;
        close(loop);
    }
    return err;
}

static int loop_open(void)
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int memory = memfd_create("packetfs", MFD_CLOEXEC);
    int loop = -ENODEV;

    if (control >= 0 && memory >= 0 && ftruncate(memory, sysconf(_SC_PAGESIZE)) == 0)
        loop = loop_open_free(control, memory);
    if (control >= 0)
        close(control);
    if (memory >= 0)
        close(memory);
    return loop;
}

/* An empty file system that is mounted nowhere. */
static int memory_fs_open(void)
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC), fd = -1;

    if (context >= 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    if (context >= 0)
        close(context);
    return fd;
}

struct request {
    const char *source; /* absolute path */
    int root, dir;      /* the file system of our own; where to mount */
    dev_t device;
    unsigned long flags;
    const char *words;
    int err;
};

static int source_make(const char *path, dev_t device)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mknod(path, S_IFBLK | 0600, device) < 0 ? -errno : 0;
}

static void *request_run(void *arg)
{
    struct request *request = arg;

    if (unshare(CLONE_FS) < 0 || fchdir(request->root) < 0 || chroot(".") < 0) {
        request->err = -errno;
        return NULL;
    }
    request->err = source_make(request->source, request->device);
    if (!request->err && (fchdir(request->dir) < 0 || mount(request->source, ".", "fuseblk.packetfs",
                                                            request->flags, request->words) < 0))
        request->err = -errno;
    return NULL;
}

static int request_mount(struct request *request, const char *dir)
{
    pthread_t thread;
    int err;

    request->root = memory_fs_open();
    request->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    err =
        request->root < 0 || request->dir < 0 ? -errno : -pthread_create(&thread, NULL, request_run, request);
    if (!err) {
        pthread_join(thread, NULL);
        err = request->err;
    }
    if (request->root >= 0)
        close(request->root);
    if (request->dir >= 0)
        close(request->dir);
    return err;
}

/* Sorts the words into what mount(2) takes as flags and what it takes as text. */
static void words_sort(const struct fs *fs, unsigned long *flags, char *text, size_t size)
{
    static const struct {
        const char *name;
        unsigned long set, clear;
    } known[] = {
        {"suid", 0, MS_NOSUID},
        {"nosuid", MS_NOSUID, 0},
        {"dev", 0, MS_NODEV},
        {"nodev", MS_NODEV, 0},
        {"exec", 0, MS_NOEXEC},
        {"noexec", MS_NOEXEC, 0},
        {"dirsync", MS_DIRSYNC, 0},
        {"noatime", MS_NOATIME, 0},
        {"nodiratime", MS_NODIRATIME, 0},
        {"norelatime", 0, MS_RELATIME},
        {"nostrictatime", 0, MS_STRICTATIME},
    };
    char words[sizeof(fs->options.kernel)], *rest = words;

    memcpy(words, fs->options.kernel, sizeof(words));
    *flags = MS_NOSUID | MS_NODEV | (fs->read_only ? MS_RDONLY : 0);
    for (char *word = strsep(&rest, ","); word; word = strsep(&rest, ",")) {
        size_t i = 0, used = strlen(text);

        while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i].name, word))
            i++;
        if (i < sizeof(known) / sizeof(known[0]))
            *flags = (*flags | known[i].set) & ~known[i].clear;
        else if (*word)
            snprintf(text + used, size - used, ",%s", word);
    }
}

/* Returns the connection, -errno when there is no such mount to be had here. */
static int block_mount(struct fs *fs)
{
    struct request request = {.source = fs->disc_path};
    char words[1024];
    struct stat st;
    int loop, fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC), err;

    if (fuse < 0)
        return -errno;
    loop = loop_open();
    err = loop < 0 ? loop : fstat(loop, &st) < 0 ? -errno : 0;
    if (!err) {
        snprintf(words, sizeof(words), "fd=%d,rootmode=40000,user_id=%u,group_id=%u,default_permissions%s",
                 fuse, (unsigned)fs->uid, (unsigned)fs->gid, fs->options.allow_other ? ",allow_other" : "");
        words_sort(fs, &request.flags, words, sizeof(words));
        request.words = words;
        request.device = st.st_rdev;
        err = request_mount(&request, fs->dir_path);
    }
    if (loop >= 0)
        close(loop); /* the mount holds it now */
    if (err)
        close(fuse);
    return err ? err : fuse;
}

static int sync_reply(int fd, uint64_t unique, int err)
{
    const struct fuse_out_header reply = {.len = sizeof(reply), .error = err, .unique = unique};

    return write(fd, &reply, sizeof(reply)) == (ssize_t)sizeof(reply) ? 0 : -errno;
}

/* Since Linux 6.18 the kernel passes on syncfs(2) and sync(2) to a fuseblk mount.
 * libfuse 3.14 would refuse that. */
static ssize_t connection_read(int fd, void *buf, size_t len, void *userdata)
{
    struct fs *fs = userdata;
    struct fuse_in_header head;
    ssize_t n;
    int state;

    for (;;) {
        n = read(fd, buf, len);
        if (n < (ssize_t)sizeof(head))
            return n;
        memcpy(&head, buf, sizeof(head));
        if (head.opcode != FUSE_SYNCFS)
            return n;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state); /* libfuse cancels threads that read */
        sync_reply(fd, head.unique, fs_sync_end(fs, udf_volume_sync(fs->vol)));
        pthread_setcancelstate(state, NULL);
    }
}

static ssize_t connection_write(int fd, struct iovec *iov, int count, void *userdata)
{
    (void)userdata;
    return writev(fd, iov, count);
}

int fs_mount_block(struct fs *fs)
{
    static const struct fuse_custom_io io = {.read = connection_read, .writev = connection_write};
    int fd, err;

    if (geteuid() != 0)
        return -EPERM;
    fd = block_mount(fs);
    if (fd < 0)
        return fd;
    err = fuse_session_custom_io(fs->session, &io, fd);
    if (err) {
        fs_unmount_lazily(fs->dir_path);
        close(fd);
    }
    return err;
}
