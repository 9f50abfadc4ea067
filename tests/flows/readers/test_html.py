from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.readers.html import html_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>No  <b>ac</b>ute\n distress.</p><p>BP &lt; 120</p>", "No acute distress.\nBP < 120"),
        ("Plan:<br>rest<br><br>fluids", "Plan:\nrest\n\nfluids"),
        ("<ul><li>one</li>\n<li><p>two</p></li></ul>x <i> y </i> z", "one\ntwo\nx y z"),
        ("<pre> K  4.1\n Na 140</pre> <p> end</p>", " K  4.1\n Na 140\nend".strip()),
        ("<table><tr><td>Na</td> <td> 140 </td></tr><tr><th>K</th></tr></table>", "Na\t140\nK"),
        ("<head><title>t</title></head><script>s</script>seen<style>u</style> too", "seen too"),
        ("<div>a<!-- not this --> b</div>", "a b"),
        ('<?xml version="1.0" encoding="UTF-16"?><html xmlns="h"><body>Ä</body></html>', "Ä"),
        ("no markup", "no markup"),
        ("<table><tr><td></td><td>140</td></tr></table>", "\t140"),
        (
            "<p>Labs</p><table><tr><td></td><th>Na</th><th>K</th></tr><tr><td>today</td><td> </td>"
            "<td>4.1</td></tr><tr><td></td><td></td></tr></table>end",
            "Labs\n\tNa\tK\ntoday\t\t4.1\nend",
        ),
        ("<table><tr><td></td><td><p>a</p></td><td>b</td></tr></table>", "\ta\nb"),
        ("seen<p hidden>not <b>this</b></p> too", "seen too"),
        ('a<span style="color:red; DISPLAY : none !important">x</span>b', "ab"),
        ('<div style="display:block">shown</div>', "shown"),
        (" <!-- --> ", ""),
        ("a&#8203;b&nbsp;c", "a\u200bb\xa0c"),
    ],
)
def test_pages(source: str, text: str) -> None:
    assert html_text(source) == text


def test_page_that_nests_too_deep_is_refused_not_cut() -> None:
    assert html_text("<div>" * 1000 + "x" + "</div>" * 1000) == "x"
    with pytest.raises(ValueError, match="to its end"):
        html_text("<div>" * 5000 + "x" + "</div>" * 5000)


WORDS = st.lists(
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=6), min_size=1
)


@given(st.lists(WORDS, min_size=1, max_size=5), st.sampled_from(["p", "div", "li", "h1"]))
def test_words_of_blocks_come_back_line_by_line(blocks: list[list[str]], tag: str) -> None:
    source = "".join(f"<{tag}>\n{html.escape('  '.join(words))} </{tag}>\n" for words in blocks)
    assert html_text(source) == "\n".join(" ".join(words) for words in blocks)
