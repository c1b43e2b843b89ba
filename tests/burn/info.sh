#!/bin/bash
# SPDX-License-Identifier: MIT
# packetdisc info on discs in every state that a virtual disc can be in, in words and as JSON.
# BURN_TRACK is the program of that name.
. "$(dirname "$0")/../lib/disc.sh"
cd "$T"

# shows DISC LINE...: each line is there; nothing goes to standard error.
shows() {
    local disc=$1
    shift
    expect 0 packetdisc info "$disc"
    [ ! -s err ] || fail "$disc: $(cat err)"
    for line in "$@"; do
        grep -qE -- "$line" out || {
            cat out >&2
            fail "$disc: no line '$line'"
        }
    done
}
# json DISC FILTER: the filter is true of it, and all members are there.
json() {
    expect 0 packetdisc info --json "$1"
    [ ! -s err ] || fail "$1: $(cat err)"
    jq -e 'keys == ["bytes", "contents", "disc", "drive", "medium", "mounted_at", "next", "path", "problem", "tray_open", "volume", "wear"]' out >/dev/null ||
        fail "$1: other members: $(cat out)"
    jq -e "$2" out >/dev/null || {
        cat out >&2
        fail "$1: not so: $2"
    }
}
refuses() {
    local status=$1 text=$2
    shift 2
    expect "$status" packetdisc info "$@"
    grep -qF -- "$text" err || fail "does not say '$text': $(cat err)"
    [ ! -s out ] || fail "prints something all the same: $(cat out)"
}

refuses 2 "DISC is missing"
refuses 2 "one DISC only" a b
refuses 2 "unrecognized option" --frobnicate a
refuses 1 "no such drive" missing
mkdir folder
refuses 1 "not a virtual disc" folder
refuses 1 "neither a drive" /dev/zero

# Blank.
packetdisc create disc
shows disc '^Drive .*virtual' '^Medium  *CD-RW, high speed, 79:59\.74 minutes$' '^State  *blank$' \
    '^Formatted  *295264 blocks, 577 MiB' '^Unformatted  *359849 blocks, 703 MiB' '^Write speeds .*10x' \
    '^Next .*mkfs\.packetfs disc" formats it'
json disc '.drive.virtual and .medium == "cd-rw" and .disc.status == "blank" and .disc.last_session == "empty" and
    (.disc.formatted | not) and .disc.format_capacity_blocks == 295264 and .disc.erasable and .volume == null and
    .contents == null and .mounted_at == null and .bytes == 0 and (.next | length) == 1 and .path == "disc"'

# In packet form, with a volume; then with something on it.
mkfs.packetfs -q -L "Größe" disc
shows disc '^State  *formatted for packet writing, 32 blocks a packet' '^Track 1  *data, packets of 32 blocks; .*295264 blocks from block 0' \
    '^Capacity  *295264 blocks, 577 MiB$' '^Volume  *UDF 2\.01 "Größe", sparable, with a journal$' '0 files, 1 folder$' \
    '0 of 32 spare packets' '^Integrity  *closed$' '^Wear  *packet [0-9]+ was written most, [0-9]+ times' \
    '^Next  *"packetfs disc FOLDER" mounts it' '"mkfs\.packetfs --force disc" empties it'
json disc '.disc.formatted and .disc.packet_blocks == 32 and .disc.capacity_blocks == 295264 and .bytes == 604700672 and
    .contents == "udf" and .volume.label == "Größe" and .volume.revision == "2.01" and .volume.closed and .volume.sparable and
    .volume.journaled and .volume.files == 0 and .volume.directories == 1 and .volume.bytes_free > 590000000 and
    .volume.bytes_free <= .volume.bytes and .volume.spares == 32 and .volume.spares_used == 0 and .problem == null and
    .wear.most_rewrites >= 1 and (.disc.tracks | length) == 1 and .disc.tracks[0].fixed_packet'
mount_disc disc mnt
mkdir mnt/sub
head -c 10000000 /dev/urandom >mnt/sub/file
for _ in 1 2 3 4 5; do
    echo x >>mnt/log
    sync -f mnt/log
done

# In use: named, with the mount; the one who uses it is not disturbed.
refuses 1 "in use by process" disc
grep -qE 'in use by process [0-9]+ \(packetfs\)' err || fail "does not name packetfs: $(cat err)"
grep -qF "mounted at $T/mnt" err || fail "does not say where: $(cat err)"
refuses 1 "in use by process" --json disc
unmount_disc mnt
json disc '.volume.files == 2 and .volume.directories == 2 and .volume.closed'
free=$(jq .volume.bytes_free out)
[ "$free" = $(($(udfinfo_value disc/data.img freeblocks) * 2048)) ] || fail "free space is not that of udfinfo"
wear=$(jq .wear.most_rewrites out)
[ "$wear" -ge 3 ] || fail "a packet written again and again shows $wear rewrites"
json disc ".wear.most_rewrites == $wear" # looking does not write

# Looking changes nothing, even on a volume that was not unmounted.
cp -a --sparse=always disc cut
packetfs -f cut mnt 2>log &
daemon=$!
MOUNTED+=(mnt)
for _ in $(seq 100); do
    mountpoint -q mnt && break
    sleep 0.1
done
echo more >mnt/more
sync -f mnt/more
kill -9 $daemon
wait $daemon 2>/dev/null || true
umount -l mnt 2>/dev/null || true
before=$(sha256sum cut/data.img)
shows cut '^Integrity  *open' '^Next  *"packetfs cut FOLDER" mounts it'
json cut '.volume.closed == false and .volume.files == 3'
[ "$(sha256sum cut/data.img)" = "$before" ] || fail "info changed the disc"
chmod -R a+rX cut
chmod 755 "$T"
setpriv --reuid 65534 --regid 65534 --clear-groups "$BUILD/burn/packetdisc" info cut >out 2>err || fail "a user who may only read: $(cat err)"

# In packet form without a volume; a damaged volume; a foreign one.
packetdisc create bare
mkfs.packetfs -q bare
cp --sparse=always bare/data.img whole
truncate -s 0 bare/data.img
truncate -s 604700672 bare/data.img
shows bare '^State  *formatted' '^Contents  *nothing$' '^Next  *"mkfs\.packetfs bare" puts an empty volume on it'
json bare '.contents == "nothing" and .volume == null'
cp --sparse=always whole bare/data.img
for block in $(seq 96 127) $(seq 295104 295135); do
    head -c 2048 /dev/urandom | dd of=bare/data.img bs=2048 seek="$block" conv=notrunc status=none
done
shows bare '^Contents  *a UDF volume that cannot be opened$' '^Problem  *.' 'cannot be mounted'
json bare '.contents == "udf" and .volume == null and (.problem | length) > 0'

# Burned, not in packet form: CD-RW and CD-R, with ISO 9660 or anything.
mkdir tree
echo hello >tree/file
xorriso -as mkisofs -quiet -V ISO -o iso tree 2>/dev/null
head -c 1000000 /dev/urandom >data
for medium in cd-rw cd-r; do
    packetdisc create --medium $medium $medium
    "$BURN_TRACK" $medium iso
done
shows cd-rw '^State  *complete; 1 session, the last one complete$' '^Track 1  *data; session 1' '^Contents  *an ISO 9660 volume$' \
    '^Next  *"mkfs\.packetfs --force cd-rw" formats it .*lost'
json cd-rw '.disc.status == "complete" and .disc.sessions == 1 and (.disc.formatted | not) and .contents == "iso9660" and .volume == null'
shows cd-r '^Medium  *CD-R,' '^Contents  *an ISO 9660 volume$' '^Next  *This is a CD-R: .*CD-RW'
json cd-r '.medium == "cd-r" and (.disc.erasable | not) and .disc.format_capacity_blocks == 0'
packetdisc create --medium cd-r blank-r
shows blank-r '^State  *blank$' '^Next  *This is a CD-R'
packetdisc create other
"$BURN_TRACK" other data
shows other '^Contents  *data of no known kind$'

# Image files, with the drive's lines left out.
shows whole '^Medium  *image file or block device$' '^Volume  *UDF 2\.01 "packetfs"' '^Next  *"packetfs whole FOLDER"'
json whole '.medium == "image" and .drive == null and .disc == null and .wear == null and .bytes == 604700672 and .contents == "udf"'
json iso '.contents == "iso9660"'
json data '.contents == "data"'
truncate -s 8M zeros
json zeros '.contents == "nothing"'
mount_disc whole mnt
json whole ".mounted_at == \"$T/mnt\""
shows whole "^Next  *It is mounted at $T/mnt"
unmount_disc mnt

# The drive's counters, of a drive that was only read.
PACKETFS_DRIVE_STATS=stats.json packetdisc info disc >/dev/null
jq -e '.writes == 0 and .bytes_written == 0 and .packets_written == 0 and .commands > 5 and .bytes_read > 0' stats.json >/dev/null ||
    fail "stats: $(cat stats.json)"
PACKETFS_DRIVE_STATS=none.json packetdisc info whole >/dev/null 2>err
grep -q 'only a virtual drive keeps counters' err || fail "says nothing of missing counters"
[ ! -e none.json ] || fail "counters of an image"
expect 1 env PACKETFS_DRIVE_STATS=missing/stats.json packetdisc info disc
grep -q 'counters could not be written to' err || fail "lost counters are not mentioned"
