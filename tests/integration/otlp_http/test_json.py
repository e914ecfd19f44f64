# SPDX-License-Identifier: Apache-2.0
"""Bad and lenient JSON over HTTP (reliability B, contract 1.6): each has its status, and the next good request is answered."""

import json

import bench
from bench import JSON

SPAN = '{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"a","kind":2}'


def spans(*texts):
    return '{"resourceSpans":[{"scopeSpans":[{"spans":[' + ",".join(texts) + "]}]}]}"


def with_field(piece):
    return spans(SPAN[:-1] + "," + piece + "}")


def attribute(value):
    return with_field('"attributes":[{"key":"k","value":' + value + "}]")


GOOD = spans(SPAN)

ACCEPTED = {
    "empty object": "{}",
    "null list": '{"resourceSpans":null}',
    "empty list": '{"resourceSpans":[]}',
    "a span": GOOD,
    "B4 duplicate keys, the last wins": with_field('"kind":1,"kind":3'),
    "B4 unknown keys": with_field('"x":{"y":[{"z":[1,2,{"w":null}]}]}'),
    "B6 lower case ids": GOOD.replace("5B8EFFF7", "5b8efff7"),
    "B6 kind by name": GOOD.replace('"kind":2', '"kind":"SPAN_KIND_SERVER"'),
    "snake_case": with_field('"start_time_unix_nano":"1"'),
    "numbers as text and as numbers": with_field('"startTimeUnixNano":1,"endTimeUnixNano":"2"'),
    "null members": with_field('"attributes":null,"status":null,"startTimeUnixNano":null'),
    "B7 escaped NUL": attribute('{"stringValue":"a\\u0000b"}'),
    "B8 minus zero": attribute('{"doubleValue":-0}'),
    "B8 NaN as text": attribute('{"doubleValue":"NaN"}'),
    "B8 Infinity as text": attribute('{"doubleValue":"-Infinity"}'),
    "bytes": attribute('{"bytesValue":"aGVsbG8="}'),
    "nested values": attribute('{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"}]}}}]}}'),
}

REFUSED = {
    "no text": "",
    "B3 null": "null",
    "B3 list": "[]",
    "B3 text": '"x"',
    "B3 number": "1",
    "B3 object for list": '{"resourceSpans":{}}',
    "B3 text for list": '{"resourceSpans":"x"}',
    "B6 odd number of digits": GOOD.replace("5B8EFFF7", "5B8EFFF"),
    "B6 base64 id": GOOD.replace("5B8EFFF798038103D269B633813FC60C", "W47/95gDgQPSabYzgT/GDA=="),
    "B7 lone surrogate": attribute('{"stringValue":"\\ud800"}'),
    "B7 raw control character": attribute('{"stringValue":"a\x01b"}'),
    "B8 1e999": attribute('{"doubleValue":1e999}'),
    "B8 400 digits": attribute('{"intValue":' + "9" * 400 + "}"),
    "B8 NaN bare": attribute('{"doubleValue":NaN}'),
    "B9 trailing garbage": GOOD + "x",
    "B9 two documents": GOOD + GOOD,
    "B9 byte order mark": "\ufeff" + GOOD,
    "unclosed": GOOD[:-1],
    "single quotes": "{'resourceSpans':[]}",
    "trailing comma": '{"resourceSpans":[],}',
    "comment": '{"resourceSpans":[]/**/}',
}


def post(process, text):
    return process.post("otlp", "/v1/traces", text if isinstance(text, bytes) else text.encode(), content_type=JSON)


def main():
    with bench.start() as process:
        b = bench.Bench(process)
        for name, text in ACCEPTED.items():
            answer = b.expect(name, post(process, text), 200)
            b.check(name + " body", answer.body == b"{}" and answer.headers["content-type"] == JSON, answer)
        for name, text in REFUSED.items():
            answer = b.expect(name, post(process, text), 400)
            status = json.loads(answer.body)
            b.check(name + " is explained", status["code"] == 3 and status["message"], answer)
        b.expect("B7 invalid UTF-8", post(process, attribute('{"stringValue":"\xff"}').encode("latin-1")), 200, 400)
        for n in (64, 65, 2048, 100000):
            b.expect(f"B1 [ * {n}", post(process, "[" * n), 400)
            b.expect(f"B1 unknown [ * {n}", post(process, '{"x":' + "[" * n), 400)
        for i in range(len(GOOD)):
            answer = post(process, GOOD[:i])
            b.check(f"B9 cut at {i}", answer.status == 400, answer)
        b.still_good("B9")
        bombs(b)
        b.end()


def bombs(b):
    def in_list(name, piece):
        return '{"' + name + '":[' + ",".join([piece] * ((10 << 20) // (len(piece) + 1))) + "]}"

    for name, text, statuses in (
        ("B2 {} as spans", '{"resourceSpans":[{"scopeSpans":[' + in_list("spans", "{}") + "]}]}", (413,)),
        ("B2 {} as resources", in_list("resourceSpans", "{}"), (200, 413)),
        ("B2 1 as bounds", with_field('"x":' + in_list("y", "1")), (200, 413)),
    ):
        before = b.process.rss()
        b.expect(name, post(b.process, text), *statuses)
        b.grown_less(name + " memory", 2 * len(text) + (48 << 20), before)
    over = '{"x":"' + "y" * (16 << 20) + '"}'
    b.expect("JSON over 16 MiB", post(b.process, over), 413)
    b.expect("JSON over 16 MiB when unpacked", b.process.post("otlp", "/v1/traces", over.encode(), content_type=JSON, encoding="gzip"), 413)


main()
