"""Safe streaming over XML, shared by the XML readers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from flows.errors import SourceError
from flows.readers.compression import open_binary

Element = etree._Element

_PROLOG = re.compile(
    rb"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE
)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)")


def root_name(head: bytes) -> str | None:
    """Local name of the root element in the first bytes of a file; ``None`` if it is not XML."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    position = 0
    while prolog := _PROLOG.match(head, position):
        position = prolog.end()
    root = _ROOT.match(head, position)
    return root[1].decode("ascii") if root else None


def stream_elements(path: Path, names: tuple[str, ...]) -> Iterator[Element]:
    """Yield each outermost element of these local names, complete, then free its memory.

    Nothing outside the file is ever opened: no DTD, no external entity, no network.

    Raises:
        SourceError: the XML is malformed (file and line named), declares entities of its own,
            or holds none of these elements.
    """
    found = False
    with open_binary(path) as stream:
        context = etree.iterparse(
            stream,
            events=("end",),
            tag=tuple(f"{{*}}{name}" for name in names),
            load_dtd=False,
            no_network=True,
            resolve_entities=False,
        )
        try:
            for _, element in context:
                if not found:
                    _refuse_entities(path, element)
                    found = True
                if any(local_name(parent) in names for parent in element.iterancestors()):
                    continue
                yield element
                _free(element)
        except etree.XMLSyntaxError as error:
            raise SourceError(
                f"{path} is not well-formed XML at line {error.lineno}",
                "Fetch it again or mend it there",
            ) from error
    if not found:
        if context.root is not None:
            _refuse_entities(path, context.root)
        raise SourceError(f"{path} holds no {' or '.join(names)} element", "Name its --format")


def local_name(element: Element) -> str:
    """Tag without namespace; ``""`` for comments, processing instructions and entities."""
    tag: object = element.tag  # comments and the like have a function here
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def inner_text(element: Element | None) -> str:
    """All text inside an element, its white space collapsed to single spaces; ``""`` for none."""
    if element is None:
        return ""
    return collapse("".join(text_pieces(element)))


def text_pieces(element: Element) -> Iterator[str]:
    """The text nodes inside an element; entities of HTML that no DTD resolved are resolved."""
    yield element.text or ""
    for child in element:
        if local_name(child):
            yield from text_pieces(child)
        else:
            yield entity_text(child)
        yield child.tail or ""


def entity_text(node: Element) -> str:
    """What an entity reference such as ``&alpha;`` stands for; ``""`` for comments and others."""
    return html.unescape(node.text or "") if isinstance(node, etree._Entity) else ""


def collapse(text: str) -> str:
    """Text stripped, each run of white space made one space."""
    return " ".join(text.split())


def section_name(heading: str) -> str:
    """A heading in lower snake case: ``Main Outcome Measure(s)`` is ``main_outcome_measures``."""
    plural = re.sub(r"\(s\)", "s", heading.lower())
    return re.sub(r"[\W_]+", "_", plural).strip("_")


def _refuse_entities(path: Path, element: Element) -> None:
    dtd = element.getroottree().docinfo.internalDTD
    if dtd is not None and dtd.entities():  # type: ignore[attr-defined]
        raise SourceError(
            f"{path} declares XML entities, which are refused",
            "Remove the declarations between [ and ] of its DOCTYPE",
        )


def _free(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
