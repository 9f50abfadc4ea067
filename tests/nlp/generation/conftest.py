from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from nlp.generation.model import LocalTextModel, load_text_model
from nlp.generation.source import find_text_model
from nlp.ner.device import choose_device
from tests.language_models import make_biogpt, make_gpt2

CPU = choose_device("cpu", "fp32")


def make_llama(folder: Path) -> Path:
    """A random model with rotary positions and grouped keys, and GPT-2's form of tokenizer."""
    make_gpt2(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for stale in ("config.json", "model.safetensors", "generation_config.json"):
        (folder / stale).unlink(missing_ok=True)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


FORMS: dict[str, Callable[[Path], Path]] = {
    "gpt2": make_gpt2,
    "biogpt": make_biogpt,
    "llama": make_llama,
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = tmp_path_factory.mktemp("causal")
    return {form: make(made / form) for form, make in FORMS.items()}


@pytest.fixture(scope="session")
def models(folders: dict[str, Path]) -> dict[str, LocalTextModel]:
    return {
        form: load_text_model(find_text_model(str(folder)), CPU) for form, folder in folders.items()
    }


@pytest.fixture(params=list(FORMS))
def model(
    request: pytest.FixtureRequest, models: dict[str, LocalTextModel]
) -> Iterator[LocalTextModel]:
    chosen = models[request.param]
    budget, rows = chosen.batch_tokens, chosen.batch_rows
    yield chosen
    chosen.batch_tokens, chosen.batch_rows = budget, rows
