#!/bin/bash
# SPDX-License-Identifier: MIT
# Mounting and unmounting: what is shown, read-only mounts, that an unmount returns only when the disc is complete,
# signals, and the end of a daemon that is killed.
. "$(dirname "$0")/../lib/disc.sh"
. "$SOURCE/tests/fs/daemon.sh"
flat=$T/disc/data.img

closed() {
    [ "$(udfinfo_value "$flat" integrity)" = closed ] || fail "$1: integrity $(udfinfo_value "$flat" integrity)"
}

new_disc "$T/disc"
mount_disc "$T/disc" "$T/mnt"
findmnt -n -o SOURCE,FSTYPE "$T/mnt" >"$T/found"
grep -q "^$T/disc  *fuse\(blk\)\?\.packetfs" "$T/found" || fail "mount shows: $(cat "$T/found")"
[ "$(stat -f -c %S "$T/mnt")" = 2048 ] || fail "block size of statfs"
expect 32 packetfs "$T/disc" "$T/mnt"
grep -q "mounted on $T/mnt already" "$T/err" || fail "a second mount is not refused with the place: $(cat "$T/err")"

# Each way to unmount, right after changes: the disc is complete when it returns.
n=0
for how in umount "fusermount3 -u" "packetfs -u"; do
    mountpoint -q "$T/mnt" || mount_disc "$T/disc" "$T/mnt"
    n=$((n + 1))
    head -c 3M /dev/urandom >"$T/mnt/big$n"
    mkdir -p "$T/mnt/folder$n/below"
    cp -a "$SOURCE/tests" "$T/mnt/folder$n/below/"
    case $how in
    fusermount3*) grep -q "fuseblk" <(findmnt -n -o FSTYPE "$T/mnt") || echo "note: no loop device: fusermount3 -u does not wait" ;;
    esac
    $how "$T/mnt" || fail "$how"
    closed "$how"
    check_volume "$flat"
done
mount_disc "$T/disc" "$T/mnt"
for i in 1 2 3; do
    diff -r "$SOURCE/tests" "$T/mnt/folder$i/below/tests" || fail "copy $i is not the same"
done

# It is busy while a file is open, and stays as it was.
exec 5>"$T/mnt/open"
expect 32 packetfs -u "$T/mnt"
grep -q "in use" "$T/err" || fail "busy: $(cat "$T/err")"
exec 5>&-
packetfs -u "$T/mnt"

# Read-only, by wish.
sum=$(sha256sum <"$flat")
mount_disc "$T/disc" "$T/mnt" -o ro
findmnt -n -o OPTIONS "$T/mnt" | grep -qE '(^|,)ro(,|$)' || fail "not shown as read-only"
touch "$T/mnt/x" 2>"$T/err" && fail "touch on a read-only mount"
grep -qi "read-only" "$T/err" || fail "not EROFS: $(cat "$T/err")"
cat "$T/mnt/big1" >/dev/null
umount "$T/mnt"
[ "$(sha256sum <"$flat")" = "$sum" ] || fail "a read-only mount changed the disc"

# Read-only, because the volume says so: the reason is printed.
mkudffs --utf8 -m cdrw -r 2.01 --read-only --new-file "$T/image" 20000 >/dev/null
expect 0 packetfs "$T/image" "$T/mnt"
MOUNTED+=("$T/mnt")
grep -q "read-only: ." "$T/err" || fail "no reason: $(cat "$T/err")"
touch "$T/mnt/x" 2>/dev/null && fail "touch on a volume that is marked read-only"
umount "$T/mnt"

# A virtual disc whose files cannot be written is mounted read-only, with the reason, and is not formatted.
mkdir -p "$T/bound"
mount --bind "$T/disc" "$T/bound"
MOUNTED+=("$T/bound")
mount -o remount,bind,ro "$T/bound"
expect 0 packetfs "$T/bound" "$T/mnt"
grep -q "cannot be written" "$T/err" || fail "no reason: $(cat "$T/err")"
touch "$T/mnt/x" 2>"$T/err" && fail "touch on a disc whose files cannot be written"
grep -q "Read-only file system" "$T/err" || fail "touch: $(cat "$T/err")"
umount "$T/mnt"
expect 1 mkfs.packetfs --force "$T/bound"
grep -q "cannot be written" "$T/err" || fail "mkfs: $(cat "$T/err")"
umount "$T/bound"

# uid=, gid= and umask= are shown; names with commas and blanks are sources like any other.
mkdir "$T/a, b"
new_disc "$T/a, b/disc"
mount_disc "$T/a, b/disc" "$T/mnt" -o uid=1234,gid=4321,umask=077
grep -qF "$T/a, b/disc" <(findmnt -n -o SOURCE "$T/mnt") || fail "source: $(findmnt -n -o SOURCE "$T/mnt")"
touch "$T/mnt/x"
chmod 777 "$T/mnt/x"
[ "$(stat -c '%u %g %a' "$T/mnt/x")" = "1234 4321 700" ] || fail "uid=, gid=, umask=: $(stat -c '%u %g %a' "$T/mnt/x")"
umount "$T/mnt"
mount_disc "$T/a, b/disc" "$T/mnt"
[ "$(stat -c '%u %g %a' "$T/mnt/x")" = "0 0 777" ] || fail "stored: $(stat -c '%u %g %a' "$T/mnt/x")"
umount "$T/mnt"

# -o sync: durable at once, even when the daemon is killed right behind it.
mount_disc "$T/disc" "$T/mnt" -o sync
echo durable >"$T/mnt/durable"
mkdir "$T/mnt/dir"
kill -9 "$(daemon_pid "$T/disc")"
ls "$T/mnt" >/dev/null 2>"$T/err" && fail "a killed daemon still answers"
grep -qE "not connected|connection abort" "$T/err" || fail "killed: $(cat "$T/err")"
umount "$T/mnt"
mount_disc "$T/disc" "$T/mnt"
[ "$(cat "$T/mnt/durable")" = durable ] || fail "-o sync was not durable"
[ -d "$T/mnt/dir" ] || fail "-o sync: mkdir was not durable"

# fsync of a file and of a folder, and a kill.
python3 - "$T/mnt" <<'PYTHON'
import os, sys
fd = os.open(sys.argv[1] + "/synced", os.O_CREAT | os.O_WRONLY)
os.write(fd, b"S" * 100000)
os.fsync(fd)
os.mkdir(sys.argv[1] + "/syncdir")
fd = os.open(sys.argv[1] + "/syncdir", os.O_RDONLY)
os.fsync(fd)
PYTHON
kill -9 "$(daemon_pid "$T/disc")"
expect 0 packetfs -u "$T/mnt"
grep -q "its daemon had ended" "$T/err" || fail "packetfs -u of a dead mount: $(cat "$T/err")"
mount_disc "$T/disc" "$T/mnt"
[ "$(stat -c %s "$T/mnt/synced")" = 100000 ] || fail "fsync was not durable"
[ -d "$T/mnt/syncdir" ] || fail "fsync of a folder was not durable"

# After five quiet seconds nothing is left to do: a kill then loses nothing.
echo quiet >"$T/mnt/quiet"
sleep 8
kill -9 "$(daemon_pid "$T/disc")"
umount "$T/mnt"
mount_disc "$T/disc" "$T/mnt"
[ "$(cat "$T/mnt/quiet")" = quiet ] || fail "not written when idle"

# syncfs, where the kernel passes it on.
if grep -q fuseblk <(findmnt -n -o FSTYPE "$T/mnt") && [ "$(printf '%s\n6.18\n' "$(uname -r)" | sort -V | head -1)" = 6.18 ]; then
    echo filled >"$T/mnt/filled"
    sync -f "$T/mnt"
    kill -9 "$(daemon_pid "$T/disc")"
    umount "$T/mnt"
    mount_disc "$T/disc" "$T/mnt"
    [ "$(cat "$T/mnt/filled")" = filled ] || fail "syncfs was not durable"
fi

# SIGTERM, with a file open and changed: unmounted, kept, complete. A second one does not hurt.
daemon=$(daemon_pid "$T/disc")
exec 5>"$T/mnt/held"
echo kept >&5
kill -TERM "$daemon"
kill -TERM "$daemon" 2>/dev/null || true
for _ in $(seq 300); do
    [ -e "/proc/$daemon" ] || break
    sleep .1
done
[ ! -e "/proc/$daemon" ] || fail "SIGTERM did not end the daemon"
mountpoint -q "$T/mnt" && fail "SIGTERM left the mount"
exec 5>&- || true
closed SIGTERM
mount_disc "$T/disc" "$T/mnt"
[ "$(cat "$T/mnt/held")" = kept ] || fail "SIGTERM lost what was written"
umount "$T/mnt"

# -o realtime: a write takes the time of a real disc, without it none.
mount_disc "$T/disc" "$T/mnt" -o realtime
head -c 2M /dev/urandom >"$T/mnt/slow"
start=$(date +%s%N)
umount "$T/mnt"
[ $(($(date +%s%N) - start)) -gt 1000000000 ] || fail "-o realtime: 2 MiB took no second"

# A caller that has closed the standard streams, as some services do: the files that are opened do not take their place.
for streams in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
    timeout 60 bash -c "packetfs \"\$@\" $streams" bash "$T/disc" "$T/mnt" || fail "with $streams: status $?"
    MOUNTED+=("$T/mnt")
    echo "$streams" >"$T/mnt/streams"
    umount "$T/mnt"
    closed "$streams"
    mount_disc "$T/disc" "$T/mnt" -o ro
    [ "$(cat "$T/mnt/streams")" = "$streams" ] || fail "with $streams the file was lost"
    umount "$T/mnt"
done

# In the foreground: exit status 0 after a good end.
packetfs -f "$T/disc" "$T/mnt" 2>"$T/err" &
daemon=$!
for _ in $(seq 100); do
    mountpoint -q "$T/mnt" && break
    sleep .1
done
echo x >"$T/mnt/x"
kill -INT "$daemon"
wait "$daemon" || fail "-f ended with $?: $(cat "$T/err")"
closed "-f and SIGINT"
check_volume "$flat"
daemon_check
