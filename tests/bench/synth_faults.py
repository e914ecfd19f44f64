#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which faults the series detector finds: every fault of `telltale synth` on every baseline, over some seeds.

    tests/bench/synth_faults.py build/bench/telltale [--seeds 5]

A window is found when an alarm is inside, at the one threshold that is best for all series of a seed (as NAB chooses it).
"""

import argparse
import collections
import json
import re
import subprocess
import tempfile

BASELINES = ("flat", "daily", "weekly", "trend", "bursty")
ROW = re.compile(r"\s+(\w+)/\w+?_([\w-]+)\.csv\s+(\d+)\s+(\d+) of (\d+)\s+(\d+)")


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def judge(telltale, directory, tier, counts):
    args = ("evaluate", "nab", "--data", directory + "/data", "--labels", directory + "/labels/combined_windows.json", "--precision", tier)
    for line in run(telltale, *args).splitlines():
        row = ROW.match(line)
        if row:
            counts[row[2]][0] += int(row[4])
            counts[row[2]][1] += int(row[5])
            counts[row[2]][2] += int(row[6])
            counts[row[2]][3] += int(row[3])
    return json.loads(run(telltale, *args, "--json"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("telltale")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    counts = {tier: collections.defaultdict(lambda: [0] * 4) for tier in ("full", "light")}
    scores = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as work:
        for seed in range(1, options.seeds + 1):
            corpus = f"{work}/{seed}"
            chosen = [word for name in BASELINES for word in ("--baseline", name)]
            run(options.telltale, "synth", "--output", corpus, "--seed", str(seed), *chosen)
            for tier in counts:
                scores[tier].append(judge(options.telltale, corpus, tier, counts[tier])["standard"])
    print(f"{'fault':<16}{'full: found':>14}{'false/10,000':>14}{'light: found':>14}{'false/10,000':>14}")
    for fault in sorted(counts["full"], key=lambda f: -counts["full"][f][0] / max(counts["full"][f][1], 1)):
        line = f"{fault:<16}"
        for tier in ("full", "light"):
            found, windows, false, points = counts[tier][fault]
            share = f"{100 * found / windows:.0f} %" if windows else "-"
            line += f"{share:>14}{1e4 * false / points:>14.1f}"
        print(line)
    for tier, found in scores.items():
        print(f"{tier}: standard score {sum(found) / len(found):.1f}, from {min(found):.1f} to {max(found):.1f} over {len(found)} seeds")


if __name__ == "__main__":
    main()
