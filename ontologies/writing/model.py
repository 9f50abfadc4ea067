"""A causal language model on its device: how likely it goes on in some way.

Imports torch and transformers; import it where it is used, not where a store is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForCausalLM, DynamicCache

from ontologies.encoder import choose_device
from ontologies.errors import OntologyError
from ontologies.pretrained import Pretrained
from ontologies.writing.settings import MENTION
from ontologies.writing.source import WriterSource, find_writer
from ontologies.writing.trie import LONGEST

MAX_PROMPT = 96
"""Tokens of a prompt at most; longer names lose words at their end."""

STRIDE = 8
"""Texts are padded to a multiple of so many tokens."""

_CPU_TOKENS, _CPU_ROWS = 512, 64
_CUDA_TOKENS, _CUDA_ROWS = 32_768, 2048
_CUDA_LOGITS = 1 << 29
"""Logits at once, 2 GB of them: large vocabularies get smaller batches."""


class Writer:
    """A language model and its tokenizer.

    **Company.** Rows are padded to the next multiple of :data:`STRIDE` tokens, whatever they come
    with. On a CPU every batch of a length has the same shape, filled up where rows are missing, so
    that the same kernels run whatever comes along: what is found is the same to the last digit
    alone and among others. On CUDA it agrees to the rounding of the number format.

    Attributes:
        source: where it came from.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        end: the token that ends a name.
        longest: tokens of a name at most, its end included, as the model's context allows.
        rows: sequences that are gone on with at once.
    """

    def __init__(self, source: WriterSource, device: str = "auto") -> None:
        """Load weights and tokenizer; fp32 on a CPU, bf16 on CUDA.

        Raises:
            OntologyError: the device is not there, the files cannot be loaded, lack weights, or
                the tokenizer has no token for an end.
        """
        self.source = source
        self.device = choose_device(device)
        on_cpu = self.device == "cpu"
        files = Pretrained("language model", source.name, source.folder)
        self._tokenizer = _load_tokenizer(files)
        network = files.network(
            AutoModelForCausalLM,
            torch.float32 if on_cpu else torch.bfloat16,
            "a whole causal language model",
        )
        self._network = network.eval().to(self.device)
        if self._tokenizer.eos_token_id is None:
            raise OntologyError(
                f"language model {source.name}: its tokenizer has no end token (eos_token), so that"
                " no name would end; give one in tokenizer_config.json"
            )
        self.end = int(self._tokenizer.eos_token_id)
        config = self._network.config
        self._context = int(getattr(config, "max_position_embeddings", 0) or 1024)
        self._prompt = min(MAX_PROMPT, self._context // 2)
        self.longest = min(LONGEST, self._context - self._prompt)
        self.rows = _CPU_ROWS if on_cpu else _CUDA_ROWS
        on_cuda = min(_CUDA_TOKENS, _CUDA_LOGITS // int(config.vocab_size))
        self._budget = _CPU_TOKENS if on_cpu else on_cuda

    @classmethod
    def open(cls, name: str, device: str = "auto") -> Writer:
        """Find a model by name (see ``find_writer``) and load it."""
        return cls(find_writer(name), device)

    def prompts(self, names: Sequence[str], template: str) -> list[list[int]]:
        """Tokens of the prompts for names; a name that is too long loses words at its end."""
        return [self._prompt_of(name, template) for name in names]

    def names(self, names: Sequence[str], template: str) -> list[list[int]]:
        """Tokens of names as they stand after a prompt, without an end.

        They are cut from the tokens of the template's last word and the name: some tokenizers make
        a name at the beginning of a text into other tokens than after a word.
        """
        if not names:
            return []
        last = template.split()[-1]
        own = self._tokens([last])[0]
        tokens = self._tokens([f"{last} {name}" for name in names])
        if any(its[: len(own)] != own for its in tokens):
            raise OntologyError(
                f"language model {self.source.name}: its tokenizer joins the template's last word "
                "to what follows; end link.writer_template by a plain word"
            )
        return [its[len(own) :] for its in tokens]

    def likelihoods(
        self, prompts: Sequence[Sequence[int]], names: Sequence[Sequence[int]]
    ) -> npt.NDArray[np.float64]:
        """How likely each prompt goes on by a name and its end, shape (pairs,): see ``share``.

        Args:
            prompts: of each pair, not empty.
            names: of each pair, without an end.
        """
        found = np.zeros(len(prompts))
        texts = [[*p, *n, self.end] for p, n in zip(prompts, names, strict=True)]
        for rows in batches([len(text) for text in texts], self._budget, self.device == "cpu"):
            # What stands after a name has no say in it, so that padding needs no mask.
            length = min(padded(len(texts[rows[0]])), self._context)
            its = [texts[row] + [self.end] * (length - len(texts[row])) for row in rows]
            ids = torch.tensor(its, device=self.device)
            with torch.inference_mode():
                logits = self._network(input_ids=ids, use_cache=False).logits[:, :-1].float()
                told = torch.log_softmax(logits, dim=-1).gather(2, ids[:, 1:, None])[:, :, 0]
            nats = told.double().cpu().numpy()
            for at, row in enumerate(rows):
                first, tokens = len(prompts[row]) - 1, len(names[row]) + 1
                found[row] = share(nats[at, first : first + tokens].sum(), tokens)
        return found

    def begin(self, prompts: Sequence[Sequence[int]]) -> State:
        """Read prompts that are padded to one length, to go on from their ends."""
        length = padded(len(prompts[0]))
        left = [length - len(prompt) for prompt in prompts]
        ids = [[self.end] * pad + list(its) for pad, its in zip(left, prompts, strict=True)]
        mask = [[0] * pad + [1] * (length - pad) for pad in left]
        cache = DynamicCache(config=self._network.config)
        return self._advance(
            torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device), cache
        )

    def go_on(self, state: State, parent: npt.NDArray[np.int64], token: Sequence[int]) -> State:
        """Put a token after some rows of a state, each the next row's parent as often as wanted."""
        rows = torch.from_numpy(parent).to(self.device)
        state.cache.batch_select_indices(rows)
        ids = torch.tensor(token, device=self.device)[:, None]
        return self._advance(
            ids, torch.cat([state.mask[rows], torch.ones_like(ids)], 1), state.cache
        )

    def _advance(self, ids: torch.Tensor, mask: torch.Tensor, cache: DynamicCache) -> State:
        with torch.inference_mode():
            place = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            out = self._network(
                input_ids=ids,
                attention_mask=mask,
                position_ids=place,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            return State(cache, mask, torch.log_softmax(out.logits[:, -1].float(), dim=-1))

    def _prompt_of(self, name: str, template: str) -> list[int]:
        words = name.split() or [""]
        while True:
            text = template.replace(MENTION, " ".join(words))
            ids: list[int] = list(self._tokenizer(text)["input_ids"])
            if len(ids) > 1 and ids[-1] == self.end:  # some tokenizers end every text
                ids.pop()
            if len(ids) <= self._prompt:
                return ids
            if len(words) == 1:
                return ids[: self._prompt // 2] + ids[-(self._prompt - self._prompt // 2) :]
            words = words[: len(words) * 3 // 4]

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = self._tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return ids


class State:
    """How far some rows have been read, and what may come next.

    Attributes:
        cache: keys and values of what was read.
        mask: 1 for what was read and 0 for padding, shape (rows, tokens read).
        nats: log-probabilities of every next token, shape (rows, vocabulary).
    """

    def __init__(self, cache: DynamicCache, mask: torch.Tensor, nats: torch.Tensor) -> None:
        """Hold them."""
        self.cache, self.mask, self.nats = cache, mask, nats

    def of(
        self, row: npt.NDArray[np.int64], token: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Log-probabilities of some tokens after some rows, shape (tokens,)."""
        device = self.nats.device
        at = torch.from_numpy(row).to(device), torch.from_numpy(token).to(device)
        return np.asarray(self.nats[at].double().cpu().numpy())


def share(nats: Any, tokens: Any) -> Any:
    """Log-probability of a name as a score in 0 to 1: the geometric mean of its tokens'.

    So that long names are not behind for their length alone.
    """
    return np.exp(nats / tokens)


def _load_tokenizer(files: Pretrained) -> Any:
    tokenizer = files.tokenizer()
    # A name's </s> means those letters.
    tokenizer.split_special_tokens = True
    if hasattr(tokenizer, "backend_tokenizer"):
        tokenizer.backend_tokenizer.encode_special_tokens = True
    return tokenizer


def padded(length: int) -> int:
    """The length that a text of so many tokens is padded to."""
    return -(-length // STRIDE) * STRIDE


def batches(lengths: Sequence[int], budget: int, fill: bool = False) -> Iterator[list[int]]:
    """Rows of one padded length, as many as the budget of tokens holds.

    Args:
        lengths: tokens of each row.
        budget: tokens of a batch, padding included.
        fill: repeat a batch's first row until it is as large as others of its length.
    """
    length = np.array([padded(its) for its in lengths], dtype=np.int64)
    order = np.argsort(length, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(length[order])) + 1):
        size = max(1, budget // int(length[group[0]])) if len(group) else 1
        for start in range(0, len(group), size):
            rows = group[start : start + size].tolist()
            yield rows + [rows[0]] * (size - len(rows) if fill else 0)
