from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from flows.readers.dates import medline_date, parse_date, publication_date


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2150-01-31", date(2150, 1, 31)),
        ("2150-01-31 23:59:00", date(2150, 1, 31)),
        ("2150-01-31T23:59:00Z", date(2150, 1, 31)),
        ("2150/1/3", date(2150, 1, 3)),
        ("20150131", date(2015, 1, 31)),
        (20150131, date(2015, 1, 31)),
        ("01/31/2150", date(2150, 1, 31)),
        (" 1/3/2150 10:00 ", date(2150, 1, 3)),
        ("2150-02", date(2150, 2, 1)),
        ("2150", date(2150, 1, 1)),
        (datetime(2150, 1, 31, 5, tzinfo=UTC), date(2150, 1, 31)),
        (date(2150, 1, 31), date(2150, 1, 31)),
        ("31/01/2150", None),
        ("2150-02-30", None),
        ("last Tuesday", None),
        ("", None),
        (None, None),
        (True, None),
        (1.5, None),
    ],
)
def test_parse_date(value: object, expected: date | None) -> None:
    assert parse_date(value) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("2008", "Jul", "4"), date(2008, 7, 4)),
        (("2008", "07", None), date(2008, 7, 1)),
        (("2008", "September", "30"), date(2008, 9, 30)),
        (("2008", "Autumn", None), date(2008, 10, 1)),
        (("2008", None, "12"), date(2008, 1, 1)),
        (("2008", "Feb", "31"), date(2008, 2, 1)),
        (("2008", "13", "x"), date(2008, 1, 1)),
        (("0000", None, None), None),
        ((None, "Jul", "4"), None),
    ],
)
def test_publication_date(
    parts: tuple[str | None, str | None, str | None], expected: date | None
) -> None:
    assert publication_date(*parts) == expected


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("2000 Spring", date(2000, 4, 1)),
        ("1998 Dec-1999 Jan", date(1998, 12, 1)),
        ("2008 Jul-Aug", date(2008, 7, 1)),
        ("1977-1978", date(1977, 1, 1)),
        ("2000 Oct 23-29", date(2000, 10, 23)),
        ("Winter 2001", date(2001, 1, 1)),
        ("no year", None),
    ],
)
def test_medline_date(string: str, expected: date | None) -> None:
    assert medline_date(string) == expected
