#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quality of the isolation forest on outlier sets, beside scikit-learn's IsolationForest in the same run.

usage: forest_quality.py [--bench build/bench/tests/bench/bench_forest] [--data DIR] [--seeds N] [--parity N] [--no-sklearn]

DIR holds <name>.csv.gz (f0..fn,label; 1 = anomaly) and, if it is there, baseline.csv (dataset,…,sklearn_roc_auc,
sklearn_average_precision). For each set: ROC AUC and average precision of the forest as it is by default, of the streaming forest
(rows shuffled, scored before they are learnt, one pass), and of scikit-learn. --parity N: with exact thresholds, no gates and the
paper's score, N seeds on each side. Needs numpy; scikit-learn is left out with a word when it is not installed:

    python3 -m venv build/venv && build/venv/bin/pip install numpy scikit-learn
"""

import argparse
import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time

PARITY = ["exact=1", "gates=0", "metric=1"]


def say(text):
    print(text, flush=True)


def skip(why):
    say(f"skipped: {why}")
    sys.exit(0)


def load(path):
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2)
    return table[:, :-1].astype(np.float32), table[:, -1].astype(np.uint8)


def ours(bench, verb, folder, columns, settings):
    command = [bench, verb, f"{folder}/x", f"{folder}/y", str(columns), *settings]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def sklearn_figures(x, y, seeds):
    scores = []
    start = time.perf_counter()
    for seed in range(seeds):
        forest = IsolationForest(n_estimators=100, max_samples=min(256, len(x)), random_state=seed).fit(x)
        score = -forest.score_samples(x)
        scores.append((roc_auc_score(y, score), average_precision_score(y, score)))
    return np.mean(scores, axis=0), (time.perf_counter() - start) / seeds


def report(name, rows):
    """Means over the sets, and the standard error of the mean difference to the first."""
    say(f"\n{name}: {len(rows)} sets")
    table = np.array(rows)
    for column, title in enumerate(["ROC AUC", "average precision"]):
        ours_column, theirs = table[:, 0, column], table[:, 1, column]
        difference = ours_column - theirs
        error = difference.std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else float("nan")
        say(f"  {title}: {ours_column.mean():.4f} against {theirs.mean():.4f}: {difference.mean():+.4f} (standard error {error:.4f})")


def measure(name, options, sklearn_seeds, baseline, results):
    x, y = load(f"{options.data}/{name}.csv.gz")
    with tempfile.TemporaryDirectory() as folder:
        x.tofile(f"{folder}/x")
        y.tofile(f"{folder}/y")
        columns = x.shape[1]
        batch = ours(options.bench, "quality", folder, columns, [f"seeds={options.seeds}"])
        stream = ours(options.bench, "stream", folder, columns, [f"seeds={options.seeds}"])
        figures = [(r["roc_auc"], r["average_precision"]) for r in (batch, stream)]
        line = f"{name:20s} forest {figures[0][0]:.4f} {figures[0][1]:.4f}  stream {figures[1][0]:.4f} {figures[1][1]:.4f}"
        results["stream"].append((figures[1], figures[0]))
        if name in baseline:
            line += f"  baseline {baseline[name][0]:.4f} {baseline[name][1]:.4f}"
            line += "  LOSES 0.05" if figures[0][0] < baseline[name][0] - 0.05 else ""
            results["baseline"].append((figures[0], baseline[name]))
        if sklearn_seeds:
            theirs, _ = sklearn_figures(x, y, sklearn_seeds)
            line += f"  scikit-learn {theirs[0]:.4f} {theirs[1]:.4f}"
            results["sklearn"].append((figures[0], tuple(theirs)))
            if options.parity:
                same = ours(options.bench, "quality", folder, columns, [f"seeds={options.parity}", *PARITY])
                line += f"  like scikit-learn {same['roc_auc']:.4f} {same['average_precision']:.4f}"
                results["parity"].append(((same["roc_auc"], same["average_precision"]), tuple(theirs)))
        say(line)


def speed_of_sklearn():
    random = np.random.default_rng(7)
    x = random.normal(size=(16384, 16)).astype(np.float32)
    forest = IsolationForest(n_estimators=100, max_samples=256, random_state=0).fit(x)
    start = time.perf_counter()
    forest.score_samples(x)
    bulk = (time.perf_counter() - start) / len(x)
    start = time.perf_counter()
    for row in x[:20]:
        forest.score_samples(row[None])
    single = (time.perf_counter() - start) / 20
    say(f"scikit-learn, 16 columns: {bulk * 1e9:.0f} ns a row of 16,384, {single * 1e6:.0f} us for a row alone")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", default="build/bench/tests/bench/bench_forest")
    parser.add_argument("--data", default="../shared/data/adbench")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--parity", type=int, default=0)
    parser.add_argument("--no-sklearn", action="store_true")
    options = parser.parse_args()
    if not os.path.isdir(options.data):
        skip(f"no data in {options.data}")
    if not os.path.exists(options.bench):
        skip(f"{options.bench} is not built (cmake --preset bench)")
    if not options.no_sklearn and IsolationForest is None:
        say("scikit-learn is not installed: without it")
        options.no_sklearn = True
    baseline = {}
    if os.path.exists(f"{options.data}/baseline.csv"):
        with open(f"{options.data}/baseline.csv", newline="") as file:
            baseline = {
                row["dataset"]: (float(row["sklearn_roc_auc"]), float(row["sklearn_average_precision"]))
                for row in csv.DictReader(file)
            }
    seeds = 0 if options.no_sklearn else options.parity or options.seeds
    results = {"baseline": [], "sklearn": [], "parity": [], "stream": []}
    for file in sorted(os.listdir(options.data)):
        if file.endswith(".csv.gz"):
            measure(file[: -len(".csv.gz")], options, seeds, baseline, results)
    for key, title in [
        ("baseline", f"forest ({options.seeds} seeds) against baseline.csv"),
        ("sklearn", f"forest against scikit-learn in this run ({seeds} seeds)"),
        ("parity", f"exact thresholds, no gates, the paper's score against scikit-learn ({options.parity} seeds each)"),
        ("stream", "streaming forest against the batch forest"),
    ]:
        if results[key]:
            report(title, results[key])
    if not options.no_sklearn:
        speed_of_sklearn()


try:
    import numpy as np
except ImportError:
    skip("numpy is not installed")
try:
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import average_precision_score, roc_auc_score
except ImportError:
    IsolationForest = None

if __name__ == "__main__":
    main()
