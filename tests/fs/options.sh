#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line: what is refused, with which words and exit status, before anything is touched.
. "$(dirname "$0")/../lib/disc.sh"
. "$SOURCE/tests/fs/daemon.sh"
mkdir "$T/mnt"

# says TEXT: the last command said so on standard error.
says() {
    grep -qF -- "$1" "$T/err" || { cat "$T/err" >&2; fail "no message \"$1\""; }
}

expect 0 packetfs --help
grep -q 'umask=' "$T/out" || fail "--help does not explain umask="
[ ! -s "$T/err" ] || fail "--help writes to standard error"
expect 0 packetfs --version
grep -q '^packetfs (packetfs) [0-9]' "$T/out" || fail "--version"

expect 1 packetfs
says "DISC and DIR are missing"
expect 1 packetfs "$T/disc"
says "DIR is missing"
expect 1 packetfs a b c
says '"c" is one argument too many'
expect 1 packetfs -o rw,frobnicate,ro a b
says 'unknown option "frobnicate"'
expect 1 packetfs -o frobnicate=3 a b
says 'unknown option "frobnicate=3"'
expect 1 packetfs -x a b
says 'unknown option "-x"'
expect 1 packetfs --frobnicate a b
says 'unknown option "--frobnicate"'
expect 1 packetfs a b -o
says 'option "-o" needs a value'
for word in uid=me uid=-1 uid= gid=4294967295 umask=9 umask=1000 cache=lots cache=; do
    expect 1 packetfs -o $word a b
    says "option \"$word\": the value must be a number"
done

expect 32 packetfs "$T/none" "$T/mnt"
says "there is no such drive, disc folder or file"
head -c 4M /dev/zero >"$T/empty"
expect 32 packetfs "$T/empty" "$T/none"
says "cannot be mounted on $T/none"
expect 32 packetfs "$T/empty" "$T/empty"
says "not a directory"
expect 32 packetfs "$T/empty" "$T/mnt"
says "no UDF volume"
says "$T/empty"
expect 32 packetfs "$T/mnt" "$T/mnt"
says "not a virtual disc"
head -c 1M /dev/urandom >"$T/noise"
expect 32 packetfs "$T/noise" "$T/mnt"
says "no UDF volume"
expect 32 packetfs -u "$T/mnt"
says "nothing is mounted there"
expect 1 packetfs -u "$T/mnt" "$T/mnt"

# A volume that is there but broken is called that.
mkudffs --utf8 -m cdrw -r 2.01 --new-file "$T/broken" 20000 >/dev/null
python3 - "$T/broken" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as f:
    for first, count in ((96, 32), (19840, 160)):  # both descriptor sequences, and what else is at the end
        f.seek(first * 2048)
        f.write(b"\xee" * count * 2048)
PYTHON
expect 32 packetfs "$T/broken" "$T/mnt"
says "damaged"

# A disc that is not formatted: the advice is one that works.
packetdisc create "$T/blank"
expect 32 packetfs "$T/blank" "$T/mnt"
says "\"mkfs.packetfs $T/blank\" does that"
packetdisc create --medium cd-r "$T/cd-r"
expect 32 packetfs "$T/cd-r" "$T/mnt"
says "not a CD-RW"

# As mount(8) calls it.
ln -s "$BUILD/fs/packetfs" "$T/mount.packetfs"
expect 1 "$T/mount.packetfs" "$T/empty" "$T/mnt" -o frobnicate
says 'mount.packetfs: unknown option "frobnicate"'
expect 32 "$T/mount.packetfs" "$T/empty" "$T/mnt" -s -o frobnicate
expect 0 "$T/mount.packetfs" "$T/empty" "$T/mnt" -f -o noauto,users,nofail,_netdev,x-systemd.automount,comment=a,defaults
expect 32 "$T/mount.packetfs" "$T/empty" "$T/mnt" -n -v -o rw,noauto,user,exec,suid,dev,x-a=b

mountpoint -q "$T/mnt" && fail "something was mounted after all"
daemon_check
