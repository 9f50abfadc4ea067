"""Preprocessing: tokens, sentences, sections, abbreviations. Text is never altered."""

PREPROCESS_VERSION = 3
"""Raised by hand when a change of this package changes sentences, sections or abbreviations."""

BLANK = "blank"
"""The default pipeline: scispaCy's tokenizer, spaCy's rule sentencizer, no model."""


class PreprocessError(ValueError):
    """A pipeline or a file of section rules cannot be used; the message says what to do."""
