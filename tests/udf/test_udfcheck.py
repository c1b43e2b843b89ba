#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of udfcheck.py: it passes what mkudffs and the Linux kernel make, lists the tree that the kernel sees, and notices
each kind of damage.

    test_udfcheck.py made                      volumes as mkudffs makes them
    test_udfcheck.py filled KERNEL-RUN         volumes that a real kernel wrote to, and damage to them"""
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CHECK = os.path.join(HERE, "..", "lib", "udfcheck.py")
MKUDFFS = os.environ.get("MKUDFFS", "/usr/sbin/mkudffs")
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, "..", "lib"), HERE]

import udfcheck_damage_files  # noqa: E402, F401  they add themselves to CASES
import udfcheck_damage_volume  # noqa: E402, F401
from udfcheck_disc import CASES, Disc  # noqa: E402

KINDS = {"cdrw201": "-m cdrw -r 2.01", "cdrw150": "-m cdrw -r 1.50", "hd201": "-m hd -b 2048 -r 2.01"}
MORE_KINDS = ["-m hd -b 2048 -r 1.02", "-m hd -b 2048 -r 1.50", "-m hd -b 2048 -r 2.00", "-m cdrw -r 2.00", "-m dvdrw -r 2.01",
              "-m dvdram -b 2048 -r 2.01", "-m hd -b 2048 -r 2.01 --ad=short", "-m hd -b 2048 -r 2.01 --ad=long",
              "-m hd -b 2048 -r 2.01 --label=Name€"]


def make(folder, name, options):
    path = os.path.join(folder, name)
    subprocess.run([MKUDFFS, "--utf8", *options.split(), "--new-file", path, "8192"], check=True, stdout=subprocess.DEVNULL)
    return path


def run(*arguments):
    done = subprocess.run([sys.executable, CHECK, *arguments], capture_output=True, text=True, check=False)
    assert not done.stderr or done.returncode == 2, done.stderr
    return done.returncode, done.stdout


def expect(status, *arguments):
    got, out = run(*arguments)
    assert got == status, "udfcheck %s: status %d, not %d\n%s" % (" ".join(arguments), got, status, out)
    return out


def made(folder):
    """Volumes fresh from mkudffs are clean, and what is none is told."""
    for number, options in enumerate(list(KINDS.values()) + MORE_KINDS):
        out = expect(0, "--no-leaks", make(folder, "made-%d" % number, options))
        assert "0 errors, 0 leaks" in out, out
    for number, options in enumerate(["-m cdr -r 2.01", "-m hd -b 512 -r 2.01"]):
        out = expect(2, make(folder, "other-%d" % number, options))
        assert "no-udf" in out, out
    empty = os.path.join(folder, "empty")
    for size in (0, 100, 2048 * 300):
        with open(empty, "wb") as f:
            f.truncate(size)
        expect(2, empty)
    expect(2, os.path.join(folder, "missing"))


def kernel_listing(path):
    """What find said on the real kernel, in udfcheck's terms."""
    types = {"d": "dir", "f": "file", "l": "link", "p": "fifo", "c": "char", "b": "block"}
    rows, sums = {}, {}
    with open(path, encoding="utf-8") as f:
        for line in f.read().split("\n")[:-1]:
            if line.startswith("/"):
                name, kind, mode, uid, gid, links, mtime, target = line.split("\t")
                seconds, fraction = mtime.split(".")
                rows[name] = (types[kind], mode, uid, gid, "-" if kind == "d" else links,
                              str(int(seconds) * 1000000 + int(fraction[:6])), target or "-")
            else:
                sums[line[66 + 1:]] = line[:64]
    return rows, sums


def compare_listing(image, listing):
    rows, sums = kernel_listing(listing)
    got, got_sums = {}, {}
    for line in expect(0, "--no-leaks", "--list", "--hash", "--quiet", image).split("\n")[:-1]:
        name, kind, _, mode, uid, gid, mtime, links, extra, sha = line.split("\t")
        if name == "/":
            continue
        got[name] = (kind, mode, uid, gid, "-" if kind == "dir" else links, mtime, extra if kind == "link" else "-")
        if kind == "file":
            got_sums[name] = sha
        elif kind in ("char", "block"):
            assert extra == {"char": "1:3", "block": "8:1"}[kind], line
    assert len(rows) > 150 and rows == got, "lists differ: %s" % (set(rows.items()) ^ set(got.items()))
    assert sums and sums == got_sums, "contents differ"


def damage(disc, name):
    """Each case that fits this volume: the defect is noticed, and counts as what it is."""
    codes = disc.codes()
    assert not codes["error"] and not codes["leak"], codes
    for case in CASES:
        if case.volumes and name not in case.volumes:
            continue
        disc.restore()
        case.change(disc)
        found = disc.codes()
        assert case.code in found[case.severity], "%s, %s: no %s %s, but %s" % (name, case.change.__doc__, case.severity, case.code,
                                                                               found)
    disc.restore()


def statuses(disc, folder):
    """Leaks alone are an error only when asked for."""
    path = os.path.join(folder, "damaged")
    disc.leak()
    disc.save(path)
    expect(0, path)
    expect(1, "--no-leaks", path)
    assert '"code": "block-leak"' in expect(0, "--json", path)
    disc.restore()
    disc.bitmap_flip(disc.paths["/d1/big"].extents[0][3])
    disc.save(path)
    expect(1, path)
    assert '"code": "block-free"' in expect(1, "--json", path)
    disc.restore()
    disc.block_put(disc.lvid, 28, bytes(4))
    disc.save(path)
    expect(1, "--quiet", path)
    expect(0, "--open", path)
    disc.restore()
    disc.icb_own("/d1/sparse")
    disc.save(path)
    expect(1, path)
    expect(0, "--kernel", path)
    disc.restore()


def hostile(disc):
    """Any bytes changed: it ends, and with a report."""
    seed = random.Random(1)
    places = disc.metadata_blocks()
    for _ in range(150):
        disc.restore()
        for _ in range(seed.randrange(1, 4)):
            block = seed.choice(places)
            at = block * 2048 + seed.randrange(16, 512)
            disc.data[at:at + seed.randrange(1, 5)] = seed.randbytes(seed.randrange(1, 5))
            del disc.data[disc.size:]
            disc.data.extend(bytes(disc.size - len(disc.data)))
            if disc.data[block * 2048 + 10:block * 2048 + 12] != b"\0\0":
                disc.retag(block * 2048)
        disc.codes()
    disc.restore()


def filled(folder, kernel_run):
    for name, options in KINDS.items():
        image = make(folder, name, options)
        listing = image + ".list"
        subprocess.run([kernel_run, "--timeout", "240", "--image", image, "--",
                        "bash %s/udfcheck_fill.sh %s" % (HERE, listing)], check=True)
        compare_listing(image, listing)
        disc = Disc(image)
        damage(disc, name)
        if name == "cdrw201":
            statuses(disc, folder)
            hostile(disc)
        print("%s: ok" % name)


def main():
    with tempfile.TemporaryDirectory(prefix="packetfs-udfcheck-") as folder:
        if sys.argv[1:] == ["made"]:
            made(folder)
        elif len(sys.argv) == 3 and sys.argv[1] == "filled":
            filled(folder, sys.argv[2])
        else:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
