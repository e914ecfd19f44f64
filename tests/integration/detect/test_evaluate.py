# SPDX-License-Identifier: Apache-2.0
"""evaluate outliers and evaluate labels: their measures are those of the definitions, by row, by type and by whole trace."""

import xml.etree.ElementTree

from tables import average_precision, close, csv_text, in_folder, json, os, random, refused, roc_auc, rows_of, run, sample, telltale, write

DATA = os.path.join(telltale.ROOT, "..", "shared", "data", "adbench")


def evaluate(*arguments):
    return json.loads(run("evaluate", *arguments, "--json")[0])


def measures_are_those_of_train_and_score():
    header, rows = sample(1500)
    write("d.csv", csv_text(header, rows))
    labels = [row[-1] for row in rows]
    aucs, precisions = [], []
    for seed in range(1, 4):
        run("train", "--data", "d.csv", "--out", "m.json", "--seed", str(seed))
        run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv")
        scores = [float(row["anomaly_score"]) for row in rows_of("s.csv")]
        aucs.append(roc_auc(scores, labels))
        precisions.append(average_precision(scores, labels))
        if seed == 1:
            flagged = [row["anomaly_is_anomaly"] == "true" for row in rows_of("s.csv")]
    out = evaluate("outliers", "--data", "d.csv", "--label-column", "label", "--seeds", "3")
    close(out["roc_auc"], sum(aucs) / 3)
    close(out["average_precision"], sum(precisions) / 3)
    assert out["ns_per_score"] > 0 and out["rows"] == 1500 and out["features"] == 6 and out["seeds"] == 3
    first = out["first_seed"]
    assert first["true_positives"] == sum(f and y for f, y in zip(flagged, labels)) and first["false_positives"] == sum(
        f and not y for f, y in zip(flagged, labels))
    assert sum(first[k] for k in ["true_positives", "false_positives", "true_negatives", "false_negatives"]) == 1500
    assert sum(b["normal"] + b["anomalous"] for b in out["histogram"]) == 1500
    text = run("evaluate", "outliers", "--data", "d.csv")[0]
    assert f"ROC AUC              {out['roc_auc']:.4f}" in text and "greatest F1" in text


def a_label_by_any_name_is_no_feature():
    header, rows = sample(600)
    named = [row[:-1] + ["bad" if row[-1] else "none"] for row in rows]
    write("d.csv", csv_text(header, rows))
    write("named.csv.gz", csv_text(header[:-1] + ["verdict"], named))
    write("numbers.csv", csv_text(header[:-1] + ["target"], rows))
    a = evaluate("outliers", "--data", "d.csv")
    b = evaluate("outliers", "--data", "named.csv.gz", "--label-column", "verdict")
    c = evaluate("outliers", "--data", "numbers.csv", "--label-column", "target")
    assert a["roc_auc"] == b["roc_auc"] == c["roc_auc"] and c["features"] == 6
    refused("evaluate", "outliers", "--data", "d.csv", "--label-column", "none", because='has no column "none" for the label')
    refused("evaluate", "outliers", "--data", "numbers.csv", "--label-column", "target", "--columns", "f0,target", code=2,
            because='"target" is the label')
    refused("evaluate", "outliers", because="needs --data", code=2)
    refused("evaluate", "outliers", "--data", "d.csv", "--seeds", "0", because="--seeds", code=2)


def one_class_has_no_measures():
    header, rows = sample(200)
    for value in [0, 1]:
        write("d.csv", csv_text(header, [row[:-1] + [value] for row in rows]))
        out = evaluate("outliers", "--data", "d.csv")
        assert out["roc_auc"] is None and out["average_precision"] is None or value == 1 and out["roc_auc"] is None, out
        run("evaluate", "outliers", "--data", "d.csv", "--plot", "p.svg")


def pictures_stand_alone():
    header, rows = sample(800)
    write("d.csv", csv_text(header, rows))
    run("evaluate", "outliers", "--data", "d.csv", "--plot", "p.svg")
    root = xml.etree.ElementTree.parse("p.svg").getroot()
    assert root.tag.endswith("svg")
    text = open("p.svg").read()
    assert "ROC AUC" in text and "href" not in text and "url(http" not in text and "<script" not in text
    refused("evaluate", "outliers", "--data", "d.csv", "--plot", "/nonexistent/p.svg", because="/nonexistent/p.svg")


def published_sets_are_no_worse_than_published():
    """Mean over the small sets of the folder, when it is there: a wide margin, since three seeds tell little."""
    if not os.path.isdir(DATA):
        print("no outlier sets here: left out")
        return
    with open(os.path.join(DATA, "baseline.csv")) as file:
        lines = [line.strip().split(",") for line in file][1:]
    differences = []
    for name, rows, _, _, auc, _ in lines:
        if int(rows) <= 2500:
            out = evaluate("outliers", "--data", os.path.join(DATA, name + ".csv.gz"), "--seeds", "3")
            assert out["rows"] == int(rows), (name, out["rows"])
            differences.append(out["roc_auc"] - float(auc))
    assert sum(differences) / len(differences) > -0.03, differences


# ---- labels ----


def dataset(seed):
    """Rows of traces that lie across two files; a score that sees only one span of an anomalous trace."""
    rng = random.Random(seed)
    rows = []
    for trace in range(400):
        kind = rng.choice(["none", "none", "none", "normal", "", "cpu", "net", "unknown"])
        for span in range(rng.randint(1, 6)):
            score = rng.random() * 0.7 + (0.25 if span == 0 and kind in ("cpu", "net") else 0)
            rows.append([f"t{trace}", f"{trace}-{span}", kind, f"{score:.4f}" if rng.random() > 0.03 else "", f"{rng.random():.3f}"])
    rng.shuffle(rows)
    return ["trace_id", "span_id", "anomaly_type", "anomaly_score", "other_anomaly_score"], rows


def as_score(text):
    return float(text) if text else -1.0


def check_judged(judged, scores, labels):
    assert judged["anomalous"] == sum(labels) and judged["normal"] == len(labels) - sum(labels), judged
    close(judged["roc_auc"], roc_auc(scores, labels))
    close(judged["average_precision"], average_precision(scores, labels))
    alarms = [s >= judged["threshold"] - 1e-6 for s in scores]
    assert judged["true_positives"] == sum(a and y for a, y in zip(alarms, labels))
    assert judged["false_positives"] == sum(a and not y for a, y in zip(alarms, labels))


def rows_types_and_traces_are_judged():
    header, rows = dataset(1)
    os.mkdir("set")
    half = len(rows) // 2
    write("set/traces_labeled_20260101_000000.csv", csv_text(header, rows[:half]))
    write("set/traces_labeled_20260102_000000.csv", csv_text(header, rows[half:]))
    write("set/traces_cpu_20260101_000000.csv", csv_text(header, rows[:10]))
    write("set/traces_labeled_20260103_000000.csv.partial", csv_text(header, rows[:10]))
    out = evaluate("labels", "set")
    known = [row for row in rows if row[2] != "unknown"]
    assert out["files"] == 2 and out["rows"] == len(known) and out["unknown_rows"] == len(rows) - len(known)
    assert [s["column"] for s in out["scores"]] == ["anomaly_score", "other_anomaly_score"]
    for index, judged in enumerate(out["scores"]):
        column = 3 + index
        traces = {}
        for row in known:
            label, score = traces.get(row[0], (row[2], -1.0))
            traces[row[0]] = (label, max(score, as_score(row[column])))
        units = {"rows": [(row[2], as_score(row[column])) for row in known], "traces": list(traces.values())}
        assert out["traces"] == len(traces) and judged["unscored_rows"] == sum(row[column] == "" for row in known)
        for what, found in units.items():
            check_judged(judged[what], [s for _, s in found], [label in ("cpu", "net") for label, _ in found])
            for kind in ["cpu", "net"]:
                some = [(label, s) for label, s in found if label in (kind, "none", "normal", "")]
                check_judged(judged[what]["by_type"][kind], [s for _, s in some], [label == kind for label, _ in some])
    assert evaluate("labels", "--data", "set") == out
    text = run("evaluate", "labels", "set")[0]
    assert "by row" in text and "by trace" in text and "cpu" in text and f"{len(known)} rows" in text
    out = evaluate("labels", "set", "--threshold", "0.5", "--score", "other_anomaly_score")
    assert len(out["scores"]) == 1 and out["scores"][0]["rows"]["threshold"] == 0.5


def a_trace_is_judged_once_however_many_rows_it_has():
    rows = [["a", "cpu", 0.9]] + [["b", "none", 0.1]] * 5 + [["c", "none", 0.5]] * 500 + [["d", "net", 0.3]]
    write("d.csv", csv_text(["trace_id", "anomaly_type", "anomaly_score"], rows))
    out = evaluate("labels", "d.csv")
    assert out["traces"] == 4 and out["scores"][0]["traces"]["anomalous"] == 2
    close(out["scores"][0]["traces"]["roc_auc"], 3 / 4)
    close(out["scores"][0]["rows"]["roc_auc"], (505 + 5) / (2 * 505))


def labels_without_what_is_needed_are_refused():
    header, rows = dataset(2)
    os.mkdir("empty")
    write("d.csv", csv_text(header, rows))
    write("bare.csv", csv_text(["a", "anomaly_type"], [[1, "cpu"]]))
    refused("evaluate", "labels", "empty", because="empty: no traces_labeled_*.csv here")
    refused("evaluate", "labels", "bare.csv", because="no column that ends with anomaly_score")
    refused("evaluate", "labels", "d.csv", "--score", "x", because='has no column "x"')
    refused("evaluate", "labels", "d.csv", "--type-column", "x", because='has no column "x" with the label')
    refused("evaluate", "labels", "d.csv", "--trace-column", "x", because='has no column "x" with the trace')
    run("evaluate", "labels", code=2)
    write("text.csv", csv_text(["anomaly_type", "anomaly_score"], [["cpu", 0.5], ["none", "high"], ["none", 0.1]]))
    out, err = run("evaluate", "labels", "text.csv", "--json")
    assert 'text.csv:3: "high" in column "anomaly_score" is no number; 1 such rows have no score' in err
    assert json.loads(out)["scores"][0]["unscored_rows"] == 1 and json.loads(out)["scores"][0]["rows"]["roc_auc"] == 1
    out = evaluate("labels", "bare.csv", "--score", "a")
    assert out["traces"] == 0 and out["scores"][0]["rows"]["roc_auc"] is None and "traces" not in out["scores"][0]


for test in [measures_are_those_of_train_and_score, a_label_by_any_name_is_no_feature, one_class_has_no_measures, pictures_stand_alone,
             published_sets_are_no_worse_than_published, rows_types_and_traces_are_judged, a_trace_is_judged_once_however_many_rows_it_has,
             labels_without_what_is_needed_are_refused]:
    in_folder(test)
