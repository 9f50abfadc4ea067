"""Label Studio: a task for each document, and the labelling configuration that goes with them.

The form is that of https://labelstud.io/guide/task_format and .../guide/predictions. Offsets count
code points, as the editor's do. A concept id is a value of the per-region field
:data:`flows.readers.labelstudio.CONCEPT`, the concept's name a note of the region.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from flows.exporting.documents import ExportDocument, ExportMention
from flows.readers.drawn import Drawn
from flows.readers.labelstudio import CONCEPT

_LABEL, _TEXT = "label", "text"
_HOTKEYS = "123456789"


def task_of(document: ExportDocument, drawn: Drawn) -> dict[str, Any]:
    """A task with the document's mentions as a prediction; its text must not be null.

    ``score`` of the prediction is that of the least certain mention, so that the tool can sort
    tasks by it.
    """
    task: dict[str, Any] = {
        "data": {"text": document.text, "document_id": document.document_id},
        "meta": {"document_id": document.document_id, "sample": drawn.described()},
    }
    if not drawn.blind:
        task["predictions"] = [
            {
                "model_version": document.annotation_id,
                "score": min((m.score for m in document.mentions), default=1.0),
                "result": [r for m in document.mentions for r in _results(document, m)],
            }
        ]
    return task


def _results(document: ExportDocument, mention: ExportMention) -> Iterator[dict[str, Any]]:
    start, end = mention.start_char, mention.end_char
    words = (document.text or "")[start:end]
    region = {"id": f"m{mention.mention_id}", "to_name": _TEXT}
    place = {"start": start, "end": end}
    labelled: dict[str, Any] = {
        **region,
        "from_name": _LABEL,
        "type": "labels",
        "value": {**place, "text": words, "labels": [mention.label]},
        "score": mention.score,
    }
    if mention.concept_name:
        labelled["meta"] = {"text": [mention.concept_name]}
    yield labelled
    if mention.concept_id:
        yield {
            **region,
            "from_name": CONCEPT,
            "type": "textarea",
            "value": {**place, "text": [mention.concept_id]},
        }


def labelling_config(labels: Sequence[str]) -> str:
    """The labelling configuration: the labels, the text with its blanks and lines, concept ids."""
    view = ElementTree.Element("View")
    # Without it the tool shows runs of blanks as one.
    ElementTree.SubElement(view, "Style").text = ".htx-text{ white-space: pre-wrap; }"
    chosen = ElementTree.SubElement(view, "Labels", name=_LABEL, toName=_TEXT)
    for number, label in enumerate(labels):
        its = ElementTree.SubElement(chosen, "Label", value=label)
        if number < len(_HOTKEYS):
            its.set("hotkey", _HOTKEYS[number])
    ElementTree.SubElement(view, "Text", name=_TEXT, value="$text", saveTextResult="yes")
    ElementTree.SubElement(
        view,
        "TextArea",
        name=CONCEPT,
        toName=_TEXT,
        perRegion="true",
        editable="true",
        placeholder="concept id, for example MESH:D003920",
    )
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"
