"""Intervals over plates: they are the textbook's where there is one, hold what they should, or are missing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.hits.evidence import ARM, control_measures, replicate_error, shared_agreement, weighted_mean
from helpers.hits.jackknife import jackknife_interval, strata_of

PLATES = ["P", "Q", "R", "S"]


def test_the_interval_of_a_mean_is_students():
    values = [0.1, 0.4, 0.5, 0.9]
    low, high = jackknife_interval(weighted_mean(dict(zip(PLATES, values, strict=True))), [PLATES])
    expected = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (low, high) == pytest.approx(expected)


def test_of_two_experiments_variances_add_and_degrees_follow_satterthwaite():
    one, two = {"P": 0.1, "Q": 0.3, "R": 0.8}, {"S": 1.0, "T": 2.0, "U": 2.5, "V": 1.4}

    def mean(weights):
        return np.mean([weighted_mean(part)(weights) for part in (one, two)])

    low, high = jackknife_interval(mean, [list(one), list(two)])
    squares = np.array([stats.sem(list(part.values())) ** 2 for part in (one, two)]) / 4
    degrees = squares.sum() ** 2 / (squares**2 / [2, 3]).sum()
    reach = stats.t.ppf(0.975, degrees) * np.sqrt(squares.sum())
    assert (high - low) / 2 == pytest.approx(reach)


def test_an_experiment_with_one_plate_counts_by_what_happens_without_it():
    values = dict(zip(PLATES, [0.0, 1.0, 0.5, 0.4], strict=True))
    widths = []
    for alone in (0.475, 1.0):  # the mean of the others, and off it
        low, high = jackknife_interval(weighted_mean(values | {"X": alone}), [PLATES, ["X"]])
        widths.append(high - low)
    assert widths[0] < widths[1]
    far = weighted_mean(values | {"X": 9.0})
    low, high = jackknife_interval(far, [PLATES, ["X"]])
    assert high - low > 10 * widths[1], "one plate makes up nearly all of it"


def test_two_plates_that_cannot_do_without_each_other_vary_like_the_rest():
    """Plate predictability is one such measure: with a single plate there is nothing to tell apart."""
    rng = np.random.default_rng(5)

    def screen(rng):
        strata = [[f"{e}{i}" for i in range(n)] for e, n in enumerate((7, 7, 2))]
        values = {plate: rng.normal() for plates in strata for plate in plates}

        def measure(weights):
            alone = sum(weights[plate] for plate in strata[2]) < 2
            parts = [weighted_mean({p: values[p] for p in plates})(weights) for plates in strata]
            return np.nan if alone else float(np.mean(parts))

        return measure, strata

    held = [low <= 0 <= high for low, high in (jackknife_interval(*screen(rng)) for _ in range(300))]
    assert 0.89 < np.mean(held) < 0.99


@pytest.mark.parametrize(
    ("values", "strata"),
    [
        ({"P": 0.1, "Q": 0.2}, [["P", "Q"]]),  # two plates
        ({"P": 0.1, "Q": 0.2}, [["P"], ["Q"]]),  # no experiment has two
        (dict.fromkeys(PLATES, 1.0), [PLATES]),  # no plate changes it
        ({}, [PLATES]),  # the measure is missing
        ({"P": 0.1}, [PLATES]),  # it hangs on one plate
    ],
)
def test_what_plates_do_not_tell_is_missing(values, strata):
    assert np.isnan(jackknife_interval(weighted_mean(values), strata)).all()


def test_no_interval_leaves_the_range_of_its_measure():
    measure = weighted_mean(dict(zip(PLATES, [0.99, 0.2, 0.97, 0.9], strict=True)))
    for scale in ("window", "correlation", "ratio"):
        low, high = jackknife_interval(measure, [PLATES], scale=scale)
        assert low < 0.765 < high
        assert high <= 1 or scale == "ratio"
        assert low > {"window": -np.inf, "correlation": -1, "ratio": 0}[scale]
    assert jackknife_interval(measure, [PLATES], bounds=(0.0, 1.0))[1] == 1.0


def test_plates_are_listed_by_experiment():
    obs = pd.DataFrame({"experiment": ["F", "E", "E", "F"], "plate_id": ["F_1", "E_2", "E_1", "F_1"]})
    assert strata_of(obs) == [["E_1", "E_2"], ["F_1"]]


# --- simulated screens -------------------------------------------------------------------------------------------


def covered(make, scale, n=150) -> float:
    """Return how often the intervals of `n` simulated screens hold the median of their estimates."""
    rng = np.random.default_rng(0)
    screens = [make(rng) for _ in range(n)]
    estimates = [measure({p: 1 for plates in strata for p in plates}) for measure, strata in screens]
    ends = np.array([jackknife_interval(*screen, scale=scale) for screen in screens])
    known = np.isfinite(ends[:, 0])
    assert known.mean() > 0.6
    low, high = ends[known].T
    return float(((low <= np.median(estimates)) & (np.median(estimates) <= high)).mean())


def shared_arms(rng, *, copies=3):
    """Return the agreement of two experiments that share 60 arms, a few of them strong, on two sets of plates."""
    index = pd.MultiIndex.from_arrays([[f"t{i}" for i in range(60)], [1.0] * 60], names=ARM)
    true = np.where(np.arange(60) % 8 == 0, 0.7, 0.0)
    tables = []
    for experiment in "EF":
        table = pd.DataFrame(index=index)
        for plate in range(2 * copies):
            rescue = true + rng.normal(0, 0.1, 60) + rng.normal(0, 0.05)
            table[f"{experiment}{plate}"] = np.where(np.arange(60) // 30 == plate % 2, rescue, np.nan)
        tables.append(table)
    return shared_agreement(tables), [list(table) for table in tables]


def test_agreement_of_experiments_is_covered():
    assert covered(shared_arms, "correlation") >= 0.93


def test_agreement_that_hangs_on_single_plates_has_no_interval():
    """Without its plate a set of arms is gone, and what is left is the correlation of other arms."""
    measure, strata = shared_arms(np.random.default_rng(0), copies=1)
    assert measure({p: 1 for plates in strata for p in plates}) > 0.7
    assert np.isnan(measure({p: p != "E0" for plates in strata for p in plates}))
    assert np.isnan(jackknife_interval(measure, strata, scale="correlation")).all()


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.3])
@pytest.mark.parametrize("sizes", [(6,), (6, 8, 2)])
def test_robust_z_prime_is_covered(sizes, shift):
    """Plates that shift as much as raw ones do are where drawing plates anew goes wrong."""

    def screen(rng):
        parts, strata = [], []
        for experiment, n_plates in enumerate(sizes):
            strata.append([f"{experiment}_{i}" for i in range(n_plates)])
            for plate in strata[-1]:
                on = rng.normal(shift * rng.normal(), 0.1, 60) + np.repeat([0.0, 1.0], 30)
                part = pd.DataFrame({"on_disease": on, "condition": np.repeat(["mock", "infected"], 30)})
                parts.append(part.assign(experiment=experiment, plate_id=plate))
        obs = pd.concat(parts, ignore_index=True).assign(treatment=None, qc_flag="")
        return control_measures(_Scored(obs))["z_prime_robust"], strata

    assert covered(screen, "window") >= 0.9


class _Scored:
    """Wells of which only obs is asked for."""

    def __init__(self, obs: pd.DataFrame):
        self.obs = obs


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.3])
def test_replicate_error_is_covered(shift):
    def screen(rng):
        table = pd.DataFrame(
            {f"P{i}": rng.normal(0, 0.1, 60) + shift * rng.normal() for i in range(6)},
        )
        return replicate_error(table, pd.DataFrame()), [list(table)]

    assert covered(screen, "ratio") >= 0.93
