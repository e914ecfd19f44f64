# SPDX-License-Identifier: Apache-2.0
"""What is special to the receiver: endpoints, other protocols, browsers, label windows, metrics, environment lines."""

import re
import subprocess
import tempfile
import time

import bench
import telltale
from bench import JSON

BOTH = """
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "{grpc}"}
      http:
        endpoint: "{otlp}"
        cors: {allowed_origins: ["https://*.shop.example"], max_age: 60}
        response_headers: {X-Served-By: telltale}
        traces_url_path: /in/traces
exporters:
  debug:
service:
  telemetry: {metrics: {address: "{metrics}"}}
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def read_all(sock):
    data = b""
    try:
        while piece := sock.recv(4096):
            data += piece
    except ConnectionError:
        pass
    return data


def other_protocols(b):
    for name in ("otlp", "grpc"):
        for _ in range(3):
            with b.process.connect(name) as sock:
                sock.sendall(PREFACE)
                data = read_all(sock)
                b.check(f"C8 HTTP/2 on {name}", data[3:4] == b"\x04" and b"http/protobuf" in data, data)
    with b.process.connect("otlp") as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        data = read_all(sock)
        b.check("C8 TLS", data[:1] == b"\x15", data)
    log = b.process.log()
    lines = [line for line in log.splitlines() if "gRPC client" in line]
    # One line for each port's server would be two; the receiver remembers the address.
    b.check("one line for a gRPC peer", len(lines) == 1, lines)
    b.check("which names what to set", re.search(r"127\.0\.0\.1:\d+.*OTEL_EXPORTER_OTLP_ENDPOINT=http://127\.0\.0\.1:%d "
                                                 r"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" % b.process.ports["otlp"], lines[0]),
            lines)
    b.check("one line for TLS", log.count("a TLS client") == 1, log)


def paths(b):
    body = bench.good_body()
    answer = b.process.post("otlp", "/in/traces", body)
    b.check("another path", answer.status == 200 and answer.headers.get("x-served-by") == "telltale", answer)
    b.check("HTTP on the gRPC port", b.process.post("grpc", "/in/traces", body).status == 200)
    for path in ("/v1/traces", "/v1/metrics", "/v1/logs", "/"):
        answer = b.process.post("otlp", path, body)
        b.check(f"{path} is not there", answer.status == 404 and b"OTLP paths are /in/traces" in answer.body
                and b"metrics" not in answer.body and answer.headers["content-type"] == bench.PROTOBUF, answer)


def browsers(b):
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = b.process.request("otlp", "OPTIONS", "/in/traces", None, {"Origin": "https://a.shop.example", **ask})
    b.check("preflight", answer.status == 204 and answer.headers["access-control-allow-origin"] == "https://a.shop.example"
            and answer.headers["access-control-max-age"] == "60", answer)
    answer = b.process.post("otlp", "/in/traces", b"{}", content_type=JSON, headers={"Origin": "https://a.shop.example"})
    b.check("page may read", answer.headers.get("access-control-allow-origin") == "https://a.shop.example", answer)
    answer = b.process.post("otlp", "/in/traces", b"[", content_type=JSON, headers={"Origin": "https://a.shop.example"})
    b.check("page may read a refusal", answer.status == 400 and "access-control-allow-origin" in answer.headers, answer)
    answer = b.process.request("otlp", "OPTIONS", "/in/traces", None, {"Origin": "https://evil.example", **ask})
    b.check("foreign preflight", answer.status == 405 and "access-control-allow-origin" not in answer.headers, answer)


def labels(b):
    answer = b.process.post("otlp", "/v1/labels", b'{"type":"cpu","label":"hot","services":["cart"]}', content_type=JSON)
    b.check("a window is opened", answer.status == 200 and answer.json()["end"] is None, answer)
    number = answer.json()["id"]
    answer = b.process.post("otlp", "/v1/labels", b'{"id":%d}' % number, content_type=JSON)
    b.check("and closed", answer.status == 200 and answer.json()["end"], answer)
    answer = b.process.post("otlp", "/v1/labels", b'{"type":"cpu","lease":"1s"}', content_type=JSON)
    number = answer.json()["id"]
    b.check("a lease has an end", answer.status == 200 and answer.json()["end"], answer)
    time.sleep(1.1)
    answer = b.process.post("otlp", "/v1/labels", b'{"id":%d,"lease":"1s"}' % number, content_type=JSON)
    b.check("after it the window is closed", answer.status == 404 and b"its lease ran out" in answer.body, answer)
    for name, body, content_type, status in (
        ("a lease without a unit", b'{"type":"cpu","lease":"10"}', JSON, 400),
        ("unknown id", b'{"id":99}', JSON, 404),
        ("malformed", b"{", JSON, 400),
        ("not JSON", b'{"type":"cpu"}', "text/plain", 415),
        ("too large", b'{"type":"' + b"x" * 70000 + b'"}', JSON, 413),
    ):
        answer = b.process.post("otlp", "/v1/labels", body, content_type=content_type)
        b.check(name, answer.status == status, answer)
    b.check("GET", b.process.get("otlp", "/v1/labels").status == 405)


def counters():
    with bench.start() as process:
        b = bench.Bench(process)
        for name in ("accepted", "refused", "failed"):
            for items in ("spans", "metric_points", "log_records"):
                metric = f"otelcol_receiver_{name}_{items}"
                b.check(metric, process.metric(metric, receiver="otlp", transport="http") == 0, process.metric(metric))
        process.post("otlp", "/v1/traces", telltale.traces([telltale.span(), telltale.span(trace_id=b"x")]))
        process.post("otlp", "/v1/logs", telltale.logs(3))
        process.post("otlp", "/v1/metrics", telltale.metrics(4))
        process.post("otlp", "/v1/traces", b"\xff")
        for metric, value in (("otelcol_receiver_accepted_spans", 1), ("otelcol_receiver_failed_spans", 1),
                              ("otelcol_receiver_accepted_log_records", 3), ("otelcol_receiver_accepted_metric_points", 4),
                              ("telltale_dropped_items", 1)):
            b.check(metric, process.metric(metric) == value, process.metric(metric))
        for outcome, value in (("success", 3), ("failure", 1), ("refused", 0)):
            b.check(outcome, process.metric("otelcol_receiver_requests", outcome=outcome) == value)
        process.stop()
        return b.failures


def wrong_configurations():
    failures = 0
    for endpoint, more, word in (("0.0.0.0:0", "", "allow_insecure_remote"), ("nonsense", "", "host:port"),
                                 ("127.0.0.1:0", "tls: {cert_file: x}", "tls")):
        text = bench.CONFIG.replace('"{otlp}"', f'"{endpoint}"').replace('"{metrics}"', '"127.0.0.1:0"') % ("        " + more)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write(text)
            f.flush()
            run = subprocess.run([telltale.binary(), "validate", "--config", f.name], capture_output=True, text=True, timeout=20)
        if run.returncode != 2 or word not in run.stdout + run.stderr:
            failures += 1
            print(f"FAILED: {endpoint} {more}: {run}")
    return failures


def remote():
    """Meant: it starts, warns once, and serves."""
    text = bench.CONFIG.replace('"{otlp}"', '"0.0.0.0:OTLP"') % "        allow_insecure_remote: true"
    port = telltale.free_ports(1)[0]
    text = text.replace("OTLP", str(port), 1).replace("level: error", "level: warn")
    with telltale.Process(text, endpoints=["metrics"]) as process:
        process.ports["otlp"] = port
        telltale.wait_for(lambda: process.is_open("otlp"))
        ok = process.post("otlp", "/v1/traces", bench.good_body()).status == 200 and process.log().count("unencrypted") == 1
        process.stop()
        if not ok:
            print("FAILED: remote\n" + process.log())
        return 0 if ok else 1


def port_of_the_system():
    """Port 0: the log names the one that was got, and it serves."""
    text = (bench.CONFIG % "").replace('"{otlp}"', '"127.0.0.1:0"').replace("level: error", "level: info")
    with telltale.Process(text, endpoints=["metrics"]) as process:
        found = telltale.wait_for(lambda: re.search(r"OTEL_EXPORTER_OTLP_ENDPOINT=http://127\.0\.0\.1:(\d+) ", process.log()))
        process.ports["otlp"] = int(found.group(1))
        ok = process.ports["otlp"] > 0 and process.post("otlp", "/v1/traces", bench.good_body()).status == 200
        process.stop()
        if not ok:
            print("FAILED: port of the system\n" + process.log())
        return 0 if ok else 1


def main():
    failures = wrong_configurations() + counters() + remote() + port_of_the_system()
    with telltale.Process(BOTH, endpoints=["otlp", "grpc", "metrics"]) as process:
        b = bench.Bench(process)
        b.still_good = lambda name: None
        b.failures += failures
        telltale.wait_for(lambda: "OTEL_EXPORTER_OTLP_ENDPOINT" in process.log())
        b.check("environment lines", f"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{process.ports['otlp']}" in process.log()
                and "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in process.log(), process.log())
        for part in (paths, other_protocols, browsers, labels):
            part(b)
        b.end()


main()
