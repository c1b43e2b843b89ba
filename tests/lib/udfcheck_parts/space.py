# SPDX-License-Identifier: MIT
"""Blocks of a partition: who uses them, and what the space bitmap says (ECMA-167 4/14.12)."""
import re
import struct

from udfcheck_parts.ondisc import BLOCK, tag_check

BITS = [bytes(byte >> bit & 1 for bit in range(8)) for byte in range(256)]


class Space:
    """What each block of one partition is used for."""

    def __init__(self, volume, report, part):
        self.volume, self.report, self.part = volume, report, part
        self.blocks = volume.partitions[part].blocks
        self.used = bytearray(self.blocks)
        self.owners = []
        self.free_count = None

    def take(self, first, count, owner):
        """The owner uses these blocks. False when they are not in the partition."""
        if first + count > self.blocks:
            self.report.error("extent-outside", owner, "blocks %d to %d are beyond the partition's end" % (first, first + count - 1))
            return False
        if 1 in self.used[first:first + count]:
            other = next(o for f, c, o in self.owners if f < first + count and first < f + c)
            self.report.error("block-twice", owner, "blocks %d to %d are used by %s too" % (first, first + count - 1, other))
        self.used[first:first + count] = b"\1" * count
        self.owners.append((first, count, owner))
        return True

    def owner_of(self, block):
        return next((o for f, c, o in self.owners if f <= block < f + c), "nothing")

    def bitmap_check(self):
        """Compares the bitmap with the blocks that were taken."""
        partition, report = self.volume.partitions[self.part], self.report
        if not partition.bitmap:
            return
        first, length = partition.bitmap
        where = "partition %d, block %d (SBD)" % (self.part, first)
        self.take(first, -(-length // BLOCK), "space bitmap")
        data = self.volume.read(self.part, first, -(-length // BLOCK))
        if not report.judge(data, "bitmap", where, "not in the partition"):
            return
        if not tag_check(report, data, where, (264,), first, self.volume):
            return
        bits, count = struct.unpack_from("<II", data, 16)
        if not report.judge(bits == self.blocks and count * 8 >= bits and 24 + count <= length, "bitmap", where,
                            "%d bits in %d bytes for %d blocks" % (bits, count, self.blocks)):
            return
        free = b"".join([BITS[byte] for byte in data[24:24 + count]])
        report.judge(1 not in free[bits:], "bitmap-tail", where, "bits beyond the partition's end are set")
        self.free_count = free[:bits].count(1)
        # 0: neither used nor free, 1: free, 2: used, 3: used and free
        states = bytes(map((2).__mul__, self.used))
        states = bytes(map(int.__or__, states, free[:bits]))
        for run in re.finditer(b"\3+", states):
            report.error("block-free", where, "blocks %d to %d are free, but used by %s" %
                         (run.start(), run.end() - 1, self.owner_of(run.start())))
        for run in re.finditer(b"\0+", states):
            report.leak("block-leak", where, "blocks %d to %d are allocated, and nothing uses them" % (run.start(), run.end() - 1))
