"""Files that cannot be read as a whole: one reject each, nothing of them taken, all else done."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.errors import SourceError
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.runs import contents
from tests.flows.test_ledger import citation, release

Notes = Callable[..., Path]

REJECTS = "SELECT ordinal, stage, reason FROM rejects ORDER BY ALL"
IDS = "SELECT document_id FROM documents ORDER BY ALL"


def lines(count: int) -> bytes:
    """JSON lines that compress badly, more than one frame of them."""
    records = ({"id": str(n), "text": f"asthma {os.urandom(8).hex()}"} for n in range(count))
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def cut_gzip(path: Path, count: int = 12_000) -> Path:
    """A gzip file of which the end is missing; two frames of it can be read."""
    whole = gzip.compress(lines(count), mtime=0)
    path.write_bytes(whole[: len(whole) * 95 // 100])
    return path


def test_nothing_of_a_file_is_taken_that_breaks_after_frames_were_judged(
    bench: Bench, notes: Notes, tmp_path: Path
) -> None:
    cut = cut_gzip(tmp_path / "big.jsonl.gz")
    counts = bench.run(notes(a="asthma today"), cut, notes("z", b="gout today"), corpus="c")
    assert (counts.read, counts.new, counts.rejected) == (3, 2, 1)
    assert bench.query(IDS) == [("c:a",), ("c:b",)]
    assert bench.query(REJECTS) == [(-1, "read", "the file ends too early")]
    assert bench.query("SELECT status FROM sources ORDER BY source_number") == [
        ("done",),
        ("partial",),
        ("done",),
    ]


def test_the_reject_is_of_the_run_that_met_it_first(
    bench: Bench, notes: Notes, tmp_path: Path
) -> None:
    sources = (notes(a="asthma today"), cut_gzip(tmp_path / "big.jsonl.gz"))
    bench.run(*sources)
    first = bench.query("SELECT run_id FROM rejects")
    assert bench.run(*sources).rejected == 1
    assert bench.query("SELECT run_id FROM rejects") == first


def test_a_mended_file_is_read_and_its_reject_goes(
    bench: Bench, notes: Notes, tmp_path: Path
) -> None:
    good, cut = notes(a="asthma today"), cut_gzip(tmp_path / "big.jsonl.gz", 6_000)
    bench.run(good, cut)
    cut.write_bytes(gzip.compress(lines(3), mtime=0))
    counts = bench.run(good, cut)
    assert (counts.new, counts.skipped, counts.rejected) == (3, 1, 0)
    assert bench.query(REJECTS) == []


def test_a_file_that_can_no_longer_be_read_loses_neither_documents_nor_rejects(
    bench: Bench, notes: Notes, tmp_path: Path
) -> None:
    source = tmp_path / "x.jsonl"
    write_jsonl(source, {"id": "a", "text": "asthma today"}, {"id": "b", "text": ""})
    bench.run(source)
    was = source.read_bytes()
    first = bench.query("SELECT run_id FROM rejects")
    other = notes(z="gout today")
    source.unlink()
    source.symlink_to(tmp_path / "gone")
    counts = bench.run(tmp_path, corpus="x")
    assert (counts.read, counts.new, counts.rejected) == (2, 1, 1)
    assert bench.query("SELECT native_id FROM documents ORDER BY 1") == [("a",), ("z",)]
    assert [ordinal for ordinal, *_ in bench.query(REJECTS)] == [-1, 1]
    source.unlink()
    source.write_bytes(was)
    counts = bench.run(source, other, corpus="x")
    assert (counts.read, counts.skipped, counts.rejected) == (3, 2, 1)
    assert bench.query("SELECT run_id FROM rejects") == first


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "a.csv.gz",
            gzip.compress(b"id,text\n1,asthma\n", mtime=0)[:-9],
            "the file ends too early",
        ),
        ("a.csv", b"id,age\n1,71\n", "the file has no column known to hold the text"),
        ("a.parquet", b"PAR1 and no more", "the file is not a readable Parquet file"),
        ("a.xml", b"", "the file is empty"),
        ("a.jsonl", "{}\n".encode("utf-16"), "the file is UTF-16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_head_of_a_file_shows_keeps_no_other_from_being_read(
    bench: Bench, notes: Notes, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    notes(a="asthma today")
    assert bench.run(tmp_path).new == 1
    assert bench.query(REJECTS) == [(-1, "read", reason)]


def test_table_without_the_expected_columns_is_named_without_them(
    bench: Bench, notes: Notes, tmp_path: Path
) -> None:
    pl.DataFrame({"id": ["1"], "Mr Miller": [1]}).write_parquet(tmp_path / "a.parquet")
    bench.run(notes(a="asthma today"), tmp_path / "a.parquet")
    assert bench.query(REJECTS) == [(-1, "read", "the file has no column known to hold the text")]


def test_where_no_source_can_be_read_nothing_is_written(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,age\n1,71\n")
    (tmp_path / "b.xml").write_text("")
    with pytest.raises(SourceError, match=r"a\.csv has no column"):
        bench.run(tmp_path)
    assert not bench.warehouse.exists()


def test_limit_counts_a_bad_file_as_one_record(bench: Bench, notes: Notes, tmp_path: Path) -> None:
    cut = cut_gzip(tmp_path / "big.jsonl.gz")
    counts = bench.run(cut, notes(a="asthma today", b="gout today"), limit=20_000)
    assert (counts.read, counts.new, counts.rejected) == (3, 2, 1)


def test_what_no_reader_foresees_is_the_fault_of_its_file(
    bench: Bench, notes: Notes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError("text of a patient")

    monkeypatch.setattr("flows.readers.pubmed._document", break_down)
    bench.run(notes(a="asthma today"), release(tmp_path, "pubmed24n0001", citation(1, "Gout.")))
    ((_, _, reason),) = bench.query(REJECTS)
    assert str(reason).startswith("the file cannot be read: ZeroDivisionError at ")
    assert "patient" not in str(reason)


def test_a_file_that_breaks_within_a_slice_leaves_its_neighbours(
    bench: Bench, notes: Notes, tmp_path: Path
) -> None:
    """Records of several files share a slice: only those of the broken one are taken back."""
    broken = tmp_path / "pubmed24n0001.xml"
    broken.write_text(f"<PubmedArticleSet>{citation(1, 'Asthma.')}{citation(2, 'Gout.')}<Pubm")
    files = [notes(f"n{n}", **{f"d{n}": f"asthma {n}"}) for n in range(4)]
    counts = bench.run(*files[:2], broken, *files[2:], corpus="c")
    assert (counts.read, counts.new, counts.rejected) == (5, 4, 1)
    assert bench.query("SELECT count(*), count(DISTINCT document_id) FROM mentions") == [(4, 4)]


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.lists(
        st.dictionaries(st.sampled_from([1, 2, 3]), st.sampled_from(["A", "B"]), min_size=1),
        min_size=2,
        max_size=4,
    ),
    broken=st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=3),
)
def test_once_mended_the_tables_are_those_of_files_that_never_broke(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[dict[int, str]],
    broken: list[list[bool]],
) -> None:
    root = tmp_path_factory.mktemp("mended")
    folder = root / "in"
    folder.mkdir()
    whole = {}
    for number, texts in enumerate(files):
        path = folder / f"{number}.xml"
        citations = "".join(citation(pmid, f"{text} {pmid}.") for pmid, text in texts.items())
        whole[path] = f"<PubmedArticleSet>{citations}</PubmedArticleSet>"
    bench = Bench(root / "bench.duckdb")
    for step in broken:
        for (path, content), breaks in zip(whole.items(), step, strict=False):
            path.write_text(content[:-5] if breaks else content)
        bench.run(folder)
    for path, content in whole.items():
        path.write_text(content)
    bench.run(folder)
    straight = Bench(root / "straight.duckdb")
    straight.run(folder)
    for table in ("documents", "mentions", "document_annotations", "rejects"):
        assert contents(bench.warehouse)[table] == contents(straight.warehouse)[table]
