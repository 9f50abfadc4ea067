"""The form of a file of heading rules: what may be written there, and what is wrong with it.

docs/sections.md tells users the same.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
)

from nlp.preprocess import PreprocessError
from nlp.preprocess.heading_rule import expand
from nlp.settings import Kind

_HELP = "docs/sections.md has the form"


def _loinc_code(code: str) -> str:
    """LOINC codes end with a check digit, by modulus 10 as Luhn's."""
    number, hyphen, check = code.partition("-")
    if not (hyphen and number.isdecimal() and len(check) == 1 and check.isdecimal()):
        raise ValueError("a LOINC code is digits, a hyphen and a check digit")
    digits = [int(digit) for digit in reversed(number + check)]
    total = sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits))
    if total % 10:
        raise ValueError("its check digit is not that of a LOINC code")
    return code


def _by_section(loinc: object) -> object:
    """A code alone is that of the section wherever it stands."""
    return {"": loinc} if isinstance(loinc, str) else loinc


def _heading(heading: str) -> str:
    forms = list(expand(heading))
    if any(not form or "[" in form or "]" in form for form in forms):
        raise ValueError("a heading is plain words and groups such as [a|b] or [a|]")
    return heading


Name = Annotated[
    StrictStr, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)?$")
]
Code = Annotated[StrictStr, AfterValidator(_loinc_code)]
Heading = Annotated[StrictStr, AfterValidator(_heading)]


class HeadingEntry(BaseModel):
    """One ``[[section]]``; :class:`nlp.preprocess.heading_rule.HeadingRule` says what it means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    headings: Annotated[list[Heading], Field(min_length=1)]
    kinds: Annotated[list[Kind], Field(min_length=1)] = ["note"]
    loinc: Annotated[dict[StrictStr, Code], BeforeValidator(_by_section)] = {}
    within: list[Name] = []
    alone: Name | None = None
    joined: StrictBool = True
    opens: Name | None = None
    inline_parts: StrictBool = False
    capitals: StrictBool = False
    colon: StrictBool = False
    followed_by: list[StrictStr] = []


class HeadingFile(BaseModel):
    """A whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    section: list[HeadingEntry] = []
    prefixes: list[StrictStr] = []
    labels: list[StrictStr] = []


def read_heading_file(path: Path) -> HeadingFile:
    """Read and check a file.

    Raises:
        PreprocessError: it cannot be read, is no TOML, or an entry is wrong; names file and entry.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise PreprocessError(
            f"section rules {path} cannot be read ({error.strerror}); check the path in "
            "preprocess.section_rules"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PreprocessError(f"section rules {path} are no TOML: {error}; {_HELP}") from error
    try:
        return HeadingFile.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = str(first["msg"]).removeprefix("Value error, ")
        where, *keys = _location(content, first["loc"])
        raise entry_error(path, where, f"{' '.join([*keys, ''])}{problem}") from error


def entry_error(path: Path, where: str, problem: str) -> PreprocessError:
    """What is wrong with an entry of a file, in one line."""
    return PreprocessError(f"section rules {path}, {where}: {problem}; {_HELP}")


def entry_name(number: int, name: object) -> str:
    """How an entry is called in errors: its number from 1, and its name."""
    return f"section {number} ({name})" if isinstance(name, str) else f"section {number}"


def _location(content: dict[str, object], location: tuple[int | str, ...]) -> list[str]:
    """Where an error lies: the entry, then the keys within it."""
    top, *rest = location
    entries = content.get("section")
    if top != "section" or not rest or not isinstance(entries, list):
        return [str(top), *map(str, rest[:1])]
    entry = entries[int(rest[0])]
    name = entry.get("name") if isinstance(entry, dict) else None
    return [entry_name(int(rest[0]) + 1, name), *(str(key) for key in rest[1:2])]
