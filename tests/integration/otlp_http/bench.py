# SPDX-License-Identifier: Apache-2.0
"""What the OTLP/HTTP tests share: a configuration, good requests, and a run that checks after every case that all is well."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

CONFIG = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: "{otlp}"
%s
exporters:
  debug:
service:
  telemetry:
    logs: {level: error}
    metrics: {address: "{metrics}"}
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
    metrics: {receivers: [otlp], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
"""

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def start(options=(), **more):
    """options: lines below `http:`."""
    text = CONFIG % "\n".join("        " + line for line in options)
    return telltale.Process(text, endpoints=["otlp", "metrics"], **more)


def good_body():
    return telltale.traces([telltale.span()])


def settled_descriptors(process):
    """How many are open once every endpoint is, and the connections that asked are closed again."""
    telltale.wait_for(lambda: all(process.is_open(name) for name in process.ports), 20)
    seen = []

    def is_settled():
        seen.append(process.descriptors())
        return len(seen) > 5 and len(set(seen[-5:])) == 1

    telltale.wait_for(is_settled, 20, every=0.1)
    return seen[-1]


class Bench:
    """Runs cases against one process and remembers what went wrong."""

    def __init__(self, process):
        self.process = process
        self.failures = 0
        self.cases = 0
        self.opened = []  # connections to close before descriptors are counted
        self.descriptors = settled_descriptors(process)
        self.rss = process.rss()

    def expect(self, name, answer, *statuses):
        """The case was answered with one of the statuses (None: closed without an answer), and the next good request with 200."""
        status = answer.status if answer is not None else None
        self.check(name, status in statuses, f"{status}, expected {' or '.join(map(str, statuses))}: {answer!r}")
        self.still_good(name)
        return answer

    def check(self, name, condition, detail=""):
        self.cases += 1
        if not condition:
            self.failures += 1
            print(f"FAILED: {name}: {detail}")

    def grown_less(self, name, limit, since=None):
        """Resident memory; not judged when a sanitizer keeps what was freed."""
        growth = self.process.rss() - (self.rss if since is None else since)
        self.check(name, growth <= limit or self.process.is_sanitized(), f"{growth} bytes more, {limit} allowed")

    def still_good(self, name):
        answer = self.process.post("otlp", "/v1/traces", good_body())
        if answer.status != 200 or answer.body != b"":
            self.failures += 1
            print(f"FAILED: after {name} a good request got {answer!r}")

    def end(self, rss_growth=64 << 20):
        """Memory and descriptors are back, the process ends well."""
        process = self.process
        for connection in self.opened:
            connection.close()
        back = telltale.wait_for(lambda: process.descriptors() <= self.descriptors, 45 if process.is_sanitized() else 8)
        self.check("descriptors", back, f"{process.descriptors()} open, {self.descriptors} at the start")
        self.grown_less("memory", rss_growth)
        code = process.stop()
        self.check("exit", code == 0, f"exit code {code}\n{process.log()[-3000:]}")
        print(f"{self.cases} cases, {self.failures} failed")
        sys.exit(1 if self.failures else 0)
