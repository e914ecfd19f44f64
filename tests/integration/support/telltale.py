# SPDX-License-Identifier: Apache-2.0
"""What integration tests share: a Telltale of the test's own, on ports and in a folder of its own. Standard library only.

    with Telltale(config) as server:          # config: text; @ is the folder, {http} {health} {metrics} the ports
        server.post("/v1/traces", body)
    assert server.exit_code == 0

The binary is named by $TELLTALE. A process is ended by its pid and only if this module started it."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BINARY = os.environ.get("TELLTALE", "build/dev/telltale")
# Sanitizers make everything slower; no test may depend on a time that a slow machine cannot keep.
PATIENCE = float(os.environ.get("TELLTALE_PATIENCE", "30"))
SKIPPED = 77  # the exit code that ctest reads as "skipped"

DEFAULT = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{http}"}}}}}}}}
processors: {{trace_assembler: {{idle: 500ms}}, anomaly_labels: }}
exporters:
  file: {{path: "@/traces.jsonl"}}
  file/metrics: {{path: "@/metrics.jsonl"}}
  file/logs: {{path: "@/logs.jsonl"}}
  dataset: {{directory: "@/dataset"}}
extensions: {{health_check: {{endpoint: "127.0.0.1:{health}"}}}}
service:
  telemetry: {{metrics: {{address: "127.0.0.1:{metrics}"}}}}
  extensions: [health_check]
  pipelines:
    traces: {{receivers: [otlp], processors: [trace_assembler, anomaly_labels], exporters: [file, dataset]}}
    metrics: {{receivers: [otlp], processors: [anomaly_labels], exporters: [file/metrics, dataset]}}
    logs: {{receivers: [otlp], processors: [anomaly_labels], exporters: [file/logs, dataset]}}
"""


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, patience=None):
    end = time.monotonic() + (patience or PATIENCE)
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited in vain for " + what)


class Telltale:
    def __init__(self, config=DEFAULT, folder=None, arguments=(), wrapper=(), environment=None, expect_exit=0):
        self.folder = folder or tempfile.mkdtemp(prefix="telltale-test-")
        self.owns_folder = folder is None
        self.ports = {name: free_port() for name in ("http", "grpc", "health", "metrics", "extra")}
        self.config = config.format(**self.ports).replace("@", self.folder)
        self.arguments, self.wrapper, self.environment = list(arguments), list(wrapper), environment or {}
        self.expect_exit, self.exit_code, self.process = expect_exit, None, None
        self.log_path = os.path.join(self.folder, "telltale.log")

    # ---- life ----

    def start(self, wait=True):
        path = os.path.join(self.folder, "telltale.yaml")
        with open(path, "w") as f:
            f.write(self.config)
        self.log_file = open(self.log_path, "ab")
        self.process = subprocess.Popen([*self.wrapper, os.path.abspath(BINARY), "run", "--config", path, *self.arguments], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=self.log_file, stderr=self.log_file, env={**os.environ, **self.environment})
        self.exit_code = None
        if wait:
            wait_until(self.is_ready, "the start of telltale; its log:\n" + self.log())
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"telltale ended with {self.process.returncode}:\n{self.log()}")
        if "health_check" in self.config:
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{self.ports['health']}/", timeout=5).status == 200
            except (urllib.error.URLError, OSError):
                return False
        try:
            socket.create_connection(("127.0.0.1", self.ports["http"]), 1).close()
            return True
        except OSError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process is None or self.exit_code is not None:
            return self.exit_code
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.exit_code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("telltale did not stop:\n" + self.log()) from None
        self.log_file.close()
        return self.exit_code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            code = self.stop()
            if kind is None and self.expect_exit is not None:
                assert code in (self.expect_exit, -signal.SIGKILL), f"telltale ended with {code}:\n{self.log()}"
        finally:
            if kind is not None:
                print("---- log of telltale ----\n" + self.log()[-6000:], file=sys.stderr)
            self.log_text = self.log()
            self.kept = self.read_all()
            if self.owns_folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what it says ----

    def log(self):
        if hasattr(self, "log_text") and not os.path.exists(self.log_path):
            return self.log_text
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def metrics(self):
        """Own metrics as {name{labels}: value}."""
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.ports['metrics']}/metrics", timeout=10).read().decode()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and not line.startswith("#")}

    def metric(self, name, **labels):
        """The sum of all series of that name that carry these labels."""
        wanted = [f'{k}="{v}"' for k, v in labels.items()]
        return sum(v for k, v in self.metrics().items() if k.split("{")[0] == name and all(w in k for w in wanted))

    def memory(self, what="VmRSS"):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
        return 0

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # ---- talking to it ----

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.ports['http']}"

    def request(self, method, path, body=None, headers=None, port=None):
        """(status, headers, body) of one request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.ports["http"], timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        finally:
            connection.close()

    def post(self, path, body, content_type="application/x-protobuf", **headers):
        return self.request("POST", path, body, {"Content-Type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def post_json(self, path, value, **headers):
        return self.post(path, json.dumps(value).encode(), "application/json", **headers)

    def raw(self, data, patience=None, half_close=False):
        """Sends bytes as they are and returns everything until the server closes or falls silent."""
        with socket.create_connection(("127.0.0.1", self.ports["http"]), PATIENCE) as s:
            s.settimeout(patience or 10)
            try:
                s.sendall(data)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got = b""
            try:
                while block := s.recv(65536):
                    got += block
            except OSError:
                pass
            return got

    # ---- what it wrote ----

    def read_all(self):
        """Every file below the folder, small ones with their text."""
        kept = {}
        for base, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(base, name)
                if os.path.isfile(path) and os.path.getsize(path) < 64 << 20:
                    with open(path, "rb") as f:
                        kept[os.path.relpath(path, self.folder)] = f.read()
        return kept

    def loadgen(self, *arguments, check=True):
        """Runs the load generator against it and returns its account."""
        out = subprocess.run([os.path.abspath(BINARY), "loadgen", "--endpoint", self.endpoint, "--json", *map(str, arguments)],
                             capture_output=True, text=True, timeout=600)
        assert not check or out.returncode == 0, out.stderr
        return json.loads(out.stdout)


def jsonl_spans(kept):
    """Spans of all .jsonl texts among kept files: (resource attributes, span, attributes) with attributes as plain dicts."""
    for name, data in kept.items():
        if not name.endswith(".jsonl"):
            continue
        assert data == b"" or data.endswith(b"\n"), name + " ends within a line"
        for line in data.splitlines():
            for resource in json.loads(line).get("resourceSpans", []):
                about = attributes(resource.get("resource", {}))
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        yield about, span, attributes(span)


def attributes(item):
    return {a["key"]: next(iter(a["value"].values()), None) for a in item.get("attributes", [])}


def csv_rows(kept, prefix="traces_labeled_"):
    """Rows of the finished CSV files whose name begins with prefix, as dicts."""
    import csv
    import io
    for name, data in kept.items():
        if os.path.basename(name).startswith(prefix) and name.endswith(".csv"):
            yield from csv.DictReader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""))


def otlp_span(trace_id, span_id, parent="", name="op", start=1790000000000000000, duration=1000000, attributes=None, kind=2):
    """One span as OTLP/JSON."""
    return {"traceId": trace_id, "spanId": span_id, "parentSpanId": parent, "name": name, "kind": kind, "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + duration), "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in (attributes or {}).items()]}


def otlp_traces(spans, service="shop"):
    return {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                               "scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}]}
