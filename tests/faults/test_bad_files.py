"""Files that are broken or hostile: each is one reject, opens nothing, and costs no other file."""

from __future__ import annotations

import gzip
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.incoming import read_rows
from flows.readers import READERS
from flows.readers.base import SourceFile
from tests.faults.scene import QUICK
from tests.flows.runs import assert_sound, charthouse, contents, query

SECRET = "Zebrafinchitis"
"""What a file outside the sources holds, and no table may."""


def citations(*pmids: int, prolog: str = "", text: str = "Asthma after aspirin.") -> str:
    """A PubMed file."""
    articles = "".join(
        f"<PubmedArticle><MedlineCitation><PMID Version='1'>{pmid}</PMID><Article>"
        f"<ArticleTitle>{text}</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
        for pmid in pmids
    )
    return f"<?xml version='1.0'?>{prolog}<PubmedArticleSet>{articles}</PubmedArticleSet>"


def doctype(*declarations: str) -> str:
    """A DOCTYPE with declarations of its own."""
    return f"<!DOCTYPE PubmedArticleSet [{' '.join(declarations)}]>"


def rows(first: int, count: int) -> bytes:
    """JSON lines."""
    records = ({"id": str(n), "text": f"Asthma {n}."} for n in range(first, first + count))
    return "".join(json.dumps(record) + "\n" for record in records).encode()


LAUGHS = [
    "<!ENTITY l0 'lol'>",
    *(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10)),
]


class _Counting(BaseHTTPRequestHandler):
    """Answers with the secret, and counts."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SECRET.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    """An HTTP server on loopback that keeps what it was asked for."""
    server = HTTPServer(("127.0.0.1", 0), _Counting)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Outcome:
    """A run over bad files among good ones."""

    home: Path
    prefect: str
    sources: Path
    warehouse: Path
    errors: str = ""


REFUSED = ("the file declares XML entities, which are refused", "the file is not well-formed XML")
"""libxml2 stops at entities that grow too much before we look at their declarations."""

WHOLE_FILES: dict[str, str | tuple[str, ...]] = {
    "cut.jsonl.gz": "the file ends too early",
    "cut.jsonl.zst": "the file ends too early",
    "altered.jsonl.gz": "the file is damaged",
    "page.jsonl.gz": "the file is a web page, not a compressed file",
    "cut.xml": "the file is not well-formed XML",
    "outside.xml": "the file declares XML entities, which are refused",
    "file.xml": "the file declares XML entities, which are refused",
    "parameter.xml": "the file declares XML entities, which are refused",
    "laughs.xml": REFUSED,
    "quadratic.xml": REFUSED,
    "nul.xml": "the file is not well-formed XML",
    "cut.json": "the file is not well-formed JSON",
    "columns.parquet": "the file has no column known to hold the text",
    "cut.parquet": "the file is not a readable Parquet file",
    "header.csv": "the file has no column known to hold the text",
    "twice.csv": "the file has two columns of one name",
}
"""Files of which nothing can be taken, and how their reason begins."""

RECORDS = {
    "quote.csv": [(1, "a quote is never closed, 2 lines to the end of the file are lost")],
    "stray.csv": [(1, "row breaks the rules of CSV quoting")],
    "line.jsonl": [(2, "line is not JSON")],
}
"""Files of which only some records are lost."""


def write_sources(folder: Path, secret: Path, address: str) -> None:
    """All bad files, and thirteen good ones between them."""
    compressed = gzip.compress(rows(0, 20_000), mtime=0)
    (folder / "cut.jsonl.gz").write_bytes(compressed[:-2_000])
    altered = bytearray(compressed)
    altered[-8:-4] = b"\0\0\0\0"  # the checksum at its end
    (folder / "altered.jsonl.gz").write_bytes(altered)
    (folder / "page.jsonl.gz").write_text("<!DOCTYPE html><html>404</html>")
    packed = zstandard.compress(rows(0, 20_000))
    (folder / "cut.jsonl.zst").write_bytes(packed[:-500])
    (folder / "cut.xml").write_text(citations(*range(900, 950))[:-200])
    outside = doctype(f"<!ENTITY e SYSTEM '{address}/entity'>")
    (folder / "outside.xml").write_text(citations(901, prolog=outside, text="&e; asthma"))
    local = doctype(f"<!ENTITY e SYSTEM '{secret.as_uri()}'>")
    (folder / "file.xml").write_text(citations(902, prolog=local, text="&e; asthma"))
    parameter = doctype(f"<!ENTITY % p SYSTEM '{address}/parameter'> %p;")
    (folder / "parameter.xml").write_text(citations(903, prolog=parameter))
    laughs = doctype(*LAUGHS)
    (folder / "laughs.xml").write_text(citations(904, prolog=laughs, text="&l9; asthma"))
    long = doctype(f"<!ENTITY a '{'a' * 10_000}'>")
    (folder / "quadratic.xml").write_text(citations(905, prolog=long, text="&a;" * 50_000))
    (folder / "nul.xml").write_text(citations(906, text="asthma &#0;"))
    (folder / "cut.json").write_text('{"documents": [{"id": "1", "passages": [{"text": "asth')
    pl.DataFrame({"id": ["1"], "age": [71]}).write_parquet(folder / "columns.parquet")
    table = pl.DataFrame({"id": ["1"] * 999, "text": ["asthma"] * 999})
    table.write_parquet(folder / "cut.parquet")
    cut = (folder / "cut.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(cut[: len(cut) // 2])
    (folder / "header.csv").write_text("id,age\n1,71\n")
    (folder / "twice.csv").write_text("id,text,text\n1,asthma,asthma\n")

    (folder / "quote.csv").write_text('id,text\n800,asthma\n801,"asthma\n802,gout\n')
    (folder / "stray.csv").write_text('id,text\n810,asthma\n811,"as"thma\n812,gout\n')
    (folder / "line.jsonl").write_bytes(rows(820, 3)[:-9])

    # What names a place outside but asks for nothing from there is read, and nothing fetched.
    dtd = f"<!DOCTYPE PubmedArticleSet PUBLIC '-//X//DTD X//EN' '{address}/pubmed.dtd'>"
    style = f"<?xml-stylesheet href='{address}/style.xsl'?>"
    (folder / "dtd.xml").write_text(citations(1, 2, prolog=dtd + style))
    include = f"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{secret.as_uri()}'/>"
    (folder / "include.xml").write_text(citations(3, text=f"Asthma {include} gout"))
    for number in range(10):
        name = f"{'acegikmoqs'[number]}-good.jsonl"  # sorted in between the bad ones
        (folder / name).write_bytes(rows(100 + 10 * number, 3))


@pytest.fixture(scope="module")
def outcome(
    tmp_path_factory: pytest.TempPathFactory, server: HTTPServer, prefect_address: str
) -> Outcome:
    home = tmp_path_factory.mktemp("files")
    secret = home / "secret.txt"
    secret.write_text(SECRET)
    sources, warehouse = home / "in", home / "w.duckdb"
    sources.mkdir()
    write_sources(sources, secret, f"http://127.0.0.1:{server.server_port}")
    outcome = Outcome(home, prefect_address, sources, warehouse)
    done = run(outcome)
    assert done.returncode == 3, done.stderr
    return replace(outcome, errors=done.stdout + done.stderr)


def run(outcome: Outcome) -> subprocess.CompletedProcess[str]:
    """The command over all files."""
    order = ("run", outcome.sources, "-w", outcome.warehouse, "--corpus", "c", *QUICK)
    return charthouse(outcome.home, *order, PREFECT_API_URL=outcome.prefect)


@pytest.mark.slow
def test_every_bad_file_is_one_reject_with_its_reason(outcome: Outcome) -> None:
    found = query(
        outcome.warehouse,
        "SELECT parse_filename(path), ordinal, stage, reason FROM rejects ORDER BY ALL",
    )
    expected: list[tuple[str, int, str | tuple[str, ...]]]
    expected = [(name, -1, reason) for name, reason in WHOLE_FILES.items()]
    expected += [(name, *row) for name, rejected in RECORDS.items() for row in rejected]
    assert [row[:2] for row in found] == sorted(row[:2] for row in expected)
    reasons = {row[:2]: row[2] for row in expected}
    for name, ordinal, stage, reason in found:
        assert stage == "read"
        assert str(reason).startswith(reasons[name, ordinal])  # type: ignore[index]


@pytest.mark.slow
def test_all_else_is_processed(outcome: Outcome) -> None:
    ids = {int(str(i)) for (i,) in query(outcome.warehouse, "SELECT native_id FROM documents")}
    assert ids == {
        1,
        2,
        3,
        800,
        810,
        812,
        820,
        821,
        *(100 + 10 * n + k for n in range(10) for k in range(3)),
    }
    assert query(outcome.warehouse, "SELECT DISTINCT status FROM document_annotations") == [
        ("done",)
    ]
    assert_sound(outcome.warehouse)


@pytest.mark.slow
def test_nothing_outside_is_asked_for_or_shown(outcome: Outcome, server: HTTPServer) -> None:
    assert server.asked == []  # type: ignore[attr-defined]
    assert SECRET not in str(contents(outcome.warehouse))
    assert SECRET not in outcome.errors
    assert "Traceback" not in outcome.errors


@pytest.mark.slow
def test_the_next_run_reads_bad_files_again_and_finds_nothing_new(outcome: Outcome) -> None:
    before = contents(outcome.warehouse)
    done = run(outcome)
    assert done.returncode == 0, done.stderr
    after = contents(outcome.warehouse)
    assert len(after.pop("runs")) == len(before.pop("runs")) + 1
    assert after == before
    assert query(outcome.warehouse, "SELECT count(*) FROM sources WHERE status = 'partial'") == [
        (len(WHOLE_FILES),)
    ]


FORMATS = {
    "jsonl": rows(0, 3),
    "csv": b'id,text\n1,"asthma, ""mild"""\n2,gout\n',
    "pubmed": citations(1, 2).encode(),
    "bioc": b'{"documents": [{"id": "1", "passages": [{"offset": 0, "text": "asthma"}]}]}',
    "pubtator": b"1|t|Asthma.\n1|a|Gout.\n1\t0\t6\tAsthma\tDisease\tD001249\n\n",
    "iob": b"Asthma B-Disease\n. O\n\nGout B-Disease\n",
    "text": b"Asthma.",
}
_SUFFIXES = {"pubmed": ".xml", "bioc": ".json", "pubtator": ".txt", "text": ".txt"}


@pytest.fixture(scope="module")
def parquet_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    pl.DataFrame({"id": ["1", "2"], "text": ["asthma", "gout"]}).write_parquet(path)
    return path.read_bytes()


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd"])
@pytest.mark.parametrize("format", [*FORMATS, "parquet"])
def test_an_altered_file_gives_records_or_one_error(
    tmp_path_factory: pytest.TempPathFactory,
    parquet_bytes: bytes,
    format: str,
    packed: str,
    data: st.DataObject,
) -> None:
    """Whatever bytes are lost, changed or added: rows, rejects, or the file as a whole."""
    whole = parquet_bytes if format == "parquet" else FORMATS[format]
    if packed != "plain":
        whole = gzip.compress(whole, mtime=0) if packed == "gzip" else zstandard.compress(whole)
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content)))
        size = data.draw(st.integers(0, 20))
        content[place : place + size] = data.draw(st.binary(max_size=20))
    path = tmp_path_factory.mktemp("altered") / f"a{_SUFFIXES.get(format, '.' + format)}"
    path.write_bytes(content)
    assert format in READERS
    try:
        found = list(read_rows(SourceFile(path, format, "c"), 0))
    except SourceError as error:
        assert path.name in str(error)
        assert "cannot be read: " not in str(error), "an error that its reader does not foresee"
    else:
        for row in found:
            assert isinstance(row, dict) or row.reason
