"""What the derived tables should hold, counted in plain Python from rows of the others."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

Rows = list[tuple[Any, ...]]


class Recount:
    """Rows of a warehouse, read once, and what is to be counted of them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        def rows(table: str) -> list[dict[str, Any]]:
            result = connection.execute(f"FROM {table}")
            names = [column[0] for column in result.description or []]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

        current = {
            (a["document_id"], a["annotation_id"])
            for a in rows("document_annotations")
            if a["is_current"] and a["status"] == "done"
        }
        there = {d["document_id"]: d for d in rows("documents") if not d["is_deleted"]}
        self.documents = {i: d for i, d in there.items() if i in {i for i, _ in current}}

        def is_current(row: Mapping[str, Any]) -> bool:
            return (row["document_id"], row["annotation_id"]) in current

        self.mentions = list(filter(is_current, rows("mentions")))
        self.sentences = Counter(s["document_id"] for s in filter(is_current, rows("sentences")))
        self.linksets = {s["linkset_id"]: s for s in rows("linksets") if s["is_current"]}
        self.best = {
            (n["lookup_text"], n["label"], n["linkset_id"]): n["concept_id"]
            for n in rows("name_links")
            if n["rank"] == 1 and n["status"] == "linked"
        }
        self.chosen = {
            (c["document_id"], c["annotation_id"], c["mention_id"], c["linkset_id"]): c[
                "concept_id"
            ]
            for c in rows("mention_links")
        }
        self.ancestors = defaultdict(set)
        for a in rows("concept_ancestors"):
            self.ancestors[a["release_id"], a["concept_id"]].add(a["ancestor_id"])
        # (linkset, document, concept) -> mentions of it
        self.named: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
        for m in self.mentions:
            for linkset in self.linksets:
                concept = self.chosen.get(
                    (m["document_id"], m["annotation_id"], m["mention_id"], linkset)
                ) or self.best.get((m["lookup_text"], m["label"], linkset))
                if concept:
                    self.named[linkset, m["document_id"], concept].append(m)

    def cell(self, document: str) -> tuple[Any, ...]:
        """What a document is, and its year."""
        d = self.documents[document]
        date = d["document_date"]
        return d["corpus"], d["kind"], d["document_type"], date and date.year

    def document_concepts(self) -> Rows:
        found = []
        for (linkset, document, concept), mentions in self.named.items():
            d = self.documents[document]
            kept = [d[c] for c in ("corpus", "kind", "document_type", "document_date", "person_id")]
            found.append((document, concept, linkset, _label(mentions), *kept, *_counts(mentions)))
        return found

    def _by(self, key: Any) -> dict[Any, list[tuple[str, list[dict[str, Any]]]]]:
        groups = defaultdict(list)
        for (linkset, document, concept), mentions in self.named.items():
            for each in key(linkset, document, concept):
                groups[each].append((document, mentions))
        return groups

    def _persons(self, documents: Iterable[str]) -> int:
        return len({p for d in documents if (p := self.documents[d]["person_id"]) is not None})

    def concept_totals(self) -> Rows:
        groups = self._by(lambda s, d, c: [(c, s, *self.cell(d))])
        return [
            (c, s, _label(_all(found)), *cell, len(found), *_counts(_all(found)),
             self._persons(d for d, _ in found))
            for (c, s, *cell), found in groups.items()
        ]  # fmt: skip

    def branch_totals(self) -> Rows:
        def branches(linkset: str, document: str, concept: str) -> list[tuple[Any, ...]]:
            release = self.linksets[linkset]["release_id"]
            above = self.ancestors[release, concept]
            return [(a, linkset, *self.cell(document)) for a in above]

        return [
            (*key, len({d for d, _ in found}), *_counts(_all(found)),
             self._persons(d for d, _ in found))
            for key, found in self._by(branches).items()
        ]  # fmt: skip

    def person_totals(self) -> Rows:
        def persons(linkset: str, document: str, concept: str) -> list[tuple[str, str, str]]:
            person = self.documents[document]["person_id"]
            return [] if person is None else [(person, concept, linkset)]

        rows = []
        for key, found in self._by(persons).items():
            dated = [(date, m) for d, m in found if (date := self.documents[d]["document_date"])]
            named = [date for date, _ in dated]
            affirmed = [date for date, m in dated if _counts(m)[1]]
            current = [
                date for date, m in dated if _counts([n for n in m if not n["historical"]])[1]
            ]
            rows.append(
                (*key, _label(_all(found)), *_ends(named), *_ends(affirmed), _ends(current)[1],
                 len(found), *_counts(_all(found)))
            )  # fmt: skip
        return rows

    def name_totals(self) -> Rows:
        first = [s for s, row in self.linksets.items() if row["position"] == 1]
        groups = defaultdict(list)
        by_context: Counter[tuple[str, str]] = Counter()
        for m in self.mentions:
            name = m["lookup_text"], m["label"]
            groups[name].append(m["document_id"])
            mention = m["document_id"], m["annotation_id"], m["mention_id"]
            by_context[name] += any((*mention, linkset) in self.chosen for linkset in first)
        return [
            (*name, len(found), by_context[name], len(set(found))) for name, found in groups.items()
        ]

    def document_totals(self) -> Rows:
        first = {s for s, row in self.linksets.items() if row["position"] == 1}
        groups = defaultdict(list)
        for document in self.documents:
            groups[self.cell(document)].append(document)
        mentions = Counter(m["document_id"] for m in self.mentions)
        linked: Counter[str] = Counter()
        for (linkset, document, _), found in self.named.items():
            linked[document] += len(found) * (linkset in first)
        return [
            (*cell, len(found), self._persons(found),
             sum(len(self.documents[d]["text"] or "") for d in found),
             *(sum(of[d] for d in found) for of in (self.sentences, mentions, linked)))
            for cell, found in groups.items()
        ]  # fmt: skip

    def concept_pairs(self, pair_concepts: int, pair_documents: int) -> Rows:
        rows: Rows = []
        for linkset in self.linksets:
            rows += self._pairs(linkset, pair_concepts, pair_documents)
        return rows

    def _pairs(self, linkset: str, pair_concepts: int, pair_documents: int) -> Rows:
        concepts = defaultdict(dict)
        for (s, document, concept), found in self.named.items():
            if s == linkset:
                concepts[document][concept] = found
        in_documents, in_sentences = Counter(), Counter()
        both_documents, both_sentences = Counter(), Counter()
        for named in concepts.values():
            kept = sorted(named, key=lambda c: (-len(named[c]), c))[:pair_concepts]
            in_documents.update(kept)
            both_documents.update(_two(kept))
            said = defaultdict(set)
            for concept in kept:
                for m in named[concept]:
                    if m["sentence_id"] is not None:
                        said[m["sentence_id"]].add(concept)
            for together in said.values():
                in_sentences.update(together)
                both_sentences.update(_two(together))
        documents, sentences = len(self.documents), sum(self.sentences.values())
        return [
            (a, b, linkset, n, both_sentences[a, b], in_documents[a], in_documents[b],
             in_sentences[a], in_sentences[b],
             _pmi(n, documents, in_documents[a], in_documents[b]),
             _pmi(both_sentences[a, b], sentences, in_sentences[a], in_sentences[b]))
            for (a, b), n in both_documents.items()
            if n >= pair_documents
        ]  # fmt: skip


def _all(found: Iterable[tuple[str, list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    return [mention for _, mentions in found for mention in mentions]


def _label(mentions: Iterable[Mapping[str, Any]]) -> str:
    return min(str(m["label"]) for m in mentions)


def _counts(mentions: list[dict[str, Any]]) -> tuple[int, int, int, int]:
    """Mentions, those affirmed, of these the historical, those negated."""
    affirmed = [
        m
        for m in mentions
        if m["negated"] is False
        and not m["uncertain"]
        and not m["hypothetical"]
        and m["experiencer"] in (None, "patient")
    ]
    historical = sum(m["historical"] is True for m in affirmed)
    return len(mentions), len(affirmed), historical, sum(m["negated"] is True for m in mentions)


def _ends(dates: list[Any]) -> tuple[Any, Any]:
    return (min(dates), max(dates)) if dates else (None, None)


def _two(concepts: Iterable[str]) -> list[tuple[str, str]]:
    kept = sorted(concepts)
    return [(a, b) for i, a in enumerate(kept) for b in kept[i + 1 :]]


def _pmi(both: int, of: int, one: int, other: int) -> float | None:
    """log2(p(x, y) / (p(x) p(y)))."""
    return round(math.log2((both / of) / ((one / of) * (other / of))), 9) if both else None
