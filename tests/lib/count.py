#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the results in meson's test logs: "N passed, N failed", and ", N skipped" when some were.

Exits 1 when a test failed or when none ran at all."""
import json
import sys

passed = failed = skipped = 0
for log in sys.argv[1:]:
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            result = json.loads(line)["result"]
            if result in ("OK", "EXPECTEDFAIL"):
                passed += 1
            elif result == "SKIP":
                skipped += 1
            else:
                failed += 1
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
