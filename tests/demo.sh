#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows the main job from a bare clone: builds packetfs, then makes a virtual CD-RW, formats it, mounts it, copies a tree
# onto it, and finds the same tree on it again.
#   tests/demo.sh [DISC]
# On Debian 12, as root or with sudo; installs the packages it needs. DISC is a folder that does not exist yet; with it
# the disc stays there when all is done.
set -eu

case ${1-} in
-*)
    echo "usage: tests/demo.sh [DISC]" >&2
    exit 2
    ;;
esac
keep=${1-}
[ -z "$keep" ] || [ ! -e "$keep" ] || {
    echo "demo.sh: $keep exists already" >&2
    exit 2
}
case $keep in '' | /*) ;; *) keep=$PWD/$keep ;; esac
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
}

# Shows a command, then runs it.
run() {
    printf '$ %s\n' "$*"
    "$@"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/packetfs-demo.XXXXXX")
clean_up() {
    status=$?
    trap - EXIT
    if mountpoint -q "$work/mnt"; then
        fusermount3 -u -z "$work/mnt" || umount -l "$work/mnt" || true
    fi
    if [ $status != 0 ]; then
        echo "demo.sh: FAILED" >&2
    fi
    rm -rf "$work"
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step "Installing the packages that are missing, and building"
tests/install-packages --build-only
[ -f build/build.ninja ] || meson setup build --buildtype=release -Dtests=disabled >/dev/null
ninja -C build --quiet
PATH=$PWD/build/fs:$PWD/build/mkfs:$PWD/build/burn:$PATH:/usr/sbin:/sbin
export PATH
cd "$work"
mkdir mnt

# umount is root's; packetfs -u is for everyone. Both return when the disc is complete.
unmount='packetfs -u'
[ "$(id -u)" != 0 ] || unmount=umount

step "A virtual 80-minute CD-RW: a folder that the programs take in place of a drive"
run packetdisc create --medium cd-rw --minutes 80 disc
run packetdisc info disc

step "Formatting it: packet form first, then the UDF volume"
run mkfs.packetfs -L demo disc

step "Mounting it, like a floppy"
run packetfs disc mnt

step "Copying a real tree onto it"
# copy_some MIB FOLDER: what is in FOLDER, up to so many MiB.
copy_some() {
    mkdir -p "tree$2"
    du -sk --apparent-size "$2"/* | sort -k2 |
        awk -F'\t' -v most="$(($1 * 1024))" '$1 < most / 4 && (sum += $1) < most { print $2 }' |
        while read -r name; do
            cp -a "$name" "tree$2/"
        done
}
copy_some 24 /usr/include
copy_some 12 /usr/share/doc
copy_some 8 /usr/lib/python3
printf '%s entries, %s MiB\n' "$(find tree | wc -l)" "$(du -sm --apparent-size tree | cut -f1)"
[ "$(find tree -type f | wc -l)" -gt 100 ] # too little would show nothing
run cp -a tree mnt

step "Listing it"
run ls -l mnt/tree/usr/include | head -20
run df -h mnt

step "Unmounting: returns when the disc is complete"
run $unmount mnt

step "Mounting it again, and comparing every file"
run packetfs disc mnt
run diff -r --no-dereference tree mnt/tree
echo "no difference"
run $unmount mnt

step "What the disc says now"
run packetdisc info disc
run du -sh disc

if [ -n "$keep" ]; then
    mv disc "$keep"
    step "The disc is in $keep"
else
    step "Done"
fi
