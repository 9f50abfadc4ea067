"""A sequence classifier that assesses mentions, loaded onto its device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import (
    AutoModelForSequenceClassification,
    BertForSequenceClassification,
    PreTrainedModel,
)

from nlp.assertion import AssessorError
from nlp.assertion.labels import Labels
from nlp.assertion.marking import Ints, allow_markers, encode, mark
from nlp.assertion.result import Assertion, Assessed
from nlp.ner.device import Device
from nlp.ner.encoding import Encoder
from nlp.ner.errors import DeviceError, ModelError
from nlp.ner.model import load_tokenizer, make_encoder
from nlp.ner.packed import PackedBody, is_plain, pack
from nlp.ner.pretrained import load_pretrained
from nlp.ner.source import ModelSource
from nlp.ner.windows import Window, batch_windows

MULTI_LABEL = "multi_label_classification"
"""``problem_type`` of a model whose labels do not exclude each other."""


class ClassifierAssessor:
    """A loaded classifier.

    As in the NER engine, what plain BERT says of a mention does not depend on its batch.
    """

    def __init__(
        self,
        network: PreTrainedModel,
        encoder: Encoder,
        pad_token: int,
        labels: Labels,
        name: str,
        device: Device,
    ) -> None:
        """Wrap a network that is on the device already."""
        self._network = network
        self._encoder = encoder
        self._pad_token = pad_token
        self._labels = labels
        self._rule_id = f"model:{name}"
        self._device = device
        self._is_multi = network.config.problem_type == MULTI_LABEL
        self._body: PackedBody | None = None
        if isinstance(network, BertForSequenceClassification) and is_plain(network):
            self._body = PackedBody(network.bert)

    def assess(self, documents: Sequence[Assessed]) -> list[list[Assertion]]:
        """One assertion for every mention of every document, in the order given.

        Raises:
            DeviceError: the forward pass failed, for a lack of memory or a broken device.
        """
        marked = [mark(document, self._labels.marker) for document in documents]
        sequences = encode([m for of_one in marked for m in of_one], self._encoder)
        found = iter(self._assertions(sequences))
        return [[next(found) for _ in of_one] for of_one in marked]

    def _assertions(self, sequences: Sequence[Ints]) -> list[Assertion]:
        windows = [Window(i, 0, len(ids), 0, len(ids)) for i, ids in enumerate(sequences)]
        result = [Assertion()] * len(sequences)
        padded = self._body is None
        for batch in batch_windows(windows, self._device.token_budget, padded=padded):
            logits = self._logits([sequences[window.sequence] for window in batch])
            for window, row in zip(batch, logits, strict=True):
                chosen = np.flatnonzero(row > 0) if self._is_multi else [row.argmax()]
                result[window.sequence] = self._labels.assertion(
                    [int(label) for label in chosen], self._rule_id
                )
        return result

    def _logits(self, batch: Sequence[Ints]) -> NDArray[np.float32]:
        """Shape (sequences, labels); a batch too large for the GPU is halved and tried again."""
        try:
            with torch.inference_mode():
                run = self._run_packed if self._body else self._run_padded
                logits: NDArray[np.float32] = run(batch).float().cpu().numpy()
                return logits
        except torch.cuda.OutOfMemoryError as error:
            if len(batch) == 1:
                raise DeviceError("not enough GPU memory for one sentence") from error
            torch.cuda.empty_cache()
        except RuntimeError as error:  # nothing in known token ids can provoke one
            raise DeviceError("the forward pass of the assertion classifier failed") from error
        middle = len(batch) // 2
        return np.concatenate([self._logits(batch[:middle]), self._logits(batch[middle:])])

    def _run_packed(self, batch: Sequence[Ints]) -> torch.Tensor:
        assert self._body is not None and isinstance(self._network, BertForSequenceClassification)
        packed = pack(list(batch), [np.zeros_like(ids) for ids in batch]).to(self._device.name)
        firsts = np.cumsum([0, *(len(ids) for ids in batch[:-1])])
        hidden = self._body.hidden(packed, torch.from_numpy(firsts).to(self._device.name))
        pooler = self._network.bert.pooler
        assert pooler is not None
        pooled = pooler(hidden[:, None])
        logits: torch.Tensor = self._network.classifier(pooled)[: len(batch)]
        return logits

    def _run_padded(self, batch: Sequence[Ints]) -> torch.Tensor:
        width = max(len(ids) for ids in batch)
        token_ids = np.full((len(batch), width), self._pad_token, dtype=np.int64)
        mask = np.zeros_like(token_ids)
        for row, ids in enumerate(batch):
            token_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        logits: torch.Tensor = self._network(
            input_ids=torch.from_numpy(token_ids).to(self._device.name),
            attention_mask=torch.from_numpy(mask).to(self._device.name),
        ).logits
        return logits


def load_network(source: ModelSource, labels: Labels, device: Device) -> ClassifierAssessor:
    """Load weights and tokenizer onto the device.

    Raises:
        AssessorError: they cannot be loaded, weights are missing, or the tokenizer has no fast
            form.
    """
    try:
        tokenizer, pad_token = load_tokenizer(source)
    except ModelError as error:
        raise AssessorError(str(error)) from error
    if not isinstance(tokenizer, Tokenizer):
        raise AssessorError(f"model {source.name}: save its tokenizer with a tokenizer.json")
    allow_markers(tokenizer, labels.marker)
    try:
        network = load_pretrained(
            AutoModelForSequenceClassification,
            source,
            device.dtype,
            "is it a fine-tuned sequence classifier?",
        )
    except ModelError as error:
        raise AssessorError(str(error)) from error
    network.config.use_cache = False
    if network.config.pad_token_id is None:  # what causal models find the last token by
        network.config.pad_token_id = pad_token
    encoder = make_encoder(tokenizer, network.config, False, "first")
    network = network.eval().to(device.name)
    return ClassifierAssessor(network, encoder, pad_token, labels, source.name, device)
