"""The flows that schedulers start: each with one parameter, the path of a job file.

They are thin on purpose: what they do is in ``flows/jobs.py``, and Prefect is given states and
messages of numbers and fixed words. Why a job failed stands in the log of the process that ran it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect import Flow, State, flow
from prefect.exceptions import TerminationSignal
from prefect.states import Completed, Failed

from flows.errors import CharthouseError, kind_and_place
from flows.jobs import JOBS, QUALITY_FAILED
from flows.processes import Interrupted


@flow(name="charthouse-job-annotate", persist_result=False)
def annotate(job: str) -> State[None]:
    """Annotate what is new in the sources of a job file, and link its mentions."""
    return _ended("annotate", job)


@flow(name="charthouse-job-relink", persist_result=False)
def relink(job: str) -> State[None]:
    """Link the names of a job file's warehouse to its ontologies."""
    return _ended("relink", job)


@flow(name="charthouse-job-ontology-build", persist_result=False)
def ontology_build(job: str) -> State[None]:
    """Compile the releases that a job file's table ontology_build names into a concept store."""
    return _ended("ontology-build", job)


@flow(name="charthouse-job-evaluate", persist_result=False)
def evaluate(job: str) -> State[None]:
    """Judge by the gold files of a job file's table evaluate."""
    return _ended("evaluate", job)


@flow(name="charthouse-job-generate", persist_result=False)
def generate(job: str) -> State[None]:
    """Generate texts or relations as a job file's table generate says."""
    return _ended("generate", job)


DEPLOYABLE: Mapping[str, Flow[[str], Any]] = {
    "annotate": annotate,
    "relink": relink,
    "ontology-build": ontology_build,
    "evaluate": evaluate,
    "generate": generate,
}
"""Flows by the names of their jobs."""


def _ended(name: str, job: str) -> State[None]:
    """Do a job and say how it ended.

    Raises:
        TerminationSignal: the job was asked to stop; Prefect knows who asked.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        outcome = JOBS[name](Path(job))
    except (Interrupted, KeyboardInterrupt):
        raise TerminationSignal(signal=signal.SIGTERM) from None
    except CharthouseError as error:
        _tell(str(error))
        return Failed(message=f"{type(error).__name__}: the worker's log says which")
    except Exception as error:
        # Its words may quote what was being read: neither the log nor Prefect gets them.
        what = f"unexpected error: {kind_and_place(error)}"
        _tell(what)
        return Failed(message=what)
    if outcome.state == QUALITY_FAILED:
        return Failed(message=outcome.message)  # by its usual name, which automations wait for
    return Completed(name=outcome.state, message=outcome.message)


def _tell(line: str) -> None:
    """A line for the log of this process, which Prefect does not store."""
    print(f"charthouse: {line}", file=sys.stderr, flush=True)
