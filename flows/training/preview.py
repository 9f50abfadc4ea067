"""What a training of a NER model would do, counted without training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flows.errors import CharthouseError
from flows.training.corpora import Corpus
from flows.training.ner import NerOrder, gold_texts
from flows.training.output import check_state


@dataclass(frozen=True)
class Preview:
    """Windows of the train texts, and steps an epoch and in all, should no patience end it.

    ``state`` is ``new``, ``goes on`` (a checkpoint waits) or ``done`` (the model is there).
    """

    order: NerOrder
    windows: int
    steps_per_epoch: int
    state: str

    @property
    def steps(self) -> int:
        """Steps of all epochs; those of later epochs may differ by a few."""
        return self.order.recipe.epochs * self.steps_per_epoch

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        order = self.order
        return {
            "out": str(order.out),
            "state": self.state,
            "base": order.base.name,
            "labels": list(order.recipe.labels),
            "train": [_row(corpus) for corpus in order.data.train],
            "dev": [_row(corpus) for corpus in order.data.dev],
            "left_out": order.data.left_out,
            "windows": self.windows,
            "steps_per_epoch": self.steps_per_epoch,
            "steps": self.steps,
        }


def preview(order: NerOrder, *, overwrite: bool) -> Preview:
    """Count what a training would go through; writes nothing.

    Raises:
        CharthouseError: the output folder is not free, or the base's tokenizer cannot be used.
    """
    from transformers import AutoConfig

    from nlp.ner.errors import ModelError
    from nlp.ner.model import load_tokenizer, make_encoder
    from nlp.ner.training.examples import make_examples
    from nlp.training.loop import shuffled_batches

    state = check_state(order, overwrite=overwrite)
    recipe = order.recipe
    try:
        tokenizer, _ = load_tokenizer(order.base)
    except ModelError as error:
        raise CharthouseError(str(error)) from None
    config = AutoConfig.from_pretrained(order.base.folder, local_files_only=True)
    encoder = make_encoder(tokenizer, config, False, "first")
    examples = make_examples(gold_texts(order.data.train), encoder, recipe.labels)
    batches = shuffled_batches([len(example.token_ids) for example in examples], recipe, 1)
    return Preview(order, len(examples), len(batches), state)


def _row(corpus: Corpus) -> dict[str, Any]:
    return {
        "file": corpus.name,
        "documents": len(corpus.texts),
        "annotates": sorted(corpus.annotated),
        "mentions": corpus.mentions(),
    }
