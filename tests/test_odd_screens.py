"""Every notebook on every world, and on screens that have hardly any controls: all finish, and say what is unknown."""

import shutil
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from helpers.cli import main
from helpers.screens import make_twin
from helpers.screens.twin.worlds import WORLDS

TABLES = ("assay_quality.csv", "normalization.csv", "arms.csv", "hits.csv", "dose_response.csv")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RXRX19_CACHE", str(tmp_path / "cache"))


def thinned(folder: Path, keep) -> Path:
    """Leave out sites of a screen; `keep` takes its metadata and returns which rows stay."""
    path = folder / "metadata.csv"
    table = pl.read_csv(path, infer_schema=False)
    keep(table).write_csv(path)
    rows = pl.read_csv(path, infer_schema=False)["site_id"]
    embeddings = folder / "embeddings.csv"
    pl.read_csv(embeddings).filter(pl.col("site_id").is_in(rows.implode())).write_csv(embeddings)
    return folder


def control(name: str) -> pl.Expr:
    """Return which rows are untreated wells of a condition."""
    return pl.col("treatment").fill_null("").eq("") & pl.col("disease_condition").eq(name)


def one_a_plate(table: pl.DataFrame) -> pl.DataFrame:
    """Leave one well of either control on each plate."""
    drop = pl.lit(value=False)
    for name in ("Mock", "Active SARS-CoV-2"):
        first = pl.col("well").filter(control(name)).sort().first().over("experiment", "plate")
        drop |= control(name) & (pl.col("well") != first)
    return table.filter(~drop)


def without(*pairs: tuple[str, str]):
    """Return what leaves out the wells of a control on some plates: (condition, plate)."""

    def keep(table: pl.DataFrame) -> pl.DataFrame:
        drop = pl.lit(value=False)
        for name, plate in pairs:
            drop |= control(name) & pl.col("plate").eq(plate)
        return table.filter(~drop)

    return keep


SCREENS = {
    "one control well a plate": one_a_plate,
    "plates without mock": without(("Mock", "1"), ("Mock", "2")),
    "plates without infected": without(("Active SARS-CoV-2", "2")),
}


def run(tmp_path: Path, source: Path) -> dict[str, pd.DataFrame]:
    """Run the four notebooks and return their tables."""
    assert (
        main(["run", "-p", f"source={source}", "-p", "calibration_twins=2", "--out", str(tmp_path / "out")])
        == 0
    )
    return {name: pd.read_csv(tmp_path / "out" / "tables" / name) for name in TABLES}


def check(tables: dict[str, pd.DataFrame]) -> None:
    hits = tables["hits.csv"]
    assert len(hits)
    assert (
        hits["call"].isin(["rescue", "rescue_off_target", "toxic", "worsens", "inactive", "not_tested"]).all()
    )
    assert tables["normalization.csv"]["selected"].sum() == 1
    assert (tables["arms.csv"]["rescue_low"] <= tables["arms.csv"]["rescue_high"]).sum() > 0
    assert len(tables["dose_response.csv"]) == len(hits)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("world", list(WORLDS))
def test_all_notebooks_finish_on_every_world(world, tmp_path):
    folder = make_twin(tmp_path / "t", scale="tiny", seed=1, world=world)
    check(run(tmp_path, folder))


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", list(SCREENS))
def test_all_notebooks_finish_with_hardly_any_controls(name, tmp_path):
    folder = thinned(make_twin(tmp_path / "t", scale="tiny", seed=1), SCREENS[name])
    tables = run(tmp_path, folder)
    check(tables)
    quality = tables["assay_quality.csv"]
    assert quality["passes"].isna().sum() == {"one control well a plate": len(quality)}.get(
        name, 4 if "mock" in name else 2
    )


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", ["dahlin_u2os", "cll_ctg"])
def test_all_notebooks_finish_on_real_screens(name, tmp_path, real_data):
    folder = tmp_path / name
    shutil.copytree(real_data / "screens" / name, folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    check(run(tmp_path, folder))


@pytest.mark.slow
def test_the_hardest_screen_finishes(tmp_path):
    """The short form: compounds on one plate each, one mock well a plate, plates without controls, no UV wells."""
    folder = make_twin(tmp_path / "t", scale="tiny", seed=1, world="confounded")
    tables = run(tmp_path, folder)
    check(tables)
    assert tables["assay_quality.csv"]["passes"].isna().all()
