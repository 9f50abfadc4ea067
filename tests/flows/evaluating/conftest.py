"""The sample ontology as a store, compiled where no user's cache is touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.bundled import sample_store
from ontologies.store import ConceptStore, open_store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConceptStore]:
    """The bundled MeSH sample; while it is used, ``sample`` names it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTHOUSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield open_store(sample_store())
