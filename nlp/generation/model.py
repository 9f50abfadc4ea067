"""A causal language model, loaded onto its device: any that transformers has, by its folder.

Rows are padded on the left and masked, so that what a prompt yields does not hang on its
neighbours, but for rounding: a product of matrices of another shape may be summed in another order.
In fp32 that never decided between two tokens in our tests; in bf16, with three digits, it may.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

from nlp.generation.codec import Codec
from nlp.generation.completion import Completion, Likelihood, Progress, Prompt, Sampling
from nlp.generation.decoding import MAX_ROWS, Decoder
from nlp.generation.likelihood import score_pairs
from nlp.generation.network import CausalNetwork
from nlp.generation.source import CausalSource, check_causal
from nlp.ner.device import Device
from nlp.ner.errors import ModelError
from nlp.ner.pretrained import load_pretrained, pretrained_tokenizer, unreadable
from nlp.ner.source import ModelSource

_CPU_TOKENS = 8_192
_GPU_TOKENS = 262_144
_CPU_CACHE_BYTES = 2 * 1024**3
_GPU_CACHE_SHARE = 0.5
"""Of the memory that is free when the weights are there; the rest is for the forward pass."""

_CONTEXT_NAMES = ("n_positions", "max_position_embeddings", "n_ctx", "max_sequence_length")
_NO_BOUND = 1_000_000
_DEFAULT_CONTEXT = 2_048


class LocalTextModel:
    """A causal language model on its device; a :class:`~nlp.generation.completion.TextModel`.

    Attributes:
        name: its public name.
        network: the forward pass.
        codec: its tokenizer.
        batch_tokens: tokens in flight at most, padding and room for answers included.
        batch_rows: prompts in flight at most.
    """

    def __init__(
        self,
        name: str,
        network: CausalNetwork,
        codec: Codec,
        batch_tokens: int,
        batch_rows: int = MAX_ROWS,
    ) -> None:
        """Put together what was loaded; see :func:`load_text_model`."""
        self.name = name
        self.network = network
        self.codec = codec
        self.batch_tokens = batch_tokens
        self.batch_rows = batch_rows

    @property
    def context(self) -> int:
        """Tokens that prompt and completion may have together."""
        return self.network.context

    @cached_property
    def markup_tokens(self) -> int:
        """Tokens that a prompt has beside those of its texts: special ones, and a chat's marks."""
        return self.codec.count_markup()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones left out."""
        return self.codec.count(texts)

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, progress: Progress | None = None
    ) -> list[Completion]:
        """Complete each prompt, in input order.

        A prompt that does not fit loses its middle part. Its chat template is used where the model
        has one; else ``system`` is put before the text, with an empty line between.

        Raises:
            GenerationError: a setting makes no sense, or leaves no room for prompts.
            DeviceError: the forward pass failed, for a lack of memory or a broken device.
        """
        decoder = Decoder(
            self.network, self.codec, sampling, self.batch_tokens, most_rows=self.batch_rows
        )
        return decoder.complete(prompts, progress)

    def log_likelihoods(
        self, pairs: Sequence[tuple[str, str]], progress: Progress | None = None
    ) -> list[Likelihood]:
        """Likelihood of each continuation after its context, in input order.

        Tokens are those of EleutherAI's lm-evaluation-harness, so its scores can be compared.

        Raises:
            GenerationError: a continuation is empty or longer than the context.
            DeviceError: the forward pass failed, for a lack of memory or a broken device.
        """
        encoded = [self.codec.encode_pair(*pair) for pair in pairs]
        return score_pairs(self.network, encoded, self.batch_tokens, progress)


def load_text_model(
    source: ModelSource, device: Device, *, batch_tokens: int = 0
) -> LocalTextModel:
    """Load a causal language model, or a LoRA adapter merged into its base, onto the device.

    Args:
        source: its files, of :func:`~nlp.generation.source.find_text_model`.
        device: where it runs and in which number format.
        batch_tokens: tokens in flight at most; 0 = by device.

    Raises:
        ModelError: it is no causal language model, its files cannot be loaded, weights are missing
            from them, or its cache is no plain one of keys and values.
    """
    network, codec, context = load_parts(source, device)
    network = network.eval().to(device.name)
    budget = batch_tokens or token_budget(network.config, device)
    return LocalTextModel(source.name, CausalNetwork(network, device, context), codec, budget)


def load_parts(source: ModelSource, device: Device) -> tuple[Any, Codec, int]:
    """Network (in the device's number format, still on the CPU), tokenizer, and positions.

    Raises:
        ModelError: as :func:`load_text_model`.
    """
    parts = check_causal(source)
    tokenizer = pretrained_tokenizer(source, parts.tokenizer)
    network = _load_network(source, parts, device)
    if getattr(network, "_is_stateful", False):
        raise ModelError(
            f"model {source.name}: {type(network).__name__} keeps a state that cannot be cut to "
            "rows; use a model with attention only"
        )
    context = read_context(network.config, tokenizer)
    tokenizer.model_max_length = _NO_BOUND**2  # texts are cut here, not there
    return (
        network,
        _make_codec(source, tokenizer, network.config, network.generation_config),
        context,
    )


def load_codec(source: ModelSource) -> tuple[Any, Codec, int]:
    """Config, tokenizer and positions of a model, without its weights.

    Raises:
        ModelError: it is no causal language model, or its files cannot be loaded.
    """
    parts = check_causal(source)
    tokenizer = pretrained_tokenizer(source, parts.tokenizer)
    folder = parts.base.folder
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        generation = (
            GenerationConfig.from_pretrained(folder, local_files_only=True)
            if (folder / "generation_config.json").is_file()
            else None
        )
    except Exception as error:  # damaged files raise many unrelated kinds
        raise unreadable(source, error) from error
    context = read_context(config, tokenizer)
    tokenizer.model_max_length = _NO_BOUND**2
    return config, _make_codec(source, tokenizer, config, generation), context


def read_context(config: Any, tokenizer: Any) -> int:
    """Positions of a model: of its config, else of its tokenizer, as lm-evaluation-harness does."""
    config = getattr(config, "text_config", None) or config
    for name in _CONTEXT_NAMES:
        if value := getattr(config, name, None):
            return int(value)
    longest = int(tokenizer.model_max_length or 0)
    return longest if 0 < longest < _NO_BOUND else _DEFAULT_CONTEXT


def token_budget(config: Any, device: Device) -> int:
    """Tokens in flight: what half of the free memory holds of keys and values, within bounds."""
    config = getattr(config, "text_config", None) or config
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    kept = getattr(config, "num_key_value_heads", None) or heads
    token_bytes = 2 * config.num_hidden_layers * kept * width * device.dtype.itemsize
    if not device.on_cuda:
        return max(1, min(_CPU_TOKENS, int(_CPU_CACHE_BYTES // token_bytes)))
    free, _ = torch.cuda.mem_get_info(device.name)
    return max(1, min(_GPU_TOKENS, int(free * _GPU_CACHE_SHARE / token_bytes)))


def _load_network(source: ModelSource, parts: CausalSource, device: Device) -> Any:
    network = load_pretrained(
        AutoModelForCausalLM,
        source,
        device.dtype,
        "is it a causal language model?",
        parts.base.folder,
    )
    if not parts.adapter:
        return network
    from peft import PeftModel

    try:
        adapted = PeftModel.from_pretrained(network, str(parts.adapter), local_files_only=True)
        return adapted.merge_and_unload()
    except Exception as error:
        raise unreadable(source, error) from error


def _make_codec(source: ModelSource, tokenizer: Any, config: Any, generation: Any) -> Codec:
    """Beginning and end tokens: of the generation config, the config, else the tokenizer."""
    ends: set[int] = set()
    named = (
        getattr(generation, "eos_token_id", None),
        getattr(config, "eos_token_id", None),
        tokenizer.eos_token_id,
    )
    for value in named:
        if value is not None:
            ends.update([value] if isinstance(value, int) else value)
            break
    begins = tokenizer.bos_token_id
    prefix = begins if begins is not None else tokenizer.eos_token_id
    if prefix is None:
        raise ModelError(
            f"model {source.name}: its tokenizer has neither a token of a text's beginning nor "
            "one of its end; name one in tokenizer_config.json"
        )
    codec = Codec(tokenizer, int(prefix), frozenset(ends))
    try:
        codec.count_markup()
    except Exception as error:  # templates raise what they like
        raise ModelError(
            f"model {source.name}: its chat template cannot be used ({type(error).__name__}); mend "
            "chat_template.jinja or tokenizer_config.json"
        ) from error
    return codec
