"""Documents and their annotation tables, declared once.

Offsets count characters (Unicode code points) of ``documents.text`` exactly as stored:
``text[start_char:end_char]`` is the span. In SQL: ``substr(text, start_char + 1,
end_char - start_char)``.
"""

from __future__ import annotations

import polars as pl

from ontologies.table import Column, Table

SECTION_SPANS = pl.List(
    pl.Struct({"name": pl.String, "start_char": pl.Int32, "end_char": pl.Int32})
)
"""Sections that a source states itself (structured abstracts, JATS), in text offsets."""

_DOCUMENT = Column("document_id", pl.String, "corpus:native_id")
_ANNOTATION = Column("annotation_id", pl.String, "fingerprint of all that changes annotations")
_START = Column("start_char", pl.Int32, "first character of the span in documents.text")
_END = Column("end_char", pl.Int32, "one past the last character of the span")

DOCUMENTS = Table(
    name="documents",
    meaning="One row per document, text exactly as read or as de-identified. A deletion leaves a "
    "tombstone.",
    key=("document_id",),
    columns=(
        _DOCUMENT,
        Column("corpus", pl.String, "name of the collection the document came with"),
        Column(
            "native_id",
            pl.String,
            "the document's id in its source: PMID, note id, file name; under privacy a pseudonym",
        ),
        Column("kind", pl.String, "abstract, note or article"),
        Column("title", pl.String, "title where the source has one", nullable=True),
        Column(
            "text",
            pl.String,
            "the text that offsets index; for citations title, one space, abstract; null where "
            "privacy leaves it out",
            nullable=True,
        ),
        Column(
            "source_hash", pl.String, "SHA-256 of what annotations depend on; under privacy keyed"
        ),
        Column("metadata_hash", pl.String, "SHA-256 of the remaining columns; under privacy keyed"),
        Column("source_order", pl.Int64, "decides between versions: the higher one wins"),
        Column("document_date", pl.Date, "publication or note date", nullable=True),
        Column("document_type", pl.String, "publication or note type", nullable=True),
        Column("person_id", pl.String, "the patient, for notes; under privacy a pseudonym", True),
        Column("encounter_id", pl.String, "the visit, for notes; under privacy a pseudonym", True),
        Column("metadata", pl.String, "everything else the source says, as JSON"),
        Column("is_deleted", pl.Boolean, "true for a tombstone: the source withdrew the document"),
    ),
)

SECTIONS = Table(
    name="sections",
    meaning="Sections of structured abstracts, articles and notes, heading included.",
    key=("document_id", "annotation_id", "section_id"),
    columns=(
        _DOCUMENT,
        _ANNOTATION,
        Column("section_id", pl.Int32, "0, 1, 2 ... in text order"),
        Column("name", pl.String, "normalised heading, for example family_history"),
        _START,
        _END,
        Column(
            "heading_end_char",
            pl.Int32,
            "one past the heading and its colon; null where the source states the section",
            nullable=True,
        ),
        Column("loinc_code", pl.String, "LOINC code of the section, where one exists", True),
    ),
)

SENTENCES = Table(
    name="sentences",
    meaning="Sentence boundaries.",
    key=("document_id", "annotation_id", "sentence_id"),
    columns=(
        _DOCUMENT,
        _ANNOTATION,
        Column("sentence_id", pl.Int32, "0, 1, 2 ... in text order"),
        _START,
        _END,
    ),
)

ABBREVIATIONS = Table(
    name="abbreviations",
    meaning="Short forms defined in the document, one row per occurrence of the short form.",
    key=("document_id", "annotation_id", "short_start_char"),
    columns=(
        _DOCUMENT,
        _ANNOTATION,
        Column(
            "short_form",
            pl.String,
            "the abbreviation as written; null where privacy leaves the text out",
            nullable=True,
        ),
        Column("long_form", pl.String, "the definition as written; null likewise", nullable=True),
        Column("short_start_char", pl.Int32, "first character of this occurrence"),
        Column("short_end_char", pl.Int32, "one past its last character"),
        Column("long_start_char", pl.Int32, "first character of the definition"),
        Column("long_end_char", pl.Int32, "one past its last character"),
    ),
)

MENTIONS = Table(
    name="mentions",
    meaning="One row per entity mention.",
    key=("document_id", "annotation_id", "mention_id"),
    columns=(
        _DOCUMENT,
        _ANNOTATION,
        Column("mention_id", pl.Int32, "0, 1, 2 ... in text order"),
        _START,
        _END,
        Column(
            "mention_text",
            pl.String,
            "text[start_char:end_char]; null where privacy leaves the text out",
            nullable=True,
        ),
        Column("label", pl.String, "entity type, for example Disease"),
        Column(
            "score",
            pl.Float64,
            "the model's probability for the span, 0 to 1; 1 for every match of a dictionary",
        ),
        Column("model", pl.String, "the model that found it, or dictionary:RELEASE_ID"),
        Column("sentence_id", pl.Int32, "sentence that holds its first character", nullable=True),
        Column("section_id", pl.Int32, "innermost section that holds its start", nullable=True),
        Column(
            "lookup_text",
            pl.String,
            "the name to link: short forms expanded, white space collapsed",
        ),
        Column("negated", pl.Boolean, "null = not assessed", nullable=True),
        Column("uncertain", pl.Boolean, "null = not assessed", nullable=True),
        Column("historical", pl.Boolean, "null = not assessed", nullable=True),
        Column("hypothetical", pl.Boolean, "null = not assessed", nullable=True),
        Column(
            "experiencer", pl.String, "patient, family or other; null = not assessed", nullable=True
        ),
    ),
)

ASSERTION_CUES = Table(
    name="assertion_cues",
    meaning="Why a mention is negated, uncertain, historical, hypothetical or not the patient's.",
    key=("document_id", "annotation_id", "mention_id", "attribute"),
    columns=(
        _DOCUMENT,
        _ANNOTATION,
        Column("mention_id", pl.Int32, "the mention"),
        Column(
            "attribute",
            pl.String,
            "negated, uncertain, historical, hypothetical or experiencer",
        ),
        Column("rule_id", pl.String, "the rule, section default or model that decided"),
        Column("start_char", pl.Int32, "the cue in documents.text; null without words", True),
        Column("end_char", pl.Int32, "one past its last character; null without words", True),
    ),
)

QUANTITIES = Table(
    name="quantities",
    meaning="Dates, doses, frequencies, lab values and other quantities in the text.",
    key=("document_id", "annotation_id", "quantity_id"),
    columns=(
        _DOCUMENT,
        _ANNOTATION,
        Column("quantity_id", pl.Int32, "0, 1, 2 ... in text order"),
        _START,
        _END,
        Column(
            "kind",
            pl.String,
            "strength, dose, frequency, duration, lab_value, vital_sign, date, age or measure",
        ),
        Column("mention_id", pl.Int32, "the mention it belongs to", nullable=True),
        Column("comparator", pl.String, "<, <=, >, >= or ~, where one is written", nullable=True),
        Column(
            "value",
            pl.Float64,
            "as written; the lower end of a range; of a blood pressure the systolic one",
            nullable=True,
        ),
        Column(
            "high",
            pl.Float64,
            "the upper end of a range; of a blood pressure the diastolic one",
            nullable=True,
        ),
        Column("unit", pl.String, "UCUM code of the unit as written, e.g. mg/dL", nullable=True),
        Column("base_value", pl.Float64, "value in base_unit", nullable=True),
        Column("base_high", pl.Float64, "high in base_unit", nullable=True),
        Column(
            "base_unit", pl.String, "UCUM code of the unit all of its kind share", nullable=True
        ),
        Column("date", pl.Date, "of a date, where the text gives all of it", nullable=True),
        Column(
            "name",
            pl.String,
            "what is measured, for example creatinine or heart_rate; as_needed of a frequency",
            nullable=True,
        ),
    ),
)

PRIVACY_SPANS = Table(
    name="privacy_spans",
    meaning="Where identifiers were found and replaced; never what they were.",
    key=("document_id", "annotation_id", "span_id"),
    columns=(
        _DOCUMENT,
        _ANNOTATION,
        Column("span_id", pl.Int32, "0, 1, 2 ... by field, then in text order"),
        Column("field", pl.String, "text, title, metadata or document_type: offsets are of it"),
        Column("kind", pl.String, "HIPAA Safe Harbor kind, for example name or date"),
        Column("start_char", pl.Int32, "first character of what stands there now"),
        Column("end_char", pl.Int32, "one past its last character"),
        Column("rule_id", pl.String, "the rule or model that found it"),
    ),
)

ANNOTATION_TABLES = (
    SECTIONS,
    SENTENCES,
    ABBREVIATIONS,
    MENTIONS,
    ASSERTION_CUES,
    QUANTITIES,
    PRIVACY_SPANS,
)
"""What a shard's annotation produces, in staging order."""
