import gc

import numpy as np
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.publish import Analysis
from helpers.screens import make_twin
from helpers.study.absent import empty_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_twin(tmp_path_factory.mktemp("screen") / "tiny", scale="tiny", seed=0)


@pytest.fixture(scope="module")
def cache_home(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def screen():
    """Undo the stand-in of the other tests of this folder: these read real screens."""


@pytest.fixture(autouse=True)
def own_cache(cache_home, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(cache_home))


@pytest.fixture
def analysis(folder, tmp_path):
    return Analysis(str(folder), results=str(tmp_path / "results"))


TABLES = {
    "arms": "experiment treatment dose_um n_wells n_plates rescue rescue_low rescue_high off_disease p_value q_value",
    "hits": "experiment treatment call rescue_max dose_at_max_um score p_value q_value rank",
    "quality": "experiment plate n_mock n_infected z_prime z_prime_robust ssmd auroc passes",
    "recipes": "recipe plate_predictability experiment_predictability replicate_map control_auroc z_prime_robust "
    "uv_mock_gap selected",
    "curves": "experiment treatment curve_class ec50_um ec50_low_um ec50_high_um ec50_censored hill front back r2 "
    "f_value p_value q_value relevance",
    "wells_table": "experiment plate well row col condition treatment dose_um n_sites qc_flag on_disease off_disease "
    "rescue",
}


@pytest.mark.parametrize("name", list(TABLES))
def test_tables_have_the_promised_columns(analysis, name):
    assert set(TABLES[name].split()) <= set(getattr(analysis, name).columns)


def test_cached_and_fresh_results_are_equal(folder, tmp_path, monkeypatch):
    first = Analysis(str(folder))
    tables = {name: getattr(first, name) for name in ("arms", "hits", "curves")}
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "empty"))
    fresh = Analysis(str(folder))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(getattr(fresh, name), table, check_exact=True)


def test_one_recipe_wins_and_it_is_not_raw(analysis):
    table = analysis.recipes.set_index("recipe")
    assert table["selected"].sum() == 1
    assert not table.loc["raw", "selected"]
    assert table.loc["plate_center", "plate_predictability"] < table.loc["raw", "plate_predictability"]
    assert table.loc["plate_center", "replicate_map"] > table.loc["raw", "replicate_map"]


def test_parameters_reach_the_steps(folder):
    one = Analysis(str(folder), experiments="HRCE-2", recipe="experiment_center", min_rescue=0.3, fdr=0.01)
    assert one.wells.obs["experiment"].unique().tolist() == ["HRCE-2"]
    assert one.normalized.uns["normalization"]["recipe"] == "experiment_center"
    other = Analysis(str(folder), experiments="HRCE-2", recipe="experiment_center")
    assert (one.hits["call"] == "rescue").sum() < (other.hits["call"] == "rescue").sum()


def test_settings_of_the_calls_reach_them(folder):
    usual = Analysis(str(folder))
    other = Analysis(
        str(folder), axis="discriminant", statistic="trend", top_k=3, null_draws=2_000, off_limit=0.9
    )
    assert other.scored.uns["axis"]["HRCE-1"]["kind"] == "discriminant"
    assert (other.arms["off_limit"] < usual.arms["off_limit"]).all()
    per_experiment = other.hits.groupby("experiment")["top_k_probability"].sum()
    np.testing.assert_allclose(per_experiment, 3)


def test_cross_checks_are_tables(folder):
    analysis = Analysis(str(folder))
    checks = analysis.activity | analysis.checks
    assert set(checks) == {"activity", "energy", "sensitivity", "shared", "agreement"}
    for name, table in checks.items():
        assert set(empty_table(name)) == set(table)
    assert len(checks["energy"]) == len(Analysis(str(folder)).hits)
    own = checks["sensitivity"].query("recipe == 'plate_center' and axis == 'mean_difference'")
    np.testing.assert_allclose(own["spearman"], 1, atol=1e-6)
    assert checks["agreement"].loc[0, "n_compounds"] > 10


def test_plates_can_be_left_out(folder):
    analysis = Analysis(str(folder), exclude_plates="HRCE-1_2, HRCE-2_1")
    left = [f"HRCE-1_{plate}" for plate in (1, 3, 4, 5, 6)] + ["HRCE-2_2", "HRCE-2_3"]
    assert set(analysis.wells.obs["plate_id"]) == set(left)
    arms = analysis.arms.set_index("experiment")["n_plates"]
    assert arms["HRCE-2"].max() == 2
    assert set(arms["HRCE-1"]) >= {2, 3}  # half of its arms had wells on plate 2
    with pytest.raises(UsageError, match=r"no plate HRCE-9_9; valid: HRCE-1_1"):
        _ = Analysis(str(folder), exclude_plates="HRCE-9_9").wells


def test_what_a_screen_lacks_is_said(folder, analysis, project, real_data):
    assert analysis.lacks == []
    design = Analysis(str(real_data / "screens" / "vero1_design"))
    assert not design.has("embeddings")
    assert any("no embeddings" in sentence for sentence in design.lacks)
    plate = Analysis(str(real_data / "screens" / "hrce1_plate25"))
    assert any("plate-to-plate variation cannot be seen" in sentence for sentence in plate.lacks)


def test_truth_belongs_to_the_experiments_at_hand(folder):
    only = Analysis(str(folder), experiments="HRCE-1")
    assert only.truth["experiment"].unique().tolist() == ["HRCE-1"]


def test_files_are_equal_byte_for_byte(analysis, tmp_path):
    import matplotlib.pyplot as plt

    for name in ("a", "b"):
        figure, ax = plt.subplots()
        ax.plot([1, 2], [3, 4])
        analysis.results = tmp_path / name
        analysis.write_table(analysis.arms, "arms.csv")
        analysis.write_table(analysis.wells_table, "wells.parquet")
        shown = analysis.save_figure(figure, "line")
        assert shown.data == (analysis.results / "figures" / "line.png").read_bytes()
        assert not plt.fignum_exists(figure.number)  # else the page would show it twice
    for path in sorted((tmp_path / "a").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path
    read = pd.read_csv(tmp_path / "a" / "tables" / "arms.csv", float_precision="round_trip")
    np.testing.assert_array_equal(read["rescue"], analysis.arms["rescue"])


def test_the_temporary_folder_of_results_goes_with_the_analysis(folder):
    analysis = Analysis(str(folder))
    written = analysis.write_table(analysis.quality, "assay_quality.csv")
    assert written.exists()
    del analysis
    gc.collect()
    assert not written.parents[1].exists()
