"""Documents that vanished: what pruning removes, what it leaves, and when it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.errors import CharthouseError
from flows.pruning import is_covered, is_gone
from flows.run import preview
from flows.settings import load_settings
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.test_ledger import citation, release

Notes = Callable[..., Path]

IDS = "SELECT native_id FROM documents WHERE NOT is_deleted ORDER BY ALL"


def ids(bench: Bench) -> list[object]:
    return [native_id for (native_id,) in bench.query(IDS)]


def folder_of(tmp_path: Path, name: str, **files: dict[str, str]) -> Path:
    """A folder of JSON lines files, each ``{id: text}``."""
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    for stem, texts in files.items():
        write_jsonl(folder / f"{stem}.jsonl", *({"id": i, "text": t} for i, t in texts.items()))
    return folder


def test_what_left_its_file_is_removed_everywhere(bench: Bench, notes: Notes) -> None:
    bench.run(notes(a="asthma today", b="gout today", c="unreadable words"))
    bench.query(
        "INSERT INTO mention_links SELECT document_id, annotation_id, mention_id, 'l', 'C', 1.0, "
        "'context' FROM mentions"
    )
    counts = bench.run(notes(a="asthma today"), prune=True, prune_limit=0.7)
    assert (counts.read, counts.skipped, counts.pruned) == (1, 1, 2)
    for table in ("documents", "mentions", "document_annotations", "mention_links"):
        assert bench.query(f"SELECT document_id FROM {table}") == [("notes:a",)], table
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]
    assert bench.query("SELECT pruned FROM runs ORDER BY started_at") == [(0,), (2,)]


def test_pruning_again_or_in_vain_changes_nothing(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today", b="gout today")
    bench.run(source)
    before = bench.query("FROM documents ORDER BY ALL")
    counts = bench.run(source, prune=True)
    assert (counts.read, counts.skipped, counts.pruned) == (2, 2, 0)
    assert bench.query("FROM documents ORDER BY ALL") == before
    assert bench.query("SELECT count(*) FROM shards") == [(1,)]


def test_a_pruned_document_may_come_back(bench: Bench, notes: Notes) -> None:
    bench.run(notes(a="asthma today", b="gout today", c="rash"))
    bench.run(notes(a="asthma today", c="rash"), prune=True)
    counts = bench.run(notes(a="asthma today", b="gout today", c="rash"))
    assert (counts.new, counts.replaced) == (1, 0)
    assert ids(bench) == ["a", "b", "c"]


def test_rejects_of_a_file_that_is_gone_go_with_it(bench: Bench, tmp_path: Path) -> None:
    texts = {"a": "asthma", "b": ""}
    folder = folder_of(tmp_path, "in", one=texts, two={"c": "", "d": "rash"})
    bench.run(folder, corpus="c")
    (folder / "two.jsonl").unlink()
    assert bench.run(folder, corpus="c", prune=True).pruned == 1
    assert bench.query("SELECT path, ordinal FROM rejects") == [(str(folder / "one.jsonl"), 1)]


@pytest.mark.parametrize("as_glob", [False, True])
def test_documents_of_a_file_that_is_gone_from_the_folder(
    bench: Bench, tmp_path: Path, as_glob: bool
) -> None:
    texts = {"a": "asthma", "b": "gout"}
    folder = folder_of(tmp_path, "in", one=texts, two={"c": "rash"}, three={"d": "fever"})
    source = folder / "t*.jsonl" if as_glob else folder
    bench.run(folder, corpus="c")
    (folder / "two.jsonl").unlink()
    counts = bench.run(source, corpus="c", prune=True)
    assert counts.pruned == 1
    assert ids(bench) == ["a", "b", "d"]
    assert bench.query("SELECT status FROM sources ORDER BY path") == [
        ("done",),
        ("done",),
        ("gone",),
    ]
    folder_of(tmp_path, "in", two={"c": "rash"})
    assert bench.run(folder, corpus="c").new == 1


def test_documents_of_files_elsewhere_stay(bench: Bench, tmp_path: Path) -> None:
    """A file outside of what the run names is not missed, there or not."""
    here = folder_of(tmp_path, "here", one={"a": "asthma"})
    there = folder_of(tmp_path, "there", two={"b": "gout"}, three={"c": "rash"})
    bench.run(here, there, corpus="c")
    (there / "two.jsonl").unlink()
    assert bench.run(here, corpus="c", prune=True).pruned == 0
    assert ids(bench) == ["a", "b", "c"]


def test_a_document_that_moved_to_another_file_stays(bench: Bench, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "in", one={"a": "asthma", "b": "gout"}, two={"c": "rash"})
    bench.run(folder, corpus="c")
    (folder / "one.jsonl").rename(folder / "renamed.jsonl")
    assert bench.run(folder, corpus="c", prune=True).pruned == 0
    assert ids(bench) == ["a", "b", "c"]


def test_documents_of_a_file_that_cannot_be_read_stay(bench: Bench, tmp_path: Path) -> None:
    baseline = release(tmp_path, "pubmed24n0001", citation(1, "Asthma."), citation(2, "Gout."))
    update = release(tmp_path, "pubmed24n0002", citation(3, "Rash."), citation(4, "Flu."))
    bench.run(baseline, update)
    baseline.write_bytes(baseline.read_bytes()[:-9])
    release(tmp_path, "pubmed24n0002", citation(3, "Rash."))
    counts = bench.run(baseline, update, prune=True)
    assert (counts.pruned, counts.rejected) == (1, 1)
    assert ids(bench) == ["1", "2", "3"]


def test_tombstones_stay(bench: Bench, tmp_path: Path) -> None:
    """Without it the baseline would bring the withdrawn citation back."""
    folder = tmp_path / "in"
    folder.mkdir()
    release(folder, "pubmed24n0001", citation(1, "Asthma."), citation(2, "Gout."))
    update = release(folder, "pubmed24n1300", citation(3, "Rash."), deleted=(1,))
    bench.run(folder)
    update.unlink()
    counts = bench.run(folder, prune=True)
    assert counts.pruned == 1
    assert bench.query("SELECT native_id, is_deleted FROM documents ORDER BY ALL") == [
        ("1", True),
        ("2", False),
    ]


def test_release_files_of_one_name_in_two_folders(bench: Bench, tmp_path: Path) -> None:
    """Source order does not tell them apart: nothing is pruned while one is not looked at."""
    for name, pmid in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        release(tmp_path / name, "pubmed24n0001", citation(pmid, "Asthma."), citation(9, "Gout."))
    bench.run(tmp_path / "a", tmp_path / "b")
    assert bench.run(tmp_path / "a", prune=True).pruned == 0
    assert bench.run(tmp_path / "a", tmp_path / "b", prune=True).pruned == 0
    release(tmp_path / "b", "pubmed24n0001", citation(9, "Gout."))
    assert bench.run(tmp_path / "a", tmp_path / "b", prune=True).pruned == 1


def test_numbered_file_takes_the_place_of_one_that_was_pruned(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    monday, tuesday = folder / "monday.csv", folder / "tuesday.csv"
    monday.write_text("text\nasthma\ngout\n")
    bench.run(folder, corpus="c")
    monday.unlink()
    folder_of(tmp_path, "in", other={"x": "rash"})
    bench.run(folder, corpus="c", prune=True, prune_limit=1)
    tuesday.write_text("text\nfever\n")
    assert bench.run(folder, corpus="c").new == 1
    monday.write_text("text\nasthma\ngout\n")
    with pytest.raises(CharthouseError, match="number their records"):
        bench.run(monday, corpus="c")


def test_more_than_the_limit_is_refused_and_nothing_written(bench: Bench, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "in", one={"a": "asthma", "b": "gout"}, two={"c": "rash"})
    bench.run(folder, corpus="c")
    (folder / "one.jsonl").unlink()
    folder_of(tmp_path, "in", two={"c": "another rash"})
    with pytest.raises(CharthouseError, match="2 of the 3 documents of these sources"):
        bench.run(folder, corpus="c", prune=True)
    assert bench.query("SELECT text FROM documents ORDER BY ALL") == [
        ("asthma",),
        ("gout",),
        ("rash",),
    ]
    assert bench.run(folder, corpus="c", prune=True, prune_limit=0.67).pruned == 2


def test_the_limit_counts_documents_of_these_sources_alone(bench: Bench, tmp_path: Path) -> None:
    """A ward whose folder is empty is noticed, however large the other wards are."""
    bench.run(folder_of(tmp_path, "big", one={f"d{n}": "asthma" for n in range(50)}), corpus="c")
    ward = folder_of(tmp_path, "ward", two={"a": "gout"}, three={"b": "rash"}, four={"c": "flu"})
    bench.run(ward, corpus="c")
    (ward / "two.jsonl").unlink()
    (ward / "three.jsonl").unlink()
    with pytest.raises(CharthouseError, match="2 of the 3 documents"):
        bench.run(ward, corpus="c", prune=True)


def test_dry_run_counts_also_what_the_limit_forbids(bench: Bench, notes: Notes) -> None:
    bench.run(notes(a="asthma today", b="gout today", c="rash"))
    order = bench.order(notes(a="asthma today"), prune=True)
    assert preview(order).counts.pruned == 2
    assert ids(bench) == ["a", "b", "c"]


def test_pruning_needs_all_records() -> None:
    with pytest.raises(CharthouseError, match="prune and limit exclude each other"):
        load_settings(None, {"source": {"prune": True, "limit": 3}})


def test_the_order_of_a_pruning_run_is_its_own(bench: Bench, notes: Notes) -> None:
    source = notes(a="asthma today")
    plain, pruning = bench.order(source), bench.order(source, prune=True)
    assert plain.order_hash != pruning.order_hash
    assert pruning.order_hash == bench.order(source, prune=True, prune_limit=1).order_hash


@pytest.mark.parametrize(
    ("source", "path", "covered"),
    [
        ("/d/notes", "/d/notes/a/b.txt", True),
        ("/d/notes", "/d/notes2/b.txt", False),
        ("/d/n.csv", "/d/n.csv", True),
        ("/d/*.csv", "/d/n.csv", True),
        ("/d/*.csv", "/d/a/n.csv", False),
        ("/d/**/*.csv", "/d/n.csv", True),
        ("/d/**/*.csv", "/d/a/b/n.csv", True),
        ("/d/**/*.csv", "/e/a/b/n.csv", False),
        ("/d/*/n.csv", "/d/n.csv", False),
        ("/d/n[12].csv", "/d/n2.csv", True),
    ],
)
def test_what_a_source_would_take_in(source: str, path: str, covered: bool) -> None:
    assert is_covered(path, ["/elsewhere", source]) is covered


def test_a_broken_link_is_not_gone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    assert not is_gone(str(tmp_path / "link"))
    assert is_gone(str(tmp_path / "nothing")) and is_gone(str(tmp_path / "link" / "x"))
    assert not is_gone(str(tmp_path / ("x" * 300)))  # cannot be looked at


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    states=st.lists(
        st.dictionaries(
            st.sampled_from(["f", "g", "h"]),
            st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xy"), min_size=1),
            min_size=1,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_after_pruning_exactly_the_documents_of_the_folder_are_there(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, dict[str, str]]]
) -> None:
    """Whatever files came, changed and went before."""
    root = tmp_path_factory.mktemp("prune")
    folder = root / "in"
    folder.mkdir()
    bench = Bench(root / "w.duckdb")
    for number, files in enumerate(states):
        for file in folder.iterdir():
            file.unlink()
        folder_of(root, "in", **files)
        bench.run(folder, corpus="c", prune=number == len(states) - 1, prune_limit=1)
    there = sorted({native_id for texts in states[-1].values() for native_id in texts})
    assert ids(bench) == there
    for table in ("mentions", "document_annotations"):
        found = bench.query(f"SELECT DISTINCT document_id FROM {table} ORDER BY 1")
        assert [str(name).removeprefix("c:") for (name,) in found] == there
