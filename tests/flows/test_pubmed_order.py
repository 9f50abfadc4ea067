"""PubMed's baseline and update files: the same tables in any order, whole files only."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.checksums import checksum_problem
from tests.flows.conftest import Bench
from tests.flows.runs import contents
from tests.flows.test_ledger import citation, release

_OF_RUNS = {"runs", "shards", "sources", "schema_version"}
"""Tables that tell of runs and files, which do differ."""


def tables(bench: Bench) -> dict[str, list[tuple[object, ...]]]:
    """What the warehouse says of documents, row for row."""
    with_rows = contents(bench.warehouse)
    return {name: rows for name, rows in with_rows.items() if name not in _OF_RUNS}


def run_each(folder: Path, name: str, files: Sequence[Path]) -> Bench:
    """A warehouse after a run for each file."""
    bench = Bench(folder / f"{name}.duckdb")
    for file in files:
        bench.run(file)
    return bench


def history(folder: Path) -> list[Path]:
    """Versions, a repeated text, new metadata alone, a deletion, a return and a last deletion."""
    dated = citation(5, "Flu.").replace("2020", "2021")
    return [
        release(folder, "pubmed24n0001", *(citation(n, f"Asthma {n}.") for n in (1, 2, 3, 4))),
        release(
            folder,
            "pubmed24n1220",
            citation(2, "Gout 2."),
            citation(5, "Flu."),
            citation(4, "unreadable 4."),
            deleted=(1, 3),
        ),
        release(folder, "pubmed24n1221", citation(1, "Back 1."), citation(2, "Asthma 2."), dated),
        release(folder, "pubmed25n0001", citation(2, "Rash 2."), citation(4, "unreadable 4.")),
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return history(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def straight(files: list[Path]) -> dict[str, list[tuple[object, ...]]]:
    """The tables where the files came in their order."""
    return tables(run_each(files[0].parent, "straight", files))


def go_on(bench: Bench, name: str, *files: Path) -> Bench:
    """A run for each file on a copy of a warehouse."""
    copy = Bench(bench.warehouse.with_name(f"{name}.duckdb"))
    shutil.copyfile(bench.warehouse, copy.warehouse)
    for file in files:
        copy.run(file)
    return copy


@pytest.mark.parametrize("first", range(4))
def test_baseline_and_updates_in_any_order_over_separate_runs(
    files: list[Path],
    straight: dict[str, list[tuple[object, ...]]],
    tmp_path: Path,
    first: int,
) -> None:
    alive = [row for row in straight["documents"] if not row[-1]]
    assert [row[2] for row in alive] == ["1", "2", "4", "5"]
    begun = run_each(tmp_path, "begun", [files[first]])
    others = [file for n, file in enumerate(files) if n != first]
    for second in others:  # orders that begin alike go on from one warehouse
        then = go_on(begun, second.name, second)
        for rest in itertools.permutations(file for file in others if file != second):
            shuffled = go_on(then, "-".join(file.name for file in (second, *rest)), *rest)
            assert tables(shuffled) == straight


def test_running_everything_again_in_any_order_changes_nothing(tmp_path: Path) -> None:
    files = history(tmp_path)
    bench = run_each(tmp_path, "w", files)
    before = tables(bench)
    for file in reversed(files):
        bench.query("UPDATE sources SET status = 'partial'")  # so that it is parsed
        again = bench.run(file)
        assert (again.new, again.replaced, again.deleted) == (0, 0, 0)
    bench.query("UPDATE sources SET status = 'partial'")
    bench.run(*files[::-1])
    assert tables(bench) == before


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    releases=st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from([1, 2, 3]), st.sampled_from(["A", "B"]), max_size=3),
            st.sets(st.sampled_from([1, 2, 3]), max_size=2),
        ),
        min_size=2,
        max_size=5,
    ),
    shuffled=st.randoms(use_true_random=False),
    groups=st.lists(st.integers(1, 3), min_size=5, max_size=5),
)
def test_any_history_in_any_order_and_grouping(
    tmp_path_factory: pytest.TempPathFactory,
    releases: list[tuple[dict[int, str], set[int]]],
    shuffled: object,
    groups: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("releases")
    files = [
        release(
            folder,
            f"pubmed24n{number:04d}",
            citation(100 + number, "Unrelated."),  # no release file is empty
            *(citation(pmid, f"{text} of {pmid}") for pmid, text in written.items()),
            deleted=tuple(sorted(gone)),
        )
        for number, (written, gone) in enumerate(releases, start=1)
    ]
    straight = tables(run_each(folder, "straight", files))
    again = list(files)
    shuffled.shuffle(again)  # type: ignore[attr-defined]
    bench = Bench(folder / "shuffled.duckdb")
    for size in groups:
        if again:
            bench.run(*again[:size])
            again = again[size:]
    bench.run(*files)
    assert tables(bench) == straight


def test_a_watched_folder_gives_what_is_new_without_parsing_the_rest(
    bench: Bench, tmp_path: Path
) -> None:
    """Old files are made unreadable in place: a run that parsed them would reject them."""
    folder = tmp_path / "in"
    folder.mkdir()
    old = folder / "pubmed24n0001.xml"
    citations = "".join(citation(pmid, f"Asthma {pmid}.") for pmid in range(10, 1010))
    old.write_text(f"<PubmedArticleSet>{citations}</PubmedArticleSet>")
    bench.run(folder)
    stat = old.stat()
    old.write_text(f"<PubmedArticleSet>{citations}</PubmedArticleSex>")  # far behind its head
    os.utime(old, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    release(folder, "pubmed24n0002", citation(3, "Rash."))
    counts = bench.run(folder)
    assert (counts.read, counts.skipped, counts.new, counts.rejected) == (1001, 1000, 1, 0)
    os.utime(old, ns=(1, 1))
    assert bench.run(folder).rejected == 1


def write_md5(file: Path, line: str) -> None:
    """The file's ``.md5`` beside it; ``{}`` stands for its checksum."""
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    file.with_name(file.name + ".md5").write_text(line.format(digest))


def test_a_file_that_arrived_in_part_is_taken_once_it_is_whole(
    bench: Bench, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    whole = release(folder, "pubmed24n0002", citation(3, "Rash."), citation(4, "Flu."))
    write_md5(whole, "MD5(pubmed24n0002.xml.gz)= {}\n")
    content = whole.read_bytes()
    release(folder, "pubmed24n0002", citation(3, "Rash."))  # well-formed, and not what was meant
    release(folder, "pubmed24n0001", citation(1, "Asthma."))
    counts = bench.run(folder)
    assert (counts.new, counts.rejected) == (1, 1)
    ((ordinal, reason),) = bench.query("SELECT ordinal, reason FROM rejects")
    assert ordinal == -1 and "checksum" in str(reason)
    assert bench.query("SELECT status FROM sources ORDER BY path") == [("done",), ("partial",)]
    whole.write_bytes(content)
    counts = bench.run(folder)
    assert (counts.new, counts.skipped, counts.rejected) == (2, 1, 0)
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("MD5(a.xml)= {}\n", True),
        ("MD5 (a.xml) = {}", True),
        ("{}  a.xml\n", True),
        ("{} *folder/a.xml\n", True),
        ("{}", True),
        ("MD5(stdin)= {}\n", True),
        ("0123456789abcdef0123456789abcdef  b.xml\n{}  a.xml\n", True),
        ("{}  b.xml\n0123456789abcdef0123456789abcdef  a.xml\n", False),
        ("{}  b.xml\n{}  c.xml\n", False),
        ("MD5(a.xml)= 0123456789ABCDEF0123456789ABCDEF", False),
        ("<html>not found</html>", False),
        ("", False),
    ],
)
def test_forms_of_md5_files(tmp_path: Path, line: str, fits: bool) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<x/>")
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    path.with_name("a.xml.md5").write_text(line.replace("{}", digest))
    assert (checksum_problem(path) is None) is fits


def test_digests_may_be_in_upper_case(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<x/>")
    digest = hashlib.md5(path.read_bytes()).hexdigest().upper()
    path.with_name("a.xml.md5").write_text(f"MD5(a.xml)= {digest}")
    assert checksum_problem(path) is None


def test_without_an_md5_file_nothing_is_checked(tmp_path: Path) -> None:
    assert checksum_problem(tmp_path / "a.xml") is None
