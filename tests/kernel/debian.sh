#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs of Debian that know nothing of packetfs, unmodified, on the virtual drive as a real kernel's /dev/sr0: they look at
# drives and discs, burn track at once in one session and several, and raw, blank, and read back what another burnt.
. "$(dirname "$0")/../lib/kernel.sh"
mkdir "$T/one" "$T/two"
cp -r "$SOURCE/udf" "$SOURCE/docs" "$T/one"
cp -r "$SOURCE/mmc" "$T/two"
xorriso -as mkisofs -quiet -R -V FIRST -o "$T/image" "$T/one" 2>"$T/err" || fail "xorriso: $(cat "$T/err")"
blocks=$(($(stat -c %s "$T/image") / 2048))

# see STATUS TEXT COMMAND...: its output has the text, and it exits with the status.
see() {
    local status=0 want=$1 text=$2
    shift 2
    timeout 100 "$@" >said 2>&1 <commands || status=$?
    [ $status = "$want" ] && { [ -z "$text" ] || grep -q -e "$text" said; } && return
    cat said
    echo "FAIL: $*: status $status, not $want, or no \"$text\" (above)"
    exit 1
}

iso_same() {
    eject_and_load
    mount -t iso9660 -o ro /dev/sr0 /mnt/disc
    diff -r --no-dereference "$1" "/mnt/disc/${2-}"
    umount /mnt/disc
}

looking() {
    : >commands
    see 0 'CD-RW RECORDER' sg_inq /dev/sr0
    see 0 'Write parameters' sg_modes -a /dev/sr0
    see 0 'CD track-at-once feature' sg_get_config /dev/sr0
    see 0 'next_writable = 0' cdrwtool -i -d /dev/sr0
    see 0 'Does write CD-RW media' wodim dev=/dev/sr0 -prcap
    see 0 'Disk sub type: Ultra High' wodim dev=/dev/sr0 -atip
    see 0 'Media status : is blank' xorriso -outdev /dev/sr0 -toc
    see 2 '' blkid -p /dev/sr0
    see 150 'not a DVD unit' dvd+rw-mediainfo /dev/sr0
    echo looking: done
}

wodim_one() {
    see 0 'Track 01: Total bytes read/written' wodim -v dev=/dev/sr0 gracetime=2 -tao -data image
    see 0 'track:lout lba: ' wodim dev=/dev/sr0 -toc
    iso_same one
    see 0 'TYPE="iso9660"' blkid -p /dev/sr0
    see 0 'label .FIRST ' cd-info --no-header --no-device-info -C /dev/sr0
    see 0 'Media status : is written , is closed' xorriso -outdev /dev/sr0 -toc
    see 0 'Time total' readom dev=/dev/sr0 sectors=0-$1 f=/mnt/back
    cmp image /mnt/back
    see 0 'Blanking time' wodim -v dev=/dev/sr0 gracetime=2 blank=fast
    see 0 'Media status : is blank' xorriso -outdev /dev/sr0 -toc
    echo wodim: done
}

sessions() {
    see 0 'Track 01: Total bytes read/written' cdrskin -v dev=/dev/sr0 -tao --multi -data image
    iso_same one
    see 0 '^0,11[0-9]*$' wodim dev=/dev/sr0 -msinfo
    see 0 "completed successfully" xorriso -dev /dev/sr0 -map two /two -commit
    iso_same two two
    iso_same one/udf udf
    see 0 'first: 1 last 2' wodim dev=/dev/sr0 -toc
    see 0 'Track 03: Total bytes read/written' wodim -v dev=/dev/sr0 gracetime=2 -tao -data image
    see 0 'Media status : is written , is closed' xorriso -outdev /dev/sr0 -toc
    see 0 'first: 1 last 3' wodim dev=/dev/sr0 -toc
    see 0 'Blanking time' cdrskin -v dev=/dev/sr0 blank=fast
    see 0 'completed successfully' xorriso -outdev /dev/sr0 -write_type tao -map two / -close on -commit
    iso_same two
    see 0 'Media status : is blank' xorriso -outdev /dev/sr0 -blank fast -toc
    echo sessions: done
}

# The run-out behind a track at once counts to it, and is not what was burnt.
audio_same() {
    for n in 1 2; do
        see 0 '' icedax -q -D /dev/sr0 -t $n -O raw -E little /mnt/back$n.raw
        cmp -n "$(stat -c %s /mnt/$n.raw)" /mnt/$n.raw /mnt/back$n.raw
    done
}

audio() {
    for n in 1 2; do
        head -c $((n * 300 * 2352)) /dev/urandom >/mnt/$n.raw
    done
    for mode in tao raw96r; do
        see 0 'Track 02: Total bytes read/written' wodim dev=/dev/sr0 gracetime=2 -$mode -swab -audio /mnt/1.raw /mnt/2.raw
        see 0 'first: 1 last 2' wodim dev=/dev/sr0 -toc
        audio_same
        see 0 '' wodim dev=/dev/sr0 gracetime=2 blank=fast
    done
    echo audio: done
}

packets() {
    see 0 'Quick setup complete' cdrwtool -q -d /dev/sr0
    packetdisc info --json /dev/sr0 | jq -e '.disc.formatted and .contents == "udf"' >/dev/null
    mkfs.packetfs -q --force --label PACKETS /dev/sr0
    packetfs /dev/sr0 /mnt/disc
    cp -r two/mmc /mnt/disc
    umount /mnt/disc
    eject_and_load
    see 0 'LABEL="PACKETS"' blkid -p /dev/sr0
    printf 'ls\nquit\n' >commands
    see 0 '^d.*PACKETS' udfclient /dev/sr0
    echo packets: done
}

packetdisc create --speed 24 "$T/disc"
serve_discs "$T/disc"
in_kernel "$(declare -f see iso_same looking wodim_one sessions audio_same audio packets)
mkdir /mnt/disc
looking
wodim_one $blocks
sessions
audio
packets"
for part in looking wodim sessions audio packets; do
    grep -q "^$part: done" "$T/out" || fail "$part: $(cat "$T/out" "$T/err")"
done
serve_end
