"""Our section detection beside medspaCy's on headings annotated by hand, and its speed.

python benchmarks/sections.py --data FOLDER [--medspacy-python V/bin/python] [--repeat 5]

F1 of headings on the 60 notes of tests/nlp/preprocess/gold (its README says what a heading is and
how the notes were chosen), on the notes the rules were tuned on and on those held out: "named"
wants the start and the normalised name right, "position" the start alone. "Without parts" leaves
out the parts of examinations, reviews of systems and assessments.

medspaCy is run where --medspacy-python names a Python that has it (python -m venv V; V/bin/pip
install medspacy): its Sectionizer with its own rules over its tokenizer, anywhere in the text; the
same with the commas that stand for line ends made line ends ("unglued"); and so at the beginning
of lines only. It knows 23 categories; "named" counts it right where the category is the one its
rules have for such a heading (MEDSPACY below), "position" leaves names out.

Labels are those of the structured abstracts of citations/medline16n0902.xml.gz: how many have one
of our names, and how often that is the category that NLM files the label under.

Speed is characters per CPU second over all notes, and of one note of 2 million characters and of a
tenth of it, whose ratio shows whether time is proportional to length.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from flows.readers.xmlstream import section_name
from nlp.preprocess.heading_rules import load_heading_rules
from nlp.preprocess.sections import Section, find_sections

GOLD = Path(__file__).parent.parent / "tests" / "nlp" / "preprocess" / "gold" / "sections.tsv"
SPLITS = ("tuning", "held_out")
LONG = 2_000_000

MEDSPACY = {
    "addendum": "addendum",
    "allergies": "allergies allergy",
    "chief_complaint": "chief_complaint",
    "reason_for_visit": "chief_complaint",
    "reason_for_referral": "chief_complaint reason_for_examination",
    "history_of_present_illness": "history_of_present_illness",
    "history": "history_of_present_illness past_medical_history",
    "subjective": "history_of_present_illness",
    "past_medical_history": "past_medical_history",
    "past_surgical_history": "past_medical_history",
    "past_psychiatric_history": "past_medical_history",
    "family_history": "family_history",
    "family_and_social_history": "family_history social_history",
    "social_history": "social_history",
    "substance_use_history": "social_history",
    "medications": "medications",
    "discharge_medications": "medications",
    "physical_examination": "physical_exam",
    "objective": "physical_exam",
    "vital_signs": "physical_exam",
    "laboratory_data": "labs_and_studies",
    "results": "labs_and_studies",
    "imaging": "imaging",
    "problem_list": "problem_list",
    "diagnosis": "diagnoses",
    "admission_diagnosis": "diagnoses",
    "discharge_diagnosis": "diagnoses",
    "preoperative_diagnosis": "diagnoses",
    "postoperative_diagnosis": "diagnoses",
    "assessment": "observation_and_plan",
    "assessment_and_plan": "observation_and_plan",
    "impression": "observation_and_plan",
    "plan": "observation_and_plan",
    "treatment": "observation_and_plan",
    "hospital_course": "hospital_course",
    "emergency_department_course": "hospital_course",
    "instructions": "patient_instructions",
    "discharge_instructions": "patient_instructions",
    "patient_education": "patient_education",
    "other": "other",
}
"""The categories of medspaCy's rules that say what a name of ours says."""

MEDSPACY_CODE = """
import json, sys, time
import spacy
from medspacy.custom_tokenizer import create_medspacy_tokenizer
from medspacy.section_detection import Sectionizer
nlp = spacy.blank("en")
nlp.tokenizer = create_medspacy_tokenizer(nlp)
sectionizer = Sectionizer(nlp, require_start_line=sys.argv[1] == "line")
found, tokens, sections = [], 0.0, 0.0
for text in json.load(sys.stdin):
    clock = time.process_time()
    doc = nlp(text)
    tokens += time.process_time() - clock
    clock = time.process_time()
    sectionizer(doc)
    sections += time.process_time() - clock
    found.append([
        (doc[s.title_start].idx, s.category) for s in doc._.sections if s.title_end > s.title_start
    ])
json.dump([found, tokens, sections], sys.stdout)
"""

_GLUE = re.compile(r"(?<=[.;:?!)]),(?=\S)|(?<=[.;:?!)] ),(?= ?\S)")
"""Commas that some exports have where a line ended; made line ends, offsets stay."""

Headings = list[tuple[int, str]]
"""Start and name of each heading of a note."""


@dataclass
class Note:
    """A note with its annotated headings."""

    split: str
    text: str
    headings: Headings


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with notes/")
    parser.add_argument("--medspacy-python", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    texts = read_texts(arguments.data)
    notes = read_gold(texts)
    print_scores("charthouse", notes, [find_headings(note.text) for note in notes])
    if arguments.medspacy_python:
        unglued = [_GLUE.sub("\n", note.text) for note in notes]
        for where, given in (
            ("anywhere", [note.text for note in notes]),
            ("unglued", unglued),
            ("line", unglued),
        ):
            found = medspacy_headings(arguments.medspacy_python, where, given)
            print_scores(f"medspaCy ({where})", notes, found, MEDSPACY)
    print_labels(arguments.data / "citations" / "medline16n0902.xml.gz")
    print_speed([text for note_set in texts.values() for text in note_set.values()], arguments)


def read_texts(data: Path) -> dict[str, dict[str, str]]:
    """The notes by set and id."""
    csv.field_size_limit(sys.maxsize)
    with gzip.open(data / "notes" / "transcribed_notes.csv.gz", "rt", newline="") as file:
        transcribed = {row["note_id"]: row["text"] for row in csv.DictReader(file)}
    with gzip.open(data / "notes" / "aci_bench_train.jsonl.gz", "rt") as file:
        aci = {row["note_id"]: row["text"] for row in map(json.loads, file)}
    return {"transcribed_notes": transcribed, "aci_bench_train": aci}


def read_gold(texts: Mapping[str, Mapping[str, str]]) -> list[Note]:
    """The annotated notes."""
    notes: dict[tuple[str, str], Note] = {}
    with GOLD.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            note_set, note_id = row["note_set"], row["note_id"]
            key = note_set, note_id
            note = notes.setdefault(key, Note(row["split"], texts[note_set][note_id], []))
            if row["start_char"]:
                note.headings.append((int(row["start_char"]), row["name"]))
    return list(notes.values())


def find_headings(text: str) -> Headings:
    """The headings we find in a note."""
    return [(section.start_char, section.name) for section in find_sections(text, "note")]


def medspacy_headings(python: Path, where: str, texts: list[str]) -> list[Headings]:
    """The headings that medspaCy finds in each note."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-c", MEDSPACY_CODE, where],
            input=json.dumps(texts),
            capture_output=True,
            check=True,
            cwd=folder,
            text=True,
        )
    found, tokens, sections = json.loads(done.stdout.splitlines()[-1])
    rate = sum(map(len, texts)) / sections
    print(
        f"medspaCy ({where}): {rate:,.0f} characters per CPU second, without its tokens, which "
        f"take {tokens / sections:.1f} times as long"
    )
    return [[(start, name) for start, name in headings] for headings in found]


def score(
    gold: Iterable[Headings],
    found: Iterable[Headings],
    is_right: Callable[[str, str], bool],
) -> tuple[float, float, float]:
    """Precision, recall and F1 of headings that start where one starts and whose name is right."""
    right = wanted = given = 0
    for gold_of, found_of in zip(gold, found, strict=True):
        names = dict(gold_of)
        right += sum(start in names and is_right(names[start], name) for start, name in found_of)
        wanted += len(gold_of)
        given += len(found_of)
    precision, recall = right / max(1, given), right / max(1, wanted)
    return precision, recall, 2 * right / max(1, wanted + given)


def whole(headings: Headings) -> Headings:
    """Headings without those of parts."""
    return [(start, name) for start, name in headings if "." not in name]


def print_scores(
    who: str,
    notes: list[Note],
    found: list[Headings],
    categories: Mapping[str, str] | None = None,
) -> None:
    """One line for each split, with and without parts."""

    def named(gold: str, name: str) -> bool:
        if categories is None:
            return gold == name
        section = gold.partition(".")[0]
        return name in categories.get(section, "").split()

    for split in SPLITS:
        chosen = [(n.headings, f) for n, f in zip(notes, found, strict=True) if n.split == split]
        for label, keep in (("all headings", list), ("without parts", whole)):
            gold = [keep(headings) for headings, _ in chosen]
            # Where names are others, a part is known by its place.
            mine = [keep(f) if categories is None else _outside(f, g, keep) for g, f in chosen]
            p, r, f1 = score(gold, mine, named)
            at = score(gold, mine, lambda gold, name: True)
            print(
                f"{who:22} {split:9} {label:14} {sum(map(len, gold)):4} headings  "
                f"named P {p:.3f} R {r:.3f} F1 {f1:.3f}   position F1 {at[2]:.3f}"
            )


def _outside(found: Headings, gold: Headings, keep: Callable[[Headings], Headings]) -> Headings:
    parts = {start for start, _ in gold} - {start for start, _ in keep(gold)}
    return [heading for heading in found if heading[0] not in parts]


def print_labels(path: Path) -> None:
    """How many labels of structured abstracts have a name of ours, and NLM's category."""
    names = {
        rule.name for rules in load_heading_rules().forms["abstract"].values() for rule in rules
    }
    labels = known = judged = same = 0
    with gzip.open(path) as file:
        for _, part in etree.iterparse(file, tag="AbstractText"):
            label, category = part.get("Label"), part.get("NlmCategory", "UNASSIGNED")
            if not label or label == "UNLABELLED":
                continue
            (section,) = find_sections("", "abstract", [Section(section_name(label), 0, 0)])
            labels += 1
            known += section.name in names
            if section.name in names and category != "UNASSIGNED":
                judged += 1
                same += section.name == category.lower()
    print(
        f"{known} of {labels} labels of structured abstracts have a name; it is NLM's category "
        f"for {same} of {judged}"
    )


def print_speed(texts: list[str], arguments: argparse.Namespace) -> None:
    """Characters per CPU second over all notes, and of a long note and a tenth of it."""
    long = "\n".join(texts)
    long = (long * (LONG // len(long) + 1))[:LONG]
    seconds: dict[str, list[float]] = {"notes": [], "long": [], "tenth": []}
    for _ in range(arguments.repeat):
        for name, group in (("notes", texts), ("long", [long]), ("tenth", [long[: LONG // 10]])):
            clock = time.process_time()
            for text in group:
                find_sections(text, "note")
            seconds[name].append(time.process_time() - clock)
    medians = {name: statistics.median(of) for name, of in seconds.items()}
    characters = sum(map(len, texts))
    print(f"{characters / medians['notes']:,.0f} characters per CPU second over {len(texts)} notes")
    print(
        f"{LONG:,} characters as one note: {medians['long']:.2f} s, "
        f"{medians['long'] / medians['tenth']:.1f} times a tenth of it"
    )


if __name__ == "__main__":
    main()
