# SPDX-License-Identifier: Apache-2.0
"""k6/run end to end, SHOP_CAPTURE=none: no service captures headers, k6's root spans label every trace; no span is lost between the
services' own counts and the dataset; nothing is left running; run.json says what it was."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from whole import ROOT, Run, ready_home  # noqa: E402
from lib.account import BROKEN_SERVICE, Account, shows  # noqa: E402

LEAST_SHARE = 0.999
SERVICES = {"web", "cart", "catalogue", "shipping", "payment", "user", "dispatch"}
OPTIONS = ("--capture", "none", "--duration", "3s", "--baseline", "1s", "--gap", "1s", "--repeats", "1", "--warm-up", "5s", "--rate", "5", "--ramp", "1s")


def check_account(directory, out):
    account = Account(directory)
    spans, right, _ = account.labels()
    print(account.label_line("none"))
    print("\n".join(account.loss_lines()))
    assert spans > 1000, out
    assert right >= LEAST_SHARE * spans, account.label_line("none")
    assert account.lost() == 0, account.loss_lines()
    assert account.duplicates == 0, account.loss_lines()
    assert set(account.counted) == SERVICES, sorted(account.counted)
    assert all(counted > 0 for counted, _, _, _ in account.losses().values()), account.loss_lines()
    roots = len(account.by_service["k6"])
    assert account.k6["shop_requests"] == account.witnessed == roots > 0, (account.k6, account.witnessed, roots)
    types = {row["anomaly_type"] for row in account.rows if row["trace_id"] in account.witness}
    assert types == {"none", *BROKEN_SERVICE}, types
    records, right = account.logs()
    assert right == records > 0, account.other_lines()
    print("\n".join(account.other_lines()))
    effects = account.effects()
    assert {kind for kind, *_ in effects} == set(BROKEN_SERVICE) and all(shows(now, base) for _, _, now, base in effects), account.effect_lines()
    again = subprocess.run([os.path.join(ROOT, "k6", "account"), directory], capture_output=True, text=True)
    assert again.returncode == 0 and account.label_line("none") in again.stdout, again


def check_record(run):
    record = run.record()
    assert record["schema"] == "telltale.run/1" and record["result"] == "done" and record["seed"] == 1, record
    assert record["started"] < record["ended"] and record["died"] == {}, record
    assert record["settings"]["duration_seconds"] == 3 and record["settings"]["ramp_seconds"] == 1, record
    assert len(record["blocks"]) == 15 and {b["scenario"] for b in record["blocks"]} == {"baseline", *record["faults"]}, record
    assert set(record["spans"]) == SERVICES and SERVICES < set(record["shop"]), record
    assert "?" not in str([record["k6"], record["telltale"], record["shop"]]), record
    assert record["requests"]["nginx"] == record["requests"]["shop_requests"] > 0, record


def main():
    ready_home()
    with Run(*OPTIONS) as run:
        out = run.end(0)
        check_account(run.directory, out)
        check_record(run)
        run.check_finished()
        assert os.path.getsize(os.path.join(run.directory, "report.html")) > 10_000 and "The report as a page to look at: " in out, out


if __name__ == "__main__":
    main()
