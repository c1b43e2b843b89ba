# SPDX-License-Identifier: MIT
"""Damage to tags, to the volume's own structures, to the space bitmap and to the file set."""
from udfcheck_disc import BLOCK, SPARABLE, case, u16, u32, u64

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
