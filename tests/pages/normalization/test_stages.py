"""Before and after: plates, neighbours, slopes and shared arms in words."""

import numpy as np
import pandas as pd
import pytest

from helpers.hits import score_wells
from helpers.pages.normalization import stages
from helpers.pages.positions import position_effect
from helpers.profiles import normalize
from helpers.study.projections import Projection
from helpers.study.stages import scored_stages
from pages.normalization.made import made_recipes
from pages.tour.tour import three_plates


def test_shared_arms_are_those_of_the_pair_that_shares_most(tiny_scored):
    obs = tiny_scored.obs
    arms = stages.most_shared_arms(obs)
    assert list(arms.columns) == ["treatment", "dose_um", "HRCE-1", "HRCE-2"]
    one = obs[
        (obs["experiment"] == "HRCE-2").to_numpy()
        & (obs["treatment"] == arms["treatment"][3]).to_numpy()
        & (obs["dose_um"] == arms["dose_um"][3]).to_numpy()
        & (obs["qc_flag"] == "").to_numpy()
    ]
    by_plate = one.groupby("plate_id", observed=True)["rescue"].mean()
    assert arms["HRCE-2"][3] == pytest.approx(by_plate.mean())
    text = stages.shared_found({"raw": obs})
    assert f"{len(arms)} arms were tested in both HRCE-1 and HRCE-2" in text
    alone = obs[(obs["experiment"] == "HRCE-1").to_numpy()]
    assert len(stages.most_shared_arms(alone)) == 0
    assert "No two experiments" in stages.shared_found({"raw": alone})


def test_neighbours_before_and_after():
    one, two = (
        Projection(
            pd.DataFrame(), pd.DataFrame({"column": ["plate"], "share": [share], "chance": [0.25]}), 10
        )
        for share in (0.9, 0.3)
    )
    text = stages.neighbors_change(one, two)
    assert "nearest neighbours, 90 % share its plate before and 30 % after (chance: 25 %)" in text
    none = Projection(pd.DataFrame(), one.neighbors.head(0), 10)
    assert "too few" in stages.neighbors_change(none, none)


@pytest.mark.parametrize(
    ("column", "chance", "shares", "expected"),
    [
        ("plate", 0.1, (1.0, 0.12), "Islands by plate dissolve."),
        ("plate", 0.1, (1.0, 0.5), "Islands by plate dissolve in part: plates can still be told apart."),
        ("experiment", 0.4, (1.0, 0.94), "Islands by experiment do not dissolve"),
        ("experiment", 0.4, (0.42, 0.41), "hardly any islands by experiment."),
        ("plate", 0.1, (0.12, 0.9), "but there are some afterwards"),
        (
            "condition",
            0.76,
            (0.81, 0.78),
            "do not come together by this measure; it falls. It can say little here",
        ),
        ("condition", 0.3, (0.5, 0.9), "Wells of one condition come closer together."),
        ("condition", 0.3, (0.5, 0.501), "as close together as before."),
    ],
)
def test_what_dissolves_is_told_from_the_numbers(column, chance, shares, expected):
    one, two = (
        Projection(
            pd.DataFrame(), pd.DataFrame({"column": [column], "share": [share], "chance": [chance]}), 10
        )
        for share in shares
    )
    assert expected in stages.neighbors_change(one, two)


def sloped(change: float) -> pd.DataFrame:
    """Return two plates of infected wells whose rescue changes so much from the first to the last column."""
    row, col, plate = (a.ravel() for a in np.meshgrid(range(16), range(24), range(2), indexing="ij"))
    rescue = np.random.default_rng(0).normal(0, 0.1, len(row)) + change * (col / 23 - 0.5)
    obs = pd.DataFrame({"row": row, "col": col, "plate": plate, "rescue": rescue})
    return obs.assign(experiment="E", plate_id=obs["plate"], condition="infected", treatment=None, qc_flag="")


def test_a_slope_that_is_left_is_told_and_squared_with_its_measure():
    recipes = made_recipes(position_predictability=[0.3, 0.0, 0.2])
    text = stages.position_left(sloped(0.4), sloped(0.1), "plate_center", recipes)
    assert "a slope is left over the columns (2" in text, "about a quarter of what it was"
    assert "rows" not in text
    assert "A position predictability of 0 does not deny that" in text
    assert "spread of single wells, 0.1" in text
    told = stages.position_left(sloped(0.4), sloped(0.1), "raw", recipes)
    assert "deny" not in told, "raw's own measure tells the slope"
    none = stages.position_left(sloped(0.4), sloped(0.0), "plate_center", recipes)
    assert "no slope is left" in none
    missing = sloped(0.0).drop(columns="rescue")
    assert stages.position_left(missing, missing, "plate_center", recipes) == ""


@pytest.fixture
def wells() -> pd.DataFrame:
    return three_plates()


def test_spread_of_plates(wells):
    shifted = wells.assign(rescue=wells["rescue"] + (wells["plate"] == 2) * 0.5)
    text = stages.plate_spread({"raw": shifted, "plate_center": wells})
    assert "span 0.5 with `raw` and 0 with `plate_center`" in text
    assert "one plate only" in stages.plate_spread({"raw": wells[wells["plate"] == 10]})
    assert "no embeddings" in stages.plate_spread({"raw": wells.assign(rescue=np.nan)})


@pytest.mark.slow
def test_stages_are_the_scores_under_each_recipe(tiny_wells):
    tables = scored_stages(tiny_wells, ["raw", "plate_center", "raw"], seed=1)
    assert list(tables) == ["raw", "plate_center"]
    pd.testing.assert_frame_equal(tables["raw"], score_wells(tiny_wells).obs)
    pd.testing.assert_frame_equal(
        tables["plate_center"], score_wells(normalize(tiny_wells, "plate_center", seed=1)).obs
    )


def test_settings_reach_the_stages_and_a_recipe_that_cannot_be_used_is_left_out(tiny_wells):
    obs = tiny_wells.obs
    untreated = (obs["condition"] == "infected").to_numpy() & obs["treatment"].isna().to_numpy()
    first = (obs["plate_id"] == "HRCE-1_1").to_numpy()
    few = tiny_wells[~(untreated & first & (np.cumsum(untreated & first) > 3))].copy()
    names = ["raw", "plate_standard", "plate_center"]
    assert list(scored_stages(few, names, pooled=False)) == ["raw", "plate_center"]
    assert list(scored_stages(few, names, pooled=False, batch="experiment")) == names
    assert list(scored_stages(few, names)) == names


def test_wells_that_cannot_be_scored_raw_are_kept_without_scores(tiny_wells):
    """One control of each kind a plate: raw plates differ by more than the disease, centred ones do not."""
    obs = tiny_wells.obs
    untreated = obs["treatment"].isna() & obs["condition"].isin(["mock", "infected"])
    again = obs[untreated].groupby(["plate_id", "condition"], observed=True).cumcount()
    drop = obs.index.isin(again[again > 0].index)
    few = tiny_wells[~drop].copy()
    tables = scored_stages(few, ["raw", "plate_center"])
    assert list(tables) == ["raw", "plate_center"]
    assert tables["plate_center"]["rescue"].notna().all()
    if tables["raw"]["rescue"].isna().all():
        assert "cannot be scored on raw embeddings" in position_effect(*tables.values())
        assert "`raw`" not in stages.plate_spread(tables)
