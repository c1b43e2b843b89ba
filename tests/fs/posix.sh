#!/bin/bash
# SPDX-License-Identifier: MIT
# The POSIX matrix on a virtual CD-RW, and on an image that mkudffs made, which has no journal.
. "$(dirname "$0")/../lib/disc.sh"
. "$SOURCE/tests/fs/daemon.sh"

chmod 755 "$T"  # other users must get through
new_disc "$T/disc"
mount_disc "$T/disc" "$T/mnt" -o allow_other
timeout 300 python3 "$SOURCE/tests/fs/posix.py" "$T/mnt" || fail "on a virtual disc"
# What it left is read back by a fresh daemon.
(cd "$T/mnt" && python3 "$SOURCE/tests/lib/tree_list.py" .) >"$T/before"
unmount_disc "$T/mnt"
check_volume "$T/disc/data.img"
mount_disc "$T/disc" "$T/mnt" -o ro
(cd "$T/mnt" && python3 "$SOURCE/tests/lib/tree_list.py" .) >"$T/after"
unmount_disc "$T/mnt"
diff "$T/before" "$T/after" >"$T/diff" || { head -20 "$T/diff"; fail "not the same after mounting again"; }

mkudffs --utf8 -m hd -b 2048 -r 1.50 --new-file "$T/image" 20000 >/dev/null
mount_disc "$T/image" "$T/mnt" -o allow_other
timeout 300 python3 "$SOURCE/tests/fs/posix.py" "$T/mnt" || fail "on an image"
unmount_disc "$T/mnt"
check_volume "$T/image"
daemon_check
