"""Jobs as a scheduler starts them: all they are told stands in one job file.

A job ends with an outcome: the name of its state and a message, numbers and fixed words only, fit
for Prefect. What it raises may name files and is for the log of the process alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.errors import UsageError
from flows.order import Order
from flows.quality.telling import told
from flows.settings import Settings, load_settings

COMPLETED = "Completed"
WITH_REJECTS = "CompletedWithRejects"
QUALITY_FAILED = "QualityFailed"


@dataclass(frozen=True)
class Outcome:
    """How a job ended, all its work done: ``state`` is :data:`COMPLETED`, :data:`WITH_REJECTS`, or
    :data:`QUALITY_FAILED` where a threshold of quality was crossed.
    """

    message: str
    state: str = COMPLETED


def warehouse_of(settings: Settings) -> Path:
    """The warehouse that the settings name.

    Raises:
        UsageError: they name none.
    """
    if settings.warehouse.path is None:
        raise UsageError(
            "no warehouse is named", "Give --warehouse, or warehouse.path in the file of --config"
        )
    return settings.warehouse.path


def order_of(settings: Settings) -> Order:
    """What a run is to do, all of it from the settings, checked at the door.

    Raises:
        UsageError: no sources or no warehouse are named.
        CharthouseError: something is missing or unusable; nothing has been written.
    """
    from flows.run import prepare_order

    warehouse = warehouse_of(settings)
    if not settings.sources:
        raise UsageError(
            "no sources are named", "Give SOURCE..., or sources = [...] in the file of --config"
        )
    return prepare_order(settings.sources, warehouse, settings)


def annotate(job: Path) -> Outcome:
    """Annotate what is new in the sources of a job file, and link its mentions.

    Raises:
        CharthouseError: the job cannot be begun, or a stage failed.
    """
    from flows.run import execute

    summary = execute(order_of(load_settings(job, {})))
    done = f"{summary.new:,} new and {summary.replaced:,} changed documents"
    if summary.new_rejects:
        done += f", {summary.new_rejects:,} new rejects"
    if summary.quality_failed:
        crossed = told(summary.quality_failed, summary.quality_warnings)
        return Outcome(f"{done}; {crossed}", QUALITY_FAILED)
    return Outcome(done, WITH_REJECTS if summary.new_rejects else COMPLETED)


def relink(job: Path) -> Outcome:
    """Link the names of a job file's warehouse to its ontologies.

    Raises:
        CharthouseError: there is no such warehouse, a store cannot be used, or linking failed.
    """
    from flows.relink import relink as carry_out

    settings = load_settings(job, {})
    outcome = carry_out(warehouse_of(settings), settings)
    if outcome.already_linked:
        return Outcome("linked already")
    kinds = ("unchanged", "gained", "lost", "moved", "renamed")
    counts = (f"{sum(getattr(c, kind)[0] for c in outcome.changes):,} {kind}" for kind in kinds)
    return Outcome("names: " + ", ".join(counts))


def build_ontology(job: Path) -> Outcome:
    """Compile the releases that a job file's ``[ontology_build]`` names.

    Raises:
        CharthouseError: a release cannot be used, or the store cannot be written.
    """
    from flows.ontology_build import build_ontology as carry_out

    built = carry_out(load_settings(job, {}).ontology_build)
    release = built.release
    return Outcome(
        f"{release.concepts:,} concepts, {release.names:,} names, {len(built.problems):,} rows "
        "left out"
    )


def evaluate(job: Path) -> Outcome:
    """Judge by the gold files of a job file's ``[evaluate]``; scores go to its warehouse, if any.

    Raises:
        UsageError: no gold files, or no ontology where one is needed.
        CharthouseError: a gold file, a model, a store or the warehouse cannot be used.
    """
    from flows.evaluating.predictions import write_predictions
    from flows.evaluating.request import Request
    from flows.evaluating.run import check_outputs
    from flows.evaluating.run import evaluate as carry_out
    from flows.evaluating.store import store_evaluation
    from flows.warehouse.access import access_of

    settings = load_settings(job, {})
    wanted = settings.evaluate
    if not wanted.gold:
        raise UsageError("no gold files are named", "Give evaluate.gold in the job file")
    needs = wanted.task in {"concepts", "linking"} and wanted.from_warehouse is None
    if needs and wanted.ontology is None:
        raise UsageError("no ontology is named", "Give evaluate.ontology in the job file")
    warehouse, predictions = settings.warehouse.path, wanted.predictions
    check_outputs(warehouse, predictions, access_of(settings.warehouse))
    request = Request(settings=settings, **wanted.model_dump(exclude={"task", "predictions"}))
    evaluation = carry_out(wanted.task, request, prefect=True)
    if predictions is not None:
        write_predictions(predictions, [its.predictions for its in evaluation.corpora])
    if warehouse is not None:
        store_evaluation(warehouse, evaluation)
    return Outcome(f"{wanted.task}: {len(evaluation.corpora):,} gold files judged")


def generate(job: Path) -> Outcome:
    """Do what a job file's ``[generate]`` says with the documents of its warehouse.

    Raises:
        UsageError: the condition or the questions cannot be used.
        CharthouseError: there is no such warehouse, a model or prompt cannot be used, or a stage
            failed.
    """
    from flows.generating.run import generate as carry_out
    from flows.generating.run import prepare_generation, wanted_of

    settings = load_settings(job, {})
    outcome = carry_out(prepare_generation(warehouse_of(settings), wanted_of(settings), settings))
    done = f"{outcome.task}: {outcome.done:,} items done, {outcome.skipped:,} done before"
    if not outcome.new_rejects:
        return Outcome(done)
    return Outcome(f"{done}, {outcome.new_rejects:,} new rejects", WITH_REJECTS)


JOBS: Mapping[str, Callable[[Path], Outcome]] = {
    "annotate": annotate,
    "relink": relink,
    "ontology-build": build_ontology,
    "evaluate": evaluate,
    "generate": generate,
}
"""Jobs by the names of their deployments."""
