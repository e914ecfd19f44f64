# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at any moment: after the next start there are whole lines only, every row is in all of its files, and what was answered 200 is there."""

import http.client
import json
import os
import random
import signal
import sys
import threading
import time

from common import check_sets, config, ids, jsonl_spans, labelled, span, span_ids, telltale, text, traces


def sender(port, number, acked, stop):
    """Posts until the connection breaks; remembers what was answered 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for i in range(1000000):
        if stop.is_set():
            return
        trace = (number << 40) + (os.getpid() << 20) % (1 << 40) + i + 1
        count = 1 + i % 40
        spans = [span(trace, n + 1, name='with "quotes",\nand lines' if n % 5 == 0 else "op",
                      attributes=labelled(("cpu", "latency")[i % 2]) if i % 3 else [text("pad", "x" * (i % 2000))])
                 for n in range(count)]
        try:
            connection.request("POST", "/v1/traces", json.dumps(traces(spans)), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return
        if answer.status == 200:
            acked.extend(("%032x" % trace, "%016x" % (n + 1)) for n in range(count))


def one_life(out, number, rng, acked, prefix=(), seconds=0.25):
    """Starts, checks what the life before left, sends, kills."""
    with telltale.Process(config(out=out, file="    rotation: {max_megabytes: 1, max_backups: 0}"), endpoints=["otlp", "metrics"],
                          prefix=prefix) as process:
        check(out, acked)
        stop = threading.Event()
        threads = [threading.Thread(target=sender, args=(process.ports["otlp"], number * 8 + k, acked, stop)) for k in range(3)]
        for t in threads:
            t.start()
        time.sleep(rng.random() * seconds)
        assert process.alive(), "it died by itself"
        process.signal(signal.SIGKILL)
        stop.set()
        for t in threads:
            t.join()
        process.wait()


def check(out, acked):
    """Called right after a start: the new life has no rows yet, so everything is finished."""
    paths = [os.path.join(out, f) for f in os.listdir(out) if f.startswith("traces") and f.endswith(".jsonl")]
    lines = span_ids(jsonl_spans(*paths))
    rows = ids(check_sets(out + "/dataset")) if os.path.isdir(out + "/dataset") else []
    assert len(lines) == len(set(lines))
    assert len(rows) == len(set(rows))
    missing = set(acked) - set(lines)
    assert not missing, f"{len(missing)} acknowledged spans are not in the JSONL"
    missing = set(acked) - set(rows)
    assert not missing, f"{len(missing)} acknowledged spans are not in the CSV"


if __name__ == "__main__":
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    lives = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    rng = random.Random(seed)
    import tempfile

    with tempfile.TemporaryDirectory() as out:
        acked = []
        for number in range(lives):
            one_life(out, number, rng, acked)
        with telltale.Process(config(out=out), endpoints=["otlp", "metrics"]) as process:
            check(out, acked)
        assert len(acked) > 100, "nothing was sent"
        print(f"{lives} kills, {len(acked)} acknowledged spans, none lost")
