# SPDX-License-Identifier: MIT
# Sourced by tests on a real kernel with a virtual drive as its /dev/sr0 and /dev/sg0.
#   PLAIN   the folder of the programs built without sanitizers (set by meson), for use inside the kernel
#   $T/log  every command that the drive got
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/disc.sh"
SERVER=

# Ends the server and keeps the drive's log when the test fails.
kernel_clean_up() {
    local status=$?
    [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true
    if [ $status != 0 ] && [ -s "$T/log" ]; then
        echo "The last commands of the drive, from ${KEEP:=$(mktemp /tmp/packetfs-drive-log.XXXXXX)}:" >&2
        cp "$T/log" "$KEEP"
        tail -15 "$T/log" >&2
    fi
    (exit $status)
    clean_up
}
trap kernel_clean_up EXIT

# serve_discs DISC...: the first of them is the disc in the drive.
serve_discs() {
    mkfifo "$T/ready"
    packetdisc serve --vhost-user "$T/drive" --log "$T/log" "$@" >"$T/ready" 2>"$T/server" &
    SERVER=$!
    read -r _ <"$T/ready" || fail "packetdisc serve: $(cat "$T/server")"
    rm "$T/ready"
}

# The drive finishes, and the server has nothing to complain of.
serve_end() {
    local pid=$SERVER status=0
    SERVER=
    kill "$pid"
    wait "$pid" || status=$?
    [ $status = 0 ] || fail "packetdisc serve exited with $status: $(cat "$T/server")"
}

# in_kernel SHELL-COMMANDS: run by bash -e on the kernel, in the folder $T, with packetfs's programs built without
# sanitizers and those of tests/kernel at hand; what they print goes to $T/out.
in_kernel() {
    local status=0
    {
        echo "export PATH=${PLAIN:-}:$SOURCE/tests/kernel:\$PATH TMPDIR=/mnt T=$T SERVER=$SERVER SOURCE=$SOURCE"
        echo "cd $T"
        echo "set -eu"
        printf '%s\n' "$1"
    } >"$T/inside"
    timeout -k 5 200 "$SOURCE/tests/kernel/kernel-run" --drive "$T/drive" --timeout 180 -- bash "$T/inside" \
        >"$T/out" 2>"$T/err" || status=$?
    [ $status = 0 ] || {
        cat "$T/out" "$T/err" >&2
        fail "in the kernel: status $status"
    }
}
