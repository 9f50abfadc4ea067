"""FHIR: valid R4 by the models of ``fhir.resources``; only what is said of the patient."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from flows.exporting.fhir.fhir import Fhir
from flows.exporting.fhir.resources import MENTION_EXTENSION
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
        {"system": "http://id.nlm.nih.gov/mesh", "code": "D006073", "display": "Gout"}
    ]
    assert outcome.counts == {
        "documents without a person": 2,
        "mentions without a concept": 0,
        "mentions denied": 1,
        "mentions hypothetical or of others": 2,
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
        (extension,) = provenance["extension"]
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
    written = {file.name: file.rows for file in run_export(Fhir()).files}
    for file in expected.files:
        # Measured values are observations, too, and are not foreseen.
        measured = file.name == "Observation.ndjson"
        assert file.rows == written[file.name] - measured
        assert file.bytes is None


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
