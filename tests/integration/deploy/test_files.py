# SPDX-License-Identifier: Apache-2.0
"""deploy/ and the configuration sections of docs/robot-shop.md: they parse, name files and parts that exist, and agree with each other.
Neither Docker nor Kubernetes is needed."""
import os
import re
import subprocess
import sys
import tempfile
import textwrap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import telltale  # noqa: E402

try:
    import yaml
except ImportError:
    telltale.skip("no PyYAML here")

DEPLOY = os.path.join(telltale.ROOT, "deploy")


def read(*parts):
    with open(os.path.join(telltale.ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def kubernetes(name):
    return list(yaml.safe_load_all(read("deploy", "kubernetes", name)))


def validate(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([telltale.binary(), "validate", "--config", file.name], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def pod_of(document):
    spec = document["spec"]
    return (spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec)["template"]["spec"]


def check_pod(document):
    """Mounts have volumes, probes have ports, nothing runs as root or grows without limit."""
    pod = pod_of(document)
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    volumes = {v["name"] for v in pod["volumes"]}
    for container in pod["containers"]:
        assert {m["name"] for m in container["volumeMounts"]} == volumes, volumes
        assert container["resources"]["limits"]["memory"] and ":" in container["image"]
        ports = {p["name"] for p in container.get("ports", [])}
        for probe in ("readinessProbe", "livenessProbe"):
            assert probe not in container or container[probe]["httpGet"]["port"] in ports, probe


def the_cluster():
    claim, service, deployment = kubernetes("telltale.yaml")
    cronjob, = kubernetes("k6-cronjob.yaml")
    kinds = [(d["apiVersion"], d["kind"]) for d in (claim, service, deployment, cronjob)]
    assert kinds == [("v1", "PersistentVolumeClaim"), ("v1", "Service"), ("apps/v1", "Deployment"), ("batch/v1", "CronJob")], kinds
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == labels
    assert deployment["spec"]["replicas"] == 1 and deployment["spec"]["strategy"]["type"] == "Recreate"
    for document in (deployment, cronjob):
        check_pod(document)
    listening = {p["containerPort"] for p in pod_of(deployment)["containers"][0]["ports"]}
    assert {p["port"] for p in service["spec"]["ports"]} <= listening
    volumes = {v["name"]: v for v in pod_of(deployment)["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    print("ok: Kubernetes: claim, service, deployment, cron job")


def the_load_finds_its_scripts():
    """Each file of k6 comes out of the flat ConfigMap where the scripts look for it."""
    items = pod_of(kubernetes("k6-cronjob.yaml")[0])["volumes"][0]["configMap"]["items"]
    files = {"labelled.js"} | {os.path.join(d, f) for d in ("modules", "journeys") for f in os.listdir(os.path.join(telltale.ROOT, "k6", d))}
    assert {i["path"] for i in items} == files, files ^ {i["path"] for i in items}
    assert all(os.path.basename(i["path"]) == i["key"] for i in items)
    print(f"ok: the cron job mounts all {len(files)} files of the load")


def the_configuration_of_the_container():
    text = read("deploy", "telltale.yaml")
    validate(text)
    ports = set(re.findall(r"0\.0\.0\.0:(\d+)", text))
    listening = {str(p["containerPort"]) for p in pod_of(kubernetes("telltale.yaml")[2])["containers"][0]["ports"]}
    assert ports == listening, (ports, listening)
    print("ok: deploy/telltale.yaml is valid, its ports are the pod's")


def the_compose_file():
    compose = yaml.safe_load(read("deploy", "compose.yaml"))
    targets = set(re.findall(r"^FROM \S+ AS (\S+)", read("deploy", "shop.Dockerfile"), re.MULTILINE))
    for name, service in compose["services"].items():
        build = service.get("build", {})
        assert build or ":" in service["image"], name
        if "target" in build:
            assert build["target"] in targets and os.path.exists(os.path.join(DEPLOY, build["context"], build["dockerfile"])), (name, build)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or os.path.exists(os.path.join(DEPLOY, source)), (name, source)
        depends = service.get("depends_on", [])
        assert set(depends) <= set(compose["services"]), (name, depends)
    environment = compose["services"]["web"]["environment"]
    for name in ("web", "catalogue", "cart", "user", "shipping", "payment", "dispatch"):
        assert compose["services"][name]["environment"]["OTEL_SERVICE_NAME"] == name
        assert environment[f"{name.upper()}_URL"] == f"http://{name}:8080"
    for dockerfile in ("Dockerfile", "shop.Dockerfile"):
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", read("deploy", dockerfile), re.MULTILINE):
            for source in sources.split():
                assert "*" in source or os.path.exists(os.path.join(telltale.ROOT, source)), (dockerfile, source)
    print(f"ok: compose: {len(compose['services'])} services, their images, files and names")


def the_page():
    """Its YAML: the Collector's values, which a Collector takes (our own part of it is checked by ours), and paths that exist."""
    page = read("docs", "robot-shop.md")
    values = yaml.safe_load(textwrap.dedent(re.search(r" *```yaml\n(.*?)```", page, re.DOTALL)[1]))
    config = values["config"]
    assert config["exporters"]["otlphttp/telltale"]["endpoint"] == "http://telltale:4318"
    for pipeline in config["service"]["pipelines"].values():
        assert pipeline["exporters"] == ["otlphttp/telltale"] and set(pipeline["processors"]) <= set(config["processors"])
        assert "batch" == pipeline["processors"][-1] and "memory_limiter" == pipeline["processors"][0]
    for path in re.findall(r"\]\((\.\./[^)#]+)\)", page):
        assert os.path.exists(os.path.join(telltale.ROOT, "docs", path)), path
    for path in re.findall(r"(?<!exec )(?<![\w/.-])((?:k6|deploy|scripts|docs)/[\w./-]+\w)", page):
        assert os.path.exists(os.path.join(telltale.ROOT, path)), path
    print("ok: docs/robot-shop.md: the Collector's values, and every path it names")


def main():
    the_cluster()
    the_load_finds_its_scripts()
    the_configuration_of_the_container()
    the_compose_file()
    the_page()


if __name__ == "__main__":
    main()
