"""docker/Dockerfile and the compose files, read as far as tests need them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

from tests.conftest import ROOT

DOCKER = ROOT / "docker"
COMPOSE_FILES = ("compose.yaml", "compose.cluster.yaml")


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its lines joined, and the stage it stands in."""

    word: str
    rest: str
    stage: int

    @property
    def words(self) -> list[str]:
        """Arguments: of the JSON form, or parted by blanks."""
        return (
            [str(word) for word in json.loads(self.rest)]
            if self.rest.startswith("[")
            else self.rest.split()
        )


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions in order; stage 0 is what stands above the first FROM."""
    text = re.sub(r"^\s*#.*\n", "", (DOCKER / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    found, stage = [], 0
    for line in re.sub(r"\\\n", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word:
            continue
        stage += word == "FROM"
        found.append(Instruction(word, rest.strip(), stage))
    return found


def compose(name: str) -> dict[str, Any]:
    """One compose file, its merge keys carried out."""
    return dict(yaml.safe_load((DOCKER / name).read_text("utf-8")))


def merged() -> dict[str, Any]:
    """Both compose files, as ``-f compose.yaml -f compose.cluster.yaml`` has them."""
    whole = compose(COMPOSE_FILES[0])
    over = compose(COMPOSE_FILES[1])
    for name, service in over["services"].items():
        whole["services"][name] = _laid_over(whole["services"].get(name, {}), service)
    return whole


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = _laid_over(old, value) if isinstance(old, dict) else value
    return result


def services() -> dict[str, dict[str, Any]]:
    """All services by their names."""
    return dict(merged()["services"])
