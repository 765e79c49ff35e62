"""Small examples from the screen at hand, on which a page shows an idea in a few lines; made up where it has none."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.dose.curves import response_at
from helpers.errors import DataError
from helpers.hits import score_wells
from helpers.profiles.selection import controls, rows_by

LEAST = {"mock": 2, "infected": 3}
"""Control wells that passed, at least, of a plate that can be an example."""
CLEAR = ("active", "partial")
"""Classes of curves that one curve with four parameters describes."""
POINTS = ["dose_um", "rescue"]


def example_plates(wells: ad.AnnData, n: int = 3) -> ad.AnnData:
    """Return a few plates of one experiment that have both kinds of controls.

    Parameters
    ----------
    wells : AnnData
        Normalised or not.
    n : int
        Plates; fewer where the experiment has fewer, but at least two.

    Returns
    -------
    AnnData
        A copy of the plates' wells. Where no experiment has two such plates, or mock and infected wells do not
        separate on them, plates that are made up; ``uns["example"]`` says which it is (``screen`` or ``made up``).
    """
    for rows in rows_by(wells.obs, "experiment").values() if wells.n_vars else ():
        obs = wells.obs.iloc[rows]
        of_plate = rows_by(obs, "plate_id")
        known = [plate for plate, mine in of_plate.items() if _has_controls(obs.iloc[mine])][:n]
        if len(known) > 1:
            chosen = np.concatenate([rows[of_plate[plate]] for plate in known])
            example = wells[np.sort(chosen)].copy()
            if _separates(example):
                example.uns = {**example.uns, "example": "screen"}
                return example
    return made_up_plates()


def _has_controls(obs: pd.DataFrame) -> bool:
    return all(controls(obs, kind).sum() >= least for kind, least in LEAST.items())


def _separates(example: ad.AnnData) -> bool:
    try:
        score_wells(example)
    except DataError:
        return False
    return True


def made_up_plates(n: int = 3, *, seed: int = 0) -> ad.AnnData:
    """Return plates of 96 wells whose numbers are drawn at random: mock, infected, and treated wells that do nothing.

    Parameters
    ----------
    n : int
        Plates.
    seed : int
        Of the draw.
    """
    rng = np.random.default_rng(seed)
    plate, row, col = (index.ravel() for index in np.indices((n, 8, 12)))
    kind = np.where(col == 0, "mock", np.where(col < 3, "infected", "treated"))
    obs = pd.DataFrame(
        {
            "experiment": "made up",
            "plate": plate + 1,
            "plate_id": [f"made up_{number + 1}" for number in plate],
            "well": [f"{chr(65 + r)}{c + 1:02d}" for r, c in zip(row, col, strict=True)],
            "row": row + 1,
            "col": col + 1,
            "condition": np.where(kind == "mock", "mock", "infected"),
            "treatment": np.where(kind == "treated", "inert", None),  # type: ignore[call-overload]  # the stubs of numpy know no None here
            "dose_um": np.where(kind == "treated", 1.0, np.nan),
            "qc_flag": "",
        },
        index=[f"made-up-{i}" for i in range(len(plate))],
    ).astype(dict.fromkeys(("experiment", "plate_id", "condition", "treatment"), "category"))
    X = rng.normal(size=(len(obs), 6)) + 3 * rng.normal(size=(n, 6))[plate]
    X[:, 0] += np.where(kind == "mock", 0.0, 5.0)
    uns = {"screen": {"kind": "user", "name": "made up"}, "example": "made up"}
    return ad.AnnData(X.astype(np.float32), obs=obs, uns=uns)


def example_points(wells: pd.DataFrame, curve: pd.Series | None) -> pd.DataFrame:
    """Return the fitted wells of a curve that four parameters describe, made-up ones where there is none.

    Parameters
    ----------
    wells : DataFrame
        Scored wells.
    curve : Series or None
        A row of `dose_response.csv`.

    Returns
    -------
    DataFrame
        dose_um, rescue; without the wells that failed and the doses that the fit left out. ``attrs["example"]`` is
        ``screen`` or ``made up``.
    """
    if curve is None or str(curve["curve_class"]) not in CLEAR:
        points = made_up_points()
    else:
        same = (wells["experiment"].astype(str) == str(curve["experiment"])) & (
            wells["treatment"].astype(str) == str(curve["treatment"])
        )
        points = wells[same & (wells["qc_flag"].astype(str) == "")].dropna(subset=POINTS)[POINTS]
        dropped = int(curve.get("n_dropped_doses", 0) or 0)
        kept = np.sort(points["dose_um"].unique())[: -dropped or None]
        points = points[points["dose_um"].isin(kept)].reset_index(drop=True)
        points.attrs["example"] = "screen"
    return points


def made_up_points(*, seed: int = 0) -> pd.DataFrame:
    """Return six wells at each of six doses, drawn around a curve with an EC50 of 0.2 µM."""
    dose = np.repeat([0.01, 0.03, 0.1, 0.3, 1.0, 3.0], 6)
    noise = np.random.default_rng(seed).normal(0, 0.1, len(dose))
    points = pd.DataFrame({"dose_um": dose, "rescue": response_at(dose, 0.0, 0.8, 0.2, 1.5) + noise})
    points.attrs["example"] = "made up"
    return points
