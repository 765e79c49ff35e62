"""Options of the fit: what cannot be is refused by name, and the columns they add are told beforehand."""

import dataclasses

import numpy as np
import pytest

from dose.simulated import simulate_curves
from helpers.dose import fit_curves
from helpers.dose.options import CurveOptions
from helpers.errors import UsageError


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"alpha": 1.0}, r"alpha=1.0 is outside \(0, 1\)"),
        ({"level": 0.0}, "level=0.0 is outside"),
        ({"hill_bounds": (0.0, 2.0)}, "0 < smallest < largest"),
        ({"plateaus": (1.0, 1.0)}, "smallest < largest"),
        ({"ec50_margin": 0.5}, "ec50_margin=0.5 must be at least 1"),
        ({"interval": "wald"}, "choose profile or bootstrap"),
        ({"loss": "huber"}, "choose squares or robust"),
        ({"interval": "bootstrap", "bootstrap_draws": 49}, "bootstrap_draws=49 is too few"),
        ({"permutations": -1}, "must be 0 or more"),
        ({"effective_doses": (0,)}, "percentages between 0 and 100"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given, said):
    with pytest.raises(UsageError, match=said):
        CurveOptions(**given)


def test_few_draws_matter_to_the_bootstrap_only():
    assert CurveOptions(bootstrap_draws=3).interval == "profile"


def test_options_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CurveOptions().alpha = 0.1


@pytest.mark.parametrize("clustered", [False, True])
def test_the_columns_that_options_add_are_those_of_the_result(clustered):
    given = {"effective_doses": (10, 90), "standard_errors": True, "permutations": 20}
    table, _ = simulate_curves(3, seed=1)
    how = {"cluster": "plate"} if clustered else {}
    added = set(fit_curves(table, **how, **given)) - set(fit_curves(table))
    assert added == set(CurveOptions(**given).column_names(clustered=clustered))
    assert CurveOptions().column_names(clustered=False) == []


def test_the_plateaus_are_free_by_default():
    assert CurveOptions().plateaus == (-np.inf, np.inf)
