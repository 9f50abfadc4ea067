"""The name that a mention is linked by."""

from __future__ import annotations

from collections.abc import Sequence

from nlp.preprocess.pipeline import Abbreviation


def lookup_text(text: str, start: int, end: int, abbreviations: Sequence[Abbreviation]) -> str:
    """The mention ``text[start:end]`` with short forms expanded and white space collapsed.

    Each short form inside the mention that the document defines is replaced by its long form. A
    mention that holds both the long form and the short one in parentheses loses the parentheses.

    Args:
        text: the document's text.
        start, end: the mention in characters of it.
        abbreviations: the document's, in text order.
    """
    pieces = []
    position = start
    for short in abbreviations:
        if short.short_start_char < position or short.short_end_char > end:
            continue
        before = text[position : short.short_start_char]
        after = short.short_end_char
        if start <= short.long_start_char and short.long_end_char <= end:
            before = before.rstrip().removesuffix("(")
            if text[after : after + 1] == ")":
                after += 1
            pieces.append(before)
        else:
            pieces += [before, short.long_form]
        position = after
    if position < end:
        pieces.append(text[position:end])
    return " ".join("".join(pieces).split())
