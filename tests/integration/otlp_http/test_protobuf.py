# SPDX-License-Identifier: Apache-2.0
"""Bad protobuf over HTTP (reliability A): each has its status, and after each the next good request is answered."""

import gzip
import http.client
import random

import bench
import telltale
from bench import PROTOBUF
from telltale import field, padded_traces, span, traces

LIMIT = 1 << 20


def kept(process):
    """Many requests on one connection."""
    return http.client.HTTPConnection("127.0.0.1", process.ports["otlp"], timeout=30)


def post(connection, body):
    connection.request("POST", "/v1/traces", body, {"Content-Type": PROTOBUF})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def nested(levels, kind):
    """An AnyValue in `levels` arrays or maps: the heads of all levels, outermost first, then the innermost text."""
    value = field(1, "x")
    heads, size = [], len(value)

    def wrap(number):
        head = telltale.varint(number << 3 | 2) + telltale.varint(size)
        heads.append(head)
        return size + len(head)

    for level in range(levels):
        if kind == "map" or (kind == "both" and level % 2):
            size = wrap(2)  # KeyValue.value
            heads.append(field(1, "k"))
            size += len(heads[-1])
            size = wrap(1)  # KeyValueList.values
            size = wrap(6)
        else:
            size = wrap(1)  # ArrayValue.values
            size = wrap(5)
    deep = b"".join(reversed(heads)) + value
    return traces([span() + field(9, field(1, "deep") + field(2, deep))])


def in_span(piece):
    return traces([span() + piece])


def random_bytes(b):
    connection = kept(b.process)
    b.opened.append(connection)
    source = random.Random(3)
    wrong = [seed for seed in range(10000) if post(connection, source.randbytes(500)) != 400]
    b.check("A3 random bytes", not wrong, f"{len(wrong)} were not refused")
    b.still_good("A3")


def truncations(b):
    connection = kept(b.process)
    b.opened.append(connection)
    body = traces([span(attributes=[("a", "b"), ("n", 5)]), span(number=2)])
    for size in range(len(body) + 1):
        status = post(connection, body[:size])
        b.check("A4 truncated", status == (200 if size in (0, len(body)) else 400), f"{size} of {len(body)}: {status}")
    b.still_good("A4")


def bit_flips(b):
    connection = kept(b.process)
    b.opened.append(connection)
    body = traces([span(number=n, attributes=[("key", "value"), ("n", n)]) for n in range(1, 5)])
    for bit in range(8 * len(body)):
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << bit % 8
        status = post(connection, bytes(flipped))
        b.check("A5 bit flipped", status in (200, 400), f"bit {bit}: {status}")
    b.still_good("A5")


def depths(b):
    for kind in ("array", "map", "both"):
        for levels in (1, 18, 64):
            b.expect(f"A6 {kind} {levels}", b.process.post("otlp", "/v1/traces", nested(levels, kind)), 200)
        for levels in (65, 1000, 5000, 100000):
            answer = b.expect(f"A6 {kind} {levels}", b.process.post("otlp", "/v1/traces", nested(levels, kind)), 400)
            b.check(f"A6 {kind} {levels} says why", b"depth" in answer.body or b"deep" in answer.body, answer)


def element_bombs():
    def resource_spans(spans):
        return field(1, field(2, spans))

    for mib in (4, 20):
        yield f"A7 {mib} MiB of spans", resource_spans(b"\x12\x00" * (mib << 19)), 413
    for number, what in ((9, "attributes"), (11, "events"), (13, "links")):
        yield f"A7 20 MiB of {what}", resource_spans(field(2, bytes([number << 3 | 2, 0]) * (20 << 19))), 413


def bombs():
    with bench.start() as process:
        b = bench.Bench(process)
        depths(b)
        for name, body, status in element_bombs():
            before = process.rss()
            b.expect(name, process.post("otlp", "/v1/traces", body), status)
            b.grown_less(name + " memory", 2 * len(body) + (16 << 20), before)
            b.expect(name + " gzip", process.post("otlp", "/v1/traces", gzip.compress(body), headers={"Content-Encoding": "gzip"}),
                     status)
        b.check("bombs are counted", process.metric("telltale_receiver_refused_requests", reason="too_large") >= 10)
        process.stop()
        return b.failures


def sizes(b):
    for size, status in ((LIMIT - 1, 200), (LIMIT, 200), (LIMIT + 1, 413)):
        answer = b.expect(f"A9 {size}", b.process.post("otlp", "/v1/traces", padded_traces(size)), status)
        if status == 413:
            b.check("A9 names the limit", str(LIMIT).encode() in answer.body, answer)


def absent_messages(b):
    bodies = {
        "A10 KeyValue without value": in_span(field(9, field(1, "k"))),
        "A10 AnyValue without oneof": in_span(field(9, field(1, "k") + field(2, b""))),
        "A10 KeyValue without key": in_span(field(9, b"")),
        "A10 ResourceSpans without resource": field(1, field(2, field(2, span()))),
        "A10 ResourceSpans with nothing": field(1, b""),
        "A10 ScopeSpans with nothing": field(1, field(2, b"")),
        "A10 empty status": in_span(field(15, b"")),
        "A12 times 2^63, 2^64-1": traces([span(start=1 << 63, length=0), span(start=(1 << 64) - 1, length=0)]),
        "A12 time 0": traces([span(start=0, length=0)]),
        "A12 end before start": traces([span(start=1 << 60, length=-5)]),
        "A15 unknown fields": in_span(field(500, 7) * 1000 + field(536870911, "x") + b"\xf8\x07\x01"),
    }
    for name, body in bodies.items():
        b.expect(name, b.process.post("otlp", "/v1/traces", body), 200)


def malformed(b):

    bodies = {
        "A15 field number 0": in_span(b"\x00\x01"),
        "A15 field number over 2^29": in_span(b"\x80\x80\x80\x80\x10\x01"),
        "A15 wrong wire type": in_span(field(9, 5)),
        "A15 start of a group": in_span(b"\xa3\x06\xa4\x06"),
        "A15 end of a group": in_span(b"\xa4\x06"),
        "A15 singular message twice": in_span(field(15, field(3, 1)) + field(15, field(3, 2))),
        "A15 oneof twice": in_span(field(9, field(1, "k") + field(2, field(1, "a") + field(3, 1)))),
        "all rows bad": traces([span(trace_id=b"short"), span(span_id=b"123")]),
    }
    for name, body in bodies.items():
        b.expect(name, b.process.post("otlp", "/v1/traces", body), 400)


def partial(b):
    answer = b.process.post("otlp", "/v1/traces", traces([span(), span(trace_id=b"short"), span(span_id=b"1"), span(number=4)]))
    b.expect("partial success", answer, 200)
    b.check("exact count", answer.body.startswith(b"\x0a") and b"\x08\x02" in answer.body[:6], answer)


def types(b):
    body = bench.good_body()
    for name in (None, "text/plain", "a", "", "application/" + "x" * 8000, "application/x-protobufx", "application"):
        b.expect(f"A17 {str(name)[:30]}", b.process.post("otlp", "/v1/traces", body, content_type=name), 415)
    for name in ("application/x-protobuf; charset=x", "Application/X-Protobuf", "application/x-protobuf;"):
        b.expect(f"A17 {name}", b.process.post("otlp", "/v1/traces", body, content_type=name), 200)
    b.expect("A18 protobuf called JSON", b.process.post("otlp", "/v1/traces", body, content_type=bench.JSON), 400)
    b.expect("A18 JSON called protobuf", b.process.post("otlp", "/v1/traces", b'{"resourceSpans":[]}'), 400)


def paths(b):
    request = b.process.request
    b.expect("A1 empty body", b.process.post("otlp", "/v1/traces", b""), 200)
    b.expect("A2 no length", b.process.raw("otlp", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: " + PROTOBUF.encode() +
                                           b"\r\n\r\n"), 411)
    b.expect("A19 unknown path", request("otlp", "POST", "/v1/tracesx", b"", {"Content-Type": PROTOBUF}), 404)
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        answer = b.expect(f"A19 {method}", request("otlp", method, "/v1/traces"), 405)
        b.check(f"A19 {method} Allow", answer.headers.get("allow") == "POST", answer)
    answer = b.expect("A19 OPTIONS", request("otlp", "OPTIONS", "/v1/traces", None, {
        "Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}), 405)
    b.check("A19 no CORS", not [h for h in answer.headers if h.startswith("access-control")], answer)
    for _ in range(2):
        b.expect("A16 the same again", b.process.post("otlp", "/v1/traces", bench.good_body()), 200)


def main():
    failures = bombs()
    with bench.start([f"max_request_body_size: {LIMIT}"]) as process:
        b = bench.Bench(process)
        b.failures += failures
        for part in (paths, types, partial, malformed, absent_messages, sizes, truncations, bit_flips, random_bytes):
            part(b)
        b.end()


main()
