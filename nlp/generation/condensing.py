"""One text about each document by a prompt template, however long the document is.

What does not fit into a prompt is cut into chunks (:mod:`nlp.generation.chunks`); what the model
writes about them is merged by the template's ``merge`` prompt, as many at a time as fit, until one
text is left (Wu et al. 2021, "Recursively Summarizing Books with Human Feedback"). All documents go
through the model together, level by level, so that its batches are full: first every chunk of every
document, then all merges of what came of them, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nlp.generation.chunks import cut_chunks
from nlp.generation.completion import LENGTH, STOP, Completion, Prompt, Sampling, TextModel
from nlp.generation.errors import GenerationError
from nlp.generation.rendering import CONTINUATION, Template, render, render_merge
from nlp.generation.written import Source, Written

__all__ = ["MARKUP_TOKENS", "Source", "Written", "markup_room", "write_about"]

MARKUP_TOKENS = 48
"""Room left in every prompt for special tokens and the marks of a chat, where none are counted."""
_JOINTS = 16
"""Room for words that have other tokens side by side than each alone."""

Progress = Callable[[int], None]
"""Told how many documents are done."""


def markup_room(model: TextModel) -> int:
    """Tokens to leave in every prompt for special tokens, the marks of a chat, and joints."""
    return max(MARKUP_TOKENS, getattr(model, "markup_tokens", 0) + _JOINTS)


@dataclass
class _Document:
    """A document on its way: the texts that are not merged yet, and all answers so far."""

    source: Source
    texts: list[str] = field(default_factory=list)
    answers: list[Completion] = field(default_factory=list)


@dataclass(frozen=True)
class _Call:
    """A prompt, and which text of which document the answer will be."""

    place: int
    number: int
    prompt: Prompt


def write_about(
    model: TextModel,
    template: Template,
    sources: Sequence[Source],
    sampling: Sampling,
    progress: Progress | None = None,
) -> list[Written | GenerationError]:
    """Write one text about each document, in input order.

    Args:
        model: writes. One that has ``complete_each``, as an endpoint, is asked by that; what it
            gives in place of a completion has a ``reason``, without text.
        template: says what is asked for. Without ``merge`` a document that does not fit loses its
            middle part, and the lost tokens are counted.
        sources: documents.
        sampling: how tokens are chosen; its bound and stop strings are used as they are.
        progress: told how many documents are done.

    Returns:
        Of each document what was written; or why nothing can be: its inputs are not those of the
        template, or leave no room for a part of its text, or the model fails on it alone.

    Raises:
        GenerationError: the template leaves no room for any text, or the model refuses the request.
    """
    room = _room(model, template, sampling)
    documents = [_Document(source) for source in sources]
    failed: dict[int, GenerationError] = {}
    calls: list[_Call] = []
    for place, document in enumerate(documents):
        try:
            calls += _first_calls(model, template, place, document, room)
        except GenerationError as error:
            failed[place] = error
    level = 0
    while calls:
        told = _told(progress, documents, calls)
        answers = _complete(model, [call.prompt for call in calls], sampling, told)
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, GenerationError):
                failed[call.place] = answer
            else:
                documents[call.place].texts[call.number] = answer.text.strip()
                documents[call.place].answers.append(answer)
        level += 1
        calls = []
        for place, document in enumerate(documents):
            if len(document.texts) > 1 and place not in failed:
                calls += _merging_calls(model, template, place, document, room, level)
    if progress:
        progress(len(documents))
    return [failed.get(place) or _written(document) for place, document in enumerate(documents)]


def _complete(
    model: TextModel, prompts: Sequence[Prompt], sampling: Sampling, progress: Progress
) -> list[Completion | GenerationError]:
    """Complete prompts. A model behind a server may fail on some of them, and then says why."""
    complete_each = getattr(model, "complete_each", None)
    if complete_each is None:
        return list(model.generate(prompts, sampling, progress))
    return [
        answer if isinstance(answer, Completion) else GenerationError(str(answer.reason))
        for answer in complete_each(prompts, sampling, progress)
    ]


def _room(model: TextModel, template: Template, sampling: Sampling) -> int:
    """Tokens that a prompt may have.

    Raises:
        GenerationError: the template's own words fill it.
    """
    room = model.context - sampling.max_new_tokens
    room = min(room, sampling.max_input_tokens) if sampling.max_input_tokens else room
    words = [template.system, template.prompt, *([template.merge] if template.merge else [])]
    bare = [part.fill(dict.fromkeys(part.gaps, "")) for part in words]
    system, *requests = model.count_tokens(bare)
    own = system + max(requests) + markup_room(model)
    if own >= room:
        raise GenerationError(
            f"prompt {template.name}: it leaves no room for text: its own words take "
            f"{own} tokens, and with {sampling.max_new_tokens} new ones a prompt of model "
            f"{model.name} may have {room}; allow fewer new tokens, or use a shorter prompt or a "
            "model of a longer context"
        )
    return room


def _first_calls(
    model: TextModel, template: Template, place: int, document: _Document, room: int
) -> list[_Call]:
    """The prompts about a document, or about each of its chunks."""
    source = document.source
    whole = render(template, source.inputs, source.key)
    name = template.long_input
    if name is None or _tokens(model, whole) <= room:
        document.texts = [""]
        return [_Call(place, 0, whole)]
    text = template.values(source.inputs)[name]
    around = _tokens(model, render(template, {**source.inputs, name: ""}))
    if around >= room:
        raise GenerationError(
            f"its other inputs take {around} tokens, where a prompt may have {room}"
        )
    chunks = cut_chunks(
        text,
        room - around,
        model.count_tokens,
        sections=source.sections,
        sentences=source.sentences,
    )
    parts = [part for start, end in chunks if (part := text[start:end].strip())] or [""]
    document.texts = [""] * len(parts)
    return [
        _Call(
            place,
            number,
            render(template, {**source.inputs, name: part}, f"{source.key}#0.{number}"),
        )
        for number, part in enumerate(parts)
    ]


def _merging_calls(
    model: TextModel, template: Template, place: int, document: _Document, room: int, level: int
) -> list[_Call]:
    """Merge a document's texts in groups that fit; a text left alone waits for the next level.

    A group has two texts at least, so that this ends: where two do not fit, the model cuts their
    prompt, and says so.
    """
    source = document.source
    inputs = {name: text for name, text in source.inputs.items() if name != template.long_input}
    inputs |= {template.long_input: ""} if template.long_input else {}
    texts = [text for text in document.texts if text]
    if len(texts) < 2:
        document.texts = texts or [""]
        return []
    between = " " if template.style == CONTINUATION else "\n\n"
    around = _tokens(model, render_merge(template, "", inputs))
    sizes = model.count_tokens([between + text for text in texts])
    groups: list[list[str]] = []
    used = room
    for text, size in zip(texts, sizes, strict=True):
        if used + size > room and not (groups and len(groups[-1]) < 2):
            groups.append([])
            used = around
        groups[-1].append(text)
        used += size
    document.texts = [group[0] for group in groups]
    return [
        _Call(
            place,
            number,
            render_merge(template, between.join(group), inputs, f"{source.key}#{level}.{number}"),
        )
        for number, group in enumerate(groups)
        if len(group) > 1
    ]


def _tokens(model: TextModel, prompt: Prompt) -> int:
    return sum(model.count_tokens([prompt.system, prompt.text])) + markup_room(model)


def _told(
    progress: Progress | None, documents: Sequence[_Document], calls: Sequence[_Call]
) -> Progress:
    """Turns prompts done into documents done: those of one text end with this level."""
    asked = {call.place for call in calls}
    before = len(documents) - len(asked)
    ending = sum(len(documents[place].texts) == 1 for place in asked)

    def told(done: int) -> None:
        if progress:
            progress(before + min(done, ending))

    return told


def _written(document: _Document) -> Written:
    answers = document.answers
    made = sum(answer.completion_tokens for answer in answers)
    scores = [a.score * a.completion_tokens for a in answers if a.score is not None]
    was_cut = any(answer.finish_reason == LENGTH for answer in answers)
    return Written(
        text=document.texts[0],
        finish_reason=LENGTH if was_cut else STOP,
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        completion_tokens=made,
        truncated_tokens=sum(answer.truncated_tokens for answer in answers),
        calls=len(answers),
        score=sum(scores) / made if made and len(scores) == len(answers) else None,
    )
