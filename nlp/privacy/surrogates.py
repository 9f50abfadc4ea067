"""Made-up values in place of identifiers: the same for the same value of the same patient.

Everything is derived by HMAC-SHA-256 from the secret, the patient, the kind and the value in a
normal form, so nothing has to be stored, and without the secret nothing leads back.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from nlp.privacy.draw import Draw, same
from nlp.privacy.key import keyed
from nlp.privacy.masks import label_mask
from nlp.privacy.rules import given_names, read_name_lists, read_rules, word_set
from nlp.privacy.shift import shift_date

MOST_DAYS = 364
"""A patient's dates move back by 1 to so many days: never to the same day of another year."""

TRIES = 64
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_DIGITS = re.compile(r"\d+")
_MARKS = re.compile("[\u0300-\u036f]")
_EXTENSION = re.compile(r"x|ext|extension", re.IGNORECASE)
_IMAGE = re.compile(r"jpe?g|png|gif|bmp|tiff?|heic|dcm|webp", re.IGNORECASE)
_WEB = re.compile(r"(?P<scheme>[a-z]+://)?", re.IGNORECASE)


@dataclass(frozen=True)
class Surrogates:
    """The made-up values of one patient."""

    key: bytes
    person: str

    @property
    def days(self) -> int:
        """What is added to the patient's dates: -1 to -364 days."""
        return -1 - int(keyed(self.key, "date shift", self.person)[:12], 16) % MOST_DAYS

    def shift(self, day: date) -> date | None:
        """A date of the patient, moved; None where the calendar ends."""
        try:
            return day + timedelta(days=self.days)
        except OverflowError:
            return None

    def value(self, kind: str, original: str) -> str:
        """What stands in place of an identifier: of the same form where that is plausible.

        Never the original itself, whatever its case. Records, accounts and other numbers have one
        draw, so that a number becomes the same whichever of them it is taken for. A date that
        cannot be read becomes ``[DATE]``, an age over 89 ``90+``.
        """
        if kind == "date":
            moved = shift_date(original, self.days)
            return moved if moved and not same(moved, original) else label_mask(kind, original)
        if kind == "age":
            return "90+"
        make = _MAKERS.get(kind, _number)
        drawn = "number" if make is _number else kind
        for attempt in range(TRIES):
            made = make(Draw(self.key, self.person, drawn, attempt), original)
            if made and not same(made, original):
                return made
        return label_mask(kind, original)


def _plain(value: str) -> str:
    return re.sub(r"[^0-9a-z]", "", value.lower())


def _like(pattern: str, made: str) -> str:
    """Made-up letters in the case of the pattern."""
    if pattern.isupper() and len(pattern) > 1:
        return made.upper()
    return made.lower() if pattern.islower() else made


def _name(draw: Draw, original: str) -> str:
    """Word by word, so that a surname alone and in a full name become the same; digits, too."""
    lists, keep = read_name_lists(), _kept_in_names()
    given, particles = given_names(), word_set("names", "particles")

    def word(match: re.Match[str]) -> str:
        old = match.group()
        lower = old.lower()
        for ending in ("'s", "’s"):
            if lower.endswith(ending):
                return word_of(old[:-2]) + old[-2:]
        return old if lower in keep or (lower in particles and old.islower()) else word_of(old)

    def word_of(old: str) -> str:
        if len(old) == 1:
            return _like(old, draw.choice(old.lower(), _LETTERS))
        choices = lists["given"] if old.lower() in given else lists["surnames"]
        return _like(old, draw.choice(old.lower(), choices))

    made = _WORD.sub(word, _MARKS.sub("", unicodedata.normalize("NFC", original)))
    return _DIGITS.sub(lambda digits: _number(draw, digits.group()), made)


@cache
def _kept_in_names() -> frozenset[str]:
    titles = word_set("names", "titles") | word_set("names", "suffixes")
    return titles | {"md", "rn", "do", "phd", "np", "pa"}


def _place(draw: Draw, original: str) -> str:
    """A ZIP code, a street or a facility keep their form; anything else becomes a town."""
    if not any(letter.isalpha() for letter in original):
        return _number(draw, original)
    lists = read_name_lists()
    normal = " ".join(original.lower().split())
    ending = _ending(original)
    if original[0].isdigit() or re.match(r"(?i)p\.?\s?o\.?\s?box", original):
        if re.match(r"(?i)p\.?\s?o\.?\s?box", original):
            return f"PO Box {_digits(draw, re.sub(r'[^0-9]', '', original) or '1')}"
        number = _digits(draw, re.sub(r"\D.*", "", original, flags=re.DOTALL) or "1")
        return f"{number} {draw.choice(normal, lists['streets'])} Street"
    town = draw.choice(normal, lists["towns"])
    made = f"{town} {ending}" if ending else town
    return _like(original, made)


def _ending(original: str) -> str:
    """Hospital, Medical Center, Clinic: what a facility's name ends in."""
    rules = read_rules()["places"]
    for phrase in sorted(
        (*rules["strong_facilities"], *rules["weak_facilities"]), key=len, reverse=True
    ):
        if original.lower().endswith(" " + phrase.lower()):
            return str(phrase)
    return ""


def _number(draw: Draw, original: str) -> str:
    """Digits for digits and letters for letters; separators and case stay."""
    stream = draw.stream(_plain(original) or original)
    made = []
    for old in original:
        number = next(stream)
        if old.isdigit():
            made.append(str(number % 10))
        elif old.isalpha():
            letter = _LETTERS[number % len(_LETTERS)]
            made.append(letter if old.isupper() else letter.lower())
        else:
            made.append(old)
    if not any(old.isalnum() for old in original):
        return ""
    return "".join(made)


def _digits(draw: Draw, original: str) -> str:
    """As many digits, the first of them no 0."""
    made = _number(draw, original)
    return str(1 + int(made[0]) % 9) + made[1:]


def _phone(draw: Draw, original: str) -> str:
    """Digits for digits; ten of them are in the range 555-0100 to 0199, which nobody has.

    Empty where words other than *x* and *ext* stand among them.
    """
    if any(not _EXTENSION.fullmatch(word) for word in re.findall(r"[^\W\d_]+", original)):
        return ""
    digits = re.sub(r"\D", "", original.split("x")[0].split("ext")[0])
    national = digits[-10:] if len(digits) in {10, 11} else ""
    made = re.sub(r"\D", "", _number(draw, national or re.sub(r"\D", "", original) or original))
    if national:
        made = str(2 + int(made[0]) % 8) + made[1:3] + "55501" + made[8:10]
        made = digits[: len(digits) - 10] + made
    rest = iter(made)
    filler = draw.stream(_plain(original))
    return "".join(
        (next(rest, None) or str(next(filler) % 10)) if old.isdigit() else old for old in original
    )


def _ssn(draw: Draw, original: str) -> str:
    """Digits for digits; nine begin with 9 and a group below 50, which is never issued."""
    made = _number(draw, original)
    digits = [index for index, letter in enumerate(made) if letter.isdigit()]
    if len(digits) != 9:
        return made
    letters = list(made)
    letters[digits[0]] = "9"
    letters[digits[3]] = str(1 + int(letters[digits[3]]) % 4)
    return "".join(letters)


def _email(draw: Draw, original: str) -> str:
    return f"p{_hexadecimal(draw, original)}@example.org"


def _url(draw: Draw, original: str) -> str:
    scheme = _WEB.match(original)
    return f"{scheme.group() if scheme else ''}example.org/{_hexadecimal(draw, original)}"


def _ip(draw: Draw, original: str) -> str:
    """An address of the ranges for documentation (RFC 5737, RFC 3849)."""
    number = next(draw.stream(original.lower()))
    return f"2001:db8::{number:x}" if ":" in original else f"192.0.2.{1 + number % 254}"


def _photo(draw: Draw, original: str) -> str:
    """The ending stays if it is one of images."""
    stem, dot, ending = original.rpartition(".")
    if not dot or not _IMAGE.fullmatch(ending):
        return _number(draw, original)
    return _number(draw, stem) + dot + ending


def _hexadecimal(draw: Draw, original: str) -> str:
    stream = draw.stream(original.lower())
    return f"{next(stream):04x}{next(stream):04x}"


_MAKERS: dict[str, Callable[[Draw, str], str]] = {
    "name": _name,
    "location": _place,
    "phone": _phone,
    "fax": _phone,
    "ssn": _ssn,
    "email": _email,
    "url": _url,
    "ip": _ip,
    "photo": _photo,
}
