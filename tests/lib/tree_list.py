#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lists a tree so that two of them can be compared with diff: a line a file, sorted by path.

    tree_list.py [--contents] DIR

Each line holds the path, type, permissions, owner, group, size, modification time in microseconds, link count (files),
the first path of the same inode, the target of a symbolic link, the device number, and the SHA-256 of the contents.
--contents leaves out all but path, type, size, target and SHA-256, for readers that know no more."""
import hashlib
import os
import stat
import sys

TYPES = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo",
         stat.S_IFSOCK: "socket", stat.S_IFCHR: "char", stat.S_IFBLK: "block"}


def digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while chunk := f.read(1 << 20):
            h.update(chunk)
    return h.hexdigest()


def paths(top):
    yield b"."
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            yield os.path.relpath(os.path.join(folder, name), top)


def line(top, path, first, contents_only):
    full = os.path.join(top, path)
    st = os.lstat(full)
    kind = TYPES[stat.S_IFMT(st.st_mode)]
    size = st.st_size if kind in ("file", "link") else 0
    target = os.fsdecode(os.readlink(full)) if kind == "link" else "-"
    sha = digest(full) if kind == "file" else "-"
    if contents_only:
        return [kind, str(size), target, sha]
    same = first.setdefault(st.st_ino, path)
    return [kind, oct(stat.S_IMODE(st.st_mode)), str(st.st_uid), str(st.st_gid), str(size), str(st.st_mtime_ns // 1000),
            str(st.st_nlink) if kind != "dir" else "-", os.fsdecode(same), target,
            f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}" if kind in ("char", "block") else "-", sha]


def main():
    contents_only = sys.argv[1:2] == ["--contents"]
    top = os.fsencode(sys.argv[-1])
    first = {}
    out = sys.stdout.buffer
    for path in sorted(paths(top)):
        fields = [os.fsdecode(path)] + line(top, path, first, contents_only)
        out.write(os.fsencode("\t".join(f.replace("\n", "\\n") for f in fields)) + b"\n")


main()
