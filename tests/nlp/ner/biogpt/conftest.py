"""The published tokenizer to compare with, and texts that are hard to cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

CutWords = Callable[[str], list[str]]

_HARD = (
    *"',.-`_&|<>[]\"@sSaZ5²½",
    *("--", "..", "...", ",,", "''", ".'", "'s", "n't", "5's", ",5", "5,", "5,300", "a-b"),
    *("No.", "Nos.", "Art.", "pp.", "Dr.", "i.e.", "U.S.", "p.m.", "3.5.", "No. 7", "mg. A"),
    *("&amp;", "&apos;", "&#124;", "@-@", "@/@", "</s>", "<unk>", "</w>", "http://a.b/c?d=e-f"),
    *("DOT", "MULTI", "DOTMULTI", "DOTDOTMULTI", "DOT\x00MULTI."),
    *(" ", "  ", "\n", "\r\n", "\t", "\xa0", "\u2028", "\u3000", "\x85", "\x1c", "\x00", "\x07"),
    *("é", "e\u0301", "\u200b", "\ufeff", "µ", "ﬁ", "ª", "ǅ", "Ⅳ", "١", "中文", "한", "\u094d"),
    *("😀", "👩\u200d⚕\ufe0f", "’", "–", "𝒶", "\U0001e922", "\U0010ffff"),
)


@pytest.fixture(scope="session")
def hard_texts() -> st.SearchStrategy[str]:
    """Any Unicode, mixed with what the rules are about."""
    return st.lists(st.sampled_from(_HARD) | st.text(max_size=4), max_size=12).map("".join)


@pytest.fixture(scope="session")
def sacremoses() -> Any:
    return pytest.importorskip("sacremoses", reason="sacremoses is not installed (extra dev)")


@pytest.fixture(scope="session")
def published_words(sacremoses: Any) -> CutWords:
    """Words as SacreMoses cuts and writes them when BioGPT's tokenizer in transformers calls it."""
    tokenizer = sacremoses.MosesTokenizer(lang="en")

    def cut(text: str) -> list[str]:
        words: list[str] = tokenizer.tokenize(
            text, aggressive_dash_splits=True, return_str=False, escape=True
        )
        return words

    return cut
