"""Texts whose sentences are known: corpora put together again, and notes annotated by hand."""

from __future__ import annotations

import csv
import gzip
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from flows.readers.gold import read_gold_file
from flows.readers.iob import read_gold as read_iob

IOB = ("AnatEM", "BC2GM", "BioNLP11ID", "BioNLP13CG", "BioNLP13PC", "CRAFT", "linnaeus")
ABSTRACTS = ("bc5cdr_dev", "ncbi_dev")
SHORTEST, LONGEST = 20, 50
"""Sentences of a document that is put together."""

_NO_SPACE_BEFORE = frozenset(".,;:)]%?!-/")
_NO_SPACE_AFTER = frozenset("([-/")


@dataclass(frozen=True)
class Gold:
    """A text and its sentences, start and end in characters."""

    text: str
    sentences: tuple[tuple[int, int], ...]


def as_written(sentence: str) -> str:
    """Tokens as one would write them: ``( p < 0 . 05 ) .`` is ``(p < 0.05).``

    No space before ``. , ; : ) ] % ? !`` and after ``( [``, none around ``-`` and ``/``; none after
    a full stop or comma between figures, or between single letters.
    """
    tokens = sentence.split(" ")
    text = tokens[0]
    for before, token, last in zip(["", *tokens], tokens[1:], tokens, strict=False):
        follows = token in _NO_SPACE_BEFORE or last in _NO_SPACE_AFTER
        if last in {".", ","} and before:
            follows |= before[-1].isdigit() and token[0].isdigit()
            follows |= last == "." and len(before) == len(token) == 1 and token.isalpha()
        text += token if follows else f" {token}"
    return text


def corpora(data: Path, part: str, *, tokenised: bool) -> dict[str, list[Gold]]:
    """Each corpus's sentences in order, joined by single spaces to documents of 20 to 50."""
    found = {}
    for name in IOB:
        draw = random.Random(name)
        path = data / "corpora" / "iob" / f"{name}_{part}.tsv.gz"
        sentences = [document.text for document in read_iob(path)]
        if not tokenised:
            sentences = [as_written(sentence) for sentence in sentences]
        documents, first = [], 0
        while first < len(sentences):
            last = first + draw.randint(SHORTEST, LONGEST)
            documents.append(_joined(sentences[first:last]))
            first = last
        found[name] = documents
    return found


def _joined(sentences: list[str]) -> Gold:
    ranges, position = [], 0
    for sentence in sentences:
        ranges.append((position, position + len(sentence)))
        position += len(sentence) + 1
    return Gold(" ".join(sentences), tuple(ranges))


def note_texts(data: Path) -> dict[tuple[str, str], str]:
    """The texts of both sets of notes by set and note_id."""
    csv.field_size_limit(sys.maxsize)
    with gzip.open(data / "notes" / "aci_bench_train.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = {("aci_bench", row["note_id"]): row["text"] for row in map(json.loads, file)}
    path = data / "notes" / "transcribed_notes.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        texts |= {("transcribed", row["note_id"]): row["text"] for row in csv.DictReader(file)}
    return texts


def notes(data: Path, gold: Path) -> dict[str, list[Gold]]:
    """Annotated notes, by set, those kept out of tuning apart."""
    texts = note_texts(data)
    found: dict[str, list[Gold]] = {}
    for line in gold.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        group = f"{row['note_set']}, {'held out' if row['held_out'] else 'tuned on'}"
        text = texts[row["note_set"], row["note_id"]]
        sentences = tuple((start, end) for start, end in row["sentences"])
        found.setdefault(group, []).append(Gold(text, sentences))
    return found


def wrapped(gold: Gold, width: int) -> Gold:
    """The same text with lines of at most ``width`` characters: spaces become line breaks."""
    lines = []
    for line in gold.text.split("\n"):
        start, text = 0, line
        while len(text) - start > width:
            space = text.rfind(" ", start, start + width + 1)
            if space <= start:
                break
            text = f"{text[:space]}\n{text[space + 1 :]}"
            start = space + 1
        lines.append(text)
    return Gold("\n".join(lines), gold.sentences)


def abstracts(data: Path) -> list[tuple[str, list[tuple[int, int]]]]:
    """Text and gold mentions of the development abstracts."""
    return [
        (document.text, [(m.start_char, m.end_char) for m in document.mentions])
        for name in ABSTRACTS
        for document in read_gold_file(data / "corpora" / f"{name}.pubtator.gz")
    ]


def iob_mentions(data: Path) -> list[tuple[str, list[tuple[int, int]]]]:
    """Text and gold mentions of the corpora's development files, tokens joined by spaces."""
    found = []
    for name in IOB:
        sentences = list(read_iob(data / "corpora" / "iob" / f"{name}_dev.tsv.gz"))
        for first in range(0, len(sentences), LONGEST):
            position, mentions, texts = 0, [], []
            for sentence in sentences[first : first + LONGEST]:
                mentions += [
                    (position + m.start_char, position + m.end_char) for m in sentence.mentions
                ]
                texts.append(sentence.text)
                position += len(sentence.text) + 1
            found.append((" ".join(texts), mentions))
    return found
