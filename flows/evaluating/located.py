"""Gold documents and the documents of a warehouse that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flows.errors import CharthouseError
from flows.evaluating.gold import GoldCorpus
from flows.exporting.pubtator import flat
from flows.readers.gold import GoldDocument
from flows.warehouse.connection import Connection


def located(connection: Connection, warehouse: Path, corpus: GoldCorpus) -> GoldCorpus:
    """The corpus by the document_ids of a warehouse.

    A document is found by the corpus named after the file, or by the document_id that the file
    states. Texts are the same where they differ in the kind of white space only, which PubTator
    levels: offsets hold. A file that states document_ids was drawn from a warehouse some time ago:
    what is not there now, or has another text, is left out and counted. Of any other file all
    documents must be there.

    Raises:
        CharthouseError: documents are not there, or none is.
    """
    wanted = {*corpus.documents, *(d.document_id for d in corpus.documents.values())} - {None}
    texts = dict(
        connection.execute(
            "SELECT d.document_id, d.text FROM documents d SEMI JOIN "
            "(FROM document_annotations WHERE is_current) a USING (document_id) "
            "WHERE NOT d.is_deleted AND d.document_id IN (SELECT unnest(?::VARCHAR[]))",
            [sorted(filter(None, wanted))],
        ).fetchall()
    )
    homes = {i: _home(i, document, texts) for i, document in corpus.documents.items()}
    there = {
        home: document for i, document in corpus.documents.items() if (home := homes[i]) is not None
    }
    same = {i: d for i, d in there.items() if _same(d.text, texts[i])}
    is_drawn = any(d.document_id is not None for d in corpus.documents.values())
    if not same or (len(same) < len(corpus.documents) and not is_drawn):
        raise CharthouseError(
            f"warehouse {warehouse} holds {len(there):,} of the {len(corpus.documents):,} "
            f"documents of gold corpus {corpus.name}, {len(same):,} of them with the same text",
            "Name the warehouse that they were drawn from with --from-warehouse"
            if is_drawn
            else "Annotate the gold file first, with privacy.mode off: "
            "charthouse run GOLD --warehouse W.duckdb",
        )
    return replace(
        corpus,
        documents=same,
        absent=sum(home is None for home in homes.values()),
        changed=len(there) - len(same),
    )


def _home(key: str, document: GoldDocument, texts: Mapping[str, str | None]) -> str | None:
    stated = document.document_id
    return key if key in texts else stated if stated in texts else None


def _same(gold: str, stored: str | None) -> bool:
    # Programs that write PubTator may cut white space off at the end of a line.
    return stored is not None and flat(gold).rstrip() == flat(stored).rstrip()
