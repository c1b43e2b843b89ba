#!/bin/bash
# SPDX-License-Identifier: MIT
# What a fresh volume is, in the eyes of udfinfo, udfclient and the checker: on discs, files and block devices, in both
# revisions, with label, owner and size.
. "$(dirname "$0")/../lib/disc.sh"
cd "$T"

# value FILE KEY WANT
value() {
    local got
    got=$(udfinfo_value "$1" "$2")
    [ "$got" = "$3" ] || fail "$1: $2 is '$got', not '$3'"
}
# layout FILE: the lines "start blocks type" of udfinfo
layout() {
    udfinfo "$1" 2>/dev/null | sed -n 's/^start=\([0-9]*\), blocks=\([0-9]*\), type=/\1 \2 /p'
}

packetdisc create --minutes 80 disc80
packetdisc create --minutes 74 disc74
truncate -s 8M small
truncate -s $((128 * 1024 * 1024 + 77777)) odd
declare -A flat=([disc80]=disc80/data.img [disc74]=disc74/data.img [small]=small [odd]=odd)
declare -A blocks=([disc80]=295264 [disc74]=273088 [small]=4096 [odd]=65568)
for disc in disc80 disc74 small odd; do
    for revision in 1.50 2.01; do
        mkfs.packetfs -q --force -L "Größe $revision" -r $revision $disc
        file=${flat[$disc]} count=${blocks[$disc]}
        # Of a file with a part of a packet at its end, the volume has the whole packets.
        cp "$file" whole
        truncate -s $((count * 2048)) whole
        value whole label "Größe $revision"
        value whole udfrev $revision
        value whole udfwriterev $revision
        value whole integrity closed
        value whole accesstype rewritable
        value whole softwriteprotect no
        value whole hardwriteprotect no
        value whole blocksize 2048
        value whole blocks "$count"
        value whole numdirs 1
        # The one file of a fresh 1.50 volume is the standard's list of space that may not be allocated.
        value whole numfiles "$([ $revision = 1.50 ] && echo 1 || echo 0)"
        layout whole >layout
        for place in 16:VRS 256:ANCHOR $((count - 1)):ANCHOR $((count - 257)):ANCHOR; do
            grep -q "^${place%:*} [0-9]* ${place#*:}$" layout || fail "$disc $revision: no $place: $(cat layout)"
        done
        # Tables and anchors: every one in a packet of its own.
        packets=$(awk '$3 == "STABLE" || $3 == "ANCHOR" || $3 == "MVDS" || $3 == "RVDS" || $3 == "LVID" || $3 == "VRS" { print int($1 / 32) }' layout)
        [ "$(wc -w <<<"$packets")" = 9 ] || fail "$disc $revision: not two tables, three anchors and the rest: $(cat layout)"
        [ "$(sort -u <<<"$packets" | wc -l)" = 9 ] || fail "$disc $revision: two of them share a packet: $(cat layout)"
        # Two tables far apart, on a disc that is big enough.
        apart=$(awk '$3 == "STABLE" { print $1 }' layout | sort -n | awk 'NR == 1 { a = $1 } END { print $1 - a }')
        [ "$apart" -ge 1000 ] || fail "$disc $revision: the sparing tables are $apart blocks apart"
        check_volume whole
        grep -q ", 0 warnings" "$T/check" || fail "$(cat "$T/check")"
        # udfclient, which shares no code with mkudffs either, finds one alive volume with a sparable partition.
        printf 'quit\n' | timeout 60 udfclient -b 2048 whole >client 2>&1 || fail "udfclient: $(tail -5 client)"
        grep -q 'marked closed' client || fail "udfclient: not closed: $(cat client)"
        grep -q 'as sparable recording data metadata' client || fail "udfclient: $(cat client)"
    done
done
value disc80/data.img freeblocks "$(packetdisc info --json disc80 | jq '.volume.bytes_free / 2048')"
[ "$(packetdisc info --json disc80 | jq '.volume.spares')" = 32 ] || fail "not 32 spares"

# 32 spares on a disc, fewer on a small one.
layout disc80/data.img | grep -q '^288 1024 SSPACE$' || fail "the spares of a disc: $(layout disc80/data.img)"
layout small | grep -q '^288 128 SSPACE$' || fail "the spares of a small image: $(layout small)"

# Sparse: little more than what is in it.
used=$(du -sk disc80 | cut -f1)
[ "$used" -lt 2048 ] || fail "a fresh disc takes $used KiB"

# Labels as long as they can be, and beyond the BMP.
for label in "$(printf 'x%.0s' {1..126})" "$(printf 'ж%.0s' {1..63})" "disc 💿"; do
    mkfs.packetfs -q --force -L "$label" small
    value small label "$label"
done
mkfs.packetfs -q --force small
value small label packetfs

# Owner and mode of the root folder.
mkfs.packetfs -q --force --uid 1234 --gid 4321 small
mount_disc small mnt
[ "$(stat -c '%u %g %a' mnt)" = "1234 4321 755" ] || fail "root folder: $(stat -c '%u %g %a' mnt)"
unmount_disc mnt
chown 65534:65534 small
chmod 755 "$T"
SUDO_UID=1 SUDO_GID=1 setpriv --reuid 65534 --regid 65534 --clear-groups "$BUILD/mkfs/mkfs.packetfs" -q --force small
mount_disc small mnt
[ "$(stat -c '%u %g' mnt)" = "65534 65534" ] || fail "root folder made by 65534: $(stat -c '%u %g' mnt)"
unmount_disc mnt

# A block device.
truncate -s 32M backing
loop=$(losetup --show -f backing)
status=0
mkfs.packetfs -q -L device "$loop" && ! mkfs.packetfs "$loop" 2>err || status=1
losetup -d "$loop"
[ $status = 0 ] || fail "a block device: $(cat err)"
grep -q "a UDF volume is on it" err || fail "a volume on a block device is not seen"
value backing label device
check_volume backing
grep -q ", 0 warnings" "$T/check" || fail "$(cat "$T/check")"

# The report, and the drive's own account.
PACKETFS_DRIVE_STATS=stats.json mkfs.packetfs --force -L holiday disc80 2>err
grep -qE 'UDF 2\.01 volume "holiday": 5[67][0-9] MiB of 577 MiB are free; done in [0-9.]+ s \([0-9]+ s on the drive' err ||
    fail "no report: $(cat err)"
jq -e '.writes == .writes_whole_packet and .writes < 40 and .drive_seconds > 1 and .drive_seconds < 60 and
    .commands > 0 and .bytes_written == .writes * 65536 and .packets_written == .writes and .bytes_read > 0 and
    .most_rewrites >= 2 and has("most_rewritten_packet")' stats.json >/dev/null || fail "stats: $(cat stats.json)"

# A disc in packet form is formatted again with --full only, which takes as long as writing all of it.
PACKETFS_DRIVE_STATS=stats.json mkfs.packetfs -q --force --full disc80
jq -e '.drive_seconds > 300' stats.json >/dev/null || fail "--full did not format: $(cat stats.json)"
check_volume disc80/data.img
grep -q ", 0 warnings" "$T/check" || fail "$(cat "$T/check")"
