"""The page of a report: what it shows, what it keeps to itself, and how it is written."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from flows.derived_settings import DerivedSettings
from flows.errors import CharthouseError
from flows.reporting.context import ReportOptions
from flows.reporting.report import Written, write_report
from flows.warehouse.connection import open_warehouse, read_warehouse
from flows.warehouse.derived.refresh import refresh
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.reporting.planted import HOSTILE, SECRETS, plant, run_ids

SECTIONS = (
    "corpora",
    "concepts",
    "tree",
    "together",
    "labels",
    "links",
    "unlinked",
    "quality",
    "evaluations",
    "runs",
    "throughput",
    "rejects",
    "documents",
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def written(warehouse: Path) -> Written:
    return write_report(warehouse, warehouse.with_name("report.html"), ReportOptions())


@pytest.fixture(scope="module")
def page(written: Written) -> str:
    return Path(written.path).read_text("utf-8")


@pytest.fixture(scope="module")
def tree(page: str) -> Any:
    return html.fromstring(page)


def table(tree: Any, caption: str) -> list[list[str]]:
    """Rows of the table with a caption, as text."""
    (found,) = [t for t in tree.iter("table") if t.findtext("caption") == caption]
    return [[cell.text_content() for cell in row] for row in found.find("tbody")]


def spec(tree: Any, figure: str) -> dict[str, Any]:
    (block,) = tree.xpath(f"//script[@id='{figure}-spec']")
    loaded = json.loads(block.text)
    assert isinstance(loaded, dict)
    return loaded


def page_of(warehouse: Path) -> str:
    return Path(
        write_report(warehouse, warehouse.with_suffix(".html"), ReportOptions()).path
    ).read_text("utf-8")


def test_sections_are_there_and_listed(written: Written, tree: Any) -> None:
    assert written.sections == SECTIONS
    assert tuple(tree.xpath("//main/section/@id")) == SECTIONS
    assert tree.xpath("//nav//a/@href") == [f"#{name}" for name in SECTIONS]
    for section in tree.xpath("//main/section"):
        (heading,) = section.xpath("h2")
        assert section.get("aria-labelledby") == heading.get("id")


def test_headings_are_in_order_and_ids_are_unique(tree: Any) -> None:
    levels = [int(e.tag[1]) for e in tree.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_every_chart_says_what_it_shows_and_has_its_numbers(tree: Any) -> None:
    figures = tree.xpath("//figure")
    assert len(figures) == 14
    for figure in figures:
        (drawing,) = figure.xpath("div[@role='img']")
        assert figure.findtext("h3") in drawing.get("aria-label")
        assert figure.xpath("details//tbody/tr")
        assert "$schema" not in spec(tree, figure.get("id"))


def test_numbers_are_those_of_the_warehouse(tree: Any) -> None:
    concepts = table(tree, "Concepts that most documents name")
    assert [row[:5] for row in concepts] == [
        ["Fever", "MESH:D1", "Disease", "3", "3"],
        [HOSTILE, "MESH:D2", "Disease", "2", "2"],
        ["Pathological Conditions", "MESH:D3", "Disease", "1", "1"],
    ]
    assert table(tree, "Linked share") == [["Disease", "7", "85.7%"]]
    methods = {row[1]: row[2] for row in table(tree, "How mentions were linked")}
    assert methods == {
        "the same name": "3",
        "a near name (n-grams)": "2",
        "chosen by context": "1",
        "not linked: no candidate": "1",
    }
    rejected = table(tree, "Records rejected, by reason")
    assert rejected == [["another, while annotating", "1", "0"]]


def test_mentions_of_a_concept_in_two_branches_are_divided(tree: Any) -> None:
    branches = {row[2]: row[:2] + row[3:5] for row in table(tree, "Mentions along MeSH")}
    # Half of the three fevers; two chills; one by context.
    assert branches["G07"] == ["Phenomena and Processes", "G07", "2", "25.0%"]
    assert branches["C23"] == ["Diseases", "Pathological Conditions", "4", "75.0%"]


def test_pairs_stand_on_both_sides_of_the_map(tree: Any) -> None:
    values = spec(tree, "together-pmi")["data"]["values"]
    assert {(row["name"], row["other"]) for row in values} == {
        ("Fever", HOSTILE),
        (HOSTILE, "Fever"),
    }
    (pair,) = table(tree, "By documents that name both")
    assert pair == ["Fever", HOSTILE, "3", "2", "1.25"]


def test_documents_by_year(tree: Any) -> None:
    years = [[row[0], row[2]] for row in table(tree, "Documents over the years")]
    assert years == [["2021", "2"], ["2022", "2"], ["2023", "1"]]


def test_years_without_documents_are_seen_and_undated_ones_counted(
    warehouse: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse, copy)
    with open_warehouse(copy) as connection:
        connection.execute("UPDATE document_totals SET year = 2025 WHERE year = 2023")
    page = html.fromstring(page_of(copy))
    assert spec(page, "corpora-years")["encoding"]["x"]["scale"]["domain"] == [*range(2021, 2026)]
    (note,) = page.xpath("//figure[@id='corpora-years']/p")
    assert note.text.endswith("2 of 7 have no date and are left out.")


def test_links_by_ways_that_have_no_words_are_other_links(warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse, copy)
    with open_warehouse(copy) as connection:
        connection.execute("UPDATE name_links SET method = NULL WHERE method = 'ngram'")
        connection.execute("UPDATE name_links SET method = 'new' WHERE method = 'exact'")
        connection.execute("DELETE FROM name_links WHERE status = 'no_candidate'")
    page = html.fromstring(page_of(copy))
    assert {row[1]: row[2] for row in table(page, "How mentions were linked")} == {
        "chosen by context": "1",
        "in another way": "5",
        "not linked: not looked up": "1",
    }
    assert table(page, "Linked share") == [["Disease", "7", "85.7%"]]


def test_mentions_that_context_linked_are_not_among_those_without_a_concept(
    warehouse: Path, tree: Any, tmp_path: Path
) -> None:
    (meaning,) = tree.xpath("//figure[@id='unlinked-counts']/p")
    assert " Left out: 1 whose name has none" in meaning.text
    unlinked = "Mentions without a concept"
    assert table(tree, unlinked) == [["Disease", "no candidate", "1", "1", "–"]]
    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse, copy)
    with open_warehouse(copy) as connection:
        connection.execute("DELETE FROM mention_links")
        refresh(connection, DerivedSettings())
    page = html.fromstring(page_of(copy))
    (meaning,) = page.xpath("//figure[@id='unlinked-counts']/p")
    assert "the sentence decided" not in meaning.text
    assert sum(int(row[3]) for row in table(page, unlinked)) == 2
    with open_warehouse(copy) as connection:
        connection.execute("UPDATE name_totals SET linked_by_context = mentions")
    (said,) = html.fromstring(page_of(copy)).xpath("//section[@id='unlinked']/p")
    assert said.text.startswith("No mention is left without a concept. Left out: 2 whose")


def test_without_an_ontology_no_name_is_said_to_have_a_concept(
    warehouse: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse, copy)
    with open_warehouse(copy) as connection:
        connection.execute("UPDATE linksets SET is_current = false")
    (said,) = html.fromstring(page_of(copy)).xpath("//section[@id='unlinked']/p")
    assert said.text == "There is no ontology to look names up in."


def test_concepts_of_one_name_are_told_apart(warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse, copy)
    with open_warehouse(copy) as connection:
        connection.execute("UPDATE concepts SET concept_name = 'Same'")
    page = html.fromstring(page_of(copy))
    (pair,) = table(page, "By documents that name both")
    assert pair[:2] == ["Same (MESH:D1)", "Same (MESH:D2)"]


def test_measured_histograms_come_before_counted_ones(tree: Any) -> None:
    assert [row[-1] for row in table(tree, "Scores of mentions")] == ["1,234", "4,321", "777"]
    assert [row[-1] for row in table(tree, "Scores of links")] == ["2", "3"]


def test_latest_score_and_its_interval(tree: Any) -> None:
    (row,) = table(tree, "Scores against gold")
    assert row[:6] == ["gold, ner, strict", "micro", "f1", "77.7%", "67.7%", "82.7%"]
    assert len(table(tree, "Latest scores of each measure")) == 2


def test_drift_shows_what_crossed_a_threshold_first(tree: Any) -> None:
    rows = table(tree, "Drift of this run, where a threshold is set")
    assert [(row[0], row[-1]) for row in rows] == [("link_share", "warning"), ("label_js", "ok")]
    every = table(tree, "All drift of this run")
    assert [row[0] for row in every] == ["link_share", "label_js", "score_psi"]
    assert [row[5] for row in table(tree, "Shares over the runs")] == ["50.0%", "62.5%"]


def test_words_of_documents_names_and_ids_are_not_in_the_page(page: str, warehouse: Path) -> None:
    assert not [word for word in SECRETS if word in page]
    assert str(warehouse.parent) not in page


def test_with_text_names_are_shown_and_the_file_is_private(warehouse: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    write_report(warehouse, out, ReportOptions())
    assert stat.S_IMODE(out.stat().st_mode) & 0o400
    write_report(warehouse, out, ReportOptions(with_text=True, documents=0))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    names = table(html.fromstring(out.read_text("utf-8")), "Names without a concept, by mentions")
    assert [row[0] for row in names] == ["fnordig"]


def test_names_from_the_warehouse_stay_text(page: str, tree: Any) -> None:
    assert not tree.xpath("//img | //*[@onerror]")
    assert "<img" not in re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    names = {row.get("name") for row in spec(tree, "concepts-top")["data"]["values"]}
    assert HOSTILE in names
    years = spec(tree, "corpora-years")["data"]["values"]
    assert any(HOSTILE in row["part"] for row in years)


def test_only_the_pages_own_scripts_may_run_and_nothing_may_be_loaded(tree: Any, page: str) -> None:
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    }
    assert hashes == set(re.findall(r"'sha256-([^']+)'", policy))
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    assert not tree.xpath("//script[@src] | //link | //iframe | //*[@src]")
    assert all(href.startswith("#") for href in tree.xpath("//@href"))


def test_page_is_small(written: Written) -> None:
    assert written.bytes < 1_500_000
    assert written.bytes == Path(written.path).stat().st_size


def test_an_earlier_run_can_be_chosen(warehouse: Path, tmp_path: Path) -> None:
    with read_warehouse(warehouse) as connection:
        first, second = run_ids(connection)
    out = tmp_path / "report.html"
    written = write_report(warehouse, out, ReportOptions(run=first, title="<Ward> 7"))
    assert written.run_id == first
    earlier = html.fromstring(out.read_text("utf-8"))
    assert earlier.findtext(".//title") == "<Ward> 7"
    assert table(earlier, "Records rejected, by reason")[0][2] == "1"
    assert "Not measured" in earlier.get_element_by_id("quality").text_content()
    with pytest.raises(CharthouseError, match="begins more than one run_id"):
        write_report(warehouse, out, ReportOptions(run=second[:4]))
    with pytest.raises(CharthouseError, match="begins no run_id"):
        write_report(warehouse, out, ReportOptions(run="1999"))


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["DELETE FROM derivations"], "no derived tables.*charthouse refresh"),
        (["DROP TABLE derivations"], "no derived tables.*charthouse refresh"),
        (["DELETE FROM runs"], "no run to report on.*charthouse run"),
    ],
)
def test_nothing_to_report_on(
    warehouse: Path, tmp_path: Path, statements: list[str], problem: str
) -> None:
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    with open_warehouse(path) as connection:
        for statement in statements:
            connection.execute(statement)
    with pytest.raises(CharthouseError, match=problem):
        write_report(path, tmp_path / "report.html", ReportOptions())
    assert not (tmp_path / "report.html").exists()


def _file(text: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(text) and None


@pytest.mark.parametrize("make", [_file("my thesis"), Path.mkdir, _file("")])
def test_what_is_no_report_is_left_alone(
    warehouse: Path, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    out = tmp_path / "report.html"
    make(out)
    with pytest.raises(CharthouseError, match="is no report of charthouse"):
        write_report(warehouse, out, ReportOptions())
    assert out.is_dir() or out.read_text() in ("my thesis", "")


def test_nothing_is_left_where_writing_fails(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flows.work.os.fsync", full)
    with pytest.raises(CharthouseError, match=r"cannot be written \(No space left on device\)"):
        write_report(warehouse, tmp_path / "report.html", ReportOptions())
    assert not list(tmp_path.iterdir())


def test_folder_must_be_there(warehouse: Path, tmp_path: Path) -> None:
    with pytest.raises(CharthouseError, match="its folder does not exist"):
        write_report(warehouse, tmp_path / "no" / "report.html", ReportOptions())


def test_runs_of_models_and_those_given_up_are_not_the_latest(
    warehouse: Path, tmp_path: Path
) -> None:
    path = tmp_path / "w.duckdb"
    shutil.copy(warehouse, path)
    with open_warehouse(path) as connection:
        first, second = run_ids(connection)
        for number, (annotation_id, status) in enumerate([("gen-1", "done"), ("a", "abandoned")]):
            connection.execute(
                "INSERT INTO runs BY NAME SELECT * REPLACE ($id AS run_id, $set AS annotation_id, "
                "$status AS status) FROM runs WHERE run_id = $like",
                {
                    "id": f"3026010{number}T000000-{HOSTILE}",
                    "set": annotation_id,
                    "status": status,
                    "like": first,
                },
            )
    out = tmp_path / "report.html"
    assert write_report(path, out, ReportOptions()).run_id == second
    runs = table(html.fromstring(out.read_text("utf-8")), "Latest runs")
    assert [row[1:3] for row in runs[:2]] == [["run", "abandoned"], ["generate", "done"]]
    assert write_report(path, out, ReportOptions(run="30260100")).run_id.endswith(HOSTILE)
    assert not html.fromstring(out.read_text("utf-8")).xpath("//img")


def test_what_changed_since_derived_tables_were_made_is_told(
    warehouse: Path, page: str, tmp_path: Path
) -> None:
    path, out = tmp_path / "w.duckdb", tmp_path / "report.html"
    shutil.copy(warehouse, path)
    with open_warehouse(path) as connection:
        connection.execute("UPDATE documents SET corpus = 'other' WHERE corpus = 'more'")
    write_report(path, out, ReportOptions())
    told = "The warehouse has changed since its derived tables were made"
    assert told in out.read_text("utf-8")
    assert told not in page


def test_a_warehouse_without_mentions_has_a_page(bench: Bench, tmp_path: Path) -> None:
    bench.run(write_jsonl(tmp_path / "notes.jsonl", {"note_id": "1", "text": "unreadable"}))
    with open_warehouse(bench.warehouse) as connection:
        refresh(connection, DerivedSettings())
    out = tmp_path / "report.html"
    assert write_report(bench.warehouse, out, ReportOptions(with_text=True)).sections == SECTIONS
    text = html.fromstring(out.read_text("utf-8")).get_element_by_id("main").text_content()
    assert "There are no mentions." in text
    assert "No scores are stored." in text
