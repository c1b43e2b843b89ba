#!/bin/bash
# SPDX-License-Identifier: MIT
# A worn disc, in both revisions: packets fail while a tree of every kind of file is copied, their contents go to spare packets,
# and packetfs, udfclient and the Linux kernel's own driver find all of it through the sparing tables.
. "$(dirname "$0")/../lib/disc.sh"
list=$SOURCE/tests/lib/tree_list.py
flat=$T/disc/data.img

python3 "$SOURCE/tests/lib/tree_make.py" "$T/tree" 200 40 >/dev/null
(cd "$T" && python3 "$list" tree) >"$T/want"

# The bad packets in use; three readers must see through each.
copy_and_compare() {
    local revision=$1 spared volume
    rm -rf "$T/disc" "$T/extracted"
    packetdisc create "$T/disc"
    mkfs.packetfs -q -r "$revision" "$T/disc"
    # From the first packet behind the spare packets and the journal on, one packet in forty-five.
    for lba in $(seq 8000 1440 290000); do
        echo "write-error $((lba / 32 * 32)) 32"
    done >"$T/disc/faults"
    mount_disc "$T/disc" "$T/mnt"
    cp -a "$T/tree/." "$T/mnt/"
    unmount_disc "$T/mnt" || fail "$revision: unmounting"
    rm "$T/disc/faults"
    spared=$(packetdisc info --json "$T/disc" | jq .volume.spares_used)
    [ "$spared" -ge 5 ] || fail "$revision: only $spared packets were spared"
    check_volume "$flat"
    [ "$(udfinfo_value "$flat" udfrev)" = "$revision" ] || fail "$revision: not that revision"

    mount_disc "$T/disc" "$T/mnt" -o ro
    python3 "$list" "$T/mnt" >"$T/got"
    unmount_disc "$T/mnt"
    diff "$T/want" "$T/got" >"$T/diff" || { head -20 "$T/diff"; fail "$revision: packetfs reads something else"; }

    "$SOURCE/tests/kernel/kernel-run" --timeout 200 --image "$flat:ro" -- \
        "mount -t udf -o ro /dev/ubda /mnt && python3 $list /mnt >$T/kernel" || fail "$revision: the kernel did not mount it"
    diff "$T/want" "$T/kernel" >"$T/diff" || { head -20 "$T/diff"; fail "$revision: the kernel reads something else"; }

    mkdir "$T/extracted"
    volume=$(printf 'ls\nquit\n' | timeout 60 udfclient -b 2048 "$flat" 2>/dev/null | sed -n 's/^d.* \([^ ]*:[^ ]*:[^ ]*\)$/\1/p')
    [ -n "$volume" ] || fail "$revision: udfclient finds no volume"
    printf 'cd %s\nlcd %s\nget usr\nquit\n' "$volume" "$T/extracted" | timeout 200 udfclient -b 2048 "$flat" >"$T/client" 2>&1 ||
        fail "$revision: udfclient: $(tail -3 "$T/client")"
    (cd "$T/tree" && find usr -type f -exec sha256sum {} +) | LC_ALL=C grep -v '[^ -~]' >"$T/sums"
    [ -s "$T/sums" ] || fail "$revision: nothing to compare"
    (cd "$T/extracted" && sha256sum --quiet -c "$T/sums") || fail "$revision: udfclient extracts something else"
    echo "UDF $revision: $spared packets spared"
}

copy_and_compare 2.01
copy_and_compare 1.50
