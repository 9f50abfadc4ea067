"""Fixtures that every room's tests share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are noisy: a property is not false because an example took long.
settings.register_profile("charthouse", deadline=None)
settings.load_profile("charthouse")

# Models of tests are tiny: on a busy machine more threads wait for each other, ten times as long as
# they compute. Before torch is imported, and for all processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests as they run in two processes.

    The longest comes first: else one process ends with it, the other idle. Two at a time take up to
    twice as long each.
    """
    items.sort(key=lambda item: item.path.name != "test_wheel.py")
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(600))


@contextmanager
def one_at_a_time(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """Let one process of a test run into a block, the others wait; gives a folder that they share.

    ``make test`` and ``make slow`` have a process for every core.
    """
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield base


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real corpora: ``CHARTHOUSE_DATA``, else ``../shared/data``; skips without."""
    folder = Path(os.environ.get("CHARTHOUSE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("real corpora not found: set CHARTHOUSE_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def mesh_folder(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the whole MeSH of the real data, which takes half a minute to build.

    Built once for all processes of a test run: the first to come builds, the others wait.
    """
    from ontologies.build import build_store

    mesh = data_dir / "ontology" / "mesh"
    with one_at_a_time(tmp_path_factory, "whole-mesh") as shared:
        out = shared / "whole-mesh"
        if not out.is_dir():  # a store's folder is there when it is complete
            build_store([("mesh", mesh / "desc.xml.gz"), ("mesh", mesh / "supp.xml.gz")], out)
    return out


@pytest.fixture(scope="session")
def prefect_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server that many runs share: a temporary one costs each of them six seconds."""
    from flows.prefect_server import prefect_api

    with pytest.MonkeyPatch.context() as patch:
        for name in ("PREFECT_API_URL", "NO_PROXY", "no_proxy"):
            patch.delenv(name, raising=False)
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        with prefect_api() as address:
            yield address
