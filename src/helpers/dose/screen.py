"""Dose response of a screen: the curves of every compound in every experiment."""

import anndata as ad
import numpy as np
import pandas as pd

from helpers.dose.table import fit_curves
from helpers.errors import DataError
from helpers.profiles.selection import treated, usable

RENAMED = {"ec50": "ec50_um", "ec50_low": "ec50_low_um", "ec50_high": "ec50_high_um"}


def curve_points(scored: ad.AnnData) -> pd.DataFrame:
    """Return the responses that go into the curves: one row per treated well that passed quality control.

    Columns experiment, treatment, plate, dose_um, rescue, and `curve`, the pair of experiment and treatment.
    """
    obs = scored.obs[treated(scored.obs) & usable(scored.obs)]
    points = obs[["experiment", "treatment", "plate", "dose_um", "rescue"]].reset_index(names="well_id")
    points = points.astype({"experiment": str, "treatment": str})
    points.insert(0, "curve", points["experiment"] + "|" + points["treatment"])
    return points


def fit_screen(
    scored: ad.AnnData,
    *,
    fdr: float = 0.05,
    min_rescue: float = 0.1,
    max_rescue: float = 1.25,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit rescue against dose for each compound in each experiment.

    Parameters
    ----------
    scored
        From :func:`helpers.hits.score_wells`; wells that failed are left out.
    fdr
        Over the curves of an experiment.
    min_rescue
        Effect below which the relevance score is deflated.
    max_rescue
        Largest plateau: rescue 1 is as mock, and a compound does not do better than that but for the error of the
        axis. Without a limit the EC50 of a noisy curve is half-way to anywhere.
    level
        Coverage of the EC50 interval.
    seed
        Of the simulated flat curves.

    Returns
    -------
    DataFrame
        The table dose_response.csv: as :func:`helpers.dose.fit_curves` with EC50 in uM, experiment and treatment.
        A significant curve that falls with dose has the class `worsening`, whatever is known of its EC50.

    Raises
    ------
    DataError
        If no treated well has a dose.
    """
    pairs = scored.obs.loc[treated(scored.obs), ["experiment", "treatment"]].astype(str).drop_duplicates()
    points = curve_points(scored)
    if not len(points) or points["dose_um"].isna().all():
        raise DataError("the screen has no good treated wells with a dose, so there are no curves to fit")
    tables = []
    for experiment, group in points.groupby("experiment", sort=False):
        table = fit_curves(
            group,
            dose="dose_um",
            response="rescue",
            alpha=fdr,
            level=level,
            min_effect=min_rescue,
            plateaus=(-np.inf, max_rescue),
            seed=seed,
        )
        table.insert(0, "experiment", experiment)
        tables.append(table)
    curves = pd.concat(tables, ignore_index=True).rename(columns=RENAMED)
    curves.insert(1, "treatment", curves["curve"].str.split("|", n=1).str[1])
    # a compound all of whose wells failed has a row too
    curves = pairs.merge(curves, on=["experiment", "treatment"], how="left")
    curves["curve_class"] = curves["curve_class"].fillna("not_fitted")
    curves = curves.fillna({"ec50_censored": "", "n_points": 0}).astype({"n_points": int})
    curves["at_bound"] = curves["at_bound"].eq(True)
    falls = ~curves["curve_class"].isin(["inactive", "not_fitted"]) & (curves["back"] < curves["front"])
    curves["curve_class"] = np.where(falls, "worsening", curves["curve_class"])
    return curves.drop(columns="curve").sort_values(["experiment", "treatment"], ignore_index=True)
