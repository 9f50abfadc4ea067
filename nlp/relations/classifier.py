"""Relations found by an encoder: many texts at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import BertModel
from transformers.utils import logging

from nlp.ner.device import Device
from nlp.ner.encoding import Encoder
from nlp.ner.errors import DeviceError, ModelError
from nlp.ner.model import load_tokenizer, make_encoder
from nlp.ner.packed import PackedBody, is_plain
from nlp.ner.pretrained import unreadable
from nlp.ner.source import ModelSource
from nlp.ner.windows import batch_windows
from nlp.relations.adapters import add_roles, merge
from nlp.relations.encoding import ROLES, Example, make_examples, pack_windows
from nlp.relations.head import HeadShape, PairHead
from nlp.relations.source import WEIGHTS_FILE, RelationModel
from nlp.relations.text import Pair, Relation, RelationText, by_concept, nearest

HEAD, ENCODER = "head.", "encoder."
"""Begin the names of weights in relations.safetensors."""


class RelationClassifier:
    """A loaded classifier."""

    def __init__(
        self, model: RelationModel, body: BertModel, head: PairHead, cases: int, device: Device
    ) -> None:
        """Wrap an encoder that has learnt roles, with its head.

        Args:
            model: what it is.
            body: the encoder, token types enlarged by roles.
            head: of its width.
            cases: token types without roles.
            device: where it runs.
        """
        self.model = model
        tokenizer, _ = load_tokenizer(model.base)
        self._encoder: Encoder = make_encoder(tokenizer, body.config, model.form.word_case, "first")
        network: torch.nn.Module = body
        network.to(device.name, device.dtype)  # in place
        self._body = PackedBody(body)
        self._head = head.eval().to(device.name)
        self._cases = cases
        self._device = device

    def find(
        self, texts: Sequence[RelationText], threshold: float | None = None
    ) -> list[list[Relation]]:
        """The related pairs of each text, in input order.

        A pair of concepts is related once, between its nearest mentions; relations are in text
        order of subject, then object.

        Args:
            texts: with mentions and concepts.
            threshold: least probability; the model's own where None.

        Raises:
            DeviceError: the forward pass failed.
        """
        least = self.model.form.threshold if threshold is None else threshold
        return [
            self._relations(text, [(pair, score) for pair, score in scored if score >= least])
            for text, scored in zip(texts, self.score(texts), strict=True)
        ]

    def score(self, texts: Sequence[RelationText]) -> list[list[tuple[Pair, float]]]:
        """The probability of every pair of each text; what a text yields is its own alone.

        Raises:
            DeviceError: the forward pass failed.
        """
        form = self.model.form
        examples = make_examples(
            texts, self._encoder, self._cases, form.subject_label, form.object_label
        )
        # Most texts of a warehouse name no pair at all: they cost no forward pass.
        asked = [example for example in examples if len(example.pairs)]
        states = self._states(asked)
        scored: list[list[tuple[Pair, float]]] = []
        for example in examples:
            if not len(example.pairs):
                scored.append([])
                continue
            own = states.pop(0)
            with torch.inference_mode():
                logits = self._head(own, example).tolist()
            chances = [1 / (1 + math.exp(-min(max(x, -700), 700))) for x in logits]
            scored.append(list(zip(example.names, chances, strict=True)))
        return scored

    def _states(self, examples: Sequence[Example]) -> list[torch.Tensor]:
        """Last hidden states of each example's tokens, shape (tokens, width)."""
        parts: list[list[tuple[int, torch.Tensor]]] = [[] for _ in examples]
        windows = [
            replace(window, sequence=number)
            for number, example in enumerate(examples)
            for window in example.windows
        ]
        budget, specials = self._device.token_budget, self._encoder.specials
        for batch in batch_windows(windows, budget, specials, padded=False):
            packed, rows = pack_windows([(examples[w.sequence], w) for w in batch], self._encoder)
            try:
                with torch.inference_mode():
                    hidden = self._body.hidden(
                        packed.to(self._device.name), rows.to(self._device.name)
                    )[: len(rows)]
            except RuntimeError as error:  # nothing in known token ids can provoke one
                raise DeviceError("the forward pass failed") from error
            kept = [window.keep_end - window.keep_start for window in batch]
            for window, part in zip(batch, torch.split(hidden, kept), strict=True):
                parts[window.sequence].append((window.start, part))
        return [torch.cat([part for _, part in sorted(own, key=lambda p: p[0])]) for own in parts]

    def _relations(
        self, text: RelationText, scored: Sequence[tuple[Pair, float]]
    ) -> list[Relation]:
        form = self.model.form
        subjects = by_concept(text, form.subject_label)
        objects = by_concept(text, form.object_label)
        found = [
            Relation(
                *pair, *nearest(text, subjects[pair[0]], objects[pair[1]]), form.relation, score
            )
            for pair, score in scored
        ]
        order = np.lexsort(([r.object_mention for r in found], [r.subject_mention for r in found]))
        return [found[n] for n in order]


def load_classifier(model: RelationModel, device: Device) -> RelationClassifier:
    """Load weights and tokenizer onto the device.

    Raises:
        ModelError: the files cannot be loaded or do not fit together.
    """
    body = load_body(model.base)
    head = PairHead(HeadShape(**model.form.head))
    try:
        weights = load_file(model.folder / WEIGHTS_FILE)
        cases = add_roles(body, ROLES)
        merge(body, _under(weights, ENCODER))
        head.load_state_dict({n: w.float() for n, w in _under(weights, HEAD).items()})
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"relation model {model.name}: its weights cannot be loaded ({type(error).__name__})"
        ) from error
    return RelationClassifier(model, body, head, cases, device)


def load_body(source: ModelSource) -> BertModel:
    """An encoder in float32, without what stands on top of it.

    Raises:
        ModelError: it cannot be loaded or is not of plain BERT's form.
    """
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        body = BertModel.from_pretrained(
            source.folder, add_pooling_layer=False, local_files_only=True, dtype=torch.float32
        )
    except Exception as error:  # damaged files raise many unrelated kinds
        raise unreadable(source, error) from error
    finally:
        logging.set_verbosity(before)
    if body.config.model_type != "bert" or not is_plain(body):
        raise ModelError(
            f"model {source.name}: relations need an encoder of BERT's form, such as bundled, "
            "PubMedBERT or BioLinkBERT"
        )
    assert isinstance(body, BertModel)
    return body


def head_form(shape: HeadShape) -> dict[str, int]:
    """A head's sizes as relations.json keeps them."""
    return asdict(shape)


def _under(weights: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
