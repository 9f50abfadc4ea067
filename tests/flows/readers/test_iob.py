from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.readers.iob import read_gold, tag_spans
from flows.readers.record import BadRecord, Document, Record

Read = Callable[..., list[Record]]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("O B-X I-X O", [(1, 3, "X")]),
        ("I-X I-X B-X", [(0, 2, "X"), (2, 3, "X")]),
        ("B-X I-Y", [(0, 1, "X"), (1, 2, "Y")]),
        ("S-X B-X E-X S-Y", [(0, 1, "X"), (1, 3, "X"), (3, 4, "Y")]),
        ("U-X B-X I-X L-X I-X", [(0, 1, "X"), (1, 4, "X"), (4, 5, "X")]),
        ("B-Regulon-operon I-Regulon-operon", [(0, 2, "Regulon-operon")]),
        ("B-X O I-X", [(0, 1, "X"), (2, 3, "X")]),
        ("O O", []),
        ("", []),
    ],
)
def test_tag_spans(tags: str, spans: list[tuple[int, int, str]]) -> None:
    assert tag_spans(tags.split()) == spans


def test_sentences_and_ordinals(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "set.tsv"
    path.write_text("-DOCSTART-\tO\n\nThe\tO\ngene\tB-G\n\n\nBRCA1\tB-G\n.\tO\n")
    assert read(path) == [
        Document("0", "The gene", "abstract"),
        Document("1", "BRCA1 .", "abstract"),
    ]


def test_space_separated_with_more_columns(tmp_path: Path) -> None:
    path = tmp_path / "set.conll"
    path.write_text("IL-2 NN B-NP B-DNA\ngene NN I-NP I-DNA\nis VB O O\n")
    (document,) = read_gold(path)
    assert [(m.mention_text, m.label) for m in document.mentions] == [("IL-2 gene", "DNA")]


def test_bad_sentences_keep_the_ordinals(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "set.iob"
    path.write_bytes(b"a\tO\n\nalone\n\nb\xff\tO\n\nc\tO\n")
    assert read(path) == [
        Document("0", "a", "abstract"),
        BadRecord("a line is not token and tag"),
        BadRecord("not valid UTF-8"),
        Document("3", "c", "abstract"),
    ]
    with pytest.raises(SourceError, match="sentence at line 3"):
        list(read_gold(path))


def test_gold_refuses_tags_that_are_not_iob(tmp_path: Path) -> None:
    path = tmp_path / "set.iob"
    path.write_text("a\tO\n\nb\tNOUN\n")
    with pytest.raises(SourceError, match="line 3: a tag is neither"):
        list(read_gold(path))


TOKENS = st.text(
    st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"]), min_size=1
).filter(lambda token: token != "-DOCSTART-")
ENTITIES = st.tuples(st.sampled_from(["O", "X", "Y-z"]), st.lists(TOKENS, min_size=1, max_size=4))


@pytest.mark.parametrize("scheme", ["IOB2", "BIOES"])
@example([[("O", ["-DOCSTART-2"])]])
@given(st.lists(st.lists(ENTITIES, min_size=1, max_size=5), min_size=1, max_size=4))
def test_spans_of_any_tokens_are_exact(
    tmp_path_factory: pytest.TempPathFactory,
    scheme: str,
    sentences: list[list[tuple[str, list[str]]]],
) -> None:
    lines: list[str] = []
    for sentence in sentences:
        for label, tokens in sentence:
            for position, token in enumerate(tokens):
                prefix = "B" if position == 0 else "I"
                if scheme == "BIOES" and position == len(tokens) - 1:
                    prefix = "S" if position == 0 else "E"
                lines.append(f"{token}\t{'O' if label == 'O' else f'{prefix}-{label}'}\n")
        lines.append("\n")
    path = tmp_path_factory.mktemp("iob") / "set.iob"
    # With a byte order mark, so that one at the start of the first token stays in it.
    path.write_text("".join(lines), encoding="utf-8-sig", newline="")
    gold = list(read_gold(path))
    assert len(gold) == len(sentences)
    for document, sentence in zip(gold, sentences, strict=True):
        assert document.text == " ".join(token for _, tokens in sentence for token in tokens)
        expected = [(" ".join(tokens), label) for label, tokens in sentence if label != "O"]
        assert [(m.mention_text, m.label) for m in document.mentions] == expected
        for mention in document.mentions:
            assert document.text[mention.start_char : mention.end_char] == mention.mention_text


def test_real_genes(data_dir: Path, read: Read) -> None:
    path = data_dir / "corpora" / "iob" / "BC2GM_train.tsv.gz"
    gold = list(read_gold(path))
    assert [r.text for r in read(path) if isinstance(r, Document)] == [g.text for g in gold]
    assert len(gold) == 12574
    assert sum(len(document.mentions) for document in gold) == 15197
    assert {mention.label for document in gold for mention in document.mentions} == {"GENE"}
