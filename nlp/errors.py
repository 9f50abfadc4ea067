"""What ends annotation as a whole: something it needs cannot be used."""

from __future__ import annotations

from nlp.assertion import AssessorError
from nlp.dictionary import DictionaryError
from nlp.generation.errors import GenerationError
from nlp.ner.errors import DeviceError, ModelError
from nlp.preprocess import PreprocessError
from nlp.privacy import PrivacyError

UNUSABLE = (
    ModelError,
    DeviceError,
    PreprocessError,
    DictionaryError,
    AssessorError,
    PrivacyError,
    GenerationError,
)
"""Errors whose words say what is wrong and what to do, and never hold text."""
