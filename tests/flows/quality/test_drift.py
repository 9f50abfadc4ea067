"""Runs compared: which are, by which measures, and what thresholds make of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from flows.errors import CharthouseError
from flows.quality.artifact import quality_rows
from flows.quality.drift import check_baseline, crossed, crossed_before, previous_runs
from flows.quality.look import look
from flows.quality.measures import DRIFTS, LIMITS, MEASURES
from flows.quality.settings import WARN, QualityRule, QualitySettings
from tests.flows.quality.conftest import LINKED, UNKNOWN, Ward

GOOD = [("Disease", 0.95, LINKED)] * 8 + [("Chemical", 0.85, LINKED)] * 2
WORSE = [("Disease", 0.95, LINKED)] * 2 + [("Chemical", 0.45, UNKNOWN)] * 8
SIDES = ("below", "above")
STATUS = "SELECT status FROM quality_drift WHERE run_id = ? AND corpus = ? AND label = '*' "


@pytest.fixture
def two(ward: Ward) -> Ward:
    """Two runs over one corpus, the second much worse, each of 100 mentions in 20 documents."""
    for run_id, found in (("r1", GOOD), ("r2", WORSE)):
        ward.begin(run_id)
        ward.add(run_id, "icu", found * 10, documents=20)
    return ward


def status(ward: Ward, run_id: str, measure: str, corpus: str = "icu") -> list[object]:
    rows = ward.rows(STATUS + "AND measure = ?", run_id, corpus, measure)
    return [value for (value,) in rows]


def test_what_drifts_is_told(two: Ward) -> None:
    two.measure("r1", min_count=10)
    assert two.rows("FROM quality_drift") == [], "nothing to compare the first run with"
    two.measure("r2", min_count=10, warn=WARN | {"branch_js": 0.3})
    found = {
        str(measure): (value, state)
        for measure, value, state in two.rows(
            "SELECT measure, value, status FROM quality_drift WHERE corpus = 'icu' "
            "AND label = '*' AND against = 'previous' AND against_run_id = 'r1'"
        )
    }
    assert set(found) == set(DRIFTS) - {"label_share_change"}
    assert found["link_share_change"] == (pytest.approx(-0.8), "warning")
    assert found["out_of_vocabulary_share_change"] == (pytest.approx(0.8), "warning")
    assert found["mean_score_change"] == (pytest.approx(0.2 * 0.95 + 0.8 * 0.45 - 0.93), "ok")
    assert found["mentions_per_1000_change"] == (0, "ok")
    assert found["document_characters_psi"] == (0, "ok")
    assert found["score_psi"][1] == found["label_js"][1] == found["branch_js"][1] == "warning"
    assert found["reject_share_change"] == (0, "ok")
    assert two.rows(
        "SELECT before, after, value, status FROM quality_drift WHERE corpus = 'icu' "
        "AND label = 'Chemical' AND measure = 'label_share_change'"
    ) == [(0.2, 0.8, pytest.approx(0.6), "ok")]


def test_too_little_says_nothing(two: Ward) -> None:
    two.measure("r1")
    fail = {"link_share_below": 0.3, "mean_score_below": 0.9, "mentions_below": 1_000}
    two.measure("r2", warn={"score_psi": 0.1, "mentions_per_1000_change": 0.0}, fail=fail)
    assert {state for (state,) in two.rows("SELECT status FROM quality_drift")} == {
        "too_few",
        "failed",
    }
    assert status(two, "r2", "link_share_below") == ["too_few"]
    assert status(two, "r2", "mean_score_below") == ["too_few"], "it is no share"
    assert status(two, "r2", "mentions_below") == ["failed"], "a count is never too few"
    # Documents are counted where documents are compared, mentions where mentions are.
    two.measure("r2", min_count=50)
    assert status(two, "r2", "score_psi") == ["warning"]
    assert status(two, "r2", "document_characters_psi") == ["too_few"]
    assert status(two, "r2", "mentions_per_1000_change") == ["too_few"]


def test_few_records_say_what_is_clear(ward: Ward) -> None:
    """Beyond 5% or not: by the interval below 500 records, by the share alone from there."""
    expected = {
        (30, 20): "failed",
        (2, 0): "failed",
        (1, 2): "too_few",
        (2, 18): "too_few",
        (0, 20): "too_few",
        (29, 371): "too_few",
        (30, 370): "failed",
        (26, 474): "failed",
        (25, 475): "ok",
    }
    ward.begin("r1")
    for rejects, documents in expected:
        corpus = f"{rejects} and {documents}"
        if documents:
            ward.add("r1", corpus, GOOD, documents=documents)
        if rejects:
            ward.reject("r1", corpus, rejects)
    ward.measure("r1", fail={"reject_share_above": 0.05})
    assert {
        counts: status(ward, "r1", "reject_share_above", f"{counts[0]} and {counts[1]}")
        for counts in expected
    } == {counts: [state] for counts, state in expected.items()}


def test_a_change_of_few_is_as_bad_as_it_is_for_certain(two: Ward) -> None:
    two.reject("r2", "icu", 30)
    thresholds = ("link_share_change", "out_of_vocabulary_share_change", "reject_share_change")
    two.measure("r1")
    two.measure("r2", warn=dict.fromkeys(thresholds, 0.1), fail=dict.fromkeys(thresholds, 0.5))
    for measure in thresholds[:2]:  # by 80 points, of which 48 are certain
        assert status(two, "r2", measure) == ["warning"]
    assert status(two, "r2", "reject_share_change") == ["warning"]
    assert status(two, "r2", "abstention_share_change") == ["too_few"], "it has no threshold"


def test_of_mentions_no_more_count_than_there_are_documents(ward: Ward) -> None:
    """Of 100 mentions 20 are linked, in 100 documents and in 5."""
    ward.begin("r1")
    expected = {"100": "warning", "5": "too_few"}
    for documents in expected:
        ward.add("r1", documents, WORSE * 10, documents=int(documents))
    ward.measure("r1", warn={"link_share_below": 0.4, "label_share_above": 0.6})
    for measure, label in (("link_share_below", "*"), ("label_share_above", "Chemical")):
        found = ward.rows(
            "SELECT corpus, status FROM quality_drift WHERE measure = ? AND label = ? "
            "AND corpus != '*'",
            measure,
            label,
        )
        assert dict(found) == expected


def test_a_label_that_few_documents_have_lost_is_missed(ward: Ward) -> None:
    for run_id, found in (("r1", GOOD), ("r2", GOOD[:8])):
        ward.begin(run_id)
        ward.add(run_id, "icu", found * 10, documents=60)
        ward.measure(run_id, warn={"label_share_change": 0.05})
    assert ward.rows(
        "SELECT label, status FROM quality_drift WHERE corpus = 'icu' "
        "AND measure = 'label_share_change' ORDER BY ALL"
    ) == [("Chemical", "warning"), ("Disease", "warning")]


def test_counts_are_never_too_few(ward: Ward) -> None:
    ward.begin("r1")
    ward.add("r1", "icu", GOOD[:1])
    limits = {f"{name}_{side}": 2 for name in ("documents", "mentions") for side in SIDES}
    ward.measure("r1", fail=limits)
    assert {name: status(ward, "r1", name) for name in limits} == {
        "documents_below": ["failed"],
        "documents_above": ["ok"],
        "mentions_below": ["failed"],
        "mentions_above": ["ok"],
    }


def test_a_label_that_is_gone_has_lost_its_share(ward: Ward) -> None:
    for run_id, found in (("r1", GOOD), ("r2", GOOD[:8])):
        ward.begin(run_id)
        ward.add(run_id, "icu", found * 10)
        ward.measure(run_id, min_count=1, warn={"label_share_change": 0.1})
    assert ward.rows(
        "SELECT measure, before, after, value, status FROM quality_drift "
        "WHERE corpus = 'icu' AND label = 'Chemical' AND value IS NOT NULL ORDER BY measure"
    ) == [
        ("label_share_change", 0.2, 0, -0.2, "warning"),
        ("mentions_per_1000_change", 20, 0, -1, "ok"),
    ]


def test_each_corpus_is_compared_with_the_run_that_last_had_it(ward: Ward) -> None:
    for run_id, corpus in (("r1", "icu"), ("r2", "er"), ("r3", "icu")):
        ward.begin(run_id)
        ward.add(run_id, corpus, GOOD)
        ward.measure(run_id)
    ward.begin("r4", status="failed")
    ward.add("r4", "icu", GOOD)
    ward.measure("r4")
    ward.begin("r5")
    ward.add("r5", "icu", GOOD)
    ward.measure("r5")
    pairs = "SELECT DISTINCT run_id, corpus, against_run_id FROM quality_drift ORDER BY ALL"
    assert ward.rows(pairs) == [
        ("r2", "*", "r1"),
        ("r3", "*", "r2"),
        ("r3", "icu", "r1"),
        ("r4", "*", "r3"),
        ("r4", "icu", "r3"),
        ("r5", "*", "r3"),
        ("r5", "icu", "r3"),
    ]


def test_all_corpora_together_have_thresholds_by_rule_alone(two: Ward) -> None:
    two.measure("r1")
    two.measure("r2", min_count=1)
    assert status(two, "r2", "link_share_change") == ["warning"]
    assert status(two, "r2", "link_share_change", "*") == ["ok"]
    rule = {"measure": "link_share_change", "fail": 0.5, "corpora": ["*"]}
    two.measure("r2", min_count=1, rules=[rule])
    assert status(two, "r2", "link_share_change") == ["warning"]
    assert status(two, "r2", "link_share_change", "*") == ["failed"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, {"*": "failed", "Chemical": "ok", "Disease": "ok"}),
        ({"labels": []}, {"*": "warning", "Chemical": "failed", "Disease": "ok"}),
        ({"labels": ["Disease"]}, {"*": "warning", "Chemical": "ok", "Disease": "ok"}),
        ({"labels": ["Chemical"], "corpora": ["er"]}, {"*": "warning", "Chemical": "ok"}),
        ({"labels": ["*", "Chemical"], "corpora": ["icu"]}, {"*": "failed", "Chemical": "failed"}),
    ],
    ids=str,
)
def test_rules_are_for_what_they_name(
    two: Ward, rule: dict[str, object], expected: dict[str, str]
) -> None:
    two.measure("r1")
    whole = {"measure": "mean_score_below", "fail": 0.6} | rule
    two.measure("r2", min_count=1, warn={"mean_score_below": 0.99}, rules=[whole])
    found = dict(
        two.rows(
            "SELECT label, status FROM quality_drift WHERE run_id = 'r2' "
            "AND measure = 'mean_score_below' AND corpus = 'icu'"
        )
    )
    assert {label: found.get(label, "ok") for label in expected} == expected


def test_the_last_rule_wins_and_keeps_what_it_does_not_name(two: Ward) -> None:
    two.measure("r1")
    rules = [
        {"measure": "link_share_below", "fail": 0.9},
        {"measure": "link_share_below", "warn": 0.8, "fail": 0.1},
    ]
    two.measure("r2", min_count=1, fail={"link_share_below": 0.95}, rules=rules)
    assert two.rows(
        "SELECT warn, fail, status, value, against, against_run_id FROM quality_drift "
        "WHERE measure = 'link_share_below'"
    ) == [(0.8, 0.1, "warning", 0.2, "limit", "r2")]


def test_limits_from_above_and_of_rejects(two: Ward) -> None:
    two.reject("r2", "icu", 20)
    two.measure("r1")
    two.measure("r2", min_count=1, fail={"reject_share_above": 0.4, "mentions_above": 100})
    assert status(two, "r2", "reject_share_above") == ["failed"]
    assert status(two, "r2", "mentions_above") == ["ok"]
    assert crossed(two.connection, ["r2"])["failed"] == 1
    assert crossed(two.connection, ["r1"]) == {}


def test_what_a_rule_names_and_is_not_there_counts_as_none(two: Ward) -> None:
    rules = [
        {"measure": "documents_below", "fail": 5, "corpora": ["er", "icu"]},
        {"measure": "mentions_below", "warn": 1, "labels": ["Gene", "Disease"]},
    ]
    two.measure("r1", rules=rules)
    assert two.rows(
        "SELECT corpus, label, measure, value, status FROM quality_drift ORDER BY ALL"
    ) == [
        ("er", "*", "documents_below", 0, "failed"),
        ("icu", "*", "documents_below", 20, "ok"),
        ("icu", "Disease", "mentions_below", 80, "ok"),
        ("icu", "Gene", "mentions_below", 0, "warning"),
    ]


def test_baseline_beside_the_previous_run(two: Ward) -> None:
    two.begin("r3")
    two.add("r3", "icu", WORSE * 10)
    for run_id in ("r1", "r2"):
        two.measure(run_id)
    two.measure("r3", min_count=1, baseline="r1")
    assert two.rows(
        "SELECT against, against_run_id, status FROM quality_drift WHERE run_id = 'r3' "
        "AND corpus = 'icu' AND measure = 'link_share_change' AND label = '*' ORDER BY 1"
    ) == [("baseline", "r1", "warning"), ("previous", "r2", "ok")]
    assert two.rows("SELECT DISTINCT against FROM quality_drift WHERE run_id = 'r2'") == [
        ("previous",)
    ]


@pytest.mark.parametrize("baseline", ["r", "r9"])
def test_a_baseline_that_is_no_one_run_is_told_at_the_door(two: Ward, baseline: str) -> None:
    two.measure("r1")
    two.measure("r2")
    with pytest.raises(CharthouseError, match=rf"^quality\.baseline {baseline}: (2|no) measured"):
        check_baseline(two.connection, QualitySettings(baseline=baseline))
    check_baseline(two.connection, QualitySettings(baseline=baseline, enabled=False))
    check_baseline(two.connection, QualitySettings(baseline="r1"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"warn": {"link_shares": 0.1}}, "'link_shares' is no measure; there are score_psi, "),
        ({"fail": {"link_share": 0.1}}, "'link_share' is no measure"),
        ({"fail": {"link_share_below": -1}}, "greater than or equal to 0"),
        ({"rules": [{"measure": "score_psi"}]}, "a rule needs warn, fail or both"),
        ({"rules": [{"measure": "f1", "warn": 1}]}, "'f1' is no measure"),
        ({"baseline": ""}, "at least 1 character"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        QualitySettings.model_validate(settings)


def test_names_of_measures() -> None:
    assert set(WARN) <= set(DRIFTS) < set(MEASURES) == {*DRIFTS, *LIMITS}
    assert all(QualityRule(measure=name, warn=1).measure == name for name in MEASURES)


def test_any_two_runs_can_be_looked_at_by_other_thresholds(two: Ward) -> None:
    two.begin("r3")
    two.add("r3", "icu", WORSE * 10)
    for run_id in ("r1", "r2", "r3"):
        two.measure(run_id)
    settings = QualitySettings(min_count=1, fail={"link_share_change": 0.5})

    def link_share(**chosen: str) -> list[tuple[str, float | None, str]]:
        return [
            (drift.against_run_id, drift.found.value, drift.status)
            for drift in look(two.connection, settings, **chosen).drifts  # type: ignore[arg-type]
            if (drift.found.corpus, drift.found.label) == ("icu", "*")
            and drift.found.measure == "link_share_change"
        ]

    assert link_share() == [("r2", 0, "ok")]
    assert link_share(against="r1") == [("r1", pytest.approx(-0.8), "failed")]
    assert link_share(run="r1", against="r3") == [("r3", pytest.approx(0.8), "failed")]
    (whole,) = link_share(against="r1", scope="warehouse")
    assert whole == ("r1", pytest.approx(0.0), "ok"), "each measured the warehouse as it is now"
    with pytest.raises(CharthouseError, match="there is no baseline"):
        link_share(against="baseline")
    with pytest.raises(CharthouseError, match="r7: no measured runs"):
        link_share(run="r7")


def test_a_warehouse_of_an_earlier_release_was_not_measured(two: Ward) -> None:
    two.connection.execute("DROP VIEW quality_latest")
    two.connection.execute("DROP VIEW quality_trend")
    two.connection.execute("DROP TABLE quality")
    with pytest.raises(CharthouseError, match="no run of this warehouse was measured"):
        look(two.connection, QualitySettings())
    with pytest.raises(CharthouseError, match=r"quality\.baseline: no run"):
        check_baseline(two.connection, QualitySettings(baseline="r1"))


def test_the_artifact_names_no_corpus_and_no_label(two: Ward) -> None:
    two.measure("r1")
    rule = {"measure": "mean_score_change", "fail": 0.01, "labels": []}
    two.measure("r2", min_count=1, rules=[rule], warn={"label_js": 0.1})
    rows = quality_rows(two.connection, "r2")
    assert {str(row["corpus"]) for row in rows} == {"all", "1"}
    assert [row for row in rows if row["label"] != "all"] == [
        {
            "corpus": "1",
            "label": "1",
            "group": "previous",
            "what": "mean_score_change",
            "value": "-0.400",
            "status": "failed",
        }
    ], "of a single label what crossed a threshold, no more"
    assert not {"icu", "Disease", "Chemical", "r1"} & {str(v) for row in rows for v in row.values()}
    assert {
        "corpus": "1",
        "label": "all",
        "group": "previous",
        "what": "link_share_change",
        "value": "-80.0 pp",
        "status": "ok",
    } in rows
    two.measure("r2", min_count=1, fail={"label_share_change": 0.1})
    assert {row["label"] for row in quality_rows(two.connection, "r2")} == {"all", "1", "2"}


def test_views_show_the_latest_run_and_the_way_there(two: Ward) -> None:
    two.measure("r1")
    two.measure("r2")
    assert two.rows("SELECT DISTINCT run_id, corpus FROM quality_latest ORDER BY 2") == [
        ("r2", "*"),
        ("r2", "icu"),
    ]
    assert two.rows(
        "SELECT run_id, previous_run_id, link_share_change FROM quality_trend "
        "WHERE corpus = 'icu' AND label = '*' ORDER BY run_id"
    ) == [("r1", None, None), ("r2", "r1", pytest.approx(-0.8))]


def test_what_the_latest_run_crossed_can_be_told_later(two: Ward) -> None:
    assert crossed_before(two.connection, "r3") == {}
    two.measure("r1")
    two.measure("r2", min_count=1, warn={}, fail={"link_share_change": 0.1})
    assert crossed_before(two.connection, "r3") == {"failed": 1}
    assert crossed_before(two.connection, "r2") == {}, "its own are no earlier ones"
    two.connection.execute("UPDATE runs SET status = 'failed' WHERE run_id = 'r2'")
    assert crossed_before(two.connection, "r3") == {}


def test_a_run_of_rejects_alone_is_looked_at_and_never_compared_with(two: Ward) -> None:
    two.measure("r1")
    two.measure("r2")
    two.begin("r3")
    two.reject("r3", "icu", 30)
    two.measure("r3", min_count=1, warn={}, fail={"reject_share_above": 0.5})
    seen = look(two.connection, QualitySettings(), as_told=True)
    assert seen.run_id == "r3" == look(two.connection, QualitySettings(), run="r3").run_id
    assert {(d.found.measure, d.status) for d in seen.drifts} == {("reject_share_above", "failed")}
    assert previous_runs(two.connection, "r4")["icu"] == "r2"
    with pytest.raises(CharthouseError, match="r3: no measured runs"):
        look(two.connection, QualitySettings(), against="r3")
