"""Tables for a terminal: a document's mentions and links, candidates, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from flows.showing.document import Candidate, Link, ShownDocument, ShownMention
from flows.showing.printed import harmless, label_style

_UNASKED = "not looked up"

_WITH_SECTIONS = 120
_APART = 100
"""Columns of a terminal from which label and score, concept and id, link and method stand apart."""


def mentions_table(
    mentions: Sequence[ShownMention], *, candidates: bool = False, width: int = _WITH_SECTIONS
) -> Table:
    """Mentions with their links, one row each.

    Args:
        mentions: the rows.
        candidates: whether all candidates of a name stand below its row.
        width: of the terminal: sections are left out of narrower ones than 120 columns, and
            below 100 what belongs together shares a cell, since words would be broken otherwise.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("mention", overflow="fold", ratio=3)
    if width < _APART:
        table.add_column("label, score", no_wrap=True)
        table.add_column("concept", overflow="fold", ratio=3)
        table.add_column("link", overflow="fold")
    else:
        table.add_column("label", no_wrap=True)
        table.add_column("score", justify="right")
        table.add_column("assertion", overflow="fold")
        if width >= _WITH_SECTIONS:
            table.add_column("section", overflow="fold")
        table.add_column("concept", no_wrap=True)
        table.add_column("name", overflow="fold", ratio=3)
        table.add_column("link", justify="right")
        table.add_column("method", overflow="fold")
    for mention in mentions:
        table.add_row(*(_narrow(mention) if width < _APART else _wide(mention, width)))
        for candidate in mention.link.candidates if candidates else ():
            if candidate.concept_id is not None:
                table.add_row(*_candidate(candidate, width))
    return table


def _narrow(mention: ShownMention) -> list[Text]:
    link = mention.link
    words = _name(mention)
    said = assertion_words(mention)
    if said not in ("", "-"):
        words.append(f" ({said})", "italic")
    return [
        Text(str(mention.mention_id)),
        words,
        Text(f"{harmless(mention.label)} {mention.score:.2f}", label_style(mention.label)),
        _joined(link.concept_name, link.concept_id),
        Text.assemble(_score(link.score), (method_words(link), "" if link.concept_id else "dim")),
    ]


def _wide(mention: ShownMention, width: int) -> list[Text]:
    link = mention.link
    return [
        Text(str(mention.mention_id)),
        _name(mention),
        Text(harmless(mention.label), label_style(mention.label)),
        Text(f"{mention.score:.2f}"),
        Text(assertion_words(mention)),
        *([_cell((mention.section or "").replace("_", " "))] if width >= _WITH_SECTIONS else ()),
        _cell(link.concept_id),
        _cell(link.concept_name),
        Text(_score(link.score).strip()),
        Text(method_words(link), "" if link.concept_id else "dim"),
    ]


def _name(mention: ShownMention) -> Text:
    """The words of a mention, and the name looked up for them where it is another."""
    if mention.text is None:
        return _cell(mention.lookup_text)
    words = _cell(" ".join(mention.text.split()))
    if mention.lookup_text != words.plain:
        words.append(f" = {harmless(mention.lookup_text)}", "dim")
    return words


def _candidate(candidate: Candidate, width: int) -> list[Text]:
    matched = _dim(f"  {candidate.rank}. {candidate.matched_name or ''}".rstrip())
    if width < _APART:
        concept = _joined(candidate.concept_name, candidate.concept_id)
        concept.stylize("dim")
        how = _dim(_score(candidate.score) + (candidate.method or ""))
        return [Text(), matched, Text(), concept, how]
    return [
        Text(),
        matched,
        Text(),
        Text(),
        Text(),
        *([Text()] if width >= _WITH_SECTIONS else ()),
        _dim(candidate.concept_id),
        _dim(candidate.concept_name),
        _dim(_score(candidate.score).strip()),
        _dim(candidate.method),
    ]


def _joined(name: str | None, concept_id: str | None) -> Text:
    return _cell(" ".join(words for words in (name, concept_id) if words))


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.2f} "


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
