"""Sentences and tables on what holds in which world, from tables in which it is known."""

import pandas as pd
import pytest

from helpers.dose.promises import ALL_PROMISES
from helpers.pages.worlds import WORDS, breaks_first, judged, overview, promised, unlike, world_table


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("calm", "coverage", 10, 1000, 0.95, 0.002),
            ("calm", "power_strong", 10, 100, 1.0, 0.0),
            ("calm", "power_medium", 10, 100, 0.625, 0.01),
            ("rough", "coverage", 10, 1000, 0.90, 0.004),
            ("rough", "power_strong", 10, 100, 0.86, 0.02),
        ],
        columns=["world", "promise", "n_seeds", "n", "value", "se"],
    )


def test_each_promise_is_held_against_its_line(table):
    found = judged(table).set_index(["world", "promise"])
    assert "power_medium" not in found.index.get_level_values("promise"), "nothing is promised of it"
    assert found["kept"].to_dict() == {
        ("calm", "coverage"): True,
        ("calm", "power_strong"): True,
        ("rough", "coverage"): False,
        ("rough", "power_strong"): True,
    }
    assert found.loc[("rough", "power_strong"), "low"] == 0.85
    assert found.loc[("calm", "power_strong"), "low"] == 0.95


def test_a_rate_of_false_calls_may_be_a_quarter_above_itself():
    assert promised("calm", "fdp_20")[1] == pytest.approx(0.25)
    assert promised("calm", "fdp_05")[1] == pytest.approx(0.0625)


def test_every_promise_with_a_line_has_words():
    lined = [name for name in ALL_PROMISES if any(value == value for value in promised("busy", name))]
    assert set(lined) == set(WORDS)


def test_the_table_gives_percent_and_its_error(table):
    wide = world_table(table).set_index("counted")
    assert list(wide) == ["calm", "rough"]
    assert wide.loc[f"{ALL_PROMISES['coverage']} (%)", "calm"] == "95.0 ± 0.2"
    assert wide.loc[f"{ALL_PROMISES['power_medium']} (%)", "rough"] == "–"


def test_what_breaks_first_is_named_world_by_world(table):
    calm, rough = breaks_first(table).split("\n\n")
    assert calm.startswith("**`calm`**")
    assert "Nothing breaks; what has least room: the intervals, 95 %" in calm
    assert "62 % are found" in calm or "63 % are found" in calm
    assert "What breaks first: the intervals, 90 % against a line of 92 %" in rough


def test_the_overview_counts_what_was_kept(table):
    text = overview(table.assign(n_seeds=1), table)
    assert "with 10 simulated screens of each world, 3 of 4 promises were kept" in text
    assert "Not kept were the intervals in `rough` (90 %)" in text
    assert "ran 1 screen of each world" in text
    assert unlike(table).startswith("All 2 worlds come from one generator.")


def test_what_was_promised_nowhere_in_a_world_is_drawn_and_said_all_the_same(table):
    more = pd.DataFrame(
        [("rough", "located", 10, 80, 0.4, 0.01), ("rough", "toxic_named", 10, 80, 0.0, 0.0)],
        columns=table.columns,
    )
    table = pd.concat([table, more], ignore_index=True)
    assert "located" not in set(judged(table)["promise"])
    drawn = judged(table, all_panels=True).set_index(["world", "promise"])
    assert drawn.loc[("rough", "located"), ["value", "kept"]].tolist() == [0.4, True]
    assert "power_medium" not in drawn.index.get_level_values("promise"), "it has no panel"
    rough = breaks_first(
        pd.concat(
            [table, pd.DataFrame([("rough", "power_medium", 10, 80, 0.5, 0.01)], columns=table.columns)]
        )
    ).split("\n\n")[1]
    assert "40 % are given one; of those that only harm 0 % are called toxic." in rough
