"""decoder.json: what is written is read back, and what is broken is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlp.ner.chain import (
    DECODER_FILE,
    Calibration,
    Chain,
    Decoder,
    constrained,
    read_decoder,
    write_decoder,
)
from nlp.ner.errors import ModelError
from nlp.ner.tags import FORBIDDEN, read_tags

NAMES = {0: "O (A)", 1: "B-A", 2: "I-A", 3: "O (B)", 4: "B-B", 5: "I-B"}


def _write(folder: Path) -> None:
    start = np.array([0.5, -1.0, 0.0], dtype=np.float32)
    moves = np.arange(9, dtype=np.float32).reshape(3, 3)
    chains = []
    for columns, label in (((0, 1, 2), "A"), ((3, 4, 5), "B")):
        free = constrained(columns, read_tags({0: "O", 1: f"B-{label}", 2: f"I-{label}"}))
        chains.append(Chain(columns, free.tags, free.start + start, free.transitions + moves))
    decoder = Decoder(tuple(chains), True, "last", {"A": Calibration(1.5, -0.25)})
    write_decoder(folder, decoder)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    _write(tmp_path)
    decoder = read_decoder(tmp_path, NAMES)
    assert decoder.entity_labels == ("A", "B")
    assert [chain.columns for chain in decoder.chains] == [(0, 1, 2), (3, 4, 5)]
    assert (decoder.word_case, decoder.label_on) == (True, "last")
    assert decoder.calibration == {"A": Calibration(1.5, -0.25)}
    first = decoder.chains[0]
    assert first.transitions[1].tolist() == [3.0, 4.0, 5.0]
    assert first.start[:2].tolist() == [0.5, -1.0]


def test_impossible_moves_are_forbidden_whatever_was_learnt(tmp_path: Path) -> None:
    _write(tmp_path)
    chain = read_decoder(tmp_path, NAMES).chains[0]
    assert chain.start[2] < FORBIDDEN / 2  # a first I
    assert chain.transitions[0, 2] < FORBIDDEN / 2  # O to I


def test_without_the_file_all_logits_are_one_chain(tmp_path: Path) -> None:
    decoder = read_decoder(tmp_path, {0: "O", 1: "B-A", 2: "I-A"})
    (chain,) = decoder.chains
    assert chain.columns == (0, 1, 2)
    assert chain.transitions[1].tolist() == [0.0, 0.0, 0.0]
    assert not decoder.word_case


def test_label_map_renames_and_drops(tmp_path: Path) -> None:
    _write(tmp_path)
    renamed = read_decoder(tmp_path, NAMES, {"A": "Drug"})
    assert renamed.entity_labels == ("B", "Drug")
    assert renamed.calibration == {"Drug": Calibration(1.5, -0.25)}
    dropped = read_decoder(tmp_path, NAMES, {"A": ""})
    assert [chain.columns for chain in dropped.chains] == [(3, 4, 5)]
    with pytest.raises(ModelError, match="label map"):
        read_decoder(tmp_path, NAMES, {"A": "", "B": ""})


def _newer(stored: dict[str, object]) -> None:
    stored["version"] = 99


def _cut(stored: dict[str, object]) -> None:
    del stored["chains"]


def _misshape(stored: dict[str, list[dict[str, object]]]) -> None:
    stored["chains"][0]["start"] = [0.0]


def _overreach(stored: dict[str, list[dict[str, object]]]) -> None:
    stored["chains"][0]["columns"] = [0, 1, 77]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_newer, "version 99"), (_cut, "broken"), (_misshape, "broken"), (_overreach, "lacks")],
)
def test_a_broken_file_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, object]], None], message: str
) -> None:
    _write(tmp_path)
    stored = json.loads((tmp_path / DECODER_FILE).read_text())
    spoil(stored)
    (tmp_path / DECODER_FILE).write_text(json.dumps(stored))
    with pytest.raises(ModelError, match=message):
        read_decoder(tmp_path, NAMES)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / DECODER_FILE).write_text("{")
    with pytest.raises(ModelError, match=DECODER_FILE):
        read_decoder(tmp_path, NAMES)
