"""The table that a run leaves in Prefect: numbers and fixed words, whatever the warehouse holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

from flows.counts import counts_of
from flows.incoming import WHOLE_FILE
from flows.warehouse.connection import Connection

Row = dict[str, object]

REASONS = (
    "not valid UTF-8",
    "text is empty",
    "id is empty",
    "text holds NUL characters",
    "text holds lone surrogates",
    "a field other than the text holds NUL characters",
    "a field other than the text holds lone surrogates",
    "a field is nested",
    "text or title is not a string",
    "line is not JSON",
    "line is not a JSON object",
    "a line is not token and tag",
    "a line is neither title, abstract nor annotation",
    "a quote is never closed",
    "a tag is neither O nor B-, I-, E- or S- of a type",
    "row breaks the rules of CSV quoting",
    "row has",
    "row holds a value that cannot be read",
    "line is no FHIR resource",
    "line is a Bundle",
    "resource has no attachment",
    "attachment has no contentType",
    "attachment type",
    "attachment is HTML that cannot be parsed",
    "attachment is not valid",
    "attachment has neither data nor a URL",
    "attachment is at a URL elsewhere",
    "the file of the attachment is not in the source's folder",
    "the file of the attachment cannot be read",
    "charset",
    "article has no front matter",
    "citation has no article",
    "citation has no PMID",
    "citation has no title and no abstract",
    "annotation failed",
    "de-identification failed",
    "ended its worker process",
    "took longer than execution.stall_seconds allows",
)
"""How reasons of rejects begin. Only these words reach Prefect; any other reason is "another"."""

_WHOLE = {
    "row has": "row has another number of cells than the header",
    "a field is nested": "a field is nested too deep",
    "attachment type": "attachment is of a type that is not read",
    "attachment is not valid": "attachment is not valid in its encoding",
    "charset": "charset of an attachment is not known",
}


def artifact_rows(connection: Connection, run_id: str, seconds: Mapping[str, float]) -> list[Row]:
    """A run's counts, rates, seconds, rejects by reason and share of linked mentions.

    Args:
        connection: the open warehouse.
        run_id: the run.
        seconds: wall seconds of its stages so far.
    """
    counts = _counts(connection, run_id)
    shards = _shards(connection, run_id)
    annotating = seconds.get("annotate", 0.0)
    rows = [_row("documents", name, value) for name, value in counts.items()]
    rows += [
        _row("work", "shards", shards["shards"]),
        _row("work", "characters", shards["characters"]),
        _row("work", "mentions", shards["mentions"]),
    ]
    if shards["documents"] and annotating > 0:
        rows += [
            _row("rate", "documents/s", shards["documents"] / annotating),
            _row("rate", "characters/s", shards["characters"] / annotating),
        ]
    rows += [_row("seconds", name, value) for name, value in seconds.items()]
    rows += [
        _row("seconds in workers", name, shards[name])
        for name in ("privacy", "preprocess", "ner", "load")
        if name != "privacy" or shards[name]
    ]
    rows += [
        _row("rejects", reason, count)
        for reason, count in sorted(_rejects(connection, run_id).items())
    ]
    share = _linked_share(connection, run_id)
    return rows if share is None else [*rows, _row("links", "share of mentions linked", share)]


def reason_group(reason: str, stage: str, ordinal: int = 0) -> str:
    """The fixed words for the reason of a reject; ``ordinal`` as in the table."""
    if ordinal == WHOLE_FILE:
        return "a file that cannot be read as a whole"
    for words in REASONS:
        if reason.startswith(words):
            return _WHOLE.get(words, words)
    return "another, while reading" if stage == "read" else "another, while annotating"


def _row(group: str, what: str, value: float) -> Row:
    return {"group": group, "what": what, "value": round(value, 3)}


def _counts(connection: Connection, run_id: str) -> dict[str, int]:
    names = (
        "read",
        "new",
        "replaced",
        "skipped",
        "duplicates",
        "superseded",
        "metadata_updated",
        "deleted",
        "pruned",
        "forgotten",
        "rejected",
    )
    counts = asdict(counts_of(connection, run_id))
    return {name: counts[name] for name in names}


def _shards(connection: Connection, run_id: str) -> dict[str, float]:
    seconds = ("privacy", "preprocess", "ner", "load")
    names = ("shards", "documents", "characters", "mentions", *seconds)
    (row,) = connection.execute(
        "SELECT count(*), coalesce(sum(documents), 0), coalesce(sum(characters), 0), "
        "coalesce(sum(mentions), 0), coalesce(sum(seconds.privacy), 0), "
        "coalesce(sum(seconds.preprocess), 0), "
        "coalesce(sum(seconds.ner), 0), coalesce(sum(seconds.load), 0) "
        "FROM shards WHERE run_id = ?",
        [run_id],
    ).fetchall()
    return {name: float(value) for name, value in zip(names, row, strict=True)}


def _rejects(connection: Connection, run_id: str) -> Counter[str]:
    groups = Counter[str]()
    for stage, reason, whole_file, count in connection.execute(
        "SELECT stage, reason, ordinal = ?, count(*) FROM rejects WHERE run_id = ? GROUP BY ALL",
        [WHOLE_FILE, run_id],
    ).fetchall():
        groups[reason_group(reason, stage, WHOLE_FILE if whole_file else 0)] += count
    return groups


def _linked_share(connection: Connection, run_id: str) -> float | None:
    """Share of this run's mentions that have a concept, 0 to 1; None where it has no mention."""
    ((mentions, linked),) = connection.execute(
        "SELECT count(*), count(concept_id) FROM entities WHERE run_id = ?", [run_id]
    ).fetchall()
    return linked / mentions if mentions else None
