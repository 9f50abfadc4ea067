"""Where the words of rules stand in a sentence: one walk over an automaton of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nlp.assertion.rule import ANY_NUMBER, ANY_WORD, PSEUDO, TERMINATE, Phrase, Rule, parse_pattern
from nlp.assertion.tokens import Token


@dataclass(slots=True)
class _Node:
    """A place within the words of rules: where each next token leads, and whose words end here."""

    next: dict[str, list[_Node]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)

    def lead(self, phrase: Phrase, target: _Node) -> None:
        """Let a phrase lead from here to a node."""
        node = self
        for token in phrase[:-1]:
            following = _Node()
            node.next.setdefault(token, []).append(following)
            node = following
        node.next.setdefault(phrase[-1], []).append(target)

    def absorb(self, other: _Node) -> None:
        """Lead wherever another node leads."""
        for token, nodes in other.next.items():
            self.next.setdefault(token, []).extend(nodes)
        self.rules.extend(other.rules)


@dataclass(frozen=True, slots=True)
class Match:
    """Words of a rule: the rule, and the tokens from ``first`` to before ``last``.

    ``until`` is the end of longer pseudo words that the cue begins: only mentions that begin
    within those are modified ("no *change in vision*").
    """

    rule: Rule
    first: int
    last: int
    until: int | None = None


class Matcher:
    """The words of all rules, compiled once."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Compile rules whose patterns are known to be sound."""
        root = _Node()
        for rule in rules:
            for pattern in rule.patterns:
                node = _Node(rules=[rule])
                for piece in reversed(parse_pattern(pattern)):
                    before = _Node()
                    for wording in piece.wordings:
                        before.lead(wording, node)
                    if piece.optional:
                        before.absorb(node)
                    node = before
                root.absorb(node)
        self._root = root.next

    def find(self, tokens: Sequence[Token]) -> list[Match]:
        """The longest words at every token, but for those within longer words that begin before.

        So words that block others (pseudo cues) contain them, and "no history of" is one cue,
        not two. Terminators hide nothing: ", likely pneumonia" ends a scope and begins one. Several
        rules may share words.
        """
        found: list[Match] = []
        reached = 0
        for first, token in enumerate(tokens):
            word = token[0]
            nodes = self._root.get(word)
            if word.isdigit() and ANY_NUMBER in self._root:
                nodes = [*(nodes or ()), *self._root[ANY_NUMBER]]
            if nodes:
                ends = _ends(nodes, tokens, first + 1)
                if ends and ends[-1][0] > reached:
                    found += _matches(first, ends)
                    if any(rule.direction != TERMINATE for rule in ends[-1][1]):
                        reached = ends[-1][0]
        return found


def _matches(first: int, ends: Sequence[tuple[int, Sequence[Rule]]]) -> Iterator[Match]:
    """The longest words; where they are pseudo words, also the longest cue that begins them."""
    last, rules = ends[-1]
    for rule in dict.fromkeys(rules):
        yield Match(rule, first, last)
    if all(rule.direction == PSEUDO for rule in rules):
        for shorter, begun in reversed(ends[:-1]):
            cues = [rule for rule in begun if rule.direction not in (PSEUDO, TERMINATE)]
            if cues:
                yield from (Match(rule, first, shorter, last) for rule in dict.fromkeys(cues))
                return


def _ends(nodes: list[_Node], tokens: Sequence[Token], at: int) -> list[tuple[int, Sequence[Rule]]]:
    """Where words that go on from these nodes end, and whose they are; the longest last."""
    ends: list[tuple[int, Sequence[Rule]]] = []
    while nodes:
        ended = [rule for node in nodes for rule in node.rules]
        if ended:
            ends.append((at, ended))
        if at == len(tokens):
            break
        word = tokens[at][0]
        ways = [word]
        if word.isdigit():
            ways.append(ANY_NUMBER)
        if word[0].isalnum():
            ways.append(ANY_WORD)
        nodes = [
            following
            for node in nodes
            for way in ways
            if way in node.next
            for following in node.next[way]
        ]
        at += 1
    return ends
