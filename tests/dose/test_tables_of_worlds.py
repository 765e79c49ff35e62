"""No table of curves holds what its doses cannot tell, in any world of the twin."""

import numpy as np
import pytest

from helpers.dose import fit_screen
from helpers.dose.harm import PAIR
from helpers.dose.options import EC50_MARGIN
from helpers.hits.promises import judge_world
from helpers.screens.twin.worlds import WORLDS

UNTOLD = ["inactive", "not_fitted", "toxic_top"]
SHAPE = [
    "ec50_um", "ec50_low_um", "ec50_high_um", "hill", "hill_low", "hill_high", "front", "back", "back_low", "back_high",
]  # fmt: skip
IN_SHORT = ("small_plates",)
"""Worlds tried in every run; the others with the long tests."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "world", [name if name in IN_SHORT else pytest.param(name, marks=pytest.mark.long) for name in WORLDS]
)
def test_no_limit_lies_where_nobody_looked(world):
    tables = []

    def further(scored, truth, arms, hits, *, seed):
        tables.append((fit_screen(scored, arms=arms, hits=hits, seed=seed), truth))
        return []

    judge_world(world, 5, recipes=("plate_center",), recipe="plate_center", further=further)
    curves, truth = tables[0]
    doses = truth.astype(dict.fromkeys(PAIR, str)).groupby(PAIR)["dose_um"].agg(first="min", last="max")
    table = curves.merge(doses.reset_index(), on=PAIR)
    assert len(table) > 50
    flat = table[table["curve_class"].isin(UNTOLD)]
    assert len(flat)
    assert flat[SHAPE].isna().all(axis=None)
    assert (flat["ec50_censored"] == "").all()
    told = table["ec50_um"].notna()
    inside = table["ec50_um"].between(table["first"] * 0.999, table["last"] * 1.001)
    assert inside[told].all(), table.loc[told & ~inside, [*PAIR, "ec50_um"]]
    for name in ("ec50_low_um", "ec50_high_um", "ec50_all_low_um", "ec50_all_high_um"):
        limit = table[name]
        open_end = limit.isna() | (limit == 0) | np.isinf(limit)
        within = limit.between(table["first"] / EC50_MARGIN * 0.998, table["last"] * EC50_MARGIN * 1.002)
        assert (open_end | within).all(), (name, table.loc[~(open_end | within), [*PAIR, name]])
    limits = table[table["ec50_censored"] != ""]
    assert limits[["hill", "hill_low", "hill_high"]].isna().all(axis=None)
