# SPDX-License-Identifier: Apache-2.0
"""A label window that is posted labels the metric points and log records of its time and service, and marks spans, which keep their label."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import labelled
import telltale

NOW = 1_700_000_000  # the second that telltale.metrics(), logs() and span() are of


def post(process, **window):
    answer = process.post("otlp", "/v1/labels", labelled.json.dumps(window).encode(), content_type="application/json")
    assert answer.status == 200, answer


def labels(rows):
    return [(r["anomaly_type"], r["anomaly_root_cause"], r["label_source"], r["anomaly_active"]) for r in rows]


with labelled.run(idle="100ms") as process:
    post(process, type="quiet", services=["other"], start=NOW - 5, end=NOW + 5)
    post(process, type="early", services=["shop"], start=NOW - 5, end=NOW)
    post(process, type="cpu_saturation", root_cause="stress-ng", services=["sho*"], start=NOW, end=NOW + 1)
    assert process.post("otlp", "/v1/metrics", telltale.metrics(2)).status == 200
    assert process.post("otlp", "/v1/logs", telltale.logs(3)).status == 200
    assert process.post("otlp", "/v1/traces", telltale.traces([telltale.span()])).status == 200
    header = [("http.request.header.x-anomaly-type", "timeout")]
    assert process.post("otlp", "/v1/traces", telltale.traces([telltale.span(trace=2, number=2, attributes=header)])).status == 200
    written = labelled.finish(process)
    window = ("cpu_saturation", "stress-ng", "window", "cpu_saturation")
    assert labels(written.rows("metrics_labeled_")) == [window] * 2, labels(written.rows("metrics_labeled_"))
    assert labels(written.rows("logs_labeled_")) == [window] * 3, labels(written.rows("logs_labeled_"))
    assert sorted(labels(written.rows())) == [("none", "none", "none", "cpu_saturation"), ("timeout", "unknown", "header", "cpu_saturation")], labels(
        written.rows())
print("posted windows label points and records, and mark spans")
