"""Quantities: dates, doses, frequencies, lab values and their units, beside mentions."""

QUANTITIES_VERSION = 1
"""Raised by hand when a change of this package changes its rows."""
