#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line of mkfs.packetfs: options, refusals, exit statuses, and that a refusal changes nothing.
# BURN_TRACK is the program of that name.
. "$(dirname "$0")/../lib/disc.sh"
cd "$T"

# says TEXT: standard error holds it, and every line begins with the program.
says() {
    grep -qF -- "$1" err || {
        cat err >&2
        fail "does not say '$1'"
    }
    ! grep -qv '^mkfs\.packetfs: ' err || fail "a line without the program: $(grep -v '^mkfs\.packetfs: ' err)"
}
# refuses STATUS TEXT ARG...
refuses() {
    local status=$1 text=$2
    shift 2
    expect "$status" mkfs.packetfs "$@"
    says "$text"
    [ ! -s out ] || fail "prints to standard output: $(cat out)"
}
sum() {
    find "$@" -type f ! -name lock -exec sha256sum {} + | sort
}

# Help and version.
expect 0 mkfs.packetfs --help
[ ! -s err ] || fail "--help writes to standard error"
for word in --label --revision --quick --full --force --uid --gid --quiet "Exit status"; do
    grep -q -- "$word" out || fail "--help lacks $word"
done
expect 0 mkfs.packetfs --version
grep -qE '^mkfs\.packetfs \(packetfs\) [0-9]+\.[0-9]' out || fail "--version: $(cat out)"

# Usage errors; none of them touches the disc.
truncate -s 16M image
before=$(sum image)
refuses 2 "DISC is missing"
refuses 2 "one DISC only" image image
refuses 2 "unrecognized option" --frobnicate image
refuses 2 "requires an argument" image --label
refuses 2 "UDF revision is 1.50 or 2.01, not \"2.50\"" -r 2.50 image
refuses 2 "--uid takes a number" --uid root image
refuses 2 "--uid takes a number" --uid 4294967295 image
refuses 2 "--gid takes a number" --gid -1 image
refuses 2 "exclude each other" --full --quick image
refuses 2 "label is too long" -L "$(printf 'x%.0s' {1..127})" image
refuses 2 "label is too long" -L "$(printf 'ж%.0s' {1..64})" image
refuses 2 "not valid UTF-8" -L $'\xff' image
[ "$(sum image)" = "$before" ] || fail "a usage error changed the image"

# What is no disc.
refuses 1 "there is no such drive" missing
mkdir folder
refuses 1 "not a virtual disc" folder
refuses 1 "neither a drive" /dev/null
: >empty
refuses 1 "truncate -s" empty
truncate -s $((4095 * 2048)) small
refuses 1 "too small: a volume needs 8.0 MiB" small
[ "$(stat -c %b small)" = 0 ] || fail "a refused file was written"

# What may not be written, or only with --force.
packetdisc create --medium cd-r cdr
refuses 1 "this is a CD-R" cdr
refuses 1 "this is a CD-R" --force --full cdr
packetdisc create track
head -c 1000000 /dev/urandom >data
"$BURN_TRACK" track data
before=$(sum track)
refuses 1 "--force" track
[ "$(sum track)" = "$before" ] || fail "a refused disc was changed"
expect 0 mkfs.packetfs --force track
check_volume track/data.img

expect 0 mkfs.packetfs -L first image
before=$(sum image)
refuses 1 "a UDF volume is on it" image
refuses 1 "a UDF volume is on it" track
mkdir tree
echo hello >tree/file
xorriso -as mkisofs -quiet -o iso tree 2>/dev/null
truncate -s 16M iso
refuses 1 "an ISO 9660 volume is on it" iso
truncate -s 16M other
printf x | dd of=other bs=1 seek=9000000 conv=notrunc status=none
refuses 1 "there is data on it" other
[ "$(sum image)" = "$before" ] || fail "a refused image was changed"
for disc in iso other image; do
    expect 0 mkfs.packetfs --force -q -L again $disc
    [ ! -s err ] || fail "-q is not quiet"
    [ "$(udfinfo_value $disc label)" = again ] || fail "$disc: no new volume"
done
# Blank means that every block repeats one byte: what drives leave after a format.
tr '\0' '\377' </dev/zero | head -c 16777216 >uniform
expect 0 mkfs.packetfs uniform

# A caller that has closed the standard streams: no message lands in the image.
bash -c 'mkfs.packetfs --force image <&- >&- 2>&-' || fail "with closed streams: status $?"
cmp -n 32768 image /dev/zero || fail "a message was written to the image"
check_volume image

# In use, mounted.
packetdisc create disc
expect 0 mkfs.packetfs disc
mount_disc disc mnt
refuses 1 "mounted at $T/mnt" --force disc
echo alive >mnt/file
unmount_disc mnt
mount_disc image mnt
refuses 1 "mounted at $T/mnt" --force image
unmount_disc mnt
python3 - disc image <<'PY'
import fcntl, os, subprocess, sys
def refused(path, program="mkfs.packetfs"):
    p = subprocess.run([program, "--force", path], stderr=subprocess.PIPE, text=True)
    assert p.returncode == 1, p
    assert f"in use by process {os.getpid()} (python3)" in p.stderr, p.stderr
lock = open(sys.argv[1] + "/lock", "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.truncate(0)
lock.write(f"{os.getpid()}\n")
lock.flush()
refused(sys.argv[1])
image = open(sys.argv[2], "r+b")
fcntl.flock(image, fcntl.LOCK_EX)
refused(sys.argv[2])
PY

# On a terminal the progress is a bar that ends before the next message.
script -qec "$BUILD/mkfs/mkfs.packetfs --force disc" typescript >/dev/null </dev/null || fail "fails on a terminal: $(cat typescript)"
tr '\r' '\n' <typescript >lines
grep -qE '^writing the volume \[#+\.+\] +[0-9]+ %' lines || fail "no bar: $(cat lines)"
grep -qE '^writing the volume \[#{30}\] +100 %' lines || fail "no full bar: $(cat lines)"
grep -qE '^mkfs\.packetfs: disc: UDF 2\.01 volume' lines || fail "the bar and the message share a line: $(cat lines)"

# No right to the image (root may do everything, so someone else asks).
chmod 755 "$T"
chmod 600 image
setpriv --reuid 65534 --regid 65534 --clear-groups "$BUILD/mkfs/mkfs.packetfs" --force image >out 2>err && fail "formats without permission"
says "permission denied"

# A drive's node that this user may not open.
mknod drive b 11 99
chgrp cdrom drive
chmod 660 drive
setpriv --reuid 65534 --regid 65534 --clear-groups "$BUILD/mkfs/mkfs.packetfs" drive >out 2>err && fail "formats without permission"
says "only members of group cdrom may use it"

# mkudffs is missing, or fails: said, and the disc is as it was.
before=$(sum track)
cp "$BUILD/mkfs/mkfs.packetfs" "$T/program"
mkdir nothing
unshare -m sh -c 'mount --bind nothing /usr/sbin && PATH=/usr/bin exec ./program --force track' >out 2>err &&
    fail "works without mkudffs"
says "install the package udftools"
mkdir bin
printf '#!/bin/sh\necho first complaint >&2\necho second complaint >&2\nexit 3\n' >bin/mkudffs
chmod +x bin/mkudffs
PATH=$T/bin:$PATH refuses 1 "first complaint" --force track
says "second complaint"
says "exit status 3"
# A mkudffs that lays out something else.
printf '#!/bin/sh\nexit 0\n' >bin/mkudffs
PATH=$T/bin:$PATH refuses 1 "not known" --force track
[ "$(sum track)" = "$before" ] || fail "a failing mkudffs changed the disc"
TMPDIR=$T/nowhere refuses 1 "TMPDIR" --force track
[ "$(sum track)" = "$before" ] || fail "a missing TMPDIR changed the disc"
