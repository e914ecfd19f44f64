# SPDX-License-Identifier: Apache-2.0
"""dataset report: every figure against another implementation of it, every check against data that are wrong in that way."""

import csv
import html.parser
import json
import math
import os
import random
import tempfile

from common import run

START = 1_755_770_400_000_000_000
SECOND = 1_000_000_000
COLUMNS = ("timestamp,start_time_ns,end_time_ns,duration_ns,duration_ms,service_name,trace_id,span_id,parent_span_id,span_name,span_kind,"
           "span_status,http_method,http_status_code,http_target,anomaly_type,anomaly_label,anomaly_root_cause,anomaly_msg,label_source,"
           "server_port,anomaly_active,user_agent").split(",")
METRIC_COLUMNS = ("timestamp,start_time_ns,time_ns,service_name,metric_name,metric_type,metric_unit,temporality,is_monotonic,value,count,sum,"
                  "attributes,resource_attributes,anomaly_type,anomaly_label,anomaly_root_cause,anomaly_msg,label_source").split(",")
LOG_COLUMNS = ["timestamp", "service_name", "trace_id", "body", "anomaly_type", "label_source"]


# ---- a run made by hand ----


class Maker:
    """Traces k6 -> web -> cart -> db, in blocks of time of one type each."""

    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self.rows = []
        self.blocks = []  # (type, [trace ids])

    def span(self, trace, number, parent, service, kind, start, length, type_, source="trace", error=False, **more):
        row = dict.fromkeys(COLUMNS, "")
        row.update(timestamp="2025-08-21T10:00:00.000000000Z", start_time_ns=start, end_time_ns=start + length, duration_ns=max(length, 0),
                   duration_ms=max(length, 0) / 1e6, service_name=service, trace_id=trace, span_id="%016x" % number,
                   parent_span_id="%016x" % parent if parent else "", span_name=f"op of {service}", span_kind=kind,
                   span_status="ERROR" if error else "UNSET", http_method="GET", http_target="/p%d" % self.random.randrange(5),
                   anomaly_type=type_, anomaly_label="normal" if type_ == "none" else "anomalous", anomaly_root_cause="c", anomaly_msg="m",
                   label_source=source, server_port=str(8000 + self.random.randrange(3)), user_agent="k6/1.8")
        row.update(more)
        self.rows.append(row)

    def trace(self, start, type_, labelled=True, **more):
        trace, source = "%032x" % self.random.getrandbits(128), "trace" if labelled else "none"
        slow = 6 if type_ == "latency" else 1
        broken = type_ == "errors" and self.random.random() < 0.5
        db = int(self.random.lognormvariate(0, 0.5) * 4e6 * slow)
        cart = db + int(self.random.lognormvariate(0, 0.3) * 2e6)
        web = cart + int(self.random.lognormvariate(0, 0.3) * 1e6)
        self.span(trace, 1, 0, "k6", "CLIENT", start, web + 100_000, type_, "header" if labelled else "none", error=broken, **more)
        self.span(trace, 2, 1, "web", "SERVER", start + 1000, web, type_, source, error=broken, **more)
        self.span(trace, 3, 2, "cart", "SERVER", start + 2000, cart, type_, source, error=broken, http_status_code="503" if broken else "200",
                  **more)
        self.span(trace, 4, 3, "db", "CLIENT", start + 3000, db, type_, source, **more)
        return trace

    def block(self, at, type_, n=40, seconds=10, **more):
        ids = [self.trace(START + int(at * SECOND + i * seconds * SECOND / n), type_, **more) for i in range(n)]
        self.blocks.append((type_, ids))


def usual_run(seed=1, **more):
    maker = Maker(seed)
    order = ["none", "latency", "none", "errors", "none", "errors", "none", "latency", "none", "errors", "none", "latency", "none"]
    for i, type_ in enumerate(order):
        maker.block(20 * i, type_, **more)
    return maker


def write_csv(path, columns, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def dataset(directory, rows, metrics=(), run_json=None, logs=(), manifest="manifest_20250821_100000.json"):
    write_csv(directory + "/traces_labeled_20250821_100000.csv", COLUMNS, rows)
    if metrics:
        write_csv(directory + "/metrics_labeled_20250821_100000.csv", METRIC_COLUMNS, metrics)
    if logs:
        write_csv(directory + "/logs_labeled_20250821_100000.csv", LOG_COLUMNS, logs)
    if manifest:
        files = [{"name": name, "bytes": os.path.getsize(os.path.join(directory, name))} for name in sorted(os.listdir(directory)) if name.endswith(".csv")]
        with open(os.path.join(directory, manifest), "w", encoding="utf-8") as f:
            json.dump({"stamp": "20250821_100000", "files": files}, f)
    if run_json is not None:
        with open(directory + "/run.json", "w", encoding="utf-8") as f:
            f.write(run_json if isinstance(run_json, str) else json.dumps(run_json))
    return directory


def report(directory, *args):
    return json.loads(run("dataset", "report", directory, "--json", *args).stdout)


def check_of(found, name):
    return next(c for c in found["checks"] if c["id"] == name)


# ---- the other implementation ----


def quantile(values, q):
    values = sorted(values)
    at = q * (len(values) - 1)
    below = int(at)
    above = min(below + 1, len(values) - 1)
    return values[below] + (at - below) * (values[above] - values[below])


def t_density(x, df):
    return math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi) * (1 + x * x / df) ** (-(df + 1) / 2)


def t_quantile(p, df):
    """By Simpson's rule and bisection: slow, and nothing like what the report does."""

    def below(x, n=2000):
        h = x / n
        return 0.5 + h / 3 * sum((1 if i in (0, n) else 4 if i % 2 else 2) * t_density(i * h, df) for i in range(n + 1))

    low, high = 0.0, 100.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < p else (low, middle)
    return low


def welch(left, right):
    def parts(values):
        mean = sum(values) / len(values)
        return mean, sum((v - mean) ** 2 for v in values) / (len(values) - 1) / len(values), len(values)

    (m1, s1, n1), (m2, s2, n2) = parts(left), parts(right)
    df = (s1 + s2) ** 2 / (s1**2 / (n1 - 1) + s2**2 / (n2 - 1))
    half = t_quantile(0.975, df) * math.sqrt(s1 + s2)
    return m1 - m2, m1 - m2 - half, m1 - m2 + half


def auc(scores, anomalous):
    """By counting pairs."""
    above = [s for s, a in zip(scores, anomalous) if a]
    under = [s for s, a in zip(scores, anomalous) if not a]
    return sum((a > u) + 0.5 * (a == u) for a in above for u in under) / (len(above) * len(under))


def mix(x):
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def held_out(trace):
    return mix(int(trace[:16], 16) ^ mix(int(trace[16:], 16))) % 10 < 3


def f1_of(rows, threshold):
    hits = sum(d >= threshold and a for d, a in rows)
    alarms = sum(d >= threshold for d, _ in rows)
    anomalous = sum(a for _, a in rows)
    return 2 * hits / (alarms + anomalous)


def near(value, expected, what, tolerance=1e-6):
    assert abs(value - expected) <= tolerance * max(1, abs(expected)), f"{what}: {value}, expected {expected}"


def check_dist(found, values, what):
    assert found["count"] == len(values), (what, found["count"], len(values))
    for name, q in (("min", 0), ("p10", 0.1), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("p90", 0.9), ("p99", 0.99), ("max", 1)):
        near(found[name], quantile(values, q), f"{what} {name}")


def is_error(row):
    return row["span_status"] == "ERROR" or row["http_status_code"].startswith("5")


# ---- figures ----


def check_types(found, maker):
    by_type = {t["type"]: t for t in found["types"]}
    for name, type_ in (("baseline", "none"), ("latency", "latency"), ("errors", "errors")):
        rows = [r for r in maker.rows if r["anomaly_type"] == type_]
        got = by_type[name]
        assert (got["spans"], got["services"], got["traces"]) == (len(rows), 4, len(rows) // 4), got
        assert got["blocks"] == sum(t == type_ for t, _ in maker.blocks), got
        near(got["error_rate"], sum(map(is_error, rows)) / len(rows), "error rate")
        check_dist(got["durations"], [r["duration_ns"] for r in rows], name)
        check_dist(got["trace_durations"], [r["duration_ns"] for r in rows if not r["parent_span_id"]], name + " traces")


def check_fault(found, maker, type_, service, kind):
    fault = next(t for t in found["types"] if t["type"] == type_)["fault"]
    spans = {t: [r for r in maker.rows if r["service_name"] == service and r["anomaly_type"] == t and r["span_kind"] == kind] for t in (type_, "none")}
    assert fault["service"] == service and fault["shows"] == "clearly", fault
    check_dist(fault["durations"], [r["duration_ns"] for r in spans[type_]], type_)
    check_dist(fault["baseline_durations"], [r["duration_ns"] for r in spans["none"]], type_ + " baseline")
    near(fault["superiority"], auc([r["duration_ns"] for t in spans for r in spans[t]], [t == type_ for t in spans for _ in spans[t]]), "superiority")
    medians, rates = {}, {}
    for t in (type_, "none"):
        blocks = [[r for r in spans[t] if r["trace_id"] in ids] for ids in (set(ids) for kind_, ids in maker.blocks if kind_ == t)]
        medians[t] = [math.log(quantile([r["duration_ns"] for r in b], 0.5)) for b in blocks]
        rates[t] = [sum(map(is_error, b)) / len(b) for b in blocks]
    for name, expected in (("log_ratio_of_medians", welch(medians[type_], medians["none"])),) + (
            (("error_rate_difference", welch(rates[type_], rates["none"])),) if type_ == "errors" else ()):
        for member, value in zip(("estimate", "low", "high"), expected):
            near(fault[name][member], value, f"{type_} {name} {member}", 1e-5)
        assert (fault[name]["blocks"], fault[name]["baseline_blocks"]) == (3, 7), fault[name]


def check_own_times(found, maker):
    children = {}
    for r in maker.rows:
        key = (r["trace_id"], r["parent_span_id"])
        children[key] = children.get(key, 0) + r["duration_ns"]
    for cell in found["services_by_type"]:
        type_ = "none" if cell["type"] == "baseline" else cell["type"]
        rows = [r for r in maker.rows if r["service_name"] == cell["service"] and r["anomaly_type"] == type_]
        own = sum(max(0, r["duration_ns"] - children.get((r["trace_id"], r["span_id"]), 0)) for r in rows)
        near(cell["own_time_per_trace"], own / len(rows), f"own time of {cell}")  # one span a trace and service
        assert cell["errors"] == sum(map(is_error, rows)), cell
        own_errors = cell["errors"] if cell["service"] == "cart" else 0
        assert cell["own_errors"] == own_errors, cell
    assert len(found["services_by_type"]) == 12, found["services_by_type"]


def check_thresholds(found, maker):
    for name, rows in (("threshold_on_span_duration", maker.rows),
                       ("threshold_on_trace_duration", [r for r in maker.rows if not r["parent_span_id"]])):
        pairs = [[], []]
        for r in rows:
            pairs[held_out(r["trace_id"])].append((r["duration_ns"], r["anomaly_type"] != "none"))
        got = found[name]
        assert (got["training"], got["held_out"]) == (len(pairs[0]), len(pairs[1])), got
        near(got["roc_auc"], auc(*zip(*pairs[1])), name + " auc")
        best = max(f1_of(pairs[0], d) for d, _ in pairs[0])
        near(f1_of(pairs[0], got["threshold_ns"] * (1 - 1e-7)), best, name + " threshold")
        near(got["f1"], f1_of(pairs[1], got["threshold_ns"] * (1 - 1e-7)), name + " f1")
        near(got["always_f1"], f1_of(pairs[1], 0), name + " always")


def check_columns(found, maker):
    """http_target has five values, all frequent: a row scores the share of anomalous rows that its path had in training."""
    share = {}
    for path in {r["http_target"] for r in maker.rows}:
        rows = [r["anomaly_type"] != "none" for r in maker.rows if r["http_target"] == path and not held_out(r["trace_id"])]
        share[path] = sum(rows) / len(rows)
    rows = [r for r in maker.rows if held_out(r["trace_id"])]
    got = next(c for c in found["single_columns"] if c["column"] == "http_target")
    near(got["roc_auc"], auc([share[r["http_target"]] for r in rows], [r["anomaly_type"] != "none" for r in rows]), "http_target")
    described = {c["name"]: c for c in found["columns"]}
    assert list(described) == COLUMNS
    for name in COLUMNS:
        values = [str(r[name]) for r in maker.rows if str(r[name])]
        near(described[name]["filled"], len(values) / len(maker.rows), name)
        if described[name]["distinct_is_exact"]:
            assert described[name]["distinct"] == len(set(values)), described[name]
        else:
            near(described[name]["distinct"], len(set(values)), name, 0.1)
    assert described["duration_ns"]["min"] == min(r["duration_ns"] for r in maker.rows)
    assert described["duration_ns"]["max"] == max(r["duration_ns"] for r in maker.rows)


def figures_are_those_of_another_implementation():
    maker = usual_run()
    with tempfile.TemporaryDirectory() as d:
        for faults in ({}, {"latency": "db", "errors": "cart"}):  # guessed right, and named
            found = report(dataset(d, maker.rows, run_json={"faults": faults}))
            assert all(t["fault"]["guessed"] == (not faults) for t in found["types"][1:]), found["types"]
            check_types(found, maker)
            check_fault(found, maker, "latency", "db", "CLIENT")
            check_fault(found, maker, "errors", "cart", "SERVER")
        check_own_times(found, maker)
        check_thresholds(found, maker)
        check_columns(found, maker)
        roots = [r for r in maker.rows if not r["parent_span_id"]]
        time = auc([r["start_time_ns"] for r in roots], [r["anomaly_type"] != "none" for r in roots])
        near(found["time_roc_auc"], max(time, 1 - time), "time", 1e-4)
        assert found["held_out_traces"] == sum(held_out(r["trace_id"]) for r in roots)
        assert found["services_without_evidence"] == ["web", "cart", "db"], found["services_without_evidence"]
        assert found["verdict"] == "pass" and not found["types_alternate"], [c for c in found["checks"] if c["verdict"] != "pass"]
        assert len(found["blocks"]) == 13 and all(b["traces"] == 40 for b in found["blocks"])


# ---- checks ----


def only(rows, keep):
    return [r for r in rows if keep(r)]


def change(rows, which, **values):
    return [{**r, **{k: v(r) if callable(v) else v for k, v in values.items()}} if which(r) else r for r in rows]


def anomalous(row):
    return row["anomaly_type"] != "none"


def everything(_):
    return True


def some(row, share=20):
    return int(row["trace_id"], 16) % share == 0


def wrong_data():
    """(what is wrong, rows, check, verdict)"""
    usual = usual_run().rows
    late = Maker(2)
    for i, type_ in enumerate(["none", "none", "none", "errors", "latency"]):
        late.block(20 * i, type_)
    weak = change(usual, lambda r: r["anomaly_type"] == "errors", span_status="UNSET", http_status_code="200")
    yield "nobody labelled", change(usual, everything, label_source="none", anomaly_type="none"), "labels", "fail"
    yield "a third labelled", change(usual, lambda r: int(r["trace_id"], 16) % 3, label_source="none"), "labels", "fail"
    yield "some not labelled", change(usual, some, label_source="none"), "labels", "warn"
    yield "one class", only(usual, anomalous), "classes", "fail"
    yield "a rare type", usual + change(only(usual, lambda r: r["trace_id"] == usual[0]["trace_id"]), everything, trace_id="f" * 32, anomaly_type="rare"), "classes", "warn"
    yield "two types in a trace", change(usual, lambda r: some(r) and r["service_name"] == "db", anomaly_type="other"), "consistent", "warn"
    yield "a fault that does not show", weak, "faults", "warn"
    yield "no fault that shows", only(weak, lambda r: r["anomaly_type"] != "latency"), "faults", "fail"
    yield "no repeats", late.rows, "repeats", "warn"
    yield "one after the other", late.rows, "time", "warn"
    yield "an agent for each class", change(usual, anomalous, user_agent="chaos/1"), "leaks", "warn"
    yield "a path for one type", change(usual, lambda r: r["anomaly_type"] == "latency", http_target="/slow"), "leaks", "warn"
    yield "one threshold does it", change(usual, lambda r: anomalous(r) and not r["parent_span_id"], end_time_ns=lambda r: r["end_time_ns"] + 10**11), "trivial", "warn"
    yield "bystanders", change(usual, lambda r: some(r) and not anomalous(r), anomaly_active="latency"), "bystanders", "warn"
    yield "lost parents", only(usual, lambda r: not (some(r) and r["service_name"] == "web")), "traces", "warn"
    yield "most parents lost", only(usual, lambda r: r["service_name"] != "web" or some(r)), "traces", "fail"
    yield "spans twice", usual + only(usual, some), "duplicates", "warn"
    yield "a clock that is off", change(usual, lambda r: r["service_name"] == "cart", start_time_ns=lambda r: r["start_time_ns"] - 300 * SECOND,
                                        end_time_ns=lambda r: r["end_time_ns"] - 300 * SECOND), "clocks", "warn"
    yield "an end before its start", change(usual, some, end_time_ns=lambda r: r["start_time_ns"] - 1), "clocks", "warn"


def each_check_finds_what_is_wrong():
    for what, rows, name, verdict in wrong_data():
        with tempfile.TemporaryDirectory() as d:
            found = report(dataset(d, rows))
        assert check_of(found, name)["verdict"] == verdict, (what, check_of(found, name))
        assert found["verdict"] in (verdict, "fail"), (what, found["verdict"])


def files_without_a_manifest_are_told():
    rows = usual_run().rows
    with tempfile.TemporaryDirectory() as d:
        found = check_of(report(dataset(d, rows, manifest=None)), "files")
        assert found["verdict"] == "warn" and found["finding"].startswith("1 of 1 file is in no manifest") and "Copy manifest_" in found["advice"], found
        alone = check_of(report(d + "/traces_labeled_20250821_100000.csv"), "files")
        assert alone["verdict"] == "unknown" and "by itself" in alone["finding"], alone
        dataset(d, rows)
        write_csv(d + "/traces_labeled_20250821_110000.csv", COLUMNS, [])
        found = check_of(report(d), "files")
        assert found["verdict"] == "warn" and found["finding"].startswith("1 of 2 files is in no manifest"), found


def the_newest_set_is_compared_under_its_short_names():
    """latest/ has traces_labeled.csv beside manifest.json, which names the file with its stamp."""
    with tempfile.TemporaryDirectory() as d:
        dataset(d, usual_run().rows, manifest="manifest.json")
        os.rename(d + "/traces_labeled_20250821_100000.csv", d + "/traces_labeled.csv")
        found = check_of(report(d), "files")
        assert found["verdict"] == "pass" and "1 file in 1 set:" in found["finding"], found
        with open(d + "/traces_labeled.csv", "a", encoding="utf-8") as f:
            f.write("," * (len(COLUMNS) - 1) + "\n")
        assert check_of(report(d), "files")["verdict"] == "fail"


def a_directory_may_be_named_like_a_pattern():
    rows = usual_run().rows
    with tempfile.TemporaryDirectory() as d:
        dataset(d + "/x", rows)  # what the pattern would find
        for name in ("run [x]", "*", "a?b", "back\\slash"):
            found = report(dataset(f"{d}/{name}", rows[:400]))
            assert found["spans"] == 400 and check_of(found, "files")["verdict"] == "pass", (name, found["spans"], check_of(found, "files"))
        found = report(f"{d}/run [x]/traces_labeled_20250821_100000.csv")
        assert found["spans"] == 400


def rows_that_are_unknown_are_not_called_normal():
    rows = change(usual_run().rows, everything, label_source="none", anomaly_type="unknown", anomaly_label="unknown")
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, rows))
    labels, classes = check_of(found, "labels"), check_of(found, "classes")
    assert labels["verdict"] == "fail" and f"0 are called normal, 0 anomalous, {len(rows):,} unknown" in labels["finding"], labels
    assert classes["verdict"] == "fail" and "no class at all" in classes["finding"] and f"{len(rows):,} unknown" in classes["finding"], classes


def log_records_without_labels_are_told():
    rows = usual_run().rows
    logs = [dict(timestamp="", service_name="web", trace_id=r["trace_id"], body="b", anomaly_type="none", label_source="none") for r in rows[:50]]
    half = [{**r, "label_source": "trace"} if i % 2 else r for i, r in enumerate(logs)]
    bare = change(rows, everything, label_source="none")
    with tempfile.TemporaryDirectory() as d:
        none = check_of(report(dataset(d + "/none", rows, logs=logs)), "logs")
        assert none["verdict"] == "warn" and "None of 50 log records" in none["finding"] and "dataset extract" in none["advice"], none
        some_of_them = check_of(report(dataset(d + "/half", rows, logs=half)), "logs")
        assert some_of_them["verdict"] == "pass" and "25 of 50 log records" in some_of_them["finding"], some_of_them
        for found in (report(dataset(d + "/bare", bare, logs=logs)), report(dataset(d + "/no", rows))):
            assert all(c["id"] != "logs" for c in found["checks"]), found["checks"]


def a_clock_that_is_off_does_not_hide_the_fault():
    maker = usual_run()
    off = change(maker.rows, lambda r: r["service_name"] == "db", start_time_ns=lambda r: r["start_time_ns"] + 300 * SECOND,
                 end_time_ns=lambda r: r["end_time_ns"] + 300 * SECOND)
    with tempfile.TemporaryDirectory() as d:
        check_fault(report(dataset(d, off)), maker, "latency", "db", "CLIENT")


def leaks_are_named():
    rows = change(usual_run().rows, anomalous, user_agent="chaos/1")
    rows = change(rows, lambda r: r["anomaly_type"] == "latency", http_target="/slow")
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, rows))
        assert {(x["column"], x.get("type")) for x in found["leaks"]} == {("user_agent", None), ("http_target", "latency")}, found["leaks"]
        assert all(x["roc_auc"] > 0.99 for x in found["leaks"])


def alternating_types_have_eighths_for_blocks():
    maker = Maker()
    for i in range(1600):
        maker.trace(START + i * SECOND // 4, ("none", "latency", "errors")[maker.random.randrange(3)])
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, maker.rows))
    fault = next(t for t in found["types"] if t["type"] == "latency")["fault"]
    assert found["types_alternate"] and fault["log_ratio_of_medians"]["blocks"] == 8, fault
    assert fault["log_ratio_of_medians"]["low"] > math.log(3), fault


# ---- what is missing ----


def orphans_have_a_cause():
    usual = usual_run().rows
    own = change(usual, lambda r: r["service_name"] == "db", service_name="cart")
    ids = sorted({r["trace_id"] for r in usual})
    cases = (
        # web lost spans: its children are server spans of cart, whose usual caller it is
        (only(usual, lambda r: not (some(r) and r["service_name"] == "web")), "web", "caller"),
        # cart lost spans: what it called has no parent
        (only(usual, lambda r: not (some(r) and r["service_name"] == "cart")), "cart", "caller"),
        # the same where the call is a span of cart
        (only(own, lambda r: not (some(r) and r["span_kind"] == "SERVER" and r["service_name"] == "cart")), "cart", "lost"),
        # the load test sends no spans at all
        (only(usual, lambda r: r["service_name"] != "k6"), "web", "entry"),
        # somebody between k6 and cart who never sends any
        (only(usual, lambda r: r["service_name"] != "web"), "cart", "stranger"),
    )
    for rows, service, cause in cases:
        with tempfile.TemporaryDirectory() as d:
            found = report(dataset(d, rows))
        missing = len(ids) if cause in ("entry", "stranger") else sum(int(i, 16) % 20 == 0 for i in ids)
        got = found["orphans_by_service"]
        assert [(o["service"], o["cause"], o["children"], o["missing_parents"]) for o in got] == [(service, cause, missing, missing)], got
        assert f"`{service}`" in got[0]["reason"] and "name a parent that is not here" in got[0]["reason"] or cause == "entry", got


def metric(service, name, value, attributes, temporality="cumulative", start="1"):
    row = dict.fromkeys(METRIC_COLUMNS, "")
    row.update(service_name=service, metric_name=name, value=value, attributes=json.dumps(attributes), temporality=temporality, start_time_ns=start,
               resource_attributes="{}", label_source="none")
    return row


def losses_that_sdks_report_are_told():
    metrics = [metric("cart", "otel.sdk.processor.span.processed", v, {"error.type": "queue_full"}) for v in (3, 12)]
    metrics += [metric("shipping", "processedSpans", 5, {"dropped": True}), metric("shipping", "processedSpans", 100, {"dropped": False})]
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, usual_run().rows, metrics))
        losses = {s["service"]: s["spans"] for s in found["sdk_losses"]}
        assert losses == {"cart": {"passed": 0, "dropped": 12, "failed": 0}, "shipping": {"passed": 100, "dropped": 5, "failed": 0}}, losses
        assert check_of(found, "sdk")["verdict"] == "warn" and "17 spans dropped" in check_of(found, "sdk")["finding"]
        assert check_of(report(dataset(d + "/quiet", usual_run().rows)), "sdk")["verdict"] == "unknown"


def bystanders_are_counted_by_what_was_active():
    rows = change(usual_run().rows, lambda r: some(r) and not anomalous(r), anomaly_active="latency")
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, rows))
    n = sum(r["anomaly_active"] == "latency" for r in rows)
    assert n > 0 and found["bystanders"] == n and found["bystanders_by_active_type"] == {"latency": n}, found["bystanders"]


# ---- run.json ----


def run_json_is_shown_and_a_bad_one_told():
    rows = usual_run().rows
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, rows, run_json={"seed": 7, "k6": "v1.8.1", "machine": {"cores": 8, "deep": {"er": [1, 2]}}}))
        assert {"name": "machine.cores", "value": "8"} in found["sources"] and {"name": "machine.deep.er", "value": "[1,2]"} in found["sources"]
        for text in ("{", "[]", '{"a":1,"a":2}', "x" * (2 << 20), "{" * 5000):
            dataset(d, rows, run_json=text)
            page = run("dataset", "report", d).stdout.decode()
            assert "run.json is no JSON object" in page, text[:20]


def a_run_that_went_wrong_is_told():
    rows = usual_run().rows
    counts = {service: sum(r["service_name"] == service for r in rows) for service in ("web", "cart", "db")}
    cases = (
        ({"result": "done", "died": {}, "spans": counts}, "pass", "pass", "all are here"),
        ({"result": "interrupted", "died": {}, "spans": {**counts, "cart": counts["cart"] + 7}}, "warn", "warn", "cart ended 527 and has 520 here"),
        ({"result": "done", "died": {"web": 1}, "spans": {"gone": 3, "odd": "x", "less": -1}}, "warn", "warn", "gone ended 3 and has 0 here"),
    )
    with tempfile.TemporaryDirectory() as d:
        for run_json, ended, counted, words in cases:
            found = report(dataset(d, rows, run_json=run_json))
            assert check_of(found, "run")["verdict"] == ended, found["checks"]
            assert check_of(found, "counted")["verdict"] == counted and words in check_of(found, "counted")["finding"], check_of(found, "counted")


# ---- the page ----


class Page(html.parser.HTMLParser):
    """Fails on tags that do not close, and on anything that would load or run something."""

    EMPTY = {"meta", "br", "wbr", "img", "link", "input", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], set(), []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        assert tag not in ("script", "img", "link", "iframe", "object", "embed", "form", "base"), tag
        for name, value in attrs.items():
            assert not name.startswith("on") and name not in ("src", "srcset"), (tag, name)
            assert name != "href" or value.startswith("#"), value
            assert name == "content" or "url(" not in (value or ""), value
        if tag not in self.EMPTY:
            self.open.append(tag)
        self.seen.add(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:], self.getpos())
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def read_page(path):
    with open(path, encoding="utf-8") as f:
        content = f.read()
    page = Page()
    page.feed(content)
    page.close()
    assert not page.open, page.open
    assert "@import" not in content and "http://" not in content.replace("http://www.w3.org/2000/svg", ""), "loads something"
    return page, " ".join(page.text)


HOSTILE = ["<script>alert(1)</script>", "../../etc/passwd", "a\nb\r\nc", "x" * 300, "é" * 200, "\"quoted\", 'too' & more", "\x1b[31mred", " ",
           "\u202eevil", "</style><img src=x onerror=alert(1)>", "%s%n%d"]


def the_page_needs_nothing_and_escapes_everything():
    with tempfile.TemporaryDirectory() as d:
        run("dataset", "report", dataset(d, usual_run().rows, run_json={"seed": 7}), "--html", d + "/r.html")
        page, text = read_page(d + "/r.html")
        assert {"svg", "table", "h1", "dl", "nav"} <= page.seen, page.seen
        for words in ("Fit to train on", "Did the faults show?", "latency in db", "Data dictionary", "Datasheet", "server_port", "seed 7"):
            assert words in text, words
        rows = change(usual_run().rows, everything, service_name=lambda r: HOSTILE[int(r["trace_id"], 16) % 11], span_name=HOSTILE[0],
                      http_target=HOSTILE[9], user_agent=HOSTILE[6])
        rows = change(rows, anomalous, anomaly_type=lambda r: HOSTILE[int(r["trace_id"], 16) % 7])
        where = d + "/<b>\"&h"
        run("dataset", "report", dataset(where, rows, run_json={"<b>": HOSTILE[0], "faults": {HOSTILE[0]: HOSTILE[1]}}), "--html", d + "/h.html")
        _, text = read_page(d + "/h.html")
        assert HOSTILE[0] in text and HOSTILE[1] in text
        printed = run("dataset", "report", where).stdout.decode()
        assert "\x1b" not in printed and "a\nb" not in printed and "x" * 100 not in printed
        assert set(report(where)["by_type"]) == {"none"} | {r["anomaly_type"] for r in rows if anomalous(r)}


def a_hundred_thousand_types_are_bounded():
    maker = Maker()
    for i in range(50_000):
        for k in (0, 1):
            maker.span("%032x" % (i + 1), k + 1, k, "s", "SERVER", START + i * 1000, 1000 + i, f"type-{2 * i + k}" if i % 2 else "often")
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, maker.rows))
        assert found["by_type"]["often"] == 50_000 and len(found["by_type"]) == 1001 and sum(found["by_type"].values()) == 100_000
        assert [t["type"] for t in found["types"]][1] == "often" and found["types"][-1]["type"] == "(other types)", found["types"][-1]
        assert sum(t["spans"] for t in found["types"]) == 100_000 and len(found["types"]) == 26
        run("dataset", "report", d, "--html", d + "/r.html")
        assert os.path.getsize(d + "/r.html") < 1 << 20


def a_page_that_cannot_be_written_is_told():
    with tempfile.TemporaryDirectory() as d:
        done = run("dataset", "report", dataset(d, usual_run().rows), "--html", d + "/none/r.html", check=False)
        assert done.returncode == 1 and "none/r.html" in done.stderr.decode(), done


def an_empty_file_has_a_report():
    with tempfile.TemporaryDirectory() as d:
        found = report(dataset(d, []), "--html", d + "/r.html")
        assert found["spans"] == 0 and found["types"][0]["durations"]["median"] is None, found["types"]
        read_page(d + "/r.html")


if __name__ == "__main__":
    figures_are_those_of_another_implementation()
    each_check_finds_what_is_wrong()
    files_without_a_manifest_are_told()
    the_newest_set_is_compared_under_its_short_names()
    a_directory_may_be_named_like_a_pattern()
    rows_that_are_unknown_are_not_called_normal()
    log_records_without_labels_are_told()
    a_clock_that_is_off_does_not_hide_the_fault()
    leaks_are_named()
    alternating_types_have_eighths_for_blocks()
    orphans_have_a_cause()
    losses_that_sdks_report_are_told()
    bystanders_are_counted_by_what_was_active()
    run_json_is_shown_and_a_bad_one_told()
    a_run_that_went_wrong_is_told()
    the_page_needs_nothing_and_escapes_everything()
    a_hundred_thousand_types_are_bounded()
    a_page_that_cannot_be_written_is_told()
    an_empty_file_has_a_report()
