# SPDX-License-Identifier: Apache-2.0
"""What the tests of detection commands share."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402


def run(*args, code=0, env=None):
    """The finished command; fails unless it ended with `code`."""
    done = subprocess.run([telltale.binary(), *args], capture_output=True, text=True, timeout=280, env=env)
    assert done.returncode == code, (args, done.returncode, done.stdout[-500:], done.stderr[-2000:])
    return done


def points(*args):
    return [json.loads(line) for line in run("evaluate", "series", "--json", *args).stdout.splitlines()]


def write(path, text):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def nab(data, labels, *args):
    return json.loads(run("evaluate", "nab", "--data", data, "--labels", labels, "--json", *args).stdout)
