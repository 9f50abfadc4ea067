"""Surrogates: consistent within a patient, of the same form, never the original."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.privacy.finding import KINDS
from nlp.privacy.shift import shift_date
from nlp.privacy.surrogates import Surrogates

KEY = b"k" * 32
ONE, OTHER = Surrogates(KEY, "p1"), Surrogates(KEY, "p2")
DAYS = st.dates(date(1900, 1, 1), date(2090, 12, 31))


def shape(value: str) -> str:
    return re.sub(r"[A-Z]", "A", re.sub(r"[a-z]", "a", re.sub(r"\d", "0", value)))


@given(st.sampled_from(KINDS), st.text("abcXYZ019-/. ,@:'", min_size=1, max_size=20))
def test_a_surrogate_is_never_the_original_and_always_the_same(kind: str, original: str) -> None:
    made = ONE.value(kind, original)
    assert made.casefold() != original.casefold()
    assert made == Surrogates(KEY, "p1").value(kind, original)


def test_a_surname_is_the_same_alone_and_in_a_full_name_in_any_case() -> None:
    full = ONE.value("name", "Anil Q. Gupta")
    first, initial, last = full.split()
    assert ONE.value("name", "GUPTA") == last.upper()
    assert ONE.value("name", "Gupta, Anil") == f"{last}, {first}"
    assert re.fullmatch(r"[A-Z]\.", initial)
    assert "Gupta" not in full and "Anil" not in full


def test_patients_and_secrets_have_their_own_surrogates() -> None:
    numbers = {s.value("mrn", "00123456") for s in (ONE, OTHER, Surrogates(b"x" * 32, "p1"))}
    assert len(numbers) == 3
    assert ONE.days != OTHER.days


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("mrn", "AB-00123456"),
        ("phone", "(617) 404-2368"),
        ("fax", "617.404.2368"),
        ("ssn", "123-45-6789"),
        ("device", "PJN123456S"),
        ("location", "02139-1234"),
    ],
)
def test_numbers_keep_their_form(kind: str, value: str) -> None:
    assert shape(ONE.value(kind, value)) == shape(value)


def test_the_same_number_written_otherwise_has_the_same_digits() -> None:
    written = [ONE.value("phone", v) for v in ("617-404-2368", "(617) 404-2368", "617.404.2368")]
    assert len({re.sub(r"\D", "", value) for value in written}) == 1


def test_a_number_has_one_surrogate_whatever_it_is_taken_for() -> None:
    kinds = ("mrn", "account", "license", "health_plan", "device", "vehicle", "biometric", "other")
    assert len({ONE.value(kind, "4711123") for kind in kinds}) == 1


def test_nobody_has_a_surrogate_number_or_address() -> None:
    assert "55501" in re.sub(r"\D", "", ONE.value("phone", "617-404-2368"))
    assert re.match(r"9\d\d-[1-4]\d-\d{4}", ONE.value("ssn", "123-45-6789"))
    assert ONE.value("ip", "10.1.2.3").startswith("192.0.2.")
    assert ONE.value("ip", "2a00::1").startswith("2001:db8::")
    assert ONE.value("email", "a@b.com").endswith("@example.org")
    assert ONE.value("age", "94") == "90+"


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("name", "A123456 Quokkaberg", "123456"),
        ("name", "jquokka42", "42"),
        ("phone", "617-404-2368 (Mary Quokkaberg)", "Quokkaberg"),
        ("fax", "617-404-2368 attn Quokkaberg", "Quokkaberg"),
        ("photo", "scan.Quokkaberg", "Quokkaberg"),
    ],
)
def test_nothing_of_a_whole_value_is_kept(kind: str, value: str, kept: str) -> None:
    assert kept.casefold() not in ONE.value(kind, value).casefold()


def test_extensions_and_endings_of_images_stay() -> None:
    assert re.fullmatch(r"\d{3}-555-01\d\d ext \d\d", ONE.value("phone", "617-404-2368 ext 12"))
    assert ONE.value("photo", "Quokkaberg.jpeg").endswith(".jpeg")


FORMS = {
    "%m/%d/%Y": "numeric",
    "%Y-%m-%d": "iso",
    "%B %d, %Y": "long",
    "%d-%b-%Y": "short",
    "%d %B %Y": "day first",
    "%A, %B %d, %Y": "weekday",
    "%Y%m%d": "compact",
}


@given(DAYS, st.integers(-364, -1), st.sampled_from(sorted(FORMS)))
def test_dates_are_shifted_in_their_own_form(day: date, days: int, form: str) -> None:
    moved = shift_date(day.strftime(form), days)
    assert moved is not None
    wanted = (day + timedelta(days=days)).strftime(form)
    assert re.sub(r"\b0", "", moved) == re.sub(r"\b0", "", wanted)


@pytest.mark.parametrize(
    ("written", "moved"),
    [
        ("3/14/19", "3/4/19"),
        ("03/14", "03/04"),
        ("March 14th", "March 4th"),
        ("the 11th of May 2019", "the 1st of May 2019"),
        ("23/03/2019", "13/03/2019"),
        ("MAR 2019", "MAR 2019"),
        ("Sept. 15, 2018", "Sep. 5, 2018"),
        ("January 5, 2020", "December 26, 2019"),
        ("20200105", "20191226"),
        ("202001051000", "201912261000"),
        ("20200105T100000", "20191226T100000"),
        ("05JAN2020", "26DEC2019"),
        ("05JAN2020:10:00:00", "26DEC2019:10:00:00"),
        ("2020-01-05T10:00:00.5Z", "2019-12-26T10:00:00.5Z"),
        ("1/5/2020 10:00 am", "12/26/2019 10:00 am"),
    ],
)
def test_ten_days_back(written: str, moved: str) -> None:
    assert shift_date(written, -10) == moved


@pytest.mark.parametrize("written", ["2019-02-30", "13/13/2019", "Monday", "Thanksgiving", ""])
def test_what_is_no_date_is_masked(written: str) -> None:
    assert shift_date(written, -10) is None
    assert ONE.value("date", written) == "[DATE]"
