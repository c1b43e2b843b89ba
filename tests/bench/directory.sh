#!/bin/bash
# SPDX-License-Identifier: MIT
# What a file costs in a small and in a large directory, through FUSE, in microseconds: create, look up after a new mount,
# unlink.
#   tests/bench/directory.sh [FILES...]     default: 200 20000
BUILD=${BUILD:-$(dirname "$0")/../../build/release}
. "$(dirname "$0")/../lib/disc.sh"
[ $# -gt 0 ] || set -- 200 20000

each() {
    python3 - "$T/mnt/d" "$1" "$2" <<'PYTHON'
import os, sys, time
top, count, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
names = [os.path.join(top, f"file-{n:06}") for n in range(count)]
if what == "create":
    os.mkdir(top)
act = {"create": lambda p: os.close(os.open(p, os.O_CREAT | os.O_EXCL)), "look up": os.stat, "unlink": os.unlink}[what]
start = time.perf_counter()
for name in names:
    act(name)
print(f"{what} {(time.perf_counter() - start) * 1e6 / count:.1f}", end="  ")
PYTHON
}

for count; do
    rm -rf "$T/disc"
    new_disc "$T/disc"
    mount_disc "$T/disc" "$T/mnt"
    echo -n "$count files:  "
    each "$count" create
    unmount_disc "$T/mnt"
    mount_disc "$T/disc" "$T/mnt"
    each "$count" "look up"
    each "$count" unlink
    echo
    unmount_disc "$T/mnt"
done
