"""Log-probabilities of continuations, with each shared context encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from nlp.generation.cache import new_cache, repeat_rows
from nlp.generation.completion import Likelihood, Progress
from nlp.generation.errors import GenerationError
from nlp.generation.network import CausalNetwork
from nlp.ner.errors import DeviceError

Pair = tuple[Sequence[int], Sequence[int]]
"""Tokens of a context and of a continuation, at least one each."""


@dataclass(frozen=True)
class _Group:
    """A context and the continuations that follow it, each with its place in the input."""

    context: tuple[int, ...]
    places: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]

    @property
    def longest(self) -> int:
        return len(self.context) + max(map(len, self.continuations)) - 1


def score_pairs(
    network: CausalNetwork, pairs: Sequence[Pair], budget: int, progress: Progress | None = None
) -> list[Likelihood]:
    """Likelihood of each continuation after its context, in input order.

    What does not fit in the model's context is cut off on the left; the last token of a
    continuation is never fed, so that a row may have one token more than the context.

    Args:
        network: the model.
        pairs: at least one token on either side.
        budget: tokens in flight at most, padding included.
        progress: told how many pairs are done.

    Raises:
        GenerationError: a continuation is longer than the model's context.
        DeviceError: the forward pass failed, for a lack of memory or a broken device.
        ModelError: the tokenizer is not the model's.
    """
    network.check_tokens(tokens for pair in pairs for tokens in pair)
    done: dict[int, Likelihood] = {}
    groups = [part for group in _groups(network, pairs) for part in _within(group, budget)]
    for batch in _batches(groups, budget):
        for place, likelihood in _score_batch(network, batch):
            done[place] = likelihood
        if progress:
            progress(len(done))
    return [done[place] for place in range(len(pairs))]


def _groups(network: CausalNetwork, pairs: Sequence[Pair]) -> list[_Group]:
    members: dict[tuple[int, ...], list[tuple[int, tuple[int, ...]]]] = {}
    for place, (context, continuation) in enumerate(pairs):
        if len(continuation) > network.context:
            raise GenerationError(
                f"a continuation of {len(continuation)} tokens is longer than the model's context "
                f"of {network.context}"
            )
        room = network.context + 1 - len(continuation)
        members.setdefault(tuple(context[-room:]), []).append((place, tuple(continuation)))
    return [
        _Group(context, tuple(p for p, _ in group), tuple(c for _, c in group))
        for context, group in members.items()
    ]


def _within(group: _Group, budget: int) -> Iterator[_Group]:
    """A group in parts that the budget holds; its context is encoded for each."""
    return _parts(group, max(1, budget // group.longest))


def _parts(group: _Group, most: int) -> Iterator[_Group]:
    """A group in parts of at most so many continuations."""
    for first in range(0, len(group.places), most):
        part = slice(first, first + most)
        yield _Group(group.context, group.places[part], group.continuations[part])


def _batches(groups: Sequence[_Group], budget: int) -> Iterator[list[_Group]]:
    """Groups of like length, longest first; those of one continuation apart from the others."""
    for shared in (False, True):
        chosen = [group for group in groups if (len(group.places) > 1) == shared]
        batch: list[_Group] = []
        rows = 0
        for group in sorted(chosen, key=lambda group: -group.longest):
            if batch and (rows + len(group.places)) * batch[0].longest > budget:
                yield batch
                batch, rows = [], 0
            batch.append(group)
            rows += len(group.places)
        if batch:
            yield batch


def _score_batch(network: CausalNetwork, batch: Sequence[_Group]) -> list[tuple[int, Likelihood]]:
    """Score a batch; one that does not fit in the GPU's memory is halved and tried again."""
    score: Callable[[CausalNetwork, Sequence[_Group]], list[tuple[int, Likelihood]]]
    score = _score_shared if len(batch[0].places) > 1 else _score_whole
    try:
        with torch.inference_mode():
            return score(network, batch)
    except torch.cuda.OutOfMemoryError as error:
        if len(batch) == 1 and len(batch[0].places) == 1:
            raise DeviceError("not enough GPU memory for one continuation") from error
        torch.cuda.empty_cache()
    except RuntimeError as error:  # known token ids cannot provoke one
        raise DeviceError("the forward pass of the language model failed") from error
    halves = _halves(batch)
    return [scored for half in halves for scored in _score_batch(network, half)]


def _halves(batch: Sequence[_Group]) -> list[list[_Group]]:
    if len(batch) > 1:
        middle = len(batch) // 2
        return [list(batch[:middle]), list(batch[middle:])]
    group = batch[0]
    return [[half] for half in _parts(group, -(-len(group.places) // 2))]


def _score_whole(network: CausalNetwork, batch: Sequence[_Group]) -> list[tuple[int, Likelihood]]:
    """Contexts with one continuation each, in one forward pass."""
    rows = [[*group.context, *group.continuations[0][:-1]] for group in batch]
    longest = max(len(group.continuations[0]) for group in batch)
    logits = network.forward(*network.pad_left(rows), keep=longest)
    return [
        (
            group.places[0],
            _read(logits[number, -len(group.continuations[0]) :], group.continuations[0]),
        )
        for number, group in enumerate(batch)
    ]


def _score_shared(network: CausalNetwork, batch: Sequence[_Group]) -> list[tuple[int, Likelihood]]:
    """Each context once; its keys and values then serve all its continuations."""
    cache = new_cache()
    tokens, mask = network.pad_left([group.context for group in batch])
    first = network.forward(tokens, mask, cache)
    owners = [number for number, group in enumerate(batch) for _ in group.places]
    continuations = [tokens for group in batch for tokens in group.continuations]
    longest = max(map(len, continuations))
    logits = first[owners]
    if longest > 1:
        repeat_rows(cache, owners)
        fed = [[*tokens[:-1], *[0] * (longest - len(tokens))] for tokens in continuations]
        more = torch.ones((len(fed), longest - 1), dtype=mask.dtype, device=mask.device)
        # Padding follows the tokens that are read, so causality hides it.
        following = network.forward(
            network.tensor(fed), torch.cat([mask[owners], more], 1), cache, keep=longest - 1
        )
        logits = torch.cat([logits, following], 1)
    places = [place for group in batch for place in group.places]
    return [
        (place, _read(rows[: len(tokens)], tokens))
        for place, tokens, rows in zip(places, continuations, logits, strict=True)
    ]


def _read(logits: torch.Tensor, tokens: Sequence[int]) -> Likelihood:
    """Likelihood of tokens from the logits at their places, ``(tokens, vocabulary)``."""
    wanted = torch.tensor(tokens, device=logits.device)
    scores = logits.float().log_softmax(-1)
    total = float(scores.gather(1, wanted[:, None]).sum())
    greedy = bool((scores.argmax(-1) == wanted).all())
    return Likelihood(total, len(tokens), greedy)
