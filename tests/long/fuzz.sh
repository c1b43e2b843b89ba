#!/bin/sh
# SPDX-License-Identifier: MIT
# Every fuzzer for ten minutes, one after the other, from the seeds that the build makes; new inputs are kept in
# build/corpus. Build with tests/run.sh first.
#   tests/long/fuzz.sh [SECONDS]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
for fuzzer in build/sanitize/tests/fuzz/fuzz_*; do
    [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
    name=$(basename "$fuzzer")
    case $name in *_seed*) continue ;; esac
    mkdir -p "build/corpus/$name"
    seeds=
    [ ! -d "${fuzzer}_seeds" ] || seeds=${fuzzer}_seeds
    echo "== $name, $seconds s"
    # shellcheck disable=SC2086
    "$fuzzer" -max_total_time="$seconds" -max_len=65536 -print_final_stats=1 -artifact_prefix=build/corpus/ \
        "build/corpus/$name" $seeds
done
