"""A dictionary of concept names as a source of mentions: longest matches of normal forms.

What QuickUMLS (Soldaini and Goharian 2016) and cTAKES's dictionary lookup do. Names are compared by
``ontologies.normalise.normal_form`` with plurals folded; see ``ontologies/phrases.py``.
"""

DICTIONARY_VERSION = 1
"""Raised when the same store and settings find other mentions."""


class DictionaryError(Exception):
    """A dictionary cannot be used: its store, its labels or its stop words; says what to do."""
