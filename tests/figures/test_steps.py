"""Pictures of recipes: two panels of the same wells on the same scale."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Ellipse

from helpers.figures.steps import StepPicture, plot_step


@pytest.fixture(scope="module")
def panels(wells) -> dict:
    table = wells.assign(along=wells["rescue"], away=np.random.default_rng(0).normal(size=len(wells)))
    return {"raw": table, "plate_center": table.assign(away=table["away"] / 10)}


@pytest.mark.parametrize("kind", ["plates", "experiments", "noise", "away"])
def test_panels_share_one_scale_and_are_named(panels, kind):
    axes = plot_step(StepPicture(kind, panels)).axes
    assert [ax.get_title() for ax in axes] == ["raw", "plate_center"]
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert "rescue" in axes[0].get_xlabel()
    assert axes[0].get_ylabel()


def test_flagged_and_treated_wells_are_left_out(panels):
    few = {name: table.groupby("condition", observed=True).head(40) for name, table in panels.items()}
    ax = plot_step(StepPicture("away", few)).axes[0]
    drawn = sum(len(c.get_offsets()) for c in ax.collections)
    table = few["raw"]
    fine = (table["qc_flag"] == "") & table["condition"].isin(["mock", "uv", "infected"])
    assert drawn == (fine & table["treatment"].isna()).sum()


def test_noise_is_written_and_ringed(panels):
    panels = {name: table[table["plate_id"].astype(str) == "HRCE-1_1"] for name, table in panels.items()}
    table = panels["raw"]
    ax = plot_step(StepPicture("noise", panels)).axes[0]
    mock = table[(table["condition"] == "mock") & (table["qc_flag"] == "")]
    assert f"mock {mock['along'].std():.2f}" in "".join(t.get_text() for t in ax.texts)
    assert sum(isinstance(patch, Ellipse) for patch in ax.patches) == 2
    (remark,) = ax.texts
    assert remark.get_bbox_patch().get_facecolor() == (1, 1, 1, 1), (
        "dashed lines do not run through the numbers"
    )
    assert all(line.get_zorder() < remark.get_zorder() for line in ax.lines)
    flat = plot_step(StepPicture("noise", panels, flat=True)).axes[0]
    assert not flat.patches, "a direction that is none has no spread"
    assert flat.get_ylabel() == "spread at random"


def test_the_spread_of_features_starts_at_zero():
    table = pd.DataFrame({"sd": [0.5, 1.0, 2.0], "mad": [0.4, 1.0, 1.1]})
    axes = plot_step(StepPicture("spread", {"passed": table, "let in": table * 2})).axes
    assert axes[0].get_xlim()[0] == axes[0].get_ylim()[0] == 0
    assert axes[0].get_xlim()[1] > 3.9


def test_maps_of_one_plate_stand_side_by_side(panels):
    one = {name: t[t["plate_id"].astype(str) == "HRCE-1_1"] for name, t in panels.items()}
    axes = plot_step(StepPicture("map", one)).axes
    assert [ax.get_title() for ax in axes[:2]] == ["raw: plate 1", "plate_center: plate 1"]


def test_what_cannot_be_drawn_is_said():
    figure = plot_step(StepPicture("plates", missing="This screen has no second plate."))
    assert "no second plate" in figure.axes[0].texts[0].get_text().replace("\n", " ")
