"""What comes in the box: the sample corpus, and the sample ontology as a compiled store."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import ontologies
from flows.errors import CharthouseError
from ontologies.build import build_store
from ontologies.errors import OntologyError
from ontologies.store import INDEX_VERSION, open_store

SAMPLE = "sample"

SAMPLE_CORPUS = Path(__file__).parent / "sample"
SAMPLE_SOURCES = (SAMPLE_CORPUS / "abstracts.xml", SAMPLE_CORPUS / "notes.csv")
SAMPLE_ONTOLOGY = Path(ontologies.__file__).parent / "sample" / "mesh_sample.xml"


def cache_folder() -> Path:
    """Where compiled files that can be made again are kept: ``CHARTHOUSE_CACHE``, else XDG's."""
    own = os.environ.get("CHARTHOUSE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "charthouse"


def sample_store() -> Path:
    """The sample ontology's store, compiled at first use.

    Raises:
        CharthouseError: the cache folder cannot be written.
    """
    content = hashlib.sha256(SAMPLE_ONTOLOGY.read_bytes()).hexdigest()[:12]
    store = cache_folder() / f"sample-{content}-{INDEX_VERSION}"
    try:
        open_store(store)
    except OntologyError:
        try:
            store.parent.mkdir(parents=True, exist_ok=True)
            build_store([("mesh", SAMPLE_ONTOLOGY)], store)
        except OSError as error:
            raise CharthouseError(
                f"the sample ontology cannot be compiled into {store} ({error.strerror})",
                "Set CHARTHOUSE_CACHE to a folder you can write, or give --ontology STORE",
            ) from None
    return store


def store_folder(name: str) -> Path:
    """The folder of a concept store, given as ``sample`` or by its path.

    Raises:
        CharthouseError: the sample cannot be compiled.
    """
    return sample_store() if name == SAMPLE else Path(name).expanduser().resolve()
