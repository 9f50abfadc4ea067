"""OMOP CDM v5.4: tables ``note`` and ``note_nlp``."""
