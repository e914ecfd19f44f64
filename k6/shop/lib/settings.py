# SPDX-License-Identifier: Apache-2.0
"""Where things are, and on which ports: from the environment."""

import os
import re

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Instrumented services, callers first.
SERVICES = ("web", "cart", "catalogue", "shipping", "payment", "user", "dispatch")
_OFFSETS = {"nginx": 0, "web": 1, "catalogue": 2, "cart": 3, "user": 4, "shipping": 5, "payment": 6, "dispatch": 7, "gateway": 8,
            "redis": 9, "postgres": 10, "telltale": 20, "telltale-health": 21, "telltale-metrics": 22}


class Problem(Exception):
    """Something that a person has to mend; its text says what and how."""


def captured_services(text):
    """Which services capture headers: none, web, all, or names by comma."""
    if text == "none":
        return set()
    if text == "all":
        return set(SERVICES)
    names = set(text.split(","))
    unknown = names - set(SERVICES)
    if unknown:
        raise Problem(f"SHOP_CAPTURE={text}: {', '.join(sorted(unknown))} is no service; write none, all or some of {', '.join(SERVICES)}")
    return names


def clock_offset(text):
    """(service, milliseconds) of "cart=300": a Node.js service whose clock is that many seconds off; ("", 0) without one."""
    if not text:
        return "", 0
    found = re.fullmatch(r"(web|catalogue|cart|user)=([+-]?\d{1,6})", text)
    if not found:
        raise Problem(f"SHOP_CLOCK={text}: write web, catalogue, cart or user, = and how many seconds its clock is off: cart=300")
    return found[1], int(found[2]) * 1000


class Settings:
    """SHOP_HOME installed things; SHOP_DIR data, logs and span files of a run; SHOP_PORT the first of 23 ports."""

    def __init__(self, directory=None, environ=os.environ):
        self.home = os.path.abspath(environ.get("SHOP_HOME") or os.path.join(ROOT, "build", "shop"))
        self.directory = os.path.abspath(directory or environ.get("SHOP_DIR") or os.path.join(self.home, "running"))
        self.base_port = _port(environ.get("SHOP_PORT") or "18080")
        self.otlp = (environ.get("OTLP") or f"http://127.0.0.1:{self.base_port + _OFFSETS['telltale']}").rstrip("/")
        self.capture_text = environ.get("SHOP_CAPTURE") or "none"
        self.capture = captured_services(self.capture_text)
        self.wrong_clock = clock_offset(environ.get("SHOP_CLOCK"))
        self.metric_interval_ms = environ.get("SHOP_METRIC_INTERVAL_MS") or "10000"

    def port(self, name):
        return self.base_port + _OFFSETS[name]

    def url(self, name):
        return f"http://127.0.0.1:{self.port(name)}"

    def ports(self):
        return {name: self.port(name) for name in _OFFSETS}

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def spans_file(self, service):
        return self.path("spans", service + ".txt")


def _port(text):
    if not text.isdigit() or not 1024 <= int(text) <= 65000:
        raise Problem(f"SHOP_PORT={text}: write a number from 1024 to 65000; it and the 22 after it are used")
    return int(text)
