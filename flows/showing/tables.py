"""Tables for a terminal: a document's mentions and links, candidates, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from flows.showing.document import Candidate, Link, ShownDocument, ShownMention
from flows.showing.printed import harmless, label_style

_UNASKED = "not looked up"


def mentions_table(
    mentions: Sequence[ShownMention], *, candidates: bool = False, sections: bool = True
) -> Table:
    """Mentions with their links, one row each.

    Args:
        mentions: the rows.
        candidates: whether all candidates of a name stand below its row.
        sections: whether there is a column of sections: on a narrow terminal it costs more room
            than it is worth.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("mention", overflow="fold", ratio=3)
    table.add_column("label", no_wrap=True)
    table.add_column("score", justify="right")
    table.add_column("assertion", overflow="fold")
    if sections:
        table.add_column("section", overflow="fold")
    table.add_column("concept", no_wrap=True)
    table.add_column("name", overflow="fold", ratio=3)
    table.add_column("link", justify="right")
    table.add_column("method", overflow="fold")
    for mention in mentions:
        link = mention.link
        table.add_row(
            str(mention.mention_id),
            _name(mention),
            Text(harmless(mention.label), label_style(mention.label)),
            f"{mention.score:.2f}",
            assertion_words(mention),
            *([_cell((mention.section or "").replace("_", " "))] if sections else ()),
            _cell(link.concept_id),
            _cell(link.concept_name),
            "" if link.score is None else f"{link.score:.2f}",
            Text(method_words(link), "" if link.concept_id else "dim"),
        )
        if candidates:
            for candidate in link.candidates:
                _add_candidate(table, candidate, sections)
    return table


def _name(mention: ShownMention) -> Text:
    """The words of a mention, and the name looked up for them where it is another."""
    if mention.text is None:
        return _cell(mention.lookup_text)
    words = _cell(" ".join(mention.text.split()))
    if mention.lookup_text != words.plain:
        words.append(f" = {harmless(mention.lookup_text)}", "dim")
    return words


def _add_candidate(table: Table, candidate: Candidate, sections: bool) -> None:
    if candidate.concept_id is None:
        return
    matched = candidate.matched_name
    table.add_row(
        "",
        _dim(f"  {candidate.rank}. {matched}" if matched else f"  {candidate.rank}."),
        "",
        "",
        "",
        *([""] if sections else ()),
        _dim(candidate.concept_id),
        _dim(candidate.concept_name),
        _dim("" if candidate.score is None else f"{candidate.score:.2f}"),
        _dim(candidate.method),
    )


def assertion_words(mention: ShownMention) -> str:
    """What is not as usual about a mention: empty where all is, ``-`` where none was assessed."""
    return "-" if mention.assertion is None else ", ".join(mention.assertion)


def method_words(link: Link) -> str:
    """How a mention was linked, or why not."""
    if link.concept_id is not None:
        # A name may be ambiguous, and context know nevertheless.
        return link.method or ""
    return (link.status or _UNASKED).replace("_", " ")


def provenance_table(document: ShownDocument) -> Table:
    """Where text, mentions and links come from, one row each."""
    origin = document.provenance
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    kind = ", ".join(str(x) for x in (document.kind, document.document_type) if x)
    day = f", {document.document_date}" if document.document_date else ""
    table.add_row("document", _cell(f"{document.document_id} ({kind}{day})"))
    when = f", {origin.run_started_at:%Y-%m-%d %H:%M} UTC" if origin.run_started_at else ""
    table.add_row("run", f"{origin.run_id} ({origin.run_status or 'not known any more'}{when})")
    more = "current" if origin.is_current else "not current"
    if origin.other_sets:
        more += f"; {origin.other_sets} other of this document"
    table.add_row("annotation set", f"{origin.annotation_id} ({more})")
    table.add_row("models", _cell(", ".join(origin.models) or "none"))
    linkset = origin.linkset
    if linkset is None:
        table.add_row("linkset", "none: nothing was linked")
    else:
        current = "current" if linkset.is_current else "not current"
        table.add_row("linkset", f"{linkset.linkset_id} ({current})")
        table.add_row("release", _cell(f"{linkset.release_id}, {linkset.ontology}"))
    table.add_row("source hash", origin.source_hash)
    return table


def notes_of(document: ShownDocument) -> list[str]:
    """What to know before believing what is shown, one sentence each."""
    notes = []
    if document.is_deleted:
        notes.append("Its source has withdrawn this document: views do not show it.")
    if document.text is None:
        notes.append("The warehouse does not keep its text; names are those looked up.")
    if not document.offsets_fit:
        notes.append(
            "These annotations are of another version of the text "
            f"({document.provenance.annotated_hash}): nothing is marked in it."
        )
    return notes


def _cell(text: str | None) -> Text:
    return Text(harmless(text or ""))


def _dim(text: str | None) -> Text:
    return Text(harmless(text or ""), "dim")
