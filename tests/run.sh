#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds packetfs with the address and undefined behaviour sanitizers and runs every test.
#   tests/run.sh [--quick] [MESON-TEST-ARGUMENT...]
# From a bare clone on Debian 12, as root or with sudo; installs the packages it needs. --quick leaves out the tests
# on a real kernel and the fuzzers. The last line counts: "N passed, N failed" (and ", N skipped" if any were).
#
# The tests run as clang compiles them, since the fuzzers need clang; gcc compiles the programs once more, for its
# warnings, which are errors here as clang's are.
set -eu

cd "$(dirname "$0")/.."
tests/install-packages

suites=
if [ "${1-}" = --quick ]; then
    shift
    suites='--no-suite kernel --no-suite fuzz'
fi

if [ ! -f build/gcc/build.ninja ]; then
    CC=gcc meson setup build/gcc -Dwerror=true -Dtests=disabled
fi
if [ ! -f build/sanitize/build.ninja ]; then
    CC=clang meson setup build/sanitize -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 \
        -Dtests=enabled -Dfuzz=true
fi
ninja -C build/gcc
ninja -C build/sanitize

export ASAN_OPTIONS="${ASAN_OPTIONS-detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1}"
status=0
# shellcheck disable=SC2086
meson test -C build/sanitize --no-rebuild --print-errorlogs $suites "$@" || status=$?
python3 tests/lib/count.py build/sanitize/meson-logs/testlog.json || status=1
exit $status
