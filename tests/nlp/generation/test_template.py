"""Prompt templates: what their files may hold, and how gaps are filled."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.generation.completion import Sampling
from nlp.generation.errors import GenerationError
from nlp.generation.template import (
    FOLDER,
    load_template,
    render,
    render_merge,
    template_names,
)
from nlp.generation.template_form import parse_template

MINE = """
name = "mine"
version = 2
task = "text"
meaning = "says something"
system = "Be {tone}."
prompt = '''
Read {text} and {section:past_history}; answer as {{"x": 1}}.
'''
merge = "Join: {parts} ({tone})"
long_input = "text"
stop = ["END"]
max_new_tokens = 7

[inputs.text]
meaning = "the text"

[inputs."section:past_history"]
meaning = "a section"
default = "nothing"

[inputs.tone]
meaning = "how"
default = "brief"
"""


def parsed(text: str = MINE):
    return parse_template(tomllib.loads(text), "mine.toml")


def test_gaps_are_filled_and_defaults_stand_where_nothing_is_given():
    prompt = render(parsed(), {"text": "a note"}, "c:1")
    assert prompt.text == 'Read a note and nothing; answer as {"x": 1}.'
    assert prompt.system == "Be brief."
    assert prompt.key == "c:1"
    merged = render_merge(parsed(), "one\ntwo", {"text": "a note", "tone": "kind"}, "c:1")
    assert merged.text == "Join: one\ntwo (kind)"
    assert merged.system == "Be kind."


@settings(max_examples=30)
@given(st.text(), st.text())
def test_braces_in_a_value_are_only_braces(text, section):
    prompt = render(parsed(), {"text": text + "{tone}", "section:past_history": section})
    assert prompt.text == f'Read {text}{{tone}} and {section}; answer as {{"x": 1}}.'


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("version = 2", "version = 'two'", "version"),
        ("version = 2", "", "version"),
        ("version = 2", "version = true", "version"),
        ("version = 2", "verson = 2", "verson"),
        ('name = "mine"', 'name = "My prompt"', "name"),
        ('task = "text"', "task = 3", "task"),
        ('task = "text"', 'task = "text"\nstyle = "chat"', "style"),
        ("Read {text}", "Read {text", "prompt"),
        ("Read {text}", "Read text}", "prompt"),
        ("Read {text}", "Read {}", "prompt"),
        ("Read {text}", "Read {text!r}", "prompt"),
        ("Read {text}", "Read {text.__class__}", "prompt"),
        ("Read {text}", "Read {text} {texts}", "prompt"),
        ("Be {tone}", "Be {parts}", "system"),
        ("{parts} ", "", "merge"),
        ("{parts} ", "{parts} {text}", "merge"),
        ('long_input = "text"', "", "long_input"),
        ('long_input = "text"', 'long_input = "tone"', "long_input"),
        ('stop = ["END"]', 'stop = "END"', "stop"),
        ('stop = ["END"]', 'stop = [""]', "stop"),
        ("max_new_tokens = 7", "max_new_tokens = 0", "max_new_tokens"),
        ('meaning = "how"', 'meening = "how"', "inputs.tone.meening"),
        ('meaning = "how"', "", "inputs.tone.meaning"),
        ('default = "brief"', "default = 3", "inputs.tone.default"),
        ("[inputs.tone]", "[inputs.tone]\nmeaning='x'\n[inputs.more]", "inputs.more"),
        ("[inputs.tone]", "[inputs.parts]\nmeaning='x'\n[inputs.tone]", "inputs.parts"),
        ("[inputs.tone]", "[inputs.Tone]\nmeaning='x'\n[inputs.tone]", "inputs.Tone"),
    ],
)
def test_an_unfit_file_is_refused_by_file_and_key(old, new, key):
    assert old in MINE
    with pytest.raises(GenerationError, match=rf"^prompt mine\.toml: key `{re.escape(key)}`"):
        parsed(MINE.replace(old, new, 1))


def test_inputs_are_named_in_errors_and_never_shown():
    with pytest.raises(GenerationError, match="no input body") as caught:
        render(parsed(), {"text": "secret words", "body": "secret words"})
    assert "secret" not in str(caught.value)
    with pytest.raises(GenerationError, match="input text is missing"):
        render(parsed(), {"tone": "brief"})


def test_the_fingerprint_follows_the_words_and_not_the_layout():
    first = parsed()
    assert parsed("# a comment\n" + MINE.replace("version = 2", "version   =  2")) == first
    for old, new in [("Read", "See"), ("version = 2", "version = 3"), ('["END"]', '["STOP"]')]:
        assert parsed(MINE.replace(old, new)).sha256 != first.sha256
    assert re.fullmatch("[0-9a-f]{64}", first.sha256)
    assert replace(first, sha256="").fingerprinted() == first


def test_every_template_in_the_box_is_sound_and_has_its_files_name():
    assert template_names() == sorted(path.stem for path in FOLDER.iterdir())
    for name in template_names():
        template = load_template(name)
        assert template.name == name
        values = {entry.name: f"<{entry.name}>" for entry in template.inputs}
        prompt = render(template, values)
        for value in values.values():
            assert value in prompt.text + prompt.system
        if template.style == "continuation":  # a bare model goes on with what stands there
            assert not prompt.system


def test_an_own_file_is_read_and_what_is_none_is_refused(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE, "utf-8")
    assert load_template(str(path)) == load_template(path) == parsed()
    path.write_text(MINE, "utf-8-sig")  # as Notepad saves it
    assert load_template(path) == parsed()
    with pytest.raises(GenerationError, match=r"no such template in the box \(abstract-"):
        load_template("abstract-sumary")
    with pytest.raises(GenerationError, match="cannot be read"):
        load_template(tmp_path / "none.toml")
    path.write_text("name = \nversion = 1", "utf-8")
    with pytest.raises(GenerationError, match=r"no TOML file in UTF-8.*line 1"):
        load_template(path)
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(GenerationError, match="no TOML file in UTF-8"):
        load_template(path)


def test_stop_strings_and_bound_come_from_the_template_unless_set():
    sampling = parsed().sampling(Sampling(stop=("\n",), seed=3))
    assert sampling == Sampling(max_new_tokens=7, stop=("END", "\n"), seed=3)
    assert parsed().sampling(Sampling(), 20).max_new_tokens == 20
