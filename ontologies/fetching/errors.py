"""Why a file did not come."""

from __future__ import annotations

from ontologies.errors import OntologyError


class DownloadError(OntologyError):
    """A file did not come."""


class MissingError(DownloadError):
    """The server has no such file, or sends a web page in its place."""


class RefusedError(DownloadError):
    """The server does not let us in."""


class UnreachableError(DownloadError):
    """No server answers: there is no network, or none that leads there."""
