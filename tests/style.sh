#!/bin/sh
# SPDX-License-Identifier: MIT
# What the tree must look like (CONTRIBUTING.md, docs/design.md): clang-format finds nothing to do, every C file begins
# with its licence and says what it is for, no include points up, each foreign library stays in its room, CDBs are built
# in one place, and no file is longer than 700 lines.
#   tests/style.sh [FOLDER]
# Looks at FOLDER, or the tree that the script is in. Prints each breach, and fails if there was one.
set -eu

cd "${1-$(dirname "$0")/..}"
files=$(mktemp)
found=$(mktemp)
trap 'rm -f "$files" "$found"' EXIT INT TERM

if [ -e .git ]; then
    git -c safe.directory='*' ls-files '*.c' '*.h'
else
    find . -path ./build -prune -o -name '*.[ch]' -print | sed 's,^\./,,'
fi | while IFS= read -r file; do
    # A file that was deleted but not committed yet is still listed.
    [ ! -f "$file" ] || printf '%s\n' "$file"
done | sort >"$files"
[ -s "$files" ] || {
    echo "style: no C files found in $PWD" >&2
    exit 1
}

# breach TEXT: each line of standard input is a place where the rule of TEXT is broken.
breach() {
    sed "s,\$,: $1," >>"$found"
}

# includes ROOM PATTERN: the places where files of the room, a regular expression on paths, include what matches.
includes() {
    # grep finds nothing in a tidy tree, and says so with status 1.
    grep -E "^($1)" "$files" | xargs grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" /dev/null || :
}

command -v clang-format >/dev/null || {
    echo "style: clang-format is not installed" >&2
    exit 1
}
xargs -P 2 -n 40 clang-format --dry-run -Werror <"$files" 2>&1 | grep -E 'error:' | cut -d: -f1,2 | sort -u |
    breach 'not as clang-format has it'

# shellcheck disable=SC2016
xargs awk '
    FNR == 1 && $0 != "/* SPDX-License-Identifier: MIT */" { print FILENAME ": does not begin with its licence" }
    FNR == 2 && $0 !~ /^\/\*/ { print FILENAME ": does not say in its second line what it is for" }
    FNR == 701 { print FILENAME ": longer than 700 lines" }
    /^\/\* ---+ .* ---+ \*\/$/ && FILENAME ~ /\.c$/ { print FILENAME ":" FNR ": section banner" }
' <"$files" >>"$found"

includes mmc/ '(udf|cli|mkfs|burn|fs|tests)/' | breach 'include points up'
includes udf/ '(cli|mkfs|burn|fs|tests)/' | breach 'include points up'
includes cli/ '(mkfs|burn|fs|tests)/' | breach 'include points up'
includes mkfs/ '(burn|fs|tests)/' | breach 'include points up'
includes burn/ '(mkfs|fs|tests)/' | breach 'include points up'
includes fs/ '(mkfs|burn|tests)/' | breach 'include points up'
includes mmc/vdrive/ 'mmc/(command|drive|packet|mmc)\.h' | breach 'the virtual drive knows nothing of who sends commands'
includes '(mmc|udf|cli|mkfs|burn|tests)/' 'fuse' | breach 'libfuse belongs to fs/ alone'
includes '.*' 'scsi/sg_' | grep -v '^mmc/sg\.c:' | breach 'libsgutils2 belongs to mmc/sg.c alone'
grep -E '^(mmc/[^/]*|(udf|cli|mkfs|burn|fs)/.*)$' "$files" | grep -vE '^mmc/command[^/]*$' |
    xargs grep -nE 'cdb\[[^]]*\][[:space:]]*[|&]?=[^=]' /dev/null | breach 'CDBs are built in mmc/command*.c alone'

if [ -s "$found" ]; then
    cat "$found"
    echo "style: $(wc -l <"$found") breaches" >&2
    exit 1
fi
echo "style: $(wc -l <"$files") files are as they should be"
