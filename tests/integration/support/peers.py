# SPDX-License-Identifier: Apache-2.0
"""Programs that nobody here wrote, made ready once in a cache and shared by all builds and checkouts. Each function skips the test,
with a word, where its peer cannot be had. The cache is $TELLTALE_PEERS, else ~/.cache/telltale/peers."""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

import telltale

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers")
CACHE = os.environ.get("TELLTALE_PEERS", os.path.join(os.path.expanduser("~"), ".cache", "telltale", "peers"))


@contextlib.contextmanager
def locked(name):
    """One process at a time makes a peer; the others wait for it."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepared(name, source, make):
    """A copy of tests/integration/peers/<source> in the cache, on which make(folder) was run with success once."""
    folder = os.path.join(CACHE, name)
    stamp = os.path.join(folder, ".ready")
    origin = os.path.join(PEERS, source)
    wanted = hashlib.sha256(b"".join(open(os.path.join(origin, f), "rb").read() for f in sorted(os.listdir(origin)))).hexdigest()
    with locked(name):
        if os.path.exists(stamp) and open(stamp).read() == wanted:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(origin, folder)
        try:
            make(folder)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
            telltale.skip(f"the peer '{name}' cannot be made here: {error}")
        with open(stamp, "w") as f:
            f.write(wanted)
    return folder


def run(command, folder, timeout=600, **more):
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=timeout, **more)


def node():
    """Folder of the Node.js service with its SDK."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        telltale.skip("no node or npm here")
    return prepared("node", "node", lambda folder: run(["npm", "install", "--no-audit", "--no-fund"], folder))


def python():
    """(interpreter with the SDK, folder of the Python service)."""
    def make(folder):
        run([sys.executable, "-m", "venv", "venv"], folder)
        run(["venv/bin/pip", "install", "-q", "-r", "requirements.txt"], folder)
    folder = prepared("python", "python", make)
    return os.path.join(folder, "venv", "bin", "python"), folder


def pdata():
    """The program that reads OTLP JSON with the Collector's own parser."""
    if shutil.which("go") is None:
        telltale.skip("no go here")
    return os.path.join(prepared("pdata", "pdata", lambda folder: run(["go", "build", "-o", "pdata", "."], folder)), "pdata")


def collector():
    """A real OpenTelemetry Collector: $OTELCOL, or the one built by the neighbour folder's tool."""
    binary = os.environ.get("OTELCOL")
    if binary:
        return binary
    tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..", "shared", "tools", "otelcol", "build.sh")
    folder = os.path.join(CACHE, "otelcol")
    binary = os.path.join(folder, "otelcol-peer")
    with locked("otelcol"):
        if os.path.exists(binary):
            return binary
        if not os.path.exists(tool) or shutil.which("go") is None:
            telltale.skip("no Collector here: set OTELCOL to the path of one")
        try:
            run([tool, folder], CACHE, timeout=1200)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            telltale.skip(f"a Collector cannot be built here: {error}")
    return binary
