# SPDX-License-Identifier: Apache-2.0
"""100,000 distinct anomaly types, and a disk (a limit on file sizes) that is full in the middle of a dataset, by raw clients: every row is
whole, files and memory are bounded, and the report reads it."""
import collections
import csv
import glob
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import telltale  # noqa: E402
import labelled  # noqa: E402

START = 1_755_770_400_000_000_000
TYPES, BATCH, MAX_FILES = 100_000, 5_000, 1_000
MAX_RSS = 400 << 20


def body(numbers):
    """One span each, in a trace of its own; its type is its number in the middle of what does not belong into a file's name."""
    return telltale.traces([telltale.span(trace=i + 1, number=i + 1, start=START + i * 1000,
                                          attributes=[("http.request.header.x-anomaly-type", f"../{i}\n")]) for i in numbers])


def rows_of(dataset, pattern):
    for path in sorted(glob.glob(os.path.join(dataset, pattern))):
        with open(path, newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def a_hundred_thousand_types():
    with labelled.run(keep=True) as process:
        for first in range(0, TYPES, BATCH):
            answer = process.post("otlp", "/v1/traces", body(range(first, first + BATCH)))
            assert answer.status == 200, answer
        peak = process.rss()
        sanitized = process.is_sanitized()
        labelled.finish(process, 120)
        dataset = os.path.join(process.dir, "dataset")
        files = glob.glob(os.path.join(dataset, "*.csv"))
        assert len(files) <= MAX_FILES, len(files)
        types = collections.Counter(row["anomaly_type"] for row in rows_of(dataset, "traces_labeled_*.csv"))
        assert types == collections.Counter(f"../{i}\n" for i in range(TYPES)), len(types)
        by_type = sum(1 for row in rows_of(dataset, "traces_type-*.csv")) + sum(1 for row in rows_of(dataset, "traces_overflow_*.csv"))
        assert by_type == TYPES, by_type
        assert sanitized or peak < MAX_RSS, peak
        report = subprocess.run([telltale.binary(), "dataset", "report", "--json", dataset], capture_output=True, text=True, timeout=120)
        assert report.returncode in (0, 1), report.stderr
        json.loads(report.stdout)
        print(f"ok: {TYPES} types in {len(files)} files, {peak >> 20} MiB resident")


def a_full_disk():
    """No file may be larger than 8 MiB: refused with a word on what is full, nothing torn, JSONL and CSV agree on what was taken."""
    limit = ["sh", "-c", "trap '' XFSZ; ulimit -f 16384 && exec \"$@\"", "limit"]
    sent = 0
    with labelled.run(keep=True, prefix=limit) as process:
        for first in range(0, 40 * 500, 500):
            answer = process.post("otlp", "/v1/traces", body(range(first, first + 500)))
            sent += 500 if answer.status == 200 else 0
            assert answer.status in (200, 503), answer
        process.stop(60)
        log = process.log()
        assert "File too large" in log, log
        dataset = os.path.join(process.dir, "dataset")
        rows = [row["span_id"] for row in rows_of(dataset, "traces_labeled_*.csv*")]
        assert rows and len(rows) == len(set(rows)), len(rows)
        lines = 0
        with open(os.path.join(process.dir, "traces.jsonl"), encoding="utf-8") as file:
            for line in file:
                lines += sum(len(s["spans"]) for r in json.loads(line)["resourceSpans"] for s in r["scopeSpans"])
        assert all(len(row) == 16 for row in rows), rows[-1]
        dropped = re.search(r"dropped +(\d+) traces by trace_assembler: shutdown", log)
        assert len(rows) == lines == sent - int(dropped[1]), (len(rows), lines, sent, log)
        said = log.count("could not be sent on")
        assert said < 100, said
        print(f"ok: full: {sent} spans taken, {len(rows)} rows and as many spans as JSON lines, none torn, the rest counted as dropped; said {said} times")


def main():
    a_hundred_thousand_types()
    a_full_disk()


if __name__ == "__main__":
    main()
