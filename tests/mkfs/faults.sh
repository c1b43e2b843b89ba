#!/bin/bash
# SPDX-License-Identifier: MIT
# Drives with the quirks of real ones still get a volume; drives that fail give a message and status 1, and never a volume
# that looks whole. The virtual disc's file "faults" says what goes wrong.
. "$(dirname "$0")/../lib/disc.sh"
cd "$T"

# new_faulty LINE: a blank disc in a drive with that fault
new_faulty() {
    rm -rf disc
    packetdisc create disc
    echo "$1" >disc/faults
}

for quirk in no_progress tur_good_while_busy early_ready toc_fails_formatted erasable_lost no_format_blank \
    format_leaves_open format_needs_page ua_after_blank bad_link_default buffer_full_busy; do
    new_faulty "quirk $quirk"
    expect 0 mkfs.packetfs disc
    check_volume disc/data.img
    case $quirk in
    no_progress) grep -q 'formatting: about [1-9]0 %' err || fail "no estimate: $(cat err)" ;;
    *) grep -q 'formatting: [1-9]0 %' err || fail "$quirk: no progress: $(cat err)" ;;
    esac
    # The next format finds the disc in packet form, and a full one formats it again, with the quirk.
    expect 1 mkfs.packetfs disc
    expect 0 mkfs.packetfs -q --force disc
    expect 0 mkfs.packetfs -q --force --full disc
    check_volume disc/data.img
done

# failing LINE TEXT: no volume, and this is said
failing() {
    new_faulty "$1"
    expect 1 timeout 120 mkfs.packetfs disc
    grep -qF -- "$2" err || fail "$1: does not say '$2': $(cat err)"
}
failing "quirk stuck_busy" "still formatting after"
failing "quirk stuck_busy" "mkfs.packetfs --full --force disc"
failing "write-error 256 32" "blocks 256 to 287 could not be written"
failing "write-error 256 32" "write error"
failing "write-error-deferred 96" "blocks 96 to 127 could not be written"
failing "read-error 3400" "blocks 3392 to 3423 cannot be read back"
failing "read-error 3400" "the volume is on the disc, but could not be read back"
failing "write-error 256" "there is no whole volume on the disc, though it is in packet form"
# Without the fault the same disc can be formatted.
rm disc/faults
expect 0 mkfs.packetfs --force disc
check_volume disc/data.img

# A bad packet where nothing is written does no harm.
new_faulty "write-error 100000 32"
expect 0 mkfs.packetfs disc
check_volume disc/data.img

# A command fails, says that there was a reset, or takes the power with it: never success without a whole volume. The
# commands are spread over the whole run.
new_faulty ""
PACKETFS_DRIVE_STATS=stats.json mkfs.packetfs -q disc
commands=$(jq .commands stats.json)
[ "$commands" -gt 50 ] || fail "only $commands commands"
failed=0
for n in $(seq 1 $((commands / 12 + 1)) "$commands"); do
    for fault in "fail $n 3/0C/00" "fail $n 6/29/00" "power-cut $n"; do
        new_faulty "$fault"
        status=0
        timeout 120 mkfs.packetfs disc >out 2>err || status=$?
        rm disc/faults
        case $status in
        0) check_volume disc/data.img ;;
        1)
            failed=$((failed + 1))
            [ -s err ] || fail "$fault: failed without a word"
            # Whatever state the disc is in, the next run puts it right.
            mkfs.packetfs -q --force disc 2>err || fail "$fault: cannot be formatted afterwards: $(cat err)"
            [ "$(udfinfo_value disc/data.img integrity)" = closed ] || fail "$fault: no volume afterwards"
            ;;
        *) fail "$fault: status $status: $(cat err)" ;;
        esac
    done
done
[ "$failed" -gt 10 ] || fail "only $failed runs failed: the faults did not strike"
