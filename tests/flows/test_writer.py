"""A language model that links, as a person sets it: settings, commands, and errors at the door."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli import doctor
from flows.cli.main import app
from flows.errors import CharthouseError
from flows.settings import load_settings
from flows.targets import link_targets
from ontologies.build import build_store
from tests.flows.runs import assert_sound, charthouse, query
from tests.language_models import make_gpt2, teach
from tests.ontologies.conftest import mesh_file, record

RECORDS = (
    record("D009203", "Myocardial Infarction", "Heart Attack", trees=("C14.100",)),
    record("D001249", "Asthma", trees=("C08.100",)),
    record("D051437", "Renal Insufficiency", "Kidney Failure", trees=("C12.100",)),
)
LESSONS = (
    "Broken pump means Myocardial Infarction",
    "Heart Attack means Myocardial Infarction",
    "Asthma means Asthma",
    "Kidney Failure means Renal Insufficiency",
)


def call(*arguments: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(done.exception, CharthouseError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_gpt2(tmp_path_factory.mktemp("writer") / "gpt2", LESSONS, size=300, width=32)
    teach(folder, LESSONS, steps=80, rate=1e-2)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    build_store([("mesh", mesh_file(tmp_path / "desc.xml", *RECORDS))], tmp_path / "mesh")
    return tmp_path / "mesh"


@pytest.fixture
def config(tmp_path: Path, model: Path, store: Path) -> Path:
    """Settings that name the model relative to their own folder."""
    (tmp_path / "model").symlink_to(model)
    file = tmp_path / "charthouse.toml"
    file.write_text('[link]\nwriter = "model"\nwriter_use = "fallback"\n')
    return file


def test_a_name_is_linked_by_the_model_of_the_settings(config: Path, store: Path) -> None:
    arguments = ("link", "--ontology", store, "--label", "Disease", "Broken pump", "--json")
    plain = [json.loads(line) for line in call(*arguments).stdout.splitlines()]
    assert plain[0]["status"] == "no_candidate"
    lines = call(*arguments, "--config", config).stdout.splitlines()
    first = json.loads(lines[0])
    assert (first["concept_id"], first["method"]) == ("MESH:D009203", "generated")


def test_a_model_that_is_not_there_is_told_at_the_door(tmp_path: Path, store: Path) -> None:
    config = tmp_path / "charthouse.toml"
    config.write_text('[link]\nwriter = "models/none"\n')
    with pytest.raises(CharthouseError, match="language model models/none: no such folder"):
        call("link", "--ontology", store, "--config", config, "asthma")
    with pytest.raises(CharthouseError, match="language model models/none: no such folder"):
        link_targets([str(store)], load_settings(config, {}))
    config.write_text('[link]\nwriter = "hub:microsoft/biogpt"\n')
    with pytest.raises(CharthouseError, match="give the revision too"):
        link_targets([str(store)], load_settings(config, {}))
    config.write_text('[link]\nwriter_template = "means"\n')
    with pytest.raises(CharthouseError, match="writer_template"):
        load_settings(config, {})


def test_the_doctor_asks_the_model(config: Path, tmp_path: Path) -> None:
    (well,) = doctor._linking(config)
    assert well.found.startswith("links names (fallback) on ") and not well.fix
    (tmp_path / "none.toml").write_text('[link]\nwriter = "models/none"\n')
    (ill,) = doctor._linking(tmp_path / "none.toml")
    assert "no such folder" in ill.fix
    assert not list(doctor._linking(None))


def test_pairs_of_a_store_are_written(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    told = json.loads(call("ontology", "pairs", store, "--out", out, "--json").stdout)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert (told["pairs"], told["concepts"]) == (len(rows), 3)
    assert {"prompt": "Heart Attack means", "completion": " Myocardial Infarction"} in rows
    names = tmp_path / "names.tsv"
    names.write_text("concept_id\tname\nMESH:D009203\tcoronary\n")
    more = ("--names", names, "--template", "{mention} is", "--no-same")
    call("ontology", "pairs", store, "--out", out, *more)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["prompt"] for row in rows} == {
        "Heart Attack is",
        "Kidney Failure is",
        "coronary is",
    }
    call("ontology", "pairs", store, "--out", out, "--template", "means", code=2)
    with pytest.raises(CharthouseError, match="no names to learn from"):
        call("ontology", "pairs", store, "--out", out, "--semantic-type", "Z")
    with pytest.raises(CharthouseError, match="cannot be written"):
        call("ontology", "pairs", store, "--out", tmp_path / "no" / "pairs.jsonl")


@pytest.mark.slow
def test_a_run_links_with_the_model_and_a_relink_misses_it(
    notes: Callable[..., Path], store: Path, config: Path, tmp_path: Path, prefect_address: str
) -> None:
    words = record("D009203", "Myocardial Infarction", "Broken pump", trees=("C14.100",))
    build_store([("mesh", mesh_file(tmp_path / "words.xml", words))], tmp_path / "words")
    source = notes(a="Broken pump since May.", b="Myocardial infarction.", c="A broken pump.")
    warehouse = tmp_path / "run.duckdb"
    finders = ("--model", "none", "--dictionary", tmp_path / "words")
    settings = ("--ontology", store, "--config", config)
    shared = {"PREFECT_API_URL": prefect_address}
    done = charthouse(tmp_path, "run", source, "-w", warehouse, *settings, *finders, **shared)
    assert done.returncode == 0, done.stderr
    found = query(
        warehouse,
        "SELECT lower(lookup_text), concept_id, method FROM name_links JOIN linksets "
        "USING (linkset_id) WHERE is_current AND rank = 1 ORDER BY ALL",
    )
    assert ("broken pump", "MESH:D009203", "generated") in found
    assert ("myocardial infarction", "MESH:D009203", "exact") in found
    assert_sound(warehouse)
    (tmp_path / "model").unlink()
    done = charthouse(tmp_path, "relink", "-w", warehouse, *settings)
    assert done.returncode == 1
    assert "language model model: no such folder" in done.stderr
