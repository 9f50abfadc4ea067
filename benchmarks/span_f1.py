"""Strict span scores of a warehouse's mentions against gold PubTator files.

charthouse run bc5cdr_dev.pubtator.gz --warehouse w.duckdb
python benchmarks/span_f1.py --warehouse w.duckdb bc5cdr_dev.pubtator.gz

Documents are matched by native id within the corpus named after the file. NCBI's finer kinds of
disease all mean Disease; labels that a file never uses are left out of its score.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from flows.readers.base import corpus_of_stem
from flows.readers.pubtator import read_gold
from flows.warehouse.connection import read_warehouse
from nlp.ner.score import SpanKey, SpanScore, score_spans

NCBI_KINDS = {"SpecificDisease", "DiseaseClass", "Modifier", "CompositeMention"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--warehouse", type=Path, required=True)
    parser.add_argument("gold", type=Path, nargs="+")
    arguments = parser.parse_args()
    print(f"{'corpus':<16}{'label':<12}{'gold':>7}{'found':>7}{'prec':>8}{'recall':>8}{'F1':>8}")
    for path in arguments.gold:
        gold, found = read(path, arguments.warehouse)
        labels = sorted({label for spans in gold.values() for _, _, label in spans})
        for shown in ([label] for label in labels):
            report(path, shown[0], score(gold, found, shown))
        if len(labels) > 1:
            report(path, "micro", score(gold, found, labels))


def read(path: Path, warehouse: Path) -> tuple[dict[str, set[SpanKey]], dict[str, set[SpanKey]]]:
    """Gold and found spans by document id. Of a PMID that stands twice the last is taken."""
    corpus = corpus_of_stem(path, None)
    gold = {
        f"{corpus}:{document.native_id}": {
            (m.start_char, m.end_char, "Disease" if m.label in NCBI_KINDS else m.label)
            for m in document.mentions
        }
        for document in read_gold(path)
    }
    found: dict[str, set[SpanKey]] = {document_id: set() for document_id in gold}
    with read_warehouse(warehouse) as connection:
        rows = connection.execute(
            "SELECT document_id, start_char, end_char, label FROM entities WHERE corpus = ?",
            [corpus],
        ).fetchall()
        ((documents,),) = connection.execute(
            "SELECT count(*) FROM documents WHERE corpus = ?", [corpus]
        ).fetchall()
    if documents != len(gold):
        raise SystemExit(f"{path}: the warehouse holds {documents} of its {len(gold)} documents")
    for document_id, start, end, label in rows:
        found[document_id].add((start, end, label))
    return gold, found


def score(
    gold: dict[str, set[SpanKey]], found: dict[str, set[SpanKey]], labels: list[str]
) -> SpanScore:
    return score_spans(
        [{span for span in spans if span[2] in labels} for spans in gold.values()],
        [{span for span in found[document] if span[2] in labels} for document in gold],
    )


def report(path: Path, label: str, result: SpanScore) -> None:
    corpus = corpus_of_stem(path, None)
    print(
        f"{corpus:<16}{label:<12}{result.gold:>7}{result.found:>7}{result.precision:>8.2%}"
        f"{result.recall:>8.2%}{result.f1:>8.2%}"
    )


if __name__ == "__main__":
    main()
