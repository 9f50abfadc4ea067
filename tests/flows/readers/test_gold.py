"""Gold files are told by what they hold, whatever they are called."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.readers.gold import curies, read_gold_file

FORMS = {
    "pubtator": "1|t|A gout.\n1\t2\t6\tgout\tDisease\tD006073\n",
    "iob": "A\tO\ngout\tB-Disease\n.\tO\n",
    "bioc": '{"id": "1", "passages": [{"offset": 0, "text": "A gout.", "annotations": '
    '[{"infons": {"type": "Disease"}, "text": "gout", "locations": [{"offset": 2, "length": 4}]}]'
    "}]}",
    "bioc-xml": "<collection><document><id>1</id><passage><offset>0</offset><text>A gout.</text>"
    '<annotation id="0"><infon key="type">Disease</infon><location offset="2" length="4"/>'
    "<text>gout</text></annotation></passage></document></collection>",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compressed", [False, True])
def test_each_form_is_told_by_its_content(tmp_path: Path, form: str, compressed: bool) -> None:
    path = tmp_path / "gold.dat"
    content = FORMS[form].encode()
    path.write_bytes(gzip.compress(content) if compressed else content)
    (document,) = read_gold_file(path)
    (mention,) = document.mentions
    assert (mention.mention_text, mention.label) == ("gout", "Disease")
    assert document.text[mention.start_char : mention.end_char] == "gout"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("A note without gold.", "Known are PubTator, BioC .* and IOB"),
        ("<article/>", "holds no gold mentions in a known form"),
    ],
)
def test_anything_else_is_refused_at_once(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "gold.txt"
    path.write_text(content)
    with pytest.raises(SourceError, match=f"gold.txt .*{problem}"):
        read_gold_file(path)
    with pytest.raises(SourceError, match="absent"):
        read_gold_file(tmp_path / "absent")


def test_curies() -> None:
    assert curies("D003110|D009369") == ("MESH:D003110", "MESH:D009369")
    assert curies("D010051+OMIM:1,-1") == ("MESH:D010051", "OMIM:1")
    assert curies("-") == ()


def test_real_corpora(data_dir: Path) -> None:
    assert sum(1 for _ in read_gold_file(data_dir / "corpora" / "ncbi_dev.pubtator.gz")) == 100
    path = data_dir / "corpora" / "iob" / "linnaeus_dev.tsv.gz"
    assert {m.label for d in read_gold_file(path) for m in d.mentions} == {"Species"}
