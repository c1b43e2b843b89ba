#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes seeds for fuzz_volume: volumes by mkudffs, as the list of blocks that the target reads.

fuzz_volume_seed.py MKUDFFS FOLDER
"""
import os
import struct
import subprocess
import sys
import tempfile

BLOCK = 2048
KINDS = ["-m cdrw -r 1.50", "-m cdrw -r 2.01", "-m hd -b 2048 -r 2.01", "-m hd -b 2048 -r 1.02", "-m cdr -r 2.01"]


def main(mkudffs, folder):
    os.makedirs(folder, exist_ok=True)
    for number, kind in enumerate(KINDS):
        with tempfile.TemporaryDirectory() as temporary:
            image = os.path.join(temporary, "image")
            subprocess.run([mkudffs, "--utf8", *kind.split(), "--new-file", image, "4096"], check=True,
                           stdout=subprocess.DEVNULL)
            with open(image, "rb") as f:
                data = f.read()
        seed = b""
        for block in range(len(data) // BLOCK):
            contents = data[block * BLOCK:(block + 1) * BLOCK].rstrip(b"\0")
            if contents:
                seed += struct.pack("<HBH", block, 0 if block < 20 else 1, len(contents)) + contents
        with open(os.path.join(folder, "volume-%d" % number), "wb") as f:
            f.write(seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
