# SPDX-License-Identifier: Apache-2.0
"""`localhost` is this machine in both families, also where nothing resolves names (a container without /etc/hosts)."""

import contextlib
import socket
import subprocess

import bench
import telltale

CONFIG = bench.CONFIG.replace('"{otlp}"', "localhost:OTLP")
NO_RESOLVER = ["unshare", "-Urm", "sh", "-c", 'mount --bind /dev/null /etc/hosts && mount --bind /dev/null /etc/resolv.conf && exec "$@"', "-"]


def may_hide_hosts():
    try:
        return subprocess.run([*NO_RESOLVER, "true"], stderr=subprocess.DEVNULL, timeout=20).returncode == 0
    except FileNotFoundError:
        return False


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def serves(prefix):
    port = telltale.free_ports(1)[0]
    with telltale.Process((CONFIG % "").replace("OTLP", str(port), 1), endpoints=["metrics"], prefix=prefix) as process:
        process.ports["otlp"] = port
        assert telltale.wait_for(lambda: process.is_open("otlp")), process.log()
        assert process.post("otlp", "/v1/traces", bench.good_body()).status == 200
        if has_ipv6():
            socket.create_connection(("::1", port), timeout=5).close()
        assert process.stop() == 0


serves([])
if may_hide_hosts():
    serves(NO_RESOLVER)
else:
    print("SKIPPED without a resolver: no mount namespace for this user")
