"""What happened: counts of a run, for people and for machines."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.entities import count_entities
from flows.quality.drift import crossed, crossed_before
from flows.quality.schema import FAILED, WARNING
from flows.quality.telling import told
from flows.warehouse.connection import Connection
from nlp.settings import PrivacySettings


@dataclass(frozen=True)
class Summary:
    """A run's counts and the state of the warehouse after it. ``new_rejects`` decides exit 3."""

    run_id: str
    warehouse: str
    nothing_to_do: bool
    read: int
    new: int
    replaced: int
    skipped: int
    duplicates: int
    superseded: int
    metadata_updated: int
    deleted: int
    pruned: int
    new_rejects: int
    annotated_mentions: int
    seconds: dict[str, float]
    documents: int
    mentions: int
    linked_mentions: int
    rejects: int
    labels: dict[str, int]
    top_concepts: list[tuple[str, str, int, int]]
    attributions: list[str]
    privacy: str = "off"
    identifiers: dict[str, int] = field(default_factory=dict)
    """What this run has replaced, by kind."""
    not_searched: dict[str, int] = field(default_factory=dict)
    """Documents that this run has stored as they are, by kind, though privacy is on."""
    quality_failed: int = 0
    """Thresholds of failure that this process's runs crossed: decides exit 4."""
    quality_warnings: int = 0
    quality_before: dict[str, int] = field(default_factory=dict)
    """Where nothing was left to do: thresholds that the latest measured run crossed, by status.
    They were told when it ended, unless the process was killed just then; exit codes do not count
    them."""
    continued: bool = False
    """An earlier process had begun the run; ``seconds`` tell of this process alone."""

    @property
    def linked_share(self) -> float:
        """Share of all mentions in the warehouse that have a concept, 0 to 1."""
        return self.linked_mentions / self.mentions if self.mentions else 0.0

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return asdict(self) | {"linked_share": round(self.linked_share, 4)}


def summarise(
    connection: Connection,
    warehouse: Path,
    run_id: str,
    *,
    here: Collection[str],
    continued: bool = False,
    privacy: PrivacySettings | None = None,
) -> Summary:
    """Read a finished run's summary from the warehouse.

    Args:
        connection: the open warehouse.
        warehouse: its path.
        run_id: the run.
        here: ids of all runs that this process finished; their new rejects are told together.
        continued: an earlier process had begun the run.
        privacy: the run's settings of privacy; by default it is off.
    """
    (run,) = connection.execute(
        "SELECT read, new, replaced, skipped, duplicates, superseded, metadata_updated, deleted, "
        "seconds, coalesce(pruned, 0) FROM runs WHERE run_id = ?",
        [run_id],
    ).fetchall()
    entities = count_entities(connection)
    quality = crossed(connection, sorted(here))
    nothing_to_do = not (run[1] or run[2] or run[6] or run[7] or run[9])
    return Summary(
        run_id=run_id,
        warehouse=str(warehouse),
        nothing_to_do=nothing_to_do,
        read=run[0],
        new=run[1],
        replaced=run[2],
        skipped=run[3],
        duplicates=run[4],
        superseded=run[5],
        metadata_updated=run[6],
        deleted=run[7],
        pruned=run[9],
        new_rejects=_one(
            connection,
            "SELECT count(*) FROM rejects WHERE list_contains(?, run_id)",
            sorted(here),
        ),
        annotated_mentions=_one(
            connection, "SELECT coalesce(sum(mentions), 0) FROM shards WHERE run_id = ?", run_id
        ),
        seconds={name: round(value, 3) for name, value in run[8].items()},
        documents=_one(connection, "SELECT count(*) FROM documents WHERE NOT is_deleted"),
        mentions=entities.mentions,
        linked_mentions=entities.linked_mentions,
        rejects=_one(connection, "SELECT count(*) FROM rejects"),
        labels=entities.labels,
        top_concepts=entities.top_concepts,
        attributions=[
            text
            for (text,) in connection.execute(
                "SELECT DISTINCT r.attribution FROM linksets l JOIN ontology_releases r "
                "USING (release_id) WHERE l.is_current ORDER BY 1"
            ).fetchall()
        ],
        **(_private(connection, run_id, privacy) if privacy and privacy.is_on else {}),
        quality_failed=quality.get(FAILED, 0),
        quality_warnings=quality.get(WARNING, 0),
        quality_before=crossed_before(connection, run_id) if nothing_to_do and not quality else {},
        continued=continued,
    )


def _private(connection: Connection, run_id: str, settings: PrivacySettings) -> dict[str, Any]:
    """What a run under privacy has replaced, and what it has not looked at."""
    not_searched = connection.execute(
        "SELECT d.kind, count(*) FROM documents d SEMI JOIN (FROM document_annotations "
        "WHERE run_id = ?) a USING (document_id) WHERE NOT list_contains(?, d.kind) "
        "GROUP BY d.kind ORDER BY d.kind",
        [run_id, list(settings.kinds)],
    ).fetchall()
    return {
        "privacy": settings.mode,
        "identifiers": _identifiers(connection, run_id),
        "not_searched": dict(not_searched),
    }


def _identifiers(connection: Connection, run_id: str) -> dict[str, int]:
    """How often a run has replaced what kind of identifier, the most frequent first."""
    return dict(
        connection.execute(
            "SELECT s.kind, count(*) FROM privacy_spans s SEMI JOIN (FROM document_annotations "
            "WHERE run_id = ?) a USING (document_id, annotation_id) "
            "GROUP BY s.kind ORDER BY count(*) DESC, s.kind",
            [run_id],
        ).fetchall()
    )


def _one(connection: Connection, query: str, *parameters: object) -> int:
    ((value,),) = connection.execute(query, list(parameters)).fetchall()
    return int(value)


def print_summary(console: Console, summary: Summary) -> None:
    """Print what a person wants to know after a run."""
    console.print()
    if summary.nothing_to_do:
        console.print(
            f"[bold green]Nothing was left to do:[/] all {summary.skipped:,} documents "
            "are in the warehouse already."
        )
    console.print(_counts_table(summary))
    if summary.top_concepts:
        console.print(_concepts_table(summary))
    console.print(f"Warehouse: [bold]{escape(shortest(summary.warehouse))}[/]")
    for attribution in summary.attributions:
        console.print(f"[dim]{escape(attribution)}[/]")
    if summary.new_rejects:
        console.print(
            f"[yellow]{summary.new_rejects:,} records could not be processed:[/] "
            f"{command()} rejects --warehouse {escape(shortest(summary.warehouse))}"
        )
    for kind, count in summary.not_searched.items():
        console.print(
            f"[yellow]{count:,} documents of kind {kind} were stored as they are:[/] "
            "privacy.kinds does not name it"
        )
    _print_quality(console, summary)
    _print_queries(console, summary)


def _print_quality(console: Console, summary: Summary) -> None:
    """Say how many thresholds of quality were crossed, and how to see which."""
    failed, warnings, when = summary.quality_failed, summary.quality_warnings, ""
    if before := summary.quality_before:
        failed, warnings = before.get(FAILED, 0), before.get(WARNING, 0)
        when = "In the latest run that was measured, "
    if failed or warnings:
        line = when + told(failed, warnings)
        console.print(
            f"[{'red' if failed else 'yellow'}]{line[0].upper()}{line[1:]}:[/] "
            f"{command()} quality --crossed --warehouse {escape(shortest(summary.warehouse))}"
        )


def command() -> str:
    """How to call the command from here: by its name, or by its path where that is not known."""
    if shutil.which("charthouse"):
        return "charthouse"
    # Started by python -m, the path is that of a module, which nobody can call.
    is_module = Path(sys.argv[0]).name == "__main__.py"
    return f"{shortest(sys.executable)} -m flows.cli" if is_module else shortest(sys.argv[0])


def shortest(path: str) -> str:
    """The path from here where it lies below, else as it is."""
    here = Path.cwd()
    full = Path(path).absolute()
    return shlex.quote(str(full.relative_to(here)) if full.is_relative_to(here) else str(full))


def _counts_table(summary: Summary) -> Table:
    table = Table(title=f"Run {summary.run_id}", title_justify="left", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    work = summary.seconds.get("total", 0.0)
    table.add_row("records read", f"{summary.read:,}", "")
    for name, count in (
        ("documents new", summary.new),
        ("documents replaced", summary.replaced),
        ("skipped, done before", summary.skipped),
        ("identical duplicates", summary.duplicates),
        ("older versions passed over", summary.superseded),
        ("metadata updated", summary.metadata_updated),
        ("withdrawn by their source", summary.deleted),
        ("vanished and pruned", summary.pruned),
        ("rejected", summary.new_rejects),
    ):
        if count:
            table.add_row(name, f"{count:,}", "")
    annotated = summary.new + summary.replaced
    if annotated and work:
        # What was annotated before the interruption took time that nobody has added up.
        rate = f"{annotated / work:,.1f} documents/s"
        remark = "since the interruption" if summary.continued else rate
        table.add_row("time", f"{work:,.1f} s", remark)
    if summary.identifiers:
        told = ", ".join(f"{kind} {count:,}" for kind, count in summary.identifiers.items())
        replaced = sum(summary.identifiers.values())
        table.add_row("identifiers replaced", f"{replaced:,}", escape(told))
    table.add_row("documents in all", f"{summary.documents:,}", "")
    kinds = ", ".join(f"{label} {count:,}" for label, count in summary.labels.items())
    table.add_row("mentions in all", f"{summary.mentions:,}", escape(kinds))
    table.add_row("linked", f"{summary.linked_share:.1%}", "of mentions have a concept")
    return table


def _concepts_table(summary: Summary) -> Table:
    table = Table(title="Top concepts", title_justify="left", box=None, header_style="dim")
    table.add_column("concept")
    table.add_column("name", style="bold")
    table.add_column("documents", justify="right")
    table.add_column("mentions", justify="right")
    for concept_id, name, documents, mentions in summary.top_concepts:
        table.add_row(concept_id, escape(name), f"{documents:,}", f"{mentions:,}")
    return table


def _print_queries(console: Console, summary: Summary) -> None:
    concept = summary.top_concepts[0][0] if summary.top_concepts else "MESH:D006973"
    prefix = f"{command()} sql --warehouse {shortest(summary.warehouse)}"
    queries = (
        (
            "What is in it?",
            "SELECT corpus, label, count(*) AS mentions FROM entities GROUP BY ALL ORDER BY ALL",
        ),
        (
            "Who mentions a concept?",
            "SELECT document_id, section, mention_text FROM entities "
            f"WHERE concept_id = '{concept}' LIMIT 10",
        ),
        (
            "Which names did not link?",
            "SELECT lookup_text, label, count(*) AS mentions FROM entities "
            "WHERE concept_id IS NULL GROUP BY ALL ORDER BY mentions DESC LIMIT 10",
        ),
    )
    console.print("\nThree queries to try:")
    for title, query in queries:
        console.print(f"  [dim]# {title}[/]")
        console.print(f'  {prefix} "{query}"', markup=False, highlight=False, soft_wrap=True)
    console.print("\nA page to look at:")
    page = f"{command()} report --warehouse {shortest(summary.warehouse)} --out report.html"
    console.print(f"  {page}", markup=False, highlight=False, soft_wrap=True)
