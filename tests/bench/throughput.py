#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Throughput, cost and memory of a whole Telltale, with the OpenTelemetry Collector beside it when one is at hand.

usage: throughput.py TELLTALE [--collector BINARY] [--only NAME …] [--spans N] [--repeat N] [--json]

Server on the first core, generator on the second; OTLP/HTTP protobuf, 1000 spans a request, 15 attributes and about 800 bytes a span,
four connections. Files go to a tmpfs (/dev/shm). One line a figure: name, median, minimum, maximum, unit. Sends to loopback only and ends only
the processes it started."""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TELLTALE = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
processors: {{trace_assembler: {{idle: {idle}, max_bytes: 8GiB, max_spans: 20000000}}, anomaly_labels: }}
exporters: {exporters}
service:
  telemetry: {{metrics: {{level: {level}, address: "127.0.0.1:{metrics_port}"}}, logs: {{level: warn}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [{names}]}}}}
"""

COLLECTOR = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
processors: {processor_bodies}
exporters: {exporters}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [{names}]}}}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One process on one core, ready to take spans."""

    def __init__(self, command, config, folder, core):
        self.path = os.path.join(folder, "config.yaml")
        with open(self.path, "w") as f:
            f.write(config)
        self.log = open(os.path.join(folder, "server.log"), "wb")
        self.process = subprocess.Popen([*(["taskset", "-c", core] if core else []), *command, "--config", self.path],
                                        stdout=self.log, stderr=self.log, cwd=folder,
                                        env={**os.environ, "GOMAXPROCS": "1" if core and "," not in core else "2"})

    def memory(self, what):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
        return 0

    def wait_ready(self, port, deadline=20):
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended at start: {open(self.log.name).read()[-2000:]}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return
            except OSError:
                time.sleep(0.005)
        raise SystemExit("the server is not ready")


def burst(telltale, port, spans, connections=4, core="1"):
    """Runs the generator and returns its account and the seconds it took."""
    out = subprocess.run([*(["taskset", "-c", core] if core else []), telltale, "loadgen", "--endpoint", f"http://127.0.0.1:{port}", "--labels", "header",
                          "--requests", str(spans // 1000), "--spans-per-request", "1000", "--connections", str(connections), "--seed", "7", "--json"],
                         capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def count_rows(folder):
    """Spans in all JSONL files and rows in all traces_labeled CSV files below a folder (-1: there is no such file)."""
    jsonl, rows = -1, -1
    for base, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(base, name)
            if name.endswith(".jsonl"):
                jsonl = max(jsonl, 0) + count_bytes(path, b'"spanId":"')
            elif name.startswith("traces_labeled") and name.endswith(".csv") and not os.path.islink(path):
                rows = max(rows, 0) + count_bytes(path, b"\n") - 1
    return jsonl, rows


def count_bytes(path, needle):
    total, tail = 0, b""
    with open(path, "rb") as f:
        while block := f.read(1 << 24):
            data = tail + block
            total += data.count(needle)
            tail = data[-(len(needle) - 1):] if len(needle) > 1 else b""
    return total


def measure(command, config, telltale, port, spans, core="0", load_core="1"):
    """One run: what the generator saw, what the server spent, what is on disk."""
    folder = tempfile.mkdtemp(prefix="telltale-bench-", dir="/dev/shm")
    try:
        server = Server(command, config.replace("@", folder), folder, core)
        server.wait_ready(port)
        account = burst(telltale, port, spans, core=load_core)
        peak = server.memory("VmHWM")
        cpu = stop_and_account(server)
        jsonl, rows = count_rows(folder)
        return {"spans": account["spans_accepted"], "elapsed": account["seconds"], "cpu": cpu, "peak": peak, "jsonl": jsonl, "rows": rows}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Sampler(threading.Thread):
    """Resident memory and what the trace assembler says it holds, at the same moments."""

    def __init__(self, server, metrics_port):
        super().__init__(daemon=True)
        self.server, self.url, self.samples, self.ended = server, f"http://127.0.0.1:{metrics_port}/metrics", [], threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.03):
            before = self.server.memory("VmRSS")
            text = urllib.request.urlopen(self.url, timeout=10).read().decode()
            held = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("telltale_trace_assembler_held_bytes"))
            self.samples.append(((before + self.server.memory("VmRSS")) / 2, held))

    def finish(self):
        self.ended.set()
        self.join()
        return self.samples


def bench_memory(arguments):
    """A burst into open traces: what is resident beside the spans that are open."""
    peaks, held, less, most, after = [], [], [], [], []
    for _ in range(arguments.repeat):
        port, metrics_port, folder = free_port(), free_port(), tempfile.mkdtemp(prefix="telltale-bench-", dir="/dev/shm")
        try:
            config = TELLTALE.format(port=port, exporters=FILE, names="file", processors="trace_assembler, anomaly_labels", idle="500ms", level="basic",
                                     metrics_port=metrics_port)
            server = Server([arguments.telltale, "run"], config.replace("@", folder), folder, "0")
            server.wait_ready(port)
            sampler = Sampler(server, metrics_port)
            burst(arguments.telltale, port, arguments.spans)
            time.sleep(4)
            samples = sampler.finish()
            stop_and_account(server)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        peak = max(samples, key=lambda sample: sample[1])
        peaks.append(max(samples)[0] / 2**20)
        held.append(peak[1] / 2**20)
        less.append((peak[0] - peak[1]) / 2**20)
        most.append(max(resident - open_spans for resident, open_spans in samples) / 2**20)
        after.append((samples[-1][0] - samples[-1][1]) / 2**20)
    show("memory.peak_resident", peaks, "MiB")
    show("memory.peak_of_open_spans", held, "MiB")
    show("memory.resident_less_open_spans_at_that_peak", less, "MiB, goal 64")
    show("memory.most_resident_less_open_spans", most, "MiB, at any moment")
    show("memory.resident_less_open_spans_4s_after", after, "MiB")


def stop_and_account(server):
    """Stops the server and returns the processor time of its whole life, start and finish included."""
    server.process.send_signal(signal.SIGTERM)
    _, code, usage = os.wait4(server.process.pid, 0)
    server.process.returncode = code
    return usage.ru_utime + usage.ru_stime


def telltale_config(port, exporters, names, processors="trace_assembler, anomaly_labels", idle="500ms"):
    return TELLTALE.format(port=port, exporters=exporters, names=names, processors=processors, idle=idle, level="none", metrics_port=free_port())


FILE = '{file: {path: "@/traces.jsonl"}}'
DATASET = '{dataset: {directory: "@/dataset"}}'
DEBUG = '{debug: {verbosity: basic}}'


def show(name, values, unit):
    values = sorted(values)
    print(f"{name:46s} {statistics.median(values):14,.1f} {values[0]:14,.1f} {values[-1]:14,.1f}  {unit}", flush=True)


def report(name, runs, check):
    show(f"{name}.per_wall_second", [r["spans"] / r["elapsed"] for r in runs], "spans/s")
    show(f"{name}.per_cpu_second", [r["spans"] / r["cpu"] for r in runs], "spans/CPU-s")
    show(f"{name}.peak_resident", [r["peak"] / 2**20 for r in runs], "MiB")
    if check:
        show(f"{name}.lost", [r["spans"] - r[check] for r in runs], "spans")


def bench_telltale(arguments, name, exporters, names, check, **more):
    runs = []
    for _ in range(arguments.repeat):
        port = free_port()
        runs.append(measure([arguments.telltale, "run"], telltale_config(port, exporters, names, **more), arguments.telltale, port, arguments.spans))
    report(name, runs, check)


def bench_collector(arguments, name, bodies, processors, exporters, names, spans):
    runs = []
    for _ in range(arguments.repeat):
        port = free_port()
        config = COLLECTOR.format(port=port, processor_bodies=bodies, processors=processors, exporters=exporters, names=names)
        runs.append(measure([arguments.collector], config, arguments.telltale, port, spans))
    report(name, runs, "jsonl" if "file" in names else None)


TRANSFORM = ("transform: {trace_statements: [{context: span, statements: ["
             "'set(span.attributes[\"anomaly.type\"], span.attributes[\"http.request.header.x-anomaly-type\"])']}]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("telltale")
    parser.add_argument("--collector")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--spans", type=int, default=2000000)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    arguments.telltale = os.path.abspath(arguments.telltale)
    benches = {
        "jsonl": lambda: bench_telltale(arguments, "telltale.jsonl", FILE, "file", "jsonl"),
        "csv": lambda: bench_telltale(arguments, "telltale.csv", DATASET, "dataset", "rows"),
        "both": lambda: bench_telltale(arguments, "telltale.jsonl_and_csv", FILE[:-1] + ", " + DATASET[1:], "file, dataset", "jsonl"),
        "unjoined": lambda: bench_telltale(arguments, "telltale.jsonl_without_join", FILE, "file", "jsonl", processors="anomaly_labels"),
        "memory": lambda: bench_memory(arguments),
        "discard": lambda: bench_telltale(arguments, "telltale.decode_and_join_only", DEBUG, "debug", None),
    }
    if arguments.collector:
        arguments.collector = os.path.abspath(arguments.collector)
        few = max(arguments.spans // 5, 100000)
        benches["collector_file"] = lambda: bench_collector(arguments, "collector.transform_file", "{" + TRANSFORM + "}", "transform", FILE, "file", few)
        benches["collector_group"] = lambda: bench_collector(
            arguments, "collector.groupbytrace_transform_file", "{groupbytrace: {wait_duration: 2s, num_traces: 1000000}, " + TRANSFORM + "}",
            "groupbytrace, transform", FILE, "file", max(few // 4, 50000))
    else:
        print("throughput: no --collector given, so no peer in this run", file=sys.stderr)
    print(f"{'figure':46s} {'median':>14s} {'minimum':>14s} {'maximum':>14s}  unit")
    for name, bench in benches.items():
        if not arguments.only or name in arguments.only:
            bench()


if __name__ == "__main__":
    main()
