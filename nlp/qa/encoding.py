"""Options as rows of tokens for a head, and rows as batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nlp.qa.errors import QuestionError
from nlp.qa.layout import PAIR, Layout
from nlp.qa.question import Question


@dataclass(frozen=True)
class Row:
    """Tokens of a question with one option; ``types`` tell a pair's two texts apart."""

    tokens: tuple[int, ...]
    types: tuple[int, ...]


@dataclass(frozen=True)
class EncodedQuestion:
    """A row for each option; what was cut, at most over the options, see ``OptionScores``."""

    rows: tuple[Row, ...]
    cut_tokens: int
    cut_question: bool


class OptionEncoder:
    """Lays out questions for a model's head. Scoring and training both use it.

    What does not fit loses the beginning of its context; a question that does not fit without its
    context loses its own beginning. An option is never cut.
    """

    def __init__(self, tokenizer: Any, layout: Layout) -> None:
        """Take transformers' tokenizer of the model and the layout of its folder."""
        self.layout = layout
        self.pad = next(
            (t for t in (tokenizer.pad_token_id, tokenizer.eos_token_id) if t is not None), 0
        )
        self._tokenizer = tokenizer
        self._special = _SpecialTokens.of(tokenizer, pair=layout.layout == PAIR)

    def encode(self, question: Question) -> EncodedQuestion:
        """One row per option.

        Raises:
            QuestionError: an option does not fit by itself.
        """
        pair = self.layout.layout == PAIR
        asked = question.text.strip()
        if pair:
            context = self._tokens(question.context)
            words, lead = self._tokens(asked), ""
        else:
            context = self._tokens(f"{question.context}\n" if question.context else "")
            words, lead = self._tokens(f"Question: {asked}"), "\nAnswer: "
        rows, cut, cut_question = [], 0, False
        for option in question.options:
            tail = self._tokens(f"{lead}{option}" if lead or not context else f" {option}")
            room = self.layout.max_tokens - self._special.count - len(tail)
            if room < 1:
                raise QuestionError(
                    f"an option of {len(tail)} tokens leaves no room for its question in "
                    f"{self.layout.max_tokens} tokens; use a model with a longer context"
                )
            kept = words[-room:]
            before = context[max(0, len(context) - (room - len(kept))) :]
            cut = max(cut, len(context) - len(before))
            cut_question = cut_question or len(kept) < len(words)
            rows.append(
                self._special.pair(before, kept + tail)
                if pair and context
                else self._special.pair(kept, tail)
                if pair
                else self._special.single(before + kept + tail)
            )
        return EncodedQuestion(tuple(rows), cut, cut_question)

    def _tokens(self, text: str) -> list[int]:
        if not text.strip():  # some tokenizers cannot take an empty one
            return []
        encoded = self._tokenizer(text, add_special_tokens=False, verbose=False)
        return [int(token) for token in encoded["input_ids"]]


@dataclass(frozen=True)
class _SpecialTokens:
    """What a tokenizer puts before, between and after texts, and the type of each token."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    typed: bool

    @property
    def count(self) -> int:
        return len(self.before) + len(self.between) + len(self.after)

    @classmethod
    def of(cls, tokenizer: Any, *, pair: bool) -> _SpecialTokens:
        """Read off an encoded example; its words must be found between the special ones."""
        first = list(tokenizer("a", add_special_tokens=False)["input_ids"])
        if not pair:
            whole = list(tokenizer("a")["input_ids"])
            at = _place(whole, first, 0)
            return cls(tuple(whole[:at]), (), tuple(whole[at + len(first) :]), False)
        encoded = tokenizer("a", "a")
        whole = list(encoded["input_ids"])
        at = _place(whole, first, 0)
        then = _place(whole, first, at + len(first))
        types = list(encoded.get("token_type_ids") or [0])
        return cls(
            tuple(whole[:at]),
            tuple(whole[at + len(first) : then]),
            tuple(whole[then + len(first) :]),
            any(types),
        )

    def single(self, tokens: Sequence[int]) -> Row:
        row = (*self.before, *tokens, *self.after)
        return Row(row, (0,) * len(row))

    def pair(self, first: Sequence[int], second: Sequence[int]) -> Row:
        head = (*self.before, *first, *self.between)
        tail = (*second, *self.after)
        return Row((*head, *tail), (0,) * len(head) + (int(self.typed),) * len(tail))


def _place(tokens: Sequence[int], part: Sequence[int], start: int) -> int:
    for at in range(start, len(tokens) - len(part) + 1):
        if list(tokens[at : at + len(part)]) == list(part):
            return at
    raise QuestionError("the tokenizer takes no pairs of texts; its model cannot score options")


def collate(rows: Sequence[Row], pad: int) -> dict[str, torch.Tensor]:
    """Rows padded on the right: input_ids, attention_mask, token_type_ids, each (rows, longest)."""
    longest = max(len(row.tokens) for row in rows)
    spaces = [longest - len(row.tokens) for row in rows]
    pairs = list(zip(rows, spaces, strict=True))
    return {
        "input_ids": torch.tensor([[*row.tokens, *[pad] * space] for row, space in pairs]),
        "attention_mask": torch.tensor([[1] * len(row.tokens) + [0] * s for row, s in pairs]),
        "token_type_ids": torch.tensor([[*row.types, *[0] * space] for row, space in pairs]),
    }


def batches(rows: Sequence[Row], budget: int) -> Iterator[list[int]]:
    """Places of rows, longest first, so that a padded batch has at most ``budget`` tokens."""
    order = sorted(range(len(rows)), key=lambda place: -len(rows[place].tokens))
    batch: list[int] = []
    for place in order:
        if batch and (len(batch) + 1) * len(rows[batch[0]].tokens) > budget:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
