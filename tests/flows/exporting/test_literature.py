"""PubTator and BioC: read back by our readers and by the package ``bioc``, with equal offsets."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from bioc import biocjson, biocxml, pubtator
from hypothesis import given
from hypothesis import strategies as st

from flows.exporting.bioc import Bioc, as_json
from flows.exporting.choices import BiocFile
from flows.exporting.documents import ExportDocument, ExportMention
from flows.exporting.passages import passages_of
from flows.exporting.pubtator import Pubtator, lines_of
from flows.readers import READERS
from flows.readers.base import SourceFile
from flows.readers.bioc import read_gold as read_bioc
from flows.readers.gold import GoldMention
from flows.readers.pubtator import read_gold as read_pubtator
from flows.readers.record import Document
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench
from tests.flows.exporting.conftest import ABSTRACT, NOTE_1, Export


def mention(start: int, end: int, mention_id: int = 0) -> ExportMention:
    return ExportMention(
        mention_id, start, end, None, "Disease", 0.5, "m", "x", *[None] * 5, "MESH:D1", "One"
    )


def document(
    text: str, title: str | None, mentions: tuple[ExportMention, ...] = (), **more: object
) -> ExportDocument:
    given = {"kind": "abstract", "sections": ()} | more
    return ExportDocument(
        "c:1", "c", "1", str(given["kind"]), title, text, date(2024, 1, 2), None, None, None, "a",
        None, mentions, given["sections"],  # type: ignore[arg-type]
    )  # fmt: skip


def gold(filled: Bench, document_id: str) -> list[tuple[int, int, str, tuple[str, ...]]]:
    return [
        (start, end, label, (concept,))
        for start, end, label, concept in filled.query(
            "SELECT start_char, end_char, label, concept_id FROM entities "
            f"WHERE document_id = '{document_id}' ORDER BY start_char"
        )
    ]  # type: ignore[misc]


def as_rows(mentions: tuple[GoldMention, ...]) -> list[tuple[int, int, str, tuple[str, ...]]]:
    return [(m.start_char, m.end_char, m.label, m.concept_ids) for m in mentions]


def test_pubtator_is_read_back_by_our_reader(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    outcome = run_export(Pubtator())
    assert {file.name: file.rows for file in outcome.files} == {
        "abstracts.pubtator": 1,
        "notes.pubtator": 2,
    }
    assert outcome.counts["documents without text"] == 1
    (abstract,) = read_pubtator(tmp_path / "out" / "abstracts.pubtator")
    assert abstract.text == " ".join(ABSTRACT)
    assert as_rows(abstract.mentions) == gold(filled, "abstracts:77")
    for found in abstract.mentions:
        assert abstract.text[found.start_char : found.end_char] == found.mention_text
    first, second = read_pubtator(tmp_path / "out" / "notes.pubtator")
    assert first.text == NOTE_1.replace("\r", " ").replace("\n", " ").replace("\t", " ")
    assert as_rows(first.mentions) == gold(filled, "notes:11")
    assert as_rows(second.mentions) == gold(filled, "notes:12")


def test_pubtator_is_read_by_another_program(run_export: Export, tmp_path: Path) -> None:
    run_export(Pubtator())
    for path in (tmp_path / "out").glob("*.pubtator"):
        for found in pubtator.loads(path.read_text("utf-8")):
            text = f"{found.title} {found.abstract}"
            assert found.annotations
            for annotation in found.annotations:
                assert text[annotation.start : annotation.end] == annotation.text


# What pubtator readers cannot tell: a text that begins or ends with white space is stripped.
TEXTS = st.text("ab é𝛼\n\r\t|\u2028\x0c\x85", min_size=1).map(str.strip).filter(bool)


@given(TEXTS, st.integers(0, 20), st.data())
def test_pubtator_keeps_every_offset(text: str, cut: int, data: st.DataObject) -> None:
    title = text[:cut] if data.draw(st.booleans()) else None
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    lines = "".join(lines_of(document(text, title, (mention(start, end),))))
    path = io.StringIO(lines)
    title_line, abstract_line, row, blank = path.read().split("\n")[:4]
    assert not blank
    joined = title_line.removeprefix("1|t|")
    if abstract := abstract_line.removeprefix("1|a|"):
        joined += " " + abstract
    assert len(joined.ljust(len(text))) == len(text)
    flat = [" " if c.isspace() else c for c in text]
    assert [" " if c.isspace() else c for c in joined] == flat[: len(joined)]
    fields = row.split("\t")
    assert len(fields) == 6
    assert (int(fields[1]), int(fields[2])) == (start, end)
    assert len(fields[3]) == end - start


@pytest.mark.parametrize(
    ("text", "title", "lines"),
    [
        ("\n\nFever.\nNo rash.", None, ("  Fever.", "No rash.")),
        (" \nFever.\nNo rash.", None, ("  Fever.", "No rash.")),
        (" \nFever.", " ", ("  Fever.", "")),
        ("Fever.\nNo rash.", None, ("Fever.", "No rash.")),
    ],
)
def test_the_title_of_pubtator_is_never_blank(
    text: str, title: str | None, lines: tuple[str, str]
) -> None:
    first, second, *_ = lines_of(document(text, title))
    assert (first, second) == (f"1|t|{lines[0]}\n", f"1|a|{lines[1]}\n")


@pytest.mark.parametrize("form", list(BiocFile))
def test_bioc_is_read_back_by_our_reader(
    filled: Bench, run_export: Export, tmp_path: Path, form: BiocFile
) -> None:
    run_export(Bioc((form,)))
    path = tmp_path / "out" / f"notes.bioc.{form}"
    first, second = read_bioc(path)
    assert first.text == NOTE_1  # line ends and tabs too
    assert as_rows(first.mentions) == gold(filled, "notes:11")
    assert as_rows(second.mentions) == gold(filled, "notes:12")
    records = list(READERS["bioc"].read(SourceFile(path, "bioc", "x")))
    assert isinstance(records[0], Document)
    assert [(s.name, s.start_char, s.end_char) for s in records[0].sections] == [
        (name, start, end)
        for name, start, end in filled.query(
            "SELECT name, start_char, end_char FROM sections WHERE document_id = 'notes:11' "
            "ORDER BY start_char"
        )
    ]
    (abstract,) = read_bioc(tmp_path / "out" / f"abstracts.bioc.{form}")
    assert abstract.text == " ".join(ABSTRACT)
    assert as_rows(abstract.mentions) == gold(filled, "abstracts:77")


def test_bioc_is_valid_for_another_program(run_export: Export, tmp_path: Path) -> None:
    run_export(Bioc(tuple(BiocFile)))
    out = tmp_path / "out"
    for corpus in ("notes", "abstracts"):
        with (out / f"{corpus}.bioc.xml").open(encoding="utf-8") as file:
            xml = biocxml.load(file)
        with (out / f"{corpus}.bioc.json").open(encoding="utf-8") as file:
            json = biocjson.load(file)
        from bioc.validator import validate

        for collection in (xml, json):
            validate(collection, onerror=_fail)
        for one, other in zip(xml.documents, json.documents, strict=True):
            assert one.id == other.id
            assert [p.text for p in one.passages] == [p.text for p in other.passages]
            for passage in one.passages:
                for annotation in passage.annotations:
                    (at,) = annotation.locations
                    start = at.offset - passage.offset
                    assert passage.text[start : start + at.length] == annotation.text
                    assert not one.relations
    assert [p.infons["type"] for p in xml.documents[0].passages] == ["title", "abstract"]


def _fail(problem: str, tree: object) -> None:
    raise AssertionError(problem)


def test_bioc_tells_assertions_only_where_assessed(run_export: Export, tmp_path: Path) -> None:
    run_export(Bioc((BiocFile.json,)))
    with (tmp_path / "out" / "notes.bioc.json").open(encoding="utf-8") as file:
        first, second = biocjson.load(file).documents
    infons = {a.text.lower(): a.infons for p in first.passages for a in p.annotations}
    assert infons["fever"]["negated"] == "true"
    assert infons["diabetes"]["experiencer"] == "family"
    (unassessed,) = [a.infons for p in second.passages for a in p.annotations]
    assert "negated" not in unassessed


def test_characters_that_xml_has_not_become_blanks(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute(
            "UPDATE documents SET text = replace(text, 'all night', chr(12) || chr(1) || 'l night')"
        )
    run_export(Bioc())
    _, second = read_bioc(tmp_path / "out" / "notes.bioc.xml")
    assert second.text == "Fever   l night.\nSodium was normal."


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=4)


@given(st.text("ab \n.é", min_size=1, max_size=30), SPANS, SPANS, st.integers(0, 30))
def test_passages_hold_the_text_and_every_mention(
    text: str, mentions: list[tuple[int, int]], sections: list[tuple[int, int]], cut: int
) -> None:
    def inside(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        cut_off = ((s, min(s + n, len(text))) for s, n in spans)
        return sorted({(s, e) for s, e in cut_off if s < e and not text[s].isspace()})

    found = tuple(mention(s, e, i) for i, (s, e) in enumerate(inside(mentions)))
    named = tuple((s, e, f"s{s}") for s, e in inside(sections))
    given_title = text[:cut] if text[:cut].strip() else None
    told = document(text, given_title, found, sections=named)
    passages = passages_of(told)
    pieces = [text[p.start_char : p.end_char] for p in passages]
    assert "".join(pieces) in (text, text[:cut] + text[cut + 1 :])
    for m in found:
        assert any(p.start_char <= m.start_char and m.end_char <= p.end_char for p in passages)
    written = as_json(told)
    assert sum(len(p["annotations"]) for p in written["passages"]) == len(found)
    for passage in written["passages"]:
        for annotation in passage["annotations"]:
            (at,) = annotation["locations"]
            start = at["offset"] - passage["offset"]
            assert start >= 0
            assert passage["text"][start : start + at["length"]] == annotation["text"]
