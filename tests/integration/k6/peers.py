# SPDX-License-Identifier: Apache-2.0
"""What the tests of k6/labelled.js share: k6, a shop that answers everything, and servers that are something else."""
import contextlib
import http.server
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(ROOT, "k6", "shop")]
import telltale  # noqa: E402
from lib.settings import Settings  # noqa: E402

SCRIPT = os.path.join(ROOT, "k6", "labelled.js")
SHORT = {"SCENARIOS": "latency_spike", "REPEATS": "1", "DURATION": "2s", "WARM_UP": "0s", "GAP": "0s", "ANOMALY_RATE": "5"}


def k6():
    """Path of a k6; skips, with a word, where there is none: it is built by k6/shop/shop install."""
    built = os.path.join(Settings().home, "k6")
    for path in (os.environ.get("K6"), shutil.which("k6"), built):
        if path and os.access(path, os.X_OK):
            return path
    telltale.skip("there is no k6; k6/shop/shop install builds one")


class _Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        known = self.path == "/" or self.path.startswith("/api/")
        if self.path != "/":
            self.server.seen.append((self.path, {**self.headers, "at": time.monotonic()}))
        self.send_response(self.server.status if known else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def shop(status=200):
    """A shop that has everything: (its URL, the list of what was asked: path, headers, with "at" for the moment)."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.seen, server.status = [], status
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.seen
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def listener(greet=b""):
    """A server that greets and then hangs up: (its port, the list of what it got first on each connection)."""
    seen, door = [], socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, _ = door.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), peer:
                peer.settimeout(5)
                peer.sendall(greet)
                seen.append(peer.recv(4096))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield door.getsockname()[1], seen
    finally:
        door.close()


# What a gRPC server says first: its SETTINGS, then GOAWAY to who does not speak HTTP/2.
GRPC = b"\0\0\0\4\0\0\0\0\0" + b"\0\0\x08\x07\0\0\0\0\0" + b"\0\0\0\0" + b"\0\0\0\1"


class Load:
    """One k6 that runs labelled.js, in a session of its own."""

    def __init__(self, flags=("--no-usage-report",), environment=None, **variables):
        command = [k6(), "run", "--quiet", "--address", "", *flags]
        for name, value in {**SHORT, **variables}.items():
            command += ["-e", f"{name}={value}"]
        self.popen = subprocess.Popen([*command, SCRIPT], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      start_new_session=True, env={**os.environ, **(environment or {})})

    def end(self, number=None, seconds=90):
        """(exit code, summary, lines of its log), after a signal if one is given."""
        if number is not None:
            self.popen.send_signal(number)
        try:
            out, err = self.popen.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGKILL)
            out, err = self.popen.communicate()
            raise AssertionError(f"k6 did not end in {seconds} s:\n{out}{err}") from None
        return self.popen.returncode, out, [line for line in err.splitlines() if line]


def load(**variables):
    return Load(**variables).end()
