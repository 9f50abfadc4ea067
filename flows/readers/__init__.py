"""Readers: one module per format, each a stream of records. A new one is a line in ``READERS``."""

from __future__ import annotations

from flows.readers.base import Reader
from flows.readers.bioc import BIOC
from flows.readers.delimited import CSV
from flows.readers.duckdbfile import DUCKDB
from flows.readers.fhir import FHIR
from flows.readers.iob import IOB
from flows.readers.jats import JATS
from flows.readers.jsonl import JSONL
from flows.readers.parquet import PARQUET
from flows.readers.pubmed import PUBMED
from flows.readers.pubtator import PUBTATOR
from flows.readers.text import TEXT

READERS: dict[str, Reader] = {
    "pubtator": PUBTATOR,
    "pubmed": PUBMED,
    "jats": JATS,
    "bioc": BIOC,
    "iob": IOB,
    "csv": CSV,
    "fhir": FHIR,
    "jsonl": JSONL,
    "parquet": PARQUET,
    "duckdb": DUCKDB,
    "text": TEXT,
}
"""Format name to reader. Where several share a suffix, the first whose sniff agrees reads."""
