# SPDX-License-Identifier: Apache-2.0
"""extensions/health_check: 200 when everything runs, 503 while it stops, and nothing else on its port."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import telltale

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "{otlp}"}}}}
processors: {trace_assembler: }
exporters: {file: {path: /dev/full}}
extensions:
  health_check: {endpoint: "{health}"}
  health_check/own: {endpoint: "{own}", path: /ready, response_body: {healthy: "fine", unhealthy: "not fine"}}
service:
  shutdown_timeout: 5s
  telemetry: {metrics: {level: none}}
  extensions: [health_check, health_check/own]
  pipelines: {traces: {receivers: [otlp], processors: [trace_assembler], exporters: [file]}}
"""
AVAILABLE = re.compile(rb'\{"status":"Server available","upSince":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z","uptime":"[0-9a-z.]+"\}')
NOT_AVAILABLE = b'{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}'


def check_running(process):
    answer = process.get("health", "/")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json" and AVAILABLE.fullmatch(answer.body), answer
    assert process.get("own", "/ready").body == b"fine"
    head = process.request("health", "HEAD", "/")
    assert head.status == 200 and head.body == b"", head
    assert process.get("health", "/other").status == 404
    assert process.request("health", "POST", "/", body=b"x").status == 405


def check_stopping(process):
    """A trace that was taken finds the disk full, so that the stop takes its whole deadline."""
    assert process.post("otlp", "/v1/traces", telltale.traces([telltale.span()])).status == 200
    process.signal(15)
    answer = telltale.wait_for(lambda: not_available(process), 4)
    assert answer and answer.body == NOT_AVAILABLE and answer.headers["content-type"] == "application/json", answer
    own = process.get("own", "/ready")
    assert own.status == 503 and own.body == b"not fine", own
    process.wait(20)


def not_available(process):
    answer = process.get("health", "/")
    return answer if answer.status == 503 else None


def main():
    with telltale.Process(CONFIG, endpoints=["health", "own", "otlp"]) as process:
        check_running(process)
        check_stopping(process)
    print("health: 200 and 503 as documented")


if __name__ == "__main__":
    main()
