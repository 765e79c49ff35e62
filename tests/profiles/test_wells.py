import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError, UsageError
from helpers.profiles.wells import to_wells


@pytest.fixture
def uneven(tiny_screen):
    """Sites of a few wells in random order, with one to four sites a well."""
    sites = tiny_screen[0]
    rng = np.random.default_rng(3)
    keep = np.sort(rng.choice(400, size=300, replace=False))
    return sites[rng.permutation(keep)].copy()


@pytest.mark.parametrize("how", ["mean", "median"])
def test_agrees_with_pandas_for_any_order_and_number_of_sites(uneven, how):
    wells = to_wells(uneven, how=how)
    frame = pd.DataFrame(uneven.X).groupby(uneven.obs["well_id"].astype(str).to_numpy())
    np.testing.assert_allclose(wells.X, getattr(frame, how)().loc[wells.obs_names], rtol=1e-5, atol=1e-5)
    assert (wells.obs["n_sites"] == frame.size().loc[wells.obs_names]).all()
    assert wells.X.dtype == np.float32


def test_wells_keep_their_metadata(uneven):
    wells = to_wells(uneven)
    expected = uneven.obs.drop_duplicates("well_id").set_index("well_id")
    for column in ("condition", "treatment", "dose_um", "row", "col", "plate_id"):
        got, wanted = wells.obs[column], expected.loc[wells.obs_names, column]
        assert got.dtype == wanted.dtype
        assert (
            (got.to_numpy() == wanted.to_numpy()) | (got.isna().to_numpy() & wanted.isna().to_numpy())
        ).all()
    assert "site" not in wells.obs


def test_even_and_uneven_ways_agree(tiny_screen):
    sites = tiny_screen[0][:4000]
    whole = to_wells(sites)
    lacking = to_wells(sites[np.arange(sites.n_obs) != 3])
    np.testing.assert_allclose(whole.X[1:], lacking.X[1:], rtol=1e-5, atol=1e-5)


def test_a_well_with_few_sites_is_flagged(tiny_screen):
    sites = tiny_screen[0][:400]
    wells = to_wells(sites[np.arange(400) >= 3])
    assert wells.obs["qc_flag"].iloc[0].startswith("few sites")


def test_unknown_aggregate_lists_the_valid_ones(tiny_screen):
    with pytest.raises(UsageError, match="mean, median"):
        to_wells(tiny_screen[0], how="max")


def test_no_sites(tiny_screen):
    with pytest.raises(DataError, match="no sites"):
        to_wells(tiny_screen[0][:0])
