"""Small corpora that change: what a run must get right after a fault as without one."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

_DISEASES = ("asthma", "heart failure", "type 2 diabetes mellitus", "hypertension", "fever", "gout")
_LATER = ("pneumonia", "sepsis", "migraine", "psoriasis", "epilepsy", "anemia", "obesity")
"""Names that the first state of a corpus does not have: they are still to be linked."""

_CHEMICALS = ("aspirin", "metformin", "insulin", "warfarin", "lisinopril", "morphine")
_SENTENCES = (
    "The patient has {disease} and takes {chemical}.",
    "No {disease} was seen, and {chemical} was stopped.",
    "Chest pain after {chemical}; family history of {disease}.",
    "Congestive heart failure (CHF) was treated with {chemical}, and CHF improved.",
    "Fièvre 🤒 et {disease}: {chemical} été donné.",
)


def _text(chance: random.Random, sentences: int, diseases: tuple[str, ...] = _DISEASES) -> str:
    return " ".join(
        chance.choice(_SENTENCES).format(
            disease=chance.choice(diseases), chemical=chance.choice(_CHEMICALS)
        )
        for _ in range(sentences)
    )


def _note(
    chance: random.Random, number: int, diseases: tuple[str, ...] = _DISEASES
) -> dict[str, str]:
    return {
        "note_id": f"n{number}",
        "person_id": f"p{number % 7}",
        "note_type": chance.choice(["Progress", "Discharge"]),
        "text": _text(chance, chance.randint(1, 20), diseases),
    }


def _citation(chance: random.Random, pmid: int) -> str:
    title, abstract = _text(chance, 1), _text(chance, chance.randint(2, 8))
    return (
        f"<PubmedArticle><MedlineCitation Status='MEDLINE'><PMID Version='1'>{pmid}</PMID>"
        "<Article><Journal><Title>J</Title><JournalIssue><PubDate><Year>2020</Year></PubDate>"
        f"</JournalIssue></Journal><ArticleTitle>{title}</ArticleTitle>"
        f"<Abstract><AbstractText>{abstract}</AbstractText></Abstract></Article>"
        "</MedlineCitation></PubmedArticle>"
    )


def _release(path: Path, citations: list[str], deleted: list[int]) -> None:
    gone = "".join(f"<PMID Version='1'>{pmid}</PMID>" for pmid in deleted)
    gone = f"<DeleteCitation>{gone}</DeleteCitation>" if gone else ""
    xml = f"<PubmedArticleSet>{''.join(citations)}{gone}</PubmedArticleSet>"
    path.write_bytes(gzip.compress(xml.encode(), mtime=0))


def _notes(path: Path, notes: list[dict[str, str]]) -> None:
    lines = [json.dumps(note, ensure_ascii=False).encode() for note in notes]
    lines.insert(len(lines) // 2, b'{"note_id": "bad", "text": "caf\xe9"}')
    lines.append(b'{"note_id": "empty", "text": " "}')
    path.write_bytes(b"\n".join(lines) + b"\n")


def write_corpus(first: Path, second: Path, chance: random.Random, documents: int = 24) -> None:
    """Write a corpus twice, into two folders: as it was at first, and as it is later.

    Later some notes have another text, some other metadata only, some are new and some gone; an
    update file changes citations and withdraws others. Both states hold records that are rejects.
    """
    for folder in (first, second):
        folder.mkdir(parents=True, exist_ok=True)
    notes = [_note(chance, number) for number in range(documents)]
    citations = [_citation(chance, pmid) for pmid in range(1, documents + 1)]
    _notes(first / "notes.jsonl", notes)
    later = []
    for note in notes:
        fate = chance.random()
        if fate < 0.3:
            note = note | {"text": _text(chance, chance.randint(1, 20), _LATER)}
        elif fate < 0.4:
            note = note | {"note_type": "Addendum"}
        if fate < 0.9:
            later.append(note)
    later += [_note(chance, documents + number, _LATER) for number in range(documents // 2)]
    later += later[:1]  # an identical duplicate
    _notes(second / "notes.jsonl", later)
    for folder in (first, second):
        _release(folder / "pubmed26n0001.xml.gz", citations, [])
    changed = chance.sample(range(1, documents + 1), documents // 4)
    gone = [pmid for pmid in chance.sample(range(1, documents + 1), 4) if pmid not in changed]
    _release(second / "pubmed26n0002.xml.gz", [_citation(chance, p) for p in changed], gone)
