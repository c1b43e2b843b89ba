#!/bin/sh
# SPDX-License-Identifier: MIT
# The real transport, on a real kernel: sg_kernel.sh SERVE SG_KERNEL KERNEL_RUN. SERVE serves a virtual disc, which is
# /dev/sr0 and /dev/sg0 to the kernel that KERNEL_RUN brings up, where SG_KERNEL tries the library on them, first as root
# and then as a user of group cdrom.
set -eu
serve=$1 sg_kernel=$2 kernel_run=$3
PATH=$PATH:/usr/sbin:/sbin

dir=$(mktemp -d /tmp/sg-kernel-XXXXXX)
chmod 755 "$dir"
cleanup() {
    exec 9>&- || true
    wait || true
    rm -rf "$dir"
}
trap cleanup EXIT

truncate -s 4M "$dir/volume"
mkudffs --blocksize=2048 --media-type=hd "$dir/volume" >/dev/null

mkfifo "$dir/stop" "$dir/ready"
"$serve" "$dir/disc" "$dir/socket" <"$dir/stop" >"$dir/ready" &
exec 9>"$dir/stop"
read -r ready <"$dir/ready"
[ "$ready" = ready ]

"$kernel_run" --drive "$dir/socket" --timeout 120 -- \
    "$sg_kernel /dev/sr0 /dev/sg0 $dir/volume && echo as root: done &&
     setpriv --reuid 65534 --regid 65534 --groups cdrom $sg_kernel --user /dev/sr0 && echo as user: done" \
    9>&- | tee "$dir/out"
grep -q 'as root: done' "$dir/out"
grep -q 'as user: done' "$dir/out"
