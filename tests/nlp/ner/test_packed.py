"""The packed forward pass is the network's own, value for value and gradient for gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertForTokenClassification

from nlp.ner.model import LoadedModel
from nlp.ner.packed import PackedClassifier, can_pack, pack, training_hidden

LENGTHS = (7, 1, 30, 12)


@pytest.fixture
def network(random_model: LoadedModel) -> BertForTokenClassification:
    assert isinstance(random_model.network, BertForTokenClassification)
    return random_model.network


def _sequences() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(5, 60, length) for length in LENGTHS]


def _types(sequences: list[np.ndarray]) -> list[np.ndarray]:
    return [np.arange(len(sequence)) % 2 for sequence in sequences]


def _alone(network: BertForTokenClassification) -> list[torch.Tensor]:
    """Last hidden states of each sequence, one at a time, through transformers."""
    sequences = _sequences()
    return [
        network.bert(
            input_ids=torch.from_numpy(ids)[None], token_type_ids=torch.from_numpy(types)[None]
        ).last_hidden_state[0]
        for ids, types in zip(sequences, _types(sequences), strict=True)
    ]


def test_hidden_states_in_training(network: BertForTokenClassification) -> None:
    sequences = _sequences()
    hidden = training_hidden(network.bert, pack(sequences, _types(sequences)), dropout=0.0)
    torch.testing.assert_close(hidden, torch.cat(_alone(network)), atol=1e-5, rtol=1e-5)


def test_gradients_in_training(network: BertForTokenClassification) -> None:
    sequences = _sequences()
    weight = network.bert.encoder.layer[0].attention.self.key.weight
    packed = training_hidden(network.bert, pack(sequences, _types(sequences)), dropout=0.0)
    (own,) = torch.autograd.grad(packed.pow(3).sum(), weight)
    (expected,) = torch.autograd.grad(torch.cat(_alone(network)).pow(3).sum(), weight)
    torch.testing.assert_close(own, expected, atol=1e-3, rtol=1e-3)


def test_dropout_drops(network: BertForTokenClassification) -> None:
    sequences = _sequences()
    batch = pack(sequences, _types(sequences))
    one, other = (training_hidden(network.bert, batch, dropout=0.5) for _ in range(2))
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("rows", [[0], [0, 6, 8, 37, 49], list(range(50))])
def test_logits_of_chosen_tokens(network: BertForTokenClassification, rows: list[int]) -> None:
    sequences = _sequences()
    with torch.inference_mode():
        logits = PackedClassifier(network).logits(
            pack(sequences, _types(sequences)), torch.tensor(rows)
        )
        expected = network.classifier(torch.cat(_alone(network)))[rows]
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


def test_other_networks_are_not_packed(
    network: BertForTokenClassification, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert can_pack(network)
    monkeypatch.setattr(network.config, "hidden_act", "relu")
    assert not can_pack(network)
    assert not can_pack(torch.nn.Linear(2, 2))
