"""The full MeSH store, built in a process of its own so that its memory can be told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

TRAIN = ("bc5cdr_train", "ncbi_train")
DEV = ("bc5cdr_dev", "ncbi_dev")

_COST = "cost.json"


@dataclass(frozen=True)
class Built:
    """A store and what it took to build.

    Attributes:
        folder: the store.
        wall, cpu: seconds; of the release files alone, without collecting names.
        peak: resident bytes at most, of the whole process.
    """

    folder: Path
    wall: float
    cpu: float
    peak: int


def gold_files(data: Path, names: tuple[str, ...]) -> list[Path]:
    return [data / "corpora" / f"{name}.pubtator.gz" for name in names]


def built_store(data: Path, folder: Path, *, from_train: bool) -> Built:
    """Build the store of ``data`` under ``folder``, or take the one that was built there.

    Args:
        data: holds ``ontology/mesh`` and ``corpora``.
        folder: where the store goes, and a file that says what it took.
        from_train: with the names of the train files.
    """
    cost = folder / _COST
    if not cost.exists():
        folder.mkdir(parents=True, exist_ok=True)
        names = folder / "names.tsv"
        command = [sys.executable, __file__]
        if from_train:
            subprocess.run([*command, "names", str(data), str(names)], check=True)
        extra = [str(names)] if from_train else []
        subprocess.run([*command, "build", str(data), str(folder), *extra], check=True)
    return Built(folder / "store", **json.loads(cost.read_text()))


def _names(data: Path, out: Path) -> None:
    from flows.evaluating.named import names_of_gold
    from flows.settings import Settings
    from ontologies.extra import write_extra_names

    write_extra_names(names_of_gold(gold_files(data, TRAIN), Settings()), out)


def _build(data: Path, folder: Path, names: Path | None) -> None:
    from ontologies.build import build_store
    from ontologies.extra import read_extra_names
    from ontologies.problems import Problems

    mesh = data / "ontology" / "mesh"
    extra = read_extra_names(names, Problems()) if names else None
    wall, cpu = time.perf_counter(), time.process_time()
    build_store(
        [("mesh", mesh / "desc.xml.gz"), ("mesh", mesh / "supp.xml.gz")],
        folder / "store",
        extra=extra,
        progress=lambda line: print(f"  {line}", file=sys.stderr, flush=True),
    )
    built = Built(
        folder, time.perf_counter() - wall, time.process_time() - cpu, peak_resident_bytes()
    )
    cost = {name: value for name, value in asdict(built).items() if name != "folder"}
    (folder / _COST).write_text(json.dumps(cost))


def peak_resident_bytes() -> int:
    """Of this process. ``getrusage`` would count what its parent had when it was started."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell peak memory")


if __name__ == "__main__":
    what, source, target, *more = sys.argv[1:]
    if what == "names":
        _names(Path(source), Path(target))
    else:
        _build(Path(source), Path(target), Path(more[0]) if more else None)
