#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `dataset report` costs: records spans of the load generator into a dataset, then reports on it.

    tests/bench/report.py build/bench/telltale [millions of spans, 1]
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:24360}}}}
processors: {trace_assembler: {idle: 1s}, anomaly_labels: {}}
exporters: {dataset: {directory: DIRECTORY}}
service:
  telemetry: {metrics: {address: 127.0.0.1:24361}}
  pipelines: {traces: {receivers: [otlp], processors: [trace_assembler, anomaly_labels], exporters: [dataset]}}
"""
GOAL_S, GOAL_MIB = 5, 512


def record(telltale, directory, millions):
    """Requests of whole traces, of about 519 spans each."""
    path = os.path.join(directory, "config.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(CONFIG.replace("DIRECTORY", directory + "/dataset"))
    server = subprocess.Popen([telltale, "run", "--config", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        subprocess.run([telltale, "loadgen", "--endpoint", "http://127.0.0.1:24360", "--labels", "root-only", "--requests", str(int(1930 * millions)),
                        "--traces-only"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)
    finally:
        server.terminate()
        server.wait(60)
    return directory + "/dataset"


def main():
    telltale, millions = os.path.abspath(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    directory = tempfile.mkdtemp(prefix="tt-report-")
    try:
        dataset = record(telltale, directory, millions)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        # A child of its own, so that the peak of memory is that of the report and not of the recording.
        code = ("import resource,subprocess,sys;d=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE,check=True).stdout;"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);sys.stdout.flush();sys.stdout.buffer.write(d)")
        done = subprocess.run([sys.executable, "-c", code, telltale, "dataset", "report", dataset, "--json", "--html", directory + "/r.html"],
                              stdout=subprocess.PIPE, check=True).stdout
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        kib, report = done.split(b"\n", 1)
        spans = int(report.split(b":", 1)[1].split(b",")[0])
        cpu, mib = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, int(kib) / 1024
        print(f"dataset report of {spans:,} spans: {cpu:.2f} s of processor time, {wall:.2f} s in all (goal {GOAL_S}), {mib:.0f} MiB (goal {GOAL_MIB}), "
              f"page of {os.path.getsize(directory + '/r.html') / 1024:.0f} KiB")
        return 0 if cpu <= GOAL_S * max(1, millions) and mib <= GOAL_MIB * max(1, millions) else 1
    finally:
        shutil.rmtree(directory)


sys.exit(main())
