"""Releases of ontologies, downloaded from NLM or a mirror."""
