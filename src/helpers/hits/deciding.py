"""The arm that stands for a compound: the one of its best dose, or the one that its call is about."""

import pandas as pd


def best_arms(hits: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """Give each compound the interval of its best arm, the one that `hits.csv` names.

    Parameters
    ----------
    hits : DataFrame
        `hits.csv`: experiment, treatment, call, rescue_max, dose_at_max_um, rank.
    arms : DataFrame
        `arms.csv`: experiment, treatment, dose_um, rescue_low, rescue_high, n_wells, n_plates.

    Returns
    -------
    DataFrame
        `hits` with rescue_low, rescue_high, n_wells and n_plates, sorted by experiment and rank.
    """
    columns = ["rescue_low", "rescue_high", "n_wells", "n_plates"]
    best = arms.rename(columns={"dose_um": "dose_at_max_um"})
    best = best[["experiment", "treatment", "dose_at_max_um", *columns]]
    left = hits.drop(columns=[c for c in columns if c in hits])
    keys = ["experiment", "treatment", "dose_at_max_um"]
    for table in (left, best):
        table[keys[:2]] = table[keys[:2]].astype(str)
    return left.merge(best, on=keys, how="left").sort_values(["experiment", "rank"]).reset_index(drop=True)


def deciding_arms(hits: pd.DataFrame, arms: pd.DataFrame) -> pd.DataFrame:
    """Give each compound the arm that its call is about.

    That is the one of `best_arms`, but for compounds called `worsens`: of these it is the arm of lowest rescue, for
    the dose at which they do least harm says nothing about the harm.

    Parameters
    ----------
    hits, arms : DataFrame
        `hits.csv` and `arms.csv`.

    Returns
    -------
    DataFrame
        As `best_arms`, with rescue_max and dose_at_max_um of that arm.
    """
    keys = ["experiment", "treatment"]
    known = arms.dropna(subset=["rescue"]).reset_index(drop=True).astype(dict.fromkeys(keys, str))
    lowest = known.loc[known.groupby(keys)["rescue"].idxmin()].set_index(keys)[["rescue", "dose_um"]]
    table = hits.reset_index(drop=True).astype(dict.fromkeys(keys, str))
    harm = (table["call"] == "worsens").to_numpy()
    found = lowest.reindex(pd.MultiIndex.from_frame(table.loc[harm, keys]))
    table.loc[harm, ["rescue_max", "dose_at_max_um"]] = found.to_numpy()
    return best_arms(table, arms)


def with_calls(arms: pd.DataFrame, hits: pd.DataFrame) -> pd.DataFrame:
    """Return arms with the call of their compound and on_disease (1 - rescue).

    Parameters
    ----------
    arms, hits : DataFrame
        `arms.csv` and `hits.csv`.

    Returns
    -------
    DataFrame
        `arms` with the columns call and on_disease more.
    """
    if arms.empty:
        return arms.assign(call=pd.Series(dtype=object), on_disease=pd.Series(dtype=float))
    calls = hits.astype({"experiment": str, "treatment": str}).set_index(["experiment", "treatment"])["call"]
    keys = pd.MultiIndex.from_arrays([arms["experiment"].astype(str), arms["treatment"].astype(str)])
    return arms.assign(call=calls.reindex(keys).astype(str).to_numpy(), on_disease=1 - arms["rescue"])
