#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What POSIX asks of a file system, as a matrix of operations over every type of file, on the mounted folder given.
Run as root on a mount with allow_other: who may do what is tried as two other users."""
import ctypes
import errno
import os
import socket
import stat
import sys
import time

ROOT = sys.argv[1]
ALICE, BOB = 65001, 65002
TYPES = ["file", "dir", "fifo", "socket", "block", "char", "symlink"]
failures = []
counts = {"checks": 0}
libc = ctypes.CDLL(None, use_errno=True)
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2


def check(what, ok, detail=""):
    counts["checks"] += 1
    if not ok:
        failures.append(f"{what} {detail}")


def equal(what, got, want):
    check(what, got == want, f"got {got!r}, want {want!r}")


def raises(what, code, call, *args, **kwargs):
    """call fails with errno code (or one of several)."""
    codes = code if isinstance(code, tuple) else (code,)
    try:
        call(*args, **kwargs)
    except OSError as error:
        check(what, error.errno in codes, f"got {errno.errorcode.get(error.errno)}, want {[errno.errorcode[c] for c in codes]}")
    else:
        check(what, 0 in codes, f"succeeded, want {[errno.errorcode.get(c, c) for c in codes]}")


def as_user(uid, call):
    """Runs call in a child process of that user; returns its errno, 0 for success."""
    pid = os.fork()
    if pid == 0:
        code = 255
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            call()
            code = 0
        except OSError as error:
            code = error.errno
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def renameat2(old, new, flags):
    if libc.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), old)


def make(kind, path, mode=0o644):
    if kind == "file":
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    elif kind == "dir":
        os.mkdir(path, mode)
    elif kind == "fifo":
        os.mkfifo(path, mode)
    elif kind == "socket":
        # Bound by a short relative name, since socket addresses hold 108 bytes only.
        here = os.getcwd()
        os.chdir(os.path.dirname(path))
        s = socket.socket(socket.AF_UNIX)
        s.bind(os.path.basename(path))
        s.close()
        os.chmod(os.path.basename(path), mode)
        os.chdir(here)
    elif kind == "block":
        os.mknod(path, stat.S_IFBLK | mode, os.makedev(250, 70000))
    elif kind == "char":
        os.mknod(path, stat.S_IFCHR | mode, os.makedev(4000, 3))
    else:
        os.symlink("target of " + os.path.basename(path), path)


def remove(kind, path):
    (os.rmdir if kind == "dir" else os.unlink)(path)


FORMATS = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK,
           "block": stat.S_IFBLK, "char": stat.S_IFCHR, "symlink": stat.S_IFLNK}


class Place:
    """A fresh folder for one test."""
    number = 0

    def __init__(self):
        Place.number += 1
        self.dir = os.path.join(ROOT, f"t{Place.number}")
        os.mkdir(self.dir)

    def __call__(self, name):
        return os.path.join(self.dir, name)


def test_make_and_stat():
    for kind in TYPES:
        p = Place()
        before = os.stat(p.dir)
        make(kind, p("x"))
        st = os.lstat(p("x"))
        equal(f"{kind}: type", stat.S_IFMT(st.st_mode), FORMATS[kind])
        equal(f"{kind}: links", st.st_nlink, 2 if kind == "dir" and st.st_nlink == 2 else 1)
        equal(f"{kind}: owner", (st.st_uid, st.st_gid), (0, 0))
        equal(f"{kind}: parent's mtime moves on", os.stat(p.dir).st_mtime_ns >= before.st_mtime_ns, True)
        for t in (st.st_atime, st.st_mtime, st.st_ctime):
            check(f"{kind}: times are now", abs(t - time.time()) < 5, t)
        if kind == "block":
            equal("block: device", st.st_rdev, os.makedev(250, 70000))
        if kind == "char":
            equal("char: device", st.st_rdev, os.makedev(4000, 3))
        if kind == "symlink":
            equal("symlink: size is the target's length", st.st_size, len(os.readlink(p("x"))))
        listed = [e for e in os.scandir(p.dir)]
        equal(f"{kind}: listed", [e.name for e in listed], ["x"])
        equal(f"{kind}: listed with its inode number", listed[0].inode(), st.st_ino)
        remove(kind, p("x"))
        raises(f"{kind}: gone", errno.ENOENT, os.lstat, p("x"))


def test_exists():
    for there in TYPES:
        for new in TYPES:
            p = Place()
            make(there, p("x"))
            raises(f"{new} over {there}", errno.EADDRINUSE if new == "socket" else errno.EEXIST, make, new, p("x"))
            if new != "dir":
                make(new, p("y"))
                raises(f"link {new} over {there}", errno.EEXIST, os.link, p("y"), p("x"), follow_symlinks=False)


def test_path_errors():
    p = Place()
    make("file", p("f"))
    for kind in TYPES:
        raises(f"{kind} in a missing folder", errno.ENOENT, make, kind, p("none/x"))
        if kind != "socket":
            raises(f"{kind} below a file", errno.ENOTDIR, make, kind, p("f/x"))
    raises("unlink of a folder", (errno.EISDIR, errno.EPERM), os.unlink, p.dir)
    raises("rmdir of a file", errno.ENOTDIR, os.rmdir, p("f"))
    raises("unlink of nothing", errno.ENOENT, os.unlink, p("none"))
    raises("rename of nothing", errno.ENOENT, os.rename, p("none"), p("x"))
    raises("open of a folder for writing", errno.EISDIR, os.open, p.dir, os.O_WRONLY)
    raises("hard link to a folder", errno.EPERM, os.link, p.dir, p("d"))
    os.symlink("loop", p("loop"))
    raises("a loop of links", errno.ELOOP, os.stat, p("loop"))
    os.mkdir(p("d"))
    raises("rmdir of .", errno.EINVAL, os.rmdir, p("d/."))
    raises("rmdir of ..", (errno.ENOTEMPTY, errno.EBUSY), os.rmdir, p("d/.."))


def test_link_counts():
    for kind in TYPES:
        if kind == "dir":
            continue
        p = Place()
        make(kind, p("a"))
        for i in range(5):
            os.link(p("a"), p(f"l{i}"), follow_symlinks=False)
        st = os.lstat(p("a"))
        equal(f"{kind}: six links", st.st_nlink, 6)
        equal(f"{kind}: one inode", {os.lstat(p(f"l{i}")).st_ino for i in range(5)}, {st.st_ino})
        os.unlink(p("a"))
        equal(f"{kind}: five links", os.lstat(p("l3")).st_nlink, 5)
    p = Place()
    base = os.stat(p.dir).st_nlink
    for i in range(4):
        os.mkdir(p(f"d{i}"))
    grown = os.stat(p.dir).st_nlink
    check("links of a folder count its subfolders", grown in (base + 4, 1), f"{base} to {grown}")
    os.rename(p("d0"), p("d1/d0"))
    check("a folder moved out counts no more", os.stat(p.dir).st_nlink in (base + 3, 1))
    check("a folder moved in counts", os.stat(p("d1")).st_nlink in (os.stat(p("d2")).st_nlink + 1, 1))
    equal(".. follows the move", os.stat(p("d1/d0/..")).st_ino, os.stat(p("d1")).st_ino)


def test_rename_matrix():
    for source in TYPES:
        for target in [None] + TYPES:
            p = Place()
            os.mkdir(p("1"))
            os.mkdir(p("2"))
            make(source, p("1/a"))
            ino = os.lstat(p("1/a")).st_ino
            if target:
                make(target, p("2/b"))
            want = 0
            if target == "dir" and source != "dir":
                want = errno.EISDIR
            elif target and target != "dir" and source == "dir":
                want = errno.ENOTDIR
            raises(f"rename {source} over {target}", want, os.rename, p("1/a"), p("2/b"))
            if want:
                equal(f"rename {source} over {target} changed nothing", os.lstat(p("1/a")).st_ino, ino)
            else:
                equal(f"rename {source} over {target}: the inode moved", os.lstat(p("2/b")).st_ino, ino)
                equal(f"rename {source} over {target}: source gone", os.listdir(p("1")), [])
                equal(f"rename {source} over {target}: one name", os.listdir(p("2")), ["b"])


def test_rename_flags():
    for a in TYPES:
        for b in TYPES:
            p = Place()
            os.mkdir(p("1"))
            os.mkdir(p("2"))
            make(a, p("1/a"))
            make(b, p("2/b"))
            before = os.lstat(p("1/a")).st_ino, os.lstat(p("2/b")).st_ino
            raises(f"noreplace {a} {b}", errno.EEXIST, renameat2, p("1/a"), p("2/b"), RENAME_NOREPLACE)
            renameat2(p("1/a"), p("2/b"), RENAME_EXCHANGE)
            equal(f"exchange {a} {b}", (os.lstat(p("2/b")).st_ino, os.lstat(p("1/a")).st_ino), before)
            renameat2(p("1/a"), p("1/c"), RENAME_NOREPLACE)
            equal(f"noreplace {b} to a free name", os.lstat(p("1/c")).st_ino, before[1])
            raises("exchange with nothing", errno.ENOENT, renameat2, p("1/c"), p("none"), RENAME_EXCHANGE)
    p = Place()
    make("file", p("a"))
    raises("whiteout is not supported", errno.EINVAL, renameat2, p("a"), p("b"), 4)


def test_rename_folders():
    p = Place()
    os.makedirs(p("a/b/c"))
    raises("a folder into itself", errno.EINVAL, os.rename, p("a"), p("a/b/x"))
    os.makedirs(p("full/x"))
    raises("over a full folder", (errno.ENOTEMPTY, errno.EEXIST), os.rename, p("a"), p("full"))
    os.mkdir(p("empty"))
    os.rename(p("a"), p("empty"))
    check("over an empty folder", os.path.isdir(p("empty/b/c")))
    raises("rmdir of a full folder", (errno.ENOTEMPTY, errno.EEXIST), os.rmdir, p("full"))
    make("file", p("f"))
    os.link(p("f"), p("g"))
    os.rename(p("f"), p("g"))
    check("between two links of one file nothing happens", os.path.exists(p("f")) and os.path.exists(p("g")))


def test_modes_and_owners():
    for kind in TYPES:
        if kind == "symlink":
            continue
        p = Place()
        make(kind, p("x"))
        for mode in (0, 0o111, 0o222, 0o444, 0o777, 0o1755, 0o2755, 0o4755, 0o7777, 0o640):
            os.chmod(p("x"), mode)
            equal(f"{kind}: mode {mode:o}", stat.S_IMODE(os.stat(p("x")).st_mode), mode)
        os.chmod(p("x"), 0o600)
        for uid, gid in ((0, 0), (1000, 100), (65534, 65534), (0x7FFFFFFF, 0x7FFFFFFE)):
            os.chown(p("x"), uid, gid)
            st = os.stat(p("x"))
            equal(f"{kind}: owner", (st.st_uid, st.st_gid), (uid, gid))
        os.chown(p("x"), -1, 5)
        equal(f"{kind}: group alone", os.stat(p("x")).st_uid, 0x7FFFFFFF)


def test_times():
    for kind in TYPES:
        p = Place()
        make(kind, p("x"))
        for atime, mtime in ((0, 0), (1234567890_123456000, 987654321_654321000), (1, 1 << 30), (4102444800 * 10**9, 1000)):
            atime, mtime = atime // 1000 * 1000, mtime // 1000 * 1000
            os.utime(p("x"), ns=(atime, mtime), follow_symlinks=False)
            st = os.lstat(p("x"))
            equal(f"{kind}: utime", (st.st_atime_ns, st.st_mtime_ns), (atime, mtime))
        before = time.time_ns() - 20_000_000
        os.utime(p("x"), follow_symlinks=False)
        st = os.lstat(p("x"))
        check(f"{kind}: utime now", before <= st.st_mtime_ns <= time.time_ns() and before <= st.st_atime_ns)
    p = Place()
    make("file", p("x"))
    os.utime(p("x"), ns=(10**18, 10**18))
    changed = os.stat(p("x")).st_ctime_ns
    time.sleep(0.02)
    with open(p("x"), "ab") as f:
        f.write(b"more")
    st = os.stat(p("x"))
    check("a write moves mtime and ctime", st.st_mtime_ns > 10**18 and st.st_ctime_ns > changed)
    os.utime(p("x"), ns=(10**18, 10**18))
    os.truncate(p("x"), 2)
    check("truncate moves mtime", os.stat(p("x")).st_mtime_ns > 10**18)
    changed = os.stat(p("x")).st_ctime_ns
    time.sleep(0.02)
    os.chmod(p("x"), 0o600)
    check("chmod moves ctime", os.stat(p("x")).st_ctime_ns > changed)
    changed = os.stat(p("x")).st_ctime_ns
    time.sleep(0.02)
    os.link(p("x"), p("y"))
    check("link moves ctime", os.stat(p("x")).st_ctime_ns > changed)


def test_set_id():
    p = Place()
    os.chmod(p.dir, 0o777)
    make("file", p("x"))
    os.chown(p("x"), ALICE, ALICE)
    os.chmod(p("x"), 0o6777)

    def write(mode):
        with open(p("x"), mode) as f:
            f.write("x")
    equal("another user writes", as_user(BOB, lambda: write("a")), 0)
    equal("set-id bits go with a write", stat.S_IMODE(os.stat(p("x")).st_mode), 0o777)
    os.chmod(p("x"), 0o6777)
    equal("another user truncates", as_user(BOB, lambda: write("w")), 0)
    equal("set-id bits go with a truncation", stat.S_IMODE(os.stat(p("x")).st_mode), 0o777)
    os.chmod(p("x"), 0o6777)
    os.chown(p("x"), BOB, BOB)
    equal("set-id bits go with chown", stat.S_IMODE(os.stat(p("x")).st_mode) & 0o6000 in (0, 0o2000), True)
    os.mkdir(p("shared"))
    os.chown(p("shared"), 0, ALICE)
    os.chmod(p("shared"), 0o2777)
    as_user(BOB, lambda: make("file", p("shared/f")))
    as_user(BOB, lambda: make("dir", p("shared/d"), 0o755))
    equal("a set-group-id folder hands its group on", os.stat(p("shared/f")).st_gid, ALICE)
    st = os.stat(p("shared/d"))
    equal("and itself to folders", (st.st_gid, bool(st.st_mode & stat.S_ISGID)), (ALICE, True))


def test_permissions():
    p = Place()
    os.chmod(p.dir, 0o755)
    make("file", p("secret"), 0o600)
    os.chown(p("secret"), ALICE, ALICE)
    equal("the owner reads", as_user(ALICE, lambda: open(p("secret")).close()), 0)
    equal("nobody else does", as_user(BOB, lambda: open(p("secret")).close()), errno.EACCES)
    equal("nor changes its mode", as_user(BOB, lambda: os.chmod(p("secret"), 0o777)), errno.EPERM)
    equal("nor its owner", as_user(ALICE, lambda: os.chown(p("secret"), BOB, -1)), errno.EPERM)
    equal("nor its times", as_user(BOB, lambda: os.utime(p("secret"), (1, 1))), errno.EPERM)
    equal("nor makes files in a folder of root", as_user(BOB, lambda: make("file", p("x"))), errno.EACCES)
    equal("nor removes them", as_user(BOB, lambda: os.unlink(p("secret"))), errno.EACCES)
    os.mkdir(p("tmp"))
    os.chmod(p("tmp"), 0o1777)
    equal("in a sticky folder one makes files", as_user(ALICE, lambda: make("file", p("tmp/a"))), 0)
    equal("which others cannot remove", as_user(BOB, lambda: os.unlink(p("tmp/a"))), errno.EPERM)
    equal("nor rename", as_user(BOB, lambda: os.rename(p("tmp/a"), p("tmp/b"))), errno.EPERM)
    equal("the owner can", as_user(ALICE, lambda: os.unlink(p("tmp/a"))), 0)
    os.mkdir(p("closed"), 0o700)
    make("file", p("closed/f"))
    equal("no way through a closed folder", as_user(BOB, lambda: os.stat(p("closed/f"))), errno.EACCES)


def test_umask():
    old = os.umask(0o027)
    try:
        p = Place()
        make("file", p("f"), 0o666)
        make("dir", p("d"), 0o777)
        make("fifo", p("p"), 0o666)
        modes = [stat.S_IMODE(os.stat(p(n)).st_mode) for n in "fdp"]
        equal("umask", modes, [0o640, 0o750, 0o640])
    finally:
        os.umask(old)


def test_open_flags():
    p = Place()
    raises("open of nothing", errno.ENOENT, os.open, p("x"), os.O_RDONLY)
    make("file", p("x"))
    raises("O_EXCL", errno.EEXIST, os.open, p("x"), os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    raises("O_DIRECTORY on a file", errno.ENOTDIR, os.open, p("x"), os.O_RDONLY | os.O_DIRECTORY)
    os.symlink("x", p("s"))
    raises("O_NOFOLLOW on a link", errno.ELOOP, os.open, p("s"), os.O_RDONLY | os.O_NOFOLLOW)
    with open(p("x"), "wb") as f:
        f.write(b"0123456789")
    fd = os.open(p("x"), os.O_WRONLY | os.O_APPEND)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"ab")
    os.close(fd)
    equal("O_APPEND", open(p("x"), "rb").read(), b"0123456789ab")
    os.close(os.open(p("x"), os.O_WRONLY | os.O_TRUNC))
    equal("O_TRUNC", os.stat(p("x")).st_size, 0)
    try:
        fd = os.open(p.dir, os.O_TMPFILE | os.O_RDWR)
        os.close(fd)
    except OSError as error:
        equal("O_TMPFILE is refused as not supported", error.errno, errno.EOPNOTSUPP)


def test_truncate():
    p = Place()
    make("file", p("x"))
    raises("negative size", errno.EINVAL, os.truncate, p("x"), -1)
    model = bytearray()
    for size in (1, 2048, 2047, 100, 5000, 0, 65536, 65535, 3, 200000, 131072, 1):
        with open(p("x"), "r+b") as f:
            f.seek(0, 2)
            f.write(b"Z" * 7)
        model += b"Z" * 7
        os.truncate(p("x"), size)
        model = model[:size] + bytes(max(0, size - len(model)))
        equal(f"truncate to {size}", open(p("x"), "rb").read(), bytes(model))
    for kind in TYPES:
        if kind in ("file", "block", "char", "symlink"):
            continue
        make(kind, p(kind))
        raises(f"truncate of a {kind}", (errno.EINVAL, errno.EISDIR, errno.ENXIO), os.truncate, p(kind), 0)


def test_deleted_but_open():
    p = Place()
    fd = os.open(p("x"), os.O_CREAT | os.O_RDWR)
    os.write(fd, b"still here")
    os.unlink(p("x"))
    equal("no links", os.fstat(fd).st_nlink, 0)
    os.lseek(fd, 0, os.SEEK_END)
    os.write(fd, b", and more" * 10000)
    os.fsync(fd)
    equal("contents without a name", os.pread(fd, 20, 0), b"still here, and more")
    os.ftruncate(fd, 5)
    os.fchmod(fd, 0o600)
    equal("truncated without a name", (os.fstat(fd).st_size, os.pread(fd, 20, 0)), (5, b"still"))
    make("file", p("x"))
    check("the name is free for another", os.stat(p("x")).st_ino != os.fstat(fd).st_ino)
    os.close(fd)
    os.mkdir(p("d"))
    fd = os.open(p("d"), os.O_RDONLY)
    os.rmdir(p("d"))
    equal("a removed folder is empty", os.listdir(fd), [])
    raises("and takes no more files", errno.ENOENT, os.open, "x", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.close(fd)
    a, b = p("a"), p("b")
    make("file", a)
    with open(b, "wb") as f:
        f.write(b"replaced")
    f = open(b, "rb")
    os.rename(a, b)
    equal("a replaced file is there while open", f.read(), b"replaced")
    f.close()


def test_names():
    p = Place()
    good = ["a", " leading and trailing ", "tab\there", "new\nline", "quote\"'`$", "ümläut", "日本語", "Ελληνικά", "😀 four bytes",
            "é composed", "e\u0301 decomposed", "UPPER", "upper", "...", "..x", ".hidden", "x" * 254, "ü" * 254, "Ж" * 127,
            "😀" * 63, "a:b*c?d<e>f|g\\h", "\u007f", "ÿ", "Ā"]
    for i, name in enumerate(good):
        with open(p(name), "w") as f:
            f.write(str(i))
    equal("all names are listed as given", sorted(os.listdir(p.dir)), sorted(good))
    for i, name in enumerate(good):
        equal(f"contents of {name[:20]!r}", open(p(name)).read(), str(i))
    for name in ("x" * 255, "ü" * 255, "Ж" * 128, "😀" * 64, "Ж" + "x" * 127, "x" * 600):
        raises(f"too long: {name[:4]!r} * {len(name)}", errno.ENAMETOOLONG, os.open, p(name), os.O_CREAT | os.O_WRONLY)
        raises(f"too long to look up: {name[:4]!r}", errno.ENAMETOOLONG, os.stat, p(name))
    for raw in (b"\xff", b"abc\x80", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf"):
        path = os.fsencode(p.dir) + b"/" + raw
        raises(f"not UTF-8: {raw!r}", errno.EILSEQ, os.open, path, os.O_CREAT | os.O_WRONLY)
        raises(f"not UTF-8: mkdir {raw!r}", errno.EILSEQ, os.mkdir, path)
    name_max = os.statvfs(p.dir).f_namemax
    check("f_namemax", 254 <= name_max <= 1024, name_max)


def test_symlinks():
    p = Place()
    for i, target in enumerate(["a", "/", "/a/b/c", "../x/./y", "..", ".", "a" * 200, "/".join(["ü日"] * 60), "x/" * 30 + "y", "a b/c d"]):
        os.symlink(target, p(str(i)))
        equal(f"target {target[:30]!r}", os.readlink(p(str(i))), target)


def test_fallocate_and_seek():
    p = Place()
    fd = os.open(p("x"), os.O_CREAT | os.O_RDWR)
    os.posix_fallocate(fd, 0, 100000)
    st = os.fstat(fd)
    equal("fallocate sets the size", st.st_size, 100000)
    check("fallocate takes blocks", st.st_blocks * 512 >= 100000, st.st_blocks)
    equal("and reads as zeros", os.pread(fd, 100000, 0), bytes(100000))
    os.close(fd)

    def fallocate(fd, mode, offset, length):
        if libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)) < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    fd = os.open(p("y"), os.O_CREAT | os.O_RDWR)
    os.write(fd, b"D" * 300000)
    fallocate(fd, 1, 300000, 100000)
    equal("KEEP_SIZE", os.fstat(fd).st_size, 300000)
    os.fsync(fd)
    before = os.fstat(fd).st_blocks
    fallocate(fd, 3, 65536, 131072)
    want = b"D" * 65536 + bytes(131072) + b"D" * (300000 - 65536 - 131072)
    equal("PUNCH_HOLE", os.pread(fd, 300000, 0), want)
    check("a hole gives blocks back", os.fstat(fd).st_blocks < before, f"{before} to {os.fstat(fd).st_blocks}")
    fallocate(fd, 0x10, 1000, 3000)
    want = want[:1000] + bytes(3000) + want[4000:]
    equal("ZERO_RANGE", os.pread(fd, 300000, 0), want)
    raises("COLLAPSE_RANGE", errno.EOPNOTSUPP, fallocate, fd, 8, 0, 4096)
    os.close(fd)

    fd = os.open(p("z"), os.O_CREAT | os.O_RDWR)
    os.ftruncate(fd, 10 << 20)
    os.pwrite(fd, b"data" * 1024, 5 << 20)
    # Not synced: the kernel may still hold this, and must not answer from what the disc says.
    data = os.lseek(fd, 0, os.SEEK_DATA)
    check("SEEK_DATA finds what was just written", (5 << 20) - 65536 <= data <= 5 << 20, data)
    hole = os.lseek(fd, 5 << 20, os.SEEK_HOLE)
    check("SEEK_HOLE finds its end", (5 << 20) + 4096 <= hole <= (5 << 20) + 131072, hole)
    equal("SEEK_HOLE in a hole", os.lseek(fd, 100, os.SEEK_HOLE), 100)
    raises("SEEK_DATA behind the last", errno.ENXIO, os.lseek, fd, 9 << 20, os.SEEK_DATA)
    raises("SEEK_DATA behind the end", errno.ENXIO, os.lseek, fd, 11 << 20, os.SEEK_DATA)
    os.fsync(fd)
    check("a sparse file takes few blocks", os.fstat(fd).st_blocks * 512 < 1 << 20, os.fstat(fd).st_blocks)
    os.close(fd)


def test_other_calls():
    p = Place()
    make("file", p("x"))
    fd = os.open(p("x"), os.O_RDWR)
    import fcntl
    raises("an ioctl that there is not", errno.ENOTTY, fcntl.ioctl, fd, 0x1234)
    os.write(fd, b"copy me" * 5000)
    out = os.open(p("y"), os.O_CREAT | os.O_RDWR)
    copied = os.copy_file_range(fd, out, 35000, 0, 0)
    equal("copy_file_range", (copied, os.pread(out, 35000, 0)), (35000, b"copy me" * 5000))
    raises("extended attributes", errno.EOPNOTSUPP, os.setxattr, p("x"), "user.a", b"b")
    fcntl.flock(fd, fcntl.LOCK_EX)
    other = os.open(p("x"), os.O_RDWR)
    raises("flock", errno.EAGAIN, fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for each in (fd, out, other):
        os.close(each)
    os.sync()
    fd = os.open(p.dir, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    st = os.statvfs(ROOT)
    check("statvfs", 0 < st.f_bavail <= st.f_bfree <= st.f_blocks and 0 < st.f_ffree <= st.f_files, str(st))


def main():
    tests = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    wanted = sys.argv[2:]
    for name, test in tests:
        if wanted and name[5:] not in wanted:
            continue
        try:
            test()
        except Exception as error:  # the other tests still say something
            import traceback
            failures.append(f"{name}: {error!r}\n{traceback.format_exc()}")
    for failure in failures:
        print("FAIL:", failure)
    print(f"{counts['checks']} checks, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
