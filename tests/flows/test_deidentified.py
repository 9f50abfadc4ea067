"""De-identification in the flows: what reaches the warehouse, and what never does."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from flows.cli import doctor
from flows.cli.main import app
from flows.cli.run_summary import print_summary
from flows.deidentifying import FAILED, annotate_deidentified
from flows.errors import CharthouseError
from flows.forget import forget
from flows.isolation import reject
from flows.plan import Planner
from flows.readers import READERS
from flows.readers.base import Reader
from flows.readers.record import Deletion
from flows.receipt import StagingError, stage
from flows.run import preview
from flows.settings import Settings
from flows.summary import summarise
from flows.warehouse import runs
from flows.warehouse.access import Access
from flows.warehouse.check import check_warehouse
from flows.warehouse.connection import open_warehouse, read_warehouse
from flows.warehouse.ddl import quoted
from flows.warehouse.erasing import Subjects
from flows.warehouse.load import load_checked
from flows.warehouse.snapshots import publish
from flows.work import WorkFolder, make_private
from nlp.annotate import Annotator
from nlp.fingerprint import AnnotationSet, identify
from nlp.privacy.deidentify import Deidentified
from nlp.schema import PRIVACY_SPANS
from nlp.settings import PrivacySettings
from tests.flows.conftest import Bench, RuleAnnotator, write_incoming, write_jsonl
from tests.flows.runs import contents

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "fedcba9876543210fedcba9876543210"
PLANTED = (
    *("Quokkaberg", "Numbatova", "Native4711", "Native4712", "Native4713", "Person0815"),
    *("Visit0042", "Dugonghaus", "WardZebra"),
)
"""Names in texts, titles and metadata, ids, and the name of a source."""

NAMES = re.compile("Quokkaberg|Numbatova|Dugonghaus")


@dataclass(frozen=True)
class MaskingByList:
    """Stands in for what finds identifiers: names of a list become [NAME].

    A document with ``Unhideable`` fails, one with ``Raiseword`` raises an error that quotes it.
    """

    settings: PrivacySettings
    seen: list[int] = field(default_factory=list)

    def deidentify(self, documents: pl.DataFrame) -> Deidentified:
        self.seen.append(len(documents))
        rows, spans, failed = [], list[dict[str, object]](), {}
        for row, document in enumerate(documents.iter_rows(named=True)):
            if document["kind"] not in self.settings.kinds:
                rows.append(document)
                continue
            if "Raiseword" in document["text"]:
                raise ValueError(document["text"])
            if "Unhideable" in document["text"]:
                failed[row] = "ValueError"
                continue
            hidden = {name: NAMES.sub("[NAME]", document[name] or "") for name in FIELDS}
            found = [
                {
                    "document_id": document["document_id"],
                    "field": name,
                    "kind": "name",
                    "start_char": match.start(),
                    "end_char": match.end(),
                    "rule_id": "list",
                }
                for name in FIELDS
                for match in re.finditer(r"\[NAME\]", hidden[name])
            ]
            spans += [{**span, "span_id": n} for n, span in enumerate(found)]
            rows.append({**document, **hidden})
        schema = PRIVACY_SPANS.empty().drop("annotation_id").schema
        return Deidentified(
            pl.DataFrame(rows, schema=documents.schema), pl.DataFrame(spans, schema=schema), failed
        )


FIELDS = ("text", "title", "metadata")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", KEY)


def private(bench: Bench, **settings: Any) -> Bench:
    """The same bench under privacy, by default masking."""
    chosen = PrivacySettings(**{"mode": "mask"} | settings)
    return replace(bench, privacy=chosen, deidentifier=MaskingByList(chosen))


def note(
    key: str = "Native4711", text: str = "asthma of Quokkaberg", **more: str
) -> dict[str, Any]:
    ids = {"note_id": key, "person_id": "Person0815", "visit_id": "Visit0042"}
    return {**ids, "text": text, "title": "Visit of Numbatova", "ward": "Dugonghaus", **more}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "WardZebra"
    folder.mkdir()
    return write_jsonl(
        folder / "WardZebra.jsonl",
        note(),
        note("Native4712", "Quokkaberg unreadable"),
        note("Native4713", "Quokkaberg Unhideable"),
    )


def run(bench: Bench, *sources: Path, **more: object) -> Any:
    return bench.run(*sources, corpus="ward", **more)


def values(warehouse: Path) -> str:
    """All that stands in the columns of text of all tables."""
    found = []
    with read_warehouse(warehouse) as connection:
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal "
            "AND data_type LIKE '%VARCHAR%'"
        ).fetchall():
            rows = connection.execute(f"SELECT {quoted(column)}::VARCHAR FROM {quoted(table)}")
            found += [str(value) for (value,) in rows.fetchall()]
    return "\n".join(found)


def planted_in(warehouse: Path) -> list[str]:
    """Planted words that stand anywhere in a warehouse: in its bytes, or in a column."""
    held = warehouse.read_bytes() + values(warehouse).encode()
    return [word for word in PLANTED if word.encode() in held]


def breaches(warehouse: Path) -> list[str]:
    with read_warehouse(warehouse) as connection:
        return [
            f.name for f in check_warehouse(connection) if f.breaches and f.name != "ledger_of_sets"
        ]  # the bench describes no annotation set


@pytest.mark.parametrize("mode", ["mask", "drop_text"])
def test_nothing_that_was_planted_reaches_the_warehouse(
    bench: Bench, source: Path, tmp_path: Path, mode: str
) -> None:
    bench = private(bench, mode=mode)
    assert run(bench, source).new == 3
    assert planted_in(bench.warehouse) == []
    assert breaches(bench.warehouse) == []
    copy = tmp_path / "snapshot.duckdb"
    with open_warehouse(bench.warehouse) as connection:
        publish(connection, bench.warehouse, copy, Access(say=lambda line: None))
    assert planted_in(copy) == []
    rows = bench.query(
        "SELECT text, title, metadata, source_hash FROM documents ORDER BY source_order"
    )
    assert [text for text, *_ in rows] == (
        ["asthma of [NAME]", "[NAME] unreadable", None] if mode == "mask" else [None] * 3
    )
    assert rows[2][1:3] == (None, "{}"), "a document that cannot be searched keeps nothing"
    assert bench.query("SELECT mention_text, lookup_text FROM mentions") == [
        ("asthma" if mode == "mask" else None, "asthma")
    ]
    assert {reason for (reason,) in bench.query("SELECT reason FROM rejects")} == {
        "annotation failed",
        f"{FAILED}: ValueError",
    }
    assert bench.query("SELECT count(*), count(DISTINCT document_id) FROM privacy_spans") == [
        (6, 2)
    ]


def test_hashes_are_no_hashes_of_the_text(
    bench: Bench, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(bench, warehouse=bench.warehouse.with_name("plain.duckdb"))
    run(plain, source)
    run(private(bench), source)
    other = private(replace(bench, warehouse=bench.warehouse.with_name("other.duckdb")))
    monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", OTHER_KEY)
    run(other, source)
    query = (
        "SELECT source_hash FROM documents UNION ALL SELECT metadata_hash FROM documents "
        "UNION ALL SELECT sha256 FROM sources UNION ALL SELECT native_id FROM documents "
        "UNION ALL SELECT person_id FROM documents UNION ALL SELECT path FROM sources "
        "UNION ALL SELECT checksum FROM shards"
    )
    sets = [{value for (value,) in its.query(query)} - {""} for its in (plain, bench, other)]
    assert hashlib.sha256(source.read_bytes()).hexdigest() in sets[0]
    for one, another in ((0, 1), (0, 2), (1, 2)):
        assert not sets[one] & sets[another]


def test_a_person_has_one_pseudonym_in_every_corpus(bench: Bench, tmp_path: Path) -> None:
    bench = private(bench)
    first = write_jsonl(tmp_path / "a.jsonl", note(), note("Native4712"))
    second = write_jsonl(tmp_path / "b.jsonl", note(), note("other", person_id="Person0816"))
    bench.run(first, corpus="a")
    bench.run(second, corpus="b")
    persons = bench.query("SELECT person_id FROM documents ORDER BY source_order")
    assert persons[0] == persons[1] == persons[2] != persons[3]
    assert all(re.fullmatch("p-[0-9a-f]{20}", str(person)) for (person,) in persons)
    ids = bench.query("SELECT DISTINCT native_id FROM documents")
    assert len(ids) == 4, "ids of two corpora have nothing to do with each other"


def test_ids_of_documents_and_names_of_files_can_be_kept(bench: Bench, source: Path) -> None:
    run(private(bench, keep_document_ids=True), source)
    assert bench.query("SELECT min(document_id) FROM documents") == [("ward:Native4711",)]
    assert bench.query("SELECT path FROM sources") == [(str(source),)]
    assert set(planted_in(bench.warehouse)) == {
        *("Native4711", "Native4712", "Native4713", "WardZebra")
    }
    assert breaches(bench.warehouse) == []


def test_what_is_done_is_skipped_and_metadata_count_as_text(bench: Bench, source: Path) -> None:
    bench = private(bench)
    run(bench, source)
    before = contents(bench.warehouse)["documents"]
    assert run(bench, source).skipped == 3
    assert contents(bench.warehouse)["documents"] == before
    write_jsonl(source, note(ward="another"), note("Native4712", "Quokkaberg unreadable"))
    counts = run(bench, source)
    assert (counts.replaced, counts.skipped, counts.metadata_updated) == (1, 1, 0)
    assert planted_in(bench.warehouse) == []
    assert breaches(bench.warehouse) == []


def test_other_settings_of_privacy_are_another_version_of_the_text(
    bench: Bench, source: Path
) -> None:
    """A set that was kept would have offsets into a text that is no longer there."""
    first = private(bench)
    run(first, source)
    later = replace(first, annotation_id="rule-2", keep_previous=True)
    assert run(later, source).replaced == 3
    sets = bench.query("SELECT DISTINCT annotation_id FROM document_annotations")
    assert sets == [("rule-2",)]
    assert breaches(bench.warehouse) == []


def other_mode(bench: Bench, patch: pytest.MonkeyPatch) -> Bench:
    return private(bench, mode="surrogate")


def other_key(bench: Bench, patch: pytest.MonkeyPatch) -> Bench:
    patch.setenv("CHARTHOUSE_PRIVACY_KEY", OTHER_KEY)
    return bench


def other_ids(bench: Bench, patch: pytest.MonkeyPatch) -> Bench:
    return private(bench, keep_document_ids=True)


def other_kinds(bench: Bench, patch: pytest.MonkeyPatch) -> Bench:
    return private(bench, kinds=("abstract",))


def off(bench: Bench, patch: pytest.MonkeyPatch) -> Bench:
    return replace(bench, privacy=PrivacySettings(), deidentifier=None)


def test_a_warehouse_goes_one_way(bench: Bench, source: Path) -> None:
    bench = private(bench)
    run(bench, source)
    before = contents(bench.warehouse)
    for change in (other_mode, other_key, other_ids, other_kinds, off):
        with pytest.MonkeyPatch.context() as patch:
            changed = change(bench, patch)
            with pytest.raises(CharthouseError, match=r"documents of kind note .* new warehouse"):
                run(changed, source)
            with pytest.raises(CharthouseError, match="privacy"):
                preview(changed.order(source, corpus="ward"))
    assert contents(bench.warehouse) == before


def test_raw_and_masked_notes_do_not_meet(bench: Bench, source: Path, tmp_path: Path) -> None:
    run(bench, source)
    with pytest.raises(CharthouseError, match="as their sources have them"):
        run(private(bench), source)
    run(bench, source)  # as before


def test_privacy_does_not_begin_beside_names_of_files_nobody_can_place(
    bench: Bench, tmp_path: Path
) -> None:
    broken = tmp_path / "Quokkaberg.jsonl"
    broken.write_text('{"id": "1", "text": ""}\n', "utf-8")
    bench.run(broken)
    with pytest.raises(CharthouseError, match="names sources"):
        private(bench).run(write_jsonl(tmp_path / "n.jsonl", note()))


def test_kinds_that_are_not_searched_are_kept_beside(bench: Bench, tmp_path: Path) -> None:
    gold = tmp_path / "c.pubtator"
    gold.write_text("4717|t|Numbatova and asthma.\n4717|a|Aspirin was given.\n\n")
    bench.run(gold)
    bench = replace(private(bench), annotation_id="rule-2")
    bench.run(gold, write_jsonl(tmp_path / "n.jsonl", note()))
    texts = bench.query("SELECT kind, text FROM documents ORDER BY kind")
    assert texts == [
        ("abstract", "Numbatova and asthma. Aspirin was given."),
        ("note", "asthma of [NAME]"),
    ]
    assert bench.query("SELECT kind, mode FROM privacy") == [("note", "mask")]
    assert breaches(bench.warehouse) == []
    with open_warehouse(bench.warehouse) as connection:
        ((run_id,),) = connection.execute("SELECT max(run_id) FROM runs").fetchall()
        told = summarise(connection, bench.warehouse, run_id, here=[run_id], privacy=bench.privacy)
    assert (told.privacy, told.identifiers) == ("mask", {"name": 3})
    assert told.not_searched == {"abstract": 1}
    console = Console(width=200, record=True, file=io.StringIO())
    print_summary(console, told)
    assert "1 documents of kind abstract were stored as they are" in console.export_text()


def test_text_is_dropped_of_the_kinds_that_are_searched(bench: Bench, tmp_path: Path) -> None:
    gold = tmp_path / "c.pubtator"
    gold.write_text("4717|t|Numbatova and asthma.\n4717|a|Aspirin was given.\n\n")
    private(bench, mode="drop_text").run(gold, write_jsonl(tmp_path / "n.jsonl", note()))
    assert bench.query("SELECT kind, text IS NULL, title IS NULL FROM documents ORDER BY 1") == [
        ("abstract", False, False),
        ("note", True, True),
    ]
    mentions = bench.query("SELECT mention_text, lookup_text FROM mentions ORDER BY lookup_text")
    assert mentions == [("Numbatova", "Numbatova"), (None, "asthma")]


def test_without_privacy_nothing_changes(bench: Bench, source: Path) -> None:
    run(bench, source)
    ((text, source_hash, path),) = bench.query(
        "SELECT text, source_hash, path FROM documents, sources WHERE native_id = 'Native4711'"
    )
    parts = ["note", text, []]
    plain = json.dumps(parts, ensure_ascii=False).encode()
    assert source_hash == hashlib.sha256(plain).hexdigest()
    assert path == str(source)
    assert bench.query("FROM privacy") == bench.query("FROM privacy_spans") == []


def test_withdrawn_abstracts_are_found_by_their_pseudonyms(bench: Bench, tmp_path: Path) -> None:
    def citations(name: str, *parts: str) -> Path:
        path = tmp_path / name
        path.write_text(f"<PubmedArticleSet>{''.join(parts)}</PubmedArticleSet>")
        return path

    bench = private(bench, kinds=("abstract",))
    article = (
        "<PubmedArticle><MedlineCitation><PMID>4711</PMID><Article><ArticleTitle>asthma"
        "</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    )
    bench.run(citations("pubmed26n0001.xml", article))
    assert bench.query("SELECT path FROM sources") == [(str(tmp_path / "pubmed26n0001.xml"),)]
    gone = "<DeleteCitation><PMID>4711</PMID></DeleteCitation>"
    assert bench.run(citations("pubmed26n0002.xml", gone)).deleted == 1
    assert bench.query("SELECT native_id = '4711', is_deleted FROM documents") == [(False, True)]
    assert breaches(bench.warehouse) == []


def test_withdrawn_notes_are_found_by_their_pseudonyms(
    bench: Bench, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = private(bench)
    run(bench, source)
    jsonl = READERS["jsonl"]
    withdrawing = replace(jsonl, parse=lambda file: iter([Deletion("Native4711")]))
    monkeypatch.setitem(cast("dict[str, Reader]", READERS), "jsonl", withdrawing)
    later = write_jsonl(source.with_name("later.jsonl"), note())
    assert run(bench, later).deleted == 1
    assert bench.query("SELECT count(*), count(*) FILTER (is_deleted) FROM documents") == [(3, 1)]
    assert planted_in(bench.warehouse) == []
    assert breaches(bench.warehouse) == []


def test_a_file_of_hidden_name_is_known_again_and_pruned_within(bench: Bench, source: Path) -> None:
    bench = private(bench)
    run(bench, source)
    assert bench.query("SELECT path LIKE 'f-%', status FROM sources") == [(True, "done")]
    write_jsonl(source, note())
    assert run(bench, source, prune=True, prune_limit=1).pruned == 2
    assert bench.query("SELECT count(*) FROM documents") == [(1,)]
    assert bench.query("SELECT count(*) FROM sources") == [(1,)]


def test_forgetting_takes_ids_of_the_warehouse_or_of_the_source(
    bench: Bench, source: Path, tmp_path: Path
) -> None:
    bench = private(bench)
    run(bench, source)
    config = tmp_path / "settings.toml"
    config.write_text('[privacy]\nmode = "mask"\n')
    arguments = ["-w", str(bench.warehouse), "--person", "Person0815"]
    plain = CliRunner().invoke(app, ["forget", *arguments, "--dry-run", "--json"])
    assert json.loads(plain.stdout)["erased"]["documents"] == 0
    hidden = [*arguments, "--source-ids", "--config", str(config)]
    done = CliRunner().invoke(app, ["forget", *hidden, "--json"])
    assert json.loads(done.stdout)["erased"]["documents"] == 3
    with source.open("a") as file:
        file.write(json.dumps(note("another", person_id="Person0816")) + "\n")
    counts = run(bench, source)
    assert (counts.forgotten, counts.new) == (3, 1)
    documents = [f"ward:Native471{n}" for n in (1, 2, 3)]
    lifted = CliRunner().invoke(
        app, ["remember", *hidden, *(a for d in documents for a in ("--document", d)), "--json"]
    )
    assert json.loads(lifted.stdout) == {"lifted": 4}
    assert run(bench, source).new == 3


def test_tombstones_outlive_a_secret(
    bench: Bench, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under another secret, who was forgotten would come back under another pseudonym."""
    bench = private(bench)
    run(bench, source)
    ((person,),) = bench.query("SELECT DISTINCT person_id FROM documents")
    forget(bench.warehouse, Subjects(persons=(str(person),)), Access(say=lambda line: None))
    assert bench.query("SELECT count(*) FROM documents") == [(0,)]
    monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", OTHER_KEY)
    with pytest.raises(CharthouseError, match="another secret"):
        run(bench, source)


def test_source_ids_without_privacy_are_refused(bench: Bench, source: Path) -> None:
    run(bench, source)
    arguments = ["forget", "-w", str(bench.warehouse), "--person", "x", "--source-ids"]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, CharthouseError)
    assert "privacy.mode is off" in str(done.exception)


def planned(bench: Bench, source: Path) -> tuple[WorkFolder, str]:
    """Begin a run and plan it."""
    work = WorkFolder.beside(bench.warehouse)
    make_private(work.root)
    with open_warehouse(bench.warehouse) as connection:
        order = bench.order(source, corpus="ward")
        run_id = runs.next_run_id(connection)
        runs.begin_run(connection, run_id, order)
        planner = Planner(connection, order, work, run_id)
        planner.commit(planner.read(), 0.0)
    return work, run_id


def test_a_document_that_ends_its_worker_is_stored_without_text(bench: Bench, source: Path) -> None:
    bench = private(bench)
    write_jsonl(source, note(note_type="Letter of Quokkaberg"))
    work, run_id = planned(bench, source)
    with open_warehouse(bench.warehouse) as connection:
        (shard,) = runs.planned_shards(connection, run_id)
        receipt = reject(work, run_id, shard, "ended its worker process", bench.privacy)
        load_checked(
            connection, run_id, bench.annotation_id, [(shard.path, receipt)], deidentified=True
        )
    rows = bench.query(
        "SELECT DISTINCT text, title, metadata, document_date, document_type FROM documents"
    )
    assert rows == [(None, None, "{}", None, None)]
    assert planted_in(bench.warehouse) == []


def test_output_without_documents_is_not_loaded(bench: Bench, source: Path) -> None:
    bench = private(bench)
    work, run_id = planned(bench, source)
    with open_warehouse(bench.warehouse) as connection:
        (shard,) = runs.planned_shards(connection, run_id)
        without = reject(work, run_id, shard, "ended its worker process", PrivacySettings())
        with pytest.raises(StagingError, match="lacks its de-identified documents"):
            load_checked(
                connection, run_id, bench.annotation_id, [(shard.path, without)], deidentified=True
            )
    assert planted_in(bench.warehouse) == []
    assert bench.query("SELECT count(*) FROM documents") == [(0,)]


def test_staged_output_holds_nothing_that_was_planted(bench: Bench, source: Path) -> None:
    bench = private(bench)
    work, run_id = planned(bench, source)
    shard = pl.read_parquet(work.shard(run_id, 1))
    assert "Quokkaberg" in shard["text"][0], "the shard file holds the texts as they were"
    found = annotated(bench, shard)
    receipt = stage(work.staged(run_id), 1, found.frames, found.seconds)
    for path in receipt.path.iterdir():
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += pl.read_parquet(path).write_json().encode()
        assert [word for word in PLANTED if word.encode() in content] == [], path.name
    assert set(found.seconds) >= {"privacy", "preprocess", "ner"}


def annotated(bench: Bench, documents: pl.DataFrame, **more: Any) -> Any:
    rule = RuleAnnotator(AnnotationSet(bench.annotation_id, (), "{}"))
    progress = more.pop("progress", lambda done: None)
    assert bench.deidentifier is not None
    return annotate_deidentified(
        documents, bench.deidentifier, cast("Annotator", rule), bench.privacy, progress, **more
    )


def shard_of(tmp_path: Path, *texts: str) -> pl.DataFrame:
    numbered = {str(n): text for n, text in enumerate(texts)}
    return pl.read_parquet(write_incoming(tmp_path / "s.parquet", numbered))


def test_progress_names_the_document_at_work(bench: Bench, tmp_path: Path) -> None:
    """A document that ends its worker while it is de-identified is the one that is blamed."""
    bench = private(bench)
    told: list[int] = []
    annotated(
        bench,
        shard_of(tmp_path, "asthma", "Unhideable", "asthma"),
        progress=told.append,
        one_by_one=True,
    )
    assert cast("MaskingByList", bench.deidentifier).seen == [1, 1, 1]
    assert told == sorted(told)
    assert set(told) == {1, 2, 3}


def test_an_error_nobody_foresaw_costs_one_document(bench: Bench, tmp_path: Path) -> None:
    bench = private(bench)
    texts = ["asthma", "Raiseword of Quokkaberg", "gout", "unreadable Numbatova", "Unhideable"]
    found = annotated(bench, shard_of(tmp_path, *texts))
    assert [(r.row, r.reason) for r in found.rejects] == [
        (1, f"{FAILED}: ValueError"),
        (3, "annotation failed"),
        (4, f"{FAILED}: ValueError"),
    ]
    documents = found.frames["documents"].sort("document_id")
    assert documents["text"].to_list() == ["asthma", None, "gout", "unreadable [NAME]", None]
    assert found.frames["mentions"]["mention_text"].to_list() == ["asthma", "gout"]


@pytest.mark.parametrize(
    ("mode", "secret", "told"),
    [
        ("mask", None, "environment variable CHARTHOUSE_PRIVACY_KEY"),
        ("surrogate", "short", "at least 16 characters"),
        ("hide", KEY, "setting privacy.mode"),
    ],
)
def test_what_is_missing_is_told_at_the_door(
    bench: Bench,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    secret: str | None,
    told: str,
) -> None:
    monkeypatch.delenv("CHARTHOUSE_PRIVACY_KEY")
    if secret is not None:
        monkeypatch.setenv("CHARTHOUSE_PRIVACY_KEY", secret)
    finders = ["--model", "none", "--dictionary", "sample"]
    arguments = [str(source), "-w", str(bench.warehouse), *finders, "--privacy", mode]
    done = CliRunner().invoke(app, ["run", *arguments])
    assert isinstance(done.exception, CharthouseError)
    assert told in str(done.exception)
    assert secret is None or secret not in str(done.exception)
    assert not bench.warehouse.exists()


def test_the_doctor_looks_for_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('[privacy]\nmode = "mask"\nkey_file = "key"\n')
    (missing,) = doctor._privacy(config)
    assert "key_file" in missing.fix
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o644)
    (readable,) = doctor._privacy(config)
    assert "chmod 600" in readable.fix
    (tmp_path / "key").chmod(0o600)
    (well,) = doctor._privacy(config)
    assert (well.found, well.fix) == (f"mask, secret in {tmp_path / 'key'}", "")
    (off,) = doctor._privacy(None)
    assert off.found.startswith("off") and not off.fix


def test_the_annotation_id_knows_of_privacy_only_where_it_is_on() -> None:
    finders: dict[str, Any] = {"ner": {"models": ()}, "dictionary": {"stores": ("sample",)}}

    def described(**privacy: Any) -> tuple[str, dict[str, Any]]:
        annotation = identify(Settings(**finders, privacy=privacy).annotation)
        return annotation.annotation_id, json.loads(annotation.settings)

    plain, settings = described()
    assert "privacy" not in settings
    assert described(mode="off", keep_document_ids=True, kinds=("article",))[0] == plain
    others = {
        described(mode="mask")[0],
        described(mode="mask", keep_document_ids=True)[0],
        described(mode="mask", kinds=("note", "article"))[0],
        described(mode="drop_text")[0],
    }
    assert len(others | {plain}) == 5


def test_privacy_that_searches_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing would be searched"):
        PrivacySettings(mode="mask", kinds=())
    assert not PrivacySettings(kinds=()).is_on
