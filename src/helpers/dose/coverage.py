"""How often the intervals hold the truth, counted on curves whose truth is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.dose.curves import response_at
from helpers.dose.table import fit_curves
from helpers.options import with_settings

DOSES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True)
class CurveNoise:
    """What a simulated response suffers; plates are drawn anew for every curve.

    Attributes
    ----------
    well_sd, shift_sd : float
        SDs of a single response and of a plate's shift, in units of the response.
    gain_sd : float
        SD of a plate's gain, relative to the effect.
    potency_sd : float
        SD between plates of the natural logarithm of the EC50.
    """

    well_sd: float = 0.1
    shift_sd: float = 0.0
    gain_sd: float = 0.0
    potency_sd: float = 0.0


@dataclass(frozen=True)
class CurveDesign:
    """Where simulated responses stand: every dose on every plate.

    Attributes
    ----------
    n_plates : int
        Plates of a curve.
    n_wells : int
        Wells of a dose on a plate.
    doses : tuple of float
        In any unit.
    """

    n_plates: int = 3
    n_wells: int = 2
    doses: tuple[float, ...] = DOSES


PLATE_NOISE = {
    "wells only": CurveNoise(),
    "plates that\nshift and stretch": CurveNoise(shift_sd=0.1, gain_sd=0.15),
    "plates of\nother EC50": CurveNoise(potency_sd=0.4),
}
"""Noise under which intervals of EC50 are tried out: of single wells, and of plates too."""


def simulate_curves(
    n_curves: int,
    *,
    ec50: tuple[float, float] = (0.05, 1.0),
    hill: tuple[float, float] = (1.0, 2.5),
    back: tuple[float, float] = (0.5, 1.0),
    noise: CurveNoise = CurveNoise(),
    design: CurveDesign = CurveDesign(),
    seed: int = 0,
    **settings: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return noisy curves and their truth.

    Parameters
    ----------
    n_curves : int
        How many.
    ec50, hill : tuple of float
        Ends of log-uniform distributions, EC50 in the unit of the doses.
    back : tuple of float
        Ends of a uniform distribution; front is 0.
    noise : CurveNoise
        What responses suffer.
    design : CurveDesign
        Where they stand.
    seed : int
        Of the draws.
    **settings
        Single fields of `noise` and `design` by their names, such as ``shift_sd=0.1``.

    Returns
    -------
    table : DataFrame
        curve, plate, dose, response: one row per response.
    truth : DataFrame
        curve, ec50, hill, front, back: one row per curve.

    Raises
    ------
    UsageError
        For an unknown setting.
    """
    of_design = {name: settings.pop(name) for name in list(settings) if hasattr(design, name)}
    design, noise = with_settings(design, of_design), with_settings(noise, settings)
    rng = np.random.default_rng(seed)
    truth = pd.DataFrame({"curve": np.arange(n_curves)})
    truth["ec50"] = np.exp(rng.uniform(np.log(ec50[0]), np.log(ec50[1]), n_curves))
    truth["hill"] = np.exp(rng.uniform(np.log(hill[0]), np.log(hill[1]), n_curves))
    truth["front"], truth["back"] = 0.0, rng.uniform(*back, n_curves)
    plates = (n_curves, design.n_plates)
    shift = rng.normal(0, noise.shift_sd, plates)
    gain = 1 + rng.normal(0, noise.gain_sd, plates)
    shape = (*plates, len(design.doses), design.n_wells)
    curve, plate, dose, _ = (index.ravel() for index in np.indices(shape))
    level = np.asarray(design.doses)[dose]
    column = {name: truth[name].to_numpy()[curve] for name in ("front", "back", "ec50", "hill")}
    if noise.potency_sd:
        column["ec50"] = column["ec50"] * np.exp(rng.normal(0, noise.potency_sd, plates))[curve, plate]
    response = shift[curve, plate] + gain[curve, plate] * response_at(level, **column)
    response += rng.normal(0, noise.well_sd, len(response))
    table = pd.DataFrame({"curve": curve, "plate": plate, "dose": level, "response": response})
    return table, truth


def coverage_by_noise(n_curves: int = 600, *, interval: str = "profile", seed: int = 0) -> pd.DataFrame:
    """Count how often intervals of EC50 hold the truth, under each noise of :data:`helpers.dose.coverage.PLATE_NOISE`.

    Parameters
    ----------
    n_curves : int
        Simulated curves under each noise.
    interval : str
        As in :func:`helpers.dose.fit_curves`.
    seed : int
        Of the curves and of the fits.

    Returns
    -------
    DataFrame
        The columns of :func:`helpers.dose.coverage.ec50_coverage`, and `noise`, its name.
    """
    parts = [
        ec50_coverage(
            *simulate_curves(n_curves, noise=noise, seed=seed), interval=interval, seed=seed
        ).assign(noise=name)
        for name, noise in PLATE_NOISE.items()
    ]
    return pd.concat(parts, ignore_index=True)


def ec50_coverage(table: pd.DataFrame, truth: pd.DataFrame, *, seed: int = 0, **options: Any) -> pd.DataFrame:
    """Return how often 95 % intervals of EC50 hold the truth, with and without regard to plates.

    Parameters
    ----------
    table, truth : DataFrame
        As from :func:`helpers.dose.coverage.simulate_curves`.
    seed : int
        For :func:`helpers.dose.fit_curves`.
    **options
        For the same.

    Returns
    -------
    DataFrame
        One row per kind of interval (`plates`: the one reported, `wells as independent`): interval, coverage (share
        that holds the true EC50, of the curves that have an interval), n_curves, fold (median ratio of its ends).
    """
    found = fit_curves(table, cluster="plate", seed=seed, **options).merge(
        truth, on="curve", suffixes=("", "_true")
    )
    found = found[found["ec50_low"].notna()]
    ends = {
        "plates": ("ec50_low", "ec50_high"),
        "wells as independent": ("ec50_naive_low", "ec50_naive_high"),
    }
    records = []
    for name, (low, high) in ends.items():
        holds = (found[low] <= found["ec50_true"]) & (found["ec50_true"] <= found[high])
        with np.errstate(divide="ignore"):
            fold = (found[high] / found[low]).median()
        records.append({"interval": name, "coverage": holds.mean(), "n_curves": len(found), "fold": fold})
    return pd.DataFrame(records)
