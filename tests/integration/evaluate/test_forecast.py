# SPDX-License-Identifier: Apache-2.0
"""forecast: columns, horizons, bounds that keep their promise, and what cannot be forecast."""

import csv
import io
import json
import tempfile
import xml.dom.minidom

from detection import run, write


def rows(*args):
    return list(csv.DictReader(io.StringIO(run("forecast", *args).stdout)))


def columns_are_those_that_prophet_users_know(d):
    run("synth", "--output", d + "/s", "--anomaly", "none", "--baseline", "weekly", "--points", "8064")
    data = d + "/s/data/weekly/weekly_none.csv"
    found = rows("--data", data, "--horizon", "300", "--level", "80", "--plot", d + "/f.svg")
    assert list(found[0]) == ["ds", "y", "yhat", "yhat_lower", "yhat_upper"]
    assert len(found) == 8064 + 300
    past, future = found[:8064], found[8064:]
    with open(data, newline="") as f:
        assert [(r["ds"], r["y"]) for r in past] == [(g["timestamp"], g["value"]) for g in csv.DictReader(f)]
    assert past[0]["yhat"] == "" and all(r["yhat"] for r in past[1:])
    assert future[0]["ds"] == "2024-01-29 00:00:00" and future[-1]["ds"] == "2024-01-30 00:55:00", (future[0], future[-1])
    assert all(r["y"] == "" and float(r["yhat_lower"]) <= float(r["yhat"]) <= float(r["yhat_upper"]) for r in future)
    late = [r for r in past[4000:]]
    inside = sum(float(r["yhat_lower"]) <= float(r["y"]) <= float(r["yhat_upper"]) for r in late) / len(late)
    assert 0.76 < inside < 0.84, inside
    # Tomorrow's wave is known: its height is found at the right hour.
    truth = rows("--data", data)[8064 - 2016 : 8064 - 2016 + 288]  # the Monday before
    error = sum(abs(float(r["yhat"]) - float(t["y"])) for r, t in zip(future, truth)) / 288
    assert error < 4, error
    assert max(float(r["yhat_upper"]) - float(r["yhat_lower"]) for r in future) < 60
    xml.dom.minidom.parse(d + "/f.svg")
    lines = [json.loads(line) for line in run("forecast", "--data", data, "--horizon", "3", "--level", "80", "--json").stdout.splitlines()]
    assert list(lines[0]) == list(found[0]) and lines[0]["yhat"] is None and lines[0]["ds"].endswith("Z")
    assert len(lines) == 8067 and lines[-1]["y"] is None
    assert [lines[-1][k] for k in ("yhat", "yhat_upper")] == [float(future[2][k]) for k in ("yhat", "yhat_upper")]


def odd_series_have_defined_results(d):
    found = rows("--data", write(d + "/gap.csv", "ds,y\n0,1\n60,2\n120,\n180,3\n170,9\n100000000,4\n"), "--horizon", "2")
    assert len(found) == 8 and found[-1]["ds"].startswith("1973-03-03"), found[-1]
    assert found[5]["yhat"] == ""  # what was expected a year ago is no expectation of this point
    assert rows("--data", write(d + "/one.csv", "ds,y\n0,1\n"), "--step", "1m", "--horizon", "1")[-1]["yhat"] == "1"
    cases = (
        ((), "needs --data FILE", 2),
        (("--data", d + "/gap.csv", "--horizon", "0"), "--horizon: 1 to 4096 steps", 2),
        (("--data", d + "/gap.csv", "--level", "100"), "--level: 1 to 99.9 percent", 2),
        (("--data", d + "/one.csv"), "it needs two points, or --step", 1),
        (("--data", write(d + "/empty.csv", "")), "it needs two points, or --step", 1),
        (("--data", d + "/empty.csv", "--step", "1m"), "no points", 1),
        (("--data", write(d + "/bad.csv", "ds,y\n0,x\n")), 'bad.csv:2: "x" is not a number', 1),
    )
    for args, message, code in cases:
        error = run("forecast", *args, code=code).stderr
        assert message in error and error.count("\n") == 1, (args, error)


with tempfile.TemporaryDirectory() as directory:
    columns_are_those_that_prophet_users_know(directory)
    odd_series_have_defined_results(directory)
print("ok")
