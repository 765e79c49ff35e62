"""What tells a failure from an effect, rule by rule, on a small screen in which one thing is changed at a time."""

import numpy as np
import pandas as pd
import pytest

from helpers.profiles.failures import FAR, TECHNICAL, find_failures
from helpers.profiles.residuals import find_residuals

N_FEATURES = 12


@pytest.fixture
def screen():
    """Return three plates: 8 mock and 24 infected wells, 30 compounds of two doses, one well a dose and plate."""
    rng = np.random.default_rng(0)
    tables = []
    for plate in ("P1", "P2", "P3"):
        place = rng.permutation(96)[:92]
        tables.append(
            pd.DataFrame({
                "plate_id": plate, "condition": ["mock"] * 8 + ["infected"] * 84,
                "treatment": [None] * 32 + [f"c{i}" for i in range(30) for _ in (0, 1)],
                "dose_um": [np.nan] * 32 + [1.0, 10.0] * 30, "qc_flag": "",
                "row": place // 12 + 1, "col": place % 12 + 1,
            })
        )  # fmt: skip
    obs = pd.concat(tables, ignore_index=True)
    obs.index = obs.index.astype(str)
    X = rng.normal(size=(len(obs), N_FEATURES))
    X[(obs["condition"] == "mock").to_numpy(), 0] += 12
    return X, obs


def flags(X, obs):
    return find_failures(find_residuals(X.astype(np.float32), obs), obs, rate=1e-4)


def rows(obs, treatment, dose=None, plate=None):
    chosen = obs["treatment"] == treatment
    chosen &= (obs["dose_um"] == dose) | (dose is None)
    chosen &= (obs["plate_id"] == plate) | (plate is None)
    return np.flatnonzero(chosen)


def test_nothing_fails_where_nothing_failed(screen):
    assert not (flags(*screen) != "").any()


@pytest.mark.parametrize("size", [15, 40, 200])
def test_a_compound_whose_wells_agree_is_no_failure_however_strong(screen, size):
    X, obs = screen
    X[rows(obs, "c3"), 5] += size
    assert not (flags(X, obs) != "").any()


def test_a_compound_that_cures_is_on_the_way_to_mock(screen):
    X, obs = screen
    for i, share in enumerate((0.5, 1.0, 1.2)):
        X[rows(obs, f"c{i}", 10.0), 0] += 12 * share
        X[rows(obs, f"c{i + 5}", 10.0, "P1"), 0] += 12 * share  # even where one well alone does
    assert not (flags(X, obs) != "").any()


def test_a_well_that_its_replicates_do_not_follow_failed(screen):
    X, obs = screen
    well = rows(obs, "c3", 10.0, "P2")
    X[well, 5] += 25
    found = flags(X, obs)
    assert np.flatnonzero(found != "").tolist() == well.tolist()
    assert found[well[0]] == FAR


def test_an_untreated_well_has_no_excuse(screen):
    X, obs = screen
    wells = [2, 20]  # a mock and an infected well of the first plate
    X[wells, 7] += 25
    assert np.flatnonzero(flags(X, obs) != "").tolist() == wells


def test_a_direction_in_which_wells_of_other_plates_fail_is_technical(screen):
    """Mild failures, short of the limit for wells of any direction, in one direction that controls confirm."""
    X, obs = screen
    direction = np.zeros(N_FEATURES)
    direction[[8, 9]] = np.sqrt(0.5)
    infected = np.flatnonzero(obs["treatment"].isna() & (obs["condition"] == "infected"))
    X[infected[::8]] += 14 * direction
    well = rows(obs, "c4", 1.0, "P3")
    X[well] += 11 * direction
    found = flags(X, obs)
    assert set(np.flatnonzero(found == TECHNICAL)) >= set(well)
    # a compound that does the same at all doses and on all plates is none
    everywhere = rows(obs, "c9")
    X[everywhere] += 11 * direction
    assert not (flags(X, obs)[everywhere] != "").any()


def test_a_strong_control_makes_no_direction_technical(screen):
    X, obs = screen
    mock = (obs["condition"] == "mock").to_numpy()
    X[mock, 0] += 40
    half = rows(obs, "c7", 10.0)
    X[half, 0] += 25
    assert not (flags(X, obs) != "").any()
