# SPDX-License-Identifier: Apache-2.0
"""The pictures of docs/detection.md are what docs/pictures/make draws with this program, byte for byte, and well-formed."""

import glob
import os
import subprocess
import tempfile
import xml.dom.minidom

from detection import telltale

PICTURES = os.path.join(telltale.ROOT, "docs", "pictures")

with tempfile.TemporaryDirectory() as directory:
    subprocess.run([os.path.join(PICTURES, "make"), telltale.binary(), directory], check=True, timeout=280)
    drawn = sorted(os.path.basename(p) for p in glob.glob(directory + "/*.svg"))
    kept = sorted(os.path.basename(p) for p in glob.glob(PICTURES + "/*.svg"))
    assert drawn == kept, (drawn, kept)
    with open(os.path.join(telltale.ROOT, "docs", "detection.md")) as f:
        text = f.read()
    for name in drawn:
        xml.dom.minidom.parse(os.path.join(directory, name))
        assert f"pictures/{name})" in text, f"{name} is not in docs/detection.md"
        with open(os.path.join(directory, name), "rb") as new, open(os.path.join(PICTURES, name), "rb") as old:
            assert new.read() == old.read(), f"{name} is stale; run: docs/pictures/make"
print("ok")
