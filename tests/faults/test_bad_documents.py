"""Documents no one would write: each is a reject or has exact offsets, and costs no other one."""

from __future__ import annotations

import json
import re
import resource
from pathlib import Path

import pytest

from tests.faults.scene import QUICK
from tests.flows.conftest import write_jsonl
from tests.flows.runs import assert_sound, charthouse, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

REJECTED: dict[bytes, str] = {
    b'{"id": "bytes", "text": "asthma caf\xe9"}': "not valid UTF-8",
    b'{"id": "overlong", "text": "asthma \xc0\x80"}': "not valid UTF-8",
    b'{"id": "utf8-surrogate", "text": "asthma \xed\xa0\x80"}': "not valid UTF-8",
    b'{"id": "nul", "text": "asthma \\u0000 today"}': "text holds NUL characters",
    b'{"id": "raw nul", "text": "asthma \0"}': "line is not JSON",
    b'{"id": "lone", "text": "asthma \\ud800 today"}': "text holds lone surrogates",
    b'{"id": "swapped", "text": "asthma \\ude00\\ud83d"}': "text holds lone surrogates",
    b'{"id": "\\ud800", "text": "asthma"}': "a field other than the text holds lone surrogates",
    b'{"id": "nul\\u0000", "text": "asthma"}': "a field other than the text holds NUL characters",
    b'{"id": "key", "text": "asthma", "\\udfff": 1}': "a field other than the text holds lone",
    b'{"id": "deep", "text": "asthma", "more": %s}'
    % (b"[" * 100 + b"]" * 100): "a field is nested over 64 levels deep",
    b'{"id": "deeper", "text": "asthma", "more": %s}' % (b"[" * 99_999 + b"]" * 99_999): "line is",
    b'{"id": "digits", "text": "asthma", "more": %s}' % (b"1" * 9_999): "line is not JSON",
    b'{"id": "empty", "text": ""}': "text is empty",
    b'{"id": "white", "text": " \\u00a0\\u2028\\t "}': "text is empty",
    b'{"id": "null", "text": null}': "text is empty",
    b'{"id": "none"}': "text is empty",
    b'{"id": "number", "text": 4}': "text or title is not a string",
    b'{"id": "", "text": "asthma"}': "id is empty",
    b'{"id": ["list"], "text": "asthma"}': "id is empty",
    b'["asthma"]': "line is not a JSON object",
    b'{"id": "cut", "text": "asthma': "line is not JSON",
}
"""Lines that are no document, and how their reason begins."""

KEPT = {
    "plain": "The patient has asthma and takes aspirin.",
    "emoji": "Pain 🤒🤕 then asthma 👩🏽‍⚕️ and aspirin 🧑‍🤝‍🧑 today.",
    "flags": "🇩🇪🇫🇷 asthma 🏴󠁧󠁢󠁳󠁣󠁴󠁿 aspirin",
    "combining": "Le\u0301sion a\u0308 la cafe\u0301: asthma o\u0302\u0323 aspirin.",
    "stacked": "a" + "\u0300" * 500 + " asthma " + "z" + "\u0335" * 500 + " aspirin",
    "hebrew": "לחולה יש asthma והוא נוטל aspirin כל יום.",
    "arabic": "يعاني المريض من asthma ويتناول aspirin يوميا.",
    "marks": "\u202easthma\u202c and \u200easpirin\u200f \u2066today\u2069",
    "joined": "as\u200bthma \ufeff asthma\u2060 and aspirin",
    "lines": "asthma\r\naspirin\x0basthma\x0caspirin\x85asthma\u2028aspirin\u2029asthma\r",
    "spaces": "\u3000\u00a0\t asthma \u2003 aspirin \u2009",
    "beyond": "\U0010ffff asthma \ue000 aspirin \ufffd \uffff \U0001f9ec",
    "controls": "\x01 asthma \x1b[31m aspirin \x7f",
    "cased": "İstanbul ẞ ŉ ǰ ﬁ Ⅷ asthma ŉŉŉ aspirin",
    "wide": "ａｓｔｈｍａ 喘息 ぜんそく 천식 asthma アスピリン aspirin",
    "no spaces": "x" * 20_000 + " asthma " + "y" * 20_000 + " aspirin",
    "one sentence": "asthma and aspirin " * 3_000,
    "brackets": "asthma " + "(" * 2_000 + "A" + ")" * 2_000 + " aspirin",
    "dots": "." * 5_000 + " asthma " + "?!" * 2_500 + " aspirin",
    "markup": "<b>asthma</b> &amp; <!-- aspirin --> ]]> %s {0} \\ud800 '; DROP TABLE mentions; --",
    "emoji alone": "🤒🤕🧬",
    "stops alone": "... --- ...",
}
"""Documents that must be processed, text exactly as given."""


def lines() -> list[bytes]:
    """Bad and good lines in turn, so that each kind stands among the other."""
    bad = [*REJECTED]
    good = [json.dumps({"id": k, "text": t}, ensure_ascii=False) for k, t in KEPT.items()]
    good[1] = json.dumps({"id": "emoji", "text": KEPT["emoji"]})  # as surrogate pairs
    mixed = []
    for number in range(max(len(bad), len(good))):
        mixed += bad[number : number + 1]
        mixed += [line.encode() for line in good[number : number + 1]]
    return mixed


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, prefect_address: str) -> Path:
    """One run of the command, model and dictionary, over everything above and more files."""
    home = tmp_path_factory.mktemp("bad")
    sources = home / "in"
    (sources / "texts").mkdir(parents=True)
    (sources / "a.jsonl").write_bytes(b"\n".join(lines()))
    twice = [
        {"id": "same", "text": "asthma today"},
        {"id": "same", "text": "asthma today"},
        {"id": "other", "text": "asthma first"},
        {"id": "other", "text": "aspirin last"},
        {"id": "both files", "text": "asthma in the first file"},
    ]
    (sources / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in twice))
    (sources / "c.csv").write_bytes(
        b"id,text\nboth files,aspirin in the second file\ncells,aspirin,asthma\n"
        b'latin,caf\xe9\nnul,a\0b\nquoted,"asthma,\r\n""aspirin"""\n'
    )
    texts = {
        "fine": b"\xef\xbb\xbfasthma \xf0\x9f\xa4\x92 aspirin",
        "latin": b"caf\xe9",
        "utf16": "asthma".encode("utf-16"),
        "nul": b"asthma\0",
        "empty": b"",
        "blank": b"\n\n",
    }
    for name, content in texts.items():
        (sources / "texts" / f"{name}.txt").write_bytes(content)
    warehouse = home / "w.duckdb"
    options = ("--corpus", "c", "--dictionary", "sample", "--workers", "2")
    done = charthouse(
        home, "run", sources, "-w", warehouse, *options, PREFECT_API_URL=prefect_address
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    return warehouse


def test_all_offsets_are_exact_and_the_run_adds_up(warehouse: Path) -> None:
    assert_sound(warehouse)


def test_every_bad_line_is_one_reject_with_its_reason(warehouse: Path) -> None:
    rows = query(
        warehouse, "SELECT ordinal, stage, reason FROM rejects WHERE path LIKE '%/a.jsonl'"
    )
    reasons = {ordinal: (stage, reason) for ordinal, stage, reason in rows}
    expected = {n: REJECTED[line] for n, line in enumerate(lines()) if line in REJECTED}
    assert reasons.keys() == expected.keys()
    for ordinal, (stage, reason) in reasons.items():
        assert stage == "read"
        assert str(reason).startswith(expected[ordinal])  # type: ignore[index]


def test_bad_cells_and_files_are_rejects_too(warehouse: Path) -> None:
    by_file = query(
        warehouse,
        "SELECT parse_filename(path), count(*) FROM rejects WHERE path NOT LIKE '%/a.jsonl' "
        "GROUP BY ALL ORDER BY ALL",
    )
    texts = ("blank", "empty", "latin", "nul", "utf16")
    assert by_file == [
        *((f"{name}.txt", 1) for name in texts[:1]),
        ("c.csv", 3),
        *((f"{name}.txt", 1) for name in texts[1:]),
    ]


@pytest.mark.parametrize("name", KEPT)
def test_a_strange_text_is_kept_as_it_is_and_searched(warehouse: Path, name: str) -> None:
    where = f"document_id = 'c:{name}'"
    assert query(warehouse, f"SELECT text FROM documents WHERE {where}") == [(KEPT[name],)]
    assert query(warehouse, f"SELECT status FROM document_annotations WHERE {where}") == [("done",)]
    found = query(warehouse, f"SELECT start_char, end_char FROM mentions WHERE {where}")
    covered = {place for start, end in found for place in range(int(start), int(end))}  # type: ignore[call-overload]
    if name not in {"joined", "markup"}:  # words cut or joined to others are not these words
        for word in re.finditer(r"\b(asthma|aspirin)\b", KEPT[name]):
            assert set(range(*word.span())) <= covered


def test_of_two_records_with_one_id_the_later_counts_once(warehouse: Path) -> None:
    rows = query(
        warehouse,
        "SELECT native_id, text FROM documents "
        "WHERE native_id IN ('same', 'other', 'both files') ORDER BY 1",
    )
    assert rows == [
        ("both files", "aspirin in the second file"),
        ("other", "aspirin last"),
        ("same", "asthma today"),
    ]
    assert query(warehouse, "SELECT duplicates, superseded FROM runs") == [(1, 2)]


SENTENCE = "The patient has asthma and takes aspirin for chest pain, as before. "


HUGE = {
    "10 megabytes": SENTENCE * (10_000_000 // len(SENTENCE)),
    "100,000 sentences": "Asthma. " * 100_000,
    "one line": "asthma and aspirin " * (5_000_000 // 19),
    "short forms": "Congestive heart failure (CHF) and CHF, CHF. " * 20_000,
    "small": SENTENCE,
}
"""Notes of one run: a process that had to be started for each would cost more than the notes."""


def test_a_huge_note_costs_time_and_memory_in_proportion(
    tmp_path: Path, prefect_address: str
) -> None:
    """Nothing grows with the square of a text; the run holds a few copies of it, no more."""
    rows = [{"id": name, "text": text} for name, text in HUGE.items()]
    source = write_jsonl(tmp_path / "n.jsonl", *rows)
    warehouse = tmp_path / "w.duckdb"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    order = ("run", source, "-w", warehouse, *QUICK, "--workers", "1")
    done = charthouse(tmp_path, *order, PREFECT_API_URL=prefect_address)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert_sound(warehouse)
    found = query(
        warehouse,
        "SELECT native_id, count(*) FROM mentions JOIN documents USING (document_id) GROUP BY ALL",
    )
    mentions = {str(name): int(count) for name, count in found}  # type: ignore[call-overload]
    assert mentions.keys() == HUGE.keys()
    for name, text in HUGE.items():
        assert mentions[name] >= text.lower().count("asthma"), name
    spent = after.ru_utime - before.ru_utime
    size = sum(map(len, HUGE.values()))
    print(f"{size:,} characters, {spent:.0f} CPU s, {after.ru_maxrss // 1024:,} MiB")
