import contextlib

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.hits import robust_z_prime
from helpers.hits.axis import score_wells


def screen(X, condition, plates=3, treatment=None):
    """Wells dealt out to plates in turn."""
    n = len(X)
    obs = pd.DataFrame(
        {
            "experiment": "E", "plate_id": [f"E_{i % plates}" for i in range(n)],
            "condition": pd.Categorical(condition, categories=["mock", "uv", "infected", "blank"]),
            "treatment": treatment, "qc_flag": "", "row": np.arange(n) // 40 + 1, "col": np.arange(n) % 40 + 1,
        },
        index=[str(i) for i in range(n)],
    )  # fmt: skip
    return ad.AnnData(np.asarray(X, dtype=np.float32), obs=obs)


@pytest.fixture
def exact():
    """Mock at (1, 2), infected at (4, 6): an axis of length 5, and one treated well to place."""
    X = [[1, 2]] * 9 + [[4, 6]] * 9 + [[1.9, 3.2], [0.1 + 4, 0.2 + 6.0]]
    wells = screen(X, ["mock"] * 9 + ["infected"] * 11)
    wells.obs["treatment"] = [None] * 18 + ["a", "b"]
    return wells


def test_controls_lie_at_zero_and_one(exact):
    scored = score_wells(exact)
    np.testing.assert_allclose(scored.obs["on_disease"][:9], 0, atol=1e-6)
    np.testing.assert_allclose(scored.obs["on_disease"][9:18], 1, atol=1e-6)
    np.testing.assert_allclose(scored.obs["off_disease"][:18], 0, atol=1e-6)
    assert scored.uns["axis"]["E"] == {
        "kind": "mean_difference",
        "length": pytest.approx(5),
        "held_out": True,
    }


def test_a_well_is_split_into_its_part_along_and_off_the_axis(exact):
    scored = score_wells(exact)
    assert scored.obs["rescue"].iloc[18] == pytest.approx(0.7, abs=1e-6)  # (1.9, 3.2) = mock + 0.3 * (3, 4)
    # (0.1, 0.2) from infected: along = (0.1 * 3 + 0.2 * 4) / 5 = 0.22, away = 0.04; in lengths of 5
    assert scored.obs["on_disease"].iloc[19] == pytest.approx(1 + 0.22 / 5, abs=1e-6)
    assert scored.obs["off_disease"].iloc[19] == pytest.approx(0.04 / 5, abs=1e-6)


def test_a_plate_is_not_scored_on_its_own_axis(exact):
    """Spoiling one plate's controls moves the other plates' scores, never its own direction."""
    X = np.array(exact.X)
    mine = (exact.obs["plate_id"] == "E_0").to_numpy() & (exact.obs["condition"] == "mock").to_numpy()
    X[mine] = [4, -50]
    spoiled = score_wells(ad.AnnData(X, obs=exact.obs.copy()))
    treated = 18  # stands on plate 0, whose axis comes from plates 1 and 2
    assert exact.obs["plate_id"].iloc[treated] == "E_0"
    assert spoiled.obs["off_disease"].iloc[treated] * spoiled.uns["axis"]["E"]["length"] == pytest.approx(
        0, abs=1e-5
    )


def test_pure_noise_does_not_separate():
    """In 1,024 dimensions an axis fitted on the wells it scores separates noise; ours must not pretend to."""
    in_sample, ours = [], []
    for seed in range(6):
        X = np.random.default_rng(seed).normal(size=(48, 1024))
        wells = screen(X, (["mock"] * 3 + ["infected"] * 3) * 8, plates=3)
        mock = (wells.obs["condition"] == "mock").to_numpy()
        position = wells.X @ (wells.X[~mock].mean(axis=0) - wells.X[mock].mean(axis=0))
        in_sample.append(robust_z_prime(position[mock], position[~mock]))
        with contextlib.suppress(DataError):  # "do not separate": the right answer, half of the time
            on = score_wells(wells).obs["on_disease"].to_numpy()
            ours.append(robust_z_prime(on[mock], on[~mock]))
    assert min(in_sample) > 0.1
    assert len(ours) < 6
    assert max(ours, default=-np.inf) < -1


def test_a_single_plate_says_so(exact):
    alone = exact[exact.obs["plate_id"] == "E_0"].copy()
    assert score_wells(alone).uns["axis"]["E"]["held_out"] is False


@pytest.mark.parametrize(("condition", "name"), [("mock", "mock"), ("infected", "infected untreated")])
def test_missing_controls_are_named(exact, condition, name):
    untreated = exact.obs["treatment"].isna().to_numpy()
    lacking = exact[~((exact.obs["condition"] == condition).to_numpy() & untreated)].copy()
    with pytest.raises(DataError, match=f"experiment E has no {name} wells"):
        score_wells(lacking)


def test_plate_shifts_do_not_get_into_the_direction():
    """A plate that lacks one kind of control must not turn the axis towards the shift between plates."""
    rng = np.random.default_rng(0)
    shifts = np.array([[0, 0], [0, 40], [0, -30]])
    plate = np.arange(120) % 3
    condition = np.where(np.arange(120) // 3 % 2 == 0, "mock", "infected")
    X = (
        rng.normal(0, 0.1, (120, 2))
        + shifts[plate]
        + np.where(condition == "infected", 5.0, 0.0)[:, None] * [1, 0]
    )
    keep = ~((plate == 1) & (condition == "infected"))
    wells = screen(X, condition)[keep].copy()
    scored = score_wells(wells)
    assert scored.uns["axis"]["E"]["length"] == pytest.approx(5, abs=0.2)


def test_controls_that_do_not_differ_define_no_axis(tiny_wells):
    from helpers.profiles import normalize

    swapped = normalize(tiny_wells, "plate_center")
    treated = swapped.obs["treatment"].notna().to_numpy()
    infected = np.flatnonzero((swapped.obs["condition"] == "infected").to_numpy() & ~treated)
    labels = swapped.obs["condition"].astype(str).to_numpy(copy=True)
    labels[labels == "mock"] = "blank"
    labels[infected[::2]] = "mock"
    swapped.obs["condition"] = pd.Categorical(labels, ["mock", "uv", "infected", "blank"])
    with pytest.raises(DataError, match="do not separate"):
        score_wells(swapped)
