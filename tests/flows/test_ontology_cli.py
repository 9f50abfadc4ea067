"""``charthouse ontology`` and ``link`` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli.main import app
from flows.errors import CharthouseError
from ontologies.store import open_store
from tests.ontologies.conftest import DESCRIPTORS, mesh_file

GOLD = """1|t|Diabetes mellitus (DM) and colds.
1|a|DM runs with coryza.
1\t0\t17\tDiabetes mellitus\tDisease\tD003920
1\t19\t21\tDM\tDisease\tD003920
1\t27\t32\tcolds\tDisease\tD003139
1\t34\t36\tDM\tDisease\tD003920
1\t47\t53\tcoryza\tDisease\tD003139|D012220

"""


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    return mesh_file(tmp_path / "desc2026.xml", *DESCRIPTORS)


def call(*arguments: str | Path, text: str | None = None) -> Result:
    done = CliRunner().invoke(app, [str(a) for a in arguments], input=text)
    if isinstance(done.exception, CharthouseError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done


def build(tmp_path: Path, *arguments: str | Path) -> dict[str, object]:
    done = call("ontology", "build", "--out", tmp_path / "store", "--json", *arguments)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def rows(*arguments: str | Path, text: str | None = None) -> list[dict[str, object]]:
    lines = call("link", "--json", *arguments, text=text).stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_sources_of_several_kinds_go_into_one_store(tmp_path: Path, mesh: Path) -> None:
    obo = tmp_path / "ills.obo"
    obo.write_text(
        "format-version: 1.2\ndata-version: 2026-01-01\n\n[Term]\nid: DOID:1\nname: fen fever\n\n"
    )
    table = tmp_path / "own.csv"
    table.write_text("id,name,synonyms,types\nWARD:1,blue chill,chill|blueing,C\n")
    release = build(tmp_path, "--mesh", mesh, "--obo", obo, "--table", table)
    sources = {source["format"]: source for source in release["sources"]}  # type: ignore[attr-defined]
    assert {k: (s["version"], s["concepts"]) for k, s in sources.items()} == {
        "mesh": ("2026", 11),
        "obo": ("2026-01-01", 1),
        "table": (None, 1),
    }
    names = ("Fen Fever", "BLUEING", "NIDDM")
    links = rows("--ontology", tmp_path / "store", "--label", "Disease", *names)
    assert [link["concept_id"] for link in links if link["rank"] == 1] == [
        "DOID:1",
        "WARD:1",
        "MESH:D003924",
    ]


def test_names_of_annotated_documents_become_names_of_the_store(tmp_path: Path, mesh: Path) -> None:
    gold = tmp_path / "gold.pubtator"
    gold.write_text(GOLD)
    call("ontology", "names", gold, "--out", tmp_path / "names.tsv")
    assert (tmp_path / "names.tsv").read_text().splitlines() == [
        "concept_id\tname\tcount",
        "MESH:D003139\tcolds\t1",
        "MESH:D003920\tDiabetes mellitus\t3",
    ]
    plain = build(tmp_path, "--mesh", mesh)
    extended = build(tmp_path, "--mesh", mesh, "--names", tmp_path / "names.tsv")
    assert extended["extra_names"] == 2
    assert extended["release_id"] != plain["release_id"]
    (link, *_) = rows("--ontology", tmp_path / "store", "colds")
    assert (link["concept_id"], link["matched_name"]) == ("MESH:D003139", "colds")


def test_replaced_ids_lead_to_their_successors(tmp_path: Path, mesh: Path) -> None:
    replaced = tmp_path / "replaced.tsv"
    replaced.write_text("old_id\tconcept_id\nMESH:C000009\tMESH:D003920\n")
    release = build(tmp_path, "--mesh", mesh, "--replaced", replaced)
    assert release["replacements"] == 1
    store = open_store(tmp_path / "store")
    assert store.current_ids(["MESH:C000009", "MESH:D003920", "X:1"]) == [
        "MESH:D003920",
        "MESH:D003920",
        "X:1",
    ]


def test_a_concept_goes_by_the_id_that_a_newer_release_gave_it(tmp_path: Path, mesh: Path) -> None:
    replaced = tmp_path / "replaced.tsv"
    replaced.write_text("old_id\tconcept_id\nMESH:D000082\tMESH:D999999\n")
    build(tmp_path, "--mesh", mesh, "--replaced", replaced)
    (link, *_) = rows("--ontology", tmp_path / "store", "acetaminophen")
    assert (link["concept_id"], link["concept_name"]) == ("MESH:D999999", "Acetaminophen")


def test_bad_rows_end_the_build_or_are_listed(tmp_path: Path, mesh: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("id,name\nWARD:1,blue chill\nno curie,red chill\n")
    with pytest.raises(CharthouseError, match=r"own\.csv:3: .*no CURIE"):
        build(tmp_path, "--table", table)
    assert not (tmp_path / "store").exists()
    done = call("ontology", "build", "--table", table, "--lenient", "--out", tmp_path / "store")
    assert "own.csv:3" in done.stderr
    assert "1 concepts and 1 names" in done.stdout


def test_info_shows_sources_and_the_licence_line(tmp_path: Path, mesh: Path) -> None:
    build(tmp_path, "--mesh", mesh)
    shown = call("ontology", "info", tmp_path / "store").stdout
    assert "desc2026.xml" in shown
    assert "MeSH: U.S. National Library of Medicine" in shown
    info = json.loads(call("ontology", "info", tmp_path / "store", "--json").stdout)
    assert info["concepts"] == 11
    assert info["types"]["C19"] == {"concepts": 3, "labels": ["Disease"]}
    assert info["ancestors"] > 0


def test_names_to_link_come_from_standard_input_too(tmp_path: Path, mesh: Path) -> None:
    build(tmp_path, "--mesh", mesh)
    links = rows("--ontology", tmp_path / "store", text="Rhinitis\n\n  type 2  diabetes mellitus\n")
    best = [(link["lookup_text"], link["concept_id"]) for link in links if link["rank"] == 1]
    assert best == [
        ("Rhinitis", "MESH:D012220"),
        ("type 2 diabetes mellitus", "MESH:D003924"),
    ]


def test_a_label_restricts_what_a_name_may_mean(tmp_path: Path, mesh: Path) -> None:
    build(tmp_path, "--mesh", mesh)
    store = tmp_path / "store"
    assert {link["concept_id"] for link in rows("--ontology", store, "cold")} == {
        "MESH:D001943",
        "MESH:D003080",
        "MESH:D003139",
    } - {"MESH:D003139"}
    (only,) = rows("--ontology", store, "--label", "Disease", "cold")
    assert only["concept_id"] == "MESH:D001943"


def test_without_names_it_says_how(tmp_path: Path) -> None:
    with pytest.raises(CharthouseError, match="no names"):
        call("link", text="\n")
