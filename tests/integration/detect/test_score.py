# SPDX-License-Identifier: Apache-2.0
"""score: rows as they were, in order, with scores, flags and reasons; models and data that do not fit are refused."""

from tables import close, csv, csv_text, in_folder, json, os, random, refused, roc_auc, rows_of, run, sample, write


def trained(count=2000, **more):
    header, rows = sample(count, **more)
    write("d.csv", csv_text(header, rows))
    run("train", "--data", "d.csv", "--out", "m.json", "--contamination", "0.04")
    return header, rows


def every_row_is_as_it_was():
    header, rows = trained(3000)
    rng = random.Random(5)
    texts = ["plain", "a,b", 'say "hi"', "two\nlines", " blank ", "", "ünï", "=1+1", "\x01"]
    wide = [[rng.choice(texts)] + row + [rng.choice(texts)] for row in rows]
    text = csv_text(["note, first"] + header + ['the "last"'], wide)
    write("wide.csv", text)
    out = json.loads(run("score", "--model", "m.json", "--data", "wide.csv", "--out", "s.csv", "--json")[0])
    with open("s.csv", newline="") as file:
        scored = list(csv.reader(file))
    assert scored[0] == ["note, first"] + header + ['the "last"', "anomaly_score", "anomaly_is_anomaly", "anomaly_top_feature", "anomaly_reasons"]
    assert [row[:-4] for row in scored[1:]] == [[str(cell) for cell in row] for row in wide]
    assert out["rows"] == 3000 and out["anomalies"] == sum(row[-3] == "true" for row in scored[1:])
    # As bytes: what was there is there, up to the comma before the score.
    assert all(line in open("s.csv", newline="").read() for line in text.split("\n")[1:200])
    # Whatever else is in the file, in whatever order: the same scores.
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "s2.csv")
    assert [row["anomaly_score"] for row in rows_of("s2.csv")] == [row[-4] for row in scored[1:]]
    write("back.csv", csv_text(header[::-1], [row[::-1] for row in rows]))
    run("score", "--model", "m.json", "--data", "back.csv", "--out", "s3.csv")
    assert [row["anomaly_score"] for row in rows_of("s3.csv")] == [row[-4] for row in scored[1:]]


def anomalies_are_found_and_explained():
    header, rows = trained()
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv")
    scored = rows_of("s.csv")
    assert roc_auc([float(r["anomaly_score"]) for r in scored], [row[-1] for row in rows]) > 0.99
    threshold = json.load(open("m.json"))["score"]["threshold"]
    for row in scored:
        score = float(row["anomaly_score"])
        assert 0 <= score <= 1
        if abs(score - threshold) > 1e-8:
            assert (row["anomaly_is_anomaly"] == "true") == (score >= threshold)
        assert (row["anomaly_top_feature"] != "") == (row["anomaly_is_anomaly"] == "true")
    hits = [row for row in scored if row["label"] == "1" and row["anomaly_is_anomaly"] == "true"]
    assert len(hits) > 40
    assert sum(row["anomaly_top_feature"] in ("f0", "f5") for row in hits) > 0.9 * len(hits)
    reasons = hits[0]["anomaly_reasons"].split("; ")
    assert reasons[0].startswith(hits[0]["anomaly_top_feature"] + " +") and len(reasons) <= 3
    values = [float(reason.split(" ")[1]) for reason in reasons]
    assert values == sorted(values, reverse=True) and values[-1] > 0


def thresholds_and_explanations_are_options():
    trained(500)
    out = json.loads(run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv", "--threshold", "0.000001", "--explain", "all", "--json")[0])
    assert out["anomalies"] == 500
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv", "--explain", "all")
    assert sum(row["anomaly_top_feature"] != "" for row in rows_of("s.csv")) > 100
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv", "--explain", "none")
    assert not any(row["anomaly_reasons"] for row in rows_of("s.csv"))
    text = run("score", "--model", "m.json", "--data", "d.csv", "--out", "-", "--explain", "none")[0]
    assert text == open("s.csv").read()
    for value in ["0", "-1", "1.01", "inf"]:
        run("score", "--model", "m.json", "--data", "d.csv", "--out", "x.csv", "--threshold", value, code=2)
    for missing in ["model", "data", "out"]:
        given = {"model": "m.json", "data": "d.csv", "out": "x.csv"}
        del given[missing]
        refused("score", *[part for name, value in given.items() for part in ("--" + name, value)], code=2, because=f"score needs --{missing}")


def a_prefix_scores_like_the_whole():
    header, rows = trained(1500)
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "whole.csv")
    for count in [1, 63, 1024, 1025]:
        write("part.csv", csv_text(header, rows[:count]))
        run("score", "--model", "m.json", "--data", "part.csv", "--out", "part_scored.csv")
        assert open("whole.csv").read().split("\n")[: count + 1] == open("part_scored.csv").read().split("\n")[: count + 1]


def other_data_are_refused():
    header, rows = trained(300)
    write("less.csv", csv_text(header[1:], [row[1:] for row in rows]))
    refused("score", "--model", "m.json", "--data", "less.csv", "--out", "s.csv", because='less.csv has not the columns that the model was trained on: "f0" is missing (1 of 6 are)')
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "once.csv")
    refused("score", "--model", "m.json", "--data", "once.csv", "--out", "s.csv", because="once.csv has a column anomaly_score already")
    write("text.csv", csv_text(header, [["high"] + row[1:] for row in rows]))
    refused("score", "--model", "m.json", "--data", "text.csv", "--out", "s.csv", because='text.csv:2: "high" in column "f0": the model was trained on numbers there')
    assert not os.path.exists("s.csv") and not [name for name in os.listdir(".") if "partial" in name]
    # One text among numbers is a gap, and told.
    mixed = [["high"] + rows[0][1:]] + rows[1:]
    write("mixed.csv", csv_text(header, mixed))
    err = run("score", "--model", "m.json", "--data", "mixed.csv", "--out", "s.csv")[1]
    assert 'mixed.csv:2: "high" in column "f0" is no number; 1 such cells count as missing' in err
    write("gap.csv", csv_text(header, [[""] + rows[0][1:]] + rows[1:]))
    run("score", "--model", "m.json", "--data", "gap.csv", "--out", "g.csv")
    assert [r["anomaly_score"] for r in rows_of("s.csv")] == [r["anomaly_score"] for r in rows_of("g.csv")]


def models_that_are_none_are_refused():
    header, _ = trained(300)
    model = json.load(open("m.json"))

    def broken(change, because):
        copy = json.loads(json.dumps(model))
        change(copy)
        write("bad.json", json.dumps(copy))
        refused("score", "--model", "bad.json", "--data", "d.csv", "--out", "s.csv", because=because)

    whole = open("m.json").read()
    for size in [0, 1, 100, len(whole) // 2, len(whole) - 3]:
        write("bad.json", whole[:size])
        refused("score", "--model", "bad.json", "--data", "d.csv", "--out", "s.csv", because="bad.json:")
    broken(lambda m: m.update(version=2), "version")
    broken(lambda m: m.update(format="other"), "format")
    broken(lambda m: m.update(schema="0" * 16), "schema")
    broken(lambda m: m["features"][0].update(name="other"), "schema")
    broken(lambda m: m["features"].pop(), "features")
    broken(lambda m: m["trees"][3].__delitem__(slice(1, None)), "tree 3")
    broken(lambda m: m["trees"][5][0].__setitem__(0, 77), "tree 5, node 0: column 77 of 6")
    broken(lambda m: m["trees"][5][0].__setitem__(1, 100000), "tree 5, node 0")
    broken(lambda m: m["score"].update(slope="steep"), "slope")
    refused("score", "--model", "none.json", "--data", "d.csv", "--out", "s.csv", because="none.json")
    refused("score", "--model", ".", "--data", "d.csv", "--out", "s.csv", because=".")
    assert not os.path.exists("s.csv")


def the_model_is_the_same_after_it_was_read():
    trained(400)
    run("score", "--model", "m.json", "--data", "d.csv", "--out", "a.csv")
    model = json.load(open("m.json"))
    write("again.json", json.dumps(model, indent=1, sort_keys=True))
    run("score", "--model", "again.json", "--data", "d.csv", "--out", "b.csv")
    assert open("a.csv").read() == open("b.csv").read()


def infinities_and_gaps_have_a_score():
    header, rows = trained(500)
    odd = [["nan"] * 6, ["inf"] * 6, ["-inf"] * 6, ["1e300"] * 6, [""] * 6, ["0"] * 6]
    write("odd.csv", csv_text(header[:6], odd))
    run("score", "--model", "m.json", "--data", "odd.csv", "--out", "s.csv")
    scores = [float(r["anomaly_score"]) for r in rows_of("s.csv")]
    assert all(0 <= s <= 1 for s in scores) and min(scores[:5]) > scores[5], scores
    close(scores[1], scores[3])
    close(scores[0], scores[4])


for test in [every_row_is_as_it_was, anomalies_are_found_and_explained, thresholds_and_explanations_are_options, a_prefix_scores_like_the_whole,
             other_data_are_refused, models_that_are_none_are_refused, the_model_is_the_same_after_it_was_read, infinities_and_gaps_have_a_score]:
    in_folder(test)
