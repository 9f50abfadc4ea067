"""Streaming over JSON: objects one by one from a file of any size."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from flows.errors import SourceError
from flows.readers.compression import open_binary

_CHUNK = 256 * 1024
# json tells of a value that is cut off at the end of what was read so far, or a few characters
# before it: an escape may be cut too.
_LONGEST_ESCAPE = 12


def stream_objects(path: Path, lists: tuple[str, ...]) -> Iterator[Any]:
    """Yield the objects of a file that holds one, a list of them, or one after another.

    Of an object that has one of ``lists`` as a key, the values in that list are yielded, each as
    soon as it is read, and the object itself is not.

    Raises:
        SourceError: the file is not JSON or not UTF-8 (file and line named).
    """
    with open_binary(path) as binary:
        stream = io.TextIOWrapper(binary, encoding="utf-8-sig")
        source = _Source(stream)
        try:
            while source.peek():
                if source.take("["):
                    for _ in _items(source, "]"):
                        yield from _objects(source, lists)
                else:
                    yield from _objects(source, lists)
        except UnicodeDecodeError as error:
            raise SourceError(f"{path} is not valid UTF-8", "Convert it to UTF-8") from error
        except (ValueError, RecursionError) as error:
            raise SourceError(
                f"{path} is not well-formed JSON near line {source.line}",
                "Fetch it again or mend it there",
            ) from error


def _objects(source: _Source, lists: tuple[str, ...]) -> Iterator[Any]:
    if not source.take("{"):
        yield source.value()
        return
    found: dict[str, Any] = {}
    is_wrapper = False
    for _ in _items(source, "}"):
        key = source.value()
        if not isinstance(key, str) or not source.take(":"):
            raise ValueError
        if key in lists and source.take("["):
            is_wrapper = True
            for _ in _items(source, "]"):
                yield source.value()
        else:
            found[key] = source.value()
    if not is_wrapper:
        yield found


def _items(source: _Source, end: str) -> Iterator[None]:
    """Stand before each item of an object or a list in turn, until its end is taken."""
    if source.take(end):
        return
    while True:
        yield
        if source.take(end):
            return
        if not source.take(","):
            raise ValueError


class _Source:
    """The part of a text that was read and not yet used."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._ended = False
        self._lines_dropped = 0
        self._decoder = json.JSONDecoder()

    @property
    def line(self) -> int:
        """The line of the next character, counted from 1."""
        return self._lines_dropped + self._text.count("\n", 0, self._at) + 1

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def take(self, char: str) -> bool:
        """Use the next character up if it is this one."""
        if self.peek() != char:
            return False
        self._at += 1
        return True

    def value(self) -> Any:
        """Use the next value up, reading on until it is complete."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended or not self._may_be_cut(error):
                    raise
            else:
                if end < len(self._text) or self._ended:  # else a number may go on
                    self._at = end
                    return value
            self._fill()

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos + _LONGEST_ESCAPE > len(
            self._text
        )

    def _fill(self) -> None:
        """Read on, each time at least as much as is kept: a long value is tried a few times."""
        self._lines_dropped += self._text.count("\n", 0, self._at)
        kept = self._text[self._at :]
        more = self._stream.read(max(_CHUNK, len(kept)))
        self._ended = not more
        self._text, self._at = kept + more, 0
