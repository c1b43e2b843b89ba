#!/bin/bash
# SPDX-License-Identifier: MIT
# A full disc: ENOSPC comes as such, what was written stays, deleting and going on works, and the volume checks clean.
. "$(dirname "$0")/../lib/disc.sh"
. "$SOURCE/tests/fs/daemon.sh"

# fill_and_check IMAGE
fill_and_check() {
    mount_disc "$1" "$T/mnt"
    python3 - "$T/mnt" "$T/sums" <<'PYTHON' || fail "$1"
import errno, hashlib, os, sys
top = sys.argv[1]

def fill(name, size):
    """Writes files of size bytes until the disc is full; returns those that are whole."""
    whole = {}
    for i in range(1000000):
        path = f"{top}/{name}{i}"
        data = os.urandom(size)
        try:
            fd = os.open(path, os.O_CREAT | os.O_WRONLY)
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            return whole
        try:
            done = 0
            while done < size:
                done += os.write(fd, data[done:done + 65536])
            os.fsync(fd)
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            os.close(fd)
            os.unlink(path)
            return whole
        os.close(fd)
        whole[path] = hashlib.sha256(data).digest()
    raise AssertionError("never full")

def verify(files):
    for path, digest in files.items():
        assert hashlib.sha256(open(path, "rb").read()).digest() == digest, path

big = fill("big", 1 << 20)
small = fill("small", 3000)
assert big and small, (len(big), len(small))
verify(big)
verify(small)
assert os.statvfs(top).f_bavail < 100, os.statvfs(top)
# A full disc can still be tidied up.
half = list(big)[::2]
for path in half:
    os.unlink(path)
    del big[path]
for path in list(small):
    os.rename(path, path + "-moved")
    small[path + "-moved"] = small.pop(path)
os.sync()
again = fill("again", 1 << 20)
assert len(again) >= len(half) - 1, (len(again), len(half))
verify(big)
verify(small)
verify(again)
with open(sys.argv[2], "w") as f:
    for path, digest in {**big, **small, **again}.items():
        f.write(f"{digest.hex()}  {path}\n")
PYTHON
    unmount_disc "$T/mnt"
    check_volume "$1"
    mount_disc "$1" "$T/mnt"
    sha256sum --quiet -c "$T/sums" || fail "$1: changed by mounting again"
    rm -rf "${T:?}/mnt"/*
    [ -z "$(ls -A "$T/mnt")" ] || fail "$1: rm left something"
    unmount_disc "$T/mnt"
    check_volume "$1"
}

mkudffs --utf8 -m cdrw -r 2.01 --new-file "$T/sparable" 12000 >/dev/null
fill_and_check "$T/sparable"
mkudffs --utf8 -m hd -b 2048 -r 1.50 --new-file "$T/plain" 12000 >/dev/null
fill_and_check "$T/plain"
daemon_check
