# SPDX-License-Identifier: MIT
"""Damage to file entries, extended attributes, directories and unique ids."""
import struct

from udfcheck_disc import BLOCK, EXTENDED, PLAIN, case, u16, u32, u64

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
