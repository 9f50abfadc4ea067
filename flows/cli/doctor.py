"""``charthouse doctor``: is everything here that a run needs?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows.cli.terminal import standard_output

_PACKAGES = (
    "prefect",
    "duckdb",
    "polars",
    "pyarrow",
    "numpy",
    "spacy",
    "scispacy",
    "torch",
    "transformers",
    "tokenizers",
    "sparse_dot_topn",
)
_FREE_GIGABYTES = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and the fix where it is not well."""

    what: str
    found: str
    fix: str = ""


def doctor(
    model: Annotated[list[str] | None, typer.Option(help="Models to check.")] = None,
    ontology: Annotated[list[str] | None, typer.Option(help="Stores to check.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the warehouse will be.")] = Path(),
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file of settings; its [link], [privacy] and [endpoint] count here."
        ),
    ] = None,
) -> None:
    """Check versions, device, model, concept store, privacy, Prefect and disk; each with a fix."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _device,
        lambda: _models(model or ["bundled"]),
        lambda: _stores(ontology or ["sample"]),
        lambda: _linking(config),
        lambda: _privacy(config),
        lambda: _endpoint(config),
        _prefect,
        lambda: _disk(folder),
    )
    table = Table(box=None, header_style="dim")
    for heading in ("", "what", "found", "fix"):
        table.add_column(heading, overflow="fold")
    ill = False
    for check in checks:
        for finding in check():
            ill = ill or bool(finding.fix)
            mark = "[red]x[/]" if finding.fix else "[green]ok[/]"
            table.add_row(mark, finding.what, escape(finding.found), escape(finding.fix))
    standard_output().print(table)
    if ill:
        raise typer.Exit(1)


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield Finding("Python", version, "" if fits else "Use Python 3.11 or 3.12")


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding(name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "missing", f"pip install {name} -c constraints.txt")


def _device() -> Iterator[Finding]:
    import torch

    from nlp.ner.device import choose_device

    device = choose_device()
    yield Finding("device", f"{device.name}, {str(device.dtype).removeprefix('torch.')}")
    if device.on_cuda:
        free, total = torch.cuda.mem_get_info(device.name)
        yield Finding("GPU memory", f"{free / 1e9:.0f} of {total / 1e9:.0f} GB free")
        if importlib.util.find_spec("pynvml"):
            yield Finding("GPU use", f"{torch.cuda.utilization(device.name)}%")
    yield Finding("CPU cores", str(len(os.sched_getaffinity(0))))


def _models(names: list[str]) -> Iterator[Finding]:
    from nlp.ner.device import choose_device
    from nlp.ner.engine import NerEngine
    from nlp.ner.errors import ModelError
    from nlp.ner.model import load_model
    from nlp.ner.source import find_model

    for name in names:
        try:
            loaded = load_model(find_model(name), choose_device())
            NerEngine(loaded).find(["a short text"])
            yield Finding(f"model {name}", ", ".join(loaded.decoder.entity_labels))
        except ModelError as error:
            yield Finding(f"model {name}", "cannot be used", str(error))


def _stores(names: list[str]) -> Iterator[Finding]:
    from flows.bundled import SAMPLE, sample_store
    from flows.errors import CharthouseError
    from ontologies.dense import list_dense
    from ontologies.errors import OntologyError
    from ontologies.store import open_store

    for name in names:
        try:
            store = open_store(sample_store() if name == SAMPLE else Path(name))
            found = f"{store.release.concepts:,} concepts, {store.release.release_id}"
            encoders = ", ".join(info.encoder for info in list_dense(store.path))
            yield Finding(f"store {name}", f"{found}, encoded by {encoders or 'none'}")
        except (OntologyError, CharthouseError) as error:
            yield Finding(f"store {name}", "cannot be used", str(error))


def _linking(config: Path | None) -> Iterator[Finding]:
    """The language model that links, loaded and asked, where the settings name one."""
    from flows.errors import CharthouseError
    from flows.settings import load_settings
    from ontologies.errors import OntologyError

    try:
        settings = load_settings(config, {}).link
    except CharthouseError as error:
        yield Finding("link", error.problem, error.fix)
        return
    if not settings.writer:
        return
    what = f"language model {settings.writer}"
    try:
        from ontologies.writing.model import Writer

        writer = Writer.open(settings.writer)
        prompts = writer.prompts(["a name"], settings.writer_template)
        writer.likelihoods(prompts, writer.names(["a name"], settings.writer_template))
        yield Finding(what, f"links names ({settings.writer_use}) on {writer.device}")
    except OntologyError as error:
        yield Finding(what, "cannot be used", str(error))


def _privacy(config: Path | None) -> Iterator[Finding]:
    from flows.errors import CharthouseError
    from flows.settings import load_settings
    from nlp.errors import UNUSABLE
    from nlp.privacy.deidentify import privacy_fingerprint
    from nlp.privacy.key import read_key

    try:
        settings = load_settings(config, {}).privacy
        if not settings.is_on:
            yield Finding("privacy", "off: texts are stored as they are")
            return
        read_key(settings)
        where = settings.key_file or settings.key_variable
        yield Finding("privacy", f"{settings.mode}, secret in {where}")
        privacy_fingerprint(settings)
    except CharthouseError as error:
        yield Finding("privacy", error.problem, error.fix)
    except UNUSABLE as error:
        yield Finding("privacy", "cannot be used", str(error))


def _endpoint(config: Path | None) -> Iterator[Finding]:
    """The endpoint that the settings name, where they do: allowed, there, with the model."""
    from flows.errors import CharthouseError
    from flows.settings import load_settings

    try:
        settings = load_settings(config, {})
        name = settings.generation.model or ""
        asked = name.startswith("endpoint:")
        if not asked and not settings.endpoint.url:
            return
        from flows.generating.endpoint import check_endpoint, list_models

        if asked:
            warnings = check_endpoint(name, settings.endpoint)
            found = f"answers, has {name.removeprefix('endpoint:')}"
        else:
            models, warnings = list_models(settings.endpoint)
            found = "answers, has " + (", ".join(models) or "models it does not list")
        yield Finding("endpoint", "; ".join((found, *warnings)))
    except CharthouseError as error:
        yield Finding("endpoint", error.problem, error.fix or "See docs/answers.md")


def _prefect() -> Iterator[Finding]:
    from flows.errors import CharthouseError
    from flows.prefect_server import prefect_api

    given = os.environ.get("PREFECT_API_URL")
    try:
        with prefect_api() as address:
            from prefect.client.orchestration import get_client

            with get_client(sync_client=True) as client:
                failure = client.api_healthcheck()
            kind = "configured" if given else "temporary server"
            if failure:
                yield Finding("Prefect", f"{address} does not answer", "Check PREFECT_API_URL")
            else:
                yield Finding("Prefect", f"{address} ({kind})")
    except CharthouseError as error:
        yield Finding("Prefect", error.problem, error.fix)


def _disk(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield Finding("disk", f"{folder} does not exist", f"Create {folder}")
        return
    free = shutil.disk_usage(folder).free / 1e9
    fix = "" if free >= _FREE_GIGABYTES else f"Free some space: {_FREE_GIGABYTES:.0f} GB at least"
    yield Finding("disk", f"{free:.0f} GB free", fix)
    writable = os.access(folder, os.W_OK)
    yield Finding(
        "folder", "writable" if writable else "not writable", "" if writable else "Choose another"
    )
