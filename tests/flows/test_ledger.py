"""Exactly once: what a second, changed or contradicting source does to the tables."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

from tests.flows.conftest import Bench, write_jsonl

MENTIONS = "SELECT document_id, mention_text FROM mentions ORDER BY ALL"
Notes = Callable[..., Path]


def test_second_run_does_nothing(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today", b="gout today")
    first = bench.run(source)
    before = bench.query("FROM documents ORDER BY ALL")
    second = bench.run(source)
    assert (first.new, first.skipped) == (2, 0)
    assert (second.read, second.new, second.replaced, second.skipped) == (2, 0, 0, 2)
    assert bench.query("FROM documents ORDER BY ALL") == before
    assert bench.query("SELECT count(*) FROM shards") == [(1,)]


def test_touched_file_is_compared_by_content(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today")
    bench.run(source)
    os.utime(source, (1, 1))
    counts = bench.run(source)
    assert (counts.skipped, counts.new, counts.replaced) == (1, 0, 0)
    assert bench.query("SELECT mtime FROM sources") == [(1_000_000_000,)]  # known by it from now on


def test_changed_document_replaces_its_rows_alone(bench: Bench, notes: Notes) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    counts = bench.run(notes(a="asthma today", b="fever today", c="rash today"))
    assert (counts.skipped, counts.replaced, counts.new) == (1, 1, 1)
    assert bench.query(MENTIONS) == [
        ("notes:a", "asthma"),
        ("notes:b", "fever"),
        ("notes:c", "rash"),
    ]
    assert bench.query("SELECT count(*) FROM documents") == [(3,)]


def test_metadata_change_updates_documents_without_annotation(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "notes.jsonl"
    write_jsonl(source, {"id": "a", "text": "asthma today", "note_type": "Progress"})
    bench.run(source)
    write_jsonl(source, {"id": "a", "text": "asthma today", "note_type": "Discharge"})
    counts = bench.run(source)
    assert (counts.metadata_updated, counts.replaced, counts.new) == (1, 0, 0)
    assert bench.query("SELECT document_type FROM documents") == [("Discharge",)]
    assert bench.query("SELECT count(*) FROM shards") == [(1,)]


def test_vanished_document_is_kept(bench: Bench, notes: Notes) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    bench.run(notes(a="asthma today"))
    assert len(bench.query(MENTIONS)) == 2


def test_new_annotation_set_annotates_anew(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today")
    bench.run(source)
    bench.annotation_id = "rule-2"
    counts = bench.run(source)
    assert counts.replaced == 1
    assert bench.query("SELECT annotation_id FROM mentions") == [("rule-2",)]
    assert bench.query("SELECT annotation_id, is_current FROM document_annotations") == [
        ("rule-2", True)
    ]


def test_identical_duplicates_count_as_skipped_records(bench: Bench, tmp_path: Path) -> None:
    one = {"id": "a", "text": "asthma today"}
    counts = bench.run(write_jsonl(tmp_path / "x.jsonl", one, one))
    assert (counts.read, counts.new, counts.duplicates, counts.superseded) == (2, 1, 1, 0)
    assert bench.query("SELECT count(*) FROM documents") == [(1,)]


def test_of_conflicting_records_the_later_one_counts(bench: Bench, tmp_path: Path) -> None:
    source = write_jsonl(
        tmp_path / "x.jsonl",
        {"id": "a", "text": "asthma today"},
        {"id": "a", "text": "gout today"},
    )
    counts = bench.run(source)
    assert (counts.new, counts.duplicates, counts.superseded) == (1, 0, 1)
    assert bench.query(MENTIONS) == [("x:a", "gout")]


def test_earlier_file_never_replaces_a_later_one(bench: Bench, notes: Notes) -> None:
    """The file that was seen later wins, also when only the earlier one is read again."""
    first, second = notes("first", a="asthma today"), notes("second", a="gout today")
    bench.run(first, second, corpus="c")
    assert bench.query(MENTIONS) == [("c:a", "gout")]
    notes("first", a="rash today")
    counts = bench.run(first, corpus="c")
    assert counts.superseded == 1
    assert bench.query(MENTIONS) == [("c:a", "gout")]


def test_edited_file_is_taken_also_when_named_alone(bench: Bench, notes: Notes) -> None:
    first, second = notes("first", a="asthma today"), notes("second", b="gout today")
    bench.run(first, second, corpus="c")
    notes("second", b="rash today")
    bench.run(second, corpus="c")
    assert bench.query(MENTIONS) == [("c:a", "asthma"), ("c:b", "rash")]


def test_limit_reads_so_many_records_and_the_rest_later(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today", b="gout today", c="rash today")
    assert bench.run(source, limit=2).new == 2
    assert bench.run(source, limit=2).new == 0
    counts = bench.run(source)
    assert (counts.new, counts.skipped) == (1, 2)


def citation(pmid: int, text: str) -> str:
    return (
        "<PubmedArticle><MedlineCitation Status='MEDLINE' Owner='NLM'>"
        f"<PMID Version='1'>{pmid}</PMID><Article PubModel='Print'><Journal><Title>J</Title>"
        "<JournalIssue><PubDate><Year>2020</Year></PubDate></JournalIssue></Journal>"
        f"<ArticleTitle>{text}</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    )


def release(folder: Path, name: str, *citations: str, deleted: tuple[int, ...] = ()) -> Path:
    """A numbered PubMed release file."""
    gone = "".join(f"<PMID Version='1'>{pmid}</PMID>" for pmid in deleted)
    gone = f"<DeleteCitation>{gone}</DeleteCitation>" if gone else ""
    path = folder / f"{name}.xml.gz"
    xml = f"<PubmedArticleSet>{''.join(citations)}{gone}</PubmedArticleSet>"
    path.write_bytes(gzip.compress(xml.encode(), mtime=0))
    return path


def test_withdrawn_citation_leaves_a_tombstone(bench: Bench, tmp_path: Path) -> None:
    baseline = release(tmp_path, "pubmed24n0001", citation(1, "Asthma."), citation(2, "Gout."))
    update = release(tmp_path, "pubmed24n1300", deleted=(1, 7))
    bench.run(baseline)
    counts = bench.run(update)
    assert counts.deleted == 2 and counts.new == 0
    assert bench.query("SELECT document_id FROM mentions") == [("pubmed:2",)]
    assert bench.query("SELECT document_id FROM document_annotations") == [("pubmed:2",)]
    tombstones = "SELECT native_id, text FROM documents WHERE is_deleted ORDER BY ALL"
    assert bench.query(tombstones) == [("1", ""), ("7", "")]


def test_document_that_fails_is_a_reject_and_counts_as_done(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today", b="unreadable words")
    bench.run(source)
    rejects = "SELECT ordinal, stage, document_id FROM rejects"
    assert bench.query(rejects) == [(1, "annotate", "notes:b")]
    assert bench.query("SELECT status FROM document_annotations ORDER BY document_id") == [
        ("done",),
        ("rejected",),
    ]
    assert bench.run(source).skipped == 2
    assert bench.query("SELECT count(*) FROM shards") == [(1,)]


def test_rejects_are_tried_again_only_when_asked(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today", b="unreadable words")
    bench.run(source)
    counts = bench.run(source, retry_rejects=True)
    assert (counts.skipped, counts.replaced) == (1, 1)
    assert bench.query("SELECT count(*) FROM rejects") == [(1,)]
    notes(a="asthma today", b="rash today")
    bench.run(source)
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]
    assert ("notes:b", "rash") in bench.query(MENTIONS)


def test_unreadable_record_is_one_reject_of_the_first_run(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "x.jsonl"
    source.write_text('{"id": "a", "text": "asthma today"}\n{"id": "b", "text":\n')
    assert bench.run(source).rejected == 1
    first = bench.query("SELECT path, ordinal, stage, run_id FROM rejects")
    source.write_text('{"id": "a", "text": "asthma now"}\n{"id": "b", "text":\n')
    bench.run(source)
    assert bench.query("SELECT path, ordinal, stage, run_id FROM rejects") == first
    source.write_text('{"id": "a", "text": "asthma now"}\n{"id": "b", "text": "gout"}\n')
    bench.run(source)
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]


def test_reject_of_a_document_follows_its_record(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "x.jsonl"
    bad = '{"id": "b", "text": "unreadable words"}\n'
    source.write_text('{"id": "a", "text": "asthma"}\n' + bad)
    bench.run(source)
    source.write_text('{"id": "a", "text": "asthma"}\n{"id": "c", "text":\n' + bad)
    assert bench.run(source).rejected == 1
    rejects = "SELECT ordinal, stage, document_id FROM rejects ORDER BY ALL"
    assert bench.query(rejects) == [(1, "read", None), (2, "annotate", "x:b")]
