"""Sentences as they stand in notes, and what the rules in the box say of their mentions."""

from __future__ import annotations

import pytest

from nlp.assertion.rule_file import load_rules
from nlp.assertion.rules import RuleAssessor
from tests.nlp.assertion.marked import assess, letters_of, unmarked

ASSESSOR = RuleAssessor(load_rules())

NEGATED = [
    "No [fever]{n}.",
    "She denies [chest pain]{n}, [shortness of breath]{n}, or [fever]{n}.",
    "No [fever]{n}, but has [cough]{}.",
    "There is no evidence of [pneumonia]{n} or [effusion]{n}.",
    "Lungs are clear without [wheezes]{n}.",
    "The CT is negative for [stroke]{n}.",
    "[Pulmonary embolism]{n} was ruled out.",
    "[Troponin]{n} is negative.",
    "[Pneumonia]{n} is unlikely.",
    "Unlikely to be [meningitis]{n}.",
    "He is not in any [distress]{n}.",
    "She did not have [nausea]{n}.",
    "He doesn’t have [asthma]{n}.",
    "Neither [edema]{n} nor [cyanosis]{n}.",
    "Absence of [murmur]{n}.",
    "Free of [pain]{n} today.",
    "CT of the [chest]{} is negative for [metastases]{n}.",
    "The knee is not swollen.,The [digit]{} was wrapped.",
    "She is [pain]{n} free and [seizure]{n}-free.",
    "He refused the [flu shot]{n}.",
    "Pt w/o [rash]{n}.",
    "ROS is -ve for [weight loss]{n}.",
    "No signs or symptoms: [fever]{n}.",
    "[Fracture]{n} not seen.",
    "[Mass]{n} could not be palpated.",
    "[Clubbing]{n} absent.",
    "Low suspicion for [DVT]{n}.",
    "This is not consistent with [dissection]{n}.",
    "She never had [seizures]{n}.",
    "[Fever]{n}: none.",
    "NO [FEVER]{n}.",
    "No\n  evidence\tof [tumor]{n}.",
    "He denies [fever]{n} and reports [headache]{}.",
    "Negative for [fever]{n}, positive for [cough]{}.",
    "Without [edema]{n}; [erythema]{} of the left leg.",
    "No [mass]{n} except a [cyst]{}.",
    "He has no [angina]{n} although he has [dyspnea]{}.",
    "No [effusion]{n}, which rules against it; there is [atelectasis]{}.",
    "Denies [fever]{n}. No [cough]{n}.",
    "No [flow]{n}, likely [lipoma]{u}.",
    "If she has no [response]{ny}, then she needs [surgery]{y}.",
    "Findings: 1) no [mass]{n} 2) [hernia]{}",
    "No [change in vision]{n}, no change in [weight]{}.",
    "Walks without [difficulty]{n}.",
    "MRI without contrast: [stenosis]{}.",
    "{Not entered} [menopause]{}",
    "(no [fever]{n}) [cough]{} since",
    "No [pneumothorax]{n} (or [effusion]{n}) or [mass]{n}.",
    "RESPIRATORY: No [cough]{n}.,CARDIOVASCULAR: [Murmur]{}.",
    "No [cough]{n}\n\n[Murmur]{} heard",
    "Denies [cough]{n}\n- [rash]{} on the arm",
    "No [ulcer]{n} as the cause of her [anemia]{}.",
]

PSEUDO = [
    "There is no increase in [pain]{}.",
    "No change in [tumor]{} size.",
    "No significant interval change in the [nodule]{}.",
    "Not only [fever]{} but also [chills]{}.",
    "Culture grew gram negative [bacteremia]{}.",
    "She walks without difficulty and has [arthritis]{}.",
    "Not necessarily [cancer]{}.",
    "It is not clear whether [infection]{u} is there.",
    "Risks include but are not limited to [bleeding]{y} and [infection]{y}.",
    "History and physical show [edema]{}.",
    "History of present illness: [cough]{}.",
    "A two-day history of [fever]{}.",
    "She is a poor historian with [dementia]{}.",
    "A 60-year-old man with [stroke]{}.",
    "Return as soon as possible with [asthma]{}.",
    "Her mother reports that she has [fever]{}.",
    "As per his wife, he had [syncope]{}.",
    "Seen by the family physician for [gout]{}.",
    "No apparent [distress]{n}.",
    "He has not improved and still has [cough]{}.",
    "Compared with the previous exam, [edema]{} is larger.",
    "Risk factor for [stroke]{}.",
    "She wants no scar on her [breast]{n} if at all possible.",
    "I told the [patient]{} to feel free to call.",
    "She appears to be doing well with [arthritis]{}.",
    "His friend says he has [seizures]{}.",
]

UNCERTAIN = [
    "Possible [pneumonia]{u}.",
    "Rule out [PE]{u}.",
    "r/o [MI]{u}",
    "CT to rule out [appendicitis]{u}.",
    "[Pneumonia]{u} cannot be excluded.",
    "[Pneumonia]{u} has not been ruled out.",
    "We cannot exclude [malignancy]{u}.",
    "Findings are suspicious for [cancer]{u}.",
    "This may represent [atelectasis]{u}.",
    "Probable [sepsis]{u}, with [hypotension]{u}.",
    "[Pneumonia]{u} versus [atelectasis]{u}.",
    "Consistent with [emphysema]{u}.",
    "Concern for [abscess]{u}.",
    "[Dementia]{u} is suspected.",
    "I believe this is [viral syndrome]{u}.",
    "Evaluate for [fracture]{u}.",
    "Question of [seizure]{u}.",
    "It is likely she had a [concussion]{u}.",
    "Chest pain, likely [costochondritis]{u}.",
    "? [TIA]{u}",
    "Likely [UTI]{u}, but no [fever]{n}.",
    "Not thought to be due to [ischemia]{n}.",
]

HISTORICAL = [
    "History of [diabetes]{h}.",
    "Pt with h/o [CAD]{h}, [CHF]{h}.",
    "Hx of [stroke]{h}",
    "Past medical history is significant for [hypertension]{h} and [gout]{h}.",
    "PMH: [asthma]{h}",
    "History of [COPD]{h} who presents with [cough]{}.",
    "Status post [appendectomy]{h}.",
    "s/p [CABG]{h}",
    "He had a previous [stroke]{h}.",
    "She had [hepatitis]{h} in the past.",
    "[Fracture]{h} ten years ago.",
    "Her [rash]{h} has resolved.",
    "No history of [pancreatitis]{hn} or [alcohol use]{hn}.",
    "Denies any history of [asthma]{hn}.",
    "He quit [smoking]{h} in 1990.",
    "Social history: [alcohol]{h} on weekends.",
    "Cardiac risk factors include [hypertension]{h} and [smoking]{h}.",
    "A history of [HIV]{h} and now [fever]{}.",
]

HYPOTHETICAL = [
    "Return if [fever]{y} develops.",
    "Return to the emergency department for [chest pain]{y} or [bleeding]{y}.",
    "Call if there is [redness]{y}, [swelling]{y}, or [drainage]{y}.",
    "If he has [vomiting]{y}, hold feeds.",
    "Should she develop [dyspnea]{y}, call us.",
    "Tylenol as needed for [pain]{y}.",
    "Ativan p.r.n. [anxiety]{y}",
    "Heparin for [DVT]{y} prophylaxis.",
    "She is at risk for [falls]{y}.",
    "Aspirin to prevent [stroke]{y}.",
    "Watch for [bleeding]{y}.",
    "Screening for [colon cancer]{y}.",
    "Return if worse because she has [asthma]{}.",
    "She may need [surgery]{y}.",
    "If his [pain]{} persists, he will get an [injection]{y}.",
    "Even if tired, she has [insomnia]{}.",
]

EXPERIENCER = [
    "Mother had [breast cancer]{f}.",
    "His father died of [MI]{f} at 50.",
    "Family history of [colon cancer]{fh}.",
    "FAMILY HISTORY: [Diabetes]{fh}.",
    "No family history of [diabetes]{fhn}.",
    "[Lupus]{f} in a maternal aunt.",
    "[Cancer]{f} runs in her family; she has [asthma]{}.",
    "Sister with [asthma]{f}. The patient has [eczema]{}.",
    "She has a brother who has [epilepsy]{f}.",
    "Her roommate has [strep throat]{o}.",
    "[Breast cancer]{f} was seen in her maternal aunt.",
    "Family history of [stroke]{fh} and history of [lymphoma]{h}.",
    "His wife and friends have told him of his [tremor]{}.",
    "The donor had [hepatitis]{o}.",
    "She was brought in by her mother for [fever]{}.",
    "The patient’s mother noticed a [lesion]{}.",
]

SECTIONS = [
    ("family_history", "[Diabetes]{fh} and [stroke]{fh}."),
    ("family_history", "Negative for [cancer]{fhn}."),
    ("family_history", "The patient has [breast cancer]{h}."),
    ("past_medical_history", "[Hypertension]{h}, [gout]{h}."),
    ("past_medical_history", "She denies [diabetes]{hn}."),
    ("past_surgical_history", "[Appendectomy]{h}."),
    ("past_medical_history", "Mother with [diabetes]{fh}."),
    ("review_of_systems", "Positive for [cough]{}, negative for [fever]{n}."),
    ("social_history", "[Alcohol]{h} on weekends; no [tobacco]{hn}."),
    ("assessment", "[Hypertension]{}."),
]


@pytest.mark.parametrize(
    "marked", [*NEGATED, *PSEUDO, *UNCERTAIN, *HISTORICAL, *HYPOTHETICAL, *EXPERIENCER]
)
def test_cues(marked: str) -> None:
    text, mentions, letters = unmarked(marked)
    assert [letters_of(a) for a in assess(ASSESSOR, text, mentions)] == letters


@pytest.mark.parametrize(("section", "marked"), SECTIONS)
def test_sections_say_what_no_cue_says(section: str, marked: str) -> None:
    text, mentions, letters = unmarked(marked)
    assert [letters_of(a) for a in assess(ASSESSOR, text, mentions, section)] == letters
