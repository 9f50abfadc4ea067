"""A spaCy pipeline that some texts are too much for, as a package that a run can be pointed at.

The product knows nothing of it: ``preprocess.pipeline`` names any installed package. A text with
the word ``Killerword`` ends the process (as a crash in a library or the kernel's hunt for memory
does), one with ``Hangword`` sends the interpreter into a regular expression that never ends and
never lets go of its lock, one with ``Raiseword`` raises an error that quotes the whole text.
"""

from __future__ import annotations

import os
from pathlib import Path

PIPELINE = "hazardous_pipeline"

_CODE = """
import os
import re
import signal

import spacy
from spacy.language import Language


@Language.component("hazard")
def hazard(doc):
    if "Killerword" in doc.text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "Hangword" in doc.text:
        re.match(r"(a+)+$", "a" * 60 + "b")
    if "Raiseword" in doc.text:
        raise ValueError(doc.text)
    return doc


def load(**overrides):
    pipeline = spacy.blank("en")
    pipeline.meta["name"] = "hazardous"
    pipeline.meta["version"] = "1.0"
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("hazard")
    return pipeline
"""


def hazardous(folder: Path) -> dict[str, str]:
    """Install the package into a folder; returns the environment that a run needs to use it."""
    package = folder / PIPELINE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(_CODE)
    info = folder / f"{PIPELINE}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PIPELINE}\nVersion: 1.0\n")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, "CHARTHOUSE_PREPROCESS__PIPELINE": PIPELINE}
