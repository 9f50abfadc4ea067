"""The texts of a document beside its metadata."""

from __future__ import annotations

from typing import Any

DOCUMENT_TYPE = "document_type"


def own_texts(row: dict[str, Any]) -> list[str]:
    """Text, title and type of a document, then the names of its sections; empty where missing."""
    names = [section["name"] or "" for section in row["sections"] or ()]
    return [row["text"] or "", row["title"] or "", row.get(DOCUMENT_TYPE) or "", *names]
