"""Words that are no mention though some ontology has them as a name."""

from __future__ import annotations

from pathlib import Path

from nlp.dictionary import DictionaryError
from ontologies.normalise import normal_form

_SHIPPED = Path(__file__).parent / "stop_words.txt"
_COMMENT = "#"


def stop_forms(further: Path | None = None) -> frozenset[str]:
    """Normal forms of the shipped stop words and of a user's own.

    Args:
        further: a text file, one word or phrase a line; what follows ``#`` is a comment.

    Raises:
        DictionaryError: the file cannot be read.
    """
    forms = _read(_SHIPPED)
    if further is not None:
        try:
            forms |= _read(further)
        except (OSError, UnicodeDecodeError) as error:
            raise DictionaryError(
                f"stop words {further}: cannot be read ({type(error).__name__}); give a UTF-8 text "
                "file with one word or phrase a line"
            ) from None
    return frozenset(forms)


def _read(path: Path) -> set[str]:
    lines = path.read_text("utf-8").splitlines()
    phrases = (phrase for line in lines for phrase in line.partition(_COMMENT)[0].split(","))
    return {normal_form(phrase) for phrase in phrases if phrase.strip()}
