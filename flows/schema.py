"""Provenance tables: sources, the ledger, runs, shards, rejects and what made the rows."""

from __future__ import annotations

import polars as pl

from flows.comparing.schema import DIFFS
from flows.generating.schema import (
    GENERATION_ITEMS,
    GENERATION_SETS,
    GENERATION_SOURCES,
    GENERATIONS,
)
from flows.quality.schema import (
    QUALITY,
    QUALITY_BRANCHES,
    QUALITY_DRIFT,
    QUALITY_HISTOGRAMS,
)
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES
from nlp.relations.schema import RELATIONS
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS
from ontologies.schema import (
    CONCEPT_ANCESTORS,
    CONCEPT_NAMES,
    CONCEPT_REPLACEMENTS,
    CONCEPTS,
    NAME_LINKS,
)
from ontologies.table import Column, Table

SCHEMA_VERSION = 6
"""Of the tables below; kept in the warehouse, raised with every change of a declaration."""

MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE concepts ADD COLUMN registry_numbers VARCHAR[]",
        "ALTER TABLE concepts ADD COLUMN pharmacological_actions VARCHAR[]",
        "ALTER TABLE concept_names ADD COLUMN lexical_tag VARCHAR",
        "ALTER TABLE concept_names ADD COLUMN relation VARCHAR",
        "ALTER TABLE concept_names ADD COLUMN vocabulary VARCHAR",
        "ALTER TABLE concept_ancestors ADD COLUMN vocabularies VARCHAR[]",
    ),
    2: (
        "ALTER TABLE runs ADD COLUMN pruned BIGINT",
        "ALTER TABLE runs ADD COLUMN forgotten BIGINT",
        "ALTER TABLE sources ADD COLUMN etag VARCHAR",
    ),
    3: (
        "ALTER TABLE sections ADD COLUMN heading_end_char INTEGER",
        "ALTER TABLE sections ADD COLUMN loinc_code VARCHAR",
        "ALTER TABLE documents ALTER COLUMN text DROP NOT NULL",
        "ALTER TABLE mentions ALTER COLUMN mention_text DROP NOT NULL",
        "ALTER TABLE abbreviations ALTER COLUMN short_form DROP NOT NULL",
        "ALTER TABLE abbreviations ALTER COLUMN long_form DROP NOT NULL",
        "ALTER TABLE shards ADD COLUMN seconds.privacy DOUBLE",
        "ALTER TABLE shards ADD COLUMN seconds.assertion DOUBLE",
    ),
    4: ("ALTER TABLE shards ADD COLUMN seconds.generate DOUBLE",),
    5: (
        "ALTER TABLE runs ADD COLUMN seconds.derive DOUBLE",
        "ALTER TABLE runs ADD COLUMN seconds.quality DOUBLE",
        "ALTER TABLE IF EXISTS evaluations ADD COLUMN run_id VARCHAR",
    ),
}
"""What makes a warehouse of a version one of the next. New tables are added without a step here.
Views ask for no column that an older warehouse lacks, so older ones can be read as they are."""

_RUN = Column("run_id", pl.String, "the run that wrote the row")
_SECONDS = pl.Struct(
    dict.fromkeys(
        ("preprocess", "ner", "write", "load", "privacy", "assertion", "generate"), pl.Float64
    )
)
_RUN_SECONDS = pl.Struct(
    dict.fromkeys(("plan", "annotate", "link", "total", "derive", "quality"), pl.Float64)
)

SOURCES = Table(
    name="sources",
    meaning="Files that were read. An unchanged file is not parsed again.",
    key=("path",),
    columns=(
        Column("path", pl.String, "absolute path, or URL; under privacy a keyed hash of it"),
        Column("source_number", pl.Int64, "order in which files were first seen, from 0"),
        Column("size", pl.Int64, "bytes"),
        Column("mtime", pl.Int64, "modification time, nanoseconds since 1970"),
        Column(
            "etag",
            pl.String,
            "tag that its storage gives a version; null for a path",
            nullable=True,
        ),
        Column(
            "sha256",
            pl.String,
            "of the file as it lies on disk; under privacy a keyed hash of that",
        ),
        Column("reader", pl.String, "reader, its version, corpus and column mapping"),
        Column("annotation_id", pl.String, "the annotation set its documents were planned for"),
        Column(
            "status",
            pl.String,
            "planned, partial (a limit cut it, or it cannot be read), done or gone (pruned)",
        ),
        Column("documents", pl.Int64, "records in it: documents, deletions and rejects"),
        _RUN,
    ),
)

DOCUMENT_ANNOTATIONS = Table(
    name="document_annotations",
    meaning="The ledger: which version of a document was annotated by which annotation set.",
    key=("document_id", "annotation_id"),
    columns=(
        Column("document_id", pl.String, "corpus:native_id"),
        Column("annotation_id", pl.String, "fingerprint of all that changes annotations"),
        Column("source_hash", pl.String, "the version of the document that was annotated"),
        _RUN,
        Column("shard_id", pl.String, "the shard it was part of"),
        Column("status", pl.String, "done or rejected"),
        Column("is_current", pl.Boolean, "true for the set that views show"),
    ),
)

MENTION_LINKS = Table(
    name="mention_links",
    meaning="Only mentions for which context chose another concept than the name alone.",
    key=("document_id", "annotation_id", "mention_id", "linkset_id"),
    columns=(
        Column("document_id", pl.String, "corpus:native_id"),
        Column("annotation_id", pl.String, "fingerprint of all that changes annotations"),
        Column("mention_id", pl.Int32, "the mention"),
        Column("linkset_id", pl.String, "fingerprint of all that changes linking"),
        Column("concept_id", pl.String, "the concept context chose"),
        Column("score", pl.Float64, "that of the chosen candidate in name_links"),
        Column("method", pl.String, "context"),
    ),
)

RUNS = Table(
    name="runs",
    meaning="One row per run. An interrupted run is continued under its own run_id.",
    key=("run_id",),
    columns=(
        _RUN,
        Column("order_hash", pl.String, "fingerprint of sources and settings"),
        Column(
            "annotation_id",
            pl.String,
            "the annotation set it wrote; of a run of charthouse generate the generation_id",
        ),
        Column(
            "status", pl.String, "running, done, failed (its counts did not add up) or abandoned"
        ),
        Column("read", pl.Int64, "records in its sources"),
        Column("skipped", pl.Int64, "already done, unchanged", nullable=True),
        Column("duplicates", pl.Int64, "identical records of one document", nullable=True),
        Column("superseded", pl.Int64, "older versions, by source_order", nullable=True),
        Column("new", pl.Int64, "documents seen for the first time", nullable=True),
        Column("replaced", pl.Int64, "documents annotated anew", nullable=True),
        Column("metadata_updated", pl.Int64, "only metadata changed: no NER", nullable=True),
        Column("deleted", pl.Int64, "documents withdrawn by their source", nullable=True),
        Column("rejected", pl.Int64, "records that are no readable document", nullable=True),
        Column("pruned", pl.Int64, "documents that vanished and were removed", nullable=True),
        Column("forgotten", pl.Int64, "records of what is to stay forgotten", nullable=True),
        Column("seconds", _RUN_SECONDS, "wall seconds by stage", nullable=True),
        Column("started_at", pl.Datetime("us"), "UTC"),
        Column("finished_at", pl.Datetime("us"), "UTC", nullable=True),
    ),
)

SHARDS = Table(
    name="shards",
    meaning="Units of work. Planned before annotation begins; loaded in one transaction each.",
    key=("shard_id",),
    columns=(
        Column("shard_id", pl.String, "run_id:number"),
        _RUN,
        Column("path", pl.String, "the shard file in the work folder"),
        Column("checksum", pl.String, "SHA-256 of the shard file"),
        Column("status", pl.String, "planned or loaded"),
        Column("documents", pl.Int64, "documents in it"),
        Column("characters", pl.Int64, "characters of text in it"),
        Column("mentions", pl.Int64, "mentions found", nullable=True),
        Column("rejected", pl.Int64, "documents that could not be annotated", nullable=True),
        Column("seconds", _SECONDS, "by stage, in its worker", nullable=True),
        Column("loaded_at", pl.Datetime("us"), "UTC", nullable=True),
    ),
)

REJECTS = Table(
    name="rejects",
    meaning="Records that could not be processed, with the reason; never their text.",
    key=("path", "ordinal", "annotation_id"),
    columns=(
        Column("path", pl.String, "the source file, as in sources"),
        Column(
            "ordinal",
            pl.Int64,
            "position of the record in its source, from 0; -1 for the whole file",
        ),
        Column(
            "annotation_id",
            pl.String,
            "the annotation set that was being written, or the generation_id",
        ),
        Column("stage", pl.String, "read, annotate or generate"),
        Column("reason", pl.String, "what is wrong with it"),
        Column("document_id", pl.String, "where it is known", nullable=True),
        _RUN,
    ),
)

ANNOTATION_SETS = Table(
    name="annotation_sets",
    meaning="What an annotation_id stands for.",
    key=("annotation_id",),
    columns=(
        Column("annotation_id", pl.String, "fingerprint of what follows"),
        Column("models", pl.List(pl.String), "model names in the order given, then dictionaries"),
        Column("settings", pl.String, "stage versions, model hashes and settings, as JSON"),
        Column("created_at", pl.Datetime("us"), "UTC"),
    ),
)

MODELS = Table(
    name="models",
    meaning="Models and dictionaries used, by the hash of what decides their mentions.",
    key=("fingerprint",),
    columns=(
        Column(
            "fingerprint",
            pl.String,
            "SHA-256 over weights, config and tokenizer; of a dictionary over release and filters",
        ),
        Column("model", pl.String, "name in mentions.model"),
        Column("labels", pl.List(pl.String), "entity labels it finds"),
    ),
)

ONTOLOGY_RELEASES = Table(
    name="ontology_releases",
    meaning="Ontology releases loaded as dimensions.",
    key=("release_id",),
    columns=(
        Column("release_id", pl.String, "content fingerprint of the release"),
        Column("name", pl.String, "for example mesh"),
        Column("concepts", pl.Int64, "number of concepts"),
        Column("names", pl.Int64, "number of names"),
        Column("attribution", pl.String, "the source to be named wherever it is shown"),
        Column("path", pl.String, "the concept store it was loaded from, as a folder or `sample`"),
    ),
)

FORGOTTEN = Table(
    name="forgotten",
    meaning="Documents and persons that were erased and must not come back.",
    key=("subject_hash",),
    columns=(
        Column("subject_hash", pl.String, "salted SHA-256 of kind and id: the id itself is gone"),
        Column("kind", pl.String, "document or person"),
        Column("forgotten_at", pl.Datetime("us"), "UTC"),
    ),
)

SALTS = Table(
    name="salts",
    meaning="Random text that ids are hashed with. A snapshot has none.",
    key=("purpose",),
    columns=(
        Column("purpose", pl.String, "what is hashed with it: forgotten"),
        Column("salt", pl.String, "hexadecimal"),
    ),
)

PRIVACY = Table(
    name="privacy",
    meaning="How documents of a kind are de-identified here; a kind without a row is kept as it "
    "is. A run with other settings is refused.",
    key=("kind",),
    columns=(
        Column("kind", pl.String, "abstract, note or article"),
        Column("mode", pl.String, "mask, surrogate or drop_text"),
        Column("key_check", pl.String, "tells secrets apart: a keyed hash of nothing"),
        Column("keep_document_ids", pl.Boolean, "true where ids are those of the source"),
    ),
)

SNAPSHOTS = Table(
    name="snapshots",
    meaning="Copies for readers that were published: what is forgotten must go from them too.",
    key=("path",),
    columns=(
        Column("path", pl.String, "absolute path of the copy"),
        Column("is_encrypted", pl.Boolean, "true if it has the key of the warehouse"),
        Column("published_at", pl.Datetime("us"), "UTC"),
    ),
)

LINKSETS = Table(
    name="linksets",
    meaning="What a linkset_id stands for; position 1 is the first ontology, shown by entities.",
    key=("linkset_id",),
    columns=(
        Column("linkset_id", pl.String, "fingerprint of release, linker version and settings"),
        Column("release_id", pl.String, "the ontology release"),
        Column("position", pl.Int32, "1 for the first --ontology, then 2, 3 ..."),
        Column("is_current", pl.Boolean, "true for the linksets of the latest run"),
        Column("settings", pl.String, "linker version and settings, as JSON"),
        Column("created_at", pl.Datetime("us"), "UTC"),
    ),
)

EVALUATIONS = Table(
    name="evaluations",
    meaning="Scores of models and links against gold files, one row per measure.",
    key=("evaluation_id", "corpus", "scope", "label", "measure"),
    columns=(
        Column("evaluation_id", pl.String, "the call of charthouse evaluate that wrote the row"),
        Column(
            "task",
            pl.String,
            "ner, concepts, linking, abbreviations, assertion, privacy, qa or relations",
        ),
        Column("corpus", pl.String, "the gold file, by the corpus name a run would give it"),
        Column("corpus_sha256", pl.String, "of the gold file as it lies on disk"),
        Column("documents", pl.Int64, "gold documents, or questions, that were judged"),
        Column("models", pl.List(pl.String), "model names; empty where none had a part"),
        Column("model_fingerprints", pl.List(pl.String), "SHA-256 of each model's files"),
        Column("annotation_id", pl.String, "what found the mentions", nullable=True),
        Column("linkset_id", pl.String, "what linked them", nullable=True),
        Column("release_id", pl.String, "the ontology release linked to", nullable=True),
        Column(
            "scope",
            pl.String,
            "what is compared: strict or relaxed spans; document or mention concepts; all gold "
            "mentions or those in_store, of a warehouse those found or found_in_store; pairs of "
            "short and long form; attributes of mentions; "
            "relations of concepts, and beside them all_pairs and those of the same_sentence; "
            "options chosen by likelihood (also per_character, per_byte) or by a trained head, and "
            "ending in _by_answer yes, no and maybe apart; harness: lm-evaluation-harness's own",
        ),
        Column(
            "label",
            pl.String,
            "entity type, attribute, subject or answer; micro for all together, macro for the mean",
        ),
        Column(
            "measure",
            pl.String,
            "precision, recall, f1, coverage, accuracy@1, recall@5, recall@20 or linked_accuracy; "
            "of questions accuracy, majority, chance; of the harness acc, acc_norm, acc_bytes",
        ),
        Column("value", pl.Float64, "0 to 1"),
        Column("low", pl.Float64, "lower end of its 95% interval, from the bootstrap"),
        Column("high", pl.Float64, "upper end"),
        Column("gold", pl.Int64, "what was to be found"),
        Column("found", pl.Int64, "what was found; null where it is only judged", nullable=True),
        Column("agreed", pl.Int64, "what the measure counts as right"),
        Column(
            "settings",
            pl.String,
            "label maps, limit, resamples and seed, how questions were asked, and as `sample` how "
            "documents were drawn for annotators, as JSON",
        ),
        Column("evaluated_at", pl.Datetime("us"), "UTC"),
        Column(
            "run_id",
            pl.String,
            "the run whose mentions were judged, where those of a warehouse were; of several the "
            "latest",
            nullable=True,
        ),
    ),
)

KEYED_TABLES = (
    SOURCES,
    DOCUMENT_ANNOTATIONS,
    RUNS,
    SHARDS,
    REJECTS,
    ANNOTATION_SETS,
    MODELS,
    ONTOLOGY_RELEASES,
    LINKSETS,
    EVALUATIONS,
    QUALITY,
    QUALITY_HISTOGRAMS,
    QUALITY_BRANCHES,
    QUALITY_DRIFT,
    DIFFS,
    DERIVATIONS,
    GENERATION_SETS,
    GENERATION_ITEMS,
    FORGOTTEN,
    SALTS,
    PRIVACY,
    SNAPSHOTS,
)
"""Ledger and dimensions: small, so DuckDB may hold their keys."""

BIG_TABLES = (
    DOCUMENTS,
    *ANNOTATION_TABLES,
    MENTION_LINKS,
    NAME_LINKS,
    GENERATIONS,
    GENERATION_SOURCES,
    RELATIONS,
    CONCEPTS,
    CONCEPT_NAMES,
    CONCEPT_ANCESTORS,
    CONCEPT_REPLACEMENTS,
    *DERIVED_TABLES,
)
"""No primary keys (they halve the load rate and double the file); the ledger keeps them unique."""

TABLES = (*BIG_TABLES, *KEYED_TABLES)
