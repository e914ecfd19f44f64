# SPDX-License-Identifier: Apache-2.0
"""The n-th write fails: ENOSPC, EIO, EINTR, a short write. No half record is ever visible, JSONL and CSV agree, nothing acknowledged is lost.
strace makes the system calls fail; it needs no root."""

import http.client
import shutil
import signal
import subprocess
import sys
import tempfile

from common import check_sets, config, ids, jsonl_spans, labelled, post, span, span_ids, telltale, text, traces


def inject(calls, what, when):
    """-D: the tracer is the grandchild, so that the process under test keeps the pid. strace counts calls by thread."""
    return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", f"inject={calls}:{what}:when={when}"]


def may_trace():
    if shutil.which("strace") is None:
        return "strace is not installed"
    done = subprocess.run(["strace", "-D", "-qq", "-o", "/dev/null", "-e", "inject=writev:error=ENOSPC:when=1000", "true"],
                          stderr=subprocess.DEVNULL)
    return None if done.returncode == 0 else "strace may not trace here"


def batch(i):
    return traces([span(i + 1, n + 1, name=f"op {n}", attributes=labelled("cpu") if n % 3 == 0 else [text("pad", "x" * 50)])
                   for n in range(30)])


def spans_of(i):
    return {("%032x" % (i + 1), "%016x" % (n + 1)) for n in range(30)}


def finish_leftovers(out):
    """The next start finishes what the last one could not."""
    with telltale.Process(config(out=out), endpoints=["otlp", "metrics"]) as process:
        assert process.stop() == 0, process.log()


def check(out, name):
    lines = span_ids(jsonl_spans(out + "/traces.jsonl"))
    rows = ids(check_sets(out + "/dataset"))
    assert len(lines) == len(set(lines)), (name, "twice in the JSONL")
    assert len(rows) == len(set(rows)), (name, "twice in the CSV")
    return set(lines), set(rows)


def refused_or_ok(process, i, statuses):
    """A client that comes back on 503, as SDKs do."""
    status = post(process, batch(i)).status
    statuses.append(status)
    assert status in (200, 503), status
    return status == 200


def failing(what, when, calls="writev"):
    """Calls fail; the process goes on."""
    name, statuses = (calls, what, when), []
    with tempfile.TemporaryDirectory() as out:
        with telltale.Process(config(out=out), endpoints=["otlp", "metrics"], prefix=inject(calls, what, when)) as process:
            acked = set()
            for i in range(12):
                assert telltale.wait_for(lambda: refused_or_ok(process, i, statuses), 20), (name, statuses)
                acked |= spans_of(i)
            process.stop()
        finish_leftovers(out)
        lines, rows = check(out, name)
        assert lines == rows == acked, (name, len(lines), len(rows), len(acked))
    return statuses.count(503)


def killed(calls, when):
    """SIGKILL at the n-th call of any thread, then a start, twice: recovering is killed in the same place. Returns how often it died."""
    name, acked, deaths = (calls, when), set(), 0
    with tempfile.TemporaryDirectory() as out:
        for life in range(2):
            try:
                with telltale.Process(config(out=out, dataset="    rotation: {max_megabytes: 0}", file="    rotation: {max_megabytes: 1}"),
                                      endpoints=["otlp", "metrics"], prefix=inject(calls, "signal=KILL", when)) as process:
                    for i in range(life * 12, life * 12 + 12):
                        try:
                            if post(process, batch(i)).status == 200:
                                acked |= spans_of(i)
                        except (OSError, http.client.HTTPException):
                            break
                    deaths += process.stop() == -signal.SIGKILL
            except RuntimeError as e:  # it died while it started
                assert "ended with -9" in str(e), e
                deaths += 1
        finish_leftovers(out)
        lines, rows = check(out, name)
        assert acked <= lines and acked <= rows, (name, len(acked - lines), len(acked - rows))
    return deaths


if __name__ == "__main__":
    why = may_trace()
    if why:
        telltale.skip(why)
    counts = [int(n) for n in sys.argv[1:]] or [1, 2, 3, 4, 5, 7, 11]
    refusals = sum(failing("error=ENOSPC", n) for n in counts)
    assert refusals > 0, "no write was made to fail"
    for n in counts[:3]:
        failing("error=EIO", n)
    failing("error=EINTR", "2+3")
    failing("error=EAGAIN", 3)
    failing("error=ENOSPC", "3..6")
    failing("error=ENOSPC", 2, calls="openat")
    failing("error=EIO", 1, calls="fdatasync")
    deaths = {}
    for calls, whens in (("writev", (1, 2, 3, 5, 8)), ("ftruncate", (1,)), ("renameat2", (1, 2, 4)), ("fdatasync", (1, 3)),
                         ("renameat", (1, 2, 3)), ("symlinkat", (1, 3)), ("fsync", (1, 2))):
        for n in whens:
            deaths[calls] = deaths.get(calls, 0) + killed(calls, n)
    assert sum(deaths.values()) >= 10, deaths
    print(f"{refusals} refusals, killed {deaths}: nothing lost, nothing torn")
