"""Text of a FHIR attachment: its data, or a file or Binary beside the source that its URL names."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from flows.readers.binaries import binary_id, find_binary
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
    raw, stated = _bytes(attachment, path, folder)
    text = _decoded(raw, attachment["contentType"], stated, is_html=media in _HTML)
    if "\0" in text:
        raise Unreadable("text holds NUL characters")
    if media in _HTML:
        try:
            text = html_text(text)
        except ValueError as error:
            raise Unreadable("attachment is HTML that cannot be parsed") from error
    if not text.strip():
        raise Unreadable("text is empty")
    return text


def _bytes(attachment: Mapping[str, Any], path: Path, folder: Path) -> tuple[bytes, str]:
    """The bytes, and the type that a Binary states for them, else nothing."""
    data, url = attachment.get("data"), attachment.get("url")
    has_url = isinstance(url, str) and bool(url.strip())
    if isinstance(data, str) and (data.strip() or not has_url):
        return _from_base64(data), ""
    if not isinstance(url, str) or not has_url:
        raise Unreadable("attachment has neither data nor a URL")
    is_elsewhere = _SCHEME.match(url) is not None
    file = None if is_elsewhere else _inside(path.parent / unquote(url), folder)
    try:
        if file is not None:
            return file.read_bytes(), ""
        native_id = binary_id(url)
        if native_id and (binary := find_binary(native_id, path, folder)):
            data, stated = binary.get("data"), binary.get("contentType")
            return _from_base64(data or ""), stated if isinstance(stated, str) else ""
    except OSError as error:
        raise Unreadable("the file of the attachment cannot be read") from error
    if is_elsewhere:
        raise Unreadable("attachment is at a URL elsewhere; export with the data in the resource")
    raise Unreadable("the file of the attachment is not in the source's folder")


def _from_base64(data: Any) -> bytes:
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError, AttributeError) as error:
        raise Unreadable("attachment is not valid base64") from error


def _inside(file: Path, folder: Path) -> Path | None:
    """The file if there is one and, links followed, it lies in the folder."""
    try:
        real = file.resolve()
        return real if real.is_file() and real.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):  # too long, a NUL, a loop of links
        return None


def _decoded(raw: bytes, content_type: str, of_binary: str, *, is_html: bool) -> str:
    stated = _CHARSET.search(content_type) or _CHARSET.search(of_binary)
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
