#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forecasts 1 and 12 steps ahead beside seasonal naive and statsmodels' ETS (when it is installed).

    bench_forecast.py build/bench/tests/bench/bench_forecast [NAB folder] [--no-ets]

Judges the second half of each series. MASE: mean absolute error over that of seasonal naive on the first half. Interval score: of the 95 %
bounds, over the same scale. ETS (additive, damped trend, one season, heuristic initialisation) is fitted on the first half, then its
recursion runs on with these parameters; its bounds are 1.96 standard deviations of its errors at that horizon on the first half.
"""
import csv
import datetime
import glob
import math
import random
import subprocess
import sys

try:
    import numpy
    from statsmodels.tsa.holtwinters import ExponentialSmoothing
except ImportError:
    ExponentialSmoothing = None

HORIZONS = (1, 12)
PHI_DEFAULT = 0.98


def nab_series(folder):
    for path in sorted(glob.glob(folder + "/data/*/*.csv")):
        with open(path, encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        times = [datetime.datetime.fromisoformat(row[0]).timestamp() for row in rows]
        step = max(1.0, sorted(b - a for a, b in zip(times, times[1:]))[len(times) // 2])
        day = round(86400 / step)
        week = 7 * day if len(rows) >= 21 * day else 0
        yield "nab/" + path.rsplit("/", 1)[1][:-4], day if day > 1 else 0, week, [float(r[1]) for r in rows]


def generated_series(count):
    rng = random.Random(1)
    for k in range(count):
        level, values = 0.0, []
        for i in range(24 * 7 * 12):
            level += rng.gauss(0, 0.05)
            day = 10 * math.sin(2 * math.pi * i / 24) * (1 if k % 2 else 0.3)
            week = (5 if i // 24 % 7 < 5 else -5) if k % 4 > 1 else 0
            values.append(50 + level + day + week + rng.gauss(0, 1 + k % 3))
        yield f"generated/{k}", 24, 168, values


def run_ours(program, series):
    text = "".join(
        f"{name} {day} {week} {len(v)} {len(v) // 2}\n" + "".join(f"{x!r}\n" for x in v) for name, day, week, v in series)
    out = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        name, horizon, _, mae, c80, c95, _, s95, us = line.split()
        found[name, int(horizon)] = [float(mae), float(s95), float(c80), float(c95), float(us)]
    return found


def interval_score(error, half, alpha=0.05):
    return 2 * half + 2 / alpha * max(0.0, abs(error) - half)


def naive_errors(values, season, horizon, start, end):
    back = season * math.ceil(horizon / season)
    return [values[i] - values[i - back] for i in range(max(start, back), end)]


def ets_errors(values, season):
    """Errors of every h-step forecast, by horizon: (index of the target, error)."""
    half = len(values) // 2
    seasonal = season > 1 and half >= 2 * season
    fit = ExponentialSmoothing(
        numpy.array(values[:half]), trend="add", damped_trend=True, seasonal="add" if seasonal else None,
        seasonal_periods=season if seasonal else None, initialization_method="heuristic").fit()
    p = fit.params
    level, trend = p["initial_level"], p["initial_trend"]
    phi = p["damping_trend"] if not math.isnan(p["damping_trend"]) else PHI_DEFAULT
    seasons = list(p["initial_seasons"]) if seasonal else [0.0]
    alpha, beta = p["smoothing_level"], p["smoothing_trend"]
    gamma = p["smoothing_seasonal"] if seasonal else 0.0
    m = len(seasons)
    errors = {h: [] for h in HORIZONS}
    for i, y in enumerate(values):
        old, s = level, seasons[i % m]
        level = alpha * (y - s) + (1 - alpha) * (level + phi * trend)
        trend = beta * (level - old) + (1 - beta) * phi * trend
        if seasonal:
            seasons[i % m] = gamma * (y - old - phi * trend) + (1 - gamma) * s
        for h in HORIZONS:
            if i + h < len(values):
                ahead = level + trend * sum(phi ** k for k in range(1, h + 1)) + seasons[(i + h) % m]
                errors[h].append((i + h, values[i + h] - ahead))
    return errors


def judge(errors, half):
    """Mean absolute error and interval score on the second half; the spread is that of the first."""
    first = [e for i, e in errors if i < half]
    second = [e for i, e in errors if i >= half]
    spread = 1.96 * math.sqrt(sum(e * e for e in first) / max(1, len(first)))
    inside = sum(abs(e) <= spread for e in second) / len(second)
    return (sum(map(abs, second)) / len(second), sum(interval_score(e, spread) for e in second) / len(second), inside)


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    with_ets = ExponentialSmoothing is not None and "--no-ets" not in sys.argv
    series = list(generated_series(40)) + (list(nab_series(arguments[1])) if len(arguments) > 1 else [])
    ours = run_ours(arguments[0], series)
    table = {}
    for name, day, week, values in series:
        half, season = len(values) // 2, day or 1
        scale = naive_errors(values, season, 1, 0, half)
        scale = sum(map(abs, scale)) / len(scale)
        ets = ets_errors(values, season) if with_ets and scale > 0 else None
        for h in HORIZONS:
            mae, s95, c80, c95, us = ours[name, h]
            row = {"held 80": abs(c80 - 0.8) <= 0.03, "held 95": abs(c95 - 0.95) <= 0.03, "us": us}
            if scale > 0:
                naive = judge([(i, e) for i, e in enumerate(naive_errors(values, season, h, season, len(values)),
                                                            season * math.ceil(h / season))], half)
                row.update({"MASE": mae / scale, "score": s95 / scale, "naive MASE": naive[0] / scale,
                            "naive score": naive[1] / scale})
                if ets:
                    mae, score, inside = judge(ets[h], half)
                    row.update({"ETS MASE": mae / scale, "ETS score": score / scale, "ETS held 95": abs(inside - 0.95) <= 0.03})
            table.setdefault((name.split("/")[0], h), []).append(row)
    if not with_ets:
        print("statsmodels is not installed or not asked for: no ETS")
    for (group, h), rows in sorted(table.items()):
        print(f"{group}, {h} steps ahead, {len(rows)} series")
        for key in ("MASE", "naive MASE", "ETS MASE", "score", "naive score", "ETS score"):
            found = sorted(row[key] for row in rows if key in row)
            if found:
                print(f"  {key:12} mean {sum(found) / len(found):7.3f}  median {found[len(found) // 2]:7.3f}")
        for key in ("held 80", "held 95", "ETS held 95"):
            found = [row[key] for row in rows if key in row]
            if found:
                print(f"  {key:12} within 3 points on {sum(found)} of {len(found)}")
        print(f"  us a point   {sum(row['us'] for row in rows) / len(rows):.2f}")
    for h in HORIZONS:
        for key in ("held 80", "held 95"):
            found = [row[key] for (_, steps), rows in table.items() if steps == h for row in rows]
            print(f"all series, {h} steps ahead, {key}: within 3 points on {100 * sum(found) / len(found):.1f} % of {len(found)} (goal 95)")


if __name__ == "__main__":
    main()
