#!/bin/sh
# SPDX-License-Identifier: MIT
# A thousand kills of the mounted daemon from ten seeds: see tests/whole/kill.py. About an hour.
#   tests/long/kill.sh [FIRST-SEED]
set -eu
cd "$(dirname "$0")/../.."
seed=${1:-1000}
for n in 0 1 2 3 4 5 6 7 8 9; do
    tests/whole/kill.py 100 $((seed + n))
done
