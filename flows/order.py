"""The order of a run: what it was told to do, kept in the work folder while it runs.

Task parameters name only this file, so that source paths and settings stay out of Prefect.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.generating.order import Generation
from flows.readers import READERS
from flows.readers.base import TABLE, ColumnMapping, SourceFile
from flows.settings import Settings
from flows.work import write_json
from nlp.fingerprint import AnnotationSet


@dataclass(frozen=True)
class LinkTarget:
    """An ontology to link to: how it was named, the store's folder, and the linkset it makes."""

    name: str
    store: Path
    release_id: str
    linkset_id: str
    position: int


@dataclass(frozen=True)
class Order:
    """Everything a run needs, checked: paths are absolute, models and stores are there."""

    warehouse: Path
    files: tuple[SourceFile, ...]
    settings: Settings
    annotation: AnnotationSet
    targets: tuple[LinkTarget, ...]
    sources: tuple[str, ...] = ()
    """Files, folders and globs as the user named them, made absolute."""
    generation: Generation | None = None
    """What is to be generated; ``annotation`` then stands for the generation set."""

    @property
    def order_hash(self) -> str:
        """Fingerprint of sources and of the settings that change what is done.

        An interrupted run is continued by an order with the same fingerprint.
        """
        described: dict[str, Any] = {
            "files": [describe_reading(file) + f" {file.name}" for file in self.files],
            "annotation_id": self.annotation.annotation_id,
            "linksets": [target.linkset_id for target in self.targets],
            "limit": self.settings.source.limit,
            "retry_rejects": self.settings.source.retry_rejects,
            "keep_previous": self.settings.keep_previous,
            "pruned": sorted(self.sources) if self.settings.source.prune else None,
        }
        if self.generation is not None:
            described["generation"] = self.generation.as_dict()
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def describe_reading(file: SourceFile) -> str:
    """How a file is read: reader, its version, corpus and mapping. Another way is another read."""
    reader = READERS[file.format]
    mapping = asdict(file.columns) if file.columns else {}
    if mapping.get(TABLE) is None:
        mapping.pop(TABLE, None)  # as it was described before files could hold several
    columns = json.dumps(mapping, sort_keys=True)
    return f"{reader.name} v{reader.version} corpus={file.corpus} columns={columns}"


def save_order(order: Order, path: Path) -> None:
    """Write the order durably, readable by its owner only."""
    write_json(
        path,
        {
            "warehouse": str(order.warehouse),
            "files": [
                {
                    "path": str(f.path),
                    "format": f.format,
                    "corpus": f.corpus,
                    "root": str(f.root) if f.root else None,
                    "columns": asdict(f.columns) if f.columns else None,
                    "problem": f.problem,
                    "url": f.url,
                    "alias": f.alias,
                }
                for f in order.files
            ],
            "settings": order.settings.model_dump(mode="json"),
            "annotation": asdict(order.annotation),
            "sources": order.sources,
            "targets": [asdict(t) | {"store": str(t.store)} for t in order.targets],
            "generation": order.generation.as_dict() if order.generation else None,
        },
    )


def load_order(path: Path) -> Order:
    """Read an order that :func:`save_order` wrote."""
    raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
    from nlp.fingerprint import ModelIdentity

    annotation = raw["annotation"]
    return Order(
        warehouse=Path(raw["warehouse"]),
        files=tuple(
            SourceFile(
                Path(f["path"]),
                f["format"],
                f["corpus"],
                Path(f["root"]) if f["root"] else None,
                ColumnMapping(**f["columns"]) if f["columns"] else None,
                f["problem"],
                f["url"],
                f["alias"],
            )
            for f in raw["files"]
        ),
        settings=Settings(**raw["settings"]),
        annotation=AnnotationSet(
            annotation["annotation_id"],
            tuple(
                ModelIdentity(m["name"], m["fingerprint"], tuple(m["labels"]))
                for m in annotation["models"]
            ),
            annotation["settings"],
        ),
        targets=tuple(LinkTarget(store=Path(t.pop("store")), **t) for t in raw["targets"]),
        sources=tuple(raw["sources"]),
        generation=Generation.from_dict(raw["generation"]) if raw.get("generation") else None,
    )
