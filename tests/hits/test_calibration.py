from dataclasses import replace

import numpy as np
import pytest

from helpers.errors import UsageError
from helpers.hits import calibration_study
from helpers.screens import TwinModel

STRONG_PLATES = replace(
    TwinModel(),
    plate_shift_on_axis=0.6,
    plate_shift=6.0,
    plate_gain_sd=0.12,
    gradient_on_axis=0.3,
    gradient_off_axis=1.0,
)
"""Plates that differ three times as much along the axis, and whose effects vary twice as much, as usual."""


@pytest.fixture(scope="module")
def short():
    return calibration_study(2)


@pytest.mark.slow
def test_tables_are_whole(short):
    assert set(short.p_values["level"]) == {"arms", "compounds"}
    by_level = short.p_values.groupby("level")
    assert (by_level["share"].last() == 1).all()
    assert by_level["share"].apply(lambda share: share.is_monotonic_increasing).all()
    at = short.p_values.iloc[(short.p_values["p"] - 0.01).abs().argsort(kind="stable")[:2]].set_index(
        "level"
    )["share"]
    for level, row in short.uniformity.set_index("level").iterrows():
        assert at[level] == pytest.approx(row["rejected_01"], abs=0.01)
    assert short.uniformity["n_twins"].tolist() == [2, 2]
    assert short.discoveries["fdr"].tolist() == [0.05, 0.1, 0.2]
    assert short.coverage["true_rescue"].iloc[0] == "all"
    assert short.coverage["n"].iloc[1:].sum() == short.coverage["n"].iloc[0]


@pytest.mark.slow
def test_more_is_called_at_a_higher_rate(short):
    assert short.discoveries["called"].is_monotonic_increasing
    assert (short.discoveries["false"] <= short.discoveries["called"]).all()


@pytest.mark.slow
def test_a_null_that_is_too_narrow_is_seen(short, monkeypatch):
    """Halving the null's spread must show in every part of the study that looks at p-values."""
    from helpers.hits import calls
    from helpers.hits.null import fit_null

    def narrow(*args, **settings):
        null = fit_null(*args, **settings)
        null.scale = {plate: scale / 2 for plate, scale in null.scale.items()}
        return null

    monkeypatch.setattr(calls, "fit_null", narrow)
    spoiled = calibration_study(2)
    rejected = [study.uniformity["rejected_05"].to_numpy() for study in (short, spoiled)]
    assert (rejected[0] < 0.07).all()
    assert (rejected[1] > 0.15).all()
    assert (spoiled.uniformity["distance"] > 2 * short.uniformity["distance"]).all()


@pytest.mark.slow
def test_a_recipe_that_divides_is_tried_on_screens_of_counts():
    study = calibration_study(2, recipe="log_percent_of_control")
    assert study.coverage["n"].sum() > 1000
    # three standard errors of the share of the p-values of two twins
    bound = 0.05 + 3 * np.sqrt(0.05 * 0.95 / study.uniformity["n"])
    assert (study.uniformity["rejected_05"] <= bound).all()


def test_one_twin_is_too_few():
    with pytest.raises(UsageError, match="n_twins=1"):
        calibration_study(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_twins", "settings"),
    [
        (6, {}),
        (4, {"model": STRONG_PLATES}),
        pytest.param(4, {"n_infected": 6}, marks=pytest.mark.long),
        pytest.param(3, {"axis": "discriminant"}, marks=pytest.mark.long),
    ],
    ids=["as it is", "strong plates", "six infected wells a plate", "discriminant"],
)
def test_what_is_stated_holds(n_twins, settings):
    """3 % of the wells of every twin have failed, and most of those that do something do it off the axis only."""
    study = calibration_study(n_twins, **settings)
    assert (study.uniformity["ks_p"] > 0.001).all()
    assert (study.uniformity["p_value"] > 0.005).all()
    assert (study.uniformity["rejected_05"] < 0.075).all()
    assert (study.discoveries["fdp"] <= 1.25 * study.discoveries["fdr"]).all()
    assert (study.discoveries["power_strong"] == 1).all()
    assert study.discoveries["power_medium"].iloc[0] >= (0.7 if "n_infected" in settings else 0.85)
    everything = study.coverage.iloc[0]
    # with few reference wells what all wells of a plate share is known less well, and taken for more than it is
    assert 0.92 < everything["coverage"] < (0.99 if "n_infected" in settings else 0.98)
