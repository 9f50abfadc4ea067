"""Sentences by rule: what ends one in notes and abstracts, whole and in order, at any length."""

from __future__ import annotations

import csv
import gzip
import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flows.readers.iob import read_gold
from nlp.preprocess.sentences import find_sentences
from nlp.preprocess.stops import WORDS

GOLD = Path(__file__).parent / "gold" / "sentences.jsonl"


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in find_sentences(text)]


ABBREVIATIONS = [
    "Seen by Dr. Smith and Mrs. Jones today. | He is well.",
    "Takes Lasix 40 mg q.d. with food. | No pain.",
    "Aspirin 81 mg p.o. b.i.d. | Zestril 10 mg q.d. | Follow up.",
    "He was given Demerol i.m. for pain. | The patient slept.",
    "Give 5 mg. | He may repeat it.",
    "Tylenol No. 3 was given. | He said no. | He left.",
    "Good vs. bad, e.g. pain, i.e. all. | See Fig. 2A and Figs. 3 and 4. | Done.",
    "Shown by Lowry et al. (1951) and by Towbin et al. | The gel ran.",
    "It began at 7 a.m. and ended at 9 p.m. | She slept.",
    "Approx. 5 of them, ca. 3 at St. Mary's. | It took 10 ms. | Then it stopped.",
    "Refer to J. R. Smith, M.D. for this. | Thank you.",
    "Grown in E. coli and S. aureus. | Cells were lysed.",
    "He has hepatitis C. | Vitamin B. | Stage II.",
    "I would defer that to Dr. X. | If she flares up, call.",
    "Chest pain, etc. | She denies it.",
    "Living in the U.S. since 1990. | He works.",
    "Spun at 6000 g for 10 min. | Protein was measured.",
]

NUMBERS = [
    "Temp 98.6 and pH 7.4. | BP 120/80. | O2 99%.",
    "Sodium is 107. | Potassium is 2.8.",
    "T: 98. | P: 90. | RR: 20. | BP: 156/90.",
    "1. Aspirin daily. | 2. Follow up in 2 weeks. | 3. Call.",
    "PLAN: 1. Continue aspirin. | 2. Follow up.",
    "It was 5. | The next was in 2006. | 12 patients left.",
    "Given at P < .05 and P = .01. | It held.",
    "Height 5 ft. 6 in. and weight 180 lbs. | No edema.",
    "In E13 . 5 embryos , cells were seen . | They grew .",
]

MARKS = [
    "Is there pain? | None! | Really?! | Yes.",
    'He said "no." | She left. | (See below.) | Next.',
    "The end... | And then it came. | Endorses pain.. | No fever.",
    "Well... it depends.",
    "Cells [3]. | The gel (Fig. 1). | It ran.",
    "The cells grew.12,13 | The others did not.",
    "Risk rose; however, it fell: so it goes.",
    "Then p53 rose. | mRNA fell. | c-Myc did not. | beta-catenin grew.",
    "For relief. | ibuprofen can be taken.",
    "pt denies cp. | no sob. | hx of htn.",
]

LINES = [
    "CHIEF COMPLAINT\n\n|Back pain.\n\n|HISTORY\n\n|He fell.",
    "Neck\n|- Supple\n|- No nodes\n\n|Heart\n|- Regular rate",
    "Medications:\n|aspirin 81 mg\n|lisinopril 10 mg\n|Lasix 40 mg p.o.\n|metformin",
    "1. Sore throat.\n|- Reasoning: he has fever.\n|2) Cough",
    "• Lungs: clear. |• Heart: regular.",
    "Labs: normal.\r\n|Exam: normal.\r\n\r\n|Plan: none",
    "Seen by Dr.\nSmith for chest\npain and cough.",
    "Impression\x0c|Second page.",
    "MEDICATIONS:\n|1. Aspirin 81 mg daily.\n|2. Albuterol sulfate 90 mcg an actuation: two (2) "
    "puffs of\nInhalation every six hours.\n|3. Heparin",
    "The patient was given the\nAspirin of his wife.",
    "This line is of the usual width of a text that somebody has wrapped at\n"
    "seventy columns, so that a sentence goes on in the next one. |It ends where\n"
    "Mr. Jones says, and Doctor Smith agrees. |Then the next one begins with\n"
    "Ibuprofen and ends.",
    "Seen in the clinic. |Vital signs are as follows:\n|BP 120/80\n|HR 60\n|Temp 98.6",
]

GLUED = [
    "SUBJECTIVE:,|  She is well.,|MEDICATIONS: ,| Zyrtec p.r.n.,|PLAN:,|1.  Rest.,|2.  Water.",
    "Clear bilaterally,|CARDIAC:  Regular.,|EXAM,|VITAL SIGNS:  Temp 98.3, heart rate 82.",
    "Tylenol b.i.d., prednisone 5 mg p.r.n., Spiriva q. day, and Asacol p.r.n.,|PLAN:  Rest.",
    "AXIS V:  10.,|LENGTH OF STAY: ,| 10 days.",
    "Smith et al., 2002; Lowry et al.,2003; 1,000 of 1,2-diol.",
]


@pytest.mark.parametrize("marked", [*ABBREVIATIONS, *NUMBERS, *MARKS, *LINES, *GLUED])
def test_sentences(marked: str) -> None:
    expected = [piece.strip() for piece in marked.split("|")]
    text = marked.replace(" | ", " ").replace("|", "")
    assert cut(text) == expected


def test_a_sentence_without_white_space_before_it() -> None:
    assert cut("He left.She came. See www.Example.com.") == [
        "He left.",
        "She came.",
        "See www.Example.com.",
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "　\t", "\r\n "])
def test_white_space_has_no_sentences(text: str) -> None:
    assert find_sentences(text) == []


def test_words_are_in_small_letters_and_of_one_kind() -> None:
    assert all(word == word.lower().strip() for words in WORDS.values() for word in words)
    kinds = [WORDS[kind] for kind in ("never", "titles", "number", "seldom", "often")]
    assert len(frozenset.union(*kinds)) == sum(map(len, kinds))


pieces = st.sampled_from(
    [
        "Dr. ",
        "He ",
        "fever. ",
        "p.o. ",
        "5 mg. ",
        "3.5 ",
        "1. ",
        "2) ",
        "- ",
        "• ",
        ", ",
        "., ",
        ".,PLAN: ",
        ":, ",
        "? ",
        "... ",
        ". ",
        "\n",
        "\r\n",
        "\x0c",
        "\n  ",
        "(see ",
        ") ",
        '" ',
        "A. ",
        "et al. ",
        "[3]. ",
        ".12 The ",
        "HEENT: ",
        "no ",
        "a line of text that is long enough to be a wrapped one ",
        "the\n",
        " ",
        "  ",
        "\t",
        "\u2028",
        "ß",
        "😀",
    ]
)
texts = st.lists(pieces | st.text(max_size=4), max_size=25).map("".join)


@settings(max_examples=400)
@given(texts)
def test_sentences_are_trimmed_in_order_and_leave_nothing_out(text: str) -> None:
    previous = 0
    for start, end in find_sentences(text):
        assert previous <= start < end
        assert text[start:end] == text[start:end].strip()
        assert not text[previous:start].strip()
        previous = end
    assert not text[previous:].strip()


@settings(max_examples=300)
@given(st.lists(texts, max_size=4))
@example(["a line of text that is long enough to be a wrapped one ", ".12 The "])
def test_paragraphs_are_cut_without_regard_to_one_another(parts: list[str]) -> None:
    assert cut("\n\n".join(parts)) == [sentence for part in parts for sentence in cut(part)]


@pytest.mark.parametrize(
    "piece",
    [
        *(".", " ", "a", ". ", "a. ", "1. ", ".,", '."', "\n ", ":   ", ",Aa Bb", "a\nb ", "• "),
        *("x.\n", "word word,\n", "? ", ".1,2", "A. b\n", "\u2028", "(", "Dr. ", " \n\n", "1.,1. "),
    ],
)
def test_time_is_proportional_to_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        clock = time.process_time()
        find_sentences(text)
        return time.process_time() - clock

    short = min(seconds(5_000) for _ in range(3))
    # Quadratic time would be 1,600 times as long.
    assert seconds(200_000) < 200 * short + 0.05


def test_annotated_notes(data_dir: Path) -> None:
    found = _agreement([(text, ranges) for text, ranges in _annotated(data_dir)])
    assert found > 0.98


def test_a_wrapped_note_is_cut_as_before(data_dir: Path) -> None:
    wrapped = []
    for text, ranges in _annotated(data_dir):
        if "\n" in text:  # the other set has no lines to wrap
            wrapped.append(("\n".join(_wrapped(line, 78) for line in text.split("\n")), ranges))
    assert len(wrapped) == 10
    assert _agreement(wrapped) > 0.98


@pytest.mark.parametrize(("corpus", "least"), [("BioNLP13CG", 0.99), ("BC2GM", 0.95)])
def test_sentences_of_corpora(data_dir: Path, corpus: str, least: float) -> None:
    sentences = [d.text for d in read_gold(data_dir / f"corpora/iob/{corpus}_dev.tsv.gz")]
    documents = []
    for first in range(0, len(sentences), 30):
        ranges, position = [], 0
        for sentence in sentences[first : first + 30]:
            ranges.append((position, position + len(sentence)))
            position += len(sentence) + 1
        documents.append((" ".join(sentences[first : first + 30]), ranges))
    assert _agreement(documents) > least


Document = tuple[str, list[tuple[int, int]]]


def _annotated(data_dir: Path) -> list[Document]:
    with gzip.open(data_dir / "notes/aci_bench_train.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = {("aci_bench", row["note_id"]): row["text"] for row in map(json.loads, file)}
    path = data_dir / "notes/transcribed_notes.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        texts |= {("transcribed", row["note_id"]): row["text"] for row in csv.DictReader(file)}
    rows = [json.loads(line) for line in GOLD.read_text("utf-8").splitlines()]
    assert len(rows) == 20
    return [
        (texts[row["note_set"], row["note_id"]], [(a, b) for a, b in row["sentences"]])
        for row in rows
    ]


def _wrapped(line: str, width: int) -> str:
    start = 0
    while len(line) - start > width:
        space = line.rindex(" ", start, start + width + 1)
        line = f"{line[:space]}\n{line[space + 1 :]}"
        start = space + 1
    return line


def _agreement(documents: list[Document]) -> float:
    """F1 of the ends of sentences, commas and white space before them left out."""
    agreed = total = 0
    for text, ranges in documents:
        wanted = {len(text[:end].rstrip(" ,\n")) for _, end in ranges[:-1]}
        found = {len(text[:end].rstrip(" ,\n")) for _, end in find_sentences(text)[:-1]}
        agreed += len(wanted & found)
        total += len(wanted) + len(found)
    return 2 * agreed / total
