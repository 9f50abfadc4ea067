"""The door of a cluster: is it there, does it fit, do its workers see what they need?"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

import flows
from flows.bundled import SAMPLE
from flows.cluster import dask, ray
from flows.cluster.probe import network
from flows.errors import CharthouseError
from flows.prefect_server import configured_api
from flows.settings import DASK, LOCAL, RAY, ExecutionSettings, Settings
from flows.storage import Storage, is_url
from nlp.ner.source import BUNDLED
from nlp.preprocess import NAMED
from nlp.settings import PrivacySettings

_METHODS = ("rules", "off")
"""Values of ``assertion.method`` that are no folder."""

_PACKAGES = {DASK: ("prefect_dask", "distributed"), RAY: ("prefect_ray", "ray")}


def at_the_door(settings: Settings, warehouse: Path) -> Settings:
    """Check that the settings' cluster can do the work, and fit the settings to it.

    Args:
        settings: as the user gave them; nothing is done for the local runner.
        warehouse: the file to write; its folder exists.

    Returns:
        Settings with workers counted, paths of models absolute and staging as a URL.

    Raises:
        CharthouseError: an extra is missing, the cluster does not answer, its workers have another
            version or no secret of privacy, do not see the staging or cannot reach Prefect.
        PrivacyError: there is no secret here.
    """
    execution = settings.execution
    if execution.runner == LOCAL:
        return settings
    for package in _PACKAGES[execution.runner]:
        if importlib.util.find_spec(package) is None:
            raise CharthouseError(
                f"runner {execution.runner} needs {package}, which is not installed",
                f'pip install "charthouse[{execution.runner}]", here and on every worker',
            )
    if not execution.address:
        raise CharthouseError(
            f"runner {execution.runner} needs the address of a cluster",
            "Give --scheduler tcp://HOST:8786"
            if execution.runner == DASK
            else f"Give --address HOST:6379, or {ray.LOCAL} for this machine alone",
        )
    execution = execution.model_copy(update={"staging": _staging_url(execution.staging)})
    settings = _with_absolute_paths(settings)
    privacy = settings.privacy if settings.privacy.is_on else None
    with _shared(execution, warehouse) as storage:
        storage.check()
        ask = dask.ask if execution.runner == DASK else ray.ask
        slots, answers = ask(execution, storage, settings.workers, privacy)
        for worker, told in sorted(answers.items()):
            _judge(worker, told, execution, settings.privacy)
    workers = min(slots, execution.workers or slots)
    execution = execution.model_copy(update={"workers": workers})
    return settings.model_copy(update={"execution": execution})


def _staging_url(staging: str | None) -> str | None:
    if staging is None or is_url(staging):
        return staging.rstrip("/") if staging else None
    return Path(staging).expanduser().absolute().as_uri()


@contextmanager
def _shared(execution: ExecutionSettings, warehouse: Path) -> Iterator[Storage]:
    """The staging, or a folder beside the warehouse, where the work folder will be."""
    if execution.staging:
        yield Storage(execution.staging)
        return
    try:
        with TemporaryDirectory(prefix=".charthouse-", dir=warehouse.absolute().parent) as folder:
            yield Storage(Path(folder).as_uri())
    except OSError as error:
        raise CharthouseError(
            f"the folder of {warehouse} cannot be written ({error.strerror})", "Choose another"
        ) from None


def _judge(
    worker: str, told: dict[str, Any], execution: ExecutionSettings, privacy: PrivacySettings
) -> None:
    where = f"worker {worker} on {told['host']}"
    if told["version"] is None:
        raise CharthouseError(
            f"{where} has no charthouse",
            f'pip install "charthouse[{execution.runner}]=={flows.__version__}" there',
        )
    if told["version"] != flows.__version__ or "problem" not in told:
        raise CharthouseError(
            f"{where} has charthouse {told['version']}, here it is {flows.__version__}",
            "Install the same version on both",
        )
    if told["problem"]:
        if execution.staging:
            raise CharthouseError(
                f"{where} cannot use the staging: {told['problem']}",
                "It needs the same path, rights and credentials there as here",
            )
        raise CharthouseError(
            f"{where} does not see the folder of the warehouse, or may not write it",
            "Set execution.staging to a folder or URL that all machines share",
        )
    if told["no_secret"]:
        where_it_is = (
            f"file {privacy.key_file}"
            if privacy.key_file
            else f"environment variable {privacy.key_variable}"
        )
        raise CharthouseError(
            f"{where}: {told['no_secret']}",
            f"Give every worker the same secret as here, in {where_it_is}",
        )
    if not told["prefect"]:
        raise CharthouseError(
            f"{where} cannot reach the Prefect API",
            "Set PREFECT_API_URL to an address that holds on every machine",
        )
    if configured_api() is None and told["network"] != network():
        raise CharthouseError(
            f"{where} cannot reach the temporary Prefect server, which is on this machine alone",
            "Start `prefect server start --host 0.0.0.0` and set PREFECT_API_URL to it",
        )


def _with_absolute_paths(settings: Settings) -> Settings:
    """Folders of models and the like under paths that hold whatever folder a worker runs in."""
    preprocess, assertion, privacy = settings.preprocess, settings.assertion, settings.privacy
    generation, relations = settings.generation, settings.relations
    changes: dict[str, tuple[BaseModel, dict[str, Any]]] = {
        "ner": (settings.ner, {"models": tuple(map(_absolute, settings.ner.models))}),
        "preprocess": (
            preprocess,
            {
                "pipeline": _absolute(preprocess.pipeline),
                "section_rules": _absolute_path(preprocess.section_rules),
            },
        ),
        "dictionary": (
            settings.dictionary,
            {
                "stores": tuple(map(_absolute, settings.dictionary.stores)),
                "stop_words": _absolute_path(settings.dictionary.stop_words),
            },
        ),
        "assertion": (
            assertion,
            {
                "method": _absolute(assertion.method),
                "rules": _absolute_path(assertion.rules),
            },
        ),
        "privacy": (
            privacy,
            {
                "models": tuple(map(_absolute, privacy.models)),
                "names": _absolute_path(privacy.names),
                "key_file": _absolute_path(privacy.key_file),
            },
        ),
        "generation": (
            generation,
            {
                "model": generation.model and _absolute(generation.model),
                "prompt": _absolute_file(generation.prompt),
            },
        ),
        "relations": (
            relations,
            {
                "model": relations.model and _absolute(relations.model),
                "statements": _absolute_file(relations.statements),
            },
        ),
        "endpoint": (
            settings.endpoint,
            {"key_file": _absolute_path(settings.endpoint.key_file)},
        ),
    }
    return settings.model_copy(
        update={name: group.model_copy(update=change) for name, (group, change) in changes.items()}
    )


def _absolute_path(path: Path | None) -> Path | None:
    return path and path.expanduser().absolute()


def _absolute(name: str) -> str:
    """A folder by its absolute path; what is in the box, installed or on a hub by its name."""
    if name in NAMED | {BUNDLED, SAMPLE, *_METHODS}:
        return name
    folder = Path(name).expanduser()
    return str(folder.absolute()) if folder.is_dir() else name


def _absolute_file(name: str | None) -> str | None:
    """A file by its absolute path; what is in the box by its name."""
    file = Path(name or "").expanduser()
    return str(file.absolute()) if name and file.is_file() else name
