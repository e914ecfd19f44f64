# SPDX-License-Identifier: Apache-2.0
"""Gets what the shop and the load are made of, once: Debian's packages, npm, PyPI, Maven Central, Go modules."""

import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess

from .settings import HERE, Problem

K6_VERSION = "v1.8.1"
_PACKAGES = {"nginx": "nginx", "redis-server": "redis-server", "psql": "postgresql", "node": "nodejs", "npm": "npm", "java": "openjdk-17-jdk-headless",
             "javac": "openjdk-17-jdk-headless", "mvn": "maven"}
_GO_ADVICE = ("get Go 1.26 or newer from https://go.dev/dl/ and put its bin folder into PATH (Debian 12 has Go 1.19, which builds neither k6 "
              "nor dispatch)")


def initdb():
    """PostgreSQL's programs are not in PATH on Debian."""
    found = shutil.which("initdb") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)), None)
    return os.path.realpath(found) if found else None


def find_program(name):
    """Debian keeps servers in /usr/sbin, which is not in everybody's PATH."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing_packages():
    """Debian's names of what is not here."""
    missing = {package for program, package in _PACKAGES.items() if find_program(program) is None}
    if initdb() is None:
        missing.add("postgresql")
    if subprocess.run(["python3", "-c", "import ensurepip, venv"], capture_output=True).returncode != 0:
        missing.add("python3-venv")
    return sorted(missing)


def _apt(packages):
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Problem(f"as root run: {' '.join(command)}")
        command = ["sudo", *command]
    print(f"installing {' '.join(packages)}")
    # Debian starts servers when it installs them; a policy of the moment keeps them off the machine's usual ports.
    policy, made = "/usr/sbin/policy-rc.d", False
    sudo = command[: command.index("apt-get")]
    if not os.path.exists(policy):
        made = subprocess.run([*sudo, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {policy} && chmod 755 {policy}"]).returncode == 0
    try:
        if subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, stdout=subprocess.DEVNULL).returncode != 0:
            raise Problem(f"this failed: {' '.join(command)}; try apt-get update first")
    finally:
        if made:
            subprocess.run([*sudo, "rm", "-f", policy])
    units = [unit for unit in ("nginx", "redis-server", "postgresql") if unit in packages]
    if units and shutil.which("systemctl"):
        subprocess.run([*sudo, "systemctl", "disable", "-q", *units], stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def _alone(home):
    """Two who install into one folder take turns."""
    os.makedirs(home, exist_ok=True)
    with open(os.path.join(home, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(argv, directory, log_path, environment=None):
    with open(log_path, "wb") as log:
        code = subprocess.run(argv, cwd=directory, stdout=log, stderr=log, env={**os.environ, **(environment or {})}).returncode
    if code != 0:
        with open(log_path, encoding="utf-8", errors="replace") as log:
            end = "".join(log.readlines()[-12:])
        raise Problem(f"this failed in {directory}: {' '.join(argv)}\n{end}(all of it in {log_path})")


def _digest(paths):
    digest = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def _once(home, name, sources, build):
    """Runs build() unless it succeeded before with the same sources."""
    stamp, now = os.path.join(home, name + ".stamp"), _digest(sources)
    if os.path.exists(stamp) and open(stamp, encoding="ascii").read() == now:
        return
    print(f"preparing {name}", flush=True)
    build()
    with open(stamp, "w", encoding="ascii") as file:
        file.write(now)


def _fresh_copy(source, target):
    os.makedirs(target, exist_ok=True)
    shutil.copytree(source, target, dirs_exist_ok=True)


def _node(home):
    source, target = os.path.join(HERE, "node"), os.path.join(home, "node")
    _fresh_copy(source, target)
    # The lock names versions and checksums, and no registry: that is whatever npm is set to use.
    _once(home, "node", [os.path.join(source, "package.json"), os.path.join(source, "package-lock.json")], lambda: _run(
        ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"], target, os.path.join(home, "node.log")))


def _python(home):
    requirements, venv = os.path.join(HERE, "payment", "requirements.txt"), os.path.join(home, "venv")

    def build():
        _run(["python3", "-m", "venv", venv], home, os.path.join(home, "venv.log"))
        _run([os.path.join(venv, "bin", "pip"), "install", "-q", "-r", requirements], home, os.path.join(home, "pip.log"))

    _once(home, "payment", [requirements], build)


def _java(home):
    source, target = os.path.join(HERE, "shipping"), os.path.join(home, "shipping")
    _fresh_copy(source, target)
    sources = [os.path.join(source, "pom.xml"), *glob.glob(os.path.join(source, "src", "**", "*.java"), recursive=True)]
    _once(home, "shipping", sources, lambda: _run(["mvn", "-B", "-q", f"-Dmaven.repo.local={home}/m2", "package"], target, os.path.join(home, "shipping.log")))


def check_go():
    """A Problem that says where to get Go when there is none, or one too old."""
    if shutil.which("go") is None:
        raise Problem("there is no Go: " + _GO_ADVICE)
    version = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout.strip()
    found = re.match(r"go(\d+)\.(\d+)", version)
    # From 1.21 on, Go fetches the tool chain that a module asks for, unless it was told not to.
    if not found or (int(found[1]), int(found[2])) < (1, 21):
        raise Problem(f"{version or 'this Go'} is too old: " + _GO_ADVICE)


def _go(home):
    source = os.path.join(HERE, "dispatch")

    def build():
        check_go()
        _run(["go", "build", "-o", os.path.join(home, "dispatch"), "."], source, os.path.join(home, "dispatch.log"))

    _once(home, "dispatch", glob.glob(os.path.join(source, "*.go")) + [os.path.join(source, "go.mod")], build)


def shop(home):
    """Everything the shop needs, into `home`."""
    with _alone(home):
        missing = missing_packages()
        if missing:
            _apt(missing)
        for part in (_node, _python, _java, _go):
            part(home)


def k6(home):
    """Path of k6: $K6, the one in PATH, or built from its module."""
    named = os.environ.get("K6") or shutil.which("k6")
    if named:
        return named
    built = os.path.join(home, "k6")
    with _alone(home):
        if not os.access(built, os.X_OK):
            check_go()
            print(f"building k6 {K6_VERSION} (a few minutes, once)", flush=True)
            _run(["go", "install", f"go.k6.io/k6@{K6_VERSION}"], home, os.path.join(home, "k6.log"), {"GOBIN": home})
    return built
