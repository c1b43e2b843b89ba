# SPDX-License-Identifier: MIT
"""Bytes of a UDF volume: the image, tags, strings, times, and the list of what is wrong with them."""
import binascii
import calendar
import mmap
import struct

BLOCK = 2048

TAG_NAMES = {0: "sparing table", 1: "PVD", 2: "AVDP", 3: "VDP", 4: "IUVD", 5: "PD", 6: "LVD", 7: "USD", 8: "TD", 9: "LVID",
             256: "FSD", 257: "FID", 258: "AED", 259: "indirect entry", 260: "terminal entry", 261: "FE", 262: "EAHD",
             263: "USE", 264: "SBD", 266: "EFE"}


class NotUdf(Exception):
    """There is no volume here that can be checked."""


class Report:
    """What was found. Errors make the volume bad; warnings are deviations that every reader lives with; leaks are blocks
    that are lost until a repair."""

    def __init__(self):
        self.defects = []

    def add(self, severity, code, where, text):
        self.defects.append({"severity": severity, "code": code, "where": where, "text": text})

    def error(self, code, where, text):
        self.add("error", code, where, text)

    def warning(self, code, where, text):
        self.add("warning", code, where, text)

    def leak(self, code, where, text):
        self.add("leak", code, where, text)

    def judge(self, good, code, where, text):
        """An error unless good. Returns good."""
        if not good:
            self.error(code, where, text)
        return good


class Image:
    """A flat file of sectors, never written."""

    def __init__(self, path):
        with open(path, "rb") as f:
            f.seek(0, 2)
            self.blocks = f.tell() // BLOCK
            self.map = mmap.mmap(f.fileno(), self.blocks * BLOCK, access=mmap.ACCESS_READ) if self.blocks else b""

    def read(self, first, count=1):
        """Bytes of blocks, or None where the image has none."""
        if first < 0 or count < 0 or first + count > self.blocks:
            return None
        return self.map[first * BLOCK:(first + count) * BLOCK]


class Tag:
    """A descriptor tag (ECMA-167 3/7.2), as read."""

    def __init__(self, data, at=0):
        (self.id, self.version, self.checksum, self.reserved, self.serial, self.crc, self.crc_length,
         self.location) = struct.unpack_from("<HHBBHHHI", data, at)

    def name(self):
        return TAG_NAMES.get(self.id, "descriptor %d" % self.id)


def tag_fault(data, at=0):
    """What is wrong with the tag by itself: a (code, text) or None."""
    if len(data) - at < 16:
        return "tag-short", "no room for a tag"
    tag = Tag(data, at)
    head = data[at:at + 16]
    if (sum(head) - head[4]) & 0xFF != tag.checksum:
        return "tag-checksum", "checksum of the tag is wrong"
    if tag.version not in (2, 3):
        return "tag-version", "descriptor version %d" % tag.version
    end = at + 16 + tag.crc_length
    if end > len(data):
        return "tag-crc", "CRC over %d bytes reaches beyond the descriptor" % tag.crc_length
    if binascii.crc_hqx(data[at + 16:end], 0) != tag.crc:
        return "tag-crc", "CRC of the descriptor is wrong"
    return None


def tag_check(report, data, where, ids, location, volume, at=0):
    """Judges a tag: by itself, its kind, its place, and against the volume's version and serial number. Returns the tag
    when the descriptor can be used."""
    fault = tag_fault(data, at)
    if fault:
        report.error(fault[0], where, fault[1])
        return None
    tag = Tag(data, at)
    if tag.id not in ids:
        report.error("tag-kind", where, "%s where %s should be" % (tag.name(), " or ".join(TAG_NAMES[i] for i in ids)))
        return None
    report.judge(tag.location == location, "tag-location", where, "tag says block %d, not %d" % (tag.location, location))
    report.judge(tag.reserved == 0, "tag-reserved", where, "reserved byte of the tag is not zero")
    if volume:
        if tag.version != volume.tag_version:
            report.error("tag-version", where, "descriptor version %d on a volume of version %d" %
                         (tag.version, volume.tag_version))
        if tag.serial != volume.serial:
            report.warning("tag-serial", where, "serial number %d, not %d" % (tag.serial, volume.serial))
    return tag


def regid(data, at):
    """Identifier and suffix of an entity identifier (1/7.4)."""
    return data[at + 1:at + 24].rstrip(b"\0"), data[at + 24:at + 32]


def extent_ad(data, at):
    """Length in bytes and first block (3/7.1)."""
    return struct.unpack_from("<II", data, at)


def cs0_decode(data):
    """The text of OSTA compressed Unicode (UDF 2.1.1); surrogates stay as they are. Raises ValueError."""
    if not data:
        return ""
    kind, body = data[0], data[1:]
    if kind in (8, 254):
        return body.decode("latin-1")
    if kind in (16, 255):
        if len(body) % 2:
            raise ValueError("half a character at the end")
        return body.decode("utf-16-be", "surrogatepass")
    raise ValueError("compression id %d" % kind)


def cs0_check(report, data, where, code, deleted=False):
    """Judges a name; returns its text, or None."""
    if data[0] in (254, 255) and not deleted:
        report.error(code, where, "compression id %d is for deleted names" % data[0])
    try:
        text = cs0_decode(data)
    except ValueError as fault:
        report.error(code, where, "no valid CS0: %s" % fault)
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        report.error(code, where, "a surrogate stands alone")
    if "\0" in text or "/" in text:
        report.error(code, where, "a zero or a slash in %r" % text)
    if data[0] == 16 and text and max(text) <= "\xFF":
        report.warning("name-wide", where, "16 bits a character where 8 do")
    return text


def dstring_check(report, data, where, what):
    """Text of a fixed field (1/7.2.12)."""
    length = data[-1]
    if length >= len(data):
        report.error("dstring", where, "%s: length %d in a field of %d" % (what, length, len(data)))
        return ""
    report.judge(not any(data[length:-1]), "dstring", where, "%s: not zero behind its end" % what)
    if length and data[0] not in (8, 16):
        report.error("dstring", where, "%s: compression id %d" % (what, data[0]))
        return ""
    try:
        return cs0_decode(data[:length])
    except ValueError as fault:
        report.error("dstring", where, "%s: %s" % (what, fault))
        return ""


def charspec_check(report, data, where, what):
    report.judge(data == b"\0OSTA Compressed Unicode" + bytes(40), "charspec", where,
                 "%s: not OSTA Compressed Unicode" % what)


def time_decode(data):
    """Microseconds since 1970 of a timestamp (1/7.3); raises ValueError."""
    kind_zone, year, month, day, hour, minute, second, centi, hundreds, micro = struct.unpack("<HhBBBBBBBB", data)
    zone = (kind_zone & 0xFFF) - (0x1000 if kind_zone & 0x800 else 0)
    if kind_zone >> 12 != 1:
        raise ValueError("type %d is not local time" % (kind_zone >> 12))
    if zone != -2047 and abs(zone) > 1440:
        raise ValueError("zone of %d minutes" % zone)
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        raise ValueError("date %d-%d-%d" % (year, month, day))
    if hour > 23 or minute > 59 or second > 59 or max(centi, hundreds, micro) > 99:
        raise ValueError("time of day %d:%d:%d.%d.%d.%d" % (hour, minute, second, centi, hundreds, micro))
    seconds = calendar.timegm((year, month, day, hour, minute, second)) - (0 if zone == -2047 else zone * 60)
    return seconds * 1000000 + centi * 10000 + hundreds * 100 + micro


def time_check(report, data, where, what):
    try:
        return time_decode(data)
    except ValueError as fault:
        report.error("time", where, "%s: %s" % (what, fault))
        return 0
