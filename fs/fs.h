/* SPDX-License-Identifier: MIT */
/*
 * Inside packetfs: what the parts of the FUSE daemon share. One file a concern; the operations are gathered
 * into the table of session.c. Nothing here is locked as a whole: the UDF library and the node table lock for
 * themselves.
 */
#ifndef FS_FS_H
#define FS_FS_H

#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "udf/udf.h"
#include "udf/units.h"

/* As mount(8) counts them, because mount(8) hands them on. */
enum fs_exit {
    FS_EXIT_MOUNTED = 0,
    FS_EXIT_USAGE = 1,       /* wrong options, or not permitted */
    FS_EXIT_SYSTEM = 2,      /* no memory, no process; with -f also: the disc could not be completed */
    FS_EXIT_INTERNAL = 4,    /* the program itself failed */
    FS_EXIT_INTERRUPTED = 8, /* by a signal, before it was mounted */
    FS_EXIT_FAILED = 32,     /* not mounted */
};

/* ---- options.c ---- */

struct fs_options {
    const char *disc, *dir; /* as given; no disc with unmount */
    bool read_only, noatime, allow_other, sync, realtime;
    bool foreground, debug, quiet;
    bool fake;        /* mount -f: only look at the options */
    bool unmount;     /* packetfs -u, umount.fuse.packetfs */
    bool lazy, force; /* of unmount: umount -l, umount -f */
    bool uid_set, gid_set;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    size_t cache_bytes;
    char kernel[512]; /* words for the mount itself, each with a comma before it */
};

/* Reads the command line. Returns -1 to go on, or an exit status (after --help, --version or a message). */
int fs_options_parse(int argc, char **argv, struct fs_options *options);

/* ---- the running file system ---- */

struct fs_nodes;
struct fs_writeback;

struct fs {
    struct fs_options options;
    char disc_path[PATH_MAX], dir_path[PATH_MAX]; /* absolute */
    struct cli_disc disc;
    struct udf_volume *vol;
    struct udf_inode *root;
    bool read_only;
    bool writeback_cache;
    bool block_mounted; /* by fs_mount_block: not libfuse's to unmount */
    uid_t uid;          /* shown where the disc names no owner */
    gid_t gid;
    struct fs_nodes *nodes;
    struct fs_writeback *writeback;
    struct fuse_session *session;
    pthread_t main_thread;
    atomic_int stage;   /* enum fs_stage */
    atomic_bool failed; /* the volume failed at run time; said once */
    bool finished;
    int finish_error; /* -errno of finishing the disc */
};

/* What a signal means depends on how far things are. */
enum fs_stage {
    FS_STAGE_OPENING,
    FS_STAGE_MOUNTED,
    FS_STAGE_ENDED,
};

/* volume.c: opens disc and volume; messages printed. Returns 0 or an exit status. */
int fs_volume_open(struct fs *fs);
/* Commits, closes volume and disc. The second call does nothing. Returns 0 or -errno (message printed). */
int fs_volume_finish(struct fs *fs);

/* mount.c: the session with its mount on fs->dir_path. Returns 0 or an exit status (message printed). */
int fs_mount(struct fs *fs);
/* mount_block.c: a mount that umount(2) waits for; needs root and a loop
 * device. -errno where there is none. */
int fs_mount_block(struct fs *fs);
/* Takes the mount away, even when it is in use. Returns 0 or -errno. */
int fs_unmount_lazily(const char *dir);

/* session.c: answers the kernel until the mount is gone, then finishes the disc. Returns an exit status. */
extern const struct fuse_lowlevel_ops fs_ops;
int fs_session_run(struct fs *fs);

/* daemon.c: the way into the background. fs_daemon_fork returns in a child that has all the work before it;
 * its parent waits there, and ends with the status that fs_daemon_ready or the child's exit gives. */
int fs_daemon_fork(int *ready_fd);
void fs_daemon_ready(int ready_fd);

/* signals.c: SIGINT, SIGTERM and SIGHUP. Before the mount stands they end the process; then they unmount. */
int fs_signals_start(struct fs *fs);

/* unmount.c: packetfs -u: unmounts options->dir and waits until its daemon has
 * ended. Returns an exit status. */
int fs_unmount(const struct fs_options *options);
/* The question that it asks any directory of the mount: the process id of the daemon. */
#define FS_IOC_DAEMON _IOR('P', 0x70, int32_t)

/* ---- nodes.c: which inodes the kernel holds ---- A node id is the address of a node, which holds one
 * reference to its inode and counts the kernel's lookups. */

int fs_nodes_open(struct fs *fs);
/* Puts every inode. Later calls of fs_nodes_forget are harmless. */
void fs_nodes_release(struct fs *fs);
/* Frees the table; after the last request. */
void fs_nodes_close(struct fs *fs);
/* Counts one lookup of inode, and takes over the caller's reference to it. 0: no
 * memory (the reference is put). */
fuse_ino_t fs_nodes_enter(struct fs *fs, struct udf_inode *inode);
void fs_nodes_forget(struct fs *fs, fuse_ino_t node, uint64_t lookups);
/* The inode of a node that the kernel holds; no new reference. */
struct udf_inode *fs_nodes_inode(struct fs *fs, fuse_ino_t node);

/* ---- writeback.c: the thread that commits ---- */

int fs_writeback_start(struct fs *fs);
void fs_writeback_stop(struct fs *fs);
/* Something changed just now. */
void fs_writeback_changed(struct fs *fs);

/* ---- what the operations share (attr.c) ---- */

#define FS_TIMEOUT_FOREVER (365.0 * 24 * 3600) /* only the kernel changes this volume, through us */

static inline struct fs *fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static inline struct udf_inode *fs_inode_of(fuse_req_t req, fuse_ino_t node)
{
    return fs_nodes_inode(fs_of(req), node);
}

void fs_attr_get(struct fs *fs, struct udf_inode *inode, struct stat *st);

/* Ends an operation that changes something: keeps the commit thread informed, commits at once with -o sync,
 * and tells of a volume that failed. Returns err, or the error of the commit. */
int fs_change_end(struct fs *fs, int err);

/* Ends an operation that makes something durable; like fs_change_end when err is an error. */
int fs_sync_end(struct fs *fs, int err);

/* Fills *entry for inode, whose reference it takes over; counts a lookup. 0 or -ENOMEM. */
int fs_entry_fill(struct fs *fs, struct udf_inode *inode, struct fuse_entry_param *entry);
/* Replies with inode (reference taken over), or with err. */
void fs_entry_reply(fuse_req_t req, int err, struct udf_inode *inode);

/* ---- the operations; the table in session.c says which is which ---- */

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_forget(fuse_req_t req, fuse_ino_t node, uint64_t lookups);
void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void fs_readlink(fuse_req_t req, fuse_ino_t node);
void fs_statfs(fuse_req_t req, fuse_ino_t node);

void fs_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi);
void fs_setattr(fuse_req_t req, fuse_ino_t node, struct stat *attr, int to_set, struct fuse_file_info *fi);
void fs_ioctl(fuse_req_t req, fuse_ino_t node, unsigned command, void *arg, struct fuse_file_info *fi,
              unsigned flags, const void *in, size_t in_len, size_t out_room);

void fs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void fs_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void fs_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t parent, const char *name);
void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi);
void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_rename(fuse_req_t req, fuse_ino_t from, const char *from_name, fuse_ino_t to, const char *to_name,
               unsigned flags);

void fs_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi);
void fs_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *fi);
void fs_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *fi);
void fs_fsyncdir(fuse_req_t req, fuse_ino_t node, int datasync, struct fuse_file_info *fi);

void fs_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi);
void fs_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t offset, struct fuse_file_info *fi);
void fs_write(fuse_req_t req, fuse_ino_t node, const char *buf, size_t size, off_t offset,
              struct fuse_file_info *fi);
void fs_fsync(fuse_req_t req, fuse_ino_t node, int datasync, struct fuse_file_info *fi);
void fs_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t offset, off_t length,
                  struct fuse_file_info *fi);
void fs_lseek(fuse_req_t req, fuse_ino_t node, off_t offset, int whence, struct fuse_file_info *fi);

#endif
