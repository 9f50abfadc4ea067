"""Checks of rows: keys are unique, the ledger vouches for every row, runs add up."""

from __future__ import annotations

from flows.pseudonyms import DIGITS
from flows.schema import BIG_TABLES
from flows.warehouse.checks import Check
from flows.warehouse.ddl import quoted
from nlp.schema import ANNOTATION_TABLES, PRIVACY_SPANS
from ontologies.schema import MAX_CANDIDATES, NO_CANDIDATE
from ontologies.table import Table

_OF_DOCUMENTS = (*(table.name for table in ANNOTATION_TABLES), "mention_links")
_HELD_LEDGER = "SELECT document_id, annotation_id FROM document_annotations"


def _unique(table: Table) -> Check:
    key = ", ".join(map(quoted, table.key))
    subject = quoted("document_id" if "document_id" in table.key else table.key[0])
    return Check(
        f"{table.name}_unique",
        f"{table.name}: one row a key ({', '.join(table.key)})",
        f"SELECT {subject} AS subject FROM {table.name} GROUP BY {key} HAVING count(*) > 1",
    )


def _in_ledger(table: str) -> Check:
    # What was replaced in a document is told even if it could not be annotated then.
    done, where = (
        ("", "") if table == PRIVACY_SPANS.name else (" as done", " WHERE status = 'done'")
    )
    return Check(
        f"{table}_in_ledger",
        f"{table}: no rows but those of a document that the ledger has{done}",
        f"SELECT DISTINCT document_id AS subject FROM {table} ANTI JOIN "
        f"({_HELD_LEDGER}{where}) USING (document_id, annotation_id)",
    )


_LEDGER = (
    Check(
        "document_ids",
        "documents.document_id is corpus:native_id",
        "SELECT document_id AS subject FROM documents "
        "WHERE document_id != corpus || ':' || native_id",
    ),
    Check(
        "ledger_of_documents",
        "every ledger row belongs to a document that is there and not withdrawn",
        "SELECT document_id AS subject FROM document_annotations "
        "ANTI JOIN (FROM documents WHERE NOT is_deleted) USING (document_id)",
    ),
    Check(
        "ledger_of_this_text",
        "every ledger row is of the document's text as it is now",
        "SELECT a.document_id AS subject FROM document_annotations a "
        "JOIN documents d USING (document_id) "
        "WHERE NOT d.is_deleted AND a.source_hash != d.source_hash",
    ),
    Check(
        "one_current_set",
        "of an annotated document exactly one annotation set is current",
        "SELECT document_id AS subject FROM document_annotations GROUP BY document_id "
        "HAVING count(*) FILTER (is_current) != 1",
    ),
    Check(
        "documents_in_ledger",
        "every document that is not withdrawn is in the ledger, annotated or rejected",
        "SELECT document_id AS subject FROM documents ANTI JOIN document_annotations "
        "USING (document_id) WHERE NOT is_deleted",
    ),
    Check(
        "ledger_of_runs",
        "every ledger row names a run and a shard that was loaded",
        "SELECT document_id AS subject FROM document_annotations a "
        "LEFT JOIN shards s USING (shard_id) LEFT JOIN runs r ON r.run_id = a.run_id "
        "WHERE r.run_id IS NULL OR s.status IS DISTINCT FROM 'loaded'",
    ),
    Check(
        "ledger_of_sets",
        "every annotation set in the ledger is described in annotation_sets",
        "SELECT DISTINCT annotation_id AS subject FROM document_annotations "
        "ANTI JOIN annotation_sets USING (annotation_id)",
    ),
    Check(
        "tombstones",
        "a withdrawn document has no text, and no row in any other table",
        "SELECT document_id AS subject FROM documents WHERE is_deleted AND text != '' "
        + "".join(
            f"UNION ALL SELECT DISTINCT document_id FROM {table} "
            "SEMI JOIN (FROM documents WHERE is_deleted) USING (document_id) "
            for table in (*_OF_DOCUMENTS, "document_annotations", "rejects")
        ),
    ),
    Check(
        "rejects_in_ledger",
        "a document that could not be annotated is in the ledger as rejected",
        "SELECT r.document_id AS subject FROM rejects r LEFT JOIN document_annotations a "
        "ON a.document_id = r.document_id AND a.annotation_id = r.annotation_id "
        "WHERE r.stage = 'annotate' AND a.status IS DISTINCT FROM 'rejected'",
    ),
)

_RUNS = (
    Check(
        "runs_add_up",
        "read = skipped + duplicates + superseded + new + replaced + metadata_updated + deleted "
        "+ rejected + forgotten",
        "SELECT run_id AS subject FROM runs WHERE seconds IS NOT NULL AND read != "
        "coalesce(skipped, 0) + coalesce(duplicates, 0) + coalesce(superseded, 0) "
        "+ coalesce(new, 0) + coalesce(replaced, 0) + coalesce(metadata_updated, 0) "
        "+ coalesce(deleted, 0) + coalesce(rejected, 0) + coalesce(forgotten, 0)",
    ),
    Check(
        "runs_loaded",
        "the loaded shards of a finished run have as many documents as it planned",
        "SELECT r.run_id AS subject FROM runs r LEFT JOIN (SELECT run_id, "
        "sum(documents) FILTER (status = 'loaded') AS loaded, count(*) FILTER ("
        "status = 'planned') AS waiting FROM shards GROUP BY run_id) s ON s.run_id = r.run_id "
        "WHERE r.status = 'done' AND (coalesce(s.waiting, 0) > 0 "
        "OR coalesce(s.loaded, 0) != coalesce(r.new, 0) + coalesce(r.replaced, 0))",
    ),
    Check(
        "sources_closed",
        "no source of a finished run still waits for its shards",
        "SELECT path AS subject FROM sources JOIN runs USING (run_id) "
        "WHERE sources.status = 'planned' AND runs.status != 'running'",
    ),
)

_LINKS = (
    Check(
        "mention_links_of_mentions",
        "mention_links belong to mentions, and choose among the candidates of their names",
        "SELECT l.document_id AS subject FROM mention_links l LEFT JOIN mentions m "
        "ON m.document_id = l.document_id AND m.annotation_id = l.annotation_id "
        "AND m.mention_id = l.mention_id LEFT JOIN name_links n "
        "ON n.lookup_text = m.lookup_text AND n.label = m.label "
        "AND n.linkset_id = l.linkset_id AND n.concept_id = l.concept_id "
        "WHERE n.concept_id IS NULL",
    ),
    Check(
        "names_ranked",
        f"the candidates of a name are ranked 1, 2 ... to {MAX_CANDIDATES} at most, all with one "
        "status",
        "SELECT lookup_text AS subject FROM name_links GROUP BY lookup_text, label, linkset_id "
        "HAVING min(rank) != 1 OR max(rank) != count(*) OR count(DISTINCT rank) != count(*) "
        f"OR count(*) > {MAX_CANDIDATES} OR count(DISTINCT status) != 1 "
        f"OR (any_value(status) = '{NO_CANDIDATE}') != (count(concept_id) = 0) "
        "OR count(concept_id) NOT IN (0, count(*))",
    ),
    Check(
        "linked_concepts",
        "every concept that a known linkset links to is in its release",
        "SELECT n.concept_id AS subject FROM (SELECT DISTINCT release_id, concept_id "
        "FROM name_links JOIN linksets USING (linkset_id) WHERE concept_id IS NOT NULL) n "
        "ANTI JOIN concepts USING (release_id, concept_id)",
    ),
    Check(
        "current_linksets",
        "current linksets stand at positions 1, 2 ...",
        "SELECT 'linksets' AS subject FROM linksets WHERE is_current "
        "HAVING min(position) != 1 OR max(position) != count(*) "
        "OR count(DISTINCT position) != count(*)",
    ),
    Check(
        "names_linked",
        "every name of a mention is in name_links for every current linkset",
        "SELECT lookup_text AS subject FROM (SELECT DISTINCT m.lookup_text, m.label, l.linkset_id "
        "FROM mentions m JOIN document_annotations a ON a.document_id = m.document_id "
        "AND a.annotation_id = m.annotation_id AND a.is_current, linksets l WHERE l.is_current) "
        "ANTI JOIN name_links USING (lookup_text, label, linkset_id)",
        settled_only=True,
    ),
)

_PSEUDONYM = f"[0-9a-f]{{{DIGITS}}}"

_PRIVACY = (
    Check(
        "privacy_ids",
        "persons, visits and documents of a kind that is de-identified have pseudonyms",
        "SELECT document_id AS subject FROM documents JOIN privacy USING (kind) "
        f"WHERE NOT coalesce(regexp_full_match(person_id, 'p-{_PSEUDONYM}'), true) "
        f"OR NOT coalesce(regexp_full_match(encounter_id, 'e-{_PSEUDONYM}'), true) "
        f"OR NOT (keep_document_ids OR regexp_full_match(native_id, 'd-{_PSEUDONYM}'))",
    ),
    Check(
        "privacy_texts",
        "where texts are dropped no words of them are left but in lookup_text",
        "WITH dropped AS (SELECT d.* FROM documents d JOIN privacy p USING (kind) "
        "WHERE p.mode = 'drop_text' AND NOT d.is_deleted) "
        "SELECT document_id AS subject FROM dropped WHERE text IS NOT NULL "
        "OR title IS NOT NULL OR metadata != '{}' "
        "UNION ALL SELECT m.document_id FROM mentions m SEMI JOIN dropped USING (document_id) "
        "WHERE m.mention_text IS NOT NULL "
        "UNION ALL SELECT a.document_id FROM abbreviations a SEMI JOIN dropped USING (document_id) "
        "WHERE a.short_form IS NOT NULL OR a.long_form IS NOT NULL",
    ),
)

TABLE_CHECKS = (
    *map(_unique, BIG_TABLES),
    *_LEDGER,
    *map(_in_ledger, _OF_DOCUMENTS),
    *_RUNS,
    *_LINKS,
    *_PRIVACY,
)
"""Checks of keys, of the ledger, of runs and of links."""
