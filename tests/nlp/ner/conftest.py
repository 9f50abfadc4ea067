"""A tiny BioGPT token classifier in a real folder, its vocabulary trained on texts given."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.trainers import BpeTrainer
from transformers import BioGptConfig, BioGptForTokenClassification

from nlp.ner.biogpt.moses import cut_words, spell

BIOGPT_TAGS = ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease")
BIOGPT_TEXTS = (
    "Aspirin-induced asthma wasn't seen in 5,300 patients (e.g. Dr. Smith's cohort); see No. 7.",
    'Mg2+ and "5-fluorouracil" at <10 mg/kg & more... the patient\'s blood pressure was high.',
    "SUBJECTIVE:,  This is a 29-year-old female, last seen on 07/13/04.  Her hands are dry.",
    "Follow-up of the well-known cancer cell lines: no fever, no cough; aspirin was given.",
)
"""Invented sentences with what Moses' rules and escapes are about."""

MakeBioGpt = Callable[..., Path]


def _write_vocabulary(folder: Path, texts: Sequence[str], size: int) -> int:
    """Write ``vocab.json`` and ``merges.txt`` in fairseq's form; returns the vocabulary's size."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = WhitespaceSplit()
    trainer = BpeTrainer(vocab_size=size, end_of_word_suffix="</w>", show_progress=False)
    words = [" ".join(spell(word)[0] for word in cut_words(text)[0]) for text in texts]
    tokenizer.train_from_iterator(words, trainer)
    trained = json.loads(tokenizer.to_str())["model"]
    # fairseq counts pieces after the merges were learnt: rare ones are missing from its dictionary.
    kept = [piece for row, piece in enumerate(trained["vocab"]) if row % 29]
    vocabulary = {piece: row for row, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *kept])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    counted = enumerate(trained["merges"])
    lines = [f"{first} {second} {len(trained['merges']) - row}" for row, (first, second) in counted]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return len(vocabulary)


@pytest.fixture(scope="session")
def make_biogpt(tmp_path_factory: pytest.TempPathFactory) -> MakeBioGpt:
    """Save a random BioGPT classifier; at most ``size`` pieces, ``context`` tokens in a window."""

    def make(
        texts: Sequence[str] = BIOGPT_TEXTS,
        *,
        size: int = 400,
        context: int = 64,
        tags: tuple[str, ...] = BIOGPT_TAGS,
        seed: int = 1,
    ) -> Path:
        folder = tmp_path_factory.mktemp("biogpt") / "random-biogpt"
        folder.mkdir()
        torch.manual_seed(seed)
        config = BioGptConfig(
            vocab_size=_write_vocabulary(folder, texts, size),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=context,
            initializer_range=0.5,  # wide, so that tags vary
            id2label=dict(enumerate(tags)),
            label2id={tag: index for index, tag in enumerate(tags)},
        )
        BioGptForTokenClassification(config).save_pretrained(folder)
        settings = {"tokenizer_class": "BioGptTokenizer", "model_max_length": context}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def biogpt_folder(make_biogpt: MakeBioGpt) -> Path:
    """A BioGPT classifier that tags by left context, at random."""
    return make_biogpt()
