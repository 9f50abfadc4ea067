"""A small warehouse to look at: every assertion, nested and crossing mentions, hostile names."""

from __future__ import annotations

from pathlib import Path

from flows.derived_settings import DerivedSettings
from flows.warehouse.connection import open_warehouse
from flows.warehouse.derived.refresh import refresh
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.exporting.conftest import NOTE_1, add_links, add_mention, assess

HOSTILE = "<img src=x onerror=document.title='broken'></script><script>alert(1)</script>"
"""Of a text, a name and a native id, by way of a page's every part."""

NESTED = "💊💊 Acute kidney injury and kidney stones, no fever in İstanbul today."
WITHOUT_TEXT = "Zyxwort."

_NOTES = {
    "n1": NOTE_1,
    "n2": f"{HOSTILE} fever & gout {HOSTILE}",
    "n3": NESTED,
    "n4": "Nothing to find.",
    "n5": WITHOUT_TEXT,
}
PAPERS = 6


def make_viewed(folder: Path) -> Path:
    """Make the warehouse in a folder; returns its path."""
    path = folder / "viewed.duckdb"
    bench = Bench(path)
    notes = [{"note_id": key, "text": text, "person_id": "p1"} for key, text in _NOTES.items()]
    bench.run(write_jsonl(folder / "notes.jsonl", *notes))
    papers = folder / "papers.pubtator"
    papers.write_text(
        "".join(
            f"{n}|t|Aspirin {n} for fever.\n{n}|a|Aspirin helps {n} with fever, rash and gout.\n\n"
            for n in range(70, 70 + PAPERS)
        ),
        encoding="utf-8",
    )
    bench.run(papers)
    with open_warehouse(path) as connection:
        connection.execute("DELETE FROM mentions")
        connection.execute(
            "UPDATE documents SET document_date = DATE '2024-02-03' + (source_order % 900)::INTEGER"
        )
        add_links(connection)
        connection.execute(
            "INSERT INTO ontology_releases VALUES ('r1', 'Tree of names', 9, 9, 'nobody', '')"
        )
        connection.execute("UPDATE name_links SET method = 'exact'")
        connection.execute(
            "UPDATE concepts SET concept_name = ?, tree_numbers = ['C23.1'] "
            "WHERE concept_id = 'MESH:D006073'",
            [HOSTILE],
        )
        one = "notes:n1"
        add_mention(connection, one, "chest pain", **assess())
        add_mention(connection, one, "fever", **assess(negated=True))
        add_mention(connection, one, "diabetes", **assess(experiencer="family"))
        add_mention(connection, one, "asthma", **assess(historical=True))
        add_mention(connection, one, "gout", **assess(uncertain=True))
        add_mention(connection, one, "rash", **assess(hypothetical=True))
        add_mention(connection, one, "sodium", "Chemical", **assess())
        add_mention(connection, "notes:n2", "fever", HOSTILE)
        add_mention(connection, "notes:n2", "gout")
        for label, name in (
            ("Disease", "acute kidney injury"),
            ("Anatomy", "kidney injury and kidney"),
            ("Anatomy", "kidney"),
            ("Disease", "kidney stones"),
            ("Disease", "fever"),
        ):
            add_mention(connection, "notes:n3", name, label, **assess(negated=name == "fever"))
        connection.execute("UPDATE documents SET text = NULL WHERE document_id = 'notes:n5'")
        for n in range(70, 70 + PAPERS):
            add_mention(connection, f"papers:{n}", "aspirin", "Chemical")
            for name in ("fever", "rash", "gout"):
                add_mention(connection, f"papers:{n}", name)
        connection.execute(
            "INSERT INTO sections VALUES (?, 'rule-1', 0, 'labs', ?, ?, ?, NULL)",
            [one, NOTE_1.index("LABS:"), len(NOTE_1), NOTE_1.index("LABS:") + 5],
        )
        refresh(connection, DerivedSettings())
    return path
