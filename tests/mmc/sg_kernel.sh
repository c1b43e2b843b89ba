#!/bin/bash
# SPDX-License-Identifier: MIT
# The real transport, on a real kernel: sg_kernel.sh SG_KERNEL. A virtual disc is served to be /dev/sr0 and /dev/sg0 of a
# kernel where SG_KERNEL tries the library on them, first as root and then as a user of group cdrom.
. "$(dirname "$0")/../lib/kernel.sh"
sg_kernel=$(readlink -f "$1")
chmod 755 "$T"

truncate -s 4M "$T/volume"
mkudffs --blocksize=2048 --media-type=hd "$T/volume" >/dev/null
packetdisc create --speed 24 "$T/disc"
serve_discs "$T/disc"
in_kernel "$sg_kernel /dev/sr0 /dev/sg0 $T/volume && echo as root: done &&
    setpriv --reuid 65534 --regid 65534 --groups cdrom $sg_kernel --user /dev/sr0 && echo as user: done"
grep -q 'as root: done' "$T/out"
grep -q 'as user: done' "$T/out"
serve_end
