"""Derived tables: what could be counted anew for every question, but in seconds each time.

They hold current annotations and current linksets only, and are made anew as a whole
(:mod:`flows.warehouse.derived.refresh`), so that they cannot drift from what they are made of.
"""

from __future__ import annotations

import polars as pl

from ontologies.table import Column, Table

_CONCEPT = Column("concept_id", pl.String, "the concept")
_LINKSET = Column("linkset_id", pl.String, "a current linkset")
_LABEL = Column(
    "label", pl.String, "label of its mentions, the first by name where there are several"
)
_CORPUS = Column("corpus", pl.String, "name of the collection")
_KIND = Column("kind", pl.String, "abstract, note or article")
_TYPE = Column("document_type", pl.String, "publication or note type", nullable=True)
_YEAR = Column("year", pl.Int32, "year of document_date", nullable=True)
_MENTIONS = Column("mentions", pl.Int64, "mentions")
_AFFIRMED = Column(
    "affirmed",
    pl.Int64,
    "mentions assessed, of the patient, and neither negated nor uncertain nor hypothetical",
)
_HISTORICAL = Column(
    "historical",
    pl.Int64,
    "affirmed mentions that are historical: of the patient's past or history",
)
_NEGATED = Column("negated", pl.Int64, "negated mentions")
_DOCUMENTS = Column("documents", pl.Int64, "documents")

DOCUMENT_CONCEPTS = Table(
    name="document_concepts",
    meaning="The concepts that each document names, with what the document is.",
    key=("document_id", "concept_id", "linkset_id"),
    columns=(
        Column("document_id", pl.String, "corpus:native_id"),
        _CONCEPT,
        _LINKSET,
        _LABEL,
        _CORPUS,
        _KIND,
        _TYPE,
        Column("document_date", pl.Date, "publication or note date", nullable=True),
        Column("person_id", pl.String, "the patient, for notes", nullable=True),
        _MENTIONS,
        _AFFIRMED,
        _HISTORICAL,
        _NEGATED,
    ),
)

CONCEPT_TOTALS = Table(
    name="concept_totals",
    meaning="How often each concept is named, by what a document is and its year.",
    key=("concept_id", "linkset_id", "corpus", "kind", "document_type", "year"),
    columns=(
        _CONCEPT,
        _LINKSET,
        _LABEL,
        _CORPUS,
        _KIND,
        _TYPE,
        _YEAR,
        _DOCUMENTS,
        _MENTIONS,
        _AFFIRMED,
        _HISTORICAL,
        _NEGATED,
        Column("persons", pl.Int64, "persons whose documents name it"),
    ),
)

BRANCH_TOTALS = Table(
    name="branch_totals",
    meaning="How often a concept or one of all that are narrower is named, by what a document is "
    "and its year.",
    key=("ancestor_id", "linkset_id", "corpus", "kind", "document_type", "year"),
    columns=(
        Column("ancestor_id", pl.String, "the concept that, with all that is narrower, is counted"),
        _LINKSET,
        _CORPUS,
        _KIND,
        _TYPE,
        _YEAR,
        Column("documents", pl.Int64, "documents that name one of them"),
        Column("mentions", pl.Int64, "mentions of any of them"),
        _AFFIRMED,
        _HISTORICAL,
        _NEGATED,
        Column("persons", pl.Int64, "persons whose documents name one of them"),
    ),
)

CONCEPT_PAIRS = Table(
    name="concept_pairs",
    meaning="Concepts that documents name together. Of a document that names very many concepts "
    "the most frequent count, and pairs of few documents are left out: see `derived` settings.",
    key=("first_id", "second_id", "linkset_id"),
    columns=(
        Column("first_id", pl.String, "the concept whose id is first by name"),
        Column("second_id", pl.String, "the other"),
        _LINKSET,
        Column("documents", pl.Int64, "documents that name both"),
        Column("sentences", pl.Int64, "sentences that name both"),
        Column("first_documents", pl.Int64, "documents that name the first, among what is paired"),
        Column("second_documents", pl.Int64, "the same of the second"),
        Column("first_sentences", pl.Int64, "sentences that name the first, among what is paired"),
        Column("second_sentences", pl.Int64, "the same of the second"),
        Column("document_pmi", pl.Float64, "pointwise mutual information in documents, base 2"),
        Column("sentence_pmi", pl.Float64, "the same in sentences; null without one", True),
    ),
)

PERSON_TOTALS = Table(
    name="person_totals",
    meaning="The concepts that each person's documents name, with first and last date.",
    key=("person_id", "concept_id", "linkset_id"),
    columns=(
        Column("person_id", pl.String, "the patient"),
        _CONCEPT,
        _LINKSET,
        _LABEL,
        Column("first_date", pl.Date, "of the documents that name it", nullable=True),
        Column("last_date", pl.Date, "of the documents that name it", nullable=True),
        Column("first_affirmed", pl.Date, "of the documents that affirm it", nullable=True),
        Column("last_affirmed", pl.Date, "of the documents that affirm it", nullable=True),
        Column(
            "last_current",
            pl.Date,
            "the last of the documents that affirm it and not as history alone",
            nullable=True,
        ),
        _DOCUMENTS,
        _MENTIONS,
        _AFFIRMED,
        _HISTORICAL,
        _NEGATED,
    ),
)

NAME_TOTALS = Table(
    name="name_totals",
    meaning="How often each name to link is mentioned.",
    key=("lookup_text", "label"),
    columns=(
        Column("lookup_text", pl.String, "the name looked up"),
        Column("label", pl.String, "the label of its mentions"),
        _MENTIONS,
        Column(
            "linked_by_context",
            pl.Int64,
            "mentions for which context chose the concept, of the first ontology",
        ),
        _DOCUMENTS,
    ),
)

DOCUMENT_TOTALS = Table(
    name="document_totals",
    meaning="What there is of annotated documents, by what a document is and its year: what to "
    "divide by.",
    key=("corpus", "kind", "document_type", "year"),
    columns=(
        _CORPUS,
        _KIND,
        _TYPE,
        _YEAR,
        _DOCUMENTS,
        Column("persons", pl.Int64, "persons they are about"),
        Column("characters", pl.Int64, "characters of text; 0 where privacy leaves it out"),
        Column("sentences", pl.Int64, "sentences"),
        _MENTIONS,
        Column("linked", pl.Int64, "mentions with a concept of the first ontology"),
    ),
)

DERIVATIONS = Table(
    name="derivations",
    meaning="One row: when the derived tables were made, and of what.",
    key=("derived_at",),
    columns=(
        Column("derived_at", pl.Datetime("us"), "UTC"),
        Column("run_id", pl.String, "the latest run there was", nullable=True),
        Column("documents", pl.Int64, "annotated documents"),
        Column("mentions", pl.Int64, "their mentions"),
        Column("pair_concepts", pl.Int64, "concepts of a document that pairs are made of, at most"),
        Column("pair_documents", pl.Int64, "documents that a pair stands in, at least"),
        Column(
            "made_of",
            pl.String,
            "fingerprint of ledger, documents and links: while it is the same, so are the tables",
        ),
    ),
)

DERIVED_TABLES = (
    DOCUMENT_CONCEPTS,
    CONCEPT_TOTALS,
    BRANCH_TOTALS,
    CONCEPT_PAIRS,
    PERSON_TOTALS,
    NAME_TOTALS,
    DOCUMENT_TOTALS,
)
"""Big tables, made in this order."""
