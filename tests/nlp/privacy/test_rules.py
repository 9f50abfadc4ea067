"""Rules on sentences: what they find, and what they leave."""

from __future__ import annotations

import time

import pytest

from nlp.privacy.finder import Finder
from nlp.settings import PrivacySettings


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(PrivacySettings(), None)


def found(finder: Finder, text: str) -> list[tuple[str, str]]:
    return [(f.kind, text[f.start : f.end]) for f in finder.find([text])[0]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Seen on 03/04/2019 for pain.", "03/04/2019"),
        ("Seen on 3/4 for pain.", "3/4"),
        ("Seen March 3rd for pain.", "March 3rd"),
        ("Seen on Monday, March 3, 2019 again.", "Monday, March 3, 2019"),
        ("Drawn 03-Apr-2019.", "03-Apr-2019"),
        ("Drawn on the 5th of May 2018.", "the 5th of May 2018"),
        ("Since May she coughs.", "May"),
        ("In October she coughed.", "October"),
        ("A stent in Sept 2015 helped.", "Sept 2015"),
        ("A stent in 3/2008 helped.", "3/2008"),
        ("Taken at 2019-04-03T10:30:00.", "2019-04-03"),
        ("DOB: 19670203", "19670203"),
        ("He was born in 1921.", "1921"),
        ("Here from March 3-5, 2019.", "March 3-5, 2019"),
        ("Unwell since Thanksgiving.", "Thanksgiving"),
        ("Planned for Thurs 12/5.", "Thurs 12/5"),
        ("FOLLOW UP: 6/14 AT 10:30 AM.", "6/14"),
        ("JANUARY 5, 2020 CLINIC NOTE", "JANUARY 5, 2020"),
        ("Seen 20191231 again.", "20191231"),
        ("Seen 201912311000 again.", "20191231"),
        ("Seen 20191231T100000 again.", "20191231"),
        ("Drawn 31DEC2019:10:00:00 again.", "31DEC2019"),
        ("D: 12/31/2019T: later", "12/31/2019"),
    ],
)
def test_dates_are_found(finder: Finder, text: str, value: str) -> None:
    assert found(finder, text) == [("date", value)]


@pytest.mark.parametrize(
    "text",
    [
        "Strength is 5/5 and pain 3/10.",
        "Diagnosed in 2015 and again in the 1990s.",
        "Took 1/2 tablet for 3/4 of the day.",
        "The patient may march in the hall.",
        "Blood pressure 120/80 at 10:30.",
        "She walks on Mondays.",
        "Section 1.2.10 and L4-5 disc.",
        "A count of 19001231.5 or 0.20191231 per 20199931.",
        "Treatment was started 3-7 days before.",
        "A 2/6 murmur was heard.",
    ],
)
def test_fractions_years_and_words_are_no_dates(finder: Finder, text: str) -> None:
    assert found(finder, text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("This 92-year-old man fell.", "92"),
        ("A 101 y/o woman.", "101"),
        ("Patient aged 94, frail.", "94"),
        ("Age: 90. Sex: F", "90"),
        ("A ninety-two year old man.", "ninety-two"),
        ("His mother died at age 96.", "96"),
        ("TRIAGE: 91F with fall.", "91"),
    ],
)
def test_ages_over_89_are_found(finder: Finder, text: str, value: str) -> None:
    assert found(finder, text) == [("age", value)]


@pytest.mark.parametrize(
    "text",
    [
        "An 89-year-old man.",
        "Saturation 94%.",
        "Temp 99F in the ED, 101F.",
        "Aged 9 months.",
        "Weight 95 pounds at 45.",
    ],
)
def test_younger_ages_stay(finder: Finder, text: str) -> None:
    assert found(finder, text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dr. Smith saw him.", ["Smith"]),
        ("Discussed with Dr. A. Brown today.", ["A. Brown"]),
        ("Dr. Young called.", ["Young"]),
        ("DR. GUPTA SAW THE PATIENT.", ["GUPTA"]),
        ("Anil Gupta, MD", ["Anil Gupta"]),
        ("Patient: Brown, Heather T.", ["Brown, Heather T."]),
        ("PATIENT NAME: OLAFSDOTTIR, BJORK", ["OLAFSDOTTIR, BJORK"]),
        ("His wife, Xiomara, was here.", ["Xiomara"]),
        ("Electronically signed by Ines de la Torre, M.D.", ["Ines de la Torre"]),
        ("Mr. Kowalczyk came. Later KOWALCZYK left.", ["Kowalczyk", "KOWALCZYK"]),
        ("Referring physician: Ola Nordmann", ["Ola Nordmann"]),
        ("Tadeusz Kowalczyk is a 54-year-old man.", ["Tadeusz Kowalczyk"]),
        ("cc: Dr. O'Brien", ["O'Brien"]),
        ("Dr. QUOKKABERG-SMITH came.", ["QUOKKABERG-SMITH"]),
        ("Patient: Smith-Jones, Mary", ["Smith-Jones, Mary"]),
        ("Patient: SMITH-JONES, MARY", ["SMITH-JONES, MARY"]),
        ("Signed by: JOHN QUOKKA-SMITH MD", ["JOHN QUOKKA-SMITH"]),
        ("Dr. Quokka\u2010Berg came.", ["Quokka\u2010Berg"]),
        ("Dr. Quokka\u2011Berg came.", ["Quokka\u2011Berg"]),
        ("Dr. Quokka\u2013Berg came.", ["Quokka\u2013Berg"]),
        ("Dr. Mu\u0308ller came. M\u00fcller left.", ["Mu\u0308ller", "M\u00fcller"]),
        ("Jennifer White-Jones reports pain.", ["Jennifer White-Jones"]),
        ("His daughter James Walker came.", ["James Walker"]),
        ("seen by dr patel for cp", ["patel"]),
        ("I saw Thandiwe Mbeki, a 34 y.o. woman. Thandiwe left.", ["Thandiwe Mbeki", "Thandiwe"]),
        ("Signed by Ana de la Cruz Soto, RN", ["Ana de la Cruz Soto"]),
    ],
)
def test_names_are_found(finder: Finder, text: str, names: list[str]) -> None:
    assert found(finder, text) == [("name", name) for name in names]


@pytest.mark.parametrize(
    "text",
    [
        "Parkinson disease and Crohn's disease.",
        "A Foley catheter and a Jackson-Pratt drain.",
        "Wears Dr. Scholl inserts.",
        "Alzheimer's type dementia; Bell's palsy.",
        "Patient: NPO. The patient was NPO.",
        "Murphy sign negative. Gleason score 7.",
        "ADAM-17 and ADAM-10 were measured.",
        "The Mother was African American.",
        "PLAN: Continue Coumadin. Return to Clinic.",
        "MR ANGIOGRAPHY AND MS CONTIN. DR MRI.",
        "the mr jet and ms contin",
        "Effects of OCT on serum.",
        "PARP (EC 2.4.2.30) and BN 52021.",
    ],
)
def test_eponyms_and_headings_are_no_names(finder: Finder, text: str) -> None:
    assert found(finder, text) == []


def test_an_eponym_stays_where_its_name_is_a_person_too(finder: Finder) -> None:
    text = "Dr. Foley placed a Foley catheter. Foley will return."
    assert found(finder, text) == [("name", "Foley"), ("name", "Foley")]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Lives at 12 Elm Street, Apt 4B.", ["12 Elm Street, Apt 4B"]),
        ("Lives in Walpole with a dog.", ["Walpole"]),
        ("From Walpole, MA 02081 today.", ["Walpole", "02081"]),
        ("Sent to St. Mary's Hospital.", ["St. Mary's Hospital"]),
        ("At Foxhollow Regional Medical Center now.", ["Foxhollow Regional Medical Center"]),
        ("Mail to P.O. Box 114.", ["P.O. Box 114"]),
        ("ZIP: 02139-1234", ["02139-1234"]),
        ("She was born in Port-au-Prince.", ["Port-au-Prince"]),
        ("FROM FALL RIVER, MA BY CAR.", ["FALL RIVER"]),
        (
            "Lives at 77 Pine Hill Rd., Unit 3B, Chelmsford.",
            ["77 Pine Hill Rd., Unit 3B", "Chelmsford"],
        ),
        ("MRI at Lahey Hospital & Medical Center.", ["Lahey Hospital & Medical Center"]),
        ("TO ST. ANNE'S NURSING HOME.", ["ST. ANNE'S NURSING HOME"]),
        ("A student of the University of Maryland.", ["University of Maryland"]),
    ],
)
def test_places_are_found(finder: Finder, text: str, places: list[str]) -> None:
    assert found(finder, text) == [("location", place) for place in places]


@pytest.mark.parametrize(
    "text",
    [
        "Lives in Texas. Comes from Mexico.",
        "Seen in the Pain Clinic and the Emergency Department.",
        "Transferred to the Hospital.",
        "Injected with GR 55562 before use.",
        "HOSPITAL COURSE: Good.",
        "A St. Jude valve is in place.",
    ],
)
def test_states_departments_and_drugs_are_no_places(finder: Finder, text: str) -> None:
    assert found(finder, text) == []


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("MRN: 00123456", "mrn", "00123456"),
        ("Medical record number is 55-1234.", "mrn", "55-1234"),
        ("Call (617) 555-2368 now.", "phone", "(617) 555-2368"),
        ("Reach her at +44 20 7946 0958.", "phone", "+44 20 7946 0958"),
        ("Please fax to 617-555-2368.", "fax", "617-555-2368"),
        ("Write to j.doe@ward.hospital.local please.", "email", "j.doe@ward.hospital.local"),
        ("SSN 123-45-6788", "ssn", "123-45-6788"),
        ("Member ID: XYZ123456789", "health_plan", "XYZ123456789"),
        ("Account number 998877", "account", "998877"),
        ("Driver's license: S1234567", "license", "S1234567"),
        ("License plate 7ABC123 was seen.", "vehicle", "7ABC123"),
        ("Serial number PJN123456S", "device", "PJN123456S"),
        ("See https://www.example.biz/a/b?c=1 there.", "url", "https://www.example.biz/a/b?c=1"),
        ("From 10.20.30.40 at night.", "ip", "10.20.30.40"),
        ("Fingerprint ID: FP-5512", "biometric", "FP-5512"),
        ("Stored as IMG_2041.jpg here.", "photo", "IMG_2041.jpg"),
        ("Accession number: S19-12345", "other", "S19-12345"),
        ("On Instagram @yolie_b.", "other", "@yolie_b"),
        ("SSN ending in 4421.", "ssn", "4421"),
        ("Lot# D19J44 used.", "device", "D19J44"),
        ("Drives a car, plate MA 3KD991.", "vehicle", "MA 3KD991"),
    ],
)
def test_numbers_and_addresses_are_found(finder: Finder, text: str, kind: str, value: str) -> None:
    assert found(finder, text) == [(kind, value)]


def test_a_full_stop_without_a_space_is_no_address(finder: Finder) -> None:
    assert found(finder, "She had fever.In the morning it was gone.It is fine.") == []


def test_a_name_in_one_text_of_a_document_counts_in_the_others(finder: Finder) -> None:
    texts = ["Zbigniewska was seen.", "Visit of Mrs. Zbigniewska"]
    first, second = finder.find_in_document(texts)
    assert [texts[0][f.start : f.end] for f in first] == ["Zbigniewska"]
    assert [texts[1][f.start : f.end] for f in second] == ["Zbigniewska"]


def test_no_network_is_asked_for(finder: Finder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("something asked for the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    text = "a@b.co.uk http://a.b.com 617-555-2368 4111 1111 1111 1111 2a00:1450::1"
    assert len(found(finder, text)) >= 4


@pytest.mark.parametrize(
    "unit", ["a.", "1-", "@", "A ", "Aa, ", "http://", "x" * 50, "Dr. ", "Ann-", "a\u0301"]
)
def test_time_grows_with_length_only(finder: Finder, unit: str) -> None:
    """Texts that make patterns go back and forth take time in proportion to their length."""
    seconds = []
    for characters in (4_000, 16_000):
        text = unit * (characters // len(unit))
        tries = []
        for _ in range(2):  # the garbage of other tests may be collected within one
            clock = time.process_time()
            finder.find([text])
            tries.append(time.process_time() - clock)
        seconds.append(min(tries))
    assert seconds[1] < 9 * seconds[0] + 0.1
