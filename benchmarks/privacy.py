"""De-identification beside Presidio's own patterns: what is covered, what is masked, how fast.

python benchmarks/privacy.py --data FOLDER [--notes 400] [--model M]

- Recall on synthetic notes with planted identifiers (`tests/nlp/privacy/notes.py`), by kind. The
  rules were written with one half of the sentences at hand; the other half, held out, was written
  at the same time by the same author, so real notes are harder than both. Names come from several
  countries.
- Masking where there is little to mask: the share of characters of the transcribed notes, most of
  which were de-identified when they were published, and of PubMed abstracts (BC5CDR dev).
- Loss: the share of BC5CDR's gold diseases and chemicals that a mask would touch.
- Characters per CPU second.
- With `--ner`, what masks and surrogates do to the bundled model: the share of its mentions outside
  identifiers that it finds no more, in the transcribed notes with three identifiers or more. Takes
  minutes.

Beside it the pattern recognisers of presidio-analyzer for English and the United States, without
an NLP engine, at their own scores of at least 0.4, whatever they find.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import tldextract

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.evaluating.privacy import PrivacyJudgement, judge_documents
from flows.evaluating.privacy_gold import MarkedDocument
from nlp.ner.decode import Span
from nlp.ner.device import choose_device
from nlp.ner.engine import NerEngine
from nlp.ner.model import load_model
from nlp.ner.source import find_model
from nlp.privacy.finder import Finder
from nlp.privacy.finding import Finding
from nlp.privacy.masks import label_mask, same_length_mask
from nlp.privacy.merge import merge_findings
from nlp.privacy.replace import replace_findings
from nlp.privacy.surrogates import Surrogates
from nlp.settings import PrivacySettings

NAMES = ("en_US", "en_IN", "es_MX", "de_DE", "pl_PL")
LEAST = 0.4
PEERS = (
    "CreditCard Crypto Date Email Iban Ip MacAddress MedicalLicense Phone Url UsBank UsItin "
    "UsLicense UsMbi UsNpi UsPassport UsSsn"
)


class Presidio:
    """Presidio's recognisers, each over the whole text."""

    def __init__(self) -> None:
        from presidio_analyzer import predefined_recognizers

        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # no network
        self._all = [
            getattr(predefined_recognizers, f"{name}Recognizer")() for name in PEERS.split()
        ]

    def find(self, texts: Sequence[str]) -> list[list[Finding]]:
        return [merge_findings(text, self._one(text)) for text in texts]

    def _one(self, text: str) -> list[Finding]:
        return [
            Finding(found.start, found.end, "other", "presidio", found.score)
            for recogniser in self._all
            for found in recogniser.analyze(text, recogniser.supported_entities, None)
            if found.score >= LEAST
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the real corpora")
    parser.add_argument("--notes", type=int, default=400, help="synthetic notes of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the synthetic notes")
    parser.add_argument("--model", action="append", default=[], help="token classifier besides")
    parser.add_argument("--ner", action="store_true", help="what replacing does to the model")
    given = parser.parse_args()
    settings = PrivacySettings(models=tuple(given.model))
    device = choose_device() if given.model else None
    finders = {"charthouse": Finder(settings, device), "Presidio": Presidio()}
    notes = pl.read_csv(given.data / "notes" / "transcribed_notes.csv.gz")["text"].to_list()
    if given.ner:
        disturbance(list(dict.fromkeys(notes)), finders["charthouse"].find)
        return
    synthetic(finders, given.notes, given.seed)
    texts, mentions = abstracts(given.data / "corpora" / "bc5cdr_dev.pubtator.gz")
    for name, finder in finders.items():
        print(f"\n{name}")
        masking("transcribed notes", list(dict.fromkeys(notes)), finder.find)
        found = masking("abstracts", texts, finder.find)
        touched = sum(
            any(f.start < end and start < f.end for f in findings)
            for findings, marked in zip(found, mentions, strict=True)
            for start, end in marked
        )
        total = sum(map(len, mentions))
        print(f"  gold mentions touched: {touched} of {total} ({100 * touched / total:.2f}%)")


def synthetic(finders: dict[str, Finder | Presidio], count: int, seed: int) -> None:
    from tests.nlp.privacy.notes import PARTS, write_notes

    for part in PARTS:
        for names in NAMES:
            documents = [
                MarkedDocument(note.note_id, note.text, note.spans)
                for note in write_notes(count, seed, part, names)
            ]
            for name, finder in finders.items():
                judged = judge_documents("", "", documents, finder, resamples=1)  # type: ignore[arg-type]
                print(f"{part}, names {names}, {name}: {told(judged, full=names == NAMES[0])}")


def told(judged: PrivacyJudgement, *, full: bool) -> str:
    recall = {s.label: s for s in judged.scores if s.measure == "recall"}
    masked = next(s for s in judged.scores if s.label == "characters")
    kinds = [k for k in recall if full or k in {"name", "micro"}]
    rates = ", ".join(f"{k} {100 * recall[k].value:.1f}% of {recall[k].gold}" for k in kinds)
    speed = judged.characters / judged.seconds / 1000
    return f"{rates}; of the rest masked {100 * masked.value:.2f}%; {speed:.0f} k characters/CPU s"


def masking(
    what: str, texts: Sequence[str], find: Callable[[Sequence[str]], list[list[Finding]]]
) -> list[list[Finding]]:
    clock = time.process_time()
    found = find(texts)
    seconds = time.process_time() - clock
    characters = sum(map(len, texts))
    masked = sum(f.end - f.start for findings in found for f in findings)
    print(
        f"  {what}: {len(texts)} texts, masked {100 * masked / characters:.2f}% of characters, "
        f"{sum(map(len, found))} findings, {characters / seconds / 1000:.0f} k characters/CPU s"
    )
    return found


def disturbance(texts: Sequence[str], find: Callable[[Sequence[str]], list[list[Finding]]]) -> None:
    engine = NerEngine(load_model(find_model("bundled"), choose_device("cpu")))
    pairs = [(t, f) for t, f in zip(texts, find(texts), strict=True) if len(f) >= 3]
    before = engine.find([text for text, _ in pairs])
    for name, substitute in (
        ("[KIND]", label_mask),
        ("same length", same_length_mask),
        ("surrogates", Surrogates(b"of a benchmark only", "one").value),
    ):
        new = [replace_findings(text, found, substitute) for text, found in pairs]
        after = engine.find([replaced.text for replaced in new])
        wanted, there = set(), set()
        for number, (_, found) in enumerate(pairs):
            moved = new[number]
            wanted |= {
                (number, moved.start(s.start), moved.end(s.end), s.label)
                for s in before[number]
                if not _touches(s, found)
            }
            there |= {(number, s.start, s.end, s.label) for s in after[number]}
        lost = len(wanted - there)
        print(f"{name}: {lost} of {len(wanted)} mentions lost ({100 * lost / len(wanted):.1f}%)")


def _touches(span: Span, found: Sequence[Finding]) -> bool:
    return any(span.start < f.end and f.start < span.end for f in found)


def abstracts(path: Path) -> tuple[list[str], list[list[tuple[int, int]]]]:
    texts: dict[str, str] = {}
    mentions: dict[str, list[tuple[int, int]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            parts = line.rstrip("\n").split("|", 2)
            if len(parts) == 3 and parts[1] in {"t", "a"}:
                texts[parts[0]] = f"{texts[parts[0]]} {parts[2]}" if parts[1] == "a" else parts[2]
                continue
            row = line.rstrip("\n").split("\t")
            if len(row) >= 6:
                mentions.setdefault(row[0], []).append((int(row[1]), int(row[2])))
    return list(texts.values()), [mentions.get(native_id, []) for native_id in texts]


if __name__ == "__main__":
    main()
