# SPDX-License-Identifier: Apache-2.0
"""The label of every span is right: the load generator's account, the JSONL and the CSV agree to the span, for each way a label travels.

usage: test_truth.py [RATE SECONDS IDLE INTERVAL]     default: 1000 4 2s 1s; with "10s 5s" it is the default idle against SDK ticks"""
import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import labelled

SOURCES = {"root-only": {"header", "trace"}, "header": {"header", "trace"}, "baggage": {"baggage"}, "none": set()}
TOLERATED = 1000  # one in so many
KEPT = ("trace_id", "span_id", "anomaly_type", "label_source")  # of a row: a million whole ones would fill the memory


def kept(row):
    return {name: sys.intern(row[name]) for name in KEPT}


def labels_of(span, attributes):
    return tuple(map(sys.intern, (span["traceId"], span["spanId"], attributes["anomaly.type"], attributes["anomaly.label_source"])))


def play(mode, rate, seconds, idle, interval):
    with labelled.run(idle) as process:
        account = labelled.loadgen(labelled.endpoint(process), "--labels", mode, "--rate", rate, "--duration", f"{seconds}s",
                                   "--export-interval", interval, "--seed", 3)
        written = labelled.finish(process)
        files = {name: sum(1 for _ in written.rows(f"traces_{name}_")) for name in ["normal", "anomalous", *account["by_type"]]}
        spans = [labels_of(span, attributes) for _, span, attributes in written.spans()]
        return account, [kept(row) for row in written.rows()], spans, files, process.log()


def check_nothing_lost(account, rows, spans):
    assert account["spans_failed"] == 0 and account["spans_sent"] == account["spans_accepted"], account
    assert len(rows) == account["spans_accepted"], (len(rows), account)
    assert len(spans) == account["spans_accepted"], (len(spans), account)
    assert len({(r["trace_id"], r["span_id"]) for r in rows}) == len(rows), "a span is there twice"


def check_labels(mode, account, rows):
    """Every scenario has a type of its own, so the account by type tells how many spans of each there must be."""
    found = collections.Counter(r["anomaly_type"] for r in rows)
    sent = {kind: value["spans_accepted"] for kind, value in account["by_type"].items()}
    sources = collections.Counter(r["label_source"] for r in rows)
    wrong = sum(abs(found[kind] - sent.get(kind, 0)) for kind in set(found) | set(sent))
    types = collections.defaultdict(set)
    for row in rows:
        types[row["trace_id"]].add(row["anomaly_type"])
    assert wrong * TOLERATED <= account["spans_accepted"], (found, sent)
    assert sources["none"] * TOLERATED <= account["spans_accepted"], sources
    assert set(sources) <= SOURCES[mode] | {"none"}, sources
    assert sum(len(kinds) > 1 for kinds in types.values()) * TOLERATED <= account["traces"], "traces with two types"
    print(f"{mode}: {len(rows)} spans, {account['traces']} traces, wrong {wrong}, unlabelled {sources['none']}, sources {dict(sources)}")
    return found


def check_files(files, rows, found):
    """The files of each type hold exactly the rows of that type."""
    for kind, count in found.items():
        assert kind == "none" or files[kind] == count, (kind, files, found)
    assert files["normal"] == found["none"], (files, found)
    assert files["anomalous"] == len(rows) - found["none"], (files, found)


def check_agreement(rows, spans):
    """JSONL and CSV say the same of every span."""
    labels = {(trace, span): (kind, source) for trace, span, kind, source in spans}
    for row in rows:
        assert labels[row["trace_id"], row["span_id"]] == (row["anomaly_type"], row["label_source"]), row


def check_starved(rate, idle, interval):
    """Without labels the log names each service and the setting for its language."""
    account, rows, spans, _, log = play("none", rate, 2, idle, interval)
    check_nothing_lost(account, rows, spans)
    assert {(r["anomaly_type"], r["label_source"]) for r in rows} == {("none", "none")}
    for word in ("web", "shipping", "payment", "OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS",
                 "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST", "headersToSpanAttributes"):
        assert word in log, f"the log does not name {word}:\n{log}"


def check_require_labels():
    """--require-labels turns a run without evidence into a failure, and only that."""
    for mode, expected in (("none", 1), ("header", 0)):
        with labelled.run(args=["--require-labels"]) as process:
            labelled.loadgen(labelled.endpoint(process), "--labels", mode, "--rate", 200, "--duration", "1s", "--export-interval", "200ms")
            assert process.stop() == expected, (mode, process.log())


def main():
    rate, seconds, idle, interval = sys.argv[1:5] if len(sys.argv) > 4 else ("1000", "4", "2s", "1s")
    for mode in ("root-only", "header", "baggage"):
        account, rows, spans, files, _ = play(mode, rate, seconds, idle, interval)
        check_nothing_lost(account, rows, spans)
        check_files(files, rows, check_labels(mode, account, rows))
        check_agreement(rows, spans)
    check_starved(rate, idle, interval)
    check_require_labels()


if __name__ == "__main__":
    main()
