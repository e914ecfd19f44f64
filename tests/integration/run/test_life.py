# SPDX-License-Identifier: Apache-2.0
"""The life of a run: ready, its own metrics, stuck exporters, reload, signals, exit codes, the account."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

ENDPOINTS = ("health", "otlp", "metrics")
CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "{otlp}"}}}}
processors: {anomaly_labels: }
exporters:
  debug: {output: stderr}
  file: {path: "{dir}/traces.jsonl"}
extensions: {health_check: {endpoint: "{health}"}}
service:
  telemetry: {metrics: {address: "{metrics}"}, resource: {deployment.environment: test}}
  extensions: [health_check]
  shutdown_timeout: 5s
  pipelines:
    traces: {receivers: [otlp], processors: [anomaly_labels], exporters: [debug, file]}
"""


def body(label=None, count=3):
    attributes = [("http.request.header.x-anomaly-type", label)] if label else []
    return telltale.traces([telltale.span(number=n + 1, attributes=attributes) for n in range(count)])


def ready(process):
    """Its health endpoint is open before its receivers are: 200 says that all have started."""
    assert telltale.wait_for(lambda: process.get("health", "/").status == 200), process.log()
    return process


def run(config=CONFIG, **more):
    return ready(telltale.Process(config, endpoints=ENDPOINTS, **more))


def own_metrics():
    with run() as p:
        health = p.get("health", "/")
        assert health.json()["status"] == "Server available", health
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", health.json()["upSince"]), health
        assert p.get("health", "/other").status == 404

        answer = p.get("metrics", "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4"), answer
        assert p.request("metrics", "POST", "/metrics", b"").status == 405
        for name, labels in (("otelcol_receiver_accepted_spans", {"receiver": "otlp", "transport": "http"}),
                             ("otelcol_receiver_refused_spans", {"receiver": "otlp"}),
                             ("otelcol_processor_incoming_items", {"processor": "anomaly_labels", "otel_signal": "traces"}),
                             ("otelcol_processor_outgoing_items", {"processor": "anomaly_labels"}),
                             ("otelcol_exporter_sent_spans", {"exporter": "file"}),
                             ("otelcol_exporter_send_failed_spans", {"exporter": "file"}),
                             ("telltale_dropped_items", {"component": "file"})):
            assert p.metric(name, **labels) == 0, name
        assert p.metric("telltale_admission_open") == 1
        assert p.metric("otelcol_process_memory_rss") > 1 << 20
        assert p.metric("otelcol_process_uptime") > 0
        assert p.metric("target_info", deployment_environment="test", service_name="telltale") == 1

        assert p.post("otlp", "/v1/traces", body()).status == 200
        for name in ("otelcol_receiver_accepted_spans", "otelcol_exporter_sent_spans"):
            labels = {"exporter": "file"} if "exporter" in name else {}
            assert p.metric(name, **labels) == 3, name
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=answer.body, capture_output=True, check=False)
            # otelcol's names have no _total, so that its dashboards and alerts work; that is the only remark there may be.
            remarks = [line for line in (checked.stdout + checked.stderr).decode().splitlines()
                       if line and not line.endswith('counter metrics should have "_total" suffix')]
            assert not remarks, remarks


def stuck_exporter():
    """One exporter has the data, the other cannot write: parked, 503 for what follows, and nothing is seen twice."""
    with run(CONFIG.replace("{dir}/traces.jsonl", "/dev/full")) as p:
        assert p.post("otlp", "/v1/traces", body()).status == 200
        refused = p.post("otlp", "/v1/traces", body())
        assert refused.status == 503 and int(refused.headers["retry-after"]) > 0, refused
        assert p.get("health", "/").status == 200  # a restart would lose what waits
        assert p.metric("telltale_admission_open") == 0
        assert p.metric("telltale_exporter_parked_batches", exporter="file") == 1
        assert p.metric("otelcol_exporter_sent_spans", exporter="debug") == 3
        assert p.metric("otelcol_receiver_accepted_spans") == 3

        # A stop tries until its deadline; a second signal does not wait for that.
        p.signal(signal.SIGTERM)
        assert telltale.wait_for(lambda: "Starting shutdown" in p.log())
        time.sleep(0.3)
        assert p.alive()
        p.signal(signal.SIGTERM)
        assert p.wait(2) == -signal.SIGTERM

    with run(CONFIG.replace("{dir}/traces.jsonl", "/dev/full").replace("5s", "500ms")) as p:
        assert p.post("otlp", "/v1/traces", body()).status == 200
        assert p.stop() == 0, p.log()
        assert re.search(r"dropped   3 traces by file: shutdown", p.log()), p.log()


def reload():
    with run() as p:
        def says(text, count):
            assert telltale.wait_for(lambda: p.log().count(text) >= count), text + "\n" + p.log()

        def rewrite(text):
            with open(p.config_path, "w", encoding="utf-8") as f:
                f.write(p.expand(text))
            p.signal(signal.SIGHUP)

        rewrite(CONFIG.replace("processors: {anomaly_labels: }", "processors: {anomaly_labels: {no_such: 1}}"))
        says("The new configuration is wrong: the running one stays", 1)
        says("processors.anomaly_labels.no_such", 1)
        rewrite(CONFIG.replace("{output: stderr}", "{output: stderr, verbosity: detailed}"))
        says("Reload refused: the running configuration stays", 1)
        says("exporters.debug.verbosity: changed, which needs a restart", 1)
        rewrite(CONFIG.replace("shutdown_timeout: 5s", "shutdown_timeout: 6s"))
        says("Config updated", 1)
        assert p.post("otlp", "/v1/traces", body()).status == 200
        assert p.stop() == 0, p.log()


def account_and_exit_codes():
    with run(args=["--require-labels"]) as p:
        assert p.post("otlp", "/v1/traces", body("cpu_saturation")).status == 200
        assert p.stop() == 0, p.log()
        assert "received  3 spans" in p.log(), p.log()
        assert "labelled  3 by header" in p.log(), p.log()
        assert f"written   file: 3 spans -> {p.dir}/traces.jsonl" in p.log(), p.log()
        assert "dropped   nothing" in p.log(), p.log()
    with run(args=["--require-labels"]) as p:
        assert p.post("otlp", "/v1/traces", body()).status == 200
        assert p.stop() == 1, p.log()
        assert "--require-labels: no data carried evidence of a label" in p.log(), p.log()

    # A port that is taken: the start is undone and says which component it was.
    with run() as p:
        second = subprocess.run([telltale.binary(), "run", "--config", p.config_path, "--set", "service.telemetry.metrics.level=none"],
                                cwd=p.dir, capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 1, second
        assert 'failed to start "health_check" extension: listen on ' in second.stderr, second.stderr
        assert "ddress already in use" in second.stderr, second.stderr
    wrong = subprocess.run([telltale.binary(), "run", "--config", "/no/such.yaml"], capture_output=True, text=True, timeout=20, check=False)
    assert wrong.returncode == 2 and "/no/such.yaml" in wrong.stderr, wrong


def built_in_configuration():
    """Without a file: the default pipelines, below the working directory."""
    settings = ["--set", "receivers.otlp.protocols.http.endpoint={otlp}", "--set", "receivers.otlp.protocols.grpc.endpoint={grpc}",
                "--set", "extensions.health_check.endpoint={health}", "--set", "service.telemetry.metrics.address={metrics}",
                "--set", "processors.trace_assembler.idle=100ms"]
    with ready(telltale.Process(endpoints=("health", "otlp", "metrics", "grpc"), args=settings)) as p:
        assert p.post("otlp", "/v1/traces", body("timeout")).status == 200
        assert p.stop() == 0, p.log()
        data = os.path.join(p.dir, "telltale-data")
        with open(os.path.join(data, "traces.jsonl"), encoding="utf-8") as f:
            assert f.read().count('"anomaly.type"') == 3
        assert any(name.startswith("traces_labeled_") for _, _, names in os.walk(os.path.join(data, "dataset")) for name in names)


for test in (own_metrics, stuck_exporter, reload, account_and_exit_codes, built_in_configuration):
    test()
    print("ok " + test.__name__)
