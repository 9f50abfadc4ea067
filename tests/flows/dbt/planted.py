"""Faults that the data tests of the dbt package must find."""

from __future__ import annotations

ROT = (
    # Kinds and statuses that nobody knows, and what belongs to nothing.
    "UPDATE documents SET kind = 'letter' WHERE document_id = 'notes:1'",
    "UPDATE document_annotations SET status = 'lost', run_id = '0', annotation_id = 'none' "
    "WHERE document_id = 'notes:8'",
    "UPDATE runs SET status = 'odd' WHERE run_id = (SELECT min(run_id) FROM runs)",
    "UPDATE runs SET new = 1000 WHERE run_id = (SELECT max(run_id) FROM runs)",
    "UPDATE rejects SET stage = 'odd', run_id = 'none'",
    "UPDATE quality SET scope = 'odd', link_share = 7",
    "UPDATE linksets SET release_id = 'gone', position = 1 WHERE linkset_id = 'l2'",
    "UPDATE name_links SET status = 'odd', score = -1, rank = 7 "
    "WHERE lookup_text = 'gout' AND linkset_id = 'l1'",
    "DELETE FROM name_links WHERE lookup_text = 'qi'",
    "DELETE FROM concepts WHERE concept_id IN ('MESH:D1', 'X:fever')",
    "UPDATE document_concepts SET mentions = 99 WHERE concept_id = 'MESH:D2'",
    # Spans and scores.
    "UPDATE mentions SET end_char = 4000 WHERE document_id = 'notes:10'",
    "UPDATE mentions SET score = 1.2, experiencer = 'nurse' WHERE document_id = 'notes:11'",
    "UPDATE mentions SET section_id = 9, sentence_id = 9 WHERE document_id = 'notes:12'",
    "UPDATE sections SET start_char = 20, end_char = 10 WHERE document_id = 'notes:2'",
    "UPDATE sentences SET end_char = 4000 WHERE document_id = 'notes:13'",
    "UPDATE quantities SET start_char = -1, mention_id = 9",
)
"""What must not be, in the warehouse; beside this every row of every table is doubled."""

ROT_OF_MARTS = (
    "UPDATE fct_mention SET concept_id = 'MESH:D0' WHERE concept_id IS NOT NULL",
    "UPDATE fct_mention SET document_id = 'notes:gone' WHERE document_id = 'notes:14'",
    "UPDATE fct_document_concept SET document_id = 'notes:gone', concept_id = 'MESH:D0' "
    "WHERE document_id IS NOT NULL",
    "UPDATE dim_document SET document_id = 'notes:other' WHERE document_id = 'notes:15'",
    "UPDATE fct_person_condition SET person_id = 'nobody', affirmed = 1000, historical = 2000 "
    "WHERE person_id IS NOT NULL",
    "UPDATE agg_concept_year SET document_share = 1.5",
    "UPDATE fct_link_share SET fall = 0.5, link_share = 1.5",
)

OF_10 = "WHERE document_id = 'notes:10'"

PLANTED = (
    ("mentions_in_text", f"UPDATE mentions SET end_char = 4000 {OF_10}"),
    ("mentions_in_text", f"UPDATE mentions SET mention_text = 'others' {OF_10}"),
    ("mentions_in_text", f"UPDATE mentions SET end_char = 0, mention_text = '' {OF_10}"),
    ("mentions_in_text", f"UPDATE mentions SET start_char = -1 {OF_10}"),
    ("mentions_in_text", f"UPDATE mentions SET mention_text = NULL {OF_10}"),
    ("mentions_in_text", "UPDATE mentions SET mention_text = 'x' WHERE document_id = 'notes:4'"),
    ("mentions_in_text", "UPDATE mentions SET end_char = 0 WHERE document_id = 'notes:4'"),
    ("mention_scores_in_range", f"UPDATE mentions SET score = 1.2 {OF_10}"),
    ("mention_scores_in_range", f"UPDATE mentions SET score = -0.1 {OF_10}"),
    ("mention_scores_in_range", f"UPDATE mentions SET score = 'NaN' {OF_10}"),
    ("mentions_in_sections", f"UPDATE mentions SET section_id = 9 {OF_10}"),
    ("mentions_in_sentences", f"DELETE FROM sentences {OF_10}"),
    ("mentions_unique", f"INSERT INTO mentions FROM mentions {OF_10}"),
    ("sections_in_text", "UPDATE sections SET end_char = 4000"),
    ("mentions_looked_up", "DELETE FROM name_links WHERE lookup_text = 'qi'"),
    ("name_links_to_concepts", "DELETE FROM concepts WHERE concept_id = 'X:febris'"),
    ("mention_concepts_in_release", "DELETE FROM concepts WHERE concept_id = 'MESH:D1'"),
    ("name_links_ranked", "UPDATE name_links SET rank = 3 WHERE rank = 2"),
    ("name_links_ranked", "UPDATE name_links SET status = 'linked' WHERE rank = 2"),
    ("ancestors_are_concepts", "UPDATE concept_ancestors SET ancestor_id = 'X:none'"),
    ("no_lost_documents", f"DELETE FROM document_annotations {OF_10}"),
    ("no_lost_documents", f"UPDATE document_annotations SET is_current = true {OF_10}"),
    ("no_lost_documents", f"DELETE FROM documents {OF_10}"),
    ("no_lost_documents", "UPDATE shards SET status = 'planned'"),
    ("no_lost_documents", "UPDATE shards SET documents = documents - 1"),
    ("derived_tables_are_current", f"DELETE FROM document_concepts {OF_10}"),
    ("fct_mention_is_complete", f"DELETE FROM mentions {OF_10}"),
    ("fct_mention_is_complete", f"DELETE FROM marts.fct_mention {OF_10}"),
    ("fct_mention_is_complete", f"INSERT INTO marts.fct_mention FROM marts.fct_mention {OF_10}"),
    ("fct_mention_links_are_current", f"UPDATE marts.fct_mention SET concept_id = 'X' {OF_10}"),
    ("fct_mention_unique", f"INSERT INTO marts.fct_mention FROM marts.fct_mention {OF_10}"),
    ("fct_mention_concepts", "DELETE FROM marts.dim_concept WHERE concept_id = 'MESH:D1'"),
    ("dim_document_is_complete", f"DELETE FROM marts.dim_document {OF_10}"),
    ("link_share_not_fallen", "UPDATE marts.fct_link_share SET fall = 0.06"),
)
"""A test, and the one change of warehouse or marts that it must find."""
