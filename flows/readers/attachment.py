"""Text of a FHIR attachment: its data, or a file beside the source that its URL names."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.readers.html import html_text

_PLAIN = ("text/plain",)
_HTML = ("text/html", "application/xhtml+xml")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,80}", re.ASCII)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([\w.:-]{1,40})", re.ASCII | re.IGNORECASE)
_CHARSET_IN_HTML = re.compile(
    rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]{1,40})|<meta[^>]*?charset\s*=\s*[\"']?([\w.:-]{1,40})",
    re.IGNORECASE,
)
_HEAD_BYTES = 2048
_UTF8_MARK = b"\xef\xbb\xbf"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


class Unreadable(Exception):
    """An attachment cannot be read; the message holds no text and no id."""


def media_type(attachment: Mapping[str, Any]) -> str | None:
    """The media type without its parameters, in lower case; None where none is given."""
    given = attachment.get("contentType")
    if not isinstance(given, str) or not given.strip():
        return None
    return given.partition(";")[0].strip().lower()


def attachment_text(attachment: Mapping[str, Any], path: Path, folder: Path) -> str:
    """The text of an attachment of plain text, HTML or XHTML, decoded as it says, else UTF-8.

    Args:
        attachment: a FHIR Attachment.
        path: the file it stands in; relative URLs begin beside it.
        folder: what a file that a URL names must lie in.

    Raises:
        Unreadable: it is of another type, its bytes are not there or not as they are said to be.
    """
    media = media_type(attachment)
    if media is None:
        raise Unreadable("attachment has no contentType")
    if media not in _PLAIN + _HTML:
        named = f" {media}" if _MEDIA_TYPE.fullmatch(media) else ""
        raise Unreadable(f"attachment type{named} is not read")
    raw = _bytes(attachment, path, folder)
    text = _decoded(raw, attachment["contentType"], is_html=media in _HTML)
    if media in _PLAIN:
        return text
    try:
        return html_text(text)
    except ValueError as error:
        raise Unreadable("attachment is HTML that cannot be parsed") from error


def _bytes(attachment: Mapping[str, Any], path: Path, folder: Path) -> bytes:
    data = attachment.get("data")
    if isinstance(data, str):
        try:
            return base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise Unreadable("attachment is not valid base64") from error
    url = attachment.get("url")
    if not isinstance(url, str) or not url.strip():
        raise Unreadable("attachment has neither data nor a URL")
    if _SCHEME.match(url):
        raise Unreadable("attachment is at a URL elsewhere; export with the data in the resource")
    file = _inside(path.parent / url, folder)
    if file is None:
        raise Unreadable("the file of the attachment is not in the source's folder")
    try:
        return file.read_bytes()
    except OSError as error:
        raise Unreadable("the file of the attachment cannot be read") from error


def _inside(file: Path, folder: Path) -> Path | None:
    """The file if there is one and, links followed, it lies in the folder."""
    try:
        real = file.resolve()
        return real if real.is_file() and real.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):  # too long, a NUL, a loop of links
        return None


def _decoded(raw: bytes, content_type: str, *, is_html: bool) -> str:
    stated = _CHARSET.search(content_type)
    charset = stated[1] if stated else "utf-8"
    if not stated and is_html and (inside := _CHARSET_IN_HTML.search(raw[:_HEAD_BYTES])):
        charset = (inside[1] or inside[2]).decode("ascii")
    try:
        return raw.removeprefix(_UTF8_MARK).decode(charset)
    except LookupError as error:
        raise Unreadable(f"charset {charset} of an attachment is not known") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"attachment is not valid {charset}") from error
    except (ValueError, AssertionError) as error:  # "hex", "idna" and other codecs of no text
        raise Unreadable(f"charset {charset} of an attachment is not known") from error
