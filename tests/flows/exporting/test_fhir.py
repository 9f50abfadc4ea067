"""FHIR: valid R4 by the models of ``fhir.resources``; only what is said of the patient."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from flows.exporting.fhir.fhir import Fhir
from flows.exporting.fhir.parts import MENTION_EXTENSION
from flows.exporting.fhir.systems import coding, reference
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench
from tests.flows.exporting.conftest import NOTE_1, Export


def resources(out: Path) -> dict[str, list[dict[str, Any]]]:
    """All resources by type; each is checked against its model."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(out.glob("*.ndjson")):
        for line in path.read_text("utf-8").splitlines():
            resource = json.loads(line)
            assert resource["resourceType"] == path.stem
            checked = get_fhir_model_class(path.stem).model_validate(resource)
            assert checked.id == resource["id"]
            found.setdefault(path.stem, []).append(resource)
    return found


def told(found: list[dict[str, Any]]) -> set[str]:
    return {r.get("valueCodeableConcept", r["code"])["text"] for r in found}


def status(resource: dict[str, Any], name: str) -> str | None:
    return resource[name]["coding"][0]["code"] if name in resource else None


def test_only_what_is_said_of_the_patient_is_a_statement(
    run_export: Export, tmp_path: Path
) -> None:
    outcome = run_export(Fhir())
    found = resources(tmp_path / "out")
    assert {file.name: file.rows for file in outcome.files} == {
        f"{kind}.ndjson": len(rows) for kind, rows in found.items()
    }
    # Fever is the other note's.
    assert told(found["Condition"]) == {"Chest Pain", "Asthma", "Gout", "Fever"}
    by_name = {c["code"]["text"]: c for c in found["Condition"]}
    assert {
        name: (status(c, "clinicalStatus"), status(c, "verificationStatus"))
        for name, c in by_name.items()
    } == {
        "Chest Pain": ("active", "unconfirmed"),
        "Asthma": ("inactive", "unconfirmed"),
        "Gout": ("active", "provisional"),
        "Fever": (None, "unconfirmed"),  # not assessed
    }
    assert by_name["Fever"]["subject"] == {"reference": "Patient/6"}
    assert by_name["Gout"]["recordedDate"] == "2024-02-03"
    assert by_name["Gout"]["code"]["coding"] == [
        {"system": "https://www.nlm.nih.gov/mesh", "code": "D006073", "display": "Gout"}
    ]
    assert outcome.documents == len(found["DocumentReference"]) == 2
    assert outcome.counts == {
        "documents without a person": 2,
        "mentions without a concept": 0,
        "mentions denied": 1,
        "mentions hypothetical or of others": 2,
        "measures without a name": 0,
        "measures denied, hypothetical or of others": 0,
        "vital signs that are limits": 0,
    }


def test_what_is_denied_is_refuted_on_demand(run_export: Export, tmp_path: Path) -> None:
    outcome = run_export(Fhir(include_negated=True))
    found = resources(tmp_path / "out")
    refuted = [c for c in found["Condition"] if status(c, "verificationStatus") == "refuted"]
    assert told(refuted) == {"Fever"}
    assert all("clinicalStatus" not in c for c in refuted)
    assert outcome.counts["mentions denied"] == 0


def test_quantities_are_measured_observations(run_export: Export, tmp_path: Path) -> None:
    run_export(Fhir())
    named, measured = resources(tmp_path / "out")["Observation"]
    assert named["valueCodeableConcept"]["text"] == measured["code"]["text"] == "Sodium"
    assert measured["valueQuantity"] == {
        "value": 120.0,
        "comparator": "<",
        "unit": "mmol/L",
        "system": "http://unitsofmeasure.org",
        "code": "mmol/L",
    }


def test_provenance_says_where_and_why(filled: Bench, run_export: Export, tmp_path: Path) -> None:
    run_export(Fhir())
    found = resources(tmp_path / "out")
    statements = {
        f"{r['resourceType']}/{r['id']}": r for r in found["Condition"] + found["Observation"]
    }
    assert {p["target"][0]["reference"] for p in found["Provenance"]} == set(statements)
    documents = {f"DocumentReference/{d['id']}": d for d in found["DocumentReference"]}
    devices = {f"Device/{d['id']}" for d in found["Device"]}
    for provenance in found["Provenance"]:
        statement = statements[provenance["target"][0]["reference"]]
        source = documents[provenance["entity"][0]["what"]["reference"]]
        assert provenance["agent"][0]["who"]["reference"] in devices
        assert statement["subject"] == source["subject"]
        *quantity, extension = provenance["extension"]
        assert bool(quantity) == ("valueQuantity" in statement)
        assert extension["url"] == MENTION_EXTENSION
        said: dict[str, Any] = {
            part["url"]: next(value for key, value in part.items() if key != "url")
            for part in extension["extension"]
        }
        name = statement.get("valueCodeableConcept", statement["code"])["text"]
        if source["identifier"][0]["value"] == "notes:11":
            assert NOTE_1[said["start"] : said["end"]].lower() == name.lower()
        assert said["model"] == "rule"
        assert said.get("rule") == ("perhaps" if name == "Gout" else None)
        assert said.get("uncertain") == {"Gout": True, "Fever": None}.get(name, False)
        assert said.get("historical") == {"Asthma": True, "Fever": None}.get(name, False)


def test_texts_are_attached_on_demand(run_export: Export, tmp_path: Path) -> None:
    run_export(Fhir())
    (without, *_) = resources(tmp_path / "out")["DocumentReference"]
    assert without["content"] == [{"attachment": {"contentType": "text/plain; charset=utf-8"}}]
    everything = "".join(p.read_text("utf-8") for p in (tmp_path / "out").glob("*.ndjson"))
    assert "naïve café" not in everything
    run_export(Fhir(with_text=True), overwrite=True)
    attached = {
        d["identifier"][0]["value"]: d["content"][0]["attachment"]
        for d in resources(tmp_path / "out")["DocumentReference"]
    }
    assert base64.b64decode(attached["notes:11"]["data"]).decode("utf-8") == NOTE_1
    assert attached["notes:11"]["size"] == len(NOTE_1.encode("utf-8"))


def test_ids_stay_over_exports_and_annotation_sets(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    def ids() -> set[str]:
        return {r["id"] for r in resources(tmp_path / "out")["Condition"]}

    run_export(Fhir())
    before = ids()
    run_export(Fhir(), overwrite=True)
    assert ids() == before
    assert len(before) == 4
    with open_warehouse(filled.warehouse) as connection:
        for table in ("mentions", "document_annotations", "sections", "assertion_cues"):
            connection.execute(f"UPDATE {table} SET annotation_id = 'rule-2'")
    run_export(Fhir(), overwrite=True)
    assert ids() == before


def test_a_dry_run_counts_the_statements(run_export: Export, tmp_path: Path) -> None:
    expected = run_export(Fhir(), dry_run=True)
    assert not (tmp_path / "out").exists()
    written = run_export(Fhir())
    assert [(file.name, file.rows) for file in expected.files] == [
        (file.name, file.rows) for file in written.files
    ]
    assert expected.counts == written.counts
    assert all(file.bytes is None for file in expected.files)


def test_ids_that_fhir_does_not_allow_become_identifiers() -> None:
    assert reference("Patient", "a-7.B", "urn:p") == {"reference": "Patient/a-7.B"}
    assert reference("Patient", "a 7", "urn:p") == {
        "type": "Patient",
        "identifier": {"system": "urn:p", "value": "a 7"},
    }
    assert coding("UMLS:C0011849", None) == {
        "system": "http://www.nlm.nih.gov/research/umls",
        "code": "C0011849",
    }
    assert coding("local:7:8", "x")["system"] == "urn:charthouse:ontology:local"
    assert coding("HP:0001250", None)["code"] == "HP:0001250"


def add_quantity(
    bench: Bench, kind: str, start: int, value: float, document_id: str = "notes:11", **more: object
) -> None:
    row = {"document_id": document_id, "annotation_id": "rule-1", "quantity_id": start}
    row |= {"start_char": start, "end_char": start + 2, "kind": kind, "value": value, **more}
    columns = ", ".join(f"? AS {column}" for column in row)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(f"INSERT INTO quantities BY NAME SELECT {columns}", list(row.values()))


def assess(bench: Bench, name: str, judged: str, rule: str | None = None) -> int:
    """Judge the mention of a name in the first note; returns its mention_id."""
    with open_warehouse(bench.warehouse) as connection:
        ((mention_id,),) = connection.execute(
            f"UPDATE mentions SET {judged} = true WHERE lookup_text = ? "
            "AND document_id = 'notes:11' RETURNING mention_id",
            [name],
        ).fetchall()
        if rule is not None:
            connection.execute(
                "INSERT INTO assertion_cues VALUES ('notes:11', 'rule-1', ?, ?, ?, 1, 2)",
                [mention_id, judged, rule],
            )
    return int(mention_id)


def measures(out: Path) -> dict[str, dict[str, Any]]:
    """Observations that hold no concept as their value, by the words of their code."""
    observations = resources(out)["Observation"]
    return {o["code"]["text"]: o for o in observations if "valueCodeableConcept" not in o}


def test_a_measure_is_coded_by_its_name_and_not_by_the_finding(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    asthma = assess(filled, "asthma", "negated")
    of_mother = assess(filled, "diabetes", "historical")
    ef = {"name": "ejection_fraction", "unit": "%"}
    add_quantity(filled, "measure", 10, 35, mention_id=asthma, **ef)
    add_quantity(filled, "measure", 20, 1.8, unit="cm", mention_id=asthma)
    add_quantity(filled, "measure", 30, 40, mention_id=of_mother, **ef)
    add_quantity(filled, "dose", 40, 5, name="as_needed")
    add_quantity(filled, "lab_value", 50, 5.3, name="potassium", mention_id=asthma)
    outcome = run_export(Fhir())
    found = measures(tmp_path / "out")
    assert set(found) == {"Sodium", "ejection fraction", "potassium"}
    assert found["potassium"]["code"] == {"text": "potassium"}
    assert found["ejection fraction"]["code"] == {"text": "ejection fraction"}
    assert found["ejection fraction"]["valueQuantity"]["value"] == 35
    assert found["ejection fraction"]["note"] == [{"text": "historical"}]
    assert outcome.counts["measures without a name"] == 1
    assert outcome.counts["measures denied, hypothetical or of others"] == 1


def test_vital_signs_and_lab_values_need_no_mention(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    add_quantity(filled, "vital_sign", 10, 162, high=94, unit="mm[Hg]", name="blood_pressure")
    add_quantity(filled, "vital_sign", 20, 98, unit="/min", name="heart_rate")
    add_quantity(filled, "lab_value", 30, 1.2, high=1.4, name="creatinine", comparator="~")
    add_quantity(filled, "lab_value", 40, 7, comparator=">", name="white_blood_cells")
    add_quantity(filled, "vital_sign", 50, 38, comparator=">", name="temperature")
    outcome = run_export(Fhir())
    found = measures(tmp_path / "out")
    assert set(found) == {
        *("Sodium", "blood pressure", "heart rate", "creatinine", "white blood cells"),
    }
    assert outcome.counts["vital signs that are limits"] == 1
    pressure = found["blood pressure"]
    assert status(pressure, "code") == "85354-9"
    parts = {status(p, "code"): p["valueQuantity"]["value"] for p in pressure["component"]}
    assert parts == {"8480-6": 162, "8462-4": 94}
    assert "valueRange" not in pressure
    assert status(found["heart rate"], "code") == "8867-4"
    assert found["creatinine"]["code"] == {"text": "creatinine"}
    assert found["creatinine"]["note"] == [{"text": "comparator as written: ~"}]
    assert found["white blood cells"]["valueQuantity"] == {"value": 7, "comparator": ">"}
    assert "note" not in found["white blood cells"]
    assert found["heart rate"]["effectiveDateTime"] == "2024-02-03"


def test_what_is_historical_was_not_observed_at_the_date(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    assess(filled, "sodium", "historical")
    assess(filled, "sodium", "uncertain")
    run_export(Fhir())
    for observation in resources(tmp_path / "out")["Observation"]:
        assert "effectiveDateTime" not in observation
        assert observation["note"] == [{"text": "historical"}, {"text": "uncertain"}]


def test_what_is_to_be_ruled_out_is_no_active_condition(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    assess(filled, "gout", "uncertain", "rule_out")
    run_export(Fhir())
    by_name = {c["code"]["text"]: c for c in resources(tmp_path / "out")["Condition"]}
    assert status(by_name["Gout"], "verificationStatus") == "differential"
    assert status(by_name["Gout"], "clinicalStatus") is None
    assert status(by_name["Chest Pain"], "clinicalStatus") == "active"


def test_ids_of_measures_stay_where_others_come_before_them(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:
    add_quantity(filled, "vital_sign", 20, 98, name="heart_rate")
    run_export(Fhir())
    before = measures(tmp_path / "out")["heart rate"]["id"]
    with open_warehouse(filled.warehouse) as connection:
        connection.execute("UPDATE quantities SET quantity_id = quantity_id + 1")
    run_export(Fhir(), overwrite=True)
    assert measures(tmp_path / "out")["heart rate"]["id"] == before


@pytest.mark.parametrize(
    ("concept_id", "system"),
    [
        ("SCT:1", "http://snomed.info/sct"),
        ("LNC:1", "http://loinc.org"),
        ("HPO:1", "http://human-phenotype-ontology.org"),
        ("ICD9CM:1", "http://hl7.org/fhir/sid/icd-9-cm"),
        ("ATC:1", "http://www.whocc.no/atc"),
        ("NDC:1", "http://hl7.org/fhir/sid/ndc"),
        ("HGNC:1", "http://www.genenames.org"),
        ("mesh:1", "https://www.nlm.nih.gov/mesh"),
    ],
)
def test_code_systems_have_the_uris_of_hl7(concept_id: str, system: str) -> None:
    assert coding(concept_id, None)["system"] == system
