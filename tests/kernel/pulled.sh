#!/bin/bash
# SPDX-License-Identifier: MIT
# A medium that is changed by hand while packetfs writes, and a drive that is pulled: programs get errors and nothing hangs,
# nothing is written to the other disc, and what was synced is on the first one.
. "$(dirname "$0")/../lib/kernel.sh"
cp -r "$SOURCE/udf" "$T/tree"

# writing DIR: copies a tree and syncs it, and leaves a program that goes on writing.
writing() {
    packetfs /dev/sr0 /mnt/disc
    cp -r tree /mnt/disc
    sync /mnt/disc/tree
    (while dd if=/dev/zero of=/mnt/disc/more bs=64k count=64 conv=fsync 2>>writer; do :; done) &
    WRITER=$!
    sleep 1
}

# What must come to an end does so within a minute.
stopped() {
    timeout 60 tail --pid=$WRITER -f /dev/null || { echo "the writer hangs"; exit 1; }
    timeout 60 umount /mnt/disc || timeout 60 umount -l /mnt/disc || { echo "umount hangs"; exit 1; }
    for _ in $(seq 300); do
        pidof packetfs >/dev/null || return 0
        sleep .2
    done
    echo "packetfs hangs"
    exit 1
}

unharmed() {
    mount_disc "$1" "$T/mnt"
    diff -r "$T/tree" "$T/mnt/tree" || fail "what was synced is not there"
    unmount_disc "$T/mnt"
    check_volume "$1/data.img"
}

for disc in first second; do
    packetdisc create --speed 24 "$T/$disc"
    mkfs.packetfs -q "$T/$disc"
done
sums() { (cd "$T/second" && sha256sum data.img packets leadin pma); }
sums >"$T/want"
serve_discs "$T/first" "$T/second"
on_request change kill -USR1 "$SERVER"
in_kernel "$(declare -f writing stopped)
mkdir /mnt/disc
writing
ask change
stopped
grep -q 'Input/output error' writer
echo changed: done"
grep -q 'changed: done' "$T/out"
serve_end
sums | diff "$T/want" - || fail "the other disc was written"
unharmed "$T/first"

serve_discs "$T/first"
on_request pull kill -KILL "$SERVER"
rm -f "$T/writer"
in_kernel "$(declare -f writing stopped)
mkdir /mnt/disc
packetfs /dev/sr0 /mnt/disc && rm -r /mnt/disc/tree && umount /mnt/disc
writing
ask pull
stopped
tail -3 writer
grep -q 'No such device' writer
echo pulled: done"
grep -q 'pulled: done' "$T/out"
SERVER=
unharmed "$T/first"
