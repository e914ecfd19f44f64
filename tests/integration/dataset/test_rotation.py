# SPDX-License-Identifier: Apache-2.0
"""Rotation loses nothing and replaces nothing, with several senders at once; zstd files are read by the zstd tool; a file has one owner."""

import glob
import os
import shutil
import subprocess
import threading

from common import check_sets, config, ids, jsonl_spans, labelled, post, run, span, span_ids, telltale, text, traces


def send_all(process, threads=4, requests=60, spans=50):
    expected, lock = set(), threading.Lock()

    def send(k):
        for i in range(requests):
            trace = k * 1000 + i + 1
            body = traces([span(trace, n + 1, attributes=labelled("cpu") if i % 2 else [text("pad", os.urandom(300).hex())])
                           for n in range(spans)])
            assert post(process, body).status == 200
            with lock:
                expected.update(("%032x" % trace, "%016x" % (n + 1)) for n in range(spans))

    workers = [threading.Thread(target=send, args=(k,)) for k in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert len(expected) == threads * requests * spans
    return expected


def rotated_files_hold_everything_once(file, dataset, name, pattern):
    with telltale.Process(config(file=file, dataset=dataset, name=name), endpoints=["otlp", "metrics"]) as process:
        expected = send_all(process)
        assert process.stop() == 0
        paths = glob.glob(process.dir + "/" + pattern)
        assert len(paths) > 1, paths
        for path in paths:
            assert os.path.getsize(path) <= (1 << 20) + 65536, path
            if path.endswith(".zst"):
                subprocess.run(["zstd", "-tq", path], check=True)
        found = span_ids(jsonl_spans(*paths))
        assert len(found) == len(set(found)) and set(found) == expected, (len(found), len(expected))
        rows = ids(check_sets(process.dir + "/dataset"))
        assert len(rows) == len(set(rows)) and set(rows) == expected, (len(rows), len(expected))
        assert len(glob.glob(process.dir + "/dataset/manifest_*.json")) > 1


def an_old_file_is_never_overwritten():
    with telltale.Process(config(), endpoints=["otlp", "metrics"]) as process:
        post(process, traces([span(1, 1)]))
        process.stop()
        for _ in range(2):  # the same directory again, twice: append, then start afresh
            for more in ("", "\n    append: false"):
                path = process.dir + "/config2.yaml"
                with open(path, "w", encoding="utf-8") as f:
                    f.write(process.expand(config(file=more.strip("\n"))))
                again = subprocess.Popen([telltale.binary(), "run", "--config", path], cwd=process.dir, stderr=subprocess.DEVNULL)
                assert telltale.wait_for(lambda: process.is_open("otlp"), 10)
                post(process, traces([span(1, 1)]))
                again.terminate()
                assert again.wait(20) == 0
        paths = glob.glob(process.dir + "/traces*.jsonl")
        assert len(paths) == 3, paths
        assert len(jsonl_spans(*paths)) == 5
        assert len(check_sets(process.dir + "/dataset")) == 5


def a_second_process_names_the_first():
    with telltale.Process(config(), endpoints=["otlp", "metrics"]) as process:
        post(process, traces([span(1, 1)]))
        for broken in ("traces.jsonl", "dataset"):
            path = process.dir + "/second.yaml"
            text_ = process.expand(config()).replace(f"127.0.0.1:{process.ports['otlp']}", "127.0.0.1:0")
            text_ = text_.replace(f"address: 127.0.0.1:{process.ports['metrics']}", "level: none")
            keep = "dataset" if broken == "traces.jsonl" else "traces.jsonl"
            text_ = text_.replace(process.dir + "/" + keep, process.dir + "/other-" + keep)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text_)
            done = run("run", "--config", path, check=False)
            assert done.returncode == 1, (broken, done)
            assert str(process.pid).encode() in done.stderr, done.stderr
            assert broken.encode() in done.stderr, done.stderr
        assert post(process, traces([span(1, 2)])).status == 200
        assert process.stop() == 0
        assert len(jsonl_spans(process.dir + "/traces.jsonl")) == 2


if __name__ == "__main__":
    rotation = "    rotation: {max_megabytes: 1}"
    rotated_files_hold_everything_once(rotation, rotation, "traces.jsonl", "traces*.jsonl")
    if shutil.which("zstd") is None:
        print("zstd: not installed, left out")
    else:
        rotated_files_hold_everything_once(rotation + "\n    compression: zstd", rotation, "traces.jsonl.zst", "traces*.zst")
    an_old_file_is_never_overwritten()
    a_second_process_names_the_first()
