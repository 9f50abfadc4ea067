"""Found mentions under the labels they are judged by."""

from __future__ import annotations

from flows.evaluating.mentions import Found, FoundMention


def found(*mentions: tuple[int, int, str, float]) -> Found:
    made = (FoundMention(s, e, label, score, "x", label) for s, e, label, score in mentions)
    return Found({"w:1": tuple(made)})


def relabelled(its: Found, **labels: str) -> list[tuple[int, int, str, float, str]]:
    (mentions,) = its.relabelled(lambda label: labels.get(label, label)).mentions.values()
    return [(m.start_char, m.end_char, m.label, m.score, m.own_label) for m in mentions]


def test_spans_that_coincide_under_a_new_label_count_once() -> None:
    its = found((0, 4, "Anatomy", 0.6), (0, 4, "Cell", 0.9), (5, 9, "Cell", 0.5))
    assert relabelled(its, Cell="Anatomy") == [
        (0, 4, "Anatomy", 0.9, "Cell"),
        (5, 9, "Anatomy", 0.5, "Cell"),
    ]


def test_an_empty_label_drops_a_mention() -> None:
    assert relabelled(found((0, 4, "Cell", 0.6), (5, 9, "Gene", 0.5)), Cell="") == [
        (5, 9, "Gene", 0.5, "Gene")
    ]
