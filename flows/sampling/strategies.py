"""How documents are chosen.

*random*: by the hash of seed and document_id, the lowest first, so that a larger sample of the same
seed holds the smaller one and a growing warehouse changes it little. Within strata, as many of each
as its share asks for (largest remainder): every document stays as likely as any other.

*uncertain*: a mention's doubt is one minus its score, the least-confidence measure (Settles, Active
Learning Literature Survey, 2009, section 3.1; for sequences Settles and Craven 2008). A document's
is the mean doubt of the least certain tenth of its mentions, of three at least, where missing ones
count as certain: a mean over all would favour short documents, a sum long ones. Scores of links
have no part: they are similarities, not probabilities.

*unlinked*: names that the first ontology did not decide (no candidate, below the threshold,
ambiguous) weigh as much as they have mentions. Documents are taken one by one, each time the one
whose names that are not yet covered weigh most. This greedy cover is within 1 - 1/e of the best one
(Nemhauser, Wolsey and Fisher 1978), evaluated lazily (Minoux 1978). When all names are covered,
each is to be covered once more.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.errors import CharthouseError
from flows.sampling.choices import Strategy, Stratum
from flows.sampling.pool import POOL
from flows.sampling.request import SampleRequest
from flows.warehouse.layout import Connection

_LEAST_MENTIONS = 3
"""Mentions that a document's doubt is a mean of, at least."""

_NAMES_PER_DOCUMENT = 50
_LEAST_NAMES = 2_000
"""The most frequent names are looked at, so many for each document to be drawn."""

_DOCUMENTS_PER_NAME = 10
"""Documents in which a name is looked at, and beside them those that show most of all names."""


_NOT_BY_CONTEXT = """
ANTI JOIN (
  SELECT c.* FROM mention_links c
  JOIN linksets l ON l.is_current AND l.position = 1 AND l.linkset_id = c.linkset_id) c
  ON c.document_id = m.document_id AND c.annotation_id = m.annotation_id
  AND c.mention_id = m.mention_id
"""
"""Leaves out mentions ``m`` whose concept the words around them decided."""


@dataclass(frozen=True)
class Draw:
    """What was chosen: document_ids in the order of choice, and figures that say how good it is."""

    document_ids: Sequence[str]
    facts: dict[str, int | float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def draw(connection: Connection, request: SampleRequest, labels: Sequence[str]) -> Draw:
    """Choose documents of the pool.

    Args:
        connection: after :func:`flows.sampling.pool.make_pool`.
        request: what to choose.
        labels: labels whose mentions count.

    Raises:
        CharthouseError: the warehouse lacks what the strategy goes by.
    """
    if request.strategy is Strategy.uncertain:
        return _uncertain(connection, request.documents, labels)
    if request.strategy is Strategy.unlinked:
        return _unlinked(connection, request.documents, labels)
    return _random(connection, request.documents, request.by)


def _random(connection: Connection, documents: int, by: Sequence[Stratum]) -> Draw:
    columns = ", ".join(f"coalesce(CAST({column} AS VARCHAR), '')" for column in by) or "''"
    sizes = connection.execute(
        f"SELECT [{columns}] AS stratum, count(*) FROM {POOL} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    shares = quotas([size for _, size in sizes], documents)
    connection.execute("CREATE TEMP TABLE shares (stratum VARCHAR[], share BIGINT)")
    connection.executemany(
        "INSERT INTO shares VALUES (?, ?)",
        [(stratum, share) for (stratum, _), share in zip(sizes, shares, strict=True)],
    )
    rows = connection.execute(
        f"SELECT document_id FROM (SELECT document_id, lot, [{columns}] AS stratum, row_number() "
        f"OVER (PARTITION BY [{columns}] ORDER BY lot) AS place FROM {POOL}) "
        "JOIN temp.shares USING (stratum) WHERE place <= share ORDER BY lot"
    ).fetchall()
    return Draw([i for (i,) in rows], {"strata": len(sizes)} if by else {})


def quotas(sizes: Sequence[int], documents: int) -> list[int]:
    """How many to draw of each stratum: its share, with the largest remainders rounded up.

    ``documents`` in all, or as many as there are; of equal remainders the first ones win.
    """
    total = sum(sizes)
    documents = min(documents, total)
    kept = [size * documents // total for size in sizes]
    rest = sorted(range(len(sizes)), key=lambda i: -(sizes[i] * documents % total))
    for i in rest[: documents - sum(kept)]:
        kept[i] += 1
    return kept


def _uncertain(connection: Connection, documents: int, labels: Sequence[str]) -> Draw:
    connection.execute(
        f"""
        CREATE TABLE memory.main.doubts AS
        WITH doubted AS (
          SELECT document_id, 1 - score AS doubt,
            row_number() OVER (PARTITION BY document_id ORDER BY score) AS place,
            greatest(
              {_LEAST_MENTIONS}, ceil(count(*) OVER (PARTITION BY document_id) / 10)) AS worst
          FROM mentions JOIN {POOL} USING (document_id, annotation_id)
          WHERE list_contains($labels, label))
        SELECT document_id, sum(doubt) / any_value(worst) AS doubt
        FROM doubted WHERE place <= worst GROUP BY document_id
        """,
        {"labels": list(labels)},
    )
    # Sums hang on the order of their parts by their last digits.
    rows = connection.execute(
        f"SELECT document_id, coalesce(doubt, 0) FROM {POOL} LEFT JOIN memory.main.doubts d "
        "USING (document_id) ORDER BY round(coalesce(doubt, 0), 9) DESC, lot LIMIT ?",
        [documents],
    ).fetchall()
    ((mean,),) = connection.execute(
        f"SELECT coalesce(sum(doubt), 0) / (SELECT count(*) FROM {POOL}) FROM memory.main.doubts"
    ).fetchall()
    drawn = sum(doubt for _, doubt in rows) / len(rows)
    notes = () if drawn else ("no mention has a score below 1, so that chance decided",)
    return Draw(
        [document_id for document_id, _ in rows],
        {"mean doubt of the drawn": round(drawn, 4), "mean doubt of all": round(mean, 4)},
        notes,
    )


def _unlinked(connection: Connection, documents: int, labels: Sequence[str]) -> Draw:
    if not connection.execute("SELECT 1 FROM linksets WHERE is_current LIMIT 1").fetchall():
        raise CharthouseError(
            "the names of the warehouse are linked to no ontology, so that none is undecided",
            "charthouse relink --ontology STORE links them; or choose another --strategy",
        )
    connection.execute(
        f"""
        CREATE TABLE memory.main.names AS
        WITH undecided AS (
          SELECT n.lookup_text, n.label FROM name_links n
          JOIN linksets l ON l.is_current AND l.position = 1 AND l.linkset_id = n.linkset_id
          WHERE n.rank = 1 AND n.status != 'linked' AND list_contains($labels, n.label))
        SELECT row_number() OVER (ORDER BY weight DESC, lookup_text, label) AS name, *
        FROM (
          SELECT lookup_text, label, count(*) AS weight
          FROM mentions m SEMI JOIN undecided USING (lookup_text, label)
          SEMI JOIN {POOL} USING (document_id, annotation_id)
          {_NOT_BY_CONTEXT} GROUP BY ALL)
        """,
        {"labels": list(labels)},
    )
    names = max(_LEAST_NAMES, documents * _NAMES_PER_DOCUMENT)
    rows = connection.execute(
        f"""
        WITH shown AS (
          SELECT DISTINCT m.document_id, lot, name, weight
          FROM mentions m JOIN {POOL} USING (document_id, annotation_id)
          JOIN (FROM memory.main.names WHERE name <= {names}) USING (lookup_text, label)
          {_NOT_BY_CONTEXT}),
        gaining AS (
          SELECT *, sum(weight) OVER (PARTITION BY document_id) AS gain FROM shown),
        kept AS (
          SELECT DISTINCT document_id FROM (
            SELECT document_id FROM gaining QUALIFY row_number() OVER (
              PARTITION BY name ORDER BY gain DESC, lot) <= {_DOCUMENTS_PER_NAME})
          UNION
          SELECT document_id FROM (
            SELECT DISTINCT document_id, gain, lot FROM gaining
            ORDER BY gain DESC, lot LIMIT {documents}))
        SELECT document_id, lot, name, weight FROM shown SEMI JOIN kept USING (document_id)
        ORDER BY lot, name
        """
    ).fetchall()
    weights = {name: weight for _, _, name, weight in rows}
    shown: dict[tuple[str, str], list[int]] = {}
    for document_id, lot, name, _ in rows:
        shown.setdefault((lot, document_id), []).append(name)
    chosen = cover(shown, weights, documents)
    if not chosen:
        raise CharthouseError(
            "no name of these documents is without a concept", "Choose another --strategy"
        )
    covered = {name for key in chosen for name in shown[key]}
    ((all_names, mentions),) = connection.execute(
        "SELECT count(*), coalesce(sum(weight), 0)::BIGINT FROM memory.main.names"
    ).fetchall()
    notes = () if len(chosen) == documents else ("fewer documents show a name without a concept",)
    return Draw(
        [document_id for _, document_id in chosen],
        {
            "undecided names shown": len(covered),
            "undecided names in all": all_names,
            "mentions of the shown names": sum(weights[name] for name in covered),
            "mentions of undecided names in all": mentions,
        },
        notes,
    )


def cover(
    shown: dict[tuple[str, str], list[int]], weights: dict[int, int], documents: int
) -> list[tuple[str, str]]:
    """Choose documents that cover the heaviest names, one by one.

    Args:
        shown: the names in each document; of equal gains the lowest key wins.
        weights: of names.
        documents: how many to choose at most.
    """
    chosen: list[tuple[str, str]] = []
    left = dict(shown)
    while left and len(chosen) < documents:
        covered: set[int] = set()
        queue = [(-sum(weights[n] for n in names), key) for key, names in left.items()]
        heapq.heapify(queue)
        while queue and len(chosen) < documents:
            _, key = heapq.heappop(queue)
            gain = sum(weights[n] for n in left[key] if n not in covered)
            if not gain:
                continue
            # A gain only shrinks: one that is still the largest when counted anew is the largest.
            if queue and (-gain, key) > queue[0]:
                heapq.heappush(queue, (-gain, key))
                continue
            chosen.append(key)
            covered.update(left.pop(key))
    return chosen
