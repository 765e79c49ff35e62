"""Sentences and choices on calls, curves and truth."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.publish import findings, summaries, truth
from helpers.study.absent import NUMBERS, TEXTS, empty_table


@pytest.fixture
def known() -> pd.DataFrame:
    """Return a twin's truth: A rescues fully, B weakly, C not at all; D is toxic."""
    rows = [
        ("E", "A", 0.1, "rescuing", 0.4, 0.0, 0.9, 0.2), ("E", "A", 1.0, "rescuing", 0.9, 0.0, 0.9, 0.2),
        ("E", "B", 1.0, "class", 0.3, 0.0, 0.3, 0.5), ("E", "C", 1.0, "inert", 0.0, 0.0, 0.0, np.nan),
        ("E", "D", 1.0, "toxic", 0.0, 2.0, 0.0, np.nan),
    ]  # fmt: skip
    columns = ["experiment", "treatment", "dose_um", "kind", "rescue", "toxicity", "emax", "ec50_um"]
    return pd.DataFrame(rows, columns=columns).assign(off_disease=0.0, hill=1.0)


@pytest.fixture
def hits() -> pd.DataFrame:
    """Return calls: A and C called, B missed, D off target."""
    return pd.DataFrame(
        {
            "experiment": "E", "treatment": ["a", "B", "C", "D"],
            "call": ["rescue", "inactive", "rescue", "rescue_off_target"], "rescue_max": [0.95, 0.2, 0.3, 1.2],
            "dose_at_max_um": [1.0, 1.0, np.nan, 1.0], "score": [0.9, 0.1, 0.3, 0.5],
            "q_value": [1e-9, 0.3, 0.04, 0.01], "rank": [1, 4, 3, 2],
        }
    )  # fmt: skip


def test_calls_are_counted(hits):
    text = findings.calls(hits, 0.05, 0.1)
    assert "above 0.1 at a false discovery rate of 5 %" in text
    assert "in E 2 `rescue`, 1 `rescue_off_target` and 1 `inactive`" in text
    assert "by itself" not in text
    twice = pd.concat([hits, hits.assign(experiment="F").head(1)])
    assert "5 calls of 4 compounds, and the 3 calls of `rescue` are of 2 compounds" in findings.calls(
        twice, 0.05, 0.1
    )


def test_best_hits_are_named_by_rank(hits):
    assert "E: a (0.95 at 1 µM) and C (0.3 at no stated dose)" in findings.top_hits(hits)
    assert findings.top_hits(hits.assign(call="inactive")) == "No compound is called `rescue`."


def test_off_axis_counts(hits):
    assert findings.off_axis(hits).startswith("1 call is `rescue_off_target`")
    assert "No calls are `toxic`" in findings.off_axis(hits)


def test_one_plate_is_stated():
    arms = pd.DataFrame({"n_plates": [1, 1]})
    assert "cannot be seen" in findings.plates_limit(arms)
    assert "3 plates as a rule" in findings.plates_limit(pd.DataFrame({"n_plates": [3, 3, 2]}))


def test_truth_of_calls_without_regard_to_case(hits, known):
    text = findings.truth_calls(hits, known, 0.1)
    assert "1 of 1 with a true rescue of at least 0.5" in text
    assert "0 of 1 with a true rescue of 0.25 to 0.5" in text
    assert "Of 2 calls of `rescue`, 1 (50 %) went to compounds" in text
    assert "Of 1 call of `rescue_off_target`, 1 did" in text
    assert "not known" in findings.truth_calls(hits, None, 0.1)
    toxic = findings.truth_calls(hits, known.assign(kind="toxic"), 0.1)
    assert "toxic and do not rescue: 2 `rescue`, 1 `rescue_off_target` and 1 `inactive`" in toxic


def test_a_compound_that_does_exactly_what_is_allowed_is_no_rescuer(hits, known):
    nothing = truth.truth_table(hits, known.assign(rescue=0.0), 0.0).set_index("true rescue")
    assert nothing.loc["at most 0", "compounds"] == 4


def test_table_of_truth_counts_every_compound_once(hits, known):
    table = truth.truth_table(hits, known, 0.1).set_index("true rescue")
    assert table["compounds"].sum() == 4
    assert table.loc["0.5 or more", "rescue"] == 1
    assert table.loc["0.25 to 0.5", "inactive"] == 1
    assert table.loc["at most 0.1", ["rescue", "rescue_off_target"]].tolist() == [1, 1]
    assert truth.truth_table(hits, None, 0.1)["true rescue"].tolist() == ["not known"]


def test_truth_of_arms_meets_doses(known):
    arms = pd.DataFrame(
        {
            "experiment": "E", "treatment": ["A", "A", "D"], "dose_um": [0.1, 1.0, 1.0], "rescue": [0.5, 0.9, 1.5],
            "rescue_low": [0.45, 0.8, 1.0], "rescue_high": [0.55, 1.0, 2.0],
        }
    )  # fmt: skip
    joined = truth.truth_of_arms(arms, known)
    assert joined["rescue_true"].tolist() == [0.4, 0.9, 0.0]
    text = findings.truth_arms(arms, known)
    assert "Over 2 arms without toxicity" in text
    assert "is 0.071" in text
    assert "50 % of the 95 % intervals" in text
    assert truth.truth_of_arms(arms, None).empty


def curve(treatment, klass, ec50=np.nan, low=np.nan, high=np.nan, censored="", back=1.0, relevance=1.0):
    """Return a row of dose_response.csv."""
    return {
        "experiment": "E", "treatment": treatment, "curve_class": klass, "ec50_um": ec50, "ec50_low_um": low,
        "ec50_high_um": high, "ec50_censored": censored, "hill": 1.5, "front": 0.0, "back": back, "r2": 0.8,
        "relevance": relevance,
    }  # fmt: skip


@pytest.fixture
def curves() -> pd.DataFrame:
    """Return one curve of each class."""
    return pd.DataFrame(
        [
            curve("A", "active", 0.4, 0.1, 0.8, relevance=3.0),
            curve("B", "step", 0.55, 0.3, 1.0, relevance=5.0),
            curve("C", "inactive", relevance=0.1),
            curve("D", "below_range", 0.03, 0.0, 0.03, "<", relevance=2.0),
            curve("E", "above_range", 3.0, 3.0, np.inf, ">", back=-2.0, relevance=9.0),
            curve("F", "not_fitted", relevance=np.nan),
        ]
    )


def test_classes_are_counted(curves):
    text = findings.curve_classes(curves)
    assert text.startswith("Of 6 curves: ")
    assert "1 not told from a flat line, so without an EC50" in text
    assert "Of the active ones" not in text
    loose = curves.assign(ec50_um=[np.nan, *curves["ec50_um"][1:]])
    assert "Of the active ones 1 has no EC50 all the same" in findings.curve_classes(loose)
    assert "EC50 `<`" in text


@pytest.mark.parametrize(
    ("index", "part"),
    [
        (0, "Hill slope of 1.5; the curve explains 80 %"),
        (1, "between 0.3 and 1 µM. The response jumps"),
        (2, "no EC50 is given"),
        (3, "EC50 < 0.03 µM. The doses limit its half-way point on one side only"),
    ],
)
def test_a_curve_in_words(curves, index, part):
    text = findings.one_curve(curves.iloc[index])
    assert part in text
    assert text.startswith(f"{curves['treatment'][index]} in E is of the class")


def test_most_potent_curve_reaches_half_way(curves):
    text = findings.potency(curves)
    assert "on both sides: 2;" in text
    assert "is A in E (EC50 0.4 µM (0.1 to 0.8))" in text
    assert "None of them" in findings.potency(curves.assign(back=0.4))
    assert "No rising curve" in findings.potency(curves.head(0))


def test_a_plateau_at_its_limit_is_said_to_be_assumed(curves):
    bounded = curves.assign(back=[1.25, 0.9, 0, 0.5, 0.8, np.nan], at_bound=True)
    assert "For 1 of them the plateau stands at 1.25" in findings.potency(bounded)
    assert "the largest that the fit allows (1.25)" in findings.one_curve(bounded.iloc[0])
    assert "largest" not in findings.potency(curves)
    assert "largest" not in findings.one_curve(curves.iloc[0])


def test_falling_curves_are_counted_by_what_is_known(curves):
    falls = curves.assign(curve_class=["worsening"] * 5 + ["inactive"])
    text = findings.falling(falls)
    assert "5 curves fall with dose" in text
    assert "2 with limits of the EC50 on both sides, 2 with a bound, 1 without an EC50" in text
    assert findings.falling(curves) == "No significant curve falls with dose."


def test_share_of_intervals_that_hold_the_truth(curves, known):
    assert "100 % of 1 interval for compounds that only rescue." in findings.truth_share(curves, known)
    wrong = curves.assign(ec50_low_um=0.3)
    assert "0 % of 1 interval" in findings.truth_share(wrong, known)
    assert "only where the truth is known" in findings.truth_share(curves, None)


def test_the_price_of_a_recipe_names_what_others_do_better():
    recipes = pd.DataFrame(
        {
            "recipe": ["raw", "centre"], "selected": [False, True], "plate_predictability": [1.0, 0.7],
            "experiment_predictability": [0.0, 0.6947], "replicate_map": [0.1, 0.2], "control_auroc": [1.0, 0.9999],
            "z_prime_robust": [np.nan, 0.5], "uv_mock_gap": [0.043, 0.044],
        }
    )  # fmt: skip
    text = findings.recipe_price(recipes)
    assert text == (
        "The selected recipe is not the best in experiment predictability (0.695; `raw`: 0) and UV to mock gap (0.044; "
        "`raw`: 0.043)."
    )
    best = recipes.assign(experiment_predictability=0.0, uv_mock_gap=0.1)
    assert "No other recipe is better" in findings.recipe_price(best)


def test_noise_of_wells_is_set_against_arms():
    wells = pd.DataFrame(
        {
            "experiment": ["E", "E", "E", "E"], "condition": ["infected"] * 3 + ["mock"], "treatment": None,
            "qc_flag": ["", "", "bad", ""], "off_disease": [2.0, 2.2, 90.0, 50.0],
        }
    )  # fmt: skip
    arms = pd.DataFrame({"off_disease": [0.0, 0.0, 0.4, np.nan]})
    text = findings.well_noise(wells, arms, 1024)
    assert "1,024 features" in text
    assert "2.1 in E" in text
    assert "median arm stands at 0, and 67 % of the arms at 0" in text
    assert "one feature" in findings.well_noise(wells, arms, 1)
    assert "nothing to compare" in findings.well_noise(wells.assign(off_disease=np.nan), arms, 5)


def test_the_dose_that_decides_need_not_be_that_of_the_largest_rescue(hits):
    arms = pd.DataFrame(
        {
            "experiment": "E",
            "treatment": ["a", "a", "C", "D"],
            "dose_um": [1.0, 9.0, 1.0, 1.0],
            "rescue": [0.95, 1.7, 0.3, 1.2],
        }
    )
    text = findings.deciding_dose(hits, arms)
    assert text.startswith("Of 2 calls of `rescue`, 1 has a larger rescue at another dose")
    assert "none stands past mock" in text
    past = findings.deciding_dose(hits.assign(rescue_max=1.8), arms)
    assert "none has a larger" in past
    assert "2 stand past mock" in past
    assert findings.deciding_dose(hits.assign(call="inactive"), arms) == ""


def test_true_potency(curves, known):
    assert truth.true_potencies(curves, known)["treatment"].tolist() == ["A"]
    text = findings.truth_potency(curves, known)
    assert "off by a factor of 2 in the median" in text
    assert "100 % of the intervals" in text
    assert "not known" in findings.truth_potency(curves, None)


def test_curves_are_chosen_by_name_then_by_relevance(curves):
    assert summaries.strongest_curves(curves, 2)["treatment"].tolist() == ["B", "A"]
    assert summaries.strongest_curves(curves, 1, "c, b")["treatment"].tolist() == ["C", "B"]
    with pytest.raises(UsageError, match="'Ab' has no curve in this screen; close: A"):
        summaries.strongest_curves(curves, 2, "Ab")


def test_example_is_an_active_curve_unless_asked_otherwise(curves):
    assert summaries.example_curve(curves)["treatment"] == "A"
    assert summaries.example_curve(curves, "D")["treatment"] == "D"
    assert summaries.example_curve(curves.iloc[[2, 5]])["treatment"] == "C"
    assert summaries.example_curve(curves.head(0)) is None


def test_each_class_has_one_example(curves):
    doubled = pd.concat([curves, curves.assign(relevance=curves["relevance"] + 10)])
    table = summaries.one_of_each_class(doubled)
    assert table["curve_class"].tolist() == [
        "active",
        "step",
        "below_range",
        "above_range",
        "inactive",
        "not_fitted",
    ]
    assert table["relevance"].iloc[0] == 13


def test_first_hit_is_one_that_was_called(hits):
    assert summaries.first_hit(hits) == ("E", "a")
    assert summaries.first_hit(hits.assign(call="inactive")) == ("E", "a")
    assert summaries.first_hit(hits.head(0)) == ("", "No compound")


@pytest.mark.parametrize("name", list(NUMBERS))
def test_absent_tables_have_columns_and_no_rows(name):
    table = empty_table(name)
    assert table.empty
    assert list(table) == TEXTS[name] + NUMBERS[name]


@pytest.mark.parametrize(
    ("say", "name", "rest"),
    [
        (findings.calls, "hits", (0.05, 0.1)),
        (findings.top_hits, "hits", ()),
        (findings.off_axis, "hits", ()),
        (findings.curve_classes, "curves", ()),
        (findings.potency, "curves", ()),
        (findings.falling, "curves", ()),
        (findings.truth_share, "curves", (None,)),
        (findings.recipe_price, "recipes", ()),
        (findings.deciding_dose, "hits", (empty_table("arms"),)),
        (findings.truth_arms, "arms", (None,)),
        (findings.plates_limit, "arms", ()),
    ],
)
def test_absent_tables_have_sentences(say, name, rest):
    text = say(empty_table(name), *rest)
    assert "nan" not in text.lower()
    assert "of 0 " not in text
