#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz_vhost: fuzz_vhost_seed.py FOLDER. Each is a guest memory with rings as a kernel would fill them (descriptors
at 0, the available ring at 256, requests from 656 on), and then messages of the protocol."""
import os
import struct
import sys

INDIRECT, WRITE, NEXT = 4, 2, 1
CDBS = {"inquiry": "120000006000", "toc": "43000000000000000c00", "sense": "5a002a00000000008000", "read": "28000000000000000100",
        "write": "2a000000000000000100", "config": "46000000000000010000", "luns": "a00000000000000000400000"}


def request(cdb):
    return struct.pack("<8sQBBB", bytes([1, 0, 0x40, 0, 0, 0, 0, 0]), 7, 0, 0, 0) + cdb.ljust(32, b"\0")


def chain(out_bytes, in_bytes):
    """Descriptors of a request: its head, data out, the response, data in."""
    parts = [(656, 51, 0)] + [(8192, out_bytes, 0)] * (out_bytes > 0) + [(4096, 108, WRITE)] + \
        [(8192, in_bytes, WRITE)] * (in_bytes > 0)
    return b"".join(struct.pack("<QIHH", at, n, flags | (NEXT if i + 1 < len(parts) else 0), i + 1)
                    for i, (at, n, flags) in enumerate(parts))


def memory(name, cdb, indirect):
    table = chain(*((2048, 0) if name == "write" else (0, 4096)))
    desc = struct.pack("<QIHH", 768, len(table), INDIRECT, 0) if indirect else table
    out = bytearray(1024)
    out[:len(desc)] = desc
    out[256:262] = struct.pack("<HHH", 0, 1, 0)
    out[656:707] = request(cdb)
    if indirect:
        out[768:768 + len(table)] = table
    return bytes(out)


def message(number, payload):
    return bytes([number, len(payload)]) + payload


MESSAGES = b"".join([
    message(1, b""), message(15, b""), message(17, b""),
    message(24, struct.pack("<III", 0, 36, 0) + bytes(36)),
    message(5, struct.pack("<IIQQQQ", 1, 0, 0, 16384, 65536, 0)),
    message(8, struct.pack("<II", 2, 16)), message(10, struct.pack("<II", 2, 0)),
    message(9, struct.pack("<IIQQQQ", 2, 0, 65536, 65536 + 512, 65536 + 256, 0)),
    message(12, struct.pack("<Q", 2 | 256)), message(13, struct.pack("<Q", 2 | 256)), message(11, struct.pack("<II", 2, 0)),
])

os.makedirs(sys.argv[1], exist_ok=True)
for name, text in CDBS.items():
    for indirect in (False, True):
        with open(os.path.join(sys.argv[1], name + "-indirect" * indirect), "wb") as f:
            f.write(memory(name, bytes.fromhex(text), indirect) + MESSAGES)
