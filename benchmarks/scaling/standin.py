"""A stand-in for NER: it sleeps as long as the model would take, then repeats what the model found.

The benchmark puts :func:`start_worker` in the place of ``flows.worker.start_worker``; a worker
then annotates with a :class:`StandIn`. Everything else a worker does stays: reading the shard,
checking it, staging Parquet files, Prefect's part.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from flows import annotate_worker, link_worker
from flows.processes import die_with_parent
from flows.receipt import Receipt
from nlp.fingerprint import AnnotationSet
from nlp.schema import ANNOTATION_TABLES, MENTIONS

if TYPE_CHECKING:
    from nlp.annotate import Annotations

VARIABLE = "CHARTHOUSE_SCALE_STANDIN"
"""Environment variable that carries a :class:`Replay` as JSON to the workers."""

_BY_KIND = {"abstract": "citations", "note": "notes"}
_A_MILLION = 1_000_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Replay:
    """What a stand-in needs to know.

    Attributes:
        folder: one Parquet file per annotation table: what the model found in the base.
        citations, notes: documents of either kind in the base.
        seconds: for a character of text, of one worker.
        heaps: exponent by which distinct names grow with documents; in each copy of the base so
            many names are made new ones.
        log: folder for one line per shard and worker.
    """

    folder: str
    citations: int
    notes: int
    seconds: float
    heaps: float
    log: str

    def as_json(self) -> str:
        """For the environment."""
        return json.dumps(asdict(self))


class StandIn:
    """Takes the place of :class:`nlp.annotate.Annotator`."""

    def __init__(self, replay: Replay, annotation_id: str) -> None:
        self._replay = replay
        self.identity = AnnotationSet(annotation_id, (), "{}")
        folder = Path(replay.folder)
        self._found = {
            table.name: pl.read_parquet(folder / f"{table.name}.parquet")
            for table in ANNOTATION_TABLES
        }

    def annotate(
        self,
        documents: pl.DataFrame,
        progress: Callable[[int], None] = lambda done: None,
        *,
        one_by_one: bool = False,
    ) -> Annotations:
        """Sleep for the time of the documents' characters, then give the rows of their texts."""
        from nlp.annotate import Annotations  # takes seconds: torch, which the main process lacks

        clock = time.perf_counter()
        which = self._places(documents)
        frames = {table.name: self._rows(table.name, which) for table in ANNOTATION_TABLES}
        frames = {t.name: t.conform(frames[t.name]) for t in ANNOTATION_TABLES}
        lengths = documents["characters"].to_list()
        until = clock
        for done, length in enumerate(lengths, 1):
            until += length * self._replay.seconds
            if until - time.perf_counter() > 0.5:
                time.sleep(until - time.perf_counter())
                progress(done)
        time.sleep(max(0.0, until - time.perf_counter()))
        progress(len(documents))
        return Annotations(frames, [], {"preprocess": 0.0, "ner": time.perf_counter() - clock})

    def _places(self, documents: pl.DataFrame) -> pl.DataFrame:
        sizes = {kind: getattr(self._replay, name) for kind, name in _BY_KIND.items()}
        number = pl.col("native_id").cast(pl.Int64) - 1
        size = pl.col("kind").replace_strict(sizes, return_dtype=pl.Int64)
        return documents.select("document_id", "kind", place=number % size, copy=number // size)

    def _rows(self, table: str, which: pl.DataFrame) -> pl.DataFrame:
        rows = which.join(self._found[table], on=["kind", "place"])
        if table != MENTIONS.name:
            return rows
        # In the n-th copy as many of the base's names are new as Heaps' law lets new ones appear.
        grown = pl.col("copy").cast(pl.Float64)
        share = (grown + 1) ** self._replay.heaps - grown**self._replay.heaps
        drawn = pl.struct("lookup_text", "copy").hash(seed=0) % _A_MILLION
        is_new = (pl.col("copy") > 0) & (drawn < share * _A_MILLION)
        marked = pl.col("lookup_text") + " " + pl.col("copy").map_elements(_word, pl.String)
        return rows.with_columns(lookup_text=pl.when(is_new).then(marked).otherwise("lookup_text"))


def _word(number: int) -> str:
    """A word of letters for a number."""
    word = ""
    while True:
        number, rest = divmod(number, len(_LETTERS))
        word += _LETTERS[rest]
        if not number:
            return word


def start_worker(parent: int) -> None:
    """Initialise a pool worker whose annotator is a stand-in."""
    began = time.perf_counter()
    die_with_parent(parent)
    replay = Replay(**json.loads(os.environ[VARIABLE]))
    import nlp.annotate  # noqa: F401 - part of a worker's start

    @lru_cache(maxsize=1)
    def annotator(settings: str, annotation_id: str) -> StandIn:
        return StandIn(replay, annotation_id)

    annotate = annotate_worker.annotate_shard_file

    def annotate_and_log(root: str, run_id: str, shard: int, *rest: Any) -> Receipt:
        wall, cpu = time.time(), time.process_time()
        receipt = annotate(root, run_id, shard, *rest)
        _log(
            replay,
            shard=shard,
            worker=os.getpid(),
            began=wall,
            ended=time.time(),
            cpu=time.process_time() - cpu,
        )
        return receipt

    link = link_worker.link_names_file

    def link_and_log(root: str, run_id: str, target: int, chunk: int, *rest: Any) -> Receipt:
        cpu = time.process_time()
        receipt = link(root, run_id, target, chunk, *rest)
        _log(replay, chunk=chunk, names_cpu=time.process_time() - cpu)
        return receipt

    annotate_worker._annotator = annotator  # type: ignore[assignment]
    link_worker.link_names_file = link_and_log
    annotate_worker.annotate_shard_file = annotate_and_log
    _log(replay, start=time.perf_counter() - began, at=time.time(), cpu=time.process_time())


def _log(replay: Replay, **values: float) -> None:
    with (Path(replay.log) / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps(values) + "\n")
