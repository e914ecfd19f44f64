# SPDX-License-Identifier: Apache-2.0
"""The shop's processes: two stores, the payment provider, seven services, nginx."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from .install import find_program, initdb
from .processes import Group, Process, check_ports, clean_environment, wait_ready
from .settings import HERE, SERVICES, Problem

_JAVA_CAPTURE = "x-anomaly-type,x-anomaly-label,x-anomaly-root-cause,x-anomaly-msg"


def _unprivileged():
    """PostgreSQL refuses to run as root: the user that it does run as, None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Problem("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


class Shop:
    """Started by start(), stopped by stop(); `settings` says where."""

    def __init__(self, settings):
        self.settings, self.group, self.postgres_directory = settings, Group(), None

    # ---- stores ----

    def _start_postgres(self):
        user, bin_directory = _unprivileged(), os.path.dirname(initdb())
        # Not in the run's folder: the user it drops to may not be able to enter that.
        self.postgres_directory = tempfile.mkdtemp(prefix="shop-postgres-")
        if user:
            os.chown(self.postgres_directory, user.pw_uid, user.pw_gid)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        made = subprocess.run([os.path.join(bin_directory, "initdb"), "-D", self.postgres_directory, "-U", "shop", "--auth=trust", "--no-sync",
                               "--locale=C", "-E", "UTF8"], capture_output=True, text=True, cwd="/", **identity)
        if made.returncode != 0:
            raise Problem(f"initdb failed: {made.stderr}")
        options = {"listen_addresses": "127.0.0.1", "port": self.settings.port("postgres"), "unix_socket_directories": "", "fsync": "off",
                   "shared_buffers": "32MB", "jit": "off", "max_parallel_workers_per_gather": 0, "autovacuum": "off"}
        argv = [os.path.join(bin_directory, "postgres"), "-D", self.postgres_directory]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for its clients.
        process = self.group.add(Process("postgres", argv, self._log("postgres"), clean_environment(), "/", user, signal.SIGINT))
        wait_ready(process, port=self.settings.port("postgres"))
        self._load_schema()

    def _load_schema(self):
        command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.settings.port("postgres")), "-U", "shop", "-d", "postgres",
                   "-f", os.path.join(HERE, "schema.sql")]
        for attempt in range(20):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                return
            if "starting up" not in done.stderr:
                break
            time.sleep(0.2 * (attempt + 1))
        raise Problem(f"the tables cannot be made: {done.stderr}")

    def _start_redis(self):
        argv = [find_program("redis-server"), "--port", str(self.settings.port("redis")), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--dir", self.settings.directory]
        process = self.group.add(Process("redis", argv, self._log("redis"), clean_environment()))
        wait_ready(process, port=self.settings.port("redis"))

    # ---- services ----

    def _log(self, name):
        return self.settings.path("logs", name + ".log")

    def _environment(self, name):
        s = self.settings
        environment = clean_environment()
        environment.update(PORT=str(s.port(name)), HOST="127.0.0.1")
        for other in (*SERVICES, "gateway"):
            environment[f"{other.upper()}_URL"] = s.url(other)
        environment["DATABASE_URL"] = f"postgres://shop@127.0.0.1:{s.port('postgres')}/postgres"
        environment["JDBC_URL"] = f"jdbc:postgresql://127.0.0.1:{s.port('postgres')}/postgres?user=shop"
        environment["REDIS_URL"] = f"redis://127.0.0.1:{s.port('redis')}"
        if name not in SERVICES:
            return environment
        environment.update({
            "OTEL_SERVICE_NAME": name,
            "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=shop,service.version=1.0.0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": s.otlp,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_METRIC_EXPORT_INTERVAL": s.metric_interval_ms,
            "SHOP_SPANS": s.spans_file(name),
            "SHOP_CAPTURE_HEADERS": "1" if name in s.capture else "0",
            "SHOP_CLOCK_OFFSET_MS": str(s.wrong_clock[1] if name == s.wrong_clock[0] else 0),
        })
        return environment

    def _node(self, name):
        return self.group.add(Process(name, ["node", "--require", "./telemetry.js", name + ".js"], self._log(name), self._environment(name),
                                      os.path.join(self.settings.home, "node")))

    def _start_gateway(self):
        return self.group.add(Process("gateway", ["node", "gateway.js"], self._log("gateway"), self._environment("gateway"),
                                      os.path.join(self.settings.home, "node")))

    def _start_payment(self):
        environment, binaries = self._environment("payment"), os.path.join(self.settings.home, "venv", "bin")
        environment["OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED"] = "true"
        if "payment" in self.settings.capture:
            environment["OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST"] = "x-anomaly-.*"
        argv = [os.path.join(binaries, "opentelemetry-instrument"), os.path.join(binaries, "python"), "payment.py"]
        return self.group.add(Process("payment", argv, self._log("payment"), environment, os.path.join(HERE, "payment")))

    def _start_shipping(self):
        environment, home = self._environment("shipping"), os.path.join(self.settings.home, "shipping", "target")
        # The second exporter, to the console, goes through a processor of its own: spans are counted from the log.
        environment["OTEL_TRACES_EXPORTER"] = "otlp,console"
        if "shipping" in self.settings.capture:
            environment["OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS"] = _JAVA_CAPTURE
        argv = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-javaagent:{home}/lib/opentelemetry-javaagent.jar",
                "-cp", f"{home}/shipping.jar:{home}/lib/postgresql.jar", "shop.Shipping"]
        return self.group.add(Process("shipping", argv, self._log("shipping"), environment, home))

    def _start_dispatch(self):
        return self.group.add(Process("dispatch", [os.path.join(self.settings.home, "dispatch")], self._log("dispatch"), self._environment("dispatch")))

    def _start_nginx(self):
        s, directory = self.settings, self.settings.path("nginx")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(HERE, "nginx.conf"), encoding="utf-8") as template:
            text = template.read()
        user = pwd.getpwuid(os.geteuid()).pw_name
        text = text.replace("@PORT@", str(s.port("nginx"))).replace("@WEB@", f"127.0.0.1:{s.port('web')}").replace("@DIR@", directory)
        text = text.replace("@USER@", f"user {user};" if os.geteuid() == 0 else "")
        path = os.path.join(directory, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        argv = [find_program("nginx"), "-p", directory, "-c", path, "-e", os.path.join(directory, "error.log"), "-g", "daemon off;"]
        return self.group.add(Process("nginx", argv, self._log("nginx"), clean_environment()))

    # ---- all of it ----

    def start(self):
        """All processes, ready to serve; on a Problem what was started is stopped."""
        s = self.settings
        check_ports({name: port for name, port in s.ports().items() if not name.startswith("telltale")}, "SHOP_PORT")
        for part in ("logs", "spans"):
            shutil.rmtree(s.path(part), ignore_errors=True)
            os.makedirs(s.path(part))
        try:
            self._start_postgres()
            self._start_redis()
            started = [self._start_gateway(), self._start_dispatch(), self._start_shipping(), self._start_payment()]
            started += [self._node(name) for name in ("user", "catalogue", "cart", "web")]
            for process in started[1:]:
                wait_ready(process, url=s.url(process.name) + "/health")
            wait_ready(self._start_nginx(), url=s.url("nginx") + "/health")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """The door first, then the services, the stores last. Names of those that had to be killed."""
        killed = []
        nginx = self.group.processes.pop("nginx", None)
        if nginx and not nginx.stop():
            killed.append("nginx")
        killed += self.group.stop(SERVICES)
        if self.postgres_directory:
            shutil.rmtree(self.postgres_directory, ignore_errors=True)
        return killed
