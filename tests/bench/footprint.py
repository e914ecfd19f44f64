#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Telltale costs when little happens: start, idle memory, size on disk, and 10,000 spans/s for a while.

usage: footprint.py TELLTALE [SECONDS of steady load, default 30]      one line a figure: name, value, unit, goal"""
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration", "support")
sys.path.insert(0, ROOT)


def show(name, value, unit, goal):
    print(f"{name:40s} {value:12,.2f}  {unit:10s} {goal}", flush=True)


def status(pid, what):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(what + r":\s+(\d+) kB", f.read()).group(1)) / 1024


def wait_port(port, begin, process):
    """Seconds from begin until the port takes a connection."""
    while time.monotonic() < begin + 10:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return time.monotonic() - begin
        if process.poll() is not None:
            raise SystemExit("telltale ended at the start")
        time.sleep(0.0005)
    raise SystemExit("telltale is not ready")


def start(telltale):
    import labelled
    import telltale as support
    folder = tempfile.mkdtemp(prefix="telltale-footprint-", dir="/dev/shm")
    ports = dict(zip(labelled.ENDPOINTS, support.free_ports(3)))
    text = labelled.CONFIG.replace("IDLE", "10s").replace("{dir}", folder)
    for name, port in ports.items():
        text = text.replace("{" + name + "}", f"127.0.0.1:{port}")
    path = os.path.join(folder, "config.yaml")
    with open(path, "w") as f:
        f.write(text)
    begin = time.monotonic()
    with open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen([telltale, "run", "--config", path], cwd=folder, stdout=log, stderr=log)
    return process, ports, folder, wait_port(ports["health"], begin, process)


def end(process, folder):
    process.terminate()
    process.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


def cpu_seconds(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def idle(telltale):
    starts = []
    for _ in range(9):
        process, _, folder, ready = start(telltale)
        starts.append(ready * 1000)
        time.sleep(0.2)
        private, resident = status(process.pid, "RssAnon"), status(process.pid, "VmRSS")
        end(process, folder)
    show("idle.start_to_ready", statistics.median(starts), "ms", "<= 20")
    show("idle.private", private, "MiB", "<= 2")
    show("idle.resident", resident, "MiB", "<= 10")


def size(telltale):
    stripped = tempfile.NamedTemporaryFile()
    subprocess.run(["strip", "-o", stripped.name, telltale], check=True)
    show("binary.stripped", os.path.getsize(stripped.name) / 2**20, "MiB", "<= 3")


def steady(telltale, seconds):
    process, ports, folder, _ = start(telltale)
    load = subprocess.Popen([telltale, "loadgen", "--endpoint", f"http://127.0.0.1:{ports['otlp']}", "--labels", "root-only", "--rate", "10000",
                             "--duration", f"{seconds + 15}s", "--traces-only", "--json"], stdout=subprocess.PIPE)
    time.sleep(14)  # the open traces reach their level
    before, begin, resident = cpu_seconds(process.pid), time.monotonic(), []
    while time.monotonic() < begin + seconds:
        time.sleep(1)
        resident.append(status(process.pid, "VmRSS"))
    share = (cpu_seconds(process.pid) - before) / (time.monotonic() - begin)
    import telltale as support
    text = __import__("urllib.request", fromlist=["x"]).urlopen(f"http://127.0.0.1:{ports['metrics']}/metrics").read().decode()
    held = sum(v for _, v in support.parse_metrics(text).get("telltale_trace_assembler_held_bytes", [])) / 2**20
    account = json.loads(load.communicate(timeout=120)[0])
    end(process, folder)
    show("steady_10k.cpu", share * 100, "% of core", "<= 2 (receive, join, label, JSONL and CSV)")
    show("steady_10k.resident", statistics.median(resident), "MiB", "")
    show("steady_10k.open_spans", held, "MiB", "held at the end")
    show("steady_10k.resident_less_open", statistics.median(resident) - held, "MiB", "<= 16")
    show("steady_10k.lost", account["spans_sent"] - account["spans_accepted"], "spans", "0")


def main():
    telltale = os.path.abspath(sys.argv[1])
    size(telltale)
    idle(telltale)
    steady(telltale, int(sys.argv[2]) if len(sys.argv) > 2 else 30)


if __name__ == "__main__":
    main()
