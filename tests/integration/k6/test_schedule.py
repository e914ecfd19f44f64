# SPDX-License-Identifier: Apache-2.0
"""What k6/labelled.js runs when: the plan (as `k6 inspect` shows it) for every option, and that a run keeps to it."""
import collections
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import SCRIPT, k6, load, shop  # noqa: E402

ANOMALIES = ["latency_spike", "db_exhaustion", "cpu_saturation", "cache_miss", "dependency_bottleneck", "timeout", "error_spike"]
THRESHOLD = 99


def plan(**variables):
    command = [k6(), "inspect"]
    for name, value in variables.items():
        command += ["-e", f"{name}={value}"]
    done = subprocess.run([*command, SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    shown = json.loads(done.stdout)
    return shown["ext"]["telltale"], shown["scenarios"]


def spans_of(blocks):
    return [(b["name"], b["start"], b["end"]) for b in blocks]


def the_classic_timeline():
    blocks = plan(ORDER="timeline")[0]["blocks"]
    names = ["baseline", *ANOMALIES]
    starts = [120 * i for i in range(8)]
    assert spans_of(blocks) == [(n, s, s + (60 if n == "error_spike" else 120)) for n, s in zip(names, starts)], blocks
    print("ok: timeline: baseline 0-2 min, six faults of 2 min, error_spike 1 min")


def shuffled_by_default():
    planned, scenarios = plan()
    blocks = planned["blocks"]
    counts = collections.Counter(b["name"] for b in blocks)
    assert counts == {"baseline": 22, **dict.fromkeys(ANOMALIES, 3)}, counts
    assert all(b["name"] == "baseline" for b in blocks[::2]) and all(b["name"] != "baseline" for b in blocks[1::2])
    assert blocks[0]["start"] == 45  # 30 s of warm-up, 15 s of rest
    assert all(later["start"] - earlier["end"] == 15 for earlier, later in zip(blocks, blocks[1:]))
    assert all(b["end"] - b["start"] == 30 for b in blocks)
    for i in range(3):  # each fault once in each round: drift touches all of them
        assert {b["name"] for b in blocks[1 + 14 * i:15 + 14 * i:2]} == set(ANOMALIES), i
    assert scenarios["warm_up"]["exec"] == "warmUp" and scenarios["warm_up"]["startTime"] == "0s", scenarios["warm_up"]
    assert all(s["gracefulStop"] == "30s" for name, s in scenarios.items() if name != "label_windows")
    assert {s["startRate"] for name, s in scenarios.items() if name != "label_windows"} == {240}  # 4 a second, everywhere
    assert spans_of(plan(SEED="1")[0]["blocks"]) == spans_of(blocks) != spans_of(plan(SEED="2")[0]["blocks"])
    print(f"ok: shuffled: {len(blocks)} blocks in {blocks[-1]['end'] / 60:.0f} min, gaps of 15 s, repeated by the seed")


def every_option_counts():
    planned, scenarios = plan(DURATION="40s", BASELINE_DURATION="20s", GAP="5s", WARM_UP="0s", REPEATS="4", ANOMALY_RATE="7", BASELINE_RATE="2",
                              RAMP_DURATION="10s", SCENARIOS="timeout,cache_miss")
    blocks = planned["blocks"]
    assert "warm_up" not in scenarios and blocks[0]["start"] == 0
    assert collections.Counter(b["name"] for b in blocks) == {"baseline": 9, "timeout": 4, "cache_miss": 4}, blocks
    assert {(b["name"] == "baseline", b["end"] - b["start"]) for b in blocks} == {(True, 20), (False, 40)}
    assert all(later["start"] - earlier["end"] == 5 for earlier, later in zip(blocks, blocks[1:]))
    fault, base = scenarios["timeout_1"], scenarios["baseline_1"]
    assert fault["startRate"] == 42 and [(s["duration"], s["target"]) for s in fault["stages"]] == [("10s", 420), ("30s", 420)], fault
    assert base["startRate"] == 12 and [(s["duration"], s["target"]) for s in base["stages"]] == [("10s", 120), ("10s", 120)], base
    classic = plan(ORDER="timeline", DURATION="10s", BASELINE_DURATION="30s")[0]["blocks"]
    assert classic[0]["end"] == 30 and classic[1]["end"] == 40 and classic[-1]["end"] == 95, classic
    print("ok: DURATION, BASELINE_DURATION, GAP, WARM_UP, REPEATS, ANOMALY_RATE, BASELINE_RATE, RAMP_DURATION, SCENARIOS")


def a_run_keeps_to_it():
    """Baseline 4 s, fault 8 s of which 6 s ramp from 2 to 20 a second, baseline 4 s; gaps of 2 s; a warm-up that is not sampled."""
    with shop() as (url, seen):
        ended, _, log = load(BASE_URL=url, DURATION="8s", BASELINE_DURATION="4s", RAMP_DURATION="6s", GAP="2s", WARM_UP="2s", ANOMALY_RATE="20")
    assert ended == 0 and not log, (ended, log)
    warm = [h for _, h in seen if h["Traceparent"].endswith("-00")]
    assert warm and not any("X-Anomaly-Type" in h or "Baggage" in h for h in warm), warm[:1]
    fault = [h["at"] for _, h in seen if h.get("X-Anomaly-Type") == "latency_spike"]
    base = [h["at"] for _, h in seen if h.get("X-Anomaly-Type") == "none"]
    before, after = [t for t in base if t < fault[0]], [t for t in base if t > fault[-1]]
    assert 1.5 < fault[0] - before[-1] < 3 and 1.5 < after[0] - fault[-1] < 3, (fault[0] - before[-1], after[0] - fault[-1])
    begin = fault[-1] - 8
    early, late = sum(t < begin + 2 for t in fault), sum(t >= begin + 6 for t in fault)
    assert 90 <= len(fault) <= 120 and early <= 14 and 34 <= late <= 44, (len(fault), early, late)
    assert 6 < fault[-1] - fault[0] < 8.5, fault[-1] - fault[0]
    print(f"ok: {len(fault)} requests of a ramp to 20 a second: {early} in its first 2 s, {late} in its last; pauses kept; {len(warm)} unsampled to warm up")


def the_mix_is_the_same_in_all():
    """Of what is asked for, shares differ by chance only."""
    with shop() as (url, seen):
        ended, _, _ = load(BASE_URL=url, DURATION="3s", ANOMALY_RATE="100")
    assert ended == 0
    mixes = collections.defaultdict(collections.Counter)
    for path, headers in seen:
        mixes[headers["X-Anomaly-Type"]][path.split("?")[0].split("/")[2]] += 1
    for kind, mix in mixes.items():
        total = sum(mix.values())
        assert set(mix) == {"products", "product", "cart", "shipping", "checkout"} and all(0.13 < n / total < 0.27 for n in mix.values()), (kind, mix)
    print("ok: the same mix of journeys in " + ", ".join(f"{kind} ({sum(mix.values())} requests)" for kind, mix in mixes.items()))


def a_shop_that_fails_at_baseline_fails_the_run():
    with shop(status=500) as (url, _):
        ended, out, log = load(BASE_URL=url)
    assert ended == THRESHOLD and any("http_req_failed{anomaly:baseline}" in line for line in log), (ended, out, log)
    print("ok: a shop that fails at baseline fails the run")


def main():
    the_classic_timeline()
    shuffled_by_default()
    every_option_counts()
    a_run_keeps_to_it()
    the_mix_is_the_same_in_all()
    a_shop_that_fails_at_baseline_fails_the_run()


if __name__ == "__main__":
    main()
