# SPDX-License-Identifier: Apache-2.0
"""What the tests of k6/run share: an installed shop, free ports, one run, and what it left."""
import contextlib
import glob
import json
import os
import random
import signal
import subprocess
import tempfile
import time

from peers import ROOT, telltale
from lib import install
from lib.processes import check_ports
from lib.settings import Problem, Settings

INSTALL_SECONDS = 120


def ready_home():
    """Folder of the installed shop; skips, with a word, where it cannot be had in time."""
    missing = install.missing_packages()
    if missing:
        telltale.skip(f"not installed here: {', '.join(missing)}")
    try:
        install.check_go()
    except Problem as problem:
        telltale.skip(str(problem))
    shop = os.path.join(ROOT, "k6", "shop", "shop")
    child = subprocess.Popen([shop, "install"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        out, _ = child.communicate(timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        telltale.skip(f"k6 and the shop are not installed, and not in {INSTALL_SECONDS} s; run k6/shop/shop install once")
    if child.returncode != 0:
        telltale.skip(f"k6 and the shop cannot be installed here: {out.strip()}")


def free_base():
    """The first of 23 free ports below those that the kernel gives away."""
    for _ in range(50):
        base = random.randrange(20000, 32000, 25)
        with contextlib.suppress(Problem):
            check_ports({"shop": base, **{str(i): base + i for i in range(1, 23)}}, "SHOP_PORT")
            return base
    telltale.skip("no 23 free ports in a row")


def processes_of(directory):
    """{pid: command line} of what runs in the run's folder."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
            if directory in line and int(pid) != os.getpid():
                found[int(pid)] = line
    return found


class Run:
    """One k6/run in a folder of its own."""

    def __init__(self, *options, **environment):
        self.folder = tempfile.TemporaryDirectory(prefix="k6-run-")
        self.directory, self.base = self.folder.name, free_base()
        environment = {**os.environ, "TELLTALE": telltale.binary(), "SHOP_PORT": str(self.base), **environment}
        command = [os.path.join(ROOT, "k6", "run"), "--output", self.directory, *options]
        self.popen = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.popen.poll() is None:
            self.popen.terminate()
            self.popen.communicate(timeout=90)
        self.folder.cleanup()

    def wait_for_requests(self, count, seconds=90):
        """Until nginx has seen that many labelled ones."""
        path = os.path.join(self.directory, "nginx", "access.log")

        def seen():
            with contextlib.suppress(OSError), open(path, encoding="utf-8") as log:
                return sum('"-"' not in line.split(" 200 ")[0] for line in log) >= count
            return False

        end = time.monotonic() + seconds
        while not seen():
            assert self.popen.poll() is None and time.monotonic() < end, "the run did not come to its load"
            time.sleep(0.2)

    def child(self, words):
        """Pid of the run's process whose command line has the words and this run's environment."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as line, open(f"/proc/{pid}/environ", "rb") as environment:
                if words.encode() in line.read() and self.directory.encode() in environment.read():
                    return int(pid)
        raise AssertionError(f"no process {words}")

    def end(self, code, seconds=170):
        """What it printed, when it ends with that code; nothing of it is left."""
        try:
            out, _ = self.popen.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.popen.terminate()
            out, _ = self.popen.communicate(timeout=90)
            raise AssertionError(f"k6/run did not end in {seconds} s:\n{out}") from None
        assert self.popen.returncode == code, f"k6/run ended with {self.popen.returncode}, not {code}:\n{out}"
        left = processes_of(self.directory)
        assert not left, left
        check_ports(Settings(environ={**os.environ, "SHOP_PORT": str(self.base)}).ports(), "SHOP_PORT")
        return out

    def record(self):
        with open(os.path.join(self.directory, "dataset", "run.json"), encoding="utf-8") as file:
            return json.load(file)

    def check_finished(self):
        """A manifest that names every file, and nothing half written."""
        dataset = os.path.join(self.directory, "dataset")
        assert not glob.glob(os.path.join(dataset, "*.partial")), os.listdir(dataset)
        with open(os.path.join(dataset, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        for one in manifest["files"]:
            assert os.path.getsize(os.path.join(dataset, one["name"])) == one["bytes"], one
        return manifest
