"""Tiny token classifiers in real folders, made here, so that no test needs a trained model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

from nlp.ner.device import choose_device
from nlp.ner.engine import NerEngine
from nlp.ner.model import LoadedModel, load_model
from nlp.ner.source import find_model

TAGS = ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease")
WORD_TAGS = {
    "aspirin": "B-Chemical",
    "acid": "I-Chemical",
    "cancer": "B-Disease",
    "fever": "B-Disease",
    "cell": "I-Disease",
    "ards": "B-Disease",
}
"""What the obedient model tags, by word; every other token is O."""

MakeModel = Callable[..., Path]


def _vocabulary() -> list[str]:
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return [*specials, *WORD_TAGS, *letters, *(f"##{letter}" for letter in letters)]


def _network(tags: tuple[str, ...], seed: int, spread: float) -> BertForTokenClassification:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(_vocabulary()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=spread,
        id2label=dict(enumerate(tags)),
        label2id={tag: index for index, tag in enumerate(tags)},
    )
    return BertForTokenClassification(config).eval()


def _obey(network: BertForTokenClassification) -> None:
    """Set weights so that a token's tag depends on the token alone: no layer adds anything."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "LayerNorm" not in name:
                parameter.zero_()
        embeddings = network.bert.embeddings.word_embeddings.weight
        for row, piece in enumerate(_vocabulary()):
            embeddings[row, TAGS.index(WORD_TAGS.get(piece, "O"))] = 1.0
        for tag in range(len(TAGS)):
            network.classifier.weight[tag, tag] = 10.0  # sure of itself


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """Save a classifier in a new folder: a random one, or one that obeys ``WORD_TAGS``."""

    def make(
        *,
        obedient: bool = False,
        tags: tuple[str, ...] = TAGS,
        seed: int = 1,
        spread: float = 0.5,  # wide, so that tags vary
    ) -> Path:
        network = _network(tags, seed, spread)
        if obedient:
            _obey(network)
        folder = tmp_path_factory.mktemp("models") / ("obedient" if obedient else "random")
        network.save_pretrained(folder)
        tokenizer = BertTokenizerFast(vocab={p: i for i, p in enumerate(_vocabulary())})
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def obedient_folder(make_model: MakeModel) -> Path:
    """A model whose tags are known in advance."""
    return make_model(obedient=True)


@pytest.fixture(scope="session")
def random_folder(make_model: MakeModel) -> Path:
    """A model that tags by context, at random."""
    return make_model()


def _load(folder: Path) -> LoadedModel:
    return load_model(find_model(str(folder)), choose_device("cpu", "fp32"))


@pytest.fixture(scope="session")
def obedient_model(obedient_folder: Path) -> LoadedModel:
    return _load(obedient_folder)


@pytest.fixture(scope="session")
def random_model(random_folder: Path) -> LoadedModel:
    return _load(random_folder)


@pytest.fixture(scope="session")
def obedient(obedient_model: LoadedModel) -> NerEngine:
    return NerEngine(obedient_model)


@pytest.fixture(scope="session")
def erratic(random_model: LoadedModel) -> NerEngine:
    return NerEngine(random_model)
