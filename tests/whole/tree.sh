#!/bin/bash
# SPDX-License-Identifier: MIT
# The main job at full size: a tree of 10,000 real files and 200 MiB and every odd kind of file goes onto a virtual CD-RW,
# and comes back the same from packetfs, from udfclient and from the Linux kernel's own driver.
. "$(dirname "$0")/../lib/disc.sh"
lib=$SOURCE/tests/lib
flat=$T/disc/data.img

python3 "$lib/tree_make.py" "$T/tree"
(cd "$T" && python3 "$lib/tree_list.py" tree) >"$T/want"

new_disc "$T/disc"
export PACKETFS_DRIVE_STATS=$T/stats.json
mount_disc "$T/disc" "$T/mnt"
cp -a "$T/tree/." "$T/mnt/"
unmount_disc "$T/mnt"
[ "$(jq .writes "$T/stats.json")" = "$(jq .writes_whole_packet "$T/stats.json")" ] || fail "a WRITE was not a whole packet"
check_volume "$flat"

mount_disc "$T/disc" "$T/mnt" -o ro
python3 "$lib/tree_list.py" "$T/mnt" >"$T/got"
diff "$T/want" "$T/got" >"$T/diff" || { head -20 "$T/diff"; fail "the tree came back different"; }
diff -r --no-dereference "$T/tree/usr" "$T/mnt/usr" || fail "diff -r finds a difference"
free=$(stat -f -c %f "$T/mnt")
unmount_disc "$T/mnt"

# What udfinfo counts is what is there.
[ "$(udfinfo_value "$flat" numdirs)" = "$(awk -F'\t' '$2 == "dir"' "$T/want" | wc -l)" ] || fail "udfinfo: numdirs"
[ "$(udfinfo_value "$flat" numfiles)" = "$(awk -F'\t' '$2 != "dir"' "$T/want" | wc -l)" ] || fail "udfinfo: numfiles"
[ "$(udfinfo_value "$flat" freeblocks)" = "$free" ] || fail "udfinfo: freeblocks"

# udfclient, which shares no code with packetfs, extracts the same contents.
mkdir "$T/extracted"
# It shows the volume as a folder of its own, named after all that the volume is called.
volume=$(printf 'ls\nquit\n' | timeout 60 udfclient -b 2048 "$flat" 2>/dev/null | sed -n 's/^d.* \([^ ]*:[^ ]*:[^ ]*\)$/\1/p')
[ -n "$volume" ] || fail "udfclient finds no volume"
printf 'cd %s\nlcd %s\nget usr\nquit\n' "$volume" "$T/extracted" | timeout 300 udfclient -b 2048 "$flat" >"$T/udfclient" 2>&1 ||
    fail "udfclient: $(tail -3 "$T/udfclient")"
only_files() { awk -F'\t' '$2 == "file" { print $1 "\t" $NF }' | sort; }
(cd "$T/tree" && python3 "$lib/tree_list.py" --contents usr) | only_files >"$T/want-files"
(cd "$T/extracted" && python3 "$lib/tree_list.py" --contents usr) | only_files >"$T/got-files"
[ -s "$T/want-files" ] || fail "nothing to compare"
# It makes files of symbolic links, and spells names in ASCII; every other file must be there with its contents.
comm -23 "$T/want-files" "$T/got-files" | LC_ALL=C grep -v '[^ -~	]' >"$T/diff" || true
[ ! -s "$T/diff" ] || { head -20 "$T/diff"; fail "udfclient extracts something else"; }

# The kernel's own driver reads the same tree.
"$SOURCE/tests/kernel/kernel-run" --timeout 400 --image "$flat:ro" -- \
    "mount -t udf -o ro /dev/ubda /mnt && python3 $lib/tree_list.py /mnt >$T/kernel" || fail "the kernel did not mount it"
diff "$T/want" "$T/kernel" >"$T/diff" || { head -20 "$T/diff"; fail "the kernel reads something else"; }
echo "ok: $(wc -l <"$T/want") paths"
