#!/bin/bash
# SPDX-License-Identifier: MIT
# The Linux kernel's own udf driver mounts what mkfs.packetfs made, with the right owner, and writes to it; packetfs then
# finds what it wrote.
. "$(dirname "$0")/../lib/disc.sh"
cd "$T"

packetdisc create disc
mkfs.packetfs -q --uid 11 --gid 12 disc
ln disc/data.img d201
truncate -s 300M d150
mkfs.packetfs -q -r 1.50 --uid 11 --gid 12 d150
truncate -s 8M small
mkfs.packetfs -q --uid 11 --gid 12 small
cat >inside <<'INSIDE'
set -e
for device in /dev/ubda /dev/ubdb /dev/ubdc; do
    mount -t udf $device /mnt
    [ "$(stat -c '%u %g %a' /mnt)" = "11 12 755" ]
    [ -z "$(ls -A /mnt)" ]
    mkdir /mnt/folder
    head -c 100000 /dev/zero | tr '\0' x >/mnt/folder/file
    umount /mnt
done
echo all three
INSIDE
"$SOURCE/tests/kernel/kernel-run" --image d201 --image d150 --image small -- bash "$T/inside" >out 2>err ||
    fail "in the kernel: $(cat out err)"
grep -q 'all three' out || fail "in the kernel: $(cat out err)"
for image in d201 d150 small; do
    mount_disc $image mnt
    [ "$(head -c 100000 /dev/zero | tr '\0' x | cmp - mnt/folder/file && echo same)" = same ] || fail "$image: the file differs"
    unmount_disc mnt
done
