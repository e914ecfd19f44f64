# SPDX-License-Identifier: Apache-2.0
"""config/examples/collector-drop-in.yaml is a configuration of the OpenTelemetry Collector: the Collector itself says so. That it runs here
too is tested in tests/integration/telemetry/test_examples.py."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import peers
import telltale

EXAMPLE = os.path.join(telltale.ROOT, "config", "examples", "collector-drop-in.yaml")


def without_extensions(text):
    """The peer is built without health_check."""
    lines, skipping = [], False
    for line in text.splitlines(keepends=True):
        skipping = line.startswith("extensions:") or (skipping and line.startswith((" ", "\n")))
        if not skipping and not line.startswith("  extensions:"):
            lines.append(line)
    return "".join(lines)


def main():
    collector = peers.collector()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as copy, open(EXAMPLE, encoding="utf-8") as f:
        copy.write(without_extensions(f.read()))
        copy.flush()
        out = subprocess.run([collector, "validate", "--config", copy.name], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out.stderr
    print("the Collector takes collector-drop-in.yaml")


if __name__ == "__main__":
    main()
