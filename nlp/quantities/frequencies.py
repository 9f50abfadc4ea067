"""Frequencies: q.6h., twice daily, every 8 hours, 3 times a week, at bedtime, p.r.n."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from nlp.quantities.numbers import NUMBER_WORD, read_number
from nlp.quantities.units import any_of
from nlp.quantities.vocabulary import Frequency, read_frequencies

_TIME = r"(?:hours?|hourly|hrs?|h|minutes?|mins?|days?|weeks?|wks?|months?|years?|d)"
_TIMES_PER = {"h": "/h", "m": "/min", "d": "/d", "n": "/d", "w": "/wk", "mo": "/mo", "y": "/a"}
_WORDS = {"once": 1.0, "twice": 2.0, "thrice": 3.0}


@dataclass(frozen=True, slots=True)
class Often:
    """A frequency: its end, times per unit from ``value`` to ``high``, and where it counts."""

    end: int
    value: float | None
    high: float | None
    unit: str | None
    name: str | None = None
    weak: bool = False
    direct: bool = False


@cache
def frequency_pattern() -> str:
    """The pattern of all frequencies; :func:`read_frequency` reads its groups."""
    phrases, dotted = read_frequencies()
    number = rf"(?:\d{{1,3}}|(?:{NUMBER_WORD})\b)"
    to = r"\s?(?:-|–|\bto\b|\bor\b)\s?"
    letters = "|".join(r"\.\s?".join(word) + "|" + word for word in dotted)
    return (
        rf"q\.?\s?(?P<q_n>\d{{1,2}})(?:{to}(?P<q_m>\d{{1,2}}))?\s?-?(?P<q_u>{_TIME}|°)(?!\w)"
        rf"|every\s(?:(?P<e_other>other\s)|(?P<e_n>{number})(?:{to}(?P<e_m>{number}))?[\s-])?"
        rf"(?P<e_u>{_TIME}|morning|evening|night)(?!\w)"
        rf"|(?:(?P<t_word>once|twice|thrice)|(?P<t_n>{number})(?:{to}(?P<t_m>{number}))?"
        r"(?:[\s-]?times?|\s?x(?=[\s/])|(?=\sdays?\s(?:a|per|each)\sweek)\sdays?))"
        r"(?:[\s-](?:(?:a|per|each|every|in\sa)\s)?|\s?/\s?)"
        rf"(?P<t_u>{_TIME}|daily|weekly|monthly|yearly|nightly)(?!\w)"
        # hs-troponin and hs CRP are no bedtime
        rf"|(?P<dotted>{letters})(?!\w|(?<=\bhs)(?:-\w|\s(?:c?tn|trop|crp)))"
        rf"|(?P<phrase>{any_of(phrases)})(?!\w)"
    )


def read_frequency(match: re.Match[str]) -> Often:
    """What a match of :func:`frequency_pattern` means."""
    end, text = match.end(), match.string
    if "." in match[0] and text.startswith(".", end):  # b.i.d. ends with its full stop
        end += 1
    if written := match["phrase"] or match["dotted"]:
        meaning = _meaning(written)
        return Often(
            end, meaning.value, None, meaning.unit, meaning.name, meaning.weak, meaning.direct
        )
    if match["t_u"]:
        unit = _TIMES_PER[_initial(match["t_u"])]
        if word := match["t_word"]:
            return Often(end, _WORDS[word.lower()], None, unit)
        high = read_number(match["t_m"]) if match["t_m"] else None
        return Often(end, read_number(match["t_n"]), high, unit)
    group = "q" if match["q_u"] else "e"
    time = match[f"{group}_u"]
    if group == "e" and match["e_other"]:
        least, most = 2.0, None
    else:
        written = match[f"{group}_n"]
        least = read_number(written) if written else 1.0
        most = read_number(match[f"{group}_m"]) if match[f"{group}_m"] else None
    return _by_interval(end, least, most, "h" if time == "°" else _initial(time))


def _by_interval(end: int, least: float, most: float | None, initial: str) -> Often:
    """Once per interval: the longer it is, the fewer times."""
    if not least or most == 0:
        return Often(end, None, None, None)
    # Hours are told per day, minutes per hour; days, weeks, months and years by themselves.
    many, unit = {"h": (24.0, "/d"), "m": (60.0, "/h")}.get(initial, (1.0, _TIMES_PER[initial]))
    times = sorted({many / least, many / most} if most else {many / least})
    return Often(end, times[0], times[1] if len(times) > 1 else None, unit)


def _initial(time: str) -> str:
    """The key of a time word: daily and day are d, morning and night n."""
    word = time.lower()
    if word.startswith(("mor", "eve", "nig")):
        return "n"
    return "mo" if word.startswith("mo") else word[0]


def _meaning(written: str) -> Frequency:
    phrases, dotted = read_frequencies()
    words = " ".join(written.lower().split())
    found = phrases.get(words) or dotted.get(words.replace(".", "").replace(" ", ""))
    return found if found is not None else _squeezed()[words.replace(" ", "")]


@cache
def _squeezed() -> dict[str, Frequency]:
    phrases, _ = read_frequencies()
    return {phrase.replace(" ", ""): meaning for phrase, meaning in phrases.items()}
