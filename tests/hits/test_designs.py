"""Screens of other designs than the twin's, on which nothing works: p-values must be as small as chance makes them."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from helpers.hits import call_hits, score_wells
from helpers.profiles import normalize

DOSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def quiet_screen(seed, layout, *, n_plates=6, n_infected=6, n_compounds=40, n_wells=4, shift=0.0, bare=()):
    """Return wells of three features, noise 0.1 axis lengths, whose compounds do nothing.

    `layout` maps a plate's number to the doses on it; plates in `bare` have no infected untreated wells.
    """
    rng = np.random.default_rng(seed)
    records = []
    for plate in range(n_plates):
        wells = [("mock", None, np.nan)] * 8 + [("infected", None, np.nan)] * (plate not in bare) * n_infected
        wells += [
            ("infected", f"C{i:02d}", dose)
            for i in range(n_compounds)
            for dose in layout(plate)
            for _ in range(n_wells)
        ]
        records += [(plate, place, *well) for place, well in enumerate(wells)]
    obs = pd.DataFrame(records, columns=["plate", "place", "condition", "treatment", "dose_um"])
    obs["experiment"], obs["plate_id"] = "E", "E_" + obs["plate"].astype(str)
    obs["row"], obs["col"] = obs["place"] // 48, obs["place"] % 48
    obs["well"], obs["n_sites"], obs["qc_flag"] = "W" + obs["place"].astype(str), 1, ""
    X = rng.normal(0, 0.1, (len(obs), 3)) + rng.normal(0, shift, (n_plates, 3))[obs["plate"]]
    X[:, 0] += obs["condition"] == "infected"
    obs.index = obs.index.astype(str)
    return ad.AnnData(X.astype(np.float32), obs=obs)


def one_dose_a_plate(plate):
    return DOSES[plate : plate + 1]


def one_dose(_plate):
    return (1.0,)


def p_values(n_screens, recipe="plate_center", settings=None, **design):
    """Return p-values of compounds and arms, and in what share of the screens some q-value is at most 0.05."""
    found = []
    for seed in range(n_screens):
        scored = score_wells(normalize(quiet_screen(seed, **design), recipe, **(settings or {})))
        found.append(call_hits(scored, min_rescue=0.0, rank_draws=0, null_draws=5_000, seed=seed))
    compounds, arms = (pd.concat([pair[i]["p_value"] for pair in found]) for i in (1, 0))
    return compounds, arms, np.mean([(hits["q_value"] <= 0.05).any() for _, hits in found])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "shift", "n_infected"),
    [("plate_center", 0.0, 6), ("plate_center", 0.0, 4), ("experiment_center", 0.2, 16)],
)
def test_doses_on_plates_of_their_own_share_no_error(recipe, shift, n_infected):
    """Taking the error of a compound's six plates for that of each dose, 15 to 74 % of p were at most 0.05."""
    design = {"layout": one_dose_a_plate, "shift": shift, "n_infected": n_infected}
    compounds, arms, called = p_values(25, recipe, **design)
    assert (compounds <= 0.05).mean() < 0.09
    assert (compounds <= 0.01).mean() < 0.025
    assert (arms <= 0.05).mean() < 0.07
    assert called <= 0.16


@pytest.mark.slow
def test_plates_without_reference_wells_keep_a_shift_of_their_own():
    """As if they were centred, 30 % of p were at most 0.05."""
    design = {"layout": one_dose, "shift": 0.2, "bare": (4, 5)}
    compounds, _, called = p_values(40, settings={"pooled": True}, **design)
    assert (compounds <= 0.05).mean() < 0.13
    assert (compounds <= 0.001).mean() < 0.002
    assert called <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("n_infected", [3, 5])
def test_few_reference_wells_on_a_single_plate_are_known_to_be_few(n_infected):
    design = {"layout": one_dose, "n_plates": 1, "n_infected": n_infected, "n_wells": 1}
    compounds, _, called = p_values(80, **design)
    assert (compounds <= 0.05).mean() < 0.08
    assert (compounds <= 0.001).mean() < 0.006
    assert called <= 0.1


@pytest.mark.slow
def test_the_tail_of_the_null_is_not_cut_by_small_plates():
    """By its own standard deviation no well of eight is further off than 2.6: a fifth of the screens had a call."""
    design = {"layout": one_dose, "n_plates": 15, "n_infected": 8, "n_wells": 1}
    found = [quiet_screen(seed, **design) for seed in range(24)]
    for screen in found:  # every plate has compounds of its own
        screen.obs["treatment"] = (screen.obs["plate_id"] + screen.obs["treatment"]).where(
            screen.obs["treatment"].notna(), None
        )
    hits = [
        call_hits(score_wells(normalize(s, "plate_center")), min_rescue=0.0, rank_draws=0)[1] for s in found
    ]
    p = pd.concat([table["p_value"] for table in hits])
    assert (p <= 0.001).mean() < 0.002
    assert np.mean([(table["q_value"] <= 0.05).any() for table in hits]) <= 0.17


def test_an_experiment_all_of_whose_treated_wells_failed_is_told_so():
    good, bad = quiet_screen(0, one_dose), quiet_screen(1, one_dose)
    bad.obs["experiment"], bad.obs["plate_id"] = "F", bad.obs["plate_id"].str.replace("E", "F")
    bad.obs.loc[bad.obs["treatment"].notna(), "qc_flag"] = "dim"
    both = ad.concat([good, bad], index_unique="-")
    arms, hits = call_hits(score_wells(normalize(both, "plate_center")), rank_draws=50)
    failed = hits[hits["experiment"] == "F"]
    assert len(failed) == 40
    assert (failed["note"] == "all wells failed").all()
    assert (failed["call"] == "not_tested").all()
    assert (arms.loc[arms["experiment"] == "F", "n_wells"] == 0).all()
    assert hits.loc[hits["experiment"] == "E", "p_value"].notna().all()
