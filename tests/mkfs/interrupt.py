#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ctrl-C during each part of a format: status 1, the state of the disc in words, and the next run puts it right."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

build = pathlib.Path(os.environ["BUILD"])
mkfs = build / "mkfs/mkfs.packetfs"
packetdisc = build / "burn/packetdisc"
work = pathlib.Path(tempfile.mkdtemp(prefix="packetfs-interrupt."))
os.environ["PATH"] += ":/usr/sbin:/sbin"


def fail(text):
    sys.exit("FAIL: " + text.replace("long" * 50 + "/", ""))


def disc_new():
    # A long path makes long lines, of which few fit into the socket.
    disc = work.joinpath(*["long" * 50] * 4, "disc")
    disc.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(disc, ignore_errors=True)
    subprocess.run([packetdisc, "create", disc], check=True)
    return disc


def run_until(disc, phase, number, *options):
    """Runs mkfs, sends the signal when the phase is reached, and returns what was said.

    Standard error is a socket with room for a few lines, so that the program waits for the reader before it can get
    past the phase."""
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    with subprocess.Popen([mkfs, *options, disc], stderr=writer) as process:
        writer.close()
        said, sent = b"", False
        while chunk := reader.recv(4096):
            said += chunk
            if not sent and phase in said:
                time.sleep(0.2)
                process.send_signal(number)
                sent = True
        process.wait(60)
    reader.close()
    if not sent:
        fail(f"the phase {phase} never came: {said.decode()}")
    if process.returncode != 1:
        fail(f"{phase}: status {process.returncode}: {said.decode()}")
    return said.decode()


def volume_there(disc):
    info = subprocess.run(["udfinfo", disc / "data.img"], capture_output=True, text=True)
    return "integrity=closed" in info.stdout


def put_right(disc):
    subprocess.run([mkfs, "-q", "--force", disc], check=True)
    if not volume_there(disc):
        fail("the next run makes no volume")


try:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        disc = disc_new()
        said = run_until(disc, b"formatting: 0", number)
        for words in ("interrupted while the drive formats", "goes on by itself", f"mkfs.packetfs --full --force {disc}"):
            if words not in said:
                fail(f"does not say '{words}': {said}")
        if volume_there(disc):
            fail("there is a volume on a disc whose format was interrupted")
        put_right(disc)

        disc = disc_new()
        said = run_until(disc, b"writing the volume: 0", number)
        for words in ("interrupted: there is no whole volume on the disc", f"mkfs.packetfs --force {disc}"):
            if words not in said:
                fail(f"does not say '{words}': {said}")
        if volume_there(disc):
            fail("there is a volume on a disc of which only a part was written")
        put_right(disc)

        # Over an older volume: neither that one is there any more, nor the new one yet.
        run_until(disc, b"writing the volume: 0", number, "--force")
        if volume_there(disc):
            fail("the old volume can be recognised though a part of the new one lies over it")
        put_right(disc)

    # While mkudffs works nothing has happened to the disc. (A drive that has a disc for the first time makes files.)
    slow = work / "bin"
    slow.mkdir()
    (slow / "mkudffs").write_text('#!/bin/sh\nkill -INT $PPID\nPATH=/usr/sbin:/sbin:/usr/bin:/bin exec mkudffs "$@"\n')
    (slow / "mkudffs").chmod(0o755)
    disc = disc_new()
    states = []
    for _ in range(2):
        run = subprocess.run([mkfs, disc], stderr=subprocess.PIPE, text=True, env={**os.environ, "PATH": f"{slow}:{os.environ['PATH']}"})
        if run.returncode != 1 or "nothing was changed" not in run.stderr:
            fail(f"interrupted before the format: {run}")
        states.append(sorted((p.name, p.read_bytes()) for p in disc.iterdir() if p.name != "lock"))
    if states[0] != states[1]:
        fail("the disc was changed after all")

    # Killed outright it leaves no temporary file.
    temporary = work / "tmp"
    temporary.mkdir()
    (slow / "mkudffs").write_text("#!/bin/sh\nkill -KILL $PPID\n")
    subprocess.run([mkfs, disc], env={**os.environ, "PATH": f"{slow}:{os.environ['PATH']}", "TMPDIR": str(temporary)})
    if list(temporary.iterdir()):
        fail(f"left behind: {list(temporary.iterdir())}")
finally:
    shutil.rmtree(work, ignore_errors=True)
