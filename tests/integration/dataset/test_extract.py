# SPDX-License-Identifier: Apache-2.0
"""dataset extract gives the same rows as the live way, and dataset report says what is in them."""

import gzip
import json
import os
import tempfile

from common import START, check_sets, config, dataset_rows, ids, labelled, post, run, span, telltale, text, traces


def write(path, *documents):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "wt", encoding="utf-8") as f:
        for d in documents:
            f.write(d if isinstance(d, str) else json.dumps(d) + "\n")


def extract(*args):
    return json.loads(run("dataset", "extract", "--json", *args).stdout)


def report(directory):
    return json.loads(run("dataset", "report", directory, "--json").stdout)


def live_and_offline_agree():
    with telltale.Process(config(), endpoints=["otlp", "metrics"]) as process:
        documents = []
        for i in range(50):
            marks = labelled(("cpu", "latency")[i % 2]) if i % 3 else []
            documents.append(traces([span(i + 1, 1, attributes=marks), span(i + 1, 2, parent=1)], service=f"s{i % 4}"))
            assert post(process, documents[-1]).status == 200
        assert process.stop() == 0
        plain = os.path.join(process.dir, "in.jsonl.gz")
        write(plain, *documents)
        outs = [os.path.join(process.dir, "o1"), os.path.join(process.dir, "o2")]
        extract("--traces", plain, "--output", outs[0])
        extract("--traces", process.dir + "/traces.jsonl", "--output", outs[1])  # what was labelled live, labelled again
        expected = dataset_rows(process.dir + "/dataset")
        key = ("trace_id", "span_id", "anomaly_type", "anomaly_label", "anomaly_root_cause", "anomaly_msg", "label_source")
        for out in outs:
            found = check_sets(out)
            assert sorted([r[k] for k in key] for r in found) == sorted([r[k] for k in key] for r in expected), out


def a_label_reaches_the_whole_trace_from_any_file():
    with tempfile.TemporaryDirectory() as d:
        write(d + "/a.jsonl", traces([span(1, 2, parent=1), span(2, 2, parent=1)]))
        write(d + "/b.jsonl", "broken\n", traces([span(1, 3, parent=2)]), "{\"resourceSpans\": 5}\n")
        write(d + "/c.jsonl", traces([span(1, 1, attributes=labelled("cpu"))], service="k6"))
        done = run("dataset", "extract", "--traces", d + "/a.jsonl", d + "/b.jsonl", d + "/c.jsonl", "--output", d + "/out", "--json")
        answer = json.loads(done.stdout)
        assert answer["spans"] == 4 and answer["bad_lines"] == 2, answer
        assert answer["labelled_spans"] == {"header": 1, "trace": 2}, answer
        errors = done.stderr.decode()
        assert f"{d}/b.jsonl:1:" in errors and f"{d}/b.jsonl:3:" in errors, errors
        rows = {(int(r["trace_id"], 16), int(r["span_id"], 16)): (r["anomaly_type"], r["label_source"]) for r in check_sets(d + "/out")}
        assert rows == {(1, 1): ("cpu", "header"), (1, 2): ("cpu", "trace"), (1, 3): ("cpu", "trace"), (2, 2): ("none", "none")}, rows


def windows_label_again():
    with tempfile.TemporaryDirectory() as d:
        second = 1_000_000_000
        write(d + "/t.jsonl", traces([span(i + 1, 1, start=i * second) for i in range(10)]))
        log = {"timeUnixNano": str(START + 4 * second), "body": {"stringValue": "slow"}}
        write(d + "/l.jsonl", {"resourceLogs": [{"resource": {"attributes": [text("service.name", "cart")]}, "scopeLogs": [{"logRecords": [log]}]}]})
        window = {"start": (START + 3 * second) // second, "end": (START + 6 * second) // second, "type": "db", "services": ["cart"]}
        write(d + "/w.json", json.dumps([window]))
        args = ["--traces", d + "/t.jsonl", "--logs", d + "/l.jsonl", "--windows", d + "/w.json"]
        for mode, labelled_spans in ((None, 3), ("mark", 0), ("label", 3)):
            out = f"{d}/out-{mode}"
            extract(*args, "--output", out, *(["--spans-in-windows", mode] if mode else []))
            rows = check_sets(out)
            assert sum(r["label_source"] == "window" for r in rows) == labelled_spans, mode
            assert sum(r["anomaly_active"] == "db" for r in rows) == 3, mode
            logs = dataset_rows(out, "logs_labeled")
            assert [(r["anomaly_type"], r["label_source"], r["body"]) for r in logs] == [("db", "window", "slow")]


def report_finds_what_is_wrong():
    with tempfile.TemporaryDirectory() as d:
        documents = []
        for i in range(600):
            marks = labelled("cpu") if i % 2 else []
            giveaway = text("server.address", "canary" if i % 2 else "stable")
            documents.append(traces([span(i + 1, 1, attributes=marks + [giveaway], start=i * 1000),
                                     span(i + 1, 2, parent=1, attributes=[giveaway], start=i * 1000 + 1)], service=f"s{i % 3}"))
        documents.append(traces([span(9001, 5, parent=77)]))  # orphan
        documents.append(traces([span(1, 1, attributes=[])]))  # again
        documents.append(traces([span(9002, 1, start=1000), span(9002, 2, parent=1, start=0)]))  # begins before its parent
        documents.append(traces([span(9003, 1, length=-5)]))  # ends before it begins
        write(d + "/in.jsonl", *documents)
        extract("--traces", d + "/in.jsonl", "--output", d + "/out")
        r = report(d + "/out")
        assert r["spans"] == 1205 and r["traces"] == 603, r
        assert r["roots"] == 603 and r["orphans"] == 1, r
        assert r["duplicates"] == 1 and r["clock_skew"] == 1 and r["negative_durations"] == 1, r
        assert r["services"] == 4 and r["by_service"]["s1"]["spans"] == 400, r
        assert r["labelled_spans"] == {"header": 300, "trace": 300}, r
        assert r["by_type"] == {"cpu": 600, "none": 605}, r
        assert r["normal"] == 605 and r["anomalous"] == 600, r
        assert [x["column"] for x in r["leaks"]] == ["server_address"], r["leaks"]
        assert r["sets"] == 1 and r["changed_files"] == 0, r
        page = run("dataset", "report", d + "/out").stdout.decode()
        assert "server_address" in page and "Split by trace_id" in page, page
        os.truncate(next(p for p in (os.path.join(d, "out", f) for f in os.listdir(d + "/out")) if "traces_normal" in p), 10)
        assert report(d + "/out")["changed_files"] == 1


def usage_errors_are_told():
    with tempfile.TemporaryDirectory() as d:
        for args, code, word in (
            (["dataset", "extract", "--traces", "x.jsonl"], 2, "--output"),
            (["dataset", "extract", "--output", d], 2, "--traces"),
            (["dataset", "extract", "--output", d, "--traces", d + "/missing.jsonl"], 1, "missing.jsonl"),
            (["dataset", "report", d + "/missing"], 1, "missing"),
            (["dataset", "report", d], 1, "labeled"),
            (["dataset", "report"], 2, "DIR"),
        ):
            done = run(*args, check=False)
            assert done.returncode == code and word in done.stderr.decode(), (args, done)
        write(d + "/bad.csv", "a,b\n1,2\n")
        done = run("dataset", "report", d + "/bad.csv", check=False)
        assert done.returncode == 1 and "bad.csv" in done.stderr.decode(), done


def every_signal_gets_its_file():
    with tempfile.TemporaryDirectory() as d:
        point = {"timeUnixNano": str(START), "asDouble": 1.5, "attributes": [text("core", "0")]}
        write(d + "/m.jsonl", {"resourceMetrics": [{"resource": {"attributes": [text("service.name", "db")]}, "scopeMetrics": [
            {"metrics": [{"name": "cpu", "gauge": {"dataPoints": [point]}}]}]}]})
        write(d + "/t.jsonl", traces([span(1, 1)]))
        answer = extract("--traces", d + "/t.jsonl", "--metrics", d + "/m.jsonl", "--output", d + "/out")
        assert (answer["spans"], answer["metric_points"]) == (1, 1), answer
        rows = dataset_rows(d + "/out", "metrics_labeled")
        assert [(r["service_name"], r["metric_name"], r["value"], json.loads(r["attributes"])) for r in rows] == [
            ("db", "cpu", "1.5", {"core": "0"})], rows
        assert ids(dataset_rows(d + "/out")) == [("%032x" % 1, "%016x" % 1)]


if __name__ == "__main__":
    live_and_offline_agree()
    a_label_reaches_the_whole_trace_from_any_file()
    windows_label_again()
    report_finds_what_is_wrong()
    usage_errors_are_told()
    every_signal_gets_its_file()
