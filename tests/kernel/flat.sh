#!/bin/bash
# SPDX-License-Identifier: MIT
# Volumes that mkudffs makes and the kernel's udf driver writes: packetfs reads them and goes on writing, and the kernel reads
# that in turn and goes on itself.
. "$(dirname "$0")/../lib/kernel.sh"
list=$SOURCE/tests/lib/tree_list.py

truncate -s 64M "$T/hd"
mkudffs --blocksize=2048 --media-type=hd --udfrev=2.01 "$T/hd" >/dev/null
truncate -s 64M "$T/cdrw"
mkudffs --blocksize=2048 --media-type=cdrw --udfrev=1.50 --packetlen=32 "$T/cdrw" >/dev/null
mkdir "$T/tree" "$T/more"
cp -r "$SOURCE/udf" "$SOURCE/mmc" "$T/tree"
cp -r "$SOURCE/fs" "$SOURCE/docs" "$T/more"

kernel() {
    "$SOURCE/tests/kernel/kernel-run" --timeout 120 --image "$T/hd" --image "$T/cdrw" -- "set -e; cd $T
        for volume in hd:/dev/ubda cdrw:/dev/ubdb; do
            mount -t udf \${volume#*:} /mnt
            name=\${volume%:*}
            $1
            umount /mnt
        done
        echo done" >"$T/out" 2>"$T/err" && grep -q '^done$' "$T/out" || fail "in the kernel: $(cat "$T/out" "$T/err")"
}

kernel 'cp -a tree /mnt; ln -s tree/udf /mnt/link; ln /mnt/tree/udf/file.c /mnt/hard; python3 '"$list"' /mnt >want-$name'
for volume in hd cdrw; do
    mount_disc "$T/$volume" "$T/mnt"
    python3 "$list" "$T/mnt" >"$T/got"
    diff "$T/want-$volume" "$T/got" >"$T/diff" || { head -20 "$T/diff"; fail "$volume: packetfs reads something else"; }
    cp -a "$T/more" "$T/mnt"
    rm -r "$T/mnt/tree/mmc"
    echo more >>"$T/mnt/tree/udf/file.c"
    mv "$T/mnt/hard" "$T/mnt/more/hard"
    python3 "$list" "$T/mnt" >"$T/want-$volume"
    unmount_disc "$T/mnt"
    check_volume "$T/$volume"
done
kernel 'python3 '"$list"' /mnt >got-$name; rm -r /mnt/more; python3 '"$list"' /mnt >last-$name'
for volume in hd cdrw; do
    diff "$T/want-$volume" "$T/got-$volume" >"$T/diff" || { head -20 "$T/diff"; fail "$volume: the kernel reads something else"; }
    mount_disc "$T/$volume" "$T/mnt" -o ro
    python3 "$list" "$T/mnt" >"$T/got"
    unmount_disc "$T/mnt"
    diff "$T/last-$volume" "$T/got" >"$T/diff" || { head -20 "$T/diff"; fail "$volume: packetfs reads something else at the end"; }
done
