#!/bin/bash
# SPDX-License-Identifier: MIT
# What copying costs in drive time, beside the same bytes streamed at media speed.
#   tests/bench/copy.sh [--speed 4|10|24]
# Prints, for a tree of 10,000 files and 200 MiB and for one file of 300 MiB: bytes, drive seconds from mount to the
# end of unmount, seconds that a stream of as many packets takes (39 sectors a packet, 75 a second and speed), ratio.
BUILD=${BUILD:-$(dirname "$0")/../../build/release}
. "$(dirname "$0")/../lib/disc.sh"
speed=10
[ "${1-}" != --speed ] || speed=$2

# bench NAME BYTES COMMAND: runs COMMAND with $T/mnt mounted.
bench() {
    rm -rf "$T/disc"
    new_disc "$T/disc" --speed "$speed"
    export PACKETFS_DRIVE_STATS=$T/stats.json
    local start
    start=$(date +%s.%N)
    mount_disc "$T/disc" "$T/mnt"
    eval "$3"
    unmount_disc "$T/mnt"
    unset PACKETFS_DRIVE_STATS
    jq -r --arg name "$1" --argjson bytes "$2" --argjson speed "$speed" --argjson start "$start" '
        ($bytes / 65536 * 39 / 75 / $speed) as $stream |
        "\($name): \($bytes) bytes, drive \(.drive_seconds * 10 | round / 10) s, stream \($stream * 10 | round / 10) s, " +
        "ratio \(.drive_seconds / $stream * 1000 | round / 1000), packets \(.packets_written), " +
        "most rewritten \(.most_rewrites), whole packets \(.writes_whole_packet)/\(.writes), " +
        "wall \((now - $start) * 10 | round / 10) s"' "$T/stats.json"
}

python3 "$SOURCE/tests/lib/tree_make.py" "$T/tree"
bytes=$(find "$T/tree" -type f -links 1 -printf '%s\n' | awk '{ n += $1 } END { printf "%d", n }')
bench "tree of $(find "$T/tree" -type f | wc -l) files" "$bytes" 'cp -a "$T/tree/." "$T/mnt/"'
head -c $((300 << 20)) /dev/urandom >"$T/big"
bench "one file of 300 MiB" $((300 << 20)) 'cp "$T/big" "$T/mnt/"'
