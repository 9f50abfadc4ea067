"""Sentences and abbreviations: offsets index the text exactly as given."""

from __future__ import annotations

import csv
import gzip
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp import fingerprint
from nlp.fingerprint import pipeline_fingerprint
from nlp.preprocess import BLANK, PYSBD, RULES, PreprocessError, spacy_pipeline
from nlp.preprocess.pipeline import Preprocessed, Preprocessor
from nlp.preprocess.spacy_pipeline import build_pipeline

DEFINITION = "Acute kidney injury (AKI) is common. "
FILLER = "The ward was quiet that day and nothing was done. "


@pytest.fixture(scope="module", params=[RULES, BLANK, PYSBD])
def preprocessor(request: pytest.FixtureRequest) -> Preprocessor:
    return Preprocessor(request.param)


def _assert_sound(text: str, found: Preprocessed) -> None:
    previous = 0
    for start, end in found.sentences:
        assert previous <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        previous = end
    starts = [a.short_start_char for a in found.abbreviations]
    assert starts == sorted(set(starts))
    for a in found.abbreviations:
        assert text[a.short_start_char : a.short_end_char] == a.short_form
        assert text[a.long_start_char : a.long_end_char] == a.long_form
        assert a.short_form
        assert a.long_form


def _uncovered(text: str, found: Preprocessed) -> str:
    kept = list(text)
    for start, end in found.sentences:
        kept[start:end] = " " * (end - start)
    return "".join(kept).strip()


def test_sentences(preprocessor: Preprocessor) -> None:
    text = "  One fever.  Two at 3.5 mg! \n\nThree? "
    (found,) = preprocessor.process([text])
    assert [text[a:b] for a, b in found.sentences] == ["One fever.", "Two at 3.5 mg!", "Three?"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u3000\t", "\r\n "])
def test_blank_texts(preprocessor: Preprocessor, text: str) -> None:
    assert preprocessor.process(["A.", text])[1] == Preprocessed([], [])


def test_no_texts(preprocessor: Preprocessor) -> None:
    assert preprocessor.process([]) == []


def test_each_occurrence_of_an_abbreviation(preprocessor: Preprocessor) -> None:
    text = DEFINITION + "AKI hurts, and post AKI care (AKI) helps. AKIN does not."
    (found,) = preprocessor.process([text])
    assert {(a.short_form, a.long_form) for a in found.abbreviations} == {
        ("AKI", "Acute kidney injury")
    }
    assert [a.short_start_char for a in found.abbreviations] == [
        m.start() for m in re.finditer(r"\bAKI\b", text)
    ]
    _assert_sound(text, found)


def test_abbreviations_of_one_text_are_not_those_of_the_next(preprocessor: Preprocessor) -> None:
    found = preprocessor.process([DEFINITION, "AKI (here) is not defined."])
    assert len(found[0].abbreviations) == 1
    assert found[1].abbreviations == []


pieces = st.sampled_from(
    ["acute kidney injury ", "(AKI)", "AKI", "(", ")", "()", " ", ". ", "\n", "CT (CT) ", "😀"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(pieces | st.text(max_size=5), max_size=12).map("".join), max_size=3))
def test_any_unicode(preprocessor: Preprocessor, texts: list[str]) -> None:
    results = preprocessor.process(texts)
    assert len(results) == len(texts)
    for text, found in zip(texts, results, strict=True):
        _assert_sound(text, found)
        assert _uncovered(text, found) == ""
        assert preprocessor.process([text]) == [found]


@pytest.mark.parametrize("name", [RULES, BLANK])
def test_long_text_is_read_to_its_end(name: str) -> None:
    preprocessor = Preprocessor(name)
    before = FILLER * 440
    text = before + DEFINITION + FILLER
    (found,) = preprocessor.process([text])
    (a,) = found.abbreviations
    assert a.long_start_char == len(before)
    assert len(found.sentences) == text.count(".")
    _assert_sound(text, found)


def test_a_definition_counts_throughout_a_long_text() -> None:
    preprocessor = Preprocessor()
    filler = FILLER * 440
    text = f"AKI first. {filler}{DEFINITION}{filler}Later AKI again. {filler}AKI (AKI)."
    (found,) = preprocessor.process([text])
    assert [a.short_start_char for a in found.abbreviations] == [
        m.start() for m in re.finditer("AKI", text)
    ]
    assert {a.long_start_char for a in found.abbreviations} == {text.index("Acute")}
    _assert_sound(text, found)


def test_texts_of_several_definitions(preprocessor: Preprocessor) -> None:
    text = (
        "Magnetic resonance imaging (MRI) of acute kidney injury (AKI). MRI was done. AKI, too. "
        "Heart rate (HR) rose. \n HR fell in AKI. No MRI. Computed tomography (CT) and HR (bpm)."
    )
    (found,) = preprocessor.process([text])
    assert len(found.abbreviations) == 10
    assert len({a.long_form for a in found.abbreviations}) == 4


def test_a_vocabulary_grown_large_is_dropped_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [DEFINITION + f"New word{i}. AKI." for i in range(5)]
    expected = Preprocessor(BLANK).process(texts)
    monkeypatch.setattr(spacy_pipeline, "LARGEST_VOCABULARY", 10)
    small = Preprocessor(BLANK)
    assert [small.process([text])[0] for text in texts] == expected


def test_pipeline_that_is_not_installed() -> None:
    with pytest.raises(PreprocessError, match="not installed"):
        build_pipeline("en_no_such_pipeline")


@pytest.fixture
def pipeline_folder(tmp_path: Path) -> Path:
    """A pipeline of a name of its own that sets no sentence boundaries."""
    spacy.blank("en").to_disk(tmp_path / "plain")
    return tmp_path / "plain"


def test_a_pipeline_without_sentences_gets_the_rule_sentencizer(pipeline_folder: Path) -> None:
    (found,) = Preprocessor(str(pipeline_folder)).process(["One. Two."])
    assert found.sentences == [(0, 4), (5, 9)]


def test_pipeline_fingerprints_differ(pipeline_folder: Path) -> None:
    assert len({pipeline_fingerprint(name) for name in (RULES, BLANK, PYSBD)}) == 3
    assert pipeline_fingerprint("blank") == "blank"
    one = pipeline_fingerprint(str(pipeline_folder))
    assert one == pipeline_fingerprint(str(pipeline_folder)) != "blank"
    meta = pipeline_folder / "meta.json"
    meta.write_text(meta.read_text("utf-8").replace("0.0.0", "0.0.1"), "utf-8")
    assert pipeline_fingerprint(str(pipeline_folder)) != one


def test_the_words_of_the_rules_are_in_their_fingerprint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = pipeline_fingerprint(RULES)
    other = tmp_path / "sentences.toml"
    other.write_text(fingerprint.WORDS_FILE.read_text("utf-8") + "\n# more\n", "utf-8")
    monkeypatch.setattr(fingerprint, "WORDS_FILE", other)
    assert pipeline_fingerprint(RULES) != before


def test_the_default_does_without_spacy() -> None:
    code = (
        "import sys; from nlp.preprocess.pipeline import Preprocessor; "
        "found = Preprocessor().process(['One. Two.'])[0].sentences; "
        "assert found == [(0, 4), (5, 9)], found; "
        "sys.exit(bool({'spacy', 'scispacy', 'pysbd'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_sentence_that_pysbd_meets_again_has_its_own_place() -> None:
    (found,) = Preprocessor(PYSBD).process(["No fever. No pain. No fever. No pain."])
    assert found.sentences == [(0, 9), (10, 18), (19, 28), (29, 37)]


def test_real_abstracts(preprocessor: Preprocessor, data_dir: Path) -> None:
    with gzip.open(data_dir / "corpora/bc5cdr_train.pubtator.gz", "rt", encoding="utf-8") as file:
        rows = (line.rstrip("\n").split("|", 2)[2] for line in file if re.match(r"\d+\|a\|", line))
        texts = list(islice(rows, 30))
    results = preprocessor.process(texts)
    for text, found in zip(texts, results, strict=True):
        _assert_sound(text, found)
        assert _uncovered(text, found) == ""
    assert sum(len(found.abbreviations) for found in results) > 30


def test_real_notes(preprocessor: Preprocessor, data_dir: Path) -> None:
    with gzip.open(data_dir / "notes/transcribed_notes.csv.gz", "rt", encoding="utf-8") as file:
        texts = [row["text"] for row in islice(csv.DictReader(file), 10)]
    for text, found in zip(texts, preprocessor.process(texts), strict=True):
        _assert_sound(text, found)
        assert _uncovered(text, found) == ""
        assert found.sentences
