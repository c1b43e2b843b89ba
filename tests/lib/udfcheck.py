#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks a UDF volume in a flat image of 2048-byte sectors, with code that shares nothing with packetfs.

    udfcheck.py [--list [--hash]] [--json] [--no-leaks] [--open] [--kernel] [--quiet] IMAGE

Each defect is a line "severity code: where: what". Errors make the exit status 1; so do leaks (blocks that are allocated and
that nothing uses) with --no-leaks. Warnings are deviations that readers live with, such as the Linux kernel's own. Exit
status 2: this is no UDF volume, or a kind that is not supported (partitions must be physical or sparable).
  --list      prints the tree: path, type, size, mode, uid, gid, mtime in microseconds since 1970, links, target of a link or
              numbers of a device, SHA-256 (with --hash); "-" where there is none
  --json      prints one object with everything
  --open      an open integrity descriptor is fine (the volume is mounted, or was when the power failed)
  --kernel    the Linux kernel's driver wrote here too: its ways are warnings wherever they are, and not only in what
              names it as the writer
  --quiet     prints no warnings and no summary"""
import argparse
import json
import os
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is

from udfcheck_parts.ondisc import Image, NotUdf, Report
from udfcheck_parts.tree import Tree
from udfcheck_parts.volume import Volume

FIELDS = ("path", "type", "size", "mode", "uid", "gid", "mtime", "links", "extra", "sha256")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("list", "hash", "json", "no-leaks", "open", "kernel", "quiet"):
        parser.add_argument("--" + name, action="store_true")
    parser.add_argument("image")
    return parser.parse_args()


def check(path, open_allowed, kernel):
    """Volume, tree and report of an image; volume and tree are None when it is no UDF that can be checked."""
    report = Report()
    try:
        volume = Volume(Image(path), report, open_allowed)
    except NotUdf as fault:
        report.error("no-udf", path, str(fault))
        return None, None, report
    tree = Tree(volume, report, kernel)
    tree.check()
    return volume, tree, report


def text_print(options, volume, tree, report):
    out = sys.stdout.buffer
    if options.list and tree:
        for row in tree.listing(options.hash):
            line = "\t".join(str(field).replace("\n", "\\n") for field in row)
            out.write(line.encode("utf-8", "surrogatepass") + b"\n")
    for defect in report.defects:
        if defect["severity"] != "warning" or not options.quiet:
            line = "%(severity)s %(code)s: %(where)s: %(text)s\n" % defect
            out.write(line.encode("utf-8", "surrogatepass"))
    if volume and not options.quiet and not options.list:
        counts = {kind: sum(d["severity"] == kind for d in report.defects) for kind in ("error", "leak", "warning")}
        out.write(("UDF %x.%02x, %d files, %d directories: %d errors, %d leaks, %d warnings\n" % (
            volume.revision >> 8, volume.revision & 0xFF, tree.files, tree.directories, counts["error"], counts["leak"],
            counts["warning"])).encode())


def json_print(options, volume, tree, report):
    result = {"image": options.image, "defects": report.defects}
    if volume:
        result.update(revision="%x.%02x" % (volume.revision >> 8, volume.revision & 0xFF), label=volume.label, files=tree.files,
                      directories=tree.directories, free=[space.free_count for space in tree.spaces],
                      used=[space.used.count(1) for space in tree.spaces], integrity=volume.lvid and
                      ("closed" if volume.lvid["closed"] else "open"))
        if options.list:
            result["tree"] = [dict(zip(FIELDS, row)) for row in tree.listing(options.hash)]
    json.dump(result, sys.stdout, indent=1)
    print()


def main():
    options = arguments()
    if not os.path.isfile(options.image):
        print("udfcheck: %s: no such file" % options.image, file=sys.stderr)
        return 2
    volume, tree, report = check(options.image, options.open, options.kernel)
    (json_print if options.json else text_print)(options, volume, tree, report)
    if not volume:
        return 2
    bad = ("error", "leak") if options.no_leaks else ("error",)
    return 1 if any(defect["severity"] in bad for defect in report.defects) else 0


if __name__ == "__main__":
    sys.exit(main())
