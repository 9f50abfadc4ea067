from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.readers.record import BadRecord, Document, Record

Read = Callable[..., list[Record]]

ARTICLE = """<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="case-report">
<front><journal-meta><journal-title-group><journal-title>J</journal-title></journal-title-group>
<issn>1-2</issn></journal-meta><article-meta>
{ids}<title-group><article-title>A <italic>rare</italic>
  case<xref ref-type="fn"><sup>a</sup></xref></article-title></title-group>
<pub-date pub-type="collection"><year>2011</year></pub-date>
<pub-date date-type="pub"><day>2</day><month>8</month><year>2011</year></pub-date>
<permissions><license xlink:href="http://l"/></permissions>
<abstract><title>Abstract</title><sec><title>Aim</title><p>Short.</p></sec></abstract>
<abstract abstract-type="graphical"><p>Picture.</p></abstract>
<kwd-group><kwd>k</kwd></kwd-group></article-meta></front>
<body><p>Before.</p>
<sec sec-type="materials|methods"><label>1</label><title>1. Patients</title>
<p>One<sup><xref ref-type="bibr">3</xref>,<xref ref-type="bibr">4</xref></sup> and
<xref ref-type="bibr">[5]</xref> m<sup>2</sup>
<disp-formula>x=1</disp-formula>go <inline-formula>y</inline-formula>on.
<fig><label>Figure 1</label><caption><title>Scan.</title><p>Left.</p></caption></fig>
after.</p>
<table-wrap><caption><p>Doses.</p></caption><table><tr><td>cell</td></tr></table></table-wrap>
<sec><title>Sub</title><list><list-item><label>*</label><p>Item one.</p></list-item>
<list-item><p>Item two.</p></list-item></list></sec></sec>
<sec><title/></sec>
<sec sec-type="intro"><title>Why</title><p>Because.</p></sec>
<sec><title>Acknowledgements</title><p>Thanks.</p></sec></body>
<back><ack><p>Thanks.</p></ack><ref-list><ref>R</ref></ref-list></back>
<floats-group><fig><caption><p>Late figure.</p></caption></fig></floats-group>
<sub-article><front-stub/><body><p>Reply.</p></body></sub-article></article>"""
IDS = (
    '<article-id pub-id-type="pmid">12</article-id><article-id pub-id-type="pmc">34</article-id>'
    '<article-id pub-id-type="doi">10.1/x</article-id>'
)


def test_blocks_sections_and_metadata(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "a.nxml"
    path.write_text(ARTICLE.format(ids=IDS))
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.text.split("\n") == [
        "A rare case",
        "Abstract",
        "Aim",
        "Short.",
        "Before.",
        "1. Patients",
        "One and [5] m2 go on.",
        "Scan.",
        "Left.",
        "after.",
        "Doses.",
        "Sub",
        "Item one.",
        "Item two.",
        "Why",
        "Because.",
        "Late figure.",
    ]
    spans = [(s.name, document.text[s.start_char : s.end_char]) for s in document.sections]
    assert [(name, text.split("\n")[0], text.split("\n")[-1]) for name, text in spans] == [
        ("abstract", "Abstract", "Short."),
        ("aim", "Aim", "Short."),
        ("methods", "1. Patients", "Item two."),
        ("sub", "Sub", "Item two."),
        ("introduction", "Why", "Because."),
        ("figures", "Late figure.", "Late figure."),
    ]
    assert document.native_id == "PMC34"
    assert document.title == "A rare case"
    assert document.document_date == date(2011, 8, 2)
    assert document.document_type == "case-report"
    assert document.metadata == {
        "pmid": "12",
        "pmc": "PMC34",
        "doi": "10.1/x",
        "journal": "J",
        "issn": "1-2",
        "keywords": ["k"],
        "license": "http://l",
    }


@pytest.mark.parametrize(
    ("ids", "native_id"),
    [
        ('<article-id pub-id-type="pmcid">PMC34</article-id>', "PMC34"),
        ('<article-id pub-id-type="pmid">12</article-id>', "12"),
        ('<article-id pub-id-type="doi">10.1/x</article-id>', "10.1/x"),
        ("", "paper.v1"),
    ],
)
def test_native_id(tmp_path: Path, read: Read, ids: str, native_id: str) -> None:
    path = tmp_path / "paper.v1.nxml"
    path.write_text(ARTICLE.format(ids=ids))
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.native_id == native_id


def test_article_set_with_a_default_namespace(tmp_path: Path, read: Read) -> None:
    articles = ARTICLE.format(ids=IDS) + ARTICLE.format(ids="") + "<article><front/></article>"
    path = tmp_path / "set.xml"
    path.write_text(f'<pmc-articleset xmlns="http://jats.nlm.nih.gov">{articles}</pmc-articleset>')
    first, second, third = read(path)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert (first.native_id, second.native_id) == ("PMC34", "set-1")
    assert first.text == second.text
    assert len(first.text) > 100
    assert third == BadRecord("article has no front matter")


def test_no_article(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "a.nxml"
    path.write_text("<book/>")
    with pytest.raises(SourceError, match="holds no article element"):
        read(path)


@pytest.mark.parametrize(
    ("name", "native_id", "top_level"),
    [
        (
            "1471-2180-11-174",
            "PMC3166277",
            ["abstract", "background", "results", "discussion", "conclusions"],
        ),
        (
            "pone.0046493",
            "PMC3460867",
            ["abstract", "introduction", "methods", "results", "discussion"],
        ),
    ],
)
def test_real_articles(
    data_dir: Path, read: Read, name: str, native_id: str, top_level: list[str]
) -> None:
    (document,) = read(data_dir / "citations" / f"{name}.nxml")
    assert isinstance(document, Document)
    assert document.native_id == native_id
    assert document.document_type == "research-article"
    assert document.text.startswith(f"{document.title}\n")
    outer, end = [], 0
    for section in document.sections:
        # Sections begin and end at blocks, and nest or follow one another, never cross.
        assert document.text[section.start_char - 1] == "\n"
        assert document.text[section.end_char : section.end_char + 1] in ("", "\n")
        if section.start_char >= end:
            outer.append(section.name)
            end = section.end_char
        assert section.end_char <= end
    assert outer[:5] == top_level
    assert "  " not in document.text
