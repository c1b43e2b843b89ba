#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/style.sh must find each breach that it is there to find: one file is broken at a time, in a tree of its own.
#   tests/style_breaks.sh STYLE
set -eu

style=$1
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT INT TERM
mkdir -p "$top/mmc/vdrive" "$top/udf" "$top/cli" "$top/fs"
cp "$(dirname "$style")/../.clang-format" "$top"

# file PATH LINE...: a file with its licence, what it is for, and these lines.
file() {
    path=$top/$1
    shift
    printf '%s\n' '/* SPDX-License-Identifier: MIT */' '/* An example. */' "$@" >"$path"
}

# expect WORDS PATH LINE...: style.sh finds this in the file, and nothing once the file is gone.
expect() {
    words=$1
    shift
    file "$@"
    breach "$words" "$1"
}

# breach WORDS PATH: style.sh finds this in the file that stands there already.
breach() {
    if "$style" "$top" >"$top/out" 2>&1; then
        echo "passed over: $2, $1" >&2
        exit 1
    fi
    grep -q "^$2.*: $1" "$top/out" || {
        echo "not named: $2, $1; but:" >&2
        cat "$top/out" >&2
        exit 1
    }
    rm "$top/$2"
    "$style" "$top" >"$top/out" || {
        cat "$top/out" >&2
        exit 1
    }
}

file mmc/fine.c '#include "mmc/fine.h"'
file fs/fine.c '#include <fuse_lowlevel.h>' '' '#include "udf/udf.h"'
file mmc/sg.c '#include <scsi/sg_pt.h>'
file mmc/command_fine.c 'int fine(unsigned char *cdb)' '{' '    cdb[0] = 1;' '    return cdb[0] == 1;' '}'
"$style" "$top"

expect 'not as clang-format has it' udf/a.c 'int  a;'
expect 'include points up' mmc/a.h '#include "udf/udf.h"'
expect 'include points up' udf/a.c '#include "cli/cli.h"'
expect 'include points up' cli/a.c '#include "fs/fs.h"'
expect 'the virtual drive knows nothing' mmc/vdrive/a.c '#include "mmc/command.h"'
expect 'libfuse belongs to fs/' udf/a.c '#include <fuse_lowlevel.h>'
expect 'libsgutils2 belongs to' mmc/a.c '#include <scsi/sg_pt.h>'
expect 'CDBs are built in' mmc/a.c 'void a(unsigned char *cdb)' '{' '    cdb[0] |= 1;' '}'
expect 'section banner' udf/a.c '/* ---- one ---- */'

printf '%s\n' '/* An example. */' 'int a;' >"$top/udf/a.c"
breach 'does not begin with its licence' udf/a.c
printf '%s\n' '/* SPDX-License-Identifier: MIT */' 'int a;' >"$top/udf/a.c"
breach 'does not say in its second line' udf/a.c
file udf/a.c
yes 'int a;' | head -n 700 >>"$top/udf/a.c"
breach 'longer than 700 lines' udf/a.c
