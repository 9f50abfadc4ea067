"""A broader name for harm that is named by its place: *renal damage* is a kidney disease.

Texts say of an organ that it is damaged, affected or impaired in more ways than an ontology has
names for. What all of them are is a disease of that organ, and that concept nearly always exists.
"""

from __future__ import annotations

import re

from ontologies.normalise import normal_form, singular

_HARM_WORDS = """
abnormality adverse alteration change complication damage damaged defect deterioration disturbance
dysfunction effect failure impairment impaired injury injured involvement lesion problem toxicity
toxic
"""
_HARM = frozenset(_HARM_WORDS.split())
_SAYS_NOTHING = frozenset((*_HARM, "function", "in", "of", "on", "the", "to"))
_ORGANS = {
    "cardio": "heart",
    "hepato": "liver",
    "myelo": "bone marrow",
    "nephro": "kidney",
    "neuro": "nervous system",
    "oto": "hearing",
    "pneumo": "lung",
    "pulmo": "lung",
    "retino": "retinal",
}
_TOXIC = re.compile(rf"({'|'.join(_ORGANS)})toxic(?:ity|ities)?")


def broader(name: str) -> tuple[str, ...]:
    """The disease of the organ that a name says is harmed; nothing for other names.

    *renal damage* gives *renal disease*, *hepatic adverse effects* gives *hepatic disease* and
    *nephrotoxicity* gives *kidney disease*.
    """
    words = normal_form(name).split()
    if len(words) == 1 and (match := _TOXIC.fullmatch(words[0])):
        return (f"{_ORGANS[match[1]]} disease",)
    place = [word for word in words if singular(word) not in _SAYS_NOTHING]
    if not any(singular(word) in _HARM for word in words):
        return ()
    return (f"{' '.join(place)} disease",) if place else ()
