"""Settings of annotation. Those that change output are part of the annotation_id."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class NerSettings(BaseModel):
    """Which models find mentions, and on what hardware."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[str, ...] = Field(
        ("bundled",),
        description="models, each `bundled`, a folder, or `hub:owner/name@revision`; all of them "
        "see every document; none (on the command line `none`) only beside a dictionary",
    )
    label_map: dict[str, str] = Field(
        default_factory=dict,
        description="a model's label to ours, for example CHEM = 'Chemical'; an empty value drops "
        "the label",
    )
    device: str = Field(
        "auto",
        description="auto, cpu, cuda or cuda:N; no part of the annotation_id, since results "
        "differ by rounding at most",
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto",
        description="number format of the forward pass; auto is bf16 where there is "
        "hardware for it",
    )


Kind = Literal["abstract", "note", "article"]


class PreprocessSettings(BaseModel):
    """What cuts sentences and sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pipeline: str = Field(
        "rules",
        description="what cuts sentences: `rules` (our own, for notes and abstracts), `blank` "
        "(scispaCy's tokenizer with spaCy's rule), `pysbd`, or the name or folder of an "
        "installed spaCy or scispaCy pipeline such as en_core_sci_sm",
    )
    section_rules: Path | None = Field(
        None,
        description="TOML file of further headings of sections, in the form of the one in the "
        "box; those win over these",
    )


class AssertionSettings(BaseModel):
    """Whether mentions are denied, doubted, past, conditional, or somebody else's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = Field(
        "rules",
        description="`rules` (ConText), `off`, or a sequence classifier that was trained for it: "
        "a folder or `hub:owner/name@revision`",
    )
    kinds: tuple[Kind, ...] = Field(
        ("note",),
        description="kinds of documents whose mentions are assessed: note, abstract, article; in "
        "the others the columns stay null",
    )
    rules: Path | None = Field(
        None,
        description="TOML file of further rules, in the form of the one in the box; a rule of "
        "the same id takes the other's place",
    )


class QuantitySettings(BaseModel):
    """Where dates, doses and values are looked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[Kind, ...] = Field(
        ("note",),
        description="kinds of documents that are searched for quantities; none = no quantities",
    )


PrivacyMode = Literal["off", "mask", "surrogate", "drop_text"]


class PrivacySettings(BaseModel):
    """What becomes of identifiers of persons before anything else is done with a text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: PrivacyMode = Field(
        "off",
        description="off; mask: identifiers become [KIND]; surrogate: they become made-up ones, "
        "the same for the same patient, and dates shift; drop_text: masked, and the text is not "
        "kept",
    )
    kinds: tuple[Kind, ...] = Field(
        ("note",),
        description="kinds of documents that are searched for identifiers; the others are kept as "
        "they are",
    )
    mask_length: Literal["label", "same"] = Field(
        "label",
        description="label: [KIND]; same: as many characters as were there, so that offsets are "
        "those of the source, too; drop_text always does the latter",
    )
    models: tuple[str, ...] = Field(
        (),
        description="token classifiers that find identifiers beside the rules, as in `ner.models`",
    )
    names: Path | None = Field(
        None,
        description="text file of names that are always identifiers, `KIND<TAB>name` a line: "
        "hospitals, wards, staff",
    )
    key_variable: str = Field(
        "CHARTHOUSE_PRIVACY_KEY",
        description="environment variable that holds the secret of hashes, surrogates and date "
        "shifts, at least 16 characters; its name, not the secret",
    )
    key_file: Path | None = Field(
        None, description="file that holds the secret instead, readable by its owner only"
    )
    keep_document_ids: bool = Field(
        False,
        description="keep document_id, native_id and the names of source files as they are; else "
        "they are keyed hashes",
    )

    @model_validator(mode="after")
    def _something_is_searched(self) -> Self:
        if self.is_on and not self.kinds:
            raise ValueError("privacy.kinds is empty: nothing would be searched for identifiers")
        return self

    @property
    def is_on(self) -> bool:
        """Whether anything is done."""
        return self.mode != "off"


class DictionarySettings(BaseModel):
    """Which concept stores' names are searched for beside the models, and which names are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stores: tuple[str, ...] = Field(
        (),
        description="concept stores whose names are mentions wherever they stand, `sample` or "
        "folders made by `charthouse ontology build`; none = no dictionary",
    )
    labels: tuple[str, ...] = Field(
        (), description="labels that are wanted of a dictionary, for example Finding; none = all"
    )
    types: tuple[str, ...] = Field(
        (),
        description="prefixes of semantic types that are wanted, as in `link.labels`: only names "
        "of concepts with one of them are found; none = all",
    )
    min_characters: int = Field(
        3, ge=1, description="a mention has at least so many characters of the text"
    )
    same_case: int = Field(
        5,
        ge=0,
        description="a name in capitals of at most so many characters is found only as it is "
        "written: ALL is no all",
    )
    stop_words: Path | None = Field(
        None,
        description="text file of further words and phrases that are no mention, one a line; "
        "those in the box always hold",
    )


class AnnotationSettings(BaseModel):
    """All that a worker needs to annotate a shard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preprocess: PreprocessSettings = PreprocessSettings()
    ner: NerSettings = NerSettings()
    dictionary: DictionarySettings = DictionarySettings()
    assertion: AssertionSettings = AssertionSettings()
    quantities: QuantitySettings = QuantitySettings()
    privacy: PrivacySettings = PrivacySettings()

    @model_validator(mode="after")
    def _something_finds_mentions(self) -> Self:
        if not self.ner.models and not self.dictionary.stores:
            raise ValueError("ner.models is empty and there is no dictionary: nothing to find with")
        return self
