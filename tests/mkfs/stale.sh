#!/bin/bash
# SPDX-License-Identifier: MIT
# A quick format over something older: where readers look for volumes, journals and file systems there is nothing but the
# new volume, and what a killed packetfs left in the old journal is not brought back.
. "$(dirname "$0")/../lib/disc.sh"
cd "$T"

# alike NEW FRESH: both hold something, or nothing, in the same blocks of those that a reader may look at.
alike() {
    python3 - "$1" "$2" <<'PY'
import sys
new, fresh = (open(name, "rb") for name in sys.argv[1:])
blocks = new.seek(0, 2) // 2048
packets = blocks // 32
journal = range(288 + 32 * min(max(packets // 64, 4), 32), 288 + 32 * (min(max(packets // 64, 4), 32) + 2 * min(max(packets // 64, 16), 32)))
for n in [*range(0, 544), *journal, *range(blocks - 544, blocks)]:
    new.seek(n * 2048), fresh.seek(n * 2048)
    if any(new.read(2048)) != any(fresh.read(2048)):
        sys.exit(f"block {n} is not as on a fresh volume")
PY
}

size=$((64 * 1024 * 1024))
truncate -s $size fresh
mkfs.packetfs -q fresh
alike fresh fresh || fail "the comparison does not work"

# Garbage all over.
head -c $size /dev/urandom >old
mkfs.packetfs -q --force old
alike old fresh || fail "garbage stays"
check_volume old

# Other layouts, and valid anchors at all places where readers look.
make_hd() { mkudffs --utf8 -m hd -b 2048 -r 2.01 -l stale old >/dev/null; }
make_spared() { mkudffs --utf8 -m cdrw -r 1.50 --sparspace=512 -l stale old >/dev/null; }
make_dvd() { mkudffs --utf8 -m dvdram -r 2.01 -l stale old >/dev/null; }
make_cdr() { mkudffs --utf8 -m cdr -r 2.01 -l stale old >/dev/null; }
make_iso() {
    mkdir -p tree
    echo stale >tree/file
    xorriso -as mkisofs -quiet -V stale -o old tree 2>/dev/null
}
make_ext() { mkfs.ext2 -q -b 2048 -L stale old; }
make_anchors() {
    make_hd
    python3 - old <<'PY'
import struct, sys
def crc(data):
    value = 0
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xffff
    return value
with open(sys.argv[1], "r+b") as f:
    f.seek(256 * 2048)
    anchor = bytearray(f.read(2048))
    last = f.seek(0, 2) // 2048 - 1
    for place in [512, 256, 544 - 1] + [last - d - e for d in (0, 1, 2, 150, 152) for e in (0, 256)]:
        struct.pack_into("<I", anchor, 12, place)
        struct.pack_into("<H", anchor, 8, crc(anchor[16:512]))
        anchor[4] = 0
        anchor[4] = sum(anchor[:16]) & 0xff
        f.seek(place * 2048)
        f.write(anchor)
PY
}
for kind in hd spared dvd cdr iso ext anchors; do
    rm old
    truncate -s $size old
    make_$kind
    truncate -s $size old
    expect 1 mkfs.packetfs old
    mkfs.packetfs -q --force -L new old
    alike old fresh || fail "$kind: something stays"
    check_volume old
    [ "$(udfinfo_value old label)" = new ] || fail "$kind: not the new volume"
    # blkid knows most file systems that there are.
    [ "$(blkid -p -s TYPE -s LABEL -o value old | tr '\n' ' ')" = "new udf " ] || [ "$(blkid -p -s TYPE -s LABEL -o value old | tr '\n' ' ')" = "udf new " ] ||
        fail "$kind: blkid sees $(blkid -p old)"
done

# An anchor behind the last whole packet of a file.
truncate -s $((size + 20 * 2048)) odd
head -c $((20 * 2048)) /dev/urandom | dd of=odd bs=2048 seek=$((size / 2048)) conv=notrunc status=none
mkfs.packetfs -q --force odd
cmp -n $((20 * 2048)) -i $size:0 odd /dev/zero || fail "what is behind the last packet stays"

# A disc whose packetfs was killed with committed changes in the journal gets a new volume: they are gone for good.
packetdisc create disc
mkfs.packetfs -q disc
mkdir mnt
packetfs -f disc mnt 2>log &
daemon=$!
MOUNTED+=(mnt)
for _ in $(seq 100); do
    mountpoint -q mnt && break
    sleep 0.1
done
mountpoint -q mnt || fail "no mount: $(cat log)"
mkdir mnt/ghost
echo boo >mnt/ghost/file
sync -f mnt/ghost/file
kill -9 $daemon
wait $daemon 2>/dev/null || true
umount -l mnt 2>/dev/null || true
packetdisc info disc | grep -q '^Integrity *open' || fail "the killed packetfs left a closed volume"
mkfs.packetfs -q --force disc
mount_disc disc mnt
[ -z "$(ls -A mnt)" ] || fail "the old journal came back: $(ls -A mnt)"
echo new >mnt/new
unmount_disc mnt
check_volume disc/data.img
mount_disc disc mnt
[ "$(ls -A mnt)" = new ] || fail "not what was written: $(ls -A mnt)"
unmount_disc mnt

# --full on a file overwrites everything.
head -c $size /dev/urandom >old
mkfs.packetfs -q --force --full old
[ "$(tr -d '\0' <old | wc -c)" -lt 20000 ] || fail "--full leaves old data"
