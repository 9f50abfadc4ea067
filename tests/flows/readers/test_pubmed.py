from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.pubmed import release_number
from flows.readers.record import BadRecord, Deletion, Document, Record, SectionSpan

Read = Callable[..., list[Record]]


def citation(pmid: int, article: str, rest: str = "") -> str:
    return (
        f'<PubmedArticle><MedlineCitation><PMID Version="2">{pmid}</PMID>'
        f"<Article>{article}</Article>{rest}</MedlineCitation>"
        "<PubmedData><ArticleIdList><ArticleId IdType='doi'>10.1/x</ArticleId>"
        "<ArticleId IdType='pmc'>PMC7</ArticleId></ArticleIdList></PubmedData></PubmedArticle>"
    )


def write(path: Path, *citations: str, tail: str = "") -> Path:
    head = (
        '<?xml version="1.0"?>\n<!DOCTYPE PubmedArticleSet SYSTEM "http://nowhere.invalid/x.dtd">\n'
    )
    path.write_text(
        head + "<PubmedArticleSet>" + "\n".join(citations) + tail + "</PubmedArticleSet>"
    )
    return path


def test_structured_abstract_and_sections(tmp_path: Path, read: Read) -> None:
    article = """
      <Journal><ISSN>1-2</ISSN><JournalIssue><PubDate><Year>2001</Year><Season>Fall</Season>
      </PubDate></JournalIssue><Title>J  Test</Title></Journal>
      <ArticleTitle>[H<sub>2</sub>O in
         <i>E. coli</i>.]</ArticleTitle>
      <Abstract>
        <AbstractText Label="AIM(S):" NlmCategory="OBJECTIVE">To  <b>see</b>.</AbstractText>
        <AbstractText NlmCategory="METHODS">We saw.</AbstractText>
        <AbstractText Label="UNLABELLED" NlmCategory="UNASSIGNED">Odd.</AbstractText>
        <AbstractText Label="EMPTY"/>
        <AbstractText>End.</AbstractText>
        <CopyrightInformation>Ours</CopyrightInformation>
      </Abstract>
      <Language>eng</Language>
      <PublicationTypeList><PublicationType>Review</PublicationType>
      <PublicationType>Journal Article</PublicationType></PublicationTypeList>"""
    rest = """<DateRevised><Year>2010</Year><Month>02</Month><Day>03</Day></DateRevised>
      <MeshHeadingList><MeshHeading><DescriptorName UI="D1" MajorTopicYN="N">Water</DescriptorName>
      <QualifierName UI="Q1" MajorTopicYN="Y">analysis</QualifierName></MeshHeading>
      </MeshHeadingList>
      <OtherAbstract><AbstractText>Autre.</AbstractText></OtherAbstract>
      <KeywordList><Keyword>ice</Keyword></KeywordList>"""
    (document,) = read(write(tmp_path / "a.xml", citation(5, article, rest)))
    assert isinstance(document, Document)
    assert document.native_id == "5"
    assert document.title == "[H2O in E. coli.]"
    assert document.text == ("[H2O in E. coli.] AIM(S): To see. We saw. UNLABELLED: Odd. End.")
    assert [(s.name, document.text[s.start_char : s.end_char]) for s in document.sections] == [
        ("aims", "AIM(S): To see."),
        ("methods", "We saw."),
    ]
    assert document.document_date == date(2001, 10, 1)
    assert document.document_type == "Review"
    assert document.metadata == {
        "pmid_version": 2,
        "journal": "J Test",
        "issn": "1-2",
        "doi": "10.1/x",
        "pmc": "PMC7",
        "publication_types": ["Review", "Journal Article"],
        "mesh_headings": [
            {
                "ui": "D1",
                "name": "Water",
                "major": False,
                "qualifiers": [{"ui": "Q1", "name": "analysis", "major": True}],
            }
        ],
        "keywords": ["ice"],
        "language": ["eng"],
        "date_revised": "2010-02-03",
    }


def test_missing_parts(tmp_path: Path, read: Read) -> None:
    abstract = "<Abstract><AbstractText Label='X'>Only.</AbstractText></Abstract>"
    path = write(
        tmp_path / "a.xml",
        citation(1, "<ArticleTitle>Only a title.</ArticleTitle>"),
        citation(2, "<ArticleTitle/>" + abstract),
        citation(3, "<ArticleTitle> </ArticleTitle>"),
        "<PubmedArticle/>",
        "<PubmedArticle><MedlineCitation><Article/></MedlineCitation></PubmedArticle>",
        tail="<DeleteCitation><PMID>8</PMID><PMID>9</PMID></DeleteCitation>",
    )
    first, second, *others = read(path)
    assert isinstance(first, Document)
    assert (first.text, first.sections) == ("Only a title.", ())
    assert isinstance(second, Document)
    assert second.text == "X: Only."
    assert second.sections == (SectionSpan("x", 0, 8),)
    assert second.title is None
    assert others == [
        BadRecord("citation has no title and no abstract"),
        BadRecord("citation has no article"),
        BadRecord("citation has no PMID"),
        Deletion("8", "abstract"),
        Deletion("9", "abstract"),
    ]


def test_book_chapter(tmp_path: Path, read: Read) -> None:
    book = """<PubmedBookArticle><BookDocument><PMID Version="1">20301295</PMID>
      <Book><BookTitle>GeneReviews</BookTitle><PubDate><Year>1993</Year></PubDate></Book>
      <ArticleTitle>Some Syndrome</ArticleTitle><Language>eng</Language>
      <PublicationType>Review</PublicationType>
      <Abstract><AbstractText>Rare.</AbstractText></Abstract></BookDocument></PubmedBookArticle>"""
    (document,) = read(write(tmp_path / "a.xml", book))
    assert isinstance(document, Document)
    assert document.text == "Some Syndrome Rare."
    assert document.document_date == date(1993, 1, 1)
    assert document.metadata["book"] == "GeneReviews"
    assert document.document_type == "Review"


def test_electronic_date_comes_first(tmp_path: Path, read: Read) -> None:
    article = """<Journal><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate>
      </PubDate></JournalIssue></Journal><ArticleTitle>T</ArticleTitle>"""
    electronic = "<ArticleDate><Year>1998</Year><Month>11</Month><Day>30</Day></ArticleDate>"
    records = read(
        write(tmp_path / "a.xml", citation(1, article), citation(2, article + electronic))
    )
    assert [r.document_date for r in records if isinstance(r, Document)] == [
        date(1998, 12, 1),
        date(1998, 11, 30),
    ]


def test_html_entities_without_a_dtd_are_resolved(tmp_path: Path, read: Read) -> None:
    title = "<ArticleTitle>TNF-&alpha; <!-- no --> &lt; IL<?pi?>-1&#946;</ArticleTitle>"
    (document,) = read(write(tmp_path / "a.xml", citation(1, title)))
    assert isinstance(document, Document)
    assert document.text == "TNF-α < IL-1β"


@pytest.mark.parametrize(
    "declarations",
    [
        '<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">',
        '<!ENTITY c SYSTEM "secret.txt">',
        '<!ENTITY % p SYSTEM "secret.txt"> %p; <!ENTITY c "x">',
    ],
)
def test_entities_are_refused(tmp_path: Path, read: Read, declarations: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    path = tmp_path / "a.xml"
    path.write_text(
        f"<!DOCTYPE PubmedArticleSet [{declarations}]><PubmedArticleSet>"
        + citation(1, "<ArticleTitle>&c;</ArticleTitle>")
        + "</PubmedArticleSet>"
    )
    with pytest.raises(SourceError, match=r"a\.xml declares XML entities"):
        read(path)


def test_a_dtd_beside_the_file_is_not_read(tmp_path: Path, read: Read) -> None:
    (tmp_path / "x.dtd").write_text('<!ENTITY c "from the DTD">')
    path = tmp_path / "a.xml"
    path.write_text(
        f'<!DOCTYPE PubmedArticleSet SYSTEM "{tmp_path}/x.dtd"><PubmedArticleSet>'
        + citation(1, "<ArticleTitle>T &c;</ArticleTitle>")
        + "</PubmedArticleSet>"
    )
    (document,) = read(path)
    assert isinstance(document, Document)
    assert document.text == "T &c;"


def test_malformed_xml_names_the_line_and_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    # Long enough that the parser hands out the first citations before it meets the flaw.
    good = "\n".join(citation(n, "<ArticleTitle>Title.</ArticleTitle>") for n in range(2000))
    path.write_text(f"<PubmedArticleSet>{good}\n<PubmedArticle></Wrong></PubmedArticleSet>")
    (file,) = discover([str(path)])
    seen = 0
    with pytest.raises(SourceError, match=r"a\.xml is not well-formed XML at line 2001"):
        for _ in READERS["pubmed"].read(file):
            seen += 1
    assert seen > 1000


def test_truncated_xml(tmp_path: Path, read: Read) -> None:
    path = write(tmp_path / "a.xml", citation(1, "<ArticleTitle>Title.</ArticleTitle>"))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match="not well-formed"):
        read(path)


def test_other_xml_under_a_forced_format(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<DescriptorRecordSet><x/></DescriptorRecordSet>")
    with pytest.raises(SourceError, match="holds no PubmedArticle"):
        read(path, format="pubmed")


def test_release_number() -> None:
    assert release_number(Path("x/pubmed24n0902.xml.gz")) == 240902
    assert release_number(Path("medline16n0902.xml")) == 160902
    assert release_number(Path("pubmed25n1274.xml.zst")) == 251274
    assert release_number(Path("pubmed24n0902.xml.gz.md5")) is None
    assert release_number(Path("my_pubmed24n0902.xml.gz")) is None


def test_real_update_file(data_dir: Path, read: Read) -> None:
    records = read(data_dir / "citations" / "medline16n0902.xml.gz")
    documents = [record for record in records if isinstance(record, Document)]
    assert len(documents) == 604
    assert [r for r in records if not isinstance(r, Document)] == [Deletion("26432306", "abstract")]
    assert all(document.document_date for document in documents)
    assert all(document.text.startswith(document.title or "?") for document in documents)
    first = documents[0]
    assert first.native_id == "17942999"
    assert first.document_date == date(2007, 1, 1)
    assert first.metadata["pmc"] == "PMC4380289"
    assert [section.name for section in first.sections] == [
        "purpose",
        "methods",
        "results",
        "conclusions",
    ]
    assert sum(len(document.sections) for document in documents) > 1000
    for document in documents:
        end = -1
        for section in document.sections:
            assert section.start_char > end
            end = section.end_char
            assert document.text[end : end + 1] in ("", " ")


def test_real_records_of_today(data_dir: Path, read: Read) -> None:
    (document,) = read(data_dir / "citations" / "pubmed-29768149.xml")
    assert isinstance(document, Document)
    assert document.document_date == date(2018, 5, 17)
    assert document.metadata["doi"] == "10.1056/NEJMoa1715274"
    spans = {s.name: document.text[s.start_char : s.end_char] for s in document.sections}
    assert list(spans) == ["background", "methods", "results", "conclusions"]
    assert spans["background"].startswith("BACKGROUND: In patients with mild asthma")
    assert len(read(data_dir / "citations" / "pubmed24_record.xml.gz")) == 4
