"""Assertion: is a mention denied, doubted, past, conditional, or about somebody else?"""

ASSERTION_VERSION = 1
"""Raised by hand when the code of this package assesses otherwise; rules have their own hash."""

RULES, OFF = "rules", "off"
"""Values of ``assertion.method`` that are no model."""


class AssessorError(ValueError):
    """Rules or a classifier cannot be used; the message says what to do."""
