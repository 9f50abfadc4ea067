"""Small documents whose related concepts can be learnt by heart."""

from __future__ import annotations

import re

from nlp.relations.text import ConceptMention, RelationText
from nlp.relations.training import GoldRelations

CHEMICALS = ("lithium", "heparin", "aspirin", "cocaine")
DISEASES = ("cyanosis", "nausea", "seizures", "ulcer")


def relation_text(
    text: str, names: tuple[str, ...] = (), broader: frozenset[str] = frozenset()
) -> RelationText:
    """A text in which the words above are mentions; concept ids are the words in capitals."""
    mentions = [
        ConceptMention(
            m.start(),
            m.end(),
            "Chemical" if m[0].casefold() in CHEMICALS else "Disease",
            (m[0].upper(),),
            names,
        )
        for m in re.finditer("|".join((*CHEMICALS, *DISEASES)), text, re.IGNORECASE)
    ]
    sentences = [(m.start(), m.end()) for m in re.finditer(r"\S[^.]*\.", text)]
    return RelationText(text, tuple(mentions), tuple(sentences), broader)


def gold(chemical: str, disease: str, other: str) -> GoldRelations:
    """A text that says that a chemical induces a disease, and treats another."""
    text = f"{chemical} caused {disease} in a patient. She had {other} before."
    return GoldRelations(relation_text(text), frozenset({(chemical.upper(), disease.upper())}))


GOLD = [
    gold(chemical, DISEASES[n % 4], DISEASES[(n + 1 + m) % 4])
    for n, chemical in enumerate(CHEMICALS)
    for m in range(3)
]
