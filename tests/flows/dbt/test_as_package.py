"""The dbt package within another project, as its users have it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.flows.dbt.conftest import PACKAGE, Project, short

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FILES = {
    "dbt_project.yml": """
name: ours
version: "1.0.0"
profile: charthouse
flags: {send_anonymous_usage_stats: false}
vars:
  charthouse_database: source_of_truth
  charthouse_with_text: true
  charthouse_mentions_where: "document_id not like 'notes:11%'"
  charthouse_condition_labels: ["Disease", "Bother's"]
data_tests:
  charthouse: {+severity: warn}
models:
  charthouse:
    +schema: charthouse
    staging: {+materialized: ephemeral}
""",
    "packages.yml": f"packages:\n  - local: {PACKAGE}\n",
    "models/frequent.sql": """
{{ config(materialized='table') }}
select c.concept_name, count(distinct d.person_id) as persons
from {{ ref('charthouse', 'fct_mention') }} as m
join {{ ref('charthouse', 'dim_document') }} as d on d.document_id = m.document_id
join {{ ref('charthouse', 'dim_concept') }} as c
  on c.release_id = m.release_id and c.concept_id = m.concept_id
semi join {{ source('charthouse', 'entities') }} as e on e.document_id = m.document_id
group by all
""",
    "models/models.yml": """
models:
  - name: frequent
    columns:
      - name: persons
        data_tests:
          - charthouse.in_range: {arguments: {min: 1, max: 1000}}
""",
}


@pytest.fixture
def ours(dbt_binary: str, made: Path, tmp_path: Path) -> Project:
    folder = tmp_path / "ours"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    profiles = (PACKAGE / "profiles.yml").read_text("utf-8")
    (folder / "profiles.yml").write_text(
        profiles.replace("alias: warehouse", "alias: source_of_truth"), encoding="utf-8"
    )
    project = Project(dbt_binary, folder, tmp_path)
    shutil.copy(made, project.warehouse)
    return project


def test_it_works_within_another_project_and_documents_itself(ours: Project) -> None:
    ours.change("UPDATE mentions SET score = 1.2 WHERE document_id IN ('notes:11', 'notes:12')")
    assert (done := ours.call("deps")).returncode == 0, done.stdout
    done = ours.call("build")
    assert done.returncode == 0, done.stdout[-3000:]
    odd = {short(k): v for k, v in ours.statuses().items() if v not in ("success", "pass", "no-op")}
    assert odd == {"mention_scores_in_range": "warn"}
    (failures,) = (n["failures"] for n in ours.results() if n["status"] == "warn")
    assert failures == 1  # the other one is left out by charthouse_mentions_where
    assert ours.query("SELECT persons > 10 FROM frequent WHERE concept_name = 'asthma'") == [
        (True,)
    ]
    texts = "SELECT DISTINCT mention_text, lookup_text FROM main_charthouse.fct_mention "
    assert ("gout", "gout") in ours.query(texts)
    views = "SELECT count(*) FROM duckdb_views() WHERE database_name = 'marts' AND NOT internal"
    assert ours.query(views) == [(0,)]
    _documented(ours)


def _documented(ours: Project) -> None:
    done = ours.call("docs", "generate", "--static")
    assert done.returncode == 0, done.stdout[-3000:]
    catalog = json.loads((ours.home / "target" / "catalog.json").read_text("utf-8"))
    sources = {node.split(".")[-1] for node in catalog["sources"]}
    assert {"mentions", "entities", "quality"} <= sources
    manifest = json.loads((ours.home / "target" / "manifest.json").read_text("utf-8"))
    undescribed = [
        (node["name"], column["name"])
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
        if node["package_name"] == "charthouse" and node["resource_type"] in ("model", "source")
        for column in node["columns"].values()
        if not column["description"]
    ]
    assert not undescribed
    assert len(manifest["exposures"]) == 4
