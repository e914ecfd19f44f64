# SPDX-License-Identifier: Apache-2.0
"""What the tests of train, score and evaluate share: running commands, tables with anomalies in them, and measures by definition."""

import csv
import gzip
import io
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}


def run(*arguments, code=0, env=None, memory=None, **more):
    """Runs the command; its standard output and error as text. memory: most bytes of address space."""
    limit = (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) if memory else None
    done = subprocess.run([telltale.binary(), *map(str, arguments)], capture_output=True, text=True, timeout=240,
                          env={**os.environ, **EPOCH, **(env or {})}, preexec_fn=limit, **more)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}, expected {code}: {done.stdout[-500:]}{done.stderr[-2000:]}"
    return done.stdout, done.stderr


def refused(*arguments, code=1, because):
    """The command fails with one message that holds `because`, and writes nothing to standard output."""
    out, err = run(*arguments, code=code)
    assert because in err, f"{arguments}: expected {because!r} in {err!r}"
    assert out == "", out
    return err


def write(path, text):
    data = text if isinstance(text, bytes) else text.encode()
    if str(path).endswith(".gz"):
        data = gzip.compress(data)
    with open(path, "wb") as file:
        file.write(data)
    return path


def csv_text(header, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def sample(count=2000, columns=6, every=25, seed=1):
    """Normal rows, and every `every`-th one far off in two columns: header, rows (the last column is the label)."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        row = [rng.gauss(0, 1) * (100 if c % 2 else 1) for c in range(columns)]
        bad = i % every == 0
        if bad:
            row[0] += 6
            row[columns - 1] -= 600
        rows.append([f"{v:.6f}" for v in row] + [int(bad)])
    return [f"f{c}" for c in range(columns)] + ["label"], rows


def roc_auc(scores, labels):
    """The share of pairs of an anomalous and a normal row that are in the right order."""
    bad = [s for s, y in zip(scores, labels) if y]
    good = [s for s, y in zip(scores, labels) if not y]
    return sum((a > b) + (a == b) / 2 for a in bad for b in good) / (len(bad) * len(good))


def average_precision(scores, labels):
    total = sum(map(bool, labels))
    result = found = seen = 0
    for threshold in sorted(set(scores), reverse=True):
        at = [y for s, y in zip(scores, labels) if s == threshold]
        step = sum(map(bool, at))
        found, seen = found + step, seen + len(at)
        result += step / total * found / seen
    return result


def close(a, b, within=1e-6):
    assert math.isclose(a, b, abs_tol=within), (a, b)


def in_folder(test):
    with tempfile.TemporaryDirectory() as folder:
        cwd = os.getcwd()
        os.chdir(folder)
        try:
            test()
        finally:
            os.chdir(cwd)
    print(f"ok: {test.__name__}", flush=True)


__all__ = ["average_precision", "close", "csv", "csv_text", "gzip", "in_folder", "json", "math", "os", "random", "refused", "resource",
           "roc_auc", "rows_of", "run", "sample", "subprocess", "telltale", "write"]
