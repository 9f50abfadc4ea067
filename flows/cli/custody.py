"""``charthouse snapshot``, ``forget``, ``remember`` and ``compact``: copies, erasing, space."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.access import Config, Wait, access_for, warehouse_settings
from flows.errors import CharthouseError

if TYPE_CHECKING:
    from flows.warehouse.compacting import Compacted
    from flows.warehouse.erasing import Erased, Subjects

Warehouse = Annotated[Path, typer.Option("--warehouse", "-w", help="DuckDB file of the warehouse.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
DocumentIds = Annotated[
    list[str] | None,
    typer.Option("--document", metavar="ID", help="A document_id, corpus:native_id. Repeatable."),
]
PersonIds = Annotated[
    list[str] | None,
    typer.Option("--person", metavar="ID", help="A person_id, and all its documents. Repeatable."),
]
DocumentFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File of document_ids, one a line, - for standard input: command lines stay in the "
        "shell's history.",
    ),
]
SourceIds = Annotated[
    bool,
    typer.Option(
        "--source-ids",
        help="The ids are those of the sources: the secret of privacy makes pseudonyms of them.",
    ),
]
PersonFile = Annotated[Path | None, typer.Option(metavar="FILE", help="The same with person_ids.")]


def snapshot(
    warehouse: Warehouse,
    out: Annotated[
        Path | None,
        typer.Option(metavar="S.duckdb", help="The copy. (default: warehouse.snapshot)"),
    ] = None,
    wait: Wait = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Publish a read-only copy for analysts; it can be read while a run is at work.

    The copy takes the place of the former one in one step. `forget` renews it as well.

    Example: charthouse snapshot -w notes.duckdb --out /srv/analysts/notes.duckdb
    """
    from flows.warehouse.access import access_of
    from flows.warehouse.connection import open_warehouse
    from flows.warehouse.snapshots import check_snapshot, publish

    settings = warehouse_settings(config, wait)
    out = out or settings.snapshot
    if out is None:
        raise typer.BadParameter("say where the copy goes", param_hint="--out")
    if not warehouse.is_file():
        raise CharthouseError(f"warehouse {warehouse} does not exist", "Check --warehouse")
    access = access_of(settings, quiet=as_json)
    check_snapshot(out, warehouse, access)
    with open_warehouse(warehouse, access) as connection:
        publish(connection, warehouse, out, access)
    size = out.stat().st_size
    if as_json:
        print(json.dumps({"snapshot": str(out), "bytes": size}))
    else:
        print(f"Published {out} ({size:,} bytes)")


def forget(
    warehouse: Warehouse,
    document: DocumentIds = None,
    person: PersonIds = None,
    document_file: DocumentFile = None,
    person_file: PersonFile = None,
    source_ids: SourceIds = False,
    annotation_set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Drop an annotation set that is not the current one, whole. Repeatable.",
        ),
    ] = None,
    generation_set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Drop what a model wrote or predicted under a generation_id, whole. Repeatable.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be erased; write nothing.")
    ] = False,
    defer_compaction: Annotated[
        bool,
        typer.Option(
            "--defer-compaction",
            help="Erase rows only; `charthouse compact` renews snapshots and removes the bytes.",
        ),
    ] = False,
    wait: Wait = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Erase documents and persons from tables, work folder and snapshots, for good.

    A tombstone stays, a salted hash: runs over the same sources leave them out. Interrupted runs
    are given up. What models wrote about the documents or persons, or from passages of the
    documents, goes with them. The file is written anew, so that no bytes of the texts are left in
    it. Prints counts, never ids.

    Example: charthouse forget -w notes.duckdb --person-file ids.txt
    """
    from flows.forget import forget as carry_out
    from flows.forget import preview

    subjects = _subjects(
        document, person, document_file, person_file, annotation_set, generation_set
    )
    if source_ids:
        subjects = _in_warehouse(subjects, config)
    access = access_for(config, wait, quiet=as_json)
    if dry_run:
        erased = preview(warehouse, subjects, access)
        if as_json:
            print(json.dumps({"erased": asdict(erased)}))
        else:
            _print_erased(erased, "Would erase")
            print("Nothing was written: this was a dry run.")
        return
    outcome = carry_out(warehouse, subjects, access, defer_compaction=defer_compaction)
    if as_json:
        print(json.dumps(asdict(outcome)))
        return
    _print_erased(outcome.erased, "Erased")
    print(f"{outcome.erased.tombstones:,} new tombstones")
    if outcome.abandoned_runs:
        print(f"{outcome.abandoned_runs:,} interrupted runs given up")
    if outcome.compacted is None:
        print("Their bytes are still in the file, and rows in snapshots: run charthouse compact.")
    else:
        _print_rewritten(outcome.snapshots, outcome.compacted)


def remember(
    warehouse: Warehouse,
    document: DocumentIds = None,
    person: PersonIds = None,
    document_file: DocumentFile = None,
    person_file: PersonFile = None,
    source_ids: SourceIds = False,
    wait: Wait = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Lift tombstones that `forget` left: the next run brings back what their sources still hold.

    Forgetting a person leaves a tombstone of each document too: give these with --document.

    Example: charthouse remember -w notes.duckdb --document-file ids.txt
    """
    from flows.forget import remember as carry_out

    subjects = _subjects(document, person, document_file, person_file, None)
    if source_ids:
        subjects = _in_warehouse(subjects, config)
    lifted = carry_out(warehouse, subjects, access_for(config, wait, quiet=as_json))
    if as_json:
        print(json.dumps({"lifted": lifted}))
    else:
        print(f"{lifted:,} tombstones lifted; the next run reads all its sources again")


def compact(
    warehouse: Warehouse,
    encrypt: Annotated[
        bool,
        typer.Option(
            "--encrypt", help="The warehouse is plain: give it the key that the settings name."
        ),
    ] = False,
    wait: Wait = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the file anew without the space of deleted rows; the former stays until it is done.

    Needs as much free disk as the file has. Refused while a run is at work or interrupted.

    Example: charthouse compact -w notes.duckdb
    """
    from flows.forget import compact_warehouse

    access = access_for(config, wait, quiet=as_json)
    renewed, compacted = compact_warehouse(warehouse, access, encrypt=encrypt)
    if as_json:
        print(json.dumps({"snapshots": renewed, **asdict(compacted)}))
    else:
        _print_rewritten(renewed, compacted)


def _subjects(
    documents: list[str] | None,
    persons: list[str] | None,
    document_file: Path | None,
    person_file: Path | None,
    annotation_sets: list[str] | None,
    generation_sets: list[str] | None = None,
) -> Subjects:
    from flows.warehouse.erasing import Subjects

    if document_file and document_file == person_file:
        raise typer.BadParameter("one file cannot hold both", param_hint="--person-file")
    subjects = Subjects(
        documents=(*(documents or ()), *_ids(document_file)),
        persons=(*(persons or ()), *_ids(person_file)),
        annotation_sets=tuple(annotation_sets or ()),
        generation_sets=tuple(generation_sets or ()),
    )
    sets = (*subjects.annotation_sets, *subjects.generation_sets)
    if not (subjects.documents or subjects.persons or sets):
        raise typer.BadParameter("name what is meant, for example with --document-file")
    if not all(map(str.strip, (*subjects.documents, *subjects.persons))):
        raise typer.BadParameter("an id is empty")
    if any(":" not in identifier for identifier in subjects.documents):
        raise typer.BadParameter("a document id is written corpus:native_id")
    return subjects


def _in_warehouse(subjects: Subjects, config: Path | None) -> Subjects:
    """The subjects by the ids that a warehouse has whose documents were de-identified."""
    from dataclasses import replace

    from flows.pseudonyms import pseudonyms
    from flows.settings import load_settings

    hidden = pseudonyms(load_settings(config, {}).privacy)
    if hidden is None:
        raise CharthouseError(
            "privacy.mode is off: ids are stored as the sources have them",
            "Leave --source-ids out, or name the settings of the runs with --config",
        )
    return replace(
        subjects,
        documents=tuple(map(hidden.document_id, subjects.documents)),
        persons=tuple(map(hidden.person_id, subjects.persons)),
    )


def _ids(path: Path | None) -> list[str]:
    """Ids in a file or on standard input, one a line."""
    if path is None:
        return []
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        lines = content.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise CharthouseError(f"{path} cannot be read ({error.strerror})", "Check it") from None
    except UnicodeDecodeError:
        raise CharthouseError(f"{path} is no UTF-8 text", "Write one id a line") from None
    return [line.removesuffix("\r") for line in lines if line.strip()]


def _print_erased(erased: Erased, what: str) -> None:
    if erased.ids_given:
        print(f"{erased.ids_found:,} of {erased.ids_given:,} ids have rows in the warehouse")
    print(f"{what}: {erased.documents:,} documents, {sum(erased.rows.values()):,} rows in all")
    for table, count in erased.rows.items():
        print(f"  {table}: {count:,}")


def _print_rewritten(snapshots: int, compacted: Compacted) -> None:
    if snapshots:
        print(f"{snapshots:,} {'snapshot' if snapshots == 1 else 'snapshots'} published anew")
    print(f"Compacted: {compacted.before:,} bytes before, {compacted.after:,} after")
