"""From measured rates to hours, machines and disk for a corpus of any size. Plain arithmetic."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from scaling.measure import Measured
from scaling.sample import Sample

HOURS_A_WEEK = 7 * 24
HOURS_A_NIGHT = 10
CPU_SHARD = 1_000_000


@dataclass(frozen=True)
class Rates:
    """What was measured, per document, character, mention or name.

    Attributes:
        annotate: worker seconds a character: preprocessing, NER and staging, one thread.
        plan_document, load_document, link_name, context_document: main-process or, for links,
            worker CPU seconds.
        orchestrate_shard: CPU seconds of all processes for a shard beside its annotation.
        warehouse_character, passing_character: bytes, of texts that do not repeat; what passes is
            spool and shard files.
        names_document, heaps: distinct names in the sample by document, and how they grow.
        sample_documents: of that sample.
        prefect_rows_shard, prefect_bytes_shard: in Prefect's database.
    """

    annotate: float
    plan_document: float
    load_document: float
    link_name: float
    context_document: float
    orchestrate_shard: float
    warehouse_character: float
    passing_character: float
    names_document: float
    heaps: float
    sample_documents: int
    prefect_rows_shard: float
    prefect_bytes_shard: float


@dataclass(frozen=True)
class Corpus:
    """A corpus to plan for: documents of so many characters on average."""

    name: str
    documents: int
    characters: float


@dataclass(frozen=True)
class Plan:
    """Hours and sizes for a corpus.

    Attributes:
        core_hours: annotation, on one core like those of the measurement.
        cores: of this machine.
        main_hours: planning, loading and linking, which one main process does.
        cores_week, cores_night: so many cores annotate all of it in a week or a night.
        gpu_hours: of one GPU, where its rate was given.
        names: distinct names to expect.
        warehouse, passing: bytes of the result, and of spool and shards while the run lasts.
        shards, prefect_rows, prefect_bytes: with shards of the default size on CPU.
        overhead: share of orchestration in annotation's CPU time.
    """

    corpus: Corpus
    core_hours: float
    cores: int
    main_hours: float
    cores_week: int
    cores_night: int
    gpu_hours: float | None
    names: float
    warehouse: float
    passing: float
    shards: int
    prefect_rows: float
    prefect_bytes: float
    overhead: float


def rates(
    sample: Sample,
    sample_run: Measured,
    sample_bytes: int,
    small: Measured,
    run: Measured,
    orchestration: float,
) -> Rates:
    """Rates from the run over the base with the model, and a long run with the stand-in.

    Args:
        sample: what the model did.
        sample_run: the run that it did it in.
        sample_bytes: of its documents, annotations and links in the warehouse.
        small: with the stand-in over a part: what Prefect keeps for itself, shards or none.
        run: with the stand-in, for what the main process does.
        orchestration: CPU seconds a shard.
    """
    files = sample_run.watched.files
    shards = max(run.shards - small.shards, 1)
    linked = run.names_cpu or run.span("link").cpu - run.span("context").cpu
    return Rates(
        annotate=sample.seconds_a_character + sample.write / sample.characters,
        plan_document=run.span("plan").cpu / run.documents,
        load_document=run.span("load").cpu / run.documents,
        link_name=linked / max(run.names, 1),
        context_document=run.span("context").cpu / run.documents,
        orchestrate_shard=orchestration,
        warehouse_character=sample_bytes / sample.characters,
        passing_character=(files.get("spool", 0) + files.get("shards", 0)) / sample.characters,
        names_document=sample.names / sample.documents,
        heaps=sample.heaps,
        sample_documents=sample.documents,
        prefect_rows_shard=(run.prefect_rows - small.prefect_rows) / shards,
        prefect_bytes_shard=(run.prefect_bytes - small.prefect_bytes) / shards,
    )


def plan(corpus: Corpus, measured: Rates, gpu_characters: float | None) -> Plan:
    """What a corpus takes. ``gpu_characters`` is what one GPU annotates in a second."""
    characters = corpus.documents * corpus.characters
    core_seconds = characters * measured.annotate
    names = (
        measured.names_document
        * measured.sample_documents
        * (corpus.documents / measured.sample_documents) ** measured.heaps
    )
    main_seconds = corpus.documents * (
        measured.plan_document + measured.load_document + measured.context_document
    )
    main_seconds += names * measured.link_name
    shards = math.ceil(characters / CPU_SHARD)
    return Plan(
        corpus=corpus,
        core_hours=core_seconds / 3600,
        cores=len(os.sched_getaffinity(0)),
        main_hours=main_seconds / 3600,
        cores_week=math.ceil(core_seconds / 3600 / HOURS_A_WEEK),
        cores_night=math.ceil(core_seconds / 3600 / HOURS_A_NIGHT),
        gpu_hours=characters / gpu_characters / 3600 if gpu_characters else None,
        names=names,
        warehouse=characters * measured.warehouse_character,
        passing=characters * measured.passing_character,
        shards=shards,
        prefect_rows=shards * measured.prefect_rows_shard,
        prefect_bytes=shards * measured.prefect_bytes_shard,
        overhead=shards * measured.orchestrate_shard / core_seconds,
    )
