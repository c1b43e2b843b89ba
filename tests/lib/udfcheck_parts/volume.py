# SPDX-License-Identifier: MIT
"""The volume as a whole: recognition, anchors, descriptor sequences, integrity, sparing (ECMA-167 parts 2 and 3)."""
import struct

from udfcheck_parts.ondisc import (BLOCK, NotUdf, Tag, charspec_check, dstring_check, extent_ad, regid, tag_check, tag_fault,
                                   time_check)

REVISIONS = (0x0102, 0x0150, 0x0200, 0x0201, 0x0250, 0x0260)
SPARE_FREE, SPARE_BAD = 0xFFFFFFFF, 0xFFFFFFF0


class Partition:
    """A partition as the map table numbers it."""

    def __init__(self, number, packet, tables, table_bytes):
        self.number, self.packet, self.tables, self.table_bytes = number, packet, tables, table_bytes
        self.start = self.blocks = 0
        self.bitmap = None  # (first block, bytes) of the unallocated space bitmap
        self.spares = {}    # packet's first block in the partition: absolute block

    def place(self, block):
        """Absolute block, and how many from there on are contiguous at least."""
        if not self.spares:
            return self.start + block, self.blocks - block
        into = block % self.packet
        spare = self.spares.get(block - into)
        return (self.start + block if spare is None else spare + into), self.packet - into


class Volume:
    """Everything about the volume that the file structure is read with."""

    def __init__(self, image, report, open_allowed):
        self.image, self.report, self.open_allowed = image, report, open_allowed
        self.tag_version = self.serial = self.revision = 0
        self.label, self.partitions, self.reserved = "", [], []
        self.lvid = None
        nsr = self.recognition()
        anchors = self.anchors(nsr)
        self.sequences(anchors, nsr)
        self.sparing()
        self.integrity()
        self.overlaps()

    def read(self, part, block, count=1):
        """Blocks of a partition, or None where there are none."""
        if part >= len(self.partitions):
            return None
        partition = self.partitions[part]
        if count < 0 or block + count > partition.blocks:
            return None
        pieces = []
        while count:
            at, run = partition.place(block)
            run = min(run, count)
            piece = self.image.read(at, run)
            if piece is None:
                return None
            pieces.append(piece)
            block, count = block + run, count - run
        return b"".join(pieces)

    def occupy(self, first, count, what):
        self.reserved.append((first, first + count, what))

    def recognition(self):
        """The volume recognition sequence. Returns NSR's version, or 0."""
        report, found = self.report, []
        for block in range(16, 80):
            data = self.image.read(block)
            if data is None or not any(data):
                break
            ident = data[1:6]
            if ident in (b"BEA01", b"NSR02", b"NSR03", b"TEA01", b"BOOT2"):
                report.judge(data[0] == 0 and data[6] == 1, "vrs", "block %d" % block, "type or version of %s is wrong" % ident)
            elif ident not in (b"CD001", b"CDW02"):
                break
            found.append(ident)
        self.occupy(16, len(found), "volume recognition sequence")
        names = [ident for ident in found if ident not in (b"CD001", b"CDW02", b"BOOT2")]
        nsr = 3 if b"NSR03" in names else 2 if b"NSR02" in names else 0
        if names not in ([b"BEA01", b"NSR02", b"TEA01"], [b"BEA01", b"NSR03", b"TEA01"]):
            report.error("vrs", "block 16", "volume recognition sequence is %s" % (b" ".join(found).decode("latin-1") or "missing"))
        return nsr

    def anchors(self, nsr):
        last = self.image.blocks - 1
        found = []
        for block in (256, last - 256, last):
            data = self.image.read(block)
            if data is None or not any(data):
                continue
            if tag_fault(data) and data[:2] != b"\2\0":
                continue
            self.occupy(block, 1, "anchor")
            if tag_check(self.report, data[:512], "block %d (AVDP)" % block, (2,), block, None):
                found.append((block, data))
        if not found:
            if nsr:
                self.report.error("anchor", "block 256", "no anchor")
            raise NotUdf("no anchor at blocks 256, N - 256 and N" if nsr else "no UDF volume")
        self.report.judge(len(found) >= 2, "anchor", "block %d" % found[0][0], "the only anchor; two of three places must have one")
        for block, data in found[1:]:
            self.report.judge(data[16:512] == found[0][1][16:512], "anchor", "block %d" % block, "differs from the first anchor")
        self.serial = Tag(found[0][1]).serial
        self.tag_version = Tag(found[0][1]).version
        return found[0][1]

    def sequence(self, extent, what):
        """Descriptors of a sequence by kind, and the block of each."""
        length, first = extent
        found, ended = {}, False
        self.report.judge(length >= 16 * BLOCK, "sequence", what, "extent of %d bytes; at least 16 blocks" % length)
        self.occupy(first, length // BLOCK, what)
        for block in range(first, first + length // BLOCK):
            data = self.image.read(block)
            if data is None or not any(data):
                break
            where = "block %d (%s)" % (block, what)
            tag = tag_check(self.report, data[:2048], where, (1, 3, 4, 5, 6, 7, 8), block, self)
            if not tag:
                break
            if tag.id == 8:
                ended = True
                break
            key = (tag.id, regid(data, 20)[0] if tag.id == 4 else struct.unpack_from("<H", data, 22)[0] if tag.id == 5 else 0)
            number = struct.unpack_from("<I", data, 16)[0]
            if key not in found or number >= found[key][0]:
                found[key] = (number, data, where)
        self.report.judge(ended, "sequence", what, "no terminating descriptor")
        return found

    def sequences(self, anchor, nsr):
        main = self.sequence(extent_ad(anchor, 16), "main sequence")
        reserve = self.sequence(extent_ad(anchor, 24), "reserve sequence")
        for key in sorted(set(main) | set(reserve)):
            name = Tag((main.get(key) or reserve[key])[1]).name()
            if key not in main or key not in reserve:
                self.report.error("sequence", "%s sequence" % ("main" if key not in main else "reserve"), "has no %s" % name)
            elif main[key][1][16:] != reserve[key][1][16:]:
                self.report.error("sequence", reserve[key][2], "%s differs from the main one" % name)
        best = dict(reserve)
        best.update(main)
        kinds = {key[0] for key in best}
        for kind, name in ((1, "PVD"), (5, "PD"), (6, "LVD"), (7, "USD")):
            self.report.judge(kind in kinds, "sequence", "main sequence", "no %s" % name)
        if 6 not in kinds or 5 not in kinds:
            raise NotUdf("no logical volume")
        if 1 in kinds:
            self.primary(*best[(1, 0)][1:])
        self.logical(*best[(6, 0)][1:])
        self.report.judge(nsr == (2 if self.revision < 0x0200 else 3), "vrs", "block 16", "NSR0%d with UDF revision %x" %
                          (nsr, self.revision))
        self.report.judge(self.tag_version == (2 if self.revision < 0x0200 else 3), "tag-version", "anchor",
                          "descriptor version %d with UDF revision %x" % (self.tag_version, self.revision))
        for partition in self.partitions:
            if (5, partition.number) not in best:
                raise NotUdf("no descriptor of partition %d" % partition.number)
            self.partition(partition, *best[(5, partition.number)][1:])
        if (4, b"*packetfs journal") in best:
            self.journal(best[(4, b"*packetfs journal")][1])
        if not self.report.judge((4, b"*UDF LV Info") in best, "sequence", "main sequence", "no *UDF LV Info"):
            return
        _, data, where = best[(4, b"*UDF LV Info")]
        charspec_check(self.report, data[52:116], where, "LV info")
        self.report.judge(dstring_check(self.report, data[116:244], where, "logical volume id") == self.label, "label", where,
                          "names another logical volume than the LVD")

    def journal(self, data):
        """packetfs keeps two areas of whole packets outside the partition (docs/design.md): they are in nobody's way."""
        _, packet, log, log_packets, images, images_packets = struct.unpack_from("<6I", data, 52)
        self.occupy(log, log_packets * packet, "journal's log")
        self.occupy(images, images_packets * packet, "journal's images")

    def primary(self, data, where):
        dstring_check(self.report, data[24:56], where, "volume id")
        unique = dstring_check(self.report, data[72:200], where, "volume set id")
        self.report.judge(len(unique) >= 16, "volume-set", where, "volume set id has fewer than 16 characters")
        charspec_check(self.report, data[200:264], where, "descriptor")
        charspec_check(self.report, data[264:328], where, "explanatory")
        time_check(self.report, data[376:388], where, "recording time")

    def logical(self, data, where):
        report = self.report
        charspec_check(report, data[20:84], where, "descriptor")
        self.label = dstring_check(report, data[84:212], where, "logical volume id")
        size = struct.unpack_from("<I", data, 212)[0]
        if size != BLOCK:
            raise NotUdf("blocks of %d bytes" % size)
        ident, suffix = regid(data, 216)
        report.judge(ident == b"*OSTA UDF Compliant", "domain", where, "domain is %r" % ident)
        self.revision = struct.unpack_from("<H", suffix)[0]
        report.judge(self.revision in REVISIONS, "domain", where, "UDF revision %x" % self.revision)
        self.fileset = struct.unpack_from("<IIH", data, 248)
        self.integrity_extent = extent_ad(data, 432)
        length, count = struct.unpack_from("<II", data, 264)
        at, end = 440, 440 + length
        for _ in range(count):
            if at + 2 > min(end, len(data)) or data[at + 1] < 6 or at + data[at + 1] > end:
                raise NotUdf("the partition maps make no sense")
            self.partitions.append(self.map_read(data[at:at + data[at + 1]], where))
            at += data[at + 1]
        report.judge(at == end, "map", where, "map table of %d bytes has maps of %d" % (length, at - 440))

    def map_read(self, data, where):
        if data[0] == 1 and len(data) == 6:
            return Partition(struct.unpack_from("<H", data, 4)[0], 0, [], 0)
        kind = regid(data, 4)[0]
        if data[0] != 2 or kind != b"*UDF Sparable Partition":
            raise NotUdf("a partition of kind %r is not supported" % kind)
        number, packet, count, table_bytes = struct.unpack_from("<HHBxI", data, 38)
        self.report.judge(1 <= count <= 4, "map", where, "%d sparing tables" % count)
        self.report.judge(count >= 2, "map", where, "fewer than two sparing tables")
        self.report.judge(packet in (16, 32), "map", where, "packets of %d blocks" % packet)
        return Partition(number, packet or 1, list(struct.unpack_from("<%dI" % min(count, 4), data, 48)), table_bytes)

    def partition(self, partition, data, where):
        report = self.report
        report.judge(struct.unpack_from("<H", data, 20)[0] & 1, "partition", where, "not marked as allocated")
        want = b"+NSR02" if self.revision < 0x0200 else b"+NSR03"
        report.judge(regid(data, 24)[0] == want, "partition", where, "contents %r, not %r" % (regid(data, 24)[0], want))
        report.judge(struct.unpack_from("<I", data, 184)[0] in (0, 1, 2, 3, 4), "partition", where, "access type")
        partition.start, partition.blocks = struct.unpack_from("<II", data, 188)
        self.occupy(partition.start, partition.blocks, "partition")
        if partition.packet:
            report.judge(partition.start % partition.packet == 0 and partition.blocks % partition.packet == 0, "partition",
                         where, "%d blocks from %d on are no whole packets" % (partition.blocks, partition.start))
        if not report.judge(partition.start + partition.blocks <= self.image.blocks, "partition", where,
                            "ends beyond the image, at %d" % (partition.start + partition.blocks)):
            raise NotUdf("the partition does not lie in the image")
        table, bitmap, _, freed_table, freed_bitmap = [struct.unpack_from("<II", data, 56 + 8 * i) for i in range(5)]
        if bitmap[0]:
            partition.bitmap = (bitmap[1], bitmap[0] & 0x3FFFFFFF)
        access = struct.unpack_from("<I", data, 184)[0]
        if access in (3, 4):
            report.judge((table[0] != 0) != (bitmap[0] != 0), "space-method", where, "not one of table and bitmap")
        if table[0] or freed_table[0] or freed_bitmap[0]:
            report.warning("space-method", where, "a space table or a freed space set: not checked")

    def sparing(self):
        for partition in self.partitions:
            if partition.tables:
                self.sparing_of(partition)

    def sparing_of(self, partition):
        report, tables = self.report, []
        for at in partition.tables:
            where = "block %d (sparing table)" % at
            count = -(-partition.table_bytes // BLOCK)
            data = self.image.read(at, count)
            report.judge(at % partition.packet == 0, "sparing", where, "does not begin a packet")
            self.occupy(at, count, "sparing table")
            if not data or not tag_check(report, data, where, (0,), at, self):
                report.judge(data, "sparing", where, "lies outside the image")
                continue
            entries, = struct.unpack_from("<H", data, 48)
            if not report.judge(regid(data, 16)[0] == b"*UDF Sparing Table", "sparing", where, "is none: %r" % regid(data, 16)[0]):
                continue
            if not report.judge(56 + 8 * entries <= partition.table_bytes, "sparing", where, "%d entries in %d bytes" %
                                (entries, partition.table_bytes)):
                continue
            tables.append((where, struct.unpack_from("<I", data, 52)[0], data[56:56 + 8 * entries]))
        packets = {at // partition.packet for at in partition.tables}
        report.judge(len(packets) == len(partition.tables), "sparing", "LVD", "two sparing tables in one packet")
        if not tables:
            raise NotUdf("no sparing table")
        for where, sequence, entries in tables[1:]:
            report.judge(sequence == tables[0][1] and entries == tables[0][2], "sparing-differ", where,
                         "differs from the one at %s" % tables[0][0])
        where, _, entries = max(tables, key=lambda table: table[1])
        self.spares(partition, where, list(struct.iter_unpack("<II", entries)))

    def spares(self, partition, where, entries):
        report, packet = self.report, partition.packet
        originals = [original for original, _ in entries]
        report.judge(originals == sorted(originals), "sparing-order", where, "entries are not sorted")
        places = set()
        for original, mapped in entries:
            text = "entry %d to %d: " % (original, mapped)
            report.judge(mapped not in places, "sparing", where, text + "the spare packet is named twice")
            places.add(mapped)
            inside = report.judge(mapped % packet == 0 and mapped + packet <= self.image.blocks, "sparing", where,
                                  text + "no packet of the image")
            if original == SPARE_BAD or not inside:
                continue
            if original == SPARE_FREE:
                self.occupy(mapped, packet, "spare packet")
            elif report.judge(original % packet == 0 and original < partition.blocks, "sparing", where,
                              text + "no packet of the partition") and report.judge(
                                  original not in partition.spares, "sparing", where, text + "packet moved twice"):
                partition.spares[original] = mapped
                self.occupy(mapped, packet, "spare packet")

    def integrity(self):
        """The last descriptor of the integrity sequence; judges its form (counts are judged when they are known)."""
        length, first = self.integrity_extent
        report, last, extents = self.report, None, 0
        report.judge(length >= 8192, "integrity", "LVD", "integrity sequence of %d bytes" % length)
        while length and extents < 1000:
            extents += 1
            self.occupy(first, length // BLOCK, "integrity sequence")
            onward = (0, 0)
            for block in range(first, first + length // BLOCK):
                data = self.image.read(block)
                if data is None or not any(data):
                    break
                tag = tag_check(report, data, "block %d (LVID)" % block, (8, 9), block, self)
                if not tag or tag.id == 8:
                    break
                last, onward = (data, "block %d (LVID)" % block), extent_ad(data, 32)
                if onward[0]:
                    break
            length, first = onward
        if not report.judge(last, "integrity", "block %d" % self.integrity_extent[1], "no integrity descriptor"):
            return
        data, where = last
        kind, = struct.unpack_from("<I", data, 28)
        closed = kind == 1
        if not closed and not self.open_allowed:
            report.error("integrity-open", where, "integrity is %s" % ("open" if kind == 0 else kind))
        count, use = struct.unpack_from("<II", data, 72)
        time_check(report, data[16:28], where, "recording time")
        if not report.judge(count == len(self.partitions) and 46 <= use <= BLOCK - 80 - 8 * count, "integrity", where,
                            "%d partitions, %d bytes of implementation use" % (count, use)):
            return
        free = struct.unpack_from("<%dI" % count, data, 80)
        sizes = struct.unpack_from("<%dI" % count, data, 80 + 4 * count)
        for partition, size in zip(self.partitions, sizes):
            report.judge(size == partition.blocks, "integrity-size", where, "partition of %d blocks, not %d" %
                         (size, partition.blocks))
        at = 80 + 8 * count + 32
        files, directories, min_read, min_write, max_write = struct.unpack_from("<IIHHH", data, at)
        report.judge(min_read <= self.revision and min_write <= max_write and max_write >= self.revision, "integrity-revision",
                     where, "revisions %x, %x, %x on a volume of %x" % (min_read, min_write, max_write, self.revision))
        self.lvid = {"where": where, "closed": closed, "free": free, "files": files, "directories": directories,
                     "next_unique_id": struct.unpack_from("<Q", data, 40)[0]}

    def overlaps(self):
        """Nothing of the volume's own may lie in a partition or on top of something else."""
        spans = sorted(self.reserved)
        reach = None
        for span in spans:
            if reach and span[0] < reach[1] and span[1] > span[0]:
                self.report.error("overlap", "block %d" % span[0], "%s in %s" % (span[2], reach[2]))
            if not reach or span[1] > reach[1]:
                reach = span
