"""``charthouse ontology``: release files to concept stores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli import encode, fetch, pairs
from flows.cli.terminal import standard_output
from flows.errors import CharthouseError

if TYPE_CHECKING:
    from ontologies.release import Release

app = typer.Typer(
    help="Download ontology releases, compile them into concept stores, look into stores.",
    no_args_is_help=True,
)
app.add_typer(fetch.app, name="fetch")
app.command("encode")(encode.encode)
app.command("pairs")(pairs.pairs)

_SOURCES = "Sources"
_CHOICE = "What is read"
_MOST_PROBLEMS = 20


@app.callback()
def _options() -> None:
    pass


@app.command()
def build(
    out: Annotated[Path | None, typer.Option(help="Folder of the store to make.")] = None,
    mesh: Annotated[
        list[Path] | None,
        typer.Option(
            help="MeSH descriptor or supplementary XML from NLM, plain or gzipped; repeat for "
            "both (desc2026.xml, supp2026.xml).",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    umls: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder META of a UMLS release, or of a subset made by MetamorphoSys. You need "
            "a UMLS licence from NLM.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    obo: Annotated[
        list[Path] | None,
        typer.Option(
            help="OBO file or OBO Graph JSON (HPO, Disease Ontology ...).",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    kb: Annotated[
        list[Path] | None,
        typer.Option(help="scispaCy knowledge base, JSON lines.", rich_help_panel=_SOURCES),
    ] = None,
    table: Annotated[
        list[Path] | None,
        typer.Option(
            help="CSV, TSV or Parquet with the columns id and name, and perhaps synonyms, types, "
            "definition, parents, tree_numbers; several values in a cell are parted by |.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    names: Annotated[
        list[Path] | None,
        typer.Option(
            help="Further names: TSV or CSV with the columns concept_id and name, and perhaps "
            "count. `charthouse ontology names` makes one of annotated documents.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    replaced: Annotated[
        list[Path] | None,
        typer.Option(
            help="Ids that others took the place of: TSV or CSV with the columns old_id and "
            "concept_id.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            help="UMLS: language of names, as in LAT; repeat for more. (default: ENG)",
            rich_help_panel=_CHOICE,
        ),
    ] = None,
    vocabulary: Annotated[
        list[str] | None,
        typer.Option(
            help="UMLS: source vocabulary, as in SAB (SNOMEDCT_US, MSH ...); repeat for more. "
            "(default: all)",
            rich_help_panel=_CHOICE,
        ),
    ] = None,
    semantic_type: Annotated[
        list[str] | None,
        typer.Option(
            help="Only concepts with this type code (T047, C14 ...); repeat for more. "
            "(default: all)",
            rich_help_panel=_CHOICE,
        ),
    ] = None,
    suppressed: Annotated[
        bool,
        typer.Option(
            "--suppressed",
            help="Also what the release marks as suppressed or obsolete.",
            rich_help_panel=_CHOICE,
        ),
    ] = False,
    hierarchy: Annotated[
        bool,
        typer.Option(
            "--hierarchy",
            help="UMLS: also read who is whose parent (MRREL, is-a only). Takes time and space.",
            rich_help_panel=_CHOICE,
        ),
    ] = False,
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient", help="Leave out rows that cannot be used and list them, instead of ending."
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="TOML file with a table [ontology_build]; flags win over it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the release as JSON.")] = False,
) -> None:
    """Compile release files into a concept store that `charthouse run --ontology` takes.

    Sources of several kinds can go into one store. The store is put in its place when all is
    done: a build that is killed leaves what was there before.

    Example: charthouse ontology build --mesh desc2026.xml --mesh supp2026.xml --out mesh2026

    Example: charthouse ontology build --umls 2026AA/META --vocabulary SNOMEDCT_US --out snomed
    """
    from flows.ontology_build import build_ontology
    from flows.settings import load_settings

    given = {
        "out": out,
        "mesh": mesh,
        "umls": umls,
        "obo": obo,
        "kb": kb,
        "table": table,
        "names": names,
        "replaced": replaced,
        "languages": language,
        "vocabularies": vocabulary,
        "semantic_types": semantic_type,
        "suppressed": suppressed or None,
        "hierarchy": hierarchy or None,
        "lenient": lenient or None,
    }
    flags = {name: value for name, value in given.items() if value}
    wanted = load_settings(config, {"ontology_build": flags}).ontology_build
    console = Console(stderr=True)
    with console.status("reading ...") as shown:
        built = build_ontology(wanted, lambda line: shown.update(escape(line)))
    release = built.release
    _tell_problems(console, built.problems)
    if as_json:
        print(release.model_dump_json())
        return
    print(f"{release.concepts:,} concepts and {release.names:,} names in {built.out}")
    print(f"Release {release.release_id}. {release.attribution}")
    print(f"Use it: charthouse run SOURCE --warehouse W.duckdb --ontology {built.out}")


def _tell_problems(console: Console, found: Sequence[str]) -> None:
    for line in found[:_MOST_PROBLEMS]:
        console.print(escape(line), soft_wrap=True, highlight=False)
    if len(found) > _MOST_PROBLEMS:
        console.print(f"... and {len(found) - _MOST_PROBLEMS:,} more like these")


@app.command()
def info(
    store: Annotated[str, typer.Argument(metavar="STORE", help="A store's folder, or `sample`.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what a concept store holds: counts, sources with hashes, dates and licence lines.

    Example: charthouse ontology info mesh2026
    """
    from flows.evaluating.links import open_named_store
    from flows.store_info import describe_store

    opened = open_named_store(store)
    described = describe_store(opened)
    if as_json:
        print(json.dumps(opened.release.model_dump(mode="json") | described.as_dict()))
        return
    console = standard_output()
    _print_release(console, opened.release)
    for dense in described.encoders:
        console.print(
            f"encoded by {escape(dense.encoder)} {dense.fingerprint[:16]}: {dense.rows:,} names, "
            f"{dense.dimension} dimensions",
            highlight=False,
        )
    types = Table(title="Types", title_justify="left", box=None, header_style="dim")
    types.add_column("type")
    types.add_column("concepts", justify="right")
    types.add_column("labels that allow it")
    for code, count, labels in described.types:
        types.add_row(escape(code), f"{count:,}", escape(", ".join(labels)))
    console.print(types)
    console.print(escape(opened.release.attribution), soft_wrap=True)


def _print_release(console: Console, release: Release) -> None:
    table = Table(title=release.release_id, title_justify="left", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("name", escape(release.name))
    table.add_row("built", release.created_at)
    for heading, count in (
        ("concepts", release.concepts),
        ("names", release.names),
        ("extra names", release.extra_names),
        ("replaced ids", release.replacements),
        ("rows left out, notes", release.problems),
    ):
        table.add_row(heading, f"{count:,}")
    for source in release.sources:
        version = f" {source.version}" if source.version else ""
        table.add_row(
            "source",
            f"{source.format}{version}: {source.concepts:,} concepts, {source.names:,} names",
        )
        for name, digest in source.files.items():
            table.add_row("", f"{escape(name)}  sha256 {digest}")
    console.print(table)


@app.command("names")
def collect(
    gold: Annotated[
        list[Path],
        typer.Argument(metavar="GOLD...", help="Annotated documents: PubTator or BioC, with ids."),
    ],
    out: Annotated[Path, typer.Option(help="TSV file to write: concept_id, name, count.")],
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
) -> None:
    """Collect the names that annotators gave concepts, for `charthouse ontology build --names`.

    Names are as a run would look them up: short forms that the document defines are replaced by
    their long forms. Mentions of several concepts at once are left out.

    Example: charthouse ontology names bc5cdr_train.pubtator.gz --out names.tsv
    """
    from flows.evaluating.named import names_of_gold
    from flows.settings import load_settings
    from ontologies.extra import write_extra_names

    found = names_of_gold(gold, load_settings(config, {}))
    try:
        write_extra_names(found, out)
    except OSError as error:
        raise CharthouseError(
            f"{out} cannot be written ({error.strerror})", "Name another file with --out"
        ) from None
    concepts = found["concept_id"].n_unique()
    print(f"{len(found):,} names of {concepts:,} concepts in {out}")
    print(f"Use them: charthouse ontology build --mesh desc.xml --names {out} --out STORE")


@app.command()
def replaced(
    old: Annotated[str, typer.Argument(metavar="OLD_STORE", help="Store of the earlier release.")],
    new: Annotated[str, typer.Argument(metavar="NEW_STORE", help="Store of the later release.")],
    out: Annotated[
        Path, typer.Option(help="TSV file to write: old_id, concept_id, name, names, shared.")
    ],
) -> None:
    """Find concepts that another id took over between two releases, for `build --replaced`.

    Names tell: a concept took the place of one that is gone if it alone carries that one's
    preferred name, and at least half of its names. Links, and the gold files of `evaluate`, then
    follow the ids.

    Example: charthouse ontology replaced mesh2025 mesh2026 --out replaced.tsv
    """
    from flows.evaluating.links import open_named_store
    from ontologies.renumbered import renumbered

    found = renumbered(open_named_store(old), open_named_store(new))
    try:
        found.write_csv(out, separator="\t")
    except OSError as error:
        raise CharthouseError(
            f"{out} cannot be written ({error.strerror})", "Name another file with --out"
        ) from None
    print(f"{len(found):,} ids that others took the place of in {out}")
    if len(found):
        print(f"Use them: charthouse ontology build --mesh desc.xml --replaced {out} --out STORE")
