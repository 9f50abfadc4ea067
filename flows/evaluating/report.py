"""Evaluations for people, as tables, and for machines, as one object."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.evaluating.evaluation import Evaluation, Judgement
from flows.evaluating.scores import MICRO, Score

_TITLES = {
    "strict": "strict spans",
    "relaxed": "overlapping spans",
    "document": "concepts of documents",
    "mention": "mentions with their concept",
    "all": "gold mentions with a concept",
    "in_store": "those whose concept is in the store",
    "found": "gold mentions with a concept that the warehouse has",
    "found_in_store": "those whose concept is in its release",
    "pairs": "short forms with their long forms",
    "attributes": "what is said of concepts",
    "relations": "related concepts of documents",
    "all_pairs": "for comparison, every pair of a document's concepts",
    "same_sentence": "for comparison, every pair that one sentence names",
    "likelihood": "likeliest option",
    "likelihood_per_character": "likeliest option per character (acc_norm)",
    "likelihood_per_byte": "likeliest option per byte (acc_bytes)",
    "head": "option that the trained head chooses",
    "harness": "lm-evaluation-harness",
    "likelihood_by_answer": "likeliest option, by answer",
    "likelihood_per_character_by_answer": "likeliest option per character, by answer",
    "likelihood_per_byte_by_answer": "likeliest option per byte, by answer",
    "head_by_answer": "option that the trained head chooses, by answer",
}
_QUESTIONS = ("likelihood", "head", "harness")
"""How the scopes begin whose documents are questions."""
_FACTS = {
    "gold_mentions_without_concept": "gold mentions without a concept: {:,}",
    "linked_without_gold_concept": "of these, linked all the same: {:,}",
    "gold_relations_without_mention": "gold relations of a concept that no gold mention has: {:,}",
}


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain values."""
    annotation, release = evaluation.annotation, evaluation.release
    return {
        "evaluation_id": evaluation.request.evaluation_id,
        "task": evaluation.task,
        "evaluated_at": evaluation.evaluated_at.isoformat(timespec="seconds"),
        "models": [{"name": m.name, "fingerprint": m.fingerprint} for m in evaluation.models],
        "annotation_id": annotation.annotation_id if annotation else None,
        "linkset_id": evaluation.linkset_id,
        "release_id": release.release_id if release else None,
        "run_id": evaluation.run_id,
        "attribution": release.attribution if release else None,
        "settings": evaluation.request.described(),
        "corpora": [
            {
                "corpus": judgement.corpus,
                "sha256": judgement.sha256,
                "documents": judgement.documents,
                **judgement.facts,
                **({"sample": judgement.drawn.described()} if judgement.drawn else {}),
                "notes": list(judgement.notes),
                "scores": [asdict(score) for score in judgement.scores],
            }
            for judgement in evaluation.corpora
        ],
    }


def print_report(console: Console, evaluation: Evaluation, *, hidden: Collection[str] = ()) -> None:
    """Print a table for each corpus and scope, but for hidden scopes."""
    for judgement in evaluation.corpora:
        for scope in dict.fromkeys(score.scope for score in judgement.scores):
            if scope not in hidden:
                scores = [score for score in judgement.scores if score.scope == scope]
                console.print(_table(judgement, scope, scores))
        for fact, words in _FACTS.items():
            if count := judgement.facts.get(fact):
                console.print(f"  {words.format(count)}", highlight=False)
        for note in judgement.notes:
            console.print(f"  Note: {escape(note)}", highlight=False)
    unit = "questions" if evaluation.task == "qa" else "documents"
    console.print(f"Per cent, with 95% bootstrap intervals over {unit}.", highlight=False)
    if evaluation.release:
        console.print(escape(evaluation.release.attribution), style="dim", highlight=False)


def _table(judgement: Judgement, scope: str, scores: Sequence[Score]) -> Table:
    unit = "questions" if scope.startswith(_QUESTIONS) else "documents"
    title = f"{judgement.corpus}: {_TITLES[scope]}, {judgement.documents:,} {unit}"
    table = Table(title=escape(title), title_justify="left", box=None, header_style="dim")
    measures = list(dict.fromkeys(score.measure for score in scores))
    labels = list(dict.fromkeys(score.label for score in scores))
    if len(labels) == 2 and MICRO in labels:  # the one label, and all of them together
        labels.remove(MICRO)
    counts = ["gold"] if scores[0].found is None else ["gold", "found"]
    table.add_column("label")
    for heading in (*counts, *measures):
        table.add_column(heading.replace("_", " "), justify="right", overflow="fold")
    for label in labels:
        row = [score for score in scores if score.label == label]
        numbers = [f"{getattr(row[0], count):,}" for count in counts]
        table.add_row(escape(label), *numbers, *map(_share, row))
    return table


def _share(score: Score) -> str:
    value, low, high = (f"{100 * share:.1f}" for share in (score.value, score.low, score.high))
    return f"{value} [dim]{low}-{high}[/]"
