# SPDX-License-Identifier: MIT
"""The tree: file set, directories, names, links, and the numbers that the volume keeps of them (ECMA-167 4/8.6, UDF 2.3)."""
import hashlib
import struct

from udfcheck_parts.icb import IcbReader
from udfcheck_parts.ondisc import BLOCK, charspec_check, cs0_check, cs0_decode, dstring_check, regid, tag_check, time_check
from udfcheck_parts.space import Space

HIDDEN, DIRECTORY, DELETED, PARENT = 1, 2, 4, 8


class Tree:
    """Walks everything that can be reached, and gathers what must agree at the end."""

    def __init__(self, volume, report, kernel=False):
        self.volume, self.report = volume, report
        self.spaces = [Space(volume, report, part) for part in range(len(volume.partitions))]
        self.reader = IcbReader(volume, self.spaces, report, kernel)
        self.icbs = {}        # address: Icb, None when it cannot be used
        self.references = {}  # address: how many FIDs name it
        self.name_ids = {}    # address: unique ids of the FIDs that name it
        self.ids = {}         # unique id of a FID: where
        self.files, self.directories, self.rows, self.streams = 0, 0, [], set()

    def icb(self, address, where):
        if address not in self.icbs:
            part, block = address
            if not self.report.judge(part < len(self.spaces), "icb-outside", where, "ICB in partition %d" % part):
                return None
            self.icbs[address] = self.reader.read(part, block, where)
        return self.icbs[address]

    def check(self):
        self.file_set()
        self.links_check()
        self.ids_check()
        for space in self.spaces:
            space.bitmap_check()
        self.counts_check()

    def file_set(self):
        length, block, part = self.volume.fileset
        length &= 0x3FFFFFFF
        report, where = self.report, "file set (block %d)" % block
        data = self.volume.read(part, block)
        if not report.judge(data, "fsd", where, "not in the partition"):
            return
        self.spaces[part].take(block, max(1, -(-length // BLOCK)), "file set")
        if not tag_check(report, data, where, (256,), block, self.volume):
            return
        time_check(report, data[16:28], where, "recording time")
        charspec_check(report, data[48:112], where, "logical volume id")
        charspec_check(report, data[240:304], where, "file set")
        report.judge(dstring_check(report, data[112:240], where, "logical volume id") == self.volume.label, "label", where,
                     "names another logical volume than the LVD")
        dstring_check(report, data[304:336], where, "file set id")
        ident, suffix = regid(data, 416)
        report.judge(ident == b"*OSTA UDF Compliant" and suffix[:2] == struct.pack("<H", self.volume.revision), "domain", where,
                     "domain %r of revision %s" % (ident, suffix[:2].hex()))
        report.judge(not any(data[448:464]), "fsd", where, "another file set follows: not supported")
        _, root_block, root_part = struct.unpack_from("<IIH", data, 400)
        root = (root_part, root_block)
        self.walk(root, "/")
        stream_length, stream_block, stream_part = struct.unpack_from("<IIH", data, 464)
        if stream_length:
            report.judge(self.volume.revision >= 0x0200, "fsd", where, "a system stream directory before UDF 2.00")
            self.stream_directory((stream_part, stream_block), None, "system streams", 0)
        root_icb = self.icbs.get(root)
        if root_icb:
            report.judge(root_icb.unique_id == 0, "unique-id", root_icb.where, "the root's unique id is %d" % root_icb.unique_id)

    def walk(self, root, path):
        icb = self.icb(root, path)
        if not icb:
            return
        if not self.report.judge(icb.kind == 4, "icb-type", icb.where, "the root is a %s" % icb.kind_name()):
            return
        self.row(icb, path)
        todo, seen = [(icb, path, icb)], {root}
        while todo:
            icb, path, parent = todo.pop()
            self.directories += 1
            self.own_streams(icb, path)
            for name, child, characteristics in self.entries(icb, path, parent):
                below = path.rstrip("/") + "/" + name
                if child.kind != 4:
                    self.files += 1
                    if not (path == "/" and name == "Non-Allocatable Space" and self.volume.revision < 0x0200):
                        self.row(child, below)
                    if self.references[child.address] == 1:
                        self.file(child, below)
                elif self.report.judge(child.address not in seen, "directory-twice", below, "the directory has another name too"):
                    seen.add(child.address)
                    self.row(child, below)
                    todo.append((child, below, icb))
                wanted = DIRECTORY if child.kind == 4 else 0
                self.report.judge(characteristics & DIRECTORY == wanted, "fid-directory", below,
                                  "named %sas a directory, and is a %s" % ("" if characteristics & DIRECTORY else "not ",
                                                                           child.kind_name()))

    def file(self, icb, path):
        """What is to be judged once of each object that is no directory."""
        self.report.judge(icb.kind != 13, "icb-type", path, "a stream directory with a name")
        if icb.kind == 12:
            try:
                self.link(icb)
            except ValueError as fault:
                self.report.error("link", icb.where, "no valid path: %s" % fault)
        self.own_streams(icb, path)

    def link(self, icb):
        """Target of a symbolic link; raises ValueError."""
        if icb.size > 65536:
            raise ValueError("%d bytes" % icb.size)
        return link_decode(b"".join(self.reader.contents(icb)))

    def own_streams(self, icb, path):
        streams = self.stream_directory(icb.stream_dir, icb, path + " streams", icb.unique_id) if icb.stream_dir else 0
        self.report.judge(icb.object_size == icb.size + streams, "size-object", icb.where,
                          "object size %d, and contents of %d" % (icb.object_size, icb.size + streams))

    def stream_directory(self, address, owner, where, unique_id):
        """Named streams (UDF 3.3.5). Returns the bytes of all of them."""
        icb = self.icb(address, where)
        if not icb:
            return 0
        self.streams.add(address)
        self.report.judge(icb.kind == 13, "icb-type", icb.where, "a %s as stream directory" % icb.kind_name())
        self.report.judge(icb.unique_id == unique_id, "unique-id", icb.where, "unique id %d, not its owner's %d" %
                          (icb.unique_id, unique_id))
        total = 0
        for name, stream, _ in self.entries(icb, where, owner or icb):
            self.streams.add(stream.address)
            self.report.judge(stream.kind == 5, "icb-type", where + ":" + name, "a %s as stream" % stream.kind_name())
            self.report.judge(stream.unique_id == unique_id, "unique-id", stream.where, "unique id %d, not its owner's %d" %
                              (stream.unique_id, unique_id))
            total += stream.size
        return total

    def entries(self, icb, path, parent):
        """Yields (name, ICB, characteristics) of each entry, having judged all of the directory."""
        if not self.report.judge(icb.size <= self.spaces[icb.address[0]].blocks * BLOCK, "size", icb.where,
                                 "a directory of %d bytes" % icb.size):
            return
        data = b"".join(self.reader.contents(icb))
        self.report.judge(all(kind == 0 for length, kind, _, _ in icb.extents) or not data, "directory-hole", icb.where,
                          "a directory with extents that are not recorded")
        at, names, first = 0, set(), True
        while at < len(data):
            size = self.fid_size(icb, data, at)
            if not size:
                break
            entry = self.fid(icb, data[at:at + size], path, names, first, parent)
            first = False
            at += size
            if entry:
                yield entry
        if first:
            self.report.error("parent", icb.where, "the directory is empty, without a parent entry")

    def fid_size(self, icb, data, at):
        """Bytes of the file identifier descriptor, or 0 when there is none."""
        where = "%s entry at %d" % (icb.where, at)
        if len(data) - at < 38:
            self.report.error("fid-bounds", where, "%d bytes left over" % (len(data) - at))
            return 0
        size = (38 + data[at + 19] + struct.unpack_from("<H", data, at + 36)[0] + 3) & ~3
        if size > len(data) - at or size > BLOCK:
            self.report.error("fid-bounds", where, "entry of %d bytes" % size)
            return 0
        if not tag_check(self.report, data[at:at + size], where, (257,), self.reader.block_at(icb, at), self.volume):
            return 0
        return size

    def fid(self, icb, data, path, names, first, parent):
        """Judges one entry. Returns (name, ICB, characteristics) of one to follow."""
        version, characteristics, name_length, length, block, part, flags, unique_id, use_length = struct.unpack_from(
            "<HBBIIHHIH", data, 16)
        raw = data[38 + use_length:38 + use_length + name_length]
        where = "%s entry '%s'" % (path, name_text(raw))
        report = self.report
        report.judge(version == 1, "fid-version", where, "file version %d" % version)
        report.judge(characteristics < 0x20 and flags in (0, 1), "fid-flags", where, "characteristics %#x" % characteristics)
        report.judge(use_length == 0 or use_length >= 32 and use_length % 4 == 0, "fid-use", where, "implementation use of %d bytes" %
                     use_length)
        if any(data[38 + use_length + name_length:]):
            self.reader.blame(icb, "fid-padding", where, "not zero behind the name")
        if first or characteristics & PARENT:
            self.parent_check(icb, first, characteristics, name_length, (part, block), unique_id, parent)
            if characteristics & PARENT:
                return None
        if not report.judge(name_length or characteristics & DELETED, "name", where, "no name"):
            return None
        name = cs0_check(report, raw, where, "name", characteristics & DELETED) if raw else None
        if characteristics & DELETED:
            return None
        if name is None:
            name = raw.hex()
        report.judge(name not in (".", "..", ""), "name", where, "name %r" % name)
        report.judge(name not in names, "name-twice", where, "the name is there already")
        names.add(name)
        if not report.judge(length & 0x3FFFFFFF and length >> 30 == 0, "fid-icb", where, "no ICB: %#x bytes" % length):
            return None
        return self.follow(name, (part, block), unique_id, path.rstrip("/") + "/" + name, characteristics)

    def follow(self, name, address, unique_id, path, characteristics):
        child = self.icb(address, path)
        if not child:
            return None
        self.references[address] = self.references.get(address, 0) + 1
        self.name_ids.setdefault(address, []).append((unique_id, path))
        return name, child, characteristics

    def parent_check(self, icb, first, characteristics, name_length, address, unique_id, parent):
        where, report = icb.where, self.report
        if not characteristics & PARENT:
            report.error("parent", where, "the first entry is not that of the parent")
            return
        report.judge(first, "parent", where, "an entry of the parent that is not the first")
        report.judge(characteristics & (DIRECTORY | DELETED) == DIRECTORY and not name_length, "parent", where,
                     "parent entry of characteristics %#x with a name of %d bytes" % (characteristics, name_length))
        report.judge(address == parent.address, "parent", where, "parent entry names block %d, and the parent is block %d" %
                     (address[1], parent.address[1]))
        if self.volume.revision >= 0x0200 and unique_id != parent.unique_id & 0xFFFFFFFF:
            self.reader.blame(icb, "parent-id", where, "parent entry has unique id %d, and the parent %d" %
                              (unique_id, parent.unique_id))
        if parent.kind == 4 or parent is icb:
            self.references[address] = self.references.get(address, 0) + 1

    def links_check(self):
        for address, icb in self.icbs.items():
            if icb and not (address in self.streams and icb.kind != 13):
                found = self.references.get(address, 0)
                if icb.kind == 13 and found == 0:
                    continue  # how many a stream directory of a file has is not agreed on
                self.report.judge(icb.links == found, "links", icb.where, "link count %d, and %d entries name it" %
                                  (icb.links, found))

    def ids_check(self):
        report, owners = self.report, {}
        following = self.volume.lvid["next_unique_id"] if self.volume.lvid else None
        for address, icb in self.icbs.items():
            if not icb or address in self.streams or "/" == icb.where.split(" (block")[0]:
                continue
            report.judge(icb.unique_id not in owners, "unique-id", icb.where, "unique id %d is that of %s too" %
                         (icb.unique_id, owners.get(icb.unique_id)))
            owners[icb.unique_id] = icb.where
            report.judge(icb.unique_id & 0xFFFFFFFF > 15, "unique-id", icb.where, "unique id %d is reserved" % icb.unique_id)
            if following is not None:
                self.id_below(icb.unique_id, following, icb.where)
            if self.volume.revision >= 0x0200:
                self.name_ids_check(icb, following)

    def name_ids_check(self, icb, following):
        """FIDs have unique ids of their own (UDF 2.3.4.3, 3.2.1.1); that of one name is the file's."""
        ids = self.name_ids.get(icb.address, [])
        if icb.unique_id & 0xFFFFFFFF not in [number for number, _ in ids]:
            # Its first name has it, and further ones must not; the first may have been removed since. Directories have
            # but one name.
            add = self.report.error if icb.kind == 4 else self.report.warning
            add("unique-id-name", icb.where, "no name has its unique id %d" % icb.unique_id)
        for number, path in ids:
            self.report.judge(number not in self.ids, "unique-id-name", path, "unique id %d is that of %s too" %
                              (number, self.ids.get(number)))
            self.ids[number] = path
            if following is not None:
                self.id_below(number, following, path)

    def id_below(self, number, following, where):
        if number < following:
            return
        add = self.report.error if self.volume.lvid["closed"] else self.report.warning
        add("unique-id-next", where, "unique id %d, and the next one is said to be %d" % (number, following))

    def counts_check(self):
        lvid = self.volume.lvid
        if not lvid:
            return
        add = self.report.error if lvid["closed"] else self.report.warning
        if lvid["files"] != self.files:
            objects = sum(1 for address, icb in self.icbs.items() if icb and icb.kind not in (4, 13) and address not in self.streams)
            if lvid["files"] == objects:
                self.report.warning("count-files", lvid["where"], "%d files, which leaves out %d further names" %
                                    (objects, self.files - objects))
            else:
                add("count-files", lvid["where"], "%d files, and there are %d" % (lvid["files"], self.files))
        if lvid["directories"] != self.directories:
            add("count-directories", lvid["where"], "%d directories, and there are %d" % (lvid["directories"], self.directories))
        for part, space in enumerate(self.spaces):
            if space.free_count is not None and lvid["free"][part] != space.free_count:
                add("count-free", lvid["where"], "%d free blocks, and the bitmap has %d" % (lvid["free"][part], space.free_count))

    def row(self, icb, path):
        self.rows.append((path, icb))

    def listing(self, hashed):
        """The tree in order, as (path, type, size, mode, uid, gid, mtime, links, target or device, sha256)."""
        for path, icb in sorted(self.rows, key=lambda row: row[0]):
            extra, sha = "-", "-"
            size = icb.size
            if icb.kind == 12:
                try:
                    extra = self.link(icb)
                except ValueError:
                    extra = "?"
                size = len(extra.encode("utf-8", "surrogateescape"))
            elif icb.device:
                extra = "%d:%d" % icb.device
            if hashed and icb.kind == 5:
                digest = hashlib.sha256()
                for piece in self.reader.contents(icb):
                    digest.update(piece)
                sha = digest.hexdigest()
            yield (path, icb.kind_name(), size if icb.kind in (5, 12) else 0, "%o" % icb.mode, icb.uid, icb.gid, icb.mtime,
                   icb.links, extra, sha)


def name_text(raw):
    """A name to speak of, whatever it is."""
    try:
        return cs0_decode(raw)
    except ValueError:
        return raw.hex()


def link_decode(data):
    """Path components (4/14.16.1) as a Unix path; raises ValueError."""
    parts, at, root = [], 0, ""
    while at < len(data):
        if len(data) - at < 4 or at + 4 + data[at + 1] > len(data):
            raise ValueError("component cut off")
        kind, length, version = struct.unpack_from("<BBH", data, at)
        raw = data[at + 4:at + 4 + length]
        if version:
            raise ValueError("component of version %d" % version)
        if kind in (1, 2) and at == 0 and not length:
            root = "/"
        elif kind in (3, 4) and not length:
            parts.append(".." if kind == 3 else ".")
        elif kind == 5 and length > 1:
            parts.append(_component(raw))
        else:
            raise ValueError("component of type %d with %d bytes" % (kind, length))
        at += 4 + length
    if len(parts) > 1 and parts[-1] == ".":
        parts[-1] = ""
    return root + "/".join(parts)


def _component(raw):
    if raw[0] == 8:
        name = raw[1:].decode("latin-1")
    elif raw[0] == 16 and len(raw) % 2:
        name = raw[1:].decode("utf-16-be")
    else:
        raise ValueError("name with compression id %d" % raw[0])
    if "/" in name or "\0" in name:
        raise ValueError("name %r" % name)
    return name
