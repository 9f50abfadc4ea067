"""Mentions of two annotation sets, paired set-wise.

A mention is a document, a span and a label. Pairs are made in three rounds, each among what the
round before left over, and every mention is in one pair at most:

1. kept: the same span and label in both;
2. relabelled: the same span, another label;
3. boundary: the same label, spans that overlap, each the one that the other overlaps most.

What is left over was lost or gained.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.warehouse.connection import Connection

KEPT, RELABELLED, BOUNDARY = "kept", "relabelled", "boundary"


@dataclass(frozen=True)
class LabelDiff:
    """Mentions of one label, or of all.

    ``before`` = ``kept`` + ``boundary`` + ``relabelled_from`` + ``lost``, and ``after`` = ``kept``
    + ``boundary`` + ``relabelled_to`` + ``gained``. Shares are of ``before`` for what was kept and
    lost, of ``after`` for what was gained; null where there is nothing to take a share of.
    """

    label: str
    before: int
    after: int
    kept: int
    boundary: int
    relabelled_from: int
    relabelled_to: int
    lost: int
    gained: int

    @property
    def shares(self) -> dict[str, float | None]:
        """What was kept, lost and gained, 0 to 1."""
        return {
            "kept": _share(self.kept, self.before),
            "lost": _share(self.lost, self.before),
            "gained": _share(self.gained, self.after),
        }


@dataclass(frozen=True)
class Relabelling:
    """Mentions whose span stayed and whose label became another."""

    before: str
    after: str
    mentions: int


@dataclass(frozen=True)
class NameDiff:
    """A name, as it is looked up, among the mentions lost or gained; text of documents."""

    change: str
    name: str
    label: str
    mentions: int
    documents: int


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def pair_mentions(connection: Connection, before: str, after: str) -> None:
    """Pair the mentions of ``diff_documents`` in temporary tables.

    ``diff_before`` and ``diff_after`` hold one row per mention: ``doc``, ``start_char``,
    ``end_char``, ``label``, ``name`` and, where it is in a pair, ``pair`` for what kind of pair and
    ``other`` for the label on the other side.
    """
    for side, annotation_id in (("before", before), ("after", after)):
        connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE diff_{side} AS
            SELECT d.doc, m.start_char, m.end_char, m.label, min(m.lookup_text) AS name
            FROM mentions m JOIN diff_documents d ON d.document_id = m.document_id
            WHERE m.annotation_id = ? GROUP BY ALL
            """,
            [annotation_id],
        )
    for side, opposite in (("before", "after"), ("after", "before")):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE diff_only_{side} AS SELECT row_number() OVER () AS id, "
            f"* FROM diff_{side} ANTI JOIN diff_{opposite} "
            "USING (doc, start_char, end_char, label)"
        )
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE diff_relabelled AS
        WITH b AS (SELECT *, row_number() OVER span AS nth FROM diff_only_before
                   WINDOW span AS (PARTITION BY doc, start_char, end_char ORDER BY label)),
             a AS (SELECT *, row_number() OVER span AS nth FROM diff_only_after
                   WINDOW span AS (PARTITION BY doc, start_char, end_char ORDER BY label))
        SELECT b.id AS before_id, a.id AS after_id, b.label AS before, a.label AS after
        FROM b JOIN a USING (doc, start_char, end_char, nth)
        """
    )
    # Of many overlaps those count that are the best of both sides; ties go to the first span.
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE diff_boundary AS
        WITH overlapping AS (
          SELECT b.id AS before_id, a.id AS after_id,
            row_number() OVER (PARTITION BY b.id ORDER BY
              least(b.end_char, a.end_char) - greatest(b.start_char, a.start_char) DESC,
              a.start_char, a.end_char) AS best_after,
            row_number() OVER (PARTITION BY a.id ORDER BY
              least(b.end_char, a.end_char) - greatest(b.start_char, a.start_char) DESC,
              b.start_char, b.end_char) AS best_before
          FROM (FROM diff_only_before WHERE id NOT IN (SELECT before_id FROM diff_relabelled)) b
          JOIN (FROM diff_only_after WHERE id NOT IN (SELECT after_id FROM diff_relabelled)) a
            ON a.doc = b.doc AND a.label = b.label
            AND a.start_char < b.end_char AND b.start_char < a.end_char
        )
        SELECT before_id, after_id FROM overlapping WHERE best_after = 1 AND best_before = 1
        """
    )


_BY_LABEL = """
WITH counts AS (
  SELECT label, 'before' AS what, count(*) AS n FROM diff_before GROUP BY label
  UNION ALL SELECT label, 'after', count(*) FROM diff_after GROUP BY label
  UNION ALL SELECT label, 'only_before', count(*) FROM diff_only_before GROUP BY label
  UNION ALL SELECT label, 'only_after', count(*) FROM diff_only_after GROUP BY label
  UNION ALL SELECT before, 'relabelled_from', count(*) FROM diff_relabelled GROUP BY before
  UNION ALL SELECT after, 'relabelled_to', count(*) FROM diff_relabelled GROUP BY after
  UNION ALL SELECT label, 'boundary', count(*) FROM diff_boundary JOIN diff_only_before
    ON id = before_id GROUP BY label
)
SELECT label, what, n FROM counts ORDER BY ALL
"""


def label_diffs(connection: Connection) -> list[LabelDiff]:
    """Counts of paired mentions by label, in alphabetical order."""
    counts: dict[str, dict[str, int]] = {}
    for label, what, number in connection.execute(_BY_LABEL).fetchall():
        counts.setdefault(label, {})[what] = number
    return [_label_diff(label, found) for label, found in counts.items()]


def _label_diff(label: str, found: dict[str, int]) -> LabelDiff:
    before, after = found.get("before", 0), found.get("after", 0)
    only_before, only_after = found.get("only_before", 0), found.get("only_after", 0)
    boundary = found.get("boundary", 0)
    away, here = found.get("relabelled_from", 0), found.get("relabelled_to", 0)
    return LabelDiff(
        label=label,
        before=before,
        after=after,
        kept=before - only_before,
        boundary=boundary,
        relabelled_from=away,
        relabelled_to=here,
        lost=only_before - boundary - away,
        gained=only_after - boundary - here,
    )


def all_labels(diffs: list[LabelDiff]) -> LabelDiff:
    """The sum over labels, under the label ``all``."""
    counts = [
        [getattr(diff, name) for diff in diffs]
        for name in LabelDiff.__dataclass_fields__
        if name != "label"
    ]
    return LabelDiff("all", *map(sum, counts))


def relabellings(connection: Connection) -> list[Relabelling]:
    """Which labels became which, the most frequent first."""
    rows = connection.execute(
        "SELECT before, after, count(*) FROM diff_relabelled GROUP BY ALL ORDER BY 3 DESC, 1, 2"
    ).fetchall()
    return [Relabelling(*row) for row in rows]


def name_diffs(connection: Connection, most: int) -> list[NameDiff]:
    """The most frequent names among mentions lost, then gained; ``most`` of each."""
    found = []
    for change, side in (("lost", "before"), ("gained", "after")):
        rows = connection.execute(
            f"""
            SELECT name, label, count(*) AS mentions, count(DISTINCT doc) AS documents
            FROM diff_only_{side}
            WHERE id NOT IN (SELECT {side}_id FROM diff_relabelled)
              AND id NOT IN (SELECT {side}_id FROM diff_boundary)
            GROUP BY ALL ORDER BY mentions DESC, name, label LIMIT ?
            """,
            [most],
        ).fetchall()
        found += [NameDiff(change, *row) for row in rows]
    return found
