"""The user's own list of names that are always identifiers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from nlp.privacy import PrivacyError
from nlp.privacy.finding import KINDS, Finding
from nlp.privacy.phrases import PhraseIndex
from nlp.privacy.words import Words, cut_words


class ListedNames:
    """Names of a list, found wherever they stand, in any case."""

    def __init__(self, path: Path | None) -> None:
        """Read the list; None is an empty one.

        Raises:
            PrivacyError: the file cannot be read, or a line is no ``KIND<TAB>name``.
        """
        self._names = PhraseIndex(_read(path) if path is not None else [])

    def find(self, words: Words) -> Iterator[Finding]:
        """The names of the list in a text."""
        for start, end, kind in self._names.find(words):
            yield Finding(start, end, kind, f"{kind}:listed", 1.0)


def list_hash(path: Path | None) -> str | None:
    """SHA-256 of the list.

    Raises:
        PrivacyError: the file cannot be read, or a line is no ``KIND<TAB>name``.
    """
    if path is None:
        return None
    _read(path)  # a list that cannot be used is told of before anything is read
    return hashlib.sha256(_text(path).encode()).hexdigest()


def _read(path: Path) -> list[tuple[str, str]]:
    names = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, tab, name = line.partition("\t")
        kind, name = kind.strip().lower(), " ".join(name.split())
        if not tab or kind not in KINDS:
            raise PrivacyError(
                f"privacy.names {path}, line {number}: must be KIND, a tab and a name; kinds are "
                + ", ".join(KINDS)
            )
        if not name or not cut_words(name[0]):
            raise PrivacyError(
                f"privacy.names {path}, line {number}: a name begins with a letter or a digit"
            )
        names.append((name, kind))
    return names


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise PrivacyError(f"privacy.names {path} is no UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise PrivacyError(f"privacy.names {path} cannot be read ({error.strerror})") from None
