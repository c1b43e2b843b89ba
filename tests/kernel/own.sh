#!/bin/bash
# SPDX-License-Identifier: MIT
# The main job on a real kernel, on the drive that is its /dev/sr0: as root, and then as a user of group cdrom who is not.
# What packetfs wrote there, the kernel's own udf driver reads.
. "$(dirname "$0")/../lib/kernel.sh"

mkdir "$T/small"
cp -r "$SOURCE/docs" "$SOURCE/udf" "$T/small"
chmod 755 "$T"
packetdisc create --speed 24 "$T/disc"
serve_discs "$T/disc"

in_kernel '
mkdir /mnt/disc
# Made here, for the host files that the kernel sees have no fractions of seconds.
python3 $SOURCE/tests/lib/tree_make.py /mnt/tree 500 5
python3 $SOURCE/tests/lib/tree_list.py /mnt/tree >want
packetdisc info /dev/sr0 | grep -q "^State *blank$"
mkfs.packetfs -q /dev/sr0
packetfs /dev/sr0 /mnt/disc
cp -a /mnt/tree/. /mnt/disc
umount /mnt/disc
packetdisc info --json /dev/sr0 | jq -e ".volume.closed and .mounted_at == null" >/dev/null
eject_and_load
mount -t udf -o ro /dev/sr0 /mnt/disc
python3 $SOURCE/tests/lib/tree_list.py /mnt/disc >got-root
packetdisc info /dev/sr0 >busy 2>&1 && exit 1
grep -q "mount.* /mnt/disc" busy
umount /mnt/disc
echo root: done

as="setpriv --reuid 65534 --regid 65534 --groups cdrom --inh-caps=-all"
chown 65534 /mnt/disc
$as mkfs.packetfs -q --force /dev/sr0
$as packetfs /dev/sr0 /mnt/disc
$as cp -r small /mnt/disc
$as packetfs -u /mnt/disc
$as packetdisc info --json /dev/sr0 | jq -e ".volume.closed" >/dev/null
setpriv --reuid 65534 --regid 65534 --clear-groups packetdisc info /dev/sr0 >refused 2>&1 && exit 1
grep -q "group cdrom" refused
eject_and_load
mount -t udf -o ro /dev/sr0 /mnt/disc
diff -r small /mnt/disc/small
[ "$(stat -c %u /mnt/disc/small)" = 65534 ]
umount /mnt/disc
echo user: done'
grep -q 'root: done' "$T/out"
grep -q 'user: done' "$T/out"
diff "$T/want" "$T/got-root" >"$T/diff" || { head -20 "$T/diff"; fail "the kernel reads something else"; }
serve_end
check_volume "$T/disc/data.img"
