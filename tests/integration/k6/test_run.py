# SPDX-License-Identifier: Apache-2.0
"""k6/run end to end, SHOP_CAPTURE=none: no service captures headers, k6's root spans label every trace; no span is lost between the
services' own counts and the dataset; nothing is left running."""
import os
import random
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(ROOT, "k6", "shop")]
import telltale  # noqa: E402
from lib import install  # noqa: E402
from lib.account import Account  # noqa: E402
from lib.processes import check_ports  # noqa: E402
from lib.settings import Problem, Settings  # noqa: E402

INSTALL_SECONDS, RUN_SECONDS = 120, 170
LEAST_SHARE = 0.999


def ready_home():
    """Folder of the installed shop; skips, with a word, where it cannot be had in time."""
    missing = install.missing_packages()
    if missing:
        telltale.skip(f"not installed here: {', '.join(missing)}")
    try:
        install.check_go()
    except Problem as problem:
        telltale.skip(str(problem))
    shop = os.path.join(ROOT, "k6", "shop", "shop")
    child = subprocess.Popen([shop, "install"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        out, _ = child.communicate(timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        telltale.skip(f"k6 and the shop are not installed, and not in {INSTALL_SECONDS} s; run k6/shop/shop install once")
    if child.returncode != 0:
        telltale.skip(f"k6 and the shop cannot be installed here: {out.strip()}")


def free_base():
    """The first of 23 free ports below those that the kernel gives away."""
    for _ in range(50):
        base = random.randrange(20000, 32000, 25)
        try:
            check_ports({"shop": base, **{str(i): base + i for i in range(1, 23)}}, "SHOP_PORT")
            return base
        except Problem:
            continue
    telltale.skip("no 23 free ports in a row")


def processes_of(directory):
    """Command lines of what still runs in the run's folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if directory in line and int(pid) != os.getpid():
            found.append(line)
    return found


def run(directory, base):
    environment = {**os.environ, "TELLTALE": telltale.binary(), "SHOP_PORT": str(base)}
    command = [os.path.join(ROOT, "k6", "run"), "--output", directory, "--capture", "none", "--duration", "3s", "--baseline", "1s", "--gap", "1s",
               "--repeats", "1", "--warm-up", "5s", "--rate", "5"]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        out, _ = child.communicate(timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        child.terminate()
        out, _ = child.communicate(timeout=60)
        raise AssertionError(f"k6/run did not end in {RUN_SECONDS} s:\n{out}") from None
    assert child.returncode == 0, f"k6/run ended with {child.returncode}:\n{out}"
    return out


def check(directory, out):
    account = Account(directory)
    spans, right = account.labels()
    print(account.label_line("none"))
    print("\n".join(account.loss_lines()))
    assert spans > 1000, out
    assert right >= LEAST_SHARE * spans, account.label_line("none")
    assert account.lost() == 0, account.loss_lines()
    assert account.duplicates == 0, account.loss_lines()
    assert set(account.counted) == {"web", "cart", "catalogue", "shipping", "payment", "user", "dispatch"}, sorted(account.counted)
    assert all(counted > 0 for counted, _, _, _ in account.losses().values()), account.loss_lines()
    roots = len(account.by_service["k6"])
    assert account.k6["shop_requests"] == account.witnessed == roots > 0, (account.k6, account.witnessed, roots)
    assert len({row["anomaly_type"] for row in account.rows}) == 8, out


def main():
    ready_home()
    base = free_base()
    with tempfile.TemporaryDirectory(prefix="k6-run-") as directory:
        check(directory, run(directory, base))
        left = processes_of(directory)
        assert not left, left
    os.environ["SHOP_PORT"] = str(base)
    check_ports(Settings().ports(), "SHOP_PORT")


if __name__ == "__main__":
    main()
