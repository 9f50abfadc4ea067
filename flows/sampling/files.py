"""The files of a sample: each there whole or not at all, and readable by its owner only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from flows import __version__
from flows.errors import CharthouseError, UsageError
from flows.exporting.documents import ExportDocument
from flows.exporting.pubtator import lines_of
from flows.readers.drawn import Drawn, sidecar_of
from flows.readers.pubtator import as_pmid
from flows.sampling.choices import Form
from flows.sampling.tasks import labelling_config, task_of
from flows.work import write_durably


def config_of(path: Path) -> Path:
    """Where the labelling configuration of a task file stands."""
    return path.with_name(f"{path.name}.config.xml")


def check_out(path: Path, *, overwrite: bool) -> None:
    """Fail at the door where the file cannot be written, or somebody's work may be in it.

    Raises:
        UsageError: the folder is missing, the path is a folder, or a file is there.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--out {path}: its folder does not exist", f"Create {path.parent} first")
    if path.is_dir():
        raise UsageError(f"--out {path} is a folder", "Name a file")
    if path.exists() and not overwrite:
        raise UsageError(
            f"--out {path} is there, and may hold annotators' work",
            "Give another name, or --overwrite",
        )


def write_sample(
    path: Path, form: Form, documents: Iterable[ExportDocument], drawn: Drawn
) -> list[Path]:
    """Write documents with their mentions, and beside them how they were drawn.

    Args:
        path: of the file.
        form: its format.
        documents: with text; of their mentions those of the labels of ``drawn`` are written.
        drawn: how they were drawn.

    Returns:
        All files, the first being ``path``.

    Raises:
        CharthouseError: a file cannot be written.
    """
    lines = _LINES[form]((_shown(document, drawn) for document in documents), drawn)
    said = json.dumps({"charthouse": __version__, **drawn.described()}, ensure_ascii=False)
    files: dict[Path, Iterable[str]] = {sidecar_of(path): (said, "\n")}
    if form is Form.labelstudio:
        files[config_of(path)] = (labelling_config(drawn.labels),)
    # The file itself last: where it is, all of it is.
    for file, content in {**files, path: lines}.items():
        try:
            write_durably(file, partial(_write, lines=content))
        except OSError as error:
            raise CharthouseError(
                f"{file} cannot be written ({error.strerror})",
                "Check the folder's rights and free space",
            ) from None
    return [path, *files]


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)


def _shown(document: ExportDocument, drawn: Drawn) -> ExportDocument:
    mentions = () if drawn.blind else document.mentions
    return replace(document, mentions=tuple(m for m in mentions if m.label in drawn.labels))


def _pubtator(documents: Iterable[ExportDocument], drawn: Drawn) -> Iterator[str]:
    for document in documents:
        yield from lines_of(replace(document, native_id=as_pmid(document.document_id)))


def _labelstudio(documents: Iterable[ExportDocument], drawn: Drawn) -> Iterator[str]:
    before = "[\n"
    for document in documents:
        yield before + json.dumps(task_of(document, drawn), ensure_ascii=False)
        before = ",\n"
    yield "\n]\n"


_LINES: dict[Form, Callable[[Iterable[ExportDocument], Drawn], Iterator[str]]] = {
    Form.pubtator: _pubtator,
    Form.labelstudio: _labelstudio,
}
