# SPDX-License-Identifier: Apache-2.0
"""A WSGI service with the official SDK and its instrumentation, which is called a few times and exports everything.
usage: service.py ENDPOINT gzip|none REQUESTS ANOMALY_TYPE     prints {"spans": …, "points": …, "records": …, "failed": …}"""
import json
import logging
import os
import sys
import threading
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

endpoint, compression, requests, anomaly_type = sys.argv[1:5]
os.environ.update({
    "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
    "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
    "OTEL_SERVICE_NAME": "python-" + compression,
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "x-anomaly-.*",
})

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

count = {"spans": 0, "points": 0, "records": 0, "failed": 0}


def counted(exporter, field, size):
    """Counts what an exporter was given and whether the delivery succeeded."""
    inner = exporter.export

    def export(items, *args, **kwargs):
        result = inner(items, *args, **kwargs)
        count[field if result.name == "SUCCESS" else "failed"] += size(items)
        return result

    exporter.export = export
    return exporter


def points(data):
    return sum(len(m.data.data_points) for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics)


tracers = TracerProvider()
tracers.add_span_processor(BatchSpanProcessor(counted(OTLPSpanExporter(), "spans", len)))
trace.set_tracer_provider(tracers)
meters = MeterProvider(metric_readers=[PeriodicExportingMetricReader(counted(OTLPMetricExporter(), "points", points))])
loggers = LoggerProvider()
loggers.add_log_record_processor(BatchLogRecordProcessor(counted(OTLPLogExporter(), "records", len)))
set_logger_provider(loggers)
log = logging.getLogger("shop")
log.propagate = False
log.addHandler(LoggingHandler(logger_provider=loggers))
log.setLevel(logging.INFO)
served = meters.get_meter("shop").create_counter("shop.requests")


def app(environ, start_response):
    served.add(1, {"route": environ["PATH_INFO"]})
    log.info("served %s", environ["PATH_INFO"])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


server = make_server("127.0.0.1", 0, OpenTelemetryMiddleware(app, tracer_provider=tracers, meter_provider=meters), handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
for i in range(int(requests)):
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{server.server_port}/item/{i}", headers={
        "x-anomaly-type": anomaly_type, "x-anomaly-label": "anomalous",
        "x-anomaly-root-cause": "slow_database_query", "x-anomaly-msg": "from the python peer"})).read()
server.shutdown()
for provider in (tracers, meters, loggers):
    provider.force_flush()
    provider.shutdown()
print(json.dumps(count))
