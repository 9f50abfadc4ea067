"""Byte-pair merges applied to single words (Sennrich et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush

END_OF_WORD = "</w>"
"""What the last character of a word carries in merges and vocabulary."""


def merge_word(word: str, ranks: Mapping[tuple[str, str], int]) -> list[tuple[str, int]]:
    """Join a word's characters into pieces by the merges.

    Again and again the pair of lowest rank is joined at all its places from left to right. Places
    are kept by pair, so that a word of any length takes time in proportion to it, but for a
    logarithm.

    Args:
        word: at least one character.
        ranks: pairs of neighbouring pieces and their ranks, each rank once.

    Returns:
        The pieces in order, the last with `END_OF_WORD`, each with the place of its first
        character in the word.
    """
    pieces = [*word[:-1], word[-1] + END_OF_WORD]
    before = list(range(-1, len(pieces) - 1))
    after = list(range(1, len(pieces) + 1))
    waiting: list[tuple[int, tuple[str, str]]] = []
    places: dict[tuple[str, str], list[int]] = {}

    def note(place: int) -> None:
        """Remember that a piece and its right neighbour could be joined."""
        if place < 0 or after[place] == len(pieces):
            return
        pair = (pieces[place], pieces[after[place]])
        if pair in places:
            places[pair].append(place)
        elif (rank := ranks.get(pair)) is not None:
            places[pair] = [place]
            heappush(waiting, (rank, pair))

    for place in range(len(pieces)):
        note(place)
    while waiting:
        _, (first, second) = heappop(waiting)
        for place in sorted(places.pop((first, second))):
            right = after[place]
            if pieces[place] != first or right == len(pieces) or pieces[right] != second:
                continue  # an earlier join took one of the two
            pieces[place], pieces[right] = first + second, ""
            after[place] = after[right]
            if after[right] < len(pieces):
                before[after[right]] = place
            note(before[place])
            note(place)
    return [(piece, place) for place, piece in enumerate(pieces) if piece]
