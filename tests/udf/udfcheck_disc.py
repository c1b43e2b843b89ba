# SPDX-License-Identifier: MIT
"""Damage for test_udfcheck.py: a volume in memory that can be changed structure by structure, and the list of cases that do."""
import binascii
import collections
import struct

from udfcheck_parts.ondisc import BLOCK, Image, NotUdf, Report
from udfcheck_parts.tree import Tree
from udfcheck_parts.volume import Volume

Case = collections.namedtuple("Case", "code severity volumes change")
CASES = []


def case(code, severity="error", volumes=None):
    """Registers a change to a sound volume, and the defect that it is."""
    def register(change):
        CASES.append(Case(code, severity, volumes, change))
        return change
    return register


SPARABLE = ("cdrw201", "cdrw150")
EXTENDED = ("cdrw201", "hd201")
PLAIN = ("cdrw150",)


class Disc:
    """The image, where its structures are, and its damage."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.sound = f.read()
        self.size = len(self.sound)
        self.restore()
        self.volume, self.tree, _ = self.check()
        self.paths = {path: icb for path, icb in self.tree.rows}
        anchor = 256 * BLOCK
        self.main, self.reserve = [struct.unpack_from("<I", self.data, anchor + at)[0] for at in (20, 28)]
        self.lvid = self.volume.integrity_extent[1]
        self.base = 216 if self.volume.revision >= 0x0200 else 176

    def restore(self):
        self.data = bytearray(self.sound)

    def save(self, path):
        with open(path, "wb") as f:
            f.write(self.data)

    def check(self):
        image = Image.__new__(Image)
        image.blocks, image.map = self.size // BLOCK, bytes(self.data)
        report = Report()
        try:
            volume = Volume(image, report, False)
        except NotUdf as fault:
            report.error("no-udf", "", str(fault))
            return None, None, report
        tree = Tree(volume, report)
        tree.check()
        return volume, tree, report

    def codes(self):
        """The codes found, by severity."""
        found = {"error": set(), "warning": set(), "leak": set()}
        for defect in self.check()[2].defects:
            found[defect["severity"]].add(defect["code"])
        return found

    def metadata_blocks(self):
        start = self.volume.partitions[0].start
        return ([16, 17, 18, 256, self.lvid] + list(range(self.main, self.main + 6)) + list(range(self.reserve, self.reserve + 6)) +
                self.volume.partitions[0].tables + [start, start + self.volume.fileset[1]] +
                [start + address[1] for address in self.tree.icbs])

    def retag(self, at):
        """Makes CRC and checksum fit what is there now."""
        length = struct.unpack_from("<H", self.data, at + 10)[0]
        struct.pack_into("<H", self.data, at + 8, binascii.crc_hqx(bytes(self.data[at + 16:at + 16 + length]), 0))
        self.data[at + 4] = (sum(self.data[at:at + 16]) - self.data[at + 4]) & 0xFF

    def put(self, at, value, tag=None):
        """Bytes at a byte of the image; tag: where the descriptor begins whose tag is to fit."""
        self.data[at:at + len(value)] = value
        if tag is not None:
            self.retag(tag)

    def block_put(self, block, offset, value):
        self.put(block * BLOCK + offset, value, block * BLOCK)

    def both_put(self, index, offset, value):
        """Into a descriptor of both sequences: 0 PVD, 1 LVD, 2 PD, 3 USD, 4 IUVD, 5 TD."""
        self.block_put(self.main + index, offset, value)
        self.block_put(self.reserve + index, offset, value)

    def icb_at(self, path):
        """Byte of the image at which a file's ICB begins."""
        part, block = self.paths[path].address
        return self.volume.partitions[part].place(block)[0] * BLOCK

    def icb_put(self, path, offset, value):
        self.put(self.icb_at(path) + offset, value, self.icb_at(path))

    def icb_own(self, path):
        """The ICB's writer is another than the kernel, whose ways are excused."""
        self.icb_put(path, self.base - 48 + 1, b"*packetfs\0\0\0")

    def ads_at(self, path):
        """Byte of the image at which the allocation descriptors begin, and how many bytes they are."""
        at = self.icb_at(path)
        attributes, length = struct.unpack_from("<II", self.data, at + self.base - 8)
        return at + self.base + attributes, length

    def step(self, path):
        """Bytes of one allocation descriptor."""
        return 16 if self.data[self.icb_at(path) + 34] & 7 else 8

    def ad_put(self, path, index, length=None, block=None):
        """Changes the allocation descriptor with this number, counted from the last in the ICB when negative."""
        at, size = self.ads_at(path)
        at += self.step(path) * index + (size if index < 0 else 0)
        if length is not None:
            self.put(at, u32(length))
        if block is not None:
            self.put(at + 4, u32(block))
        self.retag(self.icb_at(path))

    def aed_at(self, path):
        """Byte of the image of the first allocation extent descriptor."""
        at, length = self.ads_at(path)
        return self.volume.partitions[0].place(self.number(at + length - self.step(path) + 4))[0] * BLOCK

    def fid_at(self, folder, name):
        """Byte of the image at which an entry begins; name "" is the parent."""
        icb = self.paths[folder]
        pieces, data = [], b"".join(self.tree.reader.contents(icb))
        if icb.embedded is not None:
            pieces.append((self.ads_at(folder)[0], len(data)))
        for length, _, part, block in icb.extents:
            pieces.append((self.volume.partitions[part].place(block)[0] * BLOCK, length))
        raw = b"\x08" + name.encode("latin-1") if name else b""
        at = 0
        while at < len(data):
            use = struct.unpack_from("<H", data, at + 36)[0]
            found = data[at + 38 + use:at + 38 + use + data[at + 19]]
            if found == raw and not data[at + 18] & 4:
                break
            at += (38 + use + data[at + 19] + 3) & ~3
        for start, length in pieces:
            if at < length:
                return start + at
            at -= length
        raise KeyError(name)

    def fid_put(self, folder, name, offset, value):
        at = self.fid_at(folder, name)
        self.put(at + offset, value, at)
        if self.paths[folder].embedded is not None:
            self.retag(self.icb_at(folder))

    def number(self, at, size=4):
        return int.from_bytes(self.data[at:at + size], "little")

    def add(self, at, amount, size=4):
        return (self.number(at, size) + amount).to_bytes(size, "little")

    def bitmap_flip(self, block):
        first = self.volume.partitions[0].place(self.volume.partitions[0].bitmap[0])[0]
        self.data[first * BLOCK + 24 + block // 8] ^= 1 << block % 8

    def leak(self):
        """Two blocks that nothing uses are not free, and the count of free ones agrees."""
        last = self.volume.partitions[0].blocks
        for block in (last - 9, last - 8):
            self.bitmap_flip(block)
        self.block_put(self.lvid, 80, self.add(self.lvid * BLOCK + 80, -2))

    def spare_put(self, index, original, mapped, tables=None):
        for block in tables or self.volume.partitions[0].tables:
            self.block_put(block, 56 + 8 * index, struct.pack("<II", original, mapped))


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)
