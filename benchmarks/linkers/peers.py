"""Peers as processes of their own, so that none needs to be installed beside charthouse.

A request is JSON with ``names`` (each name of the store with the CURIEs it stands for, a preferred
name's concept first), ``lists`` of texts to look up and how many ``rounds`` to time; an answer has
``build`` (wall and CPU seconds), and for each list the ranked ``[CURIE, similarity]`` pairs of each
text and the median CPU seconds that all of it took. Texts pass through private files only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ontologies.store import ConceptStore

SCISPACY, SIMSTRING, BASELINE = PEERS = "scispacy", "simstring", "baseline"
INSTALL = {
    SCISPACY: "python -m pip install scispacy nmslib-metabrainz (Python 3.10 to 3.12)",
    SIMSTRING: "python -m pip install quickumls-simstring==1.1.5.post1, into any environment;"
    " name its interpreter with --simstring-python",
}
_NEEDS = {SCISPACY: "scispacy.candidate_generation", SIMSTRING: "quickumls_simstring.simstring"}

Ranked = list[tuple[str, float]]
"""CURIEs and similarities, the best first."""


@dataclass(frozen=True)
class Answer:
    """What a peer found.

    Attributes:
        wall, cpu: seconds its index took.
        found: list name to the ranked concepts of each of its texts.
        seconds: list name to the CPU seconds of looking its texts up.
    """

    wall: float
    cpu: float
    found: dict[str, list[Ranked]]
    seconds: dict[str, float]


def require(peers: Sequence[str], simstring_python: str) -> list[str]:
    """Those of the peers that are installed; says how to install the others.

    Raises:
        SystemExit: there is no such peer.
    """
    python = {SCISPACY: sys.executable, SIMSTRING: simstring_python}
    there = []
    for peer in peers:
        if peer not in PEERS:
            raise SystemExit(f"unknown peer {peer}; known: {', '.join(PEERS)}")
        if peer == BASELINE or is_installed(peer, python[peer]):
            there.append(peer)
        else:
            print(f"{peer} is not installed and left out: {INSTALL[peer]}", flush=True)
    return there


def is_installed(peer: str, python: str) -> bool:
    tried = subprocess.run([python, "-c", f"import {_NEEDS[peer]}"], capture_output=True)
    return tried.returncode == 0


def names_of(store: ConceptStore, limit: int | None = None) -> dict[str, list[str]]:
    """Each name with its concepts, those first whose preferred name it is.

    Args:
        store: whose names.
        limit: of so many concepts only, evenly spread over the ids.
    """
    names = pl.read_parquet(store.table_path("concept_names"))
    if limit is not None:
        ids = names["concept_id"].unique().sort()
        names = names.filter(
            pl.col("concept_id").is_in(
                ids.gather_every(max(1, len(ids) // limit)).head(limit).implode()
            )
        )
    grouped = (
        names.sort("name", pl.col("is_preferred").not_(), "concept_id")
        .group_by("name", maintain_order=True)
        .agg("concept_id")
    )
    return dict(grouped.iter_rows())


def ask(
    peer: str,
    python: str,
    folder: Path,
    names: Mapping[str, Sequence[str]],
    lists: Mapping[str, Sequence[str]],
    **options: Any,
) -> Answer:
    """Have a peer look up lists of texts.

    Args:
        peer: ``scispacy`` or ``simstring``.
        python: interpreter that has it.
        folder: where it keeps its index.
        names, lists, options: of the request.
    """
    script = Path(__file__).with_name(f"{peer}_peer.py")
    with tempfile.TemporaryDirectory() as private:
        request, answer = Path(private) / "request.json", Path(private) / "answer.json"
        request.write_text(json.dumps({"names": names, "lists": lists, **options}))
        subprocess.run([python, str(script), str(request), str(answer), str(folder)], check=True)
        said = json.loads(answer.read_text())
    return Answer(said["build"]["wall"], said["build"]["cpu"], said["lists"], said["cpu_seconds"])
