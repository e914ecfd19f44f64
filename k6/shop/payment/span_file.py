# SPDX-License-Identifier: Apache-2.0
"""Each span that ended, one line in a file: trace id, span id, name. Counted beside the exporter, not by it."""

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor


class SpanFile(SpanProcessor):
    def __init__(self, path):
        self.file = open(path, "a", buffering=1, encoding="utf-8")

    def on_end(self, span):
        context = span.get_span_context()
        if context.trace_flags.sampled:
            self.file.write(f"{context.trace_id:032x} {context.span_id:016x} {span.name}\n")

    def shutdown(self):
        self.file.close()


def count_spans(path):
    """Adds the file to the provider that `opentelemetry-instrument` made; no path: nothing."""
    provider = trace.get_tracer_provider()
    if path and hasattr(provider, "add_span_processor"):
        provider.add_span_processor(SpanFile(path))
