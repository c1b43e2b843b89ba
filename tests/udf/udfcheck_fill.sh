#!/bin/bash
# SPDX-License-Identifier: MIT
# Run on a real kernel by test_udfcheck.py: puts a bit of everything onto the volume on /dev/ubda.
set -eu
mount -t udf /dev/ubda /mnt
cd /mnt
mkdir -p d1/d2/d3 many empty
for i in $(seq 1 200); do echo "file $i" >"many/f$i"; done
for i in $(seq 1 3 200); do rm "many/f$i"; done
for i in $(seq 1 20); do echo "again $i" >"many/g$i"; done
head -c 3000000 /dev/urandom >d1/big
head -c 1500 /dev/urandom >d1/small
head -c 5000 /dev/urandom >d1/medium
truncate -s 1000000 d1/sparse
echo hi | dd of=d1/sparse bs=1 seek=500000 conv=notrunc status=none
ln d1/small d1/d2/hard
ln -s ../big d1/d2/link
ln -s /etc/passwd d1/abs
ln -s a/b/../c d1/dots
mknod d1/null c 1 3
mknod d1/block b 8 1
mkfifo d1/fifo
mkdir moved moved/sub
mv moved d1/d2/moved
mv d1/medium many/medium
# Every other block, so that the allocation descriptors need extents of their own.
for file in frag1 frag2; do
    python3 -c "
import os, sys
f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
for i in range(600):
    os.pwrite(f, b'x' * 2048, i * 4096)" d1/$file
done
truncate -s 500000 d1/frag2
echo x >ünïcödé
echo y >漢字
echo z >💿disc
echo l >"$(printf 'n%.0s' $(seq 1 250))"
chmod 4755 d1/small
chown 1000:1000 d1/big
touch -d '1960-05-05 12:00:00 UTC' d1/small
rmdir d1/d2/d3
(find . ! -name . -printf '/%P\t%y\t%m\t%U\t%G\t%n\t%T@\t%l\n'; find . -type f -exec sha256sum {} +) >"$1"
cd /
umount /mnt
