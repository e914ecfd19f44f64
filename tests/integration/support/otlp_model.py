# SPDX-License-Identifier: Apache-2.0
"""OTLP requests as plain dictionaries in the strict JSON form: packed to protobuf, and brought to one canonical form to compare.

Written from the protocol's field numbers, apart from the C code, so that the two check each other. Standard library only.

    request = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "GET /", …}]}]}]}
    pack(request)       the bytes of the Export…ServiceRequest
    canonical(request)  zero values and empty messages left out, attributes sorted by key (kept when a key comes twice), doubles as
                        the hexadecimal digits of their bits, bytes as hexadecimal digits
"""
import base64
import json
import struct

import telltale

# name: (field number, kind). Kinds: "*" in front is repeated, "?" has presence (kept when it is zero); what begins with a capital
# letter is a message.
MESSAGES = {
    "Request": {"resourceSpans": (1, "*ResourceSpans"), "resourceMetrics": (1, "*ResourceMetrics"), "resourceLogs": (1, "*ResourceLogs")},
    "ResourceSpans": {"resource": (1, "Resource"), "scopeSpans": (2, "*ScopeSpans"), "schemaUrl": (3, "text")},
    "ResourceMetrics": {"resource": (1, "Resource"), "scopeMetrics": (2, "*ScopeMetrics"), "schemaUrl": (3, "text")},
    "ResourceLogs": {"resource": (1, "Resource"), "scopeLogs": (2, "*ScopeLogs"), "schemaUrl": (3, "text")},
    "ScopeSpans": {"scope": (1, "Scope"), "spans": (2, "*Span"), "schemaUrl": (3, "text")},
    "ScopeMetrics": {"scope": (1, "Scope"), "metrics": (2, "*Metric"), "schemaUrl": (3, "text")},
    "ScopeLogs": {"scope": (1, "Scope"), "logRecords": (2, "*LogRecord"), "schemaUrl": (3, "text")},
    "Resource": {"attributes": (1, "*KeyValue"), "droppedAttributesCount": (2, "varint")},
    "Scope": {"name": (1, "text"), "version": (2, "text"), "attributes": (3, "*KeyValue"), "droppedAttributesCount": (4, "varint")},
    "KeyValue": {"key": (1, "text"), "value": (2, "AnyValue")},
    "AnyValue": {"stringValue": (1, "?text"), "boolValue": (2, "?bool"), "intValue": (3, "?varint"), "doubleValue": (4, "?double"),
                 "arrayValue": (5, "?ArrayValue"), "kvlistValue": (6, "?KeyValueList"), "bytesValue": (7, "?bytes")},
    "ArrayValue": {"values": (1, "*AnyValue")},
    "KeyValueList": {"values": (1, "*KeyValue")},
    "Span": {"traceId": (1, "id"), "spanId": (2, "id"), "traceState": (3, "text"), "parentSpanId": (4, "id"), "flags": (16, "fixed32"),
             "name": (5, "text"), "kind": (6, "varint"), "startTimeUnixNano": (7, "fixed64"), "endTimeUnixNano": (8, "fixed64"),
             "attributes": (9, "*KeyValue"), "droppedAttributesCount": (10, "varint"), "events": (11, "*Event"),
             "droppedEventsCount": (12, "varint"), "links": (13, "*Link"), "droppedLinksCount": (14, "varint"), "status": (15, "Status")},
    "Event": {"timeUnixNano": (1, "fixed64"), "name": (2, "text"), "attributes": (3, "*KeyValue"), "droppedAttributesCount": (4, "varint")},
    "Link": {"traceId": (1, "id"), "spanId": (2, "id"), "traceState": (3, "text"), "attributes": (4, "*KeyValue"),
             "droppedAttributesCount": (5, "varint"), "flags": (6, "fixed32")},
    "Status": {"message": (2, "text"), "code": (3, "varint")},
    "Metric": {"name": (1, "text"), "description": (2, "text"), "unit": (3, "text"), "gauge": (5, "?Gauge"), "sum": (7, "?Sum"),
               "histogram": (9, "?Histogram"), "exponentialHistogram": (10, "?ExponentialHistogram"), "summary": (11, "?Summary"),
               "metadata": (12, "*KeyValue")},
    "Gauge": {"dataPoints": (1, "*NumberPoint")},
    "Sum": {"dataPoints": (1, "*NumberPoint"), "aggregationTemporality": (2, "varint"), "isMonotonic": (3, "bool")},
    "Histogram": {"dataPoints": (1, "*HistogramPoint"), "aggregationTemporality": (2, "varint")},
    "ExponentialHistogram": {"dataPoints": (1, "*ExponentialPoint"), "aggregationTemporality": (2, "varint")},
    "Summary": {"dataPoints": (1, "*SummaryPoint")},
    "NumberPoint": {"attributes": (7, "*KeyValue"), "startTimeUnixNano": (2, "fixed64"), "timeUnixNano": (3, "fixed64"),
                    "asDouble": (4, "?double"), "asInt": (6, "?fixed64"), "exemplars": (5, "*Exemplar"), "flags": (8, "varint")},
    "HistogramPoint": {"attributes": (9, "*KeyValue"), "startTimeUnixNano": (2, "fixed64"), "timeUnixNano": (3, "fixed64"),
                       "count": (4, "fixed64"), "sum": (5, "?double"), "bucketCounts": (6, "*fixed64"), "explicitBounds": (7, "*double"),
                       "exemplars": (8, "*Exemplar"), "flags": (10, "varint"), "min": (11, "?double"), "max": (12, "?double")},
    "ExponentialPoint": {"attributes": (1, "*KeyValue"), "startTimeUnixNano": (2, "fixed64"), "timeUnixNano": (3, "fixed64"),
                         "count": (4, "fixed64"), "sum": (5, "?double"), "scale": (6, "zigzag"), "zeroCount": (7, "fixed64"),
                         "positive": (8, "Buckets"), "negative": (9, "Buckets"), "flags": (10, "varint"), "exemplars": (11, "*Exemplar"),
                         "min": (12, "?double"), "max": (13, "?double"), "zeroThreshold": (14, "double")},
    "Buckets": {"offset": (1, "zigzag"), "bucketCounts": (2, "*varint")},
    "SummaryPoint": {"attributes": (7, "*KeyValue"), "startTimeUnixNano": (2, "fixed64"), "timeUnixNano": (3, "fixed64"),
                     "count": (4, "fixed64"), "sum": (5, "double"), "quantileValues": (6, "*Quantile"), "flags": (8, "varint")},
    "Quantile": {"quantile": (1, "double"), "value": (2, "double")},
    "Exemplar": {"filteredAttributes": (7, "*KeyValue"), "timeUnixNano": (2, "fixed64"), "asDouble": (3, "?double"), "asInt": (6, "?fixed64"),
                 "spanId": (4, "id"), "traceId": (5, "id")},
    "LogRecord": {"timeUnixNano": (1, "fixed64"), "observedTimeUnixNano": (11, "fixed64"), "severityNumber": (2, "varint"),
                  "severityText": (3, "text"), "body": (5, "AnyValue"), "attributes": (6, "*KeyValue"), "droppedAttributesCount": (7, "varint"),
                  "flags": (8, "fixed32"), "traceId": (9, "id"), "spanId": (10, "id"), "eventName": (12, "text")},
}
SORTED = ("attributes", "filteredAttributes", "metadata")
SCALARS = {  # kind: (wire type, bytes of a value)
    "text": (2, lambda v: v.encode()), "bytes": (2, base64.b64decode), "id": (2, bytes.fromhex),
    "bool": (0, lambda v: telltale.varint(int(v))), "varint": (0, lambda v: telltale.varint(int(v) & (1 << 64) - 1)),
    "zigzag": (0, lambda v: telltale.varint(int(v) * 2 if int(v) >= 0 else -int(v) * 2 - 1)),
    "fixed32": (5, lambda v: struct.pack("<I", int(v))), "fixed64": (1, lambda v: struct.pack("<Q", int(v) & (1 << 64) - 1)),
    "double": (1, lambda v: struct.pack("<d", float(v))),
}


def pack(message, name="Request"):
    """The message's bytes; raises KeyError for a field that the protocol has not."""
    out = b""
    for field, value in message.items():
        number, kind = MESSAGES[name][field]
        bare = kind.lstrip("*?")
        values = value if kind[0] == "*" else [value]
        if bare in MESSAGES:
            out += b"".join(telltale.field(number, pack(v, bare)) for v in values)
        elif kind[0] == "*":  # repeated numbers are packed
            out += telltale.field(number, b"".join(SCALARS[bare][1](v) for v in values))
        else:
            wire, encode = SCALARS[bare]
            data = encode(value)
            out += telltale.field(number, data) if wire == 2 else telltale.varint(number << 3 | wire) + data
    return out


def scalar(value, kind):
    if kind == "double":
        return struct.pack(">d", float(value)).hex()
    if kind == "bytes":
        return base64.b64decode(value).hex()
    if kind in ("text", "bool"):
        return value
    return value.lower() if kind == "id" else int(value)


def is_zero(value, kind):
    if kind == "id":
        return value.strip("0") == ""
    return value == "0" * 16 if kind == "double" else not value


def canonical(message, name="Request"):
    out = {}
    for field, value in message.items():
        kind = MESSAGES[name][field][1]
        bare = kind.lstrip("*?")
        is_message = bare in MESSAGES
        if kind[0] == "*":
            value = [canonical(v, bare) if is_message else scalar(v, bare) for v in value]
            if field in SORTED or name == "KeyValueList":
                value.sort(key=lambda pair: (pair.get("key", ""), json.dumps(pair, sort_keys=True)))
            keep = len(value) > 0
        elif is_message:
            value = canonical(value, bare)
            keep = kind[0] == "?" or len(value) > 0
        else:
            value = scalar(value, bare)
            keep = kind[0] == "?" or not is_zero(value, bare)
        if keep:
            out[field] = value
    return out


def rows_of(request):
    """(resource, scope, row) of each span, data point or log record, in order; the dictionaries themselves."""
    for group in request.get("resourceSpans") or request.get("resourceMetrics") or request.get("resourceLogs") or []:
        for scope in group.get("scopeSpans") or group.get("scopeMetrics") or group.get("scopeLogs") or []:
            for row in scope.get("spans") or scope.get("logRecords") or []:
                yield group, scope, row
            for metric in scope.get("metrics") or []:
                data = next((metric[k] for k in ("gauge", "sum", "histogram", "exponentialHistogram", "summary") if k in metric), {})
                for row in data.get("dataPoints", []):
                    yield group, scope, row
