# SPDX-License-Identifier: Apache-2.0
"""train: what it learns from, that labels do not matter, that the same data give the same bytes, that memory is bounded."""

from tables import csv_text, gzip, in_folder, json, os, random, refused, run, sample, subprocess, telltale, write

SPANS = ["timestamp", "start_time_ns", "duration_ms", "service_name", "trace_id", "span_id", "http_status_code", "anomaly_type",
         "anomaly_label", "label_source", "http_request_header_x_anomaly_type", "baggage_user", "self_time", "flag", "label",
         "anomaly_score"]


def spans(seed, count=600):
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        kind = rng.choice(["none", "none", "cpu", "net"])
        rows.append(["2026-08-21T10:00:00Z", 1755770400000000000 + i, f"{rng.lognormvariate(1, 1):.3f}", rng.choice(["cart", "pay"]),
                     f"{rng.getrandbits(128):032x}", rng.getrandbits(40), rng.choice([200, 200, 404, 500]), kind,
                     "normal" if kind == "none" else kind, rng.choice(["header", "trace"]), kind, rng.randint(0, 9), f"{rng.random():.4f}",
                     rng.choice(["true", "false"]), int(kind != "none"), f"{rng.random():.5f}"])
    return rows


def shuffled_labels(rows, seed):
    """The same rows; each label column's cells are dealt anew."""
    rng = random.Random(seed)
    columns = [list(column) for column in zip(*rows)]
    for name in ["anomaly_type", "anomaly_label", "label_source", "http_request_header_x_anomaly_type", "baggage_user", "trace_id", "span_id",
                 "label", "anomaly_score"]:
        rng.shuffle(columns[SPANS.index(name)])
    return [list(row) for row in zip(*columns)]


def features_are_what_is_left():
    write("d.csv", csv_text(SPANS, spans(1)))
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--json")[0])
    assert out["features"] == ["duration_ms", "http_status_code", "self_time", "flag"], out["features"]
    assert out["rows"] == out["sampled_rows"] == 600 and out["rejected_rows"] == 0
    why = out["left_out"]
    assert set(why) == set(SPANS) - set(out["features"]), why
    assert why["trace_id"] == why["span_id"] == "is an id" and "label" in why["anomaly_type"] and why["timestamp"] == "is a time"
    assert "header" in why["http_request_header_x_anomaly_type"] and why["service_name"].startswith("is text")
    model = json.load(open("m.json"))
    assert [f["name"] for f in model["features"]] == out["features"] and model["trained_rows"] == 600
    text = run("train", "--data", "d.csv", "--out", "m.json")[0]
    assert "learnt from: duration_ms http_status_code self_time flag" in text and "not learnt from: trace_id is an id" in text


def labels_do_not_change_a_byte():
    rows = spans(2)
    write("a.csv", csv_text(SPANS, rows))
    write("b.csv", csv_text(SPANS, shuffled_labels(rows, 3)))
    assert open("a.csv").read() != open("b.csv").read()
    run("train", "--data", "a.csv", "--out", "a.json")
    run("train", "--data", "b.csv", "--out", "b.json")
    assert open("a.json").read() == open("b.json").read()
    changed = [row[:2] + [str(float(row[2]) + 1)] + row[3:] for row in rows]
    write("c.csv", csv_text(SPANS, changed))
    run("train", "--data", "c.csv", "--out", "c.json")
    assert open("a.json").read() != open("c.json").read()


def forbidden_columns_are_refused_with_a_reason():
    write("d.csv", csv_text(SPANS, spans(1, 50)))
    for name, reason in [("anomaly_type", "is a label or a score"), ("label_source", "is a label"), ("trace_id", "is an id"),
                         ("start_time_ns", "is a time"), ("http_request_header_x_anomaly_type", "is a captured label header"),
                         ("baggage_user", "is baggage")]:
        refused("train", "--data", "d.csv", "--out", "m.json", "--columns", f"duration_ms,{name}", code=2, because=f'"{name}" {reason}')
    refused("train", "--data", "d.csv", "--out", "m.json", "--columns", "service_name", because='"service_name" is text ("')
    refused("train", "--data", "d.csv", "--out", "m.json", "--columns", "duration", code=2, because='there is no column "duration"')
    refused("train", "--data", "d.csv", "--out", "m.json", "--exclude", "nothing", code=2, because='there is no column "nothing"')
    assert not os.path.exists("m.json")
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--json", "--columns", "self_time", "--columns=duration_ms")[0])
    assert out["features"] == ["duration_ms", "self_time"]
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--json", "--exclude", "self_time,flag")[0])
    assert out["features"] == ["duration_ms", "http_status_code"]


def a_number_in_two_units_is_learnt_from_once():
    rows = [[str(i * 1000), str(i / 1000), str(i % 7), str(i % 7 * 1024), str(i % 5), "", str(i), str(i % 3)] for i in range(200)]
    names = ["duration_ns", "duration_ms", "body.size.kib", "body_size_bytes", "wait_ms", "idle_us", "idle_s", "queue_size"]
    write("d.csv", csv_text(names, rows))
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--json")[0])
    assert out["features"] == ["duration_ns", "body.size.kib", "wait_ms", "idle_s", "queue_size"], out["features"]
    assert out["left_out"] == {"duration_ms": "is duration_ns in another unit", "body_size_bytes": "is body.size.kib in another unit",
                               "idle_us": "has no value"}, out["left_out"]
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--json", "--exclude", "duration_ns,body.size.kib")[0])
    assert out["features"][:2] == ["duration_ms", "body_size_bytes"], out["features"]
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--json", "--columns", "duration_ms,duration_ns")[0])
    assert out["features"] == ["duration_ns", "duration_ms"], "asked for by name"


def the_same_data_give_the_same_bytes():
    header, rows = sample(5000)
    write("d.csv", csv_text(header, rows))
    write("d2.csv.gz", csv_text(header, rows))
    # The same rows, columns in another order in the second file, quotes everywhere in the third.
    write("h1.csv", csv_text(header, rows[:3000]))
    write("h2.csv", csv_text(header[::-1], [row[::-1] for row in rows[3000:]]))
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in [header] + rows)
    write("q.csv", "\ufeff" + quoted)
    for i, files in enumerate([["d.csv"], ["d.csv"], ["d2.csv.gz"], ["h1.csv", "h2.csv"], ["q.csv"]]):
        run("train", "--max-rows", "1000", "--data", *files, "--out", f"{i}.json")
    models = {open(f"{i}.json").read() for i in range(5)}
    assert len(models) == 1, len(models)
    run("train", "--max-rows", "1000", "--seed", "2", "--data", "d.csv", "--out", "other.json")
    assert open("other.json").read() not in models


def options_reach_the_model():
    header, rows = sample(1000)
    write("d.csv", csv_text(header, rows))
    out = json.loads(run("train", "--data", "d.csv", "--out", "m.json", "--trees", "7", "--sample", "64", "--max-depth", "3", "--score",
                         "depth", "--threshold", "0.7", "--seed", "9", "--json")[0])
    model = json.load(open("m.json"))
    options = model["options"]
    assert (options["trees"], options["sample"], options["max_depth"], options["score"]) == (7, 64, 3, "depth"), options
    assert model["seed"] == "9" and abs(out["threshold"] - 0.7) < 1e-6 and model["trained_at"].startswith("2023-11-14T22:13:20")
    for option, value in [("--trees", "0"), ("--trees", "5000"), ("--sample", "1"), ("--max-depth", "65"), ("--threshold", "0"),
                          ("--threshold", "1.5"), ("--threshold", "nan"), ("--contamination", "0.7"), ("--score", "best"), ("--max-rows", "1"),
                          ("--seed", "-1"), ("--trees", "99999999999")]:
        run("train", "--data", "d.csv", "--out", "m2.json", option, value, code=2)
    run("train", "--data", "d.csv", "--out", "m2.json", "--threshold", "0.5", "--contamination", "0.1", code=2)
    run("train", "--out", "m2.json", code=2)
    run("train", "--data", "d.csv", code=2)
    assert not os.path.exists("m2.json")


def contamination_is_the_share_over_the_threshold():
    header, rows = sample(4000)
    write("d.csv", csv_text(header, rows))
    for share in ["0.01", "0.05", "0.2"]:
        run("train", "--data", "d.csv", "--out", "m.json", "--contamination", share)
        out = json.loads(run("score", "--model", "m.json", "--data", "d.csv", "--out", "s.csv", "--json")[0])
        assert 0.7 * float(share) < out["anomalies"] / 4000 <= 1.2 * float(share), (share, out)


def memory_does_not_grow_with_the_file():
    peaks = []
    block = "\n".join(f"{i % 97},{i * 7 % 1009 / 7:.5f},{i % 13}" for i in range(200000)) + "\n"
    for repeat in [1, 20]:
        with open("big.csv", "w") as file:
            file.write("a,b,c\n" + block * repeat)
        before = "import resource,subprocess,sys;subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL);"
        peak = subprocess.run(["python3", "-c", before + "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", telltale.binary(),
                               "train", "--data", "big.csv", "--out", "m.json"], capture_output=True, text=True, check=True, timeout=240)
        peaks.append(int(peak.stdout))
    # The instrumented builds of this test keep freed memory for a while.
    assert peaks[1] < 1.3 * peaks[0] + 8192, peaks


def a_failed_training_leaves_the_old_model():
    header, rows = sample(500)
    write("d.csv", csv_text(header, rows))
    run("train", "--data", "d.csv", "--out", "m.json")
    old = open("m.json").read()
    packed = gzip.compress(csv_text(header, rows).encode())
    write("cut.csv", packed[: len(packed) // 2])
    refused("train", "--data", "d.csv", "cut.csv", "--out", "m.json", because="cut.csv: read: the compressed data end too early")
    refused("train", "--data", "d.csv", "--out", "/nonexistent/m.json", because="/nonexistent/m.json")
    assert open("m.json").read() == old and sorted(os.listdir(".")) == ["cut.csv", "d.csv", "m.json"], os.listdir(".")


for test in [features_are_what_is_left, labels_do_not_change_a_byte, forbidden_columns_are_refused_with_a_reason,
             a_number_in_two_units_is_learnt_from_once, the_same_data_give_the_same_bytes, options_reach_the_model, contamination_is_the_share_over_the_threshold,
             memory_does_not_grow_with_the_file, a_failed_training_leaves_the_old_model]:
    in_folder(test)
