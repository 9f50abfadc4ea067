from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.readers.gold import GoldMention
from flows.readers.pubtator import read_gold
from flows.readers.record import BadRecord, Document, Record

Read = Callable[..., list[Record]]

SAMPLE = """\
1|t|Aspirin | and asthma.
1|a|Aspirin may harm.
1\t0\t7\tAspirin\tChemical\tD001241
1\t14\t20\tasthma\tDisease\tD001249|OMIM:600807
1\t22\t29\tAspirin\tChemical\t-1
1\tCID\tD001241\tD001249

2|t|No abstract here.
3|t|Next follows without a blank line.
3|a|Right.
"""


def test_text_is_title_space_abstract(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "set.pubtator"
    path.write_text(SAMPLE)
    assert read(path) == [
        Document(
            "1", "Aspirin | and asthma. Aspirin may harm.", "abstract", "Aspirin | and asthma."
        ),
        Document("2", "No abstract here.", "abstract", "No abstract here."),
        Document(
            "3",
            "Next follows without a blank line. Right.",
            "abstract",
            "Next follows without a blank line.",
        ),
    ]


def test_gold_mentions_and_ids(tmp_path: Path) -> None:
    path = tmp_path / "set.pubtator"
    path.write_text(SAMPLE)
    first, second, third = read_gold(path)
    assert first.mentions == (
        GoldMention(0, 7, "Aspirin", "Chemical", ("MESH:D001241",)),
        GoldMention(14, 20, "asthma", "Disease", ("MESH:D001249", "OMIM:600807")),
        GoldMention(22, 29, "Aspirin", "Chemical", ()),
    )
    assert second.mentions == third.mentions == ()


def test_line_ends_and_byte_order_mark(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "set.txt"
    path.write_bytes(b"\xef\xbb\xbf1|t|One.\r\n1|a|Two.\r\n\r\n2|t|Three.")
    texts = [record.text for record in read(path) if isinstance(record, Document)]
    assert texts == ["One. Two.", "Three."]


def test_bad_blocks_spoil_only_themselves(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "set.pubtator"
    path.write_bytes(
        b"1|t|Fine.\n\n2|t|Caf\xe9.\n2|a|Bad bytes.\n\n3|t|Broken\n3|a|in\ntwo\n\n"
        b"4|t|\n\n5|t|Fine.\n"
    )
    assert read(path) == [
        Document("1", "Fine.", "abstract", "Fine."),
        BadRecord("not valid UTF-8"),
        BadRecord("a line is neither title, abstract nor annotation"),
        BadRecord("text is empty"),
        Document("5", "Fine.", "abstract", "Fine."),
    ]
    with pytest.raises(SourceError, match="line 3: not valid UTF-8"):
        list(read_gold(path))


@pytest.mark.parametrize(
    ("name", "documents", "labels"),
    [
        ("bc5cdr_train", 500, {"Chemical", "Disease"}),
        ("bc5cdr_dev", 500, {"Chemical", "Disease"}),
        ("ncbi_dev", 100, {"SpecificDisease", "DiseaseClass", "Modifier", "CompositeMention"}),
        ("ncbi_train", 593, {"SpecificDisease", "DiseaseClass", "Modifier", "CompositeMention"}),
    ],
)
def test_real_corpora(
    data_dir: Path, read: Read, name: str, documents: int, labels: set[str]
) -> None:
    path = data_dir / "corpora" / f"{name}.pubtator.gz"
    records = [record for record in read(path) if isinstance(record, Document)]
    gold = list(read_gold(path))
    assert len(records) == len(gold) == documents
    assert [r.text for r in records] == [g.text for g in gold]
    assert {mention.label for g in gold for mention in g.mentions} == labels
    for document in gold:
        for mention in document.mentions:
            # One NCBI mention states a space more than its text has.
            found = document.text[mention.start_char : mention.end_char]
            assert found.split() == mention.mention_text.split()
            assert all(":" in concept_id for concept_id in mention.concept_ids)


def test_repeated_pmid_is_yielded_twice(data_dir: Path) -> None:
    gold = read_gold(data_dir / "corpora" / "ncbi_train.pubtator.gz")
    assert {i: n for i, n in Counter(g.native_id for g in gold).items() if n > 1} == {"8528200": 2}
