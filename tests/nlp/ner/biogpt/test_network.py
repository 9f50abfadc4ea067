"""What the engine relies on in BioGPT's network, so that an upgrade that changes it is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BioGptForTokenClassification

PAD = 1


@pytest.fixture(scope="module")
def network(biogpt_folder: Path) -> BioGptForTokenClassification:
    return BioGptForTokenClassification.from_pretrained(biogpt_folder).eval()


def _logits(
    network: BioGptForTokenClassification, rows: list[list[int]], width: int, left: bool = False
) -> list[torch.Tensor]:
    """Logits of each row's own tokens in a batch padded to ``width``."""
    ids = torch.full((len(rows), width), PAD)
    mask = torch.zeros(len(rows), width, dtype=torch.int64)
    places = [slice(width - len(row), width) if left else slice(0, len(row)) for row in rows]
    for number, (row, place) in enumerate(zip(rows, places, strict=True)):
        ids[number, place] = torch.tensor(row)
        mask[number, place] = 1
    with torch.inference_mode():
        logits = network(input_ids=ids, attention_mask=mask).logits
    return [logits[number, place] for number, place in enumerate(places)]


SHORT, LONG = [2, 20, 30, 40], [2, *range(10, 60)]


def test_right_padding_changes_nothing(network: BioGptForTokenClassification) -> None:
    (alone,) = _logits(network, [SHORT], len(SHORT))
    padded, _ = _logits(network, [SHORT, LONG], len(LONG))
    torch.testing.assert_close(padded, alone, atol=1e-5, rtol=1e-5)


def test_left_padding_moves_positions(network: BioGptForTokenClassification) -> None:
    (alone,) = _logits(network, [SHORT], len(SHORT))
    (padded,) = _logits(network, [SHORT], len(LONG), left=True)
    assert not torch.allclose(padded, alone, atol=1e-3)


def test_a_token_sees_only_what_stands_left_of_it(network: BioGptForTokenClassification) -> None:
    (full,) = _logits(network, [LONG], len(LONG))
    (part,) = _logits(network, [LONG[:20]], 20)
    torch.testing.assert_close(full[:20], part, atol=1e-5, rtol=1e-5)


def test_every_position_of_the_context_is_usable(network: BioGptForTokenClassification) -> None:
    size = network.config.max_position_embeddings
    (logits,) = _logits(network, [[20] * size], size)
    assert logits.isfinite().all()
    with pytest.raises(IndexError):
        _logits(network, [[20] * (size + 1)], size + 1)
