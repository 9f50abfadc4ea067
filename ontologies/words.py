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
    ("injury", "damage", "lesion", "trauma"),
    ("abnormality", "malformation", "defect", "anomaly"),
    ("dysfunction", "impairment"),
    ("hereditary", "inherited", "familial"),
    ("hypersensitivity", "allergy"),
    ("seizure", "convulsion"),
    ("paralysis", "palsy"),
    ("calculus", "stone"),
    ("metastasis", "metastatic"),
    ("virus", "viral"),
    ("chromosome", "chromosomal"),
    ("myeloid", "myelogenous", "myelocytic"),
    ("lymphoblastic", "lymphocytic"),
    ("pediatric", "childhood"),
)

_ORGANS = (
    ("adrenal", "suprarenal"),
    ("bladder", "vesical"),
    ("bone", "osseous"),
    ("brain", "cerebral"),
    ("breast", "mammary"),
    ("colon", "colonic"),
    ("eye", "ocular"),
    ("heart", "cardiac"),
    ("intestine", "intestinal", "bowel"),
    ("kidney", "renal"),
    ("larynx", "laryngeal"),
    ("limb", "extremity"),
    ("liver", "hepatic"),
    ("lung", "pulmonary"),
    ("mouth", "oral"),
    ("muscle", "muscular"),
    ("nose", "nasal"),
    ("ovary", "ovarian"),
    ("pancreas", "pancreatic"),
    ("prostate", "prostatic"),
    ("rectum", "rectal"),
    ("skin", "cutaneous", "dermal"),
    ("spleen", "splenic"),
    ("stomach", "gastric"),
    ("testis", "testicular"),
    ("thymus", "thymic"),
    ("thyroid", "thyroidal"),
    ("tooth", "dental"),
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

IRREGULAR = {
    "calculi": "calculus",
    "bacteria": "bacterium",
    "diverticula": "diverticulum",
    "feet": "foot",
    "fungi": "fungus",
    "ganglia": "ganglion",
    "mice": "mouse",
    "nevi": "nevus",
    "ova": "ovum",
    "teeth": "tooth",
    "thrombi": "thrombus",
    "women": "woman",
    "men": "man",
}
"""Plurals that their ending does not tell."""

HEADS = frozenset(
    "condition disease disturbance dysfunction mellitus syndrome".split()  # noqa: SIM905
)
"""Words that say only that something is a disease; the reduced form does without them."""

_SALTS = """
besylate dihydrate dihydrochloride disodium fumarate hcl hydrate hydrobromide hydrochloride maleate
mesylate monohydrate sodium sulfate tartrate
"""
SALTS = frozenset(_SALTS.split())
"""What a drug is bound to; the reduced form does without, unless nothing else is left."""

_LOOSE = (
    ("neoplasm", "carcinoma", "adenocarcinoma", "tumorigenesis", "neoplasia", "neoplastic"),
    ("failure", "insufficiency"),
    ("neurologic", "neurological", "nervous system"),
    ("decrease", "reduction", "decline", "low"),
    ("loss", "deficit", "impairment"),
    ("bleeding", "hemorrhage"),
    ("elevated", "increase", "high", "raised"),
    ("edema", "swelling"),
    ("vision", "visual"),
    ("hearing", "auditory"),
)
LOOSE = {word: words[0] for words in _LOOSE for word in words[1:]}
"""As ``EQUIVALENTS``, for the reduced form alone: words that often, not always, mean the same."""
