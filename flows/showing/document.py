"""One document with its mentions, their links, and where all of it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Candidate:
    """A concept that linking weighed for a name; rank 1 is the best."""

    rank: int
    concept_id: str | None
    concept_name: str | None
    score: float | None
    method: str | None
    matched_name: str | None


@dataclass(frozen=True)
class Link:
    """What a mention is linked to in one linkset.

    Attributes:
        status: of the name: linked, no_candidate, below_threshold or ambiguous; None where the
            linkset has not looked it up.
        concept_id: the concept; None where the mention is linked to none.
        concept_name: its preferred name.
        score: the link's score.
        method: how the name was found, or ``context``.
        matched_name: the ontology's name that matched.
        candidates: all that linking weighed.
    """

    status: str | None
    concept_id: str | None
    concept_name: str | None
    score: float | None
    method: str | None
    matched_name: str | None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Cue:
    """Why a mention is negated, uncertain and so on; ``text`` are its words, where it has some."""

    attribute: str
    rule_id: str
    text: str | None


@dataclass(frozen=True)
class ShownMention:
    """A mention as the warehouse has it; ``text`` is None where privacy leaves the text out.

    ``assertion`` names what is not as usual (``negated``, ``family`` ...): empty where all is as
    usual; None where assertion was not assessed.
    """

    mention_id: int
    start_char: int
    end_char: int
    text: str | None
    lookup_text: str
    label: str
    score: float
    model: str
    section: str | None
    sentence_id: int | None
    assertion: tuple[str, ...] | None
    link: Link
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True)
class ShownSection:
    """A section; ``heading_end_char`` is None where the source states the section."""

    name: str
    start_char: int
    end_char: int
    heading_end_char: int | None


@dataclass(frozen=True)
class Linkset:
    """The linkset shown, and the ontology's release it links to."""

    linkset_id: str
    release_id: str
    ontology: str
    is_current: bool


@dataclass(frozen=True)
class Provenance:
    """Where the annotations of a document come from.

    Attributes:
        annotation_id: the annotation set shown.
        is_current: whether views show this set.
        models: its models.
        other_sets: how many other sets the warehouse holds of the document.
        run_id: the run that wrote it.
        run_status: how that run ended; None where the run is not known any more.
        run_started_at: UTC.
        source_hash: of the document.
        annotated_hash: of the version of it that was annotated.
        linkset: None where nothing was linked.
    """

    annotation_id: str
    is_current: bool
    models: tuple[str, ...]
    other_sets: int
    run_id: str
    run_status: str | None
    run_started_at: datetime | None
    source_hash: str
    annotated_hash: str
    linkset: Linkset | None


@dataclass(frozen=True)
class ShownDocument:
    """A document and all that is shown of it; ``text`` is None where privacy leaves it out."""

    document_id: str
    corpus: str
    kind: str
    document_type: str | None
    document_date: date | None
    title: str | None
    text: str | None
    is_deleted: bool
    sections: tuple[ShownSection, ...]
    sentences: tuple[tuple[int, int], ...]
    mentions: tuple[ShownMention, ...]
    provenance: Provenance

    @property
    def offsets_fit(self) -> bool:
        """Whether the annotations are of the text that is there: another one may have come since.

        The text of a withdrawn document fits as well, if it is still there.
        """
        return self.provenance.source_hash == self.provenance.annotated_hash

    def sentence(self, mention: ShownMention) -> str | None:
        """The sentence that holds a mention's first character."""
        if self.text is None or mention.sentence_id is None or not self.offsets_fit:
            return None
        start, end = self.sentences[mention.sentence_id]
        return self.text[start:end]


def assertion_of(
    negated: bool | None,
    uncertain: bool | None,
    historical: bool | None,
    hypothetical: bool | None,
    experiencer: str | None,
) -> tuple[str, ...] | None:
    """What is not as usual about a mention; None where nothing was assessed."""
    flags = {
        "negated": negated,
        "uncertain": uncertain,
        "historical": historical,
        "hypothetical": hypothetical,
    }
    if experiencer is None and all(flag is None for flag in flags.values()):
        return None
    said = [name for name, flag in flags.items() if flag]
    if experiencer not in (None, "patient"):
        said.append(f"{experiencer}")
    return tuple(said)
