"""``charthouse show``: one document with its mentions in colour, its links, and their origin."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from flows.cli.access import Config, Wait, access_for
from flows.cli.inspect import Warehouse
from flows.errors import CharthouseError
from flows.work import write_durably

if TYPE_CHECKING:
    from flows.showing.document import ShownDocument, ShownMention

_PIPED_WIDTH = 160
_PICTURE = b"<svg"


def show(
    document_id: Annotated[
        str,
        typer.Argument(
            metavar="DOCUMENT_ID",
            help="CORPUS:NATIVE_ID, or the native id where one corpus alone has it.",
        ),
    ],
    warehouse: Warehouse,
    annotation: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Another annotation set: start of a run_id or annotation_id, `latest` or "
            "`previous`.",
        ),
    ] = None,
    linkset: Annotated[
        str | None, typer.Option(metavar="ID", help="Another linkset: start of its linkset_id.")
    ] = None,
    ontology: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Links to another current ontology: start of its name or release, or its "
            "position (1, 2 ...).",
        ),
    ] = None,
    mention: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Only this mention: its sentence, candidates and assertion's rules."
        ),
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="All concepts that linking weighed, by name.")
    ] = False,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            help="Mark mentions by brackets, [fever]{4 Disease, negated}, as when piped.",
        ),
    ] = False,
    width: Annotated[
        int | None,
        typer.Option(
            min=40,
            metavar="COLUMNS",
            help="Width of tables and lines. (default: the terminal's; lines are not broken when "
            "piped)",
        ),
    ] = None,
    svg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also draw what is printed, in colour, as an SVG picture."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """Print one document: its text with mentions in colour, their links, and where they come from.

    The first thing to do when a number looks odd. It prints text of the warehouse, which may be
    clinical.

    Example: charthouse show sample:N0016 --warehouse sample.duckdb
    """
    from flows.showing.reading import read_document
    from flows.warehouse.connection import read_warehouse

    if svg is not None:
        _check_picture(svg)
    with read_warehouse(warehouse, access_for(config, wait)) as connection:
        document = read_document(
            connection, document_id, annotation=annotation, linkset=linkset, ontology=ontology
        )
    if mention is not None:
        document = replace(document, mentions=(_mention(document, mention),))
    piped = not sys.stdout.isatty()
    columns = width or (_PIPED_WIDTH if piped else None)
    console = Console(width=columns, highlight=False)
    in_colour = not (plain or piped or console.no_color or not _writes_superscript(console))
    one = document.mentions[0] if mention is not None else None
    if as_json:
        print(json.dumps(_as_dict(document), ensure_ascii=False, default=str))
    else:
        _print(console, document, one, candidates, in_colour, wrap=width is not None or not piped)
    if svg is not None:
        _draw(svg, document, one, candidates, console.width)


def _mention(document: ShownDocument, number: int) -> ShownMention:
    for mention in document.mentions:
        if mention.mention_id == number:
            return mention
    known = [m.mention_id for m in document.mentions]
    has = f"They are {min(known)} to {max(known)}" if known else "It has no mentions"
    raise CharthouseError(f"--mention {number}: the document has no such mention", has)


def _writes_superscript(console: Console) -> bool:
    try:
        "§⁰¹²".encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _as_dict(document: ShownDocument) -> dict[str, Any]:
    return asdict(document) | {"offsets_fit": document.offsets_fit}


def _print(
    console: Console,
    document: ShownDocument,
    mention: ShownMention | None,
    candidates: bool,
    in_colour: bool,
    *,
    wrap: bool,
) -> None:
    from flows.showing.printed import coloured, marked
    from flows.showing.tables import mentions_table, notes_of, provenance_table

    console.print(provenance_table(document))
    for note in notes_of(document):
        console.print(Text(f"Note: {note}", "bold yellow" if in_colour else ""), soft_wrap=not wrap)
    console.print()
    if mention is not None:
        _print_mention(console, document, mention, wrap=wrap)
        console.print(mentions_table([mention], candidates=True, width=console.width))
        return
    if document.text is not None:
        if in_colour or wrap:
            console.print(
                coloured(document) if in_colour else Text(marked(document)), soft_wrap=not wrap
            )
        else:
            console.file.write(marked(document) + "\n")  # as it is: rich would widen tabs
        console.print()
    if in_colour and document.mentions:
        console.print(_legend(document))
        console.print()
    if document.mentions:
        table = mentions_table(document.mentions, candidates=candidates, width=console.width)
        console.print(table)
    else:
        console.print("No mentions were found in it.")


def _print_mention(
    console: Console, document: ShownDocument, mention: ShownMention, *, wrap: bool
) -> None:
    from flows.showing.printed import harmless

    sentence = document.sentence(mention)
    if sentence is not None:
        console.print(Text(harmless(sentence.strip())), soft_wrap=not wrap)
        console.print()
    found = f"found by {mention.model} at {mention.start_char}-{mention.end_char}"
    console.print(Text(harmless(found)), soft_wrap=not wrap)
    for cue in mention.cues:
        words = f' by "{cue.text}"' if cue.text else ""
        console.print(
            Text(harmless(f"{cue.attribute}{words} (rule {cue.rule_id})")), soft_wrap=not wrap
        )
    console.print()


def _legend(document: ShownDocument) -> Text:
    from flows.showing.printed import harmless, is_doubtful, label_style

    labels = sorted({mention.label for mention in document.mentions})
    legend = Text()
    for label in labels:
        legend.append(harmless(label), f"bold underline {label_style(label)}").append("  ")
    said = [mention.assertion or () for mention in document.mentions]
    if any("negated" in words for words in said):
        legend.append("negated", "strike").append("  ")
    if any(is_doubtful(mention) for mention in document.mentions):
        legend.append("uncertain, historical, hypothetical or not the patient's", "dim italic")
    return legend


def _check_picture(path: Path) -> None:
    """Only a picture may be replaced: the path may be the warehouse, by a slip."""
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return
    try:
        with path.open("rb") as file:
            is_picture = file.read(len(_PICTURE)) == _PICTURE
    except OSError:
        is_picture = False
    if not is_picture:
        raise CharthouseError(
            f"--svg {path}: it is there and is no SVG picture", "Give the picture another path"
        )


def _draw(
    path: Path, document: ShownDocument, mention: ShownMention | None, candidates: bool, width: int
) -> None:
    console = Console(
        width=width,
        highlight=False,
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
    )
    _print(console, document, mention, candidates, in_colour=True, wrap=True)
    # Rich's own picture would fetch a font from the network.
    drawn = console.export_svg(title="charthouse show")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    try:
        # It holds text, which is its owner's alone to read, also where the path was open before.
        write_durably(path, lambda temporary: temporary.write_text(picture, encoding="utf-8"))
    except OSError as error:
        raise CharthouseError(f"{path} cannot be written ({error.strerror})") from None
