"""Gold files as texts to learn from and to choose by, checked against each other."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.errors import CharthouseError, SourceError
from flows.labels import LabelRules, check_rules_are_used, parse_rules
from flows.readers.base import corpus_of_stem
from flows.readers.gold import GoldDocument, read_gold_file
from flows.work import file_sha256

Mention = tuple[int, int, str]

_CHANCE_CHARACTERS = 100
"""Shorter texts, such as sentences of method sections, stand in many corpora by chance."""


@dataclass(frozen=True)
class DataRequest:
    """Which gold files to learn from and how to read them, as the command line says it."""

    train: tuple[Path, ...]
    dev: tuple[Path, ...] = ()
    dev_share: float = 0.0
    split_seed: int = 0
    label_maps: tuple[str, ...] = ()
    annotates: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """A document's text and mentions under our labels; ``key`` tells the same document again."""

    key: str
    text: str
    mentions: tuple[Mention, ...]


@dataclass(frozen=True)
class Corpus:
    """One gold file: its SHA-256, the labels it annotates, and its texts in order."""

    name: str
    sha256: str
    annotated: frozenset[str]
    texts: tuple[Text, ...]

    def mentions(self) -> dict[str, int]:
        """Mentions by label, sorted; a label that the file annotates without any has 0."""
        counts = Counter(mention[2] for text in self.texts for mention in text.mentions)
        return {label: counts[label] for label in sorted(self.annotated)}


@dataclass(frozen=True)
class TrainingData:
    """What is learnt from and what the result is judged by.

    ``left_out`` counts texts of the train files that stand in the dev files too.
    """

    labels: tuple[str, ...]
    train: tuple[Corpus, ...]
    dev: tuple[Corpus, ...]
    left_out: int = 0


def read_data(request: DataRequest) -> TrainingData:
    """Read and check all gold files.

    Raises:
        SourceError: a file cannot be read, or a mention's words are not those at its offsets.
        CharthouseError: a file is named twice, labels do not fit, or nothing is left to learn
            from or to judge by.
    """
    paths = (*request.train, *request.dev)
    _refuse_repeated(paths)
    stems = [corpus_of_stem(path, None).replace(":", "_") for path in paths]
    rules = parse_rules(request.label_maps, request.annotates, request.labels, stems)
    read = [list(_read(path)) for path in paths]
    labels: dict[str, set[str]] = {}
    for stem, documents in zip(stems, read, strict=True):
        labels.setdefault(stem, set()).update(m.label for d in documents for m in d.mentions)
    check_rules_are_used(rules, labels)
    _check_chosen(rules, labels)
    corpora = [
        _corpus(path, stem, documents, rules)
        for path, stem, documents in zip(paths, stems, read, strict=True)
    ]
    train, dev = corpora[: len(request.train)], corpora[len(request.train) :]
    if not dev:
        pairs = [_split(corpus, request.dev_share, request.split_seed) for corpus in train]
        train, dev = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    in_dev = {text.key for corpus in dev for text in corpus.texts}
    kept = [_without(corpus, in_dev) for corpus in train]
    left_out = sum(len(c.texts) for c in train) - sum(len(c.texts) for c in kept)
    _check_labels(kept, dev)
    learnt = {label for corpus in kept for label in corpus.annotated}
    return TrainingData(rules.chosen or tuple(sorted(learnt)), tuple(kept), tuple(dev), left_out)


def _refuse_repeated(paths: Sequence[Path]) -> None:
    seen: dict[object, Path] = {}
    for path in paths:
        if not path.is_file():
            raise SourceError(
                f"{path} does not exist or is no file", "Name PubTator, BioC, Label Studio or IOB"
            )
        # A copy under another name is the same file.
        for mark in (path.resolve(), file_sha256(path)):
            if mark in seen:
                same = "is given twice" if seen[mark] == path else f"is the same as {seen[mark]}"
                raise CharthouseError(f"{path} {same}", "Name each gold file once")
            seen[mark] = path


def _read(path: Path) -> Iterator[GoldDocument]:
    """A file's documents that have a text, their mentions checked."""
    for ordinal, document in enumerate(read_gold_file(path), start=1):
        for mention in document.mentions:
            words = document.text[mention.start_char : mention.end_char].split()
            if not words or words != mention.mention_text.split():
                raise SourceError(
                    f"{path}, document {ordinal}: the words of a mention are not those at its "
                    "offsets",
                    "Mend it there",
                )
        if document.text.strip():
            yield document


def _corpus(path: Path, stem: str, documents: Sequence[GoldDocument], rules: LabelRules) -> Corpus:
    annotated = rules.annotated(stem, {m.label for d in documents for m in d.mentions})
    texts = []
    for document in documents:
        mentions = {
            (m.start_char, m.end_char, rules.label(stem, m.label)) for m in document.mentions
        }
        kept = tuple(sorted(mention for mention in mentions if mention[2] in annotated))
        texts.append(Text(_key(document), document.text, kept))
    return Corpus(stem, file_sha256(path), annotated, tuple(texts))


def _key(document: GoldDocument) -> str:
    """The same for the same text, if it is long enough or has the same id."""
    identity = document.native_id if len(document.text) < _CHANCE_CHARACTERS else ""
    return hashlib.sha256(f"{identity}\0{document.text}".encode("utf-8", "replace")).hexdigest()


def _split(corpus: Corpus, share: float, seed: int) -> tuple[Corpus, Corpus]:
    """Set a share of the documents apart, one at least; which, hangs on text and seed alone."""
    keys = sorted(
        {text.key for text in corpus.texts},
        key=lambda key: hashlib.sha256(f"{seed} {key}".encode()).digest(),
    )
    apart = set(keys[: min(max(1, round(share * len(keys))), len(keys) - 1)])
    inside = tuple(text for text in corpus.texts if text.key in apart)
    return _without(corpus, apart), replace(corpus, texts=inside)


def _without(corpus: Corpus, keys: set[str]) -> Corpus:
    return replace(corpus, texts=tuple(text for text in corpus.texts if text.key not in keys))


def _check_chosen(rules: LabelRules, labels: Mapping[str, Collection[str]]) -> None:
    """Chosen labels must be there, and every file must say something about one of them."""
    there = {rules.ours(stem, label) for stem, own in labels.items() for label in own} - {""}
    there |= {label for covered in rules.annotates.values() for label in covered}
    for label in rules.chosen:
        if label not in there:
            raise CharthouseError(
                f"--label {label}: no file annotates it",
                f"Labels there are {', '.join(sorted(there)) or 'none'}",
            )
    for stem, own in labels.items():
        if not rules.annotated(stem, own):
            raise CharthouseError(
                f"file {stem} has no mention of a label to learn",
                f"Leave it out, or say what it annotates with --annotates {stem}=LABEL",
            )


def _check_labels(train: Sequence[Corpus], dev: Sequence[Corpus]) -> None:
    learnt = {label for corpus in train for label, n in corpus.mentions().items() if n}
    judged = {label for corpus in dev for label, n in corpus.mentions().items() if n}
    if not learnt:
        raise CharthouseError(
            "the train files hold no mention to learn from", "Check --label-map and --annotates"
        )
    if unknown := sorted(judged - learnt):
        raise CharthouseError(
            f"the dev files hold mentions of {', '.join(unknown)}, the train files none",
            "Rename the label with --label-map OLD=NEW, or drop it with OLD=. Labels there are "
            + ", ".join(sorted(learnt)),
        )
    if not judged:
        raise CharthouseError(
            "the dev files hold no mention to judge by", "Name others, or raise --dev-share"
        )
