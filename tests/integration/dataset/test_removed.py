# SPDX-License-Identifier: Apache-2.0
"""Somebody removes the directory of a run: senders are told to come back, never that their data are wrong, and it goes on."""

import os
import shutil
import tempfile

from common import config, jsonl_spans, post, span, telltale, traces

FILE_ONLY = config(out="{dir}/out").replace("exporters: [file, dataset]", "exporters: [file]")


def posted(process, number, wanted, seconds=10):
    """Posts until it is answered as wanted; no answer may be anything but 200 and 503."""
    seen = set()

    def once():
        seen.add(post(process, traces([span(number, 1)])).status)
        assert seen <= {200, 503}, f"{seen}\n{process.log()}"
        return wanted in seen

    assert telltale.wait_for(once, seconds, every=0.2), process.log()


def a_directory_that_was_made_is_made_again():
    with telltale.Process(FILE_ONLY, endpoints=["otlp", "metrics"]) as process:
        posted(process, 1, 200)
        shutil.rmtree(process.dir + "/out")
        assert telltale.wait_for(lambda: posted(process, 2, 200) or os.path.exists(process.dir + "/out/traces.jsonl"))
        assert process.stop() == 0
        assert {s["traceId"] for s in jsonl_spans(process.dir + "/out/traces.jsonl")} == {"%032x" % 2}


def a_directory_of_others_is_waited_for():
    """The directory is there at the start, goes, and comes back."""
    with tempfile.TemporaryDirectory() as parent:
        out = parent + "/out"
        os.mkdir(out)
        text = FILE_ONLY.replace("{dir}/out", out).replace("    create_directory: true\n", "")
        with telltale.Process(text, endpoints=["otlp", "metrics"]) as process:
            posted(process, 1, 200)
            shutil.rmtree(out)
            posted(process, 2, 503)
            os.mkdir(out)
            posted(process, 3, 200)
            assert process.stop() == 0
            assert "%032x" % 3 in {s["traceId"] for s in jsonl_spans(out + "/traces.jsonl")}


def a_dataset_that_goes_is_no_fault_of_the_data():
    text = config(out="{dir}/out", dataset="    rotation: {interval: 1s}").replace("exporters: [file, dataset]", "exporters: [dataset]")
    with telltale.Process(text, endpoints=["otlp", "metrics"]) as process:
        posted(process, 1, 200)
        shutil.rmtree(process.dir + "/out")
        posted(process, 2, 503)


a_directory_that_was_made_is_made_again()
a_directory_of_others_is_waited_for()
a_dataset_that_goes_is_no_fault_of_the_data()
