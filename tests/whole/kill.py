#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills the mounted daemon at a hundred moments, and looks each time at what is left.

    kill.py [KILLS [SEED]]

A workload creates, rewrites, renames and removes files on a virtual CD-RW, and notes what was made durable by fsync.
At a random moment the daemon gets SIGKILL: to the disc that is a power cut, with the drive's buffer lost and the packet
under the laser torn. Then the volume must mount again, read-write, by itself; everything that was fsynced must be
there with its contents; an independent checker must find nothing worse than leaked space. The same disc goes on through
all kills, so that damage done by one would show in the next."""
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(SOURCE, "build/sanitize"))
os.environ["PATH"] = os.pathsep.join([os.path.join(BUILD, d) for d in ("fs", "mkfs", "burn")] + [os.environ["PATH"]])

FILES_KEPT = 300


def say(text):
    print(text, flush=True)


class Workload(threading.Thread):
    """Changes files until the daemon dies under it. `durable` is what must survive: path -> SHA-256.

    Before a durable file is touched again it is moved from `durable` to `doubtful` (old or new contents may be found)."""

    def __init__(self, top, durable, seed):
        super().__init__()
        self.top, self.durable, self.random = top, dict(durable), random.Random(seed)
        self.doubtful, self.synced, self.error = {}, 0, None

    def run(self):
        try:
            while True:
                self.step()
        except OSError as error:
            self.error = error

    def path(self, name):
        return os.path.join(self.top, name)

    def step(self):
        choice = self.random.random()
        names = sorted(self.durable)
        if choice < 0.12 and len(names) > 5:
            self.remove(self.random.choice(names))
        elif choice < 0.2 and len(names) > 5:
            self.rename(self.random.choice(names))
        elif choice < 0.4 and len(names) > 5:
            self.write(self.random.choice(names), rewrite=True)
        else:
            folder = f"d{self.random.randrange(8)}"
            os.makedirs(self.path(folder), exist_ok=True)
            self.write(f"{folder}/f{self.random.randrange(10**9)}")

    def data(self):
        size = self.random.choice([0, 10, 1500, 2048, 5000, 40_000, 70_000, 300_000])
        return self.random.randbytes(self.random.randrange(size + 1))

    def write(self, name, rewrite=False):
        data = self.data()
        if rewrite:
            self.doubtful[name] = self.durable.pop(name)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if self.random.random() < 0.5 else 0)
        fd = os.open(self.path(name), flags, 0o644)
        try:
            done = 0
            while done < len(data):
                done += os.write(fd, data[done:])
            os.ftruncate(fd, len(data))
            if rewrite or self.random.random() < 0.6:
                os.fsync(fd)
                self.durable[name] = hashlib.sha256(data).hexdigest()
                self.doubtful.pop(name, None)
                self.synced += 1
        finally:
            os.close(fd)

    def sync_folder(self, name):
        fd = os.open(self.path(os.path.dirname(name)), os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, name):
        self.doubtful[name] = self.durable.pop(name)
        os.unlink(self.path(name))
        self.sync_folder(name)
        del self.doubtful[name]

    def rename(self, name):
        to = os.path.dirname(name) + f"/r{self.random.randrange(10**9)}"
        sha = self.durable.pop(name)
        self.doubtful[name] = self.doubtful[to] = sha
        os.rename(self.path(name), self.path(to))
        self.sync_folder(name)
        del self.doubtful[name], self.doubtful[to]
        self.durable[to] = sha


class Test:
    def __init__(self, kills, seed):
        self.kills, self.seed = kills, seed
        self.random = random.Random(seed)
        self.dir = tempfile.mkdtemp(prefix="packetfs-kill.")
        self.disc, self.mnt = os.path.join(self.dir, "disc"), os.path.join(self.dir, "mnt")
        self.flat = os.path.join(self.disc, "data.img")
        os.mkdir(self.mnt)

    def run(self):
        subprocess.run(["packetdisc", "create", "--speed", "24", self.disc], check=True)
        subprocess.run(["mkfs.packetfs", "-q", self.disc], check=True)
        durable, synced = {}, 0
        for n in range(self.kills):
            daemon = self.mount()
            work = Workload(self.mnt, durable, self.random.randrange(2**32))
            work.start()
            time.sleep(self.random.uniform(0.05, 0.9))
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
            work.join(60)
            if work.is_alive():
                raise SystemExit(f"kill {n}: the workload hangs after the daemon died")
            self.unmount_dead()
            synced += work.synced
            durable = self.look(n, work)
        if synced < self.kills:
            raise SystemExit(f"only {synced} files were fsynced in {self.kills} rounds: this proves nothing")
        say(f"ok: {self.kills} kills, {synced} files fsynced, {len(durable)} left on the disc")

    def mount(self):
        log = open(os.path.join(self.dir, "daemon.log"), "ab")
        daemon = subprocess.Popen(["packetfs", self.disc, self.mnt, "-f"], stderr=log)
        for _ in range(600):
            if os.path.ismount(self.mnt):
                return daemon
            if daemon.poll() is not None:
                break
            time.sleep(0.05)
        daemon.kill()
        subprocess.run(["tail", "-20", os.path.join(self.dir, "daemon.log")])
        raise SystemExit("the volume does not mount")

    def unmount_dead(self):
        subprocess.run(["fusermount3", "-u", "-z", self.mnt], check=True)

    def look(self, n, work):
        """Mounts, compares, unmounts and checks; returns what is on the disc as the next round's durable files."""
        daemon = self.mount()
        probe = os.path.join(self.mnt, "probe")
        with open(probe, "w", encoding="ascii") as f:
            f.write("written after the kill\n")
        os.unlink(probe)
        bad = [f"{name}: {what}" for name, what in self.compare(work)]
        found = {}
        for folder, _, files in os.walk(self.mnt):
            for name in files:
                path = os.path.join(folder, name)
                with open(path, "rb") as f:
                    found[os.path.relpath(path, self.mnt)] = hashlib.sha256(f.read()).hexdigest()
        self.prune(found)
        subprocess.run(["umount", self.mnt], check=True)
        daemon.wait(60)
        check = subprocess.run([sys.executable, os.path.join(SOURCE, "tests/lib/udfcheck.py"), self.flat],
                               capture_output=True, text=True, check=False)
        if bad or check.returncode:
            keep = tempfile.mkdtemp(prefix="packetfs-kill-failed.")
            shutil.copytree(self.disc, os.path.join(keep, "disc"))
            raise SystemExit(f"kill {n} of seed {self.seed}: {bad[:10]}\n{check.stdout[-3000:]}\nthe disc is kept in {keep}")
        return found

    def prune(self, found):
        """Removes files, so that the rounds stay short and freed blocks come into use again."""
        names = sorted(found)
        self.random.shuffle(names)
        for name in names[FILES_KEPT:]:
            os.unlink(os.path.join(self.mnt, name))
            del found[name]

    def compare(self, work):
        for name, sha in work.durable.items():
            try:
                with open(os.path.join(self.mnt, name), "rb") as f:
                    if hashlib.sha256(f.read()).hexdigest() != sha:
                        yield name, "contents differ from what was fsynced"
            except OSError as error:
                yield name, str(error)

    def clean(self):
        if os.path.ismount(self.mnt):
            subprocess.run(["fusermount3", "-u", "-z", self.mnt], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    say(f"seed {seed}")
    test = Test(kills, seed)
    try:
        test.run()
    finally:
        test.clean()


main()
