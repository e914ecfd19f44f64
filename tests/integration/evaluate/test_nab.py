# SPDX-License-Identifier: Apache-2.0
"""evaluate nab on series made here; test_nab_published.py has the benchmark itself."""

import csv
import gzip
import json
import os
import tempfile
import xml.dom.minidom

from detection import nab, run, write

PROFILES = ("standard", "reward_low_FP_rate", "reward_low_FN_rate")


def synth(directory, *args):
    run("synth", "--output", directory, *args)
    return directory + "/data", directory + "/labels/combined_windows.json"


def faults_are_found_and_results_are_in_nabs_layout(d):
    data, labels = synth(d + "/s", "--anomaly", "crash-loop", "--anomaly", "flapping", "--anomaly", "none", "--baseline", "daily", "--baseline", "bursty")
    for tier in ("full", "light"):
        out = f"{d}/results-{tier}"
        answer = nab(data, labels, "--precision", tier, "--seed", "1", "--results", out, "--plot", out + ".svg")
        assert answer["precision"] == tier and answer["files"] == 6 and answer["windows"] == 12, answer
        assert all(isinstance(answer[p], float) for p in PROFILES), answer
        assert answer["standard"] > 50, answer
        xml.dom.minidom.parse(out + ".svg")
        with open(labels) as f:
            windows = json.load(f)
        for name in windows:
            folder, file = name.split("/")
            with open(f"{out}/{folder}/telltale_{file}", newline="") as f:
                rows = list(csv.DictReader(f))
            with open(f"{data}/{name}", newline="") as f:
                given = list(csv.DictReader(f))
            assert list(rows[0]) == ["timestamp", "value", "anomaly_score", "label"], rows[0]
            assert [r["timestamp"] for r in rows] == [g["timestamp"] for g in given], name
            assert [float(r["value"]) for r in rows] == [float(g["value"]) for g in given], name
            for r in rows:
                inside = any(w[0] <= r["timestamp"] + ".000000" <= w[1] for w in windows[name])
                assert int(r["label"]) == inside, (name, r)
    # What was written scores the same when it is read again, from a compressed file and in another order.
    path = f"{d}/given.csv.gz"
    with gzip.open(path, "wt") as f:
        f.write("file,row,score\n")
        for name in sorted(windows, reverse=True):
            folder, file = name.split("/")
            with open(f"{d}/results-light/{folder}/telltale_{file}", newline="") as g:
                for i, r in enumerate(csv.DictReader(g)):
                    f.write(f"{name},{i},{r['anomaly_score']}\n")
    again = nab(data, labels, "--scores", path)
    assert [again[p] for p in PROFILES] == [answer[p] for p in PROFILES], (again, answer)
    assert again["precision"] is None


def chance_is_seeded(d):
    data, labels = synth(d + "/seeded", "--anomaly", "cpu-spike")
    one, same, other = (nab(data, labels, "--seed", s) for s in ("5", "5", "6"))
    assert one == same
    assert one["standard_threshold"] != other["standard_threshold"]
    mean = nab(data, labels, "--seed", "5", "--seeds", "2")
    assert abs(mean["standard"] - (one["standard"] + other["standard"]) / 2) < 1e-9
    assert mean["standard_standard_error"] >= 0
    assert mean["standard_threshold"] == one["standard_threshold"]  # details are the first seed's


def what_is_wrong_is_said(d):
    data, labels = synth(d + "/wrong", "--anomaly", "cpu-spike", "--points", "400")
    cases = (
        (("--data", data), "needs --data DIR and --labels FILE", 2),
        (("--data", data, "--labels", labels, "--precision", "best"), "none of: light, full", 2),
        (("--data", data, "--labels", labels, "--threshold", "2"), "threshold", 2),
        (("--data", data, "--labels", labels, "--seeds", "0"), "--seeds: 1 to", 2),
        (("--data", d + "/none", "--labels", labels), "none of the 1 files", 1),
        (("--data", data, "--labels", d + "/none.json"), "none.json", 1),
        (("--data", data, "--labels", write(d + "/bad.json", '{"a": [[}')), "bad.json: 1:", 1),
        (("--data", data, "--labels", write(d + "/out.json", '{"daily/daily_cpu-spike.csv": [["2030-01-01 00:00:00", "2030-01-02 00:00:00"]]}')), "window", 1),
        (("--data", data, "--labels", labels, "--scores", write(d + "/s1.csv", "file,row\n")), "s1.csv:1: needs the columns", 1),
        (("--data", data, "--labels", labels, "--scores", write(d + "/s2.csv", "file,row,score\ndaily/daily_cpu-spike.csv,400,1\n")), "s2.csv:2: not a row", 1),
        (("--data", data, "--labels", labels, "--scores", write(d + "/s3.csv", "file,row,score\ndaily/daily_cpu-spike.csv,0,nan\n")), "s3.csv:2: not a score", 1),
        (("--data", data, "--labels", labels, "--scores", write(d + "/s4.csv", "file,row,score\n" + "daily/daily_cpu-spike.csv,0,1\n" * 2)), "s4.csv:3: row 0 of", 1),
        (("--data", data, "--labels", labels, "--scores", write(d + "/s5.csv", "file,row,score\n")), "no score for row 0", 1),
        (("--data", data, "--labels", labels, "--results", "/proc/none/x"), "/proc/none", 1),
    )
    for args, message, code in cases:
        error = run("evaluate", "nab", *args, code=code).stderr
        assert message in error and error.startswith("telltale: ") and error.count("\n") == 1, (args, error)
    write(data + "/daily/daily_cpu-spike.csv", "timestamp,value\n2024-01-01 00:00:00,1\nx,2\n")
    error = run("evaluate", "nab", "--data", data, "--labels", labels, code=1).stderr
    assert 'daily_cpu-spike.csv:3: "x" is not a time' in error, error


def files_that_do_not_exist_are_counted(d):
    data, labels = synth(d + "/missing", "--anomaly", "cpu-spike", "--anomaly", "flapping", "--points", "1000")
    os.remove(data + "/daily/daily_flapping.csv")
    answer = nab(data, labels)
    assert answer["files"] == 1 and answer["files_missing"] == 1, answer
    assert answer["threshold_of_other_categories"]["standard"] is None  # there is but one category
    text = run("evaluate", "nab", "--data", data, "--labels", labels).stdout
    assert "1 files (1 of the labels have none)" in text, text


with tempfile.TemporaryDirectory() as directory:
    faults_are_found_and_results_are_in_nabs_layout(directory)
    chance_is_seeded(directory)
    what_is_wrong_is_said(directory)
    files_that_do_not_exist_are_counted(directory)
print("ok")
