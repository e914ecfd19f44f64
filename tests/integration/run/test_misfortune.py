# SPDX-License-Identifier: Apache-2.0
"""What happens to a process: signals while data come in, too little memory, more load than it can take, many scrapers, peers that
vanish without a word (reliability E3, E6, H7, K8, K16). Nothing that was answered 200 is lost, and it goes on when it is over."""

import os
import re
import shutil
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "{otlp}"}}}}
exporters: {file: {path: "{dir}/traces.jsonl"}}
service:
  memory_budget: BUDGET
  telemetry: {logs: {level: error}, metrics: {address: "{metrics}"}}
  pipelines: {traces: {receivers: [otlp], exporters: [file]}}
"""


def start(budget="256MiB", **more):
    return telltale.Process(CONFIG.replace("BUDGET", budget), endpoints=["otlp", "metrics"], **more)


class Sender(threading.Thread):
    """Posts requests of `spans` spans until it is told to end or nobody listens; remembers the answers."""

    def __init__(self, process, number, spans=20, pad=0):
        super().__init__()
        self.process, self.next, self.spans, self.pad = process, number << 40, spans, "x" * pad
        self.acknowledged, self.statuses, self.unanswered, self.ended = set(), {}, 0, False

    def run(self):
        while not self.ended:
            numbers = range(self.next + 1, self.next + self.spans + 1)
            self.next += self.spans
            body = telltale.traces([telltale.span(number=n, attributes=[("pad", self.pad)] if self.pad else ()) for n in numbers])
            try:
                answer = self.process.post("otlp", "/v1/traces", body)
            except ConnectionRefusedError:
                return
            except (OSError, telltale.http.client.HTTPException):
                self.unanswered += 1
                if not self.process.alive():
                    return
                continue
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            if answer.status == 200:
                self.acknowledged.update(numbers)
            elif answer.status == 503:
                assert 1 <= int(answer.headers["retry-after"]) <= 20, answer


def send(process, count, **more):
    senders = [Sender(process, n + 1, **more) for n in range(count)]
    for sender in senders:
        sender.start()
    return senders


def finish(senders):
    for sender in senders:
        sender.ended = True
    for sender in senders:
        sender.join()


def check_written(process, senders):
    """All that was acknowledged is in the file, in whole lines; returns how many spans."""
    acknowledged = set().union(*(s.acknowledged for s in senders))
    with open(process.dir + "/traces.jsonl", "rb") as f:
        text = f.read()
    assert text.endswith(b"\n") or not text, "a torn line"
    written = [int(number, 16) for number in re.findall(rb'"spanId":"([0-9a-f]{16})"', text)]
    assert len(written) == len(set(written)), "a span is there twice"
    assert acknowledged <= set(written), f"{len(acknowledged - set(written))} of {len(acknowledged)} acknowledged spans are lost"
    return len(acknowledged)


def good_within(process, seconds):
    body = telltale.traces([telltale.span()])
    assert telltale.wait_for(lambda: process.post("otlp", "/v1/traces", body).status == 200, seconds), process.log()


def ends_in_order(number):
    with start() as process:
        senders = send(process, 4)
        time.sleep(0.7)
        process.signal(signal.SIGPIPE)
        begin = time.monotonic()
        process.signal(number)
        code = process.wait(10)
        assert code == 0 and time.monotonic() - begin < 5, (number, code, process.log())
        finish(senders)
        print(f"{number.name}: {check_written(process, senders)} spans")


def stopped_and_continued():
    with start() as process:
        senders = send(process, 4)
        time.sleep(0.3)
        process.signal(signal.SIGSTOP)
        time.sleep(1)
        process.signal(signal.SIGCONT)
        good_within(process, 5)
        finish(senders)
        assert process.stop() == 0
        assert all(set(s.statuses) == {200} and s.unanswered == 0 for s in senders), [(s.statuses, s.unanswered) for s in senders]
        print(f"stopped and continued: {check_written(process, senders)} spans")


def little_memory():
    """Requests of 33 MB find no memory; small ones between them do."""
    if shutil.which("prlimit") is None:
        print("SKIPPED K8: no prlimit here")
        return
    with start() as probe:
        if probe.is_sanitized():
            print("SKIPPED K8: a sanitizer needs memory of its own")
            return
        with open(f"/proc/{probe.pid}/status", encoding="ascii") as f:
            size = int(re.search(r"VmData:\s+(\d+) kB", f.read()).group(1)) << 10
    with start(prefix=["prlimit", f"--data={size + (20 << 20)}"]) as process:
        large, small = send(process, 2, spans=8000, pad=4000), [Sender(process, 9)]
        small[0].start()
        time.sleep(4)
        finish(large + small)
        answers = [{status for s in senders for status in s.statuses} for senders in (large, small)]
        assert process.alive() and answers[0] == {503} and 200 in answers[1] <= {200, 503}, (answers, process.log())
        good_within(process, 5)
        assert process.stop() == 0, process.log()
        print(f"little memory: {check_written(process, large + small)} spans")


def more_than_it_can_take():
    with start(budget="2MiB") as process:
        rss = process.rss()
        senders = send(process, 24, spans=500, pad=1000)
        time.sleep(4)
        finish(senders)
        statuses = {status: sum(s.statuses.get(status, 0) for s in senders) for status in (200, 503)}
        assert all(set(s.statuses) <= {200, 503} for s in senders) and statuses[200] > 0 and statuses[503] > 0, statuses
        assert process.rss() - rss < 64 << 20 or process.is_sanitized(), process.rss() - rss
        good_within(process, 5)
        assert process.metric("telltale_memory_budget_used_bytes") == 0
        assert process.stop() == 0
        print(f"overload: {check_written(process, senders)} spans, answers {statuses}")


def many_scrapers():
    with start() as process:
        senders = send(process, 2)
        failures = []

        def scrape():
            for _ in range(5):
                try:
                    answer = process.get("metrics", "/metrics")
                    if answer.status != 200 or "otelcol_receiver_accepted_spans" not in telltale.parse_metrics(answer.body.decode()):
                        failures.append(answer)
                except (OSError, ValueError, telltale.http.client.HTTPException) as error:
                    failures.append(error)

        threads = [threading.Thread(target=scrape) for _ in range(30)]
        for thread in threads:
            thread.start()
        idle = [process.connect("metrics") for _ in range(60)]  # and scrapers that say nothing
        for thread in threads:
            thread.join()
        for sock in idle:
            sock.close()
        finish(senders)
        assert not failures, failures[:3]
        assert process.stop() == 0
        print(f"scrapers: 150 scrapes, {check_written(process, senders)} spans meanwhile")


def vanished_peers_are_noticed():
    """Each connection has a keepalive timer of 45 s at most, which the kernel shows."""
    with start() as process, process.connect("otlp") as sock:
        sock.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: a\r\n")
        local = socket.inet_aton("127.0.0.1")[::-1].hex().upper() + f":{process.ports['otlp']:04X}"
        remote = socket.inet_aton("127.0.0.1")[::-1].hex().upper() + f":{sock.getsockname()[1]:04X}"

        def timer():
            with open("/proc/net/tcp", encoding="ascii") as f:
                for fields in map(str.split, f):
                    if fields[1:3] == [local, remote]:
                        return fields[5]
            return None

        assert telltale.wait_for(lambda: (timer() or "").startswith("02:"), 5), timer()
        assert int(timer()[3:], 16) <= 45 * os.sysconf("SC_CLK_TCK"), timer()
        print("vanished peers: keepalive is on")


for name in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    ends_in_order(name)
stopped_and_continued()
little_memory()
more_than_it_can_take()
many_scrapers()
vanished_peers_are_noticed()
