# SPDX-License-Identifier: Apache-2.0
"""Whatever is in a value comes back from JSONL and from CSV, by Python's json, by its csv module, and by pandas."""

import json
import os
import subprocess
import tempfile

from common import (START, attribute, check_sets, config, csv_rows, dataset_rows, jsonl_spans, labelled, post, span, telltale, text,
                    traces)

NASTY = [
    "plain",
    "comma, comma",
    'quote " and ""',
    "line\nend",
    "crlf\r\nend",
    "only\rcr",
    "tab\there",
    " leading",
    "trailing ",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "'quoted'",
    "\\backslash\\",
    "ünïcödé ✓ 🎉",
    '"',
    '""',
    ",",
    "\n",
    "a" * 70000,
    "{\"json\": [1, 2]}",
    "\x01\x02\x7f",
    "nul\x00inside",
    "\u2028\u2029",
]

# What the type of an anomaly, and so a file's name, could be.
NAMES = ["../../../tmp/evil", "..", ".", "/etc/passwd", "a/b", "a\\b", "nul\x00", "normal", "labeled", "anomalous", "overflow",
         "UPPER", "ä", " ", "x" * 300, "-rf", "con", "~", "$HOME", "a\nb", "traces_labeled_20260101_000000.csv", "type-0000000000000000",
         "%2e%2e%2f", "|id", "`id`", "'", '"', "*", "?", "latest", "manifest"]


def values_come_back():
    with telltale.Process(config(dataset="    extra_attributes: [note]", receiver="    max_value_bytes: 0"), endpoints=["otlp", "metrics"]) as process:
        spans = [span(1, i + 1, name=value, attributes=[text("note", value)]) for i, value in enumerate(NASTY)]
        assert post(process, traces(spans)).status == 200
        assert process.stop() == 0
        read = jsonl_spans(process.dir + "/traces.jsonl")
        assert [s["name"] for s in read] == NASTY
        assert [attribute(s, "note") for s in read] == NASTY
        rows = dataset_rows(process.dir + "/dataset")
        for row, value in zip(rows, NASTY, strict=True):
            assert row["span_name"] == value, (row["span_name"][:50], value[:50])
            assert row["note"] == value, (row["note"][:50], value[:50])
        check_sets(process.dir + "/dataset")
        pandas_reads(os.path.join(process.dir, "dataset", "latest", "traces_labeled.csv"))


def long_values_are_cut():
    """By default; what is no attribute, as a span's name, is not."""
    cut = "a" * 4095 + "é" + "b" * 70000
    with telltale.Process(config(dataset="    extra_attributes: [note]"), endpoints=["otlp", "metrics"]) as process:
        spans = [span(1, 1, name=cut, attributes=[text("note", cut)]), span(1, 2, attributes=[text("note", "a" * 4096)])]
        assert post(process, traces(spans)).status == 200
        assert process.metric("telltale_receiver_clipped_values", receiver="otlp") == 1
        assert process.stop() == 0
        read = jsonl_spans(process.dir + "/traces.jsonl")
        assert [s["name"] for s in read] == [cut, "GET /"]
        assert [attribute(s, "note") for s in read] == ["a" * 4095, "a" * 4096]
        assert [r["note"] for r in dataset_rows(process.dir + "/dataset")] == ["a" * 4095, "a" * 4096]
        check_sets(process.dir + "/dataset")


def pandas_reads(path):
    """Debian's pandas; NUL ends a text for its parser, so that row is compared up to there."""
    if subprocess.run(["/usr/bin/python3", "-c", "import pandas"], stderr=subprocess.DEVNULL).returncode != 0:
        print("pandas: not installed for /usr/bin/python3, left out")
        return
    script = ("import pandas, json, sys\n"
              "t = pandas.read_csv(sys.argv[1], keep_default_na=False, dtype={'trace_id': str, 'span_id': str, 'span_name': str})\n"
              "t['timestamp'] = pandas.to_datetime(t['timestamp'])\n"
              "print(json.dumps([list(t['span_name']), [int(x) for x in t['start_time_ns']], [float(x) for x in t['duration_ms']],\n"
              "  [x.value for x in t['timestamp']]]))\n")
    done = subprocess.run(["/usr/bin/python3", "-c", script, path], stdout=subprocess.PIPE, check=True)
    names, starts, lengths, times = json.loads(done.stdout)
    for name, value in zip(names, NASTY, strict=True):
        assert name == value or ("\x00" in value and name == value.split("\x00")[0]), (name[:50], value[:50])
    assert starts == [START] * len(NASTY)
    assert times == [START] * len(NASTY)
    assert lengths == [1.0] * len(NASTY)


def invalid_utf8_does_not_spoil_the_file():
    with telltale.Process(config(), endpoints=["otlp", "metrics"]) as process:
        body = telltale.traces([telltale.span(name="ok"), telltale.span(number=2, name=b"bad \xff\xfe byte")])
        assert process.post("otlp", "/v1/traces", body).status == 200
        assert process.stop() == 0
        rows = dataset_rows(process.dir + "/dataset")
        assert [r["span_name"] for r in rows] == ["ok", "bad \ufffd\ufffd byte"]
        assert [s["name"] for s in jsonl_spans(process.dir + "/traces.jsonl")] == ["ok", "bad \ufffd\ufffd byte"]


def names_stay_inside():
    with tempfile.TemporaryDirectory() as parent:
        with telltale.Process(config(out=parent + "/a/b"), endpoints=["otlp", "metrics"]) as process:
            for i, name in enumerate(NAMES):
                assert post(process, traces([span(i + 1, 1, attributes=labelled(name))])).status == 200
            for i in range(3000):  # three times the limit, in few requests
                if i % 1000 == 0:
                    spans = [span(1000 + k, 1, attributes=labelled(f"kind{k}")) for k in range(i, i + 1000)]
                    assert post(process, traces(spans)).status == 200
            assert process.descriptors() < 200, process.descriptors()
            assert process.stop() == 0
        found = [os.path.join(d, f) for d, _, files in os.walk(parent) for f in files]
        inside = os.path.join(parent, "a", "b") + "/"
        assert all(f.startswith(inside) for f in found), found
        assert not os.path.exists("/tmp/evil")
        names = [os.path.basename(f) for f in found if f.endswith(".csv") and not os.path.islink(f)]
        assert len(names) <= 1000, len(names)
        assert all(set(n) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-.") for n in names), names
        rows = dataset_rows(inside + "dataset")
        assert len(rows) == len(NAMES) + 3000
        assert sorted({r["anomaly_type"] for r in rows if not r["anomaly_type"].startswith("kind")}) == sorted(
            {n if n != "" else "none" for n in ({x[:256] for x in NAMES})})
        normal = [r for p in os.listdir(inside + "dataset") if p.startswith("traces_normal_") for r in csv_rows(inside + "dataset/" + p)]
        assert {r["anomaly_type"] for r in normal} == {"normal"}, {r["anomaly_type"] for r in normal}


if __name__ == "__main__":
    values_come_back()
    long_values_are_cut()
    invalid_utf8_does_not_spoil_the_file()
    names_stay_inside()
