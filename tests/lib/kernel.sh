# SPDX-License-Identifier: MIT
# Sourced by tests on a real kernel with a virtual drive as its /dev/sr0 and /dev/sg0.
#   PLAIN   the folder of the programs built without sanitizers (set by meson), for use inside the kernel
#   $T/log  every command that the drive got
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/disc.sh"
SERVER='' REQUESTS=()

# Ends the server and keeps the drive's log when the test fails.
kernel_clean_up() {
    local status=$?
    kill $SERVER ${REQUESTS[@]+"${REQUESTS[@]}"} 2>/dev/null || true
    if [ $status != 0 ] && [ -s "$T/log" ]; then
        echo "The last commands of the drive, from ${KEEP:=$(mktemp /tmp/packetfs-drive-log.XXXXXX)}:" >&2
        cp "$T/log" "$KEEP"
        tail -15 "$T/log" >&2
    fi
    (exit $status)
    clean_up
}
trap kernel_clean_up EXIT

# on_request NAME COMMAND...: runs a command here when the kernel's side calls "ask NAME", which returns when it has run.
on_request() {
    local name=$1
    shift
    {
        until [ -e "$T/ask-$name" ]; do
            sleep .05
        done
        "$@"
        touch "$T/done-$name"
    } &
    REQUESTS+=($!)
}

ask() {
    touch "$T/ask-$1"
    until [ -e "$T/done-$1" ]; do
        sleep .1
    done
}

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
    SERVER='' REQUESTS=()
    kill "$pid"
    wait "$pid" || status=$?
    [ $status = 0 ] || fail "packetdisc serve exited with $status: $(cat "$T/server")"
}

# The kernel asks a drive for the size of its disc only when there is a new one in it.
eject_and_load() {
    eject /dev/sr0
    eject -t /dev/sr0
    for _ in $(seq 50); do
        blockdev --getsize64 /dev/sr0 >/dev/null 2>&1 && return
        sleep .1
    done
    echo "the disc does not come back" >&2
    return 1
}

# in_kernel SHELL-COMMANDS: run by bash -e on the kernel, in the folder $T, with packetfs's programs built without
# sanitizers and those of tests/kernel at hand; what they print goes to $T/out.
in_kernel() {
    local status=0
    {
        echo "export PATH=${PLAIN:-}:$SOURCE/tests/kernel:\$PATH TMPDIR=/mnt T=$T SERVER=$SERVER SOURCE=$SOURCE"
        echo "cd $T"
        echo 'set -Eeu; trap "echo \"failed: \$BASH_COMMAND\" >&2" ERR'
        declare -f eject_and_load ask
        printf '%s\n' "$1"
    } >"$T/inside"
    timeout -k 5 350 "$SOURCE/tests/kernel/kernel-run" --drive "$T/drive" --timeout 330 -- bash "$T/inside" \
        >"$T/out" 2>"$T/err" || status=$?
    [ $status = 0 ] || {
        cat "$T/out" "$T/err" >&2
        fail "in the kernel: status $status"
    }
}
