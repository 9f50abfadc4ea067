"""Options scored by a trained head: a linear score each, softmax over the question's options.

The form of transformers' ``AutoModelForMultipleChoice``. Since only encoders have that class, one
label of ``AutoModelForSequenceClassification`` serves all: it reads an encoder's pooled first
token, or a causal model's last token. Folders of ``*ForMultipleChoice`` are loaded too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForMultipleChoice, AutoModelForSequenceClassification

from nlp.ner.device import Device
from nlp.ner.errors import DeviceError
from nlp.ner.pretrained import load_pretrained, pretrained_tokenizer
from nlp.ner.source import ModelSource, read_config
from nlp.qa.encoding import OptionEncoder, Row, batches, collate
from nlp.qa.layout import read_layout
from nlp.qa.question import Question
from nlp.qa.scorer import HEAD, OptionScores, Progress

_QUESTIONS = 64
"""Questions whose rows are sorted into batches together."""


class HeadScorer:
    """A model with a head on its device; an :class:`~nlp.qa.scorer.OptionScorer`."""

    method = HEAD

    def __init__(self, name: str, network: Any, encoder: OptionEncoder, device: Device) -> None:
        """Put together what was loaded; see :func:`load_head`."""
        self.name = name
        self.network = network
        self.encoder = encoder
        self._device = device

    def scores(
        self, questions: Sequence[Question], progress: Progress | None = None
    ) -> list[OptionScores]:
        """Score the options of each question, in input order.

        Raises:
            QuestionError: an option does not fit into the model's context.
            DeviceError: the forward pass failed.
        """
        scored: list[OptionScores] = []
        for first in range(0, len(questions), _QUESTIONS):
            encoded = [self.encoder.encode(q) for q in questions[first : first + _QUESTIONS]]
            found = self._logits([row for each in encoded for row in each.rows])
            at = 0
            for each in encoded:
                scores = found[at : at + len(each.rows)].log_softmax(0).tolist()
                at += len(each.rows)
                scored.append(
                    OptionScores(
                        tuple(scores), cut_tokens=each.cut_tokens, cut_question=each.cut_question
                    )
                )
            if progress:
                progress(len(scored))
        return scored

    def _logits(self, rows: Sequence[Row]) -> torch.Tensor:
        found = torch.zeros(len(rows))
        try:
            with torch.inference_mode():
                for places in batches(rows, self._device.token_budget):
                    batch = collate([rows[place] for place in places], self.encoder.pad)
                    found[places] = option_logits(self.network, batch).float().cpu()
        except torch.OutOfMemoryError:
            raise DeviceError("not enough GPU memory to score options") from None
        except RuntimeError as error:
            raise DeviceError("the forward pass over options failed") from error
        return found


def option_logits(network: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The head's score of each row, shape (rows,); gradients flow where they are on."""
    inputs = {name: tensor.to(network.device) for name, tensor in batch.items()}
    if not getattr(network.config, "type_vocab_size", 0):
        inputs.pop("token_type_ids")
    if type(network).__name__.endswith("ForMultipleChoice"):
        inputs = {name: tensor.unsqueeze(1) for name, tensor in inputs.items()}  # one choice a row
    logits: torch.Tensor = network(**inputs).logits
    return logits.reshape(-1)


def load_head(source: ModelSource, device: Device) -> HeadScorer:
    """Load a model with a head of one score.

    Raises:
        ModelError: its files cannot be loaded, or lack weights of the head.
    """
    layout = read_layout(source)
    architectures = [str(name) for name in read_config(source).get("architectures") or []]
    choice = any(name.endswith("ForMultipleChoice") for name in architectures)
    kind: Any = AutoModelForMultipleChoice if choice else AutoModelForSequenceClassification
    network = load_pretrained(kind, source, device.dtype, "fine-tune it for questions first")
    encoder = OptionEncoder(load_tokenizer(source), layout)
    network.config.pad_token_id = encoder.pad  # tells GPT-2's head where a row ends
    return HeadScorer(source.name, network.eval().to(device.name), encoder, device)


def load_tokenizer(source: ModelSource) -> Any:
    """A model's tokenizer; rows are cut here, so it warns of no length.

    Raises:
        ModelError: its files cannot be loaded.
    """
    tokenizer = pretrained_tokenizer(source)
    tokenizer.model_max_length = 10**12
    return tokenizer
