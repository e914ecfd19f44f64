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


def main():
    with tempfile.TemporaryDirectory(prefix="telltale-go-") as directory:
        found = clients(directory)
        failures = too_large(found) + wrong_type(found)
        if failures:
            print(f"{failures} failed before the last part")
            raise SystemExit(1)
        no_memory(found)


main()
