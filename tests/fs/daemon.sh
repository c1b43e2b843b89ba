# SPDX-License-Identifier: MIT
# Sourced behind disc.sh: what tests of the daemon need to know of the process in the background.
# shellcheck shell=bash

# daemon_list: the process ids of all daemons of this test.
daemon_list() {
    local p
    for p in /proc/[0-9]*; do
        if [ "$(readlink "$p/exe")" = "$(readlink -f "$BUILD/fs/packetfs")" ] && grep -qF "$T" "$p/cmdline" 2>/dev/null; then
            echo "${p#/proc/}"
        fi
    done
}

# daemon_pid DISC: the one that serves it.
daemon_pid() {
    local p
    for p in $(daemon_list); do
        if tr '\0' '\n' <"/proc/$p/cmdline" | grep -qxF "$1"; then
            echo "$p"
            return
        fi
    done
    fail "no daemon for $1"
}

# A daemon has no terminal to complain on: its sanitizers write into the scratch folder, which daemon_check looks at
# when all daemons have ended.
mkdir -m 1777 "$T/sanitizer"
for name in ASAN_OPTIONS UBSAN_OPTIONS; do
    export "$name=${!name:+${!name}:}log_path=$T/sanitizer/log"
done
daemon_check() {
    for _ in $(seq 300); do
        [ -n "$(daemon_list)" ] || break
        sleep .1
    done
    [ -z "$(daemon_list)" ] || fail "daemons are left: $(daemon_list)"
    for log in "$T"/sanitizer/*; do
        [ ! -e "$log" ] || { cat "$log" >&2; fail "a sanitizer complains"; }
    done
    echo ok
}
