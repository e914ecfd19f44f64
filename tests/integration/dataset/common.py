# SPDX-License-Identifier: Apache-2.0
"""What the tests of files share: a configuration, OTLP/JSON documents, and readers that are not ours."""

import csv
import glob
import gzip
import io
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

csv.field_size_limit(1 << 30)

START = 1_755_770_400_000_000_000  # 2025-08-21T10:00:00Z

CONFIG = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: {otlp}
RECEIVER
processors:
  anomaly_labels:
exporters:
  file:
    path: OUT/NAME
    create_directory: true
FILE
  dataset:
    directory: OUT/dataset
    finish_after: 0s
DATASET
service:
  telemetry:
    metrics:
      address: {metrics}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [anomaly_labels]
      exporters: [file, dataset]
"""


def config(out="{dir}", file="", dataset="", name="traces.jsonl", receiver=""):
    """file, dataset, receiver: more YAML lines of that component, indented by four blanks."""
    return CONFIG.replace("RECEIVER", receiver).replace("OUT", out).replace("NAME", name).replace("FILE", file).replace("DATASET", dataset)


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def span(trace, number, parent=0, name="GET /", attributes=(), start=0, length=1_000_000, **more):
    document = {
        "traceId": "%032x" % trace,
        "spanId": "%016x" % number,
        "name": name,
        "kind": 2,
        "startTimeUnixNano": str(START + start),
        "endTimeUnixNano": str(START + start + length),
        "attributes": list(attributes),
    }
    if parent:
        document["parentSpanId"] = "%016x" % parent
    document.update(more)
    return document


def traces(spans, service="cart"):
    return {
        "resourceSpans": [
            {"resource": {"attributes": [text("service.name", service)]}, "scopeSpans": [{"spans": list(spans)}]}
        ]
    }


def labelled(type_, label="anomalous", cause="network", msg="injected"):
    return [
        text("http.request.header.x-anomaly-type", type_),
        text("http.request.header.x-anomaly-label", label),
        text("http.request.header.x-anomaly-root-cause", cause),
        text("http.request.header.x-anomaly-msg", msg),
    ]


def post(process, document, timeout=30.0):
    return process.post("otlp", "/v1/traces", json.dumps(document).encode(), "application/json", timeout=timeout)


# ---- reading ----


def open_any(path):
    """The bytes of a file, decompressed by somebody else's tool."""
    if path.endswith(".gz"):
        with gzip.open(path) as f:
            return f.read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
    with open(path, "rb") as f:
        return f.read()


def jsonl_spans(*paths):
    """All spans of JSONL files, flat; fails on a line that is not JSON or a file that does not end with a line."""
    spans = []
    for path in paths:
        data = open_any(path)
        if data and not data.endswith(b"\n"):
            raise AssertionError(path + " ends with half a line")
        for line in data.splitlines():
            for resource in json.loads(line)["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    spans += scope["spans"]
    return spans


def attribute(span_, key):
    for a in span_.get("attributes", []):
        if a["key"] == key:
            return next(iter(a["value"].values()))
    return None


def csv_rows(path):
    """Rows as dicts by Python's csv module; fails on a row with another number of cells."""
    with open(path, newline="", encoding="utf-8") as f:
        data = f.read()
    if not data.endswith("\n"):
        raise AssertionError(path + " ends with half a row")
    records = list(csv.reader(io.StringIO(data, newline=""), strict=True))
    for record in records:
        if len(record) != len(records[0]):
            raise AssertionError(f"{path}: {len(record)} cells instead of {len(records[0])}: {record}")
    return [dict(zip(records[0], record)) for record in records[1:]]


def dataset_rows(directory, prefix="traces_labeled"):
    rows = []
    for path in sorted(glob.glob(os.path.join(directory, prefix + "_[0-9]*.csv"))):
        rows += csv_rows(path)
    return rows


def ids(rows):
    return [(r["trace_id"], r["span_id"]) for r in rows]


def span_ids(spans):
    return [(s["traceId"], s["spanId"]) for s in spans]


def check_sets(directory):
    """Every set of the directory: whole files, each row in all of its files, the manifest's figures. Returns all labeled rows."""
    rows = []
    assert not glob.glob(os.path.join(directory, "*.partial")), os.listdir(directory)
    for path in glob.glob(os.path.join(directory, "manifest_*.json")):
        with open(path, encoding="utf-8") as f:
            manifest = json.load(f)
        rows += check_set(directory, manifest)
    return rows


def check_set(directory, manifest):
    files = {f["name"]: f for f in manifest["files"]}
    stamp = manifest["stamp"]
    labeled = csv_rows(os.path.join(directory, f"traces_labeled_{stamp}.csv"))
    by_kind = {"normal": [], "anomalous": []}
    for row in labeled:
        kind = row["anomaly_type"]
        if kind in ("", "none", "normal"):
            by_kind["normal"].append(row)
        else:
            by_kind["anomalous"].append(row)
            by_kind.setdefault(kind, []).append(row)
    for kind, expected in by_kind.items():
        name = f"traces_{kind}_{stamp}.csv"
        path = os.path.join(directory, name)
        found = csv_rows(path) if os.path.exists(path) else []
        assert ids(found) == ids(expected), (name, len(found), len(expected))
    for name, entry in files.items():
        path = os.path.join(directory, name)
        assert os.path.getsize(path) == entry["bytes"], name
        assert len(csv_rows(path)) == entry["rows"], name
        digest = subprocess.run(["sha256sum", path], stdout=subprocess.PIPE, check=True).stdout.split()[0].decode()
        assert entry["sha256"] in (digest, None), name
    assert manifest["signals"]["traces"]["rows"] == len(labeled)
    return labeled


def run(*args, check=True, cwd=None):
    """Runs telltale with arguments to its end."""
    done = subprocess.run([telltale.binary(), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, timeout=120)
    if check and done.returncode != 0:
        raise AssertionError(f"{args}: exit {done.returncode}\n{done.stderr.decode()}")
    return done
