# SPDX-License-Identifier: Apache-2.0
"""Processes that are started and stopped together, by pid. None outlives the one who started it, however that one ends."""

import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from .settings import Problem

_PR_SET_PDEATHSIG = 1
STOP_SECONDS = 25
_LIBC = ctypes.CDLL(None)


def end_with_parent(number=signal.SIGTERM):
    """A preexec_fn: the child gets this signal when we end, even by SIGKILL."""
    return lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


class Process:
    """One running program; its output goes to a file."""

    def __init__(self, name, argv, log_path, environment=None, directory=None, user=None, stop_signal=signal.SIGTERM):
        self.name, self.log_path, self.stop_signal = name, log_path, stop_signal
        self.reported = False
        identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        with open(log_path, "ab") as log:
            try:
                # In a session of its own: Ctrl-C on the terminal is ours to pass on, in order.
                self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=directory,
                                              start_new_session=True, preexec_fn=end_with_parent(stop_signal), **identity)
            except OSError as error:
                raise Problem(f"{name} cannot be started: {error}") from error

    def is_alive(self):
        return self.popen.poll() is None

    def ask_to_stop(self):
        self.reported = True
        if self.is_alive():
            self.popen.send_signal(self.stop_signal)

    def stop(self, seconds=STOP_SECONDS):
        """Asks, waits, then kills; whether it ended when asked."""
        self.ask_to_stop()
        return self.wait_stopped(seconds)

    def wait_stopped(self, seconds):
        try:
            self.popen.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            return False

    def last_lines(self, count=8):
        with open(self.log_path, "rb") as log:
            return b"".join(log.readlines()[-count:]).decode("utf-8", "replace")


class Group:
    """Processes in the order of their start."""

    def __init__(self):
        self.processes = {}

    def add(self, process):
        self.processes[process.name] = process
        return process

    def newly_dead(self):
        """Those that ended since the last call though nobody asked them to."""
        dead = [p for p in self.processes.values() if not p.reported and not p.is_alive()]
        for process in dead:
            process.reported = True
        return dead

    def stop(self, together=()):
        """Those named at once (SDKs take their time when nobody takes their data), then the others, the latest first. Returns the names
        of those that had to be killed."""
        named = [self.processes.pop(name) for name in together if name in self.processes]
        for process in named:
            process.ask_to_stop()
        end = time.monotonic() + STOP_SECONDS
        killed = [p.name for p in named if not p.wait_stopped(max(0.1, end - time.monotonic()))]
        while self.processes:
            name, process = self.processes.popitem()
            if not process.stop():
                killed.append(name)
        return killed


def check_ports(ports, variable):
    """ports: {name: number}. A Problem that names those that are taken."""
    taken = []
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.append(f"{port} ({name})")
    if taken:
        raise Problem(f"in use by another program: port {', '.join(taken)}; set {variable} to the first of 23 free ports")


def _answers(url):
    # Unsampled, so that the question is in nobody's dataset.
    request = urllib.request.Request(url, headers={"traceparent": f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return answer.status < 500
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_ready(process, url=None, port=None, seconds=60):
    """Until the URL answers or the port listens; a Problem with the end of the log when that does not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not process.is_alive():
            raise Problem(f"{process.name} ended with {process.popen.returncode} while starting; {process.log_path} ends:\n{process.last_lines()}")
        if _answers(url) if url else _listens(port):
            return
        time.sleep(0.1)
    raise Problem(f"{process.name} is not ready after {seconds} s; see {process.log_path}")


def clean_environment():
    """Ours without anything that would steer an SDK."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SHOP_", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS"))}
