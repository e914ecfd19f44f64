# SPDX-License-Identifier: Apache-2.0
"""Starts the built `telltale`, talks to it, reads its metrics, stops it. Python standard library only.

    import telltale

    with telltale.Process(config, endpoints=["otlp", "metrics"]) as process:
        answer = process.post("otlp", "/v1/traces", body)
        assert process.metric("otelcol_receiver_accepted_spans") == 3

`config` is YAML text in which each `{name}` of `endpoints` is replaced by "127.0.0.1:<free port>", and `{dir}` by a temporary
directory of the process's own. The binary is $TELLTALE, else the first of build/*/telltale below the repository. Every process is
started in a directory of its own and is stopped by its pid; nothing else is ever signalled.
"""

import contextlib
import glob
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SKIP = 77  # CTest's SKIP_RETURN_CODE for these tests


def skip(why):
    """Ends the test as skipped, with a word."""
    print("SKIPPED: " + why)
    sys.exit(SKIP)


def binary():
    """Path of the program under test; skips when none is built."""
    named = os.environ.get("TELLTALE")
    if named:
        if not os.access(named, os.X_OK):
            skip(f"$TELLTALE is {named}, which is not there")
        return os.path.realpath(named)  # the process has a directory of its own
    built = sorted(glob.glob(os.path.join(ROOT, "build", "*", "telltale")), key=os.path.getmtime)
    if not built:
        skip("no telltale is built; set TELLTALE to one")
    return built[-1]


def free_ports(count):
    """`count` different ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_for(check, seconds=10.0, every=0.02):
    """Calls check() until it gives something true, which is returned; None after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() >= end:
            return None
        time.sleep(every)


class Answer:
    """One HTTP answer: status, headers (lower-case names, last wins), body (bytes)."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


def read_answer(sock, head_only=False, timeout=10.0):
    """Reads one HTTP/1.1 answer from a socket; None when the stream ends (or breaks) before a whole one came."""
    sock.settimeout(timeout)
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = 0 if head_only or status in (100, 204) else int(headers.get("content-length", "0"))
        while len(body) < length:
            piece = sock.recv(65536)
            if not piece:
                return None
            body += piece
        return Answer(status, headers, body[:length])
    except (ConnectionError, TimeoutError):
        return None


def parse_metrics(text):
    """Prometheus text to {name: [(labels, value), …]}."""
    metrics = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)", line)
        if not match:
            raise ValueError("not a sample: " + line)
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or ""))
        metrics.setdefault(match.group(1), []).append((labels, float(match.group(3))))
    return metrics


class Process:
    """One running telltale. Use it as a context manager; leaving it stops the process and removes its directory."""

    def __init__(self, config=None, endpoints=(), args=(), env=None, ready=None, prefix=(), command="run", keep=False):
        """ready: name of the endpoint that must be open (default: the first). prefix: words before the binary (prlimit …)."""
        self.dir = tempfile.mkdtemp(prefix="telltale-test-")
        self.keep = keep
        self.ports = dict(zip(endpoints, free_ports(len(endpoints))))
        self.ready = ready or (endpoints[0] if endpoints else None)
        self.log_path = os.path.join(self.dir, "log")
        words = list(prefix) + [binary(), command]
        if config is not None:
            self.config_path = os.path.join(self.dir, "config.yaml")
            with open(self.config_path, "w", encoding="utf-8") as f:
                f.write(self.expand(config))
            words += ["--config", self.config_path]
        words += [self.expand(a) for a in args]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(words, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})})
        self.code = None
        try:
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    def expand(self, text):
        for name, port in self.ports.items():
            text = text.replace("{" + name + "}", f"127.0.0.1:{port}")
        return text.replace("{dir}", self.dir)

    @property
    def pid(self):
        """Of telltale itself, also behind a prefix that execs it."""
        return self.process.pid

    def wait_ready(self, seconds=20.0):
        if self.ready is None:
            return
        if not wait_for(lambda: self.process.poll() is not None or self.is_ready(), seconds):
            raise RuntimeError("not ready in time:\n" + self.log())
        if self.process.poll() is not None:
            raise RuntimeError(f"ended with {self.process.returncode}:\n" + self.log())

    def is_ready(self):
        """The port is open; a health endpoint also says that everything has been started, which the port alone does not."""
        if not self.is_open(self.ready):
            return False
        try:
            return self.ready != "health" or self.get("health", "/").status == 200
        except OSError:
            return False

    def is_open(self, name):
        with contextlib.closing(socket.socket()) as s:
            s.settimeout(1)
            return s.connect_ex(("127.0.0.1", self.ports[name])) == 0

    def log(self):
        with open(self.log_path, "r", encoding="utf-8", errors="replace") as f:
            return f.read()

    # ---- talking to it ----

    def connect(self, name, timeout=10.0):
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=timeout)

    def raw(self, name, data, timeout=10.0):
        """Sends bytes on a connection of its own and reads one answer (None: closed without one)."""
        with self.connect(name, timeout) as sock:
            with contextlib.suppress(ConnectionError):
                sock.sendall(data)
            return read_answer(sock, timeout=timeout)

    def request(self, name, method, path, body=None, headers=None, timeout=30.0):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, name, path, body, content_type="application/x-protobuf", encoding=None, headers=None, timeout=30.0):
        """encoding: "gzip" compresses the body; any other value is only sent along."""
        headers = dict(headers or {})
        if content_type is not None:
            headers.setdefault("Content-Type", content_type)
        if encoding == "gzip":
            body = gzip.compress(body)
        if encoding is not None:
            headers["Content-Encoding"] = encoding
        return self.request(name, "POST", path, body, headers, timeout)

    def get(self, name, path, headers=None):
        return self.request(name, "GET", path, None, headers)

    # ---- looking at it ----

    def metrics(self, name="metrics"):
        return parse_metrics(self.get(name, "/metrics").body.decode())

    def metric(self, metric, endpoint="metrics", **labels):
        """Sum of the samples whose labels include those given; None when there is no such metric."""
        samples = self.metrics(endpoint).get(metric)
        if samples is None:
            return None
        return sum(value for have, value in samples if all(have.get(k) == v for k, v in labels.items()))

    def rss(self):
        """Resident bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) * 1024

    def is_sanitized(self):
        """Built with a sanitizer: figures of memory and time say nothing."""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as f:
            return re.search(r"lib[at]san|\[shadow", f.read()) is not None

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def alive(self):
        return self.process.poll() is None

    # ---- ending it ----

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=20.0):
        """Exit code; raises when it does not end in time."""
        self.code = self.process.wait(seconds)
        return self.code

    def stop(self, seconds=20.0):
        """SIGTERM, then waits; the exit code."""
        if self.alive():
            self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def close(self):
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and kind is not SystemExit:
            sys.stderr.write("---- log of telltale ----\n" + self.log()[-8000:] + "\n")
        self.close()


# ---- OTLP bodies without a library ----


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    """One protobuf field: an int as varint, bytes or text as length-delimited."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed64(number, value):
    return varint(number << 3 | 1) + value.to_bytes(8, "little")


def attribute(key, value):
    """KeyValue with a text or int value."""
    any_value = field(1, value) if isinstance(value, str) else field(3, value)
    return field(1, key) + field(2, any_value)


def span(trace=1, number=1, parent=0, name="GET /", start=1_700_000_000_000_000_000, length=1_000_000, attributes=(),
         trace_id=None, span_id=None):
    out = field(1, trace_id if trace_id is not None else trace.to_bytes(16, "big"))
    out += field(2, span_id if span_id is not None else number.to_bytes(8, "big"))
    if parent:
        out += field(4, parent.to_bytes(8, "big"))
    out += field(5, name) + field(6, 2) + fixed64(7, start) + fixed64(8, start + length)
    return out + b"".join(field(9, attribute(k, v)) for k, v in attributes)


def traces(spans, service="shop", resource_attributes=()):
    """ExportTraceServiceRequest of one resource and scope."""
    resource = b"".join(field(1, attribute(k, v)) for k, v in (("service.name", service), *resource_attributes))
    return field(1, field(1, resource) + field(2, b"".join(field(2, s) for s in spans)))


def padded_traces(size):
    """A valid trace request of exactly `size` bytes (at least 300)."""
    for slack in range(60, 240):
        body = traces([span(attributes=[("pad", "x" * (size - slack))])])
        if len(body) == size:
            return body
    raise ValueError(size)


def logs(count=1, text="hello"):
    record = fixed64(1, 1_700_000_000_000_000_000) + field(5, field(1, text))
    return field(1, field(1, field(1, attribute("service.name", "shop"))) + field(2, field(2, record) * count))


def metrics(count=1):
    point = fixed64(3, 1_700_000_000_000_000_000) + fixed64(6, 3)
    gauge = field(1, "queue_length") + field(5, field(1, point) * count)
    return field(1, field(1, field(1, attribute("service.name", "shop"))) + field(2, field(2, gauge)))
