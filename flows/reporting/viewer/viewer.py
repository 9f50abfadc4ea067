"""The viewer: a section of the report in which documents can be read, searched and filtered."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from flows.reporting.markup import empty, json_block, note
from flows.reporting.section import Section
from flows.reporting.viewer.packing import pack
from flows.reporting.viewer.sampling import count_showable, draw_documents
from flows.showing.finding import find_linkset
from flows.warehouse.connection import Connection

_ID, _TITLE = "documents", "Documents"

_HOW = (
    "Documents with their mentions marked stand here when the report is made with --with-text. "
    "Their text may be clinical: such a page is to be kept like the notes themselves. One document "
    "is shown in the terminal by charthouse show DOCUMENT_ID."
)


@dataclass(frozen=True)
class ViewerOptions:
    """What the viewer shows.

    Attributes:
        documents: at most so many, drawn at random.
        seed: of the draw.
        with_text: whether text may be in the page; without it no document is.
        most_bytes: of documents in the page; later ones of the draw are left out.
    """

    documents: int = 100
    seed: int = 0
    with_text: bool = False
    most_bytes: int = 3_000_000


def viewer_section(connection: Connection, options: ViewerOptions) -> Section:
    """Documents of a warehouse with their current mentions and links to the first ontology."""
    if not options.with_text:
        return Section(_ID, _TITLE, note(_HOW))
    showable, without_text = count_showable(connection)
    if not showable or not options.documents:
        why = "The warehouse has no documents whose text could be shown."
        return Section(_ID, _TITLE, empty(why if options.documents else "None were asked for."))
    drawn = draw_documents(connection, options.documents, options.seed)
    packed = pack(connection, drawn, options.most_bytes)
    linkset = find_linkset(connection)
    packed["linkset"] = (
        [linkset.linkset_id, linkset.release_id, linkset.ontology] if linkset else []
    )
    shown = len(packed["documents"])
    return Section(
        id=_ID,
        title=_TITLE,
        html=note(_said(shown, len(drawn), showable, without_text, options.seed))
        + _asset("viewer.html")
        + json_block("viewer-data", packed),
        css=_asset("viewer.css"),
        script=_asset("viewer.js"),
    )


def _said(shown: int, drawn: int, showable: int, without_text: int, seed: int) -> str:
    if shown == showable:
        said = f"All {shown:,} documents are shown." if shown > 1 else "The one document is shown."
    else:
        said = f"{shown:,} of {showable:,} documents are shown, drawn at random (seed {seed})."
    if shown < drawn:
        said += f" {drawn:,} were asked for, but the page would have become too large."
    if without_text:
        said += f" {without_text:,} more have no text here: privacy leaves it out."
    return said


def _asset(name: str) -> str:
    return (files("flows.reporting.viewer") / name).read_text("utf-8")
