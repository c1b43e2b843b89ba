#!/bin/bash
# SPDX-License-Identifier: MIT
# packetdisc create, and the command line of packetdisc as a whole.
. "$(dirname "$0")/../lib/disc.sh"
cd "$T"

says() {
    grep -qF -- "$1" err || {
        cat err >&2
        fail "does not say '$1'"
    }
    ! grep -qv '^packetdisc\( [a-z]*\)\?: ' err || fail "a line without the program: $(cat err)"
}
refuses() {
    local status=$1 text=$2
    shift 2
    expect "$status" packetdisc "$@"
    says "$text"
    [ ! -s out ] || fail "prints to standard output: $(cat out)"
}

for arguments in --help -h "create --help" "info --help" "create -h"; do
    # shellcheck disable=SC2086
    expect 0 packetdisc $arguments
    grep -q "Usage: packetdisc" out || fail "$arguments: no usage"
    grep -q "Exit status" out || fail "$arguments: no exit statuses"
    [ ! -s err ] || fail "$arguments writes to standard error"
done
for arguments in --version -V "create --version" "info -V"; do
    # shellcheck disable=SC2086
    expect 0 packetdisc $arguments
    grep -qE '^packetdisc \(packetfs\) [0-9]+\.[0-9]' out || fail "$arguments: $(cat out)"
done

refuses 2 "a verb is missing"
refuses 2 'no verb "frobnicate"' frobnicate disc
refuses 2 "DISC is missing" create
refuses 2 "one DISC only" create a b
refuses 2 "unrecognized option" create --frobnicate disc
refuses 2 '--medium is cd-rw or cd-r, not "dvd"' create --medium dvd disc
refuses 2 '--minutes is 74 or 80, not "90"' create --minutes 90 disc
refuses 2 '--minutes is 74 or 80, not "080"' create --minutes 080 disc
refuses 2 '--speed is 4, 10 or 24, not "52"' create --speed 52 disc
[ -z "$(ls | grep -v '^\(out\|err\)$')" ] || fail "a usage error made something: $(ls)"

# Every kind, next to nothing in size.
for medium in cd-rw cd-r; do
    for minutes in 74 80; do
        for speed in 4 10 24; do
            expect 0 packetdisc create --medium $medium --minutes $minutes --speed $speed disc
            [ ! -s out ] && [ ! -s err ] || fail "create says something"
            [ "$(du -sk disc | cut -f1)" -lt 64 ] || fail "a blank disc takes $(du -sk disc)"
            packetdisc info --json disc >json
            jq -e --arg medium $medium --argjson minutes $minutes --argjson speed $speed '.medium == $medium and
                .disc.status == "blank" and .disc.leadout_block == $minutes * 4500 - 150 - 1 and
                (.disc.write_speeds_kbs | max) == ($speed * 1764 / 10 | floor)' json >/dev/null ||
                fail "$medium $minutes $speed: $(cat json)"
            rm -r disc
        done
    done
done
packetdisc create disc
packetdisc info --json disc | jq -e '.medium == "cd-rw" and .disc.leadout_block == 359849 and (.disc.write_speeds_kbs | max) == 1764' >/dev/null ||
    fail "the defaults are not a CD-RW of 80 minutes at 10x"

# An empty folder will do; anything else stays as it is.
mkdir empty
expect 0 packetdisc create empty
mkdir full
touch full/file
refuses 1 "exists already" create full
[ "$(ls full)" = file ] || fail "a folder in use was changed"
refuses 1 "exists already" create disc
refuses 1 "exists already" create full/file
refuses 1 "the folder above it does not exist" create missing/disc
chmod 755 "$T"
mkdir locked
setpriv --reuid 65534 --regid 65534 --clear-groups "$BUILD/burn/packetdisc" create locked/disc >out 2>err && fail "creates without permission"
says "permission denied"
