# SPDX-License-Identifier: Apache-2.0
"""The Telltale of a run: its configuration, start and stop."""

import glob
import http.client
import os
import subprocess
import urllib.error
import urllib.request

from .processes import Process, clean_environment, wait_ready
from .settings import ROOT, Problem

# One dataset for the whole run: the pauses between blocks do not finish it. k6 and the SDKs come from one address. What has no
# evidence is not called normal: metrics of the pauses, and requests in flight when k6 was stopped. Logs wait until the traces they belong
# to are labelled.
_CONFIGURATION = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:{telltale}
        max_connections_per_ip: 1024
processors:
  trace_assembler:
  trace_assembler/logs:
    idle: 20s
  anomaly_labels:
    on_missing: unknown
exporters:
  file:
    path: {directory}/traces.jsonl
  file/metrics:
    path: {directory}/metrics.jsonl
  file/logs:
    path: {directory}/logs.jsonl
  dataset:
    directory: {directory}/dataset
    finish_after: 1h
extensions:
  health_check:
    endpoint: 127.0.0.1:{health}
service:
  telemetry:
    metrics:
      address: 127.0.0.1:{metrics}
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [trace_assembler, anomaly_labels]
      exporters: [file, dataset]
    metrics:
      receivers: [otlp]
      processors: [anomaly_labels]
      exporters: [file/metrics, dataset]
    logs:
      receivers: [otlp]
      processors: [trace_assembler/logs, anomaly_labels]
      exporters: [file/logs, dataset]
"""


def binary():
    """$TELLTALE, or the newest that was built."""
    named = os.environ.get("TELLTALE")
    if named:
        return named
    built = [os.path.join(ROOT, "build", "release", "telltale")]
    built += sorted(glob.glob(os.path.join(ROOT, "build", "*", "telltale")), key=os.path.getmtime, reverse=True)
    for path in built:
        if os.access(path, os.X_OK):
            return path
    raise Problem("telltale is not built: cmake --preset release && cmake --build --preset release, or set TELLTALE to the program")


def trouble_at(otlp):
    """'' when OTLP over HTTP is taken there, else what is wrong, for a person."""
    request = urllib.request.Request(otlp + "/v1/traces", data=b'{"resourceSpans":[]}', headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=3):
            return ""
    except urllib.error.HTTPError as error:
        return f"what answers at {otlp} is not an OTLP/HTTP receiver (status {error.code}): write its address without a path; the port is 4318 by default"
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        return f"no Telltale answers at {otlp} ({reason}); start it with: telltale run; OTLP/HTTP is at 4318 by default, gRPC at 4317"


def writes_html():
    """Whether its report can be a page."""
    done = subprocess.run([binary(), "dataset", "report", "--help"], capture_output=True, text=True)
    return "--html" in done.stdout + done.stderr


def start(settings):
    path = settings.path("telltale.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(_CONFIGURATION.format(directory=settings.directory, telltale=settings.port("telltale"),
                                         health=settings.port("telltale-health"), metrics=settings.port("telltale-metrics")))
    process = Process("telltale", [binary(), "run", "--config", path], settings.path("telltale.log"), clean_environment())
    wait_ready(process, url=settings.url("telltale-health"), seconds=10)
    return process
