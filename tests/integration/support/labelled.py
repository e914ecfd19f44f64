# SPDX-License-Identifier: Apache-2.0
"""A whole labelled run: the default pipelines in a folder of the test's own, and readers of what came out. Standard library only."""
import csv
import io
import json
import os
import subprocess

import telltale

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "{otlp}"}}}}
processors: {trace_assembler: {idle: IDLE}, anomaly_labels: }
exporters:
  file: {path: "{dir}/traces.jsonl"}
  file/metrics: {path: "{dir}/metrics.jsonl"}
  file/logs: {path: "{dir}/logs.jsonl"}
  dataset: {directory: "{dir}/dataset"}
extensions: {health_check: {endpoint: "{health}"}}
service:
  telemetry: {metrics: {address: "{metrics}"}}
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], processors: [trace_assembler, anomaly_labels], exporters: [file, dataset]}
    metrics: {receivers: [otlp], processors: [anomaly_labels], exporters: [file/metrics, dataset]}
    logs: {receivers: [otlp], processors: [anomaly_labels], exporters: [file/logs, dataset]}
"""
ENDPOINTS = ("health", "otlp", "metrics")


def run(idle="500ms", **more):
    """A Telltale with the default pipelines, ready."""
    return telltale.Process(CONFIG.replace("IDLE", idle), endpoints=ENDPOINTS, **more)


def endpoint(process):
    return f"http://127.0.0.1:{process.ports['otlp']}"


def loadgen(url, *arguments):
    """Plays the shop against url and returns its account; everything must be delivered."""
    out = subprocess.run([telltale.binary(), "loadgen", "--endpoint", url, "--json", *map(str, arguments)], capture_output=True, text=True, timeout=900)
    assert out.returncode == 0, out.stderr + out.stdout
    return json.loads(out.stdout)


def finish(process, seconds=60):
    """Stops the run and returns what it wrote."""
    code = process.stop(seconds)
    assert code == 0, f"telltale ended with {code}:\n{process.log()}"
    return Written(process.dir)


class Written:
    """The files of a run."""

    def __init__(self, folder):
        self.folder = folder
        self.paths = [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names
                      if not os.path.islink(os.path.join(base, name)) and not os.path.islink(base)]

    def spans(self, name="traces.jsonl"):
        """(resource attributes, span, attributes) of each span of a JSONL file, attributes as plain dicts."""
        with open(os.path.join(self.folder, name), "rb") as lines:
            for line in lines:
                assert line.endswith(b"\n"), name + " ends within a line"
                for resource in json.loads(line).get("resourceSpans", []):
                    about = attributes(resource.get("resource", {}))
                    for scope in resource["scopeSpans"]:
                        for span in scope["spans"]:
                            yield about, span, attributes(span)

    def rows(self, prefix="traces_labeled_"):
        """Rows, as dicts, of the finished CSV files whose name begins with prefix."""
        for path in sorted(self.paths):
            if os.path.basename(path).startswith(prefix) and path.endswith(".csv"):
                with open(path, encoding="utf-8", errors="surrogateescape", newline="") as f:
                    yield from csv.DictReader(f)


def attributes(item):
    return {a["key"]: next(iter(a["value"].values()), None) for a in item.get("attributes", [])}
