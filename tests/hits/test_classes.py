"""Mechanism classes: a known shift comes back, no shift is no finding, and lists are read or refused in one line."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from helpers.errors import DataError, UsageError
from helpers.hits.classes import (
    align_scores,
    assign_classes,
    auc_interval,
    class_effects,
    read_class_list,
    shipped_classes,
)


def table(values) -> pd.DataFrame:
    return pd.DataFrame({"compound": [f"c{i}" for i in range(len(values))], "score": values})


def group(n: int, name: str = "A", start: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"compound": [f"c{i}" for i in range(start, start + n)], "class": name})


@pytest.mark.parametrize(("ties", "n"), [(False, 5), (False, 40), (True, 5), (True, 40)])
def test_auc_and_p_are_those_of_scikit_learn_and_scipy(ties, n):
    rng = np.random.default_rng(1)
    values = np.round(rng.standard_normal(300), 1 if ties else 9)
    values[:n] += 0.5
    row = class_effects(table(values), group(n)).iloc[0]
    inside = np.arange(300) < n
    assert row["auc"] == pytest.approx(roc_auc_score(inside, values))
    assert row["p_value"] == pytest.approx(stats.mannwhitneyu(values[inside], values[~inside]).pvalue)
    assert row["shift"] == pytest.approx(np.median(np.subtract.outer(values[inside], values[~inside])))
    assert (row["n_members"], row["n_others"]) == (n, 300 - n)


@pytest.mark.slow
def test_a_shift_comes_back_within_its_intervals():
    rng = np.random.default_rng(2)
    held = []
    for _ in range(300):
        values = rng.standard_normal(400)
        values[:10] += 1.0
        row = class_effects(table(values), group(10)).iloc[0]
        held.append(
            (
                row["auc_low"] <= stats.norm.cdf(1 / np.sqrt(2)) <= row["auc_high"],
                row["shift_low"] <= 1 <= row["shift_high"],
            )
        )
    shares = np.mean(held, axis=0)
    assert np.all((shares > 0.92) & (shares < 0.99)), shares


@pytest.mark.parametrize(("m", "shift"), [(4, 0.0), (4, 2.0), (7, 3.0), (29, 1.5)])
def test_interval_of_an_auc_covers_in_small_classes_and_far_out(m, shift):
    rng = np.random.default_rng(3)
    true, held = stats.norm.cdf(shift / np.sqrt(2)), []
    for _ in range(400):
        others = np.sort(rng.standard_normal(1000))
        auc = np.searchsorted(others, rng.standard_normal(m) + shift).mean() / 1000
        low, high = auc_interval(auc, m, 1000)
        held.append(low <= true <= high)
    assert 0.92 < np.mean(held) < 0.995


def test_interval_stays_inside_and_has_a_width_at_the_ends():
    low, high = auc_interval(1.0, 4, 1600)
    assert high == 1
    assert 0.6 < low < 0.9
    assert auc_interval(0.0, 4, 1600) == pytest.approx((0, 1 - low))
    assert auc_interval(0.7, 5, 50, 0.5)[0] > auc_interval(0.7, 5, 50, 0.95)[0]


@pytest.mark.slow
def test_without_effects_p_values_are_uniform_and_few_classes_are_called():
    rng = np.random.default_rng(4)
    sizes, p_values, called = [4, 8, 20, 60], [], 0
    for _ in range(120):
        drawn = rng.permutation(500)
        starts = np.cumsum([0, *sizes])
        parts = [
            pd.DataFrame({"compound": [f"c{i}" for i in drawn[a : a + n]], "class": f"k{n}"})
            for a, n in zip(starts, sizes, strict=False)
        ]
        effects = class_effects(table(rng.standard_t(3, 500)), pd.concat(parts))
        p_values += effects["p_value"].tolist()
        called += (effects["q_value"] <= 0.05).any()
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert called / 120 < 0.11


def test_what_compounds_of_one_plate_share_is_no_class_effect():
    rng = np.random.default_rng(5)
    plate = np.repeat(np.arange(20), 40)
    values = rng.standard_normal(800) + 1.5 * (plate == 0)
    plates, experiment = pd.Series(plate), pd.Series("E", index=range(800))
    members = group(10)  # all on the first plate, and nothing else in common
    naive = class_effects(table(values), members)["p_value"].iloc[0]
    aligned = class_effects(table(align_scores(pd.Series(values), plates, experiment)), members)
    assert naive < 1e-3
    assert aligned["p_value"].iloc[0] > 0.01


def test_few_compounds_are_aligned_with_the_whole_experiment():
    score = pd.Series([1.0, 2.0, 3.0, *range(10, 22)])
    stratum = pd.Series([*"aaa", *"b" * 12])
    aligned = align_scores(score, stratum, pd.Series("E", index=score.index))
    assert aligned.tolist()[:3] == (score[:3] - score.median()).tolist()
    assert aligned[3:].median() == 0


def test_classes_too_small_are_listed_and_not_tested():
    members = pd.concat([group(2, "small"), group(5, "large", 2)])
    effects = class_effects(table(np.arange(50.0)), members).set_index("class")
    assert effects.loc["small", "note"] == "fewer than 3 members with a score"
    assert effects.loc["small", ["auc", "p_value", "q_value"]].isna().all()
    assert effects.loc["small", "n_members"] == 2
    assert effects.loc["large", "q_value"] == effects.loc["large", "p_value"], "one test, nothing to correct"


def test_rows_in_any_order_and_members_without_a_score():
    rng = np.random.default_rng(6)
    scores = table(rng.standard_normal(60))
    members = pd.concat([group(5), group(4, "B", 10), pd.DataFrame({"compound": ["?"], "class": ["A"]})])
    expected = class_effects(scores, members)
    shuffled = class_effects(scores.sample(frac=1, random_state=1), members.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(expected, shuffled)
    assert expected.set_index("class").loc["A", "n_members"] == 5


def test_nothing_to_test_is_an_empty_table():
    empty = pd.DataFrame({"compound": [], "class": []})
    assert class_effects(table(np.arange(5.0)), empty).empty
    assert class_effects(table([]), group(4)).loc[0, "note"].startswith("fewer than 3")


def test_members_are_found_in_any_spelling_and_the_unknown_are_named():
    names = pd.Series(
        {
            "a": ["Nebivolol HCl"],
            "b": ["BYL719"],
            "c": ["Remdesivir (GS-5734)"],
            "d": ["Everolimus, Everolimus (RAD001), RAD001"],
            "e": ["albuterol"],
            "f": ["1; CAL-101"],
            "g": ["betamethasone-valerate"],
            "h": ["1"],
        }
    )
    listed = [
        ("NEBIVOLOL", "x"), ("alpelisib", "x"), ("gs 5734", "x"), ("rad001", "x"), ("Salbutamol", "y"),
        ("idelalisib", "y"), ("betamethasone", "y"), ("no such drug", "y"), ("resveratrol", "y"),
    ]  # fmt: skip
    members, unknown = assign_classes(names, pd.DataFrame(listed, columns=["treatment", "class"]))
    assert members["compound"].tolist() == list("abcdef")
    assert unknown == ["betamethasone", "no such drug", "resveratrol"], "an ester is another compound"


def test_a_treatment_may_be_in_two_classes():
    listed = pd.DataFrame({"treatment": ["x", "X "], "class": ["one", "two"]}).replace("x", "xyz")
    listed["treatment"] = "xyz"
    members, _ = assign_classes(pd.Series({"XYZ": ["XYZ"]}), listed)
    assert members["class"].tolist() == ["one", "two"]


def test_the_shipped_list_is_pharmacology_with_a_basis():
    classes = shipped_classes()
    assert list(classes) == ["treatment", "class", "basis"]
    assert not classes.duplicated(["treatment", "class"]).any()
    assert (classes != "").all(axis=None)
    assert classes["class"].value_counts().min() >= 3
    stems = {
        "beta-blockers": "[oa]lol|dilol", "proteasome inhibitors": "zomib", "MEK inhibitors": "metinib",
        "statins": "vastatin", "triptans": "triptan", "SGLT2 inhibitors": "gliflozin", "fluoroquinolones": "oxacin",
    }  # fmt: skip
    for name, stem in stems.items():
        members = classes.loc[classes["class"] == name, "treatment"]
        assert members.str.contains(stem).all(), name
    assert {"mTOR/PI3K inhibitors", "vitamin D analogues", "beta-agonists", "glucocorticoids"} <= set(
        classes["class"]
    )


def test_a_list_of_the_users_is_read_with_any_separator(tmp_path):
    for separator in ",;\t":
        path = tmp_path / "mine.csv"
        path.write_text(
            "\ufeffClass,Treatment,note\nA, x ,\n\nB,y,two\nA,x,again\n".replace(",", separator),
            encoding="utf-8",
        )
        read = read_class_list(path)
        assert read[["treatment", "class"]].to_numpy().tolist() == [["x", "A"], ["y", "B"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"line 1: no column for treatment \(treatment\); class .*\(found: nothing\)"),
        (b"drug,class\nx,A\n", r"line 1: no column for treatment .*\(found: drug, class\)"),
        (b"treatment,class\n", "has a header and no lines"),
        (b"treatment,class\nx,A\ny,\n", "line 3: the class is empty"),
        (b"treatment,class\n,A\n", "line 2: the treatment is empty"),
        (b"treatment,class\nx,A,B\n", "line 2: 3 cells where the header has 2"),
        (b"treatment,class,class\nx,A,B\n", "line 1: two columns hold the class"),
        (b"treatment,class\n\xff\xfe,A\n", "is not UTF-8 text"),
        (b'treatment,class\n"x,A\ny,B\n', "line 3: cannot be split into cells"),
        (b"treatment,class\n\0,A\n", "holds a NUL"),
    ],
)
def test_broken_lists_give_one_clear_line(content, says, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as raised:
        read_class_list(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(
        UsageError, match=r"parameter 'classes': no file .*leave it empty for the shipped list"
    ):
        read_class_list(tmp_path / "none.csv")
