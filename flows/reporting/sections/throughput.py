"""How fast documents were annotated, stage by stage."""

from __future__ import annotations

from flows.reporting.charts import Figure, bars
from flows.reporting.context import Context
from flows.reporting.markup import Cell, empty, tiles
from flows.reporting.section import Section

_STAGES = {
    "privacy": "de-identify",
    "preprocess": "preprocess",
    "ner": "find mentions",
    "assertion": "assess",
    "write": "stage rows",
    "generate": "generate",
    "load": "load",
}


def throughput(context: Context) -> Section:
    """Seconds and characters per second of each stage, summed over the shards of the run."""
    sums = ", ".join(f"sum(seconds.{name}) AS {name}" for name in _STAGES)
    (row,) = context.rows(
        "SELECT count(*) AS shards, sum(documents) AS documents, sum(characters) AS characters, "
        f"sum(mentions) AS mentions, {sums} FROM shards WHERE run_id = ? AND status = 'loaded'",
        [context.run_id],
    )
    stages = [
        {
            "stage": words,
            "seconds": row[name],
            "rate": float(row["characters"]) / row[name],
            "documents": float(row["documents"]) / row[name],
        }
        for name, words in _STAGES.items()
        if row[name]
    ]
    if not stages:
        return Section(
            "throughput", "Throughput", empty("This run had no shard to work on: nothing was new.")
        )
    spec, height = bars(
        stages, "seconds", "stage", titles=("seconds in workers", "stage"), form=",.3~s"
    )
    figure = Figure(
        "throughput-stages",
        "Time by stage",
        "Seconds that the run's workers spent in each stage, all workers together.",
        spec,
        (
            Cell("stage", "stage"),
            Cell("seconds", "seconds", ",.2f"),
            Cell("rate", "characters/s", ",.0f"),
            Cell("documents", "documents/s", ",.1f"),
        ),
        stages,
        height=height,
    )
    numbers = [
        ("shards", f"{row['shards']:,}"),
        ("documents", f"{int(row['documents']):,}"),
        ("characters", f"{int(row['characters']):,}"),
        ("mentions", f"{int(row['mentions'] or 0):,}"),
    ]
    return Section("throughput", "Throughput", tiles(numbers) + figure.html())
