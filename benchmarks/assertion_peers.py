"""medspaCy's ConText or negspacy over sentences with one target each; run by assertion.py.

PYTHON benchmarks/assertion_peers.py medspacy|negspacy SENTENCES.json [--repeat 3]

SENTENCES.json holds [sentence, start, end] triples. Each peer has its default rules, spaCy's blank
English tokens, the sentence as its only sentence and the target as its only entity. Prints one JSON
object: what is said of each target, and CPU seconds of each turn, with and without tokens.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    import spacy

    rows = json.loads(arguments.sentences.read_text(encoding="utf-8"))
    nlp = spacy.blank("en")
    pipe, read = PEERS[arguments.peer](nlp)
    said: list[dict[str, bool]] = []
    whole, bare = [], []
    for turn in range(arguments.repeat + 1):  # the first turn warms up
        clock = time.process_time()
        docs = [document(nlp, *row) for row in rows]
        tokens = time.process_time() - clock
        clock = time.process_time()
        for doc in docs:
            pipe(doc)
        seconds = time.process_time() - clock
        if turn:
            whole.append(tokens + seconds)
            bare.append(seconds)
        else:
            said = [read(doc.ents[0]) for doc in docs]
    print(json.dumps({"said": said, "seconds": whole, "seconds_without_tokens": bare}))


def document(nlp: Any, sentence: str, start: int, end: int) -> Any:
    doc = nlp.make_doc(sentence)
    for token in doc:
        token.is_sent_start = token.i == 0
    doc.ents = [doc.char_span(start, end, label="PROBLEM", alignment_mode="expand")]
    return doc


def medspacy(nlp: Any) -> tuple[Callable[[Any], Any], Callable[[Any], dict[str, bool]]]:
    from medspacy.context import ConText

    def read(target: Any) -> dict[str, bool]:
        return {
            "negated": target._.is_negated,
            "uncertain": target._.is_uncertain,
            "historical": target._.is_historical,
            "hypothetical": target._.is_hypothetical,
            "experiencer": target._.is_family,
        }

    return ConText(nlp, rules="default"), read


def negspacy(nlp: Any) -> tuple[Callable[[Any], Any], Callable[[Any], dict[str, bool]]]:
    from negspacy.negation import Negex
    from negspacy.termsets import termset

    patterns = termset("en_clinical").get_patterns()
    return Negex(nlp, "negex", patterns), lambda target: {"negated": target._.negex}


PEERS = {"medspacy": medspacy, "negspacy": negspacy}


if __name__ == "__main__":
    main()
