# SPDX-License-Identifier: Apache-2.0
"""run.json: what a dataset was recorded with. Its members are in docs/datasets.md. No names of machines, users or folders."""

import datetime
import json
import os
import platform
import re
import subprocess

from .account import BROKEN_SERVICE, k6_summary, read_counted, read_witness
from .install import find_program, initdb
from .settings import Problem

SCHEMA = "telltale.run/1"


def _now():
    return _text_of(datetime.datetime.now(datetime.timezone.utc))


def _text_of(time):
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---- what k6 is going to do ----

def plan(k6, environment, script):
    """Settings and blocks as labelled.js understood them; a Problem in its words when it did not."""
    # The environment counts for `k6 run`, so it must here.
    command = [k6, "inspect", "--include-system-env-vars", *[part for pair in environment.items() for part in ("-e", "=".join(pair))], script]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        said = re.search(r"Error: (.*?)(?:\\n|\n|$)", done.stderr)
        raise Problem(said[1].replace('\\"', '"') if said else f"k6 does not take the script: {done.stderr.strip()}")
    return (json.loads(done.stdout).get("ext") or {}).get("telltale") or {}


def _blocks(planned, begin_ms):
    """Blocks by the clock; begin_ms: when k6's set-up was done."""
    begin = datetime.datetime.fromtimestamp(begin_ms / 1000, datetime.timezone.utc)
    at = lambda seconds: _text_of(begin + datetime.timedelta(seconds=seconds))  # noqa: E731
    return [{"id": b["id"], "scenario": b["name"], "start": at(b["start"]), "end": at(b["end"])} for b in planned]


_UNITS = {"duration": "seconds", "baseline": "seconds", "ramp": "seconds", "gap": "seconds", "warmUp": "seconds", "rate": "per_second",
          "baselineRate": "per_second"}


def _settings(planned, capture):
    """What was asked for, with units in the names: {"duration_seconds": 30, …}; no addresses, no folders."""
    named = {re.sub(r"[A-Z]", lambda c: "_" + c[0].lower(), key) + "_" + unit: planned.get(key) for key, unit in _UNITS.items()}
    return {**named, "repeats": planned.get("repeats"), "scenarios": planned.get("only") or "all",
            "journeys": os.path.basename(planned.get("journeys") or "?"), "capture": capture}


# ---- what it ran on ----

def _first(pattern, argv):
    """The first group of the pattern in what the command prints; "?" when it cannot be had."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "?"
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "?"


def _node_sdk(home):
    try:
        with open(os.path.join(home, "node", "node_modules", "@opentelemetry", "sdk-node", "package.json"), encoding="utf-8") as file:
            return json.load(file)["version"]
    except (OSError, ValueError, KeyError):
        return "?"


def versions(home):
    """{service or store: what it is made of}."""
    number, java, go, go_sdk = r"([0-9][0-9.]+)", r'version "([^"]+)', r": go([0-9.]+)", r"opentelemetry\.io/otel/sdk\s+v([0-9.]+)"
    installed = "import importlib.metadata as m; print(m.version('opentelemetry-sdk'))"
    node = f"Node.js {_first(r'v([0-9.]+)', ['node', '--version'])}"
    instrumented = f"{node}, @opentelemetry/sdk-node {_node_sdk(home)}"
    python = os.path.join(home, "venv", "bin", "python")
    agent = os.path.join(home, "shipping", "target", "lib", "opentelemetry-javaagent.jar")
    dispatch = ["go", "version", "-m", os.path.join(home, "dispatch")]
    return {
        "nginx": _first(r"nginx/([0-9.]+)", [find_program("nginx"), "-v"]),
        "web": instrumented, "catalogue": instrumented, "cart": instrumented, "user": instrumented, "gateway": node,
        "shipping": f"Java {_first(java, ['java', '-version'])}, opentelemetry-javaagent {_first(number, ['java', '-jar', agent])}",
        "payment": f"Python {_first(number, [python, '--version'])}, opentelemetry-sdk {_first(number, [python, '-c', installed])}",
        "dispatch": f"Go {_first(go, dispatch)}, go.opentelemetry.io/otel/sdk {_first(go_sdk, dispatch)}",
        "redis": _first(r"v=([0-9.]+)", [find_program("redis-server"), "--version"]),
        "postgresql": _first(r"([0-9.]+)", [os.path.join(os.path.dirname(initdb()), "postgres"), "--version"]),
    }


def _line(path, pattern):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None


def machine():
    system = _line("/etc/os-release", r'^PRETTY_NAME="?([^"]*)"?$') or platform.system()
    memory = _line("/proc/meminfo", r"^MemTotal:\s+(\d+) kB")
    return {
        "cpu": _line("/proc/cpuinfo", r"^model name\s*: (.*)$") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int(memory) * 1024 if memory else None,
        "system": f"{system}, {platform.system()} {platform.release()}",
    }


# ---- the file ----

class Record:
    """Written when the run starts, and again when it has ended: a run that was killed leaves the first."""

    def __init__(self, settings, planned, k6, telltale):
        self.settings, self.planned = settings, planned
        self.path = settings.path("dataset", "run.json")
        self.content = {
            "schema": SCHEMA, "started": _now(), "ended": None, "result": "running",
            "seed": planned.get("seed"), "order": planned.get("order"),
            "k6": _first(r"k6(?:\.exe)? (v[0-9][^ ]*)", [k6, "version"]), "telltale": _first(r"telltale version ([^ \n]*)", [telltale, "--version"]),
            "shop": versions(settings.home), "machine": machine(), "faults": BROKEN_SERVICE,
            "settings": _settings(planned, settings.capture_text),
            "died": {},
        }
        os.makedirs(settings.path("dataset"), exist_ok=True)
        self.write()

    def died(self, process):
        self.content["died"][process.name] = {"at": _now(), "code": process.popen.returncode}

    def finish(self, result):
        """What k6 and the services counted, too."""
        summary = k6_summary(self.settings.directory)
        _, requests = read_witness(self.settings.directory)
        self.content.update(ended=_now(), result=result, requests={"nginx": requests, **(summary["counts"] if summary else {})},
                            spans={service: len(spans) for service, spans in read_counted(self.settings.directory).items()})
        if summary and summary["begin"]:
            self.content["blocks"] = _blocks(self.planned.get("blocks", []), summary["begin"])
        self.write()

    def write(self):
        with open(self.path + ".partial", "w", encoding="utf-8") as file:
            json.dump(self.content, file, indent=2, ensure_ascii=False)
            file.write("\n")
        os.replace(self.path + ".partial", self.path)
