"""Label Studio's JSON export: tasks with the annotations that people completed.

The form is that of https://labelstud.io/guide/task_format: a list of tasks, each with ``data``
(the text is ``data.text``) and ``annotations``, whose ``result`` lists regions of type ``labels``.
Concept ids are what stands in a per-region field named ``concept`` (a text area, a taxonomy or
choices). Relations and all other types are passed over.

The editor counts code points, as this project does; early editions counted UTF-16 units, as
JavaScript does (issue 1347 of HumanSignal/label-studio, of 2021). Which of the two a task has is
told by the words that regions carry; where both fit, it is code points.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flows.errors import SourceError
from flows.readers.drawn import Drawn, drawn_from
from flows.readers.gold import GoldDocument, GoldMention, curies
from flows.readers.jsonstream import stream_objects

CONCEPT = "concept"
"""Name of the field of a region that holds its concept ids."""

_LABELS = ("labels", "hypertextlabels")
_MARKS = re.compile(
    rb'"(?:data|annotations|completions|predictions)"\s*:\s*[\[{]|"annotation_id"\s*:'
)
_FIX = "Export the project as JSON (not JSON-MIN), with the field `text` in its tasks"


class _Region(NamedTuple):
    """A labelled piece of text as the file has it."""

    start: int
    end: int
    words: str | None
    label: str
    concept_ids: tuple[str, ...]


def sniff(head: bytes) -> bool:
    """Whether the first 64 KB look like tasks of Label Studio."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{") and bool(_MARKS.search(head))


def read_gold(path: Path) -> Iterator[GoldDocument]:
    """Yield each task that was annotated, with the mentions its annotators agree on.

    Cancelled annotations and tasks without another one are left out. Of one annotator the latest
    annotation counts; one that is marked as ground truth counts alone. Of several annotators'
    mentions (same span, same label) those count that more than half of them marked: of two, both.
    White space at the ends of a region is no part of the mention.

    Raises:
        SourceError: a task is not of the form, or none has a completed annotation.
    """
    annotated = 0
    for ordinal, task in enumerate(stream_objects(path, ()), start=1):
        text = _text(path, ordinal, task)
        versions = _completed(task)
        if not versions:
            continue
        annotated += 1
        try:
            regions = [_regions(version) for version in versions]
            mentions = _placed(text, regions)
        except (ValueError, TypeError):
            raise SourceError(
                f"{path}, task {ordinal}: a region is no piece of its text", "Mend it there"
            ) from None
        document_id, drawn = _origin(task)
        yield GoldDocument(
            native_id=document_id or str(task.get("id", ordinal)),
            text=text,
            mentions=_agreed(mentions),
            document_id=document_id,
            drawn=drawn,
            annotators=tuple(map(tuple, mentions)) if len(mentions) > 1 else (),
        )
    if not annotated:
        raise SourceError(f"{path} holds no completed annotation", "Annotate its tasks, and export")


def task_ids(path: Path) -> Iterator[str]:
    """The document_ids of all tasks, annotated or not; also of JSON-MIN, which has no ``data``.

    Raises:
        SourceError: the file is no JSON, or a task does not say which document it is.
    """
    for ordinal, task in enumerate(stream_objects(path, ()), start=1):
        document_id, _ = _origin(task) if isinstance(task, dict) else (None, None)
        if document_id is None and isinstance(task, dict):
            document_id = task.get("document_id")
        if not isinstance(document_id, str):
            raise SourceError(
                f"{path}, task {ordinal}: has no document_id in its data",
                "Only files that charthouse sample drew say which documents they are about",
            )
        yield document_id


def _text(path: Path, ordinal: int, task: object) -> str:
    data = task.get("data") if isinstance(task, dict) else None
    text = data.get("text") if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise SourceError(f"{path}, task {ordinal}: has no text in its data", _FIX)
    return text


def _origin(task: Mapping[str, Any]) -> tuple[str | None, Drawn | None]:
    meta, data = (its if isinstance(its := task.get(k), dict) else {} for k in ("meta", "data"))
    ids = (its.get("document_id") for its in (data, meta))
    return next((i for i in ids if isinstance(i, str) and i), None), drawn_from(meta.get("sample"))


def _completed(task: Mapping[str, Any]) -> list[Sequence[Any]]:
    """The results that count, one for each annotator."""
    listed = task.get("annotations", task.get("completions"))
    done = [
        its
        for its in (listed if isinstance(listed, list) else [])
        if isinstance(its, dict)
        and isinstance(its.get("result"), list)
        and not (its.get("was_cancelled") or its.get("skipped"))
    ]
    done.sort(key=lambda its: str(its.get("updated_at") or its.get("created_at") or ""))
    if true := [its for its in done if its.get("ground_truth") is True]:
        return [true[-1]["result"]]
    latest: dict[object, Sequence[Any]] = {}
    for number, its in enumerate(done):
        who = its.get("completed_by")
        who = who.get("id", who.get("email")) if isinstance(who, dict) else who
        latest[number if who is None else ("annotator", str(who))] = its["result"]
    return list(latest.values())


def _regions(result: Iterable[Any]) -> list[_Region]:
    items = [its for its in result if isinstance(its, dict) and isinstance(its.get("value"), dict)]
    concepts: dict[object, tuple[str, ...]] = {}
    for its in items:
        if its.get("from_name") == CONCEPT:
            concepts[its.get("id")] = (
                *concepts.get(its.get("id"), ()),
                *_ids(its["value"].get(its.get("type")) or its["value"].get("text")),
            )
    regions = []
    for its in items:
        value, kind = its["value"], its.get("type")
        if kind not in _LABELS:
            continue
        at = value if kind == "labels" else value["globalOffsets"]
        words = value.get("text")
        # The editor writes a line end within a region as a backslash and an n.
        words = words.replace("\\n", "\n") if isinstance(words, str) else None
        for label in value.get(kind) or ():
            given = tuple(dict.fromkeys(concepts.get(its.get("id"), ())))
            regions.append(_Region(int(at["start"]), int(at["end"]), words, str(label), given))
    return regions


def _ids(values: object) -> Iterator[str]:
    """Concept ids in a text, a list of texts, or a list of paths of a taxonomy."""
    for value in values if isinstance(values, list) else [values]:
        last = value[-1] if isinstance(value, list) and value else value
        if isinstance(last, str):
            yield from curies(last)


def _placed(text: str, versions: Sequence[Sequence[_Region]]) -> list[list[GoldMention]]:
    """Mentions in offsets of the text, in text order."""
    places = _utf16_places(text, itertools.chain.from_iterable(versions))
    return [
        sorted(
            (m for its in version if (m := _mention(text, its, places))),
            key=lambda m: (m.start_char, m.end_char, m.label),
        )
        for version in versions
    ]


def _utf16_places(text: str, regions: Iterable[_Region]) -> dict[int, int] | None:
    """Characters before each UTF-16 unit, where that is what the regions' offsets count."""
    if text.isascii() or max(text, default="") <= "\uffff":
        return None
    places, unit = {}, 0
    for at, character in enumerate(text):
        places[unit] = at
        unit += 2 if character > "\uffff" else 1
    places[unit] = len(text)
    here = there = 0
    for its in regions:
        words = (its.words or "").split()
        start, end = places.get(its.start), places.get(its.end)
        here += bool(words) and text[its.start : its.end].split() == words
        there += bool(words) and start is not None and text[start:end].split() == words
    return places if there > here else None


def _mention(text: str, region: _Region, places: Mapping[int, int] | None) -> GoldMention | None:
    start, end = region.start, region.end
    if places is not None:
        if start not in places or end not in places:
            raise ValueError(start)
        start, end = places[start], places[end]
    if not 0 <= start <= end <= len(text):
        raise ValueError(start)
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    end = start + len(words.strip())
    if start >= end:
        return None
    said = words.strip()
    if region.words is not None and region.words.split() != words.split():
        said = region.words.strip()
    return GoldMention(start, end, said, region.label, region.concept_ids)


def _agreed(versions: Sequence[Sequence[GoldMention]]) -> tuple[GoldMention, ...]:
    """Mentions that more than half marked, with the ids that more than half of these gave."""
    marked: dict[tuple[int, int, str], list[GoldMention]] = {}
    for version in versions:
        for key, its in {(m.start_char, m.end_char, m.label): m for m in version}.items():
            marked.setdefault(key, []).append(its)
    agreed = []
    for key in sorted(marked):
        mentions = marked[key]
        if 2 * len(mentions) <= len(versions):
            continue
        ids = Counter(concept_id for m in mentions for concept_id in m.concept_ids)
        kept = tuple(i for i, times in ids.items() if 2 * times > len(mentions))
        start, end, label = key
        agreed.append(GoldMention(start, end, mentions[0].mention_text, label, kept))
    return tuple(agreed)
