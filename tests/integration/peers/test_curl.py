# SPDX-License-Identifier: Apache-2.0
"""curl posts the four shapes of OTLP (traces, metrics, logs, events) as a person at a terminal would: plain, gzip, chunked, asking first with
Expect, in JSON and in protobuf. The answers are compared byte for byte, and the JSONL that comes out with what went in."""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import otlp_model
import telltale

DATA = os.path.join(telltale.ROOT, "tests", "data", "otlp")
SHAPES = {"trace": "traces", "metrics": "metrics", "logs": "logs", "events": "logs"}
CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "{otlp}"}}}}
exporters:
  file/traces: {path: "{dir}/traces.jsonl"}
  file/metrics: {path: "{dir}/metrics.jsonl"}
  file/logs: {path: "{dir}/logs.jsonl"}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file/traces]}
    metrics: {receivers: [otlp], exporters: [file/metrics]}
    logs: {receivers: [otlp], exporters: [file/logs]}
"""
JSON, PROTOBUF = "application/json", "application/x-protobuf"
WAYS = {  # name: (gzip, more words for curl)
    "plain": (False, []),
    "gzip": (True, ["-H", "Content-Encoding: gzip"]),
    "asking first": (False, ["-H", "Expect: 100-continue"]),
    "chunked": (False, ["-H", "Transfer-Encoding: chunked"]),
    "chunked, gzip": (True, ["-H", "Transfer-Encoding: chunked", "-H", "Content-Encoding: gzip"]),
    "HTTP/1.0": (False, ["--http1.0"]),
}
ACCEPTED = {JSON: b"{}", PROTOBUF: b""}


def answer_of(content_type, body, status="200 OK", more=""):
    """The whole answer, without its date."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def curl(process, path, content_type, *words):
    url = f"http://127.0.0.1:{process.ports['otlp']}{path}"
    run = subprocess.run(["curl", "-s", "-i", "--max-time", "20", "-H", f"Content-Type: {content_type}", *words, url], capture_output=True, timeout=60)
    assert run.returncode == 0, run
    return re.sub(rb"Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n", b"", run.stdout, count=1)


def expected(way, content_type):
    answer = answer_of(content_type, ACCEPTED[content_type])
    if way == "asking first":
        return b"HTTP/1.1 100 Continue\r\n\r\n" + answer
    if way == "HTTP/1.0":
        return answer.replace(b"Content-Type", b"Connection: close\r\nContent-Type", 1)
    return answer


def post_shape(process, folder, shape):
    """Posts one shape in every way and both encodings; returns how often."""
    with open(os.path.join(DATA, shape + ".json"), "rb") as f:
        document = f.read()
    posted = 0
    for content_type, body in ((JSON, document), (PROTOBUF, otlp_model.pack(json.loads(document)))):
        for way, (zipped, words) in WAYS.items():
            path = os.path.join(folder, "body")
            with open(path, "wb") as f:
                f.write(gzip.compress(body) if zipped else body)
            answer = curl(process, "/v1/" + SHAPES[shape], content_type, "--data-binary", "@" + path, *words)
            assert answer == expected(way, content_type), f"{shape}, {content_type}, {way}: {answer}"
            posted += 1
    return posted


def check_written(process, posted):
    """Each line is one of the requests, to the last bit."""
    for signal in ("traces", "metrics", "logs"):
        shapes = [shape for shape in SHAPES if SHAPES[shape] == signal]
        wanted = {}
        for shape in shapes:
            with open(os.path.join(DATA, shape + ".json"), encoding="utf-8") as f:
                wanted[shape] = otlp_model.canonical(json.load(f))
        with open(os.path.join(process.dir, signal + ".jsonl"), encoding="utf-8") as f:
            written = [otlp_model.canonical(json.loads(line)) for line in f]
        for shape in shapes:
            assert written.count(wanted[shape]) == posted[shape], f"{shape}: {written.count(wanted[shape])} of {posted[shape]} as they were sent"
        assert len(written) == sum(posted[shape] for shape in shapes)


REFUSED = [  # (name, path, content type, words for curl, answer)
    ("malformed JSON", "/v1/traces", JSON, ["-d", "{"], answer_of(JSON, b'{"code":3,"message":"JSON at byte 1: expected a key, found the end"}', "400 Bad Request")),
    ("an id of the wrong length", "/v1/traces", JSON, ["-d", '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"01"},{"name":"x"}]}]}]}'],
     answer_of(JSON, b'{"code":3,"message":"JSON at byte 54: expected an id of 32 hexadecimal digits"}', "400 Bad Request")),
    ("unknown path", "/v2/traces", JSON, ["-d", "{}"],
     answer_of(JSON, b'{"code":12,"message":"no such path; OTLP paths are /v1/traces /v1/metrics /v1/logs"}', "404 Not Found")),
    ("another method", "/v1/traces", JSON, ["-X", "PUT", "-d", "{}"],
     answer_of(JSON, b'{"code":2,"message":"this method is not allowed here"}', "405 Method Not Allowed", "Allow: POST\r\n")),
    ("unknown type", "/v1/traces", "text/plain", ["-d", "{}"],
     answer_of("text/plain; charset=utf-8", b"unsupported media type, supported: [application/json, application/x-protobuf]\n", "415 Unsupported Media Type")),
    ("unknown encoding", "/v1/traces", JSON, ["-H", "Content-Encoding: br", "-d", "{}"],
     answer_of(JSON, b'{"code":2,"message":"unsupported Content-Encoding: br"}', "415 Unsupported Media Type")),
]


def check_partial(process):
    """In protobuf a bad row is refused alone, and the answer says how many."""
    body = telltale.traces([telltale.span(), telltale.span(trace_id=b"\x01")])
    answer = process.post("otlp", "/v1/traces", body)
    assert answer.status == 200 and answer.body.startswith(telltale.field(1, b"")[:1]) and b"\x08\x01\x12" in answer.body, answer


def main():
    if shutil.which("curl") is None:
        telltale.skip("no curl here")
    with telltale.Process(CONFIG, endpoints=["otlp"]) as process, tempfile.TemporaryDirectory(prefix="telltale-curl-") as folder:
        posted = {shape: post_shape(process, folder, shape) for shape in SHAPES}
        for name, path, content_type, words, wanted in REFUSED:
            answer = curl(process, path, content_type, *words)
            assert answer == wanted, f"{name}: {answer}"
        assert process.stop() == 0
        check_written(process, posted)
    with telltale.Process(CONFIG, endpoints=["otlp"]) as process:
        check_partial(process)
    print(f"curl: {sum(posted.values())} requests written as sent, {len(REFUSED)} refused as documented")


if __name__ == "__main__":
    main()
