"""The sample's notes and abstracts in a warehouse, with sections, sentences and linked mentions."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import flows
from flows.warehouse.connection import Connection, open_warehouse
from nlp.preprocess.sections import find_sections
from nlp.preprocess.sentences import find_sentences
from nlp.schema import SECTIONS, SENTENCES
from tests.flows.conftest import Bench
from tests.flows.exporting.conftest import add_links, add_mention, assess

SAMPLE = Path(flows.__file__).parent / "sample"


def find_spans(connection: Connection) -> None:
    """Fill sections and sentences by the rules in the box."""
    rows = connection.execute(
        "SELECT document_id, kind, text FROM documents WHERE text IS NOT NULL"
    ).fetchall()
    sections = [
        (document_id, "rule-1", number, found.name, found.start_char, found.end_char, None, None)
        for document_id, kind, text in rows
        for number, found in enumerate(find_sections(text, kind))
    ]
    sentences = [
        (document_id, "rule-1", number, start, end)
        for document_id, _, text in rows
        for number, (start, end) in enumerate(find_sentences(text))
    ]
    for table, found in ((SECTIONS, sections), (SENTENCES, sentences)):
        connection.register("found", pl.DataFrame(found, table.schema, orient="row").to_arrow())
        connection.execute(f"INSERT INTO {table.name} BY NAME FROM found")
        connection.unregister("found")


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse; tests read it only."""
    bench = Bench(tmp_path_factory.mktemp("sampled") / "w.duckdb")
    bench.run(SAMPLE / "notes.csv")
    bench.run(SAMPLE / "abstracts.xml")
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("DELETE FROM mentions")
        add_links(connection)
        find_spans(connection)
        note = "notes:N0001"
        add_mention(connection, note, "chest pain", **assess())
        add_mention(connection, note, "hypertension", **assess())
        add_mention(connection, note, "diabetes", **assess())
        add_mention(connection, note, "stroke", **assess(negated=True))
        add_mention(connection, note, "osteoporosis", **assess(experiencer="family"))
        add_mention(connection, note, "aspirin", "Chemical")
        connection.execute("UPDATE documents SET text = ' ' WHERE document_id = 'notes:N0003'")
        connection.execute("UPDATE documents SET text = NULL WHERE document_id = 'notes:N0004'")
    return bench.warehouse
