"""Dose response of a screen: the curves of every compound in every experiment."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from helpers.dose.classes import RISING
from helpers.dose.options import EC50_MARGIN, HILL_BOUNDS, MIN_DOSES, CurveOptions
from helpers.dose.table import fit_curves
from helpers.errors import DataError, UsageError
from helpers.hits.calls import call_hits
from helpers.hits.rule import Rule
from helpers.options import with_settings
from helpers.profiles.selection import treated, usable

INFECTED_LEVEL = 0.0
"""Rescue of infected untreated wells, by definition of the axis."""
PAIR = ["experiment", "treatment"]
MODELS = ("4pl", "3pl")
MAX_RESCUE = 1.25
TOXIC_OFF = 0.3


@dataclass(frozen=True)
class ScreenOptions:
    """How the curves of a screen are fitted, tested and reported.

    Attributes
    ----------
    max_rescue : float
        Largest plateau: rescue 1 is as mock, and a compound does not do better than that but for the error of the
        axis. Without a limit the EC50 of a noisy curve is half-way to anywhere.
    toxic_off : float
        How far off the axis a toxic dose is at least, in axis lengths.
    level : float
        As in :class:`helpers.dose.options.CurveOptions`, as all that follow.
    interval : str
        `profile` or `bootstrap`.
    bootstrap_draws : int
        How many resamples, at least 50.
    loss : str
        `squares` or `robust`.
    min_doses : int
        Distinct doses a curve needs to be fitted; toxic ones do not count.
    hill_bounds : tuple of float
        Smallest and largest Hill slope that is searched.
    ec50_margin : float
        Factor by which EC50 is searched beyond the lowest and highest dose.
    permutations : int
        Shuffles of the doses for a second p-value; 0 = none.
    effective_doses : tuple of float
        Percentages to report beside the EC50.
    standard_errors : bool
        Add Wald standard errors.
    """

    max_rescue: float = MAX_RESCUE
    toxic_off: float = TOXIC_OFF
    level: float = 0.95
    interval: str = "profile"
    bootstrap_draws: int = 200
    loss: str = "squares"
    min_doses: int = MIN_DOSES
    hill_bounds: tuple[float, float] = HILL_BOUNDS
    ec50_margin: float = EC50_MARGIN
    permutations: int = 0
    effective_doses: tuple[float, ...] = ()
    standard_errors: bool = False

    def curves(self, fdr: float, min_rescue: float) -> CurveOptions:
        """Return the options of the fit for a false discovery rate and a smallest effect."""
        shared = {field.name for field in fields(self)} & {field.name for field in fields(CurveOptions)}
        given = {name: getattr(self, name) for name in shared}
        return CurveOptions(alpha=fdr, min_effect=min_rescue, plateaus=(-np.inf, self.max_rescue), **given)


def curve_points(scored: ad.AnnData) -> pd.DataFrame:
    """Return the responses that go into the curves: one row per treated well that passed quality control.

    Columns experiment, treatment, plate, dose_um, rescue, and `curve`, the pair of experiment and treatment.
    """
    obs = scored.obs[treated(scored.obs) & usable(scored.obs)]
    points = obs[["experiment", "treatment", "plate", "dose_um", "rescue"]].reset_index(names="well_id")
    points = points.astype({"experiment": str, "treatment": str})
    points.insert(0, "curve", points["experiment"] + "|" + points["treatment"])
    return points


def toxic_doses(arms: pd.DataFrame, toxic_off: float = TOXIC_OFF) -> pd.DataFrame:
    """Return the doses at the top of a compound's range at which it moves cells away from the disease axis.

    A dose counts if its off-disease is beyond the null's limit and at least `toxic_off`, and so are all higher doses: a
    compound's own mild effect on cells at every dose is no toxic top. The doses next below count too as long as their
    off-disease is half as far: what is plain at one dose has begun at the one before. Arms without a good well are
    passed over.

    Parameters
    ----------
    arms : DataFrame
        From :func:`helpers.hits.call_hits`: experiment, treatment, dose_um, off_disease, off_limit.
    toxic_off : float
        In axis lengths.

    Returns
    -------
    DataFrame
        experiment, treatment, dose_um of these doses.
    """
    if not len(arms):
        return pd.DataFrame(columns=[*PAIR, "dose_um"])
    arms = arms.dropna(subset=["dose_um", "off_disease"]).astype(dict.fromkeys(PAIR, str))
    arms = arms.assign(away=(arms["off_disease"] > arms["off_limit"]) & (arms["off_disease"] >= toxic_off))
    arms = arms.sort_values([*PAIR, "dose_um"], ascending=False, kind="stable")
    pairs = [arms[column] for column in PAIR]
    plain = arms["away"].groupby(pairs, sort=False).cummin().astype(bool)
    half = 2 * arms["off_disease"] > np.maximum(arms["off_limit"], toxic_off)
    found = plain.groupby(pairs, sort=False).transform("any") & (plain | half).groupby(
        pairs, sort=False
    ).cummin().astype(bool)
    return arms.loc[found, [*PAIR, "dose_um"]].sort_values([*PAIR, "dose_um"], ignore_index=True)


def fit_screen(
    scored: ad.AnnData,
    *,
    arms: pd.DataFrame | None = None,
    fdr: float = Rule.fdr,
    min_rescue: float = Rule.min_rescue,
    model: str = "4pl",
    drop_toxic: bool = True,
    compounds: Sequence[str] | None = None,
    options: ScreenOptions = ScreenOptions(),
    seed: int = 0,
    **settings: Any,
) -> pd.DataFrame:
    """Fit rescue against dose for each compound in each experiment.

    Wells of a plate share its error: intervals take the plate as the replicate, and their size is learned from all
    compounds of the experiment (see :mod:`helpers.dose.plates`).

    Rescue is read along one axis, and cells that a compound harms can move along it too. So doses at the top of the
    range at which the compound moves cells off the axis are left out of the fit, where enough doses remain, and the
    estimates with them are reported beside.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`; wells that failed are left out.
    arms : DataFrame, optional
        From :func:`helpers.hits.call_hits`, to tell toxic doses; computed if it is needed and not given.
    fdr : float
        Over the curves of an experiment.
    min_rescue : float
        Effect below which the relevance score is deflated.
    model : str
        `4pl`, or `3pl`: the curve starts at the level of infected untreated wells, rescue 0.
    drop_toxic : bool
        Whether to leave toxic top doses out (see :func:`helpers.dose.screen.toxic_doses`).
    compounds : sequence of str, optional
        Names of those to return, without regard to case; None = all. All are fitted, so that no result depends on it.
    options : ScreenOptions
        How curves are fitted, tested and reported.
    seed : int
        Of everything drawn.
    **settings
        Single fields of `options` by their names, such as ``interval="bootstrap"``.

    Returns
    -------
    DataFrame
        The table dose_response.csv: as :func:`helpers.dose.fit_curves` with EC50 in uM, experiment and treatment.
        A significant curve that falls with dose has the class `worsening`, whatever is known of its EC50; one that has
        fewer than `min_doses` doses below its toxic ones has the class `toxic_top`, no EC50, and the other parameters
        of the fit to all doses. Adds
        `n_toxic_doses`, how many doses were found toxic; if they were left out they count in `n_dropped_doses`, and
        `ec50_all_um`, `ec50_all_low_um`, `ec50_all_high_um`, `curve_class_all` are what the fit to all doses says.

    Raises
    ------
    UsageError
        For a compound that has no curve, or an argument outside its range.
    DataError
        If no treated well has a dose.
    """
    if model not in MODELS:
        raise UsageError(f"model={model!r} is unknown; choose {' or '.join(MODELS)}")
    options = with_settings(options, settings)
    pairs = scored.obs.loc[treated(scored.obs), PAIR].astype(str).drop_duplicates()
    points = curve_points(scored)
    if not len(points) or points["dose_um"].isna().all():
        raise DataError("the screen has no good treated wells with a dose, so there are no curves to fit")
    toxic = pd.DataFrame(columns=[*PAIR, "dose_um"])
    if drop_toxic:
        if arms is None:
            arms = call_hits(scored, fdr=fdr, min_rescue=min_rescue, seed=seed)[0]
        toxic = toxic_doses(arms, options.toxic_off)
    call = {
        "dose": "dose_um", "response": "rescue", "cluster": "plate", "seed": seed,
        "front": INFECTED_LEVEL if model == "3pl" else None, "options": options.curves(fdr, min_rescue),
    }  # fmt: skip
    tables = []
    for experiment, group in points.groupby("experiment", sort=False):
        table = _fit_experiment(group, toxic[toxic["experiment"] == experiment], call)
        table.insert(0, "experiment", experiment)
        tables.append(table)
    return _as_table(tables, pairs, compounds)


def _as_table(
    tables: list[pd.DataFrame], pairs: pd.DataFrame, compounds: Sequence[str] | None
) -> pd.DataFrame:
    """Return dose_response.csv: a row for every pair of experiment and treatment, doses with their unit."""
    curves = pd.concat(tables, ignore_index=True)
    curves.columns = [_in_um(column) for column in curves.columns]
    curves.insert(1, "treatment", curves["curve"].str.split("|", n=1).str[1])
    # a compound all of whose wells failed has a row too
    curves = _complete(pairs.merge(curves, on=PAIR, how="left")).drop(columns="curve")
    curves = curves.sort_values(PAIR, ignore_index=True)
    return curves if compounds is None else _chosen(curves, compounds)


def _in_um(column: str) -> str:
    """Return the name of a column, with the unit where it holds a dose."""
    dose = column.startswith("ec50") or (column.startswith("ed") and column[2:3].isdigit())
    return f"{column}_um" if dose and column != "ec50_censored" else column


def _fit_experiment(points: pd.DataFrame, toxic: pd.DataFrame, call: dict) -> pd.DataFrame:
    """Fit the curves of one experiment without their toxic doses, and those that have some with them too."""
    min_doses = call["options"].min_doses
    keys = ["treatment", "dose_um"]
    is_toxic = pd.MultiIndex.from_frame(points[keys]).isin(pd.MultiIndex.from_frame(toxic[keys]))
    n_toxic = points[is_toxic].groupby("curve")["dose_um"].nunique()
    n_left = points[~is_toxic].groupby("curve")["dose_um"].nunique()
    left = n_left.reindex(n_toxic.index, fill_value=0)
    droppable, too_few = n_toxic.index[left >= min_doses], n_toxic.index[left < min_doses]
    dropped = is_toxic & points["curve"].isin(droppable).to_numpy()
    table = fit_curves(points[~dropped], **call).set_index("curve")
    table["n_toxic_doses"] = n_toxic.reindex(table.index, fill_value=0)
    table["curve_class_all"] = table["curve_class"]
    if len(droppable):
        # all compounds once more, because they lend each other the size of plate effects
        everything = fit_curves(points, **call, permutations=0).set_index("curve").loc[droppable]
        table.loc[droppable, "n_dropped_doses"] += n_toxic[droppable]
        for column in ("ec50", "ec50_low", "ec50_high"):
            table.loc[droppable, column.replace("ec50", "ec50_all")] = everything[column]
        for column in ("n_points", "n_doses", "n_plates"):
            table.loc[droppable, column] = everything[column]
        falls = everything["curve_class"].isin(RISING) & (everything["back"] < everything["front"])
        table.loc[droppable, "curve_class_all"] = everything["curve_class"].where(~falls, "worsening")
    falls = table["curve_class"].isin(RISING) & (table["back"] < table["front"])
    same = falls & ~table.index.isin(droppable)
    table.loc[same, "curve_class_all"] = "worsening"
    table.loc[falls, "curve_class"] = "worsening"
    return _without_ec50(table, too_few).reset_index()


def _without_ec50(table: pd.DataFrame, curves: pd.Index) -> pd.DataFrame:
    """Move the EC50s of curves that are mostly toxic doses to where those of all doses are reported."""
    active = curves[table.loc[curves, "curve_class"].isin([*RISING, "worsening"])]
    for column in ("ec50", "ec50_low", "ec50_high"):
        table.loc[active, column.replace("ec50", "ec50_all")] = table.loc[active, column]
    gone = [
        c
        for c in table.columns
        if c.startswith(("ec50", "ed")) and "_all" not in c and c not in ("ec50_censored", "ec50_fit")
    ]
    table.loc[active, gone] = np.nan
    table.loc[active, "ec50_censored"] = ""
    table.loc[active, "curve_class"] = "toxic_top"
    return table


def _complete(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the table with values in the rows of compounds that have no good well."""
    classes = {"curve_class": "not_fitted", "curve_class_all": "not_fitted", "ec50_censored": ""}
    counts = dict.fromkeys([column for column in curves.columns if column.startswith("n_")], 0)
    curves = curves.fillna(classes | counts).astype(dict.fromkeys(counts, int))
    for column in ("at_bound", "converged"):
        curves[column] = curves[column].eq(True)
    return curves


def _chosen(curves: pd.DataFrame, compounds: Sequence[str]) -> pd.DataFrame:
    """Return the curves of some compounds."""
    names = curves["treatment"].str.casefold()
    unknown = [name for name in compounds if name.casefold() not in set(names)]
    if unknown:
        some = ", ".join(sorted(curves["treatment"].unique())[:5])
        raise UsageError(f"no curve of {', '.join(unknown)} in this screen; it has {some}, ...")
    return curves[names.isin([name.casefold() for name in compounds])].reset_index(drop=True)


def wells_of_curve(wells: pd.DataFrame, experiment: str, treatment: str) -> pd.DataFrame:
    """Return the scored wells of one treatment in one experiment, sorted by dose."""
    chosen = (wells["experiment"].astype(str) == str(experiment)) & (
        wells["treatment"].astype(str) == str(treatment)
    )
    return wells[chosen.to_numpy()].dropna(subset=["dose_um"]).sort_values("dose_um")
