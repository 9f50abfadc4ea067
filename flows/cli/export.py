"""``charthouse export``: what a warehouse holds, in forms that other systems read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows.cli.access import Config, Wait
from flows.cli.exits import interruption_told
from flows.cli.terminal import standard_output
from flows.exporting.choices import BiocFile, IdMode, OmopFile

if TYPE_CHECKING:
    from flows.exporting.export import Format
    from flows.exporting.outcome import Exported

app = typer.Typer(
    help="""Export a warehouse for other systems. It is only read; memory stays bounded.

    Every format goes to a new folder that is there whole or not at all. Exports hold what the
    warehouse holds: keep them as private. docs/exports.md has the mapping of each format.

    Example: charthouse export omop -w notes.duckdb --out omop --where "kind = 'note'"
    """,
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Warehouse = Annotated[Path, typer.Option("--warehouse", "-w", help="DuckDB file to read.")]
Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help="Folder to write, new or empty.")
]
Where = Annotated[
    str | None,
    typer.Option(
        metavar="SQL",
        help="Condition over columns of the table documents, for example "
        "\"document_date >= '2024-01-01'\". (default: all)",
    ),
]
Corpus = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Only this corpus. Repeatable.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an export that is in the folder.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Count what would be written; write nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
WithText = Annotated[
    bool, typer.Option("--with-text", help="Put the documents' texts in. (default: left out)")
]


@app.command()
def omop(
    warehouse: Warehouse,
    out: Out,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Download from athena.ohdsi.org, with CONCEPT.csv and CONCEPT_RELATIONSHIP.csv: "
            "concepts become standard ones by `Maps to`. Without it, and without --concept-map, "
            "concept ids are 0.",
        ),
    ] = None,
    concept_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Tab-separated, columns source (UMLS:C0011849) and concept_id; wins over the "
            "vocabulary.",
        ),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Remembers which document has which integer; made where missing, extended by "
            "each export. (default: DIR.ids.parquet, beside the folder)",
        ),
    ] = None,
    id_mode: Annotated[
        IdMode,
        typer.Option(
            help="native: native_id, person_id and encounter_id are OMOP's integers; assigned: "
            "counted; auto: native where all are integers, and later ones that are none counted up."
        ),
    ] = IdMode.auto,
    first_id: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=2**31 - 1,
            help="Counted ids begin here, above those your CDM has.",
        ),
    ] = 1,
    with_text: WithText = False,
    no_snippets: Annotated[
        bool, typer.Option("--no-snippets", help="Leave out the 250 characters around a mention.")
    ] = False,
    form: Annotated[
        list[OmopFile] | None,
        typer.Option("--as", help="Which files. Repeatable. (default: all three)"),
    ] = None,
    where: Where = None,
    corpus: Corpus = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """OMOP CDM v5.4: tables note and note_nlp, as DuckDB file, CSV and Parquet.

    Example: charthouse export omop -w notes.duckdb -o omop --vocabulary athena/
    """
    from flows.exporting.omop.omop import Omop

    if ids is not None and out.resolve() in ids.resolve().parents:
        raise typer.BadParameter("it would go with the folder", param_hint="--ids")
    # Not resolved: a link's ids are beside the link.
    folder = Path(os.path.abspath(out))  # noqa: PTH100
    if not folder.name:
        raise typer.BadParameter("it has no name", param_hint="--out")
    asked = Omop(
        ids=ids or folder.with_name(f"{folder.name}.ids.parquet"),
        id_mode=id_mode,
        vocabulary=vocabulary,
        concept_map=concept_map,
        with_text=with_text,
        snippets=not no_snippets,
        files=tuple(form or OmopFile),
        first_id=first_id,
    )
    _export(asked, warehouse, out, where, corpus, overwrite, dry_run, as_json, wait, config)


@app.command()
def fhir(
    warehouse: Warehouse,
    out: Out,
    with_text: WithText = False,
    include_negated: Annotated[
        bool,
        typer.Option("--include-negated", help="Denied concepts too: refuted, or negative."),
    ] = False,
    where: Where = None,
    corpus: Corpus = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """FHIR R4, NDJSON: conditions and observations with provenance, for documents of a person.

    Example: charthouse export fhir -w notes.duckdb -o fhir --corpus ward-7
    """
    from flows.exporting.fhir.fhir import Fhir

    asked = Fhir(with_text, include_negated)
    _export(asked, warehouse, out, where, corpus, overwrite, dry_run, as_json, wait, config)


@app.command()
def pubtator(
    warehouse: Warehouse,
    out: Out,
    where: Where = None,
    corpus: Corpus = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """PubTator: title, abstract, mentions with types and concept ids, a file for each corpus.

    The texts are in it.

    Example: charthouse export pubtator -w pubmed.duckdb -o out --where "kind = 'abstract'"
    """
    from flows.exporting.pubtator import Pubtator

    _export(Pubtator(), warehouse, out, where, corpus, overwrite, dry_run, as_json, wait, config)


@app.command()
def bioc(
    warehouse: Warehouse,
    out: Out,
    form: Annotated[
        list[BiocFile] | None, typer.Option("--as", help="xml, json. Repeatable. (default: xml)")
    ] = None,
    where: Where = None,
    corpus: Corpus = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """BioC: XML or JSON, sections as passages, mentions as annotations, a file for each corpus.

    The texts are in it.

    Example: charthouse export bioc -w pubmed.duckdb -o out --as xml --as json
    """
    from flows.exporting.bioc import Bioc

    asked = Bioc(tuple(dict.fromkeys(form or [BiocFile.xml])))
    _export(asked, warehouse, out, where, corpus, overwrite, dry_run, as_json, wait, config)


@app.command()
def parquet(
    warehouse: Warehouse,
    out: Out,
    tables: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this table. Repeatable. (default: all)"),
    ] = None,
    where: Where = None,
    corpus: Corpus = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    wait: Wait = None,
    config: Config = None,
) -> None:
    """Parquet: the tables as they are, those of documents parted by corpus (corpus=NAME).

    The texts are in it, unless the warehouse has none.

    Example: charthouse export parquet -w notes.duckdb -o lake --tables mentions --tables documents
    """
    from flows.exporting.selection import Selection
    from flows.exporting.tables import Tables

    asked = Tables(Selection(where, tuple(corpus or ())), tuple(tables or ()))
    _export(asked, warehouse, out, where, corpus, overwrite, dry_run, as_json, wait, config)


def _export(
    asked: Format,
    warehouse: Path,
    out: Path,
    where: str | None,
    corpus: list[str] | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    wait: float | None,
    config: Path | None,
) -> None:
    from flows.exporting.export import Order, export
    from flows.exporting.selection import Selection
    from flows.settings import load_settings
    from flows.warehouse.access import access_of

    flags = {"warehouse": {"wait_seconds": wait}} if wait is not None else {}
    settings = load_settings(config, flags)
    selection = Selection(where, tuple(corpus or ()))
    order = Order(warehouse, out, asked, selection, overwrite=overwrite, dry_run=dry_run)
    with interruption_told("Nothing was exported."):
        outcome = export(order, access_of(settings.warehouse, quiet=as_json), settings.execution)
    if as_json:
        print(json.dumps(outcome.as_dict(), ensure_ascii=False))
    else:
        _print(outcome)


def _print(outcome: Exported) -> None:
    console = standard_output()
    table = Table(box=None, header_style="dim")
    table.add_column("file")
    table.add_column("rows", justify="right")
    if not outcome.is_dry_run:
        table.add_column("bytes", justify="right")
    for file in outcome.files:
        size = [] if file.bytes is None else [f"{file.bytes:,}"]
        table.add_row(escape(file.name), f"{file.rows:,}", *size)
    console.print(table)
    for words, count in outcome.counts.items():
        console.print(f"{words}: {count:,}", highlight=False)
    done = "would be exported" if outcome.is_dry_run else f"exported to {outcome.out}"
    console.print(escape(f"{outcome.documents:,} documents {done}"), highlight=False)
