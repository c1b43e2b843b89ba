#!/bin/bash
# SPDX-License-Identifier: MIT
# Much at once; what it left is the same after mounting again, and the volume checks clean.
. "$(dirname "$0")/../lib/disc.sh"
. "$SOURCE/tests/fs/daemon.sh"
new_disc "$T/disc"
mount_disc "$T/disc" "$T/mnt"
timeout 600 python3 "$SOURCE/tests/fs/stress.py" "$T/mnt" || fail "under stress"
(cd "$T/mnt" && python3 "$SOURCE/tests/lib/tree_list.py" .) >"$T/before"
unmount_disc "$T/mnt"
check_volume "$T/disc/data.img"
mount_disc "$T/disc" "$T/mnt"
(cd "$T/mnt" && python3 "$SOURCE/tests/lib/tree_list.py" .) >"$T/after"
unmount_disc "$T/mnt"
diff "$T/before" "$T/after" >"$T/diff" || { head -20 "$T/diff"; fail "not the same after mounting again"; }
daemon_check
