# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: a wrong file changes nothing; what may change does so under load; a thousand reloads lose nothing and keep no memory (reliability I6)."""

import os
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "{otlp}"}}}}
exporters: {file: {path: "{dir}/traces.jsonl"}}
service:
  telemetry: {logs: {level: LEVEL, encoding: "${env:TELLTALE_NOT_SET}"}, metrics: {address: "{metrics}"}}
  pipelines: {traces: {receivers: [otlp], exporters: [file]}}
"""
RELOADS = 1000
# A warning of each reading of the file, right or wrong. (Lines of the log are left out when there are many of a kind.)
READ = "TELLTALE_NOT_SET"


class Sender(threading.Thread):
    """Posts spans until it is told to end, and counts what was taken."""

    def __init__(self, process):
        super().__init__()
        self.process, self.taken, self.others, self.ended = process, 0, 0, False

    def run(self):
        while not self.ended:
            self.taken += 10
            answer = self.process.post("otlp", "/v1/traces", telltale.traces([telltale.span(number=self.taken + n) for n in range(10)]))
            self.others += answer.status != 200


def rewrite(process, level):
    """By renaming, as editors and configuration management do: a reader sees the old file or the new one."""
    with open(process.config_path + ".new", "w", encoding="utf-8") as f:
        f.write(process.expand(CONFIG.replace("LEVEL", level)))
    os.rename(process.config_path + ".new", process.config_path)


def hang_up(process, level):
    """One reload, waited for: signals of one kind that are not read yet become one."""
    with open(process.log_path, encoding="utf-8") as log:
        log.seek(0, os.SEEK_END)
        rewrite(process, level)
        process.signal(signal.SIGHUP)
        said = ""

        def answered():
            nonlocal said
            said += log.read()
            return READ in said

        assert telltale.wait_for(answered, every=0.002), f"nothing was read: {said}"


def the_level_changes():
    with telltale.Process(CONFIG.replace("LEVEL", "error"), endpoints=["otlp", "metrics"]) as process:
        rewrite(process, "info")
        process.signal(signal.SIGHUP)
        assert telltale.wait_for(lambda: "Config updated" in process.log()), process.log()
        assert process.stop() == 0 and "Shutdown complete." in process.log(), process.log()


def a_thousand():
    with telltale.Process(CONFIG.replace("LEVEL", "info"), endpoints=["otlp", "metrics"]) as process:
        sender = Sender(process)
        sender.start()
        for i in range(RELOADS):
            if i == RELOADS // 10:
                rss, descriptors = process.rss(), process.descriptors()
            if i % 3 == 0:
                hang_up(process, "no-such-level")
            else:
                hang_up(process, ("info", "debug")[i % 3 - 1])
        sender.ended = True
        sender.join()
        grown = process.rss() - rss
        assert grown < 4 << 20 or process.is_sanitized(), f"{grown} bytes more"
        assert telltale.wait_for(lambda: process.descriptors() <= descriptors + 2), (process.descriptors(), descriptors)
        assert process.stop() == 0, process.log()[-2000:]
        with open(process.dir + "/traces.jsonl", encoding="utf-8") as f:
            written = f.read().count('"spanId"')
        assert sender.others == 0 and written == sender.taken > 100, (sender.others, written, sender.taken)
        print(f"{RELOADS} reloads, {written} spans meanwhile, {grown} bytes more")


the_level_changes()
a_thousand()
