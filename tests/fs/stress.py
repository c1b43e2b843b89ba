#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Much at once, on the mounted folder given: parallel writers, one large directory, appending from many processes,
memory mappings, direct I/O, and programs that make and remove the same names against each other."""
import errno
import hashlib
import mmap
import multiprocessing
import os
import random
import sys
import time

ROOT = sys.argv[1]
FILES = int(sys.argv[2]) if len(sys.argv) > 2 else 20000


def pattern(seed, size):
    return random.Random(seed).randbytes(size)


def parallel(call, arguments):
    with multiprocessing.Pool(len(arguments)) as pool:
        return pool.map(call, arguments)


def write_one(number):
    """Writes a file in pieces of odd sizes and places, then reads all of it back through another handle."""
    path = f"{ROOT}/writer{number}"
    rng = random.Random(number)
    model = bytearray(rng.randrange(200000, 600000))
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    os.ftruncate(fd, len(model))
    for i in range(200):
        at = rng.randrange(len(model))
        data = rng.randbytes(min(rng.randrange(1, 20000), len(model) - at))
        model[at:at + len(data)] = data
        os.pwrite(fd, data, at)
        if i % 50 == 49:
            os.fsync(fd)
    os.close(fd)
    with open(path, "rb") as f:
        assert f.read() == model, path
    return path, hashlib.sha256(model).hexdigest()


def append_some(number):
    fd = os.open(f"{ROOT}/appended", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for i in range(300):
        os.write(fd, f"{number:4d} {i:6d} {'x' * 40}\n".encode())
    os.close(fd)


def fight(number):
    """Everybody makes, links, renames and removes the same few names; only errors that belong to that may come."""
    rng = random.Random(number)
    fine = (errno.EPERM, errno.EEXIST, errno.ENOENT, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR, errno.EINVAL)
    for _ in range(600):
        a, b = (f"{ROOT}/fight/{rng.choice('12')}/{rng.choice('abcdef')}" for _ in range(2))
        try:
            rng.choice([
                lambda: os.close(os.open(a, os.O_CREAT | os.O_EXCL | os.O_WRONLY)),
                lambda: os.mkdir(a),
                lambda: os.unlink(a),
                lambda: os.rmdir(a),
                lambda: os.rename(a, b),
                lambda: os.link(a, b),
                lambda: os.listdir(os.path.dirname(a)),
                lambda: os.stat(a),
                lambda: open(a, "ab").write(b"data"),
            ])()
        except OSError as error:
            if error.errno not in fine:  # EPERM: a hard link to a folder
                raise


def test_writers():
    for path, digest in parallel(write_one, range(8)):
        with open(path, "rb") as f:
            assert hashlib.sha256(f.read()).hexdigest() == digest, path


def test_append():
    parallel(append_some, range(6))
    lines = open(f"{ROOT}/appended").read().splitlines()
    assert len(lines) == 1800 and len(set(lines)) == 1800 and all(len(line) == 52 for line in lines), len(lines)


def test_fight():
    os.makedirs(f"{ROOT}/fight/1")
    os.makedirs(f"{ROOT}/fight/2")
    parallel(fight, range(6))
    for folder, folders, files in os.walk(f"{ROOT}/fight"):
        for name in folders + files:
            os.lstat(os.path.join(folder, name))


def make_rate(folder, count):
    os.mkdir(folder)
    start = time.monotonic()
    for i in range(count):
        os.close(os.open(f"{folder}/file number {i}", os.O_CREAT | os.O_WRONLY))
    return (time.monotonic() - start) / count


def test_large_directory():
    """20,000 names in one directory are no slower each than 200. Twice the time is allowed for a busy machine."""
    small = min(make_rate(f"{ROOT}/small{i}", 200) for i in range(5))
    folder = f"{ROOT}/large"
    large = make_rate(folder, FILES)
    assert large < small * 2 + 0.0002, f"{large * 1e6:.0f} us a file, {small * 1e6:.0f} in a small directory"
    names = os.listdir(folder)
    assert len(names) == FILES == len(set(names)), len(names)
    assert {e.name for e in os.scandir(folder) if e.is_file()} == {f"file number {i}" for i in range(FILES)}
    # Reading goes on rightly while names are removed behind and before the reader.
    seen = set()
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            seen.add(entry.name)
            if count % 3 == 0:
                os.unlink(entry.path)
    assert len(seen) == FILES, len(seen)
    left = set(os.listdir(folder))
    assert len(left) == FILES - (FILES + 2) // 3, len(left)
    for name in left:
        os.unlink(f"{folder}/{name}")
    os.rmdir(folder)


def test_mmap():
    path = f"{ROOT}/mapped"
    with open(path, "wb") as f:
        f.truncate(300000)
    model = bytearray(300000)
    fd = os.open(path, os.O_RDWR)
    with mmap.mmap(fd, 300000) as m:
        for seed in range(100):
            at = random.Random(seed).randrange(299000)
            model[at:at + 1000] = m[at:at + 1000] = pattern(seed, 1000)
        m.flush()
    os.close(fd)
    assert open(path, "rb").read() == model
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
        assert m[:] == model


def test_direct():
    """O_DIRECT works on whole blocks."""
    path = f"{ROOT}/direct"
    buf = mmap.mmap(-1, 65536)
    buf[:] = pattern(1, 65536)
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_DIRECT)
    assert os.pwrite(fd, buf, 0) == 65536 and os.pwrite(fd, buf, 131072) == 65536
    back = mmap.mmap(-1, 65536)
    assert os.preadv(fd, [back], 131072) == 65536 and back[:] == buf[:]
    os.close(fd)
    assert open(path, "rb").read() == buf[:] + bytes(65536) + buf[:]


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            start = time.monotonic()
            test()
            print(f"{name[5:]}: {time.monotonic() - start:.1f} s", flush=True)


main()
