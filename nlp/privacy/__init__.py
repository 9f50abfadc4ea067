"""De-identification: identifiers are found and replaced before anything else reads a text."""

PRIVACY_VERSION = 1
"""Raised by hand when a change of this package changes what is found or put in its place."""


class PrivacyError(ValueError):
    """The secret, a list or a model cannot be used; the message says what to do."""
