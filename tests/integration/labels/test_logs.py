# SPDX-License-Identifier: Apache-2.0
"""Log records get the label of their trace when an assembler of their own holds them longer than the spans are held: in the middle of a run
and at a stop, whatever the order of the pipelines in the file; and afterwards, by `dataset extract`."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import labelled
import telltale

TRACES = "    traces: {receivers: [otlp], processors: [trace_assembler, anomaly_labels], exporters: [file, dataset]}\n"
LOGS = "    logs: {receivers: [otlp], processors: [trace_assembler/logs, anomaly_labels], exporters: [file/logs, dataset]}\n"


def config(spans_idle, logs_idle, pipelines):
    head = labelled.CONFIG.split("  pipelines:\n")[0].replace("IDLE}", spans_idle + "}, trace_assembler/logs: {idle: %s}" % logs_idle)
    return head + "  pipelines:\n" + "".join(pipelines)


def play(name, spans_idle, logs_idle, pipelines, wait):
    with telltale.Process(config(spans_idle, logs_idle, pipelines), endpoints=labelled.ENDPOINTS) as process:
        account = labelled.loadgen(labelled.endpoint(process), "--labels", "root-only", "--rate", 1000, "--duration", "2s",
                                   "--export-interval", "300ms", "--seed", 5)
        if wait:
            held = {"processor": "trace_assembler/logs"}
            assert telltale.wait_for(lambda: process.metric("telltale_trace_assembler_open_spans", **held) == 0, 20), process.log()
        written = labelled.finish(process)
        check(name, account, written)


def check(name, account, written):
    types = {row["trace_id"]: row["anomaly_type"] for row in written.rows()}
    logs = list(written.rows("logs_labeled_"))
    assert len(logs) == account["records_accepted"] > 50, (len(logs), account)
    wrong = [row for row in logs if row["trace_id"] in types and (row["anomaly_type"], row["label_source"]) != (types[row["trace_id"]], "trace")]
    assert len(wrong) * 1000 <= len(logs), f"{name}: {len(wrong)} of {len(logs)}: {wrong[:2]}"
    print(f"{name}: {len(logs)} log records, {len(wrong)} wrong")


def extracted():
    """The default pipelines write logs at once, without a label; both files together have it."""
    with labelled.run() as process:
        account = labelled.loadgen(labelled.endpoint(process), "--labels", "root-only", "--rate", 1000, "--duration", "1s",
                                   "--export-interval", "300ms", "--seed", 6)
        written = labelled.finish(process)
        out = os.path.join(process.dir, "again")
        subprocess.run([telltale.binary(), "dataset", "extract", "--traces", written.folder + "/traces.jsonl", "--logs", written.folder + "/logs.jsonl",
                        "--output", out], check=True, capture_output=True, timeout=60)
        check("extracted", account, labelled.Written(out))


play("quiet first", "500ms", "1500ms", [TRACES, LOGS], wait=True)
play("stopped under way", "10s", "20s", [TRACES, LOGS], wait=False)
play("stopped, logs come first in the file", "10s", "20s", [LOGS, TRACES], wait=False)
extracted()
