# SPDX-License-Identifier: Apache-2.0
"""evaluate series: what it prints, what it draws, and what it does with series as they come."""

import json
import math
import os
import random
import tempfile
import xml.etree.ElementTree as xml

from detection import points, run, write

SVG = "{http://www.w3.org/2000/svg}"
KEYS = ["timestamp", "value", "score", "level", "lower_band", "upper_band", "alarm", "reason"]


def series(count, start=1_700_000_000, step=300, spike=None, seed=1):
    """Lines of a daily wave with noise."""
    chance = random.Random(seed)
    lines = ["timestamp,value"]
    for i in range(count):
        value = 50 + 20 * math.sin(6.283185 * i * step / 86400) + chance.gauss(0, 1)
        lines.append(f"{start + i * step},{value + (60 if i == spike else 0):.4f}")
    return "\n".join(lines) + "\n"


def every_point_has_its_verdict(d):
    path = write(d + "/a.csv", series(2000, spike=1500))
    for tier in ("full", "light"):
        rows = points("--data", path, "--precision", tier)
        assert len(rows) == 2000
        assert all(list(r) == KEYS for r in rows)
        assert all(0 <= r["score"] <= 1 and r["lower_band"] <= r["level"] <= r["upper_band"] for r in rows[200:])
        assert rows[1500]["alarm"] and rows[1500]["score"] > 0.5 and rows[1500]["value"] > rows[1500]["upper_band"], rows[1500]
        assert rows[0]["reason"] == "warming_up" and rows[1400]["reason"] in ("judged", "known", "held")
    assert rows[0]["timestamp"] == "2023-11-14T22:13:20Z"


def a_score_depends_on_earlier_points_only(d):
    whole = points("--data", write(d + "/whole.csv", series(1200)))
    part = points("--data", write(d + "/part.csv", series(700)))
    assert whole[:700] == part


def gaps_missing_values_and_clocks_set_back_have_defined_results(d):
    lines = series(1000).splitlines()
    lines[500] = lines[500].split(",")[0] + ","
    lines[501] = lines[501].split(",")[0] + ",NaN"
    lines[600], lines[601] = lines[601], lines[600]
    lines.insert(700, lines[699])
    year = 1_700_000_000 + 1000 * 300 + 366 * 86400
    lines += [f"{year + i * 300},50" for i in range(200)]
    path = write(d + "/odd.csv", "\r\n".join(lines))
    rows = points("--data", path)
    assert len(rows) == 1201
    assert rows[499]["value"] is None and rows[499]["score"] == 0 and rows[499]["reason"] == "missing"
    assert rows[600]["reason"] == "late" and rows[699]["reason"] == "late"
    assert not any(r["alarm"] for r in rows if r["reason"] in ("late", "missing"))
    assert all(0 <= r["score"] <= 1 for r in rows)
    text = run("evaluate", "series", "--data", path, "--plot", d + "/odd.svg").stdout
    assert "2 without a number (not scored), 1 earlier than one before and 1 at the same time" in text, text
    # A year without points is drawn as a gap, not as a line.
    value = [p for p in xml.parse(d + "/odd.svg").iter(SVG + "path") if p.find(SVG + "title") is not None and p.find(SVG + "title").text == "value"]
    assert value[0].get("d").count("M") >= 3, value[0].get("d")[:200]


def files_without_points_are_empty_series(d):
    for text in ("", "timestamp,value\n"):
        path = write(d + "/empty.csv", text)
        assert points("--data", path) == []
        assert "0 points" in run("evaluate", "series", "--data", path, "--plot", d + "/empty.svg").stdout
        assert "no data" in open(d + "/empty.svg").read()


def hours_are_local(d):
    path = write(d + "/zone.csv", series(3000))
    here, there = points("--data", path), points("--data", path, "--timezone-offset", "+05:30")
    assert [r["timestamp"] for r in here] == [r["timestamp"] for r in there]
    assert [r["level"] for r in here] != [r["level"] for r in there]
    assert here == points("--data", path, "--timezone-offset", "Z")
    assert "write e.g. +02:00" in run("evaluate", "series", "--data", path, "--timezone-offset", "CET", code=2).stderr


def labelled_windows_are_shaded_and_counted(d):
    run("synth", "--output", d + "/s", "--anomaly", "crash-loop", "--anomaly", "none")
    data = d + "/s/data/daily/daily_crash-loop.csv"
    for windows in ("combined_windows.json", "windows.json"):
        picture = d + "/p.svg"
        text = run("evaluate", "series", "--data", data, "--windows", d + "/s/labels/" + windows, "--plot", picture).stdout
        assert "of 3 labelled windows have an alarm" in text, text
        shaded = [r for r in xml.parse(picture).iter(SVG + "rect") if r.get("class") == "tt-window"]
        assert len(shaded) == 2 * 3, len(shaded)
        assert len(open(picture).read()) < 400_000
        labelled = sum(p["label"] for p in points("--data", data, "--windows", d + "/s/labels/" + windows))
        if windows == "combined_windows.json":
            first = labelled
        assert labelled == first > 0
    text = run("evaluate", "series", "--data", d + "/s/data/daily/daily_none.csv", "--windows", d + "/s/labels/windows.json").stdout
    assert "no labelled window concerns this series" in text, text


def pictures_are_well_formed_whatever_the_file_is_called(d):
    name = d + "/<b>&\"'\x01\u202e.csv"
    write(name, series(300))
    run("evaluate", "series", "--data", name, "--plot", d + "/hostile.svg")
    root = xml.parse(d + "/hostile.svg").getroot()
    assert root.tag == SVG + "svg" and root.get("viewBox")
    text = open(d + "/hostile.svg").read()
    assert "<script" not in text and "href" not in text and "prefers-color-scheme" in text
    first = text
    run("evaluate", "series", "--data", name, "--plot", d + "/hostile.svg", env={**os.environ, "LC_ALL": "de_DE.UTF-8"})
    assert open(d + "/hostile.svg").read() == first


def what_is_wrong_is_said(d):
    good = write(d + "/good.csv", series(200))
    cases = (
        ((), "needs --data FILE", 2),
        (("--data", good, "--threshold", "0"), "threshold", 2),
        (("--data", d + "/none.csv"), "none.csv", 1),
        (("--data", write(d + "/bad.csv", "timestamp,value\n2024-01-01 00:00:00,1\n2024-01-01 00:05:00,one\n")), 'bad.csv:3: "one" is not a number', 1),
        (("--data", write(d + "/ragged.csv", "timestamp,value\n1,2\n1,2,3\n")), "ragged.csv:3: 3 cells, not 2", 1),
        (("--data", write(d + "/wide.csv", "timestamp,cpu,mem\n1,2,3\n")), "Name one of: timestamp, cpu, mem", 1),
        (("--data", write(d + "/cut.csv.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")), "cut.csv.gz", 1),
        (("--data", good, "--windows", write(d + "/w.json", "{")), "w.json", 1),
        (("--data", good, "--plot", "/proc/none/x.svg"), "/proc/none/x.svg", 1),
    )
    for args, message, code in cases:
        error = run("evaluate", "series", *args, code=code).stderr
        assert message in error and error.count("\n") == 1, (args, error)
    columns = write(d + "/columns.csv", "when,cpu,mem\n" + "".join(f"{i * 60},1,{i}\n" for i in range(5)))
    rows = points("--data", columns, "--time-column", "when", "--value-column", "mem")
    assert [r["value"] for r in rows] == [0, 1, 2, 3, 4]


def synth_is_reproducible_and_never_replaces_labels(d):
    for out in ("one", "two"):
        summary = json.loads(run("synth", "--output", f"{d}/{out}", "--seed", "9", "--points", "500", "--json").stdout)
        assert len(summary["files"]) == 13, summary
    for file in summary["files"]:
        assert open(f"{d}/one/{file['file']}").read() == open(f"{d}/two/{file['file']}").read()
    assert "is there already" in run("synth", "--output", d + "/one", code=1).stderr
    assert 'there is no "cpu"' in run("synth", "--output", d + "/three", "--anomaly", "cpu", code=2).stderr
    assert "cannot be seen" in run("synth", "--output", d + "/four", "--anomaly", "season-shift", "--baseline", "flat", code=1).stderr
    healthy = write(d + "/my series.csv", series(600))
    run("synth", "--output", d + "/five", "--anomaly", "stuck-value", "--baseline-file", healthy)
    made = open(d + "/five/data/my_series/my_series_stuck-value.csv").read().splitlines()
    assert len(made) == 601 and made[1].startswith("2023-11-14 22:13:20,"), made[:2]


with tempfile.TemporaryDirectory() as directory:
    for check in (
        every_point_has_its_verdict,
        a_score_depends_on_earlier_points_only,
        gaps_missing_values_and_clocks_set_back_have_defined_results,
        files_without_points_are_empty_series,
        hours_are_local,
        labelled_windows_are_shaded_and_counted,
        pictures_are_well_formed_whatever_the_file_is_called,
        what_is_wrong_is_said,
        synth_is_reproducible_and_never_replaces_labels,
    ):
        check(directory)
print("ok")
