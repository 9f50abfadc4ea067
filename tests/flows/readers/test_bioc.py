from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.errors import SourceError
from flows.readers.bioc import BIOC, read_gold
from flows.readers.gold import GoldMention
from flows.readers.record import BadRecord, Document, Record, SectionSpan

Read = Callable[..., list[Record]]

XML = """<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM 'BioC.dtd'>
<collection><source>Invented</source><date/><key>k</key>
<document><id>11</id><infon key="licence">none</infon>
<passage><infon key="type">title</infon><infon key="year">2019</infon>
<infon key="journal">J Inv</infon><offset>0</offset><text>Aspirin &amp; asthma.</text>
<annotation id="0"><infon key="type">Chemical</infon><infon key="MESH">D001241</infon>
<location offset="0" length="7"/><text>Aspirin</text></annotation></passage>
<passage><infon key="type">abstract</infon><offset>18</offset>
<text>Early and late gout.
Fin.</text>
<annotation id="1"><infon key="type">Disease</infon>
<infon key="identifier">D006073|OMIM:138900</infon><infon key="identifier2">x</infon>
<location offset="18" length="5"/><location offset="33" length="4"/><text>Early gout</text>
</annotation>
<annotation id="2"><infon key="type">MeSH_Indexing</infon><text>Gout</text></annotation>
<relation id="R"><infon key="relation">CID</infon></relation></passage></document>
<document><id>12</id><passage><offset>0</offset>
<sentence><offset>0</offset><text>One cough.</text>
<annotation id="0"><infon key="type">Disease</infon><location offset="4" length="5"/>
<text>cough</text></annotation></sentence>
<sentence><offset>11</offset><text>Two.</text></sentence></passage></document></collection>"""


def passage(
    offset: object, text: object, *annotations: dict[str, Any], **infons: Any
) -> dict[str, Any]:
    return {
        "offset": offset,
        "text": text,
        "infons": infons,
        "annotations": list(annotations),
        "sentences": [],
    }


def annotation(label: str, text: str, *locations: tuple[int, int], **infons: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "text": text,
        "infons": {"type": label, **infons},
        "locations": [{"offset": offset, "length": length} for offset, length in locations],
    }


def document(native_id: str, *passages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": native_id, "infons": {}, "passages": list(passages), **more}


GOUT = document("1", passage(0, "Gout.", annotation("Disease", "Gout", (0, 4)), type="title"))
COUGH = document("2", passage(0, "A cough.", annotation("Disease", "cough", (2, 5))))


def write(path: Path, *values: Any, between: str = "\n") -> Path:
    path.write_text(between.join(json.dumps(value) for value in values), encoding="utf-8")
    return path


def gold_of(path: Path) -> list[tuple[str, str, tuple[GoldMention, ...]]]:
    return [(d.native_id, d.text, d.mentions) for d in read_gold(path)]


def test_passages_are_joined_by_a_space(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "set.xml"
    path.write_text(XML)
    assert read(path) == [
        Document(
            "11",
            "Aspirin & asthma. Early and late gout.\nFin.",
            "abstract",
            "Aspirin & asthma.",
            document_date=date(2019, 1, 1),
            metadata={"journal": "J Inv", "licence": "none"},
        ),
        Document("12", "One cough. Two.", "abstract"),
    ]


def test_gold_mentions_and_ids(tmp_path: Path) -> None:
    path = tmp_path / "set.xml"
    path.write_text(XML)
    first, second = read_gold(path)
    assert first.mentions == (
        GoldMention(0, 7, "Aspirin", "Chemical", ("MESH:D001241",)),
        GoldMention(18, 37, "Early gout", "Disease", ("MESH:D006073", "OMIM:138900")),
    )
    assert second.mentions == (GoldMention(4, 9, "cough", "Disease"),)


def test_ids_without_a_prefix_get_that_of_their_infon(tmp_path: Path) -> None:
    infons = {"NCBI Gene": "672", "OMIM": "113705", "identifier": 7, "note": "-"}
    raw = document("1", passage(0, "BRCA1", annotation("Gene", "BRCA1", (0, 5), **infons)))
    ((_, _, (mention,)),) = gold_of(write(tmp_path / "a.json", raw))
    assert mention.concept_ids == ("NCBIGene:672", "OMIM:113705", "7")


@pytest.mark.parametrize(
    "values",
    [
        [GOUT, COUGH],
        [[GOUT, COUGH]],
        [{"source": "x", "infons": {}, "documents": [GOUT, COUGH]}],
        [{"PubTator3": [GOUT, COUGH]}],
        [[{"documents": [GOUT], "source": "x"}, {"documents": [COUGH]}]],
        [{"documents": []}, GOUT, [COUGH]],
    ],
)
@pytest.mark.parametrize("between", ["\n", "", " \n\n "])
def test_every_wrapping_of_json_documents(
    tmp_path: Path, read: Read, values: list[Any], between: str
) -> None:
    path = write(tmp_path / "set.json", *values, between=between)
    assert [(d.native_id, d.text) for d in read(path) if isinstance(d, Document)] == [
        ("1", "Gout."),
        ("2", "A cough."),
    ]
    assert [len(mentions) for _, _, mentions in gold_of(path)] == [1, 1]


@pytest.mark.parametrize(
    ("second", "text"),
    [(5, "Gout.Two."), (6, "Gout. Two."), (400, "Gout. Two."), (0, "Gout. Two.")],
)
def test_offsets_decide_about_the_gap_and_mentions_keep_their_place(
    tmp_path: Path, second: int, text: str
) -> None:
    raw = document(
        "1",
        passage(0, "Gout."),
        passage(None, None, type="empty") | {"offset": 5},
        passage(second, "Two.", annotation("Number", "Two", (second, 3))),
    )
    ((_, found, (mention,)),) = gold_of(write(tmp_path / "a.json", raw))
    assert found == text
    assert found[mention.start_char : mention.end_char] == "Two"


@pytest.mark.parametrize("unit", ["characters", "utf-8", "utf-16-le"])
def test_units_of_offsets_are_told_by_the_words(tmp_path: Path, unit: str) -> None:
    def length(text: str) -> int:
        if unit == "characters":
            return len(text)
        return len(text.encode(unit)) // (2 if unit == "utf-16-le" else 1)

    title, abstract = "β-carotene 𝛼 and gout.", "Sjögren's 𝛽 then cough."
    passages, offset = [], 0
    for text, word in ((title, "gout"), (abstract, "cough")):
        at = offset + length(text[: text.index(word)])
        passages.append(passage(offset, text, annotation("Disease", word, (at, length(word)))))
        offset += length(text) + 1
    raw = document("1", *passages)
    ((_, text, mentions),) = gold_of(write(tmp_path / "a.json", raw))
    assert text == f"{title} {abstract}"
    assert [text[m.start_char : m.end_char] for m in mentions] == ["gout", "cough"]


def test_annotations_of_the_document(tmp_path: Path) -> None:
    raw = document(
        "1",
        passage(0, "Gout."),
        passage(6, "Cough."),
        annotations=[annotation("Disease", "Cough", (6, 5))],
    )
    ((_, _, (mention,)),) = gold_of(write(tmp_path / "a.json", raw))
    assert (mention.start_char, mention.end_char) == (6, 11)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (
            document("7777", passage(0, "Zebrafinch.", annotation("D", "Finch", (0, 5)))),
            "the words of 1 of its 1 annotations are not those at their offsets",
        ),
        (document("7777", passage(0, "Gout.", annotation("D", "Gout", (0, 99)))), "the words of 1"),
        (document("7777", passage(0, "Gout.", annotation("D", "", (2, 0)))), "the words of 1"),
        (document("7777", passage(9, "Gout.", annotation("D", "Gout", (0, 4)))), "the words of 1"),
        (document("7777", passage(0, "Gout.", annotation("", "Gout", (0, 4)))), "named type"),
        (document("7777", passage(0, "", annotation("D", "Gout", (0, 4)))), "no text"),
    ],
)
def test_gold_must_agree_with_its_text_and_reading_does_not_ask(
    tmp_path: Path, read: Read, raw: dict[str, Any], problem: str
) -> None:
    path = write(tmp_path / "a.json", GOUT, raw)
    with pytest.raises(SourceError, match=f"a.json, document 2: .*{problem}") as caught:
        list(read_gold(path))
    assert not any(word in str(caught.value) for word in ("Zebrafinch", "Finch", "7777"))
    if problem != "no text":
        assert isinstance(read(path)[1], Document)


def test_a_mention_without_words_or_wrapped_is_taken(tmp_path: Path) -> None:
    raw = document(
        "1",
        passage(
            0, "Late gout.", annotation("D", "", (0, 4)), annotation("D", "Late\n gout", (0, 9))
        ),
    )
    ((_, _, mentions),) = gold_of(write(tmp_path / "a.json", raw))
    assert mentions == (GoldMention(0, 4, "Late", "D"), GoldMention(0, 9, "Late\n gout", "D"))


def test_bad_documents_spoil_only_themselves(tmp_path: Path, read: Read) -> None:
    path = write(
        tmp_path / "set.json",
        GOUT,
        {"id": "3", "passages": "none"},
        {"id": "4"},
        document("5", passage("x", "Text.")),
        document("6", passage(0, 7)),
        document("7", {"offset": 0, "sentences": ["x"]}),
        document("8"),
        document("", passage(0, "Text.")),
        document("9", passage(0, "a\0b")),
        COUGH,
    )
    assert [r.reason if isinstance(r, BadRecord) else r.native_id for r in read(path)] == [
        "1",
        "a document has no passages",
        "a document has no passages",
        "offset is missing or no whole number",
        "a passage's text is no string",
        "sentences is no list of objects",
        "text is empty",
        "id is empty",
        "text holds NUL characters",
        "2",
    ]


def test_sections_and_metadata_of_full_text(tmp_path: Path, read: Read) -> None:
    raw = document(
        "PMC1",
        passage(0, "T.", section_type="TITLE", type="front", year="2011", journal="J"),
        passage(3, "A.", section_type="ABSTRACT", type="abstract"),
        passage(6, "Aim", section_type="INTRO", type="title_1"),
        passage(10, "Why.", section_type="INTRO", type="paragraph"),
        passage(15, "Ref.", section_type="REF", type="ref"),
        pmid=5,
        date="2012-03-04T00:00:00Z",
    )
    assert read(write(tmp_path / "a.json", raw)) == [
        Document(
            "PMC1",
            "T. A. Aim Why. Ref.",
            "article",
            "T.",
            (
                SectionSpan("abstract", 3, 5),
                SectionSpan("introduction", 6, 14),
                SectionSpan("references", 15, 19),
            ),
            document_date=date(2012, 3, 4),
            metadata={"pmid": 5, "journal": "J"},
        )
    ]


def test_documents_longer_than_what_is_read_at_once(tmp_path: Path, read: Read) -> None:
    long = ["word " * 120_000 + f"end{number}" for number in range(3)]
    documents = [document(str(n), passage(0, text)) for n, text in enumerate(long)]
    path = write(tmp_path / "set.json", {"documents": documents})
    assert [r.text for r in read(path) if isinstance(r, Document)] == long


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"passages": [}', r"set\.json is not well-formed JSON near line 1"),
        (b'{"passages": []}\n{"id": "1", "passages": [{"offset"', "near line 2"),
        (b'{"passages": []}\n\n, {}', "near line 3"),
        (b'{"passages": []' + b" " * 300_000 + b'"id": 1}', "near line 1"),
        (b'{"passages": [' + b"[" * 100_000, "near line 1"),
        (b'{"passages": [], "id": "caf\xe9"}', r"set\.json is not valid UTF-8"),
    ],
)
def test_damaged_json(tmp_path: Path, read: Read, content: bytes, problem: str) -> None:
    path = tmp_path / "set.json"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=problem):
        read(path)


def test_a_file_without_documents(tmp_path: Path, read: Read) -> None:
    path = write(tmp_path / "set.json", {"documents": []})
    with pytest.raises(SourceError, match="holds no BioC document"):
        read(path, format="bioc")


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (XML.encode(), True),
        (b"\xef\xbb\xbf" + json.dumps([GOUT]).encode(), True),
        (b"<collection><record/></collection>", False),
        (b'{"text": "passages"}', False),
        (b"1|t|Title.", False),
        (b"", False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:
    assert BIOC.sniff(head) is known
