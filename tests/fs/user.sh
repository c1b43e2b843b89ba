#!/bin/bash
# SPDX-License-Identifier: MIT
# A user who is not root: mounts through fusermount3, unmounts with packetfs -u and umount, and owns the files made.
[ "${1-}" = inside ] || exec unshare -m --propagation private "$0" inside
. "$(dirname "$0")/../lib/disc.sh"
. "$SOURCE/tests/fs/daemon.sh"
nobody=65534

# Whatever this machine lets users do with /dev/fuse: here they may use it.
mknod "$T/fuse" c 10 229
chmod 666 "$T/fuse"
mount --bind "$T/fuse" /dev/fuse
# What a package would install: umount(8) looks for its helper in /sbin alone.
mkdir "$T/sbin" "$T/work"
mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$T/sbin,workdir=$T/work" /usr/sbin 2>/dev/null &&
    ln -s "$BUILD/fs/packetfs" /usr/sbin/umount.fuse.packetfs && helper=yes || helper=

as_user() {
    setpriv --reuid $nobody --regid $nobody --clear-groups env PATH="$PATH" "$@"
}
closed() {
    [ "$(udfinfo_value "$T/disc/data.img" integrity)" = closed ] || fail "$1: integrity is not closed"
}

chmod 755 "$T"
packetdisc create "$T/disc"
mkfs.packetfs -q --uid $nobody --gid $nobody "$T/disc"
mkdir "$T/mnt"
chown -R $nobody:$nobody "$T/disc" "$T/mnt"

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

if [ -n "$helper" ]; then
    for who in as_user env; do
        as_user packetfs "$T/disc" "$T/mnt"
        as_user touch "$T/mnt/for-$who"
        $who umount "$T/mnt" || fail "umount ($who)"
        closed "umount ($who)"
    done
fi

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
