"""Text of HTML as a reader sees it: blocks on lines of their own, white space as one blank."""

from __future__ import annotations

import re

from lxml import etree
from lxml import html as lxml_html

_BLOCKS = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "caption",
            "center",
            "dd",
            "details",
        ),
        *("div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1"),
        *(
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "html",
            "legend",
            "li",
            "main",
            "nav",
            "ol",
        ),
        *("p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)
_ROWS = frozenset(("tr", "table"))
_CELLS = frozenset(("td", "th"))
_UNSEEN = frozenset(("head", "script", "style", "template", "title"))
_NOT_DISPLAYED = re.compile(r"(?:^|;)\s*display\s*:\s*none\b", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f]+")
# An XML declaration says how bytes were encoded, which is over where there is a string.
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


class _Page:
    """Text as it is laid out so far."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._begins_line = True
        self._begins_cell = True
        self._has_space = False
        self._cells = 0  # begun on this line
        self._tabs = 0  # before what is written next

    def write(self, text: str, as_it_is: bool) -> None:
        """Add text; a run of white space is one blank, none where a line or a cell begins."""
        ends_with_space = False
        if not as_it_is:
            text = _SPACE.sub(" ", text)
            if text.startswith(" ") and not self._begins_cell:
                self._has_space = True
            ends_with_space = text.endswith(" ")
            text = text.strip(" ")
        if not text:
            return
        if self._tabs:
            self._parts.append("\t" * self._tabs)
        elif self._has_space:
            self._parts.append(" ")
        self._tabs = 0
        self._parts.append(text)
        self._has_space = ends_with_space
        self._begins_line = self._begins_cell = text.endswith("\n")

    def cell(self) -> None:
        """Begin a cell of a table; empty ones before it count."""
        if self._cells or not self._begins_line:
            self._tabs += 1
        self._cells += 1
        self._begins_cell, self._has_space = True, False

    def row(self) -> None:
        """Begin or end a row of a table."""
        self.line()
        self._cells = self._tabs = 0

    def line(self, *, even_if_empty: bool = False) -> None:
        """End the line, unless nothing stands on it."""
        if even_if_empty or not self._begins_line:
            self._parts.append("\n")
            self._cells = self._tabs = 0
        self._begins_line = self._begins_cell = True
        self._has_space = False

    def text(self) -> str:
        """All of it."""
        joined = re.sub(r"[\t ]+\n", "\n", "".join(self._parts))
        return re.sub(r"\n{3,}", "\n\n", joined).rstrip("\n\t ").lstrip("\n ")


def html_text(source: str) -> str:
    """The text of a page or a fragment of HTML or XHTML; empty where it has none.

    Blocks and ``<br>`` end a line, cells of a table are parted by a tab, the lines of ``<pre>``
    stay as they are. Scripts, styles, comments and elements with ``hidden`` or ``display: none``
    are no text. Of several empty lines one stays.

    Raises:
        ValueError: it cannot be parsed to its end.
    """
    parser = lxml_html.HTMLParser(
        no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = lxml_html.document_fromstring(_DECLARATION.sub("", source), parser=parser)
    except etree.ParserError:  # nothing but white space or comments
        return ""
    if parser.error_log.filter_from_fatals():  # cut off, nested too deep for example
        raise ValueError("HTML cannot be parsed to its end")
    page = _Page()
    _lay_out(root, page)
    return page.text()


def _is_hidden(element: etree._Element) -> bool:
    style = element.get("style")
    return element.get("hidden") is not None or bool(style and _NOT_DISPLAYED.search(style))


def _lay_out(root: etree._Element, page: _Page) -> None:
    """Write what can be read, in reading order. No recursion: pages may nest deep."""
    kept = 0
    skipped: etree._Element | None = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if skipped is not None:
                continue
            if tag in _UNSEEN or _is_hidden(element):
                skipped = element
                continue
            kept += tag == "pre"
            if tag in _ROWS:
                page.row()
            elif tag in _BLOCKS:
                page.line()
            elif tag in _CELLS:
                page.cell()
            elif tag == "br":
                page.line(even_if_empty=True)
            page.write(element.text or "", kept > 0)
            continue
        if skipped is None:
            kept -= tag == "pre"
            if tag in _ROWS:
                page.row()
            elif tag in _BLOCKS:
                page.line()
        elif skipped is element:
            skipped = None
        if skipped is None:
            page.write(element.tail or "", kept > 0)
