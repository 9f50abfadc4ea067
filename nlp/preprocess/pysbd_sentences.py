"""Sentences by pySBD (Sadvilkar and Neumann 2020, arXiv:2010.09657).

pySBD's own offsets are sought from the beginning of the text for every sentence; here each is
sought after the one before.
"""

from __future__ import annotations

from itertools import pairwise

import pysbd


def split(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, without the white space around it, in text order.

    What pySBD has changed, so that the text does not have it, belongs to the sentence before.
    """
    starts = {0}
    position = 0
    for sentence in pysbd.Segmenter(language="en", clean=False).segment(text):
        bare = sentence.strip()
        start = text.find(bare, position) if bare else -1
        if start >= 0:
            starts.add(start)
            position = start + len(bare)
    found = []
    bounds = [*sorted(starts), len(text)]
    for start, end in pairwise(bounds):
        piece = text[start:end].rstrip()
        if bare := piece.lstrip():
            found.append((start + len(piece) - len(bare), start + len(piece)))
    return found
