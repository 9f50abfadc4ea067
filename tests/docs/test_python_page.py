"""docs/python.md: every name of the public surface is there, documented and typed."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import pytest

from tests.docs.blocks import DOCS

NAMES = re.findall(r"^::: (\S+)$", (DOCS / "python.md").read_text("utf-8"), re.MULTILINE)


def look_up(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_the_surface_is_that_of_the_three_rooms() -> None:
    assert len(NAMES) == len(set(NAMES)) > 25
    assert {name.partition(".")[0] for name in NAMES} == {"flows", "nlp", "ontologies"}
    assert not [name for name in NAMES if re.search(r"\._", name)]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there_with_its_docstring(name: str) -> None:
    thing = look_up(name)
    assert callable(thing) or isinstance(thing, tuple)
    if callable(thing):
        assert len((inspect.getdoc(thing) or "").split()) > 3
        assert thing.__module__ == name.rpartition(".")[0]


def test_functions_say_their_types() -> None:
    functions = [thing for name in NAMES if inspect.isfunction(thing := look_up(name))]
    assert len(functions) > 10
    for function in functions:
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not p.empty for p in signature.parameters.values())
