# SPDX-License-Identifier: MIT
# Sourced by shell tests: a scratch folder, the programs of the build under test, mounting and clean-up on every exit.
#   BUILD   the build folder (set by meson)
#   T       the scratch folder, removed at exit
# shellcheck shell=bash
set -eu
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$SOURCE/build/sanitize}
PATH=$BUILD/fs:$BUILD/mkfs:$BUILD/burn:$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8
T=$(mktemp -d "${TMPDIR:-/tmp}/packetfs-test.XXXXXX")
MOUNTED=()

clean_up() {
    status=$?
    for dir in ${MOUNTED[@]+"${MOUNTED[@]}"}; do
        mountpoint -q "$dir" && { fusermount3 -u -z "$dir" || umount -l "$dir"; }
    done
    rm -rf "$T"
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# expect STATUS COMMAND...: runs it, output to $T/out and $T/err, and fails unless it exits with STATUS.
expect() {
    local want=$1 got=0
    shift
    "$@" >"$T/out" 2>"$T/err" || got=$?
    [ "$got" = "$want" ] || {
        cat "$T/out" "$T/err" >&2
        fail "'$*' exited with $got, not $want"
    }
}

# new_disc FOLDER [CREATE-OPTIONS...]: a formatted virtual CD-RW.
new_disc() {
    local disc=$1
    shift
    packetdisc create "$@" "$disc"
    mkfs.packetfs -q "$disc"
}

# mount_disc DISC DIR [OPTIONS...]
mount_disc() {
    local disc=$1 dir=$2
    shift 2
    mkdir -p "$dir"
    packetfs "$disc" "$dir" "$@"
    MOUNTED+=("$dir")
}

unmount_disc() {
    umount "$1"
}

# udfinfo_value FILE KEY
udfinfo_value() {
    udfinfo "$1" 2>/dev/null | sed -n "s/^$2=//p"
}

# check_volume FLAT-FILE: closed, and nothing to complain of for a checker that shares no code with packetfs.
check_volume() {
    [ "$(udfinfo_value "$1" integrity)" = closed ] || fail "udfinfo: integrity $(udfinfo_value "$1" integrity)"
    python3 "$SOURCE/tests/lib/udfcheck.py" --no-leaks "$1" >"$T/check" 2>&1 || {
        head -40 "$T/check" >&2
        fail "udfcheck complains"
    }
}
