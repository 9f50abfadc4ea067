"""Files for annotators: private, whole, as asked; nothing of them is printed."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from flows.errors import CharthouseError
from flows.exporting.selection import Selection
from flows.readers.gold import read_gold_file
from flows.readers.pubtator import as_pmid, document_id_of
from flows.sampling.choices import Strategy
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench
from tests.flows.sampling.conftest import NOTES, Draw


def call(*arguments: object) -> Result:
    """Call the command in this process."""
    return CliRunner().invoke(app, ["sample", *map(str, arguments)])


def test_the_command_writes_private_files_and_prints_no_text(
    made_once: Bench, tmp_path: Path
) -> None:
    out = tmp_path / "tasks.json"
    done = call("-w", made_once.warehouse, "--n", 25, "--strategy", "uncertain", "-o", out)
    assert done.exit_code == 0
    assert "25 documents, strategy uncertain, seed 0, labels Chemical, Disease" in done.stdout
    names = {"tasks.json", "tasks.json.sample.json", "tasks.json.config.xml"}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in tmp_path.iterdir())
    beside = (tmp_path / "tasks.json.sample.json").read_text()
    for words in ("gout", "Gout", "%41", "zygoma"):
        assert words not in done.stdout
        assert words not in beside


def test_a_dry_run_counts_and_writes_nothing(made_once: Bench, tmp_path: Path) -> None:
    out = tmp_path / "tasks.json"
    done = call("-w", made_once.warehouse, "--n", 6, "-o", out, "--dry-run", "--by", "corpus")
    assert done.exit_code == 0
    assert "Nothing was written" in done.stdout
    assert "> random" in done.stdout
    assert not list(tmp_path.iterdir())
    done = call("-w", made_once.warehouse, "--n", 6, "-o", out, "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert told["files"] == []
    assert {(g["corpus"], g["kind"], g["pool"]) for g in told["groups"]} == {
        ("notes", "note", 5),
        ("papers", "abstract", 20),
    }
    assert sum(g["drawn"] for g in told["groups"]) == told["sample"]["documents"] == 6


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("-o", "tasks.csv"), "does not say which format"),
        (("-o", "there.json"), "may hold annotators' work"),
        (("-o", "missing/tasks.json"), "its folder does not exist"),
        (("-o", "t.json", "--by", "year", "--strategy", "unlinked"), "--by is for random"),
        (("-o", "t.json", "--where", "nosuch = 1"), "nosuch"),
        (("-o", "t.json", "--where", "true) OR (true"), "no condition of SQL"),
        (("-o", "t.json", "--where", "native_id IN (SELECT content FROM read_text('x'))"), "where"),
        (("-o", "t.json", "--corpus", "nosuch"), "no such corpus"),
        (("-o", "t.json", "--kind", "article"), "no document is selected"),
    ],
)
def test_what_cannot_be_is_refused(
    made_once: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], problem: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("there.json").write_text("[]")
    Path("x").write_text("1")
    done = call("-w", made_once.warehouse, *arguments)
    assert isinstance(done.exception, CharthouseError)
    assert problem in str(done.exception)
    assert {file.name for file in tmp_path.iterdir()} == {"there.json", "x"}


def test_documents_without_a_text_are_not_drawn(stocked: Bench, draw: Draw) -> None:
    with open_warehouse(stocked.warehouse) as connection:
        connection.execute("UPDATE documents SET text = NULL WHERE corpus = 'notes'")
    sampled = draw(warehouse=stocked.warehouse, documents=25)
    assert (sampled.pool, sampled.without_text) == (20, 5)
    with pytest.raises(CharthouseError, match="5 documents have no text here, as privacy"):
        draw("b.json", warehouse=stocked.warehouse, selection=Selection(corpora=("notes",)))


def test_what_is_in_the_way_of_judging_is_told(stocked: Bench, draw: Draw) -> None:
    """Documents of two annotation sets, and a label that nothing has."""
    with open_warehouse(stocked.warehouse) as connection:
        for table in ("document_annotations", "mentions"):
            connection.execute(
                f"UPDATE {table} SET annotation_id = 'rule-2' WHERE document_id LIKE 'notes:%'"
            )
    sampled = draw(warehouse=stocked.warehouse, documents=25, labels=("Disease", "disease"))
    of_sets, of_label = sampled.notes
    assert "annotated in 2 ways" in of_sets
    assert of_label == "no mention to draw from has the label disease"
    notes = Selection(corpora=("notes",))
    assert draw("b.json", warehouse=stocked.warehouse, selection=notes).notes == ()


def test_conditions_kinds_and_corpora_narrow_the_choice(draw: Draw) -> None:
    where = "document_date >= '2002-01-01' -- a remark"
    assert draw(selection=Selection(where)).pool == 10
    sampled = draw("b.json", kinds=("note",), selection=Selection(corpora=("notes",)))
    assert (sampled.pool, sampled.drawn.restricted) == (5, True)


@pytest.mark.parametrize("name", ["s.json", "s.pubtator"])
def test_blind_files_show_no_mention(draw: Draw, name: str) -> None:
    path = draw(name, documents=25, blind=True).files[0]
    text = path.read_text(encoding="utf-8")
    assert '"predictions"' not in text
    assert "\t" not in text
    assert text.count("Gout in trial") == 20


@pytest.mark.parametrize("name", ["s.json", "s.pubtator"])
def test_only_labels_that_were_asked_for_are_shown(draw: Draw, name: str) -> None:
    path = draw(name, documents=25, labels=("Chemical",)).files[0]
    text = path.read_text(encoding="utf-8")
    assert "Chemical" in text
    assert "Disease" not in text


def test_texts_are_exact_in_tasks_and_level_in_pubtator(draw: Draw) -> None:
    tasks = json.loads(draw(documents=25).files[0].read_text(encoding="utf-8"))
    texts = {task["data"]["document_id"]: task["data"]["text"] for task in tasks}
    gold = {
        d.document_id: d.text for d in read_gold_file(draw("s.pubtator", documents=25).files[0])
    }
    for key, text in NOTES.items():
        assert texts[f"notes:{key}"] == text
        level = gold[f"notes:{key}"]
        assert level == text.replace("\r", " ").replace("\n", " ").replace("\t", " ")[: len(level)]
        assert len(level) >= len(text.rstrip())


@pytest.mark.parametrize("native_id", ["1", "a|b %41", "x\ty\n", "ü:1", "%7C", "a\u2028b"])
def test_ids_survive_the_place_of_a_pmid(native_id: str) -> None:
    pmid = as_pmid(f"notes:{native_id}")
    assert document_id_of(pmid) == f"notes:{native_id}"
    assert not set("|\t\n \u2028") & set(pmid)


def test_the_configuration_names_the_labels_and_the_field_of_concepts(draw: Draw) -> None:
    sampled = draw(documents=2, labels=('A "quoted" <label>', "Disease"))
    view = ElementTree.parse(sampled.files[2]).getroot()
    assert [label.get("value") for label in view.iter("Label")] == ['A "quoted" <label>', "Disease"]
    (text,), (concept,) = list(view.iter("Text")), list(view.iter("TextArea"))
    assert text.get("value") == "$text"
    assert (concept.get("name"), concept.get("perRegion")) == ("concept", "true")
    assert concept.get("toName") == text.get("name") == next(view.iter("Labels")).get("toName")


def test_the_same_order_gives_the_same_bytes(draw: Draw) -> None:
    one, two = (draw(f"{n}.json", documents=9, seed=7, strategy=Strategy.unlinked) for n in (1, 2))
    assert one.files[0].read_bytes() == two.files[0].read_bytes()
