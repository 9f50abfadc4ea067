"""What ``charthouse generate`` prints: the preview of a dry run, and the outcome of a run."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape

from flows.cli.outcome import command, counts_table, print_queries, shortest
from flows.generating.plan import GenerationPreview
from flows.generating.summary import Generated


def print_preview(preview: GenerationPreview, *, as_json: bool) -> None:
    """What a run would do, as sentences or as JSON."""
    if as_json:
        print(json.dumps(asdict(preview)))
        return
    print(
        f"{preview.items:,} items: {preview.new:,} new, {preview.changed:,} changed, "
        f"{preview.done:,} done before; {preview.removed:,} of documents that are gone."
    )
    print(f"To work on: {preview.characters:,} characters in {preview.shards:,} shards.")
    if preview.without_text:
        print(f"{preview.without_text:,} documents have no text here and are left out.")
    print(f"Generation set {preview.generation_id}")
    print("Nothing was written: this was a dry run.")


def print_outcome(console: Console, outcome: Generated) -> None:
    """What a person wants to know after a run."""
    table = counts_table(f"Run {outcome.run_id}")
    table.add_row("items", f"{outcome.items:,}", "")
    table.add_row("done", f"{outcome.done:,}", f"{outcome.seconds:,.1f} s")
    for name, count in (
        ("skipped, done before", outcome.skipped),
        ("rejected", outcome.new_rejects),
        ("removed, document gone", outcome.removed),
        ("documents without text, left out", outcome.without_text),
        ("input truncated", outcome.truncated),
        ("cut off by length", outcome.cut_off),
        ("relations", outcome.relations),
        (
            "citations of no passage" if outcome.task == "answer" else "statements unparsed",
            outcome.unparsed,
        ),
    ):
        if count:
            table.add_row(name, f"{count:,}", "")
    if outcome.completion_tokens:
        table.add_row("tokens given", f"{outcome.prompt_tokens:,}", "")
        table.add_row(
            "tokens made",
            f"{outcome.completion_tokens:,}",
            f"{outcome.tokens_per_second:,.1f} tokens/s",
        )
    console.print()
    console.print(table)
    console.print(f"Model: {escape(outcome.model)}. Generated text may be wrong.")
    where = shortest(outcome.warehouse)
    console.print(f"Warehouse: [bold]{escape(where)}[/]")
    if outcome.new_rejects:
        console.print(
            f"[yellow]{outcome.new_rejects:,} items could not be worked on:[/] "
            f"{command()} rejects --warehouse {escape(where)}"
        )
    if not outcome.items:
        console.print("[yellow]No items:[/] no document with text meets the condition and scope.")
        return
    print_queries(console, "Two queries", outcome.warehouse, _queries(outcome))


def _queries(outcome: Generated) -> tuple[tuple[str, str], tuple[str, str]]:
    chosen = f"generation_id = '{outcome.generation_id}'"
    if outcome.task == "relations":
        return (
            (
                "Which relations are there?",
                "SELECT relation, subject_name, object_name, "
                "count(DISTINCT document_id) AS documents FROM relation_entities "
                f"WHERE {chosen} GROUP BY ALL ORDER BY 4 DESC LIMIT 10",
            ),
            (
                "Where do they stand?",
                "SELECT document_id, subject_text, relation, object_text, score "
                f"FROM relation_entities WHERE {chosen} LIMIT 10",
            ),
        )
    if outcome.task == "answer":
        second = (
            "What do the answers cite?",
            "SELECT item_id, number, document_id, start_char, end_char FROM generation_sources "
            f"WHERE {chosen} AND is_cited LIMIT 10",
        )
    else:
        second = (
            "Which texts are not whole?",
            "SELECT document_id, finish_reason, truncated_tokens FROM generations "
            f"WHERE {chosen} AND (finish_reason = 'length' OR truncated_tokens > 0) LIMIT 10",
        )
    return (
        (
            "What was written?",
            f"SELECT item_id, text, finish_reason FROM generations WHERE {chosen} LIMIT 10",
        ),
        second,
    )
