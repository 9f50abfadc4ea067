"""docs/quantities.md lists the vocabulary."""

from __future__ import annotations

import re
from pathlib import Path

from nlp.quantities.vocabulary import read_names, read_units

PAGE = Path(__file__).resolve().parents[3] / "docs" / "quantities.md"


def test_every_unit_and_name_is_listed() -> None:
    text = re.sub(r"```.*?```", "", PAGE.read_text("utf-8"), flags=re.DOTALL)
    listed = set(re.findall(r"`([^`]+)`", text))
    names = read_names()
    wanted = {name.name for name in names.by_spelling.values()} | set(read_units().by_code)
    wanted |= {base for bases in read_units().base.values() for base in bases.values()}
    assert wanted - listed == set()
