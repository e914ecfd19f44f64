# SPDX-License-Identifier: Apache-2.0
"""What was written is read back: once and while it grows, plain and compressed, over a rotation, with bad lines in between."""

import gzip
import json
import os
import shutil
import subprocess
import tempfile

from common import attribute, jsonl_spans, labelled, span, telltale, traces

REPLAY = """
receivers:
  otlp_json_file:
    include: [IN]
    MORE
processors:
  anomaly_labels:
exporters:
  file: {path: '{dir}/out.jsonl'}
  file/metrics: {path: '{dir}/metrics.jsonl'}
service:
  telemetry: {metrics: {address: {metrics}}}
  pipelines:
    traces: {receivers: [otlp_json_file], processors: [anomaly_labels], exporters: [file]}
    metrics: {receivers: [otlp_json_file], exporters: [file/metrics]}
"""


def replay(include, more):
    return REPLAY.replace("IN", include).replace("MORE", more)


def line(trace, spans=3):
    return json.dumps(traces([span(trace, n + 1, attributes=labelled("cpu")) for n in range(spans)])) + "\n"


def metrics_line():
    point = {"timeUnixNano": "1755770400000000000", "asInt": "1"}
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [point]}}]}]}]}) + "\n"


def out_traces(process):
    path = process.dir + "/out.jsonl"
    return [int(s["traceId"], 16) for s in jsonl_spans(path)] if os.path.exists(path) else []


def written(process, count):
    return telltale.wait_for(lambda: len(out_traces(process)) >= count, 20)


def backups_are_read_in_order_once():
    with tempfile.TemporaryDirectory() as d:
        with gzip.open(d + "/traces.jsonl.2.gz", "wt") as f:
            f.write(line(1))
        with open(d + "/traces.jsonl.1", "w", encoding="utf-8") as f:
            f.write(line(2))
        with open(d + "/traces-2025-08-21T10-00-00.000-size.jsonl", "w", encoding="utf-8") as f:
            f.write(line(3))
        with open(d + "/traces.jsonl", "w", encoding="utf-8") as f:
            f.write(line(4) + metrics_line() + line(5).rstrip("\n"))  # the last one without its line end
        expected = [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3 + [5] * 3
        if shutil.which("zstd"):
            subprocess.run(["zstd", "-q", "--rm", d + "/traces-2025-08-21T10-00-00.000-size.jsonl"], check=True)
        with telltale.Process(replay(d + "/traces*", "follow: false"), endpoints=["metrics"]) as process:
            assert written(process, len(expected)), out_traces(process)
            assert telltale.wait_for(lambda: "all files were read" in process.log(), 10)
            assert out_traces(process) == expected, out_traces(process)
            assert process.metric("telltale_json_file_bad_lines") == 0
            assert os.path.getsize(process.dir + "/metrics.jsonl") > 0
            assert attribute(jsonl_spans(process.dir + "/out.jsonl")[0], "anomaly.type") == "cpu"
            assert process.stop() == 0


def bad_lines_are_named_and_skipped():
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/in.jsonl", "w", encoding="utf-8") as f:
            f.write(line(1) + "not json\n" + "{\"resourceSpans\": 7}\n" + "\n" + "{}\n" + "x" * 5000 + "\n" + line(2))
        with telltale.Process(replay(d + "/in.jsonl", "follow: false\n    max_log_size: 4KiB"), endpoints=["metrics"]) as process:
            assert written(process, 6)
            assert out_traces(process) == [1] * 3 + [2] * 3
            assert telltale.wait_for(lambda: process.metric("telltale_json_file_bad_lines") == 4, 10)
            log = process.log()
            assert all(f'"line": {n}' in log for n in (2, 3, 5, 6)), log


def a_growing_file_is_followed_over_rotation_and_truncation():
    with tempfile.TemporaryDirectory() as d:
        path = d + "/in.jsonl"
        with open(path, "w", encoding="utf-8") as f:
            f.write(line(1))
        with telltale.Process(replay(d + "/in*.jsonl", "start_at: beginning\n    poll_interval: 20ms"), endpoints=["metrics"]) as process:
            assert written(process, 3)
            half = line(2)
            with open(path, "a", encoding="utf-8") as f:
                f.write(half[:40])
                f.flush()
                assert not telltale.wait_for(lambda: len(out_traces(process)) > 3, 0.3)
                f.write(half[40:])
            assert written(process, 6)
            with open(path, "a", encoding="utf-8") as f:
                f.write(line(3))
            os.rename(path, d + "/in-2025-08-21T10-00-00.000-size.jsonl")
            with open(path, "w", encoding="utf-8") as f:
                f.write(line(4))
            assert written(process, 12)
            with open(path, "w", encoding="utf-8") as f:  # truncated and shorter
                f.write(line(5, spans=1))
            assert written(process, 13)
            assert out_traces(process) == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3 + [5], out_traces(process)


def the_default_starts_at_the_end():
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/in.jsonl", "w", encoding="utf-8") as f:
            f.write(line(1))
        with telltale.Process(replay(d + "/in*.jsonl", "poll_interval: 20ms"), endpoints=["metrics"]) as process:
            telltale.wait_for(lambda: False, 0.3)
            with open(d + "/in.jsonl", "a", encoding="utf-8") as f:
                f.write(line(2))
            with open(d + "/in2.jsonl", "a", encoding="utf-8") as f:  # a new file: from its beginning
                f.write(line(3))
            assert written(process, 6)
            assert sorted(set(out_traces(process))) == [2, 3]


if __name__ == "__main__":
    backups_are_read_in_order_once()
    bad_lines_are_named_and_skipped()
    a_growing_file_is_followed_over_rotation_and_truncation()
    the_default_starts_at_the_end()
