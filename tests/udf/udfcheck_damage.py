# SPDX-License-Identifier: MIT
"""Damage for test_udfcheck.py: a volume in memory that can be changed structure by structure, and a case a kind of defect."""
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


# Tags: shown on a file's ICB, they are judged by one function everywhere.

@case("tag-checksum")
def _(d):
    "checksum of a tag"
    d.data[d.icb_at("/d1/big") + 4] ^= 1


@case("tag-crc")
def _(d):
    "a byte under the CRC"
    d.data[d.icb_at("/d1/big") + 56] ^= 1


@case("tag-crc")
def _(d):
    "a CRC over more than there is"
    d.put(d.icb_at("/d1/big") + 10, u16(4000))
    d.data[d.icb_at("/d1/big") + 4] = (sum(d.data[d.icb_at("/d1/big"):][:16]) - d.data[d.icb_at("/d1/big") + 4]) & 0xFF


@case("tag-location")
def _(d):
    "location of a tag"
    d.icb_put("/d1/big", 12, u32(7))


@case("tag-version")
def _(d):
    "descriptor version"
    d.icb_put("/d1/big", 2, u16(5 - d.volume.tag_version))


@case("tag-kind")
def _(d):
    "kind of descriptor"
    d.icb_put("/d1/big", 0, u16(263))


@case("tag-reserved")
def _(d):
    "reserved byte of a tag"
    d.icb_put("/d1/big", 5, b"\1")


@case("tag-crc-length")
def _(d):
    "a CRC over too little"
    d.icb_put("/d1/big", 10, u16(100))


@case("tag-serial", "warning")
def _(d):
    "serial number"
    d.icb_put("/d1/big", 6, u16(99))


# The volume.

@case("vrs")
def _(d):
    "no TEA01"
    d.put(18 * BLOCK, bytes(BLOCK))


@case("vrs")
def _(d):
    "NSR of another version"
    d.put(17 * BLOCK + 5, b"3" if d.volume.tag_version == 2 else b"2")


@case("anchor")
def _(d):
    "one anchor only"
    d.put(256 * BLOCK, bytes(BLOCK))
    d.put((d.size // BLOCK - 257) * BLOCK, bytes(BLOCK))


@case("anchor")
def _(d):
    "anchors that differ"
    d.block_put(d.size // BLOCK - 1, 16, u32(20 * BLOCK))


@case("tag-crc")
def _(d):
    "a damaged anchor"
    d.data[256 * BLOCK + 20] ^= 1


@case("no-udf")
def _(d):
    "no anchor"
    for block in (256, d.size // BLOCK - 257, d.size // BLOCK - 1):
        d.put(block * BLOCK, bytes(BLOCK))


@case("no-udf")
def _(d):
    "no logical volume"
    d.put((d.main + 1) * BLOCK, bytes(BLOCK))
    d.put((d.reserve + 1) * BLOCK, bytes(BLOCK))


@case("sequence")
def _(d):
    "sequences that differ"
    d.block_put(d.reserve, 16, u32(77))


@case("sequence")
def _(d):
    "a damaged descriptor in one sequence"
    d.data[(d.main + 2) * BLOCK + 100] ^= 1


@case("sequence")
def _(d):
    "no terminator"
    d.put((d.reserve + 5) * BLOCK, bytes(BLOCK))


@case("sequence")
def _(d):
    "a short sequence"
    for block in (256, d.size // BLOCK - 257, d.size // BLOCK - 1):
        d.block_put(block, 16, u32(15 * BLOCK))


@case("sequence")
def _(d):
    "no *UDF LV Info"
    d.both_put(4, 21, b"*UDF LV Stuff")


@case("label")
def _(d):
    "another name in *UDF LV Info"
    d.both_put(4, 117, b"x")


@case("volume-set")
def _(d):
    "a short volume set id"
    d.both_put(0, 72, bytes(128))


@case("charspec")
def _(d):
    "another character set"
    d.both_put(1, 21, b"x")


@case("dstring")
def _(d):
    "length of a string"
    d.both_put(0, 24 + 31, b"\40")


@case("dstring")
def _(d):
    "rubbish behind a string"
    d.both_put(0, 24 + 30, b"x")


@case("time")
def _(d):
    "month 13"
    d.both_put(0, 376 + 4, b"\15")


@case("domain")
def _(d):
    "another domain"
    d.both_put(1, 217, b"x")


@case("no-udf")
def _(d):
    "blocks of another size"
    d.both_put(1, 212, u32(512))


@case("map")
def _(d):
    "length of the map table"
    d.both_put(1, 264, u32(100))


@case("map", volumes=SPARABLE)
def _(d):
    "one sparing table"
    d.both_put(1, 440 + 42, b"\1")


@case("partition")
def _(d):
    "not marked as allocated"
    d.both_put(2, 20, u16(0))


@case("partition")
def _(d):
    "contents of another NSR"
    d.both_put(2, 25, b"+NSR04")


@case("partition", volumes=SPARABLE)
def _(d):
    "length in whole packets"
    d.both_put(2, 192, u32(d.volume.partitions[0].blocks - 1))


@case("no-udf")
def _(d):
    "a partition beyond the end"
    d.both_put(2, 192, u32(1 << 30))


@case("space-method")
def _(d):
    "neither bitmap nor table"
    d.both_put(2, 64, bytes(8))


@case("overlap")
def _(d):
    "integrity sequence in the partition"
    start = d.volume.partitions[0].start
    d.put((start + 3000) * BLOCK, d.data[d.lvid * BLOCK:(d.lvid + 1) * BLOCK])
    d.block_put(start + 3000, 12, u32(start + 5000))
    d.both_put(1, 436, u32(start + 3000))


# Sparing.

@case("sparing-differ", volumes=SPARABLE)
def _(d):
    "tables that differ"
    d.spare_put(0, 0xFFFFFFFF, 320, d.volume.partitions[0].tables[:1])


@case("sparing-differ", volumes=SPARABLE)
def _(d):
    "sequence numbers that differ"
    d.block_put(d.volume.partitions[0].tables[1], 52, u32(5))


@case("sparing-order", volumes=SPARABLE)
def _(d):
    "entries out of order"
    d.spare_put(3, 64, 288 + 3 * 32)


@case("sparing", volumes=SPARABLE)
def _(d):
    "an entry that is no packet"
    d.spare_put(0, 33, 288)


@case("sparing", volumes=SPARABLE)
def _(d):
    "a spare that is no packet"
    d.spare_put(0, 0, 289)


@case("sparing", volumes=SPARABLE)
def _(d):
    "a spare named twice"
    d.spare_put(1, 0xFFFFFFFF, 288)


@case("sparing", volumes=SPARABLE)
def _(d):
    "a packet moved twice"
    d.spare_put(0, 0, 288)
    d.spare_put(1, 0, 320)


@case("overlap", volumes=SPARABLE)
def _(d):
    "a spare in the partition"
    d.spare_put(31, 0xFFFFFFFF, d.volume.partitions[0].start + 6400)


@case("tag-crc", volumes=SPARABLE)
def _(d):
    "a damaged table"
    d.data[d.volume.partitions[0].tables[1] * BLOCK + 60] ^= 1


@case("no-udf", volumes=SPARABLE)
def _(d):
    "no table left"
    for block in d.volume.partitions[0].tables:
        d.data[block * BLOCK + 60] ^= 1


@case("tag-checksum", volumes=SPARABLE)
def _(d):
    "a spare in use that does not hold the packet"
    d.spare_put(0, d.volume.fileset[1] // 32 * 32, 288)
    d.put(288 * BLOCK, b"x" * BLOCK)


# Integrity.

@case("integrity-open")
def _(d):
    "left open"
    d.block_put(d.lvid, 28, u32(0))


@case("integrity")
def _(d):
    "no descriptor"
    d.put(d.lvid * BLOCK, bytes(BLOCK))


@case("integrity")
def _(d):
    "implementation use"
    d.block_put(d.lvid, 76, u32(45))


@case("integrity-size")
def _(d):
    "size of the partition"
    d.block_put(d.lvid, 84, u32(5))


@case("integrity-revision")
def _(d):
    "revisions"
    d.block_put(d.lvid, 80 + 8 + 40, u16(0x0260))


@case("count-files")
def _(d):
    "files"
    d.block_put(d.lvid, 80 + 8 + 32, d.add(d.lvid * BLOCK + 80 + 8 + 32, 3))


@case("count-directories")
def _(d):
    "directories"
    d.block_put(d.lvid, 80 + 8 + 36, d.add(d.lvid * BLOCK + 80 + 8 + 36, 1))


@case("count-free")
def _(d):
    "free blocks"
    d.block_put(d.lvid, 80, d.add(d.lvid * BLOCK + 80, 1))


@case("unique-id-next")
def _(d):
    "next unique id"
    d.block_put(d.lvid, 40, u64(20))


# The space bitmap.

@case("block-free")
def _(d):
    "a block in use marked as free"
    d.bitmap_flip(d.paths["/d1/big"].extents[0][3] + 3)


@case("block-leak", "leak")
def _(d):
    "a free block marked as allocated"
    d.bitmap_flip(d.volume.partitions[0].blocks - 9)


@case("bitmap")
def _(d):
    "number of bits"
    block = d.volume.partitions[0].place(d.volume.partitions[0].bitmap[0])[0]
    d.block_put(block, 16, u32(d.volume.partitions[0].blocks - 8))


@case("bitmap-tail")
def _(d):
    "a bit beyond the end"
    block = d.volume.partitions[0].place(d.volume.partitions[0].bitmap[0])[0]
    bits = d.volume.partitions[0].blocks
    d.block_put(block, 20, u32(-(-bits // 8) + 1))
    d.data[block * BLOCK + 24 + -(-bits // 8)] = 1


@case("block-twice")
def _(d):
    "two files with one block"
    d.ad_put("/many/medium", 0, block=d.paths["/d1/big"].extents[0][3])


# The file set.

@case("fsd")
def _(d):
    "a further file set"
    d.block_put(d.volume.partitions[0].place(d.volume.fileset[1])[0], 448, u32(BLOCK))


@case("domain")
def _(d):
    "domain of the file set"
    d.block_put(d.volume.partitions[0].place(d.volume.fileset[1])[0], 416 + 24, u16(0x0102))


@case("label")
def _(d):
    "name in the file set"
    d.block_put(d.volume.partitions[0].place(d.volume.fileset[1])[0], 113, b"x")


@case("icb-outside")
def _(d):
    "the root beyond the partition"
    d.block_put(d.volume.partitions[0].place(d.volume.fileset[1])[0], 404, u32(1 << 30))


@case("icb-type")
def _(d):
    "a root that is a file"
    d.block_put(d.volume.partitions[0].place(d.volume.fileset[1])[0], 404, u32(d.paths["/d1/big"].address[1]))


# File entries.

@case("icb-bounds")
def _(d):
    "more descriptors than a block has"
    d.icb_put("/d1/big", d.base - 4, u32(4000))


@case("icb-kind")
def _(d):
    "FE and EFE"
    d.icb_put("/many/f2", 0, u16(261 if d.base == 216 else 266))


@case("icb-tag")
def _(d):
    "another strategy"
    d.icb_put("/d1/big", 20, u16(4096))


@case("icb-parent")
def _(d):
    "a parent ICB"
    d.icb_put("/d1/big", 28, u32(5))


@case("icb-type")
def _(d):
    "another file type"
    d.icb_put("/d1/big", 27, b"\3")


@case("icb-record")
def _(d):
    "record format"
    d.icb_put("/d1/big", 50, b"\1")


@case("permissions")
def _(d):
    "reserved permission bits"
    d.icb_put("/d1/big", 44, u32(0x8000))


@case("permissions", "warning")
def _(d):
    "write without delete"
    d.icb_put("/d1/big", 44, u32(0x0842))


@case("time")
def _(d):
    "time of a file"
    d.icb_put("/d1/big", (80 if d.base == 216 else 72) + 12 + 6, b"\30")


@case("checkpoint")
def _(d):
    "checkpoint 0"
    d.icb_put("/d1/big", 128 if d.base == 216 else 108, u32(0))


@case("ea-icb")
def _(d):
    "an ICB of attributes"
    d.icb_put("/d1/big", 136 if d.base == 216 else 112, u32(BLOCK))


@case("padding")
def _(d):
    "rubbish behind the descriptors"
    d.icb_own("/d1/big")
    d.data[d.icb_at("/d1/big") + 2000] = 1


@case("size")
def _(d):
    "a size beyond the extents"
    d.icb_put("/d1/big", 56, u64(4000000))


@case("size")
def _(d):
    "a size in the middle of the extents"
    d.icb_put("/d1/big", 56, u64(5000))


@case("size")
def _(d):
    "a size that is not that of the embedded contents"
    d.icb_put("/d1/dots", 56, u64(7))


@case("extent-rounded")
def _(d):
    "a last extent longer than the contents"
    d.icb_own("/d1/sparse")


@case("size-object", volumes=EXTENDED)
def _(d):
    "object size"
    d.icb_put("/d1/big", 64, u64(3000001))


@case("blocks-recorded")
def _(d):
    "blocks recorded"
    d.icb_own("/d1/big")
    d.icb_put("/d1/big", 72 if d.base == 216 else 64, u64(1))


@case("ad-kind")
def _(d):
    "extended allocation descriptors"
    d.icb_put("/d1/big", 34, u16(2))


@case("ad-bounds")
def _(d):
    "half an allocation descriptor"
    d.icb_put("/d1/frag2", d.base - 4, d.add(d.icb_at("/d1/frag2") + d.base - 4, -4))


@case("ad-end")
def _(d):
    "something behind the last allocation descriptor"
    d.icb_own("/d1/frag2")
    d.ad_put("/d1/frag2", 5, length=0)


@case("extent-outside")
def _(d):
    "an extent beyond the partition"
    d.ad_put("/many/medium", 0, block=d.volume.partitions[0].blocks - 1)


@case("extent-interior")
def _(d):
    "half a block in the middle"
    d.ad_put("/d1/frag2", 2, length=1000)


@case("extent-hole")
def _(d):
    "a hole with a place"
    d.ad_put("/many/medium", 0, length=2 << 30 | 5000)


@case("extent-tail")
def _(d):
    "a recorded extent behind the end"
    at, length = d.ads_at("/many/medium")
    block = d.volume.partitions[0].blocks - 64
    d.put(at + length, struct.pack("<II", BLOCK, block))
    d.icb_put("/many/medium", d.base - 4, u32(length + d.step("/many/medium")))
    d.icb_put("/many/medium", 10, d.add(d.icb_at("/many/medium") + 10, d.step("/many/medium"), 2))


@case("aed")
def _(d):
    "a continuation that is not there"
    d.ad_put("/d1/frag1", -1, block=d.volume.partitions[0].blocks)


@case("aed")
def _(d):
    "a continuation of too many bytes"
    d.put(d.aed_at("/d1/frag1") + 20, u32(3000), d.aed_at("/d1/frag1"))


@case("aed")
def _(d):
    "continuations in a circle"
    at, length = d.ads_at("/d1/frag1")
    aed = d.aed_at("/d1/frag1")
    d.put(aed + 24, d.data[at + length - d.step("/d1/frag1"):at + length], aed)


@case("tag-crc")
def _(d):
    "a damaged continuation"
    d.data[d.aed_at("/d1/frag1") + 20] ^= 1


@case("aed-previous")
def _(d):
    "a continuation that names the one before"
    d.icb_own("/d1/frag1")
    d.put(d.aed_at("/d1/frag1") + 16, u32(1), d.aed_at("/d1/frag1"))


# Extended attributes.

@case("ea-device")
def _(d):
    "a device without numbers"
    d.icb_put("/d1/null", d.base + 24, u32(13))


@case("ea-bounds")
def _(d):
    "an attribute of no length"
    d.icb_put("/d1/null", d.base + 24 + 8, u32(0))


@case("ea-kind")
def _(d):
    "an attribute of another subtype"
    d.icb_put("/d1/null", d.base + 24 + 4, b"\2")


@case("ea-area")
def _(d):
    "an area beyond the end"
    d.icb_own("/d1/null")
    d.put(d.icb_at("/d1/null") + d.base + 16, u32(5000), d.icb_at("/d1/null") + d.base)
    d.retag(d.icb_at("/d1/null"))


@case("ea-area", volumes=PLAIN)
def _(d):
    "absent areas as from 2.00 on"
    d.icb_own("/d1/null")


@case("tag-location")
def _(d):
    "location of the attributes"
    d.put(d.icb_at("/d1/null") + d.base + 12, u32(1), d.icb_at("/d1/null") + d.base)
    d.retag(d.icb_at("/d1/null"))


# Directories.

@case("tag-location")
def _(d):
    "location of an entry"
    d.fid_put("/many", "g2", 12, u32(1))


@case("fid-bounds")
def _(d):
    "an entry longer than the directory"
    d.fid_put("/d1", "fifo", 36, u16(60000))


@case("fid-version")
def _(d):
    "file version"
    d.fid_put("/many", "g2", 16, u16(2))


@case("fid-flags")
def _(d):
    "characteristics"
    d.fid_put("/many", "g2", 18, b"\x40")


@case("fid-directory")
def _(d):
    "a file named as a directory"
    d.fid_put("/many", "g2", 18, b"\2")


@case("fid-directory")
def _(d):
    "a directory named as a file"
    d.fid_put("/", "d1", 18, b"\0")


@case("fid-icb")
def _(d):
    "no ICB"
    d.fid_put("/many", "g2", 20, u32(0))


@case("fid-padding")
def _(d):
    "rubbish behind the name"
    d.icb_own("/many")
    d.fid_put("/many", "medium", 38 + 7, b"x")


@case("icb-outside")
def _(d):
    "an ICB beyond the partition"
    d.fid_put("/many", "g2", 24, u32(d.volume.partitions[0].blocks))


@case("tag-kind")
def _(d):
    "an ICB that is something else"
    d.fid_put("/many", "g2", 24, u32(d.volume.fileset[1]))


@case("name")
def _(d):
    "compression id"
    d.fid_put("/many", "g2", 38, b"\7")


@case("name")
def _(d):
    "compression id of deleted names"
    d.fid_put("/many", "g2", 38, b"\xFE")


@case("name")
def _(d):
    "a slash"
    d.fid_put("/many", "g2", 39, b"/")


@case("name-twice")
def _(d):
    "one name twice"
    d.fid_put("/many", "g2", 40, b"3")


@case("name-wide", "warning")
def _(d):
    "16 bits where 8 do"
    d.fid_put("/many", "f8", 38, b"\x10\0f")


@case("links")
def _(d):
    "link count"
    d.icb_put("/d1/small", 48, u16(1))


@case("links")
def _(d):
    "link count of a directory"
    d.icb_put("/d1", 48, u16(1))


@case("links")
def _(d):
    "a name less"
    d.fid_put("/d1/d2", "hard", 18, b"\4")


@case("directory-twice")
def _(d):
    "a directory with two names"
    d.fid_put("/", "empty", 24, u32(d.paths["/d1/d2"].address[1]))


@case("block-leak", "leak")
def _(d):
    "a file without a name"
    d.fid_put("/many", "g2", 18, b"\4")


@case("parent")
def _(d):
    "no parent entry"
    d.fid_put("/d1", "", 18, b"\2")


@case("parent")
def _(d):
    "a parent that is another directory"
    d.fid_put("/d1/d2", "", 24, u32(d.paths["/"].address[1]))


@case("parent")
def _(d):
    "a second parent entry"
    d.fid_put("/d1", "fifo", 18, b"\x0A")


@case("parent")
def _(d):
    "a directory with nothing in it"
    d.icb_put("/empty", 56, u64(0))
    d.icb_put("/empty", d.base - 4, u32(0))


@case("parent-id", volumes=EXTENDED)
def _(d):
    "unique id of the parent"
    d.icb_own("/d1/d2")
    d.fid_put("/d1/d2", "", 32, u32(9999))


@case("directory-hole")
def _(d):
    "a directory that is not recorded"
    d.ad_put("/many", 0, length=1 << 30 | BLOCK)


@case("link")
def _(d):
    "a symbolic link of another kind of component"
    d.put(d.ads_at("/d1/dots")[0], b"\x09", d.icb_at("/d1/dots"))


# Unique ids.

def unique_at(d):
    return 200 if d.base == 216 else 160


@case("unique-id")
def _(d):
    "one unique id twice"
    at = unique_at(d)
    d.icb_put("/d1/big", at, d.data[d.icb_at("/d1/fifo") + at:][:8])


@case("unique-id")
def _(d):
    "a reserved unique id"
    d.icb_put("/d1/big", unique_at(d), u64(3))


@case("unique-id")
def _(d):
    "unique id of the root"
    d.icb_put("/", unique_at(d), u64(3000))


@case("unique-id-name", volumes=EXTENDED)
def _(d):
    "an entry of a directory with another unique id"
    d.fid_put("/", "d1", 32, u32(15))


@case("unique-id-name", "warning", volumes=EXTENDED)
def _(d):
    "no name with the file's unique id"
    d.fid_put("/many", "g2", 32, u32(15))


@case("unique-id-name", volumes=EXTENDED)
def _(d):
    "two names with one unique id"
    d.fid_put("/many", "g2", 32, d.data[d.fid_at("/many", "g3") + 32:][:4])


@case("unique-id", volumes=EXTENDED)
def _(d):
    "unique id of the system stream directory"
    fsd = d.volume.partitions[0].place(d.volume.fileset[1])[0]
    block = d.number(fsd * BLOCK + 468)
    d.block_put(d.volume.partitions[0].place(block)[0], 200, u64(50))
