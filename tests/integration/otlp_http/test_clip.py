# SPDX-License-Identifier: Apache-2.0
"""Attributes over the limits are clipped, in both encodings and from files, counted and said once; zero switches that off."""

import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

CONFIG = """
receivers:
  otlp:
    protocols: {http: {endpoint: "{otlp}"}}
    OPTIONS
exporters:
  file: {path: "{dir}/out.jsonl"}
service:
  telemetry: {metrics: {address: "{metrics}"}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
    logs: {receivers: [otlp], exporters: [file]}
"""

REPLAY = """
receivers:
  otlp_json_file:
    include: [IN]
    follow: false
    OPTIONS
exporters:
  file: {path: "{dir}/out.jsonl"}
service:
  telemetry: {metrics: {address: "{metrics}"}}
  pipelines:
    traces: {receivers: [otlp_json_file], exporters: [file]}
"""

LONG = "ä" * 5000
MANY = [(f"k{i}", i) for i in range(199)] + [("late", LONG)]


def any_value(value):
    return {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}


def attributes(pairs):
    return [{"key": k, "value": any_value(v)} for k, v in pairs]


def span(number, pairs):
    return {"traceId": "%032x" % 1, "spanId": "%016x" % number, "name": "GET /", "attributes": attributes(pairs)}


def document(spans):
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


SPANS = [span(1, [("note", LONG), ("list", "short")]), span(2, MANY), span(3, [("note", "short")])]


def written(process):
    found = []
    with open(process.dir + "/out.jsonl", encoding="utf-8") as f:
        for line in f:
            for resource in json.loads(line).get("resourceSpans", []):
                for scope in resource["scopeSpans"]:
                    found += scope["spans"]
    return found


def clipped(process):
    return [process.metric("telltale_receiver_clipped_" + what) for what in ("attributes", "values")]


def check_spans(spans, most_bytes=4096, most=128):
    first, second, third = spans
    assert first["attributes"] == attributes([("note", LONG[:most_bytes // 2]), ("list", "short")]), first
    assert second["attributes"] == attributes(MANY[:most]), second["attributes"][-3:]
    assert second.get("droppedAttributesCount", 0) == 200 - min(most, 200), second
    assert third["attributes"] == SPANS[2]["attributes"], third
    assert "droppedAttributesCount" not in third or third["droppedAttributesCount"] == 0


def by_default(encoding):
    with telltale.Process(CONFIG.replace("OPTIONS", ""), endpoints=["otlp", "metrics"]) as process:
        assert clipped(process) == [0, 0], "zeros from the start"
        for i in range(2):
            if encoding == "json":
                answer = process.post("otlp", "/v1/traces", json.dumps(document(SPANS)).encode(), "application/json")
            else:
                body = telltale.traces([telltale.span(number=1, attributes=[("note", LONG), ("list", "short")]),
                                        telltale.span(number=2, attributes=MANY),
                                        telltale.span(number=3, attributes=[("note", "short")])])
                answer = process.post("otlp", "/v1/traces", body)
            assert answer.status == 200, answer
        assert clipped(process) == [2 * 72, 2 * 1], clipped(process)
        assert process.stop() == 0
        check_spans(written(process)[:3])
        check_spans(written(process)[3:])
        assert "max_attributes" in process.log() and "max_value_bytes" in process.log()


def bodies_of_logs_stay():
    record = {"body": {"stringValue": LONG}, "attributes": attributes(MANY)}
    with telltale.Process(CONFIG.replace("OPTIONS", "max_attributes: 200"), endpoints=["otlp", "metrics"]) as process:
        body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
        assert process.post("otlp", "/v1/logs", body, "application/json").status == 200
        assert clipped(process) == [0, 1], clipped(process)
        assert process.stop() == 0
        with open(process.dir + "/out.jsonl", encoding="utf-8") as f:
            found = json.loads(f.read())["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
        assert found["body"] == {"stringValue": LONG}
        assert found["attributes"] == attributes(MANY[:199] + [("late", LONG[:2048])])


def zero_is_no_limit():
    with telltale.Process(CONFIG.replace("OPTIONS", "max_attributes: 0\n    max_value_bytes: 0"),
                          endpoints=["otlp", "metrics"]) as process:
        assert process.post("otlp", "/v1/traces", json.dumps(document(SPANS)).encode(), "application/json").status == 200
        assert clipped(process) == [0, 0], clipped(process)
        assert process.stop() == 0
        check_spans(written(process), most_bytes=1 << 20, most=1000)


def files_too():
    with tempfile.TemporaryDirectory() as parent:
        path = parent + "/in.jsonl"
        with open(path, "w", encoding="utf-8") as f:
            f.write(json.dumps(document(SPANS)) + "\n")
        for options, most_bytes, most, counts in (("", 4096, 128, [72, 1]), ("max_attributes: 10", 4096, 10, [190, 1]),
                                                  ("max_value_bytes: 8", 8, 128, [72, 1]),
                                                  ("max_attributes: 0\n    max_value_bytes: 0", 1 << 20, 1000, [0, 0])):
            with telltale.Process(REPLAY.replace("IN", path).replace("OPTIONS", options), endpoints=["metrics"]) as process:
                assert telltale.wait_for(lambda: process.metric("telltale_json_file_read_lines") == 1, 10)
                assert clipped(process) == counts, (options, clipped(process))
                assert process.stop() == 0
                check_spans(written(process), most_bytes, most)


if __name__ == "__main__":
    by_default("json")
    by_default("protobuf")
    bodies_of_logs_stay()
    zero_is_no_limit()
    files_too()
