"""docs/sql.md: its commands and queries, carried out again on the sample, give what it shows."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/write_sql.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import write_sql

    module: ModuleType = write_sql
    return module


def questions(page: str) -> list[str]:
    """The text below each numbered heading."""
    return re.split(r"^## \d+\. .*\?$", page, flags=re.MULTILINE)[1:]


def test_each_question_has_a_query_an_output_and_how_to_read_it(script: ModuleType) -> None:
    asked = questions(script.PAGE.read_text("utf-8"))
    assert len(asked) >= 15
    for text in asked:
        _, *answers = re.split(r"^```sql\n.*?^```\n\n```text\n", text, flags=re.M | re.S)
        assert answers, text
        for answer in answers:
            output, _, reading = answer.partition("```\n")
            assert len(output.splitlines()) >= 2, "a heading and a row"
            assert len(reading.split()) >= 20, reading


def test_the_order_of_each_output_is_decided(script: ModuleType) -> None:
    """An output must not hang on chance."""
    page = script.PAGE.read_text("utf-8")
    for query in re.findall(r"^```sql\n(.*?)^```", page, re.M | re.S):
        last = query.splitlines()[-1]
        assert re.match(r"(GROUP BY|WHERE|ORDER BY).*", last) and "ORDER BY" in last, query


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_page_shows_what_comes_out(
    script: ModuleType, tmp_path: Path, prefect_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_address)
    page = script.PAGE.read_text("utf-8")
    assert script.answered(page, tmp_path).split("```") == page.split("```")
