#!/bin/sh
# Builds packetfs with the address and undefined behaviour sanitizers and runs every test.
#   tests/run.sh [--quick] [MESON-TEST-ARGUMENT...]
# From a bare clone on Debian 12, as root or with sudo; installs the packages it needs. --quick leaves out the tests
# on a real kernel and the fuzzers. The last line counts: "N passed, N failed" (and ", N skipped" if any were).
set -eu

cd "$(dirname "$0")/.."
tests/install-packages

build=build/sanitize
fuzz=true
suites=
if [ "${1-}" = --quick ]; then
    shift
    fuzz=false
    suites='--no-suite kernel --no-suite fuzz'
fi
if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false -Dtests=enabled
fi
ninja -C "$build"
if $fuzz; then
    if [ ! -f build/fuzz/build.ninja ]; then
        CC=clang meson setup build/fuzz -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false -Dtests=enabled -Dfuzz=true
    fi
    ninja -C build/fuzz
fi

export ASAN_OPTIONS="${ASAN_OPTIONS-detect_leaks=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1}"
status=0
# shellcheck disable=SC2086
meson test -C "$build" --no-rebuild --print-errorlogs $suites "$@" || status=$?
logs=$build/meson-logs/testlog.json
if $fuzz && [ $# = 0 ]; then
    meson test -C build/fuzz --no-rebuild --print-errorlogs --suite fuzz || status=$?
    logs="$logs build/fuzz/meson-logs/testlog.json"
fi

# shellcheck disable=SC2086
python3 tests/lib/count.py $logs || status=1
exit $status
