"""What all wells of a plate share: told from its reference wells, and from the bulk of its treated wells."""

import numpy as np
import pytest

from helpers.hits import score_wells
from helpers.hits.null import fit_null
from helpers.hits.shifts import plate_variances
from helpers.profiles import normalize


@pytest.fixture
def rows(tiny_scored):
    return np.flatnonzero((tiny_scored.obs["experiment"] == "HRCE-1").to_numpy())


def test_the_error_of_a_centre_is_in_the_variance_of_centred_plates(tiny_scored, tiny_wells, rows):
    centred = fit_null(tiny_scored, rows)
    plate = next(iter(centred.n_reference))
    least = np.pi / 2 * centred.scale[plate] ** 2 / centred.n_reference[plate]
    assert least <= centred.plate_variance[plate] < 4 * least
    counts = dict.fromkeys(centred.n_reference, 2)
    own = sum(centred.scale[p] ** 2 / 2 for p in counts) / len(counts) ** 2
    assert centred.arm_variance(counts) > own
    raw = fit_null(score_wells(normalize(tiny_wells, "raw")), rows)
    assert min(raw.plate_variance.values()) > 4 * max(centred.plate_variance.values())


def test_treated_wells_that_lie_off_together_widen_their_plate(tiny_scored, rows):
    """Controls stand elsewhere than treated wells: what the bulk of these is off by is no effect of a compound."""
    moved = tiny_scored.copy()
    plate = moved.obs["plate_id"].iloc[rows[0]]
    there = (moved.obs["plate_id"] == plate).to_numpy() & moved.obs["treatment"].notna().to_numpy()
    moved.obs.loc[there, "rescue"] += 0.3
    before, after = fit_null(tiny_scored, rows), fit_null(moved, rows)
    assert after.plate_variance[plate] > before.plate_variance[plate] + 0.04


def test_plates_that_no_recipe_centred_keep_their_scatter(tiny_scored, tiny_wells, rows):
    """Without a centre the variance of what plates share is that of their means, beyond the noise of their wells."""
    raw = score_wells(normalize(tiny_wells, "raw"))
    obs = raw.obs.iloc[rows]
    infected = obs[obs["treatment"].isna() & (obs["condition"] == "infected") & (obs["qc_flag"] == "")]
    values = {plate: part["rescue"].to_numpy() for plate, part in infected.groupby("plate_id", observed=True)}
    scale = {plate: float(v.std(ddof=1)) for plate, v in values.items()}
    pooled = float(np.mean([s**2 for s in scale.values()]))
    untreated = obs[obs["treatment"].isna()]
    shared, _, centred = plate_variances(raw, untreated, values, scale, pooled)
    assert not centred
    means = np.array([v.mean() for v in values.values()])
    noise = np.mean([pooled / len(v) for v in values.values()])
    assert list(shared.values()) == pytest.approx([means.var(ddof=1) - noise] * len(shared))


def test_one_plate_full_of_hits_does_not_widen_the_others(tiny_scored):
    """Its shift is its compounds'; the median plate says what plates are usually off by."""
    scored = tiny_scored.copy()
    obs = scored.obs
    mine = np.flatnonzero((obs["experiment"] == "HRCE-1").to_numpy())
    plates = obs["plate_id"].iloc[mine].unique()
    there = (obs["plate_id"] == plates[0]).to_numpy() & obs["treatment"].notna().to_numpy()
    scored.obs.loc[there, "rescue"] += 0.9
    before, after = fit_null(tiny_scored, mine), fit_null(scored, mine)
    assert after.plate_variance[plates[0]] > 0.1
    for plate in plates[1:]:
        assert after.plate_variance[plate] < before.plate_variance[plate] + 0.01
