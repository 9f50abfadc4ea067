"""The text of a document for a terminal: mentions in colour, or in marks that need none."""

from __future__ import annotations

from rich.text import Text

from flows.showing.colours import colour_of
from flows.showing.document import ShownDocument, ShownMention
from flows.showing.pieces import Kind, crossing, cut

_STYLES = ("red", "blue", "green", "yellow", "magenta", "cyan", "bright_blue", "bright_magenta")
"""Of the terminal's own palette, so that they can be read on its background."""

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

# What a text may hold that a terminal would obey: escapes, and marks that turn the direction.
_OBEYED = {c: 0x2400 + c for c in range(0x20) if chr(c) not in "\t\n"}
_OBEYED |= dict.fromkeys((*range(127, 160), 1564, *range(8206, 8208)), 65533)
_OBEYED |= dict.fromkeys((*range(8234, 8239), *range(8294, 8298)), 65533)


def harmless(text: str) -> str:
    """The text with a visible sign for each character that a terminal would obey."""
    return text.replace("\r\n", "\n").translate(_OBEYED)


def label_style(label: str) -> str:
    """The style of a label's mentions."""
    return _STYLES[colour_of(label)]


def is_doubtful(mention: ShownMention) -> bool:
    """Whether a mention is not simply said of the patient, apart from being negated."""
    return bool(set(mention.assertion or ()) - {"negated"})


def coloured(document: ShownDocument) -> Text:
    """The text in colours: a raised number after each mention is that of its row in the table."""
    printed = Text()
    for piece in cut(document):
        if piece.kind is Kind.text:
            printed.append(harmless(piece.text), _style(piece.mentions, piece.is_heading))
        elif piece.kind is Kind.section:
            printed.append(f"§ {harmless(piece.section)} ", "bold dim")
        elif piece.kind is Kind.closes:
            (mention,) = piece.mentions
            number = str(mention.mention_id).translate(_SUPERSCRIPT)
            printed.append(number, label_style(mention.label))
    return printed


def _style(mentions: tuple[ShownMention, ...], is_heading: bool) -> str:
    """The innermost mention gives the colour; where several are, the line below is double."""
    said = ["bold"] if is_heading or mentions else []
    if mentions:
        innermost = mentions[-1]
        said.append(label_style(innermost.label))
        said.append("underline" if len(mentions) == 1 else "underline underline2")
        if "negated" in (innermost.assertion or ()):
            said.append("strike")
        if is_doubtful(innermost):
            said += ["dim", "italic"]
    return " ".join(said)


def marked(document: ShownDocument) -> str:
    """The text in marks: ``[aspirin]{3 Chemical}``, ``[fever]{4 Disease, negated}``.

    The number is that of the row in the table. Where mentions cross, it stands at both ends:
    ``[3|aaa [4|bbb]{3 Disease} ccc]{4 Chemical}``.
    """
    both_ends = crossing(document.mentions)
    printed = []
    for piece in cut(document):
        if piece.kind is Kind.text:
            printed.append(harmless(piece.text))
        elif piece.kind is Kind.section:
            printed.append(f"§ {harmless(piece.section)} ")
        else:
            (mention,) = piece.mentions
            if piece.kind is Kind.opens:
                number = f"{mention.mention_id}|" if mention.mention_id in both_ends else ""
                printed.append(f"[{number}")
            else:
                said = ", ".join((harmless(mention.label), *(mention.assertion or ())))
                printed.append(f"]{{{mention.mention_id} {said}}}")
    return "".join(printed)
