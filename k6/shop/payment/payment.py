# SPDX-License-Identifier: Apache-2.0
"""Payment, in Python: asks the payment provider, records the order with `user`, hands it to `dispatch`.

Started by `opentelemetry-instrument python payment.py`: the official distribution with its defaults.
Fault: dependency_bottleneck, the provider takes a second and more.
"""

import logging
import os
import signal
import sys

import requests
import waitress
from flask import Flask, jsonify, request

from span_file import count_spans

FORWARDED = ("x-anomaly-type", "x-anomaly-label", "x-anomaly-root-cause", "x-anomaly-msg")
TIMEOUT = 5.0

app = Flask("payment")
log = logging.getLogger("payment")


def post(service, path, body):
    headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
    answer = requests.post(os.environ[f"{service.upper()}_URL"] + path, json=body, headers=headers, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer.json()


@app.post("/pay/<user>")
def pay(user):
    order = request.get_json()
    slow = request.headers.get("x-anomaly-type") == "dependency_bottleneck"
    # A provider of another company gets neither our labels nor our trace ids in earnest; the slow answer is asked for in the body.
    answer = requests.post(os.environ["GATEWAY_URL"] + "/charge", json={"total": order["total"], "slow": slow}, timeout=TIMEOUT)
    answer.raise_for_status()
    if answer.elapsed.total_seconds() > 0.5:
        log.warning("payment provider took %.0f ms", answer.elapsed.total_seconds() * 1000)
    placed = post("user", f"/order/{user}", order)
    post("dispatch", "/send", {"order": placed["id"], "city": order.get("city")})
    return jsonify({"order": placed["id"]})


@app.errorhandler(requests.RequestException)
def downstream_failed(error):
    log.error("downstream: %s", error)
    return jsonify({"error": str(error)}), 504 if isinstance(error, requests.Timeout) else 502


@app.get("/health")
def health():
    return "ok"


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    count_spans(os.environ.get("SHOP_SPANS"))
    # SystemExit runs the SDK's own exit hook, which sends what still waits.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    waitress.serve(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ["PORT"]), threads=16)
