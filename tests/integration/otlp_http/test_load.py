# SPDX-License-Identifier: Apache-2.0
"""Crowds, slow clients, vanishing clients, few descriptors, and an end under load (reliability E, K7, K16)."""

import contextlib
import os
import re
import resource
import shutil
import socket
import threading
import time

import bench
import telltale
from telltale import span, traces

GOOD = (b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n"
        % len(bench.good_body())) + bench.good_body()


def crowd(process, count, data):
    """Connections that sent `data` and nothing more; those that cannot be made are left out."""
    made = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            sock = process.connect("otlp", timeout=2)
            made.append(sock)
            if data:
                sock.sendall(data)
    return made


def served_within(b, name, seconds):
    begin = time.monotonic()
    b.still_good(name)
    b.check(name + " is quick", time.monotonic() - begin < seconds, time.monotonic() - begin)


def crowds():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with bench.start() as process:
        b = bench.Bench(process)
        for name, count, data in (("E1 idle", 3000, b""), ("E1 half headers", 3000, b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nX"),
                                  ("E1 kept open", 1500, GOOD)):
            made = crowd(process, count, data)
            b.check(name + " come in", len(made) > count * 0.9, len(made))
            # A connection that served a request gives way when it has been idle for a second; until then others hear 503.
            served = telltale.wait_for(lambda: process.post("otlp", "/v1/traces", bench.good_body()).status == 200, 3)
            b.check(name + " leave room for others", served)
            b.check(name + " are bounded", process.descriptors() < 1024 + 256 + 64, process.descriptors())
            for sock in made:
                sock.close()
        b.check("descriptors", telltale.wait_for(lambda: process.descriptors() <= b.descriptors, 10), process.descriptors())
        process.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return b.failures


def slow_clients():
    options = ["read_header_timeout: 300ms", "read_timeout: 300ms", "idle_timeout: 300ms", "write_timeout: 300ms"]
    with bench.start(options) as process:
        b = bench.Bench(process)
        head = GOOD.split(b"\r\n\r\n")[0]
        slow = {"header": (head[:20], head[20:60]), "body": (GOOD[:-50], GOOD[-50:])}
        for name, (first, rest) in slow.items():
            socks = crowd(process, 100, first)
            closed = 0
            for byte in rest:  # one byte each 50 ms
                served_within(b, "E2 slow " + name, 3)
                for sock in socks:
                    with contextlib.suppress(OSError):
                        sock.send(bytes([byte]))
                time.sleep(0.05)
            for sock in socks:
                sock.settimeout(10)
                with contextlib.suppress(ConnectionError):
                    while sock.recv(4096):
                        pass
                closed += 1
                sock.close()
            b.check("E2 slow " + name + " are cut", closed == 100, closed)
        b.end()


def few_descriptors():
    if shutil.which("prlimit") is None:
        print("SKIPPED K7: no prlimit here")
        return 0
    with bench.start(prefix=["prlimit", "--nofile=64"]) as process:
        b = bench.Bench(process)
        made = crowd(process, 200, b"")
        cpu = process.cpu_seconds()
        time.sleep(1)
        b.check("K7 no spinning", process.cpu_seconds() - cpu < 0.2, process.cpu_seconds() - cpu)
        for sock in made:
            sock.close()
        b.check("K7 is over", telltale.wait_for(lambda: process.post("otlp", "/v1/traces", bench.good_body()).status == 200, 5))
        process.stop()
        return b.failures


def vanishing(b):
    for i in range(300):
        sock = b.process.connect("otlp")
        sock.sendall(GOOD[: len(GOOD) * (i % 10 + 1) // 11])
        if i % 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        sock.close()
    b.still_good("clients that vanish")


FILE_CONFIG = """
receivers:
  otlp: {protocols: {http: {endpoint: "{otlp}"}}}
exporters:
  file: {path: "{dir}/traces.jsonl"}
service:
  telemetry: {metrics: {address: "{metrics}"}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
"""


class Sender(threading.Thread):
    """Posts until the server is gone; counts what was acknowledged."""

    def __init__(self, process, first):
        super().__init__()
        self.process, self.next, self.acknowledged, self.refused, self.lost = process, first, 0, 0, 0

    def run(self):
        while True:
            body = traces([span(number=self.next + i) for i in range(20)])
            self.next += 20
            try:
                answer = self.process.post("otlp", "/v1/traces", body)
            except ConnectionRefusedError:
                return
            except (OSError, telltale.http.client.HTTPException):
                self.lost += 1
                if not self.process.alive():
                    return
                continue
            if answer.status == 200:
                self.acknowledged += 20
            else:
                self.refused += 1


def end_under_load():
    with telltale.Process(FILE_CONFIG, endpoints=["otlp", "metrics"]) as process:
        b = bench.Bench(process)
        senders = [Sender(process, (i + 1) << 32) for i in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(1)
        begin = time.monotonic()
        code = process.stop()
        b.check("K16 exit", code == 0, code)
        b.check("K16 in time", time.monotonic() - begin < 5, time.monotonic() - begin)
        for sender in senders:
            sender.join()
        acknowledged = sum(s.acknowledged for s in senders)
        with open(os.path.join(process.dir, "traces.jsonl"), encoding="utf-8") as f:
            written = sum(len(re.findall('"spanId"', line)) for line in f)
        b.check("K16 load", acknowledged > 100, acknowledged)
        # An answer that was under way when its client gave up is in the file without an acknowledgement, never the reverse.
        b.check("K16 nothing acknowledged is lost", acknowledged <= written <= acknowledged + 20 * sum(s.lost for s in senders),
                f"{acknowledged} acknowledged, {written} written")
        print(f"end under load: {acknowledged} acknowledged, {written} written, {sum(s.lost for s in senders)} without answer")
        return b.failures


def main():
    failures = crowds() + few_descriptors() + end_under_load()
    with bench.start() as process:
        b = bench.Bench(process)
        b.failures += failures
        vanishing(b)
        process.stop()
        failures = b.failures
    if failures:
        print(f"{failures} failed before the last part")
        raise SystemExit(1)
    slow_clients()


main()
