from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from ontologies.content import (
    CONCEPT_COLUMNS,
    NAME_COLUMNS,
    PARENT_COLUMNS,
    REPLACED_COLUMNS,
    Content,
    ReadOptions,
)
from ontologies.errors import OntologyError
from ontologies.problems import Problems
from ontologies.umls import read_umls, umls_files

ALL = ReadOptions(hierarchy=True)
# The names and the ids below are invented.
FEVER, HEAT, CHILL = "C9000001", "C9000002", "C9000003"


def atom(
    cui: str,
    text: str,
    *,
    lat: str = "ENG",
    ts: str = "S",
    stt: str = "VO",
    ispref: str = "N",
    aui: str = "A1",
    sab: str = "MSH",
    tty: str = "ET",
    suppress: str = "N",
) -> str:
    """A row of MRCONSO."""
    return (
        f"{cui}|{lat}|{ts}|L1|{stt}|S1|{ispref}|{aui}||M1||{sab}|{tty}|D1|{text}|0|{suppress}|256|"
    )


def related(
    first: str, rel: str, second: str, rela: str = "", *, sab: str = "MSH", suppress: str = "N"
) -> str:
    """A row of MRREL."""
    return f"{first}|A1|AUI|{rel}|{second}|A2|AUI|{rela}|R1||{sab}|{sab}|||{suppress}||"


def history(old: str, rel: str, new: str, mapin: str = "Y") -> str:
    """A row of MRCUI."""
    return f"{old}|2020AA|{rel}|||{new}|{mapin}|"


def write(path: Path, rows: Iterable[str]) -> Path:
    path.parent.mkdir(exist_ok=True)
    text = "".join(f"{row}\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def read(folder: Path, rows: Iterable[str], options: ReadOptions = ALL) -> Content:
    write(folder / "MRCONSO.RRF", rows)
    return read_umls(folder, options)


def names_of(content: Content, cui: str = FEVER) -> list[str]:
    return content.names.filter(pl.col("concept_id") == f"UMLS:{cui}")["name"].to_list()


def preferred(content: Content) -> dict[str, str]:
    return dict(content.concepts.select("concept_id", "concept_name").iter_rows())


@pytest.fixture
def meta(tmp_path: Path) -> Path:
    """An empty META folder whose path names no release."""
    folder = tmp_path / "META"
    folder.mkdir()
    return folder


@pytest.fixture
def three(meta: Path) -> list[str]:
    """Rows of MRCONSO: one name of each of three concepts."""
    return [atom(FEVER, "Red fever"), atom(HEAT, "Red heat"), atom(CHILL, "Blue chill")]


def test_a_concept_has_its_names_types_and_definition(meta: Path) -> None:
    write(meta / "MRSTY.RRF", [f"{FEVER}|T184|A2|Sign|AT2||", f"{FEVER}|T047|B2|Disease|AT1||"])
    write(meta / "MRDEF.RRF", [f"{FEVER}|A1|AT1||MSH|A red kind of fever.|N||"])
    content = read(
        meta,
        [
            atom(FEVER, "Red fever", ts="P", stt="PF", ispref="Y", tty="MH"),
            atom(FEVER, "Fever, red", sab="NCI", tty="SY"),
        ],
    )
    assert content.concepts.rows(named=True) == [
        {
            "concept_id": "UMLS:C9000001",
            "concept_name": "Red fever",
            "semantic_types": ["T047", "T184"],
            "tree_numbers": [],
            "definition": "A red kind of fever.",
            "registry_numbers": [],
            "actions": [],
            "mapped_to": [],
            "is_supplementary": False,
            "line": 1,
        }
    ]
    assert content.names.rows() == [
        ("UMLS:C9000001", "Red fever", "MH", None, "MSH"),
        ("UMLS:C9000001", "Fever, red", "SY", None, "NCI"),
    ]


def test_the_columns_are_those_of_every_format(meta: Path, three: list[str]) -> None:
    for options in (ALL, replace(ALL, hierarchy=False)):
        content = read(meta, three, options)
        assert dict(content.concepts.schema) == CONCEPT_COLUMNS
        assert dict(content.names.schema) == NAME_COLUMNS
        assert dict(content.parents.schema) == PARENT_COLUMNS
        assert dict(content.replaced.schema) == REPLACED_COLUMNS


def test_concepts_come_in_the_order_of_their_first_rows(meta: Path) -> None:
    rows = [atom(HEAT, "a"), atom(FEVER, "b"), atom(HEAT, "c", ts="P"), atom(CHILL, "d")]
    concepts = read(meta, rows).concepts
    assert concepts["line"].to_list() == [1, 2, 4]
    assert concepts["concept_name"].to_list() == ["c", "b", "d"]


def test_mrconso_alone_is_enough(meta: Path, three: list[str]) -> None:
    content = read(meta, three)
    assert content.concepts["semantic_types"].to_list() == [[], [], []]
    assert content.concepts["definition"].to_list() == [None, None, None]
    assert content.parents.is_empty()
    assert content.replaced.is_empty()


def test_quotes_and_odd_characters_stay_in_names(meta: Path) -> None:
    names = ['"Red" fever', 'Red 5" fever', "Fièvre, rouge", "#red\tfever", "fever\u2028red"]
    content = read(meta, [atom(FEVER, name, aui=f"A{n}") for n, name in enumerate(names)])
    assert names_of(content) == names


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter(meta: Path) -> None:
    text = f"\ufeff{atom(FEVER, 'Red fever')}\r\n\r\n{atom(HEAT, 'Red heat')}\r\n"
    (meta / "MRCONSO.RRF").write_bytes(text.encode())
    content = read_umls(meta, ALL)
    assert preferred(content) == {"UMLS:C9000001": "Red fever", "UMLS:C9000002": "Red heat"}
    assert content.concepts["line"].to_list() == [1, 3]


# Which names are read


def test_only_names_of_the_languages_wanted_are_read(meta: Path) -> None:
    rows = [atom(FEVER, "Red fever"), atom(FEVER, "Rotfieber", lat="GER", ts="P")]
    assert names_of(read(meta, rows)) == ["Red fever"]
    assert names_of(read(meta, rows, ReadOptions(languages=("GER",)))) == ["Rotfieber"]
    assert len(names_of(read(meta, rows, ReadOptions(languages=("GER", "ENG"))))) == 2


def test_only_names_of_the_vocabularies_wanted_are_read(meta: Path) -> None:
    rows = [atom(FEVER, "Red fever", sab="NCI"), atom(HEAT, "Red heat", sab="MSH")]
    content = read(meta, rows, ReadOptions(vocabularies=("NCI",)))
    assert preferred(content) == {"UMLS:C9000001": "Red fever"}


@pytest.mark.parametrize("mark", ["O", "E", "Y"])
def test_suppressed_names_are_read_only_if_asked_for(meta: Path, mark: str) -> None:
    rows = [atom(FEVER, "Old fever", ts="P", suppress=mark), atom(FEVER, "Red fever")]
    assert names_of(read(meta, rows)) == ["Red fever"]
    content = read(meta, rows, ReadOptions(suppressed=True))
    assert names_of(content) == ["Red fever", "Old fever"]
    assert preferred(content) == {"UMLS:C9000001": "Red fever"}, "the suppressed one comes last"


def test_concepts_of_other_semantic_types_are_left_out(meta: Path, three: list[str]) -> None:
    types = [(FEVER, "T184"), (FEVER, "T047"), (HEAT, "T184"), (CHILL, "T070")]
    write(meta / "MRSTY.RRF", [f"{cui}|{tui}|||||" for cui, tui in types])
    content = read(meta, three, ReadOptions(semantic_types=("T047", "T070")))
    assert content.concepts.select("concept_id", "semantic_types").rows() == [
        ("UMLS:C9000001", ["T047", "T184"]),
        ("UMLS:C9000003", ["T070"]),
    ]
    assert names_of(content, HEAT) == []


def test_semantic_types_cannot_be_chosen_without_mrsty(meta: Path, three: list[str]) -> None:
    with pytest.raises(OntologyError, match=r"META: holds no MRSTY\.RRF"):
        read(meta, three, ReadOptions(semantic_types=("T047",)))


def test_a_choice_that_leaves_nothing_is_an_error(meta: Path, three: list[str]) -> None:
    with pytest.raises(OntologyError, match=r"no names of languages FRE and vocabularies NCI;"):
        read(meta, three, ReadOptions(languages=("FRE",), vocabularies=("NCI",)))


def test_a_name_stands_once_with_the_tags_of_its_best_row(meta: Path) -> None:
    rows = [
        atom(FEVER, "Red fever", sab="NCI", tty="SY"),
        atom(FEVER, "Red fever", sab="MSH", tty="MH", ts="P"),
        atom(FEVER, "red fever", sab="NCI", tty="SY"),
        atom(HEAT, "Red fever", sab="NCI", tty="SY"),
    ]
    assert read(meta, rows).names.rows() == [
        ("UMLS:C9000001", "Red fever", "MH", None, "MSH"),
        ("UMLS:C9000001", "red fever", "SY", None, "NCI"),
        ("UMLS:C9000002", "Red fever", "SY", None, "NCI"),
    ]


# Which name is preferred


def test_without_ranks_the_flags_decide_in_nlms_order(meta: Path) -> None:
    rows = [
        atom(FEVER, "flag of the form only", stt="PF"),
        atom(FEVER, "all other flags", stt="PF", ispref="Y"),
        atom(FEVER, "flag of the term only", ts="P"),
        atom(FEVER, "flags of term and atom", ts="P", ispref="Y"),
        atom(FEVER, "flags of term and form", ts="P", stt="PF"),
    ]
    assert names_of(read(meta, rows)) == [
        "flags of term and form",
        "flags of term and atom",
        "flag of the term only",
        "all other flags",
        "flag of the form only",
    ]


def test_the_highest_rank_comes_before_the_flags(meta: Path) -> None:
    write(meta / "MRRANK.RRF", ["0650|NCI|PT|N|", "0649|MSH|MH|N|", "0010|MSH|ET|N|"])
    rows = [
        atom(FEVER, "Unranked", sab="XYZ", ts="P", stt="PF", ispref="Y"),
        atom(FEVER, "Entry term", tty="ET", ts="P", stt="PF", ispref="Y"),
        atom(FEVER, "Heading", tty="MH"),
        atom(FEVER, "Preferred term of NCI", sab="NCI", tty="PT"),
        atom(FEVER, "Second of NCI", sab="NCI", tty="PT", stt="PF"),
    ]
    expected = [
        "Second of NCI",
        "Preferred term of NCI",
        "Heading",
        "Entry term",
        "Unranked",
    ]
    assert names_of(read(meta, rows)) == expected
    mesh = read(meta, rows, ReadOptions(vocabularies=("MSH",)))
    assert preferred(mesh) == {"UMLS:C9000001": "Heading"}


def test_ties_go_to_the_lowest_aui_by_number(meta: Path) -> None:
    rows = [
        atom(FEVER, "no number", aui="X"),
        atom(FEVER, "late", aui="A10000000"),
        atom(FEVER, "early", aui="A2000000"),
    ]
    assert names_of(read(meta, rows)) == ["early", "late", "no number"]


def test_the_rows_may_stand_in_any_order(meta: Path) -> None:
    rows = [atom(FEVER, f"name {n}", aui=f"A{n}", ts="P" if n == 3 else "S") for n in range(6)]
    expected = names_of(read(meta, rows))
    assert names_of(read(meta, rows[::-1])) == expected
    assert expected[0] == "name 3"


def test_a_rank_that_is_no_number_is_reported(meta: Path, three: list[str]) -> None:
    write(meta / "MRRANK.RRF", ["0010|MSH|ET|N|", "high|NCI|PT|N|"])
    with pytest.raises(OntologyError, match=r"MRRANK\.RRF:2: RANK is not a number; mend"):
        read(meta, three)
    problems = Problems(lenient=True)
    assert read(meta, three, ReadOptions(problems=problems)).concepts.height == 3
    assert len(problems.found) == 1


# Definitions


def definition(meta: Path, *rows: tuple[str, str], options: ReadOptions = ALL) -> str | None:
    write(meta / "MRDEF.RRF", [f"{FEVER}|A1|AT1||{sab}|{text}|N||" for sab, text in rows])
    atoms = [
        atom(FEVER, f"Fever of {sab}", sab=sab, lat="CZE" if sab == "MSHCZE" else "ENG")
        for sab, _ in rows
    ]
    text = read(meta, [atom(FEVER, "Fever", sab="X"), *atoms], options).concepts["definition"][0]
    assert text is None or isinstance(text, str)
    return text


def test_the_definition_is_that_of_mesh_then_nci_then_the_first_by_alphabet(meta: Path) -> None:
    others = (("HPO", "h"), ("CSP", "c"))
    assert definition(meta, *others) == "c"
    assert definition(meta, *others, ("NCI", "n")) == "n"
    assert definition(meta, *others, ("NCI", "n"), ("MSH", "m"), ("MSH", "second")) == "m"


def test_definitions_of_vocabularies_and_languages_not_wanted_are_left_out(meta: Path) -> None:
    assert definition(meta, ("MSHCZE", "horečka")) is None
    assert definition(meta, ("MSHCZE", "horečka"), options=ReadOptions(languages=("CZE",)))
    only = ReadOptions(vocabularies=("NCI",))
    assert definition(meta, ("NCI", "n"), ("MSH", "m"), options=only) == "n"


def test_suppressed_definitions_are_read_only_if_asked_for(meta: Path) -> None:
    write(meta / "MRDEF.RRF", [f"{FEVER}|A1|AT1||MSH|obsolete|O||"])
    rows = [atom(FEVER, "Red fever")]
    assert read(meta, rows).concepts["definition"].to_list() == [None]
    options = ReadOptions(suppressed=True)
    assert read(meta, rows, options).concepts["definition"].to_list() == ["obsolete"]


# Parents


def parents(meta: Path, rows: list[str], options: ReadOptions = ALL) -> list[tuple[str, ...]]:
    write(meta / "MRREL.RRF", rows)
    atoms = [atom(FEVER, "Red fever"), atom(HEAT, "Red heat"), atom(CHILL, "Blue chill")]
    return read(meta, atoms, options).parents.rows()


FEVER_IS_HEAT = ("UMLS:C9000001", "UMLS:C9000002", "MSH")


@pytest.mark.parametrize(
    "row",
    [
        related(FEVER, "PAR", HEAT),
        related(FEVER, "PAR", HEAT, "inverse_isa"),
        related(FEVER, "PAR", HEAT, "isa"),
        related(HEAT, "CHD", FEVER),
        related(HEAT, "CHD", FEVER, "isa"),
        related(HEAT, "RN", FEVER, "isa"),
        related(FEVER, "RB", HEAT, "inverse_isa"),
    ],
)
def test_the_relation_is_what_the_second_concept_is_to_the_first(meta: Path, row: str) -> None:
    assert parents(meta, [row]) == [FEVER_IS_HEAT]


@pytest.mark.parametrize(
    "row",
    [
        related(FEVER, "PAR", HEAT, "part_of"),
        related(HEAT, "CHD", FEVER, "has_part"),
        related(FEVER, "RB", HEAT),
        related(FEVER, "RO", HEAT, "cause_of"),
        related(FEVER, "SY", HEAT),
        related(FEVER, "PAR", FEVER),
        related(FEVER, "PAR", "C9999999"),
        related("C9999999", "PAR", HEAT),
        related(FEVER, "PAR", HEAT, suppress="O"),
    ],
)
def test_other_relations_make_no_parents(meta: Path, row: str) -> None:
    assert parents(meta, [row]) == []


def test_a_parent_stands_once_for_each_vocabulary_that_says_so(meta: Path) -> None:
    rows = [
        related(FEVER, "PAR", HEAT, sab="NCI"),
        related(HEAT, "CHD", FEVER, "isa"),
        related(FEVER, "PAR", HEAT, "inverse_isa"),
        related(CHILL, "PAR", HEAT),
    ]
    nci = (*FEVER_IS_HEAT[:2], "NCI")
    chill = ("UMLS:C9000003", "UMLS:C9000002", "MSH")
    assert parents(meta, rows) == [FEVER_IS_HEAT, nci, chill]
    only = ReadOptions(hierarchy=True, vocabularies=("MSH",))
    assert parents(meta, rows, only) == [FEVER_IS_HEAT, chill]


def test_suppressed_relations_are_read_if_asked_for(meta: Path) -> None:
    options = ReadOptions(hierarchy=True, suppressed=True)
    assert parents(meta, [related(FEVER, "PAR", HEAT, suppress="O")], options) == [FEVER_IS_HEAT]


def test_the_hierarchy_is_not_touched_unless_asked_for(meta: Path, three: list[str]) -> None:
    (meta / "MRREL.RRF").write_bytes(b"no rows at all")
    assert read(meta, three, ReadOptions()).parents.is_empty()


# Earlier ids


def replaced(meta: Path, *rows: str, merged: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    write(meta / "MRCUI.RRF", rows)
    write(meta / "CHANGE" / "MERGEDCUI.RRF", [f"{old}|{new}|" for old, new in merged])
    content = read(meta, [atom(FEVER, "Red fever"), atom(HEAT, "Red heat")])
    assert content.replaced["old_id"].is_sorted()
    return {old[5:]: new[5:] for old, new in content.replaced.iter_rows()}


def test_merged_ids_are_followed(meta: Path) -> None:
    found = replaced(meta, history("C8000002", "SY", HEAT), merged=[("C8000001", FEVER)])
    assert found == {"C8000001": FEVER, "C8000002": HEAT}


@pytest.mark.parametrize(
    "row",
    [
        history("C8000001", "RO", FEVER),
        history("C8000001", "RN", FEVER),
        history("C8000001", "RB", FEVER),
        history("C8000001", "DEL", "", ""),
        history("C8000001", "SY", FEVER, "N"),
        history("C8000001", "SY", "C9999999"),
    ],
)
def test_related_deleted_and_absent_concepts_replace_nothing(meta: Path, row: str) -> None:
    assert replaced(meta, row) == {}


def test_chains_of_merges_are_followed_to_their_end(meta: Path) -> None:
    chain = [f"C8{n:06}" for n in range(20)]
    rows = [history(old, "SY", new) for old, new in zip(chain, [*chain[1:], FEVER], strict=True)]
    assert replaced(meta, *rows) == dict.fromkeys(chain, FEVER)


def test_a_circle_of_merges_ends_nowhere(meta: Path) -> None:
    circle = [("C8000001", "C8000002"), ("C8000002", "C8000001"), ("C8000003", "C8000001")]
    assert replaced(meta, merged=[*circle, ("C8000004", FEVER)]) == {"C8000004": FEVER}


def test_an_id_that_was_split_has_no_replacement(meta: Path) -> None:
    rows = [history("C8000001", "SY", FEVER), history("C8000001", "SY", HEAT)]
    assert replaced(meta, *rows, merged=[("C8000002", "C8000001")]) == {}


def test_a_merge_told_twice_is_one_merge(meta: Path) -> None:
    rows = [history("C8000001", "SY", FEVER), history("C8000001", "SY", FEVER)]
    assert replaced(meta, *rows, merged=[("C8000001", FEVER)]) == {"C8000001": FEVER}


def test_a_concept_of_the_release_is_never_replaced(meta: Path) -> None:
    found = replaced(meta, merged=[(HEAT, FEVER), ("C8000001", HEAT)])
    assert found == {"C8000001": HEAT}


# The version


def test_the_version_is_that_of_mrdoc(meta: Path, three: list[str]) -> None:
    write(
        meta / "MRDOC.RRF",
        [
            "RELEASE|umls.release.date|release_info|20260504|",
            "odd row",
            "RELEASE|umls.release.name|release_info|2026AA|",
        ],
    )
    assert read(meta, three).version == "2026AA"


def test_the_version_may_stand_in_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "umls-2025AB-full" / "META"
    folder.mkdir(parents=True)
    rows = [atom(FEVER, "Red fever")]
    assert read(folder, rows).version == "2025AB"


def test_there_may_be_no_version(meta: Path, three: list[str]) -> None:
    assert read(meta, three).version is None


# The files


def test_every_file_may_be_gzip_and_have_any_of_both_names(meta: Path, three: list[str]) -> None:
    write(meta / "MRCONSO.RRF.gz", three)
    (meta / "MRSTY.RRF").write_bytes(gzip.compress(f"{FEVER}|T047|||||\n".encode()))
    (meta / "MRDEF.RRF.gz").write_text(f"{FEVER}|A1|AT1||MSH|Red.|N||\n")
    write(meta / "CHANGE" / "MERGEDCUI.RRF.gz", [f"C8000001|{FEVER}|"])
    content = read_umls(meta, ALL)
    assert content.concepts["semantic_types"].to_list() == [["T047"], [], []]
    assert content.concepts["definition"].to_list() == ["Red.", None, None]
    assert content.replaced.rows() == [("UMLS:C8000001", "UMLS:C9000001")]


def test_the_files_that_decide_the_content_are_named(meta: Path, three: list[str]) -> None:
    files = [
        write(meta / "MRCONSO.RRF.gz", three),
        write(meta / "MRSTY.RRF", []),
        write(meta / "CHANGE" / "MERGEDCUI.RRF", []),
    ]
    write(meta / "MRSAT.RRF", [])
    write(meta / "CHANGE" / "DELETEDCUI.RRF", [])
    assert umls_files(meta, ALL) == files


def test_columns_are_those_that_mrfiles_states(meta: Path) -> None:
    write(
        meta / "MRFILES.RRF",
        [
            "MRCONSO.RRF|Names|STR,SUPPRESS,SAB,TTY,CUI,LAT,TS,STT,ISPREF,AUI,NEW|11|1|1|",
            "CHANGE/MERGEDCUI.RRF|Merged|CUI,PCUI|2|1|1|",
        ],
    )
    write(meta / "CHANGE" / "MERGEDCUI.RRF", [f"{FEVER}|C8000001|"])
    content = read(meta, [f"Red fever|N|MSH|MH|{FEVER}|ENG|P|PF|Y|A1|new|"])
    assert content.names.rows() == [("UMLS:C9000001", "Red fever", "MH", None, "MSH")]
    assert content.replaced.rows() == [("UMLS:C8000001", "UMLS:C9000001")]


def test_a_column_that_mrfiles_lacks_is_an_error(meta: Path, three: list[str]) -> None:
    write(meta / "MRFILES.RRF", ["MRCONSO.RRF|Names|CUI,STR|2|1|1|"])
    with pytest.raises(OntologyError, match=r"MRFILES\.RRF: names no column LAT, TS.* of MRCONSO"):
        read(meta, three)


def test_lines_are_counted_across_blocks(meta: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ontologies.rrf.BLOCK_SIZE", 200)
    rows = [atom(f"C9{n:06}", f"Name {n}") for n in range(1, 41)]
    rows[30] = "too|few|"
    problems = Problems(lenient=True)
    concepts = read(meta, rows, ReadOptions(problems=problems)).concepts
    assert concepts["line"].to_list() == [n for n in range(1, 41) if n != 31]
    assert concepts["concept_name"].to_list() == [f"Name {n}" for n in range(1, 41) if n != 31]
    assert problems.found == [f"{meta / 'MRCONSO.RRF'}:31: 2 columns instead of 18"]


# What cannot be used


def _missing(path: Path, good: bytes) -> None:
    path.unlink()


def _empty(path: Path, good: bytes) -> None:
    path.write_bytes(b"")


def _short_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(good)[:-12])


def _damaged_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(good)[:-8] + b"\0" * 8)


def _html(path: Path, good: bytes) -> None:
    path.write_bytes(b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>")


def _zipped_html(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(b"<html><body>Sign in</body></html>"))


def _zip(path: Path, good: bytes) -> None:
    path.write_bytes(b"PK\x03\x04" + good)


def _latin1(path: Path, good: bytes) -> None:
    path.write_bytes(good + atom(FEVER, "Fièvre").encode("latin-1") + b"\n")


def _csv(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(b"|", b","))


def _few(path: Path, good: bytes) -> None:
    path.write_bytes(good[: good.index(b"Blue")])


def _many(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(b"Blue chill", b"Blue|chill"))


def _no_name(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(b"Blue chill", b""))


def _no_cui(path: Path, good: bytes) -> None:
    path.write_bytes(good.replace(CHILL.encode(), b""))


FATAL = [
    (_missing, "holds no MRCONSO.RRF or MRCONSO.RRF.gz"),
    (_empty, "MRCONSO.RRF: holds no names of languages ENG"),
    (_short_gzip, "MRCONSO.RRF: the gzip file is cut short or damaged"),
    (_damaged_gzip, "MRCONSO.RRF: the gzip file is cut short or damaged"),
    (_html, "MRCONSO.RRF: is an HTML page"),
    (_zipped_html, "MRCONSO.RRF: is an HTML page"),
    (_zip, "MRCONSO.RRF: is a zip archive"),
    (_latin1, "MRCONSO.RRF:4: not UTF-8"),
    (_csv, "MRCONSO.RRF:1: no rows of 18 columns"),
]
PARTIAL = [
    (_few, "MRCONSO.RRF:3: 14 columns instead of 18"),
    (_many, "MRCONSO.RRF:3: 19 columns instead of 18"),
    (_no_name, "MRCONSO.RRF:3: no CUI or no STR"),
    (_no_cui, "MRCONSO.RRF:3: no CUI or no STR"),
]


@pytest.mark.parametrize(("spoil", "said"), [*FATAL, *PARTIAL])
def test_an_unusable_mrconso_is_an_error_in_one_line(
    meta: Path, three: list[str], spoil, said: str
) -> None:
    path = write(meta / "MRCONSO.RRF", three)
    spoil(path, path.read_bytes())
    with pytest.raises(OntologyError) as caught:
        read_umls(meta, ALL)
    message = str(caught.value)
    assert said in message
    assert message.startswith(str(meta))
    assert "; " in message, "says the way out"
    assert "\n" not in message


@pytest.mark.parametrize(("spoil", "said"), FATAL)
def test_leniency_does_not_hide_a_bad_file(meta: Path, three: list[str], spoil, said: str) -> None:
    path = write(meta / "MRCONSO.RRF", three)
    spoil(path, path.read_bytes())
    with pytest.raises(OntologyError) as caught:
        read_umls(meta, ReadOptions(problems=Problems(lenient=True)))
    assert said in str(caught.value)


@pytest.mark.parametrize(("spoil", "said"), PARTIAL)
def test_lenient_reading_lists_bad_rows_and_reads_on(
    meta: Path, three: list[str], spoil, said: str
) -> None:
    path = write(meta / "MRCONSO.RRF", three)
    spoil(path, path.read_bytes())
    problems = Problems(lenient=True)
    content = read_umls(meta, ReadOptions(problems=problems))
    assert preferred(content) == {"UMLS:C9000001": "Red fever", "UMLS:C9000002": "Red heat"}
    assert problems.found == [f"{meta}/{said}"]


@pytest.mark.parametrize("name", ["MRSTY", "MRDEF", "MRREL", "MRRANK", "MRCUI", "MERGEDCUI"])
def test_rows_of_the_other_files_are_checked_too(meta: Path, three: list[str], name: str) -> None:
    good = {
        "MRSTY": f"{FEVER}|T047|||||",
        "MRDEF": f"{FEVER}|A1|AT1||MSH|Red.|N||",
        "MRREL": related(FEVER, "PAR", HEAT),
        "MRRANK": "0010|MSH|ET|N|",
        "MRCUI": history("C8000001", "SY", FEVER),
        "MERGEDCUI": f"C8000001|{FEVER}|",
    }[name]
    write(meta / f"{name}.RRF", [good, f"|{good}"])
    columns = good.count("|")
    with pytest.raises(
        OntologyError, match=rf"{name}\.RRF:2: {columns + 1} columns instead of {columns}"
    ):
        read(meta, three)


@pytest.mark.parametrize("row", [f"{FEVER}||||||", "|T047|||||"])
def test_a_semantic_type_without_concept_or_type_is_reported(
    meta: Path, three: list[str], row: str
) -> None:
    write(meta / "MRSTY.RRF", [row])
    with pytest.raises(OntologyError, match=r"MRSTY\.RRF:1: no CUI or no TUI; mend"):
        read(meta, three)


@pytest.mark.parametrize(
    "use", [lambda path: umls_files(path, ALL), lambda path: read_umls(path, ALL)]
)
def test_what_is_no_meta_folder_is_an_error(meta: Path, three: list[str], use) -> None:
    path = write(meta / "MRCONSO.RRF", three)
    with pytest.raises(OntologyError, match=r"MRCONSO\.RRF: is a file; give the folder META"):
        use(path)
    with pytest.raises(OntologyError, match=r"absent: no such folder; give the folder META"):
        use(meta / "absent")
    with pytest.raises(OntologyError, match=r"holds no MRCONSO\.RRF or MRCONSO\.RRF\.gz; give"):
        use(meta.parent)


# A real folder in UMLS's format


def test_separators_inside_identifiers_do_not_cost_the_names(meta: Path) -> None:
    rows = [
        f"{FEVER}|ENG|P|L1|PF|S1|Y|A1|||X1|61|OMIM|PT|X1|61|Fever of the fens|0|N|256|",
        f"{FEVER}|ENG|S|L2|PF|S2|Y|A2||X1|61||OMIM|SY|X1|61|Fen fever|0|N|256|",
    ]
    write(meta / "MRCONSO.RRF", rows)
    options = ReadOptions()
    names = read_umls(meta, options).names
    assert names.select("name", "lexical_tag", "vocabulary").rows() == [
        ("Fever of the fens", "PT", "OMIM"),
        ("Fen fever", "SY", "OMIM"),
    ]
    (note,) = options.problems.found
    assert "MRCONSO.RRF:1: 2 rows from here on have | inside a column" in note


def test_a_surplus_separator_that_could_be_anywhere_is_an_error(meta: Path) -> None:
    good = f"{FEVER}|ENG|P|L1|PF|S1|Y|A1||||MSH|MH|D1|Fever|0|N|256|"
    write(meta / "MRCONSO.RRF", [good, good.replace("Fever", "Fe|ver").replace("D1|", "D2|")])
    with pytest.raises(OntologyError, match=r"MRCONSO\.RRF:2: 19 columns instead of 18"):
        read_umls(meta, ReadOptions())


def test_a_real_folder_is_read_whole(data_dir: Path) -> None:
    folder = data_dir / "ontology" / "umls_META"
    if not folder.is_dir():
        pytest.skip("no UMLS folder among the real corpora")
    options = ReadOptions()
    content = read_umls(folder, options)
    (note,) = options.problems.found
    assert "MRCONSO.RRF.gz:145556: 25,861 rows" in note
    assert content.concepts.height == 72_644
    assert content.concepts["semantic_types"].list.len().min() == 1
    assert content.concepts["concept_id"].is_unique().all()
    assert content.names.select("concept_id", "name").is_duplicated().sum() == 0
    first = content.concepts.row(0, named=True)
    assert first["concept_name"] == "Body Regions"
    assert first["semantic_types"] == ["T023"]
    agenesis = content.concepts.filter(concept_id="UMLS:C8000001")
    assert agenesis["concept_name"].to_list() == ["Tooth Agenesis, Selective, 6"]
