"""The words that made-up names of concepts are made of, put together from roots and endings."""

# ruff: noqa: SIM905 (lists of a hundred words read better as one text)

from __future__ import annotations

import numpy as np
import polars as pl

WORD = "word"
"""The slot of words of general terms, common ones first."""

_ROOTS = (
    "aden angi arthr bronch carcin cardi cephal cereb chondr col cyst cyt dermat encephal enter"
    " erythr fibr gastr glyc hem hepat hist immun kerat laryng leuk lip lymph mening my myel nephr"
    " neur ocul oste ot pancreat path phleb pneum proct psych pulmon py ren retin rhin sarc scler"
    " spermat splen steat thorac thromb trache uter vascul vesic xanth micro macro hyper hypo peri"
    " endo poly para hemi anti intra trans sub supra brady tachy dys"
).split()
_ENDINGS = (
    "itis osis oma emia uria pathy ectomy otomy plasty scopy graphy algia plegia trophy genesis"
    " lysis megaly penia rrhage rrhea sclerosis spasm stenosis ic al ous ary ial oid ation ism"
    " ia ium in ine ate ity a us um is"
).split()
_COMMON = (
    "of in the disease syndrome and left right structure acute chronic disorder procedure with to"
    " finding by neoplasm infection entire injury due other fracture upper lower excision type"
    " malignant unspecified deficiency skin artery primary bone benign severe congenital stage"
    " history blood muscle level test nerve heart kidney liver failure open wound graft anterior"
    " posterior lesion pain risk use family symptom joint hand foot eye lung breast"
).split()
_DRUG_STEMS = (
    "olol pril sartan statin mab nib azole cillin mycin oxacin dipine zepam barbital caine"
    " profen triptan vir tide platin rubicin afil gliptin gliflozin setron"
).split()
_SYLLABLES = [c + v for c in "b c d f g h k l m n p r s t v x z tr pl st".split() for v in "aeiou"]
_GROUPS = (
    "methyl ethyl propyl phenyl chloro fluoro bromo hydroxy amino nitro oxo methoxy benzyl acetyl"
    " cyclohexyl pyridin thiazol imidazol piperidin morpholin quinolin indol furan benzoic acid"
    " amide carboxylate sulfonyl ester one ol yl sodium hydrochloride"
).split()
_FORMS = (
    "Oral Tablet;Oral Capsule;Injectable Solution;Topical Cream;Oral Solution;Extended Release Oral"
    " Tablet;Ophthalmic Solution;Prefilled Syringe;Inhalation Powder;Rectal Suppository"
).split(";")
_PROPERTIES = "MCnc SCnc NCnc ACnc Prid Threshold Titr Type Imp Susc Find Mass Vol Time".split()
_SYSTEMS = "Ser/Plas Bld Urine CSF Stool Isolate Tiss Ser RBC Saliva ^Patient Body fld".split()

_LEXICON_SIZES = {"term": 150_000, "latin": 160_000, "drug": 40_000, "group": 30_000}


def make_lexicon(rng: np.random.Generator) -> tuple[pl.Series, dict[str, tuple[int, int]]]:
    """All words, and where those of each slot begin and how many they are."""

    def joined(count: int, *parts: list[str] | tuple[str, ...]) -> list[str]:
        """Distinct words made of one part each, in random order, so that rank is no length."""
        columns = [np.array(part)[rng.integers(len(part), size=2 * count)] for part in parts]
        words = columns[0].astype(object)
        for column in columns[1:]:
            words = words + column.astype(object)
        return list(dict.fromkeys(words.tolist()))[:count]

    roots, letters = [*_ROOTS, *[""] * len(_ROOTS)], list("abcdefghijklmnopqrstuvwxyz")
    short = joined(_LEXICON_SIZES["term"] // 20, _ROOTS, ["o", "i", ""], _ENDINGS)
    terms = joined(_LEXICON_SIZES["term"], roots, _ROOTS, ["o", "i", ""], roots, _ENDINGS)
    terms = list(dict.fromkeys([*short, *terms]))
    latin = joined(
        _LEXICON_SIZES["latin"], _SYLLABLES, _SYLLABLES, [*_SYLLABLES, ""], ["us", "a", "is", "um"]
    )
    drugs = joined(_LEXICON_SIZES["drug"], _SYLLABLES, [*_SYLLABLES, ""], letters, _DRUG_STEMS)
    numbers = [str(n) for n in range(1, 40)] + [f"{a},{b}" for a in range(1, 9) for b in range(9)]
    groups = joined(_LEXICON_SIZES["group"], ["", "(", "di", "tri", "N-"], _GROUPS, ["", ")"])
    groups += joined(_LEXICON_SIZES["group"], _GROUPS, ["", "o", "yl"], _GROUPS, ["", "e", ")"])
    capitals = [letter.upper() for letter in letters]
    symbols = joined(60_000, capitals, capitals, [*capitals, ""], [str(n) for n in range(60)])
    amounts = (1, 2, 5, 10, 20, 25, 50, 100, 250, 325, 500)
    units = ("MG", "MCG", "MG/ML", "UNT/ML", "MG/HR")
    doses = [f"{amount} {unit}" for amount in amounts for unit in units]
    counted = [str(n) for n in range(3000)]
    strains = joined(60_000, ["sp. ", "ATCC ", "str. ", "var. ", ""], capitals, counted)
    slots = {
        WORD: [*_COMMON, *terms],
        "term": terms,
        "latin": latin,
        "drug": drugs,
        "number": numbers,
        "group": groups,
        "symbol": symbols,
        "dose": doses,
        "form": _FORMS,
        "strain": strains,
        "property": _PROPERTIES,
        "system": _SYSTEMS,
    }
    start, words = {}, list[str]()
    for slot, entries in slots.items():
        start[slot] = (len(words), len(entries))
        words += entries
    return pl.Series(words, dtype=pl.String), start
