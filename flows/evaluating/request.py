"""What an evaluation is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.evaluating.asked import Asked
from flows.evaluating.gold import corpus_name
from flows.labels import LabelRules, parse_rules
from flows.settings import Settings
from flows.warehouse.runs import new_run_id


@dataclass(frozen=True)
class Request:
    """What is judged, by what, and how.

    Attributes:
        gold: gold files, one corpus each.
        settings: models, preprocessing and linking, as a run would have them.
        label_map: gold labels renamed, as the command line has it: ``OLD=NEW``, for one file
            ``FILE_STEM:OLD=NEW``; an empty NEW drops the label.
        found_map: found labels renamed in the same way, to the labels they are judged by.
        limit: the first so many documents of each file.
        resamples, seed: of the bootstrap.
        ontology: name of the concept store to link to.
        from_warehouse: judge the mentions or relations of this warehouse instead of finding them.
        generation_id: of its sets of relations; the latest where None.
        asked: how questions are asked, where they are judged.
        evaluation_id: names the evaluation.
    """

    gold: tuple[Path, ...]
    settings: Settings
    label_map: tuple[str, ...] = ()
    found_map: tuple[str, ...] = ()
    limit: int | None = None
    resamples: int = 1000
    seed: int = 0
    ontology: str | None = None
    from_warehouse: Path | None = None
    generation_id: str | None = None
    asked: Asked | None = None
    evaluation_id: str = field(default_factory=new_run_id)

    @cached_property
    def label_rules(self) -> LabelRules:
        """What the labels of the gold files are here.

        Raises:
            CharthouseError: the label map cannot be understood.
        """
        return parse_rules(self.label_map, (), (), self._stems)

    @cached_property
    def found_rules(self) -> LabelRules:
        """What found labels are judged as.

        Raises:
            CharthouseError: the map cannot be understood.
        """
        return parse_rules(self.found_map, (), (), self._stems)

    @property
    def _stems(self) -> list[str]:
        return [corpus_name(path) for path in self.gold]

    def described(self) -> dict[str, Any]:
        """What of it decides the figures besides gold, models and links."""
        return {
            "label_map": list(self.label_map),
            "found_map": list(self.found_map),
            "limit": self.limit,
            "resamples": self.resamples,
            "seed": self.seed,
            **({"asked": self.asked.described()} if self.asked else {}),
        }
