from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.readers import READERS
from flows.readers.base import ColumnMapping, SourceFile
from flows.readers.discover import describe, discover

PUBMED = '<?xml version="1.0"?><!-- x --><!DOCTYPE P [\n]><PubmedArticleSet/>'
JATS = '<?xml version="1.0"?>\n<article article-type="x"><front/></article>'
PUBTATOR = "1|t|Title.\n1|a|Abstract.\n"
CSV = "note_id,text\n1,x\n"
BIOC_XML = "<?xml version='1.0'?><collection><source/><document><id>1</id></document></collection>"
BIOC_JSON = '[{"documents": [{"id": "1", "passages": []}]}]'


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def formats(files: list[SourceFile]) -> dict[str, str]:
    return {file.path.name: file.format for file in files}


def test_readers_are_named_by_their_keys() -> None:
    assert all(name == reader.name for name, reader in READERS.items())
    assert all(reader.version >= 1 for reader in READERS.values())


def test_format_by_suffix_and_content(tmp_path: Path) -> None:
    folder = fill(
        tmp_path,
        {
            "a.xml": PUBMED,
            "b.xml": JATS,
            "c.nxml": JATS,
            "d.txt": PUBTATOR,
            "e.txt": "A note.",
            "f.tsv": "token\tO\nBRCA1\tB-GENE\n",
            "g.tsv": CSV.replace(",", "\t"),
            "h.CSV": CSV,
            "i.jsonl": '{"text": "x"}\n',
            "j.pubtator": PUBTATOR,
            "l.json": BIOC_JSON,
            "m.xml": BIOC_XML,
        },
    )
    (folder / "k.xml.gz").write_bytes(gzip.compress(PUBMED.encode()))
    assert formats(discover([str(folder)])) == {
        "a.xml": "pubmed",
        "b.xml": "jats",
        "c.nxml": "jats",
        "d.txt": "pubtator",
        "e.txt": "text",
        "f.tsv": "iob",
        "g.tsv": "csv",
        "h.CSV": "csv",
        "i.jsonl": "jsonl",
        "j.pubtator": "pubtator",
        "k.xml.gz": "pubmed",
        "l.json": "bioc",
        "m.xml": "bioc",
    }


def test_default_and_given_corpus(tmp_path: Path) -> None:
    folder = fill(
        tmp_path / "ward:3",
        {"a.xml": PUBMED, "b.nxml": JATS, "n/c.txt": "A note.", "set.v1.pubtator": PUBTATOR},
    )
    files = discover([str(folder)])
    assert {file.path.name: file.corpus for file in files} == {
        "a.xml": "pubmed",
        "b.nxml": "pmc",
        "c.txt": "ward_3",
        "set.v1.pubtator": "set.v1",
    }
    (single,) = discover([str(folder / "n" / "c.txt")])
    assert (single.corpus, single.root) == ("n", None)
    assert {file.corpus for file in discover([str(folder)], corpus="mine")} == {"mine"}
    for bad in ("", "a:b"):
        with pytest.raises(SourceError, match="corpus name"):
            discover([str(folder)], corpus=bad)


def test_order_and_duplicates(tmp_path: Path) -> None:
    fill(tmp_path, {"z/2.txt": "x", "z/1/9.txt": "x", "a/1.txt": "x", "b.txt": "x"})
    (tmp_path / "a" / "link.txt").symlink_to(tmp_path / "b.txt")
    sources = [str(tmp_path / "z"), str(tmp_path / "b.txt"), str(tmp_path / "**" / "*.txt")]
    found = [file.path.relative_to(tmp_path).as_posix() for file in discover(sources)]
    assert found == ["z/1/9.txt", "z/2.txt", "b.txt", "a/1.txt"]


def test_roots(tmp_path: Path) -> None:
    fill(tmp_path, {"z/1/9.txt": "x"})
    for source in (tmp_path / "z", tmp_path / "z" / "**" / "*.txt", tmp_path / "z" / "?" / "*"):
        assert [file.root for file in discover([str(source)])] == [tmp_path / "z"]


def test_what_accompanies_a_corpus_is_passed_over(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            "README.txt": "About.",
            "README.md": "About.",
            "a.xml.md5": "0",
            "image.png": "x",
            "mesh.xml": "<DescriptorRecordSet/>",
            "package.json": '{"text": "x"}',
            "empty.json": "",
            ".hidden.txt": "x",
            ".git/note.txt": "x",
            "a.xml": PUBMED,
        },
    )
    os.mkfifo(tmp_path / "pipe.txt")
    assert formats(discover([str(tmp_path)])) == {"a.xml": "pubmed"}
    assert formats(discover([str(tmp_path / "*")])) == {"a.xml": "pubmed"}


def test_linked_folders_are_entered_once(tmp_path: Path) -> None:
    fill(tmp_path / "far", {"n.txt": "x"})
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "far").symlink_to(tmp_path / "far")
    (tmp_path / "here" / "loop").symlink_to(tmp_path / "here")
    assert formats(discover([str(tmp_path / "here")])) == {"n.txt": "text"}


def test_an_existing_name_is_no_glob(tmp_path: Path) -> None:
    fill(tmp_path, {"note[1].txt": "x", "note1.txt": "y"})
    assert formats(discover([str(tmp_path / "note[1].txt")])) == {"note[1].txt": "text"}


def test_given_format(tmp_path: Path) -> None:
    fill(tmp_path / "notes", {"1.note": "x", "2.note": "y"})
    assert set(formats(discover([str(tmp_path / "notes")], format="text")).values()) == {"text"}
    fill(tmp_path / "mixed", {"a.tsv": "tok\tO\n", "b.md5": "0"})
    assert formats(discover([str(tmp_path / "mixed")], format="iob")) == {"a.tsv": "iob"}
    fill(tmp_path, {"odd.dat": CSV})
    assert formats(discover([str(tmp_path / "odd.dat")], format="csv")) == {"odd.dat": "csv"}


def test_column_mapping_and_description(tmp_path: Path) -> None:
    path = tmp_path / "ward.csv.gz"
    path.write_bytes(gzip.compress(b"Note ID,note,MRN,x\n1,a,b,c\n"))
    (file,) = discover([str(path)])
    assert file.columns == ColumnMapping(id="Note ID", text="note", person="MRN")
    assert describe(file) == {
        "path": str(path),
        "format": "csv",
        "corpus": "ward",
        "columns": {"id": "Note ID", "text": "note", "person": "MRN"},
    }
    (file,) = discover([str(path)], columns={"text": "x"})
    assert file.columns == ColumnMapping(id="Note ID", text="x", person="MRN")


@pytest.mark.parametrize(
    ("files", "source", "message"),
    [
        ({}, "", "is empty"),
        ({".hidden": "x"}, "", "is empty"),
        ({"a.md": "x", "b.xml": "<x/>"}, "", "holds no readable source"),
        ({"a.md": "x"}, "*.md", "holds no readable source"),
        ({"a.md": "x"}, "*.txt", "nothing matches"),
        ({}, "gone.txt", r"gone\.txt does not exist"),
        ({"a.txt": ""}, "a.txt", r"a\.txt is empty"),
        ({"a.xml": ""}, "", r"a\.xml is empty"),
        ({"a.md": "x"}, "a.md", r"format of .*a\.md is not recognised.*--format: pubtator, pubmed"),
        ({"a.xml": "<x/>"}, "a.xml", r"format of .*a\.xml is not recognised"),
        ({"a.json": "{}"}, "a.json", r"format of .*a\.json is not recognised"),
        ({"a.json": ""}, "a.json", r"a\.json is empty"),
        ({"a.csv": "id,x\n1,2\n"}, "", r"a\.csv has no column known"),
    ],
)
def test_nothing_to_read(tmp_path: Path, files: dict[str, str], source: str, message: str) -> None:
    fill(tmp_path, files)
    with pytest.raises(SourceError, match=message) as caught:
        discover([str(tmp_path / source)])
    assert "\n" not in str(caught.value)


def test_empty_gzip_and_broken_link(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(SourceError, match=r"a\.csv\.gz is empty"):
        discover([str(tmp_path)])
    (tmp_path / "a.csv.gz").unlink()
    (tmp_path / "b.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(SourceError, match=r"b\.csv cannot be opened"):
        discover([str(tmp_path)])


def test_an_empty_note_in_a_folder_is_left_to_the_reader(tmp_path: Path) -> None:
    fill(tmp_path, {"a.txt": "", "b.txt": "x"})
    assert formats(discover([str(tmp_path)])) == {"a.txt": "text", "b.txt": "text"}


def test_forbidden_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Permissions bind no superuser, so the operating system's answer is played.
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    fill(tmp_path, {"a.txt": "x"})
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match="cannot be listed: Permission denied"):
        discover([str(tmp_path)])


def test_arguments_are_checked(tmp_path: Path) -> None:
    fill(tmp_path, {"a.csv": CSV, "b.txt": "x"})
    with pytest.raises(SourceError, match=r"docx is no known format. Known are pubtator"):
        discover([str(tmp_path)], format="docx")
    with pytest.raises(SourceError, match="no source is given"):
        discover([])
    with pytest.raises(SourceError, match=r"body is no column role. Roles are id, text"):
        discover([str(tmp_path)], columns={"body": "text"})
    with pytest.raises(SourceError, match="no source is a table"):
        discover([str(tmp_path / "b.txt")], columns={"text": "text"})


def test_real_folder(data_dir: Path) -> None:
    files = discover([str(data_dir / "corpora")])
    assert [file.format for file in files].count("pubtator") == 4
    assert [file.format for file in files].count("iob") == 14
    assert files[0].corpus == "bc5cdr_dev"


def test_work_folder_of_a_warehouse_is_no_source(tmp_path: Path) -> None:
    fill(tmp_path, {"w.duckdb": "x", "w.duckdb.work/RUN/shards/1.csv": CSV, "home.work/a.csv": CSV})
    assert formats(discover([str(tmp_path)])) == {"a.csv": "csv"}
    assert formats(discover([str(tmp_path / "**" / "*.csv")])) == {"a.csv": "csv"}
