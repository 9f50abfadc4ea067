"""De-identification of a shard in its worker: before anything else reads a text.

A worker takes batch after batch: identifiers are replaced first, then what that left is annotated,
so all offsets are of the text that is stored. What is stored comes with the staged output; the
texts of the shard file, which are as they were, are never loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import polars as pl

from nlp.errors import UNUSABLE
from nlp.privacy.deidentify import Deidentified
from nlp.schema import ABBREVIATIONS, DOCUMENTS, MENTIONS, PRIVACY_SPANS
from nlp.settings import PrivacySettings

if TYPE_CHECKING:
    from nlp.annotate import Annotations, Annotator, Reject

FAILED = "de-identification failed"
"""How the reason of a reject begins whose text nobody may see."""


class Deidentifies(Protocol):
    """What :class:`nlp.privacy.deidentify.Deidentifier` does."""

    def deidentify(self, documents: pl.DataFrame) -> Deidentified:
        """Documents as they may be stored, and where something was replaced."""


@dataclass
class _Shard:
    """What the batches done so far have given."""

    frames: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"privacy": 0.0})

    def add(self, name: str, frame: pl.DataFrame) -> None:
        self.frames.setdefault(name, []).append(frame)


def annotate_deidentified(
    documents: pl.DataFrame,
    deidentifier: Deidentifies,
    annotator: Annotator,
    settings: PrivacySettings,
    progress: Callable[[int], None],
    *,
    one_by_one: bool = False,
) -> Annotations:
    """De-identify and annotate a shard.

    Args:
        documents: the rows of the shard file.
        deidentifier: replaces identifiers.
        annotator: annotates what that leaves.
        settings: of privacy, switched on.
        progress: receives the number of documents done so far.
        one_by_one: take each document by itself, so that ``progress`` tells which one is at work.

    Returns:
        As :meth:`nlp.annotate.Annotator.annotate` does, with the frame ``documents`` as they are to
        be stored. A document that cannot be de-identified is a reject and stored without text;
        one that cannot be annotated is stored as de-identified.
    """
    from nlp.annotate import BATCH_CHARACTERS, Annotations, Reject, batches

    shard = _Shard()
    most = 0 if one_by_one else BATCH_CHARACTERS
    for first, last in batches(documents["text"].str.len_chars().to_list(), most):
        part = documents.slice(first, last - first)
        clock = time.perf_counter()
        shown = deidentify(deidentifier, part)
        shard.seconds["privacy"] += time.perf_counter() - clock
        rows = [row for row in range(len(part)) if row not in shown.failed]
        found = annotator.annotate(
            shown.documents,
            lambda done, first=first: progress(first + done),  # type: ignore[misc]
            one_by_one=one_by_one,
        )
        shard.rejects += [Reject(first + rows[r.row], r.reason) for r in found.rejects]
        shard.rejects += [
            Reject(first + row, f"{FAILED}: {kind}") for row, kind in shown.failed.items()
        ]
        for stage, seconds in found.seconds.items():
            shard.seconds[stage] = shard.seconds.get(stage, 0.0) + seconds
        failed = part.filter(pl.int_range(pl.len()).is_in(list(shown.failed)))
        annotation_id = pl.lit(annotator.identity.annotation_id).alias("annotation_id")
        for name, frame in found.frames.items():
            if name != PRIVACY_SPANS.name:
                shard.add(name, frame)
        shard.add(
            PRIVACY_SPANS.name, PRIVACY_SPANS.conform(shown.spans.with_columns(annotation_id))
        )
        shard.add(DOCUMENTS.name, DOCUMENTS.conform(shown.documents))
        shard.add(DOCUMENTS.name, withheld(failed, settings))
        progress(last)
    frames = {name: pl.concat(parts) for name, parts in shard.frames.items()}
    if settings.mode == "drop_text":
        frames |= _without_text(frames, settings)
    return Annotations(frames, sorted(shard.rejects, key=lambda r: r.row), shard.seconds)


def deidentify(deidentifier: Deidentifies, documents: pl.DataFrame) -> Deidentified:
    """De-identify documents; one that raises an error nobody foresaw is isolated by bisection.

    Raises:
        OSError: a file could not be read, which no document is to blame for; so with all errors
            that say what cannot be used.
    """
    try:
        return deidentifier.deidentify(documents)
    except (*UNUSABLE, OSError):
        raise
    except Exception as error:  # whatever a document provokes is that document's reject
        if len(documents) == 1:
            kind = type(error).__name__  # the message may quote text
            spans = PRIVACY_SPANS.empty().drop("annotation_id")
            return Deidentified(documents.clear(), spans, {0: kind})
    middle = len(documents) // 2
    before = deidentify(deidentifier, documents[:middle])
    after = deidentify(deidentifier, documents[middle:])
    return Deidentified(
        pl.concat([before.documents, after.documents]),
        pl.concat([before.spans, after.spans]),
        before.failed | {middle + row: kind for row, kind in after.failed.items()},
    )


def withheld(documents: pl.DataFrame, settings: PrivacySettings) -> pl.DataFrame:
    """Rows of ``documents`` that nothing has looked at: those to be searched without their text.

    Args:
        documents: rows of a shard file.
        settings: of privacy, switched on.
    """
    hidden = pl.col("kind").is_in(settings.kinds)
    columns = [
        _unless(hidden, name, value)
        for name, value in (
            *_TEXTS.items(),
            ("document_date", pl.lit(None)),
            ("document_type", pl.lit(None)),
        )
    ]
    return DOCUMENTS.conform(documents.with_columns(columns))


_TEXTS = {"text": pl.lit(None), "title": pl.lit(None), "metadata": pl.lit("{}")}
"""Columns of ``documents`` that hold words of a text, and what stands there without it."""


def _without_text(
    frames: dict[str, pl.DataFrame], settings: PrivacySettings
) -> dict[str, pl.DataFrame]:
    """The frames that hold words of a text, without them; ``lookup_text`` is what links names."""
    documents = frames[DOCUMENTS.name]
    searched = pl.col("kind").is_in(settings.kinds)
    of_these = pl.col("document_id").is_in(documents.filter(searched)["document_id"].implode())
    words = {MENTIONS.name: ["mention_text"], ABBREVIATIONS.name: ["short_form", "long_form"]}
    dropped = {
        name: frames[name].with_columns(_unless(of_these, c, pl.lit(None)) for c in columns)
        for name, columns in words.items()
    }
    columns = [_unless(searched, name, value) for name, value in _TEXTS.items()]
    return dropped | {DOCUMENTS.name: documents.with_columns(columns)}


def _unless(hidden: pl.Expr, column: str, instead: pl.Expr) -> pl.Expr:
    return pl.when(hidden).then(instead).otherwise(pl.col(column)).alias(column)
