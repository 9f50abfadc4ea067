"""Preprocessing: sentences, sections, abbreviations. Text is never altered."""

PREPROCESS_VERSION = 3
"""Raised by hand when a change of this package changes sentences, sections or abbreviations."""

RULES = "rules"
"""The default pipeline: our own rules for sentences, on the text alone."""

BLANK = "blank"
"""scispaCy's tokenizer, spaCy's rule sentencizer, no model."""

PYSBD = "pysbd"
"""pySBD's rules, for which scispaCy has a component."""

NAMED = frozenset({RULES, BLANK, PYSBD})
"""Pipelines that are no package and no folder."""


class PreprocessError(ValueError):
    """A pipeline or a file of section rules cannot be used; the message says what to do."""
