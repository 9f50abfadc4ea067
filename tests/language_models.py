"""Small causal language models in real folders, of the architectures of BioMedLM and BioGPT.

Their weights are random; :func:`teach` trains one until it knows what it is shown, so that its
answers can be right or wrong.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, WhitespaceSplit
from tokenizers.trainers import BpeTrainer
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BioGptConfig,
    BioGptForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from nlp.ner.biogpt.moses import cut_words, spell

END = "<|endoftext|>"

TEXTS = (
    "Aspirin lowers the risk of stroke in patients with atrial fibrillation.",
    "Question: Does metformin cause lactic acidosis? Answer: rarely, in renal failure.",
    "the relation between lithium and tremor exists.",
    "A 29-year-old woman was treated with 5-fluorouracil; she recovered (p<0.05).",
)
"""Invented sentences that a vocabulary is learnt from where a test gives none."""


def make_gpt2(
    folder: Path,
    texts: Sequence[str] = TEXTS,
    *,
    size: int = 512,
    context: int = 256,
    width: int = 48,
    layers: int = 2,
    heads: int = 4,
    seed: int = 1,
) -> Path:
    """Save a random GPT-2 with a byte-level vocabulary of at most ``size`` tokens.

    As GPT-2 and BioMedLM, it has no padding token and begins no text with a special one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, bos_token=END, model_max_length=context
    ).save_pretrained(folder)
    torch.manual_seed(seed)
    end = tokenizer.token_to_id(END)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=context,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        bos_token_id=end,
        eos_token_id=end,
        initializer_range=0.2,  # wide, so that what is written varies
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def make_biogpt(
    folder: Path,
    texts: Sequence[str] = TEXTS,
    *,
    size: int = 512,
    context: int = 256,
    width: int = 48,
    layers: int = 2,
    seed: int = 1,
) -> Path:
    """Save a random BioGPT with a vocabulary in fairseq's form: ``vocab.json``, ``merges.txt``."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = WhitespaceSplit()
    trainer = BpeTrainer(vocab_size=size, end_of_word_suffix="</w>", show_progress=False)
    words = [" ".join(spell(word)[0] for word in cut_words(text)[0]) for text in texts]
    tokenizer.train_from_iterator(words, trainer)
    trained = json.loads(tokenizer.to_str())["model"]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *trained["vocab"]]
    vocabulary = {piece: row for row, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    merges = trained["merges"]
    lines = [f"{first} {second} {len(merges) - row}" for row, (first, second) in enumerate(merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    settings = {"tokenizer_class": "BioGptTokenizer", "model_max_length": context}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    torch.manual_seed(seed)
    config = BioGptConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=context,
        initializer_range=0.2,
    )
    BioGptForCausalLM(config).save_pretrained(folder)
    return folder


def teach(folder: Path, texts: Sequence[str], *, steps: int = 150, rate: float = 3e-3) -> float:
    """Train a model in its folder on whole texts, each ended; returns the last mean loss.

    A few short texts are learnt by heart in seconds.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder)
    end = network.config.eos_token_id
    rows = [[*tokenizer(text)["input_ids"], end] for text in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [end] * (longest - len(row)) for row in rows])
    labels = torch.tensor([row + [-100] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
    network.train()
    loss = torch.tensor(0.0)
    for _ in range(steps):
        loss = network(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    network.eval().save_pretrained(folder)
    return float(loss.detach())
