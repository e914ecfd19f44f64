# SPDX-License-Identifier: Apache-2.0
"""Refusals reach clients that are still sending: Go, Node, curl and Python, bodies of 100 kB and 8 MB, with and without a length.

A connection that is closed while the client sends loses the answer for most Go and Node clients, so none may be missing here."""

import json
import os
import shutil
import subprocess
import tempfile

import bench
import telltale
from bench import PROTOBUF

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL, LARGE = 100_000, 8_000_000
REQUESTS = 20


def build_go(directory):
    if shutil.which("go") is None:
        print("SKIPPED the Go client: no go here")
        return None
    program = os.path.join(directory, "post")
    env = {**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": os.environ.get("GOCACHE", os.path.join(directory, "cache"))}
    subprocess.run(["go", "build", "-o", program, os.path.join(HERE, "clients", "post.go")], check=True, env=env, timeout=280)
    return [program]


def clients(directory):
    found = {}
    go = build_go(directory)
    if go:
        found["go"] = go
    if shutil.which("node"):
        found["node"] = ["node", os.path.join(HERE, "clients", "post.js")]
    else:
        print("SKIPPED the Node client: no node here")
    return found


def statuses(words, process, content_type, size, framing, parallel=4):
    url = f"http://127.0.0.1:{process.ports['otlp']}/v1/traces"
    run = subprocess.run([*words, url, content_type, str(size), str(REQUESTS), str(parallel), framing], capture_output=True,
                         text=True, timeout=120)
    if run.returncode != 0:
        return {"failed": run.stderr[-500:]}
    return json.loads(run.stdout)


def refuse_all(b, found, what, content_type, size, status):
    for name, words in found.items():
        for framing in ("length", "chunked"):
            counts = statuses(words, b.process, content_type, size, framing)
            b.check(f"{what}, {name}, {size} bytes, {framing}", counts == {str(status): REQUESTS}, counts)
    b.still_good(what)


def with_curl(b, size, content_type, status, *more):
    if shutil.which("curl") is None:
        print("SKIPPED curl: it is not here")
        return
    run = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "@-", "-H",
                          "Content-Type: " + content_type, *more,
                          f"http://127.0.0.1:{b.process.ports['otlp']}/v1/traces"], input=bytes(size), capture_output=True,
                         timeout=60)
    b.check(f"curl {size} {content_type} {more}", run.stdout == str(status).encode(), run)


def too_large(found):
    with bench.start(["max_request_body_size: 64KiB"]) as process:
        b = bench.Bench(process)
        refuse_all(b, found, "413", PROTOBUF, SMALL, 413)
        refuse_all(b, found, "413", PROTOBUF, LARGE, 413)
        for size in (SMALL, LARGE):
            with_curl(b, size, PROTOBUF, 413)
            with_curl(b, size, PROTOBUF, 413, "-H", "Expect: 100-continue")
            with_curl(b, size, PROTOBUF, 413, "-H", "Transfer-Encoding: chunked")
        process.stop()
        return b.failures


def wrong_type(found):
    with bench.start() as process:
        b = bench.Bench(process)
        for size in (SMALL, LARGE):
            refuse_all(b, found, "415", "text/plain", size, 415)
            with_curl(b, size, "text/plain", 415)
        kept_open(b)
        process.stop()
        return b.failures


def kept_open(b):
    """Below the limit the refusal comes on a connection that goes on."""
    head = b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % LARGE
    with b.process.connect("otlp") as sock:
        for _ in range(3):
            sock.sendall(head + bytes(LARGE))
            answer = telltale.read_answer(sock)
            b.check("a refused connection goes on", answer is not None and answer.status == 415, answer)


def no_memory(found):
    """With a budget of 1 MiB a body of 8 MB is never read, and of many of 100 kB some are refused."""
    text = bench.CONFIG.replace("service:\n", "service:\n  memory_budget: 1MiB\n") % ""
    with telltale.Process(text, endpoints=["otlp", "metrics"]) as process:
        b = bench.Bench(process)
        for name, words in found.items():
            counts = statuses(words, process, PROTOBUF, LARGE, "length")
            b.check(f"503, {name}", counts == {"503": REQUESTS}, counts)
            counts = statuses(words, process, PROTOBUF, LARGE, "chunked")
            b.check(f"503, {name}, chunked", counts == {"503": REQUESTS}, counts)
            counts = statuses(words, process, PROTOBUF, SMALL, "length", parallel=20)
            b.check(f"400 or 503, {name}, 20 at a time", sum(counts.values()) == REQUESTS and "lost" not in counts, counts)
        answer = process.post("otlp", "/v1/traces", bytes(LARGE))
        b.check("503 says when", answer.status == 503 and 1 <= int(answer.headers["retry-after"]) <= 20, answer)
        answer = process.post("otlp", "/v1/traces", b'{"x":"' + bytes(LARGE) + b'"}', content_type=bench.JSON)
        b.check("503 in JSON", answer.status == 503 and answer.json()["code"] == 14, answer)
        b.still_good("503")
        b.grown_less("memory was not taken", 24 << 20)
        b.check("counted", process.metric("telltale_receiver_refused_requests", reason="overloaded") > 0)
        b.end()


# What the exporters are: with a sibling that has the data, what the file cannot take is parked and admission closes, so that bodies
# are refused unread; alone, each body is read, and the refusal comes from the exporter.
EXPORTERS = """
exporters:
  debug:
  file: {path: /dev/full}
"""


def disk_full(exporters):
    """A server whose file exporter finds the disk full, and words for what that is."""
    text = (bench.CONFIG % "").replace("exporters:\n  debug:\n", EXPORTERS).replace("exporters: [debug]", f"exporters: [{exporters}]")
    return telltale.Process(text, endpoints=["otlp", "metrics"])


def valid_bodies(directory):
    """Files with requests of the two sizes: an unknown field carries the weight."""
    for size in (SMALL, LARGE):
        path = os.path.join(directory, str(size))
        with open(path, "wb") as f:
            f.write(bench.good_body() + telltale.field(1000, bytes(size)))
        yield size, "@" + path


def refused_by_the_exporter(found, directory):
    """One exporter, and it cannot write: every body is read whole, each answer is 503 and says when to come again."""
    with disk_full("file") as process:
        b = bench.Bench(process)
        for size, body in valid_bodies(directory):
            for name, words in found.items():
                for framing in ("length", "chunked"):
                    counts = statuses(words, process, PROTOBUF, body, framing)
                    b.check(f"disk full, {name}, {size} bytes, {framing}", counts == {"503": REQUESTS}, counts)
        answer = process.post("otlp", "/v1/traces", bench.good_body())
        b.check("disk full says when", answer.status == 503 and int(answer.headers["retry-after"]) >= 1, answer)
        b.check("nothing is parked", process.metric("telltale_exporter_parked_batches", exporter="file") == 0)
        b.grown_less("disk full, memory", 48 << 20)
        return b.failures


def refused_by_admission(found, directory):
    """The sibling has the first request's data, so the file's wait: what comes then is refused, also what is being sent already."""
    failures = 0
    for size, body in valid_bodies(directory):
        for name, words in found.items():
            for framing in ("length", "chunked"):
                with disk_full("debug, file") as process:
                    b = bench.Bench(process)
                    counts = statuses(words, process, PROTOBUF, body, framing)
                    b.check(f"it gets stuck, {name}, {size} bytes, {framing}", set(counts) == {"200", "503"} and counts["200"] <= 4
                            and sum(counts.values()) == REQUESTS, counts)
                    counts = statuses(words, process, PROTOBUF, body, framing)
                    b.check(f"it is stuck, {name}, {size} bytes, {framing}", counts == {"503": REQUESTS}, counts)
                    b.check("counted", process.metric("telltale_receiver_refused_requests", reason="unavailable") >= REQUESTS,
                            process.metrics().get("telltale_receiver_refused_requests"))
                    process.signal(9)
                    failures += b.failures
    return failures


def main():
    with tempfile.TemporaryDirectory(prefix="telltale-go-") as directory:
        found = clients(directory)
        failures = too_large(found) + wrong_type(found) + refused_by_the_exporter(found, directory) + refused_by_admission(found, directory)
        if failures:
            print(f"{failures} failed before the last part")
            raise SystemExit(1)
        no_memory(found)


main()
