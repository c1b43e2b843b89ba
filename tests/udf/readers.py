#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What random operations leave on a volume reads the same through udfclient and the Linux kernel's own udf driver.

    readers.py MODEL_IMAGE    the test; MODEL_IMAGE is the program that makes a volume and the list of it
    readers.py --list DIR     prints such a list of a folder"""
import collections
import os
import re
import stat
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL_RUN = os.path.join(HERE, "..", "kernel", "kernel-run")
KINDS, SEED, STEPS = range(5), 20, 1200


def tree_list(top):
    """Rows of (path, type, size, CRC) as model_list writes them."""
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            size, crc = 0, 0
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    data = file.read()
                size, crc = len(data), zlib.crc32(data)
            yield "%s\t%o\t%d\t%d" % (os.path.relpath(path, top), stat.S_IFMT(status.st_mode), size, crc)


def compare(who, wanted, found):
    wanted, found = collections.Counter(wanted), collections.Counter(found)
    for row in sorted((wanted - found).elements())[:5]:
        print("%s lacks: %s" % (who, row))
    for row in sorted((found - wanted).elements())[:5]:
        print("%s has: %s" % (who, row))
    assert wanted and wanted == found, "%s reads something else" % who


def plain(row):
    """udfclient shows names that are not ASCII as '_', what is left, and '#' with a CRC: such names are all the same here."""
    path, rest = row.split("\t", 1)
    parts = ("?" if not part.isascii() or re.fullmatch("_.*#[0-9A-F]{4}", part) else part for part in path.split("/"))
    return "/".join(parts) + "\t" + rest


def udfclient(folder, image, rows):
    """It extracts the volume as a folder named after the volume; its files are compared. (It takes blocks that are
    allocated behind the end of a file for contents, so its image has none.)"""
    run = lambda text: subprocess.run(["timeout", "100", "udfclient", "-b", "2048", image], input=text, text=True, cwd=folder,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True).stdout
    volume = [line.split()[-1] for line in run("ls\nquit\n").splitlines() if line.startswith("d") and line.count(":") >= 2][0]
    out = os.path.join(folder, "out")
    os.mkdir(out)
    run("lcd %s\nget %s\nquit\n" % (out, volume))
    regular = "\t%o\t" % stat.S_IFREG
    found = [plain(row) for row in tree_list(os.path.join(out, volume)) if regular in row]
    # Links, pipes and devices come out as files, sockets not at all.
    files = [row for row in rows if int(row.split("\t")[1], 8) not in (stat.S_IFDIR, stat.S_IFSOCK)]
    assert len(found) == len(files), "udfclient finds %d files of %d" % (len(found), len(files))
    wanted = [plain(row) for row in rows if regular in row]
    compare("udfclient", wanted, (collections.Counter(found) & collections.Counter(wanted)).elements())


def kernel(folder, images):
    """All images in one run, since a kernel takes a while to come up."""
    command, options = "", []
    for index, image in enumerate(images):
        options += ["--image", image + ":ro"]
        command += "mount -t udf -o ro /dev/ubd%s /mnt && python3 %s --list /mnt >%s/kernel%d && umount /mnt || exit 1\n" % (
            "abcdefgh"[index], os.path.abspath(__file__), folder, index)
    subprocess.run([KERNEL_RUN, "--timeout", "300"] + options + ["--", command], check=True)


def test(program):
    with tempfile.TemporaryDirectory(prefix="packetfs-readers-") as folder:
        images, lists = [], []
        for kind in KINDS:
            image, listing = (os.path.join(folder, "%s%d" % (name, kind)) for name in ("image", "list"))
            subprocess.run([program, image, listing, str(kind), str(SEED + kind), str(STEPS)], check=True,
                           stdout=subprocess.DEVNULL)
            with open(listing, encoding="utf-8") as file:
                rows = file.read().splitlines()
            below = os.path.join(folder, "client%d" % kind)
            os.mkdir(below)
            udfclient(below, image + ".tidy", rows)
            images.append(image)
            lists.append(rows)
        kernel(folder, images)
        for kind, rows in zip(KINDS, lists):
            with open(os.path.join(folder, "kernel%d" % kind), encoding="utf-8") as file:
                compare("the kernel, kind %d" % kind, rows, file.read().splitlines())
            print("kind %d: %d entries read the same" % (kind, len(rows)))


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        sys.stdout.reconfigure(encoding="utf-8")
        for row in tree_list(sys.argv[2]):
            print(row)
    else:
        test(os.path.abspath(sys.argv[1]))
