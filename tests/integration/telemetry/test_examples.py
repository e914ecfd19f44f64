# SPDX-License-Identifier: Apache-2.0
"""config/examples: each file is valid and does what it says. Only ports and places are set from outside."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import labelled
import telltale

EXAMPLES = os.path.join(telltale.ROOT, "config", "examples")


def example(name):
    return os.path.join(EXAMPLES, name)


def command(*words):
    return subprocess.run([telltale.binary(), *words], capture_output=True, text=True, timeout=60)


def run(name, *settings, endpoints=("health", "otlp"), **env):
    """The example with its ports set; values of env may name {dir} and {endpoint}s."""
    words = [word for setting in settings for word in ("--set", setting)]
    return telltale.Process(endpoints=endpoints, args=["--config", example(name), "--set", "service.telemetry.metrics.level=none", *words], env=env)


def check_all_valid():
    paths = sorted(glob.glob(example("*.yaml")))
    with open(example("README.md"), encoding="utf-8") as f:
        readme = f.read()
    for path in paths:
        out = command("validate", "--config", path)
        assert out.returncode == 0 and out.stdout == "", (path, out)
        assert f"`{os.path.basename(path)}`" in readme, f"README.md does not tell of {path}"
    return len(paths)


def check_default():
    """The file is the embedded one."""
    built_in, file = command("print-config"), command("print-config", "--config", example("default.yaml"))
    assert built_in.returncode == 0 and built_in.stdout == file.stdout, "default.yaml differs from the built-in configuration"


def check_minimal():
    with run("minimal.yaml", "receivers.otlp.protocols.http.endpoint={otlp}", endpoints=("otlp",)) as process:
        assert process.post("otlp", "/v1/traces", telltale.traces([telltale.span(name="GET /minimal")])).status == 200
        assert process.stop() == 0
        assert "GET /minimal" in process.log(), process.log()


def check_robot_shop(folder):
    """Writes its data to folder, for the replay."""
    process = run("robot-shop.yaml", "receivers.otlp.protocols.http.endpoint={otlp}", "extensions.health_check.endpoint={health}", TELLTALE_DATA=folder)
    with process:
        account = labelled.loadgen(labelled.endpoint(process), "--rate", 400, "--duration", "2s", "--export-interval", "500ms", "--seed", 2)
        assert process.stop(30) == 0, process.log()
    written = labelled.Written(folder)
    assert len(list(written.spans())) == sum(1 for _ in written.rows()) == account["spans_accepted"]
    return account


def check_replay(folder, account):
    """What the shop wrote, labelled again."""
    wanted = account["spans_accepted"]
    with telltale.Process(endpoints=("metrics",), args=["--config", example("replay.yaml"), "--set", "service.telemetry.metrics.address={metrics}"],
                          env={"TELLTALE_INPUT": os.path.join(folder, "traces.jsonl"), "TELLTALE_DATA": "."}) as process:
        assert telltale.wait_for(lambda: process.metric("otelcol_receiver_accepted_spans", receiver="otlp_json_file") == wanted, 60), process.metrics()
        assert process.stop(30) == 0
        found = sum(1 for _ in labelled.Written(process.dir).rows())
        assert found == wanted, (found, wanted)


def check_drop_in():
    with tempfile.TemporaryDirectory(prefix="telltale-drop-in-") as out:
        process = run("collector-drop-in.yaml", "receivers.otlp.protocols.http.endpoint={otlp}", "receivers.otlp.protocols.grpc.endpoint={grpc}",
                      "extensions.health_check.endpoint={health}", endpoints=("health", "otlp", "grpc"), TELEMETRY_DIR=out)
        with process:
            for path, body in (("/v1/traces", telltale.traces([telltale.span()])), ("/v1/metrics", telltale.metrics()), ("/v1/logs", telltale.logs())):
                assert process.post("otlp", path, body).status == 200
            assert process.stop() == 0
        with open(os.path.join(out, "telemetry.jsonl"), encoding="utf-8") as f:
            assert [next(iter(json.loads(line))) for line in f] == ["resourceSpans", "resourceMetrics", "resourceLogs"]
        if shutil.which("zstd"):
            text = subprocess.run(["zstd", "-dc", os.path.join(out, "telemetry.jsonl.zst")], capture_output=True, check=True).stdout
            assert [next(iter(json.loads(line))) for line in text.splitlines()] == ["resourceSpans"]


def main():
    count = check_all_valid()
    check_default()
    check_minimal()
    with tempfile.TemporaryDirectory(prefix="telltale-shop-") as folder:
        account = check_robot_shop(folder)
        check_replay(folder, account)
    check_drop_in()
    print(f"{count} examples do what they say")


if __name__ == "__main__":
    main()
