"""What `data check` calls usable can be analysed: small screens with slips of every kind, checked and then analysed.

The one exception is said by the analysis alone: controls that do not differ. That is seen in scores, not in files.
"""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzing import examples
from helpers.dose import fit_screen
from helpers.errors import DataError
from helpers.hits import call_hits, score_wells
from helpers.profiles import normalize, to_wells
from helpers.profiles.steps import Center
from helpers.screens import check_screen, open_screen
from helpers.screens.check import MIN_INFECTED
from helpers.study.absent import has_part

YML = """
name: slips
level: well
table: wells.csv
columns: {plate: plate, well: well, experiment: batch, condition: state, treatment: compound, dose: dose}
conditions: {mock: [healthy], infected: [ill, drug], uv: [uv], blank: [none]}
features: ["f_*"]
scale_features: SCALE
"""
INDISTINCT = "do not separate"


def base(rng: np.random.Generator) -> pd.DataFrame:
    """Return a plain screen: two batches of two plates, 40 wells each, three features."""
    rows = []
    for plate in ("1", "2", "3", "4"):
        for i in range(40):
            state = (
                "healthy" if i < 6 else "ill" if i < 14 else "uv" if i < 16 else "none" if i == 16 else "drug"
            )
            drug = state == "drug"
            compound, dose = (f"c{i % 4}", f"{0.1 * 3 ** (i % 5):.4g}") if drug else ("", "")
            level = {"healthy": 0.0, "uv": 0.3}.get(state, 1.0 if compound == "c0" else 4.0)
            values = level * np.array([1.0, 0.5, -1.0]) + rng.normal(size=3)
            well = f"{'ABCDE'[i // 8]}{i % 8 + 1}"
            rows.append([plate, well, "b" + str((int(plate) - 1) // 2), state, compound, dose, *values])
    names = ["plate", "well", "batch", "state", "compound", "dose", "f_0", "f_1", "f_2"]
    return pd.DataFrame(rows, columns=names)


def _drop(table: pd.DataFrame, chosen: pd.Series) -> pd.DataFrame:
    return table[~chosen]


SLIPS = {
    "no mock on a plate": lambda t, _: _drop(t, (t["plate"] == "1") & (t["state"] == "healthy")),
    "no infected on a plate": lambda t, _: _drop(t, (t["plate"] == "2") & (t["state"] == "ill")),
    "no mock in a batch": lambda t, _: _drop(t, (t["batch"] == "b1") & (t["state"] == "healthy")),
    "one mock a plate": lambda t, _: _drop(t, (t["state"] == "healthy") & t.duplicated(["plate", "state"])),
    "one infected a plate": lambda t, _: _drop(t, (t["state"] == "ill") & t.duplicated(["plate", "state"])),
    "no uv": lambda t, _: _drop(t, t["state"] == "uv"),
    "one plate": lambda t, _: t[t["plate"] == "1"],
    "one plate a batch": lambda t, _: t[t["plate"].isin(["1", "3"])],
    "one well an arm": lambda t, _: _drop(t, (t["state"] == "drug") & t.duplicated(["compound", "dose"])),
    "a compound on one plate": lambda t, _: _drop(t, (t["compound"] == "c1") & (t["plate"] != "4")),
    "one compound": lambda t, _: t[t["compound"].isin(["", "c0"])],
    "no compound": lambda t, _: t[t["compound"] == ""],
    "no dose": lambda t, _: t.assign(dose=""),
    "one dose": lambda t, _: t.assign(dose=t["dose"].where(t["dose"] == "", "1")),
    "two doses": lambda t, _: t.assign(dose=t["dose"].where(t["dose"].isin(["", "0.1"]), "8.1")),
    "doses equal but for rounding": lambda t, r: t.assign(
        dose=[d and repr(float(d) * (1 + 1e-9 * int(r.integers(0, 3)))) for d in t["dose"]]
    ),
    "one feature": lambda t, _: t.drop(columns=["f_1", "f_2"]),
    "a feature of rounding": lambda t, r: t.assign(f_2=300 + 3e-5 * r.integers(-1, 2, len(t))),
    "a constant feature": lambda t, _: t.assign(f_1=7.0),
    "a feature that is huge": lambda t, _: t.assign(f_1=1e12 * t["f_1"]),
    "a feature that is tiny": lambda t, _: t.assign(f_1=1e-12 * t["f_1"]),
    "whole numbers": lambda t, _: t.assign(f_0=t["f_0"].round(), f_1=t["f_1"].round(), f_2=t["f_2"].round()),
    "a plate far away": lambda t, _: t.assign(f_0=t["f_0"] + 50 * (t["plate"] == "3")),
    "a plate without a window": lambda t, _: t.assign(f_0=t["f_0"].where(t["plate"] != "2", 1.0)),
    "wells that failed": lambda t, r: t.assign(f_2=t["f_2"] + 40 * (r.random(len(t)) < 0.1)),
    "names that are odd": lambda t, _: t.assign(compound=t["compound"].replace({"c1": "a|b_c $x$", "c2": "NA"})),
    "names in two cases": lambda t, _: t.assign(
        compound=t["compound"].where(t["plate"] != "2", t["compound"].str.upper())
    ),
    "plates that are words": lambda t, _: t.assign(plate="b_1_" + t["plate"], batch=t["batch"].replace("b1", "b0_b")),
    "rows in disorder": lambda t, r: t.iloc[r.permutation(len(t))],
    "a row twice": lambda t, _: pd.concat([t, t.head(1)]),
    "a missing cell": lambda t, _: t.assign(f_0=t["f_0"].where(t.index != 3)),
    "few drugs on a plate": lambda t, _: _drop(t, (t["state"] == "drug") & (t["plate"] == "1") & (t["dose"] != "0.1")),
}  # fmt: skip


def analyse(folder: Path, recipe: str) -> None:
    """Do what the notebooks do of a screen that has what it takes."""
    wells = to_wells(open_screen(folder))
    if not has_part(wells, "axis"):
        return
    scored = score_wells(normalize(wells, recipe))
    if not has_part(wells, "treatments"):
        return
    arms, hits = call_hits(scored, rank_draws=0, null_draws=1000)
    assert hits["treatment"].nunique() == wells.obs["treatment"].nunique()
    if has_part(wells, "doses"):
        curves = fit_screen(scored, arms=arms, hits=hits)
        assert len(curves) == len(hits)


@pytest.mark.long
@pytest.mark.fuzz
@given(
    slips=st.lists(st.sampled_from(sorted(SLIPS)), min_size=1, max_size=3, unique=True),
    recipe=st.sampled_from(["plate_center", "recommended"]),
    scale=st.sampled_from(["none", "robust"]),
    seed=st.integers(0, 99),
)
@examples(30, 1_000)
def test_what_is_usable_can_be_analysed(slips, recipe, scale, seed):
    rng = np.random.default_rng(seed)
    table = base(rng)
    for slip in slips:
        table = SLIPS[slip](table, rng)
    with tempfile.TemporaryDirectory() as home, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(home)
        table.to_csv(folder / "wells.csv", index=False)
        (folder / "screen.yml").write_text(YML.replace("SCALE", scale))
        if any(problem.level == "fatal" for problem in check_screen(folder)):
            return
        said = ""
        try:
            analyse(folder, recipe)
        except DataError as error:
            said = str(error)
        assert not said or INDISTINCT in said, (slips, recipe, scale)


def test_every_slip_alone_is_usable_or_said(tmp_path):
    """Most of them are usable: else nothing would be tested above."""
    usable = []
    for number, (name, slip) in enumerate(SLIPS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        slip(base(np.random.default_rng(0)), np.random.default_rng(1)).to_csv(
            folder / "wells.csv", index=False
        )
        (folder / "screen.yml").write_text(YML.replace("SCALE", "none"))
        usable += [name] * all(problem.level != "fatal" for problem in check_screen(folder))
    unusable = {"no mock in a batch", "one infected a plate", "a row twice", "a missing cell"}
    assert set(SLIPS) - set(usable) == unusable


def test_the_least_that_is_asked_for_is_what_recipes_ask_for():
    assert Center().min_reference == MIN_INFECTED
