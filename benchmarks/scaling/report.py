"""The figures as lines for a person."""

from __future__ import annotations

from scaling.measure import TIMED, Measured
from scaling.overhead import Overhead
from scaling.plan import HOURS_A_NIGHT, HOURS_A_WEEK, Plan
from scaling.sample import Sample

MEMORY_AIM = 1.1
OVERHEAD_AIM = 0.01
_MB, _GB, _TB = 1e6, 1e9, 1e12


def print_sample(sample: Sample, run: Measured, size: int, workers: int) -> None:
    for kind, of in sample.kinds.items():
        print(
            f"   {of.documents:,} documents of kind {kind}: {of.characters:,.0f} characters and "
            f"{of.mentions:.1f} mentions each"
        )
    rate = 1 / sample.seconds_a_character
    print(f"   {rate:,.0f} characters/s on one core of {workers} at work, so that")
    for kind, of in sample.kinds.items():
        print(f"   {rate / of.characters:8,.1f} {kind}s/s a core")
    print(
        f"   NER {sample.ner / (sample.ner + sample.preprocess):.0%} of it; staging "
        f"{sample.write / (sample.ner + sample.preprocess):.1%} on top"
    )
    print(f"   warehouse without ontology: {size / sample.characters:.2f} bytes a character,")
    print("   a little too many where the corpus is small: DuckDB's blocks are not full")
    print(f"   distinct names grow with documents to the power {sample.heaps}")
    print(f"   whole command {run.wall:,.0f} s")


def print_memory(small: Measured, large: Measured) -> None:
    print("\nmemory of the main process, most resident MB")
    print(f"   {'':<16}{small.documents:>12,}{large.documents:>12,} documents")
    for name in (*TIMED, "process"):
        first, second = small.peaks.get(name, 0), large.peaks.get(name, 0)
        print(f"   {name:<16}{first / _MB:>12,.0f}{second / _MB:>12,.0f}")
    ratio = large.peak / small.peak
    print(f"   ratio {ratio:.2f} (aim: at most {MEMORY_AIM})")
    for run in (small, large):
        print(f"   shards in flight: {run.in_flight} at most, {run.bound} allowed")


def print_rates(run: Measured, ontology: str) -> None:
    print(f"\n{run.documents:,} documents, {run.shards:,} shards, wall {run.wall:,.0f} s")
    print(f"   {'':<16}{'wall s':>10}{'main CPU s':>12}{'documents/s':>14}{'a CPU second':>14}")
    for name in ("plan", "load", "link", "context", "summary"):
        span = run.span(name)
        if span.wall and span.cpu:
            print(
                f"   {name:<16}{span.wall:>10,.1f}{span.cpu:>12,.1f}"
                f"{run.documents / span.wall:>14,.0f}{run.documents / span.cpu:>14,.0f}"
            )
    if run.names_cpu:
        print(
            f"   {run.names:,} names linked to {ontology.rpartition('/')[2]}: {run.names_cpu:,.1f} "
            f"CPU s in workers, {run.names / run.names_cpu:,.0f} a CPU second"
        )
    print("   link has the names and the context; load is part of annotating")
    files = {name: size / _MB for name, size in run.watched.files.items() if name != "."}
    most = ", ".join(f"{name} {size:,.1f} MB" for name, size in sorted(files.items()))
    print(f"   work folder at most: {most}")
    print("   (texts that repeat compress as no real corpus does: the plan takes sizes from 1)")
    print(f"   Prefect's database: {run.prefect_rows:,} rows, {run.prefect_bytes / _MB:,.1f} MB")


def print_again(
    again: Measured, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> None:
    changed = [name for name, rows in after.items() if before[name] != rows]
    server = again.watched.of_role("server", 0.0, again.span("process").end)
    print(f"   wall {again.wall:.1f} s; CPU {again.cpu:.1f} s, Prefect's server {server:.1f} s")
    for name in (*TIMED, "context"):
        span = again.span(name)
        print(f"   {name:<16}{span.wall:>10.2f} s wall{span.cpu:>10.2f} s CPU")
    print(f"   shards annotated: {len(again.shard_log)}")
    print(f"   tables with a changed row, runs aside: {', '.join(changed) or 'none'}")


def print_overhead(
    of: Overhead, run: Measured, true_gap: float | None, true: Measured | None
) -> None:
    print(f"   annotating a shard of a million characters: {of.annotate:,.1f} s of one core")
    print(f"   CPU seconds a shard beside it, over {len(run.shard_log):,} shards:")
    for name, seconds in (
        ("main process", of.main),
        ("Prefect's server", of.server),
        ("worker, around its task", of.worker),
    ):
        print(f"   {name:<28}{seconds:>8.3f}{seconds / of.annotate:>9.2%}")
    print(f"   {'together':<28}{of.cpu:>8.3f}{of.cpu_share:>9.2%}  (aim: under {OVERHEAD_AIM:.0%})")
    if true is not None and true_gap is not None:
        share = true_gap / (true_gap + of.annotate)
        print(
            f"   wall: at the model's own pace a worker waits {true_gap:.3f} s between two of "
            f"{len(true.shard_log)} shards, {share:.2%}"
        )
    print(f"   (at the stand-in's pace, with the writer as busy: {of.gap:.3f} s)")
    stage = run.span("annotate")
    begun = min((entry["began"] for entry in run.shard_log), default=stage.begin)
    start = run.span("start Prefect").wall
    print(
        f"   once a run: {start:.1f} s to start Prefect, {begun - stage.begin:.1f} s to start the "
        f"pool, {run.worker_start:.1f} CPU s in its workers' imports"
    )
    print("   no orchestration, but work: planning, loading and linking, above")


def print_plan(plan: Plan) -> None:
    corpus = plan.corpus
    print(
        f"\n{corpus.name}: {corpus.documents:,} documents of {corpus.characters:,.0f} characters, "
        f"{corpus.documents * corpus.characters / 1e9:,.0f} G characters"
    )
    print(f"   annotating       {plan.core_hours:>10,.0f} core hours on CPU")
    hours = plan.core_hours / plan.cores
    print(f"   on this machine  {hours:>10,.0f} hours with {plan.cores} cores")
    print(f"   cores for a week {plan.cores_week:>10,} ({HOURS_A_WEEK} h)")
    print(f"   cores for a night{plan.cores_night:>10,} ({HOURS_A_NIGHT} h)")
    if plan.gpu_hours is not None:
        print(f"   or GPU hours     {plan.gpu_hours:>10,.0f}")
        print(f"   GPUs for a week  {max(1, -(-plan.gpu_hours // HOURS_A_WEEK)):>10,.0f}")
        print(f"   GPUs for a night {max(1, -(-plan.gpu_hours // HOURS_A_NIGHT)):>10,.0f}")
    print(f"   main process     {plan.main_hours:>10,.0f} CPU hours: planning, loading, linking")
    print(f"   distinct names   {plan.names / 1e6:>10,.1f} million, if Heaps' law holds so far")
    print(f"   warehouse        {plan.warehouse / _GB:>10,.0f} GB")
    print(f"   spool and shards {plan.passing / _GB:>10,.0f} GB at most, gone at the end")
    print(
        f"   shards           {plan.shards:>10,}, {plan.prefect_rows / 1e6:,.1f} million rows and "
        f"{plan.prefect_bytes / _GB:,.1f} GB in Prefect"
    )
    print(f"   orchestration    {plan.overhead:>10.2%} of annotation")
