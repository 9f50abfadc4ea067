"""README: no placeholder left, links lead somewhere, its first query gives the output it shows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_no_placeholder_is_left() -> None:
    assert "@@" not in README


def test_relative_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_commands_it_names_exist() -> None:
    from typer.main import get_command

    from flows.cli.main import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?:^|/|`)charthouse ([a-z]+)", README, re.MULTILINE))
    assert named and named <= known
