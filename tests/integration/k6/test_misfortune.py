# SPDX-License-Identifier: Apache-2.0
"""Runs that do not go as planned: Ctrl-C, a service that dies, a clock that is five minutes off, headers that no k6 sends. Whatever was
written is whole, labels stay right, and what is missing has a name."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from whole import Run, ready_home, telltale  # noqa: E402
from lib.account import Account, read_dataset  # noqa: E402

INTERRUPTED = 130
SHORT = ("--gap", "1s", "--repeats", "1", "--warm-up", "3s", "--rate", "5")


def check_labels(account):
    """Right, but for requests in flight when k6 was stopped: these have no label, and are not called normal."""
    spans, _, wrong = account.labels()
    assert spans > 300 and wrong == 0, account.label_line("?")
    rooted = {trace for trace, _ in account.by_service["k6"]}
    for row in account.rows:
        if row["trace_id"] in account.witness and row["label_source"] == "none":
            assert row["trace_id"] not in rooted and row["anomaly_type"] == "unknown", row
    assert account.duplicates == 0
    print(account.label_line("?"))


def an_interrupted_run_keeps_what_it_has():
    """One Ctrl-C in the middle of a block."""
    with Run("--duration", "40s", "--baseline", "2s", *SHORT) as run:
        run.wait_for_requests(40)
        run.popen.send_signal(signal.SIGINT)
        out = run.end(INTERRUPTED, 100)
        assert "what was recorded is kept" in out and "ends by itself" in out, out
        assert "spans lost between the services and the dataset: 0" in out, out
        assert re.search(r"\n  spans +\d+", out), out  # of the report
        record = run.record()
        assert record["result"] == "interrupted" and record["ended"] > record["started"], record
        run.check_finished()
        check_labels(Account(run.directory))
    print("ok: interrupted, and whole")


ODD = {  # what is sent: the type in the dataset, None when nginx refuses it
    b"../../etc/passwd": "../../etc/passwd", b"a\nb": "a", b"a\r\n b": None, b"t" * 300: "t" * 256, b"": "none", b"none": "none",
    # Node.js reads headers as Latin-1.
    "\u00e4".encode(): "\u00c3\u00a4", b"a,b": "a,b", b'say "hi"': 'say "hi"', b"labeled": "labeled", b"CON": "CON", b"\x00": None,
}


def send_by_hand(port):
    """Headers as no k6 sends them, each under a trace of its own. Returns {trace id: (type, status of the answer)}."""
    sent = {}
    for i, kind in enumerate(ODD):
        trace = b"%032x" % (0xabc000 + i)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
            peer.sendall(b"GET /api/products?category=Robot HTTP/1.1\r\nHost: x\r\nConnection: close\r\ntraceparent: 00-" + trace
                         + b"-00000000000000a1-01\r\nx-anomaly-type: " + kind + b"\r\n\r\n")
            answer = peer.recv(4096)
        sent[trace.decode()] = (kind, int(answer.split()[1]) if answer else 0)
    return sent


def check_odd_types(run, sent):
    """What nginx let through came out as a type of that name (cut at 256 bytes), and no file left the folder."""
    rows = {}
    for row in read_dataset(run.directory):
        rows.setdefault(row["trace_id"], set()).add(row["anomaly_type"])
    got = {kind: (rows.get(trace), status) for trace, (kind, status) in sent.items()}
    for kind, want in ODD.items():
        assert got[kind] == (({want}, 200) if want else (None, 400)), (kind, got)
    names = os.listdir(os.path.join(run.directory, "dataset"))
    assert all(re.fullmatch(r"(traces|metrics|logs)_[a-z0-9_-]+\.csv|manifest.*\.json|latest|run\.json|\.[a-z.]+", name) for name in names), names
    print(f"ok: odd types: {', '.join(f'{k[:20]!r} {s}' for k, s in sent.values())}")


def a_service_dies_another_has_a_wrong_clock():
    """shipping is killed in the middle; cart is five minutes ahead; web captures headers, so that odd types get in."""
    with Run("--duration", "3s", "--baseline", "2s", "--capture", "web", *SHORT, SHOP_CLOCK="cart=300") as run:
        run.wait_for_requests(60)
        sent = send_by_hand(run.base)
        os.kill(run.child("shop.Shipping"), signal.SIGKILL)
        out = run.end(99)  # baseline requests fail without shipping
        assert "shipping ended with -9 in the middle of the run; the run goes on without it" in out, out
        assert run.record()["died"]["shipping"]["code"] == -9, run.record()
        run.check_finished()
        account = Account(run.directory)
        for trace in sent:
            account.witness.pop(trace, None)  # not k6's
        check_labels(account)
        lost = {service: sum(missing.values()) for service, (_, _, missing, _) in account.losses().items()}
        assert all(count == 0 for service, count in lost.items() if service != "shipping"), account.loss_lines()
        check_clock(account, out)
        check_odd_types(run, sent)
    print(f"ok: shipping killed, {lost['shipping']} spans of its last batch lost and named")


def check_clock(account, out):
    """cart's spans are five minutes late, labelled all the same, and the report says so."""
    ahead = [row for (trace, _), row in account.by_service["cart"].items() if trace in account.witness]
    start = min(int(row["start_time_ns"]) for row in account.by_service["web"].values())
    assert ahead and all(int(row["start_time_ns"]) > start + 290e9 for row in ahead)
    assert {account.witness[row["trace_id"]] for row in ahead} == {row["anomaly_type"] for row in ahead}
    for warning in ("Clocks agree", "The run went to its end"):
        assert f"WARN {warning}: " in out, out
    print(f"ok: {len(ahead)} spans of cart, five minutes ahead: {re.search('Clocks agree: (.*)', out)[1]}")


def a_run_that_cannot_start_says_why():
    """Each ends in one message that says what to do, before anything is started."""
    with Run("--scenarios", "latency") as run:
        assert "k6/run: SCENARIOS: latency is not known; known: baseline" in run.end(1, 60)
    with Run(SHOP_CAPTURE="webb") as run:
        assert "SHOP_CAPTURE=webb: webb is no service; write none, all or some of" in run.end(1, 60)
    with Run(SHOP_CLOCK="payment=1") as run:
        assert "SHOP_CLOCK=payment=1: write web, catalogue" in run.end(1, 60)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        child = subprocess.run([os.path.join(os.path.dirname(run_path()), "run")], env={**os.environ, "SHOP_PORT": port}, capture_output=True, text=True, timeout=60)
        assert child.returncode == 1 and f"in use by another program: port {port} (nginx)" in child.stderr, child
    print("ok: a run that cannot start says why")


def run_path():
    from whole import ROOT
    return os.path.join(ROOT, "k6", "run")


def main():
    ready_home()
    a_run_that_cannot_start_says_why()
    begin = time.monotonic()
    an_interrupted_run_keeps_what_it_has()
    a_service_dies_another_has_a_wrong_clock()
    print(f"{time.monotonic() - begin:.0f} s with {telltale.binary()}")


if __name__ == "__main__":
    main()
