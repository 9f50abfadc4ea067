"""Synthetic notes with planted identifiers of all kinds, and where they stand.

``python -m tests.nlp.privacy.notes --notes 300 --seed 1 --part held_out GOLD.jsonl`` writes the
form that ``charthouse evaluate privacy`` reads.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from faker import Faker

TEMPLATES = Path(__file__).with_name("templates.toml")
PARTS = ("tuned", "held_out")
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


@dataclass(frozen=True)
class Planted:
    """A note and its identifiers, sorted: start, end and kind."""

    note_id: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


def write_notes(count: int, seed: int, part: str, names: str = "en_US") -> list[Planted]:
    """Make notes of the sentences of a part, ``tuned`` or ``held_out``.

    Args:
        count: how many.
        seed: the same seed, the same notes.
        part: whose sentences.
        names: where the persons' names come from, a locale of Faker such as en_IN.
    """
    templates = tomllib.loads(TEMPLATES.read_text("utf-8"))[part]
    return [
        _note(f"{part}-{n}", random.Random(f"{seed}/{n}"), templates, names) for n in range(count)
    ]


def as_json_lines(notes: Sequence[Planted]) -> str:
    """Gold lines."""
    return "".join(
        json.dumps(
            {
                "id": note.note_id,
                "text": note.text,
                "spans": [{"start": s, "end": e, "kind": k} for s, e, k in note.spans],
            }
        )
        + "\n"
        for note in notes
    )


def _note(
    note_id: str, draw: random.Random, templates: dict[str, list[str]], names: str
) -> Planted:
    values = _Values(draw, names)
    lines = draw.sample(templates["lines"], 12) + draw.sample(templates["plain"], 6)
    draw.shuffle(lines)
    text, spans = "", []
    for line in lines:
        at = 0
        for slot in _SLOT.finditer(line):
            text += line[at : slot.start()]
            kind, form = slot.groups()
            value = values.value(kind, form)
            if form is not None and not (kind == "age" and form == "young"):
                spans.append((len(text), len(text) + len(value), kind))
            text += value
            at = slot.end()
        text += line[at:] + draw.choice(["\n", "  ", "\n\n", " "])
    return Planted(note_id, text, tuple(spans))


class _Values:
    """Made-up identifiers; ``again`` gives the last name that was drawn."""

    def __init__(self, draw: random.Random, names: str) -> None:
        self._draw = draw
        self._faker, self._names = Faker("en_US"), Faker(names)
        for faker in (self._faker, self._names):
            faker.seed_instance(draw.getrandbits(32))
        self._last, self._first = "Smith", "Ann"

    def value(self, kind: str, form: str | None) -> str:
        makers: dict[str, Callable[[str], str]] = {
            "name": self._name,
            "date": self._date,
            "location": self._location,
            "phone": self._phone,
            "fax": self._phone,
        }
        if kind in makers and form is not None:
            return makers[kind](form)
        return self._other(kind, form)

    def _name(self, form: str) -> str:
        if form == "again":
            return self._last
        if form == "first_again":
            return self._first
        self._first, self._last = self._names.first_name(), self._names.last_name()
        first, last = self._first, self._last
        middle = self._draw.choice(["", "", f" {self._draw.choice(_LETTERS)}."])
        return {
            "full": f"{first}{middle} {last}",
            "comma": f"{last}, {first}{middle}",
            "last": last,
            "first": first,
            "initial": f"{first[0]}. {last}",
        }[form]

    def _date(self, form: str) -> str:
        day = date(1950, 1, 1) + timedelta(days=self._draw.randrange(27_000))
        n = day.day
        ordinal = f"{n}{'th' if 10 < n < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
        month, short = day.strftime("%B"), day.strftime("%b")
        return {
            "us": day.strftime("%m/%d/%Y"),
            "us2": f"{day.month}/{n}/{day:%y}",
            "iso": day.isoformat(),
            "long": f"{month} {n}, {day.year}",
            "month_year": f"{month} {day.year}",
            "mon_year": f"{short} {day.year}",
            "short": f"{day.month}/{n}",
            "dmy": f"{n} {month} {day.year}",
            "dmy_dash": f"{n:02}-{short}-{day.year}",
            "ordinal": f"{month} {ordinal}",
            "ordinal_of": f"{ordinal} of {month} {day.year}",
            "dashes": day.strftime("%m-%d-%Y"),
            "month": month,
            "weekday": f"{day:%A}, {month} {n}, {day.year}",
            "ymd_slash": day.strftime("%Y/%m/%d"),
        }[form]

    def _location(self, form: str) -> str:
        fake, draw = self._faker, self._draw
        surname = fake.last_name()
        return {
            "street": lambda: fake.street_address(),
            "city": lambda: fake.city(),
            "zip": lambda: fake.zipcode() if draw.random() < 0.8 else fake.zipcode_plus4(),
            "hospital": lambda: draw.choice(
                [
                    f"{surname} Memorial Hospital",
                    f"{fake.city()} General Hospital",
                    f"{surname} Medical Center",
                    f"St. {fake.first_name()}'s Hospital",
                    f"{fake.city()} Regional Medical Center",
                ]
            ),
            "clinic": lambda: f"{surname} {draw.choice(['Family Clinic', 'Clinic'])}",
            "nursing": lambda: f"{surname} {draw.choice(['Nursing Home', 'Manor', 'Care Center'])}",
            "saint": lambda: f"St. {fake.first_name()}'s",
            "unit": lambda: draw.choice(["Apt 4B", "Unit 12", "Suite 200"]),
            "pobox": lambda: f"PO Box {draw.randrange(100, 9999)}",
            "boxnumber": lambda: str(draw.randrange(100, 9999)),
        }[form]()

    def _phone(self, form: str) -> str:
        a, b, c = (self._draw.randrange(*r) for r in ((201, 980), (200, 1000), (0, 10_000)))
        return {
            "parens": f"({a}) {b}-{c:04}",
            "dashes": f"{a}-{b}-{c:04}",
            "dots": f"{a}.{b}.{c:04}",
            "plus": f"+1 {a} {b} {c:04}",
        }[form]

    def _other(self, kind: str, form: str | None) -> str:
        fake, draw = self._faker, self._draw
        digits = "".join(draw.choice("0123456789") for _ in range(12))
        letters = "".join(draw.choice(_LETTERS) for _ in range(6))
        makers: dict[tuple[str, str | None], Callable[[], str]] = {
            ("honorific", None): lambda: draw.choice(["Mr.", "Mrs.", "Ms."]),
            ("state", None): lambda: fake.state_abbr(include_territories=False),
            ("statename", None): lambda: fake.state(),
            ("age", "old"): lambda: str(draw.randrange(90, 105)),
            ("age", "young"): lambda: str(draw.randrange(20, 89)),
            ("email", "any"): lambda: fake.email(),
            ("url", "http"): lambda: fake.url() + fake.uri_path(),
            ("url", "www"): lambda: f"www.{fake.domain_name()}",
            ("ip", "v4"): lambda: fake.ipv4(),
            ("ssn", "dashes"): lambda: fake.ssn(),
            ("ssn", "plain"): lambda: fake.ssn().replace("-", ""),
            ("mrn", "digits"): lambda: digits[: draw.randrange(6, 10)],
            ("mrn", "letters"): lambda: f"{letters[:2]}{digits[:6]}",
            ("account", "digits"): lambda: digits[: draw.randrange(7, 12)],
            ("health_plan", "letters"): lambda: f"{letters[:3]}{digits[:9]}",
            ("health_plan", "digits"): lambda: digits[:6],
            ("health_plan", "mbi"): lambda: "1EG4-TE5-MK7" + digits[0],
            ("license", "letters"): lambda: f"{letters[0]}{digits[:7]}",
            ("license", "dea"): lambda: f"A{letters[0]}{digits[:7]}",
            ("vehicle", "plate"): lambda: f"{digits[0]}{letters[:3]}{digits[1:4]}",
            ("vehicle", "vin"): lambda: fake.vin(),
            ("device", "serial"): lambda: f"{letters[:3]}{digits[:6]}{letters[3]}",
            ("biometric", "id"): lambda: f"{letters[:2]}-{digits[:5]}",
            ("photo", "file"): lambda: f"IMG_{digits[:4]}.{draw.choice(['jpg', 'JPG', 'png'])}",
            ("other", "id"): lambda: f"{letters[0]}{digits[:2]}-{digits[2:7]}",
        }
        return makers[kind, form]()


def main() -> None:
    """Write gold lines."""
    parser = argparse.ArgumentParser(description="Write synthetic notes with their identifiers.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--notes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=PARTS, default="held_out")
    parser.add_argument("--names", default="en_US", help="locale of Faker for persons' names")
    given = parser.parse_args()
    notes = write_notes(given.notes, given.seed, given.part, given.names)
    given.output.write_text(as_json_lines(notes), "utf-8")


if __name__ == "__main__":
    main()
