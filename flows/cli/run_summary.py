"""What ``charthouse run`` prints at its end."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.cli.outcome import command, counts_table, print_queries, shortest
from flows.quality.schema import FAILED, WARNING
from flows.quality.telling import told
from flows.summary import Summary


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


def _counts_table(summary: Summary) -> Table:
    table = counts_table(f"Run {summary.run_id}")
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
    print_queries(console, "Three queries", summary.warehouse, queries)
    console.print("\nA page to look at:")
    page = f"{command()} report --warehouse {shortest(summary.warehouse)} --out report.html"
    console.print(f"  {page}", markup=False, highlight=False, soft_wrap=True)
