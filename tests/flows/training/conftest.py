"""A tiny base to train, and gold files about it: every text is made up."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

WORDS = {"aspirin": "Chemical", "lasix": "Chemical", "gout": "Disease", "fever": "Disease"}
_FILLERS = ("the", "patient", "had", "and", "took", "no", "mild", "severe", "zebrafinch", ".")

GoldRow = tuple[str, str, list[tuple[int, int, str]]]
"""A document: native id, text, and mentions."""

MakeGold = Callable[..., list[GoldRow]]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two thin layers that knows the words of the texts, untrained."""
    folder = tmp_path_factory.mktemp("bases") / "tiny"
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*specials, *WORDS, *_FILLERS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: row for row, piece in enumerate(dict.fromkeys(pieces))}
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_gold() -> MakeGold:
    """Documents whose mentions are the known words, all or those of some labels."""

    def make(
        count: int, *, seed: int, labels: Sequence[str] = ("Chemical", "Disease")
    ) -> list[GoldRow]:
        chance = random.Random(seed)
        documents = []
        for number in range(count):
            text, mentions = "The patient had", []
            for _ in range(5):
                text += " " + " ".join(chance.choices(_FILLERS[:-1], k=2)) + " "
                word = chance.choice(list(WORDS))
                if WORDS[word] in labels:
                    mentions.append((len(text), len(text) + len(word), WORDS[word]))
                text += word
            documents.append((f"90817263{seed:02d}{number:08d}", f"{text} .", mentions))
        return documents

    return make


def write_pubtator(path: Path, documents: Sequence[GoldRow]) -> Path:
    """Write documents as PubTator, all of the text as the title."""
    blocks = []
    for native_id, text, mentions in documents:
        rows = [
            f"{native_id}\t{start}\t{end}\t{text[start:end]}\t{label}\n"
            for start, end, label in mentions
        ]
        blocks.append(f"{native_id}|t|{text}\n{''.join(rows)}\n")
    path.write_text("".join(blocks), encoding="utf-8")
    return path


def write_bioc(path: Path, documents: Sequence[GoldRow]) -> Path:
    """Write documents as a BioC JSON collection of one passage each."""
    found = []
    for native_id, text, mentions in documents:
        annotations = [
            {
                "infons": {"type": label},
                "text": text[start:end],
                "locations": [{"offset": start, "length": end - start}],
            }
            for start, end, label in mentions
        ]
        passages = [{"offset": 0, "text": text, "annotations": annotations}]
        found.append({"id": native_id, "passages": passages})
    path.write_text(json.dumps({"documents": found}), encoding="utf-8")
    return path


def write_iob(path: Path, documents: Sequence[GoldRow]) -> Path:
    """Write documents as sentences of IOB2; every mention is one word."""
    lines = []
    for _, text, mentions in documents:
        labels = {start: label for start, _, label in mentions}
        start = 0
        for word in text.split(" "):
            lines.append(f"{word}\t{f'B-{labels[start]}' if start in labels else 'O'}\n")
            start += len(word) + 1
        lines.append("\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path
