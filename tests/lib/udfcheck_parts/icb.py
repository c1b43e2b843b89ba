# SPDX-License-Identifier: MIT
"""One file entry: its fields, extended attributes, extents and contents (ECMA-167 4/14.9 to 4/14.17)."""
import struct

from udfcheck_parts.ondisc import BLOCK, regid, tag_check, time_check

TYPES = {4: "dir", 5: "file", 6: "block", 7: "char", 9: "fifo", 10: "socket", 12: "link", 13: "streams"}
KERNEL = b"*Linux UDFFS"

# Ways of the Linux kernel's own driver that other readers live with.
KERNEL_WAYS = {"ea-area", "blocks-recorded", "padding", "ad-end", "parent-id", "aed-previous", "extent-rounded",
               "fid-padding"}


class Icb:
    """A file entry as decoded. broken: it must not be followed."""

    def __init__(self, address, where):
        self.address, self.where = address, where
        self.kind, self.links, self.unique_id, self.size = 0, 0, 0, 0
        self.uid = self.gid = 0xFFFFFFFF
        self.mode = self.mtime = self.object_size = 0
        self.stream_dir = None
        self.device = None
        self.embedded = None
        self.extents = []  # (bytes, type, partition, block)
        self.implementation = b""

    def kind_name(self):
        return TYPES.get(self.kind, "type %d" % self.kind)


class IcbReader:
    """Reads file entries and judges them; takes the blocks they use."""

    def __init__(self, volume, spaces, report, kernel):
        self.volume, self.spaces, self.report, self.kernel = volume, spaces, report, kernel

    def judge(self, icb, good, code, text):
        if good:
            return True
        self.blame(icb, code, icb.where, text)
        return False

    def blame(self, icb, code, where, text):
        """A defect of the object or its entries, by whoever wrote it."""
        excused = code in KERNEL_WAYS and (self.kernel or icb.implementation == KERNEL)
        (self.report.warning if excused else self.report.error)(code, where, text)

    def read(self, part, block, where):
        """The file entry at a place, or None. Takes its block."""
        where = "%s (block %d)" % (where, block)
        data = self.volume.read(part, block)
        if data is None:
            self.report.error("icb-outside", where, "ICB %d in partition %d does not exist" % (block, part))
            return None
        tag = tag_check(self.report, data, where, (261, 266), block, self.volume)
        self.spaces[part].take(block, 1, where)
        if not tag:
            return None
        icb = Icb((part, block), where)
        extended = tag.id == 266
        base = 216 if extended else 176
        icb.implementation = regid(data, 168 if extended else 128)[0]
        ea_length, ad_length = struct.unpack_from("<II", data, base - 8)
        self.judge(icb, extended == (self.volume.revision >= 0x0200), "icb-kind", "%s with UDF revision %x" %
                   (tag.name(), self.volume.revision))
        if not self.judge(icb, base + ea_length + ad_length <= BLOCK, "icb-bounds", "%d bytes of attributes and %d of descriptors" %
                          (ea_length, ad_length)):
            return None
        self.judge(icb, tag.crc_length >= base - 16 + ea_length + ad_length, "tag-crc-length", "CRC covers %d bytes" %
                   tag.crc_length)
        self.fields(icb, data, extended)
        end = base + ea_length + ad_length
        self.judge(icb, not any(data[end:]), "padding", "not zero behind the allocation descriptors")
        self.attributes(icb, data[base:base + ea_length], block)
        flavour = struct.unpack_from("<H", data, 34)[0] & 7
        self.body(icb, data[base + ea_length:end], flavour, recorded=struct.unpack_from("<Q", data, 72 if extended else 64)[0])
        return icb

    def fields(self, icb, data, extended):
        prior, strategy, parameter, entries, reserved, icb.kind = struct.unpack_from("<IHHHBB", data, 16)
        flags, icb.uid, icb.gid, permissions, icb.links = struct.unpack_from("<HIIIH", data, 34)
        icb.size, = struct.unpack_from("<Q", data, 56)
        self.judge(icb, (prior, strategy, parameter, entries, reserved) == (0, 4, 0, 1, 0), "icb-tag",
                   "ICB tag of strategy %d with %d entries" % (strategy, entries))
        self.judge(icb, not any(data[28:34]), "icb-parent", "ICB tag names a parent ICB")
        self.judge(icb, icb.kind in TYPES, "icb-type", "file type %d" % icb.kind)
        self.judge(icb, data[50:56] == bytes(6), "icb-record", "record format, attributes or length not zero")
        self.judge(icb, permissions < 1 << 15, "permissions", "reserved permission bits in %#x" % permissions)
        icb.mode = self.mode(icb, permissions, flags)
        names = ["access", "modification"] + (["creation"] if extended else []) + ["attribute"]
        at = 80 if extended else 72
        stamps = [time_check(self.report, data[at + 12 * i:at + 12 * i + 12], icb.where, name + " time")
                  for i, name in enumerate(names)]
        icb.mtime = stamps[1]
        after = at + 12 * len(names)
        self.judge(icb, struct.unpack_from("<I", data, after)[0] >= 1, "checkpoint", "checkpoint 0")
        icb.unique_id, = struct.unpack_from("<Q", data, 200 if extended else 160)
        icb.object_size = struct.unpack_from("<Q", data, 64)[0] if extended else icb.size
        self.judge(icb, struct.unpack_from("<I", data, 136 if extended else 112)[0] == 0, "ea-icb",
                   "an ICB for extended attributes: not supported")
        if extended and struct.unpack_from("<I", data, 152)[0]:
            _, block, part = struct.unpack_from("<IIH", data, 152)
            icb.stream_dir = (part, block)

    def mode(self, icb, permissions, flags):
        mode = (flags & 0x40) << 5 | (flags & 0x80) << 3 | (flags & 0x100) << 1
        for who in range(3):
            bits = permissions >> (5 * who)
            mode |= (bits & 1 | bits & 2 | bits & 4) << (3 * who)
            if bits & 2 and bits & 0x18 != 0x18:
                self.report.warning("permissions", icb.where, "write without delete and change attributes: read-only in Windows")
        return mode

    def attributes(self, icb, data, block):
        """The extended attribute space (4/14.10, UDF 3.3.4)."""
        if not data:
            self.judge(icb, icb.kind not in (6, 7), "ea-device", "a device without its numbers")
            return
        tag = tag_check(self.report, data, icb.where + " attributes", (262,), block, self.volume)
        if not tag or not self.judge(icb, len(data) % 4 == 0, "ea-bounds", "%d bytes of attributes" % len(data)):
            return
        absent = 0xFFFFFFFF if self.volume.revision >= 0x0200 else len(data)
        areas = struct.unpack_from("<II", data, 16)
        for area in areas:
            self.judge(icb, area == absent or 24 <= area < len(data), "ea-area", "attribute area at %#x of %d" % (area, len(data)))
        at, kinds = 24, []
        while at < len(data):
            if not self.judge(icb, len(data) - at >= 12, "ea-bounds", "attribute cut off"):
                return
            kind, subtype, length = struct.unpack_from("<IB3xI", data, at)
            if not self.judge(icb, 12 <= length <= len(data) - at and length % 4 == 0, "ea-bounds",
                              "attribute %d of %d bytes" % (kind, length)):
                return
            self.attribute(icb, kind, subtype, data[at:at + length])
            kinds.append(2 if kind == 65536 else 1 if kind == 2048 else 0)
            if kinds[-1] and areas[kinds[-1] - 1] <= len(data):
                self.judge(icb, at >= areas[kinds[-1] - 1], "ea-area", "attribute %d before its area" % kind)
            at += length
        self.judge(icb, kinds == sorted(kinds), "ea-order", "attributes are not in order")
        self.judge(icb, icb.kind not in (6, 7) or icb.device, "ea-device", "a device without its numbers")

    def attribute(self, icb, kind, subtype, data):
        self.judge(icb, subtype == 1, "ea-kind", "attribute %d of subtype %d" % (kind, subtype))
        if kind == 12 and len(data) >= 24:
            icb.device = struct.unpack_from("<II", data, 16)
            self.judge(icb, struct.unpack_from("<I", data, 12)[0] == len(data) - 24, "ea-bounds", "implementation use of the device")
        elif kind in (2048, 65536) and len(data) >= 50 and regid(data, 16)[0].startswith(b"*UDF"):
            self.judge(icb, struct.unpack_from("<H", data, 48)[0] == sum(data[:48]) & 0xFFFF, "ea-checksum",
                       "header checksum of %r" % regid(data, 16)[0])

    def body(self, icb, data, flavour, recorded):
        if flavour == 3:
            icb.embedded = data
            self.judge(icb, icb.size == len(data), "size", "%d bytes embedded, and a size of %d" % (len(data), icb.size))
            self.judge(icb, recorded == 0, "blocks-recorded", "%d blocks recorded, and all is embedded" % recorded)
            return
        if not self.judge(icb, flavour in (0, 1), "ad-kind", "allocation descriptors of kind %d" % flavour):
            return
        self.descriptors(icb, data, 8 if flavour == 0 else 16)
        self.extents_check(icb, recorded)

    def descriptors(self, icb, data, step):
        """Allocation descriptors (4/14.14) with their continuations (4/14.5)."""
        chained = set()
        while True:
            onward = self.descriptors_part(icb, data, step)
            if not onward:
                return
            part, block = onward
            where = "%s allocation extent (block %d)" % (icb.where, block)
            data = self.volume.read(part, block)
            if not self.judge(icb, data is not None and onward not in chained, "aed", "continues at block %d" % block):
                return
            chained.add(onward)
            self.spaces[part].take(block, 1, where)
            if not tag_check(self.report, data, where, (258,), block, self.volume):
                return
            previous, length = struct.unpack_from("<II", data, 16)
            self.judge(icb, previous == 0, "aed-previous", "continuation names a previous one")
            if not self.judge(icb, length <= BLOCK - 24, "aed", "continuation of %d bytes" % length):
                return
            self.judge(icb, not any(data[24 + length:]), "padding", "not zero behind a continuation")
            data = data[24:24 + length]

    def descriptors_part(self, icb, data, step):
        """One piece of the list. Returns where it goes on."""
        self.judge(icb, len(data) % step == 0, "ad-bounds", "%d bytes of allocation descriptors" % len(data))
        for at in range(0, len(data) - step + 1, step):
            word, block = struct.unpack_from("<II", data, at)
            part = icb.address[0] if step == 8 else struct.unpack_from("<H", data, at + 8)[0]
            length, kind = word & 0x3FFFFFFF, word >> 30
            if not length:
                self.judge(icb, not any(data[at:]), "ad-end", "not zero behind the last allocation descriptor")
                return None
            if kind != 2 and not self.judge(icb, part < len(self.spaces), "extent-outside", "extent in partition %d" % part):
                continue
            if kind == 3:
                self.judge(icb, not any(data[at + step:]), "ad-end", "not zero behind the continuation's descriptor")
                return part, block
            icb.extents.append((length, kind, part, block))
        return None

    def extents_check(self, icb, recorded):
        at = written = 0
        body_end = icb.size
        for length, kind, part, block in icb.extents:
            blocks = -(-length // BLOCK)
            if at >= body_end:
                self.judge(icb, kind == 1 and length % BLOCK == 0, "extent-tail", "extent of %d bytes, type %d, behind the end" %
                           (length, kind))
            else:
                rounded = at + length - body_end < BLOCK and length % BLOCK == 0
                self.judge(icb, at + length <= body_end, "extent-rounded" if rounded else "size",
                           "size %d ends inside an extent, at %d of %d" % (body_end, body_end - at, length))
                self.judge(icb, at + length >= body_end or length % BLOCK == 0, "extent-interior",
                           "extent of %d bytes in the middle" % length)
            if kind == 2:
                self.judge(icb, block == 0, "extent-hole", "a hole with a place, block %d" % block)
            else:
                self.spaces[part].take(block, blocks, icb.where)
            written += blocks if kind == 0 else 0
            at += length
        self.judge(icb, at >= body_end, "size", "size %d, and extents of %d" % (body_end, at))
        self.judge(icb, recorded == written, "blocks-recorded", "%d blocks recorded, not %d" % (recorded, written))

    def contents(self, icb):
        """Yields the contents in pieces."""
        if icb.embedded is not None:
            yield icb.embedded
            return
        left = icb.size
        for length, kind, part, block in icb.extents:
            length = min(length, left)
            left -= length
            while length:
                piece = min(length, 1024 * BLOCK)
                data = self.volume.read(part, block, -(-piece // BLOCK)) if kind == 0 else bytes(piece)
                yield data[:piece] if data is not None else bytes(piece)
                block, length = block + 1024, length - piece

    def block_at(self, icb, offset):
        """The partition block that holds a byte of the contents."""
        if icb.embedded is not None:
            return icb.address[1]
        for length, _, _, block in icb.extents:
            if offset < length:
                return block + offset // BLOCK
            offset -= length
        return None
