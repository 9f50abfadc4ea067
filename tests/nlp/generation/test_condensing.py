"""One text about each document: chunks, merges, and what is counted on the way."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from nlp.generation.completion import LENGTH, STOP, Completion, Progress, Prompt, Sampling
from nlp.generation.condensing import MARKUP_TOKENS, Source, Written, write_about
from nlp.generation.errors import GenerationError
from nlp.generation.template_form import parse_template
from nlp.preprocess.sentences import find_sentences

TEMPLATE = """
name = "mine"
version = 1
task = "summarize"
meaning = "names"
prompt = "Sum {hint} {text}"
merge = "Join {parts}"
long_input = "text"

[inputs.text]
meaning = "the text"

[inputs.hint]
meaning = "what to look at"
default = ""
"""


@dataclass
class Scribe:
    """A model that writes the words in capitals of its prompt, the first five of them."""

    context: int = MARKUP_TOKENS + 20
    name: str = "scribe"
    bound: int = 5
    silent: bool = False
    markup_tokens: int = 0
    rounds: list[list[Prompt]] = field(default_factory=list)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def generate(
        self, prompts: Sequence[Prompt], sampling: Sampling, progress: Progress | None = None
    ) -> list[Completion]:
        self.rounds.append(list(prompts))
        found = []
        for prompt in prompts:
            words = prompt.text.split()
            capitals = [word for word in words if word.isupper()]
            room = self.context - sampling.max_new_tokens
            over = max(0, len(words) - room)
            reason = LENGTH if len(capitals) > self.bound else STOP
            text = "" if self.silent else " ".join(capitals[: self.bound])
            made = len(text.split())
            found.append(Completion(text, reason, len(words) - over, made, over, -float(made)))
            if progress:
                progress(len(found))
        return found


def template(text: str = TEMPLATE):
    return parse_template(tomllib.loads(text), "mine.toml")


def source(text: str, key: str = "d", **inputs: str) -> Source:
    return Source(key, {"text": text, **inputs}, (), find_sentences(text))


SAMPLING = Sampling(max_new_tokens=5)
LONG = "He took ASA and then went home again. He felt well but had FEVER all week. Then came RASH."
"""Twenty words; a prompt has room for 15 tokens, one of them Sum."""


def test_a_short_document_is_one_call_with_its_own_key():
    model = Scribe()
    (found,) = write_about(model, template(), [source("took ASA", hint="DRUGS")], SAMPLING)
    assert found == Written("DRUGS ASA", STOP, 4, 2, 0, 1, -2.0)
    assert model.rounds == [[Prompt("Sum DRUGS took ASA", "", "d")]]


def test_a_long_one_is_cut_between_sentences_and_merged():
    model = Scribe()
    (found,) = write_about(model, template(), [source(LONG)], SAMPLING)
    assert [prompt.text for prompt in model.rounds[0]] == [
        "Sum  He took ASA and then went home again.",
        "Sum  He felt well but had FEVER all week. Then came RASH.",
    ]
    assert [prompt.text for prompt in model.rounds[1]] == ["Join ASA\n\nFEVER RASH."]
    keys = [prompt.key for prompts in model.rounds for prompt in prompts]
    assert keys == ["d#0.0", "d#0.1", "d#1.0"]
    given, made = 9 + 12 + 4, 1 + 2 + 3
    score = -(1 * 1 + 2 * 2 + 3 * 3) / made
    assert found == Written("ASA FEVER RASH.", STOP, given, made, 0, 3, score)


def test_merging_goes_on_until_one_text_is_left_and_nothing_is_lost():
    names = [f"N{number}" for number in range(40)]
    text = " ".join(f"{name} one two three four five six seven." for name in names)
    model = Scribe(bound=100)
    (found,) = write_about(model, template(), [source(text)], SAMPLING)
    assert isinstance(found, Written)
    first = [word for prompt in model.rounds[0] for word in prompt.text.split()]
    assert [word for word in first if word.startswith("N")] == names
    assert found.text.split() == names  # in order, though merged in groups
    assert len(model.rounds) > 2
    assert found.calls == sum(map(len, model.rounds))


def test_documents_share_rounds_and_do_not_depend_on_each_other():
    long = [source(LONG.replace("ASA", f"D{number}"), f"d{number}") for number in range(3)]
    sources = [*long, source("took ASA", "e")]
    model = Scribe()
    seen: list[int] = []
    together = write_about(model, template(), sources, SAMPLING, seen.append)
    assert [len(prompts) for prompts in model.rounds] == [7, 3]
    alone = [write_about(Scribe(), template(), [one], SAMPLING)[0] for one in sources]
    assert together == alone
    assert seen == sorted(seen)
    assert seen[-1] == 4
    assert {1, 2, 3} <= set(seen)  # the short one ends with the first round


def test_a_cut_off_part_shows_in_the_finish_reason():
    text = LONG.replace("then went home", "A1 A2 A3 A4 A5")
    (found,) = write_about(Scribe(), template(), [source(text)], SAMPLING)
    assert isinstance(found, Written)
    assert found.finish_reason == LENGTH


def test_without_a_merge_prompt_the_lost_tokens_are_counted():
    lines = TEMPLATE.replace('merge = "Join {parts}"', "").replace('long_input = "text"', "")
    (found,) = write_about(
        Scribe(context=20 + MARKUP_TOKENS), template(lines), [source("word " * 100)], SAMPLING
    )
    assert isinstance(found, Written)
    assert found.calls == 1
    assert found.truncated_tokens == 101 - (15 + MARKUP_TOKENS)


def test_a_chat_of_many_marks_has_room_for_them():
    model = Scribe(context=200)
    model.markup_tokens = 100
    write_about(model, template(), [source("word " * 100)], SAMPLING)
    assert max(len(prompt.text.split()) for prompt in model.rounds[0]) <= 200 - 5 - 100


def test_parts_that_say_nothing_are_left_out():
    model = Scribe(silent=True)
    (found,) = write_about(model, template(), [source(LONG)], SAMPLING)
    assert isinstance(found, Written)
    assert (found.text, found.calls) == ("", 2)


def test_a_document_whose_inputs_do_not_fit_fails_alone():
    good, unknown = source("took ASA"), source("took ASA", tone="kind")
    filled = source(LONG, hint="word " * 30)
    results = write_about(Scribe(), template(), [unknown, good, filled], SAMPLING)
    assert isinstance(results[0], GenerationError)
    assert isinstance(results[1], Written)
    assert "its other inputs take" in str(results[2])
    assert "word" not in str(results[2])


def test_a_template_that_leaves_no_room_is_refused():
    with pytest.raises(GenerationError, match="prompt mine: it leaves no room for text"):
        write_about(Scribe(context=MARKUP_TOKENS + 4), template(), [source("a")], SAMPLING)
    with pytest.raises(GenerationError, match="may have 10"):
        bound = Sampling(max_new_tokens=5, max_input_tokens=10)
        write_about(Scribe(), template(), [source("a")], bound)


@dataclass
class Refused:
    reason: str


class Server(Scribe):
    """Fails on prompts that hold RASH."""

    def complete_each(self, prompts, sampling, progress=None):
        answers = self.generate(prompts, sampling, progress)
        return [
            Refused("the server refused it") if "RASH" in prompt.text else answer
            for prompt, answer in zip(prompts, answers, strict=True)
        ]


def test_a_prompt_that_a_server_refuses_fails_its_document_alone():
    sources = [source(LONG), source(LONG.replace("RASH", "PAIN"), "e")]
    refused, written = write_about(Server(), template(), sources, SAMPLING)
    assert isinstance(refused, GenerationError)
    assert str(refused) == "the server refused it"
    assert isinstance(written, Written)
    assert written == write_about(Scribe(), template(), sources[1:], SAMPLING)[0]
