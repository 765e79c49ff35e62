"""Dose response of a screen: the curves of every compound in every experiment."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from helpers.dose.classes import RISING
from helpers.dose.evidence import harm_evidence
from helpers.dose.harm import ARM, PAIR, harm_on_axis, off_axis, toxic_doses
from helpers.dose.known import LEVEL_SHARE, Known
from helpers.dose.level import known_from_controls
from helpers.dose.notes import curve_notes
from helpers.dose.options import EC50_MARGIN, HILL_BOUNDS, MIN_DOSES, CurveOptions
from helpers.dose.readings import cover_both
from helpers.dose.table import fit_curves
from helpers.dose.units import UnitWarning
from helpers.errors import DataError, UsageError
from helpers.hits.calls import call_hits
from helpers.hits.rule import Rule
from helpers.options import with_settings
from helpers.profiles.selection import treated, usable

INFECTED_LEVEL = 0.0
"""Rescue of infected untreated wells, by definition of the axis."""
MODELS = ("4pl", "3pl")
MAX_RESCUE = 1.25
ESTIMATES = [
    "curve_class", "ec50", "ec50_low", "ec50_high", "ec50_censored", "hill", "hill_low", "hill_high", "front", "back",
    "back_low", "back_high", "ec50_fit", "at_bound", "converged", "effect", "activity_area",
]  # fmt: skip
SURE = 1 - 1e-9
"""Level at which every curve counts as told from flat: those that are fitted once more were told before."""


@dataclass(frozen=True)
class ScreenOptions:
    """How the curves of a screen are fitted, tested and reported.

    Attributes
    ----------
    max_rescue : float
        Largest plateau: rescue 1 is as mock, and a compound does not do better than that but for the error of the
        axis. Without a limit the EC50 of a noisy curve is half-way to anywhere.
    toxic_off : float
        Distance from the axis from which on a dose is toxic, in axis lengths (see :mod:`helpers.dose.harm`).
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
    toxic_off: float = Rule.toxic_off
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

    Columns well_id, experiment, treatment, plate, plate_id, dose_um, rescue.
    """
    obs = scored.obs[treated(scored.obs) & usable(scored.obs)]
    columns = ["experiment", "treatment", "plate", "plate_id", "dose_um", "rescue"]
    return obs[columns].reset_index(names="well_id").astype(dict.fromkeys(PAIR, str))


def fit_screen(
    scored: ad.AnnData,
    *,
    arms: pd.DataFrame | None = None,
    hits: pd.DataFrame | None = None,
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
    compounds of the experiment (see :mod:`helpers.dose.plates`), or, where these are few, from the controls.

    Rescue is read along one axis, and cells that a compound harms can move along it too. So doses at the top at which
    it harms (see :mod:`helpers.dose.harm`) are left out of the fit, where enough doses remain, and the estimates with
    them are reported beside. How else a compound changes cells is its own affair: every other dose is fitted.

    Infected untreated wells tell where every curve starts. A compound whose wells together lie further from that than
    `min_rescue` does something, also where its curve is flat: it does all it can at every dose, and its EC50 lies below
    them.

    Parameters
    ----------
    scored : AnnData
        From :func:`helpers.hits.score_wells`; wells that failed are left out.
    arms : DataFrame, optional
        From :func:`helpers.hits.call_hits`, to tell toxic doses; computed if it is needed and not given.
    hits : DataFrame, optional
        From the same, so that `note` can say why a compound that was called has no curve; computed with `arms`.
    fdr : float
        Over the curves of an experiment.
    min_rescue : float
        Effect below which the relevance score is deflated.
    model : str
        `4pl`, or `3pl`: the curve starts at the level of infected untreated wells, rescue 0.
    drop_toxic : bool
        Whether to leave toxic top doses out (see :func:`helpers.dose.harm.toxic_doses`).
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
        toxic doses and fewer than `min_doses` below them, or nothing that rises there, has the class `toxic_top`, no
        EC50, and the effect of the fit to all doses. Adds
        `n_toxic_doses`, how many doses were found toxic; if they were left out they count in `n_dropped_doses`, and
        `ec50_all_um`, `ec50_all_low_um`, `ec50_all_high_um`, `curve_class_all` are what the fit to all doses says;
        `off_fitted` and `off_toxic`, how far off the axis cells lie at most at doses that are not toxic, and at those
        that are, in axis lengths; `toxic_reason` and `cells_top`, what else speaks of harm (see
        :func:`helpers.dose.evidence.harm_evidence`); and `note`: what a reader of class and EC50 should know besides.

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
    if arms is None:
        arms, hits = call_hits(scored, fdr=fdr, min_rescue=min_rescue, seed=seed)
    toxic = toxic_doses(arms if drop_toxic else arms.head(0), options.toxic_off)
    call = {
        "curve": "treatment", "dose": "dose_um", "response": "rescue", "cluster": "plate", "seed": seed,
        "front": INFECTED_LEVEL if model == "3pl" else None, "options": options.curves(fdr, min_rescue),
    }  # fmt: skip
    tables = []
    for experiment, group in points.groupby("experiment", sort=False):
        mine = toxic[toxic["experiment"] == experiment]
        group = group.assign(harm=_per_well(group, harm_on_axis(arms, mine)))
        with (
            warnings.catch_warnings()
        ):  # rescue has a unit of its own, however large it is where windows are small
            warnings.simplefilter("ignore", UnitWarning)
            table = _fit_experiment(scored, group, mine, call, min_rescue)
        table.insert(0, "experiment", experiment)
        tables.append(table)
    curves = _as_table(tables, pairs)
    curves = curves.merge(off_axis(arms, toxic), on=PAIR, how="left")
    curves = curves.merge(harm_evidence(scored, toxic), on=PAIR, how="left").fillna({"toxic_reason": ""})
    curves["note"] = curve_notes(curves, hits)
    return curves if compounds is None else _chosen(curves, compounds)


def _as_table(tables: list[pd.DataFrame], pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for every pair of experiment and treatment, doses with their unit."""
    curves = pd.concat(tables, ignore_index=True)
    curves.columns = [_in_um(column) for column in curves.columns]
    # a compound all of whose wells failed has a row too
    curves = _complete(pairs.merge(curves, on=PAIR, how="left"))
    return curves.sort_values(PAIR, ignore_index=True)


def _in_um(column: str) -> str:
    """Return the name of a column, with the unit where it holds a dose."""
    dose = column.startswith("ec50") or (column.startswith("ed") and column[2:3].isdigit())
    return f"{column}_um" if dose and column != "ec50_censored" else column


def _fit_experiment(
    scored: ad.AnnData, points: pd.DataFrame, toxic: pd.DataFrame, call: dict, min_rescue: float
) -> pd.DataFrame:
    """Fit the curves of one experiment without their toxic doses, and those that have some with them too."""
    keys = ["treatment", "dose_um"]
    is_toxic = pd.MultiIndex.from_frame(points[keys]).isin(pd.MultiIndex.from_frame(toxic[keys]))
    n_toxic = points[is_toxic].groupby("treatment")["dose_um"].nunique()
    left = points[~is_toxic].groupby("treatment")["dose_um"].nunique().reindex(n_toxic.index, fill_value=0)
    enough = left >= call["options"].min_doses
    droppable, too_few = n_toxic.index[enough], n_toxic.index[~enough]
    dropped = is_toxic & points["treatment"].isin(droppable).to_numpy()
    experiment = points["experiment"].iloc[0]
    known = known_from_controls(
        scored, points[~dropped], experiment, min_rescue=min_rescue, seed=call["seed"]
    )
    table = _fit_from_level(points[~dropped], call, known)
    table["n_toxic_doses"] = n_toxic.reindex(table.index, fill_value=0)
    table["curve_class_all"] = table["curve_class"]
    if len(droppable):
        # all compounds once more, because they lend each other the size of plate effects
        everything = _fit_from_level(points, call | {"permutations": 0}, known).loc[droppable]
        table.loc[droppable, "n_dropped_doses"] += n_toxic[droppable]
        for column in ("ec50", "ec50_low", "ec50_high"):
            table.loc[droppable, column.replace("ec50", "ec50_all")] = everything[column]
        for column in ("n_points", "n_doses", "n_plates"):
            table.loc[droppable, column] = everything[column]
        table.loc[droppable, "curve_class_all"] = everything["curve_class"]
        less = points[~dropped].assign(rescue=points["rescue"] - points["harm"])
        cover_both(table, _fit_from_level(less, call | {"permutations": 0}, known), droppable, less)
        flat = table.loc[droppable, "curve_class"].eq("inactive")
        table.loc[droppable[flat], "curve_class"] = "toxic_top"
    return _without_ec50(table, too_few).reset_index()


def _per_well(points: pd.DataFrame, by_arm: pd.Series) -> np.ndarray:
    """Return the value of each well's arm, 0 where it has none."""
    return by_arm.reindex(pd.MultiIndex.from_frame(points[ARM])).fillna(0.0).to_numpy()


def _fit_from_level(points: pd.DataFrame, call: dict, known: Known) -> pd.DataFrame:
    """Fit curves, those once more whose start was not seen though infected wells tell it; index: the treatment."""
    table = fit_curves(points, known=known, **call).set_index("curve")
    table.index.name = "treatment"
    level = known.level_p.reindex(table.index).fillna(1.0) if known.level_p is not None else 1.0
    unseen = (table["curve_class"] == "below_range") | table["curve_class"].isin(RISING) & table[
        "ec50"
    ].isna()
    again = table.index[unseen & (level <= LEVEL_SHARE * call["options"].alpha)]
    if len(again) and call["front"] is None:
        options = replace(call["options"], alpha=SURE, permutations=0)
        once_more = call | {"front": INFECTED_LEVEL, "options": options}
        mine = points[points["treatment"].isin(again)]
        plates = replace(known, level_p=None)
        better = fit_curves(mine, known=plates, **once_more).set_index("curve")
        better = better[better["curve_class"].isin(RISING)]
        table.loc[better.index, ESTIMATES] = better[ESTIMATES]
    falls = table["curve_class"].isin(RISING) & (_direction(table) < 0)
    table.loc[falls, "curve_class"] = "worsening"
    return table


def _direction(table: pd.DataFrame) -> pd.Series:
    """Return by how much curves rise: between their plateaus, or, where one was not seen, over their doses."""
    return (table["back"] - table["front"]).fillna(table["effect"])


def _without_ec50(table: pd.DataFrame, too_few: pd.Index) -> pd.DataFrame:
    """Move EC50s of curves that are mostly toxic doses to where those of all doses are reported, and empty the rest.

    A curve that is not told from flat has no parameters; one whose EC50 is a limit has no slope.
    """
    active = too_few[table.loc[too_few, "curve_class"].isin([*RISING, "worsening"])]
    for column in ("ec50", "ec50_low", "ec50_high"):
        table.loc[active, column.replace("ec50", "ec50_all")] = table.loc[active, column]
    table.loc[too_few, "curve_class"] = "toxic_top"
    shape = [c for c in table.columns if c.startswith(("ec50", "ed", "hill", "front", "back"))]
    shape = [c for c in shape if "_all" not in c and c not in ("ec50_censored", "effect")]
    none = table["curve_class"].isin(["inactive", "toxic_top", "not_fitted"])
    table.loc[none, shape], table.loc[none, "ec50_censored"] = np.nan, ""
    table.loc[none, "at_bound"] = False
    limit = table["ec50_censored"].ne("") | table["ec50"].isna()
    table.loc[limit, ["hill", "hill_low", "hill_high"]] = np.nan
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
