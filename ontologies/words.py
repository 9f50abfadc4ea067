"""Words that mean the same in names of concepts, and words that mean nothing in them.

Used by the loosest exact level and the 3-grams only, where both sides are folded alike. An entry
belongs here if swapping the two in a name seldom gives the name of another concept. Words are
singular and in the American spelling. A change here changes the index: raise
``normalise.FORMS_VERSION``.
"""

from __future__ import annotations

STOP_WORDS = frozenset(
    "a an and as at by due for from in nos of on or the to with".split()  # noqa: SIM905
)

_NUMERALS = (("1", "i"), ("2", "ii"), ("3", "iii"), ("4", "iv"), ("5", "v"), ("6", "vi"))

_GENERAL = (
    ("neoplasm", "cancer", "tumor", "malignancy"),
    ("disease", "disorder"),
    ("injury", "damage", "lesion"),
    ("abnormality", "malformation", "defect"),
    ("dysfunction", "impairment"),
    ("hereditary", "inherited", "familial"),
)

_ORGANS = (
    ("bladder", "vesical"),
    ("brain", "cerebral"),
    ("breast", "mammary"),
    ("colon", "colonic"),
    ("eye", "ocular"),
    ("heart", "cardiac"),
    ("intestine", "intestinal"),
    ("kidney", "renal"),
    ("liver", "hepatic"),
    ("lung", "pulmonary"),
    ("muscle", "muscular"),
    ("ovary", "ovarian"),
    ("pancreas", "pancreatic"),
    ("prostate", "prostatic"),
    ("rectum", "rectal"),
    ("skin", "cutaneous", "dermal"),
    ("spleen", "splenic"),
    ("stomach", "gastric"),
    ("testis", "testicular"),
    ("thyroid", "thyroidal"),
    ("uterus", "uterine"),
    ("artery", "arterial"),
    ("vein", "venous"),
)

_COMPOUNDS = (
    ("kidney disease", "nephropathy"),
    ("brain disease", "encephalopathy"),
    ("liver disease", "hepatopathy"),
    ("muscle disease", "myopathy"),
    ("skin disease", "dermatosis"),
    ("eye disease", "ophthalmopathy"),
    ("joint disease", "arthropathy"),
    ("lymph node disease", "lymphadenopathy"),
)

# International nonproprietary and British names against United States adopted names.
_DRUGS = (
    ("acetaminophen", "paracetamol"),
    ("albuterol", "salbutamol"),
    ("cyclosporine", "ciclosporin", "cyclosporin"),
    ("deferoxamine", "desferrioxamine", "deferrioxamine"),
    ("doxorubicin", "adriamycin"),
    ("epinephrine", "adrenaline"),
    ("furosemide", "frusemide"),
    ("glyburide", "glibenclamide"),
    ("isoproterenol", "isoprenaline"),
    ("leucovorin", "folinate"),
    ("lidocaine", "lignocaine"),
    ("meperidine", "pethidine"),
    ("norepinephrine", "noradrenaline"),
    ("phenobarbital", "phenobarbitone"),
    ("rifampin", "rifampicin"),
    ("succinylcholine", "suxamethonium"),
    ("thiopental", "thiopentone"),
    ("valproate", "divalproex"),
    ("vitamin e", "tocopherol"),
)

_CLASSES = (*_NUMERALS, *_GENERAL, *_ORGANS, *_COMPOUNDS, *_DRUGS)

EQUIVALENTS = {word: words[0] for words in _CLASSES for word in words[1:]}
"""Word to the representative of its class, which may be several words."""
