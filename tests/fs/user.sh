#!/bin/bash
# SPDX-License-Identifier: MIT
# A user who is not root: mounts through fusermount3, unmounts with packetfs -u and umount, and owns the files made.
# It runs in a mount namespace of its own, so that what it mounts over /dev/fuse and /usr/sbin is seen by nobody else.
# Nothing of the machine is ever mounted into the scratch folder, which is removed at the end.
if [ "${1-}" != inside ]; then
    exec unshare -m --propagation private "$0" inside "$(readlink /proc/self/ns/mnt)"
fi
. "$(dirname "$0")/../lib/disc.sh"
. "$SOURCE/tests/fs/daemon.sh"
[ "$(readlink /proc/self/ns/mnt)" != "$2" ] || fail "not in a mount namespace of its own"
nobody=65534

chmod 755 "$T"
packetdisc create "$T/disc"
mkfs.packetfs -q --uid $nobody --gid $nobody "$T/disc"
mkdir "$T/mnt"
chown -R $nobody:$nobody "$T/disc" "$T/mnt"

# Whatever this machine lets users do with /dev/fuse: here they may use it.
mknod "$T/fuse" c 10 229
chmod 666 "$T/fuse"
mount --bind "$T/fuse" /dev/fuse
# What a package would install: mount(8) and umount(8) look for their helpers in /sbin alone.
mount -t tmpfs tmpfs /usr/sbin
for name in mount.packetfs umount.fuse.packetfs; do
    ln -s "$BUILD/fs/packetfs" /usr/sbin/$name
done

as_user() {
    setpriv --reuid $nobody --regid $nobody --clear-groups env PATH="$PATH" "$@"
}
closed() {
    [ "$(udfinfo_value "$T/disc/data.img" integrity)" = closed ] || fail "$1: integrity is not closed"
}

as_user packetfs "$T/disc" "$T/mnt" || fail "a user cannot mount"
MOUNTED+=("$T/mnt")
as_user cp -r "$SOURCE/tests" "$T/mnt/" || fail "a user cannot copy"
[ "$(as_user stat -c %u "$T/mnt/tests/fs/user.sh")" = $nobody ] || fail "the owner is not the user"
ls "$T/mnt" >/dev/null 2>&1 && fail "root gets in without allow_other"
as_user packetfs -u "$T/mnt" || fail "a user cannot unmount"
closed "packetfs -u by a user"

# Root unmounts what a user has mounted, and waits too.
as_user packetfs "$T/disc" "$T/mnt"
as_user cp -r "$SOURCE/tests" "$T/mnt/again"
packetfs -u "$T/mnt" || fail "root cannot unmount"
closed "packetfs -u by root"

# umount, by the user and by root.
for who in as_user env; do
    as_user packetfs "$T/disc" "$T/mnt"
    as_user touch "$T/mnt/for-$who"
    $who umount "$T/mnt" || fail "umount ($who)"
    closed "umount ($who)"
done

# mount(8), with words that only it knows.
mount -t packetfs -o noauto,nofail,x-test,uid=4242 "$T/disc" "$T/mnt" || fail "mount -t packetfs"
[ "$(stat -c %u "$T/mnt/tests")" = 4242 ] || fail "mount(8) lost uid="
umount "$T/mnt"
mount -t packetfs -o frobnicate "$T/disc" "$T/mnt" 2>"$T/err" && fail "mount(8) took an unknown option"
grep -q 'unknown option "frobnicate"' "$T/err" || fail "no message through mount(8): $(cat "$T/err")"

# fusermount3 does not wait, but whoever wants the disc next does.
as_user packetfs "$T/disc" "$T/mnt"
as_user cp -r "$SOURCE/tests" "$T/mnt/third"
as_user fusermount3 -u "$T/mnt" || fail "fusermount3 -u"
as_user packetfs "$T/disc" "$T/mnt" || fail "mounting again right after fusermount3 -u"
as_user diff -r "$SOURCE/tests" "$T/mnt/third" || fail "the copies differ"
as_user packetfs -u "$T/mnt"
closed "at the end"
check_volume "$T/disc/data.img"
daemon_check
