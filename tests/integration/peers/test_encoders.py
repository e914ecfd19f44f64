# SPDX-License-Identifier: Apache-2.0
"""Both encoders against the Collector's own pdata: requests of all three signals are parsed and edited by our code, written as protobuf and as
JSON, read by pdata, and compared with each other and with the same edits made here on plain dictionaries. No key may come twice."""
import base64
import copy
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import otlp_model
import peers
import telltale

TRACE, SPAN, OTHER = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "00f067aa0ba902b7"
TIME = 1_700_000_000_123_456_789


def text(value):
    return {"stringValue": value}


def attributes(**more):
    """One attribute of each kind, and more."""
    values = {
        "http.method": text("GET"), "empty": text(""), "umlaut": text("Größe \"quoted\"\n\\ \u0001 😀"), "ok": {"boolValue": True}, "no": {"boolValue": False},
        "zero": {"intValue": "0"}, "least": {"intValue": str(-(1 << 63))}, "tenth": {"doubleValue": 0.1}, "huge": {"doubleValue": 1.7976931348623157e308},
        "minus_zero": {"doubleValue": -0.0}, "bytes": {"bytesValue": base64.b64encode(bytes(range(7))).decode()}, "nothing": {},
        "list": {"arrayValue": {"values": [text("a"), {"intValue": "1"}, {}, {"arrayValue": {}}]}},
        "map": {"kvlistValue": {"values": [{"key": "inner", "value": {"arrayValue": {"values": [text("x")]}}}, {"key": "", "value": text("no name")}]}},
        **more}
    return [{"key": key, "value": value} for key, value in values.items()]


def resource(name):
    return {"attributes": attributes(**{"service.name": text(name)}), "droppedAttributesCount": 3}


SCOPE = {"name": "shop", "version": "1.2", "attributes": attributes(), "droppedAttributesCount": 1}


def span(name, **more):
    return {"traceId": TRACE, "spanId": SPAN, "name": name, "kind": 2, "startTimeUnixNano": str(TIME), "endTimeUnixNano": str(TIME + 5_000),
            "attributes": attributes(), **more}


def traces():
    full = span("GET /cart", traceState="a=b", parentSpanId=OTHER, flags=0x101, droppedAttributesCount=4, droppedEventsCount=5, droppedLinksCount=6,
                events=[{"timeUnixNano": str(TIME + 1), "name": "exception", "attributes": attributes(), "droppedAttributesCount": 7}, {}],
                links=[{"traceId": TRACE, "spanId": OTHER, "traceState": "c=d", "attributes": attributes(), "flags": 1, "droppedAttributesCount": 8}],
                status={"code": 2, "message": "no such cart"})
    return {"resourceSpans": [
        {"resource": resource("cart"), "schemaUrl": "https://opentelemetry.io/schemas/1.26.0", "scopeSpans": [
            {"scope": SCOPE, "schemaUrl": "https://example.com/s", "spans": [full, span("plain"), span("third", status={"code": 1})]},
            {"spans": [span("without scope")]}]},
        {"resource": resource("web"), "scopeSpans": [{"scope": SCOPE, "spans": [span("GET /")]}]},
        {"scopeSpans": [{"scope": {}, "spans": [{"traceId": TRACE, "spanId": SPAN}]}]}]}


def point(**more):
    return {"attributes": attributes(), "startTimeUnixNano": str(TIME), "timeUnixNano": str(TIME + 1), "flags": 1, **more}


EXEMPLARS = [{"timeUnixNano": str(TIME), "asDouble": 0.5, "spanId": SPAN, "traceId": TRACE, "filteredAttributes": attributes()}, {"asInt": "-3"}, {}]


def metrics():
    spread = {"count": "7", "sum": -2.5, "min": -1.0, "max": 0.0, "exemplars": EXEMPLARS}
    list_of = [
        {"name": "queue", "unit": "1", "description": "how many wait", "metadata": attributes(),
         "gauge": {"dataPoints": [point(asDouble=0.0, exemplars=EXEMPLARS), point(asInt="-7"), point()]}},
        {"name": "requests", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point(asInt=str((1 << 63) - 1))]}},
        {"name": "latency", "histogram": {"aggregationTemporality": 1, "dataPoints": [
            point(bucketCounts=["0", "3", "4"], explicitBounds=[0.0, 1e-300], **spread), {"count": "0"}]}},
        {"name": "size", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [
            point(scale=-3, zeroCount="2", zeroThreshold=1e-6, positive={"offset": -5, "bucketCounts": ["1", "0", "300"]},
                  negative={"offset": 6, "bucketCounts": ["18446744073709551615"]}, **spread)]}},
        {"name": "quantiles", "summary": {"dataPoints": [
            point(count="9", sum=4.5, quantileValues=[{"quantile": 0.5, "value": 1.5}, {"quantile": 1.0, "value": 0.0}])]}}]
    return {"resourceMetrics": [{"resource": resource("cart"), "schemaUrl": "u", "scopeMetrics": [{"scope": SCOPE, "schemaUrl": "v", "metrics": list_of}]},
                                {"resource": resource("web"), "scopeMetrics": [{"metrics": [list_of[1]]}]}]}


def logs():
    full = {"timeUnixNano": str(TIME), "observedTimeUnixNano": str(TIME + 1), "severityNumber": 17, "severityText": "ERROR", "flags": 1,
            "body": {"kvlistValue": {"values": attributes()}}, "attributes": attributes(), "droppedAttributesCount": 2, "traceId": TRACE, "spanId": SPAN,
            "eventName": "cart.lost"}
    return {"resourceLogs": [
        {"resource": resource("cart"), "schemaUrl": "u", "scopeLogs": [{"scope": SCOPE, "schemaUrl": "v", "logRecords": [full, {"body": text("plain")}]}]},
        {"scopeLogs": [{"logRecords": [{"body": {"bytesValue": "AAEC"}, "attributes": attributes()}, {}]}]}]}


REQUESTS = {"traces": traces, "metrics": metrics, "logs": logs}
VALUES = {"text": lambda v: text(v), "int": lambda v: {"intValue": v}, "double": lambda v: {"doubleValue": float(v)}, "bool": lambda v: {"boolValue": v == "true"},
          "bytes": lambda v: {"bytesValue": base64.b64encode(bytes.fromhex(v)).decode()}}

# ---- the edits: tuples of words for encode_cases, applied here to the dictionaries as well ----

NESTED = {"arrayValue": {"values": [text("set"), {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "5"}}]}}]}}
NESTED_WIRE = otlp_model.pack(NESTED["arrayValue"], "ArrayValue").hex()
VALUES["array"] = lambda v: NESTED
KVLIST = {"kvlistValue": {"values": [{"key": "k", "value": text("")}]}}
VALUES["kvlist"] = lambda v: KVLIST
KVLIST_WIRE = otlp_model.pack(KVLIST["kvlistValue"], "KeyValueList").hex()

ANY_SIGNAL = {
    "untouched": [],
    "replaced": [("row", 0, "set", "http.method", "text", "POST"), ("row", 0, "set", "map", "int", "-1"), ("row", 0, "set", "zero", "text", "now text")],
    "replaced twice": [("row", 0, "set", "http.method", "text", "PUT"), ("row", 0, "set", "http.method", "int", "7")],
    "added": [("row", 0, "set", "new", "text", "Äpfel\u0007"), ("row", 0, "set", "newer", "double", "0.1"), ("row", 0, "set", "newest", "bool", "false"),
              ("row", 0, "set", "raw", "bytes", "00ff80"), ("row", 0, "set", "listed", "array", NESTED_WIRE), ("row", 0, "set", "mapped", "kvlist", KVLIST_WIRE),
              ("row", 0, "set", "hollow", "text", "")],
    "deleted": [("row", 0, "delete", "http.method"), ("row", 0, "delete", "list"), ("row", 0, "delete", "never there")],
    "deleted, then set": [("row", 0, "delete", "tenth"), ("row", 0, "set", "tenth", "text", "back")],
    "set, then deleted": [("row", 0, "set", "tenth", "text", "gone"), ("row", 0, "delete", "tenth"), ("row", 0, "set", "brief", "int", "1"), ("row", 0, "delete", "brief")],
    "all deleted": [("row", 0, "delete", pair["key"]) for pair in attributes()],
    "column": [("row", 0, "column", "anomaly.type", "text", "latency_spike"), ("row", 1, "column", "anomaly.type", "text", ""),
               ("row", 0, "column", "anomaly.score", "double", "0.75"), ("row", 1, "column", "rank", "int", "-9")],
    "shadowed by a column": [("row", 0, "column", "http.method", "text", "column"), ("row", 0, "column", "zero", "int", "5"), ("row", 1, "column", "tenth", "double", "0")],
    "edited and shadowed": [("row", 0, "set", "http.method", "text", "edit"), ("row", 0, "column", "http.method", "text", "column"),
                            ("row", 0, "delete", "zero"), ("row", 0, "column", "zero", "int", "6")],
    "resource": [("resource", 0, "set", "service.name", "text", "renamed"), ("resource", 0, "delete", "list"), ("resource", 0, "set", "new", "int", "1"),
                 ("resource", 1, "set", "host", "text", "h")],
    "scope": [("scope", 0, "set", "http.method", "int", "2"), ("scope", 0, "delete", "map"), ("scope", 0, "set", "new", "bool", "true"), ("scope", 1, "set", "x", "text", "y")],
    "dropped": [("row", 0, "drop"), ("row", 1, "set", "new", "int", "1")],
    "a scope dropped": [("row", n, "drop") for n in (3, 4)],
    "all dropped": [("row", n, "drop") for n in range(20)],
    "everything": [("row", 1, "drop"), ("row", 0, "set", "http.method", "text", "all"), ("row", 0, "column", "anomaly.type", "text", "t"), ("row", 2, "delete", "umlaut"),
                   ("resource", 0, "delete", "http.method"), ("scope", 0, "set", "name", "text", "an attribute"), ("row", 2, "column", "umlaut", "text", "🙂")],
}
TRACES_ONLY = {
    "name": [("row", 0, "name", "renamed"), ("row", 1, "name", "")],
    "status": [("row", 0, "status", 0, ""), ("row", 1, "status", 2, "now broken"), ("row", 2, "status", 1, "")],
    "status of an empty span": [("row", 5, "status", 2, "x"), ("row", 5, "name", "named"), ("row", 5, "set", "a", "int", "1")],
    "name, status and column": [("row", 0, "name", "n"), ("row", 0, "status", 2, "m"), ("row", 0, "column", "anomaly.type", "text", "t"), ("row", 0, "delete", "ok")],
}


def put(owner, key, value):
    """Sets (None: deletes) an attribute of a dictionary."""
    owner["attributes"] = [pair for pair in owner.get("attributes", []) if pair["key"] != key]
    if value is not None:
        owner["attributes"].append({"key": key, "value": value})


def targets(request):
    """rows, resources and scopes in wire order; what is absent is made, since it is empty all the same."""
    groups = next(iter(request.values()))
    scopes = [scope for group in groups for scope in next(v for k, v in group.items() if k.startswith("scope"))]
    return {"row": [row for _, _, row in otlp_model.rows_of(request)], "resource": [group.setdefault("resource", {}) for group in groups],
            "scope": [scope.setdefault("scope", {}) for scope in scopes]}


def without_empty(request):
    """Drops rows marked as dropped, then the scopes, metrics and resources that are left without rows."""
    for key, below in (("dataPoints", None), ("spans", None), ("logRecords", None)):
        strip_rows(request, key)
    return request


def strip_rows(node, key):
    """Depth first: what held a list that is now empty goes too."""
    for name, value in list(node.items()):
        if name == key:
            node[name] = [row for row in value if not row.pop("dropped", False)]
        elif isinstance(value, list) and name in ("resourceSpans", "resourceMetrics", "resourceLogs", "scopeSpans", "scopeMetrics", "scopeLogs", "metrics"):
            for child in value:
                strip_rows(child, key)
            node[name] = [child for child in value if not is_hollow(child, key)]
        elif isinstance(value, dict) and name in ("gauge", "sum", "histogram", "exponentialHistogram", "summary"):
            strip_rows(value, key)


def is_hollow(node, key):
    lists = [name for name in node if name in (key, "scopeSpans", "scopeMetrics", "scopeLogs", "metrics")]
    data = [value for name, value in node.items() if name in ("gauge", "sum", "histogram", "exponentialHistogram", "summary")]
    return any(node[name] == [] for name in lists) or any(value.get(key) == [] for value in data)


def apply(request, edits):
    """The edits on a copy of the request; columns come last, since they hide what has their key."""
    edited = copy.deepcopy(request)
    found = targets(edited)
    for what, index, verb, *words in sorted(edits, key=lambda edit: edit[2] == "column"):
        target = found[what][index]
        if verb in ("set", "column"):
            put(target, words[0], VALUES[words[1]](words[2]))
        elif verb == "delete":
            put(target, words[0], None)
        elif verb == "name":
            target["name"] = words[0]
        elif verb == "status":
            target["status"] = {"code": words[0], "message": words[1]}
        else:
            target["dropped"] = True
    return without_empty(edited)


def check_keys(seen, where):
    if isinstance(seen, list):
        keys = [item["key"] for item in seen if isinstance(item, dict) and set(item) <= {"key", "value"} and "key" in item]
        assert len(keys) == len(set(keys)), f"{where}: a key comes twice: {keys}"
    for child in (seen.values() if isinstance(seen, dict) else seen if isinstance(seen, list) else []):
        check_keys(child, where)


def difference(wanted, seen, path=""):
    """The first place where they differ."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        for key in sorted(set(wanted) | set(seen)):
            if wanted.get(key) != seen.get(key):
                return difference(wanted.get(key), seen.get(key), path + "." + key)
    if isinstance(wanted, list) and isinstance(seen, list) and len(wanted) == len(seen):
        for i, (a, b) in enumerate(zip(wanted, seen)):
            if a != b:
                return difference(a, b, f"{path}[{i}]")
    return f"{path}: wanted {json.dumps(wanted)[:400]}, pdata sees {json.dumps(seen)[:400]}"


def check(program, reader, folder, signal, name, edits):
    request = json.loads(json.dumps(REQUESTS[signal]()))  # parts used twice become parts of their own
    edits = [edit for edit in edits if edit[1] < len(targets(copy.deepcopy(request))[edit[0]])]
    paths = [os.path.join(folder, part) for part in ("request.pb", "edits", "out.pb", "out.json")]
    with open(paths[0], "wb") as f:
        f.write(otlp_model.pack(request))
    with open(paths[1], "w", encoding="utf-8") as f:
        f.writelines("\t".join(map(str, edit)) + "\n" for edit in edits)
    subprocess.run([program, signal, *paths], check=True, timeout=60)
    out = subprocess.run([reader, "canonical", signal, *paths[2:]], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, f"{signal}, {name}: {out.stderr}"
    wanted = otlp_model.canonical(apply(request, edits))
    failures = 0
    for form, line in zip(("protobuf", "json"), out.stdout.splitlines()):
        seen = json.loads(line)
        check_keys(seen, f"{signal}, {name}, {form}")
        if seen != wanted:
            failures += 1
            print(f"FAILED {signal}, {name}, {form}: {difference(wanted, seen)}")
    return failures


def main():
    build = os.environ.get("TELLTALE_BUILD", os.path.dirname(telltale.binary()))
    program = os.path.join(build, "tests", "integration", "peers", "encode_cases")
    if not os.access(program, os.X_OK):
        telltale.skip(f"{program} is not built (TT_TESTS=ON)")
    reader = peers.pdata()
    failures = cases = 0
    with tempfile.TemporaryDirectory(prefix="telltale-encoders-") as folder:
        for signal in REQUESTS:
            for name, edits in {**ANY_SIGNAL, **(TRACES_ONLY if signal == "traces" else {})}.items():
                failures += check(program, reader, folder, signal, name, edits)
                cases += 1
    print(f"{cases} edited requests, protobuf and JSON, {failures} failed")
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
