# SPDX-License-Identifier: Apache-2.0
"""What became of a run: requests and spans counted by everyone who saw them, labels against what the web tier saw, faults against
baseline. Reads the run's folder; knows nothing of how Telltale works.

    witness    nginx's access log: trace id and anomaly type of each request that came
    counted    each service's own count of its spans: a file, or the console of the Java agent
    dataset    Telltale's CSV files
"""

import csv
import datetime
import glob
import json
import os
import re
import statistics
from collections import Counter, defaultdict

from .settings import SERVICES

_WITNESS = re.compile(r'^[\d.]+ 00-([0-9a-f]{32})-([0-9a-f]{16})-01 "([^"]*)" (\d+) ')
# The Java agent's console exporter: '<name>' : <trace id> <span id> KIND
_CONSOLE = re.compile(r"LoggingSpanExporter - '(.*?)' : ([0-9a-f]{32}) ([0-9a-f]{16}) ")
LABEL_OF = {"baseline": "none"}  # of a scenario that is not called like its label
EDGE = 0.1  # seconds
BROKEN_SERVICE = {"latency_spike": "catalogue", "db_exhaustion": "user", "cpu_saturation": "shipping", "cache_miss": "catalogue",
                  "dependency_bottleneck": "payment", "timeout": "dispatch", "error_spike": "cart"}


def read_witness(directory):
    """{trace id: anomaly type} of the sampled requests, and how many there were."""
    types, requests = {}, 0
    with open(os.path.join(directory, "nginx", "access.log"), encoding="utf-8", errors="replace") as log:
        for line in log:
            found = _WITNESS.match(line)
            if found:
                requests += 1
                types[found[1]] = found[3]
    return types, requests


def _file_spans(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            parts = line.rstrip("\n").split(" ", 2)
            if len(parts) == 3:
                yield parts[0], parts[1], parts[2]


def _console_spans(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            found = _CONSOLE.search(line)
            if found:
                yield found[2], found[3], found[1]


def read_counted(directory):
    """{service: {(trace id, span id): name}}."""
    counted = {}
    for service in SERVICES:
        path = os.path.join(directory, "spans", service + ".txt")
        console = os.path.join(directory, "logs", service + ".log")
        if os.path.exists(path):
            counted[service] = {(t, s): n for t, s, n in _file_spans(path)}
        elif os.path.exists(console):
            counted[service] = {(t, s): n for t, s, n in _console_spans(console)}
    return counted


def read_dataset(directory, signal="traces"):
    """Every row of the labelled files, as dictionaries."""
    rows = []
    for path in sorted(glob.glob(os.path.join(directory, "dataset", f"{signal}_labeled_*.csv"))):
        with open(path, newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def k6_summary(directory):
    """What k6 counted, and the wall clock in ms when its set-up was done (None: it never was). None without a summary."""
    try:
        with open(os.path.join(directory, "k6-summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
        names = ("shop_requests", "telltale_delivered", "telltale_failed_deliveries", "dropped_iterations")
        return {"counts": {name: int(summary["metrics"].get(name, {}).get("count", 0)) for name in names},
                "begin": (summary.get("setup_data") or {}).get("begin")}
    except (OSError, ValueError, KeyError):
        return None


def _run_json(directory):
    try:
        with open(os.path.join(directory, "dataset", "run.json"), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def read_died(directory):
    """{service that ended in the middle of the run: its exit code}."""
    return {name: end["code"] for name, end in _run_json(directory).get("died", {}).items()}


def read_blocks(directory):
    """[(start, end, scenario)], Unix seconds."""
    seconds = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()  # noqa: E731
    return [(seconds(b["start"]), seconds(b["end"]), b["scenario"]) for b in _run_json(directory).get("blocks", [])]


def telltale_lines(directory):
    """Telltale's own account, from the end of its log."""
    try:
        with open(os.path.join(directory, "telltale.log"), encoding="utf-8", errors="replace") as log:
            _, found, account = log.read().rpartition("telltale: what became of the data\n")
    except OSError:
        found, account = "", ""
    return account.rstrip().splitlines() if found else ["  none: Telltale was killed, or its log is on a full disk"]


def lines_of(account, capture):
    """All of it, for a person."""
    return ["What became of the run", "", account.label_line(capture), *account.other_lines(), *account.loss_lines(), "",
            "Telltale's own account", "", *telltale_lines(account.directory), "",
            "Each fault in the service that was broken, against baseline (server spans)", "", *account.effect_lines()]


class Account:
    def __init__(self, directory):
        self.directory = directory
        self.witness, self.witnessed = read_witness(directory)
        self.counted = read_counted(directory)
        self.rows = read_dataset(directory)
        summary = k6_summary(directory)
        self.k6 = summary and summary["counts"]
        self.died = read_died(directory)
        self.by_service = defaultdict(dict)
        self.duplicates = 0
        for row in self.rows:
            spans, key = self.by_service[row["service_name"]], (row["trace_id"], row["span_id"])
            self.duplicates += key in spans
            spans[key] = row

    # ---- labels ----

    def labels(self):
        """(spans of k6's traces, those with the right label, those with a wrong one). The others have none, and say so."""
        mine = [row for row in self.rows if row["trace_id"] in self.witness]
        said = [row["anomaly_type"] == self.witness[row["trace_id"]] for row in mine if row["label_source"] != "none"]
        return len(mine), sum(said), len(said) - sum(said)

    def label_line(self, capture):
        spans, right, wrong = self.labels()
        sources = Counter(row["label_source"] for row in self.rows if row["trace_id"] in self.witness)
        share = 100 * right / spans if spans else 0
        return (f"SHOP_CAPTURE={capture}: {right} of {spans} spans of k6's traces carry the right label ({share:.3f} %)"
                + (f", {wrong} A WRONG ONE" if wrong else "")
                + f"; evidence: {', '.join(f'{name} {count}' for name, count in sources.most_common())}")

    def logs(self):
        """(log records of k6's traces, those with the right label)."""
        mine = [row for row in read_dataset(self.directory, "logs") if row["trace_id"] in self.witness]
        return len(mine), sum(row["anomaly_type"] == self.witness[row["trace_id"]] and row["label_source"] != "none" for row in mine)

    def other_lines(self):
        """Log records by their trace, points by the block they were taken in (a tenth of a second off its ends)."""
        records, right = self.logs()
        lines = [f"log records of k6's traces: {right} of {records} carry the right label"]
        blocks = [(start, end, LABEL_OF.get(scenario, scenario)) for start, end, scenario in read_blocks(self.directory)]
        if blocks:
            points = [(int(row["time_ns"]) / 1e9, row) for row in read_dataset(self.directory, "metrics")]
            inside = [(kind, row) for at, row in points for start, end, kind in blocks if start + EDGE <= at < end - EDGE]
            right = sum(row["anomaly_type"] == kind and row["label_source"] != "none" for kind, row in inside)
            lines.append(f"metric points taken in a block: {right} of {len(inside)} carry its label")
        return lines

    # ---- losses ----

    def losses(self):
        """{service: (counted, in the dataset, Counter of the names of those that are missing, in the dataset but not counted)}."""
        table = {}
        for service, counted in self.counted.items():
            stored = self.by_service.get(service, {})
            missing = Counter(name for key, name in counted.items() if key not in stored)
            table[service] = (len(counted), len(stored), missing, sum(key not in counted for key in stored))
        return table

    def lost(self):
        return sum(sum(missing.values()) for _, _, missing, _ in self.losses().values())

    def loss_lines(self):
        lines = [] if self.k6 else ["requests: k6 left no summary (it was killed, or the disk is full)"]
        if self.k6:
            roots = len(self.by_service.get("k6", {}))
            lines.append(f"requests: k6 sent {self.k6['shop_requests']}, nginx saw {self.witnessed}, k6 delivered {self.k6['telltale_delivered']} root spans "
                         f"({self.k6['telltale_failed_deliveries']} failed), the dataset has {roots}; iterations that k6 could not start in time: "
                         f"{self.k6['dropped_iterations']}")
        lines += self._request_lines()
        for service, (counted, stored, missing, extra) in self.losses().items():
            names = ", ".join(f"{count} × {name}" for name, count in missing.most_common(5))
            lines.append(f"spans of {service}: {counted} ended, {stored} in the dataset" + (f"; missing: {names}" if missing else "")
                         + (f"; {extra} in the dataset that the service did not write down" if extra else ""))
            if (missing or extra) and service in self.died:
                lines.append(f"  {service} ended with {self.died[service]} in the middle of the run: what it had not yet sent, or written down, ended with it")
        lines.append(f"spans lost between the services and the dataset: {self.lost()}; duplicated in the dataset: {self.duplicates}")
        return lines

    def _request_lines(self):
        """Requests that k6 and nginx do not agree on, by what became of them."""
        roots = {trace: row for (trace, _), row in self.by_service.get("k6", {}).items()}
        if not roots:
            return []
        unseen = Counter(f"{row['span_name']} ({row['http_status_code'] or 'no answer'})" for trace, row in roots.items() if trace not in self.witness)
        rootless = Counter(kind for trace, kind in self.witness.items() if trace not in roots)
        lines = []
        if unseen:
            lines.append("  k6 asked, nginx never saw: " + ", ".join(f"{count} × {name}" for name, count in unseen.most_common(5)))
        if rootless:
            spans = sum(row["trace_id"] in self.witness and row["trace_id"] not in roots for row in self.rows)
            lines.append("  nginx saw, without a root span in the dataset (k6 was stopped, or could not deliver): "
                         + ", ".join(f"{count} × {kind}" for kind, count in rootless.most_common(8)) + f"; their {spans} spans have only what services captured")
        return lines

    # ---- effects ----

    def effects(self):
        """[(type, service, figures of it, figures at baseline)], figures of the service's server spans: count, median ms, p99 ms, error share."""
        samples = defaultdict(list)
        for row in self.rows:
            if row["span_kind"].upper().endswith("SERVER") and row["trace_id"] in self.witness:
                samples[self.witness[row["trace_id"]], row["service_name"]].append(row)
        return [(kind, service, _figures(samples[kind, service]), _figures(samples["none", service]))
                for kind, service in BROKEN_SERVICE.items() if samples[kind, service]]

    def effect_lines(self):
        lines = [f"{'fault':22} {'service':10} {'spans':>6} {'median ms':>10} {'(base)':>8} {'p99 ms':>9} {'(base)':>8} {'errors':>7} {'(base)':>7}"]
        for kind, service, now, base in self.effects():
            shown = shows(now, base)
            lines.append(f"{kind:22} {service:10} {now[0]:6} {now[1]:10.1f} {base[1]:8.1f} {now[2]:9.1f} {base[2]:8.1f} {now[3]:7.1%} {base[3]:7.1%}"
                         + ("" if shown else "  DOES NOT SHOW"))
        return lines


def _is_error(row):
    status = row["http_status_code"]
    return row["span_status"].upper().endswith("ERROR") or (status.isdigit() and int(status) >= 500)


def _figures(rows):
    if not rows:
        return 0, 0.0, 0.0, 0.0
    durations = sorted(float(row["duration_ms"]) for row in rows)
    return len(rows), statistics.median(durations), durations[int(0.99 * (len(durations) - 1))], sum(map(_is_error, rows)) / len(rows)


def shows(now, base):
    """A fault that does not move the median by half, nor the errors by a tenth, cannot be learnt."""
    return now[1] > 1.5 * base[1] or now[3] > base[3] + 0.1
