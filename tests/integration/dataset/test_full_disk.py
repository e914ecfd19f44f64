# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: 503 with Retry-After, no half line, JSONL and CSV agree, and it goes on when there is room again."""

import os
import subprocess
import sys
import tempfile

from common import check_sets, config, ids, jsonl_spans, labelled, post, span, span_ids, telltale, text, traces

# A file system of its own for the files, in a mount namespace that needs no root.
MOUNT = 'mkdir -p "$0" && mount -t tmpfs -o size=SIZE tmpfs "$0" && exec "$@"'


def prefix(size, where):
    return ["unshare", "-Urm", "sh", "-c", MOUNT.replace("SIZE", size), where]


def may_mount():
    where = f"/tmp/telltale-mount-{os.getpid()}"
    try:
        done = subprocess.run(prefix("1m", where) + ["true"], stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return False
    if os.path.isdir(where):
        os.rmdir(where)
    return done.returncode == 0


def batch(i, spans=200):
    return traces([span(i + 1, n + 1, name=f"op {n}", attributes=labelled("cpu") if n % 3 == 0 else [text("pad", "x" * 200)])
                   for n in range(spans)])


def fills_and_goes_on(size):
    with tempfile.TemporaryDirectory(prefix="telltale-full-") as parent:
        fill(size, parent + "/mount", parent + "/kept")


def fill(size, where, keep):
    with telltale.Process(config(out=where), endpoints=["otlp", "metrics"], prefix=prefix(size, where)) as process:
        inside = f"/proc/{process.pid}/root{where}"
        ballast = inside + "/ballast"
        room = os.statvfs(inside)
        with open(ballast, "wb") as f:
            f.write(b"\0" * (room.f_bavail * room.f_frsize // 2))
        sent = []
        refused = None
        for i in range(2000):
            answer = post(process, batch(i))
            if answer.status == 503:
                refused = answer
                break
            assert answer.status == 200, answer
            sent += [("%032x" % (i + 1), "%016x" % (n + 1)) for n in range(200)]
        assert refused is not None, "the disk never filled"
        assert int(refused.headers["retry-after"]) >= 1
        assert post(process, batch(5000)).status == 503  # and stays refused
        assert process.alive()
        jsonl_spans(inside + "/traces.jsonl")  # whole lines while it is full
        os.unlink(ballast)
        more = telltale.wait_for(lambda: post(process, batch(6000)).status == 200, 30)
        assert more, "did not go on when there was room"
        sent += [("%032x" % 6001, "%016x" % (n + 1)) for n in range(200)]
        # What was parked when the disk was full may still be on its way.
        agree = telltale.wait_for(lambda: set(sent) <= set(span_ids(jsonl_spans(inside + "/traces.jsonl"))), 20)
        assert agree, "spans that were answered 200 are not in the JSONL"
        stop_and_copy(process, inside, keep)
        lines = span_ids(jsonl_spans(keep + "/traces.jsonl"))
        rows = ids(check_sets(keep + "/dataset"))
        assert len(lines) == len(set(lines)), "spans twice in the JSONL"
        assert sorted(lines) == sorted(rows), (len(lines), len(rows), len(set(lines) ^ set(rows)))
        assert set(sent) <= set(lines)


def stop_and_copy(process, inside, keep):
    """The mount is gone with the process: a descriptor of its directory keeps it until the copy is made."""
    fd = os.open(inside, os.O_RDONLY | os.O_DIRECTORY)
    assert process.stop() == 0
    subprocess.run(["cp", "-a", f"/proc/self/fd/{fd}/.", keep], check=True, pass_fds=[fd])
    os.close(fd)


if __name__ == "__main__":
    if not may_mount():
        telltale.skip("no mount namespace for this user (unshare -Urm)")
    for size in sys.argv[1:] or ["1m", "3m", "8m"]:
        fills_and_goes_on(size)
