# SPDX-License-Identifier: Apache-2.0
"""The program's own metrics: under the Collector's names and at zero before any data, right to the item after a labelled run, and read by
promtool. (The Collector shows a counter only after its first increment, which hides the first errors from rate().)"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import labelled
import telltale

ITEMS = ("spans", "metric_points", "log_records")
FILES = {"spans": "file", "metric_points": "file/metrics", "log_records": "file/logs"}
SIGNALS = {"spans": "traces", "metric_points": "metrics", "log_records": "logs"}
ODD_SERVICE = 'a "quoted"\\ name\nof two lines {x="y"} 1'


def zeros():
    """(name, labels) of all that must be there, at zero, before any data."""
    for items in ITEMS:
        for what in ("accepted", "refused", "failed"):
            yield f"otelcol_receiver_{what}_{items}", {"receiver": "otlp", "transport": "http"}
        for what in ("sent", "send_failed", "enqueue_failed"):
            for exporter in (FILES[items], "dataset"):
                yield f"otelcol_exporter_{what}_{items}", {"exporter": exporter}
        for exporter in (FILES[items], "dataset"):
            yield "otelcol_exporter_queue_size", {"exporter": exporter, "data_type": SIGNALS[items]}
    for outcome in ("success", "refused", "failure"):
        yield "otelcol_receiver_requests", {"receiver": "otlp", "transport": "http", "outcome": outcome}
    for processor, signal in (("trace_assembler", "traces"), *(("anomaly_labels", s) for s in ("traces", "metrics", "logs"))):
        for what in ("incoming", "outgoing"):
            yield f"otelcol_processor_{what}_items", {"processor": processor, "otel_signal": signal}
        yield "otelcol_processor_internal_duration_count", {"processor": processor, "otel_signal": signal}
    for source in ("attribute", "header", "baggage", "trace", "request", "window", "none"):
        yield "telltale_label_evidence", {"source": source}
    for reason in ("rejected", "exporter_stuck", "shutdown"):
        yield "telltale_dropped_items", {"component": "dataset", "reason": reason, "signal": "traces"}


def check_zeros(metrics, is_sanitized):
    for name, labels in zeros():
        assert (labels, 0.0) in metrics.get(name, []), f"{name}{labels} is not there, or not 0: {metrics.get(name)}"
    for name in ("cpu_seconds", "uptime", "memory_rss", "runtime_heap_alloc_bytes", "runtime_total_sys_memory_bytes"):
        value = metrics["otelcol_process_" + name][0][1]
        assert value > 0 or (is_sanitized and name.startswith("runtime_")), name  # sanitizers have a heap of their own
    assert metrics["telltale_admission_open"] == [({}, 1.0)]


def check_form(text):
    """Each family once, with HELP and TYPE before its samples; no `_total`, as the Collector at its defaults."""
    seen, family = [], None
    for line in text.splitlines():
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            family = words[2]
            assert family not in seen, f"{family} comes twice"
            seen.append(family)
            assert not family.endswith("_total") and len(words[3]) > 5, line
        elif line.startswith("# TYPE "):
            assert words[2] == family and words[3] in ("counter", "gauge", "histogram"), line
            suffixes = ("_bucket{", "_sum{", "_count{") if words[3] == "histogram" else ("{", " ")
        else:
            assert line.startswith(tuple(family + suffix for suffix in suffixes)), f"{line} among the samples of {family}"


def check_promtool(text):
    if shutil.which("promtool") is None:
        print("SKIPPED promtool: it is not here")
        return
    run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    remarks = [line for line in (run.stdout + run.stderr).splitlines() if not line.endswith('counter metrics should have "_total" suffix')]
    assert run.returncode in (0, 3) and not remarks, f"promtool: {run.returncode} {remarks}"
    print("promtool: nothing but the missing _total, which is the Collector's way")


def check_account(process, account):
    """What loadgen was told agrees with every count along the pipelines."""
    accepted = {"spans": account["spans_accepted"], "metric_points": account["points_accepted"], "log_records": account["records_accepted"]}
    for items, count in accepted.items():
        assert count > 0
        assert process.metric(f"otelcol_receiver_accepted_{items}", receiver="otlp") == count, items
        for what in ("refused", "failed"):
            assert process.metric(f"otelcol_receiver_{what}_{items}") == 0
        for exporter in (FILES[items], "dataset"):
            name = f"otelcol_exporter_sent_{items}"
            assert telltale.wait_for(lambda: process.metric(name, exporter=exporter) == count), (name, exporter, process.metric(name, exporter=exporter), count)
    for processor, signal, items in (("trace_assembler", "traces", "spans"), ("anomaly_labels", "traces", "spans"),
                                     ("anomaly_labels", "metrics", "metric_points"), ("anomaly_labels", "logs", "log_records")):
        for what in ("incoming", "outgoing"):
            found = process.metric(f"otelcol_processor_{what}_items", processor=processor, otel_signal=signal)
            assert found == accepted[items], (processor, signal, what, found, accepted)
    assert process.metric("otelcol_receiver_requests", outcome="success") == account["requests"]
    # Each request is a batch to the processor; what it sends on in between is not its own time.
    assert process.metric("otelcol_processor_internal_duration_count", processor="trace_assembler") > 10
    assert process.metric("otelcol_processor_internal_duration_bucket", processor="trace_assembler", le="+Inf") == process.metric(
        "otelcol_processor_internal_duration_count", processor="trace_assembler")
    assert 0 < process.metric("otelcol_processor_internal_duration_sum", processor="trace_assembler") < 5
    assert process.metric("telltale_label_evidence") == sum(accepted.values())
    coverage = dict((labels["service_name"], value) for labels, value in process.metrics()["telltale_label_coverage_ratio"])
    assert set(coverage) >= {"web", "cart", "mongodb"} and all(0 <= v <= 1 for v in coverage.values()), coverage


def check_bad_request(process):
    assert process.post("otlp", "/v1/traces", b"\xff\xff").status == 400
    assert process.metric("otelcol_receiver_requests", outcome="failure") == 1
    assert process.metric("telltale_receiver_refused_requests", reason="invalid") == 1


def main():
    with labelled.run() as process:
        check_zeros(process.metrics(), process.is_sanitized())
        account = labelled.loadgen(labelled.endpoint(process), "--rate", 500, "--duration", "2s", "--export-interval", "500ms", "--seed", 3)
        check_account(process, account)
        check_bad_request(process)
        assert process.post("otlp", "/v1/traces", telltale.traces([telltale.span()], service=ODD_SERVICE)).status == 200
        escaped = ODD_SERVICE.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        assert telltale.wait_for(lambda: f'service_name="{escaped}"' in process.get("metrics", "/metrics").body.decode()), "a service with an odd name"
        answer = process.get("metrics", "/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8", answer
        check_form(answer.body.decode())
        check_promtool(answer.body.decode())
        labelled.finish(process)
    print(f"{account['spans_accepted']} spans, every count agrees")


if __name__ == "__main__":
    main()
