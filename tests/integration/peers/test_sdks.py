# SPDX-License-Identifier: Apache-2.0
"""Official SDKs export to Telltale over OTLP/HTTP, protobuf and JSON, gzip and plain; everything arrives, with the label of the captured headers.

usage: test_sdks.py [node|python …]"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import labelled
import peers

REQUESTS, ANOMALY = "25", "latency_spike"


def check(name, command, folder, form):
    with labelled.run() as process:
        out = subprocess.run([*command, labelled.endpoint(process), form, REQUESTS, ANOMALY], cwd=folder, capture_output=True, text=True, timeout=120)
        assert out.returncode == 0, out.stderr
        sent = json.loads(out.stdout)
        assert sent["failed"] == 0, (sent, out.stderr)
        written = labelled.finish(process)
        spans, rows = list(written.spans()), list(written.rows())
        logs, points = list(written.rows("logs_labeled_")), list(written.rows("metrics_labeled_"))
    assert len(spans) == len(rows) == sent["spans"] > 0, (len(spans), len(rows), sent)
    assert len(logs) == sent["records"] > 0, (len(logs), sent)
    assert len(points) == sent["points"] > 0, (len(points), sent)
    for _, span, attributes in spans:
        assert attributes["anomaly.type"] == ANOMALY, (name, span)
        assert attributes["anomaly.root_cause"] == "slow_database_query", span
        assert attributes["anomaly.label_source"] in ("header", "trace"), span
    assert {r["anomaly_type"] for r in rows} == {ANOMALY}
    print(f"{name} {form}: {sent}")


def main():
    which = sys.argv[1:] or ["python", "node"]
    if "python" in which:
        interpreter, folder = peers.python()
        for form in ("gzip", "none"):
            check("python", [interpreter, "service.py"], folder, form)
    if "node" in which:
        folder = peers.node()
        for form in ("proto", "json"):
            check("node", ["node", "service.js"], folder, form)


if __name__ == "__main__":
    main()
