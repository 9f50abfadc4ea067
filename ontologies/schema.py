"""The concept tables and the link table, declared once."""

from __future__ import annotations

import polars as pl

from ontologies.table import Column, Table

MAX_CANDIDATES = 5
"""At most this many ranked candidates are kept for one name."""

LINKED = "linked"
NO_CANDIDATE = "no_candidate"
BELOW_THRESHOLD = "below_threshold"
AMBIGUOUS = "ambiguous"

CONCEPTS = Table(
    name="concepts",
    meaning="One row per concept of an ontology release.",
    key=("release_id", "concept_id"),
    columns=(
        Column("release_id", pl.String, "ontology release the row belongs to"),
        Column("concept_id", pl.String, "CURIE, for example MESH:D003920"),
        Column("concept_name", pl.String, "preferred name"),
        Column(
            "semantic_types",
            pl.List(pl.String),
            "type codes: MeSH tree branches such as C14, SCR1 to SCR6 for supplementary records;"
            " UMLS type ids such as T047",
        ),
        Column("tree_numbers", pl.List(pl.String), "MeSH tree numbers, empty where there are none"),
        Column("definition", pl.String, "scope note or definition", nullable=True),
        Column(
            "registry_numbers",
            pl.List(pl.String),
            "CAS, EC, UNII and like numbers",
            nullable=True,
        ),
        Column(
            "pharmacological_actions",
            pl.List(pl.String),
            "concept_ids of the substance's actions",
            nullable=True,
        ),
    ),
)

CONCEPT_NAMES = Table(
    name="concept_names",
    meaning="Every name of every concept: the preferred one and its synonyms.",
    key=("release_id", "concept_id", "name"),
    columns=(
        Column("release_id", pl.String, "ontology release the row belongs to"),
        Column("concept_id", pl.String, "the concept that carries the name"),
        Column("name", pl.String, "the name as the release writes it"),
        Column("is_preferred", pl.Boolean, "true for the concept's preferred name"),
        Column(
            "lexical_tag",
            pl.String,
            "kind of name: MeSH's lexical tag (NON, ABB, ACR, TRD ...), UMLS's term type (PT, SY"
            " ...), OBO's scope, or EXTRA for names given beside the release",
            nullable=True,
        ),
        Column(
            "relation",
            pl.String,
            "null for a synonym; NRW, BRD or REL where the name means something narrower, broader"
            " or only related",
            nullable=True,
        ),
        Column(
            "vocabulary",
            pl.String,
            "source vocabulary of the name, where a release unites several",
            nullable=True,
        ),
    ),
)

CONCEPT_ANCESTORS = Table(
    name="concept_ancestors",
    meaning="Transitive closure of the hierarchy; every concept is its own ancestor at distance 0.",
    key=("release_id", "concept_id", "ancestor_id"),
    columns=(
        Column("release_id", pl.String, "ontology release the row belongs to"),
        Column("concept_id", pl.String, "the narrower concept"),
        Column("ancestor_id", pl.String, "the broader concept"),
        Column("distance", pl.Int32, "fewest steps between the two"),
        Column(
            "vocabularies",
            pl.List(pl.String),
            "the source vocabularies that say so, where a release unites several",
            nullable=True,
        ),
    ),
)

CONCEPT_REPLACEMENTS = Table(
    name="concept_replacements",
    meaning="Ids of earlier releases, and the concept that took their place.",
    key=("release_id", "old_id"),
    columns=(
        Column("release_id", pl.String, "ontology release the row belongs to"),
        Column("old_id", pl.String, "an id that is no longer in use"),
        Column("concept_id", pl.String, "the concept to use instead"),
    ),
)

NAME_LINKS = Table(
    name="name_links",
    meaning=(
        "Ranked concepts for each distinct name and label: at most "
        f"{MAX_CANDIDATES} rows a name, all with the name's status. "
        "A name without candidates is one row with rank 1 and no concept."
    ),
    key=("lookup_text", "label", "linkset_id", "rank"),
    columns=(
        Column("lookup_text", pl.String, "the name looked up, after abbreviation expansion"),
        Column("label", pl.String, "the mention label that restricts the concept types"),
        Column("linkset_id", pl.String, "fingerprint of release, linker version and settings"),
        Column("rank", pl.Int32, "1 is the best candidate"),
        Column(
            "status",
            pl.String,
            "linked, no_candidate, below_threshold or ambiguous: of the name, on all its rows",
        ),
        Column("concept_id", pl.String, "the candidate concept", nullable=True),
        Column(
            "score",
            pl.Float64,
            "1 for the same name, less for looser ways; similarity in 0 to 1 for near matches,"
            " mixed with likelihood where a language model weighs them; for names that it writes"
            " instead the geometric mean of their tokens' probabilities",
            nullable=True,
        ),
        Column(
            "method",
            pl.String,
            "exact; equivalent, part or broader for names looked up by another name; ngram or, with"
            " an encoder, dense for near matches; reranked for those that a language model weighed"
            " too, generated for names that it wrote",
            nullable=True,
        ),
        Column("matched_name", pl.String, "the ontology name that matched", nullable=True),
    ),
)
