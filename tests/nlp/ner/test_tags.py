"""How label names of models are read as BIO tags."""

from __future__ import annotations

from itertools import product

import pytest

from nlp.ner.errors import ModelError
from nlp.ner.tags import FORBIDDEN, TagSet, bio_tags, read_tags


def _read(*names: str, **label_map: str) -> TagSet:
    return read_tags(dict(enumerate(names)), label_map, model="m")


def test_bio() -> None:
    tags = _read("O", "B-Disease", "I-Disease")
    assert tags == TagSet(("O", "B", "I"), ("", "Disease", "Disease"))
    assert tags.entity_labels == ("Disease",)


def test_order_of_logits_is_kept() -> None:
    tags = read_tags({2: "O", 0: "I-Gene", 1: "B-Gene"})
    assert tags.prefixes == ("I", "B", "O")


def test_io() -> None:
    tags = _read("O", "Gene", "Cell")
    assert tags.prefixes == ("O", "I", "I")
    assert tags.labels == ("", "Gene", "Cell")


def test_bioes_and_bilou() -> None:
    assert _read("O", "B-X", "I-X", "E-X", "S-X").prefixes == ("O", "B", "I", "I", "B")
    assert _read("O", "B-X", "I-X", "L-X", "U-X").prefixes == ("O", "B", "I", "I", "B")


@pytest.mark.parametrize("outside", ["O", "o", "0", "OUTSIDE"])
def test_spellings_of_outside(outside: str) -> None:
    assert _read(outside, "B-X", "I-X").labels[0] == ""


def test_label_keeps_its_own_dashes() -> None:
    assert _read("O", "B-cell-line", "I-cell-line").entity_labels == ("cell-line",)


def test_label_map_renames_and_drops() -> None:
    names = ("O", "B-CHEM", "I-CHEM", "B-GENE", "I-GENE")
    tags = _read(*names, CHEM="Chemical", GENE="")
    assert tags.labels == ("", "Chemical", "Chemical", "", "")
    assert tags.prefixes == ("O", "B", "I", "O", "O")


def test_labels_mapped_to_one_continue_each_other() -> None:
    tags = _read("O", "B-A", "I-A", "B-B", "I-B", A="X", B="X")
    assert tags.transition_scores()[1, 4] == 0.0


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (("LABEL_0", "LABEL_1"), "id2label"),
        (("O", "X-Disease"), "B-, I-"),
        (("O",), "label map"),
    ],
)
def test_unusable_names(names: tuple[str, ...], hint: str) -> None:
    with pytest.raises(ModelError, match=hint):
        _read(*names)


def test_dropping_every_label_is_refused() -> None:
    with pytest.raises(ModelError, match="label map"):
        _read("O", "B-X", "I-X", X="")


def test_moves_into_i_need_its_label() -> None:
    names = bio_tags(["A", "B"])
    assert names == ["O", "B-A", "I-A", "B-B", "I-B"]
    tags = _read(*names)
    moves, start = tags.transition_scores(), tags.start_scores()
    for (i, origin), (j, to) in product(enumerate(names), enumerate(names)):
        allowed = to[0] != "I" or (origin[0] in "BI" and origin[2:] == to[2:])
        assert moves[i, j] == (0.0 if allowed else FORBIDDEN)
    assert [s == 0.0 for s in start] == [name[0] != "I" for name in names]


def test_io_tags_move_freely() -> None:
    tags = _read("O", "Gene", "Cell")
    assert not tags.transition_scores().any()
    assert not tags.start_scores().any()
