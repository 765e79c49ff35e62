"""The images of a twin are drawn after its truth, and alike every time."""

import numpy as np
import pandas as pd
import pytest

from helpers.errors import DataError
from helpers.screens import make_twin, open_images, open_screen, read_truth
from helpers.screens.images.drawing import SiteState
from helpers.screens.images.drawn import site_state


def test_states_of_wells():
    assert site_state("mock") == site_state("uv") == SiteState()
    assert site_state("infected") == SiteState(infection=1.0)
    assert site_state("infected", rescue=0.75, toxicity=0.3) == SiteState(infection=0.25, toxicity=0.3)
    assert site_state("infected", rescue=-0.5).infection == 1.0
    assert site_state("infected", rescue=1.2).infection == 0.0
    assert site_state("mock", failure="dim").dim > 0.5
    assert site_state("mock", failure="low_cells").n_cells < 0.5 * SiteState().n_cells
    assert 0 < site_state("blank").infection < 1


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    return make_twin(tmp_path_factory.mktemp("twin") / "twin", scale="tiny", file_format="parquet")


def test_the_sites_of_a_twin_show_its_truth(twin):
    """Every site's state follows from the truth of the arm that `open_screen` gives it, joined here anew."""
    store, obs = open_images(twin), open_screen(twin).obs
    assert store.is_drawing
    truth = read_truth(twin).set_index(["experiment", "treatment", "dose_um"])
    failed = pd.read_csv(twin / "failed_wells.csv").set_index("well_id")["reason"]
    treated = obs[obs["treatment"].notna()].drop_duplicates("well_id").sample(300, random_state=0)
    assert treated["treatment"].ne(treated["treatment_raw"].astype(str)).any(), "spellings differ in case"
    for site_id, site in treated.iterrows():
        arm = truth.loc[(site["experiment"], site["treatment"], site["dose_um"])]
        state = store.state(site_id)
        assert state.infection == pytest.approx(np.clip(1 - arm["rescue"], 0, 1))
        assert state.toxicity == pytest.approx(arm["toxicity"])
        assert (state.dim > 0) == (failed.get(site["well_id"]) == "dim")
    for condition, infection in (("mock", 0), ("uv", 0), ("infected", 1)):
        control = obs.index[(obs["condition"] == condition) & obs["treatment"].isna()][0]
        assert store.state(control).infection == infection


@pytest.mark.slow
def test_a_site_of_a_twin_looks_the_same_every_time(twin):
    first, second = open_screen(twin).obs.index[:2]
    store = open_images(twin)
    other = store.site(second)
    image = store.site(first)
    np.testing.assert_array_equal(image, open_images(twin).site(first))
    assert not np.array_equal(image, other)
    assert store.has(first)


def test_a_site_that_the_twin_has_not(twin):
    store = open_images(twin)
    assert not store.has("HRCE-9_1_AA02_1")
    with pytest.raises(DataError, match=r"no site 'HRCE-9_1_AA02_1'; its ids are like HRCE-1_1_"):
        store.site("HRCE-9_1_AA02_1")


def test_a_twin_without_its_provenance(tmp_path):
    (tmp_path / "twin.json").write_text("{}")
    with pytest.raises(DataError, match="holds no twin"):
        open_images(tmp_path)
