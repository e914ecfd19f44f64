# SPDX-License-Identifier: Apache-2.0
"""When a set is finished: on request, when no row came for a while, by size and age; and what a start refuses."""

import glob
import json
import os
import tempfile

from common import check_sets, config, dataset_rows, labelled, post, run, span, telltale, traces


def finals(process):
    return sorted(glob.glob(process.dir + "/dataset/traces_labeled_*.csv"))


def on_request():
    with telltale.Process(config(dataset="    endpoint: {finish}"), endpoints=["otlp", "metrics", "finish"]) as process:
        assert process.request("finish", "POST", "/v1/dataset/finish", b"").json() == {"finished": None}
        assert process.get("finish", "/v1/dataset/finish").status == 405
        for i in range(3):
            post(process, traces([span(i + 1, 1, attributes=labelled("cpu"))]))
            stamp = process.request("finish", "POST", "/v1/dataset/finish", b"").json()["finished"]
            assert os.path.exists(f"{process.dir}/dataset/traces_labeled_{stamp}.csv")
            with open(process.dir + "/dataset/manifest.json", encoding="utf-8") as f:
                assert json.load(f)["stamp"] == stamp
            latest = os.path.realpath(process.dir + "/dataset/latest/traces_labeled.csv")
            assert latest == os.path.realpath(f"{process.dir}/dataset/traces_labeled_{stamp}.csv")
        assert len(check_sets(process.dir + "/dataset")) == 3
        assert process.metric("telltale_dataset_finished_sets") == 3
        assert process.metric("telltale_dataset_written_rows", signal="traces") == 3
        assert process.stop() == 0


def after_silence():
    with telltale.Process(config().replace("finish_after: 0s", "finish_after: 300ms"), endpoints=["otlp", "metrics"]) as process:
        post(process, traces([span(1, 1)]))
        assert finals(process) == []
        assert telltale.wait_for(lambda: len(finals(process)) == 1, 10)
        post(process, traces([span(2, 1)]))
        assert telltale.wait_for(lambda: len(finals(process)) == 2, 10)
        assert telltale.wait_for(lambda: not glob.glob(process.dir + "/dataset/*.partial"), 10)
        assert process.cpu_seconds() < 5  # nobody polls
        assert process.stop() == 0
        assert len(check_sets(process.dir + "/dataset")) == 2


def by_age():
    with telltale.Process(config(dataset="    rotation: {interval: 400ms}"), endpoints=["otlp", "metrics"]) as process:
        count = 0
        while len(finals(process)) < 2 and count < 500:
            post(process, traces([span(count + 1, 1)]))
            count += 1
            telltale.wait_for(lambda: False, 0.02)
        assert process.stop() == 0
        assert len(dataset_rows(process.dir + "/dataset")) == count
        assert 2 <= len(finals(process)) <= 20


def bad_places_are_refused():
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/file", "w", encoding="utf-8") as f:
            f.write("not a directory")
        yaml = config(out=d + "/file").replace("endpoint: {otlp}", "endpoint: 127.0.0.1:0").replace("address: {metrics}", "level: none")
        with open(d + "/c.yaml", "w", encoding="utf-8") as f:
            f.write(yaml)
        done = run("run", "--config", d + "/c.yaml", check=False)
        assert done.returncode == 1 and (d + "/file").encode() in done.stderr, done
        with open(d + "/c.yaml", "w", encoding="utf-8") as f:
            f.write(yaml.replace("create_directory: true", "directory_permissions: nonsense"))
        done = run("validate", "--config", d + "/c.yaml", check=False)
        assert done.returncode == 2 and b"directory_permissions" in done.stderr, done
        with open(d + "/c.yaml", "w", encoding="utf-8") as f:
            f.write(yaml.replace("finish_after: 0s", "finish_after: 0s\n    extra_attributes: [http.method]"))
        done = run("run", "--config", d + "/c.yaml", check=False)
        assert done.returncode != 0 and b"http.method" in done.stderr, done


if __name__ == "__main__":
    on_request()
    after_silence()
    by_age()
    bad_places_are_refused()
