"""Chunks of long texts: they cover the text once, fit the budget, and end where sentences do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import Document
from nlp.generation.chunks import cut_chunks
from nlp.generation.errors import GenerationError
from nlp.preprocess.sentences import find_sentences
from tests.language_models import make_gpt2


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def characters(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def octets(texts: Sequence[str]) -> list[int]:
    return [len(text.encode()) for text in texts]


def joining(texts: Sequence[str]) -> list[int]:
    """Counts more for what is joined than for its pieces: the worst for packing by sums."""
    return [len(text.split()) + len(text.split()) ** 2 // 8 + text.count(" ") for text in texts]


COUNTERS = (words, characters, octets, joining)


def texts_of(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in spans]


def spans_in(text: str) -> st.SearchStrategy[list[tuple[int, int]]]:
    place = st.integers(0, len(text))
    return st.lists(st.tuples(place, place).map(lambda pair: (min(pair), max(pair))), max_size=8)


@st.composite
def cases(draw):
    piece = st.sampled_from(
        [" ", "\n", "\n\n  ", ". ", "word", "mg", "é", "😀", "a" * 40, "\u2003"]
    )
    text = "".join(draw(st.lists(piece, max_size=60)))
    return text, draw(spans_in(text)), draw(spans_in(text))


@settings(max_examples=300, deadline=None)
@given(cases(), st.integers(4, 40), st.sampled_from(COUNTERS))
@example((" " * 30, [], []), 4, characters)
def test_chunks_cover_the_text_once_and_fit_the_budget(case, budget, count):
    text, sections, sentences = case
    chunks = cut_chunks(text, budget, count, sections=sections, sentences=sentences)
    assert "".join(texts_of(text, chunks)) == text
    assert [end for _, end in chunks[:-1]] == [start for start, _ in chunks[1:]]
    assert all(start < end for start, end in chunks)
    assert all(tokens <= budget for tokens in count(texts_of(text, chunks)))


def test_a_text_that_fits_is_one_chunk_and_an_empty_one_none():
    assert cut_chunks("one two", 2, words, sentences=[(0, 3), (4, 7)]) == [(0, 7)]
    assert cut_chunks("", 2, words) == []


def test_sentences_are_kept_whole():
    text = "One two three. Four five. Six seven eight. Nine."
    chunks = cut_chunks(text, 5, words, sentences=find_sentences(text))
    assert texts_of(text, chunks) == ["One two three. Four five. ", "Six seven eight. Nine."]


def test_a_chunk_that_is_half_full_ends_before_a_section_it_cannot_hold():
    text = "She came back. She coughed. He slept. They waited. We all left."
    sentences = find_sentences(text)
    section = (text.index("She coughed"), text.index("We all"))
    at_section = cut_chunks(text, 6, words, sections=[section], sentences=sentences)
    assert texts_of(text, at_section) == [
        "She came back. ",
        "She coughed. He slept. They waited. ",
        "We all left.",
    ]
    without = cut_chunks(text, 6, words, sentences=sentences)
    assert texts_of(text, without) == [
        "She came back. She coughed. ",
        "He slept. They waited. ",
        "We all left.",
    ]


def test_a_lone_title_is_no_chunk_of_its_own():
    text = "Title. " + "She came back again. " * 4
    chunks = cut_chunks(text, 9, words, sections=[(7, len(text))], sentences=find_sentences(text))
    assert texts_of(text, chunks)[0] == "Title. She came back again. She came back again. "


def test_a_long_sentence_is_cut_at_white_space_and_a_long_word_anywhere():
    assert texts_of("aa bb cc dd", cut_chunks("aa bb cc dd", 6, characters)) == ["aa bb ", "cc dd"]
    chunks = texts_of("x" * 20, cut_chunks("x" * 20, 6, characters))
    assert "".join(chunks) == "x" * 20
    assert max(map(len, chunks)) <= 6


def test_a_budget_without_room_for_a_character_is_refused():
    with pytest.raises(GenerationError, match="budget of 3 tokens"):
        cut_chunks("a 😀", 3, octets)
    with pytest.raises(GenerationError, match="budget of 0 tokens"):
        cut_chunks("a", 0, octets)


@pytest.mark.parametrize("name", ["1471-2180-11-174.nxml", "pone.0046493.nxml"])
def test_real_articles_are_cut_between_sentences(name, data_dir: Path, tmp_path: Path):
    (file,) = discover([str(data_dir / "citations" / name)])
    (document,) = READERS[file.format].read(file)
    assert isinstance(document, Document)
    text = document.text
    sentences = find_sentences(text)
    sections = [(span.start_char, span.end_char) for span in document.sections]
    folder = make_gpt2(tmp_path / "gpt2", [text], size=2000)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def count(texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(list(texts))["input_ids"]]

    budget = 600
    chunks = cut_chunks(text, budget, count, sections=sections, sentences=sentences)
    tokens = count(texts_of(text, chunks))
    assert "".join(texts_of(text, chunks)) == text
    assert max(tokens) <= budget
    starts = {start for start, _ in sentences} | {start for start, _ in sections}
    assert {start for start, _ in chunks} <= starts | {0}
    # At most a half of a chunk is given up for a section, and a sentence more.
    assert len(chunks) <= 2.5 * sum(tokens) / budget
    assert sum(start in {s for s, _ in sections} for start, _ in chunks) >= 3
    assert not any(re.match(r"\s", text[start]) for start, _ in chunks)
