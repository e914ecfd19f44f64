# SPDX-License-Identifier: Apache-2.0
"""A real OpenTelemetry Collector and Telltale in both directions: its OTLP/HTTP exporter delivers to us (gzip, zstd, protobuf, JSON), what its file
exporter writes is read here, and what we write is read by its own parser, to the span."""
import collections
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import peers
import labelled
import telltale

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%(port)d"}}}}
exporters:
  otlphttp: {endpoint: "%(to)s", compression: %(compression)s, encoding: %(encoding)s, sending_queue: {enabled: false}}
  file: {path: "%(folder)s/collector.jsonl"}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlphttp, file]}
    metrics: {receivers: [otlp], exporters: [otlphttp, file]}
    logs: {receivers: [otlp], exporters: [otlphttp, file]}
"""


class Collector:
    def __init__(self, binary, folder, to, compression, encoding):
        self.port = telltale.free_ports(1)[0]
        path = os.path.join(folder, "collector.yaml")
        with open(path, "w") as f:
            f.write(CONFIG % {"port": self.port, "to": to, "compression": compression, "encoding": encoding, "folder": folder})
        self.log_path = os.path.join(folder, "collector.log")
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen([binary, "--config", path], stdout=log, stderr=log)
        if not telltale.wait_for(self.is_open, 30):
            self.process.kill()
            raise AssertionError("the Collector is not ready:\n" + open(self.log_path).read())

    def is_open(self):
        assert self.process.poll() is None, open(self.log_path).read()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0


def pdata_counts(reader, path):
    return json.loads(subprocess.run([reader, path], capture_output=True, text=True, check=True).stdout)


def check_delivery(binary, reader, folder, compression, encoding):
    """loadgen -> Collector -> Telltale, and back through the Collector's own parser. Keeps collector.jsonl in folder."""
    with labelled.run() as process:
        collector = Collector(binary, folder, labelled.endpoint(process), compression, encoding)
        try:
            account = labelled.loadgen(f"http://127.0.0.1:{collector.port}", "--rate", 1000, "--duration", "2s", "--export-interval", "500ms", "--seed", 5)
        finally:
            collector.stop()
        labelled.finish(process)
        counts = {name: pdata_counts(reader, os.path.join(process.dir, name + ".jsonl")) for name in ("traces", "metrics", "logs")}
    assert counts["traces"]["spans"] == account["spans_accepted"] == account["spans_sent"], (counts, account)
    assert counts["metrics"]["points"] == account["points_accepted"] > 0, (counts, account)
    assert counts["logs"]["records"] == account["records_accepted"] > 0, (counts, account)
    found = collections.Counter()
    for key, count in counts["traces"]["labels"].items():
        found[key.split("/")[0]] += count
    assert found == {kind: value["spans_accepted"] for kind, value in account["by_type"].items()}, (found, account)
    print(f"collector {encoding} {compression}: {account['spans_accepted']} spans, {account['points_accepted']} points, {account['records_accepted']} records")
    return account


def check_extract(folder, account):
    """What the Collector's file exporter wrote, through dataset extract: the same rows."""
    out, path = os.path.join(folder, "extracted"), os.path.join(folder, "collector.jsonl")
    run = subprocess.run([telltale.binary(), "dataset", "extract", "--traces", path, "--metrics", path, "--logs", path, "--output", out, "--json"],
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    written = labelled.Written(out)
    found = collections.Counter(r["anomaly_type"] for r in written.rows())
    assert found == {kind: value["spans_accepted"] for kind, value in account["by_type"].items()}, (found, account)
    assert sum(1 for _ in written.rows("logs_labeled_")) == account["records_accepted"]
    assert sum(1 for _ in written.rows("metrics_labeled_")) == account["points_accepted"]
    print(f"dataset extract: {sum(found.values())} rows of the Collector's file")


REPLAY = """
receivers: {otlp_json_file: {include: ["COLLECTOR_FILE"], start_at: beginning}}
processors: {anomaly_labels: }
exporters: {file: {path: "{dir}/replayed.jsonl"}}
extensions: {health_check: {endpoint: "{health}"}}
service:
  telemetry: {metrics: {address: "{metrics}"}}
  extensions: [health_check]
  pipelines: {traces: {receivers: [otlp_json_file], processors: [anomaly_labels], exporters: [file]}}
"""


def check_replay(folder, account, reader):
    """The same file through receivers/otlp_json_file."""
    config = REPLAY.replace("COLLECTOR_FILE", os.path.join(folder, "collector.jsonl"))
    with telltale.Process(config, endpoints=("health", "metrics")) as process:
        wanted = account["spans_accepted"]
        assert telltale.wait_for(lambda: (process.metric("otelcol_exporter_sent_spans", exporter="file") or 0) >= wanted, 30), process.metrics()
        process.stop()
        assert pdata_counts(reader, os.path.join(process.dir, "replayed.jsonl"))["spans"] == wanted
    print("replay: all spans")


def main():
    binary, reader = peers.collector(), peers.pdata()
    for compression, encoding in (("gzip", "proto"), ("zstd", "proto"), ("none", "json")):
        with tempfile.TemporaryDirectory(prefix="telltale-collector-") as folder:
            account = check_delivery(binary, reader, folder, compression, encoding)
            if compression == "gzip":
                check_extract(folder, account)
                check_replay(folder, account, reader)


if __name__ == "__main__":
    main()
