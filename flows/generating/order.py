"""What a run of generation is told beside its settings; a part of its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from flows.generating.task import GenerationRequest, GenerationSet

if TYPE_CHECKING:
    from flows.settings import Settings


@dataclass(frozen=True)
class Generation:
    """The generation set to write, and what is asked for, as in :class:`GenerationRequest`."""

    set: GenerationSet
    where: str = "true"
    questions: tuple[tuple[str, str], ...] = ()
    scope: str = "warehouse"
    limit: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: GenerationRequest, set: GenerationSet) -> Generation:
        """What a request asks for."""
        return cls(
            set,
            request.where,
            request.questions,
            request.scope,
            request.limit,
            dict(request.inputs),
        )

    def request(self, settings: Settings) -> GenerationRequest:
        """The request that this was made of."""
        return GenerationRequest(
            self.set.task,
            settings,
            self.where,
            self.questions,
            self.scope,
            self.limit,
            self.inputs,
        )

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Generation:
        """What :meth:`as_dict` wrote, read back from JSON."""
        questions = tuple((key, text) for key, text in raw["questions"])
        return cls(**{**raw, "set": GenerationSet(**raw["set"]), "questions": questions})
