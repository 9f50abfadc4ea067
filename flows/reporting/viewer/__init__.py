"""Documents in the report's page, with their mentions marked."""

from flows.reporting.viewer.viewer import ViewerOptions, viewer_section

__all__ = ["ViewerOptions", "viewer_section"]
