"""Any text at all: nothing raises, offsets hold, and what was found is gone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.privacy.finder import Finder
from nlp.privacy.masks import label_mask
from nlp.privacy.replace import replace_findings
from nlp.privacy.surrogates import Surrogates
from nlp.settings import PrivacySettings

FINDER = Finder(PrivacySettings(), None)
PIECES = st.sampled_from(
    [
        *(
            "Dr. ",
            "MRS. ",
            "dr ",
            "Patient: ",
            "cc:",
            "his wife ",
            "Smith",
            "ÖZDEMİR",
            "O\u2019Brien",
        ),
        *(
            "Ann-Marie",
            "J.",
            ", MD",
            ", RN",
            " is a 92-year-old",
            "St. ",
            "Mary's",
            " Hospital",
            "de la ",
        ),
        *(
            "12 Elm St",
            ", Boston, MA 02139",
            "lives in ",
            "03/04/2019",
            "3/4",
            "May",
            "on ",
            "MRN ",
        ),
        *(
            "445566",
            "a@b.org",
            "http://x.org/y",
            "10.0.0.1",
            "617-555-2368",
            "#",
            "\n",
            "\r\n",
            " ",
        ),
        *(
            "\t",
            ".",
            ",",
            "-",
            "\u00a0",
            "😀",
            "ß",
            "İ",
            "'s",
            "(",
            ")",
            "born ",
            "aged ",
            "[NAME]",
        ),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=60))


@given(TEXTS)
@settings(max_examples=300)
def test_offsets_hold_and_identifiers_go(text: str) -> None:
    found = FINDER.find([text])[0]
    ends = [0, *(f.end for f in found)]
    assert all(end <= f.start < f.end for end, f in zip(ends, found, strict=False))
    assert ends[-1] <= len(text)
    masked = replace_findings(text, found, label_mask)
    assert masked.text.count("[") >= len(found)
    surrogates = Surrogates(b"k" * 32, "p")
    made = replace_findings(text, found, surrogates.value)
    for old, new in zip(found, made.spans, strict=True):
        assert made.text[new.start : new.end].casefold() != text[old.start : old.end].casefold()


@given(st.lists(TEXTS, max_size=3))
@settings(max_examples=30)
def test_a_text_is_searched_the_same_whatever_stands_beside_it(texts: list[str]) -> None:
    assert FINDER.find(texts) == [FINDER.find([text])[0] for text in texts]
