"""Numbers drawn from the secret by HMAC, from which surrogates are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.privacy.key import keyed


@dataclass(frozen=True)
class Draw:
    """Numbers that depend on the secret, the patient, the kind, a value and the attempt."""

    key: bytes
    person: str
    kind: str
    attempt: int

    def stream(self, value: str) -> Iterator[int]:
        """Endless numbers from 0 to 65535."""
        block = 0
        while True:
            digest = keyed(
                self.key,
                "surrogate",
                "\0".join((self.person, self.kind, value, str(self.attempt), str(block))),
            )
            for at in range(0, len(digest), 4):
                yield int(digest[at : at + 4], 16)
            block += 1

    def choice(self, value: str, choices: Sequence[str]) -> str:
        """One of the choices, never the value."""
        for number in self.stream(value):
            made = choices[number % len(choices)]
            if not same(made, value):
                return made
        raise AssertionError("a stream does not end")


def same(made: str, original: str) -> bool:
    """Whether they differ in nothing but case."""
    return made.casefold() == original.casefold()
