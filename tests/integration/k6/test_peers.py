# SPDX-License-Identifier: Apache-2.0
"""k6/labelled.js when the shop or Telltale is not there, is something else, or goes away: one line that says what to do, no flood, and
an exit code that tells. An unmodified k6; it phones nowhere."""
import contextlib
import os
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from peers import GRPC, Load, listener, load, shop, telltale  # noqa: E402
import labelled  # noqa: E402
from lib.telltale import trouble_at  # noqa: E402

ABORTED, BAD_SCRIPT, THRESHOLD = 108, 107, 99
START = 1_000_000_000


def expect(what, got, code, words, most_lines):
    """The run ended with that code, and its log is short and has the words."""
    ended, out, log = got
    text = "\n".join(log).replace('\\"', '"')
    assert ended == code, (what, ended, out, text)
    assert re.search(words, text), (what, words, text)
    assert len(log) <= most_lines, (what, text)
    print(f"ok: {what}: {re.search(words, text)[0]}")


def count(out, name):
    found = re.search(name + r"\.*: (\d+)", out)
    return int(found[1]) if found else 0


def without_a_shop():
    free = telltale.free_ports(1)[0]
    expect("no shop", load(BASE_URL=f"http://127.0.0.1:{free}"), ABORTED, "no shop answers at .*connection refused; start one with", 1)
    with shop() as (url, _):
        expect("https to http", load(BASE_URL=url.replace("http:", "https:")), ABORTED, "no shop answers at .*write http://", 1)
        expect("no scheme", load(BASE_URL=url.replace("http://", "")), BAD_SCRIPT, "BASE_URL=.* is not a URL; write http://host:port", 1)
        expect("no such scenario", load(BASE_URL=url, SCENARIOS="latency"), BAD_SCRIPT, "SCENARIOS: latency is not known; known: baseline", 1)
        expect("no such order", load(BASE_URL=url, ORDER="random"), BAD_SCRIPT, "ORDER=random: write shuffled or timeline", 1)
        expect("no duration", load(BASE_URL=url, DURATION="long"), BAD_SCRIPT, "DURATION=long is not a duration", 1)
    for name, text, words in (("no file", None, "JOURNEYS=.* cannot be read"), ("no JSON", "{", "cannot be read: .*JSON"), ("no journeys", "{}", 'no "journeys"'),
                              ("no path", '{"journeys":[{"name":"a"}]}', 'a journey without "share"')):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "mine.json")
            if text:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            expect(name, load(JOURNEYS=path), BAD_SCRIPT, words, 1)
    with listener(GRPC) as (port, _):
        expect("shop is gRPC", load(BASE_URL=f"http://127.0.0.1:{port}"), ABORTED, "no shop answers at .*does not speak HTTP/1", 1)


def without_telltale():
    """The load runs all the same, says once what is wrong, and the run does not pass."""
    free = telltale.free_ports(1)[0]
    with shop() as (url, seen):
        got = load(BASE_URL=url, OTLP=f"http://127.0.0.1:{free}")
        expect("no Telltale", got, THRESHOLD, "no Telltale answers at .*connection refused; start it with: telltale run", 2)
        assert len(seen) == count(got[1], "shop_requests") > 10, (len(seen), got[1])
        expect("the shop's port", load(BASE_URL=url, OTLP=url), THRESHOLD, r"is not an OTLP/HTTP receiver \(status 404\)", 2)
        expect("https", load(BASE_URL=url, OTLP=url.replace("http:", "https:")), THRESHOLD, "no Telltale answers at .*write http://", 2)
        with listener(GRPC) as (port, _):
            expect("a gRPC port", load(BASE_URL=url, OTLP=f"http://127.0.0.1:{port}"), THRESHOLD, "a gRPC port\\? OTLP/HTTP is at 4318", 2)


def a_shop_without_telltale():
    """k6/shop/shop starts all the same, and says so."""
    with labelled.run() as process, shop() as (url, _), listener(GRPC) as (port, _):
        assert trouble_at(labelled.endpoint(process)) == ""
        for otlp, words in ((url, "is not an OTLP/HTTP receiver .status 404"), (labelled.endpoint(process).replace("http:", "https:"), "SSL"),
                            (f"http://127.0.0.1:{port}", "gRPC at 4317"), (f"http://127.0.0.1:{telltale.free_ports(1)[0]}", "refused.*start it with")):
            said = trouble_at(otlp)
            assert re.search(words, said), (otlp, said)
            print("ok: " + said)


def without_otlp():
    """Nothing is sent, nothing is said, and every request has its label."""
    with shop() as (url, seen):
        ended, out, log = load(BASE_URL=url)
        assert ended == 0 and not log, (ended, out, log)
        types = {headers["X-Anomaly-Type"] for _, headers in seen}
        assert types == {"none", "latency_spike"}, types
        for path, headers in seen:
            assert path.startswith("/api/"), path
            assert headers["X-Anomaly-Label"] and headers["X-Anomaly-Root-Cause"] and headers["X-Anomaly-Msg"], headers
            assert "x-anomaly-type=" + headers["X-Anomaly-Type"] in headers["Baggage"], headers
            assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", headers["Traceparent"]), headers
        assert len({headers["Traceparent"] for _, headers in seen}) == len(seen)
        print(f"ok: {len(seen)} requests, each with its labels and a trace of its own")


def telltale_goes_away():
    """In the middle of the run: quiet, counted, and the run does not pass."""
    with shop() as (url, seen), labelled.run() as process:
        k6 = Load(BASE_URL=url, OTLP=labelled.endpoint(process), DURATION="5s")
        telltale.wait_for(lambda: len(seen) > 10, 30)
        process.signal(signal.SIGKILL)
        process.process.wait()
        ended, out, log = k6.end()
        assert ended == THRESHOLD, (ended, out, log)
        assert len(log) <= 6, log
        assert count(out, "shop_requests") == len(seen), (out, len(seen))
        assert count(out, "telltale_delivered") + count(out, "telltale_failed_deliveries") >= len(seen), out
        print(f"ok: Telltale killed after some requests of {len(seen)}: {len(log)} lines of log, {count(out, 'telltale_failed_deliveries')} failed deliveries")


def the_shop_goes_away():
    """In the middle of the run: not a line for each request; each has its root span, an error without a status."""
    with labelled.run(keep=True) as process:
        with shop() as (url, seen):
            k6 = Load(BASE_URL=url, OTLP=labelled.endpoint(process), DURATION="5s", ANOMALY_RATE="20")
            telltale.wait_for(lambda: len(seen) > 30, 30)
        ended, out, log = k6.end()
        written = labelled.finish(process)
    assert ended == THRESHOLD and "http_req_failed{anomaly:baseline}" in log[-1], (ended, log[-5:])
    requests = count(out, "shop_requests")
    assert 1 < len(log) < requests / 15 and "does not answer: " in log[0], (requests, len(log), log[:5])
    roots = [row for row in written.rows() if row["service_name"] == "k6"]
    failed = [row for row in roots if row["http_status_code"] == ""]
    assert len(roots) == requests and len(failed) > 20, (len(roots), requests, len(failed))
    assert {row["span_status"] for row in failed} == {"ERROR"}, failed[0]
    print(f"ok: the shop went away: {len(failed)} of {requests} requests unanswered, {len(log)} lines of log")


def metric(process, name, at_ns):
    body = (b'{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},"scopeMetrics":[{"metrics":'
            b'[{"name":"%s","gauge":{"dataPoints":[{"timeUnixNano":"%d","asInt":"1"}]}}]}]}]}' % (name.encode(), at_ns))
    answer = process.post("otlp", "/v1/metrics", body, content_type="application/json")
    assert answer.status == 200, answer


def a_window_does_not_outlive_its_k6(number):
    """k6 killed, or interrupted, inside a block: what comes later has no label."""
    with shop() as (url, seen), labelled.run(keep=True) as process:
        k6 = Load(BASE_URL=url, OTLP=labelled.endpoint(process), BASELINE_DURATION="2s", DURATION="120s")
        telltale.wait_for(lambda: any(headers["X-Anomaly-Type"] == "latency_spike" for _, headers in seen), 30)
        time.sleep(12)  # longer than a lease: it is renewed
        metric(process, "while", time.time_ns())
        ended, _, log = k6.end(number)
        assert ended != 0, log
        if number == signal.SIGINT:
            assert any("ends by itself within" in line for line in log), log
        time.sleep(10.5)
        metric(process, "after", time.time_ns())
        rows = {row["metric_name"]: row for row in labelled.finish(process).rows("metrics_labeled_")}
        assert rows["while"]["anomaly_type"] == "latency_spike" and rows["while"]["label_source"] == "window", rows
        assert rows["after"]["anomaly_type"] == "none" and rows["after"]["label_source"] == "none", rows
        print(f"ok: k6 ended by signal {number}: the window ended with its lease")


def it_phones_nowhere():
    """k6's usage report goes by the proxy that the environment names; the flag keeps it at home."""
    with shop() as (url, _), listener() as (port, seen):
        proxy = {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "NO_PROXY": "127.0.0.1"}
        short = {"BASE_URL": url, "DURATION": "1s", "BASELINE_DURATION": "1s"}
        Load(environment=proxy, **short).end()
        assert not seen, seen
        Load(flags=(), environment=proxy, **short).end()
        said = b"".join(seen)
        assert b"CONNECT" in said, "without --no-usage-report k6 was expected to report: this check sees nothing"
        print("ok: with --no-usage-report k6 called nobody; without it: " + said.split(b"\r\n")[0].decode())


def main():
    without_a_shop()
    without_telltale()
    a_shop_without_telltale()
    without_otlp()
    telltale_goes_away()
    the_shop_goes_away()
    for number in (signal.SIGKILL, signal.SIGINT):
        a_window_does_not_outlive_its_k6(number)
    it_phones_nowhere()


if __name__ == "__main__":
    main()
