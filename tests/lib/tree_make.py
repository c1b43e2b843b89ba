#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a tree of real files out of what the system has, and of the odd things that real trees hold.

    tree_make.py DIR [FILES [MIB]]

Copies at least FILES files (default 10000) of at least MIB MiB together (default 200) from /usr, with their modes and
times, then adds hard links, symbolic links, devices, pipes, sockets, sparse and empty files, long and foreign names,
unusual modes and owners."""
import os
import shutil
import socket
import stat
import sys

SOURCES = ["/usr/include", "/usr/share", "/usr/lib", "/usr/bin", "/usr/sbin"]
LARGEST = 16 << 20


def candidates():
    for source in SOURCES:
        for folder, folders, files in os.walk(source):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(folder, name)
                st = os.lstat(path)
                if stat.S_ISLNK(st.st_mode) or (stat.S_ISREG(st.st_mode) and st.st_size <= LARGEST):
                    yield path, st


def copy_real(top, files, size):
    """Takes every candidate until there are enough files, then only large ones until there is enough to hold."""
    count = total = 0
    for path, st in candidates():
        if count >= files and total >= size:
            break
        enough = count >= files
        if enough and st.st_size < 1 << 16:
            continue
        to = os.path.join(top, path.lstrip("/"))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy2(path, to, follow_symlinks=False)
        count += stat.S_ISREG(st.st_mode)
        total += st.st_size if stat.S_ISREG(st.st_mode) else 0
    if count < files or total < size:
        sys.exit(f"tree_make.py: this system has only {count} files of {total} bytes to offer")
    return count, total


def add_odd(top):
    odd = os.path.join(top, "odd")
    os.makedirs(os.path.join(odd, "a", "b", "c"))
    at = lambda *p: os.path.join(odd, *p)

    def write(path, data, mode=0o644):
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)

    write(at("empty"), b"")
    for size in (1, 1831, 1832, 1833, 2047, 2048, 2049, 65535, 65536, 65537, 1 << 20):
        write(at(f"size-{size}"), bytes(i * 7 & 255 for i in range(size % 65521)).ljust(size, b"x"))
    write(at("setuid"), b"#!/bin/sh\n", 0o4755)
    write(at("setgid"), b"#!/bin/sh\n", 0o2755)
    write(at("nothing"), b"no permissions\n", 0o000)
    write(at("owned"), b"somebody's\n", 0o640)
    os.chown(at("owned"), 1234, 4321)
    os.mkdir(at("sticky"))
    os.chmod(at("sticky"), 0o1777)
    for n in range(5):
        os.link(at("size-2049"), at("a", f"hard-{n}"))
    os.symlink("../empty", at("a", "relative"))
    os.symlink("/nowhere/at all", at("a", "dangling"))
    os.symlink("x" * 200 + "/" + "y" * 200, at("a", "long-target"))
    os.symlink(".", at("a", "dot"))
    os.mkfifo(at("pipe"), 0o600)
    os.mknod(at("char"), 0o620 | stat.S_IFCHR, os.makedev(5, 1))
    os.mknod(at("block"), 0o660 | stat.S_IFBLK, os.makedev(259, 70000))
    s = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(odd)
    s.bind("socket")
    os.chdir(here)
    s.close()
    with open(at("sparse"), "wb") as f:
        f.write(b"start")
        f.seek(10_000_000)
        f.write(b"end")
    for name in ("Ünïcödé", "日本語のファイル名", "emoji 😀 file", "a" * 254, "名" * 84, " leading", "trailing ", "tab\there",
                 "back\\slash", "quote\"'", "...", "CON", "colon:star*"):
        write(at(name), name.encode())
    deep = odd
    for n in range(40):
        deep = os.path.join(deep, f"level{n}")
        os.mkdir(deep)
    write(os.path.join(deep, "bottom"), b"deep down\n")
    os.utime(at("empty"), ns=(981173106_123456000, 981173106_123456000))
    os.utime(at("size-1"), ns=(-86400_000000000, -86400_000000000))


def main():
    top = sys.argv[1]
    files = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    size = (int(sys.argv[3]) if len(sys.argv) > 3 else 200) << 20
    os.makedirs(top)
    count, total = copy_real(top, files, size)
    add_odd(top)
    print(f"{count} real files, {total >> 20} MiB")


main()
